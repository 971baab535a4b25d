//! Signatures against those of real clients.
//!
//! `testdata/signed_requests.json` holds requests as PyPI aliyun-log-python-sdk 0.9.52 and npm @alicloud/log 1.2.6 sent them
//! (key `LTAI4GtestKey`, secret `sEcReT/with+chars=`, at 2023-11-14T22:13:20Z): the oracle is their own signers.

use std::sync::Arc;

use axum::http::{HeaderName, HeaderValue, Request};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use culprit_store::{AccessKey, KeyPair, UnixNanos};
use serde::Deserialize;

use super::*;

const ID: &str = "LTAI4GtestKey";
const SECRET: &str = "sEcReT/with+chars=";
/// 2023-11-14T22:13:20Z.
const NOW: i64 = 1_700_000_000;

#[derive(Debug, Clone, Deserialize)]
struct Recorded {
    name: String,
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    #[serde(with = "in_base64")]
    body: Vec<u8>,
}

mod in_base64 {
    use super::{Engine, STANDARD};
    use serde::{Deserialize, Deserializer};

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(field: D) -> Result<Vec<u8>, D::Error> {
        STANDARD.decode(String::deserialize(field)?).map_err(serde::de::Error::custom)
    }
}

fn recorded() -> Vec<Recorded> {
    serde_json::from_str(include_str!("../../testdata/signed_requests.json")).unwrap()
}

fn named(name: &str) -> Recorded {
    recorded().into_iter().find(|request| request.name == name).unwrap()
}

impl Recorded {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    fn with(&self, name: &str, value: &str) -> Self {
        let mut changed = self.without(name);
        changed.headers.push((name.to_owned(), value.to_owned()));
        changed
    }

    fn without(&self, name: &str) -> Self {
        let mut changed = self.clone();
        changed.headers.retain(|(key, _)| key != name);
        changed
    }

    fn to(&self, target: impl Into<String>) -> Self {
        Self { target: target.into(), ..self.clone() }
    }

    fn parts(&self) -> Parts {
        let mut request = Request::builder().method(self.method.as_str()).uri(&self.target);
        for (name, value) in &self.headers {
            let name: HeaderName = name.parse().unwrap();
            request = request.header(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        request.body(()).unwrap().into_parts().0
    }

    /// Headers first, then the body, `late` seconds after it was signed.
    fn verify_after(&self, late: i64, secret: &str) -> Result<String, AuthError> {
        let KeyPair { id, secret } = KeyPair::parse(&format!("{ID}:{secret}")).unwrap();
        let key = AccessKey { id, secret, grants: Vec::new(), created: UnixNanos(0), is_disabled: false };
        let (parts, key) = (self.parts(), Arc::new(key));
        let request = Signed::new(&parts, UnixNanos((NOW + late) * 1_000_000_000));
        let (principal, digest) = verified(&request, &|id| (id == ID).then(|| key.clone()))?;
        digest.map_or(Ok(()), |digest| digest.verify(&self.body))?;
        Ok(principal.name().to_owned())
    }

    fn verify(&self) -> Result<String, AuthError> {
        self.verify_after(0, SECRET)
    }

    #[track_caller]
    fn refused(&self, code: &str, what: &str) {
        match self.verify() {
            Ok(_) => panic!("{}: {what} went through", self.name),
            Err(error) => assert_eq!(error.code(), code, "{}: {what}: {error}", self.name),
        }
    }
}

#[test]
fn what_clients_sign_is_accepted() {
    let all = recorded();
    assert!(all.len() > 30);
    for request in all {
        assert_eq!(request.verify().as_deref(), Ok(ID), "{}", request.name);
        // A proxy's client sends the address whole; the Host header stays as it was signed.
        let absolute = request.to(format!("http://proxied.example{}", request.target));
        assert_eq!(absolute.verify().as_deref(), Ok(ID), "{} as absolute form", request.name);
    }
}

#[test]
fn the_window_is_a_quarter_of_an_hour_and_replays_are_fine_in_it() {
    for request in recorded() {
        for late in [-900, -899, 0, 0, 899, 900] {
            assert_eq!(request.verify_after(late, SECRET).as_deref(), Ok(ID), "{} {late} s late", request.name);
        }
        for late in [-901, 901, 86_400, -86_400 * 365 * 50] {
            let error = request.verify_after(late, SECRET).unwrap_err();
            assert_eq!((error.code(), error.status().as_u16()), ("RequestTimeExpired", 400), "{}", request.name);
        }
    }
}

#[test]
fn another_secret_is_another_signature() {
    for request in recorded() {
        for secret in ["sEcReT/with+chars", "sEcReT/with+chars=0", "x"] {
            let error = request.verify_after(0, secret).unwrap_err();
            assert_eq!(error.code(), "SignatureNotMatch", "{}", request.name);
            assert!(!error.to_string().contains("sEcReT"), "{error}");
        }
    }
}

#[test]
fn a_request_that_was_changed_is_refused() {
    for request in recorded() {
        let other_method = if request.method == "GET" { "DELETE" } else { "GET" };
        Recorded { method: other_method.to_owned(), ..request.clone() }.refused("SignatureNotMatch", "another method");
        let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
        let with_query = |path: &str, query: &str| request.to(format!("{path}?{query}"));
        with_query(&format!("{path}x"), query).refused("SignatureNotMatch", "another path");
        with_query(path, &format!("{query}&added=1")).refused("SignatureNotMatch", "one parameter more");
        let pairs: Vec<&str> = query.split('&').filter(|pair| !pair.is_empty()).collect();
        for at in 0..pairs.len() {
            let mut fewer = pairs.clone();
            fewer.remove(at);
            with_query(path, &fewer.join("&")).refused("SignatureNotMatch", "one parameter less");
            let mut changed: Vec<String> = pairs.iter().map(|pair| (*pair).to_owned()).collect();
            changed[at].push('7');
            with_query(path, &changed.join("&")).refused("SignatureNotMatch", "another value");
        }
        let mut reversed = pairs.clone();
        reversed.reverse();
        assert!(with_query(path, &reversed.join("&")).verify().is_ok(), "{}: order is not signed", request.name);
    }
}

/// Host and parameters are not the same for both: version 1 does not sign Host, and Python adds x-log-date afterwards.
fn is_signed(request: &Recorded, header: &str) -> bool {
    let is_v1 = request.header("authorization").is_some_and(|value| value.starts_with("LOG "));
    match header {
        "host" => !is_v1,
        "x-log-date" => !is_v1,
        "date" | "content-md5" => is_v1,
        name => !name.starts_with("x-log-meta-"),
    }
}

#[test]
fn a_header_that_was_changed_is_refused() {
    for request in recorded() {
        for (name, value) in &request.headers {
            if name == "authorization" || !is_signed(&request, name) {
                continue;
            }
            let wanted = match name.as_str() {
                "x-log-apiversion" => ("InvalidAPIVersion", "MissingAPIVersion"),
                "x-log-signaturemethod" => ("InvalidSignatureMethod", "MissingSignatureMethod"),
                "x-log-date" => ("InvalidDateFormat", "MissingDate"),
                // Without a Date, x-log-date stands for it: what was signed is signed still.
                "date" => ("InvalidDateFormat", "MissingDate"),
                "x-log-content-sha256" => ("ParameterInvalid", "ParameterInvalid"),
                _ => ("SignatureNotMatch", "SignatureNotMatch"),
            };
            let garbled = request.with(name, &format!("{value}0"));
            let code = garbled.verify().unwrap_err().code();
            assert!(code == wanted.0 || code == "SignatureNotMatch", "{}: {name}: {code}", request.name);
            let gone =
                if name == "date" { request.without("x-log-date").without("date") } else { request.without(name) };
            let code = gone.verify().unwrap_err().code();
            assert!(code == wanted.1 || code == "SignatureNotMatch", "{}: {name} gone: {code}", request.name);
        }
        request.with("x-log-added", "1").refused("SignatureNotMatch", "one signed header more");
        let mut twice = request.clone();
        twice.headers.push(("x-log-bodyrawsize".to_owned(), "9".to_owned()));
        twice.refused("SignatureNotMatch", "a signed header twice");
        assert!(
            request.with("x-log-meta-other", "1").verify().is_ok(),
            "{}: meta headers are not signed",
            request.name
        );
        assert!(request.with("user-agent", "other").verify().is_ok());
    }
}

#[test]
fn proxies_that_take_the_date_leave_its_copy() {
    let request = named("put v1");
    assert_eq!(request.without("date").verify().as_deref(), Ok(ID));
    request
        .without("date")
        .with("x-log-date", "Tue, 14 Nov 2023 22:13:21 GMT")
        .refused("SignatureNotMatch", "another date");
    assert!(request.with("x-log-date", "whatever").verify().is_ok(), "beside a Date the copy is not signed");
}

#[test]
fn a_body_that_was_changed_is_refused() {
    for request in recorded() {
        let is_hashed = !request.body.is_empty() && !request.name.starts_with("unhashed");
        let mut changed = request.clone();
        changed.body.push(b'!');
        if is_hashed {
            changed.refused("SignatureNotMatch", "another body");
            changed.body = Vec::new();
            changed.refused("SignatureNotMatch", "no body");
        } else {
            assert!(changed.verify().is_ok(), "{}: its body was never signed", request.name);
        }
    }
}

#[test]
fn authorizations_that_cannot_be_read() {
    let (v1, v4) = (named("put v1"), named("put v4"));
    let signature = |request: &Recorded| request.header("authorization").unwrap().to_owned();
    let basic = |text: &str| format!("Basic {}", STANDARD.encode(text));
    for (request, value, code) in [
        (&v1, "LOG".to_owned(), "Unauthorized"),
        (&v1, "LOG abc".to_owned(), "Unauthorized"),
        (&v1, "LOG :abc=".to_owned(), "MissAccessKeyId"),
        (&v1, format!("LOG {ID}:"), "SignatureNotMatch"),
        (&v1, format!("LOG {ID}:not base64"), "SignatureNotMatch"),
        (&v1, signature(&v1).replace(ID, "LTAIother"), "InvalidAccessKeyId"),
        (&v1, signature(&v4), "InvalidDateFormat"),
        (&v4, signature(&v1), "MissingSignatureMethod"),
        (&v4, "SLS4-HMAC-SHA256 Credential=a,Signature=00".to_owned(), "Unauthorized"),
        (&v4, signature(&v4).replace("Signature=", "Signature=zz"), "Unauthorized"),
        (&v4, signature(&v4).replace("Signature=", "Signature=00"), "SignatureNotMatch"),
        (&v4, signature(&v4).replace(",Signature", ""), "Unauthorized"),
        (&v4, signature(&v4).replace(ID, ""), "MissAccessKeyId"),
        (&v4, signature(&v4).replace(ID, "a/b"), "InvalidAccessKeyId"),
        (&v4, signature(&v4).replace("20231114", "20231113"), "SignatureNotMatch"),
        (&v4, signature(&v4).replace("20231114", ""), "SignatureNotMatch"),
        (&v4, signature(&v4).replace("cn-hangzhou", "cn-beijing"), "SignatureNotMatch"),
        (&v4, signature(&v4).replace("/sls/", "/oss/"), "Unauthorized"),
        (&v1, "Bearer abc".to_owned(), "Unauthorized"),
        (&v1, SECRET.to_owned(), "Unauthorized"),
        (&v1, "Basic ???".to_owned(), "Unauthorized"),
        (&v1, basic("alone"), "Unauthorized"),
        (&v1, basic(":x"), "MissAccessKeyId"),
        (&v1, basic("nobody:x"), "InvalidAccessKeyId"),
        (&v1, basic(&format!("{ID}:wrong")), "SignatureNotMatch"),
        (&v1, basic(&format!("{ID}:{SECRET}\0")), "SignatureNotMatch"),
        (&v1, basic(&format!("{ID}:{SECRET}$token")), "Unauthorized"),
    ] {
        let changed = request.with("authorization", &value);
        let error = changed.verify().unwrap_err();
        assert_eq!(error.code(), code, "{value}: {error}");
        assert!(!error.to_string().contains(SECRET), "{error}");
    }
    v1.without("authorization").refused("Unauthorized", "no authorization");
    v1.with("x-acs-security-token", "t").refused("Unauthorized", "a security token");
    for accepted in [basic(&format!("{ID}:{SECRET}")), basic(&format!("{ID}:{SECRET}")).replace("Basic", "basic")] {
        assert_eq!(v1.with("authorization", &accepted).verify().as_deref(), Ok(ID));
    }
}

#[test]
fn a_disabled_key_signs_nothing() {
    let KeyPair { id, secret } = KeyPair::parse(&format!("{ID}:{SECRET}")).unwrap();
    let key = Arc::new(AccessKey { id, secret, grants: Vec::new(), created: UnixNanos(0), is_disabled: true });
    let parts = named("put v4").parts();
    let request = Signed::new(&parts, UnixNanos(NOW * 1_000_000_000));
    let error = verified(&request, &|_| Some(key.clone())).unwrap_err();
    assert_eq!(error, AuthError::Disabled { id: ID.to_owned() });
}

/// A name with an encoded slash is not the path that the decoded one would be.
#[test]
fn encoded_slashes_stay_in_their_name() {
    let request = named("delete logstore v1");
    request.to("/logstores%2Fweb").refused("SignatureNotMatch", "an encoded slash");
    assert!(request.to("/logstores/%77eb").verify().is_ok(), "another spelling of the same path");
}

#[tokio::test]
async fn a_guarded_body_fails_at_its_end_when_it_is_another() {
    for name in ["native ingest v1", "native ingest v4"] {
        let request = named(name);
        let headers = request.parts().headers;
        let check = || {
            let md5 = DigestCheck::md5(&headers).unwrap();
            md5.unwrap_or_else(|| DigestCheck::sha256(&headers).unwrap().unwrap())
        };
        let limit = crate::body::BodyLimit { bytes: 100, advice: "" };
        let same = check().guard(request.body.clone().into());
        assert_eq!(crate::body::read(same, limit).await.unwrap(), request.body);
        for other in [&b""[..], b"{\"n\":2}\n", b"{\"n\":1}\n\n"] {
            let error = crate::body::read(check().guard(other.to_vec().into()), limit).await.unwrap_err();
            assert!(matches!(error, crate::body::BodyError::Auth(AuthError::DigestMismatch { .. })), "{error}");
        }
    }
}
