//! What exists by name: projects, and in each its stores and views. Held in memory as it stands in the catalog.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::project::ProjectInfo;
use crate::view::View;
use crate::{ProjectName, StoreName, StoreState, UnixNanos};

#[derive(Debug)]
pub(crate) struct Tenant {
    pub(crate) info: Arc<ProjectInfo>,
    pub(crate) stores: BTreeMap<StoreName, Arc<StoreState>>,
    pub(crate) views: BTreeMap<StoreName, Arc<View>>,
}

impl Tenant {
    pub(crate) fn new(info: Arc<ProjectInfo>) -> Self {
        Self { info, stores: BTreeMap::new(), views: BTreeMap::new() }
    }
}

#[derive(Debug, Default)]
pub(crate) struct Directory {
    tenants: HashMap<ProjectName, Tenant>,
}

impl Directory {
    pub(crate) fn get(&self, project: &ProjectName) -> Option<&Tenant> {
        self.tenants.get(project)
    }

    pub(crate) fn get_mut(&mut self, project: &ProjectName) -> Option<&mut Tenant> {
        self.tenants.get_mut(project)
    }

    pub(crate) fn insert(&mut self, info: Arc<ProjectInfo>) {
        self.tenants.insert(info.name.clone(), Tenant::new(info));
    }

    pub(crate) fn remove(&mut self, project: &ProjectName) {
        self.tenants.remove(project);
    }

    /// A project that nobody described comes with its first store.
    pub(crate) fn insert_store(&mut self, store: Arc<StoreState>, now: UnixNanos) {
        let name = store.project().clone();
        let new = || Tenant::new(Arc::new(ProjectInfo::plain(name.clone(), now)));
        self.tenants.entry(name.clone()).or_insert_with(new).stores.insert(store.name().clone(), store);
    }

    pub(crate) fn store(&self, project: &ProjectName, name: &StoreName) -> Option<&Arc<StoreState>> {
        self.get(project)?.stores.get(name)
    }

    pub(crate) fn tenants(&self) -> impl Iterator<Item = &Tenant> {
        self.tenants.values()
    }

    pub(crate) fn stores(&self) -> impl Iterator<Item = &Arc<StoreState>> {
        self.tenants.values().flat_map(|tenant| tenant.stores.values())
    }
}
