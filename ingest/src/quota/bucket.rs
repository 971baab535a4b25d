//! A token bucket in eight bytes: the instant at which all that was taken will have been paid for.
//!
//! This is the "generic cell rate algorithm" of ATM Forum's Traffic Management 4.0. With rate `r` and burst `b` (a time), a bucket is full while its
//! instant is past, and empty once it lies `b` or more ahead; what it holds is `(b − ahead) · r`. Nothing has to be refilled, an idle bucket equals a
//! new one, and one atomic number is the whole state.
//!
//! A request is let in when the bucket holds anything at all, and may leave a debt: a body larger than the burst would never pass otherwise. The
//! debt is paid before the next one, so that over any time `t` at most `r · (t + b)` and one request pass.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use super::stopwatch::{Nanos, nanos};
use crate::limits::QUOTA_DEBT_MAX;

const SECOND: u64 = 1_000_000_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rate {
    /// Nothing passes at 0.
    pub(crate) per_second: u64,
    pub(crate) burst: Duration,
}

impl Rate {
    /// How long `amount` takes at this rate. Rounded up: a flood of small requests must not be free.
    fn nanos_of(self, amount: u64) -> u64 {
        let rate = self.per_second.max(1);
        match amount.checked_mul(SECOND) {
            Some(scaled) => scaled.div_ceil(rate),
            None => u64::try_from((u128::from(amount) * u128::from(SECOND)).div_ceil(rate.into())).unwrap_or(u64::MAX),
        }
    }

    fn amount_of(self, time: u64) -> u64 {
        u64::try_from(u128::from(time) * u128::from(self.per_second) / u128::from(SECOND)).unwrap_or(u64::MAX)
    }
}

/// Why nothing is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Overdrawn {
    /// What was taken beyond what the rate has paid for so far.
    pub(crate) ahead: u64,
    /// Until the bucket holds something again.
    pub(crate) wait: Duration,
}

#[derive(Debug, Default)]
pub(crate) struct Bucket {
    paid_at: AtomicU64,
}

impl Bucket {
    /// Takes `amount`, if there is anything left at all.
    pub(crate) fn take(&self, rate: Rate, amount: u64, now: Nanos) -> Result<(), Overdrawn> {
        let taken = self.paid_at.fetch_update(Relaxed, Relaxed, |paid_at| {
            overdrawn(rate, paid_at, now).is_none().then(|| owing(rate, paid_at, amount, now))
        });
        taken.map(drop).map_err(|paid_at| overdrawn(rate, paid_at, now).expect("take stops at nothing else"))
    }

    /// Takes `amount` without asking, for what has happened already.
    pub(crate) fn owe(&self, rate: Rate, amount: u64, now: Nanos) {
        self.update(|paid_at| owing(rate, paid_at, amount, now));
    }

    pub(crate) fn give_back(&self, rate: Rate, amount: u64) {
        self.update(|paid_at| paid_at.saturating_sub(rate.nanos_of(amount)));
    }

    pub(crate) fn check(&self, rate: Rate, now: Nanos) -> Result<(), Overdrawn> {
        overdrawn(rate, self.paid_at.load(Relaxed), now).map_or(Ok(()), Err)
    }

    /// A full bucket is as good as none.
    pub(crate) fn is_full(&self, now: Nanos) -> bool {
        self.paid_at.load(Relaxed) <= now.0
    }

    /// 0 when full, 1 when empty, more when in debt.
    pub(crate) fn drawn(&self, rate: Rate, now: Nanos) -> f64 {
        let ahead = self.paid_at.load(Relaxed).saturating_sub(now.0);
        ahead as f64 / nanos(rate.burst).max(1) as f64
    }

    /// A bucket of another rate in its place: what was taken stays taken, and is paid at the new rate.
    pub(crate) fn at_rate(&self, old: Rate, new: Rate, now: Nanos) -> Self {
        let taken = old.amount_of(self.paid_at.load(Relaxed).saturating_sub(now.0));
        let bucket = Self::default();
        bucket.owe(new, taken, now);
        bucket
    }

    fn update(&self, change: impl Fn(u64) -> u64) {
        self.paid_at.fetch_update(Relaxed, Relaxed, |paid_at| Some(change(paid_at))).expect("the change is never none");
    }
}

fn owing(rate: Rate, paid_at: u64, amount: u64, now: Nanos) -> u64 {
    let owed = paid_at.max(now.0).saturating_add(rate.nanos_of(amount));
    owed.min(now.0.saturating_add(nanos(rate.burst)).saturating_add(nanos(QUOTA_DEBT_MAX)))
}

fn overdrawn(rate: Rate, paid_at: u64, now: Nanos) -> Option<Overdrawn> {
    if rate.per_second == 0 {
        return Some(Overdrawn { ahead: 0, wait: QUOTA_DEBT_MAX });
    }
    let ahead = paid_at.saturating_sub(now.0);
    // One nanosecond behind the moment at which the bucket is empty, it is not.
    let wait = ahead.checked_sub(nanos(rate.burst))?.saturating_add(1);
    Some(Overdrawn { ahead: rate.amount_of(ahead), wait: Duration::from_nanos(wait) })
}

#[cfg(test)]
mod tests;
