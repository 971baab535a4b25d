//! Bodies out of their wrapping. The limit is on what comes out: a small body may unfold to anything.

use std::io::{self, BufRead, Read};

use bytes::Bytes;

use crate::IngestError;

const GZIP_MAGIC: &[u8] = &[0x1f, 0x8b];
const ZSTD_MAGIC: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];

/// `encoding` is the Content-Encoding header. Without one a gzip or zstd body is known by its first bytes, which no
/// text begins with: `curl --data-binary @log.gz` does what its user expects.
pub fn decompress(body: Bytes, encoding: Option<&str>, limit: usize) -> Result<Bytes, IngestError> {
    let named = encoding.unwrap_or("").trim().to_ascii_lowercase();
    let body = match named.as_str() {
        "gzip" | "x-gzip" => gunzip(&body, limit)?,
        "zstd" => unzstd(&body, limit)?,
        "deflate" => read_limited("deflate", flate2::read::ZlibDecoder::new(&*body), limit)?,
        "" | "identity" if body.starts_with(GZIP_MAGIC) => gunzip(&body, limit)?,
        "" | "identity" if body.starts_with(ZSTD_MAGIC) => unzstd(&body, limit)?,
        "" | "identity" => body,
        _ => return Err(IngestError::UnknownEncoding { encoding: named, known: "gzip, zstd, deflate and identity" }),
    };
    if body.len() > limit { Err(IngestError::TooLarge { limit }) } else { Ok(body) }
}

/// A file as plain text, whether gzip, zstd or neither by its first bytes. Nothing is bounded: the reader goes on.
pub fn decompressed(mut input: impl BufRead + Send + 'static) -> io::Result<Box<dyn Read + Send>> {
    let head = input.fill_buf()?;
    if head.starts_with(GZIP_MAGIC) {
        Ok(Box::new(flate2::bufread::MultiGzDecoder::new(input)))
    } else if head.starts_with(ZSTD_MAGIC) {
        Ok(Box::new(zstd::stream::read::Decoder::with_buffer(input)?))
    } else {
        Ok(Box::new(input))
    }
}

/// Snappy's block format, which says its length in front: nothing is allocated for a lie.
pub(crate) fn decompress_snappy(body: &[u8], limit: usize) -> Result<Vec<u8>, IngestError> {
    let corrupt = |error: snap::Error| IngestError::Corrupt { encoding: "snappy (block format)", source: error.into() };
    if snap::raw::decompress_len(body).map_err(corrupt)? > limit {
        return Err(IngestError::TooLarge { limit });
    }
    snap::raw::Decoder::new().decompress_vec(body).map_err(corrupt)
}

fn gunzip(body: &[u8], limit: usize) -> Result<Bytes, IngestError> {
    read_limited("gzip", flate2::read::MultiGzDecoder::new(body), limit)
}

fn unzstd(body: &[u8], limit: usize) -> Result<Bytes, IngestError> {
    let corrupt = |source| IngestError::Corrupt { encoding: "zstd", source };
    read_limited("zstd", zstd::stream::read::Decoder::with_buffer(body).map_err(corrupt)?, limit)
}

/// Reads one byte beyond the limit, to tell "exactly" from "more".
fn read_limited(encoding: &'static str, reader: impl Read, limit: usize) -> Result<Bytes, IngestError> {
    let mut plain = Vec::new();
    let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    reader.take(most).read_to_end(&mut plain).map_err(|source| IngestError::Corrupt { encoding, source })?;
    Ok(plain.into())
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    const TEXT: &[u8] = b"{\"a\":1}\n{\"a\":2}\n";

    fn gzip(plain: &[u8]) -> Bytes {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(plain).unwrap();
        encoder.finish().unwrap().into()
    }

    fn zstd(plain: &[u8]) -> Bytes {
        zstd::encode_all(plain, 0).unwrap().into()
    }

    #[test]
    fn known_encodings_and_bare_magic() {
        let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
        zlib.write_all(TEXT).unwrap();
        let members = [gzip(&TEXT[..8]), gzip(&TEXT[8..])].concat();
        for (body, encoding) in [
            (Bytes::from_static(TEXT), None),
            (Bytes::from_static(TEXT), Some("identity")),
            (gzip(TEXT), Some("gzip")),
            (gzip(TEXT), Some(" GZIP ")),
            (gzip(TEXT), None),
            (Bytes::from(members), Some("x-gzip")),
            (zstd(TEXT), Some("zstd")),
            (zstd(TEXT), None),
            (zlib.finish().unwrap().into(), Some("deflate")),
        ] {
            if encoding.is_none() {
                let mut plain = Vec::new();
                decompressed(io::Cursor::new(body.clone())).unwrap().read_to_end(&mut plain).unwrap();
                assert_eq!(plain, TEXT);
            }
            assert_eq!(decompress(body, encoding, TEXT.len()).unwrap(), TEXT, "{encoding:?}");
        }
        let block = snap::raw::Encoder::new().compress_vec(TEXT).unwrap();
        assert_eq!(decompress_snappy(&block, TEXT.len()).unwrap(), TEXT);
    }

    #[test]
    fn the_limit_is_on_what_comes_out() {
        let zeros = vec![0; 1 << 20];
        for (body, encoding) in [(gzip(&zeros), "gzip"), (zstd(&zeros), "zstd"), (Bytes::from(zeros.clone()), "")] {
            let error = decompress(body, Some(encoding), (1 << 20) - 1).unwrap_err().to_string();
            assert!(error.contains("1048575") && error.contains("ingest.body_bytes_max"), "{encoding}: {error}");
        }
        let block = snap::raw::Encoder::new().compress_vec(&zeros).unwrap();
        assert!(matches!(decompress_snappy(&block, 1000), Err(IngestError::TooLarge { limit: 1000 })));
    }

    #[test]
    fn damage_is_named() {
        let cut = |body: Bytes| body.slice(..body.len() - 5);
        for (body, encoding, expected) in [
            (cut(gzip(TEXT)), "gzip", "not valid gzip"),
            (cut(zstd(TEXT)), "zstd", "not valid zstd"),
            (Bytes::from_static(TEXT), "gzip", "not valid gzip"),
            (Bytes::from_static(TEXT), "br", "known are gzip, zstd"),
        ] {
            let error = decompress(body, Some(encoding), 1 << 20).unwrap_err().to_string();
            assert!(error.contains(expected), "{encoding}: {error}");
        }
        assert!(decompress_snappy(b"\xff\xff\xff\xff\xff\xff", 1 << 20).is_err());
    }
}
