//! Access keys, in memory for whoever asks per request, in the catalog with their secrets sealed.

mod access_key;
mod sealer;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, RwLock};

pub use access_key::{AccessKey, Grant, KeyId, KeyPair, Right, Scope, Secret};
use sealer::Sealer;

use crate::catalog::{Catalog, KeyRow};
use crate::limits::{GRANTS_MAX, KEYS_MAX};
use crate::{ProjectName, Storage, StoreError};

/// What to change of a key; None leaves it.
#[derive(Debug, Clone, Default)]
pub struct KeyChange {
    pub grants: Option<Vec<Grant>>,
    pub is_disabled: Option<bool>,
}

pub(crate) struct KeyRing {
    file: PathBuf,
    /// All keys, as in the catalog; held for the length of one look.
    keys: RwLock<HashMap<String, Arc<AccessKey>>>,
    /// Held while a key is made, changed or deleted, so that catalog and memory change together; the sealer is there
    /// from the first sealed secret on.
    sealer: tokio::sync::Mutex<Option<Sealer>>,
}

impl KeyRing {
    pub(crate) async fn load(file: PathBuf, catalog: &Catalog) -> Result<Self, StoreError> {
        let rows = catalog.keys().await?;
        let sealer = if rows.is_empty() { None } else { Some(Sealer::open(&file)?) };
        let mut keys = HashMap::new();
        for row in rows {
            let sealer = sealer.as_ref().expect("there is one when there are rows");
            let secret = sealer.unseal(&row.id, &row.sealed_secret)?;
            let KeyRow { id, grants, created, is_disabled, .. } = row;
            keys.insert(id.to_string(), Arc::new(AccessKey { id, secret, grants, created, is_disabled }));
        }
        Ok(Self { file, keys: RwLock::new(keys), sealer: tokio::sync::Mutex::new(sealer) })
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, HashMap<String, Arc<AccessKey>>> {
        self.keys.read().expect("no holder of this lock panics")
    }

    /// Into the catalog, then into memory: a key that works is one that is kept.
    async fn keep(
        &self,
        catalog: &Catalog,
        sealer: &mut Option<Sealer>,
        key: AccessKey,
    ) -> Result<Arc<AccessKey>, StoreError> {
        if key.grants.len() > GRANTS_MAX {
            let (given, limit) = (key.grants.len().to_string(), "a key has at most 256");
            return Err(StoreError::OutOfRange { what: "number of grants", given, limit });
        }
        let sealer = match sealer {
            Some(sealer) => sealer,
            none => none.insert(Sealer::open_or_create(&self.file)?),
        };
        let row = KeyRow {
            id: key.id.clone(),
            sealed_secret: sealer.seal(&key.id, &key.secret)?,
            grants: key.grants.clone(),
            created: key.created,
            is_disabled: key.is_disabled,
        };
        catalog.put_key(&row).await?;
        let key = Arc::new(key);
        self.keys.write().expect("no holder of this lock panics").insert(key.id.to_string(), key.clone());
        Ok(key)
    }

    fn expect(&self, id: &KeyId) -> Result<Arc<AccessKey>, StoreError> {
        self.read().get(id.as_str()).cloned().ok_or_else(|| StoreError::UnknownKey { id: id.to_string() })
    }

    /// Somebody has to be able to make the next key.
    fn keeps_an_administrator_without(&self, id: &KeyId) -> Result<(), StoreError> {
        let keys = self.read();
        let is_left = keys.values().any(|key| key.id != *id && key.administers_all());
        if is_left { Ok(()) } else { Err(StoreError::LastAdministrator { id: id.to_string() }) }
    }
}

impl Storage {
    /// By the text of a request, in memory.
    pub fn key(&self, id: &str) -> Option<Arc<AccessKey>> {
        self.inner.keys.read().get(id).cloned()
    }

    /// Whether requests have to show one. A disabled key counts: it does not open the server.
    pub fn has_keys(&self) -> bool {
        !self.inner.keys.read().is_empty()
    }

    /// By id.
    pub fn keys(&self) -> Vec<Arc<AccessKey>> {
        let mut keys: Vec<_> = self.inner.keys.read().values().cloned().collect();
        keys.sort_by(|a, b| a.id.cmp(&b.id));
        keys
    }

    /// A new one. The first has to administer all projects, since with it the server closes to everybody else.
    pub async fn create_key(&self, pair: KeyPair, grants: Vec<Grant>) -> Result<Arc<AccessKey>, StoreError> {
        let ring = &self.inner.keys;
        let mut sealer = ring.sealer.lock().await;
        let count = ring.read().len();
        if self.key(pair.id.as_str()).is_some() {
            return Err(StoreError::KeyExists { id: pair.id.to_string() });
        }
        if count >= KEYS_MAX {
            let (given, limit) = ((count + 1).to_string(), "there can be 10000");
            return Err(StoreError::OutOfRange { what: "number of access keys", given, limit });
        }
        let KeyPair { id, secret } = pair;
        let key = AccessKey { id, secret, grants, created: self.clock().now(), is_disabled: false };
        if count == 0 && !key.administers_all() {
            return Err(StoreError::FirstKey { id: key.id.to_string() });
        }
        ring.keep(&self.inner.catalog, &mut sealer, key).await
    }

    /// Makes sure that this key is there with this secret, enabled, and administers all projects.
    pub async fn ensure_administrator(&self, pair: KeyPair) -> Result<Arc<AccessKey>, StoreError> {
        let ring = &self.inner.keys;
        let mut sealer = ring.sealer.lock().await;
        let found = self.key(pair.id.as_str());
        if let Some(key) = found.as_ref().filter(|key| key.secret == pair.secret && key.administers_all()) {
            return Ok(key.clone());
        }
        let KeyPair { id, secret } = pair;
        let created = found.as_ref().map_or_else(|| self.clock().now(), |key| key.created);
        let mut grants = found.map_or_else(Vec::new, |key| key.grants.clone());
        grants.retain(|grant| grant.project != Scope::All);
        grants.push(Grant::administrator());
        let key = AccessKey { id, secret, grants, created, is_disabled: false };
        ring.keep(&self.inner.catalog, &mut sealer, key).await
    }

    pub async fn change_key(&self, id: &KeyId, change: KeyChange) -> Result<Arc<AccessKey>, StoreError> {
        let ring = &self.inner.keys;
        let mut sealer = ring.sealer.lock().await;
        let mut key = ring.expect(id)?.as_ref().clone();
        let was_administrator = key.administers_all();
        key.grants = change.grants.unwrap_or(key.grants);
        key.is_disabled = change.is_disabled.unwrap_or(key.is_disabled);
        if was_administrator && !key.administers_all() {
            ring.keeps_an_administrator_without(id)?;
        }
        ring.keep(&self.inner.catalog, &mut sealer, key).await
    }

    /// Of a project that goes. The keys stay, with what else they may.
    pub(crate) async fn revoke_grants(&self, project: &ProjectName) -> Result<(), StoreError> {
        let ring = &self.inner.keys;
        let mut sealer = ring.sealer.lock().await;
        let gone = Scope::Project(project.clone());
        for key in self.keys().iter().filter(|key| key.grants.iter().any(|grant| grant.project == gone)) {
            let mut key = key.as_ref().clone();
            key.grants.retain(|grant| grant.project != gone);
            ring.keep(&self.inner.catalog, &mut sealer, key).await?;
        }
        Ok(())
    }

    /// The only key may go, which opens the server again; the last administrator of several may not.
    pub async fn delete_key(&self, id: &KeyId) -> Result<(), StoreError> {
        let ring = &self.inner.keys;
        let _changing = ring.sealer.lock().await;
        let key = ring.expect(id)?;
        let count = ring.read().len();
        if key.administers_all() && count > 1 {
            ring.keeps_an_administrator_without(id)?;
        }
        self.inner.catalog.delete_key(id).await?;
        ring.keys.write().expect("no holder of this lock panics").remove(id.as_str());
        Ok(())
    }
}

/// From the operating system. It fails only where there is no such source.
fn random(bytes: &mut [u8]) -> Result<(), StoreError> {
    getrandom::fill(bytes).map_err(|source| StoreError::Randomness { source })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).map(|digit| digit as u8);
    let pair = |pair: &[u8]| match *pair {
        [high, low] => Some(digit(high)? << 4 | digit(low)?),
        _ => None,
    };
    text.as_bytes().chunks(2).map(pair).collect()
}

#[cfg(test)]
mod tests;
