//! SQL against a real store: recent rows and segments, several projects, and what is refused.

use arrow::array::{ArrayRef, Float64Array, Int64Array, StringArray, TimestampNanosecondArray};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::util::pretty::pretty_format_batches;
use culprit_store::{
    Labels, Route, Samples, Series, StorageConfig, StoreKind, StoreSpec, TIME, UnixNanos, utc_nanoseconds,
};
use expect_test::{Expect, expect};

use super::*;

struct Fixture {
    _folder: tempfile::TempDir,
    storage: Storage,
    engine: SqlEngine,
}

impl Fixture {
    /// Store `app` of project default: six rows in a segment, four in memory, one column that only the later rows have.
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let storage = Storage::open(StorageConfig::new(folder.path())).await.unwrap();
        let app = StoreName::parse("app").unwrap();
        let project = ProjectName::default_project();
        let store = storage.create_store(&project, &app, StoreSpec::new(StoreKind::Logs)).await.unwrap();
        storage.append(&store, rows(0..6, None), &Route::Any).await.unwrap();
        storage.flush().await.unwrap();
        storage.append(&store, rows(6..10, Some("eu")), &Route::Any).await.unwrap();
        let engine = SqlEngine::new(storage.clone()).unwrap();
        Self { _folder: folder, storage, engine }
    }

    async fn answer(&self, sql: &str, range: TimeRange) -> String {
        match self.engine.query(&ProjectName::default_project(), sql, range).await {
            Ok(batches) => pretty_format_batches(&batches).unwrap().to_string(),
            Err(error) => format!("error: {error}"),
        }
    }

    async fn check(&self, sql: &str, expected: Expect) {
        expected.assert_eq(&self.answer(sql, TimeRange::ALL).await);
    }
}

/// Row n is at n seconds, with status 200 or, every third, 500.
fn rows(numbers: std::ops::Range<i64>, region: Option<&str>) -> RecordBatch {
    let time = TimestampNanosecondArray::from_iter_values(numbers.clone().map(|n| n * 1_000_000_000));
    let mut fields = vec![
        Field::new(TIME, utc_nanoseconds(), false),
        Field::new("status", DataType::Int64, true),
        Field::new("userId", DataType::Utf8, true),
        Field::new("seconds", DataType::Float64, true),
    ];
    let mut columns: Vec<ArrayRef> = vec![
        Arc::new(time.with_timezone("UTC")),
        Arc::new(Int64Array::from_iter_values(numbers.clone().map(|n| if n % 3 == 0 { 500 } else { 200 }))),
        Arc::new(StringArray::from_iter_values(numbers.clone().map(|n| format!("u{n}")))),
        Arc::new(Float64Array::from_iter_values(numbers.clone().map(|n| n as f64 / 4.0))),
    ];
    if let Some(region) = region {
        fields.push(Field::new("region", DataType::Utf8, true));
        columns.push(Arc::new(StringArray::from_iter_values(numbers.map(|_| region))));
    }
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn recent_rows_and_segments_are_one_table() {
    let fixture = Fixture::new().await;
    fixture
        .check(
            "SELECT status, region, count(*) AS n, sum(seconds) AS s FROM app GROUP BY ALL ORDER BY ALL",
            expect![[r#"error: there is no column "ALL"; there are: _overflow, _received, _time, n, region, s, seconds, status, userId"#]],
        )
        .await;
    fixture
        .check(
            "SELECT userId FROM app WHERE _time >= '1970-01-01T00:00:05Z' AND status = 500 ORDER BY 1",
            expect![[r#"
                +--------+
                | userId |
                +--------+
                | u6     |
                | u9     |
                +--------+"#]],
        )
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_range_bounds_what_a_query_sees() {
    let fixture = Fixture::new().await;
    let second = |n: i64| UnixNanos(n * 1_000_000_000);
    for (range, expected) in [
        (TimeRange::new(second(2), second(8)), "2..7"),
        (TimeRange { from: Some(second(9)), to: None }, "9..9"),
        (TimeRange { from: None, to: Some(second(1)) }, "0..0"),
    ] {
        let sql = "SELECT min(seconds * 4)::bigint || '..' || max(seconds * 4)::bigint AS span FROM app";
        let answer = fixture.answer(sql, range).await;
        assert!(answer.contains(expected), "{range:?}: {answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_before_the_bar_leaves_rows() {
    let fixture = Fixture::new().await;
    for (sql, expected) in [
        ("status>=500 | SELECT count(*) AS n FROM app", "| 4 |"),
        ("region:eu status:200 | SELECT string_agg(userId, ' ' ORDER BY userId) AS u FROM app", "| u7 u8 |"),
        ("U7 | SELECT userId FROM app", "| u7     |"),
        ("* | SELECT count(*) AS n FROM app a JOIN app b ON a.userId = b.userId", "| 10 |"),
        ("status:500 | SELECT 1", "needs a FROM"),
        ("status:500 | SELECT * FROM app, other", "one table behind it, not app, other"),
        ("nowhere:1 | SELECT * FROM app", "there is no column \"nowhere\""),
    ] {
        let answer = fixture.answer(sql, TimeRange::ALL).await;
        assert!(answer.contains(expected), "{sql}: {answer}");
    }
    let app = StoreName::parse("app").unwrap();
    let project = ProjectName::default_project();
    let found = fixture.engine.search(&project, &app, "seconds in [0.5 1.5)", 2, TimeRange::ALL).await.unwrap();
    let batches = found.collect(10).await.unwrap();
    let users = arrow::compute::concat_batches(&batches[0].schema(), &batches).unwrap();
    assert_eq!(
        users.column_by_name("userId").unwrap().as_ref(),
        &StringArray::from(vec!["u5", "u4"]) as &dyn arrow::array::Array
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_searched_before_the_bar() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.csv");
    std::fs::write(&path, "name,n\nalpha,1\nbeta,2\nalphabet,3\n").unwrap();
    let files = crate::FileSql::new();
    let text = format!("alpha n>1 | SELECT sum(n) AS n FROM \"{}\"", path.display());
    assert!(files.is_about_files(&text).unwrap());
    let answer = files.query(&text).await.unwrap();
    assert_eq!(answer[0].column(0).as_ref(), &Int64Array::from(vec![3]) as &dyn arrow::array::Array);
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_are_a_table_with_labels_as_columns() {
    let fixture = Fixture::new().await;
    let name = StoreName::parse("metrics").unwrap();
    let spec = StoreSpec::new(StoreKind::Metrics);
    let store = fixture.storage.create_store(&ProjectName::default_project(), &name, spec).await.unwrap();
    let series = ["a", "b"].map(|host| Series {
        labels: Labels::new([("__name__", "up"), ("host", host)]).unwrap(),
        samples: Samples { timestamps_ms: vec![1000, 2000], values: vec![1.0, if host == "a" { 1.0 } else { 0.0 }] },
    });
    fixture.storage.append_samples(&store, series.into()).await.unwrap();
    fixture
        .check(
            "SELECT _time, metric, value, labels, host FROM metrics WHERE metric = 'up' AND host = 'b' ORDER BY 1",
            expect![[r#"
                +----------------------+--------+-------+-----------+------+
                | _time                | metric | value | labels    | host |
                +----------------------+--------+-------+-----------+------+
                | 1970-01-01T00:00:01Z | up     | 1.0   | {host: b} | b    |
                | 1970-01-01T00:00:02Z | up     | 0.0   | {host: b} | b    |
                +----------------------+--------+-------+-----------+------+"#]],
        )
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn promql_is_a_table() {
    let fixture = Fixture::new().await;
    let name = StoreName::parse("metrics").unwrap();
    let spec = StoreSpec::new(StoreKind::Metrics);
    let store = fixture.storage.create_store(&ProjectName::default_project(), &name, spec).await.unwrap();
    let series = ["a", "b"].map(|host| Series {
        labels: Labels::new([("__name__", "up"), ("host", host)]).unwrap(),
        samples: Samples { timestamps_ms: vec![1000, 2000], values: vec![1.0, if host == "a" { 1.0 } else { 0.0 }] },
    });
    fixture.storage.append_samples(&store, series.into()).await.unwrap();
    fixture
        .check(
            "SELECT _time, value, labels['host'] AS host FROM promql('up == 1', 1, '1970-01-01T00:00:02Z', '1s') ORDER BY host, _time",
            expect![[r#"
                +----------------------+-------+------+
                | _time                | value | host |
                +----------------------+-------+------+
                | 1970-01-01T00:00:01Z | 1.0   | a    |
                | 1970-01-01T00:00:02Z | 1.0   | a    |
                | 1970-01-01T00:00:01Z | 1.0   | b    |
                +----------------------+-------+------+"#]],
        )
        .await;
    let count = "SELECT count(*) AS n, sum(value) AS s FROM promql('sum(up)', 0, 10, 1)";
    let range = TimeRange::new(UnixNanos(2_000_000_000), UnixNanos(5_000_000_000));
    let answer = fixture.answer(count, range).await;
    assert!(answer.contains("| 3 | 3.0 |"), "{answer}");
    for (call, why) in [
        ("promql('up')", "promql: argument 2 the first time, is missing"),
        ("promql('up', 0, 10, 'often')", "promql: argument 4 the step"),
        ("promql('up', 0, 10, value)", "must be a constant"),
        ("promql('up{', 0, 10, 1)", "invalid promql query"),
        ("promql('up', 10, 0, 1)", "end timestamp must not be before start time"),
        ("promql('up', 0, 10, 1, 'app')", "app"),
        ("promql('up', 0, 10, 1, 'none')", "no store"),
    ] {
        let answer = fixture.answer(&format!("SELECT * FROM {call}"), TimeRange::ALL).await;
        assert!(answer.starts_with("error: ") && answer.contains(why), "{call}: {answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn mistakes_are_named() {
    let fixture = Fixture::new().await;
    for (sql, expected) in [
        ("SELECT sttus FROM app", "there is no column \"sttus\"; there are:"),
        ("SELECT * FROM ap", "project default has no store \"ap\"; it has: app"),
        ("SELEC 1", "SQL syntax"),
        ("SELECT status + 'x' FROM app", "Cannot"),
    ] {
        let answer = fixture.answer(sql, TimeRange::ALL).await;
        assert!(answer.starts_with("error: ") && answer.contains(expected), "{sql}: {answer}");
        assert_eq!(answer.lines().count(), 1, "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_but_reading_is_allowed() {
    let fixture = Fixture::new().await;
    for sql in [
        "DROP TABLE app",
        "CREATE TABLE t AS SELECT 1",
        "CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '/etc/passwd'",
        "COPY app TO '/tmp/stolen.csv'",
        "INSERT INTO app SELECT * FROM app",
        "SET datafusion.execution.target_partitions = 1",
        "SELECT * FROM '/etc/passwd'",
        "SELECT * FROM \"/etc/hosts.csv\"",
    ] {
        let answer = fixture.answer(sql, TimeRange::ALL).await;
        assert!(answer.starts_with("error: "), "{sql}: {answer}");
    }
    assert!(fixture.answer("SELECT count(*) FROM app", TimeRange::ALL).await.contains("10"));
}

#[tokio::test(flavor = "multi_thread")]
async fn time_and_memory_are_bounded() {
    let fixture = Fixture::new().await;
    let endless = "SELECT count(*) FROM generate_series(1, 100000000) a, generate_series(1, 100000) b WHERE a.value % 7 = b.value";
    let engine = SqlEngine::with_limits(fixture.storage.clone(), Duration::from_millis(200), SQL_MEMORY_BYTES).unwrap();
    let project = ProjectName::default_project();
    let stopped = engine.query(&project, endless, TimeRange::ALL).await.unwrap_err();
    assert!(matches!(stopped, QueryError::Timeout { .. }), "{stopped}");

    let engine = SqlEngine::with_limits(fixture.storage.clone(), SQL_TIMEOUT, 1 << 20).unwrap();
    let large = "SELECT array_agg(value) FROM generate_series(1, 3000000)";
    let refused = engine.query(&project, large, TimeRange::ALL).await.unwrap_err();
    assert!(matches!(refused, QueryError::Memory { .. }), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn coded_texts_are_the_same_texts() {
    let fixture = Fixture::new().await;
    let project = ProjectName::default_project();
    let sql = "SELECT region, \"userId\", status FROM app WHERE \"userId\" <> 'u7' ORDER BY \"userId\"";
    let plain = fixture.engine.query(&project, sql, TimeRange::ALL).await.unwrap();
    let engine = fixture.engine.with_coded_texts(&["userId".to_owned()]);
    let coded = engine.query(&project, sql, TimeRange::ALL).await.unwrap();
    let schema = coded[0].schema();
    assert!(matches!(schema.field(0).data_type(), DataType::Dictionary(..)), "{schema}");
    assert_eq!(*schema.field(1).data_type(), DataType::Utf8);
    assert_eq!(pretty_format_batches(&coded).unwrap().to_string(), pretty_format_batches(&plain).unwrap().to_string());
    // A search before the bar looks into texts.
    let sql = "u8 or u2 | SELECT \"userId\", region FROM app ORDER BY 1";
    let found = fixture.engine.with_coded_texts(&[]).query(&project, sql, TimeRange::ALL).await.unwrap();
    assert_eq!(pretty_format_batches(&found).unwrap().to_string(), fixture.answer(sql, TimeRange::ALL).await);
}
