//! A consumer of a group: heartbeats, pulls, checkpoints. It remembers what it saw at which offset, however often it was there.

use std::collections::BTreeMap;

use reqwest::{Error, Method};
use serde_json::{Value, json};

use super::ledger::{self, Sum};
use super::{SHARDS, STORE};
use crate::harness::{Sls, cursor_of, number_of};

const GROUP: &str = "readers";
/// Few, so that a checkpoint never waits long for the next one.
const GROUPS_PER_PULL: usize = 20;

#[derive(Debug, Clone, Copy, Default)]
struct Position {
    /// Where the next pull begins.
    next: u64,
    /// The last checkpoint that was acknowledged, and one that was sent after it, whose answer never came.
    saved: u64,
    sent: Option<u64>,
}

pub(super) struct Reader {
    positions: Vec<Position>,
    notes: BTreeMap<(usize, u64), (String, Sum)>,
}

impl Reader {
    pub(super) async fn create(sls: &Sls) -> Self {
        let target = format!("/logstores/{STORE}/consumergroups");
        let group = json!({"consumerGroup": GROUP, "timeout": 60, "order": true});
        sls.call(Method::POST, &target, Some(group)).await;
        let mut positions = Vec::new();
        for shard in 0..SHARDS {
            let begin = number_of(&sls.cursor(STORE, shard as u64, "begin").await.unwrap());
            positions.push(Position { next: begin, saved: begin, sent: None });
        }
        Self { positions, notes: BTreeMap::new() }
    }

    pub(super) fn noted(&self) -> usize {
        self.notes.len()
    }

    /// Goes round the shards until the server is gone.
    pub(super) async fn read_until_killed(mut self, sls: Sls) -> Self {
        while self.go_round(&sls).await.is_ok() {}
        self
    }

    async fn go_round(&mut self, sls: &Sls) -> Result<(), Error> {
        let target = format!("/logstores/{STORE}/consumergroups/{GROUP}?type=heartbeat&consumer=one");
        let held: Vec<usize> = (0..SHARDS).collect();
        let assigned = sls.try_call(Method::POST, &target, Some(json!(held))).await?;
        assert_eq!(assigned, json!(held), "there is nobody else");
        for shard in 0..SHARDS {
            if self.pull(sls, shard).await? > 0 {
                self.save(sls, shard).await?;
            }
        }
        Ok(())
    }

    /// How many groups there were.
    async fn pull(&mut self, sls: &Sls, shard: usize) -> Result<usize, Error> {
        let from = self.positions[shard].next;
        let pull = sls.pull(STORE, shard as u64, &cursor_of(from), GROUPS_PER_PULL).await?;
        assert_eq!(number_of(&pull.next), from + pull.groups.len() as u64, "offsets of shard {shard} have a gap");
        for (offset, group) in (from..).zip(&pull.groups) {
            let found = ledger::read(group);
            let noted = self.notes.entry((shard, offset)).or_insert_with(|| found.clone());
            assert_eq!(*noted, found, "another group stood at offset {offset} of shard {shard}");
        }
        self.positions[shard].next = number_of(&pull.next);
        Ok(pull.groups.len())
    }

    async fn save(&mut self, sls: &Sls, shard: usize) -> Result<(), Error> {
        let position = &mut self.positions[shard];
        position.sent = Some(position.next);
        let target =
            format!("/logstores/{STORE}/consumergroups/{GROUP}?type=checkpoint&consumer=one&forceSuccess=false");
        let checkpoint = json!({"shard": shard, "checkpoint": cursor_of(position.next)});
        sls.try_call(Method::POST, &target, Some(checkpoint)).await?;
        position.saved = position.next;
        position.sent = None;
        Ok(())
    }

    /// Goes on where the server says, as a consumer that lost its memory would.
    pub(super) async fn resume(&mut self, sls: &Sls) {
        let checkpoints = sls.call(Method::GET, &format!("/logstores/{STORE}/consumergroups/{GROUP}"), None).await;
        let checkpoints = checkpoints.as_array().expect("a list");
        assert_eq!(checkpoints.len(), SHARDS, "an entry for every shard");
        for entry in checkpoints {
            let shard = usize::try_from(entry["shard"].as_u64().expect("a shard")).unwrap();
            let position = &mut self.positions[shard];
            let told = told(entry).unwrap_or(position.saved);
            let is_known = told == position.saved || Some(told) == position.sent;
            assert!(is_known, "shard {shard}: {entry} is not what was saved: {position:?}");
            *position = Position { next: told, saved: told, sent: None };
        }
    }

    pub(super) async fn read_to_the_end(&mut self, sls: &Sls) {
        for shard in 0..SHARDS {
            while self.pull(sls, shard).await.unwrap() > 0 {}
            let end = number_of(&sls.cursor(STORE, shard as u64, "end").await.unwrap());
            assert_eq!(self.positions[shard].next, end, "shard {shard} has more");
        }
    }

    /// Every group by its name; none stood at two offsets.
    pub(super) fn into_notes(self) -> BTreeMap<String, Sum> {
        let mut found = BTreeMap::new();
        for (place, (name, sum)) in self.notes {
            let twice = found.insert(name.clone(), sum);
            assert_eq!(twice, None, "{name} stands at {place:?} and elsewhere");
        }
        found
    }
}

/// None while nothing was saved.
fn told(entry: &Value) -> Option<u64> {
    let checkpoint = entry["checkpoint"].as_str().expect("a checkpoint");
    (!checkpoint.is_empty()).then(|| number_of(checkpoint))
}
