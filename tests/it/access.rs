//! Access keys on the real binary: closed from the first key on, through kills, on any address, for every client command.

use std::os::unix::fs::PermissionsExt;
use std::process::{Output, Stdio};
use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::json;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Child;

use crate::harness::{Server, command};

const START_MAX: Duration = Duration::from_secs(60);

/// A client command against `server`, with or without a key.
async fn culprit(server: &Server, key: Option<&str>, arguments: &[&str]) -> Output {
    let mut command = command();
    command.args(arguments).env("CULPRIT_URL", server.url());
    if let Some(key) = key {
        command.env("CULPRIT_KEY", key);
    }
    command.output().await.unwrap()
}

#[track_caller]
fn printed(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout.clone()).unwrap().trim().to_owned()
}

#[track_caller]
fn refused(output: &Output, parts: &[&str]) {
    let said = String::from_utf8(output.stderr.clone()).unwrap();
    let complaints: Vec<&str> = said.lines().filter(|line| line.starts_with("error: ")).collect();
    assert!(!output.status.success() && complaints.len() == 1, "{output:?}");
    for part in parts {
        assert!(complaints[0].contains(part), "{part:?} is missing in {said:?}");
    }
}

async fn status(server: &Server, key: &str, path: &str) -> StatusCode {
    let (id, secret) = key.split_once(':').unwrap();
    let request = server.client.request(Method::GET, path).basic_auth(id, Some(secret));
    request.send().await.unwrap().status()
}

#[tokio::test]
async fn the_first_key_closes_the_server_and_each_key_does_what_it_may() {
    let server = Server::start("").await;
    server.client.ingest("shop/web", "{\"n\":1}\n").await;
    let file = server.folder().join("more.ndjson");
    std::fs::write(&file, "{\"n\":2}\n").unwrap();
    let file = file.display().to_string();
    let count = ["sql", "SELECT count(*) AS n FROM web", "--project", "shop", "--output", "csv"];
    let import = ["import", &file, "--project", "shop", "--store", "web"];
    assert_eq!(printed(&culprit(&server, None, &count).await), "n\n1");

    refused(
        &culprit(&server, None, &["admin", "keys", "create", "--grant", "shop:admin"]).await,
        &["the first access key"],
    );
    let root = printed(&culprit(&server, None, &["admin", "keys", "create", "--grant", "*:admin"]).await);
    assert_eq!(root.split_once(':').map(|(id, secret)| (id.len(), secret.len())), Some((18, 48)), "{root}");

    for command in [&count[..], &import, &["admin", "stores"], &["search", "web", ""], &["promql", "up"]] {
        refused(&culprit(&server, None, command).await, &["wants an access key"]);
    }
    refused(&culprit(&server, None, &count).await, &["--key", "CULPRIT_KEY"]);
    assert_eq!(printed(&culprit(&server, Some(&root), &count).await), "n\n1");

    let made = ["admin", "keys", "create", "--id", "agent", "--grant", "shop:write"];
    let agent = printed(&culprit(&server, Some(&root), &made).await);
    printed(&culprit(&server, Some(&agent), &import).await);
    refused(&culprit(&server, Some(&agent), &count).await, &["\"agent\"", "no right to read", "shop"]);
    let list = ["admin", "keys", "list"];
    refused(&culprit(&server, Some(&agent), &list).await, &["has to administer"]);
    let listed = printed(&culprit(&server, Some(&root), &list).await);
    let secret = agent.split_once(':').unwrap().1;
    assert!(listed.contains("agent") && listed.contains("shop:write") && !listed.contains(secret), "{listed}");
    assert_eq!(printed(&culprit(&server, Some(&root), &count).await), "n\n2");

    printed(&culprit(&server, Some(&root), &["admin", "keys", "disable", "agent"]).await);
    refused(&culprit(&server, Some(&agent), &import).await, &["\"agent\" is disabled"]);
    let (root_id, root_secret) = root.split_once(':').unwrap();
    refused(&culprit(&server, Some(&root), &["admin", "keys", "delete", root_id]).await, &["last that administers"]);
    printed(&culprit(&server, Some(&root), &["admin", "keys", "delete", "agent"]).await);
    printed(&culprit(&server, Some(&root), &["admin", "keys", "delete", root_id]).await);
    assert_eq!(printed(&culprit(&server, None, &count).await), "n\n2", "without keys it is open again");

    assert!(!server.log().contains(secret) && !server.log().contains(root_secret), "{}", server.log());
}

#[tokio::test]
async fn keys_survive_a_kill_and_a_lost_key_file_is_said() {
    let mut server = Server::start("").await;
    let made = ["admin", "keys", "create", "--grant", "*:admin"];
    let root = printed(&culprit(&server, None, &made).await);
    server.kill9().await;
    server.restart().await;
    assert_eq!(status(&server, &root, "/api/stores").await, StatusCode::OK);
    assert_eq!(server.client.get("/api/stores").await.0, StatusCode::UNAUTHORIZED);
    assert_eq!(server.client.get("/healthz").await.0, StatusCode::OK);
    server.stop().await;

    let file = server.data().join("keys.key");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let data = server.data().display().to_string();
    let serve =
        || async { command().args(["serve", "--http", "127.0.0.1:0", "--data", &data]).output().await.unwrap() };
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    refused(&serve().await, &["keys.key", "mode is 644", "600"]);
    let aside = server.folder().join("aside");
    std::fs::rename(&file, &aside).unwrap();
    refused(&serve().await, &["keys.key", "it is missing"]);
    std::fs::rename(&aside, &file).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    server.restart().await;
    assert_eq!(status(&server, &root, "/api/stores").await, StatusCode::OK);
}

/// A server on all addresses, and where it listens on this machine.
async fn everywhere(data: &str, administrator: Option<&str>) -> (Child, String) {
    let mut command = command();
    command.args(["serve", "--http", "0.0.0.0:0", "--data", data]).stdout(Stdio::piped());
    if let Some(key) = administrator {
        command.env("CULPRIT_ADMIN_KEY", key);
    }
    let mut child = command.spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let line = tokio::time::timeout(START_MAX, lines.next_line()).await.unwrap().unwrap().unwrap();
    let port = line.rsplit_once(':').unwrap().1.to_owned();
    (child, format!("http://127.0.0.1:{port}"))
}

#[tokio::test]
async fn other_addresses_want_a_key() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data").display().to_string();
    let output = command().args(["serve", "--http", "0.0.0.0:0", "--data", &data]).output().await.unwrap();
    refused(&output, &["0.0.0.0:0", "no access key", "CULPRIT_ADMIN_KEY=ID:SECRET", "127.0.0.1"]);
    for (key, why) in [("rather-secret", "no colon"), ("ad min:rather-secret", "only letters"), ("admin:", "1 to 256")]
    {
        let mut command = command();
        command.args(["serve", "--http", "127.0.0.1:0", "--data", &data]).env("CULPRIT_ADMIN_KEY", key);
        let output = command.output().await.unwrap();
        refused(&output, &["CULPRIT_ADMIN_KEY", why]);
        assert!(!String::from_utf8_lossy(&output.stderr).contains("rather-secret"), "{output:?}");
    }
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    for administrator in [Some("admin:rather-secret"), None] {
        let (mut child, url) = everywhere(&data, administrator).await;
        let get = |path: &str| http.get(format!("{url}{path}"));
        assert_eq!(get("/healthz").send().await.unwrap().status(), StatusCode::OK);
        let closed = get("/ui/").send().await.unwrap();
        assert_eq!(closed.status(), StatusCode::UNAUTHORIZED);
        assert!(closed.headers()["www-authenticate"].to_str().unwrap().starts_with("Basic"), "{closed:?}");
        let opened = get("/api/stores").basic_auth("admin", Some("rather-secret")).send().await.unwrap();
        assert_eq!(opened.status(), StatusCode::OK);
        let last = http.delete(format!("{url}/api/admin/keys/admin")).basic_auth("admin", Some("rather-secret"));
        assert_eq!(last.send().await.unwrap().status(), StatusCode::CONFLICT, "it would be open to everybody");
        child.kill().await.unwrap();
    }
}

/// A page of a site whose name leads to this machine is the same site to its browser.
#[tokio::test]
async fn a_name_that_leads_here_is_no_way_in_for_browsers() {
    let server = Server::start("[server]\nnames = [\"logs.example\"]\n").await;
    let ask = async |host: &str, header: &str, value: &str| {
        let request = server.client.request(Method::POST, "/api/sql").header("host", host).header(header, value);
        request.json(&json!({ "query": "SELECT 1" })).send().await.unwrap().status()
    };
    for (host, allowed) in [("evil.example:6700", false), ("logs.example", true), ("localhost:6700", true)] {
        let expected = if allowed { StatusCode::OK } else { StatusCode::FORBIDDEN };
        assert_eq!(ask(host, "accept-language", "en").await, expected, "{host}");
        assert_eq!(ask(host, "origin", &format!("http://{host}")).await, expected, "{host}");
        assert_eq!(ask(host, "x-program", "1").await, StatusCode::OK, "{host}: programs may use any name");
    }
}
