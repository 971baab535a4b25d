//! topk and bottomk: the samples of the k highest or lowest values of each group, with their own labels.

use super::PromqlError;
use super::aggregate::{Aggregation, Group, groups};
use super::aggregate_mixed::tell_ignored;
use super::column::{Column, absent};
use super::eval::Evaluator;
use super::grid::Grid;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Best {
    Highest,
    Lowest,
}

impl Best {
    fn name(self) -> &'static str {
        match self {
            Self::Highest => "topk",
            Self::Lowest => "bottomk",
        }
    }
}

pub(super) fn eval(
    aggregation: &Aggregation,
    best: Best,
    evaluator: &mut Evaluator<'_>,
    grid: &Grid,
) -> Result<Vec<Column>, PromqlError> {
    let sizes: Vec<usize> =
        aggregation.scalar_param(evaluator, grid)?.into_iter().map(size).collect::<Result<_, _>>()?;
    let columns = aggregation.columns(evaluator, grid)?;
    tell_ignored(&columns, best.name(), &mut evaluator.notes);
    let mut kept: Vec<Vec<f64>> = columns.iter().map(|_| absent(grid.steps)).collect();
    let mut order: Vec<usize> = Vec::with_capacity(columns.len());
    for group in groups(&columns, &aggregation.grouping) {
        evaluator.check_stop()?;
        for (step, size) in sizes.iter().enumerate() {
            let mut heap = choose(&columns, &group, step, *size, best);
            for (value, member) in &heap {
                kept[*member][step] = *value;
            }
            if grid.steps == 1 {
                heap.sort_by(|a, b| rank(*b, *a, best));
                order.extend(heap.iter().map(|(_, member)| *member));
            }
        }
    }
    let mut results: Vec<Column> =
        columns.into_iter().zip(kept).map(|(it, values)| Column::new(it.labels, it.drop_name, values)).collect();
    if grid.steps == 1 {
        // An instant query lists each group from its best sample on.
        results = order.into_iter().map(|member| results[member].clone()).collect();
    }
    results.retain(Column::has_values);
    Ok(results)
}

pub(super) fn size(param: f64) -> Result<usize, PromqlError> {
    if param.is_nan() {
        return Err(PromqlError::execution("Parameter value is NaN"));
    }
    if param < i64::MIN as f64 || param >= i64::MAX as f64 {
        return Err(PromqlError::execution(format!("Scalar value {param} overflows int64")));
    }
    Ok(if param < 1.0 { 0 } else { param as usize })
}

type Candidate = (f64, usize);

/// A binary heap with the worst candidate on top. Which of several equal values stays depends on the heap's own moves, so
/// these are the moves of Prometheus' (Go's container/heap), to keep the same series.
fn choose(columns: &[Column], group: &Group, step: usize, size: usize, best: Best) -> Vec<Candidate> {
    let mut heap: Vec<Candidate> = Vec::new();
    if size == 0 {
        return heap;
    }
    for member in &group.members {
        let Some(value) = columns[*member].get(step) else { continue };
        if heap.len() < size {
            heap.push((value, *member));
            sift_up(&mut heap, best);
        } else if is_better(value, heap[0].0, best) {
            heap[0] = (value, *member);
            sift_down(&mut heap, best);
        }
    }
    heap
}

fn is_better(value: f64, than: f64, best: Best) -> bool {
    let beats = match best {
        Best::Highest => value > than,
        Best::Lowest => value < than,
    };
    beats || (than.is_nan() && !value.is_nan())
}

/// NaN is worse than any number.
fn is_worse(a: Candidate, b: Candidate, best: Best) -> bool {
    a.0.is_nan()
        || match best {
            Best::Highest => a.0 < b.0,
            Best::Lowest => a.0 > b.0,
        }
}

fn rank(a: Candidate, b: Candidate, best: Best) -> std::cmp::Ordering {
    let by_value = match best {
        Best::Highest => a.0.partial_cmp(&b.0),
        Best::Lowest => b.0.partial_cmp(&a.0),
    };
    by_value.unwrap_or_else(|| b.0.is_nan().cmp(&a.0.is_nan()))
}

fn sift_up(heap: &mut [Candidate], best: Best) {
    let mut at = heap.len() - 1;
    while at > 0 {
        let parent = (at - 1) / 2;
        if !is_worse(heap[at], heap[parent], best) {
            break;
        }
        heap.swap(at, parent);
        at = parent;
    }
}

fn sift_down(heap: &mut [Candidate], best: Best) {
    let mut at = 0;
    loop {
        let left = 2 * at + 1;
        if left >= heap.len() {
            break;
        }
        let right = left + 1;
        let child = if right < heap.len() && is_worse(heap[right], heap[left], best) { right } else { left };
        if !is_worse(heap[child], heap[at], best) {
            break;
        }
        heap.swap(at, child);
        at = child;
    }
}
