//! The one pass over the rows: which columns it reads, and what it says of each row.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema};
use culprit_query::Reading;
use culprit_store::OVERFLOW;
use culprit_store::limits::STORE_COLUMNS_MAX;

use super::Question;
use crate::cells::Shape;
use crate::dimensions::{LeftOut, declared_unfit};
use crate::input::Baseline;
use crate::limits::COLUMNS_MAX;
use crate::measure::PERIOD;
use crate::sql::{Predicate, quoted};
use crate::{RcaError, names};

/// The column that says which slice a row belongs to.
pub(super) const SLICE: &str = "_culprit_slice";

pub(super) struct Plan {
    pub(super) columns: Vec<String>,
    /// The point in time of a row, as an integer, where both predicates are about it.
    period: Option<String>,
    /// Of each row, as SQL.
    slice: String,
    /// Of the rows that are read, as SQL; none reads all.
    condition: Option<String>,
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
        let (slice, condition, baseline_of) = match (&a, &b) {
            (None, None) => ("true".to_owned(), None, Baseline::Other),
            (None, Some(b)) => (format!("({}) IS NOT TRUE", b.sql), None, Baseline::Complement),
            (Some(a), None) => (format!("({}) IS TRUE", a.sql), None, Baseline::Complement),
            (Some(a), Some(b)) => (
                format!("CASE WHEN {} THEN true WHEN {} THEN false END", a.sql, b.sql),
                Some(format!("({}) OR ({})", a.sql, b.sql)),
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
            condition,
            predicate_columns,
            plain,
            left_out,
            unit,
            messages,
            explores,
            baseline_of,
        })
    }

    pub(super) fn reading(&self) -> Reading {
        let period = self.period.iter().map(|period| (PERIOD.to_owned(), period.clone()));
        Reading {
            columns: self.columns.clone(),
            computed: period.chain([(SLICE.to_owned(), self.slice.clone())]).collect(),
            condition: self.condition.clone(),
        }
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
        if options.dimensions.is_none() {
            let is_needed = |name: &String| asked_about.contains(name) || options.unit.as_ref() == Some(name);
            wanted.leave_out_beyond(schema, is_needed);
        }
        wanted
    }

    /// Of more columns than are searched, those that are likelier to name a cause are read.
    fn leave_out_beyond(&mut self, schema: &Schema, is_needed: impl Fn(&String) -> bool) {
        if schema.fields().len() >= STORE_COLUMNS_MAX && schema.index_of(OVERFLOW).is_ok() {
            let why = format!("fields beyond the {STORE_COLUMNS_MAX} columns of a store are not searched");
            self.left_out.push(LeftOut { dimension: OVERFLOW.to_owned(), why });
        }
        if self.columns.len() <= COLUMNS_MAX {
            return;
        }
        let is_name = |field: &&Arc<Field>| matches!(Shape::of(field.data_type()), Shape::Text | Shape::Bool);
        let names: HashSet<&str> = schema.fields().iter().filter(is_name).map(|field| field.name().as_str()).collect();
        let rank = |name: &String| match is_needed(name) {
            true => 0,
            false => 1 + u8::from(!names.contains(name.as_str())),
        };
        let mut places: Vec<usize> = (0..self.columns.len()).collect();
        places.sort_by_key(|place| rank(&self.columns[*place]));
        let mut beyond = places.split_off(COLUMNS_MAX);
        places.sort_unstable();
        beyond.sort_unstable();
        let first = self.columns[beyond[0]].clone();
        let dimension = match beyond.len() {
            1 => first,
            more => format!("{first} and {} more", more - 1),
        };
        let why = format!(
            "of more than {COLUMNS_MAX} columns texts and truth values are read first, then numbers; name others as dimensions"
        );
        self.left_out.push(LeftOut { dimension, why });
        self.columns = places.into_iter().map(|place| self.columns[place].clone()).collect();
        self.messages.retain(|name| self.columns.contains(name));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planned(columns: impl Iterator<Item = (String, DataType)>) -> Plan {
        let fields: Vec<Field> = columns.map(|(name, data_type)| Field::new(name, data_type, true)).collect();
        Plan::new(&Question::new("n3 > 1"), &Schema::new(fields)).unwrap()
    }

    #[test]
    fn texts_come_before_numbers_where_there_are_too_many_columns() {
        let texts = COLUMNS_MAX - 2;
        let numbers = (0..10).map(|at| (format!("n{at}"), DataType::Int64));
        let columns = numbers.chain((0..texts).map(|at| (format!("t{at}"), DataType::Utf8)));
        let plan = planned(columns.chain([("yes".to_owned(), DataType::Boolean)]));
        assert_eq!(plan.columns.len(), COLUMNS_MAX);
        assert_eq!((plan.columns[0].as_str(), plan.columns[1].as_str()), ("n3", "t0"));
        assert_eq!(plan.columns.last().unwrap(), "yes");
        let [left_out] = &plan.left_out[..] else { panic!("{:?}", plan.left_out) };
        assert_eq!(left_out.dimension, "n0 and 8 more");
    }

    #[test]
    fn a_full_store_says_what_its_columns_do_not_hold() {
        let columns = (0..STORE_COLUMNS_MAX - 1).map(|at| (format!("n{at}"), DataType::Int64));
        let plan = planned(columns.chain([(OVERFLOW.to_owned(), DataType::Utf8)]));
        assert!(plan.left_out.iter().any(|left| left.dimension == OVERFLOW), "{:?}", plan.left_out);
        let few = planned((0..5).map(|at| (format!("n{at}"), DataType::Int64)));
        assert!(few.left_out.is_empty());
    }
}
