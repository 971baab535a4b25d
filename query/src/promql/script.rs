//! Prometheus' test scripts: `load` series, `eval` queries, compare with what the script expects.
//!
//! The language is that of promql/promqltest. Three liberties: native histogram samples load as nothing and are never equal to
//! a result; lines of start timestamps (`@st`) are skipped; positions in expected warnings are not compared, as the parser
//! knows none. As in the original, an instant query is also run as a range query, whose middle step must be the same.

mod check;
mod series;
mod syntax;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use culprit_store::{Labels, Samples, Series};

use self::series::{Described, Point};
use self::syntax::{Command, Eval, When, commands};
use super::{Engine, Evaluated, PromqlError, SeriesSource, Value};

#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct ScriptReport {
    pub passed: usize,
    pub failed: usize,
    pub failures: Vec<ScriptFailure>,
}

/// A query whose result was not the expected one, or a line that is no script; then `query` is the line.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct ScriptFailure {
    /// From 1.
    pub line: usize,
    pub query: String,
    pub why: String,
}

/// Runs a script to its end, whatever fails on the way.
pub async fn run_script(text: &str) -> ScriptReport {
    let engine = Engine::default();
    let mut report = ScriptReport::default();
    let mut loaded = Loaded::default();
    let mut source = loaded.source();
    for command in commands(text) {
        match command {
            Ok(Command::Clear) => {
                loaded = Loaded::default();
                source = loaded.source();
            }
            Ok(Command::Load { step_ms, series }) => {
                loaded.add(step_ms, series);
                source = loaded.source();
            }
            Ok(Command::Eval(eval)) => match run_eval(&engine, &source, &eval).await {
                Ok(()) => report.passed += 1,
                Err(why) => report.fail(ScriptFailure { line: eval.line, query: eval.query, why }),
            },
            Err(failure) => report.fail(failure),
        }
    }
    report
}

impl ScriptReport {
    fn fail(&mut self, failure: ScriptFailure) {
        self.failed += 1;
        self.failures.push(failure);
    }
}

/// What all `load` commands since the last `clear` add up to.
#[derive(Default)]
struct Loaded(HashMap<Labels, BTreeMap<i64, f64>>);

impl Loaded {
    fn add(&mut self, step_ms: i64, described: Vec<Described>) {
        for Described { labels, points } in described {
            let samples = self.0.entry(labels).or_default();
            for (at, point) in points.into_iter().enumerate() {
                if let Point::Float(value) = point {
                    samples.insert(at as i64 * step_ms, value);
                }
            }
        }
    }

    fn source(&self) -> SeriesSource {
        let series = self.0.iter().map(|(labels, samples)| Series {
            labels: labels.clone(),
            samples: Samples {
                timestamps_ms: samples.keys().copied().collect(),
                values: samples.values().copied().collect(),
            },
        });
        SeriesSource::Memory(Arc::new(series.collect()))
    }
}

async fn run_eval(engine: &Engine, source: &SeriesSource, eval: &Eval) -> Result<(), String> {
    let result = match eval.when {
        When::Instant { at_ms } => engine.instant(source, &eval.query, at_ms).await,
        When::Range { start_ms, end_ms, step_ms } => engine.range(source, &eval.query, start_ms, end_ms, step_ms).await,
    };
    check::check(eval, &result)?;
    match (eval.when, &result) {
        (When::Instant { at_ms }, Ok(instant)) if has_range_twin(eval, instant) => {
            check_range_twin(engine, source, &eval.query, at_ms, instant).await
        }
        _ => Ok(()),
    }
}

fn has_range_twin(eval: &Eval, instant: &Evaluated) -> bool {
    let names_its_bounds = ["start()", "end()", "step()", "range()"].iter().any(|call| eval.query.contains(call));
    !names_its_bounds && matches!(instant.value, Value::Vector(_) | Value::Scalar(_))
}

async fn check_range_twin(
    engine: &Engine,
    source: &SeriesSource,
    query: &str,
    at_ms: i64,
    instant: &Evaluated,
) -> Result<(), String> {
    const MINUTE_MS: i64 = 60_000;
    let range = engine.range(source, query, at_ms - MINUTE_MS, at_ms + MINUTE_MS, MINUTE_MS).await;
    match range {
        Ok(range) => check::same_at(instant, &range, at_ms).map_err(|why| format!("as a range query: {why}")),
        // Another step may hold what this one does not, such as two series that match one.
        Err(PromqlError::Execution(_)) => Ok(()),
        Err(error) => Err(format!("as a range query: {error}")),
    }
}

#[cfg(test)]
mod tests;
