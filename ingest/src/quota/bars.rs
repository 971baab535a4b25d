//! Who was barred when, in the order of the decisions: what pollers are told.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::refusal::{Flow, Measure};
use super::stopwatch::Nanos;
use super::wire::{Bar, BarChanges};
use crate::limits::{BARS_TOLD_MAX, POLL_GATHER, POLL_WAIT_MAX, QUOTA_DEBT_MAX};

#[derive(Debug)]
pub(crate) struct BarLog {
    /// Oldest first; those that have ended are dropped from the front. Held for additions and copies.
    entries: Mutex<VecDeque<Entry>>,
    version: watch::Sender<u64>,
    /// Cancelled when the server ends: nobody is kept waiting for news then.
    closing: CancellationToken,
}

#[derive(Debug)]
struct Entry {
    version: u64,
    project: Box<str>,
    flow: Flow,
    measure: Measure,
    until: Nanos,
    /// When nobody who still polls can have missed it.
    forget_at: Nanos,
}

impl BarLog {
    /// `start` tells one life of a service from another: a poller that asks for what lies before it, or beyond what was given out, is told all.
    pub(crate) fn new(start: u64) -> Self {
        Self { entries: Mutex::default(), version: watch::Sender::new(start), closing: CancellationToken::new() }
    }

    /// An end that is past lifts the bar.
    pub(crate) fn add(&self, project: &str, flow: Flow, measure: Measure, until: Nanos, now: Nanos) {
        let mut entries = self.lock();
        while entries.front().is_some_and(|entry| entry.forget_at <= now) || entries.len() >= BARS_TOLD_MAX {
            entries.pop_front();
        }
        // A bar that has ended need not be told; that it was lifted must be, as long as the bar itself could have run.
        let forget_at = if until > now { until } else { now.after(QUOTA_DEBT_MAX) };
        let version = *self.version.borrow() + 1;
        entries.push_back(Entry { version, project: project.into(), flow, measure, until, forget_at });
        // Under the lock, so that whoever sees the version finds its entry.
        self.version.send_replace(version);
    }

    /// Answers when there is something newer than `since`, or after `wait`.
    pub(crate) async fn poll(&self, since: u64, wait: Duration, now: impl Fn() -> Nanos) -> BarChanges {
        let mut version = self.version.subscribe();
        if *version.borrow_and_update() == since {
            let changed = tokio::time::timeout(wait.min(POLL_WAIT_MAX), version.wait_for(|version| *version != since));
            // None when the server ends meanwhile.
            let has_news = self.closing.run_until_cancelled(changed).await.is_some_and(|change| change.is_ok());
            if has_news {
                // Bars come in swarms; one answer for many costs every front end one round trip.
                tokio::time::sleep(POLL_GATHER).await;
            }
        }
        self.since(since, now())
    }

    pub(crate) fn close(&self) {
        self.closing.cancel();
    }

    fn since(&self, since: u64, now: Nanos) -> BarChanges {
        let entries = self.lock();
        let version = *self.version.borrow();
        let since = if since > version { 0 } else { since };
        let from = entries.partition_point(|entry| entry.version <= since);
        let bars = entries.range(from..).map(|entry| entry.told(now)).collect();
        BarChanges { version, bars }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, VecDeque<Entry>> {
        self.entries.lock().expect("no holder of this lock panics")
    }
}

impl Entry {
    fn told(&self, now: Nanos) -> Bar {
        let length = self.until.since(now).as_nanos().div_ceil(1_000_000);
        Bar(self.project.to_string(), self.flow, self.measure, u64::try_from(length).unwrap_or(u64::MAX))
    }
}
