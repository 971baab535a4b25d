//! Reading the log back after a start.
//!
//! A crash in the middle of a write leaves a torn group at the end of the last file: nobody was told that it is there, so it is cut. A group that is
//! damaged with sound ones behind it was acknowledged once: its bytes are set aside, the loss is said, and everything behind it is read.

use std::collections::{BTreeMap, HashMap};
use std::fs::OpenOptions;
use std::path::Path;

use super::Entry;
use super::group::{FILE_HEADER_BYTES, FILE_VERSION, FileHeader, Found, find_group, read_file_header, read_group};
use crate::layout::{Layout, log_number};
use crate::{Offset, ShardId, StoreError};

/// What the log held, beside the entries that went to the caller.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Replayed {
    /// The highest offset of each shard in each file.
    pub(crate) files: BTreeMap<u64, HashMap<ShardId, Offset>>,
    pub(crate) next_sequence: u64,
    pub(crate) quarantined_groups: u64,
    pub(crate) torn_bytes: u64,
}

/// Hands every sound entry to `take`, oldest first.
pub(crate) fn replay(
    layout: &Layout,
    mut take: impl FnMut(Entry) -> Result<(), StoreError>,
) -> Result<Replayed, StoreError> {
    let numbers = log_files(&layout.log_folder())?;
    let mut replayed = Replayed::default();
    for number in &numbers {
        let path = layout.log_file(*number);
        let bytes = std::fs::read(&path).map_err(StoreError::io("read the log file", path.clone()))?;
        if let FileHeader::NewerVersion(found) = read_file_header(&bytes) {
            let by = "a newer culprit".to_owned();
            return Err(StoreError::NewerFormat { path, found, by, supported: FILE_VERSION });
        }
        let mut file = FileReplay { layout, number: *number, bytes: &bytes, replayed: &mut replayed };
        let end = file.run(&mut take)?;
        if end < bytes.len() {
            file.leave_tail(end, Some(number) == numbers.last())?;
        }
    }
    Ok(replayed)
}

fn log_files(folder: &Path) -> Result<Vec<u64>, StoreError> {
    let mut numbers = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(StoreError::io("list", folder))? {
        let entry = entry.map_err(StoreError::io("list", folder))?;
        numbers.extend(entry.file_name().to_str().and_then(log_number));
    }
    numbers.sort_unstable();
    Ok(numbers)
}

struct FileReplay<'a> {
    layout: &'a Layout,
    number: u64,
    bytes: &'a [u8],
    replayed: &'a mut Replayed,
}

impl FileReplay<'_> {
    /// Returns where the sound part ends.
    fn run(&mut self, take: &mut impl FnMut(Entry) -> Result<(), StoreError>) -> Result<usize, StoreError> {
        let highest = self.replayed.files.entry(self.number).or_default();
        let mut highest = std::mem::take(highest);
        let mut at = match read_file_header(self.bytes) {
            FileHeader::Good | FileHeader::NewerVersion(_) => FILE_HEADER_BYTES,
            FileHeader::Damaged => 0,
        };
        while at < self.bytes.len() {
            match read_group(&self.bytes[at..]) {
                Found::Group { sequence, entries, length } => {
                    self.replayed.next_sequence = sequence + 1;
                    for entry in entries {
                        highest.insert(entry.shard, entry.offset);
                        take(entry)?;
                    }
                    at += length;
                }
                Found::DamagedPayload { length } => {
                    self.quarantine(at, at + length)?;
                    at += length;
                }
                Found::CutOff | Found::NoGroup => match find_group(&self.bytes[at..]) {
                    Some(skip) => {
                        self.quarantine(at, at + skip)?;
                        at += skip;
                    }
                    None => break,
                },
            }
        }
        self.replayed.files.insert(self.number, highest);
        Ok(at)
    }

    fn quarantine(&mut self, from: usize, to: usize) -> Result<(), StoreError> {
        let path = self.layout.quarantined_group(self.number, from as u64);
        std::fs::write(&path, &self.bytes[from..to]).map_err(StoreError::io("set aside a damaged group in", &path))?;
        self.replayed.quarantined_groups += 1;
        tracing::error!(
            log = %self.layout.log_file(self.number).display(),
            position = from,
            bytes = to - from,
            kept_in = %path.display(),
            "a damaged log group was quarantined: its rows are lost, all others are there"
        );
        Ok(())
    }

    /// Behind `end` stands no sound group any more.
    fn leave_tail(&mut self, end: usize, last_file: bool) -> Result<(), StoreError> {
        if !last_file {
            return self.quarantine(end, self.bytes.len());
        }
        let path = self.layout.log_file(self.number);
        let cut = || {
            let file = OpenOptions::new().write(true).open(&path)?;
            file.set_len(end as u64)?;
            file.sync_all()
        };
        cut().map_err(StoreError::io("cut the torn end of", path.clone()))?;
        let torn = (self.bytes.len() - end) as u64;
        self.replayed.torn_bytes += torn;
        tracing::warn!(log = %path.display(), bytes = torn, "the torn last group was cut; it was never acknowledged");
        Ok(())
    }
}

#[cfg(test)]
mod tests;
