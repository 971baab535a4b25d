//! Checkpoints on their way to the disk: those that come at the same time are one commit.
//!
//! What a group knows of its checkpoints changes after the commit and in its order, so nothing is told to a reader that a restart would take back.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard};

use culprit_store::{CheckpointRecord, Storage, StoreError};
use tokio::sync::oneshot;

/// Whether a group was deleted; its late checkpoints must not come back with the next group of the name.
pub(super) type Gone = Arc<AtomicBool>;

#[derive(Debug, Clone)]
pub(super) enum Written {
    Kept,
    GroupGone,
    Failed(StoreError),
}

struct Waiting {
    record: CheckpointRecord,
    gone: Gone,
    kept: Box<dyn FnOnce(&CheckpointRecord) + Send>,
    tell: oneshot::Sender<Written>,
}

#[derive(Clone)]
pub(super) struct Checkpoints {
    inner: Arc<Inner>,
}

struct Inner {
    storage: Storage,
    /// Guards the queue; the order in it is the order on disk.
    waiting: Mutex<Vec<Waiting>>,
    /// Held while a batch is committed, and while a group is deleted.
    commit: tokio::sync::Mutex<()>,
}

impl Checkpoints {
    pub(super) fn new(storage: Storage) -> Self {
        Self { inner: Arc::new(Inner { storage, waiting: Mutex::default(), commit: tokio::sync::Mutex::new(()) }) }
    }

    /// Its place in the order is taken at once, so the caller may hold a lock; `kept` runs once the record is on disk.
    pub(super) fn push(
        &self,
        record: CheckpointRecord,
        gone: &Gone,
        kept: impl FnOnce(&CheckpointRecord) + Send + 'static,
    ) -> oneshot::Receiver<Written> {
        let (tell, told) = oneshot::channel();
        self.inner.waiting().push(Waiting { record, gone: gone.clone(), kept: Box::new(kept), tell });
        told
    }

    /// A task of its own commits: whoever hangs up meanwhile does not take the others with it.
    pub(super) async fn settled(&self, told: oneshot::Receiver<Written>) -> Written {
        let inner = self.inner.clone();
        tokio::spawn(async move { inner.commit_waiting().await });
        told.await.unwrap_or(Written::Failed(StoreError::Closed))
    }

    /// Nothing is committed while the guard lives.
    pub(super) async fn pause(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.inner.commit.lock().await
    }
}

impl Inner {
    fn waiting(&self) -> MutexGuard<'_, Vec<Waiting>> {
        self.waiting.lock().expect("no holder of this lock panics")
    }

    async fn commit_waiting(&self) {
        let _one_commit = self.commit.lock().await;
        let (late, batch): (Vec<_>, Vec<_>) =
            std::mem::take(&mut *self.waiting()).into_iter().partition(|waiting| waiting.gone.load(Relaxed));
        for waiting in late {
            tell(waiting.tell, Written::GroupGone);
        }
        if batch.is_empty() {
            return;
        }
        let records: Vec<CheckpointRecord> = batch.iter().map(|waiting| waiting.record.clone()).collect();
        let written = match self.storage.put_checkpoints(&records).await {
            Ok(()) => Written::Kept,
            Err(error) => Written::Failed(error),
        };
        for Waiting { record, kept, tell: sender, .. } in batch {
            if matches!(written, Written::Kept) {
                kept(&record);
            }
            tell(sender, written.clone());
        }
    }
}

fn tell(sender: oneshot::Sender<Written>, written: Written) {
    if sender.send(written).is_err() {
        tracing::debug!("a reader went away before its checkpoint was on disk");
    }
}
