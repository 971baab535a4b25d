//! The demo's pager: what somebody on call would have at the other end of the webhook.
//!
//! It speaks as much HTTP as one POST with a known length needs, so that the binary has one HTTP server and not two.
//! Head, body, time and connections are bounded; whatever is not understood is answered with 400 and told.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};

use super::page::Page;

const HEAD_BYTES_MAX: usize = 16 << 10;
/// A page carries whole reports, one for each alert.
const BODY_BYTES_MAX: usize = 8 << 20;
const CONNECTIONS_MAX: usize = 4;
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
/// Pages that wait to be printed; more hold the sender up.
const PAGES_WAITING: usize = 16;

#[derive(Debug, thiserror::Error)]
pub(super) enum PageError {
    #[error("the connection ended inside a request")]
    Cut,
    #[error("the connection failed: {0}")]
    Io(#[from] io::Error),
    #[error("a request's {what} exceeds {max} bytes")]
    TooLarge { what: &'static str, max: usize },
    #[error("a request has no usable content-length")]
    NoLength,
    #[error("a request took longer than {REQUEST_TIMEOUT:?}")]
    Slow,
    #[error("a request is not a page: {0}")]
    NotAPage(#[from] serde_json::Error),
}

pub(super) struct Receiver {
    listener: TcpListener,
    address: SocketAddr,
}

impl Receiver {
    pub(super) async fn bind() -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        Ok(Self { listener, address })
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}/pager", self.address)
    }

    /// Pages, and what came in their place. It listens until the channel is dropped.
    pub(super) fn run(self) -> mpsc::Receiver<Result<Page, PageError>> {
        let (pages, received) = mpsc::channel(PAGES_WAITING);
        tokio::spawn(async move {
            let permits = Arc::new(Semaphore::new(CONNECTIONS_MAX));
            loop {
                let permit = permits.clone().acquire_owned().await.expect("the semaphore is never closed");
                let accepted = tokio::select! {
                    () = pages.closed() => return,
                    accepted = self.listener.accept() => accepted,
                };
                let pages = pages.clone();
                tokio::spawn(async move {
                    let page = match accepted {
                        Ok((stream, _)) => answer(stream).await,
                        Err(error) => Err(error.into()),
                    };
                    if pages.send(page).await.is_err() {
                        tracing::debug!("a page came after the demo's end");
                    }
                    drop(permit);
                });
            }
        });
        received
    }
}

async fn answer(mut stream: TcpStream) -> Result<Page, PageError> {
    let page = match tokio::time::timeout(REQUEST_TIMEOUT, read_body(&mut stream)).await {
        Ok(body) => body.and_then(|body| Ok(serde_json::from_slice(&body)?)),
        Err(_) => Err(PageError::Slow),
    };
    let status = if page.is_ok() { "200 OK" } else { "400 Bad Request" };
    let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    stream.write_all(answer.as_bytes()).await?;
    stream.shutdown().await?;
    page
}

async fn read_body(stream: &mut (impl AsyncRead + Unpin)) -> Result<Vec<u8>, PageError> {
    let mut bytes = Vec::new();
    let head_end = loop {
        if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break at + 4;
        }
        if bytes.len() > HEAD_BYTES_MAX {
            return Err(PageError::TooLarge { what: "head", max: HEAD_BYTES_MAX });
        }
        read_more(stream, &mut bytes).await?;
    };
    let length = content_length(&bytes[..head_end]).ok_or(PageError::NoLength)?;
    if length > BODY_BYTES_MAX {
        return Err(PageError::TooLarge { what: "body", max: BODY_BYTES_MAX });
    }
    let mut body = bytes.split_off(head_end);
    while body.len() < length {
        read_more(stream, &mut body).await?;
    }
    body.truncate(length);
    Ok(body)
}

async fn read_more(stream: &mut (impl AsyncRead + Unpin), bytes: &mut Vec<u8>) -> Result<(), PageError> {
    match stream.read_buf(bytes).await? {
        0 => Err(PageError::Cut),
        _ => Ok(()),
    }
}

fn content_length(head: &[u8]) -> Option<usize> {
    let head = std::str::from_utf8(head).ok()?;
    let (_, value) = head
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.trim().eq_ignore_ascii_case("content-length"))?;
    value.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(mut request: &[u8]) -> Result<Vec<u8>, PageError> {
        read_body(&mut request).await
    }

    #[tokio::test]
    async fn a_body_is_what_its_length_says() {
        for (request, body) in [
            ("POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}", "{}"),
            ("POST / HTTP/1.1\r\nhost: a\r\ncontent-length:3\r\n\r\nabcd", "abc"),
            ("POST / HTTP/1.1\r\ncontent-length: 0\r\n\r\n", ""),
        ] {
            assert_eq!(read(request.as_bytes()).await.unwrap(), body.as_bytes(), "{request}");
        }
    }

    #[tokio::test]
    async fn what_is_not_a_bounded_request_is_refused() {
        let endless = vec![b'a'; HEAD_BYTES_MAX + 2];
        for (request, why) in [
            (&b"POST / HTTP/1.1\r\n"[..], "ended inside"),
            (b"POST / HTTP/1.1\r\ncontent-length: 9\r\n\r\nshort", "ended inside"),
            (b"POST / HTTP/1.1\r\n\r\n{}", "content-length"),
            (b"POST / HTTP/1.1\r\ncontent-length: -1\r\n\r\n", "content-length"),
            (b"POST / HTTP/1.1\r\ncontent-length: 99999999\r\n\r\n", "body exceeds"),
            (&endless, "head exceeds"),
        ] {
            let error = read(request).await.unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
    }

    #[tokio::test]
    async fn a_client_gets_its_answer_and_the_page_arrives() {
        let receiver = Receiver::bind().await.unwrap();
        let url = receiver.url();
        let mut pages = receiver.run();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let page = serde_json::json!({
            "status": "resolved", "culprit": {"incident": "1", "url": "http://127.0.0.1:1/ui/alerts"}, "alerts": [],
        });
        assert_eq!(client.post(&url).json(&page).send().await.unwrap().status(), 200);
        assert!(!pages.recv().await.unwrap().unwrap().is_firing());
        assert_eq!(client.post(&url).body("{}").send().await.unwrap().status(), 400);
        assert!(matches!(pages.recv().await.unwrap(), Err(PageError::NotAPage(_))));
    }
}
