//! One answer on every surface: HTTP as a stream and whole, SQL, the SLS API, the command line on a store and on files. The rows are ours, and so are the counts.

use std::collections::BTreeSet;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::harness::{Server, command, run, run_against, text};

/// Most of what customer 7 orders in the region eu fails, and little else does.
fn rows() -> impl Iterator<Item = (u32, &'static str, u32)> + Clone {
    (0..12_000u32).map(|at| {
        let (customer, region) = (at % 20, ["eu", "us", "ap"][(at / 20 % 3) as usize]);
        let fails = (customer == 7 && region == "eu" && at % 7 != 0) || at % 400 == 3;
        (customer, region, if fails { 500 } else { 200 })
    })
}

fn planted() -> (usize, usize) {
    let of = |fails: bool| rows().filter(|row| row.0 == 7 && row.1 == "eu" && (row.2 == 500) == fails).count();
    (of(true), of(false))
}

fn ndjson() -> String {
    rows()
        .map(|(customer, region, status)| {
            json!({"customer": format!("c{customer}"), "region": region, "status": status}).to_string() + "\n"
        })
        .collect()
}

async fn shop() -> Server {
    let server = Server::start("").await;
    let (status, report) = server.client.ingest("default/shop?format=ndjson", ndjson()).await;
    assert_eq!((status, &report["accepted"]), (StatusCode::OK, &json!(rows().count())), "{report}");
    server
}

fn items(explanation: &Value) -> BTreeSet<(String, String)> {
    let items = explanation["items"].as_array().unwrap();
    items.iter().map(|item| (text(&item["dimension"]).to_owned(), text(&item["value"]).to_owned())).collect()
}

fn is_planted(report: &Value) {
    let wanted: BTreeSet<_> = [("customer", "c7"), ("region", "eu")].map(|(d, v)| (d.to_owned(), v.to_owned())).into();
    let first = &report["explanations"][0];
    assert_eq!(items(first), wanted, "{report:#}");
    let (a, b) = planted();
    assert_eq!((&first["rows_a"], &first["rows_b"]), (&json!(a), &json!(b)));
    assert_eq!(report["exact"], json!(true));
}

#[tokio::test]
async fn reports_come_while_the_search_goes_on() {
    let server = shop().await;
    let ask = json!({"store": "shop", "where": "status >= 500"});
    let (status, whole) = server.client.post_json("/api/explain", &ask).await;
    assert_eq!(status, StatusCode::OK);
    is_planted(&whole);
    assert_eq!(whole.get("provisional"), None, "who wants one answer gets it as ever");
    for (accept, begin) in [("application/x-ndjson", ""), ("text/event-stream", "event: report\ndata: ")] {
        let request = server.client.request(Method::POST, "/api/explain").header("accept", accept).json(&ask);
        let answer = request.send().await.unwrap();
        assert_eq!(answer.headers()["content-type"], accept);
        let body = answer.text().await.unwrap();
        let parts = body.split_terminator(if begin.is_empty() { "\n" } else { "\n\n" });
        let parts: Vec<Value> =
            parts.map(|part| serde_json::from_str(part.strip_prefix(begin).unwrap()).unwrap()).collect();
        let (last, before) = parts.split_last().unwrap();
        assert!(!before.is_empty(), "nothing came before the exact answer: {body}");
        assert!(before.iter().all(|part| part["provisional"] == json!(true)), "{body}");
        assert_eq!(last["provisional"], json!(false));
        is_planted(last);
    }
    let wrong = json!({"store": "shop", "where": "statsu >= 500"});
    let request = server.client.request(Method::POST, "/api/explain").header("accept", "application/x-ndjson");
    let refused = request.json(&wrong).send().await.unwrap();
    assert_eq!(refused.status(), StatusCode::BAD_REQUEST);
    assert!(refused.text().await.unwrap().contains("statsu"));
}

#[tokio::test]
async fn sql_explains() {
    let server = shop().await;
    let (a, b) = planted();
    let query = "SELECT explanation, rows_a, rows_b, items['customer'] FROM explain('shop', 'status >= 500') WHERE rank = 1 AND kind = 'explanation'";
    let answer = server.client.sql(query).await;
    assert_eq!(answer, [[json!("customer = c7 and region = eu"), json!(a), json!(b), json!("c7")]]);
    let diff = "* | SELECT pattern_diff(array[customer, region], array['customer', 'region'], array[status], array['status'], status >= 500, 0.2)";
    let parameters = [("type", "log"), ("from", "0"), ("to", "4000000000"), ("query", diff)];
    let request = server.client.request(Method::GET, "/logstores/shop").query(&parameters);
    let request = request.header("x-log-apiversion", "0.6.0").header("x-log-project", "default");
    let rows: Value = serde_json::from_str(&request.send().await.unwrap().text().await.unwrap()).unwrap();
    assert_eq!(text(&rows[0]["diffpattern"]), "\"customer\"='c7' AND \"region\"='eu'", "{rows:#}");
    assert_eq!(text(&rows[0]["posconfidence"]).parse::<f64>().unwrap(), a as f64 / (a + b) as f64);
}

#[tokio::test]
async fn the_command_prints_what_it_read_and_what_it_left_out() {
    let server = shop().await;
    let output = run_against(server.url(), &["explain", "shop", "--where", "status >= 500"]).await;
    assert!(output.status.success(), "{output:?}");
    let told = String::from_utf8(output.stdout).unwrap();
    for part in [
        "in A",
        "risk ratio",
        "customer = c7 and region = eu",
        "12,000 rows read",
        "exact",
        "left out: ",
        "status (the predicate names it)",
    ] {
        assert!(told.contains(part), "{part:?} is not in {told}");
    }
    assert!(!told.contains('█') && output.stderr.is_empty(), "bars and provisional answers are for terminals: {told}");

    let file = server.folder().join("shop.ndjson");
    std::fs::write(&file, ndjson()).unwrap();
    let file = file.display().to_string();
    let output = run(&["explain", &file, "--where", "status >= 500", "--output", "json"]).await;
    assert!(output.status.success(), "{output:?}");
    is_planted(&serde_json::from_slice(&output.stdout).unwrap());
    // No server is asked: nobody listens at this address.
    let sql = format!("SELECT explanation FROM explain('{file}', 'status >= 500') WHERE kind = 'explanation'");
    let output = command()
        .args(["sql", &sql, "--output", "csv"])
        .env("CULPRIT_URL", "http://127.0.0.1:9")
        .output()
        .await
        .unwrap();
    assert_eq!(
        String::from_utf8(output.stdout).unwrap().lines().nth(1),
        Some("customer = c7 and region = eu"),
        "{:?}",
        output.stderr
    );
}
