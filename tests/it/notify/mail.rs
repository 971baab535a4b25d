//! A real SMTP server, PyPI's `aiosmtpd`, that keeps its mail in a folder; Python's own parser reads it.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use serde::Deserialize;
use tempfile::TempDir;
use tokio::process::{Child, Command};

use crate::harness::{free_port, python, wait_for};

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
