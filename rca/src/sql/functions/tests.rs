//! The functions inside SQL, over files and over a store, against counts made by hand.

use std::fmt::Write;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, RecordBatch, StringArray, TimestampNanosecondArray};
use arrow::datatypes::{Float64Type, UInt64Type};
use culprit_query::{FileSql, SqlEngine};
use culprit_store::{ProjectName, Route, Storage, StorageConfig, StoreKind, StoreName, StoreSpec, TIME, TimeRange};

use super::sql_functions;

/// Requests of three hosts; most of what host `h2` answers in region `eu` fails.
fn rows() -> impl Iterator<Item = (&'static str, &'static str, i64)> + Clone {
    (0..6_000i64).map(|row| {
        let (host, region) = (["h1", "h2", "h3"][(row % 3) as usize], ["eu", "us"][(row / 3 % 2) as usize]);
        let fails = row % 100 == 7 || (host == "h2" && region == "eu" && row % 5 != 0);
        (host, region, if fails { 500 } else { 200 })
    })
}

fn counts() -> (u64, u64) {
    let of =
        |fails: bool| rows().filter(|row| row.0 == "h2" && row.1 == "eu" && (row.2 == 500) == fails).count() as u64;
    (of(true), of(false))
}

struct File {
    _folder: tempfile::TempDir,
    path: String,
    sql: FileSql,
}

impl File {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("requests.csv");
        let mut text = "host,region,status,bytes\n".to_owned();
        rows().enumerate().for_each(|(row, (host, region, status))| {
            writeln!(text, "{host},{region},{status},{}", row % 17).unwrap();
        });
        std::fs::write(&path, text).unwrap();
        let sql = FileSql::new().with_extensions(sql_functions());
        Self { path: path.display().to_string(), _folder: folder, sql }
    }

    async fn answer(&self, query: &str) -> RecordBatch {
        let batches = self.sql.query(&query.replace("FILE", &self.path)).await.unwrap();
        arrow::compute::concat_batches(&batches[0].schema(), &batches).unwrap()
    }

    async fn refusal(&self, query: &str) -> String {
        self.sql.query(&query.replace("FILE", &self.path)).await.unwrap_err().to_string()
    }
}

fn text(batch: &RecordBatch, column: &str, row: usize) -> String {
    let column =
        arrow::compute::cast(batch.column_by_name(column).unwrap(), &arrow::datatypes::DataType::Utf8).unwrap();
    column.as_string::<i32>().value(row).to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn explanations_are_rows() {
    let file = File::new();
    let query = "SELECT rank, explanation, rows_a, rows_b, items['host'] AS host FROM explain('FILE', 'status >= 500') \
                 WHERE kind = 'explanation' ORDER BY rank";
    assert!(file.sql.is_about_files(&query.replace("FILE", &file.path)).unwrap());
    let answer = file.answer(query).await;
    assert_eq!(answer.num_rows(), 1);
    assert_eq!(text(&answer, "explanation", 0), "host = h2 and region = eu");
    assert_eq!(text(&answer, "host", 0), "h2");
    let number = |column: &str| answer.column_by_name(column).unwrap().as_primitive::<UInt64Type>().value(0);
    assert_eq!((number("rows_a"), number("rows_b")), counts());
    let some = file.answer("SELECT explanation FROM explain('FILE', 'status >= 500', NULL, array['region'])").await;
    assert_eq!(text(&some, "explanation", 0), "region = eu");
}

#[tokio::test(flavor = "multi_thread")]
async fn measures_are_explained() {
    let file = File::new();
    let query = "SELECT explanation, value_a, value_b FROM explain('FILE', NULL, NULL, array['host', 'region'], 'status', 'avg') \
                 WHERE kind = 'explanation' AND rank = 1";
    let answer = file.answer(query).await;
    let mean = |inside: bool| {
        let rows = rows().filter(|row| (row.0 == "h2" && row.1 == "eu") == inside);
        rows.clone().map(|row| row.2 as f64).sum::<f64>() / rows.count() as f64
    };
    assert_eq!(text(&answer, "explanation", 0), "host = h2 and region = eu");
    for (column, inside) in [(1, true), (2, false)] {
        let told = answer.column(column).as_primitive::<Float64Type>().value(0);
        assert!((told - mean(inside)).abs() < 1e-9, "{told} is not {}", mean(inside));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_arguments_are_named() {
    let file = File::new();
    for (query, why) in [
        ("SELECT * FROM explain('FILE')", "explain: argument 2 the predicate of A, is missing"),
        ("SELECT * FROM explain('FILE', 5)", "explain: argument 2 the predicate of A, must be a text"),
        ("SELECT * FROM explain('FILE', 'status >')", "is not a SQL condition"),
        ("SELECT * FROM explain('FILE', 'status = 1 OR (SELECT true)')", "subqueries are not taken"),
        ("SELECT * FROM explain('FILE', 'a', 'b', array['c'], 'd', 'avg', 'e', 5)", "at most 7 arguments"),
        (
            "SELECT * FROM explain('FILE', NULL, NULL, NULL, 'bytes', 'best')",
            "explain: argument 6 the aggregate, is wrong",
        ),
        ("SELECT * FROM promql('up', 0, 10, 1)", "files have none"),
    ] {
        let refusal = file.refusal(query).await;
        assert!(refusal.contains(why), "{query}: {refusal}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pattern_diff_has_the_columns_that_clients_know() {
    let file = File::new();
    let answer = file
        .answer(
            "SELECT p.possupport, p.posconfidence, p.negsupport, p.diffpattern FROM (SELECT unnest(pattern_diff(array[host, region], \
             array['host', 'region'], array[bytes], array['bytes'], status >= 500, 0.1, 0.5, 1.0)) AS p FROM \"FILE\")",
        )
        .await;
    let (a, b) = counts();
    let all_a = rows().filter(|row| row.2 == 500).count() as f64;
    let number = |column: usize| answer.column(column).as_primitive::<Float64Type>().value(0);
    assert_eq!(text(&answer, answer.schema().field(3).name(), 0), "\"host\"='h2' AND \"region\"='eu'");
    assert!((number(0) - a as f64 / all_a).abs() < 1e-12);
    assert!((number(1) - a as f64 / (a + b) as f64).abs() < 1e-12);
    assert!((number(2) - b as f64 / (6_000.0 - all_a)).abs() < 1e-12);
    for (support, names, why) in
        [("0", "'host', 'region'", "above 0 and at most 1"), ("0.1", "'host'", "2 columns have 1 names")]
    {
        let refusal = file
            .refusal(&format!(
                "SELECT pattern_diff(array[host, region], array[{names}], array[bytes], array['bytes'], status >= 500, {support}) FROM \"FILE\""
            ))
            .await;
        assert!(refusal.contains(why), "{refusal}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn diff_patterns_takes_a_row_of_arrays() {
    let file = File::new();
    let query = |call: &str| {
        format!(
            "WITH t0 AS (SELECT host, region, bytes, CASE WHEN status >= 500 THEN 'bad' ELSE 'good' END AS label, 2 AS weight FROM \"FILE\"), \
             t1 AS (SELECT array_agg(host) AS host, array_agg(region) AS region, array_agg(label) AS label, array_agg(bytes) AS bytes, \
             array_agg(weight) AS weight FROM t0) \
             SELECT r.patterns[1] AS pattern, r.test_rows[1] AS test, r.control_rows[1] AS control, r.test_metric[1] AS metric \
             FROM (SELECT diff_patterns({call}) AS r FROM t1)"
        )
    };
    let plain = "row(host, region, label), array['host', 'region', 'label'], 'label', 'bad', 'good'";
    let answer = file.answer(&query(plain)).await;
    let number = |answer: &RecordBatch, column: usize| answer.column(column).as_primitive::<Float64Type>().value(0);
    let (a, b) = counts();
    assert_eq!(text(&answer, "pattern", 0), "\"host\"='h2' AND \"region\"='eu'");
    assert_eq!((number(&answer, 1), number(&answer, 2)), (a as f64, b as f64));
    let weighted = "row(host, region, label, bytes, weight), array['host', 'region', 'label', 'bytes', 'weight'], 'label', 'bad', \
                    'good', 'bytes', 'weight', '{\"minimum_support_fraction\": 0.1, \"agg_op\": \"sum\"}'";
    let answer = file.answer(&query(weighted)).await;
    let bytes =
        rows().enumerate().filter(|(_, row)| row.0 == "h2" && row.1 == "eu" && row.2 == 500).map(|(row, _)| row % 17);
    assert_eq!((number(&answer, 1), number(&answer, 3)), (2.0 * a as f64, 2.0 * bytes.sum::<usize>() as f64));
    let refusal = file.refusal(&query(&plain.replace("'label', 'bad'", "'no', 'bad'"))).await;
    assert!(refusal.contains("the header has no column no"), "{refusal}");
}

#[tokio::test(flavor = "multi_thread")]
async fn stores_are_explained_within_the_rights_and_the_time_of_the_query() {
    let folder = tempfile::tempdir().unwrap();
    let storage = Storage::open(StorageConfig::new(folder.path())).await.unwrap();
    let (project, name) = (ProjectName::default_project(), StoreName::parse("shop").unwrap());
    let store = storage.create_store(&project, &name, StoreSpec::new(StoreKind::Logs)).await.unwrap();
    let times = TimestampNanosecondArray::from_iter_values(0..6_000).with_timezone("UTC");
    let batch = RecordBatch::try_from_iter([
        (TIME, Arc::new(times) as ArrayRef),
        ("host", Arc::new(StringArray::from_iter_values(rows().map(|row| row.0)))),
        ("region", Arc::new(StringArray::from_iter_values(rows().map(|row| row.1)))),
        ("status", Arc::new(Int64Array::from_iter_values(rows().map(|row| row.2)))),
    ]);
    storage.append(&store, batch.unwrap(), &Route::Any).await.unwrap();
    let engine = SqlEngine::new(storage.clone()).unwrap().with_extensions(sql_functions());
    let sql = "SELECT rows_a + rows_b AS n FROM explain('shop', 'status >= 500') WHERE explanation = 'host = h2 and region = eu'";
    let whole = engine.query(&project, sql, TimeRange::ALL).await.unwrap();
    let (a, b) = counts();
    assert_eq!(whole[0].column(0).as_primitive::<UInt64Type>().value(0), a + b);
    let half = TimeRange { from: None, to: Some(culprit_store::UnixNanos(3_000)) };
    let half = engine.query(&project, sql, half).await.unwrap();
    let expected = rows().take(3_000).filter(|row| row.0 == "h2" && row.1 == "eu").count() as u64;
    assert_eq!(half[0].column(0).as_primitive::<UInt64Type>().value(0), expected);
    let unknown = engine.query(&project, "SELECT * FROM explain('shup', 'status >= 500')", TimeRange::ALL).await;
    assert!(unknown.unwrap_err().to_string().contains("shup"));
    let nobody = engine.within(Arc::new(|_| false));
    assert!(nobody.query(&project, sql, TimeRange::ALL).await.unwrap_err().to_string().contains("may not read"));
    storage.shutdown().await.unwrap();
}

/// Logins of twelve users, and a message that never varies.
fn logins() -> (tempfile::TempDir, String) {
    let users = ["ann", "bob", "cid", "dan", "eve", "fay", "gil", "hal", "ida", "jim", "kim", "lea"];
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("logins.csv");
    let mut text = "level,_msg\n".to_owned();
    for (row, user) in users.iter().cycle().take(600).enumerate() {
        writeln!(text, "info,user {user} logged in from 10.0.{}.{}", row % 7, row % 250).unwrap();
        text.push_str(if row % 6 == 0 { "error,too many open files\n" } else { "" });
    }
    std::fs::write(&path, text).unwrap();
    (folder, path.display().to_string())
}

#[tokio::test]
async fn messages_are_told_by_their_patterns() {
    let (_folder, path) = logins();
    let sql = FileSql::new().with_extensions(sql_functions());
    let answer = async |query: &str| {
        let batches = sql.query(&query.replace("FILE", &path)).await.unwrap();
        arrow::compute::concat_batches(&batches[0].schema(), &batches).unwrap()
    };
    let listed = answer("SELECT * FROM patterns('FILE') ORDER BY count DESC").await;
    let said = ["user <*> logged in from <ip>", "too many open files"];
    assert_eq!([text(&listed, "pattern", 0), text(&listed, "pattern", 1)], said);
    assert_eq!(listed.column_by_name("count").unwrap().as_primitive::<UInt64Type>().values().to_vec(), [600, 100]);

    let errors = answer("SELECT * FROM patterns('FILE', '_msg', 'length(level) = 5')").await;
    assert_eq!((errors.num_rows(), text(&errors, "pattern", 0)), (1, said[1].to_owned()));

    let grouped = answer(
        "SELECT pattern(_msg) AS pattern, pattern_id(_msg) AS id, count(*) AS rows FROM \"FILE\" GROUP BY 1, 2 ORDER BY 3 DESC",
    )
    .await;
    assert_eq!(grouped.num_rows(), 2);
    for (row, said) in said.iter().enumerate() {
        assert_eq!(text(&grouped, "pattern", row), *said);
        assert_eq!(text(&grouped, "id", row), text(&listed, "id", row));
    }
    let absent = answer("SELECT pattern(NULL) AS none, pattern('took 5 ms') AS one").await;
    assert!(absent.column(0).is_null(0));
    assert_eq!(text(&absent, "one", 0), "took <num>");
}
