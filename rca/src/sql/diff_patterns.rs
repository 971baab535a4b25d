//! `diff_patterns(table, header, split column, test value, control value [, metric column, weight column, parameters])` over a row of arrays, with
//! what clients of the cloud service read first: the patterns, then how many rows of the test group each has.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Float64Array, ListArray, StringArray, StructArray, UInt64Array,
};
use arrow::buffer::OffsetBuffer;
use arrow::compute::{cast, concat, take};
use arrow::datatypes::{DataType, Field, Fields, Float64Type, Schema};
use arrow::record_batch::RecordBatch;
use datafusion::common::{exec_err, plan_err};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};

use super::contrast::{Pattern, patterns};
use super::diff_parameters::Parameters;
use crate::limits::WEIGHTED_ROWS_MAX;

const NAME: &str = "diff_patterns";

pub(super) fn diff_patterns() -> ScalarUDF {
    ScalarUDF::from(DiffPatterns { signature: Signature::user_defined(Volatility::Immutable) })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct DiffPatterns {
    signature: Signature,
}

fn list_of(data_type: DataType) -> DataType {
    DataType::List(Arc::new(Field::new_list_field(data_type, true)))
}

fn answer_fields() -> Fields {
    let numbers = |name: &str| Field::new(name, list_of(DataType::Float64), true);
    vec![
        Field::new("patterns", list_of(DataType::Utf8), true),
        numbers("test_rows"),
        numbers("control_rows"),
        numbers("test_support"),
        numbers("control_support"),
        numbers("test_metric"),
        numbers("control_metric"),
    ]
    .into()
}

impl ScalarUDFImpl for DiffPatterns {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        let Some(table @ DataType::Struct(_)) = given.first().filter(|_| (5..=8).contains(&given.len())) else {
            return plan_err!(
                "{NAME}(row(array, …), header[], split column, test value, control value [, metric column, weight column, \
                 parameters]) does not take {} arguments of these types",
                given.len()
            );
        };
        let mut wanted = vec![DataType::Utf8; given.len()];
        wanted[0] = table.clone();
        wanted[1] = list_of(DataType::Utf8);
        Ok(wanted)
    }

    fn return_type(&self, _given: &[DataType]) -> Result<DataType> {
        Ok(DataType::Struct(answer_fields()))
    }

    fn invoke_with_args(&self, call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arguments = ColumnarValue::values_to_arrays(&call.args)?;
        let mut answers = Vec::new();
        for row in 0..arguments[0].len() {
            answers.push(Arc::new(Comparison::of(&arguments, row)?.answer()?) as ArrayRef);
        }
        let answers: Vec<&dyn Array> = answers.iter().map(AsRef::as_ref).collect();
        let all = match answers.is_empty() {
            true => arrow::array::new_empty_array(&DataType::Struct(answer_fields())),
            false => concat(&answers)?,
        };
        Ok(ColumnarValue::Array(all))
    }
}

/// One call: a table with a name per column.
struct Comparison {
    columns: Vec<(String, ArrayRef)>,
    /// Per row: the test group, the control group or neither.
    slice: BooleanArray,
    metric: Option<Float64Array>,
    parameters: Parameters,
}

impl Comparison {
    fn of(arguments: &[ArrayRef], row: usize) -> Result<Self> {
        let table = arguments[0].as_struct();
        let header = arguments[1].as_list::<i32>().value(row);
        let header = header.as_string::<i32>();
        if header.len() != table.num_columns() {
            return exec_err!("{NAME}: the table has {} columns and {} names", table.num_columns(), header.len());
        }
        let text = |at: usize| {
            let argument = arguments.get(at).map(|argument| argument.as_string::<i32>());
            argument
                .filter(|argument| argument.is_valid(row))
                .map(|argument| argument.value(row))
                .filter(|text| !text.is_empty())
        };
        let mut columns = Vec::new();
        for (name, lists) in header.iter().zip(table.columns()) {
            let Some(lists) = lists.as_list_opt::<i32>() else {
                return exec_err!("{NAME}: the table is a row of arrays, which {} is not", name.unwrap_or("NULL"));
            };
            columns.push((name.unwrap_or("NULL").to_owned(), lists.value(row)));
        }
        let mut take_out = |name: &str| match columns.iter().position(|(column, _)| column == name) {
            Some(at) => Ok(columns.remove(at).1),
            None => exec_err!("{NAME}: the header has no column {name}"),
        };
        let Some(split) = text(2) else { return exec_err!("{NAME}: the split column is missing") };
        let split = cast(&take_out(split)?, &DataType::Utf8)?;
        let metric = text(5).map(&mut take_out).transpose()?;
        let weight = text(6).map(&mut take_out).transpose()?;
        let (test, control) = (text(3), text(4));
        let group = |value: Option<&str>| if value == test { Some(true) } else { (value == control).then_some(false) };
        let slice: BooleanArray = split.as_string::<i32>().iter().map(group).collect();
        let metric = metric.map(|metric| numbers(&metric)).transpose()?;
        let comparison = Self { columns, slice, metric, parameters: Parameters::parse(text(7))? };
        match weight {
            Some(weight) => comparison.repeated(&numbers(&weight)?),
            None => Ok(comparison),
        }
    }

    /// A row of weight two is there twice.
    fn repeated(self, weight: &Float64Array) -> Result<Self> {
        let times = |weight: Option<f64>| weight.map_or(0, |weight| weight.round().max(0.0) as usize);
        let total = weight.iter().map(times).fold(0usize, usize::saturating_add);
        if total > WEIGHTED_ROWS_MAX {
            return exec_err!("{NAME}: the weights add up to {total} rows, more than {WEIGHTED_ROWS_MAX}");
        }
        let places = weight.iter().enumerate().flat_map(|(row, weight)| std::iter::repeat_n(row as u64, times(weight)));
        let places: UInt64Array = places.collect();
        let columns = self.columns.into_iter().map(|(name, column)| Ok((name, take(&column, &places, None)?)));
        Ok(Self {
            columns: columns.collect::<Result<_>>()?,
            slice: take(&self.slice, &places, None)?.as_boolean().clone(),
            metric: self
                .metric
                .map(|metric| take(&metric, &places, None).map(|it| it.as_primitive().clone()))
                .transpose()?,
            parameters: self.parameters,
        })
    }

    fn answer(&self) -> Result<StructArray> {
        // All values are categories here, as in the service that this function is known from.
        let texts: Vec<(&str, ArrayRef)> = self
            .columns
            .iter()
            .map(|(name, column)| Ok((name.as_str(), cast(column, &DataType::Utf8)?)))
            .collect::<Result<_>>()?;
        let fields: Vec<Field> = texts.iter().map(|(name, _)| Field::new(*name, DataType::Utf8, true)).collect();
        let batch = RecordBatch::try_new(
            Arc::new(Schema::new(fields)),
            texts.iter().map(|(_, column)| column.clone()).collect(),
        )?;
        let found = patterns(vec![batch], vec![self.slice.clone()], self.parameters.minimum_support_fraction)?;
        let metric = |test: bool| {
            let of = |pattern: &Pattern| self.metric_of(pattern, &texts, test);
            self.metric.as_ref().map_or_else(Vec::new, |_| found.iter().map(of).collect())
        };
        let of = |number: fn(&Pattern) -> f64| found.iter().map(|pattern| Some(number(pattern))).collect::<Vec<_>>();
        let conditions: StringArray = found.iter().map(|pattern| Some(pattern.condition.as_str())).collect();
        let columns: Vec<ArrayRef> = vec![
            list(Arc::new(conditions))?,
            list_of_numbers(of(|pattern| pattern.evidence.rows_a as f64))?,
            list_of_numbers(of(|pattern| pattern.evidence.rows_b as f64))?,
            list_of_numbers(of(|pattern| pattern.evidence.support_a))?,
            list_of_numbers(of(|pattern| pattern.evidence.support_b))?,
            list_of_numbers(metric(true))?,
            list_of_numbers(metric(false))?,
        ];
        Ok(StructArray::try_new(answer_fields(), columns, None)?)
    }

    /// The metric of one group's rows that have the pattern; none where no row has a value.
    fn metric_of(&self, pattern: &Pattern, columns: &[(&str, ArrayRef)], test: bool) -> Option<f64> {
        let metric = self.metric.as_ref()?;
        let has_all = |row: usize| {
            pattern.evidence.items.iter().all(|item| {
                let column = columns
                    .iter()
                    .find(|(name, _)| *name == item.dimension)
                    .map(|(_, column)| column.as_string::<i32>());
                column.is_some_and(|column| match column.is_valid(row) {
                    true => column.value(row) == item.value,
                    false => item.condition.ends_with(" IS NULL"),
                })
            })
        };
        let in_group = (0..metric.len()).filter(|row| self.slice.is_valid(*row) && self.slice.value(*row) == test);
        let values = in_group.filter(|row| metric.is_valid(*row) && has_all(*row)).map(|row| metric.value(row));
        self.parameters.agg_op.of(values)
    }
}

fn numbers(column: &ArrayRef) -> Result<Float64Array> {
    Ok(cast(column, &DataType::Float64)?.as_primitive::<Float64Type>().clone())
}

fn list_of_numbers(values: Vec<Option<f64>>) -> Result<ArrayRef> {
    list(Arc::new(Float64Array::from(values)))
}

/// An array as one value.
fn list(values: ArrayRef) -> Result<ArrayRef, DataFusionError> {
    let field = Arc::new(Field::new_list_field(values.data_type().clone(), true));
    let offsets = OffsetBuffer::from_lengths([values.len()]);
    Ok(Arc::new(ListArray::try_new(field, offsets, values, None)?))
}
