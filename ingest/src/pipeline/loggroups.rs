//! LogGroups and browsers' events into a store that exists.

use std::sync::Arc;

use arrow::array::RecordBatch;
use bytes::Bytes;
use culprit_store::{Route, Sequence, StoreKind, StoreState};

use super::{Ingest, off_the_runtime};
use crate::limits::{INLINE_DECODE_BYTES_MAX, LOGGROUP_RAW_BYTES_MAX, REASONS_MAX};
use crate::loggroup::{self, Decoded, GroupBuilder, Header, LogGroupError};
use crate::rejection::Reason;
use crate::{Codec, IngestError};

/// What a PutLogs request says of its body.
#[derive(Debug, Clone)]
pub struct PutLogs {
    pub codec: Codec,
    /// The declared size before compression.
    pub raw_size: Option<usize>,
    /// The body is a list of packages, each a LogGroup that is compressed for itself (`x-log-mode: batch_group`).
    pub packages: bool,
    /// All logs go to the owner of this key; without one, to the shard with most room.
    pub key: Option<u128>,
    /// The producer counts its writes: what it has sent before is refused.
    pub sequence: Option<Sequence>,
}

/// What became of the request, in logs or samples. Only samples are ever rejected one by one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Accepted {
    pub rows: u64,
    pub raw_bytes: u64,
    pub rejected: u64,
    pub reasons: Vec<Reason>,
}

/// Events of a web page: texts by name, all at the time of their arrival.
#[derive(Debug, Clone, Default)]
pub struct WebTrack {
    pub topic: String,
    pub source: String,
    pub tags: Vec<(String, String)>,
    pub logs: Vec<Vec<(String, String)>>,
}

impl Ingest {
    /// One LogGroup, or a package list of them, into a logstore or, as samples, into a metricstore. When this returns,
    /// they are durable and visible: all of them, or none. Each group is one batch: it gets one offset.
    pub async fn put_logs(&self, store: &Arc<StoreState>, body: Bytes, put: PutLogs) -> Result<Accepted, IngestError> {
        self.counters.request(body.len());
        let result = self.store_groups(store, body, put).await;
        self.counted(result)
    }

    pub async fn track(&self, store: &Arc<StoreState>, track: WebTrack) -> Result<Accepted, IngestError> {
        let raw_bytes = track.raw_bytes();
        self.counters.request(raw_bytes);
        let now = self.storage.clock().now();
        let seconds = u32::try_from(now.0.div_euclid(1_000_000_000)).unwrap_or(u32::MAX);
        let result = self.store_events(store, &track, seconds, raw_bytes).await;
        self.counted(result)
    }

    async fn store_events(
        &self,
        store: &Arc<StoreState>,
        track: &WebTrack,
        seconds: u32,
        raw_bytes: usize,
    ) -> Result<Accepted, IngestError> {
        let route = self.place(store, None, raw_bytes)?;
        let decoded = vec![track.decode(store, seconds)?];
        self.append_groups(store, Groups { raw_bytes, decoded }, &route, None).await
    }

    async fn store_groups(&self, store: &Arc<StoreState>, body: Bytes, put: PutLogs) -> Result<Accepted, IngestError> {
        let PutLogs { key, sequence, .. } = put;
        let declared = put.raw_bytes(&body);
        // Where the size is known, a shard that is over its quota costs no decoding.
        let route = declared.map(|bytes| self.place(store, key, bytes)).transpose()?;
        let groups = if declared.is_some_and(|bytes| bytes <= INLINE_DECODE_BYTES_MAX) {
            decode(&body, &put, store)?
        } else {
            let store = store.clone();
            off_the_runtime(move || decode(&body, &put, &store)).await?
        };
        let route = route.map_or_else(|| self.place(store, key, groups.raw_bytes), Ok)?;
        self.append_groups(store, groups, &route, sequence).await
    }

    async fn append_groups(
        &self,
        store: &StoreState,
        groups: Groups,
        route: &Route,
        sequence: Option<Sequence>,
    ) -> Result<Accepted, IngestError> {
        let raw_bytes = groups.raw_bytes as u64;
        let mut batches = Vec::with_capacity(groups.decoded.len());
        for Decoded { batch, repaired, .. } in groups.decoded {
            self.counters.repaired(repaired);
            batches.extend(batch);
        }
        if store.kind() == StoreKind::Metrics {
            let accepted = self.append_samples(store, &batches, sequence).await?;
            return Ok(Accepted { raw_bytes, ..accepted });
        }
        let rows = batches.iter().map(|batch| batch.num_rows() as u64).sum();
        self.append(store, batches, route, sequence).await?;
        self.counters.rows(rows);
        Ok(Accepted { rows, raw_bytes, ..Accepted::default() })
    }

    async fn append_samples(
        &self,
        store: &StoreState,
        batches: &[RecordBatch],
        sequence: Option<Sequence>,
    ) -> Result<Accepted, IngestError> {
        let mut accepted = Accepted::default();
        let mut series = Vec::new();
        for batch in batches {
            let decoded = loggroup::read_samples(batch);
            series.extend(decoded.series);
            accepted.rows += decoded.accepted;
            accepted.rejected += decoded.rejections.total();
            self.counters.rejections(&decoded.rejections);
            accepted.reasons.extend(decoded.rejections.reasons);
        }
        self.storage.append_numbered_samples(store, series, sequence).await?;
        self.counters.samples(accepted.rows);
        accepted.reasons.truncate(REASONS_MAX);
        Ok(accepted)
    }
}

impl PutLogs {
    /// What the body unfolds to, where the request says so.
    fn raw_bytes(&self, body: &Bytes) -> Option<usize> {
        match self {
            Self { packages: true, .. } => None,
            Self { codec: Codec::None, .. } => Some(body.len()),
            Self { raw_size, .. } => *raw_size,
        }
    }
}

/// The groups of a request; their bytes after decompression.
struct Groups {
    raw_bytes: usize,
    decoded: Vec<Decoded>,
}

fn decode(body: &Bytes, put: &PutLogs, store: &StoreState) -> Result<Groups, IngestError> {
    let groups = if put.packages {
        loggroup::unpack(body, put.codec, LOGGROUP_RAW_BYTES_MAX)?
    } else {
        vec![put.codec.decompress(body, put.raw_size, LOGGROUP_RAW_BYTES_MAX)?]
    };
    let schema = store.schema();
    let decoded = groups.iter().map(|group| loggroup::decode(group, &schema)).collect::<Result<_, _>>()?;
    Ok(Groups { raw_bytes: groups.iter().map(Bytes::len).sum(), decoded })
}

impl WebTrack {
    fn raw_bytes(&self) -> usize {
        let pairs = self.tags.iter().chain(self.logs.iter().flatten());
        self.topic.len() + self.source.len() + pairs.map(|(name, value)| name.len() + value.len()).sum::<usize>()
    }

    fn decode(&self, store: &StoreState, seconds: u32) -> Result<Decoded, LogGroupError> {
        let schema = store.schema();
        let header = Header {
            logs: self.logs.len(),
            topic: self.topic.as_bytes(),
            source: self.source.as_bytes(),
            tags: self.tags.iter().map(|(key, value)| (key.as_bytes(), value.as_bytes())).collect(),
        };
        let mut builder = GroupBuilder::new(&schema, &header)?;
        for log in &self.logs {
            for (name, value) in log {
                builder.content(name.as_bytes(), value.as_bytes())?;
            }
            builder.end_log(seconds, 0);
        }
        Ok(builder.finish())
    }
}

#[cfg(test)]
mod tests;
