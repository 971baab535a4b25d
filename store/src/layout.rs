//! Every name on disk.
//!
//! ```text
//! DATA/FORMAT                      {"format":3,"by":"culprit 0.1.0"}
//! DATA/LOCK                        held while a server has the folder open
//! DATA/catalog.db                  SQLite
//! DATA/keys.key                    what the secrets of access keys are sealed with
//! DATA/log/00000000000000000001.log
//! DATA/quarantine/LOG-POSITION.group
//! DATA/segments/STORE/SHARD/FIRST-LAST.parquet
//! ```

use std::path::{Path, PathBuf};

use object_store::path::Path as ObjectPath;

use crate::{Offset, ShardId, StoreId};

/// Raised by whatever makes older versions misread the folder.
pub(crate) const FORMAT: u32 = 3;

#[derive(Debug, Clone)]
pub(crate) struct Layout {
    root: PathBuf,
}

impl Layout {
    pub(crate) fn new(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn format_file(&self) -> PathBuf {
        self.root.join("FORMAT")
    }

    pub(crate) fn lock_file(&self) -> PathBuf {
        self.root.join("LOCK")
    }

    pub(crate) fn catalog_file(&self) -> PathBuf {
        self.root.join("catalog.db")
    }

    pub(crate) fn key_file(&self) -> PathBuf {
        self.root.join("keys.key")
    }

    pub(crate) fn log_folder(&self) -> PathBuf {
        self.root.join("log")
    }

    pub(crate) fn log_file(&self, number: u64) -> PathBuf {
        self.log_folder().join(format!("{number:020}.log"))
    }

    pub(crate) fn quarantine_folder(&self) -> PathBuf {
        self.root.join("quarantine")
    }

    pub(crate) fn quarantined_group(&self, log_number: u64, position: u64) -> PathBuf {
        self.quarantine_folder().join(format!("{log_number:020}-{position}.group"))
    }

    pub(crate) fn segments_folder(&self) -> PathBuf {
        self.root.join("segments")
    }
}

/// The number of a log file, or nothing when the name is not one of ours.
pub(crate) fn log_number(name: &str) -> Option<u64> {
    name.strip_suffix(".log").filter(|digits| digits.len() == 20)?.parse().ok()
}

/// Below the root of the object store, which is the segments folder.
pub(crate) fn segment_path(store: StoreId, shard: ShardId, first: Offset, last: Offset) -> ObjectPath {
    ObjectPath::from(format!("{store}/{shard}/{:020}-{:020}.parquet", first.0, last.0))
}
