//! A machine that loses power: a folder in memory where there is one, a simulated disk, a clock that is set.

use std::sync::Arc;
use std::time::Duration;

use crate::disk::Disk;
use crate::disk::simulation::Simulation;
use crate::{Clock, Storage, StorageConfig, StoreError, UnixNanos};

pub(super) struct Machine {
    pub(super) folder: tempfile::TempDir,
    pub(super) clock: Clock,
    pub(super) disk: Arc<Simulation>,
    pub(super) log_bytes_max: u64,
}

impl Machine {
    pub(super) fn new(seed: u64) -> Self {
        let memory = std::path::Path::new("/dev/shm");
        let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
        Self {
            folder: folder.unwrap(),
            clock: Clock::manual(UnixNanos(1_000_000_000_000)),
            disk: Simulation::new(seed),
            log_bytes_max: crate::limits::LOG_BYTES_MAX,
        }
    }

    pub(super) async fn try_open(&self) -> Result<Storage, StoreError> {
        let config = StorageConfig {
            clock: self.clock.clone(),
            log_bytes_max: self.log_bytes_max,
            ..StorageConfig::new(self.folder.path())
        };
        Storage::open_on(config, Disk::simulate(self.disk.clone())).await
    }

    pub(super) async fn open(&self) -> Storage {
        self.try_open().await.unwrap()
    }

    /// Returns when a sync is held back.
    pub(super) async fn sync_waits(&self) {
        let waits = async {
            while self.disk.syncs_waiting() == 0 {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), waits).await.expect("somebody syncs");
    }

    /// Nothing that is under way reaches the disk; what was not synced may be gone.
    pub(super) async fn crash(&self, storage: Storage) {
        self.disk.cut_power();
        let inner = &storage.inner;
        inner.stop.cancel();
        inner.tasks.close();
        inner.tasks.wait().await;
        let log = inner.log.write().unwrap().take();
        if let Some(log) = log {
            log.close().await;
        }
        inner.catalog.close().await;
        drop(inner.lock.lock().unwrap().take());
        self.disk.restore_power().unwrap();
    }
}
