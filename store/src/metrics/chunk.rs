//! The codec of samples: columns of one series, ascending in time, exact to the last bit. See `docs/format/segment.md`.

mod bits;
mod integers;
#[cfg(test)]
mod tests;
mod values;

use crate::ChunkError;

pub(super) fn encode_integers(integers: &[i64]) -> Vec<u8> {
    let mut bytes = Vec::new();
    integers::encode(integers, &mut bytes);
    bytes
}

pub(super) fn encode_values(values: &[f64]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(values.len() * 3 / 2 + 16);
    values::encode(values, &mut bytes);
    bytes
}

/// Decodes chunk after chunk into the same memory.
#[derive(Debug, Default)]
pub(super) struct ChunkDecoder {
    /// What `times` was decoded from: series that are scraped together have the same.
    encoded_times: Vec<u8>,
    times: Vec<i64>,
    values: Vec<f64>,
    integers: Vec<i64>,
}

impl ChunkDecoder {
    /// Times and values, `count` of each.
    pub(super) fn decode(&mut self, times: &[u8], values: &[u8], count: usize) -> Result<(&[i64], &[f64]), ChunkError> {
        if self.times.len() != count || self.encoded_times != times {
            self.times.clear();
            decode_integers(times, count, &mut self.times)?;
            self.encoded_times.clear();
            self.encoded_times.extend_from_slice(times);
        }
        self.values.clear();
        let mut rest = values;
        values::decode(&mut rest, count, &mut self.integers, &mut self.values)?;
        nothing_left(rest)?;
        Ok((&self.times, &self.values))
    }
}

pub(super) fn decode_integers(bytes: &[u8], count: usize, into: &mut Vec<i64>) -> Result<(), ChunkError> {
    let mut rest = bytes;
    integers::decode(&mut rest, count, into)?;
    nothing_left(rest)
}

fn nothing_left(rest: &[u8]) -> Result<(), ChunkError> {
    if rest.is_empty() { Ok(()) } else { Err(ChunkError::Long) }
}
