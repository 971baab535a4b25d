//! Trends of a window: deriv, predict_linear and double exponential smoothing.

use super::PromqlError;
use super::notes::Notes;
use super::sum::Sum;
use super::window::Window;

/// Slope per second of the least-squares line.
pub(super) fn deriv(window: &Window) -> Option<f64> {
    line(window, window.timestamps[0]).map(|line| line.slope)
}

/// Value of the least-squares line so many seconds after the evaluation time.
pub(super) fn predict_linear(window: &Window, scalars: &[f64], _: &mut Notes) -> Result<Option<f64>, PromqlError> {
    Ok(line(window, window.eval_ms).map(|line| line.slope * scalars[0] + line.intercept))
}

struct Line {
    slope: f64,
    /// Value at the origin.
    intercept: f64,
}

/// Least squares with time measured from `origin_ms`, which should be near the samples: the squares of Unix times would eat
/// the digits. None with fewer than two samples.
fn line(window: &Window, origin_ms: i64) -> Option<Line> {
    let first = window.values[0];
    if window.values.len() < 2 {
        return None;
    }
    if window.values.iter().all(|value| *value == first) {
        let (slope, intercept) = if first.is_infinite() { (f64::NAN, f64::NAN) } else { (0.0, first) };
        return Some(Line { slope, intercept });
    }
    let n = window.values.len() as f64;
    let (mut x_sum, mut y_sum, mut xy_sum, mut xx_sum) = Default::default();
    for (time, y) in window.timestamps.iter().zip(window.values) {
        let x = (time - origin_ms) as f64 / 1000.0;
        Sum::add(&mut x_sum, x);
        Sum::add(&mut y_sum, *y);
        Sum::add(&mut xy_sum, x * y);
        Sum::add(&mut xx_sum, x * x);
    }
    let (x_sum, y_sum) = (x_sum.value(), y_sum.value());
    let covariance = xy_sum.value() - x_sum * y_sum / n;
    let variance = xx_sum.value() - x_sum * x_sum / n;
    let slope = covariance / variance;
    Some(Line { slope, intercept: y_sum / n - slope * x_sum / n })
}

/// Holt's linear method: the arguments are the smoothing factors of the level and of the trend.
pub(super) fn double_exponential_smoothing(
    window: &Window,
    scalars: &[f64],
    _: &mut Notes,
) -> Result<Option<f64>, PromqlError> {
    let (level_factor, trend_factor) = (scalars[0], scalars[1]);
    for (name, factor) in
        [("smoothing factor. Expected: 0 < sf", level_factor), ("trend factor. Expected: 0 < tf", trend_factor)]
    {
        if factor.is_nan() || factor <= 0.0 || factor >= 1.0 {
            return Err(PromqlError::execution(format!("invalid {name} < 1, got: {factor}")));
        }
    }
    let values = window.values;
    if values.len() < 2 {
        return Ok(None);
    }
    let (mut level, mut trend) = (values[0], values[1] - values[0]);
    let mut previous: Option<f64> = None;
    for value in &values[1..] {
        if let Some(previous) = previous {
            trend = trend_factor * (level - previous) + (1.0 - trend_factor) * trend;
        }
        previous = Some(level);
        level = level_factor * value + (1.0 - level_factor) * (level + trend);
    }
    Ok(Some(level))
}
