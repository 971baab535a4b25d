//! Stores by name: found, created, changed, deleted.

use std::sync::Arc;
use std::time::Duration;

use crate::background::bury;
use crate::limits::NAMES_SHOWN_MAX;
use crate::project::check_text;
use crate::shard::Shard;
use crate::shard_set::ShardSet;
use crate::spec::StoreSettings;
use crate::state::Held;
use crate::{ProjectName, Storage, StoreError, StoreName, StoreSpec, StoreState};

impl Storage {
    pub fn store(&self, project: &ProjectName, name: &StoreName) -> Option<Arc<StoreState>> {
        self.inner.directory().store(project, name).cloned()
    }

    /// Like [`Storage::store`]; the error lists what the project has.
    pub fn expect_store(&self, project: &ProjectName, name: &StoreName) -> Result<Arc<StoreState>, StoreError> {
        self.store(project, name).ok_or_else(|| {
            let stores = self.stores(project);
            let mut names: Vec<&str> = stores.iter().take(NAMES_SHOWN_MAX).map(|s| s.name().as_str()).collect();
            if names.is_empty() {
                names.push("none");
            } else if stores.len() > NAMES_SHOWN_MAX {
                names.push("…");
            }
            let known = names.join(", ");
            StoreError::UnknownStore { project: project.to_string(), store: name.to_string(), known }
        })
    }

    /// By name.
    pub fn stores(&self, project: &ProjectName) -> Vec<Arc<StoreState>> {
        self.inner.directory().get(project).map_or_else(Vec::new, |tenant| tenant.stores.values().cloned().collect())
    }

    /// Gives the store that is there already, if it is of the same kind. A project that is not there comes with it.
    pub async fn create_store(
        &self,
        project: &ProjectName,
        name: &StoreName,
        spec: StoreSpec,
    ) -> Result<Arc<StoreState>, StoreError> {
        check(&spec)?;
        let _one_at_a_time = self.inner.creation.lock().await;
        if let Some(store) = self.store(project, name) {
            store.check_kind(spec.kind)?;
            return Ok(store);
        }
        self.add_store(project, name, &spec).await
    }

    /// Like [`Storage::create_store`], but fails with [`StoreError::Exists`] when there is one.
    pub async fn create_new_store(
        &self,
        project: &ProjectName,
        name: &StoreName,
        spec: StoreSpec,
    ) -> Result<Arc<StoreState>, StoreError> {
        check(&spec)?;
        let _one_at_a_time = self.inner.creation.lock().await;
        if self.store(project, name).is_some() {
            return Err(StoreError::Exists { what: "store", name: format!("{project}/{name}") });
        }
        self.add_store(project, name, &spec).await
    }

    async fn add_store(
        &self,
        project: &ProjectName,
        name: &StoreName,
        spec: &StoreSpec,
    ) -> Result<Arc<StoreState>, StoreError> {
        if self.view(project, name).is_some() {
            return Err(StoreError::Exists { what: "view", name: format!("{project}/{name}") });
        }
        let now = self.clock().now();
        let (row, shards) = self.inner.catalog.create_store(project, name, spec, now).await?;
        let gauges = &self.inner.gauges;
        let shards = shards.into_iter().map(|row| Arc::new(Shard::new(row.id, row.place, row.flushed, gauges.clone())));
        let set = ShardSet::new(shards.collect());
        let store = Arc::new(StoreState::new(row, set, Held::default()));
        self.inner.directory_mut().insert_store(store.clone(), now);
        Ok(store)
    }

    /// Its rows are gone for new queries at once; running ones finish.
    pub async fn delete_store(&self, project: &ProjectName, name: &StoreName) -> Result<(), StoreError> {
        let _one_at_a_time = self.inner.creation.lock().await;
        let store = self.expect_store(project, name)?;
        self.remove_store(&store).await
    }

    /// The caller holds `creation`.
    pub(crate) async fn remove_store(&self, store: &StoreState) -> Result<(), StoreError> {
        let _no_append = store.placing.write().await;
        let set = store.shard_set();
        // Held to the end: a flush that began now would commit a segment of a store that is gone.
        let mut no_flush = Vec::with_capacity(set.all().len());
        for shard in set.all() {
            no_flush.push(shard.flushing.lock().await);
        }
        let (project, name) = (store.project(), store.name());
        if let Some(tenant) = self.inner.directory_mut().get_mut(project) {
            tenant.stores.remove(name);
        }
        self.inner.catalog.delete_store(store.id(), project, name, self.clock().now()).await?;
        let segments: Vec<_> = set.all().iter().flat_map(|shard| shard.take_all()).collect();
        bury(&self.inner, segments).await
    }

    pub async fn set_settings(&self, store: &StoreState, settings: StoreSettings) -> Result<(), StoreError> {
        settings.check()?;
        check_text("attributes", &settings.attributes)?;
        let now = self.clock().now();
        self.inner.catalog.set_settings(store.id(), &settings, now).await?;
        store.set_settings(settings, now);
        Ok(())
    }

    /// None keeps rows for ever.
    pub async fn set_ttl(
        &self,
        project: &ProjectName,
        name: &StoreName,
        ttl: Option<Duration>,
    ) -> Result<(), StoreError> {
        let store = self.expect_store(project, name)?;
        let settings = StoreSettings { ttl, ..store.settings().as_ref().clone() };
        self.set_settings(&store, settings).await
    }
}

fn check(spec: &StoreSpec) -> Result<(), StoreError> {
    spec.check()?;
    check_text("attributes", &spec.settings.attributes)
}
