//! 64 shards, writers of log groups and a reader of a consumer group, killed at any moment.
//!
//! The oracle is a ledger of what was sent, with checksums, and the notes of the reader: what once stood at an offset stands there for ever, offsets
//! have no gaps, and in the end everything that was acknowledged stands at one offset of one shard. A group that was cut off may be there or not, but
//! then whole and once; a writer that counts its groups sends it again, and has it once. `CULPRIT_KILLS` asks for more kills than the usual fifty.

mod ledger;
mod reader;

use std::time::Duration;

use crate::harness::{Random, Server, Sls};
use ledger::Ledger;
use reader::Reader;

const PROJECT: &str = "crash";
const STORE: &str = "sharded";
const SHARDS: usize = 64;
const KILLS: u64 = 50;
const WRITERS: u64 = 4;
const SEED: u64 = 20_261_122;
/// Every so many kills, the replay is cut off too, and all rows are counted by SQL.
const KILLED_REPLAY: u64 = 5;
const COUNTED: u64 = 10;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_four_shards_survive_fifty_kills_exactly_once() {
    let kills = std::env::var("CULPRIT_KILLS").map_or(KILLS, |kills| kills.parse().expect("a number of kills"));
    // So that segments are written and the log is truncated between the kills.
    let mut server = Server::start("[store]\nflush_age = \"1s\"\n").await;
    let sls = Sls::new(&server.client, PROJECT, None);
    sls.create_project().await;
    sls.create_store(STORE, SHARDS).await;
    let mut reader = Reader::create(&sls).await;
    let mut random = Random::new(SEED);
    let mut ledger = Ledger::default();
    let mut stored_before = 0;
    for round in 0..kills {
        let before = (ledger.acknowledged(), reader.noted());
        reader = load_until_killed(&mut server, round, &mut random, &mut ledger, reader).await;
        if round % KILLED_REPLAY == 0 {
            server.restart_and_kill9(Duration::from_millis(random.below(150))).await;
        }
        server.restart().await;
        let sls = Sls::new(&server.client, PROJECT, None);
        reader.resume(&sls).await;
        stored_before += ledger.send_again(&sls).await;
        assert!(ledger.acknowledged() > before.0, "round {round} acknowledged nothing: it tests nothing");
        if round % COUNTED == COUNTED - 1 {
            assert!(reader.noted() > before.1, "round {round} read nothing: it tests nothing");
            ledger.compare_by_sql(&server.client).await;
        }
    }
    assert!(stored_before > 0, "no write was sent again behind its own back: it tests nothing");
    server.stop().await;
    server.restart().await;
    let sls = Sls::new(&server.client, PROJECT, None);
    reader.resume(&sls).await;
    reader.read_to_the_end(&sls).await;
    ledger.compare(reader.into_notes());
    ledger.compare_by_sql(&server.client).await;
    assert!(!server.log().contains("panicked"), "{}", server.log());
}

/// Writes and reads from all sides; the moment of the kill is random, so it is the one thing here that a clock decides.
async fn load_until_killed(
    server: &mut Server,
    round: u64,
    random: &mut Random,
    ledger: &mut Ledger,
    reader: Reader,
) -> Reader {
    let sls = Sls::new(&server.client, PROJECT, None);
    // Acknowledged before the kill, whenever that comes.
    ledger.extend(ledger::write(sls.clone(), format!("{round}-first"), random.next(), 1).await);
    let writers: Vec<_> = (0..WRITERS)
        .map(|w| tokio::spawn(ledger::write(sls.clone(), format!("{round}-{w}"), random.next(), u64::MAX)))
        .collect();
    let reading = tokio::spawn(reader.read_until_killed(sls));
    tokio::time::sleep(Duration::from_millis(20 + random.below(700))).await;
    server.kill9().await;
    for writer in writers {
        ledger.extend(writer.await.unwrap());
    }
    reading.await.unwrap()
}
