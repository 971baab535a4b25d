//! Requests byte for byte: a client library would mend some of what is to be sent here.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::harness::Server;

/// Status and error code; no code where the HTTP library itself refuses.
pub(super) type Verdict = (u16, String);

/// One request on a connection of its own. The server may answer and hang up before it has read everything.
pub(super) async fn send(server: &Server, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Verdict {
    let mut head = format!("POST {target} HTTP/1.1\r\nconnection: close\r\nx-log-apiversion: 0.6.0\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    if !headers.iter().any(|(name, _)| *name == "content-length") {
        head.push_str(&format!("content-length: {}\r\n", body.len()));
    }
    head.push_str("\r\n");
    let address = server.url().trim_start_matches("http://");
    let (mut reading, mut writing) = TcpStream::connect(address).await.unwrap().into_split();
    let bytes = [head.as_bytes(), body].concat();
    // It gives the half back: one that is closed early tells the server that nobody waits for an answer.
    let sending = tokio::spawn(async move {
        let sent = writing.write_all(&bytes).await;
        (writing, sent)
    });
    let mut answer = Vec::new();
    // A reset after the answer loses nothing that is asked for here.
    let read = reading.read_to_end(&mut answer).await;
    sending.abort();
    assert!(read.is_ok() || !answer.is_empty(), "{target}: no answer: {read:?}");
    verdict(&String::from_utf8_lossy(&answer))
}

fn verdict(answer: &str) -> Verdict {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("not HTTP: {answer:?}"));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    let status = status.unwrap_or_else(|| panic!("no status: {head}"));
    let error = serde_json::from_str::<serde_json::Value>(body).unwrap_or_default();
    (status, error["errorCode"].as_str().unwrap_or("").to_owned())
}
