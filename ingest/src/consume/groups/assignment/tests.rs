use proptest::prelude::*;

use super::*;

const TIMEOUT_S: i64 = 10;
const READERS: usize = 6;

/// Readers as the clients of the protocol are: they know their own heartbeats and nothing else.
#[derive(Debug, Clone, Default)]
struct Reader {
    is_alive: bool,
    last_beat: Option<i64>,
    /// What it reads, and what it was told to leave but has not yet.
    held: BTreeSet<u32>,
}

#[derive(Debug, Clone)]
enum Step {
    Start(usize),
    Crash(usize),
    /// The flag: whether what was taken away is left at once, or only at the next heartbeat.
    Beat(usize, bool),
    Wait(i64),
    /// A shard is replaced by two, as a split does.
    Split(usize),
    /// The server forgets who reads what.
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    let reader = 0..READERS;
    prop_oneof![
        2 => reader.clone().prop_map(Step::Start),
        1 => reader.clone().prop_map(Step::Crash),
        8 => (reader, any::<bool>()).prop_map(|(reader, at_once)| Step::Beat(reader, at_once)),
        3 => (1..7_i64).prop_map(Step::Wait),
        1 => (0..8_usize).prop_map(Step::Split),
        1 => Just(Step::Restart),
    ]
}

struct World {
    now: i64,
    assignment: Assignment,
    readers: Vec<Reader>,
    open: BTreeSet<u32>,
    next_shard: u32,
}

impl World {
    fn new(shards: u32) -> Self {
        Self {
            now: 1_000,
            assignment: Assignment::new(UnixNanos(i64::MIN)),
            readers: vec![Reader::default(); READERS],
            open: (0..shards).collect(),
            next_shard: shards,
        }
    }

    fn take(&mut self, step: &Step) {
        match *step {
            Step::Start(reader) if !self.readers[reader].is_alive => {
                self.readers[reader] = Reader { is_alive: true, ..Reader::default() };
            }
            Step::Start(_) => {}
            Step::Crash(reader) => self.readers[reader].is_alive = false,
            Step::Beat(reader, leaves_at_once) => self.beat(reader, leaves_at_once),
            Step::Wait(seconds) => self.now += seconds,
            Step::Split(at) => {
                if let Some(shard) = self.open.iter().nth(at).copied() {
                    self.open.remove(&shard);
                    self.open.extend([self.next_shard, self.next_shard + 1]);
                    self.next_shard += 2;
                }
            }
            Step::Restart => self.assignment = Assignment::new(nanos(self.now + TIMEOUT_S)),
        }
    }

    fn beat(&mut self, reader: usize, leaves_at_once: bool) {
        if !self.readers[reader].is_alive {
            return;
        }
        if !self.reads_still(reader) {
            self.readers[reader].held.clear();
        }
        let held: Vec<u32> = self.readers[reader].held.iter().copied().collect();
        let answer: BTreeSet<u32> = self
            .assignment
            .heartbeat(&Heartbeat {
                now: nanos(self.now),
                timeout: Duration::from_secs(TIMEOUT_S.unsigned_abs()),
                consumer: &format!("reader-{reader}"),
                held: &held,
                open: &self.open,
            })
            .into_iter()
            .collect();
        let reader = &mut self.readers[reader];
        reader.last_beat = Some(self.now);
        if leaves_at_once {
            reader.held.retain(|shard| answer.contains(shard));
        }
        reader.held.extend(answer);
    }

    /// A reader that could not be heard for the timeout stops by itself.
    fn reads_still(&self, reader: usize) -> bool {
        let reader = &self.readers[reader];
        reader.is_alive && reader.last_beat.is_some_and(|beat| self.now - beat <= TIMEOUT_S)
    }

    fn readers_of(&self, shard: u32) -> Vec<usize> {
        (0..READERS).filter(|reader| self.reads_still(*reader) && self.readers[*reader].held.contains(&shard)).collect()
    }

    fn assert_one_reader_each(&self) {
        for shard in 0..self.next_shard {
            let readers = self.readers_of(shard);
            assert!(readers.len() <= 1, "shard {shard} is read by {readers:?} at {}", self.now);
        }
    }

    /// The dead have become silent, the living have talked often enough for any hand-over.
    fn settle(&mut self) {
        for _ in 0..8 {
            self.now += TIMEOUT_S / 2;
            for reader in 0..READERS {
                self.beat(reader, true);
                self.assert_one_reader_each();
            }
        }
    }

    fn assert_even(&self) {
        let living: Vec<usize> = (0..READERS).filter(|reader| self.readers[*reader].is_alive).collect();
        if living.is_empty() {
            return;
        }
        for shard in &self.open {
            assert_eq!(self.readers_of(*shard).len(), 1, "shard {shard} has no reader");
        }
        let loads: Vec<usize> = living.iter().map(|reader| self.readers[*reader].held.len()).collect();
        let (least, most) = (loads.iter().min().unwrap(), loads.iter().max().unwrap());
        assert!(most - least <= 1, "{loads:?}");
    }
}

fn nanos(seconds: i64) -> UnixNanos {
    UnixNanos(seconds * 1_000_000_000)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn no_shard_has_two_readers_and_in_the_end_each_has_one(
        shards in 1..9_u32,
        steps in prop::collection::vec(step(), 0..80),
    ) {
        let mut world = World::new(shards);
        for step in &steps {
            world.take(step);
            world.assert_one_reader_each();
        }
        world.settle();
        world.assert_even();
    }
}

/// A joining reader takes its share and no more; the others keep what they have.
#[test]
fn little_moves() {
    let mut world = World::new(6);
    for reader in [0, 1] {
        world.take(&Step::Start(reader));
    }
    world.settle();
    let before: Vec<BTreeSet<u32>> = world.readers.iter().map(|reader| reader.held.clone()).collect();
    assert_eq!([before[0].len(), before[1].len()], [3, 3]);
    world.take(&Step::Start(2));
    world.settle();
    world.assert_even();
    for (old, reader) in before.iter().zip(&world.readers).take(2) {
        assert!(reader.held.is_subset(old), "{old:?} became {:?}", reader.held);
    }
}

/// The new reader waits until the old one has left, which may take the old one several heartbeats.
#[test]
fn a_shard_is_handed_over_in_two_phases() {
    let mut world = World::new(2);
    for reader in [0, 1] {
        world.take(&Step::Start(reader));
    }
    world.take(&Step::Beat(0, true));
    assert_eq!(world.readers[0].held, BTreeSet::from([0, 1]));
    world.take(&Step::Beat(1, true));
    assert!(world.readers[1].held.is_empty());
    for _ in 0..3 {
        world.take(&Step::Beat(0, false));
        world.take(&Step::Beat(1, true));
        assert!(world.readers[1].held.is_empty());
    }
    world.take(&Step::Beat(0, true));
    assert_eq!(world.readers[0].held, BTreeSet::from([0]));
    // It is told of the loss once more, claiming no longer.
    world.take(&Step::Beat(0, true));
    world.take(&Step::Beat(1, true));
    assert_eq!(world.readers[1].held, BTreeSet::from([1]));
}
