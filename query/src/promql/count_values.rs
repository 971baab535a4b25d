//! count_values: how many series have each value, the value becoming a label.

use std::collections::HashMap;

use culprit_store::Labels;

use super::PromqlError;
use super::aggregate::{Aggregation, Grouping};
use super::column::{Column, Sample, present};
use super::eval::Evaluator;
use super::grid::Grid;
use super::number;
use super::plan::Node;

pub(super) fn eval(
    aggregation: &Aggregation,
    evaluator: &mut Evaluator<'_>,
    grid: &Grid,
) -> Result<Vec<Column>, PromqlError> {
    let Some(Node::Text(label)) = &aggregation.param else {
        return Err(PromqlError::execution("count_values needs the name of a label as first parameter"));
    };
    if label.is_empty() {
        return Err(PromqlError::execution(format!("invalid label name {label:?}")));
    }
    let grouping = match &aggregation.grouping {
        Grouping::By(names) => Grouping::By(names.iter().cloned().chain([label.clone()]).collect()),
        without => without.clone(),
    };
    let mut counted = Counted { columns: Vec::new(), index: HashMap::new() };
    for column in evaluator.vector(&aggregation.input, grid)? {
        evaluator.check_stop()?;
        for step in 0..grid.steps {
            let text = match column.sample(step) {
                None => continue,
                Some(Sample::Float(value)) => number::display(value),
                Some(Sample::Histogram(histogram)) => histogram.to_string(),
            };
            let labels = grouping.key(&column.labels.with(label, &text));
            counted.count(labels, column.drop_name, step, grid);
            // Every distinct value is a new series: a counter makes as many as it has samples.
            evaluator.check_points(counted.columns.len(), grid)?;
        }
    }
    Ok(counted.columns)
}

struct Counted {
    columns: Vec<Column>,
    index: HashMap<Labels, usize>,
}

impl Counted {
    fn count(&mut self, labels: Labels, drop_name: bool, step: usize, grid: &Grid) {
        let columns = &mut self.columns;
        let at = *self.index.entry(labels).or_insert_with_key(|labels| {
            columns.push(Column::empty(labels.clone(), drop_name, grid.steps));
            columns.len() - 1
        });
        let slot = &mut columns[at].values[step];
        *slot = present(*slot).unwrap_or(0.0) + 1.0;
    }
}
