//! Hosts and addresses inside templates.

use std::net::IpAddr;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What Go's url.QueryEscape leaves as it is, beside letters and digits.
const QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b' ');

pub(crate) fn escape_query(text: &str) -> String {
    utf8_percent_encode(text, QUERY).to_string().replace(' ', "+")
}

/// The address of an expression below the server's own: a graph (tab 0) or a table (tab 1).
pub(super) fn expression(expr: &str, tab: u8) -> String {
    format!("/graph?g0.expr={}&g0.tab={tab}", escape_query(expr))
}

pub(super) fn path_of(external_url: &str) -> String {
    match url::Url::parse(external_url) {
        Ok(url) => url.path().trim_end_matches('/').to_owned(),
        Err(_) => String::new(),
    }
}

/// Host and port of `host:port` or `[v6]:port`; none when the text is not of that form.
fn split(text: &str) -> Option<(&str, &str)> {
    if let Some(inside) = text.strip_prefix('[') {
        let (host, rest) = inside.split_once(']')?;
        let port = rest.strip_prefix(':')?;
        return (!port.contains([':', '[', ']'])).then_some((host, port));
    }
    let (host, port) = text.split_once(':')?;
    (!port.contains([':', '[', ']']) && !host.contains(['[', ']'])).then_some((host, port))
}

pub(super) fn strip_port(text: &str) -> String {
    split(text).map_or(text, |(host, _)| host).to_owned()
}

/// The first part of a host's name; addresses stay whole, a port is kept.
pub(super) fn strip_domain(text: &str) -> String {
    let (host, port) = match split(text) {
        Some((host, port)) => (host, Some(port)),
        None => (text, None),
    };
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let kept = if bare.parse::<IpAddr>().is_ok() { host } else { host.split('.').next().unwrap_or(host) };
    match port {
        Some(port) if kept.contains(':') => format!("[{kept}]:{port}"),
        Some(port) => format!("{kept}:{port}"),
        None => kept.to_owned(),
    }
}
