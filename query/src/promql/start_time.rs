//! Start timestamps: when a counter began to count. They show resets that its values hide.

use super::notes::Notes;

/// What the start timestamps of a window's samples say. Without any, nothing.
#[derive(Debug, Default)]
pub(super) struct StartTimes {
    first: Option<Sampled>,
    /// Between a sample and the next one.
    resets: Vec<bool>,
    overlaps: bool,
}

#[derive(Debug, Clone, Copy)]
struct Sampled {
    time_ms: i64,
    /// 0 when it is unknown.
    start_ms: i64,
}

impl StartTimes {
    /// `starts` is empty, or has one entry per time.
    pub(super) fn new(times: impl Iterator<Item = i64>, starts: &[i64]) -> Self {
        if starts.is_empty() {
            return Self::default();
        }
        let samples: Vec<Sampled> =
            times.zip(starts).map(|(time_ms, start_ms)| Sampled { time_ms, start_ms: *start_ms }).collect();
        Self {
            first: samples.first().copied(),
            resets: samples.windows(2).map(|pair| is_reset(pair[0], pair[1])).collect(),
            overlaps: samples.windows(2).any(|pair| overlaps(pair[0], pair[1])),
        }
    }

    /// Between sample `at` and the next one.
    pub(super) fn reset_between(&self, at: usize) -> bool {
        self.resets.get(at).copied().unwrap_or(false)
    }

    /// The start of the first sample's counter, when that lies after `window_start_ms` and before the sample: then the
    /// counter was zero there.
    pub(super) fn zero_inside(&self, window_start_ms: i64) -> Option<i64> {
        let first = self.first?;
        let inside = first.start_ms != 0 && first.start_ms > window_start_ms && first.start_ms < first.time_ms;
        inside.then_some(first.start_ms)
    }

    pub(super) fn tell(&self, metric: &str, notes: &mut Notes) {
        if self.overlaps {
            notes.warn(format_args!(
                "sample has start time that overlaps with previous sample timestamp for metric {metric:?}"
            ));
        }
    }
}

/// A start after the previous sample is a reset; one before it is none. A start at the previous sample's time is how deltas
/// are written, but also how a counter is whose beginning nobody knows: those have no start, or that of their own time,
/// before.
fn is_reset(previous: Sampled, current: Sampled) -> bool {
    if current.start_ms == 0 || current.start_ms >= current.time_ms || current.start_ms < previous.time_ms {
        return false;
    }
    if current.start_ms > previous.time_ms {
        return true;
    }
    previous.start_ms != 0 && previous.start_ms < previous.time_ms
}

fn overlaps(previous: Sampled, current: Sampled) -> bool {
    current.start_ms != 0 && current.start_ms < previous.time_ms && current.start_ms != previous.start_ms
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resets_are_told_from_unknown_beginnings() {
        let resets = |times: [i64; 2], starts: [i64; 2]| StartTimes::new(times.into_iter(), &starts).reset_between(0);
        assert!(resets([100, 200], [50, 150]), "began after the sample before");
        assert!(!resets([100, 200], [50, 50]), "the same counter");
        assert!(resets([100, 200], [50, 100]), "deltas");
        assert!(!resets([100, 200], [0, 100]) && !resets([100, 200], [100, 100]), "an unknown beginning");
        assert!(!resets([100, 200], [150, 100]) && !resets([100, 200], [50, 200]), "nonsense");
        assert!(!StartTimes::new([1, 2].into_iter(), &[]).reset_between(0));
    }

    #[test]
    fn a_start_inside_the_window_is_a_zero() {
        let starts = StartTimes::new([100].into_iter(), &[50]);
        assert_eq!((starts.zero_inside(49), starts.zero_inside(50)), (Some(50), None));
    }
}
