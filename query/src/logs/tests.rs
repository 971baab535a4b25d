//! Log groups in a store with an index: what clients ask, against what stands in the rows.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, StringArray, TimestampNanosecondArray};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::record_batch::RecordBatch;
use culprit_store::{Route, Storage, StorageConfig, StoreKind, StoreSpec, TIME, utc_nanoseconds};

use super::*;

const SECOND: i64 = 1_000_000_000;
/// Rows begin here; a whole hour.
const BASE: i64 = 1_700_000_000 / 3600 * 3600;

struct Fixture {
    _folder: tempfile::TempDir,
    storage: Storage,
    engine: SqlEngine,
    project: ProjectName,
    store: StoreName,
}

type Log<'a> = (i64, &'a [(&'a str, &'a str)]);

fn batch(logs: &[Log<'_>]) -> RecordBatch {
    let mut names: Vec<&str> = logs.iter().flat_map(|(_, fields)| fields.iter().map(|(name, _)| *name)).collect();
    names.sort_unstable();
    names.dedup();
    let time = TimestampNanosecondArray::from_iter_values(logs.iter().map(|(at, _)| (BASE + at) * SECOND));
    let mut fields = vec![Field::new(TIME, utc_nanoseconds(), false)];
    let mut columns: Vec<ArrayRef> = vec![Arc::new(time.with_timezone("UTC"))];
    for name in names {
        let values =
            logs.iter().map(|(_, fields)| fields.iter().find(|(key, _)| *key == name).map(|(_, value)| *value));
        fields.push(Field::new(name, DataType::Utf8, true));
        columns.push(Arc::new(values.collect::<StringArray>()));
    }
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap()
}

const INDEX: &str = r#"{"line":{"token":[" ","/","="],"caseSensitive":false},"keys":{"status":{"type":"long"},
    "latency":{"type":"double","alias":"ms"},"later":{"type":"long"},"request":{"type":"json","json_keys":{"user.id":{"type":"long"}}}}}"#;

impl Fixture {
    /// Three log groups: the first in a segment, the others in memory.
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let storage = Storage::open(StorageConfig::new(folder.path())).await.unwrap();
        let (project, name) = (ProjectName::default_project(), StoreName::parse("web-log").unwrap());
        let store = storage.create_store(&project, &name, StoreSpec::new(StoreKind::Logs)).await.unwrap();
        storage.set_index_config(&store, INDEX).await.unwrap();
        let source = ("__source__", "10.0.0.1");
        let groups: [&[Log<'_>]; 3] = [
            &[
                (0, &[source, ("__tag__:host", "a"), ("status", "200"), ("latency", "1.5"), ("path", "/api/Orders")]),
                (
                    30,
                    &[source, ("__tag__:host", "a"), ("status", "500"), ("latency", "120"), ("path", "/api/orders/7")],
                ),
            ],
            &[
                (
                    60,
                    &[
                        ("__source__", "10.0.0.2"),
                        ("__topic__", "t1"),
                        ("status", "404"),
                        ("latency", "slow"),
                        ("msg", "not found"),
                    ],
                ),
                (
                    90,
                    &[
                        ("__source__", "10.0.0.2"),
                        ("__topic__", "t1"),
                        ("status", "999999"),
                        ("request", r#"{"user":{"id":42}}"#),
                    ],
                ),
            ],
            &[(
                3600,
                &[
                    source,
                    ("__topic__", "t2"),
                    ("status", "9"),
                    ("latency", "7.25"),
                    ("msg", "connection reset by peer"),
                ],
            )],
        ];
        for (at, group) in groups.iter().enumerate() {
            storage.append(&store, batch(group), &Route::Any).await.unwrap();
            if at == 0 {
                storage.flush().await.unwrap();
            }
        }
        let engine = SqlEngine::new(storage.clone()).unwrap();
        Self { _folder: folder, storage, engine, project, store: name }
    }

    fn request(query: &str) -> GetLogs {
        let (from, to) = (UnixNanos(BASE * SECOND), UnixNanos((BASE + 4000) * SECOND));
        GetLogs { from, to, query: query.to_owned(), topic: None, offset: 0, line: 100, reverse: false }
    }

    async fn get(&self, request: &GetLogs) -> Result<LogsAnswer, QueryError> {
        get(&self.engine, &self.project, &self.store, request).await
    }

    /// Seconds after the beginning of the rows that a query finds.
    async fn found(&self, query: &str) -> Vec<i64> {
        let answer = self.get(&Self::request(query)).await.unwrap_or_else(|error| panic!("{query}: {error}"));
        answer.rows.iter().map(|row| value(row, "__time__").parse::<i64>().unwrap() - BASE).collect()
    }

    async fn sql(&self, query: &str) -> String {
        match self.get(&Self::request(query)).await {
            Ok(answer) => table(&answer),
            Err(error) => format!("error: {error}"),
        }
    }
}

fn value<'a>(row: &'a LogFields, name: &str) -> &'a str {
    row.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
}

fn table(answer: &LogsAnswer) -> String {
    let rows = answer.rows.iter().map(|row| row.iter().map(|(_, value)| value.as_str()).collect::<Vec<_>>().join(" "));
    rows.collect::<Vec<_>>().join("\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn searches_find_the_rows_that_have_the_words() {
    let fixture = Fixture::new().await;
    for (query, expected) in [
        ("", vec![0, 30, 60, 90, 3600]),
        ("*", vec![0, 30, 60, 90, 3600]),
        ("orders", vec![0, 30]),
        ("order", vec![]),
        ("ORD*", vec![0, 30]),
        ("path: orders and not 7", vec![0]),
        ("\"connection reset\"", vec![3600]),
        ("msg:\"reset connection\"", vec![]),
        ("500", vec![30]),
        ("status: 500", vec![30]),
        ("status >= 404", vec![30, 60, 90]),
        ("status > 9 AND status<500", vec![0, 60]),
        ("status in [200 404]", vec![0, 60]),
        ("status in (200, 404]", vec![60]),
        ("status in [500 *)", vec![30, 90]),
        ("latency > 1.5", vec![30, 3600]),
        ("ms > 1.5", vec![30, 3600]),
        ("latency: slow", vec![60]),
        ("not latency:*", vec![90]),
        ("NOT status:500", vec![0, 60, 90, 3600]),
        ("__topic__: t1", vec![60, 90]),
        ("__source__: \"10.0.0.1\" or __topic__:t1", vec![0, 30, 60, 90, 3600]),
        ("__tag__:host:a", vec![0, 30]),
        ("nowhere:1", vec![]),
        ("not nowhere:1 and status:9", vec![3600]),
        ("request.user.id > 41", vec![90]),
        ("later:1", vec![]),
    ] {
        assert_eq!(fixture.found(query).await, expected, "{query}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_has_its_order_and_its_place() {
    let fixture = Fixture::new().await;
    let page = |offset, line, reverse| GetLogs { offset, line, reverse, ..Fixture::request("") };
    let times = |answer: &LogsAnswer| -> Vec<i64> {
        answer.rows.iter().map(|row| value(row, "__time__").parse::<i64>().unwrap() - BASE).collect()
    };
    for (request, expected) in [
        (page(0, 2, false), vec![0, 30]),
        (page(2, 2, false), vec![60, 90]),
        (page(0, 2, true), vec![3600, 90]),
        (page(4, 500, true), vec![0]),
        (page(9, 5, true), vec![]),
        (GetLogs { topic: Some("t1".into()), ..page(0, 9, true) }, vec![90, 60]),
        (
            GetLogs { from: UnixNanos((BASE + 30) * SECOND), to: UnixNanos((BASE + 90) * SECOND), ..page(0, 9, false) },
            vec![30, 60],
        ),
    ] {
        assert_eq!(times(&fixture.get(&request).await.unwrap()), expected, "{request:?}");
    }
    let empty = GetLogs { to: UnixNanos(BASE * SECOND), ..page(0, 1, true) };
    assert!(fixture.get(&empty).await.unwrap_err().to_string().contains("is empty"));
}

#[tokio::test(flavor = "multi_thread")]
async fn values_stay_the_text_that_was_sent() {
    let fixture = Fixture::new().await;
    let answer = fixture.get(&Fixture::request("latency: slow")).await.unwrap();
    let mut row = answer.rows[0].clone();
    row.sort();
    let time = (BASE + 60).to_string();
    let expected = [
        ("__source__", "10.0.0.2"),
        ("__time__", time.as_str()),
        ("__topic__", "t1"),
        ("latency", "slow"),
        ("msg", "not found"),
        ("status", "404"),
    ];
    assert_eq!(row, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    assert_eq!(answer.terms, [("latency".to_owned(), "slow".to_owned())]);
    assert!(!answer.has_sql);
}

#[tokio::test(flavor = "multi_thread")]
async fn sql_behind_a_search_reads_what_the_search_left() {
    let fixture = Fixture::new().await;
    for (query, expected) in [
        ("* | select count(*) as n, sum(status) as s", "5 1001112"),
        ("__topic__:t1 | SELECT status FROM log ORDER BY status DESC", "999999\n404"),
        ("status<500 | SELECT max(latency) AS l, min(ms) AS m FROM \"web-log\"", "7.25 1.5"),
        ("* | SELECT latency FROM log WHERE status = 404", "null"),
        ("* | SELECT later FROM log LIMIT 1", "null"),
        ("* | SELECT count_if(status >= 400) AS bad, approx_distinct(__source__) AS sources", "3 2"),
        ("* | SELECT \"request.user.id\" + 1 AS id FROM log WHERE request IS NOT NULL", "43"),
        ("* | SELECT json_extract_scalar(request, '$.user.id') AS id WHERE request IS NOT NULL", "42"),
        (
            "* | SELECT date_format(from_unixtime(__time__), '%H:%i') AS t, count(*) AS n GROUP BY t ORDER BY t",
            "22:00 2\n22:01 2\n23:00 1",
        ),
        (
            "* | SELECT date_trunc('minute', __time__) AS t, count(1) AS n GROUP BY t ORDER BY n DESC, t LIMIT 1",
            "2023-11-14 22:00:00.000 2",
        ),
        (
            "* | SELECT __time__ - __time__ % 3600 AS hour, count(*) AS n GROUP BY hour ORDER BY hour LIMIT 1",
            "1699999200 4",
        ),
        ("* | SELECT if(status < 400, 'ok', 'bad') AS kind, count(*) AS n GROUP BY kind ORDER BY kind", "bad 3\nok 2"),
        (
            "* | SELECT hour(__time__) AS h, max_by(path, latency) AS p GROUP BY h ORDER BY h LIMIT 1",
            "22 /api/orders/7",
        ),
        ("* | SELECT regexp_extract(path, '/([a-z]+)/', 1) AS p WHERE status = 200", "api"),
        ("* | WITH t AS (SELECT status AS s FROM log) SELECT max(s) FROM t", "999999"),
        ("* | SELECT 1 AS one", "1"),
        ("SELECT count(*) AS n FROM log", "5"),
    ] {
        assert_eq!(fixture.sql(query).await, expected, "{query}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_of_sql_says_what_it_is() {
    let fixture = Fixture::new().await;
    let query = "status > 1 | SELECT status, avg(latency) AS a, path FROM log GROUP BY status, path";
    let answer = fixture.get(&Fixture::request(query)).await.unwrap();
    assert_eq!(answer.keys, ["status", "a", "path"]);
    assert_eq!(answer.column_types, ["bigint", "double", "varchar"]);
    assert_eq!((answer.limited, answer.has_sql, answer.processed_rows), (Some(100), true, 5));
    assert_eq!(answer.where_query, "status > 1");
    assert!(answer.agg_query.starts_with("SELECT status"));
    let all = fixture.get(&Fixture::request("* | SELECT * FROM log LIMIT 3")).await.unwrap();
    assert_eq!(all.limited, Some(3));
    assert_eq!(all.keys[..3], ["__time__", "__source__", "__topic__"]);
    assert!(
        all.keys
            .iter()
            .all(|key| !["_time", "_received", "_offset", "_row", "_overflow", "__date__"].contains(&key.as_str()))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn mistakes_in_sql_are_named() {
    let fixture = Fixture::new().await;
    for (query, expected) in [
        ("* | SELECT nothing FROM log", "there is no column \"nothing\""),
        ("* | SELECT frobnicate(status) FROM log", "frobnicate"),
        ("* | SELECT * FROM other", "no store \"other\""),
        ("* | DELETE FROM log", "SELECT was expected"),
        ("* | SELECT count( FROM log", "SQL syntax"),
        ("status:: | SELECT 1", "a value was expected"),
    ] {
        let answer = fixture.sql(query).await;
        assert!(answer.starts_with("error: ") && answer.contains(expected), "{query}: {answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_project_is_asked_across_its_stores() {
    let fixture = Fixture::new().await;
    let ask = async |query: &str| match project_sql(&fixture.engine, &fixture.project, query).await {
        Ok(answer) => table(&answer),
        Err(error) => format!("error: {error}"),
    };
    let bounded =
        format!("SELECT count(*) AS n FROM \"web-log\" WHERE __time__ >= {} AND __time__ < {}", BASE + 30, BASE + 90);
    assert_eq!(ask(&bounded).await, "2");
    assert_eq!(ask("* | SELECT count(*) FROM \"web-log\" WHERE __date__ >= '2023-11-14 23:00:00'").await, "1");
    for condition in [
        format!("__time__ >= {}", BASE + 3600),
        "__date__ >= '2023-11-14 23:00:00'".to_owned(),
        "_time >= '2023-11-14T23:00:00Z'".to_owned(),
    ] {
        let sql = format!("SELECT count(*) FROM \"web-log\" WHERE {condition}");
        let answer = project_sql(&fixture.engine, &fixture.project, &sql).await.unwrap();
        assert_eq!(
            (table(&answer).as_str(), answer.processed_rows),
            ("1", 1),
            "{condition} is pushed down to the scan"
        );
    }
    assert!(ask("error | SELECT 1").await.contains("no search before the bar"));
    assert!(ask("error").await.contains("asked by SQL"));
    assert!(ask("SELECT count(*) FROM log").await.contains("no store \"log\""));
}

#[tokio::test(flavor = "multi_thread")]
async fn histograms_count_every_row_once() {
    let fixture = Fixture::new().await;
    let request = |query: &str, from: i64, to: i64, interval: Option<u64>| GetHistogram {
        from: UnixNanos((BASE + from) * SECOND),
        to: UnixNanos((BASE + to) * SECOND),
        query: query.to_owned(),
        topic: None,
        interval: interval.map(Duration::from_secs),
    };
    let ask =
        async |request: GetHistogram| histogram(&fixture.engine, &fixture.project, &fixture.store, &request).await;
    let shape = |histogram: &Histogram| -> Vec<(i64, i64, u64)> {
        let relative = |at: UnixNanos| at.0 / SECOND - BASE;
        histogram.buckets.iter().map(|bucket| (relative(bucket.from), relative(bucket.to), bucket.count)).collect()
    };
    let minutes = ask(request("", 10, 130, Some(60))).await.unwrap();
    assert_eq!(shape(&minutes), [(10, 60, 1), (60, 120, 2), (120, 130, 0)]);
    assert_eq!(minutes.total, 3);
    let chosen = ask(request("status>=404 | SELECT 1", 0, 4000, None)).await.unwrap();
    assert_eq!((chosen.total, chosen.buckets.len()), (3, 34));
    assert!(chosen.buckets.windows(2).all(|pair| pair[0].to == pair[1].from));
    assert!(ask(request("", 0, 4_000_000, Some(1))).await.unwrap_err().to_string().contains("10000"));
}

#[tokio::test(flavor = "multi_thread")]
async fn topics_come_in_pages() {
    let fixture = Fixture::new().await;
    let ask =
        async |token: &str, line| topics(&fixture.engine, &fixture.project, &fixture.store, token, line).await.unwrap();
    let first = ask("", 1).await;
    assert_eq!((first.topics, first.next_token.as_str()), (vec!["t1".to_owned()], "t2"));
    let second = ask("t2", 10).await;
    assert_eq!((second.topics, second.next_token.as_str()), (vec!["t2".to_owned()], ""));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_has_the_rows_of_its_sender_around_it() {
    let fixture = Fixture::new().await;
    let store = fixture.storage.store(&fixture.project, &fixture.store).unwrap();
    // Pack 10 overtakes pack F, and another sender comes between.
    for (pack, names) in [("AB-E", ["a", "b"]), ("AB-10", ["e", "f"]), ("CD-1", ["x", "y"]), ("AB-F", ["c", "d"])] {
        let logs = names.map(|name| [("__tag__:__pack_id__", pack), ("name", name)]);
        let logs: Vec<Log<'_>> = logs.iter().map(|fields| (200, fields.as_slice())).collect();
        fixture.storage.append(&store, batch(&logs), &Route::Any).await.unwrap();
    }
    let around = async |query: &str, back_lines, forward_lines| {
        let found = fixture.get(&Fixture::request(query)).await.unwrap();
        let (pack_id, pack_meta) =
            (value(&found.rows[0], "__tag__:__pack_id__"), value(&found.rows[0], "__pack_meta__"));
        let (pack_id, pack_meta) = (pack_id.to_owned(), pack_meta.to_owned());
        let request = GetContext { pack_id, pack_meta, back_lines, forward_lines };
        context(&fixture.engine, &fixture.project, &fixture.store, &request).await.unwrap()
    };
    let named = |answer: &ContextAnswer| -> Vec<(String, String)> {
        answer
            .logs
            .iter()
            .map(|row| (value(row, "__index_number__").to_owned(), value(row, "name").to_owned()))
            .collect()
    };
    let pairs = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
        pairs.iter().map(|(number, name)| ((*number).to_owned(), (*name).to_owned())).collect()
    };
    let answer = around("name:d | with_pack_meta", 2, 5).await;
    assert_eq!(named(&answer), pairs(&[("-2", "b"), ("-1", "c"), ("0", "d"), ("1", "e"), ("2", "f")]));
    assert_eq!((answer.back_lines, answer.forward_lines), (2, 2));

    let answer = around("status:9 | with_pack_meta", 1, 1).await;
    let statuses: Vec<&str> = answer.logs.iter().map(|row| value(row, "status")).collect();
    assert_eq!(statuses, ["500", "9"], "rows without the tag are in order among those of their source");

    let wrong = GetContext { pack_id: "XX-1".into(), pack_meta: "0|1|1|1".into(), back_lines: 1, forward_lines: 1 };
    let ask = async |request| context(&fixture.engine, &fixture.project, &fixture.store, &request).await.unwrap_err();
    assert!(ask(wrong.clone()).await.to_string().contains("no row has pack_id"));
    assert!(ask(GetContext { pack_meta: "x".into(), ..wrong }).await.to_string().contains("no pack_meta"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_view_is_one_table_of_several_stores() {
    let fixture = Fixture::new().await;
    let other = ProjectName::parse("other").unwrap();
    let name = StoreName::parse("numbers").unwrap();
    let store = fixture.storage.create_store(&other, &name, StoreSpec::new(StoreKind::Logs)).await.unwrap();
    let numbers = RecordBatch::try_new(
        Arc::new(Schema::new(vec![
            Field::new(TIME, utc_nanoseconds(), false),
            Field::new("status", DataType::Int64, true),
            Field::new("msg", DataType::Int64, true),
        ])),
        vec![
            Arc::new(TimestampNanosecondArray::from_iter_values([(BASE + 45) * SECOND]).with_timezone("UTC")),
            Arc::new(Int64Array::from_iter_values([777])),
            Arc::new(Int64Array::from_iter_values([5])),
        ],
    );
    fixture.storage.append(&store, numbers.unwrap(), &Route::Any).await.unwrap();
    let view = StoreName::parse("both").unwrap();
    let members = vec![(fixture.project.clone(), fixture.store.clone()), (other.clone(), name)];
    fixture.storage.put_view(&fixture.project, &view, members).await.unwrap();
    let ask =
        async |engine: &SqlEngine, query: &str| match get(engine, &fixture.project, &view, &Fixture::request(query))
            .await
        {
            Ok(answer) => table(&answer),
            Err(error) => format!("error: {error}"),
        };
    assert_eq!(ask(&fixture.engine, "* | SELECT count(*) AS n, sum(status) AS s FROM log").await, "6 1001889");
    assert_eq!(
        ask(&fixture.engine, "status in [500 1000] | SELECT status, msg FROM both ORDER BY status").await,
        "500 null\n777 5"
    );
    let page = get(&fixture.engine, &fixture.project, &view, &Fixture::request("status >= 500")).await.unwrap();
    assert_eq!(page.rows.iter().map(|row| value(row, "status")).collect::<Vec<_>>(), ["500", "777", "999999"]);

    let native =
        fixture.engine.query(&fixture.project, "SELECT max(status) AS m FROM both", TimeRange::ALL).await.unwrap();
    assert_eq!(native[0].column(0).as_ref(), &Int64Array::from(vec![999_999]) as &dyn arrow::array::Array);

    let mine = fixture.project.clone();
    let kept = fixture.engine.within(Arc::new(move |project| *project == mine));
    let refused = ask(&kept, "* | SELECT count(*) FROM log").await;
    assert!(refused.contains("project other"), "{refused}");
}
