//! Independent pieces of work shared out among the processors, until there are no more or the budget ends.

use std::sync::atomic::{AtomicUsize, Ordering};

/// The caller's stop condition: true once the time budget is spent. It is asked often and must be cheap.
pub type Stop<'a> = &'a (dyn Fn() -> bool + Sync);

/// Results in the order of the work; None marks a piece that the budget did not reach.
pub(crate) fn share_out<T: Send>(pieces: usize, work: impl Fn(usize) -> T + Sync, stop: Stop<'_>) -> Vec<Option<T>> {
    let workers = std::thread::available_parallelism().map_or(1, usize::from).min(pieces.max(1));
    let next = AtomicUsize::new(0);
    let run = || {
        let mut done = Vec::new();
        loop {
            let piece = next.fetch_add(1, Ordering::Relaxed);
            if piece >= pieces || stop() {
                return done;
            }
            done.push((piece, work(piece)));
        }
    };
    let mut results: Vec<Option<T>> = (0..pieces).map(|_| None).collect();
    std::thread::scope(|scope| {
        let others: Vec<_> = (1..workers).map(|_| scope.spawn(run)).collect();
        let mut done = run();
        for other in others {
            match other.join() {
                Ok(more) => done.extend(more),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        done.into_iter().for_each(|(piece, result)| results[piece] = Some(result));
    });
    results
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_piece_is_done_once_and_in_its_place() {
        assert_eq!(share_out(100, |piece| piece * 2, &|| false), (0..100).map(|x| Some(x * 2)).collect::<Vec<_>>());
        assert_eq!(share_out(3, |piece| piece, &|| true), [None, None, None]);
        assert!(share_out(0, |piece| piece, &|| false).is_empty());
    }
}
