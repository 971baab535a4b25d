//! Secrets at rest: AES-256-GCM under a key file of the data folder.
//!
//! A sealed secret is the hexadecimal text of nonce (12 random bytes), ciphertext and tag (16 bytes); the id of its access
//! key is authenticated with it, so that a secret cannot be moved to another key. The random nonce is safe for 2^32
//! sealings under one key file (NIST SP 800-38D, 8.3), and the catalog holds a few thousand keys.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use aes_gcm::aead::{Aead, Payload};
use aes_gcm::{Aes256Gcm, KeyInit, Nonce};

use super::{hex, random, unhex};
use crate::StoreError;
use crate::disk::Disk;
use crate::keys::{KeyId, Secret};

const FILE_BYTES: usize = 32;
const NONCE_BYTES: usize = 12;
/// Owner alone.
const MODE: u32 = 0o600;

pub(crate) struct Sealer {
    cipher: Aes256Gcm,
}

impl Sealer {
    /// Of a folder that holds sealed secrets: the file must be there, whole, and nobody else's to read.
    pub(crate) fn open(path: &Path) -> Result<Self, StoreError> {
        let mut file = File::open(path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => wrong(path, "it is missing, and without it the access keys cannot be read; put it back from a backup, or delete the rows of access_keys in catalog.db and make new keys".to_owned()),
            _ => StoreError::io("open", path)(error),
        })?;
        let mode = file.metadata().map_err(StoreError::io("look at", path))?.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(wrong(path, format!("its mode is {mode:03o}, so others could read it; set it to 600")));
        }
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(StoreError::io("read", path))?;
        let Ok(bytes) = <[u8; FILE_BYTES]>::try_from(bytes.as_slice()) else {
            return Err(wrong(path, format!("it has {} bytes, not {FILE_BYTES}", bytes.len())));
        };
        Ok(Self { cipher: Aes256Gcm::new(&bytes.into()) })
    }

    /// Of a folder without sealed secrets. A file that is not whole is what a crash left while the first key was made:
    /// nothing was ever sealed with it.
    pub(crate) fn open_or_create(path: &Path) -> Result<Self, StoreError> {
        match std::fs::metadata(path) {
            Ok(found) if found.len() == FILE_BYTES as u64 => return Self::open(path),
            Ok(_) => std::fs::remove_file(path).map_err(StoreError::io("remove the broken", path))?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(StoreError::io("look at", path)(error)),
        }
        let mut bytes = [0; FILE_BYTES];
        random(&mut bytes)?;
        create(path, &bytes).map_err(StoreError::io("create", path))?;
        Ok(Self { cipher: Aes256Gcm::new(&bytes.into()) })
    }

    pub(crate) fn seal(&self, id: &KeyId, secret: &Secret) -> Result<String, StoreError> {
        let mut nonce = [0; NONCE_BYTES];
        random(&mut nonce)?;
        let sealed = self
            .cipher
            .encrypt(
                Nonce::from_slice(&nonce),
                Payload { msg: secret.reveal().as_bytes(), aad: id.as_str().as_bytes() },
            )
            .expect("a secret is far shorter than the cipher's 64 GiB");
        Ok(hex(&nonce) + &hex(&sealed))
    }

    pub(crate) fn unseal(&self, id: &KeyId, sealed: &str) -> Result<Secret, StoreError> {
        let broken = || StoreError::SealBroken { id: id.to_string() };
        let bytes = unhex(sealed).filter(|bytes| bytes.len() > NONCE_BYTES).ok_or_else(broken)?;
        let (nonce, sealed) = bytes.split_at(NONCE_BYTES);
        let payload = Payload { msg: sealed, aad: id.as_str().as_bytes() };
        let secret = self.cipher.decrypt(Nonce::from_slice(nonce), payload).map_err(|_no_reason_is_given| broken())?;
        let secret = String::from_utf8(secret).map_err(|_not_text| broken())?;
        Secret::parse(&secret)
    }
}

fn wrong(path: &Path, why: String) -> StoreError {
    StoreError::KeyFile { path: path.to_owned(), why }
}

/// On disk with its name before anything is sealed with it.
fn create(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(MODE).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    path.parent().map_or(Ok(()), |folder| Disk::default().sync_folder(folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> KeyId {
        KeyId::parse(text).unwrap()
    }

    #[test]
    fn a_secret_comes_back_to_its_own_key_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.key");
        let secret = Secret::parse("a-very-secret-secret").unwrap();
        let sealer = Sealer::open_or_create(&path).unwrap();
        let sealed = sealer.seal(&id("a"), &secret).unwrap();
        assert_ne!(sealed, sealer.seal(&id("a"), &secret).unwrap(), "each sealing has a nonce of its own");
        assert!(!sealed.contains(&hex(b"a-very")), "{sealed}");
        let reopened = Sealer::open(&path).unwrap();
        assert_eq!(reopened.unseal(&id("a"), &sealed).unwrap(), secret);
        let flipped = format!("{}{}", &sealed[..sealed.len() - 1], if sealed.ends_with('0') { '1' } else { '0' });
        for (of, text) in [("b", sealed.as_str()), ("a", &flipped), ("a", &sealed[..20]), ("a", "zz"), ("a", "")] {
            let error = reopened.unseal(&id(of), text).unwrap_err().to_string();
            assert!(error.contains(&format!("access key {of:?}")), "{error}");
        }
    }

    #[test]
    fn the_file_is_the_owners_and_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.key");
        assert!(Sealer::open(&path).err().unwrap().to_string().contains("it is missing"));
        let sealed = Sealer::open_or_create(&path).unwrap().seal(&id("a"), &Secret::parse("s").unwrap()).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, MODE);
        assert!(Sealer::open_or_create(&path).unwrap().unseal(&id("a"), &sealed).is_ok(), "a whole file is kept");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        assert!(Sealer::open(&path).err().unwrap().to_string().contains("its mode is 640"));
    }

    #[test]
    fn what_a_crash_left_is_made_anew_only_while_nothing_is_sealed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.key");
        create(&path, &[7; 5]).unwrap();
        assert!(Sealer::open(&path).err().unwrap().to_string().contains("it has 5 bytes, not 32"));
        Sealer::open_or_create(&path).unwrap();
        Sealer::open(&path).unwrap();
    }
}
