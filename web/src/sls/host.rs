//! The project of a request: clients of this API put it before the endpoint's name, `{project}.{endpoint}`.

use std::net::IpAddr;

use axum::http::request::Parts;
use axum::http::{HeaderMap, Uri, header};
use culprit_store::ProjectName;

use super::error::SlsError;

/// Agents without subdomains name the project here.
const PROJECT: &str = "x-log-project";
/// What a name server of one machine knows.
const LOCALHOST: &str = "localhost";

/// `None` when the request speaks to the endpoint itself. `endpoints` are the names that the server goes by.
pub(super) fn project(parts: &Parts, endpoints: &[String]) -> Result<Option<ProjectName>, SlsError> {
    let Some(name) = named(&parts.headers, &parts.uri, endpoints) else { return Ok(None) };
    ProjectName::parse(&name).map(Some).map_err(SlsError::parameter)
}

/// The host as people should read it in an error.
pub(super) fn shown(parts: &Parts) -> String {
    host(&parts.headers, &parts.uri).unwrap_or_else(|| "(none)".to_owned())
}

fn named(headers: &HeaderMap, uri: &Uri, endpoints: &[String]) -> Option<String> {
    let header = headers.get(PROJECT).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    if let Some(project) = header.filter(|project| !project.is_empty()) {
        return Some(project);
    }
    let host = host(headers, uri)?;
    if is_address(&host) {
        return None;
    }
    let known = || endpoints.iter().map(|name| name.to_ascii_lowercase()).chain([LOCALHOST.to_owned()]);
    if known().any(|endpoint| host == endpoint) {
        return None;
    }
    if let Some(project) =
        known().find_map(|endpoint| host.strip_suffix(&endpoint)?.strip_suffix('.').map(str::to_owned))
    {
        return Some(project);
    }
    host.split_once('.').filter(|(_, rest)| is_address(rest)).map(|(project, _)| project.to_owned())
}

/// In lower case, without the port. An absolute target, as proxies get it, names the host better than the header.
fn host(headers: &HeaderMap, uri: &Uri) -> Option<String> {
    let header = || headers.get(header::HOST).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    let whole = uri.authority().map(|authority| authority.as_str().to_owned()).or_else(header)?;
    let port = whole.rfind(':').filter(|colon| whole[colon + 1..].bytes().all(|b| b.is_ascii_digit()));
    Some(whole[..port.unwrap_or(whole.len())].to_ascii_lowercase())
}

fn is_address(host: &str) -> bool {
    host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok()
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    #[test]
    fn the_project_stands_before_the_endpoint() {
        let endpoints = ["sls.local".to_owned(), "Logs.Example.com".to_owned()];
        for (target, host, header, project) in [
            ("/", Some("shop.sls.local"), None, Some("shop")),
            ("/", Some("Shop.SLS.local:6700"), None, Some("shop")),
            ("http://shop.sls.local/logstores", Some("other.sls.local"), None, Some("shop")),
            ("http://shop.sls.local:6700/logstores", None, None, Some("shop")),
            ("/", Some("shop.logs.example.com"), None, Some("shop")),
            ("/", Some("a.b.sls.local"), None, Some("a.b")),
            ("/", Some("shop.127.0.0.1"), None, Some("shop")),
            ("/", Some("shop.127.0.0.1:80"), None, Some("shop")),
            ("/", Some("shop.localhost:6700"), None, Some("shop")),
            ("/", Some("127.0.0.1:6700"), Some("shop"), Some("shop")),
            ("/", Some("other.sls.local"), Some("shop"), Some("shop")),
            ("/", Some("other.sls.local"), Some(""), Some("other")),
            ("/", Some("sls.local"), None, None),
            ("/", Some("127.0.0.1:6700"), None, None),
            ("/", Some("[::1]:6700"), None, None),
            ("/", Some("::1"), None, None),
            ("/", Some("localhost"), None, None),
            ("/", Some("shop.elsewhere.com"), None, None),
            ("/", None, None, None),
        ] {
            let mut request = Request::get(target);
            for (name, value) in [("host", host), (PROJECT, header)] {
                request = value.into_iter().fold(request, |request, value| request.header(name, value));
            }
            let (parts, ()) = request.body(()).unwrap().into_parts();
            let found = super::project(&parts, &endpoints).unwrap();
            assert_eq!(found.as_ref().map(ProjectName::as_str), project, "{target} {host:?} {header:?}");
        }
        let (parts, ()) = Request::get("/").header("host", "-.sls.local").body(()).unwrap().into_parts();
        assert!(super::project(&parts, &endpoints).unwrap_err().message.contains("project name \"-\" is not valid"));
    }
}
