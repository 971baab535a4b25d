//! The body of a log entry: an Arrow IPC stream of one batch, as it is or compressed.

use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::StreamWriter;
use arrow::record_batch::RecordBatch;
use bytes::Bytes;

use crate::StoreError;
use crate::limits::{LOG_BODY_BYTES_MAX, LOG_COMPRESS_BACKLOG_BYTES, LOG_COMPRESS_BYTES_MAX};

/// How a body is compressed; the number is on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BodyCodec {
    /// One zstd frame: what format 1 has.
    Zstd,
    /// The length of what is inside as u32, then one LZ4 block.
    Lz4,
    /// The stream itself.
    Plain,
}

impl BodyCodec {
    pub(super) fn number(self) -> u32 {
        match self {
            Self::Zstd => 0,
            Self::Lz4 => 1,
            Self::Plain => 2,
        }
    }

    pub(super) fn of_number(number: u32) -> Option<Self> {
        [Self::Zstd, Self::Lz4, Self::Plain].into_iter().find(|codec| codec.number() == number)
    }

    /// Of a large batch, compression costs more than all the rest of an append (measured: LZ4 three times as much, zstd at its fastest four times), and
    /// saves half of what is written. So it is done where it is cheap, and where the disk does not keep up with the writers.
    pub(super) fn choose(batch_bytes: usize, waiting_bytes: usize) -> Self {
        let is_worth_it = batch_bytes <= LOG_COMPRESS_BYTES_MAX || waiting_bytes >= LOG_COMPRESS_BACKLOG_BYTES;
        if is_worth_it { Self::Lz4 } else { Self::Plain }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Body {
    pub(crate) codec: BodyCodec,
    pub(crate) bytes: Bytes,
}

impl Body {
    pub(crate) fn encode(batch: &RecordBatch, codec: BodyCodec) -> Result<Self, StoreError> {
        let mut ipc = Vec::with_capacity(batch.get_array_memory_size() + batch.num_columns() * 256);
        let mut writer = StreamWriter::try_new(&mut ipc, &batch.schema())?;
        writer.write(batch)?;
        writer.finish()?;
        drop(writer);
        let bytes = match codec {
            BodyCodec::Zstd => zstd::bulk::compress(&ipc, 1).map_err(StoreError::io("compress rows for", "the log"))?,
            BodyCodec::Lz4 => lz4_flex::block::compress_prepend_size(&ipc),
            BodyCodec::Plain => ipc,
        };
        Ok(Self { codec, bytes: bytes.into() })
    }

    /// The inverse; an error means bytes that passed their checksum and still are no batch.
    pub(crate) fn decode(&self) -> Result<RecordBatch, StoreError> {
        let decompressed = match self.codec {
            BodyCodec::Zstd => zstd::stream::decode_all(self.bytes.as_ref()).map(Bytes::from),
            BodyCodec::Lz4 => decompress_lz4(&self.bytes).map(Bytes::from),
            BodyCodec::Plain => Ok(self.bytes.clone()),
        };
        let ipc = decompressed.map_err(StoreError::io("decompress rows of", "the log"))?;
        let mut reader = StreamReader::try_new(ipc.as_ref(), None)?;
        match reader.next() {
            Some(batch) => Ok(batch?),
            None => Err(arrow::error::ArrowError::IpcError("a log entry without a batch".to_owned()).into()),
        }
    }
}

fn decompress_lz4(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let (size, block) = lz4_flex::block::uncompressed_size(bytes).map_err(std::io::Error::other)?;
    if size > LOG_BODY_BYTES_MAX {
        return Err(std::io::Error::other(format!("a body of {size} bytes, more than {LOG_BODY_BYTES_MAX}")));
    }
    lz4_flex::block::decompress(block, size).map_err(std::io::Error::other)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::Int64Array;

    use super::*;

    fn batch() -> RecordBatch {
        let numbers: arrow::array::ArrayRef = Arc::new(Int64Array::from_iter_values(0..1000));
        RecordBatch::try_from_iter([("n", numbers)]).unwrap()
    }

    #[test]
    fn bodies_of_every_codec_read_back() {
        for codec in [BodyCodec::Zstd, BodyCodec::Lz4, BodyCodec::Plain] {
            let body = Body::encode(&batch(), codec).unwrap();
            assert_eq!((body.codec, body.decode().unwrap()), (codec, batch()));
            assert_eq!(BodyCodec::of_number(codec.number()), Some(codec));
        }
        assert_eq!(BodyCodec::of_number(3), None);
    }

    #[test]
    fn large_bodies_are_compressed_when_the_disk_does_not_keep_up() {
        let (small, large) = (LOG_COMPRESS_BYTES_MAX, LOG_COMPRESS_BYTES_MAX + 1);
        assert_eq!(BodyCodec::choose(small, 0), BodyCodec::Lz4);
        assert_eq!(BodyCodec::choose(large, LOG_COMPRESS_BACKLOG_BYTES - 1), BodyCodec::Plain);
        assert_eq!(BodyCodec::choose(large, LOG_COMPRESS_BACKLOG_BYTES), BodyCodec::Lz4);
    }

    #[test]
    fn a_body_that_claims_too_much_is_refused() {
        let mut bytes = u32::MAX.to_le_bytes().to_vec();
        bytes.extend([0; 16]);
        let refused = Body { codec: BodyCodec::Lz4, bytes: bytes.into() }.decode().unwrap_err().to_string();
        assert!(refused.contains("4294967295 bytes"), "{refused}");
    }
}
