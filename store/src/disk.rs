//! The file system as the store uses it: every file of the log, FORMAT, and the durability of segments go through here.
//!
//! One concrete type, so that tests can put a failing, torn, slow or full disk under a whole [`crate::Storage`], and cut the power: see `simulation`.

use std::fs::{File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

#[cfg(test)]
pub(crate) mod simulation;

#[derive(Debug, Clone, Default)]
pub(crate) struct Disk {
    #[cfg(test)]
    simulation: Option<std::sync::Arc<simulation::Simulation>>,
}

/// What is about to be done, as far as its failure makes a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    Create,
    SyncFolder,
    Remove,
    PutSegment,
    BeginCatalog,
    CommitCatalog,
    /// The commit has been made; only its answer can still be lost.
    AnswerCatalog,
}

impl Disk {
    /// A new, empty file; what had its name is gone.
    pub(crate) fn create(&self, path: &Path) -> io::Result<DiskFile> {
        self.may(Operation::Create, path)?;
        let file = OpenOptions::new().write(true).create(true).truncate(true).open(path)?;
        #[cfg(test)]
        self.simulated(|simulation| simulation.created(path));
        Ok(DiskFile { file, path: path.to_owned(), length: 0, disk: self.clone() })
    }

    pub(crate) fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        std::fs::read(path)
    }

    /// Names that are no text are nobody's of ours.
    pub(crate) fn names(&self, folder: &Path) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(folder)? {
            names.extend(entry?.file_name().into_string().ok());
        }
        Ok(names)
    }

    /// Writes a file as a whole: after a crash the old one is there or the new one.
    pub(crate) fn replace(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let staged = path.with_extension("new");
        let mut file = self.create(&staged)?;
        file.write_all(bytes)?;
        file.sync()?;
        std::fs::rename(&staged, path)?;
        path.parent().map_or(Ok(()), |folder| self.sync_folder(folder))
    }

    /// Leaves the first `length` bytes of a file.
    pub(crate) fn cut(&self, path: &Path, length: u64) -> io::Result<()> {
        let file = OpenOptions::new().write(true).open(path)?;
        let mut file = DiskFile { file, path: path.to_owned(), length, disk: self.clone() };
        file.cut(length)?;
        file.sync().map(|_| ())
    }

    pub(crate) fn remove(&self, path: &Path) -> io::Result<()> {
        self.may(Operation::Remove, path)?;
        std::fs::remove_file(path)
    }

    /// A new name is durable only when its folder is.
    pub(crate) fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        self.may(Operation::SyncFolder, folder)?;
        if self.is_real() {
            File::open(folder)?.sync_all()?;
        }
        #[cfg(test)]
        self.simulated(|simulation| simulation.folder_synced(folder));
        Ok(())
    }

    /// A file that somebody else wrote, and the folders above it up to `root`.
    pub(crate) fn sync_written(&self, path: &Path, root: &Path) -> io::Result<()> {
        if !self.is_real() {
            return Ok(());
        }
        File::open(path)?.sync_all()?;
        path.ancestors().skip(1).take_while(|folder| folder.starts_with(root)).try_for_each(|f| self.sync_folder(f))
    }

    /// Bytes that may still be written, and bytes in all.
    pub(crate) fn space(&self, folder: &Path) -> io::Result<Space> {
        #[cfg(test)]
        if let Some(space) = self.simulation.as_ref().and_then(|simulation| simulation.space()) {
            return Ok(space);
        }
        let space = fs4::statvfs(folder)?;
        Ok(Space { free: space.available_space(), total: space.total_space() })
    }

    /// A simulated disk does not wait for the machine's.
    pub(crate) fn is_real(&self) -> bool {
        #[cfg(test)]
        return self.simulation.is_none();
        #[cfg(not(test))]
        true
    }
}

#[cfg(not(test))]
impl Disk {
    /// Fails where a test wants it to.
    pub(crate) fn may(&self, _operation: Operation, _path: &Path) -> io::Result<()> {
        Ok(())
    }

    /// How many of the bytes reach the file, and the error that follows.
    fn grant(&self, _path: &Path, _at: u64, bytes: usize) -> (usize, Option<io::Error>) {
        (bytes, None)
    }

    /// What it pretends to have taken; none when the file is to be synced for real.
    fn simulated_sync(&self, _path: &Path) -> io::Result<Option<Duration>> {
        Ok(None)
    }
}

#[cfg(test)]
impl Disk {
    pub(crate) fn simulate(simulation: std::sync::Arc<simulation::Simulation>) -> Self {
        Self { simulation: Some(simulation) }
    }

    pub(crate) fn may(&self, operation: Operation, _path: &Path) -> io::Result<()> {
        self.simulation.as_ref().map_or(Ok(()), |simulation| simulation.may(operation))
    }

    fn grant(&self, path: &Path, at: u64, bytes: usize) -> (usize, Option<io::Error>) {
        self.simulation.as_ref().map_or((bytes, None), |simulation| simulation.write(path, at, bytes))
    }

    fn simulated_sync(&self, path: &Path) -> io::Result<Option<Duration>> {
        self.simulation.as_ref().map(|simulation| simulation.sync(path)).transpose()
    }

    fn simulated(&self, told: impl FnOnce(&simulation::Simulation)) {
        if let Some(simulation) = &self.simulation {
            told(simulation);
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Space {
    pub(crate) free: u64,
    pub(crate) total: u64,
}

/// A file that is written from its beginning to its end.
#[derive(Debug)]
pub(crate) struct DiskFile {
    file: File,
    path: PathBuf,
    length: u64,
    disk: Disk,
}

impl DiskFile {
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Of what was written whole; a failed write may have left more in the file.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    pub(crate) fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        let (granted, refused) = self.disk.grant(&self.path, self.length, bytes.len());
        self.file.write_all(&bytes[..granted])?;
        if let Some(refused) = refused {
            return Err(refused);
        }
        self.length += bytes.len() as u64;
        Ok(())
    }

    /// Returns when what was written survives a power cut, and how long that took.
    pub(crate) fn sync(&mut self) -> io::Result<Duration> {
        if let Some(took) = self.disk.simulated_sync(&self.path)? {
            return Ok(took);
        }
        let started = Instant::now();
        self.file.sync_data()?;
        Ok(started.elapsed())
    }

    /// Leaves the first `length` bytes; the next write goes behind them.
    pub(crate) fn cut(&mut self, length: u64) -> io::Result<()> {
        self.file.set_len(length)?;
        self.file.seek(SeekFrom::Start(length))?;
        self.length = length;
        #[cfg(test)]
        self.disk.simulated(|simulation| simulation.cut(&self.path, length));
        Ok(())
    }
}
