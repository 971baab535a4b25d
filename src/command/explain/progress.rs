//! Provisional answers while a search goes on: one line on stderr that the next one replaces, for people who look at a terminal.

use std::io::{IsTerminal, Write};

use culprit_rca::Report;
use reqwest::RequestBuilder;
use serde::Deserialize;

use crate::error::CliError;
use crate::remote::Server;

/// As the server streams them.
#[derive(Deserialize)]
#[serde(untagged)]
enum Part {
    Failed {
        error: String,
    },
    Report {
        provisional: bool,
        #[serde(flatten)]
        report: Box<Report>,
    },
}

pub(super) fn is_wanted() -> bool {
    std::io::stderr().is_terminal()
}

/// The exact answer of a request that streams.
pub(super) async fn streamed(server: &Server, request: RequestBuilder) -> Result<Report, CliError> {
    let broken = |why: &str| CliError::BadAnswer { server: server.address(), why: why.to_owned() };
    let mut answer = server.send(request.header("accept", "application/x-ndjson")).await?;
    let mut unread = Vec::new();
    while let Some(chunk) = server.next_chunk(&mut answer).await? {
        unread.extend_from_slice(&chunk);
        while let Some(end) = unread.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = unread.drain(..=end).collect();
            match serde_json::from_slice(&line).map_err(|error| broken(&error.to_string()))? {
                Part::Failed { error } => return Err(CliError::Refused { message: error }),
                Part::Report { provisional: true, report } => show(&report),
                Part::Report { provisional: false, report } => {
                    clear();
                    return Ok(*report);
                }
            }
        }
    }
    // A server that does not stream gives one report, and no line.
    serde_json::from_slice(&unread).map_err(|_cut| broken("it ends before the exact answer"))
}

/// Columns that a line of a terminal surely has.
const LINE_CHARS: usize = 78;

pub(super) fn show(report: &Report) {
    let sentence: String = report.sentence.chars().take(LINE_CHARS).collect();
    to_stderr(&format!("\r\x1b[2K{sentence}"));
}

pub(super) fn clear() {
    to_stderr("\r\x1b[2K");
}

fn to_stderr(text: &str) {
    let mut stderr = std::io::stderr().lock();
    let written = write!(stderr, "{text}").and_then(|()| stderr.flush());
    debug_assert!(written.is_ok(), "stderr is a terminal, or nothing is shown");
}
