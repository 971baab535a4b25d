//! Compression as the SLS API names it, on bodies in both directions.
//!
//! What a body unfolds to is bounded before anything is allocated: by the size that the request declares, which must
//! then be the real one, else by the limit. `lz4` is one raw block without a frame or a size of its own, so that only
//! the declared size says how much room it needs.

use std::io::{self, Read};

use bytes::Bytes;

use crate::IngestError;
use crate::limits::LOGGROUP_RAW_BYTES_MAX;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Codec {
    None,
    /// A raw block.
    Lz4,
    /// A frame.
    Zstd,
    /// Deflate inside of zlib, as HTTP means it too.
    Deflate,
    Gzip,
}

/// Consumers wait for it: of zstd's levels the one that is about as fast as lz4.
const ZSTD_LEVEL: i32 = 1;

impl Codec {
    pub const ALL: [Self; 5] = [Self::None, Self::Lz4, Self::Zstd, Self::Deflate, Self::Gzip];

    /// `x-log-compresstype`; no header and an empty one are no compression.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|codec| codec.name().eq_ignore_ascii_case(name.trim()))
    }

    /// As the header has it; empty for none.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Lz4 => "lz4",
            Self::Zstd => "zstd",
            Self::Deflate => "deflate",
            Self::Gzip => "gzip",
        }
    }

    /// `raw_size` is what the request declares (`x-log-bodyrawsize`). Without compression it is not looked at: clients
    /// send 0 there beside a body.
    pub fn decompress(self, body: &Bytes, raw_size: Option<usize>, limit: usize) -> Result<Bytes, IngestError> {
        let declared = if self == Self::None { body.len() } else { raw_size.unwrap_or(0) };
        if declared > limit {
            return Err(IngestError::RawTooLarge { bytes: declared, limit });
        }
        let most = raw_size.unwrap_or(limit);
        let raw = match self {
            Self::None => return Ok(body.clone()),
            Self::Lz4 => unlz4(body, raw_size.ok_or(IngestError::NoRawSize)?)?,
            Self::Zstd => self.read(zstd_reader(body), most)?,
            Self::Deflate => self.read(Ok(flate2::bufread::ZlibDecoder::new(&body[..])), most)?,
            Self::Gzip => self.read(Ok(flate2::bufread::MultiGzDecoder::new(&body[..])), most)?,
        };
        match raw_size {
            Some(declared) if raw.len() != declared => Err(IngestError::RawSize { declared, actual: raw.len() }),
            None if raw.len() > limit => Err(IngestError::RawTooLarge { bytes: raw.len(), limit }),
            _ => Ok(raw.into()),
        }
    }

    pub fn compress(self, raw: &[u8]) -> Vec<u8> {
        match self {
            Self::None => raw.to_vec(),
            Self::Lz4 => lz4_flex::block::compress(raw),
            Self::Zstd => zstd::bulk::compress(raw, ZSTD_LEVEL).expect("the level is one that zstd has"),
            Self::Deflate => drain(flate2::bufread::ZlibEncoder::new(raw, flate2::Compression::fast())),
            Self::Gzip => drain(flate2::bufread::GzEncoder::new(raw, flate2::Compression::fast())),
        }
    }

    /// Reads one byte beyond `most`, to tell "exactly" from "more"; the caller compares.
    fn read(self, reader: io::Result<impl Read>, most: usize) -> Result<Vec<u8>, IngestError> {
        let corrupt = |source| IngestError::Corrupt { encoding: self.name(), source };
        let mut raw = Vec::new();
        reader.map_err(corrupt)?.take(most as u64 + 1).read_to_end(&mut raw).map_err(corrupt)?;
        Ok(raw)
    }
}

/// The window is memory that a frame's head asks for. Nobody needs one beyond the largest body.
fn zstd_reader(frame: &[u8]) -> io::Result<impl Read> {
    let mut decoder = zstd::stream::read::Decoder::with_buffer(frame)?;
    decoder.window_log_max(LOGGROUP_RAW_BYTES_MAX.next_power_of_two().ilog2())?;
    Ok(decoder)
}

/// The caller has checked `raw_size` against its limit; it is what is allocated.
fn unlz4(block: &[u8], raw_size: usize) -> Result<Vec<u8>, IngestError> {
    use lz4_flex::block::DecompressError::OutputTooSmall;
    lz4_flex::block::decompress(block, raw_size).map_err(|error| match error {
        OutputTooSmall { expected, .. } => IngestError::RawSize { declared: raw_size, actual: expected },
        damage => IngestError::Corrupt { encoding: "lz4", source: io::Error::new(io::ErrorKind::InvalidData, damage) },
    })
}

fn drain(mut encoder: impl Read) -> Vec<u8> {
    let mut compressed = Vec::new();
    encoder.read_to_end(&mut compressed).expect("reading from memory does not fail");
    compressed
}

#[cfg(test)]
mod tests;
