//! The measure row by row: which rows have a value, and what the measure is over the rows of an explanation.

use arrow::array::{Array, BooleanArray};

use super::agg::{Agg, Measure};
use crate::RcaError;
use crate::bitmap::Bitmap;
use crate::cells::{Cells, Key, Shape};
use crate::input::Input;
use crate::report::ReportItem;

/// The columns of a measure, and the rows that have a finite value in them, in the order of the batches.
#[derive(Debug)]
pub(crate) struct Rows {
    /// Row numbers inside each batch.
    pub(crate) rows: Vec<Vec<u32>>,
    /// Per row of `rows`.
    pub(crate) values: Vec<f64>,
    /// One where the measure is no ratio.
    pub(crate) denominators: Vec<f64>,
    pub(crate) expected: Vec<f64>,
    pub(crate) in_a: Vec<bool>,
    /// Rows of a slice without a usable value.
    pub(crate) skipped: u64,
}

impl Rows {
    pub(crate) fn of(input: &Input, measure: &Measure) -> Result<Self, RcaError> {
        let mut rows = Self {
            rows: Vec::new(),
            values: Vec::new(),
            denominators: Vec::new(),
            expected: Vec::new(),
            in_a: Vec::new(),
            skipped: 0,
        };
        for (batch, slice) in input.batches.iter().zip(&input.slice) {
            let number = |name: &str| {
                let known = || batch.schema_ref().fields().iter().map(|field| field.name().as_str());
                let unknown = || RcaError::UnknownMeasure {
                    name: name.to_owned(),
                    known: known().collect::<Vec<_>>().join(", "),
                };
                let array = batch.column_by_name(name).ok_or_else(unknown)?;
                let numeric = matches!(Shape::of(array.data_type()), Shape::Int | Shape::Float);
                let cells = Cells::of(array).map_err(|source| RcaError::Column { column: name.to_owned(), source })?;
                cells.filter(|_| numeric).ok_or_else(|| RcaError::NotNumeric {
                    name: name.to_owned(),
                    data_type: array.data_type().to_string(),
                })
            };
            let value = number(&measure.column)?;
            let denominator = match &measure.agg {
                Agg::Ratio { denominator } => Some(number(denominator)?),
                _ => None,
            };
            let expected = measure.expected.as_deref().map(number).transpose()?;
            rows.push(&value, denominator.as_ref(), expected.as_ref(), slice);
        }
        Ok(rows)
    }

    fn push(
        &mut self,
        value: &Cells<'_>,
        denominator: Option<&Cells<'_>>,
        expected: Option<&Cells<'_>>,
        slice: &BooleanArray,
    ) {
        let finite = |cells: &Cells<'_>, row: usize| cells.number(row).filter(|value| value.is_finite());
        let mut kept = Vec::new();
        for row in 0..slice.len() {
            // With an expectation every row is its own baseline; rows of B have none to be compared with.
            if slice.is_null(row) || (expected.is_some() && !slice.value(row)) {
                continue;
            }
            let parts = finite(value, row).and_then(|value| {
                let denominator =
                    denominator.map_or(Some(1.0), |cells| finite(cells, row).filter(|below| *below > 0.0))?;
                let expected = expected.map_or(Some(0.0), |cells| finite(cells, row))?;
                Some((value, denominator, expected))
            });
            let Some((value, denominator, expected)) = parts else {
                self.skipped += 1;
                continue;
            };
            kept.push(row as u32);
            self.values.push(value);
            self.denominators.push(denominator);
            self.expected.push(expected);
            self.in_a.push(slice.value(row));
        }
        self.rows.push(kept);
    }

    pub(crate) fn len(&self) -> usize {
        self.values.len()
    }

    pub(crate) fn count_a(&self) -> usize {
        self.in_a.iter().filter(|in_a| **in_a).count()
    }

    /// The rows that have an item of a report.
    pub(crate) fn with_item(&self, input: &Input, item: &ReportItem) -> Result<Bitmap, RcaError> {
        let mut rows = Bitmap::zeros(self.len());
        let mut at = 0;
        for (batch, kept) in input.batches.iter().zip(&self.rows) {
            let array = batch.column_by_name(&item.dimension).expect("a report names columns that were searched");
            let cells =
                Cells::of(array).map_err(|source| RcaError::Column { column: item.dimension.clone(), source })?;
            let cells = cells.expect("a column that was searched has cells");
            cells.encode(
                kept,
                |key| u32::from(holds(item, &key)),
                |holds| {
                    if holds == 1 {
                        rows.set(at);
                    }
                    at += 1;
                },
            );
        }
        Ok(rows)
    }

    /// The measure over the rows for which `is_in` holds; none over no rows.
    pub(crate) fn value(&self, agg: &Agg, is_in: impl Fn(usize) -> bool) -> Option<f64> {
        let rows = || (0..self.len()).filter(|row| is_in(*row));
        if let Agg::Percentile(rank) = agg {
            let values: Vec<f64> = rows().map(|row| self.values[row]).collect();
            return (!values.is_empty()).then(|| percentile(values, *rank));
        }
        // One pass that keeps nothing: a report asks this of dozens of slices, each time over all rows.
        let (mut count, mut sum, mut denominator) = (0u64, 0.0, 0.0);
        for row in rows() {
            count += 1;
            sum += self.values[row];
            denominator += self.denominators[row];
        }
        let value = match agg {
            Agg::Avg => sum / count as f64,
            Agg::Ratio { .. } => sum / denominator,
            Agg::Sum | Agg::Percentile(_) => sum,
        };
        (count > 0).then_some(value)
    }
}

/// The value that `rank` percent of the values are not above (nearest rank). There must be a value.
pub(crate) fn percentile(mut values: Vec<f64>, rank: f64) -> f64 {
    let at = ((rank / 100.0 * values.len() as f64).ceil() as usize).clamp(1, values.len()) - 1;
    *values.select_nth_unstable_by(at, f64::total_cmp).1
}

/// The condition of an item, as the report prints it, on a cell.
fn holds(item: &ReportItem, key: &Key<'_>) -> bool {
    let number = match key {
        Key::Null => return item.condition.ends_with(" IS NULL") && item.value == "NULL",
        Key::Text(text) => return *text == item.value,
        Key::Bool(value) => return value.to_string() == item.value,
        Key::Int(value) => *value as f64,
        Key::Float(bits) => f64::from_bits(*bits),
    };
    let edge = |text: &str| text.trim().parse::<f64>().unwrap_or(f64::NAN);
    if let Some(least) = item.value.strip_prefix(">= ") {
        number >= edge(least)
    } else if let Some(most) = item.value.strip_prefix("< ") {
        number < edge(most)
    } else if let Some((least, most)) = item.value.strip_prefix('[').and_then(|range| range.split_once(',')) {
        number >= edge(least) && number < edge(most.trim_end_matches(')'))
    } else {
        number == edge(&item.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(value: &str) -> ReportItem {
        let condition = if value == "NULL" { "x IS NULL".to_owned() } else { format!("x = {value}") };
        ReportItem { dimension: "x".into(), value: value.into(), condition, aliases: Vec::new() }
    }

    #[test]
    fn conditions_hold_where_they_say() {
        for (value, key, expected) in [
            ("eu", Key::Text("eu"), true),
            ("5", Key::Text("5"), true),
            ("5", Key::Int(5), true),
            ("5", Key::Int(6), false),
            ("0.5", Key::float(0.5), true),
            ("true", Key::Bool(true), true),
            ("NULL", Key::Null, true),
            ("NULL", Key::Text("NULL"), true),
            ("eu", Key::Null, false),
            (">= 812", Key::Int(812), true),
            ("< 0.5", Key::float(0.5), false),
            ("[0.5, 2)", Key::float(0.5), true),
            ("[0.5, 2)", Key::Int(2), false),
        ] {
            assert_eq!(holds(&item(value), &key), expected, "{value} {key:?}");
        }
    }

    #[test]
    fn percentiles_are_by_nearest_rank() {
        let values = || vec![15.0, 20.0, 35.0, 40.0, 50.0];
        for (rank, value) in [(5.0, 15.0), (30.0, 20.0), (40.0, 20.0), (50.0, 35.0), (99.9, 50.0)] {
            assert_eq!(percentile(values(), rank), value, "p{rank}");
        }
    }
}
