//! Exactly once: a producer counts its writes under a hash key of its own, and a number that is stored is not stored again.
//!
//! Numbers are kept by store and key, not by shard, so that splits and merges do not touch them. A number is in the log beside its rows and is thus durable with
//! them; it comes into the catalog in the transaction after which the log may forget them. Only the log's thread lets numbers in, so that of two writes with one
//! number, both under way, one is stored.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};

use crate::limits::STORE_SEQUENCES_MAX;
use crate::shard::RecentBatch;
use crate::{StoreError, StoreId, UnixNanos};

/// The place of a write among all writes of its producer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sequence {
    /// Which producer counts: nobody else in this store uses the key.
    pub key: u128,
    /// Ascends from write to write; gaps are allowed.
    pub number: i64,
}

/// A key's last number, and when it was received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LastNumber {
    pub(crate) number: i64,
    pub(crate) received: UnixNanos,
}

/// Of one store. What is in here is durable.
#[derive(Debug)]
pub(crate) struct Sequences {
    pub(crate) store: StoreId,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    by_key: HashMap<u128, LastNumber>,
    /// Keys that were silent since before are not known any more.
    forgotten: Option<UnixNanos>,
}

/// What the catalog takes over with rows that leave the log.
#[derive(Debug, Default)]
pub(crate) struct SequenceChange {
    pub(crate) last: HashMap<u128, LastNumber>,
    /// Older ones go.
    pub(crate) forgotten: Option<UnixNanos>,
}

impl Sequences {
    pub(crate) fn new(store: StoreId, last: HashMap<u128, LastNumber>) -> Self {
        Self { store, known: Mutex::new(Known { by_key: last, forgotten: None }) }
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().expect("no holder of this lock panics")
    }

    /// Fails when the number or a later one is stored.
    pub(crate) fn check(&self, sequence: Sequence) -> Result<(), StoreError> {
        let last = self.lock().by_key.get(&sequence.key).map(|last| last.number);
        check_after(sequence, last)
    }

    /// Its rows are in the log.
    pub(crate) fn store(&self, sequence: Sequence, received: UnixNanos) {
        let mut known = self.lock();
        note(&mut known.by_key, sequence, received);
        if known.by_key.len() > STORE_SEQUENCES_MAX {
            known.forget_silent();
        }
    }

    /// What rows that leave the log leave behind.
    pub(crate) fn change<'a>(&self, leaving: impl IntoIterator<Item = &'a RecentBatch>) -> SequenceChange {
        let mut last = HashMap::new();
        for batch in leaving {
            if let Some(sequence) = batch.sequence {
                note(&mut last, sequence, batch.received);
            }
        }
        SequenceChange { last, forgotten: self.lock().forgotten }
    }
}

impl Known {
    /// An eighth at a time, so that the search for the silent ones is paid for by many writes.
    fn forget_silent(&mut self) {
        let mut received: Vec<UnixNanos> = self.by_key.values().map(|last| last.received).collect();
        let at = received.len() / 8;
        let (_, limit, _) = received.select_nth_unstable(at);
        let limit = *limit;
        self.by_key.retain(|_, last| last.received >= limit);
        self.forgotten = self.forgotten.max(Some(limit));
    }
}

pub(crate) fn check_after(sequence: Sequence, last: Option<i64>) -> Result<(), StoreError> {
    match last {
        Some(last) if sequence.number <= last => {
            Err(StoreError::StaleSequence { key: sequence.key, number: sequence.number, last })
        }
        _ => Ok(()),
    }
}

fn note(by_key: &mut HashMap<u128, LastNumber>, sequence: Sequence, received: UnixNanos) {
    let last = by_key.entry(sequence.key).or_insert(LastNumber { number: sequence.number, received });
    last.number = last.number.max(sequence.number);
    last.received = last.received.max(received);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(key: u128, number: i64) -> Sequence {
        Sequence { key, number }
    }

    #[test]
    fn only_numbers_after_the_last_one_pass() {
        let sequences = Sequences::new(StoreId(1), HashMap::new());
        sequences.check(of(7, -5)).unwrap();
        for (number, stored) in [(3, 3), (9, 9), (4, 9)] {
            sequences.store(of(7, number), UnixNanos(1));
            for (asked, passes) in [(stored - 1, false), (stored, false), (stored + 1, true)] {
                assert_eq!(sequences.check(of(7, asked)).is_ok(), passes, "{asked} after {stored}");
            }
            sequences.check(of(8, 1)).unwrap();
        }
        let refused = sequences.check(of(7, 9)).unwrap_err().to_string();
        assert!(refused.contains("00000000000000000000000000000007") && refused.contains("9"), "{refused}");
    }

    #[test]
    fn the_longest_silent_keys_are_forgotten_when_there_are_too_many() {
        let sequences = Sequences::new(StoreId(1), HashMap::new());
        let count = STORE_SEQUENCES_MAX as i64 + 1;
        for at in 0..count - 1 {
            sequences.store(of(at as u128, 1), UnixNanos(at));
        }
        // The oldest speaks again before there is one too many.
        sequences.store(of(0, 2), UnixNanos(count));
        assert_eq!(sequences.change([]).forgotten, None);
        sequences.store(of(u128::MAX, 1), UnixNanos(count));
        let forgotten = sequences.change([]).forgotten.unwrap();
        assert_eq!(forgotten, UnixNanos(1 + count / 8));
        for (key, is_known) in [(0, true), (1, false), (forgotten.0 - 1, false), (forgotten.0, true), (count - 2, true)]
        {
            assert_eq!(sequences.check(of(key as u128, 1)).is_err(), is_known, "key {key}");
        }
    }
}
