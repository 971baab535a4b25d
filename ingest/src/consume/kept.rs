//! What the catalog keeps of groups, read at the first use; groups of stores and views that are gone are thrown out then.

use std::collections::{BTreeMap, BTreeSet};

use culprit_store::{CheckpointRecord, GroupKey, GroupKind, GroupRecord, Storage};

use super::ConsumeError;

type Loaded = (Vec<GroupRecord>, BTreeMap<GroupKey, Vec<CheckpointRecord>>);

pub(super) async fn load(storage: &Storage, kind: GroupKind) -> Result<Loaded, ConsumeError> {
    let sources = sources(storage);
    let (kept, orphans): (Vec<GroupRecord>, Vec<GroupRecord>) = storage
        .consumer_groups()
        .await?
        .into_iter()
        .filter(|record| record.key.kind == kind)
        .partition(|record| sources.contains(&record.key.source));
    for orphan in orphans {
        storage.delete_consumer_group(&orphan.key).await?;
    }
    let mut checkpoints: BTreeMap<GroupKey, Vec<CheckpointRecord>> = BTreeMap::new();
    for record in storage.checkpoints().await? {
        checkpoints.entry(record.group.clone()).or_default().push(record);
    }
    Ok((kept, checkpoints))
}

fn sources(storage: &Storage) -> BTreeSet<String> {
    let of_project = |name: &culprit_store::ProjectName| {
        let stores = storage.stores(name).into_iter().map(|store| GroupKey::source_of_store(store.id()));
        let views = storage.views(name).into_iter();
        let views = views.map(|view| GroupKey::source_of_view(view.project.as_str(), view.name.as_str()));
        stores.chain(views).collect::<Vec<_>>()
    };
    storage.all_projects().iter().flat_map(|project| of_project(&project.name)).collect()
}
