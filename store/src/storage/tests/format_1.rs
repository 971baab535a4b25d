//! A folder that format 1 left, with rows in segments and rows in the log, is brought up to date.

use std::path::Path;

use super::{Fixture, named, numbers, project};
use crate::{Offset, ShardNumber, ShardStatus, SplitAt, StoreSettings};

pub(super) fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(|entry| entry.unwrap()) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_of_format_1_opens_and_splits() {
    let fixture = Fixture::new();
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/format-1"), fixture.folder.path());
    let storage = fixture.open().await;
    let store = storage.expect_store(&project(), &named("app")).unwrap();
    assert_eq!(numbers(&storage, &store).await, [1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(*store.settings(), StoreSettings { ttl: None, ..StoreSettings::default() });
    assert_eq!(store.created(), store.updated());
    let shards = store.shards();
    assert_eq!(shards.iter().map(|shard| (shard.number.0, shard.begin.0)).collect::<Vec<_>>(), [(0, 0), (1, 0)]);
    assert_eq!(shards.iter().map(|shard| shard.end.0).sum::<u64>(), 7);
    assert!(shards.iter().all(|shard| shard.status == ShardStatus::ReadWrite && shard.created == store.created()));
    let read = storage.read_shard(&store, ShardNumber(0), Offset(0), 10, usize::MAX).await.unwrap();
    assert!(read.is_cold && read.batches.len() == 2);

    let made = storage.split_shard(&store, ShardNumber(1), SplitAt::Middle).await.unwrap();
    assert_eq!(made.iter().map(|shard| shard.number.0).collect::<Vec<_>>(), [1, 2, 3]);
    storage.shutdown().await.unwrap();
    let format = std::fs::read_to_string(fixture.folder.path().join("FORMAT")).unwrap();
    assert!(format.contains(r#""format":3"#), "{format}: an older culprit must not misread what is closed");
    let storage = fixture.open().await;
    let store = storage.expect_store(&project(), &named("app")).unwrap();
    assert_eq!((store.shards().len(), store.writable_shards().len()), (4, 3));
    assert_eq!(numbers(&storage, &store).await, [1, 2, 3, 4, 5, 6, 7]);
}
