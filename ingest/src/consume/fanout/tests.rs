use std::collections::BTreeSet;

use culprit_store::{ShardNumber, SplitAt};

use super::*;
use crate::consume::testing::{Folder, House, numbers_of_message, set};

fn pull(consumer: &str) -> FanoutPull<'_> {
    FanoutPull {
        consumer,
        batches_max: 3,
        bytes_max: 1 << 20,
        wait: Duration::ZERO,
        ack_timeout: Duration::from_secs(10),
        from: CursorAt::Begin,
    }
}

fn offsets(delivered: &[Delivery]) -> Vec<(u64, u32)> {
    delivered.iter().map(|delivery| (delivery.offset.0, delivery.deliveries)).collect()
}

impl House {
    async fn given(&self, source: &Source, pull: FanoutPull<'_>) -> Vec<Delivery> {
        self.consumption.fanout().pull(source, "f", pull).await.unwrap()
    }

    async fn ack(&self, source: &Source, acks: &[(u32, u64)]) -> Result<AckReport, ConsumeError> {
        let acks: Vec<(u32, Offset)> = acks.iter().map(|(shard, offset)| (*shard, Offset(*offset))).collect();
        self.consumption.fanout().ack(source, "f", "c", &acks).await
    }
}

#[tokio::test]
async fn readers_share_a_shard_and_what_is_not_acknowledged_comes_again() {
    let folder = Folder::new();
    let house = folder.open().await;
    let store = house.logs("s", 1).await;
    let source = house.source("s");
    for n in 0..7 {
        house.append(&store, 0, [n, n + 100]).await;
    }
    let (a, b) = (house.given(&source, pull("a")).await, house.given(&source, pull("b")).await);
    assert_eq!(offsets(&a), [(0, 1), (1, 1), (2, 1)]);
    assert_eq!(offsets(&b), [(3, 1), (4, 1), (5, 1)]);
    assert_eq!(numbers_of_message(&b[0].log_group()), [3, 103]);
    let rows: serde_json::Value = serde_json::from_str(&b[0].rows_json().unwrap()).unwrap();
    assert_eq!((rows[1]["n"].as_i64(), rows[1]["host"].as_str()), (Some(103), Some("host-1")));

    let report = house.ack(&source, &[(0, 0), (0, 4), (0, 4)]).await.unwrap();
    assert_eq!(report, AckReport { acknowledged: 2, again: 1 });
    for unknown in [(0, 6), (9, 0)] {
        assert!(matches!(house.ack(&source, &[unknown]).await, Err(ConsumeError::NotDelivered { .. })));
    }
    folder.pass(10);
    let again = house.given(&source, FanoutPull { batches_max: 9, ..pull("b") }).await;
    assert_eq!(offsets(&again), [(1, 2), (2, 2), (3, 2), (5, 2), (6, 1)]);
    let state = house.consumption.fanout().state(&source, "f").await.unwrap();
    assert_eq!(state, [FanoutShard { shard: 0, checkpoint: Offset(1), end: Offset(7), in_flight: 5 }]);
}

#[tokio::test]
async fn a_restart_goes_on_from_the_checkpoint() {
    let folder = Folder::new();
    let house = folder.open().await;
    let store = house.logs("s", 1).await;
    for n in 0..6 {
        house.append(&store, 0, [n]).await;
    }
    let source = house.source("s");
    house.given(&source, FanoutPull { batches_max: 5, ..pull("a") }).await;
    house.ack(&source, &[(0, 0), (0, 1), (0, 3)]).await.unwrap();
    house.storage.shutdown().await.unwrap();

    let house = folder.open().await;
    let source = house.source("s");
    let rest = house.given(&source, FanoutPull { batches_max: 9, ..pull("a") }).await;
    assert_eq!(offsets(&rest), [(2, 1), (3, 1), (4, 1), (5, 1)], "3 was acknowledged behind a gap");
    house.consumption.fanout().delete(&source, "f").await.unwrap();
    assert!(matches!(house.ack(&source, &[(0, 2)]).await, Err(ConsumeError::NoGroup { .. })));
    let from_end = FanoutPull { from: CursorAt::End, ..pull("a") };
    assert!(house.given(&source, from_end).await.is_empty());
    house.storage.shutdown().await.unwrap();
    let house = folder.open().await;
    assert!(house.given(&house.source("s"), pull("a")).await.is_empty(), "where a group began is kept too");
}

#[tokio::test]
async fn all_shards_are_given_also_after_a_split_and_from_segments() {
    let folder = Folder::new();
    let house = folder.open().await;
    let store = house.logs("s", 2).await;
    for n in 0..20 {
        house.append(&store, n % 2, [n.into()]).await;
    }
    house.storage.flush().await.unwrap();
    house.storage.split_shard(&store, ShardNumber(0), SplitAt::Middle).await.unwrap();
    for n in 20..30 {
        house.append(&store, n % 3 + 1, [n.into()]).await;
    }
    let source = house.source("s");
    let mut seen = BTreeSet::new();
    for round in 0.. {
        let small = FanoutPull { bytes_max: 1_000, batches_max: 4, ..pull("a") };
        let delivered = house.given(&source, small).await;
        if delivered.is_empty() {
            break;
        }
        assert!(round < 60, "it does not end");
        seen.extend(delivered.iter().flat_map(|delivery| numbers_of_message(&delivery.log_group())));
        let acks: Vec<(u32, u64)> = delivered.iter().map(|delivery| (delivery.shard, delivery.offset.0)).collect();
        house.ack(&source, &acks).await.unwrap();
    }
    assert_eq!(seen, set(0..30));
    let state = house.consumption.fanout().state(&source, "f").await.unwrap();
    assert!(state.iter().all(|shard| shard.checkpoint == shard.end && shard.in_flight == 0), "{state:?}");
}

#[tokio::test]
async fn a_pull_waits_for_rows() {
    let folder = Folder::new();
    let house = folder.open().await;
    let store = house.logs("s", 2).await;
    let source = house.source("s");
    let patient = FanoutPull { wait: Duration::from_secs(30), ..pull("a") };
    let (delivered, ()) = tokio::join!(house.given(&source, patient), house.append(&store, 1, [1]));
    assert_eq!(offsets(&delivered), [(0, 1)]);
    let short = FanoutPull { wait: Duration::from_millis(1), ..pull("a") };
    assert!(house.given(&source, short).await.is_empty());
    for wrong in [
        FanoutPull { wait: Duration::from_secs(31), ..pull("a") },
        FanoutPull { ack_timeout: Duration::ZERO, ..pull("a") },
        FanoutPull { batches_max: 0, ..pull("a") },
        pull(""),
    ] {
        assert!(house.consumption.fanout().pull(&source, "f", wrong).await.is_err());
    }
}
