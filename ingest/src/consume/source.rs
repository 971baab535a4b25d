//! What is read: a store, or a view over several; and its shards under the numbers that readers know.

use std::sync::Arc;

use culprit_store::{
    GroupKey, ProjectName, ShardInfo, ShardNumber, Storage, StoreKind, StoreName, StoreState, View, ViewMember,
};

use super::ConsumeError;

#[derive(Debug, Clone)]
pub enum Source {
    Store(Arc<StoreState>),
    View(Arc<View>),
}

/// A shard of a source: where it lies, and what the source calls it.
#[derive(Debug, Clone)]
pub(crate) struct SourceShard {
    pub(crate) id: u32,
    pub(crate) store: Arc<StoreState>,
    pub(crate) number: ShardNumber,
}

impl Source {
    /// A store, else a view, of this name.
    pub(crate) fn find(storage: &Storage, project: &ProjectName, name: &StoreName) -> Result<Self, ConsumeError> {
        if let Some(store) = storage.store(project, name) {
            return Ok(Self::Store(store));
        }
        let missing = || ConsumeError::NoSource { project: project.to_string(), name: name.to_string() };
        storage.view(project, name).map(Self::View).ok_or_else(missing)
    }

    pub fn project(&self) -> &ProjectName {
        match self {
            Self::Store(store) => store.project(),
            Self::View(view) => &view.project,
        }
    }

    /// The stores that are read, whose readers need the right to: for a view also those that are gone.
    pub fn members(&self) -> Vec<(ProjectName, StoreName)> {
        match self {
            Self::Store(store) => vec![(store.project().clone(), store.name().clone())],
            Self::View(view) => {
                view.members.iter().map(|member| (member.project.clone(), member.store.clone())).collect()
            }
        }
    }

    /// Members of a view that do not exist any more: their shards are not listed, the others are read on.
    pub fn missing(&self, storage: &Storage) -> Vec<(ProjectName, StoreName)> {
        self.members().into_iter().filter(|(project, store)| storage.store(project, store).is_none()).collect()
    }

    /// `project/name`, for people.
    pub fn label(&self) -> String {
        match self {
            Self::Store(store) => format!("{}/{}", store.project(), store.name()),
            Self::View(view) => format!("{}/{}", view.project, view.name),
        }
    }

    /// Under which its groups are kept.
    pub(crate) fn key(&self) -> String {
        match self {
            Self::Store(store) => GroupKey::source_of_store(store.id()),
            Self::View(view) => GroupKey::source_of_view(view.project.as_str(), view.name.as_str()),
        }
    }

    /// By id, read-only parents included.
    pub(crate) fn shards(&self, storage: &Storage) -> Vec<(u32, ShardInfo)> {
        match self {
            Self::Store(store) => store.shards().into_iter().map(|shard| (shard.number.0, shard)).collect(),
            Self::View(view) => {
                let mut shards: Vec<_> =
                    view.members.iter().flat_map(|member| member_shards(storage, member)).collect();
                shards.sort_by_key(|(id, _)| *id);
                shards
            }
        }
    }

    /// What the source calls another shard of the same store.
    pub(crate) fn sibling(&self, id: u32, number: ShardNumber) -> u32 {
        match self {
            Self::Store(_) => number.0,
            Self::View(view) => view
                .resolve(id)
                .and_then(|(member, _)| View::shard_id(member.ordinal, number))
                .expect("numbers of one store are alike, and that of `id` fits"),
        }
    }

    pub(crate) fn shard(&self, storage: &Storage, id: u32) -> Result<SourceShard, ConsumeError> {
        let unknown = || ConsumeError::NoShard { shard: id, source_name: self.label() };
        match self {
            Self::Store(store) => Ok(SourceShard { id, store: store.clone(), number: ShardNumber(id) }),
            Self::View(view) => {
                let (member, number) = view.resolve(id).ok_or_else(unknown)?;
                let store = logs(storage, member).ok_or_else(unknown)?;
                Ok(SourceShard { id, store, number })
            }
        }
    }

    pub(crate) fn no_shard(&self, id: u32) -> ConsumeError {
        ConsumeError::NoShard { shard: id, source_name: self.label() }
    }
}

fn logs(storage: &Storage, member: &ViewMember) -> Option<Arc<StoreState>> {
    storage.store(&member.project, &member.store).filter(|store| store.kind() == StoreKind::Logs)
}

fn member_shards(storage: &Storage, member: &ViewMember) -> Vec<(u32, ShardInfo)> {
    let shards = logs(storage, member).map_or_else(Vec::new, |store| store.shards());
    shards.into_iter().filter_map(|shard| Some((View::shard_id(member.ordinal, shard.number)?, shard))).collect()
}
