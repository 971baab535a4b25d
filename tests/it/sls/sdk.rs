//! PyPI's `aliyun-log-python-sdk`: every operation, by both versions of the signature at once.

use std::time::Duration;

use crate::harness::{Server, client_command, finish_client, python};

/// Two interpreters, one debug server.
const PATIENCE: Duration = Duration::from_secs(300);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_python_sdk_uses_every_operation() {
    let server = Server::start_locked("").await;
    let python = python().await;
    let suite = |signature| {
        let mut command = client_command(&python, &server);
        command.args(["-m", "unittest", "discover", "--start-directory", "python"]).env("SIGNATURE", signature);
        async move { finish_client(&mut command, PATIENCE).await }
    };
    tokio::join!(suite("v1"), suite("v4"));
    assert!(!server.log().contains("panicked"), "{}", server.log());
}
