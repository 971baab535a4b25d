//! Pages of other sites may not use a reader's browser to reach this server, which asks nobody for a key on loopback.
//!
//! Browsers send `Origin` with every write and with every read of another site's; no other client does.

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::error::ApiError;

pub(crate) async fn check(request: Request, next: Next) -> Response {
    match foreign(request.headers(), request.uri()) {
        Some(error) => error.into_response(),
        None => next.run(request).await,
    }
}

fn foreign(headers: &HeaderMap, uri: &Uri) -> Option<ApiError> {
    let text = |name: HeaderName| headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    let origin = text(header::ORIGIN)?;
    // HTTP/2 and requests through a proxy name the host in the address.
    let host = uri.authority().map(ToString::to_string).or_else(|| text(header::HOST));
    let site = origin.split_once("://").map(|(_, site)| site);
    let is_same = site.zip(host.as_deref()).is_some_and(|(site, host)| site.eq_ignore_ascii_case(host));
    (!is_same).then(|| ApiError::ForeignOrigin { origin, host: host.unwrap_or_else(|| "no host".to_owned()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_site_may() {
        for (origin, host, is_foreign) in [
            (None, Some("127.0.0.1:6700"), false),
            (Some("http://127.0.0.1:6700"), Some("127.0.0.1:6700"), false),
            (Some("https://Logs.example"), Some("logs.example"), false),
            (Some("http://127.0.0.1:3000"), Some("127.0.0.1:6700"), true),
            (Some("https://evil.example"), Some("127.0.0.1:6700"), true),
            (Some("null"), Some("127.0.0.1:6700"), true),
            (Some("http://127.0.0.1:6700"), None, true),
        ] {
            let mut headers = HeaderMap::new();
            for (name, value) in [(header::ORIGIN, origin), (header::HOST, host)] {
                headers.extend(value.map(|value| (name, value.parse().unwrap())));
            }
            assert_eq!(foreign(&headers, &Uri::from_static("/api/sql")).is_some(), is_foreign, "{origin:?} {host:?}");
        }
    }
}
