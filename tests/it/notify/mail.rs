//! A real SMTP server, PyPI's `aiosmtpd`, that keeps its mail in a folder; Python's own parser reads it.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde::Deserialize;
use tempfile::TempDir;
use tokio::process::{Child, Command};

use crate::harness::{free_port, wait_for};

const PACKAGE: &str = "aiosmtpd==1.4.6";

/// Prints the messages of a maildir as JSON.
const READ_MAIL: &str = "
import email, email.policy, json, pathlib, sys
def read(path):
    message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    body = lambda kind: message.get_body((kind,)).get_content()
    return {'subject': message['subject'], 'from': message['from'], 'to': message['to'],
            'plain': body('plain'), 'html': body('html')}
print(json.dumps([read(path) for path in sorted(pathlib.Path(sys.argv[1]).glob('new/*'))]))
";

#[derive(Debug, Deserialize)]
pub(super) struct Message {
    pub(super) subject: String,
    pub(super) from: String,
    pub(super) to: String,
    pub(super) plain: String,
    pub(super) html: String,
}

pub(super) struct Mailbox {
    /// `host:port`.
    pub(super) address: String,
    python: PathBuf,
    folder: TempDir,
    _server: Child,
}

impl Mailbox {
    pub(super) async fn start() -> Self {
        let python = python().await;
        let folder = tempfile::tempdir().unwrap();
        let address = format!("127.0.0.1:{}", free_port());
        let mail = folder.path().join("mail");
        let mut command = Command::new(&python);
        command.args(["-m", "aiosmtpd", "--nosetuid", "--listen", &address]);
        command.args(["--class", "aiosmtpd.handlers.Mailbox"]).arg(&mail);
        let server = command.stdin(Stdio::null()).kill_on_drop(true).spawn().unwrap();
        wait_for("the SMTP server", Duration::from_secs(30), async || {
            tokio::net::TcpStream::connect(&address).await.ok()
        })
        .await;
        Self { address, python, folder, _server: server }
    }

    pub(super) async fn messages(&self) -> Vec<Message> {
        let mut command = Command::new(&self.python);
        let output = command.args(["-c", READ_MAIL]).arg(self.folder.path().join("mail")).output().await.unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

/// The interpreter of an environment that has the server; made at the first use, and kept.
async fn python() -> PathBuf {
    let cache = std::env::var_os("CULPRIT_CACHE").map_or_else(|| env!("CARGO_TARGET_TMPDIR").into(), PathBuf::from);
    let environment = cache.join("aiosmtpd");
    let python = environment.join("bin/python");
    if has_server(&python).await {
        return python;
    }
    std::fs::create_dir_all(&cache).unwrap();
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&environment)).await;
    run(Command::new(&python).args(["-m", "pip", "install", "--quiet", PACKAGE])).await;
    assert!(has_server(&python).await, "{} does not find aiosmtpd", python.display());
    python
}

async fn has_server(python: &Path) -> bool {
    let import = Command::new(python).args(["-c", "import aiosmtpd"]).stderr(Stdio::null()).status().await;
    import.is_ok_and(|status| status.success())
}

async fn run(command: &mut Command) {
    let output = command.output().await.unwrap_or_else(|error| panic!("{command:?}: {error}; install python3-venv"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}
