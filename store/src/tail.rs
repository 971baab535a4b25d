//! The end of a shard as followers wait for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tokio::sync::Notify;

use crate::Offset;

#[derive(Debug)]
struct End {
    offset: AtomicU64,
    /// No batch will come any more: the shard is read-only or gone.
    closed: AtomicBool,
    moved: Notify,
}

/// A handle on the end of one shard; clones share it, and it outlives the shard.
#[derive(Debug, Clone)]
pub struct ShardTail {
    end: Arc<End>,
}

impl ShardTail {
    pub(crate) fn new(offset: Offset) -> Self {
        let end = End { offset: AtomicU64::new(offset.0), closed: AtomicBool::new(false), moved: Notify::new() };
        Self { end: Arc::new(end) }
    }

    /// The offset that the next batch will get. Everything below is visible to readers.
    pub fn end(&self) -> Offset {
        Offset(self.end.offset.load(Ordering::Acquire))
    }

    pub fn is_closed(&self) -> bool {
        self.end.closed.load(Ordering::Acquire)
    }

    /// Returns when there is a batch at or behind `offset`, or when none will ever come.
    pub async fn beyond(&self, offset: Offset) {
        loop {
            let mut moved = std::pin::pin!(self.end.moved.notified());
            // Enlisted before looking: what moves between the look and the wait is not missed.
            moved.as_mut().enable();
            if self.end() > offset || self.is_closed() {
                return;
            }
            moved.await;
        }
    }

    pub(crate) fn advance(&self, end: Offset) {
        self.end.offset.store(end.0, Ordering::Release);
    }

    pub(crate) fn close(&self) {
        self.end.closed.store(true, Ordering::Release);
        self.wake();
    }

    /// Apart from `advance`, so that nobody is woken under the shard's lock.
    pub(crate) fn wake(&self) {
        self.end.moved.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[tokio::test]
    async fn a_follower_waits_for_the_next_batch_and_for_the_end() {
        let tail = ShardTail::new(Offset(3));
        assert!(tail.beyond(Offset(2)).now_or_never().is_some());
        let follower = tail.clone();
        let waiting = tokio::spawn(async move {
            follower.beyond(Offset(3)).await;
            follower.end()
        });
        assert!(tail.beyond(Offset(3)).now_or_never().is_none());
        tail.advance(Offset(4));
        tail.wake();
        assert_eq!(waiting.await.unwrap(), Offset(4));
        tail.close();
        assert!(tail.beyond(Offset(9)).now_or_never().is_some(), "nothing comes any more");
    }
}
