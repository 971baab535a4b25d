//! Compares results with expectations.

use std::collections::HashMap;
use std::sync::Arc;

use culprit_store::{Labels, is_stale};

use super::super::native::NativeHistogram;
use super::super::number::{almost_equal, display};
use super::super::{Evaluated, InstantSample, MatrixSeries, PromqlError, Value};
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

/// Every expected note is there, and where notes of a kind are expected, there are no others of that kind.
fn check_notes(expected: &Expected, said: &[String]) -> Result<(), String> {
    for kind in [NoteKind::Warning, NoteKind::Info] {
        let wordings: Vec<&Wording> =
            expected.notes.iter().filter(|note| note.kind == kind).filter_map(|note| note.wording.as_ref()).collect();
        let mut of_kind = said.iter().filter(|text| text.starts_with(kind.prefix()));
        let unexpected = |text: &&String| !wordings.iter().any(|wording| wording.fits(text));
        if let Some(unexpected) = of_kind.find(unexpected).filter(|_| !wordings.is_empty()) {
            return Err(format!("unexpected note: {unexpected}"));
        }
    }
    for note in &expected.notes {
        let prefix = note.kind.prefix();
        let mut of_kind = said.iter().filter(|text| text.starts_with(prefix));
        match &note.wording {
            None => {
                if let Some(unexpected) = of_kind.next() {
                    return Err(format!("unexpected note: {unexpected}"));
                }
            }
            Some(wording) if !of_kind.any(|text| wording.fits(text)) => {
                return Err(format!("no note like {wording:?} among {said:?}"));
            }
            Some(_) => {}
        }
    }
    Ok(())
}

impl NoteKind {
    fn prefix(self) -> &'static str {
        match self {
            Self::Warning => "PromQL warning: ",
            Self::Info => "PromQL info: ",
        }
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
            check_matrix(
                &expected.series,
                times,
                series.iter().map(|series| (&series.labels, points(series))).collect(),
            )
        }
    }
}

/// By time.
fn points(series: &MatrixSeries) -> Points {
    let samples = &series.samples;
    let floats = samples.timestamps_ms.iter().zip(&samples.values).map(|(time, value)| (*time, Given::Float(*value)));
    let histograms = series.histograms.iter().map(|(time, histogram)| (*time, Given::Histogram(histogram.clone())));
    let mut points: Points = floats.chain(histograms).collect();
    points.sort_by_key(|point| point.0);
    points
}

/// What a result has at one time.
#[derive(Debug, Clone)]
enum Given {
    Float(f64),
    Histogram(Arc<NativeHistogram>),
}

impl std::fmt::Display for Given {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Float(value) => f.write_str(&display(*value)),
            Self::Histogram(histogram) => histogram.fmt(f),
        }
    }
}

impl Given {
    fn of(sample: &InstantSample) -> Self {
        sample.histogram.clone().map_or(Self::Float(sample.value), Self::Histogram)
    }
}

fn check_vector(expected: &Expected, samples: &[InstantSample]) -> Result<(), String> {
    let given: HashMap<&Labels, Given> = samples.iter().map(|sample| (&sample.labels, Given::of(sample))).collect();
    for Described { labels, points, .. } in &expected.series {
        let [point] = points.as_slice() else { return Err(format!("expected one value for {labels}")) };
        match (point, given.get(labels)) {
            (Point::Missing, None) => {}
            (Point::Missing, Some(_)) => return Err(format!("unexpected {labels}")),
            (_, None) => return Err(format!("no {labels} in the result")),
            (wanted, Some(given)) => compare_point(wanted, given).map_err(|why| format!("{labels}: {why}"))?,
        }
    }
    if let Some(extra) = samples.iter().find(|sample| !expected.series.iter().any(|it| it.labels == sample.labels)) {
        return Err(format!("unexpected {} {}", extra.labels, Given::of(extra)));
    }
    let in_order = samples.iter().zip(&expected.series).all(|(sample, wanted)| sample.labels == wanted.labels);
    if expected.ordered && !in_order {
        return Err("the samples are not in the expected order".to_owned());
    }
    Ok(())
}

type Points = Vec<(i64, Given)>;

fn check_matrix(expected: &[Described], times: When, mut given: HashMap<&Labels, Points>) -> Result<(), String> {
    let When::Range { start_ms, step_ms, .. } = times else {
        return Err("got a range vector; the script expects an instant vector".to_owned());
    };
    for Described { labels, points, .. } in expected {
        let at = |(at, point)| (start_ms + at as i64 * step_ms, point);
        let wanted: Vec<(i64, &Point)> =
            points.iter().enumerate().filter(|(_, point)| **point != Point::Missing).map(at).collect();
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

fn check_points(wanted: &[(i64, &Point)], given: &Points) -> Result<(), String> {
    for (wanted, given) in wanted.iter().zip(given) {
        if wanted.0 != given.0 {
            return Err(format!("expected a sample at {} ms, got one at {} ms", wanted.0, given.0));
        }
        compare_point(wanted.1, &given.1).map_err(|why| format!("at {} ms: {why}", wanted.0))?;
    }
    if wanted.len() != given.len() {
        return Err(format!("expected {} samples, got {}", wanted.len(), given.len()));
    }
    Ok(())
}

/// The step at `at_ms` of a range query must hold what the instant query gave.
pub(super) fn same_at(instant: &Evaluated, range: &Evaluated, at_ms: i64) -> Result<(), String> {
    let Value::Matrix(series) = &range.value else { return Err("the result is no matrix".to_owned()) };
    let at = |series: &MatrixSeries| points(series).into_iter().find(|point| point.0 == at_ms).map(|point| point.1);
    let there: HashMap<&Labels, Given> =
        series.iter().filter_map(|series| Some((&series.labels, at(series)?))).collect();
    let unnamed = Labels::default();
    let wanted: Vec<(&Labels, Given)> = match &instant.value {
        Value::Vector(samples) => samples.iter().map(|sample| (&sample.labels, Given::of(sample))).collect(),
        Value::Scalar(value) => vec![(&unnamed, Given::Float(*value))],
        Value::String(_) | Value::Matrix(_) => return Ok(()),
    };
    if wanted.len() != there.len() {
        return Err(format!("expected {} series, got {}", wanted.len(), there.len()));
    }
    for (labels, wanted) in wanted {
        let given = there.get(labels).ok_or_else(|| format!("no {labels} in the result"))?;
        match (wanted, given) {
            (Given::Float(wanted), Given::Float(given)) => compare(wanted, *given),
            (Given::Histogram(wanted), Given::Histogram(given)) => compare_histograms(&wanted, given),
            (wanted, given) => Err(format!("expected {wanted:?}, got {given:?}")),
        }
        .map_err(|why| format!("{labels}: {why}"))?;
    }
    Ok(())
}

fn compare_point(wanted: &Point, given: &Given) -> Result<(), String> {
    match (wanted, given) {
        (Point::Float(wanted), Given::Float(given)) => compare(*wanted, *given),
        (Point::Histogram(wanted), Given::Histogram(given)) => {
            compare_histograms(&wanted.histogram, given)?;
            match wanted.hinted && wanted.histogram.hint != given.hint {
                true => Err(format!("expected the hint {:?}, got {:?}", wanted.histogram.hint, given.hint)),
                false => Ok(()),
            }
        }
        (Point::Histogram(wanted), Given::Float(given)) => {
            Err(format!("expected {}, got {}", wanted.histogram, display(*given)))
        }
        (_, Given::Histogram(given)) => Err(format!("expected a number, got {given}")),
        (Point::Missing, Given::Float(given)) => Err(format!("unexpected {}", display(*given))),
    }
}

fn compare_histograms(wanted: &NativeHistogram, given: &NativeHistogram) -> Result<(), String> {
    if wanted.almost_equals(given, TOLERANCE) { Ok(()) } else { Err(format!("expected {wanted:?}, got {given:?}")) }
}

fn compare(wanted: f64, given: f64) -> Result<(), String> {
    if is_stale(wanted) == is_stale(given) && almost_equal(wanted, given, TOLERANCE) {
        Ok(())
    } else {
        Err(format!("expected {}, got {}", display(wanted), display(given)))
    }
}
