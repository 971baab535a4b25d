//! Runs the router on a listener until it is told to stop.
//!
//! Connections are served here and not by `axum::serve`, which has no clock: whoever began a request and never ended it would hold its connection for ever.

use std::io;
use std::pin::pin;
use std::time::Duration;

use axum::Router;
use axum::serve::Listener;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::limits::REQUEST_WAIT_MAX;

/// Ends when `shutdown` is cancelled and every request that was begun has its answer.
pub async fn serve(listener: TcpListener, router: Router, shutdown: CancellationToken) -> io::Result<()> {
    accept(listener, router, shutdown, REQUEST_WAIT_MAX).await;
    Ok(())
}

async fn accept(mut listener: TcpListener, router: Router, shutdown: CancellationToken, wait_max: Duration) {
    let connections = TaskTracker::new();
    // A listener that is out of descriptors waits for some and goes on.
    while let Some((connection, _)) = shutdown.run_until_cancelled(Listener::accept(&mut listener)).await {
        // Answers are small and come in few writes; waiting for more of them costs a client 40 ms.
        if let Err(error) = connection.set_nodelay(true) {
            tracing::debug!(%error, "a connection keeps Nagle's delay");
        }
        connections.spawn(answer(connection, router.clone(), shutdown.clone(), wait_max));
    }
    drop(listener);
    connections.close();
    connections.wait().await;
}

async fn answer(connection: TcpStream, router: Router, shutdown: CancellationToken, wait_max: Duration) {
    // Without a look at which version it is, which would wait for bytes without a clock.
    let mut builder = Builder::new(TokioExecutor::new()).http1_only();
    builder.http1().timer(TokioTimer::new()).header_read_timeout(wait_max);
    let service = TowerToHyperService::new(router);
    let mut serving = pin!(builder.serve_connection(TokioIo::new(connection), service));
    let served = tokio::select! {
        served = serving.as_mut() => served,
        () = shutdown.cancelled() => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    if let Err(error) = served {
        tracing::debug!(%error, "a connection ended early");
    }
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[tokio::test]
    async fn a_request_that_does_not_come_ends_its_connection() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (router, stop) = (Router::new().route("/", get(|| async { "ok" })), CancellationToken::new());
        let serving = tokio::spawn(accept(listener, router, stop.clone(), Duration::from_millis(100)));
        for (sent, answered) in
            [("", ""), ("GET / HTTP/1.1\r\nhost: x\r\n", ""), ("GET / HTTP/1.1\r\nhost: x\r\n\r\n", "HTTP/1.1 200 OK")]
        {
            let mut connection = TcpStream::connect(address).await.unwrap();
            connection.write_all(sent.as_bytes()).await.unwrap();
            let mut answer = String::new();
            connection.read_to_string(&mut answer).await.unwrap();
            assert_eq!(answer.lines().next().unwrap_or(""), answered, "{sent:?}");
        }
        stop.cancel();
        serving.await.unwrap();
    }
}
