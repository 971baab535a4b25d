use std::collections::HashMap;
use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray, TimestampNanosecondArray};
use culprit_store::{Clock, Route, Storage, StorageConfig, StoreKind, StoreSpec, TIME, UnixNanos};

use super::*;

/// Requests of three hosts by minute; host `h2` fails from minute 50 on.
fn rows() -> impl Iterator<Item = (i64, &'static str, i64, String)> + Clone {
    (0..3_000i64).map(|row| {
        let (minute, host) = (row / 30, ["h1", "h2", "h3"][(row % 3) as usize]);
        let fails = row % 100 == 7 || (host == "h2" && minute >= 50 && row % 5 != 0);
        (minute, host, if fails { 500 } else { 200 }, format!("answered {row}"))
    })
}

fn csv(path: &Path, rows: impl Iterator<Item = (i64, &'static str, i64, String)>) {
    let mut text = "minute,host,status,message\n".to_owned();
    for (minute, host, status, message) in rows {
        writeln!(text, "{minute},{host},{status},{message}").unwrap();
    }
    std::fs::write(path, text).unwrap();
}

fn conditions(report: &Report) -> Vec<String> {
    report.explanations.iter().map(|explanation| explanation.evidence.condition()).collect()
}

#[tokio::test]
async fn files_are_explained_by_a_predicate() {
    let folder = tempfile::tempdir().unwrap();
    let paths: Vec<String> =
        ["a.csv", "b.csv"].iter().map(|name| folder.path().join(name).display().to_string()).collect();
    csv(Path::new(&paths[0]), rows().take(1_600));
    csv(Path::new(&paths[1]), rows().skip(1_600));
    let dimensions = Some(vec!["host".to_owned()]);
    let question = Question {
        options: Options { dimensions, ..Options::default() },
        noun: Some("failing requests".to_owned()),
        ..Question::new("status >= 500")
    };
    let report = explain_files(&FileSql::new(), &paths, &question).await.unwrap();
    let failing = rows().filter(|row| row.2 == 500);
    assert_eq!((report.rows, report.rows_a), (3_000, failing.clone().count() as u64));
    assert_eq!(conditions(&report), ["host = h2"]);
    assert_eq!(report.explanations[0].evidence.rows_a, failing.filter(|row| row.1 == "h2").count() as u64);
    assert!(report.sentence.contains("of the failing requests are on host = h2;"), "{}", report.sentence);
    assert!(report.elapsed_ms > 0.0);
}

#[tokio::test]
async fn a_baseline_is_another_window() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("requests.csv").display().to_string();
    csv(Path::new(&path), rows());
    let question = Question {
        baseline: Some("status >= 500 AND minute < 50".to_owned()),
        ..Question::new("status >= 500 AND minute >= 50")
    };
    let report = explain_files(&FileSql::new(), &[path], &question).await.unwrap();
    assert_eq!(conditions(&report), ["host = h2"]);
    assert_eq!(report.explanations[0].evidence.risk_ratio, None);
    assert_eq!(report.rows_b, rows().filter(|row| row.2 == 500 && row.0 < 50).count() as u64);
    let left_out: HashMap<_, _> =
        report.left_out.iter().map(|left| (left.dimension.as_str(), left.why.as_str())).collect();
    assert_eq!(left_out["message"], "free text");
    assert_eq!(left_out["minute"], "the predicate names it");
}

#[tokio::test]
async fn a_store_is_explained_within_its_time_range() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Clock::manual(UnixNanos(1_795_219_200_000_000_000));
    let storage = Storage::open(StorageConfig { clock, ..StorageConfig::new(folder.path()) }).await.unwrap();
    let (project, name) = (ProjectName::default_project(), StoreName::parse("shop").unwrap());
    let store = storage.create_store(&project, &name, StoreSpec::new(StoreKind::Logs)).await.unwrap();
    let minute = |minute: i64| UnixNanos(1_795_219_200_000_000_000 + minute * 60_000_000_000);
    let times = TimestampNanosecondArray::from_iter_values(rows().map(|row| minute(row.0).0)).with_timezone("UTC");
    let batch = RecordBatch::try_from_iter([
        (TIME, Arc::new(times) as ArrayRef),
        ("host", Arc::new(StringArray::from_iter_values(rows().map(|row| row.1)))),
        ("status", Arc::new(Int64Array::from_iter_values(rows().map(|row| row.2)))),
        ("_msg", Arc::new(StringArray::from_iter_values(rows().map(|row| row.3)))),
    ]);
    storage.append(&store, batch.unwrap(), &Route::Any).await.unwrap();
    let engine = SqlEngine::new(storage.clone()).unwrap();
    let question = Question::new("status >= 500");
    let before = TimeRange { from: None, to: Some(minute(50)) };
    let calm = explain_store(&engine, &project, &name, before, &question).await.unwrap();
    assert_eq!((calm.rows, conditions(&calm).len()), (1_500, 0), "{}", calm.sentence);
    let after = TimeRange { from: Some(minute(50)), to: None };
    let report = explain_store(&engine, &project, &name, after, &question).await.unwrap();
    assert_eq!(conditions(&report), ["host = h2"]);
    assert!(report.sentence.contains("of the rows where status >= 500 are on host = h2;"), "{}", report.sentence);
    let unknown = explain_store(&engine, &project, &name, after, &Question::new("stats >= 500")).await;
    assert!(unknown.unwrap_err().to_string().contains("stats"));
    storage.shutdown().await.unwrap();
}

/// One of ten thousand columns is the culprit.
#[tokio::test]
async fn a_file_of_ten_thousand_columns_is_explained() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wide.csv");
    let mut text = (0..10_000).fold("bad".to_owned(), |mut text, column| {
        write!(text, ",c{column}").unwrap();
        text
    });
    for row in 0..400usize {
        let bad = row % 5 == 0;
        write!(text, "\n{bad}").unwrap();
        for column in 0..10_000 {
            let code = (row * 31 + column * 17 + row * column / 7) % 4;
            match column {
                7_321 if bad && row % 20 != 0 => text.push_str(",v9"),
                _ if column % 3 == 0 => write!(text, ",{code}").unwrap(),
                _ => write!(text, ",v{code}").unwrap(),
            }
        }
    }
    std::fs::write(&path, text).unwrap();
    let began = Instant::now();
    let question = Question { budget: Some(Duration::from_secs(300)), ..Question::new("bad") };
    let report = explain_files(&FileSql::new(), &[path.display().to_string()], &question).await.unwrap();
    assert_eq!(conditions(&report), ["c7321 = v9"], "{}", report.sentence);
    assert_eq!((report.rows, report.rows_a), (400, 80));
    // Planned as a query it takes minutes in this profile.
    assert!(began.elapsed() < Duration::from_secs(60), "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_budget_of_a_millisecond_is_answered_and_says_what_was_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("requests.csv").display().to_string();
    csv(Path::new(&path), (0..40).flat_map(|_| rows()));
    let hurried = |predicate: &str| Question { budget: Some(Duration::from_millis(1)), ..Question::new(predicate) };
    let report = explain_files(&FileSql::new(), std::slice::from_ref(&path), &hurried("status >= 500")).await;
    match report {
        Ok(report) => {
            assert!(!report.exact && report.rows < 120_000, "{report:?}");
            assert!(report.cuts[0].ends_with("within half of the time budget of 1ms"), "{:?}", report.cuts);
        }
        // A machine that is busy for 50 ms.
        Err(error) => assert!(error.to_string().contains("no row was read within the time budget of 1ms"), "{error}"),
    }
    let never = explain_files(&FileSql::new(), &[path], &hurried("status > 900")).await.unwrap_err().to_string();
    assert!(never.starts_with("no row is in the anomalous slice: "), "{never}");
    assert!(never.contains("time budget of 1ms: give more time"), "{never}");
}

/// The access log of the shared corpus, split by hand: client, method, path, status, bytes, referer, agent.
#[tokio::test]
async fn missing_pages_of_an_access_log_are_named() {
    let Ok(shared) = std::env::var("CULPRIT_SHARED") else {
        return skipped("missing_pages_of_an_access_log_are_named: CULPRIT_SHARED is not set");
    };
    let log = std::fs::read_to_string(Path::new(&shared).join("data/logs/apache_access.log")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("access.ndjson");
    let mut lines = String::new();
    let mut missing: HashMap<&str, u64> = HashMap::new();
    for line in log.lines() {
        let quoted: Vec<&str> = line.split('"').collect();
        let mut request = quoted[1].split([' ', '?']);
        let (method, target) = (request.next().unwrap(), request.next().unwrap_or(""));
        let mut after = quoted[2].split_whitespace();
        let (status, bytes) = (after.next().unwrap(), after.next().unwrap().parse::<i64>().ok());
        let row = serde_json::json!({
            "client": line.split(' ').next(), "method": method, "path": target, "status": status.parse::<i64>().unwrap(),
            "bytes": bytes, "referer": quoted[3], "user_agent": quoted[5],
        });
        writeln!(lines, "{row}").unwrap();
        if status == "404" {
            *missing.entry(target).or_default() += 1;
        }
    }
    std::fs::write(&path, lines).unwrap();
    let question = Question::new("status = 404");
    let report = explain_files(&FileSql::new(), &[path.display().to_string()], &question).await.unwrap();
    let named = conditions(&report);
    for (target, rows) in missing.iter().filter(|(_, rows)| **rows >= 20) {
        let condition = format!("path = {target}");
        let at = named.iter().position(|named| *named == condition);
        assert!(at.is_some(), "{condition} ({rows} rows) is not among {named:?}");
    }
    assert!(named[0].starts_with("path = "), "{named:?}");
}

fn skipped(what: &str) {
    eprintln!("skipped: {what}");
}

/// What failing rows say, with another path in each.
fn messages(row: i64, fails: bool) -> String {
    if fails {
        format!("write to /data/part-{row} failed: disk is full")
    } else {
        format!("served part {row} in {row} ms")
    }
}

#[tokio::test]
async fn what_failing_rows_say_explains_them_when_nothing_else_does() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("requests.csv").display().to_string();
    csv(
        Path::new(&path),
        rows().enumerate().map(|(row, (minute, _, _, _))| {
            let fails = row % 7 == 0;
            let message = messages(row as i64, fails && row % 2 == 0);
            (minute, ["h1", "h2", "h3"][row / 2 % 3], if fails { 500 } else { 200 }, message)
        }),
    );
    let question = Question { noun: Some("failing requests".to_owned()), ..Question::new("status >= 500") };
    let report = explain_files(&FileSql::new(), &[path], &question).await.unwrap();
    assert_eq!(conditions(&report), ["pattern(message) = \"write to <path> failed: disk is full\""]);
    let evidence = &report.explanations[0].evidence;
    assert_eq!((evidence.rows_a, evidence.rows_b), (215, 0));
    assert!(report.sentence.contains("write to <path> failed: disk is full"), "{}", report.sentence);
    assert_eq!(report.said, std::slice::from_ref(evidence));
}

#[tokio::test]
async fn what_failing_rows_say_comes_after_why_they_fail() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("requests.csv").display().to_string();
    let text = |(row, (minute, host, status, _)): (usize, (i64, &'static str, i64, String))| {
        (minute, host, status, messages(row as i64, status == 500))
    };
    csv(Path::new(&path), rows().enumerate().map(text));
    let question = Question { noun: Some("failing requests".to_owned()), ..Question::new("status >= 500") };
    let report = explain_files(&FileSql::new(), &[path], &question).await.unwrap();
    assert!(report.explanations.iter().all(|explanation| !explanation.evidence.condition().contains("pattern(")));
    assert!(conditions(&report)[0].contains("host = h2"), "{:?}", conditions(&report));
    assert_eq!(report.said[0].items[0].dimension, "pattern(message)");
    let said = &report.said[0];
    assert_eq!((said.items[0].value.as_str(), said.rows_b), ("write to <path> failed: disk is full", 0));
    assert!(!report.sentence.contains("disk is full"), "{}", report.sentence);
}
