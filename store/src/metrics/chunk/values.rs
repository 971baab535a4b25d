//! Values of a series, every bit of them: a decimal number as an integer, and how many representable numbers the value lies beside it.
//!
//! What people measure has few decimals, so `value = integer / 10^scale` holds for most series exactly. A sum of such numbers, as a counter of seconds is,
//! drifts by the last bits: then a second, narrow stream says by how many. That makes the code exact for all values there are, NaN, infinities and stale
//! markers included: they lie far beside any decimal, and cost two words. Where nothing is decimal the bits themselves are the integers.

use super::integers;
use crate::ChunkError;

/// Decimals beyond cost more bits than those of the number itself.
const SCALE_MAX: u8 = 12;
const SCALE_OF_BITS: u8 = 15;
const HAS_DRIFT: u8 = 1 << 4;
/// Drift up to here is taken for rounding; noise lies farther from any decimal.
const DRIFT_MAX: u64 = 256;
/// Values that are looked at to find the scale.
const PROBES: usize = 32;
/// Above, integers are not exact as numbers.
const INTEGER_MAX: f64 = 9_007_199_254_740_992.0;

const POWERS: [f64; SCALE_MAX as usize + 1] = [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12];

pub(super) fn encode(values: &[f64], into: &mut Vec<u8>) {
    let Some(scale) = scale_of(values) else {
        into.push(SCALE_OF_BITS);
        let bits: Vec<i64> = values.iter().map(|value| ordered_bits(*value)).collect();
        return integers::encode(&bits, into);
    };
    let power = POWERS[usize::from(scale)];
    let mut decimals = Vec::with_capacity(values.len());
    let mut drifts = Vec::with_capacity(values.len());
    let mut before = 0;
    for value in values {
        let decimal = decimal_of(*value, power).unwrap_or(before);
        decimals.push(decimal);
        drifts.push(drift(*value, decimal, power));
        before = decimal;
    }
    let has_drift = drifts.iter().any(|drift| *drift != 0);
    into.push(scale | if has_drift { HAS_DRIFT } else { 0 });
    integers::encode(&decimals, into);
    if has_drift {
        integers::encode(&drifts, into);
    }
}

pub(super) fn decode(
    bytes: &mut &[u8],
    count: usize,
    scratch: &mut Vec<i64>,
    into: &mut Vec<f64>,
) -> Result<(), ChunkError> {
    let (head, rest) = bytes.split_first().ok_or(ChunkError::Short)?;
    *bytes = rest;
    scratch.clear();
    integers::decode(bytes, count, scratch)?;
    let scale = head & !HAS_DRIFT;
    if scale == SCALE_OF_BITS {
        into.extend(scratch.iter().map(|bits| of_ordered_bits(*bits)));
        return Ok(());
    }
    let power = *POWERS.get(usize::from(scale)).ok_or(ChunkError::Header)?;
    if head & HAS_DRIFT == 0 {
        into.extend(scratch.iter().map(|decimal| *decimal as f64 / power));
        return Ok(());
    }
    integers::decode(bytes, count, scratch)?;
    let (decimals, drifts) = scratch.split_at(count);
    into.extend(decimals.iter().zip(drifts).map(|(decimal, drift)| beside(*decimal, *drift, power)));
    Ok(())
}

/// The scale at which probes are decimals, at the lowest cost; none where some scale would have to be made up.
fn scale_of(values: &[f64]) -> Option<u8> {
    let step = (values.len() / PROBES).max(1);
    let probes: Vec<f64> = values.iter().step_by(step).copied().filter(|value| value.is_finite()).collect();
    let mut best = None;
    for scale in 0..=SCALE_MAX {
        let power = POWERS[usize::from(scale)];
        let drifts = probes.iter().map(|value| {
            let decimal = decimal_of(*value, power)?;
            Some(drift(*value, decimal, power).unsigned_abs())
        });
        let worst = drifts.collect::<Option<Vec<u64>>>().map(|drifts| drifts.into_iter().max().unwrap_or(0));
        let Some(worst) = worst.filter(|worst| *worst <= DRIFT_MAX) else { continue };
        // A decimal more costs 3.3 bits, and a drift twice as wide costs one.
        let cost = 10 * u32::from(scale) / 3 + (u64::BITS - worst.leading_zeros());
        if best.is_none_or(|(lowest, _)| cost < lowest) {
            best = Some((cost, scale));
        }
        if worst == 0 {
            break;
        }
    }
    best.map(|(_, scale)| scale)
}

fn decimal_of(value: f64, power: f64) -> Option<i64> {
    let scaled = (value * power).round();
    (scaled.abs() < INTEGER_MAX).then_some(scaled as i64)
}

fn drift(value: f64, decimal: i64, power: f64) -> i64 {
    ordered_bits(value).wrapping_sub(ordered_bits(decimal as f64 / power))
}

fn beside(decimal: i64, drift: i64, power: f64) -> f64 {
    of_ordered_bits(ordered_bits(decimal as f64 / power).wrapping_add(drift))
}

/// The bits as an integer that is ordered as the numbers are, so that neighbours differ by one.
fn ordered_bits(value: f64) -> i64 {
    let bits = value.to_bits().cast_signed();
    bits ^ ((bits >> 63).cast_unsigned() >> 1).cast_signed()
}

fn of_ordered_bits(ordered: i64) -> f64 {
    f64::from_bits((ordered ^ ((ordered >> 63).cast_unsigned() >> 1).cast_signed()).cast_unsigned())
}
