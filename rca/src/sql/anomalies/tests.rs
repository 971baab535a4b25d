//! Both functions over a file, as `culprit sql` asks them.

use std::io::Write;

use arrow::array::AsArray;
use arrow::datatypes::{Float64Type, TimestampNanosecondType};
use culprit_query::FileSql;

use crate::sql_functions;

const MINUTE: i64 = 60_000_000_000;
/// Where `pay` begins to have six times as many rows.
const JUMP: i64 = 290;
const MINUTES: i64 = 300;

/// Five hours of three services with 3 to 7 rows a minute; `web` has none in every tenth.
fn file() -> tempfile::NamedTempFile {
    let mut file = tempfile::Builder::new().suffix(".csv").tempfile().unwrap();
    writeln!(file, "_time,service,latency").unwrap();
    let mut dice = 1u64;
    for minute in 0..MINUTES {
        for service in ["cart", "pay", "web"] {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let rows = 3 + (dice >> 33) % 5;
            let rows = match service {
                "pay" if minute >= JUMP => rows * 6,
                "web" if minute % 10 == 9 => 0,
                _ => rows,
            };
            for row in 0..rows {
                let (hour, minute) = (minute / 60, minute % 60);
                writeln!(file, "2026-01-01T{hour:02}:{minute:02}:{:02}Z,{service},{}.5", row % 60, row).unwrap();
            }
        }
    }
    file
}

async fn ask(file: &tempfile::NamedTempFile, sql: &str) -> Result<arrow::array::RecordBatch, String> {
    let files = FileSql::new().with_extensions(sql_functions());
    let sql = sql.replace("FILE", &file.path().to_string_lossy());
    let batches = files.query(&sql).await.map_err(|error| error.to_string())?;
    Ok(arrow::compute::concat_batches(&batches[0].schema(), &batches).unwrap())
}

#[tokio::test]
async fn each_point_of_each_series_is_scored() {
    let file = file();
    let rows = ask(&file, "SELECT * FROM anomalies('FILE', 'count(*)', '1m', array['service']) ORDER BY service, time");
    let rows = rows.await.unwrap();
    let names: Vec<_> = rows.schema_ref().fields().iter().map(|field| field.name().clone()).collect();
    assert_eq!(names, ["time", "service", "value", "expected", "score"]);
    // A minute without rows is a count of none.
    assert_eq!(rows.num_rows(), 3 * MINUTES as usize);
    let (values, scores) = (rows.column(2).as_primitive::<Float64Type>(), rows.column(4).as_primitive::<Float64Type>());
    let web = 2 * MINUTES as usize;
    assert_eq!(values.value(web + 9), 0.0);
    let loudest = (0..rows.num_rows()).max_by(|a, b| scores.value(*a).total_cmp(&scores.value(*b))).unwrap();
    assert_eq!(loudest, (MINUTES + JUMP) as usize, "score {}", scores.value(loudest));
    let one = ask(&file, "SELECT count(*) FROM anomalies('FILE', 'avg(latency)')").await.unwrap();
    assert_eq!(one.column(0).as_primitive::<arrow::datatypes::Int64Type>().value(0), MINUTES);
}

#[tokio::test]
async fn the_slice_that_jumped_is_named_with_its_minute() {
    let file = file();
    let sql = "SELECT * FROM anomalous_slices('FILE', 'count(*)', '1m', array['service'], '15m')";
    let rows = ask(&file, sql).await.unwrap();
    assert_eq!(rows.column(0).as_string::<i32>().iter().collect::<Vec<_>>(), [Some("pay")]);
    let onset = rows.column(1).as_primitive::<TimestampNanosecondType>().value(0);
    assert_eq!(onset % (24 * 60 * MINUTE) / MINUTE, JUMP);
    let (expected, actual) =
        (rows.column(2).as_primitive::<Float64Type>(), rows.column(3).as_primitive::<Float64Type>());
    assert!((expected.value(0) - 5.0).abs() < 1.0 && actual.value(0) > 20.0, "{rows:?}");
}

#[tokio::test]
async fn wrong_arguments_are_named() {
    let file = file();
    for (call, why) in [
        ("anomalies('FILE')", "argument 2"),
        ("anomalies('FILE', 'count(*)', 'soon')", "a length of time"),
        ("anomalies('FILE', 'count(*); DROP TABLE x')", "complete before"),
        ("anomalies('FILE', 'count(*)', '1m', array['a','b','c','d','e'])", "5 dimensions"),
        ("anomalies('FILE', 'count(*)', '1m', array['nowhere'])", "nowhere"),
        ("anomalous_slices('FILE', 'count(*)', '1m', array['service'], '1s')", "shorter than a step"),
    ] {
        let error = ask(&file, &format!("SELECT * FROM {call}")).await.unwrap_err();
        assert!(error.contains(why), "{call}: {error}");
    }
}
