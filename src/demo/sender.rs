//! The way into the server: its public HTTP API, as any shop would use it.

use culprit_ingest::remote_write::WriteRequest;
use prost::Message;
use reqwest::Method;
use serde::Deserialize;

use super::page::Cause;
use super::row::Row;
use crate::error::CliError;
use crate::remote::Server;

/// Far below the server's limit, so that the history goes in a few bodies of moderate size.
const BODY_BYTES: usize = 2 << 20;

pub(super) struct Sender {
    server: Server,
}

impl Sender {
    pub(super) fn new(server: Server) -> Self {
        Self { server }
    }

    /// The rows are durable and visible to queries when it returns.
    pub(super) async fn logs(&self, rows: &[Row]) -> Result<(), CliError> {
        let mut body = Vec::new();
        for row in rows {
            serde_json::to_writer(&mut body, row).expect("a row is plain values, and a Vec takes all bytes");
            body.push(b'\n');
            if body.len() >= BODY_BYTES {
                self.post_logs(std::mem::take(&mut body)).await?;
            }
        }
        if body.is_empty() { Ok(()) } else { self.post_logs(body).await }
    }

    async fn post_logs(&self, body: Vec<u8>) -> Result<(), CliError> {
        let request = self.server.request(Method::POST, &["api", "ingest", "default", "shop"]);
        let request = request.header("content-type", "application/x-ndjson").body(body);
        let report: IngestAnswer = self.server.json(request).await?;
        match report.reasons.into_iter().next() {
            None => Ok(()),
            Some(Reason { line, why }) => {
                Err(CliError::Refused { message: format!("a row of the demo was refused, line {line}: {why}") })
            }
        }
    }

    pub(super) async fn samples(&self, write: &WriteRequest) -> Result<(), CliError> {
        let body = snap::raw::Encoder::new().compress_vec(&write.encode_to_vec());
        let body = body.expect("snappy refuses nothing below 4 GiB");
        let request = self.server.request(Method::POST, &["api", "v1", "write"]);
        let request = request
            .header("content-type", "application/x-protobuf")
            .header("content-encoding", "snappy")
            .header("x-prometheus-remote-write-version", "0.1.0")
            .body(body);
        self.server.send(request).await.map(drop)
    }

    /// What is known of an incident's cause by now.
    pub(super) async fn cause(&self, incident: &str) -> Result<Option<Cause>, CliError> {
        let request = self.server.request(Method::GET, &["api", "incidents", incident]);
        self.server.json::<IncidentAnswer>(request).await.map(|incident| incident.cause)
    }
}

#[derive(Deserialize)]
struct IngestAnswer {
    reasons: Vec<Reason>,
}

#[derive(Deserialize)]
struct Reason {
    line: u64,
    why: String,
}

#[derive(Deserialize)]
struct IncidentAnswer {
    cause: Option<Cause>,
}
