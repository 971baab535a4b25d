//! Rows that are not independent: those of one request or trace fail together.
//!
//! The design effect (Kish 1965) is the variance of the share of A between units over what independent rows would have:
//! statistics are computed as if there were that many times fewer rows. It is estimated on the rows that no explanation
//! covers yet, since a true cause makes whole units fail and would pass for dependence.

use std::collections::HashMap;

use crate::bitmap::Bitmap;
use crate::cells::{Key, RowHash};
use crate::column::Column;
use crate::limits::UNIT_SAMPLE_ROWS;

/// The unit of each row, for the sampled units.
#[derive(Debug)]
pub(crate) struct Units {
    pub(crate) column: String,
    a: Vec<u32>,
    b: Vec<u32>,
    units: usize,
}

/// Unit of a row whose unit is not in the sample.
const UNSAMPLED: u32 = u32::MAX;
/// Unit of a row without one: independent of all others.
const ALONE: u32 = u32::MAX - 1;

impl Units {
    pub(crate) fn of(column: &Column<'_>) -> Self {
        let slices = column.slices;
        let one_in = (slices.a.len + slices.b.len).div_ceil(UNIT_SAMPLE_ROWS).max(1) as u64;
        let mut codes: HashMap<Key, u32, RowHash> = HashMap::default();
        let [a, b] = [&slices.a, &slices.b].map(|slice| {
            let mut units = Vec::with_capacity(slice.len);
            for (cells, rows) in column.cells.iter().zip(&slice.rows) {
                units.extend(rows.iter().map(|row| match cells.key(*row as usize) {
                    Key::Null => ALONE,
                    key if one_in > 1 && key.digest() % one_in != 0 => UNSAMPLED,
                    key => {
                        let next = codes.len() as u32;
                        *codes.entry(key).or_insert(next)
                    }
                }));
            }
            units
        });
        Self { column: column.name.to_owned(), a, b, units: codes.len() }
    }

    /// At least 1, among the rows of both bitmaps.
    pub(crate) fn design_effect(&self, rows_a: &Bitmap, rows_b: &Bitmap) -> f64 {
        let mut units = vec![(0u32, 0u32); self.units];
        let (mut alone_a, mut alone_b) = (0u64, 0u64);
        for (_, unit) in self.a.iter().enumerate().filter(|(row, _)| rows_a.get(*row)) {
            match units.get_mut(*unit as usize) {
                Some((rows, in_a)) => (*rows, *in_a) = (*rows + 1, *in_a + 1),
                None => alone_a += u64::from(*unit == ALONE),
            }
        }
        for (_, unit) in self.b.iter().enumerate().filter(|(row, _)| rows_b.get(*row)) {
            match units.get_mut(*unit as usize) {
                Some((rows, _)) => *rows += 1,
                None => alone_b += u64::from(*unit == ALONE),
            }
        }
        let in_a = units.iter().map(|(_, a)| f64::from(*a)).sum::<f64>() + alone_a as f64;
        let rows = units.iter().map(|(rows, _)| f64::from(*rows)).sum::<f64>() + (alone_a + alone_b) as f64;
        let rate = in_a / rows;
        let independent = rows * rate * (1.0 - rate);
        if independent.is_nan() || independent <= 0.0 {
            return 1.0;
        }
        let between: f64 = units.iter().map(|(rows, a)| (f64::from(*a) - f64::from(*rows) * rate).powi(2)).sum();
        let alone = (alone_a + alone_b) as f64 * rate * (1.0 - rate);
        ((between + alone) / independent).max(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn units(a: Vec<u32>, b: Vec<u32>, count: usize) -> f64 {
        let (rows_a, rows_b) = (Bitmap::ones(a.len()), Bitmap::ones(b.len()));
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
        assert_eq!(units(vec![ALONE; 50], vec![ALONE; 70], 0), 1.0);
        let one_failure_each = (0..50u32).collect();
        let three_successes_each = (0..150u32).map(|row| row / 3).collect();
        assert_eq!(units(one_failure_each, three_successes_each, 50), 1.0, "never below one");
    }
}
