//! What a fanout group has delivered of one shard, and to whom: batches are leased, acknowledged one by one in any order, and delivered again when the lease ends.
//!
//! ```text
//!            checkpoint            next            end of the shard
//!   ── acknowledged ──┤ leased or acknowledged ├── not delivered ──┤
//! ```
//!
//! The checkpoint is the end of the prefix that is acknowledged without a gap; it alone is durable. What was acknowledged beyond it is delivered again after a restart.

use std::collections::{BTreeMap, BTreeSet};

use culprit_store::{Offset, UnixNanos};

use crate::limits::FANOUT_WINDOW_BATCHES;

#[derive(Debug, Clone, PartialEq, Eq)]
struct Lease {
    until: UnixNanos,
    /// How often the batch was handed out, this time included.
    deliveries: u32,
}

#[derive(Debug)]
pub(super) struct Leases {
    checkpoint: u64,
    next: u64,
    leased: BTreeMap<u64, Lease>,
    /// Acknowledged, but something before is not.
    acknowledged: BTreeSet<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ack {
    /// Whether the checkpoint has moved.
    Taken {
        moved: bool,
    },
    /// Of no harm: an answer was lost, or a second reader was given the batch after a timeout.
    Again,
    NotDelivered,
}

impl Leases {
    pub(super) fn new(checkpoint: Offset) -> Self {
        Self { checkpoint: checkpoint.0, next: checkpoint.0, leased: BTreeMap::new(), acknowledged: BTreeSet::new() }
    }

    pub(super) fn checkpoint(&self) -> Offset {
        Offset(self.checkpoint)
    }

    /// The first batch that was never delivered.
    pub(super) fn next(&self) -> Offset {
        Offset(self.next)
    }

    /// Nothing more is delivered before something is acknowledged.
    pub(super) fn is_full(&self) -> bool {
        self.next >= self.reach()
    }

    fn reach(&self) -> u64 {
        self.checkpoint.saturating_add(FANOUT_WINDOW_BATCHES)
    }

    pub(super) fn in_flight(&self) -> usize {
        self.leased.len()
    }

    /// What the shard does not have any more needs no acknowledgement. True when the checkpoint has moved.
    pub(super) fn skip_to(&mut self, begin: Offset) -> bool {
        if begin.0 <= self.checkpoint {
            return false;
        }
        self.checkpoint = begin.0;
        self.next = self.next.max(begin.0);
        self.leased = self.leased.split_off(&begin.0);
        self.acknowledged = self.acknowledged.split_off(&begin.0);
        self.close_gap();
        true
    }

    /// Leases up to `most` batches below `end`: those whose lease has ended first, then new ones as far as the window reaches. With each, how often it was handed out.
    pub(super) fn lease(&mut self, now: UnixNanos, until: UnixNanos, most: usize, end: Offset) -> Vec<(Offset, u32)> {
        let mut given = Vec::new();
        for (offset, lease) in self.leased.iter_mut().filter(|(_, lease)| lease.until <= now).take(most) {
            *lease = Lease { until, deliveries: lease.deliveries.saturating_add(1) };
            given.push((Offset(*offset), lease.deliveries));
        }
        let reach = end.0.min(self.reach());
        while given.len() < most && self.next < reach {
            self.leased.insert(self.next, Lease { until, deliveries: 1 });
            given.push((Offset(self.next), 1));
            self.next += 1;
        }
        given
    }

    /// The batch was leased but could not be sent: it is there for the next one who asks.
    pub(super) fn give_back(&mut self, offset: Offset) {
        if let Some(lease) = self.leased.get_mut(&offset.0) {
            *lease = Lease { until: UnixNanos(i64::MIN), deliveries: lease.deliveries.saturating_sub(1) };
        }
    }

    /// Nobody has to acknowledge the batch any more, as it was done or as the shard has lost it.
    pub(super) fn settle(&mut self, offset: Offset) {
        if self.leased.remove(&offset.0).is_some() {
            self.acknowledged.insert(offset.0);
            self.close_gap();
        }
    }

    pub(super) fn acknowledge(&mut self, offset: Offset) -> Ack {
        if offset.0 >= self.next {
            return Ack::NotDelivered;
        }
        if !self.leased.contains_key(&offset.0) {
            return Ack::Again;
        }
        let before = self.checkpoint;
        self.settle(offset);
        Ack::Taken { moved: self.checkpoint > before }
    }

    /// When the first lease ends, for those who wait.
    pub(super) fn first_end(&self) -> Option<UnixNanos> {
        self.leased.values().map(|lease| lease.until).min()
    }

    fn close_gap(&mut self) {
        while self.acknowledged.first() == Some(&self.checkpoint) {
            self.acknowledged.pop_first();
            self.checkpoint += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(now: i64) -> UnixNanos {
        UnixNanos(now)
    }

    fn offsets(given: &[(Offset, u32)]) -> Vec<(u64, u32)> {
        given.iter().map(|(offset, deliveries)| (offset.0, *deliveries)).collect()
    }

    #[test]
    fn what_is_not_acknowledged_in_time_is_delivered_again() {
        let mut leases = Leases::new(Offset(5));
        assert_eq!(offsets(&leases.lease(at(0), at(10), 2, Offset(100))), [(5, 1), (6, 1)]);
        assert_eq!(offsets(&leases.lease(at(1), at(20), 1, Offset(100))), [(7, 1)]);
        assert_eq!(leases.acknowledge(Offset(6)), Ack::Taken { moved: false });
        assert_eq!(leases.checkpoint(), Offset(5));
        assert_eq!(offsets(&leases.lease(at(10), at(30), 9, Offset(9))), [(5, 2), (8, 1)]);
        assert_eq!(leases.acknowledge(Offset(5)), Ack::Taken { moved: true });
        assert_eq!(leases.checkpoint(), Offset(7));
        assert_eq!(leases.acknowledge(Offset(5)), Ack::Again);
        assert_eq!(leases.acknowledge(Offset(9)), Ack::NotDelivered);
        assert_eq!((leases.in_flight(), leases.first_end()), (2, Some(at(20))));
    }

    #[test]
    fn what_has_expired_in_the_shard_is_skipped() {
        let mut leases = Leases::new(Offset(0));
        leases.lease(at(0), at(10), 4, Offset(4));
        assert_eq!(leases.acknowledge(Offset(2)), Ack::Taken { moved: false });
        assert!(leases.skip_to(Offset(2)));
        assert_eq!((leases.checkpoint(), leases.in_flight()), (Offset(3), 1));
        assert!(!leases.skip_to(Offset(1)));
        assert_eq!(leases.acknowledge(Offset(1)), Ack::Again);
    }

    #[test]
    fn a_batch_that_was_not_sent_is_free_at_once() {
        let mut leases = Leases::new(Offset(0));
        leases.lease(at(0), at(10), 2, Offset(2));
        leases.give_back(Offset(1));
        assert_eq!(offsets(&leases.lease(at(1), at(10), 2, Offset(2))), [(1, 1)]);
    }

    #[test]
    fn one_batch_that_nobody_acknowledges_holds_up_a_window_and_no_more_memory() {
        let mut leases = Leases::new(Offset(0));
        let end = Offset(u64::MAX);
        let given = leases.lease(at(0), at(10), usize::MAX, end);
        assert_eq!(given.len() as u64, FANOUT_WINDOW_BATCHES);
        for (offset, _) in given.iter().skip(1) {
            leases.acknowledge(*offset);
        }
        assert!(leases.lease(at(1), at(10), 9, end).is_empty() && leases.is_full());
        leases.acknowledge(Offset(0));
        assert_eq!(leases.checkpoint().0, FANOUT_WINDOW_BATCHES);
        assert_eq!(leases.lease(at(1), at(10), 9, end).len(), 9);
    }

    proptest! {
        /// Readers that lose some of what they get: everything is delivered and acknowledged in the end, and the checkpoint never passes what is not.
        #[test]
        fn nothing_is_lost(end in 1..60_u64, choices in prop::collection::vec(any::<u8>(), 1..200)) {
            let mut leases = Leases::new(Offset(0));
            let mut model = BTreeSet::new();
            let mut now = 0;
            for choice in choices.iter().copied().chain(std::iter::repeat_n(0, 200)) {
                now += 1;
                for (offset, _) in leases.lease(at(now), at(now + 3), usize::from(choice % 5) + 1, Offset(end)) {
                    if choice < 128 {
                        prop_assert!(leases.acknowledge(offset) != Ack::NotDelivered);
                        model.insert(offset.0);
                    }
                }
                let prefix = (0..).find(|offset| !model.contains(offset)).unwrap();
                prop_assert_eq!(leases.checkpoint(), Offset(prefix));
            }
            prop_assert_eq!(leases.checkpoint(), Offset(end));
        }
    }
}
