//! `culprit serve` as a process that can be killed, stopped and started again on the same data.

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use super::Client;

/// A debug build on a busy machine replays its log well within this.
const START_MAX: Duration = Duration::from_secs(60);
const STOP_MAX: Duration = Duration::from_secs(60);

/// The program under test, without what the environment would tell it.
pub(crate) fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_culprit"));
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("CULPRIT_")) {
        command.env_remove(name);
    }
    command.env_remove("RUST_LOG").stdin(Stdio::null()).kill_on_drop(true);
    command
}

/// Runs a command to its end.
pub(crate) async fn run(arguments: &[&str]) -> Output {
    finish(command().args(arguments), arguments).await
}

/// Runs a command whose server is `url`.
pub(crate) async fn run_against(url: &str, arguments: &[&str]) -> Output {
    finish(command().args(arguments).env("CULPRIT_URL", url), arguments).await
}

async fn finish(command: &mut Command, arguments: &[&str]) -> Output {
    let output = tokio::time::timeout(Duration::from_secs(120), command.output()).await;
    output.unwrap_or_else(|_| panic!("culprit {arguments:?} did not come to an end")).unwrap()
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct AccessKey {
    pub(crate) id: &'static str,
    pub(crate) secret: &'static str,
}

/// Of servers that want a key.
pub(crate) const ADMINISTRATOR: AccessKey = AccessKey { id: "LTAItester", secret: "0123456789abcdefghijABCDEFGHIJ" };

pub(crate) struct Server {
    child: Child,
    key: Option<AccessKey>,
    pub(crate) client: Client,
    /// Holds `data/`, `culprit.toml` and what the server says in `server.log`.
    folder: TempDir,
}

impl Server {
    /// Starts on an empty data folder, with `config` as `culprit.toml`.
    pub(crate) async fn start(config: &str) -> Self {
        Self::start_as(config, None).await
    }

    /// A server that wants a key for everything; `client` has it.
    pub(crate) async fn start_locked(config: &str) -> Self {
        Self::start_as(config, Some(ADMINISTRATOR)).await
    }

    async fn start_as(config: &str, key: Option<AccessKey>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("culprit.toml"), config).unwrap();
        let mut child = spawn(folder.path(), key);
        let client = Client::new(&listening(&mut child, folder.path()).await).with_key(key);
        Self { child, key, client, folder }
    }

    pub(crate) fn url(&self) -> &str {
        &self.client.url
    }

    /// For files of the test beside the server's own.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("server.log")).unwrap()
    }

    /// The most memory that the process ever held, as Linux tells it.
    pub(crate) fn peak_memory_kib(&self) -> u64 {
        let status = format!("/proc/{}/status", self.child.id().expect("the server runs"));
        let status = std::fs::read_to_string(status).unwrap();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("the peak is told");
        peak.trim().trim_end_matches(" kB").parse().unwrap()
    }

    /// SIGKILL: nothing is flushed, nothing is closed.
    pub(crate) async fn kill9(&mut self) {
        self.child.kill().await.unwrap();
    }

    /// SIGTERM, then the end by the server's own will.
    pub(crate) async fn stop(&mut self) {
        let id = self.child.id().expect("the server runs").to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().await.unwrap().success());
        let ended = tokio::time::timeout(STOP_MAX, self.child.wait()).await;
        let status = ended.unwrap_or_else(|_| panic!("the server did not stop: {}", self.log())).unwrap();
        assert!(status.success(), "{status} at the stop: {}", self.log());
    }

    /// Starts again on what an earlier process left; the port is another one.
    pub(crate) async fn restart(&mut self) {
        self.child = spawn(self.folder.path(), self.key);
        self.client = Client::new(&listening(&mut self.child, self.folder.path()).await).with_key(self.key);
    }

    /// Starts and is killed before or after it is up, as the time will have it.
    pub(crate) async fn restart_and_kill9(&mut self, after: Duration) {
        self.child = spawn(self.folder.path(), self.key);
        tokio::time::sleep(after).await;
        self.kill9().await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = std::fs::read_to_string(self.folder.path().join("server.log"));
            eprintln!("the server said: {}", log.unwrap_or_else(|error| error.to_string()));
        }
    }
}

fn spawn(folder: &Path, key: Option<AccessKey>) -> Child {
    let log = std::fs::File::options().create(true).append(true).open(folder.join("server.log")).unwrap();
    command()
        .envs(key.map(|key| ("CULPRIT_ADMIN_KEY", format!("{}:{}", key.id, key.secret))))
        .args(["serve", "--http", "127.0.0.1:0", "--data"])
        .arg(folder.join("data"))
        .arg("--config")
        .arg(folder.join("culprit.toml"))
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn()
        .unwrap()
}

/// The address that the server prints once it accepts connections.
async fn listening(child: &mut Child, folder: &Path) -> String {
    let mut lines = BufReader::new(child.stdout.take().expect("it is a pipe")).lines();
    let told = tokio::time::timeout(START_MAX, async {
        while let Some(line) = lines.next_line().await.unwrap() {
            if let Some((_, url)) = line.split_once("listening on ") {
                return Some(url.trim().to_owned());
            }
        }
        None
    });
    let Ok(Some(url)) = told.await else {
        panic!("the server did not start: {}", std::fs::read_to_string(folder.join("server.log")).unwrap());
    };
    // A pipe that nobody empties would stop the server at its next line.
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    url
}
