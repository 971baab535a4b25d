//! Integers that follow each other smoothly: differences, then Rice codes (Golomb 1966, Rice 1979), which come within a few hundredths of a bit of the
//! entropy where differences are geometric, as those of counters are, and need no table that a chunk would have to carry.
//!
//! ```text
//! | order, shape | k      | first values | base   | unit   | codes of the other residuals |
//! | 1 byte       | 1 byte | varints      | varint | varint | bits                         |
//! ```
//!
//! A residual is `base + unit * number`; the unit is what memory, counted in pages, is counted in. A constant has no unit and no codes.

use super::bits::{BitReader, BitWriter, fold, put_varint, take_varint, unfold};
use crate::ChunkError;

/// Second differences are what regular times need; third ones gain nothing on any kind of series that was measured.
const ORDER_MAX: usize = 2;
/// A quotient so high is an outlier (a reset, a stale marker): its 64 bits follow.
const QUOTIENT_MAX: u32 = 24;
const WORD_BITS: u32 = 64;
/// With a quotient below the maximum and its end, a code still fits what one look at the bits sees.
const REMAINDER_BITS_MAX: u32 = 56;

/// How residuals become numbers without a sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// All are the base.
    Constant,
    /// The base is the lowest but for outliers.
    Above,
    /// The base is in the middle.
    Around,
}

#[derive(Debug, Clone, Copy)]
struct Code {
    shape: Shape,
    base: i64,
    /// Divides all distances from the base.
    unit: i64,
    remainder_bits: u32,
}

pub(super) fn encode(integers: &[i64], into: &mut Vec<u8>) {
    let (order, residuals) = smoothest(integers);
    let code = Code::cheapest(&residuals[order..]);
    let shape = match code.shape {
        Shape::Constant => 0,
        Shape::Above => 1,
        Shape::Around => 2,
    };
    into.extend([order as u8 | shape << 2, code.remainder_bits as u8]);
    for first in &residuals[..order] {
        put_varint(fold(*first), into);
    }
    put_varint(fold(code.base), into);
    if code.shape == Shape::Constant {
        return;
    }
    put_varint(code.unit.cast_unsigned(), into);
    let mut bits = BitWriter::default();
    for residual in &residuals[order..] {
        code.put(*residual, &mut bits);
    }
    into.append(&mut bits.finish());
}

/// Takes `count` integers from the front of `bytes`.
pub(super) fn decode(bytes: &mut &[u8], count: usize, into: &mut Vec<i64>) -> Result<(), ChunkError> {
    let [head, remainder_bits, rest @ ..] = bytes else { return Err(ChunkError::Short) };
    *bytes = rest;
    let order = usize::from(head & 3);
    let shape = match head >> 2 {
        0 => Shape::Constant,
        1 => Shape::Above,
        2 => Shape::Around,
        _ => return Err(ChunkError::Header),
    };
    let remainder_bits = u32::from(*remainder_bits);
    if order > ORDER_MAX || remainder_bits > REMAINDER_BITS_MAX {
        return Err(ChunkError::Header);
    }
    let firsts = order.min(count);
    for _ in 0..firsts {
        into.push(unfold(take_varint(bytes)?));
    }
    let base = unfold(take_varint(bytes)?);
    let start = into.len() - firsts;
    if shape == Shape::Constant {
        into.resize(start + count, base);
    } else {
        let unit = take_varint(bytes)?.cast_signed();
        *bytes = Code { shape, base, unit, remainder_bits }.take_all(bytes, count - firsts, into)?;
    }
    for done in (0..firsts).rev() {
        sum_up(&mut into[start + done..]);
    }
    Ok(())
}

/// Turns differences back: each becomes the sum up to itself.
fn sum_up(differences: &mut [i64]) {
    let mut sum = 0_i64;
    for value in differences {
        sum = sum.wrapping_add(*value);
        *value = sum;
    }
}

/// What divides all differences between the residuals; 1 where they are too far apart to subtract.
fn unit(sorted: &[i64]) -> i64 {
    let (Some(lowest), Some(highest)) = (sorted.first(), sorted.last()) else { return 1 };
    if highest.checked_sub(*lowest).is_none() {
        return 1;
    }
    let mut unit = 0;
    for residual in sorted {
        let mut rest = residual - lowest;
        while rest != 0 {
            (unit, rest) = (rest, unit % rest);
        }
        if unit == 1 {
            break;
        }
    }
    unit
}

/// The order of difference whose residuals are closest together, with the residuals; the first ones are those of the lower orders.
fn smoothest(integers: &[i64]) -> (usize, Vec<i64>) {
    let mut residuals = integers.to_vec();
    let mut best = (spread(&residuals), 0, residuals.clone());
    for order in 1..=ORDER_MAX.min(integers.len().saturating_sub(1)) {
        for at in (order..residuals.len()).rev() {
            residuals[at] = residuals[at].wrapping_sub(residuals[at - 1]);
        }
        let spread = spread(&residuals[order..]);
        if spread < best.0 {
            best = (spread, order, residuals.clone());
        }
    }
    (best.1, best.2)
}

/// How far residuals lie apart, in bits together: what a code of them will cost, but for a constant.
fn spread(residuals: &[i64]) -> u64 {
    let mut sorted = residuals.to_vec();
    let middle = residuals.len() / 2;
    let median = if residuals.is_empty() { 0 } else { *sorted.select_nth_unstable(middle).1 };
    let distances = residuals.iter().map(|residual| residual.wrapping_sub(median).unsigned_abs());
    // Outliers cost a word whatever their distance; a mean without a cap would see nothing but them.
    let cap = 1 << 44;
    distances.fold(0_u64, |sum, distance| sum.saturating_add(distance.min(cap)))
}

impl Code {
    fn cheapest(residuals: &[i64]) -> Self {
        let mut sorted = residuals.to_vec();
        sorted.sort_unstable();
        let last = residuals.len().saturating_sub(1);
        let lowest = sorted.first().copied().unwrap_or(0);
        if sorted.last().is_none_or(|highest| *highest == lowest) {
            return Self { shape: Shape::Constant, base: lowest, unit: 1, remainder_bits: 0 };
        }
        let unit = unit(&sorted);
        // Below the second one is what resets a counter, or two of them.
        let bases = [
            (Shape::Above, lowest),
            (Shape::Above, sorted[(1 + last / 128).min(last)]),
            (Shape::Around, sorted[last / 2]),
        ];
        let codes = bases
            .into_iter()
            .map(|(shape, base)| Self { shape, base, unit, remainder_bits: 0 }.with_best_remainder(residuals));
        codes.min_by_key(|(cost, _)| *cost).expect("there are three").1
    }

    /// The best lies near the middle number's length, which outliers do not move.
    fn with_best_remainder(self, residuals: &[i64]) -> (u64, Self) {
        let mut numbers: Vec<u64> = residuals.iter().map(|residual| self.number(*residual)).collect();
        let middle = numbers.len() / 2;
        let around = (*numbers.select_nth_unstable(middle).1).max(1).ilog2().min(REMAINDER_BITS_MAX);
        let remainders = around.saturating_sub(1)..=(around + 1).min(REMAINDER_BITS_MAX);
        let codes = remainders.map(|remainder_bits| Self { remainder_bits, ..self });
        codes.map(|code| (code.cost(&numbers), code)).min_by_key(|(cost, _)| *cost).expect("there is one at least")
    }

    /// In bits.
    fn cost(&self, numbers: &[u64]) -> u64 {
        let cost = |number: &u64| match number >> self.remainder_bits {
            quotient if quotient < u64::from(QUOTIENT_MAX) => quotient + 1 + u64::from(self.remainder_bits),
            _ => u64::from(QUOTIENT_MAX + WORD_BITS),
        };
        numbers.iter().map(cost).sum()
    }

    fn number(&self, residual: i64) -> u64 {
        let distance = residual.wrapping_sub(self.base);
        let steps = if self.unit == 1 { distance } else { distance.wrapping_div(self.unit) };
        if self.shape == Shape::Around { fold(steps) } else { steps.cast_unsigned() }
    }

    fn residual(&self, number: u64) -> i64 {
        let steps = if self.shape == Shape::Around { unfold(number) } else { number.cast_signed() };
        self.base.wrapping_add(steps.wrapping_mul(self.unit))
    }

    fn put(&self, residual: i64, bits: &mut BitWriter) {
        let number = self.number(residual);
        let quotient = number >> self.remainder_bits;
        if quotient >= u64::from(QUOTIENT_MAX) {
            bits.put(0, QUOTIENT_MAX);
            bits.put_word(number);
            return;
        }
        bits.put(1 << quotient, quotient as u32 + 1);
        bits.put(number & ((1 << self.remainder_bits) - 1), self.remainder_bits);
    }

    /// What stands behind the last code.
    fn take_all<'a>(&self, bytes: &'a [u8], count: usize, into: &mut Vec<i64>) -> Result<&'a [u8], ChunkError> {
        // A code takes a bit at least, so that damage cannot make us allocate more than eight numbers per byte.
        if count > bytes.len().saturating_mul(8) {
            return Err(ChunkError::Short);
        }
        into.reserve(count);
        let mut bits = BitReader::new(bytes);
        for _ in 0..count {
            into.push(self.residual(self.take(&mut bits)));
        }
        bits.rest()
    }

    fn take(&self, bits: &mut BitReader<'_>) -> u64 {
        let window = bits.peek();
        let quotient = window.trailing_zeros();
        if quotient >= QUOTIENT_MAX {
            bits.skip(QUOTIENT_MAX);
            return bits.take_word();
        }
        let mask = (1 << self.remainder_bits) - 1;
        if self.remainder_bits + quotient < REMAINDER_BITS_MAX {
            bits.skip(quotient + 1 + self.remainder_bits);
            return u64::from(quotient) << self.remainder_bits | window >> (quotient + 1) & mask;
        }
        bits.skip(quotient + 1);
        u64::from(quotient) << self.remainder_bits | bits.take(self.remainder_bits)
    }
}
