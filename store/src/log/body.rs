//! The body of a log entry: an Arrow IPC stream of one batch, compressed.

use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::StreamWriter;
use arrow::record_batch::RecordBatch;
use bytes::Bytes;

use crate::StoreError;
use crate::limits::LOG_BODY_BYTES_MAX;

/// How a body is compressed; the number is on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BodyCodec {
    /// One zstd frame: what format 1 has.
    Zstd,
    /// The length of what is inside as u32, then one LZ4 block. A third of the time that zstd takes at its fastest, on the way to the ACK.
    Lz4,
}

impl BodyCodec {
    pub(super) fn number(self) -> u32 {
        match self {
            Self::Zstd => 0,
            Self::Lz4 => 1,
        }
    }

    pub(super) fn of_number(number: u32) -> Option<Self> {
        [Self::Zstd, Self::Lz4].into_iter().find(|codec| codec.number() == number)
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Body {
    pub(crate) codec: BodyCodec,
    pub(crate) bytes: Bytes,
}

impl Body {
    pub(crate) fn encode(batch: &RecordBatch) -> Result<Self, StoreError> {
        let mut ipc = Vec::with_capacity(batch.get_array_memory_size() + batch.num_columns() * 256);
        let mut writer = StreamWriter::try_new(&mut ipc, &batch.schema())?;
        writer.write(batch)?;
        writer.finish()?;
        drop(writer);
        Ok(Self { codec: BodyCodec::Lz4, bytes: lz4_flex::block::compress_prepend_size(&ipc).into() })
    }

    /// The inverse; an error means bytes that passed their checksum and still are no batch.
    pub(crate) fn decode(&self) -> Result<RecordBatch, StoreError> {
        let decompress = match self.codec {
            BodyCodec::Zstd => zstd::stream::decode_all(self.bytes.as_ref()),
            BodyCodec::Lz4 => decompress_lz4(&self.bytes),
        };
        let ipc = decompress.map_err(StoreError::io("decompress rows of", "the log"))?;
        let mut reader = StreamReader::try_new(ipc.as_slice(), None)?;
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
    fn bodies_of_both_codecs_read_back() {
        let lz4 = Body::encode(&batch()).unwrap();
        assert_eq!(lz4.decode().unwrap(), batch());
        let ipc = decompress_lz4(&lz4.bytes).unwrap();
        let zstd = Body { codec: BodyCodec::Zstd, bytes: zstd::bulk::compress(&ipc, 1).unwrap().into() };
        assert_eq!(zstd.decode().unwrap(), batch());
    }

    #[test]
    fn a_body_that_claims_too_much_is_refused() {
        let mut bytes = u32::MAX.to_le_bytes().to_vec();
        bytes.extend([0; 16]);
        let refused = Body { codec: BodyCodec::Lz4, bytes: bytes.into() }.decode().unwrap_err().to_string();
        assert!(refused.contains("4294967295 bytes"), "{refused}");
    }
}
