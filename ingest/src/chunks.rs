//! A long input in pieces that can be sent one by one: cut between rows, each knowing the line it begins at.
//!
//! JSON arrays are cut between their elements. The array's own brackets become blanks, so that each piece is a sequence
//! of objects that [`Format::Json`](crate::Format::Json) reads, and lines still count as in the input.

use std::io::{self, Read};

use crate::json::{ElementScanner, Place};
use crate::{Format, ROW_BYTES_MAX};

const BLOCK_BYTES: usize = 256 << 10;
/// A row that is longer than the server takes is sent to be refused by name; without any end it is no row.
const UNCUT_BYTES_MAX: usize = 16 * ROW_BYTES_MAX;

#[derive(Debug, PartialEq, Eq)]
pub struct Chunk {
    /// Counts from 1.
    pub first_line: u64,
    pub bytes: Vec<u8>,
}

#[derive(Debug, thiserror::Error)]
pub enum ChunkError {
    #[error(transparent)]
    Read(#[from] io::Error),
    #[error("no row ends within {UNCUT_BYTES_MAX} bytes after line {line}; is the format {format} right?")]
    Uncut { line: u64, format: Format },
    #[error("the JSON array that line 1 begins does not end; its rows were sent")]
    ArrayCut,
}

/// Iterates over the pieces; ends after the first error.
pub struct Chunks<R> {
    input: R,
    format: Format,
    bytes_wanted: usize,
    cutter: Cutter,
    pending: Vec<u8>,
    /// Where the last row that is complete in `pending` ends.
    cut: usize,
    line: u64,
    at_end: bool,
}

impl<R: Read> Chunks<R> {
    /// Pieces of about `bytes_wanted`. Without a format the first bytes decide.
    pub fn new(mut input: R, format: Option<Format>, bytes_wanted: usize) -> io::Result<Self> {
        let mut pending = Vec::new();
        input.by_ref().take(BLOCK_BYTES as u64).read_to_end(&mut pending)?;
        let format = format.unwrap_or_else(|| Format::sniff(&pending));
        let cutter = if format == Format::Json { Cutter::Elements(Elements::default()) } else { Cutter::Lines };
        let mut chunks = Self { input, format, bytes_wanted, cutter, pending, cut: 0, line: 1, at_end: false };
        chunks.look_at(0);
        Ok(chunks)
    }

    pub fn format(&self) -> Format {
        self.format
    }

    fn look_at(&mut self, from: usize) {
        let found = match &mut self.cutter {
            Cutter::Lines => self.pending[from..].iter().rposition(|byte| *byte == b'\n').map(|at| from + at + 1),
            Cutter::Elements(elements) => elements.last_cut(&mut self.pending, from),
        };
        self.cut = found.unwrap_or(self.cut);
    }

    fn next_chunk(&mut self) -> Result<Option<Chunk>, ChunkError> {
        while !self.at_end && self.cut < self.bytes_wanted {
            if self.pending.len() - self.cut > UNCUT_BYTES_MAX {
                return Err(ChunkError::Uncut { line: self.line, format: self.format });
            }
            let from = self.pending.len();
            self.input.by_ref().take(BLOCK_BYTES as u64).read_to_end(&mut self.pending)?;
            self.at_end = self.pending.len() == from;
            self.look_at(from);
        }
        if self.at_end {
            self.cut = self.pending.len();
        }
        if self.cut == 0 {
            return if self.cutter.is_complete() { Ok(None) } else { Err(ChunkError::ArrayCut) };
        }
        let rest = self.pending.split_off(self.cut);
        let bytes = std::mem::replace(&mut self.pending, rest);
        self.cut = 0;
        let first_line = self.line;
        self.line += bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
        Ok(Some(Chunk { first_line, bytes }))
    }
}

impl<R: Read> Iterator for Chunks<R> {
    type Item = Result<Chunk, ChunkError>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = self.next_chunk().transpose();
        if let Some(Err(_)) = next {
            self.at_end = true;
            self.pending.clear();
            self.cutter = Cutter::Lines;
        }
        next
    }
}

enum Cutter {
    Lines,
    Elements(Elements),
}

impl Cutter {
    fn is_complete(&self) -> bool {
        match self {
            Self::Lines => true,
            Self::Elements(elements) => elements.array != Array::Open,
        }
    }
}

#[derive(Default)]
struct Elements {
    scanner: ElementScanner,
    array: Array,
}

#[derive(Default, PartialEq, Eq)]
enum Array {
    /// Nothing but blanks so far.
    #[default]
    Unknown,
    Open,
    /// Ended, or there never was one.
    Closed,
}

impl Elements {
    /// The end of the last element that is complete, looking at the bytes from `from` on.
    fn last_cut(&mut self, bytes: &mut [u8], from: usize) -> Option<usize> {
        let mut cut = None;
        for (at, byte) in bytes.iter_mut().enumerate().skip(from) {
            if self.array == Array::Unknown && !byte.is_ascii_whitespace() {
                self.array = if *byte == b'[' { Array::Open } else { Array::Closed };
                if *byte == b'[' {
                    *byte = b' ';
                }
            }
            match self.scanner.next(*byte) {
                Place::Between => cut = Some(at + 1),
                Place::End if self.array == Array::Open => {
                    self.array = Array::Closed;
                    *byte = b' ';
                }
                Place::End | Place::Inside => {}
            }
        }
        cut
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::decode;

    fn chunks(text: &str, format: Option<Format>, bytes_wanted: usize) -> (Vec<Chunk>, Option<String>) {
        let mut error = None;
        let chunks = Chunks::new(text.as_bytes(), format, bytes_wanted).unwrap();
        let good = chunks.map_while(|chunk| chunk.map_err(|e| error = Some(e.to_string())).ok()).collect();
        (good, error)
    }

    #[test]
    fn lines_stay_whole_and_know_their_number() {
        let text: String = (1..=50_000).map(|line| format!("line {line}\r\n")).collect::<String>() + "last";
        let (chunks, error) = chunks(&text, None, 100_000);
        assert_eq!(error, None);
        assert!(chunks.len() > 1);
        assert_eq!(chunks.iter().flat_map(|chunk| chunk.bytes.clone()).collect::<Vec<u8>>(), text.as_bytes());
        for chunk in &chunks {
            assert!(chunk.bytes.starts_with(format!("line {}\r\n", chunk.first_line).as_bytes()));
        }
    }

    #[test]
    fn array_elements_stay_whole_and_know_their_line() {
        let elements: Vec<String> = (0..30_000).map(|i| format!("{{\"i\":{i},\n\"s\":\"],\\\"[\"}}")).collect();
        let text = format!("[{}]\n", elements.join(",\n"));
        let (chunks, error) = chunks(&text, None, 100_000);
        assert_eq!(error, None);
        assert!(chunks.len() > 1);
        let mut rows = 0;
        for chunk in &chunks {
            // Two lines an element, and a cut may come before the break after the comma.
            let expected = rows * 2 + u64::from(!chunk.bytes.starts_with(b"\n"));
            assert_eq!(chunk.first_line, expected.max(1));
            let decoded = decode(Format::Json, &chunk.bytes);
            assert_eq!(decoded.rejections.total(), 0, "{:?}", decoded.rejections);
            rows += decoded.accepted;
        }
        assert_eq!(rows, 30_000);
    }

    #[test]
    fn what_cannot_be_cut_is_said() {
        let (good, error) = chunks("[{\"a\":1},{\"a\":2}", None, 10);
        assert_eq!(good.len(), 1);
        assert!(error.unwrap().contains("does not end"));
        let (good, error) = chunks(&"x".repeat(UNCUT_BYTES_MAX + 2 * BLOCK_BYTES), Some(Format::Line), 10);
        assert!(good.is_empty());
        assert!(error.unwrap().contains("is the format line right?"));
        assert_eq!(chunks("", None, 10), (Vec::new(), None));
    }
}
