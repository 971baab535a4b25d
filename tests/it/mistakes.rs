//! A newcomer's mistakes: each gets one line that names the thing and says what to do.

use std::process::Output;

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::harness::{Server, command, free_port, run, run_against, text};

/// The one line on the standard error of a command that failed.
fn complaint(output: &Output) -> String {
    assert!(!output.status.success(), "it should have failed: {output:?}");
    one_line(&String::from_utf8(output.stderr.clone()).unwrap())
}

fn one_line(said: &str) -> String {
    let said = said.trim();
    assert_eq!(said.lines().count(), 1, "not one line: {said:?}");
    assert!(!said.contains("panicked") && !said.contains("Error {"), "not for people: {said}");
    said.to_owned()
}

fn assert_names(said: &str, parts: &[&str]) {
    for part in parts {
        assert!(said.contains(part), "{part:?} is missing in {said:?}");
    }
}

/// The error text of a refused request.
fn refusal((status, body): (StatusCode, Value), expected: StatusCode) -> String {
    assert_eq!(status, expected, "{body}");
    one_line(text(&body["error"]))
}

async fn serve(arguments: &[&str]) -> String {
    complaint(&run(&[&["serve"], arguments].concat()).await)
}

#[tokio::test]
async fn a_wrong_port() {
    let url = format!("http://127.0.0.1:{}", free_port());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.ndjson");
    std::fs::write(&file, "{\"a\":1}\n").unwrap();
    let file = file.display().to_string();
    for arguments in [
        &["sql", "SELECT count(*) FROM shop"][..],
        &["import", &file, "--store", "shop"],
        &["explain", "shop", "--where", "status >= 500"],
    ] {
        let said = complaint(&run_against(&url, arguments).await);
        assert_names(&said, &["cannot reach", &url, "culprit serve", "--server", "CULPRIT_URL"]);
    }
}

#[tokio::test]
async fn broken_json() {
    let server = Server::start("").await;
    let body = "{\"a\":1}\n{\"a\":2,}\n{\"a\":3}\n";
    let (status, report) = server.client.ingest("default/shop?format=ndjson", body).await;
    assert_eq!((status, &report["accepted"], &report["rejected"]), (StatusCode::OK, &json!(2), &json!(1)));
    assert_eq!(report["reasons"][0]["line"], json!(2));
    assert_names(text(&report["reasons"][0]["why"]), &["not valid JSON", "column"]);
    let (status, report) = server.client.ingest("default/shop?format=ndjson", "{\"a\":\n").await;
    assert_eq!((status, &report["accepted"]), (StatusCode::BAD_REQUEST, &json!(0)), "{report}");

    let file = server.folder().join("rows.ndjson");
    std::fs::write(&file, body).unwrap();
    let file = file.display().to_string();
    let output = run_against(server.url(), &["import", &file, "--store", "shop"]).await;
    assert!(output.status.success(), "two of three rows are good: {output:?}");
    assert_names(&one_line(&String::from_utf8(output.stderr).unwrap()), &[&format!("{file}:2:"), "not valid JSON"]);
}

#[tokio::test]
async fn an_unknown_column_an_unknown_store_and_bad_sql() {
    let server = Server::start("").await;
    server.client.ingest("default/shop", "{\"status\":200,\"customer\":7}\n").await;
    for (query, parts) in [
        ("SELECT statsu FROM shop", &["statsu", "status", "customer"][..]),
        ("SELECT * FROM shopp", &["shopp", "shop"]),
        ("SELEC 1", &["SQL", "SELEC"]),
    ] {
        let status = if query.contains("shopp") { StatusCode::NOT_FOUND } else { StatusCode::BAD_REQUEST };
        assert_names(&refusal(server.client.try_sql(query).await, status), parts);
        assert_names(&complaint(&run_against(server.url(), &["sql", query]).await), parts);
    }
    let explain = json!({"project": "default", "store": "shop", "where": "statsu >= 500"});
    let said = refusal(server.client.post_json("/api/explain", &explain).await, StatusCode::BAD_REQUEST);
    assert_names(&said, &["statsu", "status"]);
    let explain = json!({"project": "default", "store": "shopp", "where": "status >= 500"});
    let said = refusal(server.client.post_json("/api/explain", &explain).await, StatusCode::NOT_FOUND);
    assert_names(&said, &["shopp", "shop"]);
}

#[tokio::test]
async fn a_promql_syntax_error() {
    let server = Server::start("").await;
    for (query, part) in
        [("sum(rate(up[5m])", "sum(rate(up[5m])"), ("rate(up)", "rate"), ("frobnicate(up)", "frobnicate")]
    {
        let path = reqwest::Url::parse_with_params("http://x/api/v1/query", [("query", query)]).unwrap();
        let (status, body) = server.client.get(&format!("{}?{}", path.path(), path.query().unwrap())).await;
        assert_eq!((status, &body["errorType"]), (StatusCode::BAD_REQUEST, &json!("bad_data")), "{body}");
        assert_names(&one_line(text(&body["error"])), &[part]);
    }
}

#[tokio::test]
async fn a_rule_file_with_a_typo() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("shop.yml");
    let rules = "groups:
- name: shop
  rules:
  - alert: Good
    expr: up == 0
  - alert: Errors
    exrp: sum(rate(errors_total[5m])) > 1
";
    std::fs::write(&file, rules).unwrap();
    let file = file.display().to_string();
    let output = run(&["rules", "check", &file]).await;
    assert!(!output.status.success(), "{output:?}");
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let line = said.lines().find(|line| line.contains("exrp")).unwrap_or_else(|| panic!("nothing about it: {said}"));
    assert_names(line, &[&format!("{file}:7"), "unknown key", "Errors", "expr"]);
    assert!(said.contains(&format!("{file}:4: ok Good")), "{said}");
}

#[tokio::test]
async fn a_data_folder_that_cannot_be_written() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    // Below a file, and below a file system that takes no folders: neither root may do that.
    for data in [file.join("data").display().to_string(), "/proc/culprit-data".to_owned()] {
        let said = serve(&["--http", "127.0.0.1:0", "--data", &data]).await;
        assert_names(&said, &[&data, "cannot", "--data"]);
    }
}

#[tokio::test]
async fn a_port_that_is_taken() {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().display().to_string();
    assert_names(&serve(&["--http", &address, "--data", &data]).await, &[&address, "in use", "--http"]);
}

#[tokio::test]
async fn a_data_folder_in_use() {
    let server = Server::start("").await;
    let data = server.data().display().to_string();
    let said = serve(&["--http", "127.0.0.1:0", "--data", &data]).await;
    assert_names(&said, &[&data, "in use", "--data"]);
    assert!(server.client.get("/healthz").await.0.is_success(), "the first one goes on");
}

#[tokio::test]
async fn a_body_that_is_too_large() {
    let server = Server::start("[ingest]\nbody_bytes_max = 65536\n").await;
    let row = format!("{{\"a\":\"{}\"}}\n", "x".repeat(100));
    let said = refusal(server.client.ingest("default/shop", row.repeat(2_000)).await, StatusCode::PAYLOAD_TOO_LARGE);
    assert_names(&said, &["65536", "body_bytes_max"]);
    let (status, report) = server.client.ingest("default/shop", row.repeat(100)).await;
    assert_eq!((status, &report["accepted"]), (StatusCode::OK, &json!(100)), "{report}");
}

#[tokio::test]
async fn configuration_that_is_not_understood() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data").display().to_string();
    let file = folder.path().join("culprit.toml");
    std::fs::write(&file, "[store]\nflush_aeg = \"1s\"\n").unwrap();
    let file = file.display().to_string();
    let base = ["--http", "127.0.0.1:0", "--data", &data];
    let said = serve(&[&base[..], &["--config", &file]].concat()).await;
    assert_names(&said, &["flush_aeg", &file]);
    let missing = folder.path().join("none.toml").display().to_string();
    let said = serve(&[&base[..], &["--config", &missing]].concat()).await;
    assert_names(&said, &[&missing]);
    let output = command().arg("serve").args(base).env("CULPRIT__STORE__FLUSH_AEG", "1s").output().await.unwrap();
    assert_names(&complaint(&output).to_lowercase(), &["flush_aeg"]);
    // Without keys, a server that others can reach is open to everybody.
    let said = serve(&["--http", "0.0.0.0:0", "--data", &data]).await;
    assert_names(&said, &["0.0.0.0", "127.0.0.1"]);
}
