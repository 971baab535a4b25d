//! An access log imported by the command, and questions to it whose answers are counted here by splitting its lines.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use serde_json::{Value, json};

use crate::harness::{Random, Server, run_against, shared};

/// The log in numbers.
#[derive(Default)]
struct Counted {
    rows: u64,
    by_status: BTreeMap<u64, u64>,
    missing_paths: BTreeMap<String, u64>,
    bytes_by_day: BTreeMap<String, u64>,
    clients: BTreeSet<String>,
}

/// Good for logs without quotes inside the request, which the tests' logs are.
fn count(log: &str) -> Counted {
    let mut counted = Counted::default();
    for line in log.lines() {
        let parts: Vec<&str> = line.split('"').collect();
        let (before, request, after) = (parts[0], parts[1], parts[2]);
        let numbers: Vec<&str> = after.split_whitespace().collect();
        let status = numbers[0].parse().unwrap();
        counted.rows += 1;
        *counted.by_status.entry(status).or_default() += 1;
        if status == 404 {
            let target = request.split(' ').nth(1).unwrap();
            *counted.missing_paths.entry(target.split('?').next().unwrap().to_owned()).or_default() += 1;
        }
        let sum = counted.bytes_by_day.entry(day(before)).or_default();
        *sum += numbers[1].parse::<u64>().unwrap_or(0);
        counted.clients.insert(before.split(' ').next().unwrap().to_owned());
    }
    counted
}

/// `2015-05-17` of `… [17/May/2015:10:05:03 +0000] `.
fn day(before_request: &str) -> String {
    let (_, time) = before_request.split_once('[').unwrap();
    assert!(time.contains("+0000"), "{time} is not UTC");
    let date: Vec<&str> = time.split([':', '/']).collect();
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let month = months.iter().position(|month| *month == date[1]).unwrap() + 1;
    format!("{}-{month:02}-{}", date[2], date[0])
}

impl Counted {
    fn top_missing(&self) -> Vec<(&String, &u64)> {
        let mut paths: Vec<_> = self.missing_paths.iter().collect();
        paths.sort_by_key(|(path, count)| (std::cmp::Reverse(**count), *path));
        paths.truncate(10);
        paths
    }
}

#[tokio::test]
async fn the_apache_corpus_is_counted_right() {
    let Some(shared) = shared("the Apache access log") else { return };
    import_and_ask(&shared.join("data/logs/apache_access.log")).await;
}

#[tokio::test]
async fn a_log_of_our_own_is_counted_right() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("access.log");
    std::fs::write(&path, own_log()).unwrap();
    import_and_ask(&path).await;
}

/// Three days; two paths are missing far more often than chance has it.
fn own_log() -> String {
    let mut random = Random::new(404);
    let mut log = String::new();
    for i in 0..3_000_u64 {
        let (client, page) = (random.below(200), random.below(40));
        let (target, status) = match random.below(10) {
            0 => ("/old/catalogue.pdf?from=mail".to_owned(), 404),
            1 if i % 3 == 0 => ("/favicon.ico".to_owned(), 404),
            2 => (format!("/pages/{page}?q=a%20b&n={i}"), 304),
            _ => (format!("/pages/{page}"), if random.below(50) == 0 { 404 } else { 200 }),
        };
        let bytes = if status == 304 { "-".to_owned() } else { random.below(90_000).to_string() };
        let (minutes, seconds) = (i * 86 / 60, i * 86 % 60);
        let (day, hour, minute) = (17 + minutes / 1440, minutes / 60 % 24, minutes % 60);
        writeln!(
            log,
            "10.0.{}.{client} - - [{day}/May/2015:{hour:02}:{minute:02}:{seconds:02} +0000] \"GET {target} HTTP/1.1\" \
             {status} {bytes} \"-\" \"Mozilla/5.0 (X11; Linux x86_64)\"",
            client % 4
        )
        .unwrap();
    }
    log
}

async fn import_and_ask(log: &Path) {
    let counted = count(&std::fs::read_to_string(log).unwrap());
    let server = Server::start("").await;
    let file = log.display().to_string();
    let output = run_against(server.url(), &["import", &file, "--store", "apache", "--format", "combined"]).await;
    assert!(output.status.success(), "{output:?}");
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(told.starts_with(&format!("{} rows imported", counted.rows)), "{told}");

    let ask = async |query: &str| server.client.sql(query).await;
    let by_status = ask("SELECT status, count(*) FROM apache GROUP BY status ORDER BY status").await;
    assert_eq!(by_status, rows(counted.by_status.iter()));
    let missing =
        "SELECT path, count(*) AS n FROM apache WHERE status = 404 GROUP BY path ORDER BY n DESC, path LIMIT 10";
    assert_eq!(ask(missing).await, rows(counted.top_missing().into_iter()));
    let by_day = "SELECT substr(CAST(date_trunc('day', _time) AS VARCHAR), 1, 10) AS day, sum(bytes) FROM apache GROUP BY \
                  day ORDER BY day";
    assert_eq!(ask(by_day).await, rows(counted.bytes_by_day.iter()));
    let clients = server.client.sql_value("SELECT count(DISTINCT client) FROM apache").await;
    assert_eq!(clients, json!(counted.clients.len()));
    explain_missing(&server, &counted).await;
}

fn rows<'a, K: serde::Serialize + 'a>(pairs: impl Iterator<Item = (&'a K, &'a u64)>) -> Vec<Vec<Value>> {
    pairs.map(|(key, number)| vec![json!(key), json!(number)]).collect()
}

/// What explains the missing pages is which pages they are.
async fn explain_missing(server: &Server, counted: &Counted) {
    let arguments = ["explain", "apache", "--where", "status = 404", "--output", "json"];
    let output = run_against(server.url(), &arguments).await;
    assert!(output.status.success(), "{output:?}");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let explanations = report["explanations"].as_array().unwrap();
    let found = explanations.iter().filter(|one| one["items"].as_array().unwrap().len() == 1).find_map(|one| {
        let item = &one["items"][0];
        (item["dimension"] == "path").then(|| (item["value"].as_str().unwrap().to_owned(), one["rows_a"].clone()))
    });
    let (path, rows) = found.unwrap_or_else(|| panic!("no path among {report:#}"));
    assert_eq!(rows, json!(counted.missing_paths[&path]), "rows of {path}");
    assert_eq!(&path, counted.top_missing()[0].0, "the path that is missing most explains most");
}
