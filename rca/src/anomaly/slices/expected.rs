//! What the past of a slice lets expect at a time: its mean, or that of the same part of a period where it has one.

use super::stretch::Point;
use crate::anomaly::median::median;
use crate::anomaly::period::period;
use crate::anomaly::season::Season;

const DAY: i64 = 86_400_000_000_000;
const HOURS: usize = 24;
/// Days that hours are compared over.
const DAYS_MIN: i64 = 3;
/// Parts of a period that was seen fewer times than this: each needs some points to have a mean.
const CYCLES_FULL: usize = 5;
const PARTS_MAX: usize = 48;
/// Usual deviations from the median, beyond which a value is a spike.
const SPIKE: f64 = 9.0;
/// A rhythm leaves less of the squares than this, each point expected by the others.
const LEFT_MAX: f64 = 0.7;

pub(super) struct Expected {
    mean: f64,
    rhythm: Option<Season>,
}

impl Expected {
    /// By a past that is not empty.
    pub(super) fn of(past: &[Point]) -> Self {
        let count = past.len() as f64;
        let mean = past.iter().map(|point| point.value).sum::<f64>() / count;
        let mut best = Self { mean, rhythm: None };
        let mut least = LEFT_MAX * best.missed(past);
        for (nanos, parts) in [own_period(past), day(past)].into_iter().flatten() {
            let mut season = Season::new(nanos, parts, 0.0);
            past.iter().for_each(|point| season.learn(point.time, point.value));
            let rhythm = Self { mean, rhythm: Some(season) };
            let missed = rhythm.missed(past);
            if missed < least {
                (best, least) = (rhythm, missed);
            }
        }
        best
    }

    /// At a time that is not of the past.
    pub(super) fn at(&self, time: i64) -> f64 {
        let part = self.rhythm.as_ref().map(|rhythm| rhythm.part_at(time));
        part.map_or(self.mean, |(count, mean)| (mean * count + self.mean) / (count + 1.0))
    }

    /// What would be expected of a point of the past if it had not been there: what a mean of few points was learnt
    /// from, it must not excuse.
    pub(super) fn without(&self, point: &Point) -> f64 {
        let part = self.rhythm.as_ref().map(|rhythm| rhythm.part_at(point.time));
        part.map_or(self.mean, |(count, mean)| (mean * count - point.value + self.mean) / count)
    }

    fn missed(&self, past: &[Point]) -> f64 {
        past.iter().map(|point| (point.value - self.without(point)).powi(2)).sum()
    }
}

/// The period that the values show, when they come in steps, with its length and parts. Values that are mostly one and
/// the same have none: what comes now and then is too rare for a rhythm to be known.
fn own_period(past: &[Point]) -> Option<(i64, usize)> {
    let mut gaps: Vec<i64> = past.windows(2).map(|pair| pair[1].time.saturating_sub(pair[0].time)).collect();
    gaps.sort_unstable();
    let step = *gaps.get(gaps.len() / 2).filter(|step| **step > 0)?;
    let first = past.first()?.time;
    let place = |point: &Point| usize::try_from(point.time.saturating_sub(first) / step).unwrap_or(usize::MAX);
    let steps = place(past.last()?).checked_add(1)?;
    if steps > past.len() + past.len() / 2 {
        return None;
    }
    let (least, most) = ordinary(past);
    let mut values = vec![least.midpoint(most); steps];
    for point in past {
        // Times that go back are nobody's series; they are left out.
        if let Some(value) = values.get_mut(place(point)) {
            *value = point.value.clamp(least, most);
        }
    }
    let period = period(&values)?;
    let parts = if steps / period >= CYCLES_FULL { period } else { period.min(PARTS_MAX) };
    Some((step.checked_mul(i64::try_from(period).ok()?)?, parts))
}

/// Where a value still is a value and no spike: two spikes must not pass for a period of the time between them.
fn ordinary(past: &[Point]) -> (f64, f64) {
    let values: Vec<f64> = past.iter().map(|point| point.value).collect();
    let middle = median(&values);
    let away: Vec<f64> = values.iter().map(|value| (value - middle).abs()).collect();
    let reach = SPIKE * median(&away);
    (middle - reach, middle + reach)
}

fn day(past: &[Point]) -> Option<(i64, usize)> {
    let span = past.last()?.time.saturating_sub(past.first()?.time);
    (span >= DAYS_MIN * DAY - DAY / HOURS as i64).then_some((DAY, HOURS))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::anomaly::noise::Noise;

    const MINUTE: i64 = 60_000_000_000;

    fn past(points: i64, step: i64, value: impl Fn(i64) -> f64) -> Vec<Point> {
        (0..points).map(|at| Point { time: at * step, value: value(at), expected: 0.0 }).collect()
    }

    #[test]
    fn a_job_of_every_half_hour_is_expected() {
        let job = |at: i64| if at % 30 < 2 { 100.0 } else { 1.0 } + (at * 7 % 5) as f64 / 5.0;
        let expected = Expected::of(&past(240, MINUTE, job));
        // Eight half hours were seen: a ninth part of what is expected is the mean of all.
        let (busy, idle) = (expected.at(240 * MINUTE), expected.at(250 * MINUTE));
        assert!((85.0..101.0).contains(&busy) && (1.0..3.0).contains(&idle), "{busy} {idle}");
    }

    #[test]
    fn three_days_of_irregular_points_have_their_hours() {
        let expected = Expected::of(&past(900, 5 * MINUTE + 1, |at| if at * 5 / 60 % 24 < 12 { 10.0 } else { 50.0 }));
        assert!(expected.at(6 * 60 * MINUTE) < 15.0 && expected.at(18 * 60 * MINUTE) > 45.0);
    }

    #[test]
    fn noise_has_its_mean() {
        let mut noise = Noise::new(2);
        let values: Vec<f64> = (0..240).map(|_| noise.normal()).collect();
        let expected = Expected::of(&past(240, MINUTE, |at| values[at as usize]));
        assert!(expected.rhythm.is_none());
        assert!(expected.at(0).abs() < 0.3);
    }
}
