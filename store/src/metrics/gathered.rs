//! Samples of the wanted series as they are found, those received first before others; of one time the first value stays.

use std::sync::Arc;

use arrow::record_batch::RecordBatch;

use super::samples::SampleColumns;
use super::{SampleRange, Samples};
use crate::SeriesId;

pub(super) struct Gathered {
    range: SampleRange,
    /// Ascending.
    ids: Arc<[SeriesId]>,
    /// One per id.
    samples: Vec<Samples>,
}

impl Gathered {
    /// `ids` ascend.
    pub(super) fn new(ids: Arc<[SeriesId]>, range: SampleRange) -> Self {
        let samples = vec![Samples::default(); ids.len()];
        Self { range, ids, samples }
    }

    pub(super) fn range(&self) -> SampleRange {
        self.range
    }

    pub(super) fn ids(&self) -> &[SeriesId] {
        &self.ids
    }

    /// Times ascend; what lies outside of the range is left out.
    pub(super) fn add(&mut self, slot: usize, times_ms: &[i64], values: &[f64]) {
        let start = times_ms.partition_point(|at| *at < self.range.start_ms);
        let end = times_ms.partition_point(|at| *at <= self.range.end_ms).max(start);
        let samples = &mut self.samples[slot];
        samples.timestamps_ms.extend_from_slice(&times_ms[start..end]);
        samples.values.extend_from_slice(&values[start..end]);
    }

    /// Rows of any order and any series.
    pub(super) fn add_rows(&mut self, batch: &RecordBatch) {
        let columns = SampleColumns::of(batch);
        for (series, rows) in columns.runs() {
            let Ok(slot) = self.ids.binary_search(&SeriesId(series)) else { continue };
            let samples = &mut self.samples[slot];
            for (time, value) in columns.times[rows.clone()].iter().zip(&columns.values[rows]) {
                let at = time.div_euclid(1_000_000);
                if self.range.contains(at) {
                    samples.timestamps_ms.push(at);
                    samples.values.push(*value);
                }
            }
        }
    }

    /// What `later` has was received after what is here. Both look for the same series.
    pub(super) fn join(&mut self, later: Self) {
        for (samples, mut more) in self.samples.iter_mut().zip(later.samples) {
            if samples.values.is_empty() {
                *samples = more;
            } else {
                samples.timestamps_ms.append(&mut more.timestamps_ms);
                samples.values.append(&mut more.values);
            }
        }
    }

    /// In the order of the ids; empty where nothing was found.
    pub(super) fn finish(self) -> impl Iterator<Item = Samples> {
        self.samples.into_iter().map(in_order)
    }
}

/// Ascending and unique in time. A stable sort leaves the first of equal times first.
fn in_order(samples: Samples) -> Samples {
    if samples.timestamps_ms.is_sorted_by(|a, b| a < b) {
        return samples;
    }
    let mut order: Vec<usize> = (0..samples.values.len()).collect();
    order.sort_by_key(|at| samples.timestamps_ms[*at]);
    order.dedup_by_key(|at| samples.timestamps_ms[*at]);
    Samples {
        timestamps_ms: order.iter().map(|at| samples.timestamps_ms[*at]).collect(),
        values: order.iter().map(|at| samples.values[*at]).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_one_time_the_first_received_stays() {
        let mut gathered = Gathered::new(vec![SeriesId(7)].into(), SampleRange { start_ms: 1, end_ms: 4 });
        gathered.add(0, &[0, 2, 4, 5], &[9.0, 1.0, 2.0, 9.0]);
        gathered.add(0, &[1, 2], &[5.0, 3.0]);
        let found: Vec<Samples> = gathered.finish().collect();
        assert_eq!(found, [Samples { timestamps_ms: vec![1, 2, 4], values: vec![5.0, 1.0, 2.0] }]);
    }
}
