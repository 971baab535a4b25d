//! Where the rows come from: a store or files, by one SQL query that reads the columns worth searching and says of each
//! row which slice it belongs to. The only part of this crate that waits for anything.

use std::time::Duration;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch, RecordBatchOptions};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema};
use arrow::error::ArrowError;
use culprit_query::{FileSql, SqlEngine};
use culprit_store::{ProjectName, StoreName, TimeRange};
use futures::TryStreamExt;
use tokio::time::Instant;

use crate::cells::Shape;
use crate::dimensions::{LeftOut, declared_unfit};
use crate::input::{Baseline, Input, Options};
use crate::limits::{BUDGET, GATHERED_BYTES_MAX, PROSE_SAMPLE_ROWS};
use crate::measure::{Measure, PERIOD};
use crate::patterns::{Messages, is_prose};
use crate::report::Report;
use crate::sql::{Predicate, quoted};
use crate::{RcaError, explain, explain_measure, explain_progressively, names};

/// What to explain, in the words of whoever asks.
#[derive(Debug, Clone, Default)]
pub struct Question {
    /// SQL predicate of slice A. Only a measure can do without: A is then every row that is not in B.
    pub predicate: Option<String>,
    /// SQL predicate of slice B; none means every other row.
    pub baseline: Option<String>,
    /// Plural for the rows of A in the sentence, such as "failing requests"; none means "rows where" and the predicate.
    pub noun: Option<String>,
    /// The number to explain; none means: why rows are in A.
    pub measure: Option<Measure>,
    pub options: Options,
    /// Time for reading and searching; what was not reached is said. None means ten seconds.
    pub budget: Option<Duration>,
}

impl Question {
    pub fn new(predicate: impl Into<String>) -> Self {
        Self { predicate: Some(predicate.into()), ..Self::default() }
    }
}

/// Takes the provisional reports, on the thread that searches.
pub type PartialReports = Box<dyn FnMut(Report) + Send>;

/// Explains rows of a store within a time range.
pub async fn explain_store(
    engine: &SqlEngine,
    project: &ProjectName,
    store: &StoreName,
    range: TimeRange,
    question: &Question,
) -> Result<Report, RcaError> {
    search_store(engine, project, store, range, question, None).await
}

/// The same, and on the way what is known after each order of conjunctions; see [`crate::explain_progressively`].
pub async fn explain_store_progressively(
    engine: &SqlEngine,
    project: &ProjectName,
    store: &StoreName,
    range: TimeRange,
    question: &Question,
    on_partial: PartialReports,
) -> Result<Report, RcaError> {
    search_store(engine, project, store, range, question, Some(on_partial)).await
}

async fn search_store(
    engine: &SqlEngine,
    project: &ProjectName,
    store: &StoreName,
    range: TimeRange,
    question: &Question,
    on_partial: Option<PartialReports>,
) -> Result<Report, RcaError> {
    let clock = Timer::start(question.budget);
    let from = quoted(store.as_str());
    let empty = engine.stream(project, &format!("SELECT * FROM {from} LIMIT 0"), range).await?;
    let plan = Plan::new(question, &empty.schema)?;
    let rows = engine.stream(project, &plan.sql(&from), range).await?;
    let mut gathered = Gathered::new(&plan);
    let mut stream = std::pin::pin!(rows.into_stream());
    while let Some(batch) = stream.try_next().await? {
        gathered.push(&batch)?;
        if gathered.bytes > GATHERED_BYTES_MAX {
            gathered.cut =
                Some(format!("only the first {} rows were read: more do not fit into memory", gathered.rows));
            break;
        }
        if clock.reading_is_over() {
            gathered.cut = Some(format!("only {} rows were read within half of the time budget", gathered.rows));
            break;
        }
    }
    finish(plan, gathered, question, clock, on_partial).await
}

/// Explains rows of files (Parquet, CSV, NDJSON); columns are matched by name.
pub async fn explain_files(files: &FileSql, paths: &[String], question: &Question) -> Result<Report, RcaError> {
    let clock = Timer::start(question.budget);
    let selects: Vec<_> = paths.iter().map(|path| format!("SELECT * FROM {}", quoted(path))).collect();
    let from = format!("({}) AS files", selects.join(" UNION ALL BY NAME "));
    let empty = files.query(&format!("SELECT * FROM {from} LIMIT 0")).await?;
    let plan = Plan::new(question, empty.first().map_or(&Schema::empty(), |batch| batch.schema_ref()))?;
    let mut gathered = Gathered::new(&plan);
    for batch in files.query(&plan.sql(&from)).await? {
        gathered.push(&batch)?;
    }
    finish(plan, gathered, question, clock, None).await
}

#[derive(Clone, Copy)]
struct Timer {
    start: Instant,
    budget: Duration,
}

impl Timer {
    fn start(budget: Option<Duration>) -> Self {
        Self { start: Instant::now(), budget: budget.unwrap_or(BUDGET) }
    }

    /// Half of the time is kept for the search: rows that nobody looks at explain nothing.
    fn reading_is_over(&self) -> bool {
        self.start.elapsed() >= self.budget / 2
    }

    fn is_over(&self) -> bool {
        self.start.elapsed() >= self.budget
    }
}

/// Searching is a processor's work and leaves the runtime.
async fn finish(
    plan: Plan,
    gathered: Gathered,
    question: &Question,
    clock: Timer,
    on_partial: Option<PartialReports>,
) -> Result<Report, RcaError> {
    let (options, measure) = (question.options.clone(), question.measure.clone());
    let noun = question.noun.clone().unwrap_or_else(|| match &question.predicate {
        Some(predicate) => format!("rows where {predicate}"),
        None => "rows".to_owned(),
    });
    let Plan { predicate_columns, mut left_out, baseline_of, .. } = plan;
    left_out.extend(gathered.messages.iter().map(|messages| left_out_as_text(messages.column())));
    let Gathered { batches, slice, messages, cut, .. } = gathered;
    let complete = move |mut report: Report| {
        report.left_out.splice(0..0, left_out.iter().cloned());
        if let Some(cut) = &cut {
            report.exact = false;
            report.cuts.insert(0, cut.clone());
        }
        report.elapsed_ms = clock.start.elapsed().as_secs_f64() * 1e3;
        report
    };
    let searched = tokio::task::spawn_blocking(move || {
        let input = Input { batches, slice, predicate_columns, baseline: baseline_of };
        let stop = || clock.is_over();
        let report = match (measure, on_partial) {
            (Some(measure), _) => explain_measure(&input, &measure, &options, &noun, &stop),
            (None, None) => explain(&input, &options, &noun, &stop),
            (None, Some(mut on_partial)) => {
                explain_progressively(&input, &options, &noun, &stop, &mut |report| on_partial(complete(report)))
            }
        };
        let mut report = report.map(complete)?;
        for messages in messages {
            messages.add_to(&mut report, &options, &noun);
        }
        report.elapsed_ms = clock.start.elapsed().as_secs_f64() * 1e3;
        Ok(report)
    });
    searched.await.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
}

/// The column that says which slice a row belongs to.
const SLICE: &str = "_culprit_slice";

/// The one query over the rows.
struct Plan {
    columns: Vec<String>,
    /// The point in time of a row, as an integer, where both predicates are about it.
    period: Option<String>,
    slice: String,
    filter: String,
    predicate_columns: Vec<String>,
    left_out: Vec<LeftOut>,
    /// Columns that are declared to be messages.
    messages: Vec<String>,
    /// Other columns may turn out to be messages.
    explores: bool,
    baseline_of: Baseline,
}

impl Plan {
    fn new(question: &Question, schema: &Schema) -> Result<Self, RcaError> {
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
        let explores = question.options.dimensions.is_none() && question.measure.is_none();
        Ok(Self { columns, period, slice, filter, predicate_columns, left_out, messages, explores, baseline_of })
    }

    fn sql(&self, from: &str) -> String {
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

fn left_out_as_text(column: &str) -> LeftOut {
    LeftOut { dimension: column.to_owned(), why: "free text".to_owned() }
}

struct Gathered {
    batches: Vec<RecordBatch>,
    slice: Vec<BooleanArray>,
    messages: Vec<Messages>,
    /// Columns that stay what they are, whatever their values look like; none when all do.
    fixed: Option<Vec<String>>,
    rows: usize,
    bytes: usize,
    cut: Option<String>,
}

impl Gathered {
    fn new(plan: &Plan) -> Self {
        Self {
            batches: Vec::new(),
            slice: Vec::new(),
            messages: plan.messages.iter().map(|column| Messages::new(column)).collect(),
            fixed: plan.explores.then(|| plan.predicate_columns.clone()),
            rows: 0,
            bytes: 0,
            cut: None,
        }
    }

    /// Keeps strings as dictionaries: a batch repeats few values, and each is then looked up once.
    fn push(&mut self, batch: &RecordBatch) -> Result<(), RcaError> {
        let slice = batch.column_by_name(SLICE).expect("the query of the plan has it").as_boolean();
        let (mut fields, mut arrays) = (Vec::new(), Vec::new());
        for (field, array) in batch.schema_ref().fields().iter().zip(batch.columns()) {
            let name = field.name();
            let to = |data_type: DataType| cast(array, &data_type).map_err(|source| unreadable(name, source));
            let is_text = matches!(array.data_type(), DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View);
            if name == SLICE {
                continue;
            }
            if is_text && self.holds_messages(name, array)? {
                let texts = to(DataType::Utf8)?;
                self.bytes += texts.get_array_memory_size();
                let messages = self.messages.iter_mut().filter(|messages| messages.column() == name);
                messages.for_each(|messages| messages.push(texts.as_string().clone(), slice.clone()));
                continue;
            }
            let array = match is_text {
                true => to(DataType::Dictionary(DataType::Int32.into(), DataType::Utf8.into()))?,
                false => array.clone(),
            };
            fields.push(Field::new(name, array.data_type().clone(), true));
            arrays.push(array);
        }
        let rows = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        let batch = RecordBatch::try_new_with_options(Schema::new(fields).into(), arrays, &rows)
            .map_err(|source| unreadable(SLICE, source))?;
        self.slice.push(slice.clone());
        self.rows += batch.num_rows();
        self.bytes += batch.get_array_memory_size();
        self.batches.push(batch);
        Ok(())
    }

    /// Columns of messages are declared or, by the first rows, found.
    fn holds_messages(&mut self, name: &str, array: &ArrayRef) -> Result<bool, RcaError> {
        if self.messages.iter().any(|messages| messages.column() == name) {
            return Ok(true);
        }
        let is_free = self.fixed.as_ref().is_some_and(|fixed| !fixed.iter().any(|column| column == name));
        if self.rows > 0 || !is_free || names::is_unit(name) {
            return Ok(false);
        }
        let sample = array.slice(0, array.len().min(PROSE_SAMPLE_ROWS));
        let sample = cast(&sample, &DataType::Utf8).map_err(|source| unreadable(name, source))?;
        let found = is_prose(sample.as_string());
        self.messages.extend(found.then(|| Messages::new(name)));
        Ok(found)
    }
}

fn unreadable(column: &str, source: ArrowError) -> RcaError {
    RcaError::Column { column: column.to_owned(), source }
}

#[cfg(test)]
mod tests;
