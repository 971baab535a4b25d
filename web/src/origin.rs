//! Pages of other sites may not use a reader's browser to reach this server, which asks nobody for a key on loopback.
//!
//! Browsers send `Origin` with every write and with every read of another site's; no other client does. That is not
//! enough while the server is open: a site whose name is made to lead to 127.0.0.1 (DNS rebinding) is the same site to
//! its pages. The browser still says that name as `Host`, which has to be one of the server's own. Programs may use any
//! name, as clients of the SLS API do with `project.sls.local`: what no page can leave out tells a browser from them.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::auth::Access;
use crate::error::ApiError;
use crate::router::App;
use crate::sls;

pub(crate) async fn check(State(app): State<App>, request: Request, next: Next) -> Response {
    let is_open = !app.storage.has_keys();
    let (headers, uri) = (request.headers(), request.uri());
    // Web tracking is for pages of other sites; it looks itself whether a store takes it.
    if sls::is_tracking_path(uri.path()) {
        return next.run(request).await;
    }
    match foreign(headers, uri).or_else(|| if is_open { rebound(headers, uri, &app.access) } else { None }) {
        Some(error) => error.into_response(),
        None => next.run(request).await,
    }
}

fn foreign(headers: &HeaderMap, uri: &Uri) -> Option<ApiError> {
    let origin = text(headers, header::ORIGIN)?;
    let host = host(headers, uri);
    let site = origin.split_once("://").map(|(_, site)| site);
    let is_same = site.zip(host.as_deref()).is_some_and(|(site, host)| site.eq_ignore_ascii_case(host));
    (!is_same).then(|| ApiError::ForeignOrigin { origin, host: host.unwrap_or_else(|| "no host".to_owned()) })
}

/// Fetch's list of forbidden names, and `Accept-Language`, which scripts can change and not remove.
const OF_BROWSERS: [&str; 6] = ["origin", "sec-fetch-site", "sec-fetch-mode", "referer", "cookie", "accept-language"];

fn rebound(headers: &HeaderMap, uri: &Uri, access: &Access) -> Option<ApiError> {
    if !OF_BROWSERS.iter().any(|name| headers.contains_key(*name)) {
        return None;
    }
    let host = host(headers, uri)?;
    (!is_own(&host, access)).then_some(ApiError::ForeignHost { host })
}

/// An address cannot be rebound: it leads where it says.
fn is_own(host: &str, access: &Access) -> bool {
    let is_port = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit());
    if let Some(rest) = host.strip_prefix('[') {
        let (address, port) = rest.split_once(']').unwrap_or(("", ""));
        return address.parse::<std::net::Ipv6Addr>().is_ok() && (port.is_empty() || port.starts_with(':'));
    }
    let name = host.rsplit_once(':').filter(|(_, port)| is_port(port)).map_or(host, |(name, _)| name);
    let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
    name == "localhost"
        || name.ends_with(".localhost")
        || name.parse::<std::net::Ipv4Addr>().is_ok()
        || access.names.iter().any(|own| own.eq_ignore_ascii_case(&name))
}

/// HTTP/2 and requests through a proxy name the host in the address.
fn host(headers: &HeaderMap, uri: &Uri) -> Option<String> {
    uri.authority().map(ToString::to_string).or_else(|| text(headers, header::HOST))
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<String> {
    headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
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

    #[test]
    fn a_browser_under_a_foreign_name_is_refused_and_a_program_is_not() {
        let access = Access { is_local: true, names: vec!["logs.example".to_owned()] };
        for (host, is_own) in [
            ("127.0.0.1:6700", true),
            ("10.0.0.7", true),
            ("[::1]:6700", true),
            ("[fe80::1]", true),
            ("localhost:6700", true),
            ("LOCALHOST.", true),
            ("demo.localhost:80", true),
            ("Logs.example:443", true),
            ("evil.example:6700", false),
            ("127.0.0.1.evil.example", false),
            ("localhost.evil.example", false),
            ("evillocalhost", false),
            ("x.logs.example", false),
            ("[evil]:80", false),
            ("evil.example:80:80", false),
        ] {
            for (name, is_browser) in [("accept-language", true), ("referer", true), ("x-log-apiversion", false)] {
                let headers = [("host", host), (name, "x")];
                let headers = headers.map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
                let headers = HeaderMap::from_iter(headers);
                let is_refused = rebound(&headers, &Uri::from_static("/api/sql"), &access).is_some();
                assert_eq!(is_refused, is_browser && !is_own, "{host} {name}");
            }
        }
    }
}
