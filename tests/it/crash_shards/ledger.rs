//! What was sent, and which of it was acknowledged.

use std::collections::BTreeMap;

use serde_json::json;

use super::{PROJECT, STORE};
use crate::harness::{Client, Log, LogGroup, Random, Sls};

const TIME: u32 = 1_700_000_000;

/// One log group: its logs, and their checksum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sum {
    pub(super) logs: u64,
    pub(super) sum: u64,
}

#[derive(Debug)]
pub(super) struct Sent {
    sum: Sum,
    is_acknowledged: bool,
    /// The last write of a writer that counts, which it sends again whatever became of it.
    again: Option<Again>,
}

#[derive(Debug)]
struct Again {
    way: String,
    group: LogGroup,
}

/// By the name of the group, which each of its logs has.
#[derive(Default)]
pub(super) struct Ledger(BTreeMap<String, Sent>);

impl Ledger {
    pub(super) fn extend(&mut self, sent: Vec<(String, Sent)>) {
        self.0.extend(sent);
    }

    pub(super) fn acknowledged(&self) -> usize {
        self.0.values().filter(|sent| sent.is_acknowledged).count()
    }

    /// Writers that count go on where nobody answered them: the write is stored now, or was before. Returns how many were.
    pub(super) async fn send_again(&mut self, sls: &Sls) -> usize {
        let mut were_stored = 0;
        for (name, sent) in &mut self.0 {
            let Some(Again { way, group }) = sent.again.take() else { continue };
            match sls.put(STORE, &way, &group).await.unwrap().verdict() {
                (200, _) => assert!(!sent.is_acknowledged, "{name} was acknowledged and taken again"),
                (400, code) if code == "InvalidSequenceId" => were_stored += 1,
                other => panic!("{name}: {other:?}"),
            }
            sent.is_acknowledged = true;
        }
        were_stored
    }

    /// `found` is everything that is stored.
    pub(super) fn compare(&self, found: BTreeMap<String, Sum>) {
        for (name, sum) in &found {
            let sent = self.0.get(name).unwrap_or_else(|| panic!("{name} was never sent, {sum:?} is stored"));
            assert_eq!(*sum, sent.sum, "{name} is not stored whole and once: {sent:?}");
        }
        let lost: Vec<_> =
            self.0.iter().filter(|(name, sent)| sent.is_acknowledged && !found.contains_key(*name)).collect();
        assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
    }

    pub(super) async fn compare_by_sql(&self, client: &Client) {
        let columns = "name, count(*), count(DISTINCT n), sum(CAST(\"check\" AS BIGINT))";
        let query = json!({"project": PROJECT, "query": format!("SELECT {columns} FROM {STORE} GROUP BY name")});
        let (status, answer) = client.post_json("/api/sql", &query).await;
        assert!(status.is_success(), "{status} {answer}");
        let rows: Vec<(String, u64, u64, u64)> = serde_json::from_value(answer["rows"].clone()).unwrap();
        let found = rows.into_iter().map(|(name, logs, different, sum)| {
            assert_eq!(logs, different, "logs of {name} are stored twice");
            (name, Sum { logs, sum })
        });
        self.compare(found.collect());
    }
}

/// Sends one group after the other until one fails: each to a shard of chance, or counted under one key.
pub(super) async fn write(sls: Sls, name: String, seed: u64, groups: u64) -> Vec<(String, Sent)> {
    let mut random = Random::new(seed);
    let mut sent: Vec<(String, Sent)> = Vec::new();
    let counts = random.below(2) == 0;
    let own_key = format!("{:016x}{:016x}", random.next(), random.next());
    for number in 0..groups {
        let name = format!("{name}-{number}");
        let checks: Vec<u64> = (0..=random.below(40)).map(|_| random.below(1 << 31)).collect();
        let way = if counts {
            format!("shards/route?key={own_key}&seqid={number}")
        } else {
            format!("shards/route?key={:016x}{:016x}", random.next(), random.next())
        };
        let group = group(&name, &checks);
        let answer = sls.put(STORE, &way, &group).await;
        if let Ok(answer) = &answer {
            assert_eq!(answer.verdict(), (200, String::new()), "{name}");
        }
        let sum = Sum { logs: checks.len() as u64, sum: checks.iter().sum() };
        if let Some((_, before)) = sent.last_mut() {
            before.again = None;
        }
        let again = counts.then_some(Again { way, group });
        sent.push((name, Sent { sum, is_acknowledged: answer.is_ok(), again }));
        if answer.is_err() {
            break;
        }
    }
    sent
}

fn group(name: &str, checks: &[u64]) -> LogGroup {
    let log = |(n, check): (usize, &u64)| {
        Log::new(TIME, &[("name", name), ("n", &n.to_string()), ("check", &check.to_string())])
    };
    LogGroup { topic: Some("crash".to_owned()), ..LogGroup::of(checks.iter().enumerate().map(log).collect()) }
}

/// Name and checksum of a group as it was read.
pub(super) fn read(group: &LogGroup) -> (String, Sum) {
    let name = group.logs[0].get("name");
    let mut sum = Sum { logs: 0, sum: 0 };
    for (n, log) in group.logs.iter().enumerate() {
        assert_eq!((log.get("name"), log.get("n"), log.time), (name, n.to_string().as_str(), TIME), "{group:?}");
        sum.logs += 1;
        sum.sum += log.get("check").parse::<u64>().unwrap();
    }
    (name.to_owned(), sum)
}
