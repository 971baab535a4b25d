//! Who reads which shard of a group: a state machine that is fed by heartbeats and knows no clock of its own.
//!
//! Each shard has a target, the member that should read it, and at most one claimant, the live member that may be reading it. A shard passes from one member
//! to another in two phases: the target moves at once, and the old reader hears of it in its next answer, but it goes on claiming the shard in its
//! heartbeats until it has written its checkpoint; the new reader gets the shard when nobody else claims it. So no lock is needed, and no shard has two readers
//! while both keep their word: a reader that could not be heard for the timeout has stopped by itself.
//!
//! What was answered counts as claimed from then on, although the reader says so only in its next heartbeat.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use culprit_store::UnixNanos;

#[derive(Debug)]
struct Member {
    seen: UnixNanos,
    claimed: BTreeSet<u32>,
}

#[derive(Debug)]
pub(super) struct Assignment {
    members: BTreeMap<String, Member>,
    target: BTreeMap<u32, String>,
    /// Until then, members from before a restart may still read what they have not claimed yet: nobody is given anything that it does not hold.
    settled: UnixNanos,
}

pub(super) struct Heartbeat<'a> {
    pub(super) now: UnixNanos,
    pub(super) timeout: Duration,
    pub(super) consumer: &'a str,
    /// What the consumer says that it reads.
    pub(super) held: &'a [u32],
    /// What may be read at present.
    pub(super) open: &'a BTreeSet<u32>,
}

impl Assignment {
    pub(super) fn new(settled: UnixNanos) -> Self {
        Self { members: BTreeMap::new(), target: BTreeMap::new(), settled }
    }

    /// The shards that the consumer shall read from now on, in order.
    pub(super) fn heartbeat(&mut self, beat: &Heartbeat<'_>) -> Vec<u32> {
        self.forget_silent(beat.now, beat.timeout);
        let others: BTreeSet<u32> = self
            .members
            .iter()
            .filter(|(name, _)| *name != beat.consumer)
            .flat_map(|(_, m)| m.claimed.clone())
            .collect();
        // A claim on what another one reads comes from somebody who was silent for too long; it has stopped, or is about to.
        let claimed = beat.held.iter().copied().filter(|shard| !others.contains(shard)).collect();
        let member = Member { seen: beat.now, claimed };
        self.members.insert(beat.consumer.to_owned(), member);
        let is_settled = beat.now > self.settled;
        self.aim(beat.open, is_settled);
        let member = self.members.get_mut(beat.consumer).expect("it was inserted above");
        let is_given = |shard: &u32| !others.contains(shard) && (is_settled || member.claimed.contains(shard));
        let aimed = self.target.iter().filter(|(_, name)| *name == beat.consumer).map(|(shard, _)| *shard);
        let answer: Vec<u32> = aimed.filter(is_given).collect();
        member.claimed.extend(&answer);
        answer
    }

    /// The live member that may be reading the shard.
    pub(super) fn claimant(&self, shard: u32, now: UnixNanos, timeout: Duration) -> Option<&str> {
        let live = self.members.iter().filter(|(_, member)| !is_silent(member, now, timeout));
        live.filter(|(_, member)| member.claimed.contains(&shard)).map(|(name, _)| name.as_str()).next()
    }

    pub(super) fn has_room_for(&self, consumer: &str, members_max: usize) -> bool {
        self.members.contains_key(consumer) || self.members.len() < members_max
    }

    pub(super) fn forget_silent(&mut self, now: UnixNanos, timeout: Duration) {
        self.members.retain(|_, member| !is_silent(member, now, timeout));
    }

    /// Gives every open shard a target, evenly, and moves as few as that takes.
    fn aim(&mut self, open: &BTreeSet<u32>, is_settled: bool) {
        let (members, target) = (&self.members, &mut self.target);
        target.retain(|shard, name| open.contains(shard) && members.contains_key(name));
        for (name, member) in members {
            for shard in member.claimed.intersection(open) {
                if is_settled {
                    target.entry(*shard).or_insert_with(|| name.clone());
                } else {
                    target.insert(*shard, name.clone());
                }
            }
        }
        let mut loads = Loads::of(members, target);
        for shard in open {
            if !target.contains_key(shard) {
                target.insert(*shard, loads.add_to_least(*shard));
            }
        }
        while let Some((shard, to)) = loads.next_move(members) {
            target.insert(shard, to);
        }
    }
}

fn is_silent(member: &Member, now: UnixNanos, timeout: Duration) -> bool {
    // A clock that was set back makes nobody silent.
    u128::try_from(now.0.saturating_sub(member.seen.0)).is_ok_and(|silence| silence > timeout.as_nanos())
}

/// The shards that each member is to read.
struct Loads(BTreeMap<String, BTreeSet<u32>>);

impl Loads {
    fn of(members: &BTreeMap<String, Member>, target: &BTreeMap<u32, String>) -> Self {
        let mut loads: BTreeMap<String, BTreeSet<u32>> =
            members.keys().map(|name| (name.clone(), BTreeSet::new())).collect();
        for (shard, name) in target {
            loads.entry(name.clone()).or_default().insert(*shard);
        }
        Self(loads)
    }

    fn add_to_least(&mut self, shard: u32) -> String {
        let least = self.0.iter_mut().min_by_key(|(_, shards)| shards.len());
        let (name, shards) = least.expect("whoever sends a heartbeat is a member");
        shards.insert(shard);
        name.clone()
    }

    /// None once no two members differ by more than one shard. What its owner does not read yet goes first: that interrupts nobody.
    fn next_move(&mut self, members: &BTreeMap<String, Member>) -> Option<(u32, String)> {
        let (from, most) = self.0.iter().max_by_key(|(_, shards)| shards.len())?;
        let (to, least) = self.0.iter().min_by_key(|(_, shards)| shards.len())?;
        if most.len() <= least.len() + 1 {
            return None;
        }
        let claimed = members.get(from).map(|member| &member.claimed);
        let is_read = |shard: &&u32| claimed.is_some_and(|claimed| claimed.contains(*shard));
        let shard = *most.iter().rev().find(|shard| !is_read(shard)).or_else(|| most.last())?;
        let (from, to) = (from.clone(), to.clone());
        self.0.get_mut(&from)?.remove(&shard);
        self.0.get_mut(&to)?.insert(shard);
        Some((shard, to))
    }
}

#[cfg(test)]
mod tests;
