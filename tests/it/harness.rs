//! A server process, its clients, and what tests wait with.

mod client;
mod clients;
mod loggroup;
mod receiver;
mod remote_write;
mod server;
mod sls;

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

pub(crate) use client::{Client, text};
pub(crate) use clients::{CLIENTS, client_command, finish_client, python};
pub(crate) use loggroup::{Content, Log, LogGroup, LogGroupList, LogTag, lz4_block, lz4_unblock};
pub(crate) use receiver::{Received, Receiver};
pub(crate) use remote_write::{Point, remote_write_body};
pub(crate) use server::{ADMINISTRATOR, AccessKey, Server, command, run, run_against};
pub(crate) use sls::{Sls, cursor_of, number_of, sign};

/// Between two looks at a condition.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// Asks until there is an answer.
pub(crate) async fn wait_for<T>(what: &str, patience: Duration, mut answer: impl AsyncFnMut() -> Option<T>) -> T {
    let asking = async {
        let mut ticks = tokio::time::interval(LOOK_AGAIN);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            if let Some(found) = answer().await {
                return found;
            }
        }
    };
    match tokio::time::timeout(patience, asking).await {
        Ok(found) => found,
        Err(_elapsed) => panic!("waited {patience:?} in vain for {what}"),
    }
}

/// The corpora. None, and said, when nobody named them; a wrong name is a failure.
pub(crate) fn shared(test: &str) -> Option<PathBuf> {
    let Some(path) = std::env::var_os("CULPRIT_SHARED").map(PathBuf::from) else {
        eprintln!("SKIPPED: {test}: CULPRIT_SHARED does not name the folder of the corpora");
        return None;
    };
    assert!(path.is_dir(), "CULPRIT_SHARED={} is not a folder", path.display());
    Some(path)
}

/// Whether all the programs are there. Where nothing may be skipped, a missing one is a failure.
pub(crate) fn has_programs(test: &str, programs: &[&str], hint: &str) -> bool {
    let missing: Vec<_> = programs.iter().filter(|program| !Path::new(program).exists()).collect();
    if missing.is_empty() {
        return true;
    }
    let complaint = format!("{test}: {missing:?} not found; {hint}");
    let is_wanted = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    assert!(!is_wanted("CI") && !is_wanted("CULPRIT_SHARED"), "{complaint}");
    eprintln!("SKIPPED: {complaint}");
    false
}

/// A port that was free a moment ago, for programs that cannot choose one themselves.
pub(crate) fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    listener.local_addr().unwrap().port()
}

/// Milliseconds since the epoch, as clients of the server stamp them.
#[expect(clippy::disallowed_methods, reason = "clients do not share the server's clock")]
pub(crate) fn now_millis() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

/// SplitMix64 (Steele, Lea, Flood 2014): seeded, so that a failure can be run again.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}
