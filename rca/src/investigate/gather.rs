//! Where the evidence comes from: the stores of one project, read one after the other within one time budget. A source
//! that fails or is late costs its own findings and is named; the others stand.

mod logs;
mod past;
mod series;
mod tables;

use std::time::Duration;

use culprit_query::SqlEngine;
use culprit_store::{ProjectName, Storage, StoreKind, StoreName, TimeRange, UnixNanos};
use tokio::time::Instant;

pub use past::Past;
pub use tables::{SeriesFiles, investigate_files};

use crate::investigate::finding::{Detail, Investigation, Label};
use crate::investigate::messages::Stretches;
use crate::investigate::rank::{Case, Coverage, Piece, investigation};
use crate::limits::{BASELINE_MIN, BASELINE_WINDOWS, BUDGET, INVESTIGATED_STORES_MAX, WINDOW_LEAD};
use crate::phrase::phrase;
use crate::report::{Evidence, Report};
use crate::{Question, RcaError, explain_store, sentence};

/// What to investigate.
#[derive(Debug, Clone)]
pub struct Inquiry {
    pub project: ProjectName,
    /// The time of the trouble.
    pub window: (UnixNanos, UnixNanos),
    /// The calm to compare it with begins here and ends with the window.
    pub baseline_from: UnixNanos,
    /// The rows that the rule calls anomalous, and what they have in common where that is known already.
    pub slice: Option<Slice>,
    pub alert: Option<AlertFacts>,
    /// Where the same rule's incidents are.
    pub past: Option<Past>,
    pub budget: Option<Duration>,
}

#[derive(Debug, Clone)]
pub struct Slice {
    pub store: StoreName,
    pub range: TimeRange,
    pub question: Question,
    pub report: Option<Report>,
}

/// What is known of the alert itself.
#[derive(Debug, Clone, Default)]
pub struct AlertFacts {
    pub name: String,
    pub active_at: i64,
    pub labels: Vec<Label>,
    /// The rule's expression: the metrics that it reads have moved by definition.
    pub expression: String,
}

/// Reads, compares and ranks.
pub async fn investigate(engine: &SqlEngine, storage: &Storage, inquiry: &Inquiry) -> Result<Investigation, RcaError> {
    let started = Instant::now();
    let mut search = Search {
        engine,
        storage,
        inquiry,
        deadline: started + inquiry.budget.unwrap_or(BUDGET),
        pieces: Vec::new(),
        coverage: Coverage::default(),
    };
    search.explain().await;
    search.read_stores().await;
    search.recall().await;
    let Search { pieces, coverage, .. } = search;
    let mut report = investigation(&inquiry.case(), pieces, coverage);
    report.elapsed_ms = started.elapsed().as_secs_f64() * 1e3;
    Ok(report)
}

impl Inquiry {
    /// The window and the begin of the baseline for an alert: the trouble begins before the alert does, and what it is
    /// compared with is longer than it. `slice` is the time whose rows the rule calls anomalous.
    pub fn times(active_at: i64, fired_at: i64, slice: Option<(i64, i64)>) -> ((UnixNanos, UnixNanos), UnixNanos) {
        let (from, to) = slice.unwrap_or((active_at, fired_at));
        let to = to.max(fired_at);
        let lead = nanos(WINDOW_LEAD).max(to.saturating_sub(from));
        let (from, to) = (UnixNanos(from.min(active_at.saturating_sub(lead))), UnixNanos(to));
        ((from, to), Self::calm_before(from, to))
    }

    /// Where the time begins that a window is compared with.
    pub fn calm_before(from: UnixNanos, to: UnixNanos) -> UnixNanos {
        let calm = nanos(BASELINE_MIN).max(to.0.saturating_sub(from.0).saturating_mul(BASELINE_WINDOWS));
        UnixNanos(from.0.saturating_sub(calm))
    }

    fn case(&self) -> Case {
        Case {
            window: (self.window.0.0, self.window.1.0),
            baseline: (self.baseline_from.0, self.window.0.0),
            alert: self.alert.as_ref().map(|alert| (alert.active_at, alert.name.clone())),
            labels: self.alert.as_ref().map(|alert| alert.labels.clone()).unwrap_or_default(),
        }
    }

    /// All that is read: the calm and the trouble.
    fn range(&self) -> TimeRange {
        TimeRange::new(self.baseline_from, self.window.1)
    }

    fn stretches(&self) -> Stretches {
        Stretches::new(self.baseline_from.0, (self.window.0.0, self.window.1.0))
    }
}

fn nanos(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}

/// An investigation under way.
struct Search<'a> {
    engine: &'a SqlEngine,
    storage: &'a Storage,
    inquiry: &'a Inquiry,
    deadline: Instant,
    pieces: Vec<Piece>,
    coverage: Coverage,
}

/// What one source gives.
#[derive(Debug, Default)]
struct Found {
    pieces: Vec<Piece>,
    looked_at: Vec<String>,
    left_out: Vec<String>,
}

impl Search<'_> {
    /// Takes what a source found, or says why it found nothing.
    async fn take(&mut self, source: &str, finding: impl Future<Output = Result<Found, RcaError>>) {
        let left_out = &mut self.coverage.left_out;
        match tokio::time::timeout_at(self.deadline, finding).await {
            Ok(Ok(found)) => {
                self.pieces.extend(found.pieces);
                self.coverage.looked_at.extend(found.looked_at);
                left_out.extend(found.left_out);
            }
            Ok(Err(error)) => left_out.push(format!("{source}: {error}")),
            Err(_elapsed) => left_out.push(format!("{source}: the time budget was over")),
        }
    }

    async fn explain(&mut self) {
        let Some(slice) = &self.inquiry.slice else { return };
        let (engine, project, left) = (self.engine, &self.inquiry.project, self.deadline - Instant::now());
        let explaining = async {
            let report = match &slice.report {
                Some(report) => report.clone(),
                None => {
                    let question = Question { budget: Some(left / 2), ..slice.question.clone() };
                    explain_store(engine, project, &slice.store, slice.range, &question).await?
                }
            };
            Ok(explained(slice, report))
        };
        self.take(&format!("the rows of {}", slice.store), explaining).await;
    }

    async fn read_stores(&mut self) {
        let stores = self.storage.stores(&self.inquiry.project);
        for kind in [StoreKind::Logs, StoreKind::Metrics] {
            let mut names: Vec<StoreName> =
                stores.iter().filter(|store| store.kind() == kind).map(|store| store.name().clone()).collect();
            // The rule's own store must not fall behind the bound.
            let own = self.inquiry.slice.as_ref().map(|slice| &slice.store);
            names.sort_by_key(|name| (Some(name) != own, name.to_string()));
            for left_out in names.iter().skip(INVESTIGATED_STORES_MAX) {
                self.coverage
                    .left_out
                    .push(format!("{left_out}: more than {INVESTIGATED_STORES_MAX} {}s", kind.noun()));
            }
            for name in names.iter().take(INVESTIGATED_STORES_MAX) {
                let (engine, storage, inquiry) = (self.engine, self.storage, self.inquiry);
                match kind {
                    StoreKind::Logs => self.take(name.as_str(), logs::read(engine, inquiry, name)).await,
                    StoreKind::Metrics => {
                        let named = self.named_values();
                        self.take(name.as_str(), series::read(storage, inquiry, name, &named)).await;
                    }
                }
            }
        }
    }

    /// The values that the explanations and the alert name: series that have them are read first.
    fn named_values(&self) -> Vec<String> {
        let labels = self.inquiry.alert.iter().flat_map(|alert| &alert.labels).map(|label| label.value.clone());
        let items = self.pieces.iter().flat_map(|piece| match &piece.detail {
            Detail::Explanation { evidence, .. } => evidence.items.iter().map(|item| item.value.clone()).collect(),
            _ => Vec::new(),
        });
        labels.chain(items).collect()
    }

    async fn recall(&mut self) {
        let Some(past) = &self.inquiry.past else { return };
        let mut conditions = Vec::new();
        for piece in &self.pieces {
            match &piece.detail {
                Detail::Explanation { evidence, .. } => {
                    conditions.extend([evidence.condition(), phrase(&evidence.items).text]);
                }
                Detail::ChangedLabel { label, value, .. } => {
                    conditions.extend([format!("{label} = {value}"), format!("{label} {value}")]);
                }
                _ => {}
            }
        }
        let recalling = past::recall(self.engine, past, self.inquiry.window.1, conditions);
        self.take("earlier incidents", recalling).await;
    }
}

/// The explanations of a report as findings, each with a sentence of its own.
fn explained(slice: &Slice, report: Report) -> Found {
    let (store, question) = (&slice.store, &slice.question);
    let noun = question.noun.clone().or_else(|| Some(format!("rows where {}", question.predicate.as_ref()?)));
    let noun = noun.unwrap_or_else(|| "rows".to_owned());
    let piece = |explanation: &crate::Explanation| Piece {
        q_value: Some(explanation.evidence.q_value),
        onset: None,
        detail: Detail::Explanation {
            store: store.to_string(),
            rows_a: report.rows_a,
            rows_b: report.rows_b,
            told: told(&report, explanation, &noun),
            evidence: explanation.evidence.clone(),
        },
    };
    let pieces = report.explanations.iter().map(piece).collect();
    let Report { rows_a, rows_b, left_out, cuts, dimensions, .. } = report;
    let looked_at = vec![format!("{} rows of {store} in {} dimensions", rows_a + rows_b, dimensions.len())];
    let unsearched = left_out.len();
    let note = (unsearched > 0).then(|| format!("{unsearched} columns of {store} explain nothing by what they are"));
    Found { pieces, looked_at, left_out: cuts.into_iter().chain(note).collect() }
}

/// What the report would say of this explanation alone. A report on a measure counts no shares: its own sentence is kept.
fn told(report: &Report, explanation: &crate::Explanation, noun: &str) -> String {
    let Evidence { value_a, value_b, .. } = &explanation.evidence;
    match (value_a, value_b) {
        (Some(_), Some(_)) if report.explanations.first() == Some(explanation) => report.sentence.clone(),
        (Some(a), Some(b)) => format!("{}: {a:.4} instead of {b:.4}.", explanation.evidence.condition()),
        _ => sentence(&Report { explanations: vec![explanation.clone()], ..report.clone() }, noun),
    }
}
