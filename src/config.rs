//! One typed tree: defaults, then the file, then `CULPRIT__SECTION__KEY`, then flags. An unknown key is an error that names it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use culprit_alerting::{AlertingConfig, parse_duration};
use culprit_ingest::consume::ConsumeConfig;
use culprit_ingest::quota::{ProjectLimits, QuotaConfig, ShardLimits};
use culprit_store::{ProjectName, StoreError};
use serde::{Deserialize, Deserializer};
use toml::{Table, Value};

use crate::error::CliError;

/// Read from the working folder when no `--config` is given.
const FILE: &str = "culprit.toml";
/// Sections are separated by two underscores, because keys hold single ones.
const PREFIX: &str = "CULPRIT__";

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    pub(crate) server: ServerConfig,
    pub(crate) store: StoreSection,
    pub(crate) ingest: IngestSection,
    pub(crate) quota: QuotaSection,
    pub(crate) consume: ConsumeSection,
    pub(crate) sls: SlsSection,
    pub(crate) query: QuerySection,
    pub(crate) telemetry: TelemetrySection,
    pub(crate) alerting: AlertingConfig,
}

impl Default for Config {
    fn default() -> Self {
        let server = ServerConfig::default();
        let alerting = AlertingConfig { external_url: format!("http://{}", server.http), ..AlertingConfig::default() };
        Self {
            server,
            store: StoreSection::default(),
            ingest: IngestSection::default(),
            quota: QuotaSection::default(),
            consume: ConsumeSection::default(),
            sls: SlsSection::default(),
            query: QuerySection::default(),
            telemetry: TelemetrySection::default(),
            alerting,
        }
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ServerConfig {
    /// Where HTTP listens. Port 0 takes a free one.
    pub(crate) http: SocketAddr,
    /// The data folder, created when it is not there.
    pub(crate) data: PathBuf,
    /// Host names under which browsers may use a server that has no access keys, beside `localhost` and addresses.
    pub(crate) names: Vec<String>,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self { http: SocketAddr::from(([127, 0, 0, 1], 6700)), data: PathBuf::from("culprit-data"), names: Vec::new() }
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct StoreSection {
    /// Recent rows older than this become a segment. Longer: larger segments, more memory, a longer replay after a crash.
    #[serde(deserialize_with = "duration")]
    pub(crate) flush_age: Duration,
}

impl Default for StoreSection {
    fn default() -> Self {
        Self { flush_age: culprit_store::limits::FLUSH_AGE }
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct IngestSection {
    /// Bytes of a body after decompression; each request may take several times that much memory.
    pub(crate) body_bytes_max: usize,
    /// Whether the first row sent to a store creates it. Off, a mistyped name is an error.
    pub(crate) auto_create: bool,
}

impl Default for IngestSection {
    fn default() -> Self {
        let culprit_ingest::IngestConfig { body_bytes_max, auto_create } = culprit_ingest::IngestConfig::default();
        Self { body_bytes_max, auto_create }
    }
}

/// What readers by cursor share.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ConsumeSection {
    /// Encoded blocks of recent rows. Smaller: more is encoded again for readers that come a little later.
    pub(crate) tail_bytes: usize,
    /// Rows read back from segments for readers of old rows. Smaller: more segments are read twice.
    pub(crate) cold_bytes: usize,
    /// By project: bytes of `tail_bytes` that other projects never push out.
    pub(crate) guaranteed: BTreeMap<String, usize>,
}

impl Default for ConsumeSection {
    fn default() -> Self {
        let ConsumeConfig { tail_bytes, cold_bytes, guaranteed: _ } = ConsumeConfig::default();
        Self { tail_bytes, cold_bytes, guaranteed: BTreeMap::new() }
    }
}

impl ConsumeSection {
    pub(crate) fn config(&self) -> Result<ConsumeConfig, CliError> {
        let share = |(name, bytes): (&String, &usize)| Ok((ProjectName::parse(name)?, *bytes));
        let guaranteed = self.guaranteed.iter().map(share).collect::<Result<_, StoreError>>()?;
        Ok(ConsumeConfig { tail_bytes: self.tail_bytes, cold_bytes: self.cold_bytes, guaranteed })
    }
}

/// What projects and shards may do. Single projects may be given other limits: `PUT /api/admin/quotas/{project}`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct QuotaSection {
    /// What a project may send in a second, after decompression.
    pub(crate) project_write_bytes: u64,
    pub(crate) project_write_requests: u64,
    /// What a project may pull in a second.
    pub(crate) project_read_bytes: u64,
    /// Pulls and queries.
    pub(crate) project_read_requests: u64,
    /// What a shard is promised in a second; it gets more while the node has room.
    pub(crate) shard_write_bytes: u64,
    pub(crate) shard_write_requests: u64,
    pub(crate) shard_read_bytes: u64,
    pub(crate) shard_read_requests: u64,
    /// Stores of a project.
    pub(crate) stores: usize,
    /// Shards of a project that take rows.
    pub(crate) shards: usize,
    /// Consumer groups of a store.
    pub(crate) groups: usize,
    /// Views of a project.
    pub(crate) views: usize,
    /// A shard over its quota for so long is split, where its store wants that. Shorter reacts sooner, and to spikes.
    #[serde(deserialize_with = "duration")]
    pub(crate) split_after: Duration,
    /// Neighbours below a quarter of their quota for so long are merged, where their store splits by itself.
    #[serde(deserialize_with = "duration")]
    pub(crate) merge_after: Duration,
    /// Addresses of the servers that add up the usage of all front ends. None: this server does it for itself and for whoever names it.
    pub(crate) service: Vec<String>,
    /// `ID:SECRET` of an access key that may administer those servers, where they have keys.
    pub(crate) service_key: Option<String>,
}

impl Default for QuotaSection {
    fn default() -> Self {
        let QuotaConfig { project, shard, split_after, merge_after, services: _ } = QuotaConfig::default();
        Self {
            project_write_bytes: project.write_bytes,
            project_write_requests: project.write_requests,
            project_read_bytes: project.read_bytes,
            project_read_requests: project.read_requests,
            shard_write_bytes: shard.write_bytes,
            shard_write_requests: shard.write_requests,
            shard_read_bytes: shard.read_bytes,
            shard_read_requests: shard.read_requests,
            stores: project.stores,
            shards: project.shards,
            groups: project.groups,
            views: project.views,
            split_after,
            merge_after,
            service: Vec::new(),
            service_key: None,
        }
    }
}

impl QuotaSection {
    pub(crate) fn quotas(&self) -> QuotaConfig {
        QuotaConfig {
            project: ProjectLimits {
                write_bytes: self.project_write_bytes,
                write_requests: self.project_write_requests,
                read_bytes: self.project_read_bytes,
                read_requests: self.project_read_requests,
                stores: self.stores,
                shards: self.shards,
                groups: self.groups,
                views: self.views,
            },
            shard: ShardLimits {
                write_bytes: self.shard_write_bytes,
                write_requests: self.shard_write_requests,
                read_bytes: self.shard_read_bytes,
                read_requests: self.shard_read_requests,
            },
            split_after: self.split_after,
            merge_after: self.merge_after,
            services: self.service.len(),
        }
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct SlsSection {
    /// Names that clients of the SLS API have as their endpoint; what stands before one of them in a request's host is the project.
    pub(crate) hosts: Vec<String>,
}

impl Default for SlsSection {
    fn default() -> Self {
        Self { hosts: vec!["sls.local".to_owned()] }
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct QuerySection {
    /// A SQL query is stopped after this.
    #[serde(deserialize_with = "duration")]
    pub(crate) timeout: Duration,
    /// What all SQL queries together may hold; beyond it they spill, then fail.
    pub(crate) memory_bytes: usize,
}

impl Default for QuerySection {
    fn default() -> Self {
        Self { timeout: culprit_query::limits::SQL_TIMEOUT, memory_bytes: culprit_query::limits::SQL_MEMORY_BYTES }
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct TelemetrySection {
    /// How often the server writes its own metrics and the machine's into project `system`. Zero turns it off.
    #[serde(deserialize_with = "duration")]
    pub(crate) scrape_interval: Duration,
}

impl Default for TelemetrySection {
    fn default() -> Self {
        Self { scrape_interval: Duration::from_secs(5) }
    }
}

fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse_duration(&text).map_err(serde::de::Error::custom)
}

impl Config {
    /// A file that was asked for must be there; the default one may be absent.
    pub(crate) fn load(file: Option<&Path>) -> Result<Self, CliError> {
        let (path, text) = match file {
            Some(path) => (path, std::fs::read_to_string(path).map_err(CliError::io("read the configuration", path))?),
            None => {
                let text = match std::fs::read_to_string(FILE) {
                    Ok(text) => text,
                    Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
                    Err(error) => return Err(CliError::io("read the configuration", FILE)(error)),
                };
                (Path::new(FILE), text)
            }
        };
        Self::parse(&text, &path.display().to_string(), std::env::vars())
    }

    fn parse(text: &str, file: &str, variables: impl Iterator<Item = (String, String)>) -> Result<Self, CliError> {
        let wrong = |error: toml::de::Error| CliError::Config(format!("{file}: {}", in_one_line(&error, text)));
        let mut tree: Table = text.parse().map_err(wrong)?;
        // Read once without the environment, so that an error in the file names the file.
        toml::from_str::<Self>(text).map_err(wrong)?;
        for (name, value) in variables {
            if let Some(path) = name.strip_prefix(PREFIX) {
                set(&mut tree, path, &value).map_err(|why| CliError::Config(format!("variable {name}: {why}")))?;
            }
        }
        Self::deserialize(Value::Table(tree))
            .map_err(|error| CliError::Config(format!("environment: {}", error.message())))
    }
}

fn in_one_line(error: &toml::de::Error, text: &str) -> String {
    let line = error.span().map(|span| 1 + text[..span.start.min(text.len())].matches('\n').count());
    let message = error.message().replace('\n', " ");
    match line {
        Some(line) => format!("line {line}: {message}"),
        None => message,
    }
}

/// `SERVER__HTTP` → `server.http`. Numbers, booleans and lists are written as in TOML; all else is text.
fn set(tree: &mut Table, path: &str, value: &str) -> Result<(), String> {
    let lower = path.to_ascii_lowercase();
    let mut keys = lower.split("__").collect::<Vec<_>>();
    let last = keys.pop().filter(|key| !key.is_empty()).ok_or("it names no key")?;
    let mut table = tree;
    for key in keys {
        let entry = table.entry(key).or_insert_with(|| Value::Table(Table::new()));
        table = entry.as_table_mut().ok_or_else(|| format!("{key} is not a section"))?;
    }
    let parsed = format!("v = {value}").parse::<Table>().ok().and_then(|mut t| t.remove("v"));
    let is_plain = matches!(parsed, Some(Value::Integer(_) | Value::Boolean(_) | Value::Float(_) | Value::Array(_)));
    let value = parsed.filter(|_| is_plain).unwrap_or_else(|| Value::String(value.to_owned()));
    table.insert(last.to_owned(), value);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str, variables: &[(&str, &str)]) -> Result<Config, String> {
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Config::parse(text, "culprit.toml", variables).map_err(|error| error.to_string())
    }

    #[test]
    fn the_environment_wins_over_the_file_and_the_file_over_defaults() {
        let config = parse(
            "[server]\nhttp = \"127.0.0.1:1\"\n[store]\nflush_age = \"5s\"",
            &[("CULPRIT__SERVER__HTTP", "127.0.0.1:2"), ("CULPRIT__INGEST__AUTO_CREATE", "false"), ("PATH", "/bin")],
        )
        .unwrap();
        assert_eq!(config.server.http.port(), 2);
        assert_eq!(config.store.flush_age, Duration::from_secs(5));
        assert!(!config.ingest.auto_create);
        assert_eq!(config.server.data, ServerConfig::default().data);
    }

    #[test]
    fn mistakes_are_named() {
        for (text, variables, expected) in [
            ("[server]\nhtpp = 1", &[][..], "culprit.toml: line 2: unknown field `htpp`"),
            ("[server\n", &[], "culprit.toml: line 1"),
            ("[store]\nflush_age = \"soon\"", &[], "soon"),
            ("", &[("CULPRIT__SERVER__PORT", "1")], "unknown field `port`"),
            ("", &[("CULPRIT__INGEST__AUTO_CREATE", "maybe")], "maybe"),
        ] {
            let error = parse(text, variables).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
    }
}
