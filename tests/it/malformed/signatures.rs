//! Signatures that are forged, of another time, of another request, or no signatures at all.

use prost::Message;
use reqwest::header::HeaderValue;
use reqwest::{Method, Request};
use serde_json::json;

use super::{PROJECT, STORE, is_alive};
use crate::harness::{ADMINISTRATOR, AccessKey, Log, LogGroup, Server, Sls, now_millis, sign};

const MINUTE: i64 = 60;

/// A log group, signed now.
fn request(sls: &Sls) -> Request {
    let body = LogGroup::of(vec![Log::new(1, &[("a", "b")])]).encode_to_vec();
    let headers = [("content-type", "application/x-protobuf"), ("x-log-bodyrawsize", "12")];
    sls.request(Method::POST, &format!("/logstores/{STORE}/shards/lb"), &headers, body)
}

#[tokio::test]
async fn only_the_request_that_was_signed_gets_in() {
    let server = Server::start_locked("").await;
    let sls = Sls::new(&server.client, PROJECT, Some(ADMINISTRATOR));
    sls.create_project().await;
    sls.create_store(STORE, 1).await;
    bent(&sls).await;
    at_another_time(&sls).await;
    no_signatures(&sls).await;
    let good = request(&sls);
    // An agent sends again what it signed once.
    let again = good.try_clone().expect("its body is bytes");
    assert_eq!(sls.execute(good).await.unwrap().verdict().0, 200);
    assert_eq!(sls.execute(again).await.unwrap().verdict().0, 200);
    let begin = sls.cursor(STORE, 0, "begin").await.unwrap();
    assert_eq!(sls.pull(STORE, 0, &begin, 1000).await.unwrap().groups.len(), 4, "two now, two within the window");
    is_alive(&server).await;
}

/// Signed by somebody else, or changed on its way.
async fn bent(sls: &Sls) {
    let now = now_millis() / 1000;
    let signed_by = |id, secret| {
        let mut request = request(sls);
        sign(&mut request, AccessKey { id, secret }, now);
        request
    };
    let changed = |change: fn(&mut Request)| {
        let mut request = request(sls);
        change(&mut request);
        request
    };
    for (what, request, codes) in [
        ("another secret", signed_by(ADMINISTRATOR.id, "guessed"), &["SignatureNotMatch"][..]),
        ("nobody's key", signed_by("nobody", ADMINISTRATOR.secret), &["InvalidAccessKeyId"]),
        ("no key", signed_by("", ""), &["InvalidAccessKeyId", "Unauthorized", "MissAccessKeyId"]),
        (
            "another path",
            changed(|request| request.url_mut().set_path("/logstores/other/shards/lb")),
            &["SignatureNotMatch"],
        ),
        ("a parameter", changed(|request| request.url_mut().set_query(Some("x=1"))), &["SignatureNotMatch"]),
        (
            "another method",
            changed(|request| *request.method_mut() = Method::PUT),
            &["SignatureNotMatch", "InvalidMethod"],
        ),
        ("another size", changed(|request| put(request, "x-log-bodyrawsize", "13")), &["SignatureNotMatch"]),
        ("another project", changed(|request| put(request, "host", "default.sls.local")), &["SignatureNotMatch"]),
        ("a project beside", changed(|request| put(request, "x-log-project", "default")), &["SignatureNotMatch"]),
        ("another body", changed(|request| *request.body_mut() = Some("0123456789ab".into())), &["SignatureNotMatch"]),
        (
            "another digest",
            changed(|request| put(request, "x-log-content-sha256", &"0".repeat(64))),
            &["SignatureNotMatch"],
        ),
    ] {
        let (status, code) = sls.execute(request).await.unwrap().verdict();
        let is_refused = [400, 401, 403, 405].contains(&status);
        assert!(is_refused && codes.contains(&code.as_str()), "{what}: {status} {code}");
    }
}

fn put(request: &mut Request, name: &'static str, value: &str) {
    request.headers_mut().insert(name, value.parse().unwrap());
}

/// A quarter of an hour either way is the window.
async fn at_another_time(sls: &Sls) {
    let now = now_millis() / 1000;
    let year = 365 * 24 * 60 * MINUTE;
    for (off, expected) in [
        (-14 * MINUTE, (200, "")),
        (14 * MINUTE, (200, "")),
        (-17 * MINUTE, (400, "RequestTimeExpired")),
        (17 * MINUTE, (400, "RequestTimeExpired")),
        (-50 * year, (400, "RequestTimeExpired")),
        (50 * year, (400, "RequestTimeExpired")),
    ] {
        let mut request = request(sls);
        sign(&mut request, ADMINISTRATOR, now + off);
        let (status, code) = sls.execute(request).await.unwrap().verdict();
        assert_eq!((status, code.as_str()), expected, "{off} s off");
    }
}

async fn no_signatures(sls: &Sls) {
    let long = "S".repeat(10_000);
    for authorization in [
        "",
        "LOG",
        "LOG :",
        "LOG x",
        "LOG LTAItester:",
        "LOG LTAItester:AAAA",
        "LOG LTAItester:%%%",
        "SLS4-HMAC-SHA256",
        "SLS4-HMAC-SHA256 Credential=,Signature=",
        "SLS4-HMAC-SHA256 Credential=LTAItester/20260101/local/sls/aliyun_v4_request,Signature=zz",
        "SLS4-HMAC-SHA256 Credential=LTAItester/////,Signature=00",
        "Basic",
        "Basic !!!",
        "Basic TFRBSXRlc3Rlcjp4",
        "Bearer x",
        &long,
    ] {
        let mut request = request(sls);
        request.headers_mut().insert("authorization", HeaderValue::from_str(authorization).unwrap());
        let (status, code) = sls.execute(request).await.unwrap().verdict();
        assert!([400, 401].contains(&status) && !code.is_empty(), "{authorization:.60}: {status} {code}");
    }
    let mut request = request(sls);
    request.headers_mut().remove("authorization");
    assert_eq!(sls.execute(request).await.unwrap().verdict().0, 401);
    let mut request = self::request(sls);
    request.headers_mut().insert("authorization", HeaderValue::from_bytes(b"LOG \xff\xfe:x").unwrap());
    assert_eq!(sls.execute(request).await.unwrap().verdict().0, 401);
    let stores = sls.call(Method::GET, "/logstores", None).await;
    assert_eq!(stores["logstores"], json!([STORE]));
}
