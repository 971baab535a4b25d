//! What a worker noted, and what all notes together must be.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Deserialize;

/// A key and one of its numbers.
type Numbered = (u64, u64);

/// A line of a worker's notes.
#[derive(Debug, Deserialize)]
struct Step {
    /// Nanoseconds since the epoch; all workers read the same clock.
    at: u64,
    shard: Option<u64>,
    #[serde(default)]
    logs: Vec<(String, u64)>,
    #[serde(default)]
    saved: bool,
    #[serde(default)]
    left: bool,
}

impl Step {
    fn logs(&self) -> impl Iterator<Item = Numbered> {
        self.logs.iter().map(|(key, n)| (key.parse().unwrap(), *n))
    }
}

pub(super) struct Journal(Vec<Step>);

impl Journal {
    /// The lines that are whole: the last one may be on its way.
    pub(super) fn read(file: &Path) -> Self {
        let text = std::fs::read_to_string(file).unwrap();
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        Self(whole.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
    }

    pub(super) fn logs(&self) -> impl Iterator<Item = Numbered> {
        self.0.iter().flat_map(Step::logs)
    }

    /// The shard that was processed last.
    pub(super) fn last_shard(&self) -> u64 {
        self.0.iter().rev().find_map(|step| step.shard).expect("it processed something")
    }

    pub(super) fn has_shard(&self, shard: u64) -> bool {
        self.0.iter().any(|step| step.shard == Some(shard))
    }

    pub(super) fn has_left(&self) -> bool {
        self.0.last().is_some_and(|step| step.left)
    }

    /// What it processed after the last checkpoint of the shard that it knows to be saved.
    fn unsaved(&self) -> BTreeSet<Numbered> {
        let mut open: BTreeMap<u64, BTreeSet<Numbered>> = BTreeMap::new();
        for step in &self.0 {
            let Some(shard) = step.shard else { continue };
            if step.saved {
                open.remove(&shard);
            } else {
                open.entry(shard).or_default().extend(step.logs());
            }
        }
        open.into_values().flatten().collect()
    }
}

/// Every number of every key once and in order over all workers, but for what the crash explains.
pub(super) fn check(killed: &Journal, others: &[&Journal], written: &[u64]) {
    let unsaved = killed.unsaved();
    let again: BTreeSet<Numbered> = others.iter().flat_map(|journal| journal.logs()).collect();
    let mut steps: Vec<(u64, Numbered)> = Vec::new();
    for step in &killed.0 {
        // A repetition stands where it was processed with effect: in the notes of who came after.
        let kept = step.logs().filter(|log| !(unsaved.contains(log) && again.contains(log)));
        steps.extend(kept.map(|log| (step.at, log)));
    }
    for step in others.iter().flat_map(|journal| &journal.0) {
        steps.extend(step.logs().map(|log| (step.at, log)));
    }
    // Stable: logs of one step stay as they were.
    steps.sort_by_key(|(at, _)| *at);
    let mut found: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
    for (_, (key, n)) in steps {
        found.entry(key).or_default().push(n);
    }
    for (key, count) in (0..).zip(written) {
        let numbers = found.remove(&key).unwrap_or_else(|| panic!("nothing of key {key} was processed"));
        let strange = numbers.iter().zip(0..).position(|(found, expected)| *found != expected);
        let around = strange.map(|at| &numbers[at.saturating_sub(5)..numbers.len().min(at + 5)]);
        assert_eq!((strange, numbers.len() as u64), (None, *count), "key {key} goes wrong at {around:?}");
    }
    assert_eq!(found, BTreeMap::new(), "keys that nobody wrote");
}
