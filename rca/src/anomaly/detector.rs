//! One series, point by point: how rare is what it does now, by everything it did before?
//!
//! A forecast is taken away; then the last point and stretches of the last few are looked at from several sides (too high,
//! too low, restless, suspiciously calm, at a new level). Each side is compared with its own past alone, so that no
//! distribution is assumed and none is tuned, and the sides' evidence is added up. What was said already is taken off
//! while it fades: a score marks where something begins, and an incident that lasts does not score anew at each point.

use super::forecast::Forecast;
use super::rarity::Rarity;
use super::window::Window;

/// Lengths of the stretches, in points, each a few times the one before.
const LENGTHS: [usize; 4] = [1, 6, 24, 96];
/// A spread of fewer points says nothing.
const CALM_LENGTH_MIN: usize = 12;
/// Sides of a stretch.
const SIDES: usize = 8;
/// Points after which half of what was said is forgotten.
const SAID_HALF_LIFE: f64 = 300.0;
/// Weight of the newest point in the long mean, once as many points were seen.
const LONG_PACE: f64 = 1.0 / 2000.0;
/// Evidence at which a score is 1 - 1/e.
const EVIDENCE_SCALE: f64 = 5.0;

/// Scores points as they come: 0 for what is usual, towards 1 for what the points before do not let expect.
#[derive(Debug, Clone)]
pub struct Detector {
    forecast: Forecast,
    stretches: [Stretch; LENGTHS.len()],
    rarities: Vec<Rarity>,
    seen: f64,
    long_mean: f64,
    said: f64,
}

/// What a detector says of a point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scored {
    /// 0 to 1.
    pub score: f64,
    /// The value that the points before let expect; the value itself for the first.
    pub expected: f64,
}

/// The last few points, as values and as what the forecast missed of them.
#[derive(Debug, Clone)]
struct Stretch {
    length: usize,
    values: Window,
    missed: Window,
    missed_by: Window,
}

impl Default for Detector {
    fn default() -> Self {
        Self::new()
    }
}

impl Detector {
    pub fn new() -> Self {
        Self {
            forecast: Forecast::new(),
            stretches: LENGTHS.map(Stretch::new),
            rarities: vec![Rarity::new(); LENGTHS.len() * SIDES],
            seen: 0.0,
            long_mean: 0.0,
            said: 0.0,
        }
    }

    /// The score of the next point, by the points before it alone. `time` is in nanoseconds.
    pub fn push(&mut self, time: i64, value: f64) -> f64 {
        self.observe(time, value).score
    }

    /// As [`push`](Self::push), with the value that was expected. A value that is no number scores 0 and teaches nothing.
    pub fn observe(&mut self, time: i64, value: f64) -> Scored {
        let expected = self.forecast.at(time);
        if !value.is_finite() {
            return Scored { score: 0.0, expected: expected.unwrap_or(value) };
        }
        let expected = expected.unwrap_or(value);
        self.forecast.learn(time, value);
        if self.seen == 0.0 {
            self.long_mean = value;
        }
        let evidence = self.evidence(value, value - expected);
        self.seen += 1.0;
        self.long_mean += (1.0 / self.seen).max(LONG_PACE) * (value - self.long_mean);
        let fresh = (evidence - self.said * self.said).max(0.0).sqrt();
        self.said = (self.said * 0.5f64.powf(1.0 / SAID_HALF_LIFE)).max(evidence.sqrt());
        Scored { score: 1.0 - (-fresh / EVIDENCE_SCALE).exp(), expected }
    }

    /// Squares of all sides' surprises: many small ones tell less than one great one.
    fn evidence(&mut self, value: f64, missed: f64) -> f64 {
        for stretch in &mut self.stretches {
            stretch.push(value, missed);
        }
        let mut evidence = 0.0;
        for (at, stretch) in self.stretches.iter().enumerate() {
            let longer = self.stretches.get(at + 1);
            let rarities = &mut self.rarities[at * SIDES..(at + 1) * SIDES];
            for (side, rarity) in stretch.sides(self.long_mean, longer).into_iter().zip(rarities) {
                if let Some(side) = side {
                    evidence += rarity.surprise(side).powi(2);
                    rarity.learn(side);
                }
            }
        }
        evidence
    }
}

impl Stretch {
    fn new(length: usize) -> Self {
        Self { length, values: Window::new(length), missed: Window::new(length), missed_by: Window::new(length) }
    }

    fn push(&mut self, value: f64, missed: f64) {
        self.values.push(value);
        self.missed.push(missed);
        self.missed_by.push(missed.abs());
    }

    /// From every side, each a size whose greatness would be unusual; none where there are too few points yet.
    fn sides(&self, long_mean: f64, longer: Option<&Stretch>) -> [Option<f64>; SIDES] {
        if !self.values.is_full() {
            return [None; SIDES];
        }
        let (missed, away) = (self.missed.mean(), self.values.mean() - long_mean);
        let many = self.length > 1;
        let calm = self.length >= CALM_LENGTH_MIN;
        let longer = longer.filter(|longer| many && longer.values.is_full());
        [
            Some(missed.max(0.0)),
            Some((-missed).max(0.0)),
            Some(away.max(0.0)),
            Some((-away).max(0.0)),
            many.then(|| self.missed.deviation()),
            calm.then(|| self.values.deviation().recip()),
            many.then(|| self.missed_by.mean()),
            longer.map(|longer| (self.values.mean() - longer.values.mean()).abs()),
        ]
    }
}

/// The scores of a whole series, each by the points before it alone.
pub fn scores(times: &[i64], values: &[f64]) -> Vec<f64> {
    let mut detector = Detector::new();
    times.iter().zip(values).map(|(time, value)| detector.push(*time, *value)).collect()
}

#[cfg(test)]
mod tests;
