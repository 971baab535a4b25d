//! How much per second, over the last few seconds: two counters that take turns.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::stopwatch::{Nanos, nanos};
use crate::limits::RATE_WINDOW;

/// Bytes and requests of the window that runs and of the one before it. Nothing samples it: whoever adds or looks turns the page. Two that turn it at
/// once may book a request on the wrong side of the edge, which the rate does not show.
#[derive(Debug, Default)]
pub(crate) struct Window {
    index: AtomicU64,
    bytes: [AtomicU64; 2],
    requests: [AtomicU64; 2],
}

#[derive(Debug, Clone, Copy, Default, PartialEq, serde::Serialize)]
pub struct FlowRate {
    pub bytes_per_second: f64,
    pub requests_per_second: f64,
}

impl Window {
    pub(crate) fn add(&self, bytes: u64, requests: u64, now: Nanos) {
        let side = self.turn(now);
        self.bytes[side].fetch_add(bytes, Relaxed);
        self.requests[side].fetch_add(requests, Relaxed);
    }

    /// The part of the last window that is still in sight, and what the running one has so far.
    pub(crate) fn rate(&self, now: Nanos) -> FlowRate {
        let side = self.turn(now);
        let length = nanos(RATE_WINDOW);
        let in_sight = 1.0 - (now.0 % length) as f64 / length as f64;
        let per_second = |sides: &[AtomicU64; 2]| {
            let before = sides[1 - side].load(Relaxed) as f64;
            (before * in_sight + sides[side].load(Relaxed) as f64) / RATE_WINDOW.as_secs_f64()
        };
        FlowRate { bytes_per_second: per_second(&self.bytes), requests_per_second: per_second(&self.requests) }
    }

    /// The side of the running window, emptied when it has just begun.
    fn turn(&self, now: Nanos) -> usize {
        let running = now.0 / nanos(RATE_WINDOW);
        let side = usize::from(running % 2 == 1);
        let known = self.index.load(Relaxed);
        if known < running && self.index.compare_exchange(known, running, Relaxed, Relaxed).is_ok() {
            self.clear(side);
            if known + 1 < running {
                self.clear(1 - side);
            }
        }
        side
    }

    fn clear(&self, side: usize) {
        self.bytes[side].store(0, Relaxed);
        self.requests[side].store(0, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_steady_flow_shows_its_rate_and_a_stopped_one_fades() {
        let window = Window::default();
        let tick = 100_000_000_u64;
        for step in 0..200 {
            window.add(50, 1, Nanos(1 + step * tick));
        }
        let rate = window.rate(Nanos(200 * tick));
        assert!((rate.bytes_per_second - 500.0).abs() < 25.0, "{rate:?}");
        assert!((rate.requests_per_second - 10.0).abs() < 0.5, "{rate:?}");
        let later = window.rate(Nanos(200 * tick + 2 * nanos(RATE_WINDOW)));
        assert_eq!(later, FlowRate::default());
    }
}
