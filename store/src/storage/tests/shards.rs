//! Shards, views, projects and settings, with a restart in between.

use std::time::Duration;

use arrow::array::AsArray;

use super::{Fixture, NOW, logs, named, numbers, project, rows};
use crate::{
    Fault, Offset, ProjectName, Route, ShardNumber, ShardStatus, SplitAt, StoreError, StoreKind, StoreSettings,
    StoreSpec, UnixNanos, View,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_cold_read_gives_the_batches_as_they_came() {
    let fixture = Fixture::new();
    let storage = fixture.open().await;
    let store = logs(&storage, "app").await;
    let sent = [rows(7..9), rows(0..3).project(&[0, 2]).unwrap(), rows(3..7)];
    for (step, batch) in (0..).zip(&sent) {
        fixture.clock.set(UnixNanos(NOW.0 + step * 1000));
        storage.append(&store, batch.clone(), &Route::Key(0)).await.unwrap();
    }
    let zero = ShardNumber(0);
    let recent = storage.read_shard(&store, zero, Offset(0), 2, usize::MAX).await.unwrap();
    assert_eq!((recent.batches.len(), recent.next, recent.is_cold), (2, Offset(2), false));
    assert_eq!(recent.batches[1].batch, sent[1]);
    assert!(storage.read_cold(&store, zero, Offset(0)).await.unwrap().is_none());
    storage.flush().await.unwrap();
    storage.append(&store, rows(20..21), &Route::Key(0)).await.unwrap();

    assert!(!storage.is_recent(&store, zero, Offset(2)) && storage.is_recent(&store, zero, Offset(3)));
    let cold = storage.read_cold(&store, zero, Offset(1)).await.unwrap().unwrap();
    assert_eq!((cold.first, cold.last, cold.batches.len()), (Offset(0), Offset(2), 3));
    for (at, (batch, sent)) in cold.batches.iter().zip(&sent).enumerate() {
        assert_eq!((batch.offset.0, batch.received.0), (at as u64, NOW.0 + at as i64 * 1000));
        let names = |batch: &arrow::record_batch::RecordBatch| -> Vec<String> {
            batch.schema().fields().iter().map(|field| field.name().clone()).collect()
        };
        assert_eq!(names(&batch.batch), names(sent));
        assert_eq!(batch.batch.columns(), sent.columns(), "batch {at}");
    }
    let one = storage.read_shard(&store, zero, Offset(1), 5, 1).await.unwrap();
    assert_eq!((one.batches.len(), one.next, one.is_cold), (1, Offset(2), true));
    let host = one.batches[0].batch.column_by_name("host").unwrap().as_string::<i32>();
    assert_eq!(host.value(1), "host-1");

    for (received, offset) in [(0, 0), (NOW.0, 0), (NOW.0 + 1, 1), (NOW.0 + 2000, 2), (NOW.0 + 2001, 4)] {
        assert_eq!(storage.offset_at(&store, zero, UnixNanos(received)).await.unwrap(), Offset(offset), "{received}");
    }
    for (offset, received) in [(0, Some(0)), (1, Some(1000)), (3, Some(2000)), (4, None)] {
        let expected = received.map(|after: i64| UnixNanos(NOW.0 + after));
        assert_eq!(storage.received_of(&store, zero, Offset(offset)).await.unwrap(), expected, "{offset}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn parents_go_when_their_rows_are_past_the_ttl() {
    let fixture = Fixture::new();
    let storage = fixture.open().await;
    let store = logs(&storage, "app").await;
    storage.set_ttl(&project(), &named("app"), Some(Duration::from_secs(60))).await.unwrap();
    storage.append(&store, rows(0..1), &Route::Key(0)).await.unwrap();
    let tail = store.tail(ShardNumber(0)).unwrap();
    storage.split_shard(&store, ShardNumber(0), SplitAt::Middle).await.unwrap();
    assert!(tail.is_closed());
    storage.append(&store, rows(1..2), &Route::Key(0)).await.unwrap();
    storage.flush().await.unwrap();
    let refused = storage.append(&store, rows(2..3), &Route::Shard(ShardNumber(0))).await.unwrap_err();
    assert!(matches!(refused, StoreError::ShardReadOnly { .. }) && refused.fault() == Fault::Caller);

    fixture.clock.set(UnixNanos(NOW.0 + 60_000_000_000));
    storage.drop_expired().await.unwrap();
    assert_eq!(store.shards().len(), 4, "not yet");
    fixture.clock.set(UnixNanos(NOW.0 + 60_000_000_001));
    storage.append(&store, rows(3..4), &Route::Key(0)).await.unwrap();
    storage.drop_expired().await.unwrap();
    let left: Vec<u32> = store.shards().iter().map(|shard| shard.number.0).collect();
    assert_eq!(left, [1, 2, 3]);
    let child = store.shard(ShardNumber(2)).unwrap();
    assert_eq!((child.begin, child.end), (Offset(1), Offset(2)), "its first row is past the TTL too");
    storage.shutdown().await.unwrap();
    let storage = fixture.open().await;
    let store = storage.expect_store(&project(), &named("app")).unwrap();
    assert_eq!(store.shards().len(), 3);
    assert_eq!(numbers(&storage, &store).await, [3]);
    let made = storage.merge_shards(&store, ShardNumber(2)).await.unwrap();
    assert_eq!(made[2].number, ShardNumber(4), "numbers are not given again");
    storage.delete_shard(&store, ShardNumber(3)).await.unwrap();
    assert!(storage.delete_shard(&store, ShardNumber(4)).await.is_err());
    assert_eq!(store.shards().iter().map(|shard| shard.number.0).collect::<Vec<_>>(), [1, 2, 4]);
}

#[tokio::test(flavor = "multi_thread")]
async fn splits_are_refused_by_name() {
    let fixture = Fixture::new();
    let storage = fixture.open().await;
    let spec = StoreSpec {
        shards: 1,
        settings: StoreSettings { shards_max: 3, ..StoreSettings::default() },
        ..StoreSpec::new(StoreKind::Logs)
    };
    let store = storage.create_new_store(&project(), &named("app"), spec.clone()).await.unwrap();
    let zero = ShardNumber(0);
    for (at, why) in [
        (
            SplitAt::Parts(4),
            "would have 4 read-write shards, more than the 3 that the store's setting shards_max allows",
        ),
        (SplitAt::Key(0), "the key must lie behind the first one"),
    ] {
        let refused = storage.split_shard(&store, zero, at).await.unwrap_err().to_string();
        assert!(refused.contains(why), "{refused}");
    }
    let refused = storage.merge_shards(&store, zero).await.unwrap_err().to_string();
    assert!(refused.contains("no right neighbour"), "{refused}");
    let refused = storage.split_shard(&store, ShardNumber(9), SplitAt::Middle).await.unwrap_err();
    assert_eq!(refused.fault(), Fault::Missing);
    let again = storage.create_new_store(&project(), &named("app"), spec).await.unwrap_err();
    assert!(matches!(again, StoreError::Exists { .. }));
    assert_eq!(store.shards()[0].status, ShardStatus::ReadWrite);
}

#[tokio::test(flavor = "multi_thread")]
async fn projects_views_and_settings_survive_a_restart() {
    let fixture = Fixture::new();
    let storage = fixture.open().await;
    let shop = ProjectName::parse("shop").unwrap();
    storage.create_project(&shop, "all that is sold".to_owned(), String::new()).await.unwrap();
    assert!(matches!(
        storage.create_project(&shop, String::new(), String::new()).await.unwrap_err(),
        StoreError::Exists { .. }
    ));
    let store = storage.create_new_store(&shop, &named("orders"), StoreSpec::new(StoreKind::Logs)).await.unwrap();
    logs(&storage, "app").await;
    let settings = StoreSettings { web_tracking: true, attributes: "{}".to_owned(), ..StoreSettings::default() };
    fixture.clock.set(UnixNanos(NOW.0 + 5));
    storage.set_settings(&store, settings.clone()).await.unwrap();
    storage.set_index_config(&store, r#"{"line":{}}"#).await.unwrap();
    let members = vec![(shop.clone(), named("orders")), (project(), named("app"))];
    storage.put_view(&project(), &named("all"), members).await.unwrap();
    let taken = storage.create_store(&project(), &named("all"), StoreSpec::new(StoreKind::Logs)).await.unwrap_err();
    assert!(matches!(taken, StoreError::Exists { what: "view", .. }));
    storage.shutdown().await.unwrap();

    let storage = fixture.open().await;
    let store = storage.expect_store(&shop, &named("orders")).unwrap();
    assert_eq!((store.settings().as_ref(), store.updated()), (&settings, UnixNanos(NOW.0 + 5)));
    assert_eq!(storage.index_config(&store).as_deref(), Some(r#"{"line":{}}"#));
    assert_eq!(storage.project(&shop).unwrap().description, "all that is sold");
    let view = storage.view(&project(), &named("all")).unwrap();
    let (member, number) = view.resolve(View::shard_id(1, ShardNumber(3)).unwrap()).unwrap();
    assert_eq!((member.store.as_str(), number), ("app", ShardNumber(3)));

    storage.delete_project(&shop).await.unwrap();
    assert!(storage.store(&shop, &named("orders")).is_none());
    assert!(matches!(storage.delete_project(&project()).await.unwrap_err(), StoreError::Protected { .. }));
    let names: Vec<String> = storage.projects().iter().map(ToString::to_string).collect();
    assert_eq!(names, ["default", "system"]);
    assert!(storage.delete_view(&project(), &named("all")).await.unwrap());
    storage.shutdown().await.unwrap();
    let storage = fixture.open().await;
    assert_eq!((storage.projects().len(), storage.views(&project()).len()), (2, 0));
    let store = storage.create_store(&shop, &named("orders"), StoreSpec::new(StoreKind::Logs)).await.unwrap();
    assert_eq!(storage.index_config(&store), None, "it went with the store");
}
