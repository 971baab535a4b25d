//! Prometheus' test scripts: `load` series, `eval` queries, compare with what the script expects.
//!
//! The language is that of promql/promqltest. As in the original, an instant query is also run with `@` on its selectors, asked at other times, and as a range
//! query, whose middle step must be the same.

mod check;
mod histogram;
mod loaded;
mod series;
mod syntax;

use self::loaded::Loaded;
use self::syntax::{Command, Eval, When, commands};
use super::{Engine, Evaluated, PromqlError, SeriesSource, Value, parse};

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
            Ok(Command::Load { step_ms, series, custom_buckets }) => {
                match custom_buckets {
                    true => loaded.add_with_custom_buckets(step_ms, series),
                    false => loaded.add(step_ms, series),
                }
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

async fn run_eval(engine: &Engine, source: &SeriesSource, eval: &Eval) -> Result<(), String> {
    let result = match eval.when {
        When::Instant { at_ms } => engine.instant(source, &eval.query, at_ms).await,
        When::Range { start_ms, end_ms, step_ms } => engine.range(source, &eval.query, start_ms, end_ms, step_ms).await,
    };
    check::check(eval, &result)?;
    match (eval.when, &result) {
        (When::Instant { at_ms }, Ok(instant)) => {
            check_pinned(engine, source, eval, at_ms).await?;
            match has_range_twin(eval, instant) {
                true => check_range_twin(engine, source, &eval.query, at_ms, instant).await,
                false => Ok(()),
            }
        }
        _ => Ok(()),
    }
}

/// With `@` on every selector, the time at which an instant query is asked makes no difference.
async fn check_pinned(engine: &Engine, source: &SeriesSource, eval: &Eval, at_ms: i64) -> Result<(), String> {
    let names_its_bounds = ["start()", "end()", "step()", "range()"].iter().any(|call| eval.query.contains(call));
    if names_its_bounds || eval.expected.times.is_some() {
        return Ok(());
    }
    for asked_ms in [-10 * at_ms, 0, at_ms / 5, at_ms, 10 * at_ms] {
        let mut expr = parse(&eval.query).map_err(|error| error.to_string())?;
        if !expr.pin(at_ms as f64 / 1000.0) {
            return Ok(());
        }
        let result = engine.instant_of(source, &eval.query, expr, asked_ms).await;
        check::check(eval, &result).map_err(|why| format!("with @ {at_ms} ms, asked at {asked_ms} ms: {why}"))?;
    }
    Ok(())
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
