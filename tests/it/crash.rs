//! What was acknowledged survives SIGKILL at any moment, exactly once, whatever was going on.
//!
//! The oracle is a ledger of what was sent and which of it was acknowledged. A request that was cut off may have been
//! stored or not, but then whole and once.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{Client, Point, Random, Server, now_millis};

const ROUNDS: u64 = 50;
const WRITERS: u64 = 4;
const SEED: u64 = 20_260_731;
/// Every so many rounds, the replay is cut off too.
const KILLED_REPLAY: u64 = 5;
const SERIES: u64 = 5;
/// Between the sample times of two rounds; no round sends as many requests.
const ROUND_MILLIS: u64 = 1_000_000;

/// One request: its rows, and their checksum.
#[derive(Debug, Clone, PartialEq)]
struct Sent {
    rows: u64,
    sum: u64,
    acknowledged: bool,
}

/// By batch name, and by sample time in ms.
#[derive(Default)]
struct Ledger {
    logs: BTreeMap<String, Sent>,
    samples: BTreeMap<u64, Sent>,
}

impl Ledger {
    fn acknowledged(&self) -> usize {
        self.logs.values().chain(self.samples.values()).filter(|sent| sent.acknowledged).count()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acknowledged_records_survive_fifty_kills_exactly_once() {
    // So that segments are written and the log is truncated between the kills.
    let mut server = Server::start("[store]\nflush_age = \"1s\"\n").await;
    let mut random = Random::new(SEED);
    let begin = u64::try_from(now_millis()).unwrap();
    let mut ledger = Ledger::default();
    for round in 0..ROUNDS {
        let before = ledger.acknowledged();
        load_until_killed(&mut server, round, begin, &mut random, &mut ledger).await;
        if round % KILLED_REPLAY == 0 {
            server.restart_and_kill9(Duration::from_millis(random.below(150))).await;
        }
        server.restart().await;
        verify(&server.client, &ledger).await;
        assert!(ledger.acknowledged() > before, "round {round} acknowledged nothing: it tests nothing");
    }
    let metrics = server.client.get("/metrics").await.1;
    assert!(metric(&metrics, "culprit_store_segments") > 0.0, "no segment was written between the kills: {metrics}");
    server.stop().await;
    server.restart().await;
    verify(&server.client, &ledger).await;
}

/// Writes from all sides; the moment of the kill is random, so it is the one thing here that a clock decides.
async fn load_until_killed(server: &mut Server, round: u64, begin: u64, random: &mut Random, ledger: &mut Ledger) {
    // The stores exist before the first kill, whenever that comes.
    let first = write_logs(server.client.clone(), format!("{round}-first"), random.next(), 1).await;
    ledger.logs.extend(first);
    let start = begin + round * ROUND_MILLIS;
    ledger.samples.extend(write_samples(server.client.clone(), start, 1).await);

    let writers: Vec<_> = (0..WRITERS)
        .map(|w| tokio::spawn(write_logs(server.client.clone(), format!("{round}-{w}"), random.next(), u64::MAX)))
        .collect();
    let samples = tokio::spawn(write_samples(server.client.clone(), start + 1, u64::MAX));
    tokio::time::sleep(Duration::from_millis(20 + random.below(700))).await;
    server.kill9().await;
    for writer in writers {
        ledger.logs.extend(writer.await.unwrap());
    }
    ledger.samples.extend(samples.await.unwrap());
}

/// Sends one request after the other until one fails.
async fn write_logs(client: Client, name: String, seed: u64, requests: u64) -> Vec<(String, Sent)> {
    let mut random = Random::new(seed);
    let mut sent = Vec::new();
    for request in 0..requests {
        let batch = format!("{name}-{request}");
        let checks: Vec<u64> = (0..=random.below(40)).map(|_| random.below(1 << 31)).collect();
        let answer = client.try_ingest("default/crash", log_body(&batch, &checks)).await;
        let rows = checks.len() as u64;
        if let Ok((status, report)) = &answer {
            assert!(status.is_success() && report["accepted"] == json!(rows), "{status} {report}");
        }
        sent.push((batch, Sent { rows, sum: checks.iter().sum(), acknowledged: answer.is_ok() }));
        if answer.is_err() {
            break;
        }
    }
    sent
}

fn log_body(batch: &str, checks: &[u64]) -> String {
    let row = |(i, check)| json!({"id": format!("{batch}-{i}"), "batch": batch, "check": check, "_msg": "one of many"});
    checks.iter().enumerate().map(|row_check| format!("{}\n", row(row_check))).collect()
}

/// Each request brings one sample for each of the series, at a time of its own.
async fn write_samples(client: Client, start: u64, requests: u64) -> Vec<(u64, Sent)> {
    let mut random = Random::new(start);
    let mut sent = Vec::new();
    for millis in (start..).take(usize::try_from(requests).unwrap()) {
        let values: Vec<u64> = (0..SERIES).map(|_| random.below(1 << 31)).collect();
        let points: Vec<_> = values.iter().enumerate().map(|(series, value)| point(series, millis, *value)).collect();
        let answer = client.remote_write(&points).await;
        if let Ok(status) = &answer {
            assert!(status.is_success(), "remote write answered {status}");
        }
        sent.push((millis, Sent { rows: SERIES, sum: values.iter().sum(), acknowledged: answer.is_ok() }));
        if answer.is_err() {
            break;
        }
    }
    sent
}

fn point(series: usize, millis: u64, value: u64) -> Point<'static> {
    let labels = vec![("__name__", "crash".to_owned()), ("series", series.to_string())];
    Point { labels, millis: i64::try_from(millis).unwrap(), value: value as f64 }
}

async fn verify(client: &Client, ledger: &Ledger) {
    let query = "SELECT batch, count(*), count(DISTINCT id), sum(\"check\") FROM crash GROUP BY batch";
    let stored = client.sql(query).await.into_iter().map(|row| (row[0].as_str().unwrap().to_owned(), tally(&row)));
    compare(&ledger.logs, stored.collect());
    // Milliseconds are whole in nanoseconds, and sums of so few 31-bit numbers are exact in a float.
    let query = "SELECT CAST(_time AS BIGINT) / 1000000, count(*), count(DISTINCT series), CAST(sum(value) AS BIGINT) \
                 FROM metrics WHERE metric = 'crash' GROUP BY _time";
    let stored = client.sql(query).await.into_iter().map(|row| (row[0].as_u64().unwrap(), tally(&row)));
    compare(&ledger.samples, stored.collect());
    let metrics = client.get("/metrics").await.1;
    assert_eq!(metric(&metrics, "culprit_store_quarantined_groups_total"), 0.0, "a kill tears the end alone");
}

/// Rows, different rows, checksum.
fn tally(row: &[Value]) -> [u64; 3] {
    [1, 2, 3].map(|column| row[column].as_u64().unwrap_or_else(|| panic!("column {column} of {row:?}")))
}

fn compare<K: Ord + std::fmt::Debug>(sent: &BTreeMap<K, Sent>, stored: BTreeMap<K, [u64; 3]>) {
    for (key, found) in &stored {
        let sent = sent.get(key).unwrap_or_else(|| panic!("{key:?} was never sent, {found:?} is stored"));
        assert_eq!(*found, [sent.rows, sent.rows, sent.sum], "{key:?} is not stored whole and once: {sent:?}");
    }
    let lost: Vec<_> = sent.iter().filter(|(key, sent)| sent.acknowledged && !stored.contains_key(key)).collect();
    assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
}

/// The sum over all labels of a metric in the text format.
fn metric(exposition: &Value, name: &str) -> f64 {
    let text = exposition.as_str().expect("the text format");
    let samples: Vec<f64> = text
        .lines()
        .filter(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with([' ', '{'])))
        .map(|line| line.rsplit(' ').next().unwrap().parse().unwrap())
        .collect();
    assert!(!samples.is_empty(), "there is no metric {name}");
    samples.iter().sum()
}
