//! A baseline that is disturbed itself. Incidents come in bursts: the minutes before the one in question often hold an
//! earlier burst, and a slice that was bad then looks normal now. So the baseline is cut into periods, and only those are
//! used whose overall rate is close to that of the calmer half.

use std::collections::{BTreeMap, BTreeSet};

use super::PERIOD;
use super::rows::Rows;
use crate::cells::Cells;
use crate::input::Input;
use crate::limits::PERIODS_MAX;

/// A period is disturbed when its rate is so many times that of the median period, in the direction of the incident.
const DISTURBED: f64 = 1.5;

/// Which rows of the baseline are used.
#[derive(Debug)]
pub(crate) struct Calm {
    /// Per row; empty when there are no periods to tell apart.
    disturbed: Vec<bool>,
}

impl Calm {
    pub(crate) fn uses(&self, row: usize) -> bool {
        !self.disturbed.get(row).copied().unwrap_or(false)
    }
}

/// `of` gives a row's value and weight.
pub(crate) fn calm(input: &Input, rows: &Rows, of: impl Fn(usize) -> (f64, f64)) -> Calm {
    let none = Calm { disturbed: Vec::new() };
    let Some(times) = times(input, rows) else {
        return none;
    };
    let periods = numbered(&times, &rows.in_a);
    let mut sums: BTreeMap<i64, (f64, f64)> = BTreeMap::new();
    let (mut value_a, mut weight_a) = (0.0, 0.0);
    for (row, period) in periods.iter().enumerate() {
        let (value, weight) = of(row);
        match period {
            Some(period) => {
                let sum = sums.entry(*period).or_default();
                *sum = (sum.0 + value, sum.1 + weight);
            }
            None => (value_a, weight_a) = (value_a + value, weight_a + weight),
        }
    }
    if sums.len() < 2 || weight_a <= 0.0 {
        return none;
    }
    // Half a count more keeps a period without any from making all others look disturbed.
    let rate = |(value, weight): &(f64, f64)| (value + 0.5) / (weight + 1.0);
    let mut rates: Vec<f64> = sums.values().map(rate).collect();
    let (value, weight) = sums.values().fold((0.0, 0.0), |all, one| (all.0 + one.0, all.1 + one.1));
    let rises = rate(&(value_a, weight_a)) >= rate(&(value, weight));
    rates.sort_by(f64::total_cmp);
    let median = if rises { rates[(rates.len() - 1) / 2] } else { rates[rates.len() / 2] };
    let is_disturbed = |period: &i64| {
        let rate = rate(&sums[period]);
        if rises { rate > median * DISTURBED } else { rate < median / DISTURBED }
    };
    Calm { disturbed: periods.iter().map(|period| period.as_ref().is_some_and(is_disturbed)).collect() }
}

/// The time of each row that counts; none when the input has no times.
fn times(input: &Input, rows: &Rows) -> Option<Vec<i64>> {
    let mut times = Vec::with_capacity(rows.len());
    for (batch, kept) in input.batches.iter().zip(&rows.rows) {
        let cells = Cells::of(batch.column_by_name(PERIOD)?).ok().flatten()?;
        times.extend(kept.iter().map(|row| cells.number(*row as usize).map_or(0, |time| time as i64)));
    }
    Some(times)
}

/// The period of each row of B: its time, or where there are many times, the stretch that it is in.
fn numbered(times: &[i64], in_a: &[bool]) -> Vec<Option<i64>> {
    let of_b = || times.iter().zip(in_a).filter(|(_, in_a)| !**in_a).map(|(time, _)| *time);
    let (Some(first), Some(last)) = (of_b().min(), of_b().max()) else {
        return vec![None; times.len()];
    };
    let length = if exceeds(of_b(), PERIODS_MAX) { (last - first) / PERIODS_MAX as i64 + 1 } else { 1 };
    times.iter().zip(in_a).map(|(time, in_a)| (!in_a).then(|| (time - first) / length)).collect()
}

/// True when there are more distinct values than that.
fn exceeds(mut values: impl Iterator<Item = i64>, limit: usize) -> bool {
    let mut distinct = BTreeSet::new();
    values.any(|value| distinct.insert(value) && distinct.len() > limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_times_are_periods_and_many_are_stretches_of_equal_length() {
        let minutes = [0, 60, 120, 180, 240];
        let in_a = [false, false, false, false, true];
        assert_eq!(numbered(&minutes, &in_a), [Some(0), Some(60), Some(120), Some(180), None]);
        let seconds: Vec<i64> = (1_000..1_160).collect();
        let periods = numbered(&seconds, &[false; 160]);
        let distinct: BTreeSet<_> = periods.iter().collect();
        assert_eq!(distinct.len(), PERIODS_MAX);
        assert_eq!(periods[0], periods[9]);
    }
}
