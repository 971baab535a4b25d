//! Tenants side by side, on a clock that the test turns; the oracle is arithmetic on what was asked for.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::time::Duration;

use culprit_store::{StorageConfig, StoreKind, StoreName, StoreSpec, UnixNanos};

use super::*;
use crate::quota::{ProjectLimits, ProjectOverride, ShardLimits};

const START: UnixNanos = UnixNanos(1_700_000_000_000_000_000);
const MEGABYTE: u64 = 1_000_000;

struct Hands {
    clock: Clock,
    now: UnixNanos,
}

impl Hands {
    fn new() -> Self {
        Self { clock: Clock::manual(START), now: START }
    }

    fn wait(&mut self, pause: Duration) {
        self.now = UnixNanos(self.now.0 + pause.as_nanos() as i64);
        self.clock.set(self.now);
    }
}

fn project(name: &str) -> ProjectName {
    ProjectName::parse(name).unwrap()
}

fn limits(write_bytes: u64, write_requests: u64) -> ProjectLimits {
    ProjectLimits { write_bytes, write_requests, ..ProjectLimits::default() }
}

fn quotas(project: ProjectLimits, clock: &Clock) -> Quotas {
    Quotas::new(QuotaConfig { project, ..QuotaConfig::default() }, clock, Arc::new(|| 0.0))
}

#[test]
fn one_tenant_at_ten_times_its_quota_takes_nothing_from_the_others() {
    let mut hands = Hands::new();
    let quotas = quotas(limits(MEGABYTE, 1_000), &hands.clock);
    let names: Vec<ProjectName> = (0..100).map(|number| project(&format!("p{number}"))).collect();
    let mut passed: BTreeMap<usize, u64> = BTreeMap::new();
    let mut refused = 0;
    // Ten seconds in steps of 10 ms: everybody sends half of its quota, the first one ten times of it.
    for _ in 0..1_000 {
        hands.wait(Duration::from_millis(10));
        for (number, name) in names.iter().enumerate() {
            let sent = if number == 0 { MEGABYTE / 10 } else { MEGABYTE / 200 };
            match quotas.admit(name, Flow::Write, sent) {
                Ok(_charge) => *passed.entry(number).or_default() += sent,
                Err(refusal) => {
                    assert_eq!(number, 0, "{refusal}");
                    assert!(matches!(refusal, Refusal::ProjectWrite { .. }) && !refusal.is_ours());
                    refused += 1;
                }
            }
        }
    }
    for number in 1..100 {
        assert_eq!(passed[&number], 5 * MEGABYTE, "p{number}");
    }
    // Its rate for ten seconds, two seconds of burst, one request of debt; not much less, for it asked all the time.
    let offender = passed[&0];
    assert!(offender <= 12 * MEGABYTE + MEGABYTE / 10, "{offender}");
    assert!(offender >= 11 * MEGABYTE, "{offender}");
    assert!(refused > 800, "{refused}");
    let usage = quotas.inner.service.known(&names[0]).unwrap();
    assert_eq!(usage.refused(Flow::Write), refused);
}

#[test]
fn each_limit_is_its_own() {
    let mut hands = Hands::new();
    let quotas = quotas(limits(1_000, 10), &hands.clock);
    let name = project("a");
    let measure = |refusal: Refusal| match refusal {
        Refusal::ProjectWrite { over, .. } => over.measure.name(),
        other => panic!("{other}"),
    };
    // Twenty requests of nothing are two seconds' worth.
    for _ in 0..20 {
        quotas.admit(&name, Flow::Write, 0).map(drop).unwrap();
    }
    assert_eq!(measure(quotas.admit(&name, Flow::Write, 0).map(drop).unwrap_err()), "requests");
    quotas.admit(&name, Flow::Read, 0).map(drop).expect("reads have limits of their own");
    quotas.admit(&project("b"), Flow::Write, 0).map(drop).expect("another project");
    hands.wait(Duration::from_secs(2));
    quotas.admit(&name, Flow::Write, 5_000).map(drop).expect("a large body passes once");
    let refusal = quotas.admit(&name, Flow::Write, 0).map(drop).unwrap_err();
    assert_eq!(refusal.retry_after().map(|pause| pause.as_secs()), Some(3), "{refusal}");
    assert_eq!(measure(refusal), "bytes");
    hands.wait(Duration::from_millis(2_999));
    assert!(quotas.admit(&name, Flow::Write, 0).is_err());
    hands.wait(Duration::from_millis(2));
    quotas.admit(&name, Flow::Write, 0).map(drop).expect("its debt is paid");
}

#[test]
fn a_charge_follows_the_body() {
    let mut hands = Hands::new();
    let quotas = quotas(limits(1_000, 1_000), &hands.clock);
    let name = project("a");
    let mut shorter = quotas.admit(&name, Flow::Write, 1_900).unwrap_or_else(|refusal| panic!("{refusal}"));
    shorter.correct(100);
    let mut streamed = quotas.admit(&name, Flow::Write, 0).unwrap_or_else(|refusal| panic!("{refusal}"));
    let taken = (0..100).take_while(|_| streamed.add(100).is_ok()).count();
    assert_eq!(taken, 19, "100 of 2000 bytes were gone");
    assert!(quotas.admit(&name, Flow::Write, 0).is_err());
    hands.wait(Duration::from_secs(3));
    let mut longer = quotas.admit(&name, Flow::Write, 10).unwrap_or_else(|refusal| panic!("{refusal}"));
    longer.correct(4_000);
    let refusal = quotas.admit(&name, Flow::Write, 0).map(drop).unwrap_err();
    assert_eq!(refusal.retry_after().map(|pause| pause.as_secs()), Some(2), "{refusal}");
}

#[test]
fn limits_of_one_project_change_at_once() {
    let hands = Hands::new();
    let quotas = quotas(limits(1_000, 10), &hands.clock);
    let name = project("a");
    while quotas.admit(&name, Flow::Write, 100).is_ok() {}
    let set =
        ProjectOverride { write_bytes: Some(MEGABYTE), write_requests: Some(1_000), ..ProjectOverride::default() };
    quotas.inner.service.set_limits(&name, Some(set));
    quotas.admit(&name, Flow::Write, 100).map(drop).expect("the bar was lifted with the limit");
    quotas.check_count(&name, Counted::Stores, 200).unwrap();
    let refusal = quotas.check_count(&name, Counted::Stores, 201).unwrap_err();
    assert_eq!(refusal.to_string(), "project a would have 201 stores, its limit is 200; an administrator can raise it");
    assert_eq!(refusal.retry_after(), None);
}

struct Node {
    quotas: Quotas,
    store: Arc<StoreState>,
    /// Percent.
    pressure: Arc<AtomicU32>,
    hands: Hands,
    _data: tempfile::TempDir,
}

async fn node(shards: u16) -> Node {
    let hands = Hands::new();
    let data = tempfile::tempdir().unwrap();
    let config = StorageConfig { clock: hands.clock.clone(), ..StorageConfig::new(data.path()) };
    let storage = Storage::open(config).await.unwrap();
    let name = StoreName::parse("web").unwrap();
    let spec = StoreSpec { shards, ..StoreSpec::new(StoreKind::Logs) };
    let store = storage.create_store(&project("a"), &name, spec).await.unwrap();
    let pressure = Arc::new(AtomicU32::new(0));
    let gauge = pressure.clone();
    let shard = ShardLimits { write_bytes: 1_000, write_requests: 100, read_bytes: 2_000, read_requests: 20 };
    let config = QuotaConfig { shard, ..QuotaConfig::default() };
    let quotas = Quotas::new(config, &hands.clock, Arc::new(move || gauge.load(SeqCst) as f32 / 100.0));
    Node { quotas, store, pressure, hands, _data: data }
}

impl Node {
    fn press(&mut self, percent: u32) {
        self.pressure.store(percent, SeqCst);
        self.hands.wait(Duration::from_millis(20));
    }

    fn write(&self, shard: u32, bytes: u64) -> Result<(), Refusal> {
        self.quotas.admit_shard(&self.store, ShardNumber(shard), Flow::Write, bytes)
    }
}

#[tokio::test]
async fn a_shard_has_more_than_its_quota_while_there_is_room() {
    let mut node = node(2).await;
    for _ in 0..50 {
        node.write(0, 1_000).expect("nothing waits");
    }
    node.press(70);
    node.write(0, 1_000).expect("it was soft and still is");
    node.press(85);
    let over = node.write(0, 1).unwrap_err();
    assert!(matches!(over, Refusal::ShardWrite { shard: 0, .. }) && !over.is_ours(), "{over}");
    node.write(1, 1).expect("its neighbour is within its quota");
    node.press(70);
    assert!(node.write(0, 1).is_err(), "exact until the pressure is well below");
    node.press(100);
    assert!(matches!(node.write(0, 1).unwrap_err(), Refusal::ShardWrite { .. }), "over its quota: its own limit");
    let busy = node.write(1, 1).unwrap_err();
    assert!(matches!(busy, Refusal::Busy { shard: 1, percent: 100, .. }) && busy.is_ours(), "{busy}");
    let read = node.quotas.admit_shard(&node.store, ShardNumber(1), Flow::Read, 500);
    read.expect("writes that wait are no reader's trouble");
    node.press(50);
    node.write(0, 1_000).expect("there is room again");
    let counts: BTreeMap<String, f64> = node
        .quotas
        .metrics()
        .into_iter()
        .filter(|metric| metric.name == "culprit_ingest_quota_refused_total")
        .map(|metric| {
            (metric.labels.iter().map(|(_, value)| value.as_str()).collect::<Vec<_>>().join(" "), metric.value)
        })
        .collect();
    let expected = [("count number", 0.0), ("node busy", 1.0), ("project read", 0.0), ("project write", 0.0)];
    let expected = expected.into_iter().chain([("shard read", 0.0), ("shard write", 3.0)]);
    assert_eq!(counts, expected.map(|(name, value)| (name.to_owned(), value)).collect());
}

#[tokio::test]
async fn writes_without_a_key_find_the_shards_with_room() {
    let mut node = node(4).await;
    let mut chosen = [0_u32; 4];
    for _ in 0..4_000 {
        chosen[node.quotas.choose_shard(&node.store).0 as usize] += 1;
    }
    assert!(chosen.iter().all(|count| (900..1_100).contains(count)), "idle shards share evenly: {chosen:?}");
    // Shards 0 to 2 are over their quota; every write goes to the one that is not, until it is as well.
    for shard in 0..3 {
        node.write(shard, 10_000).unwrap();
    }
    node.press(85);
    for _ in 0..10 {
        let shard = node.quotas.place(&node.store, None, 50).expect("shard 3 has room");
        assert_eq!(shard, ShardNumber(3));
    }
    node.write(3, 1_000).unwrap();
    let refusal = node.quotas.place(&node.store, None, 50).unwrap_err();
    assert!(matches!(refusal, Refusal::ShardWrite { .. }), "{refusal}");
}

#[tokio::test]
async fn a_key_goes_to_its_owner_whatever_the_load() {
    let node = node(2).await;
    let ranges = node.store.shards();
    for shard in &ranges {
        for key in [shard.range.begin, shard.range.end] {
            assert_eq!(node.quotas.place(&node.store, Some(key), 100_000).unwrap(), shard.number);
        }
    }
}
