//! Aggregation operators: grouping, and those that fold a group's samples at each step into one number.

use std::collections::HashMap;

use culprit_store::{Labels, METRIC_NAME};

use super::PromqlError;
use super::column::Column;
use super::eval::Evaluator;
use super::grid::Grid;
use super::notes::Place;
use super::plan::Node;
use super::quantile::{check_quantile, quantile_of};
use super::sum::{Mean, Sum};
use super::{aggregate_mixed as mixed, count_values, limit, topk};

#[derive(Debug)]
pub(super) struct Aggregation {
    pub(super) operator: AggregateOperator,
    pub(super) grouping: Grouping,
    pub(super) param: Option<Node>,
    pub(super) input: Node,
    /// Of the arguments, the input being the last.
    pub(super) places: Vec<Place>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AggregateOperator {
    Fold(Fold),
    Quantile,
    CountValues,
    TopK,
    BottomK,
    LimitK,
    LimitRatio,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fold {
    Sum,
    Avg,
    Min,
    Max,
    Count,
    Group,
    Stddev,
    Stdvar,
}

/// Which labels make series one group. Also the match groups of binary operators.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Grouping {
    By(Vec<String>),
    /// The metric's name is always left out too.
    Without(Vec<String>),
}

impl Default for Grouping {
    fn default() -> Self {
        Self::Without(Vec::new())
    }
}

impl Grouping {
    pub(super) fn key(&self, labels: &Labels) -> Labels {
        match self {
            Self::By(names) => labels.filter(|label| names.iter().any(|name| **name == *label.name)),
            Self::Without(names) => {
                labels.filter(|label| *label.name != *METRIC_NAME && !names.iter().any(|name| **name == *label.name))
            }
        }
    }
}

pub(super) struct Group {
    pub(super) labels: Labels,
    /// One series without its name is enough: what it adds up with cannot carry it either.
    pub(super) drop_name: bool,
    /// Positions in the input.
    pub(super) members: Vec<usize>,
}

/// In order of first appearance.
pub(super) fn groups(columns: &[Column], grouping: &Grouping) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let mut index: HashMap<Labels, usize> = HashMap::new();
    for (member, column) in columns.iter().enumerate() {
        let labels = grouping.key(&column.labels);
        let at = *index.entry(labels.clone()).or_insert_with(|| {
            groups.push(Group { labels, drop_name: false, members: Vec::new() });
            groups.len() - 1
        });
        groups[at].drop_name |= column.drop_name;
        groups[at].members.push(member);
    }
    groups
}

/// What an aggregation takes before its vector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Param {
    None,
    Scalar,
    Text,
}

#[derive(Debug)]
pub(super) struct AggregationKind {
    pub(super) name: &'static str,
    pub(super) operator: AggregateOperator,
    pub(super) param: Param,
}

const fn kind(name: &'static str, operator: AggregateOperator, param: Param) -> AggregationKind {
    AggregationKind { name, operator, param }
}

pub(super) static AGGREGATIONS: [AggregationKind; 14] = [
    kind("sum", AggregateOperator::Fold(Fold::Sum), Param::None),
    kind("avg", AggregateOperator::Fold(Fold::Avg), Param::None),
    kind("min", AggregateOperator::Fold(Fold::Min), Param::None),
    kind("max", AggregateOperator::Fold(Fold::Max), Param::None),
    kind("count", AggregateOperator::Fold(Fold::Count), Param::None),
    kind("group", AggregateOperator::Fold(Fold::Group), Param::None),
    kind("stddev", AggregateOperator::Fold(Fold::Stddev), Param::None),
    kind("stdvar", AggregateOperator::Fold(Fold::Stdvar), Param::None),
    kind("quantile", AggregateOperator::Quantile, Param::Scalar),
    kind("count_values", AggregateOperator::CountValues, Param::Text),
    kind("topk", AggregateOperator::TopK, Param::Scalar),
    kind("bottomk", AggregateOperator::BottomK, Param::Scalar),
    kind("limitk", AggregateOperator::LimitK, Param::Scalar),
    kind("limit_ratio", AggregateOperator::LimitRatio, Param::Scalar),
];

impl Aggregation {
    pub(super) fn eval(&self, evaluator: &mut Evaluator<'_>, grid: &Grid) -> Result<Vec<Column>, PromqlError> {
        match self.operator {
            AggregateOperator::CountValues => count_values::eval(self, evaluator, grid),
            AggregateOperator::TopK => topk::eval(self, topk::Best::Highest, evaluator, grid),
            AggregateOperator::BottomK => topk::eval(self, topk::Best::Lowest, evaluator, grid),
            AggregateOperator::LimitK => limit::limitk(self, evaluator, grid),
            AggregateOperator::LimitRatio => limit::limit_ratio(self, evaluator, grid),
            AggregateOperator::Quantile => self.quantile(evaluator, grid),
            AggregateOperator::Fold(fold) => self.fold(fold, evaluator, grid),
        }
    }

    pub(super) fn scalar_param(&self, evaluator: &mut Evaluator<'_>, grid: &Grid) -> Result<Vec<f64>, PromqlError> {
        let param = self.param.as_ref().ok_or_else(|| PromqlError::execution("the aggregation needs a parameter"))?;
        let values = evaluator.scalar(param, grid)?;
        evaluator.notes.at(self.places.first().copied().unwrap_or_default());
        Ok(values)
    }

    pub(super) fn columns(&self, evaluator: &mut Evaluator<'_>, grid: &Grid) -> Result<Vec<Column>, PromqlError> {
        let columns = evaluator.vector(&self.input, grid)?;
        evaluator.notes.at(self.places.last().copied().unwrap_or_default());
        Ok(columns)
    }

    /// One group after the other, each over all steps, so that only one row of accumulators is alive. Series add up in the
    /// order of the input, as in Prometheus.
    fn fold(&self, fold: Fold, evaluator: &mut Evaluator<'_>, grid: &Grid) -> Result<Vec<Column>, PromqlError> {
        let columns = self.columns(evaluator, grid)?;
        let mut folded = Vec::new();
        let mut cells = vec![Cell::default(); grid.steps];
        for group in groups(&columns, &self.grouping) {
            evaluator.check_stop()?;
            if group.members.iter().any(|member| !columns[*member].histograms.is_empty()) {
                folded.push(mixed::fold(fold, &columns, group, grid, &mut evaluator.notes));
                continue;
            }
            cells.fill(Cell::default());
            for member in &group.members {
                for (step, cell) in cells.iter_mut().enumerate() {
                    if let Some(value) = columns[*member].get(step) {
                        cell.add(fold, value);
                    }
                }
            }
            let mut column = Column::empty(group.labels, group.drop_name, grid.steps);
            for (slot, cell) in column.values.iter_mut().zip(&cells).filter(|(_, cell)| cell.count > 0.0) {
                *slot = cell.value(fold);
            }
            folded.push(column);
        }
        folded.retain(Column::has_values);
        Ok(folded)
    }

    fn quantile(&self, evaluator: &mut Evaluator<'_>, grid: &Grid) -> Result<Vec<Column>, PromqlError> {
        let quantiles = self.scalar_param(evaluator, grid)?;
        quantiles.iter().for_each(|q| check_quantile(*q, &mut evaluator.notes));
        let columns = self.columns(evaluator, grid)?;
        mixed::tell_ignored(&columns, "quantile", &mut evaluator.notes);
        let mut results = Vec::new();
        let mut values = Vec::new();
        for group in groups(&columns, &self.grouping) {
            evaluator.check_stop()?;
            let mut column = Column::empty(group.labels, group.drop_name, grid.steps);
            for (step, q) in quantiles.iter().enumerate() {
                values.clear();
                values.extend(group.members.iter().filter_map(|member| columns[*member].get(step)));
                if !values.is_empty() {
                    column.values[step] = quantile_of(*q, &mut values);
                }
            }
            results.push(column);
        }
        results.retain(Column::has_values);
        Ok(results)
    }
}

/// The accumulator of one group at one step.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Cell {
    pub(super) count: f64,
    mean: Mean,
    /// The sum; the extreme so far; for the variance, the running mean in `sum` and the squares in `lost`.
    acc: Sum,
}

impl Cell {
    pub(super) fn add(&mut self, fold: Fold, value: f64) {
        self.count += 1.0;
        match fold {
            Fold::Sum => self.acc.add(value),
            Fold::Avg => self.mean.add(value),
            Fold::Count | Fold::Group => {}
            Fold::Min if self.count == 1.0 || value < self.acc.sum || self.acc.sum.is_nan() => self.acc.sum = value,
            Fold::Max if self.count == 1.0 || value > self.acc.sum || self.acc.sum.is_nan() => self.acc.sum = value,
            Fold::Min | Fold::Max => {}
            Fold::Stddev | Fold::Stdvar => {
                // Welford's recurrence; infinities and NaN make their own NaN.
                let delta = value - self.acc.sum;
                self.acc.sum += delta / self.count;
                self.acc.lost += delta * (value - self.acc.sum);
            }
        }
    }

    pub(super) fn value(&self, fold: Fold) -> f64 {
        match fold {
            Fold::Sum => self.acc.value(),
            Fold::Avg => self.mean.value(),
            Fold::Min | Fold::Max => self.acc.sum,
            Fold::Count => self.count,
            Fold::Group => 1.0,
            Fold::Stdvar => self.acc.lost / self.count,
            Fold::Stddev => (self.acc.lost / self.count).sqrt(),
        }
    }
}
