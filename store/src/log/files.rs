//! Which log file holds what: files whose rows all stand in segments go, and shards that keep old files alive are named.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard};

use super::Entry;
use crate::disk::Disk;
use crate::layout::Layout;
use crate::{Offset, ShardId, StoreError};

#[derive(Debug, Default, Clone, PartialEq)]
pub(crate) struct FileContents {
    pub(crate) bytes: u64,
    /// The highest offset of each shard.
    pub(crate) highest: HashMap<ShardId, Offset>,
}

impl FileContents {
    /// Shards with rows that stand in no segment yet; a shard that is gone has none.
    fn unflushed(&self, flushed: &impl Fn(ShardId) -> Option<Offset>) -> impl Iterator<Item = ShardId> {
        let waits = |(shard, last): (&ShardId, &Offset)| {
            flushed(*shard).is_some_and(|flushed| *last >= flushed).then_some(*shard)
        };
        self.highest.iter().filter_map(waits)
    }
}

/// By number; the last one is being written.
#[derive(Debug)]
pub(crate) struct LogFiles {
    layout: Layout,
    disk: Disk,
    files: Mutex<BTreeMap<u64, FileContents>>,
}

impl LogFiles {
    pub(crate) fn new(layout: Layout, disk: Disk, files: BTreeMap<u64, FileContents>) -> Self {
        Self { layout, disk, files: Mutex::new(files) }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, FileContents>> {
        self.files.lock().expect("no holder of this lock panics")
    }

    /// The file has `bytes` and ends with these entries.
    pub(crate) fn written(&self, number: u64, bytes: u64, entries: &[Entry]) {
        let mut files = self.lock();
        let contents = files.entry(number).or_default();
        contents.bytes = bytes;
        contents.highest.extend(entries.iter().map(|entry| (entry.shard, entry.offset)));
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.lock().values().map(|contents| contents.bytes).sum()
    }

    /// While all files together hold more than `bytes_max`: the shards that keep the oldest ones alive.
    pub(crate) fn overdue(&self, bytes_max: u64, flushed: impl Fn(ShardId) -> Option<Offset>) -> Vec<ShardId> {
        let files = self.lock();
        let mut excess = files.values().map(|contents| contents.bytes).sum::<u64>().saturating_sub(bytes_max);
        let mut overdue = Vec::new();
        for contents in files.values() {
            if excess == 0 {
                break;
            }
            overdue.extend(contents.unflushed(&flushed));
            excess = excess.saturating_sub(contents.bytes);
        }
        overdue.sort_unstable();
        overdue.dedup();
        overdue
    }

    /// The number of the file that is being written.
    pub(crate) fn current(&self) -> u64 {
        self.lock().keys().next_back().copied().unwrap_or(0)
    }

    /// Deletes the files with a number below `current` of which every entry stands below `flushed`.
    pub(crate) fn truncate(&self, current: u64, flushed: impl Fn(ShardId) -> Option<Offset>) -> Result<(), StoreError> {
        let mut files = self.lock();
        let is_spent = |contents: &FileContents| contents.unflushed(&flushed).next().is_none();
        let spent: Vec<u64> =
            files.range(..current).filter(|(_, contents)| is_spent(contents)).map(|(n, _)| *n).collect();
        for number in spent {
            let path = self.layout.log_file(number);
            self.disk.remove(&path).map_err(StoreError::io("remove the log file", path))?;
            files.remove(&number);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_files_decide_who_is_overdue() {
        let contents = |bytes, highest: &[(i64, u64)]| FileContents {
            bytes,
            highest: highest.iter().map(|(shard, offset)| (ShardId(*shard), Offset(*offset))).collect(),
        };
        let folder = tempfile::tempdir().unwrap();
        let files = [
            (1, contents(100, &[(1, 4), (2, 9), (7, 0)])),
            (2, contents(100, &[(1, 5)])),
            (3, contents(100, &[(3, 0)])),
        ];
        let files = LogFiles::new(Layout::new(folder.path()), Disk::default(), files.into());
        // Shard 7 is gone.
        let flushed = |shard: ShardId| {
            [None, Some(Offset(5)), Some(Offset(3)), Some(Offset(0))].get(shard.0 as usize).copied().flatten()
        };
        for (bytes_max, overdue) in
            [(300, vec![]), (299, vec![2]), (200, vec![2]), (199, vec![1, 2]), (0, vec![1, 2, 3])]
        {
            let found: Vec<i64> = files.overdue(bytes_max, flushed).iter().map(|shard| shard.0).collect();
            assert_eq!(found, overdue, "{bytes_max}");
        }
        assert_eq!(files.bytes(), 300);
    }
}
