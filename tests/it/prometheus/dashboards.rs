//! The two public node dashboards, imported, with data that came through Prometheus.

use std::time::Duration;

use serde_json::{Value, json};

use super::{JOB, Pair};
use crate::harness::{Client, shared, text};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn node_dashboards_show_what_prometheus_shows() {
    let Some(shared) = shared("the node dashboards") else { return };
    let Some(pair) = Pair::start("the node dashboards").await else { return };
    let window = pair.window(Duration::from_secs(20)).await;
    for (file, panels, with_data) in
        [("prometheus-operator__nodes.json", 8, 10), ("rfmoz__node-exporter-full.json", 100, 60)]
    {
        let body = std::fs::read_to_string(shared.join("data/dashboards").join(file)).unwrap();
        let uid = import(&pair.ours.client, file, &body, panels).await;
        let dashboard = pair.ours.client.get_ok(&format!("/api/dashboards/{uid}")).await;
        let expressions = expressions(&dashboard, &pair.exporter);
        assert_eq!(expressions.len(), count_expressions(&serde_json::from_str(&body).unwrap()), "{file}");
        let mut shown = 0;
        for expression in expressions {
            let (ours, theirs) = (
                series(&pair.ours.client, &expression, window.end_ms).await,
                series(&pair.theirs, &expression, window.end_ms).await,
            );
            assert_eq!(ours, theirs, "{file}: series of {expression}");
            shown += usize::from(ours > 0);
        }
        assert!(shown >= with_data, "{file}: only {shown} queries have data");
    }
}

/// The uid, after a look at the report: every panel can be shown.
async fn import(client: &Client, file: &str, body: &str, panels_min: u64) -> String {
    let grafana: Value = serde_json::from_str(body).unwrap();
    let (status, answer) = client.post_json("/api/dashboards/import", &grafana).await;
    assert!(status.is_success(), "{file}: {status} {answer}");
    let report = &answer["report"];
    assert_eq!(report["none"], json!(0), "{file}: {report:#}");
    let shown = report["full"].as_u64().unwrap() + report["partial"].as_u64().unwrap();
    assert!(shown >= panels_min, "{file}: {shown} panels");
    let list = client.get_ok("/api/dashboards").await;
    let listed = list["dashboards"].as_array().unwrap().iter().any(|board| board["uid"] == answer["uid"]);
    assert!(listed, "{file} is not listed: {list}");
    text(&answer["uid"]).to_owned()
}

/// The queries of all panels with the values that their variables take for this exporter.
fn expressions(dashboard: &Value, exporter: &str) -> Vec<String> {
    let panels = dashboard["panels"].as_array().expect("panels");
    let targets = panels.iter().filter_map(|panel| panel["targets"].as_array()).flatten();
    let mut expressions = Vec::new();
    for expression in targets.map(|target| text(&target["expr"])) {
        let mut query = expression.to_owned();
        for (variable, value) in
            [("$__rate_interval", "15s"), ("$instance", exporter), ("$node", exporter), ("$job", JOB), ("$cluster", "")]
        {
            query = query.replace(variable, value);
        }
        assert!(!query.contains('$'), "{query} has a variable that this test does not know");
        expressions.push(query);
    }
    expressions
}

/// In the file as it came, rows opened and folded.
fn count_expressions(grafana: &Value) -> usize {
    let own =
        grafana["targets"].as_array().map_or(0, |targets| targets.iter().filter(|t| t["expr"].is_string()).count());
    own + grafana["panels"].as_array().map_or(0, |panels| panels.iter().map(count_expressions).sum())
}

async fn series(server: &Client, query: &str, at_ms: i64) -> usize {
    let time = format!("{}.{:03}", at_ms / 1_000, at_ms % 1_000);
    let data = server.prometheus("/api/v1/query", &[("query", query), ("time", &time)]).await;
    data["result"].as_array().expect("a list of series").len()
}
