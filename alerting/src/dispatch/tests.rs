use std::collections::BTreeMap;
use std::sync::Mutex;

use futures::FutureExt;

use super::book::Taken;
use super::*;
use crate::alert::{AlertState, SliceChoice};
use crate::error::HookError;
use crate::hooks::{Cause, RecordIncident};
use crate::notify::tests::HttpReceiver;
use crate::notify::{Reason, ReceiverConfig, integrations};

fn at(seconds: f64) -> UnixNanos {
    UnixNanos((seconds * 1e9) as i64)
}

fn timers() -> Timers {
    Timers {
        group_wait: Duration::from_secs(1),
        group_interval: Duration::from_secs(15),
        repeat_interval: Duration::from_secs(4 * 3600),
    }
}

fn rule() -> RuleInfo {
    RuleInfo {
        id: RuleId("g;High;{}".to_owned()),
        name: "High".to_owned(),
        group: "g".to_owned(),
        project: "default".to_owned(),
        expression: "x > 1".to_owned(),
        console_path: "/ui/".to_owned(),
        label_names: vec!["severity".to_owned()],
    }
}

fn slice(filter: &str) -> SliceRequest {
    SliceRequest {
        project: "default".to_owned(),
        store: "shop".to_owned(),
        filter: filter.to_owned(),
        baseline: None,
        noun: None,
        dimensions: Vec::new(),
        from: "a".to_owned(),
        to: "b".to_owned(),
    }
}

fn alert(job: &str, fired: f64, resolved: Option<f64>) -> Alert {
    let labels = [("alertname", "High"), ("job", job), ("severity", "page")];
    Alert {
        labels: Labels::new(labels).unwrap(),
        annotations: BTreeMap::new(),
        value: 2.0,
        state: if resolved.is_some() { AlertState::Inactive } else { AlertState::Firing },
        active_at: at(fired),
        fired_at: Some(at(fired)),
        resolved_at: resolved.map(at),
        keep_firing_since: None,
        last_sent_at: None,
        slice: Some(SliceChoice::Absent),
    }
}

fn with_slice(mut alert: Alert, filter: &str) -> Alert {
    alert.slice = Some(SliceChoice::Given(slice(filter)));
    alert
}

/// A book with one integration that hears everything, and a script's reading of it.
struct Script {
    book: Book,
}

impl Script {
    fn new(past: Vec<Incident>, now: f64) -> Self {
        Self { book: Book::new(timers(), vec!["hook".to_owned()], vec![true], past, at(now)) }
    }

    fn take(&mut self, alert: &Alert, now: f64) -> Taken {
        self.book.take(&rule(), alert, at(now))
    }

    /// Flushes that are due, delivered at once; their reasons.
    fn deliver(&mut self, now: f64) -> Vec<Reason> {
        let mut reasons = Vec::new();
        for flush in self.book.due(at(now)) {
            reasons.push(flush.reason);
            let told = Told { firing: flush.firing, resolved: flush.resolved, at: at(now).0 };
            self.book.take_sent(&flush.incident.id, flush.integration, told, delivery(None), at(now));
        }
        reasons
    }

    fn incidents(&self) -> Vec<Arc<Incident>> {
        self.book.newest_first()
    }
}

fn delivery(error: Option<&str>) -> Delivery {
    Delivery { receiver: "hook".to_owned(), integration: "webhook".to_owned(), at: 0, error: error.map(str::to_owned) }
}

#[test]
fn told_once_then_on_changes_then_that_it_is_over() {
    let mut script = Script::new(Vec::new(), 0.0);
    assert!(script.take(&alert("a", 0.0, None), 0.0).is_new);
    assert_eq!(script.deliver(0.9), []);
    assert_eq!(script.deliver(1.0), [Reason::First]);
    // The same again is no news, a further alert is, in the rhythm of the group.
    script.take(&alert("a", 0.0, None), 60.0);
    assert_eq!(script.deliver(60.0), []);
    script.take(&alert("b", 61.0, None), 61.0);
    assert_eq!(script.deliver(61.0), [Reason::NewAlerts]);
    script.take(&alert("c", 62.0, None), 62.0);
    assert_eq!(script.deliver(75.9), []);
    assert_eq!(script.deliver(76.0), [Reason::NewAlerts]);
    script.take(&alert("b", 61.0, Some(100.0)), 100.0);
    assert_eq!(script.deliver(100.0), [Reason::SomeResolved]);
    assert_eq!(script.incidents().len(), 1);
    for job in ["a", "c"] {
        script.take(&alert(job, 0.0, Some(200.0)), 200.0);
    }
    assert_eq!(script.deliver(200.0), [Reason::AllResolved]);
    // Resolved alerts are told to the dispatcher for a while: that is no news either.
    script.take(&alert("a", 0.0, Some(200.0)), 260.0);
    assert_eq!((script.deliver(300.0), script.book.next_flush()), (vec![], None));
    assert!(!script.incidents()[0].is_firing());
    // The next time is another incident.
    assert!(script.take(&alert("a", 400.0, None), 400.0).is_new);
    assert_eq!(script.deliver(401.0), [Reason::First]);
    assert_eq!(script.incidents().len(), 2);
}

#[test]
fn an_unchanged_incident_is_repeated() {
    let mut script = Script::new(Vec::new(), 0.0);
    script.take(&alert("a", 0.0, None), 0.0);
    assert_eq!(script.deliver(1.0), [Reason::First]);
    assert_eq!(script.deliver(14_400.0), []);
    assert_eq!(script.deliver(14_401.0), [Reason::Repeat]);
}

#[test]
fn an_alert_that_is_over_before_the_first_message_is_not_told() {
    let mut script = Script::new(Vec::new(), 0.0);
    script.take(&alert("a", 0.0, None), 0.0);
    script.take(&alert("a", 0.0, Some(0.5)), 0.5);
    assert_eq!((script.deliver(5.0), script.book.next_flush()), (vec![], None));
}

#[test]
fn a_message_waits_for_its_cause_at_most_three_seconds() {
    let ready = || CauseState::Ready { sentence: "because".to_owned(), report: serde_json::Value::Null };
    // In time: told as soon as it is there.
    let mut script = Script::new(Vec::new(), 0.0);
    let (id, asked) = script.take(&with_slice(alert("a", 0.0, None), "x"), 0.0).explain.unwrap();
    assert_eq!(script.deliver(2.0), []);
    assert!(!script.book.take_cause(&id, &asked, ready(), at(2.5)));
    let flush = script.book.due(at(2.5)).remove(0);
    assert_eq!(flush.incident.cause_of(&flush.incident.alerts[0]).words(), "because");

    // Late: told without it after three seconds, and never again because of it.
    let mut script = Script::new(Vec::new(), 0.0);
    let (id, asked) = script.take(&with_slice(alert("a", 0.0, None), "x"), 0.0).explain.unwrap();
    assert_eq!((script.book.next_flush(), script.deliver(2.9)), (Some(at(3.0)), vec![]));
    let flush = script.book.due(at(3.0)).remove(0);
    assert_eq!(flush.incident.cause_of(&flush.incident.alerts[0]).words(), "explanation took longer than 3 s");
    let told = Told { firing: flush.firing, resolved: flush.resolved, at: at(3.0).0 };
    script.book.take_sent(&id, 0, told, delivery(None), at(3.1));
    assert!(script.book.take_cause(&id, &asked, ready(), at(5.0)));
    assert_eq!(script.incidents()[0].causes[0].cause, ready());
    assert_eq!(script.deliver(14_000.0), []);
}

#[test]
fn each_slice_is_searched_once_and_not_too_many() {
    let mut script = Script::new(Vec::new(), 0.0);
    let asked: Vec<bool> = (0..12)
        .map(|i| {
            let filter = format!("x = {}", i.max(2));
            script.take(&with_slice(alert(&format!("j{i}"), 0.0, None), &filter), 0.0).explain.is_some()
        })
        .collect();
    assert_eq!(asked, [true, false, false, true, true, true, true, true, true, true, false, false]);
    let incident = script.incidents().remove(0);
    assert!(incident.cause_of(&incident.alerts[11]).words().contains("more slices"));
}

#[test]
fn a_failed_message_is_tried_again_later() {
    let mut script = Script::new(Vec::new(), 0.0);
    script.take(&alert("a", 0.0, None), 0.0);
    let flush = script.book.due(at(1.0)).remove(0);
    let id = flush.incident.id.clone();
    script.book.take_sent(&id, 0, Told::default(), delivery(Some("refused")), at(200.0));
    assert_eq!(script.deliver(499.0), []);
    assert_eq!(script.deliver(500.0), [Reason::First]);
    assert_eq!(script.incidents()[0].deliveries.len(), 2);
}

/// What was told before a restart is not told again; what ended meanwhile is.
#[test]
fn incidents_outlive_the_server() {
    let mut script = Script::new(Vec::new(), 0.0);
    script.take(&alert("a", 0.0, None), 0.0);
    script.take(&alert("b", 0.0, None), 0.0);
    assert_eq!(script.deliver(1.0), [Reason::First]);
    let document = serde_json::to_string(&*script.incidents()[0]).unwrap();
    let past: Incident = serde_json::from_str(&document).unwrap();

    let mut after = Script::new(vec![past.clone()], 100.0);
    assert!(!after.take(&alert("a", 101.0, None), 101.0).is_new);
    assert_eq!(after.deliver(116.0), []);
    let firing = BTreeSet::from([alert("a", 0.0, None).labels]);
    after.book.settle(&rule().id, &firing, at(120.0));
    assert_eq!(after.deliver(131.0), [Reason::SomeResolved]);
    assert_eq!(after.incidents().len(), 1);

    let mut without_rule = Script::new(vec![past], 100.0);
    without_rule.book.keep_rules(&BTreeSet::new(), at(101.0));
    assert_eq!(without_rule.deliver(116.0), [Reason::AllResolved]);
}

#[test]
fn changes_are_recorded_and_repetitions_are_not() {
    let mut script = Script::new(Vec::new(), 0.0);
    script.take(&alert("a", 0.0, None), 0.0);
    let first = script.book.take_changed();
    assert_eq!((first.len(), first[0].revision), (1, 1));
    script.take(&alert("a", 0.0, None), 60.0);
    assert!(script.book.take_changed().is_empty() && script.book.take_touched());
    script.deliver(61.0);
    assert_eq!(script.book.take_changed()[0].revision, 2);
}

struct House {
    dispatcher: tokio::task::JoinHandle<()>,
    events: mpsc::Sender<Event>,
    incidents: watch::Receiver<Vec<Arc<Incident>>>,
    stop: CancellationToken,
    rows: Arc<Mutex<Vec<serde_json::Value>>>,
    metrics: Arc<Metrics>,
}

fn house(url: &str, explain: Explain) -> House {
    let receiver: ReceiverConfig =
        serde_json::from_value(serde_json::json!({"name": "ops", "webhook": [{"url": url}]})).unwrap();
    let metrics = Arc::new(Metrics::default());
    let rows: Arc<Mutex<Vec<serde_json::Value>>> = Arc::default();
    let kept = rows.clone();
    let record: RecordIncident = Arc::new(move |row| {
        kept.lock().unwrap().push(row);
        async { Ok(()) }.boxed()
    });
    let short = Duration::from_millis(20);
    let dispatcher = Dispatcher::new(Parts {
        timers: Timers { group_wait: short, group_interval: short, repeat_interval: Duration::from_secs(3600) },
        explain,
        investigate: Arc::new(|request| {
            let report = serde_json::json!({ "of": request.incident, "report": request.report });
            async { Ok(Cause { sentence: "the queue grew first".to_owned(), report }) }.boxed()
        }),
        recorder: Recorder::start(record, metrics.clone()),
        integrations: integrations(&[receiver]).unwrap(),
        external_url: "http://culprit".into(),
        metrics: metrics.clone(),
        clock: Clock::System,
        patience: Patience::default(),
        past: Vec::new(),
    });
    let (events, incidents, stop) = (dispatcher.sender(), dispatcher.watch(), CancellationToken::new());
    House { dispatcher: tokio::spawn(dispatcher.run(stop.clone())), events, incidents, stop, rows, metrics }
}

impl House {
    async fn fire(&self, alert: Alert) {
        self.events.send(Event::Alerts { rule: Arc::new(rule()), alerts: vec![alert] }).await.unwrap();
    }

    async fn end(self) -> Vec<serde_json::Value> {
        self.stop.cancel();
        self.dispatcher.await.unwrap();
        self.rows.lock().unwrap().clone()
    }
}

fn cause() -> Cause {
    Cause { sentence: "customer_id = 1002".to_owned(), report: serde_json::json!({"rows": 5}) }
}

#[tokio::test]
async fn an_alert_becomes_a_message_with_its_cause() {
    let receiver = HttpReceiver::start(&[("200 OK", "", "")]).await;
    let house = house(&receiver.url, Arc::new(|_| async { Ok(cause()) }.boxed()));
    house.fire(with_slice(alert("a", 0.0, None), "status >= 500")).await;
    let body = receiver.wait(1).await.remove(0).body;
    let alert_json = &body["alerts"][0];
    assert_eq!(alert_json["annotations"]["culprit_cause"], "customer_id = 1002");
    assert_eq!(
        (&alert_json["culprit"]["status"], &alert_json["culprit"]["report"]["rows"]),
        (&"ready".into(), &5.into())
    );
    assert_eq!(alert_json["culprit"]["slice"]["where"], "status >= 500");
    house.fire(alert("a", 0.0, Some(1.0))).await;
    let resolved = receiver.wait(2).await.remove(1).body;
    assert_eq!(
        (&resolved["status"], &resolved["notification_reason"]),
        (&"resolved".into(), &"all alerts resolved".into())
    );
    let mut incidents = house.incidents.clone();
    incidents.wait_for(|all| all.first().is_some_and(|incident| incident.deliveries.len() == 2)).await.unwrap();
    let rows = house.end().await;
    let last: Incident = serde_json::from_str(rows.last().unwrap()["document"].as_str().unwrap()).unwrap();
    assert!(!last.is_firing() && last.alerts[0].closed);
}

#[tokio::test]
async fn a_late_cause_joins_the_incident_and_pages_nobody() {
    let receiver = HttpReceiver::start(&[("200 OK", "", "")]).await;
    let release = Arc::new(tokio::sync::Notify::new());
    let wait = release.clone();
    let slow: Explain = Arc::new(move |_| {
        let wait = wait.clone();
        async move {
            wait.notified().await;
            Ok(cause())
        }
        .boxed()
    });
    let house = house(&receiver.url, slow);
    house.fire(with_slice(alert("a", 0.0, None), "x")).await;
    let body = receiver.wait(1).await.remove(0).body;
    assert_eq!(body["alerts"][0]["annotations"]["culprit_cause"], "explanation took longer than 3 s");
    assert_eq!(body["alerts"][0]["culprit"]["status"], "pending");
    release.notify_one();
    let mut incidents = house.incidents.clone();
    let is_ready = |all: &Vec<Arc<Incident>>| all[0].cause_of(&all[0].alerts[0]).words() == "customer_id = 1002";
    tokio::time::timeout(Duration::from_secs(10), incidents.wait_for(is_ready)).await.unwrap().unwrap();
    assert_eq!(house.metrics.explanations_late.get(), 1);
    house.end().await;
    assert_eq!(receiver.received().len(), 1);
}

#[tokio::test]
async fn an_investigation_follows_the_cause_once_and_pages_nobody() {
    let receiver = HttpReceiver::start(&[("200 OK", "", "")]).await;
    let house = house(&receiver.url, Arc::new(|_| async { Ok(cause()) }.boxed()));
    house.fire(with_slice(alert("a", 0.0, None), "x")).await;
    let mut incidents = house.incidents.clone();
    let is_ready = |all: &Vec<Arc<Incident>>| {
        all.first().is_some_and(|one| {
            matches!(one.investigation, Some(CauseState::Ready { .. })) && !one.deliveries.is_empty()
        })
    };
    let seen =
        tokio::time::timeout(Duration::from_secs(10), incidents.wait_for(is_ready)).await.unwrap().unwrap()[0].clone();
    let json = seen.to_json();
    assert_eq!(json["investigation"]["sentence"], "the queue grew first");
    assert_eq!(json["investigation"]["report"], serde_json::json!({"of": seen.id, "report": {"rows": 5}}));
    house.fire(with_slice(alert("b", 0.0, None), "y")).await;
    receiver.wait(2).await;
    assert_eq!(house.metrics.investigations.get(), 1, "of the incident, not of each alert");
    house.end().await;
    assert_eq!(receiver.received().len(), 2, "one per alert");
}

#[tokio::test]
async fn a_message_says_why_there_is_no_cause() {
    let receiver = HttpReceiver::start(&[("200 OK", "", "")]).await;
    let failing: Explain = Arc::new(|_| async { Err(HookError::new("no store \"shop\"")) }.boxed());
    let house = house(&receiver.url, failing);
    house.fire(with_slice(alert("a", 0.0, None), "x")).await;
    let words = |body: &serde_json::Value| body["alerts"][0]["annotations"]["culprit_cause"].clone();
    assert_eq!(words(&receiver.wait(1).await[0].body), "explanation failed: no store \"shop\"");
    let mut other = alert("a", 0.0, None);
    other.labels = other.labels.with("severity", "ticket");
    house.fire(other).await;
    assert_eq!(words(&receiver.wait(2).await[1].body), "no slice given");
    house.end().await;
}
