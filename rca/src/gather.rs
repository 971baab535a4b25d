//! Where the rows come from: a store or files, by one pass over the columns worth searching that also says of
//! each row which slice it belongs to. The only part of this crate that waits for anything.

mod gathered;
mod plan;

use std::time::Duration;

use culprit_query::{FileSql, SqlEngine, Table};
use culprit_store::{ProjectName, StoreName, TimeRange};
use futures::TryStreamExt;
use tokio::time::{Instant, timeout_at};

use self::gathered::{Batches, Gathered, Kept};
use self::plan::Plan;
use crate::explain::{Asked, explain_rows};
use crate::input::{Input, Options};
use crate::limits::{BUDGET, FIRST_ROWS, GATHERED_BYTES_MAX};
use crate::measure::Measure;
use crate::report::Report;
use crate::workers::Stop;
use crate::{RcaError, explain_measure, explain_measure_progressively};

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

/// The same, and on the way what is known so far; see [`crate::explain_progressively`] and
/// [`crate::explain_measure_progressively`].
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
    let plan = Plan::new(question, engine.table(project, store, range).await?.schema())?;
    let table = engine.with_coded_texts(&plan.plain).table(project, store, range).await?;
    let gathered = read(&plan, question.measure.as_ref(), &table, clock).await?;
    finish(plan, gathered, question, clock, on_partial).await
}

/// Explains rows of files (Parquet, CSV, NDJSON); columns are matched by name.
pub async fn explain_files(files: &FileSql, paths: &[String], question: &Question) -> Result<Report, RcaError> {
    let clock = Timer::start(question.budget);
    let table = files.table(paths).await?;
    let plan = Plan::new(question, table.schema())?;
    let gathered = read(&plan, question.measure.as_ref(), &table, clock).await?;
    finish(plan, gathered, question, clock, None).await
}

/// Reads until there are no more rows, no more time or no more room.
async fn read(plan: &Plan, measure: Option<&Measure>, table: &Table, clock: Timer) -> Result<Gathered, RcaError> {
    let mut gathered = Gathered::new(plan, measure);
    let mut batches = table.read(&plan.reading()).await?;
    // The first rows are waited for longer than a tiny budget says: an answer about them tells more than a refusal.
    let first_rows = Instant::now() + FIRST_ROWS;
    loop {
        let end = clock.end_of_reading();
        let end = if gathered.rows == 0 { end.max(first_rows) } else { end };
        let is_over = Instant::now() >= end;
        let batch = match timeout_at(end, batches.try_next()).await {
            Ok(batch) => batch?,
            Err(_) => {
                gathered.cut = Some(clock.cut(gathered.rows));
                break;
            }
        };
        let Some(batch) = batch else { break };
        if is_over && gathered.rows > 0 {
            gathered.cut = Some(clock.cut(gathered.rows));
            break;
        }
        gathered.push(&batch, plan.unit.as_deref())?;
        if gathered.bytes() > GATHERED_BYTES_MAX {
            gathered.cut =
                Some(format!("only the first {} rows were read: more do not fit into memory", gathered.rows));
            break;
        }
    }
    Ok(gathered)
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
    fn end_of_reading(&self) -> Instant {
        self.start + self.budget / 2
    }

    fn cut(&self, rows: usize) -> String {
        let budget = self.budget;
        match rows {
            0 => format!("no row was read within the time budget of {budget:?}"),
            _ => format!("only {rows} rows were read within half of the time budget of {budget:?}"),
        }
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
    let options = question.options.clone();
    let noun = question.noun.clone().unwrap_or_else(|| match &question.predicate {
        Some(predicate) => format!("rows where {predicate}"),
        None => "rows".to_owned(),
    });
    let mut left_out = plan.left_out;
    left_out.extend(gathered.left_out());
    let Gathered { kept, messages, cut, .. } = gathered;
    let refused = cut.clone();
    let complete = move |mut report: Report| {
        report.left_out.splice(0..0, left_out.iter().cloned());
        if let Some(cut) = &cut {
            report.exact = false;
            report.cuts.insert(0, cut.clone());
        }
        report.elapsed_ms = clock.start.elapsed().as_secs_f64() * 1e3;
        report
    };
    let Plan { predicate_columns, baseline_of: baseline, unit, .. } = plan;
    let searched = tokio::task::spawn_blocking(move || {
        let stop: Stop<'_> = &|| clock.is_over();
        let report = match kept {
            Kept::Codes(None) => Err(RcaError::NoAnomalousRows { rows: 0 }),
            Kept::Codes(Some(rows)) => {
                let (predicate_columns, unit) = (&predicate_columns[..], unit.as_deref());
                let asked = Asked { predicate_columns, baseline, options: &options, noun: &noun, unit };
                match on_partial {
                    Some(mut send) => explain_rows(&rows, &asked, stop, Some(&mut |report| send(complete(report)))),
                    None => explain_rows(&rows, &asked, stop, None),
                }
            }
            Kept::Batches(Batches { batches, slice, .. }, measure) => {
                let input = Input { batches, slice, predicate_columns, baseline };
                match on_partial {
                    Some(mut send) => {
                        let mut send = |report| send(complete(report));
                        explain_measure_progressively(&input, &measure, &options, &noun, stop, Some(&mut send))
                    }
                    None => explain_measure(&input, &measure, &options, &noun, stop),
                }
            }
        };
        let mut report = report.map(complete).map_err(|error| match refused {
            Some(cut) => RcaError::Cut { error: Box::new(error), cut },
            None => error,
        })?;
        for messages in messages {
            messages.add_to(&mut report, &options, &noun);
        }
        report.elapsed_ms = clock.start.elapsed().as_secs_f64() * 1e3;
        Ok(report)
    });
    searched.await.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
}

#[cfg(test)]
mod tests;
