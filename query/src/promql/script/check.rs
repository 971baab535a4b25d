//! Compares results with expectations.

use std::collections::HashMap;

use culprit_store::{Labels, is_stale};

use super::super::number::{almost_equal, display};
use super::super::{Evaluated, InstantSample, PromqlError, Value};
use super::series::{Described, Point};
use super::syntax::{Eval, Expected, NoteKind, When, Wording};

/// Relative error that Prometheus' own tests allow.
const TOLERANCE: f64 = 1e-6;

pub(super) fn check(eval: &Eval, result: &Result<Evaluated, PromqlError>) -> Result<(), String> {
    match (result, &eval.expected.failure) {
        (Err(error), Some(wording)) => check_failure(error, wording),
        (Err(error), None) => Err(error.to_string()),
        (Ok(_), Some(_)) => Err("expected a failure, but the query gave a result".to_owned()),
        (Ok(evaluated), None) => {
            check_value(eval, &evaluated.value)?;
            check_notes(&eval.expected, &evaluated.warnings)
        }
    }
}

fn check_failure(error: &PromqlError, wording: &Wording) -> Result<(), String> {
    // An engine that cannot do something has not shown that it is forbidden.
    if matches!(error, PromqlError::Unsupported(_)) {
        return Err(error.to_string());
    }
    let said = error.to_string();
    if wording.fits(&said) { Ok(()) } else { Err(format!("expected a failure like {wording:?}, but it said: {said}")) }
}

impl Wording {
    fn fits(&self, text: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Exactly(wanted) => wanted == text,
            Self::Like(regex) => regex.is_match(text),
        }
    }
}

fn check_notes(expected: &Expected, said: &[String]) -> Result<(), String> {
    for note in &expected.notes {
        let prefix = match note.kind {
            NoteKind::Warning => "PromQL warning: ",
            NoteKind::Info => "PromQL info: ",
        };
        let mut of_kind = said.iter().filter(|text| text.starts_with(prefix));
        match &note.wording {
            None => {
                if let Some(unexpected) = of_kind.next() {
                    return Err(format!("unexpected note: {unexpected}"));
                }
            }
            Some(wording) if !of_kind.any(|text| note_fits(wording, text)) => {
                return Err(format!("no note like {wording:?} among {said:?}"));
            }
            Some(_) => {}
        }
    }
    Ok(())
}

/// Expected texts end with a position, " (1:7)", which this engine does not give.
fn note_fits(wording: &Wording, text: &str) -> bool {
    match wording {
        Wording::Exactly(wanted) => {
            let unplaced = wanted.rsplit_once(" (").map_or(wanted.as_str(), |(start, _)| start);
            text == wanted || text == unplaced
        }
        Wording::Like(_) => wording.fits(text) || wording.fits(&format!("{text} (1:1)")),
        Wording::Any => true,
    }
}

fn check_value(eval: &Eval, value: &Value) -> Result<(), String> {
    let expected = &eval.expected;
    if let Some(text) = &expected.text {
        return match value {
            Value::String(given) if given == text => Ok(()),
            other => Err(format!("expected the string {text:?}, got {other:?}")),
        };
    }
    match value {
        Value::String(text) => Err(format!("got the string {text:?}")),
        Value::Scalar(given) => match expected.scalar {
            Some(wanted) => compare(wanted, *given).map_err(|why| format!("scalar: {why}")),
            None => Err(format!("got the scalar {}", display(*given))),
        },
        _ if expected.scalar.is_some() => Err("expected a scalar".to_owned()),
        Value::Vector(samples) => check_vector(expected, samples),
        Value::Matrix(series) => {
            let times = expected.times.unwrap_or(eval.when);
            let given = series.iter().map(|series| {
                let samples = &series.samples;
                (&series.labels, samples.timestamps_ms.iter().copied().zip(samples.values.iter().copied()).collect())
            });
            check_matrix(&expected.series, times, given.collect())
        }
    }
}

fn check_vector(expected: &Expected, samples: &[InstantSample]) -> Result<(), String> {
    let given: HashMap<&Labels, f64> = samples.iter().map(|sample| (&sample.labels, sample.value)).collect();
    for Described { labels, points } in &expected.series {
        let [point] = points.as_slice() else { return Err(format!("expected one value for {labels}")) };
        match (point, given.get(labels)) {
            (Point::Missing, None) => {}
            (Point::Missing, Some(_)) => return Err(format!("unexpected {labels}")),
            (Point::Native, _) => return Err(format!("{labels}: native histograms are not supported")),
            (Point::Float(_), None) => return Err(format!("no {labels} in the result")),
            (Point::Float(wanted), Some(given)) => {
                compare(*wanted, *given).map_err(|why| format!("{labels}: {why}"))?
            }
        }
    }
    if let Some(extra) = samples.iter().find(|sample| !expected.series.iter().any(|it| it.labels == sample.labels)) {
        return Err(format!("unexpected {} {}", extra.labels, display(extra.value)));
    }
    let in_order = samples.iter().zip(&expected.series).all(|(sample, wanted)| sample.labels == wanted.labels);
    if expected.ordered && !in_order {
        return Err("the samples are not in the expected order".to_owned());
    }
    Ok(())
}

type Points = Vec<(i64, f64)>;

fn check_matrix(expected: &[Described], times: When, mut given: HashMap<&Labels, Points>) -> Result<(), String> {
    let When::Range { start_ms, step_ms, .. } = times else {
        return Err("got a range vector; the script expects an instant vector".to_owned());
    };
    for Described { labels, points } in expected {
        let mut wanted: Points = Vec::new();
        for (at, point) in points.iter().enumerate() {
            match point {
                Point::Missing => {}
                Point::Float(value) => wanted.push((start_ms + at as i64 * step_ms, *value)),
                Point::Native => return Err(format!("{labels}: native histograms are not supported")),
            }
        }
        if wanted.is_empty() {
            continue;
        }
        let given = given.remove(labels).ok_or_else(|| format!("no {labels} in the result"))?;
        check_points(&wanted, &given).map_err(|why| format!("{labels}: {why}"))?;
    }
    match given.keys().next() {
        Some(extra) => Err(format!("unexpected {extra}")),
        None => Ok(()),
    }
}

fn check_points(wanted: &Points, given: &Points) -> Result<(), String> {
    for (wanted, given) in wanted.iter().zip(given) {
        if wanted.0 != given.0 {
            return Err(format!("expected a sample at {} ms, got one at {} ms", wanted.0, given.0));
        }
        compare(wanted.1, given.1).map_err(|why| format!("at {} ms: {why}", wanted.0))?;
    }
    if wanted.len() != given.len() {
        return Err(format!("expected {} samples, got {}", wanted.len(), given.len()));
    }
    Ok(())
}

/// The step at `at_ms` of a range query must hold what the instant query gave.
pub(super) fn same_at(instant: &Evaluated, range: &Evaluated, at_ms: i64) -> Result<(), String> {
    let Value::Matrix(series) = &range.value else { return Err("the result is no matrix".to_owned()) };
    let at = |samples: &culprit_store::Samples| {
        samples.timestamps_ms.binary_search(&at_ms).ok().map(|index| samples.values[index])
    };
    let there: HashMap<&Labels, f64> =
        series.iter().filter_map(|series| Some((&series.labels, at(&series.samples)?))).collect();
    let unnamed = Labels::default();
    let wanted: Vec<(&Labels, f64)> = match &instant.value {
        Value::Vector(samples) => samples.iter().map(|sample| (&sample.labels, sample.value)).collect(),
        Value::Scalar(value) => vec![(&unnamed, *value)],
        Value::String(_) | Value::Matrix(_) => return Ok(()),
    };
    if wanted.len() != there.len() {
        return Err(format!("expected {} series, got {}", wanted.len(), there.len()));
    }
    for (labels, wanted) in wanted {
        let given = there.get(labels).ok_or_else(|| format!("no {labels} in the result"))?;
        compare(wanted, *given).map_err(|why| format!("{labels}: {why}"))?;
    }
    Ok(())
}

fn compare(wanted: f64, given: f64) -> Result<(), String> {
    if is_stale(wanted) == is_stale(given) && almost_equal(wanted, given, TOLERANCE) {
        Ok(())
    } else {
        Err(format!("expected {}, got {}", display(wanted), display(given)))
    }
}
