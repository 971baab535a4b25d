//! Who a request is from, and what they may do.
//!
//! - A request shows an access key by a signature of the SLS API (`LOG …`, `SLS4-HMAC-SHA256 …`) or by Basic authorization
//!   (`ID:SECRET`); any route takes each of the three. What comes of it is a [`Principal`], which handlers ask for rights.
//! - [`sls`] is for the SLS API, which has errors of its own; [`authenticate`] stands before the routes of the router's
//!   table, and leaves the principal with the request.
//! - Without any key the server is open to its own machine, and nothing is checked here ([`Access`]).

mod basic;
mod digest;
mod error;
mod key;
mod principal;
mod signed;
mod v1;
mod v4;

use axum::extract::{Request, State};
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

pub(crate) use digest::DigestCheck;
pub(crate) use error::AuthError;
pub(crate) use principal::Principal;

use crate::body;
use crate::error::ApiError;
use crate::router::App;
use key::Keys;
use signed::Signed;

/// How the server can be reached, which decides what it lets in.
#[derive(Debug, Clone)]
pub struct Access {
    /// It listens on loopback alone: without keys it is open.
    pub is_local: bool,
    /// Host names beside `localhost` and addresses under which browsers may use it while it has no keys.
    pub names: Vec<String>,
}

impl Default for Access {
    fn default() -> Self {
        Self { is_local: true, names: Vec::new() }
    }
}

/// Asked by programs that look whether the server lives, before they have anything to show.
const PUBLIC: [&str; 2] = ["/healthz", "/readyz"];

/// By the headers alone; the digest is checked once the body is there.
pub(crate) fn sls(app: &App, parts: &Parts) -> Result<(Principal, Option<DigestCheck>), AuthError> {
    if !app.storage.has_keys() {
        return if app.access.is_local { Ok((Principal::Open, None)) } else { Err(AuthError::NoKeys) };
    }
    let request = Signed::new(parts, app.storage.clock().now());
    verified(&request, &|id| app.storage.key(id))
}

fn verified(request: &Signed<'_>, keys: Keys<'_>) -> Result<(Principal, Option<DigestCheck>), AuthError> {
    let Some(value) = request.headers.get(AUTHORIZATION) else { return Err(AuthError::NoAuthorization) };
    if request.headers.contains_key("x-acs-security-token") {
        return Err(AuthError::SecurityToken);
    }
    let text = value.to_str().map_err(|_not_ascii| AuthError::Unreadable { why: "it is not ASCII" })?;
    let (scheme, rest) = text.split_once(' ').unwrap_or((text, ""));
    let rest = rest.trim();
    let (key, digest) = match scheme {
        v1::SCHEME => (v1::verify(request, rest, keys)?, DigestCheck::md5(request.headers)?),
        v4::SCHEME => (v4::verify(request, rest, keys)?, DigestCheck::sha256(request.headers)?),
        scheme if scheme.eq_ignore_ascii_case(basic::SCHEME) => (basic::verify(rest, keys)?, None),
        _ => return Err(AuthError::UnknownScheme { scheme: scheme.chars().take(SCHEME_SHOWN_MAX).collect() }),
    };
    Ok((Principal::Key(key), digest))
}

/// A scheme that nobody knows may be a secret without a scheme; its first letters tell enough.
const SCHEME_SHOWN_MAX: usize = 8;

/// Leaves the [`Principal`] for the handlers, and guards the body when its digest was signed.
pub(crate) async fn authenticate(State(app): State<App>, request: Request, next: Next) -> Response {
    if PUBLIC.contains(&request.uri().path()) {
        return next.run(request).await;
    }
    let (mut parts, body) = request.into_parts();
    match sls(&app, &parts) {
        Ok((principal, digest)) => {
            parts.extensions.insert(principal);
            let body = match digest {
                Some(digest) => digest.guard(body),
                None => body,
            };
            next.run(Request::from_parts(parts, body)).await
        }
        Err(error) => {
            body::drain(body).await;
            ApiError::from(error).into_response()
        }
    }
}

#[cfg(test)]
mod tests;
