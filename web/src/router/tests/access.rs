//! Who may do what: every route of the table, asked by everybody.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use culprit_store::{Grant, KeyPair, ProjectName, Right, Scope};
use serde_json::json;

use super::*;
use crate::openapi;

const ROOT: &str = "root:root-secret";

fn grant(project: &str, rights: &[Right]) -> Grant {
    Grant { project: Scope::parse(project).unwrap(), rights: rights.iter().copied().collect() }
}

impl Bench {
    /// Makes a key, the first of which closes the server.
    async fn key(&self, pair: &str, grants: Vec<Grant>) -> String {
        self.storage.create_key(KeyPair::parse(pair).unwrap(), grants).await.unwrap();
        pair.to_owned()
    }

    async fn as_key(&self, pair: &str, method: &str, path: &str, body: &str) -> Answer {
        let authorization = format!("Basic {}", STANDARD.encode(pair));
        let request = Request::builder().method(method).uri(path).header("authorization", authorization);
        self.send(request.body(body.to_owned().into()).unwrap()).await
    }
}

/// An operation of the table, with its path filled in and the example of its body.
struct Operation {
    method: String,
    path: String,
    body: String,
}

async fn operations() -> Vec<Operation> {
    let axum::Json(document) = openapi::document().await;
    let mut operations = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, described) in methods.as_object().unwrap() {
            let example = &described["requestBody"]["content"]["application/json"]["example"];
            let path = path.replace("{project}", "default").replace("{store}", "web");
            let path = path.split('/').map(|part| if part.starts_with('{') { "x" } else { part });
            operations.push(Operation {
                method: method.to_uppercase(),
                path: path.collect::<Vec<_>>().join("/"),
                body: if example.is_null() { String::new() } else { example.to_string() },
            });
        }
    }
    operations
}

/// What a caller needs, in project `default` or, for what is the server's, in `system`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Needs {
    Nothing,
    /// Any key; the answer holds what it may see.
    AnyKey,
    Has(Right),
}

/// Whoever adds a route says here what it needs, unless a GET needs `read`.
fn needs(operation: &Operation) -> Needs {
    let (method, path) = (operation.method.as_str(), operation.path.as_str());
    if let Some((_, route)) = path.split_once("/api/v1/").or_else(|| path.split_once("/prometheus/")) {
        return Needs::Has(if route.ends_with("write") { Right::Write } else { Right::Read });
    }
    match (method, path) {
        (_, "/healthz" | "/readyz") => Needs::Nothing,
        (_, "/" | "/openapi.json" | "/api/projects" | "/api/stores" | "/api/admin/usage") => Needs::AnyKey,
        (_, "/api/quota/bars") => Needs::Has(Right::Admin),
        (_, "/api/admin/keys" | "/api/admin/keys/x") => Needs::Has(Right::Admin),
        (_, path) if path.starts_with("/api/ingest/") => Needs::Has(Right::Write),
        (_, path) if ["/api/tail", "/api/fanout", "/api/groups"].iter().any(|route| path.starts_with(route)) => {
            Needs::Has(Right::Consume)
        }
        (_, "/api/sql" | "/api/search" | "/api/explain" | "/api/investigate") | ("GET", _) => Needs::Has(Right::Read),
        _ => Needs::Has(Right::Admin),
    }
}

#[tokio::test]
async fn without_a_key_the_server_is_open_and_with_one_it_is_closed() {
    let bench = bench().await;
    for Operation { method, path, body } in operations().await {
        let status = bench.call(&method, &path, body).await.status;
        assert!(status != 401 && status != 403, "{method} {path} without keys: {status}");
    }
    bench.key(ROOT, vec![Grant::administrator()]).await;
    for operation in operations().await {
        let Operation { method, path, body } = &operation;
        let answer = bench.call(method, path, body.clone()).await;
        let is_public = needs(&operation) == Needs::Nothing;
        assert_eq!(answer.status == 401, !is_public, "{method} {path}: {} {}", answer.status, answer.text);
        assert_eq!(answer.header("www-authenticate").starts_with("Basic realm="), !is_public, "{method} {path}");
    }
    for path in ["/ui/", "/ui/dashboards"] {
        assert_eq!(bench.get(path).await.status, 401, "{path}");
    }
    bench.as_key("root:wrong", "GET", "/api/stores", "").await.assert(StatusCode::UNAUTHORIZED, "another");
    bench.as_key("noone:wrong", "GET", "/api/stores", "").await.assert(StatusCode::UNAUTHORIZED, "no access key");
    bench.storage.shutdown().await.unwrap();
}

#[tokio::test]
async fn every_route_asks_for_its_right() {
    let bench = bench().await;
    bench.key(ROOT, vec![Grant::administrator()]).await;
    let nobody = bench.key("nobody:x", Vec::new()).await;
    let stranger = bench.key("stranger:x", vec![grant("elsewhere", &Right::ALL)]).await;
    let mut holders = Vec::new();
    for right in Right::ALL {
        let pair = format!("{right}:x");
        holders.push((right, bench.key(&pair, vec![grant("default", &[right]), grant("system", &[right])]).await));
    }
    for operation in operations().await {
        let Operation { method, path, body } = &operation;
        let refused = async |pair: &str| bench.as_key(pair, method, path, body).await.status == 403;
        match needs(&operation) {
            Needs::Nothing | Needs::AnyKey => assert!(!refused(&nobody).await, "{method} {path}"),
            Needs::Has(needed) => {
                assert!(refused(&nobody).await, "{method} {path} is open to everybody");
                // Whoever administers any project sees the keys that reach it alone.
                let is_shared = path.starts_with("/api/admin/keys");
                assert!(is_shared || refused(&stranger).await, "{method} {path} is open to strangers");
                for (right, pair) in &holders {
                    let is_enough = *right == needed || *right == Right::Admin;
                    assert_eq!(refused(pair).await, !is_enough, "{method} {path} with {right}, needs {needed}");
                }
            }
        }
    }
    bench.storage.shutdown().await.unwrap();
}

#[tokio::test]
async fn lists_show_what_the_caller_may_see() {
    let bench = bench().await;
    for project in ["a", "b"] {
        bench.post(&format!("/api/ingest/{project}/web"), "{\"n\":1}").await.assert(StatusCode::OK, "1");
    }
    bench.key(ROOT, vec![Grant::administrator()]).await;
    let reader = bench.key("reader:x", vec![grant("a", &[Right::Read])]).await;
    let writer = bench.key("writer:x", vec![grant("b", &[Right::Write])]).await;
    for (pair, projects, stores) in [(&reader, json!(["a"]), 1), (&writer, json!(["b"]), 0)] {
        assert_eq!(bench.as_key(pair, "GET", "/api/projects", "").await.json()["projects"], projects);
        let listed = bench.as_key(pair, "GET", "/api/stores", "").await.json();
        assert_eq!(listed["stores"].as_array().unwrap().len(), stores, "{listed}");
    }
    for project in ["b", "nowhere"] {
        let answer = bench.as_key(&reader, "GET", &format!("/api/stores?project={project}"), "").await;
        answer.assert(StatusCode::FORBIDDEN, "no right to read");
        assert!(!answer.text.contains("there are"), "what there is, is not told: {}", answer.text);
    }
    bench.storage.shutdown().await.unwrap();
}

#[tokio::test]
async fn sql_reaches_the_projects_that_the_key_may_read() {
    let bench = bench().await;
    for project in ["a", "b", "c"] {
        bench.post(&format!("/api/ingest/{project}/web"), "{\"n\":1}").await.assert(StatusCode::OK, "1");
    }
    bench.key(ROOT, vec![Grant::administrator()]).await;
    let pair = bench.key("reader:x", vec![grant("a", &[Right::Read]), grant("b", &[Right::Read])]).await;
    for (query, status, part) in [
        ("SELECT count(*) FROM web", 200, "[[1]]"),
        ("SELECT count(*) FROM a.web JOIN b.web AS w ON true", 200, "[[1]]"),
        ("SELECT * FROM c.web", 403, "may not read in project c"),
        ("SELECT * FROM culprit.c.web", 403, "may not read in project c"),
        ("SELECT n FROM web WHERE n IN (SELECT n FROM c.web)", 403, "may not read in project c"),
        ("WITH x AS (SELECT * FROM \\\"c\\\".\\\"web\\\") SELECT * FROM x", 403, "may not read in project c"),
        ("SELECT * FROM c.nothing", 403, "may not read in project c"),
        ("SELECT count(*) FROM information_schema.tables WHERE table_schema = 'c'", 200, "[[0]]"),
        ("EXPLAIN SELECT * FROM c.web", 403, "may not read in project c"),
    ] {
        let body = format!(r#"{{"project":"a","query":"{query}"}}"#);
        let answer = bench.as_key(&pair, "POST", "/api/sql", &body).await;
        answer.assert(StatusCode::from_u16(status).unwrap(), part);
    }
    bench.storage.shutdown().await.unwrap();
}

#[tokio::test]
async fn keys_are_made_changed_and_deleted_within_what_one_administers() {
    const KEYS: &str = "/api/admin/keys";
    let bench = bench().await;
    bench
        .post(KEYS, r#"{"grants":[{"project":"a","rights":["admin"]}]}"#)
        .await
        .assert(StatusCode::BAD_REQUEST, "the first access key");
    let first =
        bench.post(KEYS, r#"{"id":"root","secret":"root-secret","grants":[{"project":"*","rights":["admin"]}]}"#);
    let first = first.await;
    first.assert(StatusCode::CREATED, "root-secret");
    assert_eq!(first.header("cache-control"), "no-store");
    let made = bench.as_key(ROOT, "POST", KEYS, r#"{"grants":[{"project":"a","rights":["admin"]}]}"#).await.json();
    let (id, secret) = (made["id"].as_str().unwrap(), made["secret"].as_str().unwrap());
    let of_a = format!("{id}:{secret}");
    for (body, status, part) in [
        (r#"{"id":"w","grants":[{"project":"a","rights":["write"]}]}"#, 201, "\"w\""),
        (r#"{"id":"w","grants":[]}"#, 409, "already"),
        (r#"{"grants":[{"project":"b","rights":["read"]}]}"#, 403, "has to administer every project"),
        (r#"{"grants":[{"project":"*","rights":["read"]}]}"#, 403, "has to administer every project"),
        (r#"{"grants":[{"project":"a","rights":["fly"]}]}"#, 400, "unknown variant `fly`"),
        (r#"{"grants":[{"project":"-a","rights":["read"]}]}"#, 400, "must begin"),
        (r#"{"id":"a/b","grants":[]}"#, 400, "only letters"),
    ] {
        let answer = bench.as_key(&of_a, "POST", KEYS, body).await;
        answer.assert(StatusCode::from_u16(status).unwrap(), part);
    }
    let listed = |answer: Answer| {
        let keys = answer.json()["keys"].as_array().unwrap().clone();
        assert!(!answer.text.contains("secret"), "{}", answer.text);
        keys.iter().map(|key| key["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(listed(bench.as_key(&of_a, "GET", KEYS, "").await), [id, "w"]);
    assert_eq!(listed(bench.as_key(ROOT, "GET", KEYS, "").await), [id, "root", "w"]);
    let root = format!("{KEYS}/root");
    for (method, body) in [("GET", ""), ("DELETE", ""), ("PATCH", r#"{"disabled":true}"#)] {
        bench.as_key(&of_a, method, &root, body).await.assert(StatusCode::FORBIDDEN, "has to administer");
    }
    let widened = r#"{"grants":[{"project":"b","rights":["write"]}]}"#;
    bench
        .as_key(&of_a, "PATCH", &format!("{KEYS}/w"), widened)
        .await
        .assert(StatusCode::FORBIDDEN, "has to administer");
    bench.as_key(&of_a, "PATCH", &format!("{KEYS}/w"), r#"{"disabled":true}"#).await.assert(StatusCode::OK, "true");
    bench.storage.key("w").filter(|key| key.is_disabled).unwrap();
    bench.as_key(ROOT, "DELETE", &root, "").await.assert(StatusCode::CONFLICT, "last that administers all projects");
    for key in [id, "w"] {
        assert_eq!(bench.as_key(ROOT, "DELETE", &format!("{KEYS}/{key}"), "").await.status, 204);
    }
    bench.as_key(&of_a, "GET", KEYS, "").await.assert(StatusCode::UNAUTHORIZED, "there is no access key");
    assert_eq!(bench.as_key(ROOT, "DELETE", &root, "").await.status, 204);
    bench.get(KEYS).await.assert(StatusCode::OK, "[]");
    bench.storage.shutdown().await.unwrap();
}

/// A server that others can reach is never open, and never becomes so.
#[tokio::test]
async fn beyond_loopback_no_key_means_no_entry() {
    let bench = bench_with(Access { is_local: false, names: Vec::new() }).await;
    bench.get("/healthz").await.assert(StatusCode::OK, "ok");
    bench.get("/api/stores").await.assert(StatusCode::UNAUTHORIZED, "CULPRIT_ADMIN_KEY");
    bench.key(ROOT, vec![Grant::administrator()]).await;
    let refused = bench.as_key(ROOT, "DELETE", "/api/admin/keys/root", "").await;
    refused.assert(StatusCode::CONFLICT, "would be open to other machines");
    bench.as_key(ROOT, "GET", "/api/stores", "").await.assert(StatusCode::OK, "[]");
    bench.storage.shutdown().await.unwrap();
}

/// As the SDKs signed and sent it, at the time that the server's clock shows.
fn recorded() -> Vec<(String, Recorded)> {
    let all: Vec<Value> = serde_json::from_str(include_str!("../../../testdata/signed_requests.json")).unwrap();
    let read = |request: &Value| {
        let headers = request["headers"].as_array().unwrap().iter();
        let headers = headers.map(|header| (text(&header[0]), text(&header[1]))).collect();
        let body = STANDARD.decode(text(&request["body"])).unwrap();
        let (method, target) = (text(&request["method"]), text(&request["target"]));
        (text(&request["name"]), Recorded { method, target, headers, body })
    };
    all.iter().map(read).collect()
}

#[derive(Clone)]
struct Recorded {
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Recorded {
    async fn send(&self, bench: &Bench) -> Answer {
        let mut request = Request::builder().method(self.method.as_str()).uri(&self.target);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        bench.send(request.body(self.body.clone().into()).unwrap()).await
    }
}

#[tokio::test]
async fn signed_requests_are_taken_by_any_route_with_the_body_that_was_signed() {
    let bench = bench().await;
    bench.key(ROOT, vec![Grant::administrator()]).await;
    let may_write = vec![grant("shop", &[Right::Write, Right::Read])];
    bench.key("LTAI4GtestKey:sEcReT/with+chars=", may_write).await;
    let native = recorded().into_iter().filter(|(name, _)| name.starts_with("native ingest"));
    let native: Vec<Recorded> = native.map(|(_, request)| request).collect();
    assert_eq!(native.len(), 2, "one of each version");
    for request in native {
        request.send(&bench).await.assert(StatusCode::OK, r#""accepted":1"#);
        let other = Recorded { body: b"{\"n\":2}\n".to_vec(), ..request };
        other.send(&bench).await.assert(StatusCode::UNAUTHORIZED, "is not the digest of the body");
    }
    let rows = bench.storage.store(&ProjectName::parse("shop").unwrap(), &StoreName::parse("web").unwrap()).unwrap();
    assert_eq!(rows.size().rows, 2);
    bench.storage.shutdown().await.unwrap();
}

#[tokio::test]
async fn a_rebound_name_is_no_way_in() {
    let bench = bench().await;
    let from = async |host: &str, header: &str| {
        let request = Request::get("/api/stores").header("host", host).header(header, "http://evil.example:6700");
        bench.send(request.body(Body::empty()).unwrap()).await
    };
    for header in ["origin", "referer", "accept-language", "sec-fetch-site"] {
        from("evil.example:6700", header).await.assert(StatusCode::FORBIDDEN, "may not use this server");
    }
    from("127.0.0.1:6700", "accept-language").await.assert(StatusCode::OK, "[]");
    from("shop.sls.local", "x-log-apiversion").await.assert(StatusCode::OK, "[]");
    bench.storage.shutdown().await.unwrap();
}

/// The same requests, of keys that may more and more.
#[tokio::test]
async fn clients_of_the_sls_api_are_let_in_by_their_rights() {
    let bench = bench().await;
    bench.key(ROOT, vec![Grant::administrator()]).await;
    let calls: Vec<(String, Recorded)> = recorded()
        .into_iter()
        .filter(|(name, _)| !name.starts_with("native") && !name.starts_with("unhashed"))
        .collect();
    let verdict = async |name: &str, request: &Recorded| {
        let answer = request.send(&bench).await;
        let code = if answer.status == 200 { String::new() } else { text(&answer.json()["errorCode"]) };
        assert!(answer.header("x-log-requestid").len() > 8, "{name}: {}", answer.text);
        (answer.status, code)
    };
    for (name, request) in &calls {
        assert_eq!(verdict(name, request).await, (401, "InvalidAccessKeyId".to_owned()), "{name} of an unknown key");
        let mut bare = request.clone();
        bare.headers.retain(|(name, _)| name != "authorization");
        assert_eq!(verdict(name, &bare).await, (401, "Unauthorized".to_owned()), "{name} of nobody");
    }
    let id = bench.key("LTAI4GtestKey:sEcReT/with+chars=", Vec::new()).await;
    let id = culprit_store::KeyId::parse(id.split_once(':').unwrap().0).unwrap();
    for grants in [Vec::new(), vec![grant("elsewhere", &Right::ALL)]] {
        let change = culprit_store::KeyChange { grants: Some(grants), is_disabled: None };
        bench.storage.change_key(&id, change).await.unwrap();
        for (name, request) in calls.iter().filter(|(name, _)| !name.starts_with("list projects")) {
            assert_eq!(verdict(name, request).await, (403, "Unauthorized".to_owned()), "{name} without a right");
            let mut moved = request.clone();
            moved.target = moved.target.replacen('/', "/x", 1);
            let (status, code) = verdict(name, &moved).await;
            assert_ne!(status, 200, "{name} to another path: {code}");
        }
    }
    let grants = Some(vec![grant("shop", &[Right::Admin])]);
    bench.storage.change_key(&id, culprit_store::KeyChange { grants, is_disabled: None }).await.unwrap();
    for (name, request) in &calls {
        let (status, code) = verdict(name, request).await;
        assert!(status != 401 && status != 403, "{name} of the administrator: {status} {code}");
    }
    bench.storage.shutdown().await.unwrap();
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_view_needs_the_right_in_every_project_behind_it() {
    let bench = bench().await;
    for project in ["a", "b", "c"] {
        bench.post(&format!("/api/ingest/{project}/web"), "{\"n\":1}").await.assert(StatusCode::OK, "1");
    }
    let (project, store) = (|name| ProjectName::parse(name).unwrap(), |name| StoreName::parse(name).unwrap());
    for (name, members) in [("near", ["a", "b"]), ("far", ["a", "c"])] {
        let members = members.map(|member| (project(member), store("web"))).to_vec();
        bench.storage.put_view(&project("a"), &store(name), members).await.unwrap();
    }
    bench.key(ROOT, vec![Grant::administrator()]).await;
    let pair = bench.key("reader:x", vec![grant("a", &[Right::Read]), grant("b", &[Right::Read])]).await;
    for (view, status, part) in
        [("near", StatusCode::OK, "[[2]]"), ("far", StatusCode::FORBIDDEN, "may not read in project c")]
    {
        let body = format!(r#"{{"project":"a","query":"SELECT count(*) FROM {view}"}}"#);
        bench.as_key(&pair, "POST", "/api/sql", &body).await.assert(status, part);
    }
    bench.storage.shutdown().await.unwrap();
}
