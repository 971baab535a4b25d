//! `culprit import`: files into a store, through the HTTP API like any other client.
//!
//! A file is read once, in parts that end between rows, on a thread of its own; each part is acknowledged before the
//! next one is sent, so that an error names the line from which on the rest is missing.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufReader, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use culprit_ingest::{Chunk, ChunkError, Chunks, Format, decompressed};
use culprit_store::{KeyPair, ProjectName, StoreError, StoreName};
use indicatif::{ProgressBar, ProgressStyle};
use reqwest::{Client, StatusCode, Url};
use serde::Deserialize;
use tokio::sync::mpsc;

use crate::remote::with_key;

/// Large enough that the request is lost in it, small enough that an error is near its line.
const PART_BYTES: usize = 4 << 20;
/// Parts read ahead of the one that is being sent.
const PARTS_AHEAD: usize = 2;
/// Reasons printed; the counts cover the rest.
const REASONS_SHOWN: usize = 10;
/// A server that says "later" is asked again after each of these.
const WAITS: [Duration; 6] = [
    Duration::from_millis(250),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(5),
    Duration::from_secs(15),
    Duration::from_secs(30),
];

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  culprit import /var/log/apache2/access.log --store web --format combined
  culprit import events.ndjson.gz more.json --store events --time-field created_at
  journalctl -o json | culprit import - --store journal --time-field __REALTIME_TIMESTAMP")]
pub(crate) struct ImportArgs {
    /// Files, plain or compressed with gzip or zstd; `-` is the standard input.
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// The project that the store belongs to.
    #[arg(long, default_value = "default")]
    pub(crate) project: String,
    /// The store, created when it does not exist.
    #[arg(long)]
    pub(crate) store: String,
    /// ndjson, json, combined, logfmt or line; by default each file's first bytes decide.
    #[arg(long)]
    pub(crate) format: Option<Format>,
    /// The field that holds the time; by default _time, time, timestamp or @timestamp, else the arrival.
    #[arg(long)]
    pub(crate) time_field: Option<String>,
    /// The server's address.
    #[arg(long, env = "CULPRIT_URL", default_value = "http://127.0.0.1:6700")]
    pub(crate) server: String,
    /// The access key; a variable keeps it from the list of processes.
    #[arg(long, env = "CULPRIT_KEY", value_name = "ID:SECRET", hide_env_values = true)]
    pub(crate) key: Option<String>,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum ImportError {
    #[error(transparent)]
    Name(#[from] StoreError),
    #[error("{server:?} is not a server's address, as http://127.0.0.1:6700 is; see --server and CULPRIT_URL")]
    BadServer { server: String },
    #[error("cannot read {file}: {source}")]
    Read { file: String, source: io::Error },
    #[error("{file}: {source}")]
    Cut { file: String, source: ChunkError },
    #[error("cannot reach {server}: {cause}; is `culprit serve` running? set --server or CULPRIT_URL")]
    Unreachable { server: String, cause: String },
    #[error("the connection to {server} failed at {file} line {line} and after: {cause}; lines before it are stored")]
    Broken { server: String, file: String, line: u64, cause: String },
    #[error("{server} refused {file} from line {line} on ({status}): {message}")]
    Refused { server: String, file: String, line: u64, status: StatusCode, message: String },
    #[error("no row was accepted, {rejected} were rejected; is the format right? see --format")]
    NothingAccepted { rejected: u64 },
    #[error("cannot write to the terminal: {0}")]
    Output(io::Error),
}

pub(crate) async fn run(args: ImportArgs) -> Result<(), ImportError> {
    let target = Target::new(&args)?;
    let mut totals = Totals::default();
    let result = import_files(&args, &target, &mut totals).await;
    // What was stored before an error is told with it.
    if result.is_ok() || totals.accepted > 0 {
        totals.print(&args).map_err(ImportError::Output)?;
    }
    result?;
    if totals.accepted == 0 && totals.rejected > 0 {
        return Err(ImportError::NothingAccepted { rejected: totals.rejected });
    }
    Ok(())
}

async fn import_files(args: &ImportArgs, target: &Target, totals: &mut Totals) -> Result<(), ImportError> {
    for path in &args.files {
        import_file(path, args, target, totals).await?;
    }
    Ok(())
}

async fn import_file(path: &Path, args: &ImportArgs, target: &Target, totals: &mut Totals) -> Result<(), ImportError> {
    let file = path.display().to_string();
    let (input, bar) = open(path).map_err(|source| ImportError::Read { file: file.clone(), source })?;
    let result = send_parts(&file, read_parts(input, args.format), target, totals).await;
    bar.finish_and_clear();
    result
}

async fn send_parts(
    file: &str,
    mut parts: mpsc::Receiver<Part>,
    target: &Target,
    totals: &mut Totals,
) -> Result<(), ImportError> {
    let file_of = || file.to_owned();
    while let Some(part) = parts.recv().await {
        let (format, chunk) = part.map_err(|error| match error {
            ChunkError::Read(source) => ImportError::Read { file: file_of(), source },
            source => ImportError::Cut { file: file_of(), source },
        })?;
        if !chunk.bytes.trim_ascii().is_empty() {
            totals.add(file, chunk.first_line, target.send(file, format, chunk).await?);
        }
    }
    Ok(())
}

type Part = Result<(Format, Chunk), ChunkError>;

/// A plain thread: the runtime would wait at its end for one that hangs on a silent standard input.
fn read_parts(input: Box<dyn io::Read + Send>, format: Option<Format>) -> mpsc::Receiver<Part> {
    let (sender, receiver) = mpsc::channel(PARTS_AHEAD);
    std::thread::spawn(move || {
        let chunks = decompressed(BufReader::new(input)).and_then(|input| Chunks::new(input, format, PART_BYTES));
        match chunks {
            Ok(chunks) => {
                let format = chunks.format();
                let mut parts = chunks.map(|chunk| chunk.map(|chunk| (format, chunk)));
                // A closed channel means that sending has failed, which is told there.
                while let Some(part) = parts.next()
                    && sender.blocking_send(part).is_ok()
                {}
            }
            Err(error) => drop(sender.blocking_send(Err(error.into()))),
        }
    });
    receiver
}

/// The bar counts the bytes of the file as it lies there, so that it also knows the end of a compressed one. It is
/// drawn only when the standard error is a terminal.
fn open(path: &Path) -> io::Result<(Box<dyn io::Read + Send>, ProgressBar)> {
    let style = |template| ProgressStyle::with_template(template).expect("the template is valid");
    if path == Path::new("-") {
        let bar = ProgressBar::new_spinner().with_style(style("{spinner} {bytes} {bytes_per_sec} {elapsed}"));
        return Ok((Box::new(bar.wrap_read(io::stdin())), bar));
    }
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    if metadata.is_dir() {
        return Err(io::Error::other("it is a folder; name its files"));
    }
    let bar = ProgressBar::new(metadata.len())
        .with_style(style("{wide_msg} {bar:30} {bytes}/{total_bytes} {bytes_per_sec} {eta}"))
        .with_message(path.display().to_string());
    Ok((Box::new(bar.wrap_read(file)), bar))
}

/// Where the rows go.
struct Target {
    client: Client,
    server: String,
    url: Url,
    time_field: Option<String>,
    key: Option<KeyPair>,
}

impl Target {
    fn new(args: &ImportArgs) -> Result<Self, ImportError> {
        let project = ProjectName::parse(&args.project)?;
        let store = StoreName::parse(&args.store)?;
        let server = args.server.trim_end_matches('/').to_owned();
        let bad_server = || ImportError::BadServer { server: args.server.clone() };
        let url = Url::parse(&format!("{server}/api/ingest/{project}/{store}")).map_err(|_no_url| bad_server())?;
        let host = url.host_str().ok_or_else(bad_server)?;
        // A proxy that the environment names for the outer world cannot reach this machine's own ports.
        let client = Client::builder();
        let client =
            if matches!(host, "localhost" | "[::1]") || host.starts_with("127.") { client.no_proxy() } else { client };
        let client = client.build().map_err(|_no_transport| bad_server())?;
        let key = args.key.as_deref().map(KeyPair::parse).transpose()?;
        Ok(Self { client, server, url, time_field: args.time_field.clone(), key })
    }

    async fn send(&self, file: &str, format: Format, chunk: Chunk) -> Result<Answer, ImportError> {
        let body = bytes::Bytes::from(chunk.bytes);
        let line = chunk.first_line;
        let mut waits = VecDeque::from(WAITS);
        loop {
            let (status, text) =
                self.post(format, body.clone()).await.map_err(|error| self.failed(file, line, &error))?;
            let answer = serde_json::from_str(&text).unwrap_or_else(|_no_answer_of_ours| Answer::Refused {
                error: text.lines().next().unwrap_or("an empty answer").to_owned(),
            });
            let message = match answer {
                // No row of this part was accepted; the next may still be.
                Answer::Report { .. } if status.is_success() || status == StatusCode::BAD_REQUEST => return Ok(answer),
                Answer::Report { .. } => "an unexpected status for a report".to_owned(),
                Answer::Refused { error } => error,
            };
            let later = matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE);
            match waits.pop_front() {
                Some(wait) if later => tokio::time::sleep(wait).await,
                _ => {
                    let (server, file) = (self.server.clone(), file.to_owned());
                    return Err(ImportError::Refused { server, file, line, status, message });
                }
            }
        }
    }

    async fn post(&self, format: Format, body: bytes::Bytes) -> Result<(StatusCode, String), reqwest::Error> {
        let request = self.client.post(self.url.clone()).query(&[("format", format.name())]);
        let mut request = with_key(request, self.key.as_ref());
        if let Some(field) = &self.time_field {
            request = request.query(&[("time_field", field)]);
        }
        let response = request.header("content-type", "application/octet-stream").body(body).send().await?;
        Ok((response.status(), response.text().await?))
    }

    fn failed(&self, file: &str, line: u64, error: &reqwest::Error) -> ImportError {
        let mut cause: &dyn std::error::Error = error;
        while let Some(deeper) = cause.source() {
            cause = deeper;
        }
        let (server, cause) = (self.server.clone(), cause.to_string());
        if error.is_connect() {
            ImportError::Unreachable { server, cause }
        } else {
            ImportError::Broken { server, file: file.to_owned(), line, cause }
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Answer {
    Report { accepted: u64, rejected: u64, reasons: Vec<Reason> },
    Refused { error: String },
}

#[derive(Debug, Deserialize)]
struct Reason {
    line: u64,
    why: String,
}

#[derive(Default)]
struct Totals {
    accepted: u64,
    rejected: u64,
    /// As `file:line: why`.
    reasons: Vec<String>,
}

impl Totals {
    fn add(&mut self, file: &str, first_line: u64, answer: Answer) {
        let Answer::Report { accepted, rejected, reasons } = answer else { return };
        self.accepted += accepted;
        self.rejected += rejected;
        let room = REASONS_SHOWN.saturating_sub(self.reasons.len());
        let shown = reasons.into_iter().take(room);
        self.reasons.extend(shown.map(|reason| format!("{file}:{}: {}", first_line + reason.line - 1, reason.why)));
    }

    fn print(&self, args: &ImportArgs) -> io::Result<()> {
        let (accepted, rejected) = (self.accepted, self.rejected);
        let rows = if accepted == 1 { "row" } else { "rows" };
        writeln!(io::stdout(), "{accepted} {rows} imported into {}/{}, {rejected} rejected", args.project, args.store)?;
        for reason in &self.reasons {
            writeln!(io::stderr(), "{reason}")?;
        }
        let more = self.rejected.saturating_sub(self.reasons.len() as u64);
        if more > 0 { writeln!(io::stderr(), "… and {more} more") } else { Ok(()) }
    }
}
