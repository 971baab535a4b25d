//! Rows that are not independent: those of one request or trace fail together.
//!
//! The design effect (Kish 1965) is the variance of the share of A between units over what independent rows would have:
//! statistics are computed as if there were that many times fewer rows. It is estimated on the rows that no explanation
//! covers yet, since a true cause makes whole units fail and would pass for dependence.

use std::collections::HashMap;

use crate::bitmap::Bitmap;
use crate::codes::Codes;
use crate::column::{Column, NULL};
use crate::key::{Key, RowHash};
use crate::limits::UNIT_SAMPLE_ROWS;

/// The rows of the sampled units.
#[derive(Debug)]
pub(crate) struct Units {
    pub(crate) column: String,
    /// Row and unit.
    a: Vec<(u32, u32)>,
    b: Vec<(u32, u32)>,
    units: usize,
}

impl Units {
    pub(crate) fn of(column: &Column) -> Self {
        let one_in = (column.a.len() + column.b.len()).div_ceil(UNIT_SAMPLE_ROWS).max(1) as u64;
        let mut known: HashMap<u64, u32, RowHash> = HashMap::default();
        let mut units = 0;
        let mut sampled = |codes: &Codes| {
            let mut rows = Vec::with_capacity(codes.len() / one_in as usize);
            for row in 0..codes.len() {
                let payload = column.payload(codes, row);
                // A row without a unit is independent of all others, so it is a unit of its own.
                let alone = payload == NULL;
                let digest = if alone { row as u64 } else { payload };
                if one_in > 1 && Key::Int(digest.cast_signed()).digest() % one_in != 0 {
                    continue;
                }
                let mut new = || {
                    units += 1;
                    units - 1
                };
                rows.push((row as u32, if alone { new() } else { *known.entry(payload).or_insert_with(new) }));
            }
            rows
        };
        let (a, b) = (sampled(&column.a), sampled(&column.b));
        Self { column: column.name.clone(), a, b, units: units as usize }
    }

    /// At least 1, among the rows of both bitmaps.
    pub(crate) fn design_effect(&self, rows_a: &Bitmap, rows_b: &Bitmap) -> f64 {
        let mut units = vec![(0u32, 0u32); self.units];
        for (_, unit) in self.a.iter().filter(|(row, _)| rows_a.get(*row as usize)) {
            let (rows, in_a) = &mut units[*unit as usize];
            (*rows, *in_a) = (*rows + 1, *in_a + 1);
        }
        for (_, unit) in self.b.iter().filter(|(row, _)| rows_b.get(*row as usize)) {
            units[*unit as usize].0 += 1;
        }
        let in_a = units.iter().map(|(_, a)| f64::from(*a)).sum::<f64>();
        let rows = units.iter().map(|(rows, _)| f64::from(*rows)).sum::<f64>();
        let rate = in_a / rows;
        let independent = rows * rate * (1.0 - rate);
        if independent.is_nan() || independent <= 0.0 {
            return 1.0;
        }
        let between: f64 = units.iter().map(|(rows, a)| (f64::from(*a) - f64::from(*rows) * rate).powi(2)).sum();
        (between / independent).max(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn units(a: Vec<u32>, b: Vec<u32>, count: usize) -> f64 {
        let (rows_a, rows_b) = (Bitmap::ones(a.len()), Bitmap::ones(b.len()));
        let [a, b] = [a, b].map(|units| (0..).zip(units).collect());
        Units { column: "trace_id".into(), a, b, units: count }.design_effect(&rows_a, &rows_b)
    }

    /// Units of four rows that fail together carry a quarter of the information.
    #[test]
    fn rows_that_fail_together_count_once() {
        let a = (0..100u32).map(|row| row / 4).collect();
        let b = (0..300u32).map(|row| 25 + row / 4).collect();
        assert!((units(a, b, 100) - 4.0).abs() < 1e-9);
    }

    #[test]
    fn rows_alone_or_evenly_spread_are_independent() {
        assert_eq!(units((0..50).collect(), (50..120).collect(), 120), 1.0);
        let one_failure_each = (0..50u32).collect();
        let three_successes_each = (0..150u32).map(|row| row / 3).collect();
        assert_eq!(units(one_failure_each, three_successes_each, 50), 1.0, "never below one");
    }
}
