//! The samples of recent batches by series, then time, then receipt: what a segment is made from.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use crate::metrics::ids::IdHash;
use crate::metrics::samples::SampleColumns;
use crate::shard::RecentBatch;

/// Columns of one length.
#[derive(Debug, Default)]
pub(super) struct SeriesMajor {
    /// Ascending, each with the end of its rows.
    series: Vec<(u64, usize)>,
    pub(super) times: Vec<i64>,
    pub(super) values: Vec<f64>,
    pub(super) offsets: Vec<i64>,
}

impl SeriesMajor {
    pub(super) fn series(&self) -> impl Iterator<Item = (u64, Range<usize>)> {
        let starts = std::iter::once(0).chain(self.series.iter().map(|(_, end)| *end));
        self.series.iter().zip(starts).map(|((series, end), start)| (*series, start..*end))
    }
}

/// Rows are counted, then put where they belong: no comparison of samples where they came in the order of time, which is nearly always.
pub(super) fn by_series(batches: &[Arc<RecentBatch>]) -> SeriesMajor {
    let mut counts: HashMap<u64, usize, IdHash> = HashMap::default();
    for batch in batches {
        for (series, rows) in SampleColumns::of(&batch.batch).runs() {
            *counts.entry(series).or_default() += rows.len();
        }
    }
    let mut series: Vec<(u64, usize)> = counts.into_iter().collect();
    series.sort_unstable_by_key(|(series, _)| *series);
    let mut next: HashMap<u64, usize, IdHash> = HashMap::default();
    let mut end = 0;
    for (series, rows) in &mut series {
        next.insert(*series, end);
        end += *rows;
        *rows = end;
    }
    let mut ordered = SeriesMajor { series, times: vec![0; end], values: vec![0.0; end], offsets: vec![0; end] };
    for batch in batches {
        let columns = SampleColumns::of(&batch.batch);
        for (series, rows) in columns.runs() {
            let start = next.get_mut(&series).expect("every series was counted");
            let place = *start..*start + rows.len();
            *start = place.end;
            for (to, from) in ordered.times[place.clone()].iter_mut().zip(&columns.times[rows.clone()]) {
                *to = from.div_euclid(1_000_000);
            }
            ordered.values[place.clone()].copy_from_slice(&columns.values[rows]);
            ordered.offsets[place].fill(batch.offset.0.cast_signed());
        }
    }
    ordered.sort_late_samples();
    ordered
}

impl SeriesMajor {
    fn sort_late_samples(&mut self) {
        let late: Vec<Range<usize>> =
            self.series().map(|(_, rows)| rows).filter(|rows| !self.times[rows.clone()].is_sorted()).collect();
        for rows in late {
            let mut order: Vec<usize> = rows.clone().collect();
            order.sort_by_key(|at| self.times[*at]);
            let times: Vec<i64> = order.iter().map(|at| self.times[*at]).collect();
            let values: Vec<f64> = order.iter().map(|at| self.values[*at]).collect();
            let offsets: Vec<i64> = order.iter().map(|at| self.offsets[*at]).collect();
            self.times[rows.clone()].copy_from_slice(&times);
            self.values[rows.clone()].copy_from_slice(&values);
            self.offsets[rows].copy_from_slice(&offsets);
        }
    }
}
