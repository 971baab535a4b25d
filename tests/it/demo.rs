//! `culprit demo`: the alert comes, in time, and names the customer that was made the culprit.

use std::time::Duration;

use crate::harness::command;

/// The incident begins some fifteen seconds after the start; a debug build that shares two cores with five others is slow.
const PATIENCE: Duration = Duration::from_secs(150);

/// Six pairs of seed and culprit at the same time: inside the shop's usual ids, at their ends, and beyond.
#[tokio::test(flavor = "multi_thread")]
async fn the_alert_names_the_culprit_for_any_seed() {
    let pairs = [(1, 1002), (2, 1000), (3, 2999), (4, 1500), (5, 50_000), (42, 1002)];
    let demos = pairs.map(|(seed, culprit)| tokio::spawn(names_its_culprit(seed, culprit)));
    for demo in demos {
        demo.await.unwrap();
    }
}

async fn names_its_culprit(seed: u64, culprit: i64) {
    let (seed, culprit) = (seed.to_string(), culprit.to_string());
    let mut demo = command();
    demo.args(["demo", "--once", "--http", "127.0.0.1:0", "--seed", &seed, "--culprit", &culprit]);
    let output = tokio::time::timeout(PATIENCE, demo.output()).await.expect("--once comes to an end").unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let everything = || format!("seed {seed}, culprit {culprit}:\n{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{}", everything());
    let first = said.lines().find_map(|line| line.trim().strip_prefix("1. "));
    let (cause, evidence) =
        first.and_then(|first| first.split_once(": ")).unwrap_or_else(|| panic!("{}", everything()));
    assert_eq!(cause, format!("customer_id = {culprit}"), "{}", everything());
    assert!(evidence.contains("of the failing rows"), "{}", everything());
    let alert = said.lines().find(|line| line.contains("ALERT HighErrorRate"));
    assert!(alert.is_some() && said.contains("listening on http://127.0.0.1:"), "{}", everything());
    assert!(said.contains(&format!("have customer_id = {culprit}; ")), "the sentence is missing: {}", everything());
}

#[tokio::test]
async fn a_port_that_is_taken_is_named_in_one_line() {
    let taken = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = command().args(["demo", "--once", "--http", &address]).output().await.unwrap();
    let complaint = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), complaint.trim().lines().count()), (Some(1), 1), "{complaint}");
    assert!(complaint.contains(&address) && complaint.contains("--http"), "{complaint}");
}
