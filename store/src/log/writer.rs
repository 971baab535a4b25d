//! The one thread that writes the log.
//!
//! Appends wait in a bounded queue. The thread takes all that wait, gives each entry its offset, writes one group, calls fsync once, makes the rows
//! visible, and only then answers. Because it alone gives offsets, they are dense and their order is the order on disk.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use arrow::record_batch::RecordBatch;
use tokio::sync::{OwnedRwLockReadGuard, mpsc, oneshot};

use super::body::BodyCodec;
use super::group::{encode_group, file_header};
use super::{Body, Entry, LogFiles, Replayed};
use crate::disk::{Disk, DiskFile};
use crate::layout::Layout;
use crate::limits::{ENCODE_INLINE_BYTES_MAX, GROUP_BYTES_MAX, LOG_FILE_BYTES_MAX, LOG_QUEUE_MAX};
use crate::pressure::{Gauges, Ticket};
use crate::sequence::{Sequences, check_after};
use crate::shard::{RecentBatch, Shard};
use crate::telemetry::Counters;
use crate::{Offset, Sequence, ShardId, StoreError, StoreId, UnixNanos};

/// Rows for one shard, not yet given an offset.
struct Part {
    shard: Arc<Shard>,
    batch: RecordBatch,
    body: Body,
}

/// What is to be appended, all of it or nothing.
pub(crate) struct Append {
    pub(crate) parts: Vec<(Arc<Shard>, RecordBatch)>,
    pub(crate) received: UnixNanos,
    pub(crate) numbered: Option<Numbered>,
    /// Held until the rows are in the log.
    pub(crate) placed: OwnedRwLockReadGuard<()>,
}

/// A write that its producer counts.
pub(crate) struct Numbered {
    pub(crate) sequences: Arc<Sequences>,
    pub(crate) sequence: Sequence,
}

/// All parts of one append stand in one group: after a crash all are there or none.
struct Request {
    parts: Vec<Part>,
    received: UnixNanos,
    numbered: Option<Numbered>,
    /// Goes with the request even when its writer does not wait: nobody closes a shard that rows are on their way to.
    placed: OwnedRwLockReadGuard<()>,
    ticket: Ticket,
    reply: oneshot::Sender<Result<(), StoreError>>,
}

pub(crate) struct LogContext {
    pub(crate) disk: Disk,
    pub(crate) layout: Layout,
    pub(crate) counters: Arc<Counters>,
    pub(crate) gauges: Arc<Gauges>,
    /// What older files hold; they are never continued.
    pub(crate) replayed: Replayed,
}

pub(crate) struct Log {
    /// None once closed.
    queue: Mutex<Option<mpsc::Sender<Request>>>,
    gauges: Arc<Gauges>,
    files: Arc<LogFiles>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Log {
    pub(crate) fn start(context: LogContext) -> Result<Self, StoreError> {
        let LogContext { disk, layout, counters, gauges, replayed } = context;
        let number = replayed.files.keys().next_back().map_or(1, |last| last + 1);
        let sequence = replayed.next_sequence;
        let files = Arc::new(LogFiles::new(layout.clone(), disk.clone(), replayed.files));
        let (queue, requests) = mpsc::channel(LOG_QUEUE_MAX);
        let mut writer = Writer {
            file: create_file(&disk, &layout, number)?,
            number,
            disk,
            layout,
            counters,
            gauges: gauges.clone(),
            files: files.clone(),
            sequence,
            failed: None,
            buffer: Vec::new(),
        };
        writer.note(&[]);
        let thread = std::thread::Builder::new()
            .name("culprit-log".to_owned())
            .spawn(move || writer.run(requests))
            .map_err(StoreError::io("start the thread of", "the log"))?;
        Ok(Self { queue: Mutex::new(Some(queue)), gauges, files, thread: Mutex::new(Some(thread)) })
    }

    /// Returns when the rows are on disk and visible.
    pub(crate) async fn append(&self, append: Append) -> Result<(), StoreError> {
        let Append { parts, received, numbered, placed } = append;
        let bytes: usize = parts.iter().map(|(_, batch)| batch.get_array_memory_size()).sum();
        let codec = BodyCodec::choose(bytes, self.gauges.waiting_bytes());
        let parts = if bytes <= ENCODE_INLINE_BYTES_MAX {
            encode(parts, codec)?
        } else {
            tokio::task::spawn_blocking(move || encode(parts, codec)).await.expect("encoding a batch does not panic")?
        };
        let ticket = self.gauges.queue(parts.iter().map(|part| part.body.bytes.len()).sum())?;
        let (reply, answer) = oneshot::channel();
        let queue = self.queue.lock().expect("no holder of this lock panics").clone().ok_or(StoreError::Closed)?;
        let request = Request { parts, received, numbered, placed, ticket, reply };
        queue.send(request).await.map_err(|_| StoreError::Closed)?;
        answer.await.map_err(|_| StoreError::Closed)?
    }

    pub(crate) fn files(&self) -> &LogFiles {
        &self.files
    }

    /// Lets the thread finish what waits, then joins it. No append may come after.
    pub(crate) async fn close(&self) {
        self.queue.lock().expect("no holder of this lock panics").take();
        let thread = self.thread.lock().expect("no holder of this lock panics").take();
        if let Some(thread) = thread {
            let joined = tokio::task::spawn_blocking(move || thread.join()).await;
            if !matches!(joined, Ok(Ok(()))) {
                tracing::error!("the log thread panicked");
            }
        }
    }
}

fn encode(parts: Vec<(Arc<Shard>, RecordBatch)>, codec: BodyCodec) -> Result<Vec<Part>, StoreError> {
    parts.into_iter().map(|(shard, batch)| Ok(Part { body: Body::encode(&batch, codec)?, shard, batch })).collect()
}

struct Writer {
    disk: Disk,
    layout: Layout,
    counters: Arc<Counters>,
    gauges: Arc<Gauges>,
    files: Arc<LogFiles>,
    file: DiskFile,
    number: u64,
    sequence: u64,
    /// Set by a failed fsync: what the kernel dropped cannot be told from what it kept, so nothing is promised any more.
    failed: Option<StoreError>,
    buffer: Vec<u8>,
}

impl Writer {
    fn run(mut self, mut requests: mpsc::Receiver<Request>) {
        while let Some(first) = requests.blocking_recv() {
            let mut bytes = body_bytes(&first);
            let mut waiting = vec![first];
            while bytes < GROUP_BYTES_MAX {
                let Ok(next) = requests.try_recv() else { break };
                bytes += body_bytes(&next);
                waiting.push(next);
            }
            self.commit(waiting);
        }
    }

    fn commit(&mut self, waiting: Vec<Request>) {
        let (mut new, repeated) = tell_apart(waiting);
        let (entries, offsets) = place(&new);
        let written = match &self.failed {
            Some(failed) => Err(failed.clone()),
            None if entries.is_empty() => Ok(()),
            None => self.write(&entries),
        };
        if let Err(error) = &written {
            tracing::error!(%error, "a group was not written; its writers are told");
        }
        if written.is_ok() {
            self.publish(&mut new, &offsets);
        }
        for request in new {
            request.answer(written.clone());
        }
        for (request, stale) in repeated {
            // What it repeats may stand in this very group: only when that is stored may a writer be told that his rows are.
            request.answer(written.clone().and(Err(stale)));
        }
    }

    fn publish(&self, waiting: &mut [Request], offsets: &[Offset]) {
        for request in waiting.iter() {
            if let Some(Numbered { sequences, sequence }) = &request.numbered {
                sequences.store(*sequence, request.received);
            }
        }
        let parts = waiting.iter_mut().flat_map(|request| {
            let (received, sequence) = (request.received, request.sequence());
            request.parts.drain(..).map(move |part| (part, received, sequence))
        });
        let mut rows = 0;
        let mut bytes = 0;
        for ((part, received, sequence), offset) in parts.zip(offsets) {
            let recent = RecentBatch::new(*offset, received, sequence, part.batch);
            rows += recent.batch.num_rows() as u64;
            bytes += recent.bytes as u64;
            part.shard.publish(recent);
        }
        Counters::add(&self.counters.appended_rows, rows);
        Counters::add(&self.counters.appended_bytes, bytes);
    }

    fn write(&mut self, entries: &[Entry]) -> Result<(), StoreError> {
        if self.file.length() >= LOG_FILE_BYTES_MAX {
            self.file = create_file(&self.disk, &self.layout, self.number + 1)?;
            self.number += 1;
        }
        self.buffer.clear();
        encode_group(self.sequence, entries, &mut self.buffer);
        let before = self.file.length();
        if let Err(source) = self.file.write_all(&self.buffer) {
            return Err(self.take_back(before, source));
        }
        let took = self.file.sync().map_err(|source| self.fail("fsync", source))?;
        self.gauges.synced(took);
        Counters::add(&self.counters.fsync_micros, took.as_micros() as u64);
        Counters::add(&self.counters.groups, 1);
        Counters::add(&self.counters.log_bytes, self.buffer.len() as u64);
        self.sequence += 1;
        self.note(entries);
        Ok(())
    }

    fn note(&mut self, entries: &[Entry]) {
        self.files.written(self.number, self.file.length(), entries);
    }

    /// A write that failed half-way (a full disk) leaves a torn group; cutting it lets later groups follow the last good one. The cut is synced: what a
    /// power cut could bring back would look like damage in a file that has others behind it.
    fn take_back(&mut self, before: u64, source: std::io::Error) -> StoreError {
        if let Err(cut) = self.file.cut(before).and_then(|()| self.file.sync()) {
            return self.fail("write that could not be taken back", cut);
        }
        let error = StoreError::log_write(self.file.path(), source);
        if matches!(error, StoreError::DiskFull { .. }) {
            self.gauges.set_disk_full();
        }
        error
    }

    fn fail(&mut self, action: &'static str, source: std::io::Error) -> StoreError {
        let failed = StoreError::LogFailed { action, source: Arc::new(source) };
        self.failed = Some(failed.clone());
        failed
    }
}

impl Request {
    fn sequence(&self) -> Option<Sequence> {
        self.numbered.as_ref().map(|numbered| numbered.sequence)
    }

    fn answer(self, answer: Result<(), StoreError>) {
        // Before the answer: the writer's next append must not find itself in the queue.
        drop((self.ticket, self.placed));
        if self.reply.send(answer).is_err() {
            tracing::debug!("a writer went away before its answer");
        }
    }
}

/// A request that repeats what is stored, or what stands before it in the same group, and what its writer is told.
type Repeated = (Request, StoreError);

fn tell_apart(waiting: Vec<Request>) -> (Vec<Request>, Vec<Repeated>) {
    let mut in_group: HashMap<(StoreId, u128), i64> = HashMap::new();
    let (mut new, mut repeated) = (Vec::with_capacity(waiting.len()), Vec::new());
    for request in waiting {
        let checked = request.numbered.as_ref().map_or(Ok(()), |Numbered { sequences, sequence }| {
            let place = (sequences.store, sequence.key);
            check_after(*sequence, in_group.get(&place).copied())?;
            sequences.check(*sequence)?;
            in_group.insert(place, sequence.number);
            Ok(())
        });
        match checked {
            Ok(()) => new.push(request),
            Err(stale) => repeated.push((request, stale)),
        }
    }
    (new, repeated)
}

fn body_bytes(request: &Request) -> usize {
    request.parts.iter().map(|part| part.body.bytes.len()).sum()
}

/// Offsets are only proposed here: a shard's next offset moves when its rows are published, so a failed group leaves no gap.
fn place(waiting: &[Request]) -> (Vec<Entry>, Vec<Offset>) {
    let mut next: HashMap<ShardId, Offset> = HashMap::new();
    let mut entries = Vec::new();
    for request in waiting {
        for part in &request.parts {
            let offset = next.entry(part.shard.id).or_insert_with(|| part.shard.next_offset());
            entries.push(Entry {
                shard: part.shard.id,
                offset: *offset,
                received: request.received,
                sequence: request.sequence(),
                body: part.body.clone(),
            });
            offset.0 += 1;
        }
    }
    let offsets = entries.iter().map(|entry| entry.offset).collect();
    (entries, offsets)
}

/// A file of this number can only be left from an attempt of ours that failed.
fn create_file(disk: &Disk, layout: &Layout, number: u64) -> Result<DiskFile, StoreError> {
    let path: PathBuf = layout.log_file(number);
    let create = || {
        let mut file = disk.create(&path)?;
        file.write_all(&file_header(number))?;
        file.sync()?;
        disk.sync_folder(&layout.log_folder())?;
        Ok(file)
    };
    create().map_err(|source| StoreError::log_write(&path, source))
}
