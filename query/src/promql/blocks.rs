//! Series shared out among the cores, with results that do not depend on how many there are.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::PromqlError;
use super::limits::{BLOCK_SERIES, WORKERS_MAX};
use super::notes::Notes;

/// What `of_item` gives of each item, in the order of the items. The first error by that order is the one that is told. Each block has notes of its own, which are
/// joined in the order of the blocks.
pub(super) fn in_blocks<T: Sync, R: Send>(
    items: &[T],
    notes: &mut Notes,
    of_item: impl Fn(&T, &mut Notes) -> Result<Option<R>, PromqlError> + Sync,
) -> Result<Vec<R>, PromqlError> {
    let blocks: Vec<&[T]> = items.chunks(BLOCK_SERIES).collect();
    let empty = notes.empty();
    let of_block = |block: &[T]| {
        let mut notes = empty.clone();
        let results = block.iter().filter_map(|item| of_item(item, &mut notes).transpose());
        results.collect::<Result<Vec<R>, PromqlError>>().map(|results| (results, notes))
    };
    let workers = thread::available_parallelism().map_or(1, usize::from).min(WORKERS_MAX).min(blocks.len());
    let done = match workers {
        0 | 1 => blocks.iter().map(|block| of_block(block)).collect(),
        _ => share_out(&blocks, workers, of_block),
    };
    let mut all = Vec::with_capacity(items.len());
    for block in done {
        let (results, said) = block?;
        all.extend(results);
        notes.join(said);
    }
    Ok(all)
}

/// Each worker takes the next block that nobody has taken.
fn share_out<B: Copy + Sync, R: Send>(blocks: &[B], workers: usize, of_block: impl Fn(B) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            match blocks.get(at) {
                Some(block) => done.push((at, of_block(*block))),
                None => return done,
            }
        }
    };
    let mut done = thread::scope(|scope| {
        let others: Vec<_> = (1..workers).map(|_| scope.spawn(work)).collect();
        let mut done = work();
        for other in others {
            match other.join() {
                Ok(more) => done.extend(more),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        done
    });
    done.sort_unstable_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_notes_and_errors_come_in_the_order_of_the_items() {
        let items: Vec<usize> = (0..BLOCK_SERIES * 5 + 3).collect();
        let mut notes = Notes::default();
        let odd = in_blocks(&items, &mut notes, |item, notes| {
            if item % BLOCK_SERIES == 7 {
                notes.warn(item);
            }
            Ok((item % 2 == 1).then_some(*item))
        });
        assert_eq!(odd.unwrap(), items.iter().copied().filter(|item| item % 2 == 1).collect::<Vec<_>>());
        let said: Vec<String> =
            (0..5).map(|block| format!("PromQL warning: {} (1:1)", block * BLOCK_SERIES + 7)).collect();
        assert_eq!(notes.into_texts(), said);
        let failed = in_blocks(&items, &mut Notes::default(), |item, _| match item {
            item if item % BLOCK_SERIES == 9 => Err(PromqlError::execution(item.to_string())),
            _ => Ok(Some(())),
        });
        assert_eq!(failed.unwrap_err().to_string(), PromqlError::execution("9").to_string());
    }
}
