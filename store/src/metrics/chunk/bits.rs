//! Bits in bytes, the lowest bit first.

use crate::ChunkError;

#[derive(Debug, Default)]
pub(super) struct BitWriter {
    bytes: Vec<u8>,
    pending: u64,
    pending_bits: u32,
}

impl BitWriter {
    /// The low `count` bits of `value`, which has no others; at most 56.
    pub(super) fn put(&mut self, value: u64, count: u32) {
        self.pending |= value << self.pending_bits;
        self.pending_bits += count;
        while self.pending_bits >= 8 {
            self.bytes.push(self.pending as u8);
            self.pending >>= 8;
            self.pending_bits -= 8;
        }
    }

    pub(super) fn put_word(&mut self, value: u64) {
        self.put(value & u64::from(u32::MAX), 32);
        self.put(value >> 32, 32);
    }

    /// The last byte is filled with zeros.
    pub(super) fn finish(mut self) -> Vec<u8> {
        if self.pending_bits > 0 {
            self.bytes.push(self.pending as u8);
        }
        self.bytes
    }
}

pub(super) struct BitReader<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl<'a> BitReader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, position: 0 }
    }

    /// The next 57 bits at least; zeros stand behind the end.
    pub(super) fn peek(&self) -> u64 {
        let start = self.position / 8;
        let word = match self.bytes.get(start..start + 8) {
            Some(whole) => u64::from_le_bytes(whole.try_into().expect("eight bytes")),
            None => self.peek_end(start),
        };
        word >> (self.position % 8)
    }

    fn peek_end(&self, start: usize) -> u64 {
        let mut word = [0; 8];
        if let Some(rest) = self.bytes.get(start..) {
            word[..rest.len()].copy_from_slice(rest);
        }
        u64::from_le_bytes(word)
    }

    pub(super) fn skip(&mut self, bits: u32) {
        self.position += bits as usize;
    }

    /// At most 56 bits.
    pub(super) fn take(&mut self, count: u32) -> u64 {
        let bits = self.peek() & ((1 << count) - 1);
        self.skip(count);
        bits
    }

    pub(super) fn take_word(&mut self) -> u64 {
        let low = self.take(32);
        low | self.take(32) << 32
    }

    /// What stands behind the byte in which the last bit was.
    pub(super) fn rest(self) -> Result<&'a [u8], ChunkError> {
        self.bytes.get(self.position.div_ceil(8)..).ok_or(ChunkError::Short)
    }
}

pub(super) fn put_varint(mut value: u64, into: &mut Vec<u8>) {
    while value > 0x7f {
        into.push(value as u8 | 0x80);
        value >>= 7;
    }
    into.push(value as u8);
}

pub(super) fn take_varint(bytes: &mut &[u8]) -> Result<u64, ChunkError> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first().ok_or(ChunkError::Short)?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(ChunkError::Varint)
}

/// Small numbers of either sign become small numbers: 0, -1, 1, -2, …
pub(super) fn fold(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)).cast_unsigned()
}

pub(super) fn unfold(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -(value & 1).cast_signed()
}
