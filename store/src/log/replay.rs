//! Reading the log back after a start.
//!
//! A crash in the middle of a write leaves a torn group at the end of the last file: nobody was told that it is there, so it is cut. A group that is
//! damaged with sound ones behind it was acknowledged once: its bytes are set aside, the loss is said, and everything behind it is read.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;

use super::group::{
    EntryAt, FILE_HEADER_BYTES, FILE_VERSION, FileHeader, Found, find_group, read_file_header, read_group,
};
use super::{Body, Entry, FileContents};
use crate::disk::Disk;
use crate::layout::{Layout, log_number};
use crate::{Offset, ShardId, StoreError};

/// What the log held, beside the entries that went to the caller.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Replayed {
    pub(crate) files: BTreeMap<u64, FileContents>,
    pub(crate) next_sequence: u64,
    pub(crate) quarantined_groups: u64,
    pub(crate) torn_bytes: u64,
    pub(crate) bytes: u64,
}

/// Reads one file after the other, so that memory holds one.
pub(crate) struct Replay {
    disk: Disk,
    layout: Layout,
    /// Still to be read, oldest first.
    numbers: VecDeque<u64>,
    replayed: Replayed,
}

impl Replay {
    pub(crate) fn open(disk: &Disk, layout: &Layout) -> Result<Self, StoreError> {
        let folder = layout.log_folder();
        let names = disk.names(&folder).map_err(StoreError::io("list", folder))?;
        let mut numbers: Vec<u64> = names.iter().filter_map(|name| log_number(name)).collect();
        numbers.sort_unstable();
        let replayed = Replayed::default();
        Ok(Self { disk: disk.clone(), layout: layout.clone(), numbers: numbers.into(), replayed })
    }

    /// The sound entries of the next file that are wanted, oldest first; none after the last file.
    pub(crate) fn next_file(
        &mut self,
        wanted: impl Fn(ShardId, Offset) -> bool,
    ) -> Result<Option<Vec<Entry>>, StoreError> {
        let Some(number) = self.numbers.pop_front() else { return Ok(None) };
        let path = self.layout.log_file(number);
        let bytes = Bytes::from(self.disk.read(&path).map_err(StoreError::io("read the log file", path.clone()))?);
        if let FileHeader::NewerVersion(found) = read_file_header(&bytes) {
            let by = "a newer culprit".to_owned();
            return Err(StoreError::NewerFormat { path, found, by, supported: FILE_VERSION });
        }
        let is_last = self.numbers.is_empty();
        let mut file = FileReplay { replay: self, number, bytes: &bytes, contents: FileContents::default() };
        let (entries, end) = file.run(wanted)?;
        if end < bytes.len() {
            file.leave_tail(end, is_last)?;
        }
        let contents = FileContents { bytes: bytes.len() as u64, ..file.contents };
        self.replayed.bytes += contents.bytes;
        self.replayed.files.insert(number, contents);
        Ok(Some(entries))
    }

    pub(crate) fn finish(self) -> Replayed {
        self.replayed
    }
}

struct FileReplay<'a> {
    replay: &'a mut Replay,
    number: u64,
    bytes: &'a Bytes,
    contents: FileContents,
}

impl FileReplay<'_> {
    /// Also returns where the sound part ends.
    fn run(&mut self, wanted: impl Fn(ShardId, Offset) -> bool) -> Result<(Vec<Entry>, usize), StoreError> {
        let mut kept = Vec::new();
        let mut at = match read_file_header(self.bytes) {
            FileHeader::Good | FileHeader::NewerVersion(_) => FILE_HEADER_BYTES,
            FileHeader::Damaged => 0,
        };
        while at < self.bytes.len() {
            match read_group(&self.bytes[at..]) {
                Found::Group { sequence, entries, length } => {
                    self.replay.replayed.next_sequence = sequence + 1;
                    let group = self.bytes.slice(at..at + length);
                    for entry in entries {
                        self.contents.highest.insert(entry.shard, entry.offset);
                        if wanted(entry.shard, entry.offset) {
                            let body = Body { codec: entry.codec, bytes: group.slice(entry.body) };
                            let EntryAt { shard, offset, received, sequence, .. } = entry;
                            kept.push(Entry { shard, offset, received, sequence, body });
                        }
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
        Ok((kept, at))
    }

    fn quarantine(&mut self, from: usize, to: usize) -> Result<(), StoreError> {
        let Replay { disk, layout, replayed, .. } = &mut *self.replay;
        let path = layout.quarantined_group(self.number, from as u64);
        disk.replace(&path, &self.bytes[from..to]).map_err(StoreError::io("set aside a damaged group in", &path))?;
        replayed.quarantined_groups += 1;
        tracing::error!(
            log = %layout.log_file(self.number).display(),
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
        let Replay { disk, layout, replayed, .. } = &mut *self.replay;
        let path = layout.log_file(self.number);
        disk.cut(&path, end as u64).map_err(StoreError::io("cut the torn end of", path.clone()))?;
        let torn = (self.bytes.len() - end) as u64;
        replayed.torn_bytes += torn;
        tracing::warn!(log = %path.display(), bytes = torn, "the torn last group was cut; it was never acknowledged");
        Ok(())
    }
}

#[cfg(test)]
mod tests;
