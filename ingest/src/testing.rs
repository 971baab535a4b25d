//! What the decoders' tests share: a body in, rows and reasons out as text.

use std::fmt::Write;

use arrow::array::RecordBatch;
use culprit_store::{Column, ColumnType, StoreSchema, UnixNanos};
use expect_test::Expect;

use crate::{DecodeOptions, Decoded, Format};

/// 2020-01-01T00:00:00Z
pub(crate) const ARRIVAL: UnixNanos = UnixNanos(1_577_836_800_000_000_000);

pub(crate) fn schema(columns: &[(&str, ColumnType)]) -> StoreSchema {
    StoreSchema::new(
        columns
            .iter()
            .map(|(name, column_type)| Column { name: (*name).to_owned(), column_type: *column_type })
            .collect(),
    )
}

pub(crate) fn decode(format: Format, body: impl AsRef<[u8]>) -> Decoded {
    format.decode(body.as_ref(), &schema(&[]), DecodeOptions { now: ARRIVAL, time_field: None })
}

/// The rows as NDJSON, nulls left out; then the counts; then the reasons.
pub(crate) fn check(format: Format, body: impl AsRef<[u8]>, expected: Expect) {
    expected.assert_eq(&render(&decode(format, body)));
}

pub(crate) fn render(decoded: &Decoded) -> String {
    let mut text = decoded
        .batch
        .as_ref()
        .map_or_else(String::new, |batch| to_ndjson(batch).replace("2020-01-01T00:00:00Z", "ARRIVAL"));
    writeln!(text, "{} accepted, {} rejected", decoded.accepted, decoded.rejections.total()).unwrap();
    for reason in &decoded.rejections.reasons {
        writeln!(text, "line {}: {}", reason.line, reason.why).unwrap();
    }
    text
}

pub(crate) fn to_ndjson(batch: &RecordBatch) -> String {
    let mut writer = arrow::json::LineDelimitedWriter::new(Vec::new());
    writer.write(batch).unwrap();
    writer.finish().unwrap();
    String::from_utf8(writer.into_inner()).unwrap()
}

/// The corpus at this path below the folder that `CULPRIT_SHARED` names. Without it a test is skipped, and says so.
pub(crate) fn corpus(path: &str) -> Option<Vec<u8>> {
    let Some(shared) = std::env::var_os("CULPRIT_SHARED") else {
        eprintln!("skipped: CULPRIT_SHARED is not set, {path} is not read");
        return None;
    };
    let path = std::path::Path::new(&shared).join(path);
    Some(std::fs::read(&path).unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display())))
}
