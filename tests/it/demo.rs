//! `culprit demo`: for each kind of incident the alert comes, in time, and names the cause that was made, first and in a
//! sentence.

use std::process::Output;
use std::time::Duration;

use crate::harness::command;

/// The incident begins some fifteen seconds after the start; a debug build that shares two cores with the others is slow.
const PATIENCE: Duration = Duration::from_secs(150);

/// What was made, by the seed: the first cause as a set, and the sentence, where `#` is a share.
struct Case {
    asked: &'static [&'static str],
    causes: &'static [&'static str],
    sentence: &'static str,
}

/// Customers inside the shop's usual ids, at their ends, and beyond; of the other incidents each with what seeds change.
const CASES: [Case; 9] = [
    Case {
        asked: &["--seed", "1"],
        causes: &["customer_id = 1002"],
        sentence: "# of the failing requests have customer_id = 1002; # of the others have it.",
    },
    Case {
        asked: &["--seed", "3", "--culprit", "2999"],
        causes: &["customer_id = 2999"],
        sentence: "# of the failing requests have customer_id = 2999; # of the others have it.",
    },
    Case {
        asked: &["--seed", "5", "--culprit", "50000"],
        causes: &["customer_id = 50000"],
        sentence: "# of the failing requests have customer_id = 50000; # of the others have it.",
    },
    Case {
        asked: &["--scenario", "bad-deploy", "--seed", "1"],
        causes: &["service = checkout", "version = 2.14.0"],
        sentence: "# of the failing requests run version = 2.14.0 of service = checkout; # of the others do.",
    },
    Case {
        asked: &["--scenario", "bad-deploy", "--seed", "4"],
        causes: &["service = shipping", "version = 2.14.1"],
        sentence: "# of the failing requests run version = 2.14.1 of service = shipping; # of the others do.",
    },
    Case {
        asked: &["--scenario", "slow-dependency", "--seed", "1"],
        causes: &["upstream = payments-db", "region = eu"],
        sentence: "# of the slow requests call upstream = payments-db in region = eu; # of the others do.",
    },
    Case {
        asked: &["--scenario", "slow-dependency", "--seed", "6"],
        causes: &["upstream = sessions-db", "region = us"],
        sentence: "# of the slow requests call upstream = sessions-db in region = us; # of the others do.",
    },
    Case {
        asked: &["--scenario", "full-disk", "--seed", "1"],
        causes: &["host = catalog-eu-1"],
        sentence: "# of the failing requests are on host = catalog-eu-1; # of the others are.",
    },
    Case {
        asked: &["--scenario", "full-disk", "--seed", "4"],
        causes: &["host = frontend-ap-1"],
        sentence: "# of the failing requests are on host = frontend-ap-1; # of the others are.",
    },
];

#[tokio::test(flavor = "multi_thread")]
async fn the_alert_names_the_cause_of_every_incident() {
    let demos = CASES.map(|case| tokio::spawn(names_its_cause(case)));
    for demo in demos {
        demo.await.unwrap();
    }
}

async fn names_its_cause(case: Case) {
    let output = demo(case.asked).await;
    let said = String::from_utf8(output.stdout).unwrap();
    let everything = format!("{:?}:\n{said}{}", case.asked, String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && said.contains("listening on http://127.0.0.1:"), "{everything}");
    let first = said.lines().find_map(|line| line.trim().strip_prefix("1. "));
    let (cause, evidence) = first.and_then(|first| first.split_once(": ")).unwrap_or_else(|| panic!("{everything}"));
    let mut causes: Vec<_> = cause.split(" and ").collect();
    let mut expected = case.causes.to_vec();
    causes.sort_unstable();
    expected.sort_unstable();
    assert_eq!(causes, expected, "{everything}");
    assert!(evidence.contains("of these rows, ") && evidence.contains(" of the others"), "{everything}");
    let is_said = said.lines().any(|line| is_like(line.trim(), case.sentence));
    assert!(is_said, "no sentence like {:?}: {everything}", case.sentence);
}

/// Whether the line begins with that sentence, with a share in place of each `#`.
fn is_like(line: &str, sentence: &str) -> bool {
    let line = line.to_lowercase();
    let sentence = sentence.to_lowercase();
    let mut left = line.as_str();
    for (at, words) in sentence.split('#').enumerate() {
        let Some((share, rest)) = left.split_once(words) else { return false };
        if at > 0 && !is_share(share) {
            return false;
        }
        left = rest;
    }
    // Further sentences may follow, such as what the rows say.
    left.is_empty() || left.starts_with(' ')
}

fn is_share(text: &str) -> bool {
    let percents =
        text.strip_suffix(" %").map(|text| text.trim_start_matches("less than ").trim_start_matches("more than "));
    matches!(text, "all" | "none") || percents.is_some_and(|text| text.parse::<f64>().is_ok_and(|p| p <= 100.0))
}

async fn demo(asked: &[&str]) -> Output {
    let mut demo = command();
    demo.args(["demo", "--once", "--http", "127.0.0.1:0"]).args(asked);
    tokio::time::timeout(PATIENCE, demo.output()).await.expect("--once comes to an end").unwrap()
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

#[tokio::test]
async fn a_customer_is_no_part_of_the_other_incidents() {
    let output = demo(&["--scenario", "full-disk", "--culprit", "1500"]).await;
    let complaint = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), complaint.trim().lines().count()), (Some(1), 1), "{complaint}");
    assert!(complaint.contains("--culprit") && complaint.contains("full-disk"), "{complaint}");
}
