//! absent and absent_over_time: a sample where there is none.

use culprit_store::Labels;

use super::PromqlError;
use super::column::{Column, Output, absent as no_samples};
use super::eval::Evaluator;
use super::grid::Grid;
use super::plan::{Node, WindowSource};

pub(super) fn absent(evaluator: &mut Evaluator<'_>, args: &[Node], grid: &Grid) -> Result<Output, PromqlError> {
    let columns = evaluator.vector(&args[0], grid)?;
    let mut found = vec![false; grid.steps];
    for column in &columns {
        for (step, found) in found.iter_mut().enumerate() {
            *found |= column.is_present(step);
        }
    }
    Ok(ones_where_missing(&found, implied(&args[0])))
}

pub(super) fn absent_over_time(
    evaluator: &mut Evaluator<'_>,
    args: &[Node],
    grid: &Grid,
) -> Result<Output, PromqlError> {
    let Node::Window(source) = &args[0] else {
        return Err(PromqlError::execution("expected a range vector as argument"));
    };
    let mut found = vec![false; grid.steps];
    for series in evaluator.windows(source, grid)? {
        series.visit(source, grid, evaluator.lookback_ms, |step, _| {
            found[step] = true;
            Ok::<(), PromqlError>(())
        })?;
    }
    Ok(ones_where_missing(&found, implied(&args[0])))
}

/// What the `=` matchers of a selector say about the series that are not there. Nothing is known of computed ones.
fn implied(node: &Node) -> Labels {
    match node {
        Node::Instant(selector) | Node::Window(WindowSource::Samples { selector, .. }) => selector.implied.clone(),
        _ => Labels::default(),
    }
}

fn ones_where_missing(found: &[bool], labels: Labels) -> Output {
    let mut values = no_samples(found.len());
    for (value, _) in values.iter_mut().zip(found).filter(|(_, found)| !**found) {
        *value = 1.0;
    }
    let column = Column::new(labels, false, values);
    Output::Vector(if column.has_values() { vec![column] } else { Vec::new() })
}
