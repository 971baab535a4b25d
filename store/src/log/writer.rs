//! The one thread that writes the log.
//!
//! Appends wait in a bounded queue. The thread takes all that wait, gives each entry its offset, writes one group, calls fsync once, makes the rows
//! visible, and only then answers. Because it alone gives offsets, they are dense and their order is the order on disk.

use std::collections::{BTreeMap, HashMap};
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Instant;

use arrow::record_batch::RecordBatch;
use tokio::sync::{OwnedRwLockReadGuard, mpsc, oneshot};

use super::group::{FILE_HEADER_BYTES, encode_group, file_header};
use super::{Entry, encode_body};
use crate::layout::Layout;
use crate::limits::{GROUP_BYTES_MAX, LOG_FILE_BYTES_MAX, LOG_QUEUE_MAX};
use crate::shard::{RecentBatch, Shard};
use crate::telemetry::Counters;
use crate::{Offset, ShardId, StoreError, UnixNanos};

/// Rows for one shard, not yet given an offset.
struct Part {
    shard: Arc<Shard>,
    batch: RecordBatch,
    body: Vec<u8>,
}

/// All parts of one append stand in one group: after a crash all are there or none.
struct Request {
    parts: Vec<Part>,
    received: UnixNanos,
    /// Goes with the request even when its writer does not wait: nobody closes a shard that rows are on their way to.
    _placed: OwnedRwLockReadGuard<()>,
    reply: oneshot::Sender<Result<(), StoreError>>,
}

pub(crate) struct LogContext {
    pub(crate) layout: Layout,
    pub(crate) counters: Arc<Counters>,
    /// Number of the first file to write; files are never continued after a restart.
    pub(crate) file_number: u64,
    /// Sequence of the first group.
    pub(crate) sequence: u64,
    /// The highest offset of each shard in each older file, from replay.
    pub(crate) older_files: BTreeMap<u64, HashMap<ShardId, Offset>>,
}

pub(crate) struct Log {
    /// None once closed.
    queue: Mutex<Option<mpsc::Sender<Request>>>,
    files: Arc<LogFiles>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// Which file holds what, so that files whose rows are all in segments can go.
struct LogFiles {
    layout: Layout,
    highest: Mutex<BTreeMap<u64, HashMap<ShardId, Offset>>>,
}

impl Log {
    pub(crate) fn start(context: LogContext) -> Result<Self, StoreError> {
        let LogContext { layout, counters, file_number, sequence, older_files } = context;
        let files = Arc::new(LogFiles { layout: layout.clone(), highest: Mutex::new(older_files) });
        let file = LogFile::create(&layout, file_number)?;
        files.highest.lock().expect("no holder of this lock panics").insert(file_number, HashMap::new());
        let (queue, requests) = mpsc::channel(LOG_QUEUE_MAX);
        let writer =
            Writer { layout, counters, files: files.clone(), file, sequence, failed: None, buffer: Vec::new() };
        let thread = std::thread::Builder::new()
            .name("culprit-log".to_owned())
            .spawn(move || writer.run(requests))
            .map_err(StoreError::io("start the thread of", "the log"))?;
        Ok(Self { queue: Mutex::new(Some(queue)), files, thread: Mutex::new(Some(thread)) })
    }

    /// Returns when the rows are on disk and visible.
    pub(crate) async fn append(
        &self,
        parts: Vec<(Arc<Shard>, RecordBatch)>,
        received: UnixNanos,
        placed: OwnedRwLockReadGuard<()>,
    ) -> Result<(), StoreError> {
        let parts = parts
            .into_iter()
            .map(|(shard, batch)| Ok(Part { body: encode_body(&batch)?, shard, batch }))
            .collect::<Result<Vec<_>, StoreError>>()?;
        let (reply, answer) = oneshot::channel();
        let queue = self.queue.lock().expect("no holder of this lock panics").clone().ok_or(StoreError::Closed)?;
        queue.send(Request { parts, received, _placed: placed, reply }).await.map_err(|_| StoreError::Closed)?;
        answer.await.map_err(|_| StoreError::Closed)?
    }

    /// Deletes the files of which every entry stands below `flushed`; a shard that is gone needs none.
    pub(crate) fn truncate(&self, flushed: impl Fn(ShardId) -> Option<Offset>) -> Result<(), StoreError> {
        let mut files = self.files.highest.lock().expect("no holder of this lock panics");
        let Some(current) = files.keys().next_back().copied() else { return Ok(()) };
        let done = |highest: &HashMap<ShardId, Offset>| {
            highest.iter().all(|(shard, last)| flushed(*shard).is_none_or(|flushed| *last < flushed))
        };
        let spent: Vec<u64> =
            files.iter().filter(|(number, highest)| **number != current && done(highest)).map(|(n, _)| *n).collect();
        for number in spent {
            let path = self.files.layout.log_file(number);
            std::fs::remove_file(&path).map_err(StoreError::io("remove the log file", path))?;
            files.remove(&number);
        }
        Ok(())
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

struct Writer {
    layout: Layout,
    counters: Arc<Counters>,
    files: Arc<LogFiles>,
    file: LogFile,
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

    fn commit(&mut self, mut waiting: Vec<Request>) {
        let (entries, offsets) = place(&mut waiting);
        let written = match &self.failed {
            Some(failed) => Err(failed.clone()),
            None => self.write(&entries),
        };
        if let Err(error) = &written {
            tracing::error!(%error, "a group was not written; its writers are told");
        }
        if written.is_ok() {
            self.publish(&mut waiting, &offsets);
        }
        for request in waiting {
            if request.reply.send(written.clone()).is_err() {
                tracing::debug!("a writer went away before its answer");
            }
        }
    }

    fn publish(&self, waiting: &mut [Request], offsets: &[Offset]) {
        let parts = waiting.iter_mut().flat_map(|request| {
            let received = request.received;
            request.parts.drain(..).map(move |part| (part, received))
        });
        let mut rows = 0;
        let mut bytes = 0;
        for ((part, received), offset) in parts.zip(offsets) {
            let recent = RecentBatch::new(*offset, received, part.batch);
            rows += recent.batch.num_rows() as u64;
            bytes += recent.bytes as u64;
            part.shard.publish(recent);
        }
        Counters::add(&self.counters.appended_rows, rows);
        Counters::add(&self.counters.appended_bytes, bytes);
    }

    fn write(&mut self, entries: &[Entry]) -> Result<(), StoreError> {
        if self.file.bytes >= LOG_FILE_BYTES_MAX {
            self.file = LogFile::create(&self.layout, self.file.number + 1)?;
        }
        self.buffer.clear();
        encode_group(self.sequence, entries, &mut self.buffer);
        if let Err(source) = self.file.file.write_all(&self.buffer) {
            return Err(self.take_back(source));
        }
        let started = Instant::now();
        if let Err(source) = self.file.file.sync_data() {
            let failed = StoreError::LogFailed { action: "fsync", source: Arc::new(source) };
            self.failed = Some(failed.clone());
            return Err(failed);
        }
        Counters::add(&self.counters.fsync_micros, started.elapsed().as_micros() as u64);
        Counters::add(&self.counters.groups, 1);
        Counters::add(&self.counters.log_bytes, self.buffer.len() as u64);
        self.file.bytes += self.buffer.len() as u64;
        self.sequence += 1;
        let mut files = self.files.highest.lock().expect("no holder of this lock panics");
        let highest = files.entry(self.file.number).or_default();
        for entry in entries {
            highest.insert(entry.shard, entry.offset);
        }
        Ok(())
    }

    /// A write that failed half-way (a full disk) leaves a torn group; cutting it lets later groups follow the last good one.
    fn take_back(&mut self, source: std::io::Error) -> StoreError {
        let cut = self.file.file.set_len(self.file.bytes).and_then(|()| self.file.seek_end());
        match cut {
            Ok(()) => StoreError::Io {
                action: "write the log",
                path: self.layout.log_file(self.file.number),
                source: Arc::new(source),
            },
            Err(_) => {
                let failed = StoreError::LogFailed { action: "write", source: Arc::new(source) };
                self.failed = Some(failed.clone());
                failed
            }
        }
    }
}

fn body_bytes(request: &Request) -> usize {
    request.parts.iter().map(|part| part.body.len()).sum()
}

/// Offsets are only proposed here: a shard's next offset moves when its rows are published, so a failed group leaves no gap.
fn place(waiting: &mut [Request]) -> (Vec<Entry>, Vec<Offset>) {
    let mut next: HashMap<ShardId, Offset> = HashMap::new();
    let mut entries = Vec::new();
    for request in waiting {
        for part in &mut request.parts {
            let offset = next.entry(part.shard.id).or_insert_with(|| part.shard.next_offset());
            entries.push(Entry {
                shard: part.shard.id,
                offset: *offset,
                received: request.received,
                body: std::mem::take(&mut part.body),
            });
            offset.0 += 1;
        }
    }
    let offsets = entries.iter().map(|entry| entry.offset).collect();
    (entries, offsets)
}

struct LogFile {
    file: File,
    number: u64,
    bytes: u64,
}

impl LogFile {
    fn create(layout: &Layout, number: u64) -> Result<Self, StoreError> {
        let path = layout.log_file(number);
        let create = || {
            // A file of this number can only be left from an attempt of ours that failed here.
            let mut file = OpenOptions::new().write(true).create(true).truncate(true).open(&path)?;
            file.write_all(&file_header(number))?;
            file.sync_all()?;
            sync_folder(&layout.log_folder())?;
            Ok(file)
        };
        let file = create().map_err(StoreError::io("create the log file", path.clone()))?;
        Ok(Self { file, number, bytes: FILE_HEADER_BYTES as u64 })
    }

    fn seek_end(&mut self) -> std::io::Result<()> {
        use std::io::{Seek, SeekFrom};
        self.file.seek(SeekFrom::End(0)).map(|_| ())
    }
}

/// A new name is durable only when its folder is.
pub(crate) fn sync_folder(folder: &Path) -> std::io::Result<()> {
    File::open(folder)?.sync_all()
}
