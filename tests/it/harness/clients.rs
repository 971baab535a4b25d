//! The clients that people use, in the versions that tests/clients names.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;

use super::{ADMINISTRATOR, Server};

/// Where the scripts that drive them are.
pub(crate) const CLIENTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients");

/// The interpreter of the environment with all the Python clients; made at the first use, and kept in `CULPRIT_CACHE`.
pub(crate) async fn python() -> PathBuf {
    let cache = std::env::var_os("CULPRIT_CACHE").map_or_else(|| env!("CARGO_TARGET_TMPDIR").into(), PathBuf::from);
    let environment = cache.join("python");
    let setup = Path::new(CLIENTS).join("setup.sh");
    let output = Command::new(setup).arg(&environment).output().await.unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "no environment for the Python clients; python3-venv is needed: {said}");
    environment.join("bin/python")
}

/// A program in the folder of the scripts that speaks to the server by its proxy and knows the administrator's key.
pub(crate) fn client_command(program: &Path, server: &Server) -> Command {
    let mut command = Command::new(program);
    for name in ["NO_PROXY", "no_proxy", "ALL_PROXY", "all_proxy"] {
        command.env_remove(name);
    }
    command.env("HTTP_PROXY", server.url()).env("http_proxy", server.url());
    command.env("ADMIN_KEY", format!("{}:{}", ADMINISTRATOR.id, ADMINISTRATOR.secret));
    command.env("PYTHONDONTWRITEBYTECODE", "1").current_dir(CLIENTS);
    command.stdin(Stdio::null()).kill_on_drop(true);
    command
}

/// What it printed; it must come to a good end in time.
pub(crate) async fn finish_client(command: &mut Command, patience: Duration) -> String {
    let output = tokio::time::timeout(patience, command.output()).await;
    let output = output.unwrap_or_else(|_| panic!("{command:?} did not come to an end")).unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{command:?}:\n{said}{}", String::from_utf8_lossy(&output.stderr));
    said
}
