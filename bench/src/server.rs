//! The server under measurement: a process of its own, of which processor time, memory and disk are read from outside.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::Failure;

/// What the kernel counts processor time in, on every Linux that Rust supports.
const TICKS_PER_SECOND: f64 = 100.0;

pub(crate) struct Server {
    child: Child,
    pub(crate) url: String,
    folder: TempDir,
}

impl Server {
    /// On an empty data folder. `config` is its `culprit.toml`.
    pub(crate) async fn start(config: &str) -> Result<Self, Failure> {
        let folder = tempfile::Builder::new().prefix("culprit-bench").tempdir_in(place())?;
        // The self-scrape is off: its appends would stand among those that are measured.
        std::fs::write(
            folder.path().join("culprit.toml"),
            format!("{config}\n[telemetry]\nscrape_interval = \"0s\"\n"),
        )?;
        let (child, url) = spawn(folder.path()).await?;
        Ok(Self { child, url, folder })
    }

    /// Seconds of processor time since its start, user and system.
    pub(crate) fn cpu(&self) -> Result<f64, Failure> {
        let stat = std::fs::read_to_string(self.proc("stat")?)?;
        // The command's name stands in parentheses and may hold blanks; fields 14 and 15 are counted behind it.
        let fields: Vec<&str> = stat.rsplit(')').next().ok_or("no ) in /proc/PID/stat")?.split_whitespace().collect();
        let ticks = fields[11].parse::<f64>()? + fields[12].parse::<f64>()?;
        Ok(ticks / TICKS_PER_SECOND)
    }

    pub(crate) fn peak_mib(&self) -> Result<f64, Failure> {
        let status = std::fs::read_to_string(self.proc("status")?)?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM in /proc/PID/status")?;
        Ok(line.trim().trim_end_matches(" kB").parse::<f64>()? / 1024.0)
    }

    fn proc(&self, file: &str) -> Result<PathBuf, Failure> {
        let id = self.child.id().ok_or("the server has ended")?;
        Ok(PathBuf::from(format!("/proc/{id}/{file}")))
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub(crate) fn log_bytes(&self) -> Result<u64, Failure> {
        let mut bytes = 0;
        for entry in std::fs::read_dir(self.data().join("log"))? {
            bytes += entry?.metadata()?.len();
        }
        Ok(bytes)
    }

    pub(crate) async fn kill9(&mut self) -> Result<(), Failure> {
        self.child.kill().await?;
        Ok(())
    }

    /// Starts again on the same data; returns how long it took until it listened.
    pub(crate) async fn restart(&mut self) -> Result<Duration, Failure> {
        let begun = Instant::now();
        (self.child, self.url) = spawn(self.folder.path()).await?;
        Ok(begun.elapsed())
    }
}

/// A memory file system has no fsync worth the name.
fn place() -> PathBuf {
    std::env::var_os("CULPRIT_BENCH_DIR").map_or_else(|| PathBuf::from("/var/tmp"), PathBuf::from)
}

async fn spawn(folder: &Path) -> Result<(Child, String), Failure> {
    let program = std::env::var_os("CULPRIT_BIN").ok_or("CULPRIT_BIN must name the culprit to measure")?;
    let log = std::fs::File::options().create(true).append(true).open(folder.join("server.log"))?;
    let mut child = Command::new(program)
        .args(["serve", "--http", "127.0.0.1:0", "--data"])
        .arg(folder.join("data"))
        .arg("--config")
        .arg(folder.join("culprit.toml"))
        .stdout(Stdio::piped())
        .stderr(log)
        .kill_on_drop(true)
        .spawn()?;
    let mut lines = BufReader::new(child.stdout.take().ok_or("the server has no output")?).lines();
    while let Some(line) = lines.next_line().await? {
        if let Some((_, url)) = line.split_once("listening on ") {
            let url = url.trim().to_owned();
            tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
            return Ok((child, url));
        }
    }
    let mut why = "the server did not start: ".to_owned();
    write!(why, "{}", std::fs::read_to_string(folder.join("server.log"))?)?;
    Err(why.into())
}

/// The disk's own figure beside ours: appends of 4 KiB, each made durable, in the folder that servers get. Microseconds, sorted.
pub(crate) fn fdatasync_micros(count: usize) -> Result<Vec<u64>, Failure> {
    use std::io::Write as _;
    let mut file = tempfile::tempfile_in(place())?;
    let mut micros = Vec::with_capacity(count);
    for _ in 0..count {
        let begun = Instant::now();
        file.write_all(&[7; 4096])?;
        file.sync_data()?;
        micros.push(u64::try_from(begun.elapsed().as_micros())?);
    }
    micros.sort_unstable();
    Ok(micros)
}
