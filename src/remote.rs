//! The server as the commands see it: an address, requests, and answers or one line that says why not.

use clap::Args;
use culprit_store::KeyPair;
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode, Url};
use serde::de::DeserializeOwned;

use crate::error::CliError;

#[derive(Debug, Args)]
pub(crate) struct ServerArgs {
    /// The server's address
    #[arg(long, env = "CULPRIT_URL", default_value = "http://127.0.0.1:6700")]
    server: String,
    /// The access key; a variable keeps it from the list of processes
    #[arg(long, env = "CULPRIT_KEY", value_name = "ID:SECRET", hide_env_values = true)]
    key: Option<String>,
}

pub(crate) struct Server {
    base: Url,
    client: Client,
    key: Option<KeyPair>,
}

impl ServerArgs {
    pub(crate) fn connect(&self) -> Result<Server, CliError> {
        let key = self.key.as_deref().map(KeyPair::parse).transpose()?;
        Server::at(&self.server, key)
    }
}

/// As Basic authorization.
pub(crate) fn with_key(request: RequestBuilder, key: Option<&KeyPair>) -> RequestBuilder {
    match key {
        Some(KeyPair { id, secret }) => request.basic_auth(id, Some(secret.reveal())),
        None => request,
    }
}

impl Server {
    pub(crate) fn at(address: &str, key: Option<KeyPair>) -> Result<Self, CliError> {
        let bad = |why: String| CliError::BadArgument { what: "server address", text: address.to_owned(), why };
        let without_scheme = || bad("it must begin with http:// or https://".to_owned());
        let base = Url::parse(address).map_err(|_no_url| without_scheme())?;
        if base.cannot_be_a_base() || !matches!(base.scheme(), "http" | "https") {
            return Err(without_scheme());
        }
        // A proxy of the environment would be asked for this machine's own loopback.
        let is_local = matches!(base.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
        let builder = if is_local { Client::builder().no_proxy() } else { Client::builder() };
        let client = builder.build().map_err(|error| bad(error.to_string()))?;
        Ok(Self { base, client, key })
    }

    /// For messages.
    pub(crate) fn address(&self) -> String {
        self.base.to_string()
    }

    pub(crate) fn request(&self, method: Method, segments: &[&str]) -> RequestBuilder {
        let mut url = self.base.clone();
        url.path_segments_mut()
            .expect("the address can be a base, `at` has seen to it")
            .pop_if_empty()
            .extend(segments);
        with_key(self.client.request(method, url), self.key.as_ref())
    }

    /// An answer that is not a success becomes the line that the server wrote.
    pub(crate) async fn send(&self, request: RequestBuilder) -> Result<Response, CliError> {
        let response = request.send().await.map_err(|error| self.unreachable(&error))?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let text = response.text().await.map_err(|error| self.unreachable(&error))?;
        let body: Option<serde_json::Value> = serde_json::from_str(&text).ok();
        let told = body.as_ref().and_then(|body| body["error"].as_str());
        let mut message =
            told.map_or_else(|| format!("{} answered {status}: {}", self.base, text.trim()), str::to_owned);
        if status == StatusCode::UNAUTHORIZED {
            message.push_str("; see --key and CULPRIT_KEY");
        }
        Err(CliError::Refused { message })
    }

    pub(crate) async fn json<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T, CliError> {
        let text = self.text(request).await?;
        serde_json::from_str(&text)
            .map_err(|error| CliError::BadAnswer { server: self.base.to_string(), why: error.to_string() })
    }

    pub(crate) async fn text(&self, request: RequestBuilder) -> Result<String, CliError> {
        self.send(request).await?.text().await.map_err(|error| self.unreachable(&error))
    }

    pub(crate) async fn bytes(&self, request: RequestBuilder) -> Result<bytes::Bytes, CliError> {
        self.send(request).await?.bytes().await.map_err(|error| self.unreachable(&error))
    }

    /// Of an answer that comes bit by bit; none at its end.
    pub(crate) async fn next_chunk(&self, answer: &mut Response) -> Result<Option<bytes::Bytes>, CliError> {
        answer.chunk().await.map_err(|error| self.unreachable(&error))
    }

    fn unreachable(&self, error: &reqwest::Error) -> CliError {
        let mut cause: &dyn std::error::Error = error;
        while let Some(inner) = cause.source() {
            cause = inner;
        }
        CliError::Unreachable { server: self.base.to_string(), cause: cause.to_string() }
    }
}
