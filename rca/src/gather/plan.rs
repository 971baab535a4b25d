//! The one query over the rows: which columns it reads, and what it says of each row.

use arrow::datatypes::{DataType, Field, Schema};

use super::Question;
use crate::cells::Shape;
use crate::dimensions::{LeftOut, declared_unfit};
use crate::input::Baseline;
use crate::measure::PERIOD;
use crate::sql::{Predicate, quoted};
use crate::{RcaError, names};

/// The column that says which slice a row belongs to.
pub(super) const SLICE: &str = "_culprit_slice";

pub(super) struct Plan {
    pub(super) columns: Vec<String>,
    /// The point in time of a row, as an integer, where both predicates are about it.
    period: Option<String>,
    slice: String,
    filter: String,
    pub(super) predicate_columns: Vec<String>,
    /// Texts that are better read as such than as dictionaries.
    pub(super) plain: Vec<String>,
    pub(super) left_out: Vec<LeftOut>,
    /// The column whose equal rows are not independent.
    pub(super) unit: Option<String>,
    /// Columns that are declared to be messages.
    pub(super) messages: Vec<String>,
    /// Other columns may turn out to be messages.
    pub(super) explores: bool,
    pub(super) baseline_of: Baseline,
}

impl Plan {
    pub(super) fn new(question: &Question, schema: &Schema) -> Result<Self, RcaError> {
        question.options.check_names(schema)?;
        if question.predicate.is_none() && question.measure.is_none() {
            return Err(RcaError::NoQuestion);
        }
        let a = question.predicate.as_deref().map(Predicate::parse).transpose()?;
        let b = question.baseline.as_deref().map(Predicate::parse).transpose()?;
        let (named_a, named_b) = (named(a.as_ref(), schema), named(b.as_ref(), schema));
        let measured = question.measure.as_ref().map_or(Ok(Vec::new()), |measure| measure.columns_in(schema))?;
        let period = question.measure.as_ref().and_then(|_| period(schema, &named_a, &named_b));
        let mut predicate_columns: Vec<String> = [named_a, named_b].concat();
        predicate_columns.sort_unstable();
        predicate_columns.dedup();
        // A row for which the predicate is unknown is not anomalous, so it is normal.
        let (slice, filter, baseline_of) = match (&a, &b) {
            (None, None) => ("true".to_owned(), String::new(), Baseline::Other),
            (None, Some(b)) => (format!("NOT COALESCE({}, false)", b.sql), String::new(), Baseline::Complement),
            (Some(a), None) => (format!("COALESCE({}, false)", a.sql), String::new(), Baseline::Complement),
            (Some(a), Some(b)) => (
                format!("CASE WHEN {} THEN true WHEN {} THEN false END", a.sql, b.sql),
                format!(" WHERE ({}) OR ({})", a.sql, b.sql),
                Baseline::Other,
            ),
        };
        let asked_about = [predicate_columns.as_slice(), &measured].concat();
        let Wanted { columns, messages, left_out } = Wanted::of(question, schema, &asked_about);
        let plain = [asked_about, messages.clone()].concat();
        let unit = question.options.unit.clone();
        let unit = unit.or_else(|| names::unit_among(columns.iter().map(String::as_str)).map(str::to_owned));
        let explores = question.options.dimensions.is_none() && question.measure.is_none();
        Ok(Self {
            columns,
            period,
            slice,
            filter,
            predicate_columns,
            plain,
            left_out,
            unit,
            messages,
            explores,
            baseline_of,
        })
    }

    pub(super) fn sql(&self, from: &str) -> String {
        let columns: Vec<_> = self.columns.iter().map(|name| quoted(name)).collect();
        let columns = columns.iter().map(|name| format!("{name}, ")).collect::<String>();
        let period = self.period.iter().map(|period| format!("{period} AS {}, ", quoted(PERIOD))).collect::<String>();
        format!("SELECT {columns}{period}{} AS {} FROM {from}{}", self.slice, quoted(SLICE), self.filter)
    }
}

/// The columns that a predicate names.
fn named(predicate: Option<&Predicate>, schema: &Schema) -> Vec<String> {
    let all = schema.fields().iter().map(|field| field.name().as_str());
    predicate.map_or_else(Vec::new, |predicate| predicate.columns(all).map(str::to_owned).collect())
}

/// What tells periods of the baseline apart: a time or an integer that both predicates name.
fn period(schema: &Schema, a: &[String], b: &[String]) -> Option<String> {
    let in_both = a.iter().filter(|name| b.contains(name));
    let mut orderly = in_both.filter(|name| {
        let data_type = schema.field_with_name(name).ok().map(Field::data_type);
        data_type.is_some_and(|of| of.is_integer() || matches!(of, DataType::Timestamp(..)))
    });
    orderly.next().map(|name| format!("CAST({} AS BIGINT)", quoted(name)))
}

/// The columns to read, and those that their declaration alone excludes: maps are most of the bytes.
#[derive(Default)]
struct Wanted {
    columns: Vec<String>,
    /// Those of the columns whose patterns are looked at instead of their values.
    messages: Vec<String>,
    left_out: Vec<LeftOut>,
}

impl Wanted {
    fn of(question: &Question, schema: &Schema, asked_about: &[String]) -> Self {
        let options = &question.options;
        let mut wanted = Self::default();
        for field in schema.fields() {
            let name = field.name();
            let shape = Shape::of(field.data_type());
            let names_it = asked_about.contains(name) || options.unit.as_ref() == Some(name) || names::is_unit(name);
            let needed = names_it && !matches!(shape, Shape::Time | Shape::Unsupported);
            let why = declared_unfit(name, shape);
            match &options.dimensions {
                Some(dimensions) if dimensions.contains(name) || needed => wanted.columns.push(name.clone()),
                None if !names::is_hidden(name) => match why {
                    Some(_) if !needed && matches!(shape, Shape::Text) && question.measure.is_none() => {
                        wanted.columns.push(name.clone());
                        wanted.messages.push(name.clone());
                    }
                    Some(why) if !needed => {
                        wanted.left_out.push(LeftOut { dimension: name.clone(), why: why.to_owned() })
                    }
                    _ => wanted.columns.push(name.clone()),
                },
                _ => {}
            }
        }
        wanted
    }
}
