use super::*;

const SECOND: i64 = 1_000_000_000;

fn at(seconds: i64) -> UnixNanos {
    UnixNanos(seconds * SECOND)
}

fn instance(name: &str, value: f64) -> Instance {
    Instance { labels: Labels::new([("instance", name)]).unwrap(), annotations: BTreeMap::new(), value }
}

fn timing(hold: u64, keep: u64) -> Timing {
    Timing { hold: Duration::from_secs(hold), keep_firing_for: Duration::from_secs(keep), limit: 0 }
}

/// `p` pending, `f` firing, `r` resolved and remembered, `.` unknown.
fn letter(book: &AlertBook, name: &str) -> char {
    let labels = Labels::new([("instance", name)]).unwrap();
    match book.alerts.get(&labels).map(|alert| alert.state) {
        None => '.',
        Some(AlertState::Pending) => 'p',
        Some(AlertState::Firing) => 'f',
        Some(AlertState::Inactive) => 'r',
    }
}

/// `1` means that the sample is there. One evaluation each `step` seconds.
fn run(samples: &str, step: i64, timing: Timing) -> String {
    let mut book = AlertBook::default();
    let mut states = String::new();
    for (i, c) in samples.chars().enumerate() {
        let instances = if c == '1' { vec![instance("a", i as f64)] } else { Vec::new() };
        book.update(instances, at(i as i64 * step), timing).unwrap();
        states.push(letter(&book, "a"));
    }
    states
}

#[test]
fn timelines() {
    for (samples, step, hold, keep, states) in [
        // `for: 0` fires in the same evaluation, resolves at the first miss.
        ("0110", 60, 0, 0, ".ffr"),
        // Pending that disappears is forgotten at once, and begins anew.
        ("1101111", 60, 120, 0, "pp.ppff"),
        // `for` shorter than the interval fires at the next evaluation, never between.
        ("111", 60, 10, 0, "pff"),
        // `for` of exactly one interval.
        ("11", 60, 60, 0, "pf"),
        // keep_firing_for starts at the first miss, and starts anew when the sample came back.
        ("1000", 60, 0, 120, "fffr"),
        ("1010001", 60, 0, 120, "fffffrf"),
        // A resolved alert is remembered for 15 minutes, not longer.
        ("10000", 300, 0, 0, "frrrr"),
        ("100000", 300, 0, 0, "frrrr."),
        // It comes back before that: a new alert.
        ("1011", 60, 0, 0, "frff"),
        ("10011", 60, 60, 0, "p..pf"),
    ] {
        assert_eq!(run(samples, step, timing(hold, keep)), states, "{samples} for {hold} keep {keep}");
    }
}

#[test]
fn times_of_an_alert() {
    let mut book = AlertBook::default();
    for seconds in [0, 60, 120, 180] {
        book.update(vec![instance("a", seconds as f64)], at(seconds), timing(120, 0)).unwrap();
    }
    let alert = book.iter().next().unwrap();
    assert_eq!((alert.active_at, alert.fired_at, alert.value), (at(0), Some(at(120)), 180.0));
    book.update(Vec::new(), at(240), timing(120, 0)).unwrap();
    let alert = book.iter().next().unwrap();
    assert_eq!((alert.state, alert.resolved_at), (AlertState::Inactive, Some(at(240))));
    book.update(vec![instance("a", 1.0)], at(300), timing(120, 0)).unwrap();
    let alert = book.iter().next().unwrap();
    assert_eq!((alert.state, alert.active_at, alert.resolved_at), (AlertState::Pending, at(300), None));
}

#[test]
fn a_longer_for_sends_a_young_alert_back() {
    let mut book = AlertBook::default();
    book.update(vec![instance("a", 1.0)], at(0), timing(0, 0)).unwrap();
    assert_eq!(letter(&book, "a"), 'f');
    book.update(vec![instance("a", 1.0)], at(60), timing(300, 0)).unwrap();
    assert_eq!(letter(&book, "a"), 'p');
    book.update(vec![instance("a", 1.0)], at(300), timing(300, 0)).unwrap();
    assert_eq!(letter(&book, "a"), 'f');
}

#[test]
fn equal_labels_are_an_error_that_changes_nothing() {
    let mut book = AlertBook::default();
    book.update(vec![instance("a", 1.0)], at(0), timing(0, 0)).unwrap();
    let before = book.clone();
    let error = book.update(vec![instance("b", 1.0), instance("b", 2.0)], at(60), timing(0, 0)).unwrap_err();
    assert!(error.to_string().contains("same labelset after applying alert labels"), "{error}");
    assert_eq!(book, before);
}

#[test]
fn over_the_limit_all_alerts_are_forgotten() {
    let mut book = AlertBook::default();
    let limited = Timing { limit: 2, ..timing(0, 0) };
    book.update(vec![instance("a", 1.0), instance("b", 1.0)], at(0), limited).unwrap();
    let three = vec![instance("a", 1.0), instance("b", 1.0), instance("c", 1.0)];
    let error = book.update(three, at(60), limited).unwrap_err();
    assert_eq!(error.to_string(), "exceeded limit of 2 with 3 alerts");
    assert_eq!(book.iter().count(), 0);
}

#[test]
fn sent_when_new_when_resolved_and_after_the_delay() {
    let delay = Duration::from_secs(60);
    let mut book = AlertBook::default();
    let mut sent = Vec::new();
    for (seconds, there) in
        [(0, true), (30, true), (60, true), (90, true), (100, false), (110, false), (170, false), (200, false)]
    {
        let instances = if there { vec![instance("a", 1.0)] } else { Vec::new() };
        book.update(instances, at(seconds), timing(30, 0)).unwrap();
        sent.extend(book.take_due(at(seconds), delay).iter().map(|alert| (seconds, alert.state)));
    }
    use AlertState::{Firing, Inactive};
    assert_eq!(sent, [(30, Firing), (100, Inactive), (170, Inactive)]);
}
