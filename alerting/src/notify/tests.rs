//! Notifiers against small servers of their own on loopback.

use std::collections::BTreeMap;
use std::sync::Mutex;

use expect_test::expect;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::*;
use crate::incident::{CauseState, Explained};
use crate::metrics::Metrics;
use crate::slice::SliceRequest;

/// A request as a receiver sees it.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    pub(crate) path: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: serde_json::Value,
}

/// An HTTP server that answers as it was told, the last answer for ever, and keeps what it was sent.
pub(crate) struct HttpReceiver {
    pub(crate) url: String,
    received: watch::Receiver<Vec<Received>>,
}

impl HttpReceiver {
    /// Answers: status line behind `HTTP/1.1 `, further headers, body.
    pub(crate) async fn start(answers: &[(&'static str, &'static str, &'static str)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let answers = answers.to_vec();
        let (sender, received) = watch::channel(Vec::new());
        tokio::spawn(async move {
            let next = Mutex::new(answers.into_iter().peekable());
            while let Ok((stream, _)) = listener.accept().await {
                let answer = {
                    let mut next = next.lock().unwrap();
                    let answer = *next.peek().unwrap();
                    next.next_if(|_| true);
                    if next.peek().is_none() {
                        *next = vec![answer].into_iter().peekable();
                    }
                    answer
                };
                if let Some(request) = serve(stream, answer).await {
                    sender.send_modify(|all: &mut Vec<Received>| all.push(request));
                }
            }
        });
        Self { url, received }
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.received.borrow().clone()
    }

    /// Waits until there are so many requests.
    pub(crate) async fn wait(&self, count: usize) -> Vec<Received> {
        let mut received = self.received.clone();
        let waited = tokio::time::timeout(Duration::from_secs(20), received.wait_for(|all| all.len() >= count)).await;
        waited.expect("the receiver was not asked often enough").unwrap().clone()
    }
}

async fn serve(stream: TcpStream, (status, headers, body): (&str, &str, &str)) -> Option<Received> {
    let mut stream = BufReader::new(stream);
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        if line.trim().is_empty() {
            break;
        }
        head.push(line.trim().to_owned());
    }
    let path = head[0].split(' ').nth(1)?.to_owned();
    let pairs = head[1..].iter().filter_map(|line| line.split_once(": "));
    let parsed: BTreeMap<String, String> = pairs.map(|(k, v)| (k.to_lowercase(), v.to_owned())).collect();
    let mut bytes = vec![0; parsed.get("content-length")?.parse().ok()?];
    stream.read_exact(&mut bytes).await.ok()?;
    let answer =
        format!("HTTP/1.1 {status}\r\n{headers}connection: close\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    stream.write_all(answer.as_bytes()).await.ok()?;
    Some(Received { path, headers: parsed, body: serde_json::from_slice(&bytes).ok()? })
}

fn slice() -> SliceRequest {
    SliceRequest {
        project: "default".to_owned(),
        store: "shop".to_owned(),
        filter: "status >= 500".to_owned(),
        baseline: None,
        noun: None,
        dimensions: Vec::new(),
        from: "2023-11-14T22:08:20Z".to_owned(),
        to: "2023-11-14T22:13:20Z".to_owned(),
    }
}

const SENTENCE: &str = "90 % of the failing requests have customer_id = 1002; 1 % of the others have it.";

fn incident() -> Incident {
    let labels = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
        pairs.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect()
    };
    let alert = IncidentAlert {
        fingerprint: "00000000000000aa".to_owned(),
        labels: labels(&[("alertname", "HighErrorRate"), ("severity", "page"), ("job", "shop")]),
        annotations: labels(&[("summary", "errors <b>on</b> shop")]),
        value: 0.25,
        active_at: 1_700_000_000_000_000_000,
        fired_at: 1_700_000_000_000_000_000,
        resolved_at: None,
        slice: Some(slice()),
        slice_failure: None,
        closed: false,
    };
    let other = IncidentAlert {
        fingerprint: "00000000000000bb".to_owned(),
        labels: labels(&[("alertname", "HighErrorRate"), ("severity", "page"), ("job", "cart")]),
        resolved_at: Some(1_700_000_060_000_000_000),
        slice: None,
        ..alert.clone()
    };
    Incident {
        id: "0123456789abcdef".to_owned(),
        revision: 1,
        key: "k".to_owned(),
        rule_id: "r".to_owned(),
        rule: "HighErrorRate".to_owned(),
        group: "shop".to_owned(),
        project: "default".to_owned(),
        expression: "job:errors > 0.1".to_owned(),
        console_path: "/ui/?mode=promql&project=default&q=job%3Aerrors+%3E+0.1".to_owned(),
        group_labels: labels(&[("alertname", "HighErrorRate"), ("severity", "page")]),
        alerts: vec![alert, other],
        left_out: BTreeSet::new(),
        causes: vec![Explained {
            slice: slice(),
            cause: CauseState::Ready {
                sentence: SENTENCE.to_owned(),
                report: serde_json::json!({"explanations": [{"items": [{"dimension": "customer_id", "value": "1002"}]}]}),
            },
        }],
        investigation: None,
        fired_at: 1_700_000_000_000_000_000,
        resolved_at: None,
        deliveries: Vec::new(),
        told: BTreeMap::new(),
    }
}

fn notification() -> Notification {
    let incident = Arc::new(incident());
    Notification {
        firing: incident.firing(),
        resolved: incident.resolved(),
        incident,
        receiver: "oncall".to_owned(),
        reason: Reason::First,
        external_url: "http://127.0.0.1:6700/".into(),
        at: UnixNanos(1_700_000_000_000_000_000),
    }
}

fn one(toml: serde_json::Value) -> Arc<Integration> {
    let receiver: ReceiverConfig = serde_json::from_value(toml).unwrap();
    integrations(&[receiver]).unwrap().remove(0)
}

fn hasty() -> Patience {
    let short = Duration::from_millis(2);
    Patience { wait_min: short, wait_max: short, total: Duration::from_millis(20) }
}

#[test]
fn the_webhook_body_is_that_of_alertmanager_with_the_cause() {
    let body = serde_json::to_string_pretty(&payload::webhook(&notification(), 0)).unwrap();
    expect_test::expect_file!["../../testdata/webhook.json"].assert_eq(&body);
}

#[test]
fn truncated_alerts_are_counted() {
    let body = payload::webhook(&notification(), 1);
    assert_eq!((body["alerts"].as_array().unwrap().len(), &body["truncatedAlerts"]), (1, &1.into()));
}

#[tokio::test]
async fn the_webhook_is_posted_with_its_token() {
    let receiver = HttpReceiver::start(&[("200 OK", "", "")]).await;
    let webhook = one(
        serde_json::json!({"name": "oncall", "webhook": [{"url": format!("{}/hook", receiver.url), "bearer_token": "t"}]}),
    );
    let metrics = Metrics::default();
    deliver(webhook, &notification(), &metrics, hasty()).await.unwrap();
    let request = receiver.wait(1).await.remove(0);
    assert_eq!((request.path.as_str(), request.headers["authorization"].as_str()), ("/hook", "Bearer t"));
    assert_eq!(request.body["alerts"][0]["annotations"]["culprit_cause"], SENTENCE);
    assert_eq!((metrics.webhook.sent.get(), metrics.webhook.failed.get()), (1, 0));
}

#[tokio::test]
async fn passing_failures_are_tried_again_and_final_ones_are_not() {
    for (answers, tried, is_sent) in [
        (
            vec![
                ("503 Service Unavailable", "", ""),
                ("429 Too Many Requests", "retry-after: 0\r\n", ""),
                ("200 OK", "", ""),
            ],
            3,
            true,
        ),
        (vec![("404 Not Found", "", "no such hook")], 1, false),
        (vec![("500 Internal Server Error", "", "broken")], 10, false),
    ] {
        let receiver = HttpReceiver::start(&answers).await;
        let webhook = one(serde_json::json!({"name": "oncall", "webhook": [{"url": receiver.url}]}));
        let metrics = Metrics::default();
        let result = deliver(webhook, &notification(), &metrics, hasty()).await;
        assert_eq!((result.is_ok(), receiver.received().len()), (is_sent, tried), "{answers:?} {result:?}");
        assert_eq!(
            (metrics.webhook.failed.get(), metrics.webhook.retried.get()),
            (u64::from(!is_sent), tried as u64 - 1)
        );
    }
    let nobody = one(serde_json::json!({"name": "oncall", "webhook": [{"url": "http://127.0.0.1:1/secret-token"}]}));
    let error = deliver(nobody, &notification(), &Metrics::default(), hasty()).await.unwrap_err().to_string();
    assert!(error.contains("refused") && !error.contains("secret-token"), "{error}");
}

#[tokio::test]
async fn slack_gets_one_attachment_with_the_sentence() {
    let receiver = HttpReceiver::start(&[("200 OK", "", "ok")]).await;
    let slack = one(serde_json::json!({"name": "oncall", "slack": [{"url": receiver.url, "channel": "#ops"}]}));
    deliver(slack, &notification(), &Metrics::default(), hasty()).await.unwrap();
    let body = receiver.wait(1).await.remove(0).body;
    expect![[r##"
        {
          "text": "[FIRING:1] HighErrorRate (page)",
          "attachments": [
            {
              "fallback": "[FIRING:1] HighErrorRate (page): 90 % of the failing requests have customer_id = 1002; 1 % of the others have it.\nno slice given",
              "color": "danger",
              "title": "HighErrorRate",
              "title_link": "http://127.0.0.1:6700/ui/alerts?incident=0123456789abcdef",
              "text": "*90 % of the failing requests have customer_id = 1002; 1 % of the others have it.\nno slice given*\nerrors &lt;b&gt;on&lt;/b&gt; shop · job=shop · value 0.25\nresolved · errors &lt;b&gt;on&lt;/b&gt; shop · job=cart · value 0.25",
              "mrkdwn_in": [
                "text"
              ],
              "ts": 1700000000
            }
          ],
          "channel": "#ops"
        }"##]]
    .assert_eq(&serde_json::to_string_pretty(&body).unwrap());
    let refusing = HttpReceiver::start(&[("200 OK", "", r#"{"ok":false,"error":"channel_not_found"}"#)]).await;
    let slack = one(serde_json::json!({"name": "oncall", "slack": [{"url": refusing.url}]}));
    let error = deliver(slack, &notification(), &Metrics::default(), hasty()).await.unwrap_err().to_string();
    assert!(error.contains("channel_not_found"), "{error}");
}

#[tokio::test]
async fn dingtalk_is_signed_and_its_errcode_counts() {
    let receiver = HttpReceiver::start(&[("200 OK", "", r#"{"errcode":0,"errmsg":"ok"}"#)]).await;
    let config = |url: &str| serde_json::json!({"name": "oncall", "dingtalk": [{"url": format!("{url}/robot/send?access_token=a"), "secret": "SEC1"}]});
    deliver(one(config(&receiver.url)), &notification(), &Metrics::default(), hasty()).await.unwrap();
    let request = receiver.wait(1).await.remove(0);
    // The signature of these words was made with openssl.
    let signed =
        "/robot/send?access_token=a&timestamp=1700000000000&sign=ukR4%2BWoOOBTGaOauYqugxVrMSFyr92q4hPxJxuOkiio%3D";
    assert_eq!(request.path, signed);
    assert_eq!(request.body["msgtype"], "markdown");
    assert!(request.body["markdown"]["text"].as_str().unwrap().contains(SENTENCE));
    let refusing = HttpReceiver::start(&[("200 OK", "", r#"{"errcode":310000,"errmsg":"sign not match"}"#)]).await;
    let error = deliver(one(config(&refusing.url)), &notification(), &Metrics::default(), hasty()).await.unwrap_err();
    assert_eq!(error.to_string(), "errcode 310000: sign not match");
    assert_eq!(refusing.received().len(), 1);
}

/// Speaks as much SMTP as one message needs; gives the envelope and the message.
async fn smtp_server(listener: TcpListener) -> (Vec<String>, String) {
    let (stream, _) = listener.accept().await.unwrap();
    let mut stream = BufReader::new(stream);
    stream.write_all(b"220 test ESMTP\r\n").await.unwrap();
    let (mut envelope, mut message) = (Vec::new(), String::new());
    let mut line = String::new();
    loop {
        line.clear();
        if stream.read_line(&mut line).await.unwrap() == 0 {
            return (envelope, message);
        }
        let answer: &[u8] = match line.split([' ', '\r']).next().unwrap() {
            "EHLO" => b"250-test\r\n250 8BITMIME\r\n",
            "DATA" => b"354 go on\r\n",
            "QUIT" => b"221 bye\r\n",
            _ => {
                envelope.push(line.trim().to_owned());
                b"250 ok\r\n"
            }
        };
        stream.write_all(answer).await.unwrap();
        if answer.starts_with(b"354") {
            while !message.ends_with("\r\n.\r\n") {
                stream.read_line(&mut message).await.unwrap();
            }
            stream.write_all(b"250 queued\r\n").await.unwrap();
        }
        if answer.starts_with(b"221") {
            return (envelope, message);
        }
    }
}

#[tokio::test]
async fn an_email_carries_the_sentence_in_text_and_html() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let smarthost = listener.local_addr().unwrap().to_string();
    let server = tokio::spawn(smtp_server(listener));
    let email = serde_json::json!({"smarthost": smarthost, "from": "Culprit <culprit@example.org>", "to": "a@example.org, b@example.org"});
    let email = one(serde_json::json!({"name": "oncall", "email": [email]}));
    deliver(email.clone(), &notification(), &Metrics::default(), hasty()).await.unwrap();
    drop(email);
    let (envelope, message) = tokio::time::timeout(Duration::from_secs(10), server).await.unwrap().unwrap();
    assert!(envelope[0].starts_with("MAIL FROM:<culprit@example.org>"), "{envelope:?}");
    assert_eq!(envelope[1..3], ["RCPT TO:<a@example.org>", "RCPT TO:<b@example.org>"]);
    assert!(message.contains("Subject: [FIRING:1] HighErrorRate (page)"), "{message}");
    // Quoted-printable breaks long lines with `=`.
    let text = message.replace("=\r\n", "");
    assert_eq!(text.matches("customer_id =3D 1002").count(), 2, "{text}");
    assert!(text.contains("multipart/alternative") && text.contains("&lt;b&gt;on&lt;/b&gt;"), "{text}");
}

#[test]
fn wrong_receivers_are_refused_at_start() {
    let wrong = |config: serde_json::Value| {
        let receiver: Result<ReceiverConfig, _> = serde_json::from_value(config);
        match receiver {
            Ok(receiver) => integrations(&[receiver]).err().map(|error| error.to_string()).unwrap(),
            Err(error) => error.to_string(),
        }
    };
    for (config, why) in [
        (serde_json::json!({"name": "a", "webhook": [{"url": "ftp://x"}]}), "expected http or https"),
        (serde_json::json!({"name": "a", "webhook": [{"uri": "http://x"}]}), "unknown field `uri`"),
        (
            serde_json::json!({"name": "a", "email": [{"smarthost": "mail", "from": "a@b.c", "to": "a@b.c"}]}),
            "host:port",
        ),
        (
            serde_json::json!({"name": "a", "email": [{"smarthost": "mail:25", "from": "nobody", "to": "a@b.c"}]}),
            "address \"nobody\"",
        ),
        (serde_json::json!({"name": ""}), "name of its own"),
    ] {
        let error = wrong(config);
        assert!(error.contains(why), "{error}");
    }
}
