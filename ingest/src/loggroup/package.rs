//! Several LogGroups in one request, as agents send them under `x-log-mode: batch_group`.
//!
//! ```text
//! SlsLogPackage { bytes data = 1; int32 uncompress_size = 2 }   SlsLogPackageList { repeated SlsLogPackage packages = 1 }
//! ```
//! Each package is compressed for itself; the bound is on what all of them unfold to.

use bytes::Bytes;

use super::LogGroupError;
use super::wire::{Reader, Value};
use crate::limits::PACKAGES_MAX;
use crate::{Codec, IngestError};

const PACKAGE: u32 = 1;
const DATA: u32 = 1;
const RAW_SIZE: u32 = 2;

/// The groups, decompressed.
pub(crate) fn unpack(body: &Bytes, codec: Codec, limit: usize) -> Result<Vec<Bytes>, IngestError> {
    let mut groups = Vec::new();
    let mut room = limit;
    let mut list = Reader::new(body);
    while let Some(field) = list.field()? {
        let (PACKAGE, Value::Bytes(package)) = field else { continue };
        if groups.len() == PACKAGES_MAX {
            return Err(LogGroupError::TooMany { what: "packages", limit: PACKAGES_MAX }.into());
        }
        let (data, raw_size) = read_package(package)?;
        let group = codec.decompress(&body.slice_ref(data), raw_size, room).map_err(|error| match error {
            IngestError::RawTooLarge { bytes, .. } => IngestError::RawTooLarge { bytes: limit - room + bytes, limit },
            other => other,
        })?;
        room = room.saturating_sub(group.len());
        groups.push(group);
    }
    Ok(groups)
}

fn read_package(mut package: Reader<'_>) -> Result<(&[u8], Option<usize>), IngestError> {
    let (mut data, mut raw_size) = (&[][..], None);
    while let Some(field) = package.field()? {
        match field {
            (DATA, Value::Bytes(bytes)) => data = bytes.bytes(),
            // A negative size is one that no body has; as it stands it is refused for being too large.
            (RAW_SIZE, Value::Varint(size)) => raw_size = Some(usize::try_from(size).unwrap_or(usize::MAX)),
            _ => {}
        }
    }
    Ok((data, raw_size))
}
