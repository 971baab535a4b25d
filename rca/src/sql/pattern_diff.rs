//! `pattern_diff(chars, names, nums, names, condition, support [, share of A, share of B])`, an aggregate with the columns that clients of the
//! cloud service know: `possupport`, `posconfidence`, `negsupport`, `diffpattern`. All rows are read: the shares to sample are checked and not used.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, BooleanArray, Float64Array, ListArray, StringArray, StructArray, UInt64Array,
};
use arrow::buffer::OffsetBuffer;
use arrow::compute::take;
use arrow::datatypes::{DataType, Field, FieldRef, Fields, Float64Type, Schema};
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::StreamWriter;
use arrow::record_batch::RecordBatch;
use datafusion::common::{ScalarValue, exec_datafusion_err, plan_err};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{Accumulator, AggregateUDF, AggregateUDFImpl, Signature, Volatility};

use super::contrast::{Pattern, patterns};
use crate::limits::GATHERED_BYTES_MAX;

const NAME: &str = "pattern_diff";
/// What stands behind the columns in a batch: the slice of each row.
const SLICE: &str = "_culprit_slice";

pub(super) fn pattern_diff() -> AggregateUDF {
    AggregateUDF::from(PatternDiff { signature: Signature::user_defined(Volatility::Immutable) })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct PatternDiff {
    signature: Signature,
}

fn list_of(data_type: DataType) -> DataType {
    DataType::List(Arc::new(Field::new_list_field(data_type, true)))
}

fn answer_fields() -> Fields {
    let number = |name: &str| Field::new(name, DataType::Float64, true);
    vec![
        number("possupport"),
        number("posconfidence"),
        number("negsupport"),
        Field::new("diffpattern", DataType::Utf8, true),
    ]
    .into()
}

impl AggregateUDFImpl for PatternDiff {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        let texts = list_of(DataType::Utf8);
        let wanted = [
            texts.clone(),
            texts.clone(),
            list_of(DataType::Float64),
            texts,
            DataType::Boolean,
            DataType::Float64,
            DataType::Float64,
            DataType::Float64,
        ];
        match given.len() {
            6..=8 => Ok(wanted[..given.len()].to_vec()),
            count => plan_err!(
                "{NAME}(chars[], names[], nums[], names[], condition, support [, share, share]) takes 6 to 8 arguments, not {count}"
            ),
        }
    }

    fn return_type(&self, _given: &[DataType]) -> Result<DataType> {
        Ok(list_of(DataType::Struct(answer_fields())))
    }

    fn accumulator(&self, _call: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(Rows::default()))
    }

    fn state_fields(&self, call: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        let field = |name: &str, data_type| Arc::new(Field::new(format!("{}[{name}]", call.name), data_type, true));
        Ok(vec![field("rows", DataType::Binary), field("support", DataType::Float64)])
    }
}

/// The rows of one group, their slice as the last column.
#[derive(Debug, Default)]
struct Rows {
    batches: Vec<RecordBatch>,
    support: Option<f64>,
    bytes: usize,
}

impl Rows {
    fn keep(&mut self, batch: RecordBatch) -> Result<()> {
        self.bytes += batch.get_array_memory_size();
        if self.bytes > GATHERED_BYTES_MAX {
            let why = format!("{NAME} would keep more than {GATHERED_BYTES_MAX} bytes of rows; narrow the time range");
            return Err(DataFusionError::ResourcesExhausted(why));
        }
        self.batches.push(batch);
        Ok(())
    }
}

impl Accumulator for Rows {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let [chars, char_names, numbers, number_names, condition, shares @ ..] = values else {
            return plan_err!("{NAME} has too few arguments");
        };
        if condition.is_empty() {
            return Ok(());
        }
        for share in shares {
            let share = share.as_primitive::<Float64Type>().value(0);
            if !(share > 0.0 && share <= 1.0) {
                return plan_err!(
                    "{NAME}: a support or share to sample is above 0 and at most 1, which {share} is not"
                );
            }
        }
        self.support = shares.first().map(|support| support.as_primitive::<Float64Type>().value(0));
        let (mut fields, mut columns) = (Vec::new(), Vec::new());
        for (lists, names) in [(chars, char_names), (numbers, number_names)] {
            for (name, column) in columns_of(lists.as_list(), names.as_list())? {
                fields.push(Field::new(name, column.data_type().clone(), true));
                columns.push(column);
            }
        }
        // A row for which the condition is unknown is not anomalous, so it is normal.
        let slice: BooleanArray = condition.as_boolean().iter().map(|flag| Some(flag == Some(true))).collect();
        fields.push(Field::new(SLICE, DataType::Boolean, false));
        columns.push(Arc::new(slice));
        self.keep(RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)?)
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let (mut batches, mut slices) = (Vec::new(), Vec::new());
        for batch in self.batches.drain(..) {
            let last = batch.num_columns() - 1;
            slices.push(batch.column(last).as_boolean().clone());
            batches.push(batch.project(&(0..last).collect::<Vec<_>>())?);
        }
        let found = patterns(batches, slices, self.support.unwrap_or(crate::Options::default().min_support))?;
        Ok(ScalarValue::List(Arc::new(answer(&found)?)))
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.bytes
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let mut written = Vec::new();
        if let Some(first) = self.batches.first() {
            let mut writer = StreamWriter::try_new(&mut written, &first.schema())?;
            self.batches.iter().try_for_each(|batch| writer.write(batch))?;
            writer.finish()?;
        }
        Ok(vec![ScalarValue::Binary(Some(written)), ScalarValue::Float64(self.support)])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let [rows, support] = states else { return plan_err!("{NAME} keeps two columns of state") };
        let rows: &BinaryArray = rows.as_binary();
        for bytes in rows.iter().flatten().filter(|bytes| !bytes.is_empty()) {
            for batch in StreamReader::try_new(bytes, None)? {
                self.keep(batch?)?;
            }
        }
        self.support = self.support.or_else(|| support.as_primitive::<Float64Type>().iter().flatten().next());
        Ok(())
    }
}

/// `array[a, b]` per row and `array['a', 'b']`, the same in every row, as the columns a and b.
fn columns_of(lists: &ListArray, names: &ListArray) -> Result<Vec<(String, ArrayRef)>> {
    let names = names.value(0);
    let names = names.as_string::<i32>();
    let offsets = lists.value_offsets();
    if let Some(row) = (0..lists.len()).find(|row| lists.is_valid(*row) && lists.value(*row).len() != names.len()) {
        let (values, names) = (lists.value(row).len(), names.len());
        return Err(exec_datafusion_err!("{NAME}: {values} columns have {names} names"));
    }
    let column = |(at, name): (usize, Option<&str>)| {
        let places = (0..lists.len()).map(|row| lists.is_valid(row).then(|| offsets[row] as u64 + at as u64));
        let column = take(lists.values(), &places.collect::<UInt64Array>(), None)?;
        Ok((name.unwrap_or("NULL").to_owned(), column))
    };
    names.iter().enumerate().map(column).collect()
}

fn answer(found: &[Pattern]) -> Result<ListArray> {
    let numbers = |number: fn(&Pattern) -> f64| -> ArrayRef {
        Arc::new(found.iter().map(|pattern| Some(number(pattern))).collect::<Float64Array>())
    };
    let columns: Vec<ArrayRef> = vec![
        numbers(|pattern| pattern.evidence.support_a),
        numbers(|pattern| {
            let (a, b) = (pattern.evidence.rows_a as f64, pattern.evidence.rows_b as f64);
            a / (a + b)
        }),
        numbers(|pattern| pattern.evidence.support_b),
        Arc::new(found.iter().map(|pattern| Some(pattern.condition.as_str())).collect::<StringArray>()),
    ];
    let rows = StructArray::try_new_with_length(answer_fields(), columns, None, found.len())?;
    let field = Arc::new(Field::new_list_field(DataType::Struct(answer_fields()), true));
    Ok(ListArray::try_new(field, OffsetBuffer::from_lengths([found.len()]), Arc::new(rows), None)?)
}
