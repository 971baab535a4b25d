//! What the next value should be: of a few simple forecasts, the one that missed least lately.

use super::season::Season;

const DAY: i64 = 86_400_000_000_000;
/// Quarters of an hour: finer, and each has too few points to be smooth.
const QUARTERS: usize = 96;

/// Weight of the newest value: in the level; in how far this day is from the usual one.
const LEVEL_PACE: f64 = 0.3;
const OFFSET_PACE: f64 = 0.1;
/// Weight of the newest day, and of the newest week.
const DAY_PACE: f64 = 0.2;
const WEEK_PACE: f64 = 0.4;
/// Weight of the newest miss, once as many were seen.
const MISS_PACE: f64 = 0.005;
/// Misses after which a forecast may be chosen, and its misses no longer count for more than ten usual ones.
const MISSES_MIN: f64 = 20.0;
const MISS_MAX: f64 = 10.0;

/// The ways to forecast: the last value, the level, the usual day, the usual week, the day moved to today's level.
const WAYS: usize = 5;

#[derive(Debug, Clone)]
pub(super) struct Forecast {
    last: Option<f64>,
    level: f64,
    day: Season,
    week: Season,
    offset: f64,
    misses: [Misses; WAYS],
}

#[derive(Debug, Clone, Copy, Default)]
struct Misses {
    count: f64,
    mean: f64,
}

impl Forecast {
    pub(super) fn new() -> Self {
        Self {
            last: None,
            level: 0.0,
            day: Season::new(DAY, QUARTERS, DAY_PACE),
            week: Season::new(7 * DAY, 7 * QUARTERS, WEEK_PACE),
            offset: 0.0,
            misses: [Misses::default(); WAYS],
        }
    }

    fn ways(&self, time: i64) -> [Option<f64>; WAYS] {
        let day = self.day.at(time);
        [self.last, self.last.map(|_| self.level), day, self.week.at(time), day.map(|day| day + self.offset)]
    }

    pub(super) fn at(&self, time: i64) -> Option<f64> {
        let ways = self.ways(time);
        let tried = ways.iter().zip(&self.misses).filter(|(way, misses)| way.is_some() && misses.count >= MISSES_MIN);
        tried.min_by(|a, b| a.1.mean.total_cmp(&b.1.mean)).map_or(ways[0], |(way, _)| *way)
    }

    pub(super) fn learn(&mut self, time: i64, value: f64) {
        for (way, misses) in self.ways(time).into_iter().zip(&mut self.misses) {
            if let Some(way) = way {
                misses.learn((value - way).abs());
            }
        }
        self.day.learn(time, value);
        self.week.learn(time, value);
        if let Some(day) = self.day.at(time) {
            self.offset += OFFSET_PACE * (value - day - self.offset);
        }
        self.level = if self.last.is_none() { value } else { self.level + LEVEL_PACE * (value - self.level) };
        self.last = Some(value);
    }
}

impl Misses {
    fn learn(&mut self, miss: f64) {
        self.count += 1.0;
        // One spike does not make a good forecast a bad one.
        let miss = if self.count > MISSES_MIN && self.mean > 0.0 { miss.min(MISS_MAX * self.mean) } else { miss };
        self.mean += (1.0 / self.count).max(MISS_PACE) * (miss - self.mean);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUARTER: i64 = DAY / QUARTERS as i64;

    /// After two weeks of a day's wave with idle weekends, the third week's values are known before they come.
    #[test]
    fn a_week_is_learnt() {
        let load = |quarter: i64| {
            let idle = (quarter / 96) % 7 >= 5;
            if idle { 5.0 } else { 100.0 + 50.0 * (quarter as f64 / 96.0 * std::f64::consts::TAU).sin() }
        };
        let mut forecast = Forecast::new();
        for quarter in 0..14 * 96 {
            forecast.learn(quarter * QUARTER, load(quarter));
        }
        for quarter in 14 * 96..21 * 96 {
            let missed = forecast.at(quarter * QUARTER).unwrap() - load(quarter);
            assert!(missed.abs() < 5.0, "quarter {quarter}: {missed}");
            forecast.learn(quarter * QUARTER, load(quarter));
        }
    }

    #[test]
    fn without_a_rhythm_the_level_is_forecast() {
        let mut forecast = Forecast::new();
        assert_eq!(forecast.at(0), None);
        for minute in 0..500 {
            forecast.learn(minute * DAY / 1440, 10.0 + f64::from(minute as i32 * 7 % 5));
        }
        let expected = forecast.at(500 * DAY / 1440).unwrap();
        assert!((expected - 12.0).abs() < 2.0, "{expected}");
    }
}
