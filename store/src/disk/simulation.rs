//! A disk that misbehaves as a seed says, and forgets at a power cut what was not synced.

use std::collections::{HashMap, HashSet};
use std::io::{Error, ErrorKind, Result};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Duration;

use super::{Operation, Space};

/// Out of 1,000 operations of each sort, so many fail.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Faults {
    /// Writes that fail with EIO, after a part of the bytes.
    pub(crate) write: u64,
    /// Writes that meet a full disk, after a part of the bytes.
    pub(crate) full: u64,
    pub(crate) sync: u64,
    pub(crate) create: u64,
    pub(crate) remove: u64,
    pub(crate) segment: u64,
    /// Transactions that fail before they change anything…
    pub(crate) catalog: u64,
    /// …and transactions that are made, and reported as failed.
    pub(crate) catalog_answer: u64,
}

#[derive(Debug)]
pub(crate) struct Simulation {
    state: Mutex<State>,
    released: Condvar,
}

#[derive(Debug)]
struct State {
    random: Random,
    faults: Faults,
    files: HashMap<PathBuf, Lengths>,
    /// Names that no sync of their folder has made durable.
    new_names: HashSet<PathBuf>,
    syncs_held: bool,
    syncs_waiting: usize,
    sync_time: Duration,
    power: bool,
    space: Option<Space>,
    failed: u64,
}

#[derive(Debug, Default, Clone, Copy)]
struct Lengths {
    written: u64,
    synced: u64,
}

/// SplitMix64 (Steele, Lea and Flood, 2014): one multiplication chain per number, the same on every machine.
#[derive(Debug, Clone)]
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Below `bound`, which is not zero.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}

impl Simulation {
    pub(crate) fn new(seed: u64) -> Arc<Self> {
        let state = State {
            random: Random(seed),
            faults: Faults::default(),
            files: HashMap::new(),
            new_names: HashSet::new(),
            syncs_held: false,
            syncs_waiting: 0,
            sync_time: Duration::ZERO,
            power: true,
            space: None,
            failed: 0,
        };
        Arc::new(Self { state: Mutex::new(state), released: Condvar::new() })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no holder of this lock panics")
    }

    pub(crate) fn set_faults(&self, faults: Faults) {
        self.state().faults = faults;
    }

    /// How many operations were made to fail.
    pub(crate) fn failed(&self) -> u64 {
        self.state().failed
    }

    /// What a sync says that it took.
    pub(crate) fn set_sync_time(&self, time: Duration) {
        self.state().sync_time = time;
    }

    pub(crate) fn set_space(&self, space: Space) {
        self.state().space = Some(space);
    }

    pub(super) fn space(&self) -> Option<Space> {
        self.state().space
    }

    /// Syncs wait until `release_syncs`.
    pub(crate) fn hold_syncs(&self) {
        self.state().syncs_held = true;
    }

    pub(crate) fn release_syncs(&self) {
        self.state().syncs_held = false;
        self.released.notify_all();
    }

    pub(crate) fn syncs_waiting(&self) -> usize {
        self.state().syncs_waiting
    }

    /// From here on nothing reaches the disk.
    pub(crate) fn cut_power(&self) {
        self.state().power = false;
        self.release_syncs();
    }

    /// What a power cut leaves: of each file what was synced and perhaps some of the rest; of new names those whose folder was synced.
    pub(crate) fn restore_power(&self) -> Result<()> {
        let mut state = self.state();
        let files: Vec<(PathBuf, Lengths)> = state.files.drain().collect();
        let new_names = std::mem::take(&mut state.new_names);
        for (path, lengths) in files {
            if !path.exists() {
                continue;
            }
            if new_names.contains(&path) && state.random.below(2) == 0 {
                std::fs::remove_file(&path)?;
                continue;
            }
            let unsynced = lengths.written.saturating_sub(lengths.synced);
            let kept = lengths.synced + state.random.below(unsynced + 1);
            std::fs::OpenOptions::new().write(true).open(&path)?.set_len(kept)?;
        }
        state.power = true;
        Ok(())
    }

    pub(super) fn created(&self, path: &Path) {
        let mut state = self.state();
        state.files.insert(path.to_owned(), Lengths::default());
        state.new_names.insert(path.to_owned());
    }

    pub(super) fn folder_synced(&self, folder: &Path) {
        self.state().new_names.retain(|path| path.parent() != Some(folder));
    }

    pub(super) fn cut(&self, path: &Path, length: u64) {
        let mut state = self.state();
        // A file that nobody has written since the power came was whole.
        let lengths = state.files.entry(path.to_owned()).or_insert(Lengths { written: length, synced: length });
        // Until the next sync the old length may come back; a cut only ever takes back what was never synced, or a torn end.
        lengths.written = lengths.written.max(length);
        lengths.synced = lengths.synced.min(length);
    }

    pub(super) fn may(&self, operation: Operation) -> Result<()> {
        let mut state = self.state();
        let rate = match operation {
            Operation::Create => state.faults.create,
            Operation::SyncFolder => state.faults.sync,
            Operation::Remove => state.faults.remove,
            Operation::PutSegment => state.faults.segment,
            Operation::BeginCatalog | Operation::CommitCatalog => state.faults.catalog,
            Operation::AnswerCatalog => state.faults.catalog_answer,
        };
        state.decide(rate, &format!("{operation:?}"))
    }

    /// How many bytes may be written, and the error that follows.
    pub(super) fn write(&self, path: &Path, at: u64, bytes: usize) -> (usize, Option<Error>) {
        let mut state = self.state();
        if !state.power {
            return (0, Some(Error::other("no power")));
        }
        let dice = state.random.below(1000);
        let Faults { write, full, .. } = state.faults;
        let refused = if dice < write {
            Some(Error::from_raw_os_error(5))
        } else {
            (dice < write + full).then(|| Error::from(ErrorKind::StorageFull))
        };
        let granted = if refused.is_some() { state.random.below(bytes as u64 + 1) } else { bytes as u64 };
        state.failed += u64::from(refused.is_some());
        let lengths = state.files.entry(path.to_owned()).or_default();
        lengths.written = lengths.written.max(at + granted);
        (granted as usize, refused)
    }

    pub(super) fn sync(&self, path: &Path) -> Result<Duration> {
        let mut state = self.state();
        state.syncs_waiting += 1;
        state = self.released.wait_while(state, |state| state.syncs_held).expect("no holder of this lock panics");
        state.syncs_waiting -= 1;
        let rate = state.faults.sync;
        state.decide(rate, "sync")?;
        let lengths = state.files.entry(path.to_owned()).or_default();
        lengths.synced = lengths.written;
        Ok(state.sync_time)
    }
}

impl State {
    fn decide(&mut self, rate: u64, what: &str) -> Result<()> {
        if !self.power {
            return Err(Error::other("no power"));
        }
        if self.random.below(1000) < rate {
            self.failed += 1;
            return Err(Error::other(format!("{what} fails by plan")));
        }
        Ok(())
    }
}
