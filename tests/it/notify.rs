//! An alert on rows of our own reaches e-mail, chat and webhook, each time with the sentence that names the customer.

mod mail;

use std::collections::BTreeSet;
use std::time::Duration;

use base64::Engine;
use hmac::Mac;
use serde_json::{Value, json};

use crate::harness::{Random, Received, Receiver, Server, now_millis, text, wait_for};
use mail::Mailbox;

const CUSTOMER: u64 = 77;
const ROWS: u64 = 4_000;
const SECRET: &str = "SECculprit0123456789";
/// Rules are looked at every second; a debug build explains within another.
const PATIENCE: Duration = Duration::from_secs(60);

const RULES: &str = "groups:
- name: shop
  interval: 1s
  rules:
  - alert: RequestsFail
    search: 'shop | status>=500'
    window: 1h
    threshold: '> 50'
    labels: {severity: critical}
    annotations: {summary: 'many requests fail'}
    explain: {store: shop, where: 'status >= 500', window: 1h}
  - alert: ServiceFails
    sql: 'SELECT service, avg(CASE WHEN status >= 500 THEN 1.0 ELSE 0.0 END) AS value FROM shop GROUP BY service'
    window: 1h
    labels: {severity: warning}
";

/// What was sent, counted.
#[derive(Default)]
struct Fed {
    failed: u64,
    failed_of_customer: u64,
    services: BTreeSet<String>,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_channel_brings_the_sentence() {
    let webhook = Receiver::start(|_| String::new()).await;
    let slack = Receiver::start(|_| "ok".to_owned()).await;
    let dingtalk = Receiver::start(answer_of_dingtalk).await;
    let mailbox = Mailbox::start().await;
    let folder = tempfile::tempdir().unwrap();
    let rules = folder.path().join("shop.yml");
    let config = format!(
        "[alerting]
rules = [{rules:?}]
reload_interval = \"1s\"
[[alerting.receivers]]
name = \"oncall\"
webhook = [{{url = \"{}/hook\"}}]
slack = [{{url = \"{}/services/T0/B0/x\", channel = \"#oncall\"}}]
dingtalk = [{{url = \"{}/robot/send?access_token=t\", secret = \"{SECRET}\"}}]
email = [{{smarthost = \"{}\", from = \"Culprit <culprit@example.com>\", to = \"oncall@example.com\"}}]
",
        webhook.url, slack.url, dingtalk.url, mailbox.address
    );
    let server = Server::start(&config).await;
    let fed = feed(&server).await;
    // The file comes when the server runs already: it is found without a restart.
    std::fs::write(&rules, RULES).unwrap();

    let sentence = check_webhook(&webhook, &fed).await;
    check_slack(&slack, &sentence).await;
    check_dingtalk(&dingtalk, &sentence).await;
    check_email(&mailbox, &sentence).await;
    let incidents = server.client.get_ok("/api/incidents").await;
    let incident = find(&incidents["incidents"], |one| one["rule"] == "RequestsFail").expect("the incident");
    assert_eq!((&incident["state"], &incident["cause"]["sentence"]), (&json!("firing"), &json!(sentence)));
    check_deliveries(&server).await;
}

/// Nine of ten requests of the customer fail, whatever else they have; one in a hundred of the others does.
async fn feed(server: &Server) -> Fed {
    let mut random = Random::new(6);
    let mut fed = Fed::default();
    let mut body = String::new();
    for _ in 0..ROWS {
        let customer = if random.below(12) == 0 { CUSTOMER } else { 100 + random.below(300) };
        let service = ["cart", "checkout", "payment"][random.below(3) as usize];
        let failed = random.below(100) < if customer == CUSTOMER { 90 } else { 1 };
        fed.failed += u64::from(failed);
        fed.failed_of_customer += u64::from(failed && customer == CUSTOMER);
        fed.services.insert(service.to_owned());
        let row = json!({
            "service": service, "host": format!("h{}", random.below(8)), "customer_id": customer,
            "status": if failed { 503 } else { 200 }, "version": format!("1.{}", random.below(3)),
        });
        body.push_str(&format!("{row}\n"));
    }
    let (status, report) = server.client.ingest("default/shop", body).await;
    assert!(status.is_success() && report["accepted"] == json!(ROWS), "{status} {report}");
    fed
}

fn find(list: &Value, is_wanted: impl Fn(&Value) -> bool) -> Option<Value> {
    list.as_array().expect("a list").iter().find(|one| is_wanted(one)).cloned()
}

/// The notification of one rule among those that a receiver got.
async fn received(receiver: &Receiver, what: &str, is_wanted: impl Fn(&Received) -> bool) -> Received {
    wait_for(what, PATIENCE, async || receiver.received().into_iter().find(|one| is_wanted(one))).await
}

fn is_about(one: &Received, rule: &str) -> bool {
    one.body["groupLabels"]["alertname"] == rule
}

/// Alertmanager's version 4, with the counts that were sent; answers the sentence.
async fn check_webhook(webhook: &Receiver, fed: &Fed) -> String {
    let with_slice = received(webhook, "the webhook", |one| is_about(one, "RequestsFail")).await;
    assert_eq!((with_slice.path.as_str(), with_slice.content_type.as_str()), ("/hook", "application/json"));
    let body = with_slice.body;
    assert_eq!(
        (&body["version"], &body["status"], &body["receiver"]),
        (&json!("4"), &json!("firing"), &json!("oncall"))
    );
    for key in ["groupKey", "externalURL", "commonLabels", "commonAnnotations", "truncatedAlerts"] {
        assert!(!body[key].is_null(), "{key} is missing in {body:#}");
    }
    let alert = &body["alerts"][0];
    for key in ["startsAt", "endsAt", "generatorURL", "fingerprint"] {
        assert!(alert[key].is_string(), "{key} is missing in {alert:#}");
    }
    assert_eq!((&alert["labels"]["severity"], &alert["status"]), (&json!("critical"), &json!("firing")));
    let sentence = text(&alert["annotations"]["culprit_cause"]).to_owned();
    assert!(sentence.contains(&format!("customer_id = {CUSTOMER}")), "{sentence}");
    let first = &alert["culprit"]["report"]["explanations"][0];
    let item = &first["items"][0];
    assert_eq!((&item["dimension"], &item["value"]), (&json!("customer_id"), &json!(CUSTOMER.to_string())));
    assert_eq!(first["items"].as_array().unwrap().len(), 1, "{first:#}");
    assert_eq!(first["rows_a"], json!(fed.failed_of_customer));
    assert_eq!(alert["culprit"]["report"]["rows_a"], json!(fed.failed));

    let without = received(webhook, "the webhook without a slice", |one| is_about(one, "ServiceFails")).await.body;
    let alerts = without["alerts"].as_array().unwrap();
    let services = alerts.iter().map(|alert| text(&alert["labels"]["service"]).to_owned());
    assert_eq!(services.collect::<BTreeSet<_>>(), fed.services);
    assert!(text(&alerts[0]["annotations"]["culprit_cause"]).contains("no slice given"), "{:#}", alerts[0]);
    sentence
}

async fn check_slack(slack: &Receiver, sentence: &str) {
    let title = |one: &Received| one.body["attachments"][0]["title"] == "RequestsFail";
    let message = received(slack, "the Slack message", title).await;
    assert_eq!((message.path.as_str(), message.content_type.as_str()), ("/services/T0/B0/x", "application/json"));
    assert_eq!(message.body["channel"], json!("#oncall"));
    assert!(text(&message.body["text"]).contains("[FIRING:1] RequestsFail"), "{:#}", message.body);
    let attachment = &message.body["attachments"][0];
    assert!(text(&attachment["text"]).contains(&escaped(sentence)), "{attachment:#}");
    assert!(attachment["fallback"].is_string() && attachment["color"] == json!("danger"), "{attachment:#}");
}

/// Slack reads these three as markup.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// As the robot does: a wrong or late signature is refused in a body, with status 200.
fn answer_of_dingtalk(request: &Received) -> String {
    let stamp = request.query.get("timestamp").map_or("", String::as_str);
    let mut mac = hmac::Hmac::<sha2::Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(format!("{stamp}\n{SECRET}").as_bytes());
    let expected = base64::engine::general_purpose::STANDARD.encode(mac.finalize().into_bytes());
    let in_time = stamp.parse::<i64>().is_ok_and(|stamp| (now_millis() - stamp).abs() < 3_600_000);
    let good = in_time && request.query.get("sign") == Some(&expected) && request.query.contains_key("access_token");
    let (code, why) = if good { (0, "ok") } else { (310_000, "sign not match") };
    json!({"errcode": code, "errmsg": why}).to_string()
}

async fn check_dingtalk(dingtalk: &Receiver, sentence: &str) {
    let message =
        received(dingtalk, "the DingTalk message", |one| text(&one.body["markdown"]["title"]).contains("RequestsFail"));
    let message = message.await;
    assert_eq!((message.path.as_str(), &message.body["msgtype"]), ("/robot/send", &json!("markdown")));
    assert!(text(&message.body["markdown"]["text"]).contains(sentence), "{:#}", message.body);
}

async fn check_email(mailbox: &Mailbox, sentence: &str) {
    let message = wait_for("the e-mail", PATIENCE, async || {
        mailbox.messages().await.into_iter().find(|message| message.subject.contains("RequestsFail"))
    });
    let message = message.await;
    assert_eq!((message.from.as_str(), message.to.as_str()), ("Culprit <culprit@example.com>", "oncall@example.com"));
    assert_eq!(message.subject, "[FIRING:1] RequestsFail (critical)");
    assert!(message.plain.contains(sentence), "{}", message.plain);
    assert!(message.html.contains(&escaped(sentence)), "{}", message.html);
}

/// All four were told, and all four took it.
async fn check_deliveries(server: &Server) {
    let told = wait_for("the record of the deliveries", PATIENCE, async || {
        let incidents = server.client.get_ok("/api/incidents").await;
        let incident = find(&incidents["incidents"], |one| one["rule"] == "RequestsFail")?;
        let deliveries = incident["notifications"].as_array()?.clone();
        (deliveries.len() >= 4).then_some(deliveries)
    });
    for delivery in told.await {
        assert_eq!((&delivery["ok"], &delivery["error"]), (&json!(true), &Value::Null), "{delivery}");
    }
}
