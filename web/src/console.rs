//! The console: files of web/ui as they were built, inside the binary.

use std::borrow::Cow;

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use rust_embed::RustEmbed;

use crate::error::ApiError;
use crate::params::PathParams;

#[derive(RustEmbed)]
#[folder = "$OUT_DIR/console"]
struct Built;

const PAGE: &str = "index.html";
/// Built names carry a hash of their content, so that they may be kept for ever.
const HASHED: &str = "assets/";
/// Scripts are our own files alone; the editor and the charts insert styles.
const CONTENT_SECURITY_POLICY: &str = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
                                       base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
const NOT_BUILT: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Culprit</title>\
    <body style=\"font: 1rem/1.5 system-ui; max-width: 40rem; margin: 4rem auto\">\
    <h1>The console was not built</h1><p>This server was compiled without it; everything else works. Run \
    <code>make console</code> (it needs npm), then build the server again.</p>\
    <p><a href=\"/openapi.json\">The HTTP API</a></p>";

pub(crate) async fn enter() -> Redirect {
    Redirect::permanent("/ui/")
}

pub(crate) async fn page(headers: HeaderMap) -> Response {
    match serve(PAGE, &headers) {
        Some(page) => page,
        None => (StatusCode::NOT_FOUND, Html(NOT_BUILT)).into_response(),
    }
}

/// A file, or the page: addresses such as `/ui/alerts` are resolved in the browser.
pub(crate) async fn file(headers: HeaderMap, path: PathParams) -> Response {
    let name = path.get("path").unwrap_or("");
    match serve(name, &headers) {
        Some(file) => file,
        None if name.starts_with(HASHED) => ApiError::NoRoute { path: format!("/ui/{name}") }.into_response(),
        None => page(headers).await,
    }
}

fn serve(name: &str, headers: &HeaderMap) -> Option<Response> {
    let content_type = content_type(name)?;
    let (encoding, data) = encoded(name, headers)?;
    let mut response = data.into_response();
    let cache = if name.starts_with(HASHED) { "public, max-age=31536000, immutable" } else { "no-cache" };
    let told = [
        (header::CONTENT_TYPE, content_type),
        (header::CACHE_CONTROL, cache),
        (header::VARY, "Accept-Encoding"),
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
    ];
    // Put in the place of what bytes are by default.
    for (name, value) in told {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    if let Some(encoding) = encoding {
        response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    Some(response)
}

/// The smallest form that the browser takes and the build has written.
fn encoded(name: &str, headers: &HeaderMap) -> Option<(Option<&'static str>, Cow<'static, [u8]>)> {
    for (encoding, suffix) in [("br", ".br"), ("gzip", ".gz")] {
        if accepts(headers, encoding)
            && let Some(file) = Built::get(&format!("{name}{suffix}"))
        {
            return Some((Some(encoding), file.data));
        }
    }
    Built::get(name).map(|file| (None, file.data))
}

fn accepts(headers: &HeaderMap, encoding: &str) -> bool {
    let lists = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    lists.flat_map(|list| list.split(',')).any(|offer| {
        let mut parts = offer.split(';').map(str::trim);
        let is_it = parts.next().is_some_and(|name| name.eq_ignore_ascii_case(encoding));
        is_it && !parts.any(|weight| matches!(weight, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
    })
}

/// What the build writes; nothing else is served.
fn content_type(name: &str) -> Option<&'static str> {
    match name.rsplit_once('.')?.1 {
        "html" => Some("text/html; charset=utf-8"),
        "js" => Some("text/javascript; charset=utf-8"),
        "css" => Some("text/css; charset=utf-8"),
        "svg" => Some("image/svg+xml"),
        "png" => Some("image/png"),
        "ico" => Some("image/x-icon"),
        "json" | "map" => Some("application/json"),
        "webmanifest" => Some("application/manifest+json"),
        "woff2" => Some("font/woff2"),
        "txt" => Some("text/plain; charset=utf-8"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings_that_a_browser_takes() {
        for (accept, br, gzip) in [
            ("gzip, deflate, br, zstd", true, true),
            ("gzip;q=1.0, br;q=0", false, true),
            ("identity", false, false),
            ("BR", true, false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_ENCODING, accept.parse().unwrap());
            assert_eq!((accepts(&headers, "br"), accepts(&headers, "gzip")), (br, gzip), "{accept}");
        }
        assert!(!accepts(&HeaderMap::new(), "gzip"));
    }

    /// Whether a console was built is not this crate's to say: the page is the console or tells how to get it.
    #[tokio::test]
    async fn the_page_is_there_or_says_why_not() {
        let response = page(HeaderMap::new()).await;
        let (status, cache) = (response.status(), response.headers().get(header::CACHE_CONTROL).cloned());
        let body = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
        let body = String::from_utf8(body.to_vec()).unwrap();
        if Built::get(PAGE).is_some() {
            assert_eq!((status, cache.unwrap().to_str().unwrap()), (StatusCode::OK, "no-cache"));
            assert!(body.contains("/ui/assets/"), "{body}");
        } else {
            assert_eq!(status, StatusCode::NOT_FOUND);
            assert!(body.contains("make console"), "{body}");
        }
    }

    #[test]
    fn built_assets_are_small_and_kept_for_ever() {
        let Some(script) = Built::iter().find(|name| name.ends_with(".js")) else {
            eprintln!("skipped: the console is not built, so that no asset of it can be served");
            return;
        };
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_ENCODING, "gzip, br".parse().unwrap());
        let response = serve(&script, &headers).unwrap();
        let told = |name| response.headers().get(name).unwrap().to_str().unwrap();
        assert_eq!(told(header::CONTENT_ENCODING), "br");
        assert!(told(header::CACHE_CONTROL).contains("immutable"));
        assert!(told(header::CONTENT_TYPE).starts_with("text/javascript"));
        assert!(told(header::CONTENT_SECURITY_POLICY).contains("default-src 'self'"));
    }
}
