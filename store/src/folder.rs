//! Opening the data folder: its format is one that we read, and nobody else has it open.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;
use std::sync::Arc;

use crate::StoreError;
use crate::disk::Disk;
use crate::layout::{FORMAT, Layout};

#[derive(serde::Serialize, serde::Deserialize)]
struct FormatFile {
    format: u32,
    by: String,
}

/// Holds the lock until it is dropped; the operating system lets go of it when the process dies.
#[derive(Debug)]
pub(crate) struct FolderLock {
    _file: File,
}

/// Creates what is missing.
pub(crate) fn open(disk: &Disk, root: &Path) -> Result<(Layout, FolderLock), StoreError> {
    let layout = Layout::new(root);
    for folder in [root.to_owned(), layout.log_folder(), layout.quarantine_folder(), layout.segments_folder()] {
        std::fs::create_dir_all(&folder)
            .map_err(|source| StoreError::Unwritable { path: root.to_owned(), source: Arc::new(source) })?;
    }
    let lock = lock(&layout)?;
    check_format(disk, &layout)?;
    // The log fsyncs its files; that the folders above them have their names is durable from here on.
    for folder in std::path::absolute(root).map_err(StoreError::io("find", root))?.ancestors().take(2) {
        disk.sync_folder(folder).map_err(StoreError::io("fsync the folder", folder))?;
    }
    Ok((layout, lock))
}

fn lock(layout: &Layout) -> Result<FolderLock, StoreError> {
    let path = layout.lock_file();
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(|source| StoreError::Unwritable { path: layout.root().to_owned(), source: Arc::new(source) })?;
    match file.try_lock() {
        Ok(()) => Ok(FolderLock { _file: file }),
        Err(TryLockError::WouldBlock) => Err(StoreError::Locked { path: layout.root().to_owned() }),
        Err(TryLockError::Error(source)) => Err(StoreError::io("lock", path)(source)),
    }
}

/// A folder of an older format gets the number of this one before anything in it is changed: an older culprit would misread what is.
fn check_format(disk: &Disk, layout: &Layout) -> Result<(), StoreError> {
    let path = layout.format_file();
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return write_format(disk, layout),
        Err(error) => return Err(StoreError::io("read", path)(error)),
    };
    let found: FormatFile = serde_json::from_str(&text)
        .map_err(|error| StoreError::io("understand", path.clone())(std::io::Error::other(error)))?;
    if found.format > FORMAT {
        let root = layout.root().to_owned();
        return Err(StoreError::NewerFormat { path: root, found: found.format, by: found.by, supported: FORMAT });
    }
    if found.format < FORMAT {
        tracing::info!(from = found.format, to = FORMAT, "the data folder is brought to the format of this version");
        return write_format(disk, layout);
    }
    Ok(())
}

fn write_format(disk: &Disk, layout: &Layout) -> Result<(), StoreError> {
    let path = layout.format_file();
    let format = FormatFile { format: FORMAT, by: concat!("culprit ", env!("CARGO_PKG_VERSION")).to_owned() };
    let text = serde_json::to_string(&format).expect("two fields are JSON");
    disk.replace(&path, text.as_bytes()).map_err(StoreError::io("write", path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_open_once() {
        let folder = tempfile::tempdir().unwrap();
        let (_, lock) = open(&Disk::default(), folder.path()).unwrap();
        let refused = open(&Disk::default(), folder.path()).unwrap_err().to_string();
        assert!(refused.contains("in use by another culprit"), "{refused}");
        drop(lock);
        open(&Disk::default(), folder.path()).unwrap();
    }

    #[test]
    fn a_newer_format_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("FORMAT"), r#"{"format":99,"by":"culprit 7.0.0"}"#).unwrap();
        let refused = open(&Disk::default(), folder.path()).unwrap_err().to_string();
        assert!(refused.contains("format 99") && refused.contains("culprit 7.0.0"), "{refused}");
    }
}
