//! From a body to rows that are stored: decompress, choose the format, decode, append.

mod loggroups;
mod placement;

use std::sync::Arc;

use bytes::Bytes;
use culprit_store::{Metric, ProjectName, Storage, StoreKind, StoreName, StoreSpec, StoreState};
use serde::Serialize;

use crate::compression::decompress;
use crate::limits::BODY_BYTES_MAX;
use crate::metrics::Counters;
use crate::quota::Quotas;
use crate::rejection::{Reason, Rejections};
use crate::remote_write;
use crate::rows::DecodeOptions;
use crate::{Format, IngestError};

pub use loggroups::{Accepted, PutLogs, WebTrack};

#[derive(Debug, Clone)]
pub struct IngestConfig {
    /// Bytes of a body after decompression. Raising it lets one request take that much memory, several times over.
    pub body_bytes_max: usize,
    /// Whether a store that does not exist is created by the first row sent to it. Off, a mistyped name is an error.
    pub auto_create: bool,
}

impl Default for IngestConfig {
    fn default() -> Self {
        Self { body_bytes_max: BODY_BYTES_MAX, auto_create: true }
    }
}

/// What a request says about its body. All of it is text from outside.
#[derive(Debug, Clone, Default)]
pub struct RequestMeta {
    /// `?format=`; else the content type decides, else the first byte.
    pub format: Option<String>,
    pub content_type: Option<String>,
    /// Content-Encoding.
    pub encoding: Option<String>,
    /// `?time_field=`
    pub time_field: Option<String>,
    /// 32 hexadecimal digits: all rows go to the shard that owns this key. Without one, shards take turns.
    pub hash_key: Option<String>,
}

/// The counts cover every row or sample; `reasons` the first of those rejected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct IngestReport {
    pub accepted: u64,
    pub rejected: u64,
    pub reasons: Vec<Reason>,
    /// The body after decompression, which is what quotas count.
    #[serde(skip)]
    pub raw_bytes: u64,
}

impl IngestReport {
    fn new(accepted: u64, rejections: Rejections, raw_bytes: usize) -> Self {
        Self { accepted, rejected: rejections.total(), reasons: rejections.reasons, raw_bytes: raw_bytes as u64 }
    }
}

/// Cheap to clone.
#[derive(Clone)]
pub struct Ingest {
    storage: Storage,
    config: IngestConfig,
    quotas: Quotas,
    counters: Arc<Counters>,
}

impl Ingest {
    pub fn new(storage: Storage, config: IngestConfig, quotas: Quotas) -> Self {
        Self { storage, config, quotas, counters: Arc::default() }
    }

    /// When this returns, the accepted rows are durable and visible. A body without rows makes no store.
    pub async fn logs(
        &self,
        project: &ProjectName,
        store: &StoreName,
        body: Bytes,
        meta: RequestMeta,
    ) -> Result<IngestReport, IngestError> {
        self.counters.request(body.len());
        self.counted(self.store_logs(project, store, body, meta).await)
    }

    /// Prometheus remote write 1.0 into a metricstore. Counts are of samples.
    pub async fn remote_write(
        &self,
        project: &ProjectName,
        store: &StoreName,
        body: Bytes,
        encoding: Option<&str>,
    ) -> Result<IngestReport, IngestError> {
        self.counters.request(body.len());
        self.counted(self.store_series(project, store, body, encoding).await)
    }

    pub fn metrics(&self) -> Vec<Metric> {
        self.counters.metrics()
    }

    fn counted<T>(&self, result: Result<T, IngestError>) -> Result<T, IngestError> {
        if result.is_err() {
            self.counters.refused_request();
        }
        result
    }

    async fn store_logs(
        &self,
        project: &ProjectName,
        store: &StoreName,
        body: Bytes,
        meta: RequestMeta,
    ) -> Result<IngestReport, IngestError> {
        let key = meta.hash_key.as_deref().map(parse_hash_key).transpose()?;
        let format = meta.format.as_deref().map(str::parse::<Format>).transpose()?;
        let existing = self.existing(project, store, StoreKind::Logs)?;
        let schema = existing.as_ref().map_or_else(Arc::default, |store| store.schema());
        let options = DecodeOptions { now: self.storage.clock().now(), time_field: meta.time_field };
        let limit = self.config.body_bytes_max;
        let (decoded, raw_bytes) = off_the_runtime(move || {
            let body = decompress(body, meta.encoding.as_deref(), limit)?;
            let format = format
                .or_else(|| meta.content_type.as_deref().and_then(Format::of_content_type))
                .unwrap_or_else(|| Format::sniff(&body));
            Ok((format.decode(&body, &schema, options), body.len()))
        })
        .await?;
        if let Some(batch) = decoded.batch {
            let store = self.existing_or_new(existing, project, store, StoreKind::Logs).await?;
            let route = self.place(&store, key, raw_bytes)?;
            self.append(&store, vec![batch], &route, None).await?;
        }
        self.counters.rows(decoded.accepted);
        self.counters.rejections(&decoded.rejections);
        Ok(IngestReport::new(decoded.accepted, decoded.rejections, raw_bytes))
    }

    async fn store_series(
        &self,
        project: &ProjectName,
        store: &StoreName,
        body: Bytes,
        encoding: Option<&str>,
    ) -> Result<IngestReport, IngestError> {
        let existing = self.existing(project, store, StoreKind::Metrics)?;
        let encoding = encoding.map(str::to_owned);
        let limit = self.config.body_bytes_max;
        let (decoded, raw_bytes) = off_the_runtime(move || {
            let plain = remote_write::unwrap(body, encoding.as_deref(), limit)?;
            Ok((remote_write::decode(&plain)?, plain.len()))
        })
        .await?;
        if !decoded.series.is_empty() {
            let store = self.existing_or_new(existing, project, store, StoreKind::Metrics).await?;
            self.place(&store, None, raw_bytes)?;
            self.storage.append_samples(&store, decoded.series).await?;
        }
        self.counters.samples(decoded.accepted);
        self.counters.rejections(&decoded.rejections);
        Ok(IngestReport::new(decoded.accepted, decoded.rejections, raw_bytes))
    }

    /// Before any work is put into the body: a store that may not be created, or holds something else, is refused.
    fn existing(
        &self,
        project: &ProjectName,
        name: &StoreName,
        wanted: StoreKind,
    ) -> Result<Option<Arc<StoreState>>, IngestError> {
        match self.storage.store(project, name) {
            Some(store) if store.kind() == wanted => Ok(Some(store)),
            Some(store) => Err(IngestError::WrongKind {
                project: project.to_string(),
                store: name.to_string(),
                actual: store.kind().name(),
                wanted: wanted.name(),
            }),
            None if self.config.auto_create => Ok(None),
            None => Err(IngestError::UnknownStore { project: project.to_string(), store: name.to_string() }),
        }
    }

    async fn existing_or_new(
        &self,
        existing: Option<Arc<StoreState>>,
        project: &ProjectName,
        name: &StoreName,
        kind: StoreKind,
    ) -> Result<Arc<StoreState>, IngestError> {
        match existing {
            Some(store) => Ok(store),
            None => {
                let spec = StoreSpec::new(kind);
                self.quotas.check_new_store(&self.storage, project, spec.shards)?;
                Ok(self.storage.create_store(project, name, spec).await?)
            }
        }
    }
}

fn parse_hash_key(text: &str) -> Result<u128, IngestError> {
    let wrong = || IngestError::BadHashKey { key: text.to_owned() };
    if text.len() != 32 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(wrong());
    }
    u128::from_str_radix(text, 16).map_err(|_not_hexadecimal| wrong())
}

/// Decoding tens of megabytes would hold up every other request of its thread.
async fn off_the_runtime<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, IngestError> + Send + 'static,
) -> Result<T, IngestError> {
    tokio::task::spawn_blocking(work).await.map_err(|source| IngestError::Interrupted { source })?
}

#[cfg(test)]
mod tests;
