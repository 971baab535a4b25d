//! What goes into a segment of samples comes out of it, for queries and for consumers.

use super::order::by_series;
use super::*;
use crate::metrics::samples::SampleRows;
use crate::schema::TIME;
use crate::{Offset, UnixNanos};

fn recent(offset: u64, samples: &[(u64, i64, f64)]) -> Arc<RecentBatch> {
    let mut rows = SampleRows::default();
    for (series, time, value) in samples {
        rows.push(*series, *time, *value);
    }
    let received = UnixNanos(1_000 + offset as i64);
    Arc::new(RecentBatch::new(Offset(offset), received, None, rows.finish().unwrap()))
}

fn two_batches() -> Vec<Arc<RecentBatch>> {
    vec![
        recent(5, &[(9, 10, 1.5), (9, 20, 2.5), (7, 10, 1.0), (9, 5, 0.5)]),
        recent(8, &[(7, 10, 4.0), (9, 30, f64::NAN), (7, 5, 3.0)]),
    ]
}

#[test]
fn samples_stand_by_series_then_time_then_receipt() {
    let ordered = by_series(&two_batches());
    let series: Vec<_> = ordered.series().collect();
    assert_eq!(series, [(7, 0..3), (9, 3..7)]);
    assert_eq!(ordered.times, [5, 10, 10, 5, 10, 20, 30]);
    assert_eq!(ordered.values[..6], [3.0, 1.0, 4.0, 0.5, 1.5, 2.5]);
    assert_eq!(ordered.offsets, [8, 5, 8, 5, 5, 5, 8]);
}

#[test]
fn consumers_get_the_batches_back() {
    let encoded = encode(&two_batches()).unwrap();
    assert_eq!(encoded.duplicates, 1);
    let file = || parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(encoded.bytes.clone().into());
    let at = |offset, received| (Offset(offset), UnixNanos(received));
    assert_eq!(receipts(file().unwrap().metadata()).unwrap(), [at(5, 1_005), at(8, 1_008)]);
    let batches = batches(file().unwrap()).unwrap();
    assert_eq!(
        batches.iter().map(|batch| (batch.offset, batch.received)).collect::<Vec<_>>(),
        [at(5, 1_005), at(8, 1_008)]
    );
    let expected = [
        recent(5, &[(7, 10, 1.0), (9, 5, 0.5), (9, 10, 1.5), (9, 20, 2.5)]),
        recent(8, &[(7, 5, 3.0), (7, 10, 4.0), (9, 30, f64::NAN)]),
    ];
    for (batch, expected) in batches.iter().zip(&expected) {
        assert_eq!(batch.batch, expected.batch);
    }
    assert_eq!(batches[0].batch.schema().field(0).name(), TIME);
}

/// A regular series of 5,000 samples in ten batches, and its neighbours: times and offsets are there once.
#[test]
fn long_series_are_cut_and_regular_ones_are_small() {
    let samples = |batch: i64| {
        (0..20u64).flat_map(move |series| (0..500).map(move |at| (series, (batch * 500 + at) * 15_000, at as f64)))
    };
    let batches: Vec<_> = (0..10).map(|batch| recent(batch as u64, &samples(batch).collect::<Vec<_>>())).collect();
    let encoded = encode(&batches).unwrap();
    let file =
        parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(bytes::Bytes::from(encoded.bytes))
            .unwrap();
    let group = file.metadata().row_group(0);
    assert_eq!(group.num_rows(), 20 * 5);
    let size = |name| group.columns().iter().find(|c| c.column_path().string() == name).unwrap().compressed_size();
    assert!(size(TIMES) + size(OFFSETS) < 2_000, "{} and {} bytes for 100,000 samples", size(TIMES), size(OFFSETS));
}
