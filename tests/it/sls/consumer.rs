//! The consumer library of `aliyun-log-python-sdk`: workers that join, leave, and are killed while others write and a shard is split.
//!
//! The oracle: every key has its own numbers, written one after the other. The workers note what they processed and which checkpoints they saved;
//! only what the killed one processed after its last saved checkpoint may be seen again.

mod journal;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use reqwest::Method;
use serde_json::json;
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;

use crate::harness::{ADMINISTRATOR, Log, LogGroup, Server, Sls, client_command, python, wait_for};
use journal::{Journal, check};

const PROJECT: &str = "consumed";
const STORE: &str = "shop";
const GROUP: &str = "readers";
const SHARDS: usize = 4;
const KEYS: u64 = 32;
const WRITERS: u64 = 4;
/// Between two log groups of a writer: about what the workers read, who pace themselves.
const WRITE_INTERVAL: Duration = Duration::from_millis(25);
/// Heartbeats come every second, and a silent worker is given up after two.
const PATIENCE: Duration = Duration::from_secs(90);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn workers_come_and_go_and_no_log_is_lost_or_out_of_order() {
    let server = Server::start_locked("").await;
    let sls = Sls::new(&server.client, PROJECT, Some(ADMINISTRATOR));
    sls.create_project().await;
    sls.create_store(STORE, SHARDS).await;
    let crew = Crew { python: python().await, server: &server };
    let load = Load::start(&sls);

    let mut first = crew.hire("first").await;
    first.processes_more("the first worker alone", 200).await;
    let mut second = crew.hire("second").await;
    second.processes_more("the second worker after it joined", 100).await;

    let shard = first.journal().last_shard();
    let parts = sls.call(Method::POST, &format!("/logstores/{STORE}/shards/{shard}?action=split"), None).await;
    let is_child = |part: &&serde_json::Value| part["status"] == json!("readwrite");
    let children: Vec<u64> =
        parts.as_array().unwrap().iter().filter(is_child).map(|part| part["shardID"].as_u64().unwrap()).collect();
    assert_eq!(children.len(), 2, "{parts}");
    for child in children {
        wait_for("logs of the children", PATIENCE, async || {
            [&first, &second].iter().any(|worker| worker.journal().has_shard(child)).then_some(())
        })
        .await;
    }

    first.kill9().await;
    second.processes_more("the worker that is left", 200).await;
    let mut third = crew.hire("third").await;
    third.processes_more("the third worker after it joined", 100).await;
    second.leave().await;
    third.processes_more("the third worker alone", 200).await;

    let written = load.stop().await;
    wait_for("every log to be processed", PATIENCE, async || {
        let journals = [&first, &second, &third].map(Worker::journal);
        let seen = journals.iter().flat_map(Journal::logs).collect::<std::collections::BTreeSet<_>>();
        (seen.len() as u64 == written.iter().sum::<u64>()).then_some(())
    })
    .await;
    third.leave().await;
    check(&first.journal(), &[&second.journal(), &third.journal()], &written);
    assert!(!server.log().contains("panicked"), "{}", server.log());
}

/// Writers, each with keys of its own: the next number of a key is sent when the one before it is acknowledged.
struct Load {
    is_over: Arc<AtomicBool>,
    /// How many numbers each key has.
    written: Arc<Vec<AtomicU64>>,
    writers: Vec<JoinHandle<()>>,
}

impl Load {
    fn start(sls: &Sls) -> Self {
        let is_over = Arc::<AtomicBool>::default();
        let written: Arc<Vec<AtomicU64>> = Arc::new((0..KEYS).map(|_| AtomicU64::new(0)).collect());
        let writer = |w| tokio::spawn(write(sls.clone(), w, is_over.clone(), written.clone()));
        let writers = (0..WRITERS).map(writer).collect();
        Self { is_over, written, writers }
    }

    async fn stop(self) -> Vec<u64> {
        self.is_over.store(true, Ordering::Relaxed);
        for writer in self.writers {
            writer.await.unwrap();
        }
        self.written.iter().map(|count| count.load(Ordering::Relaxed)).collect()
    }
}

async fn write(sls: Sls, writer: u64, is_over: Arc<AtomicBool>, written: Arc<Vec<AtomicU64>>) {
    let mut ticks = tokio::time::interval(WRITE_INTERVAL);
    for key in (0..KEYS).filter(|key| key % WRITERS == writer).cycle() {
        if is_over.load(Ordering::Relaxed) {
            return;
        }
        ticks.tick().await;
        let next = written[usize::try_from(key).unwrap()].load(Ordering::Relaxed);
        let count = 1 + next % 3;
        let log = |n: u64| Log::new(1_700_000_000, &[("key", &key.to_string()), ("n", &n.to_string())]);
        let group = LogGroup::of((next..next + count).map(log).collect());
        // Keys are spread over the whole space, and so over all shards.
        let hash = u128::from(key) * (u128::MAX / u128::from(KEYS)) + 12_345;
        let answer = sls.put(STORE, &format!("shards/route?key={hash:032x}"), &group).await.unwrap();
        assert_eq!(answer.verdict(), (200, String::new()), "a split stops no writer");
        written[usize::try_from(key).unwrap()].fetch_add(count, Ordering::Relaxed);
    }
}

struct Crew<'a> {
    python: PathBuf,
    server: &'a Server,
}

impl Crew<'_> {
    async fn hire(&self, name: &str) -> Worker {
        let file = self.server.folder().join(format!("{name}.journal"));
        let mut command = client_command(&self.python, self.server);
        command.args(["consumer_worker.py", name, PROJECT, STORE, GROUP]).arg(&file);
        let said = std::fs::File::create(self.server.folder().join(format!("{name}.log"))).unwrap();
        let worker = Worker { child: command.stderr(said).spawn().unwrap(), file };
        wait_for("the worker to start", PATIENCE, async || worker.file.exists().then_some(())).await;
        worker
    }
}

struct Worker {
    child: Child,
    file: PathBuf,
}

impl Worker {
    fn journal(&self) -> Journal {
        Journal::read(&self.file)
    }

    async fn processes_more(&self, what: &str, logs: usize) {
        let goal = self.journal().logs().count() + logs;
        wait_for(what, PATIENCE, async || (self.journal().logs().count() >= goal).then_some(())).await;
    }

    async fn kill9(&mut self) {
        self.child.kill().await.unwrap();
    }

    /// As an operator stops it: it finishes what it has begun.
    async fn leave(&mut self) {
        let id = self.child.id().expect("the worker runs").to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().await.unwrap().success());
        let ended = tokio::time::timeout(PATIENCE, self.child.wait()).await;
        let status = ended.unwrap_or_else(|_| panic!("{} did not leave", self.name())).unwrap();
        assert!(status.success() && self.journal().has_left(), "{}: {status}", self.name());
    }

    fn name(&self) -> String {
        Path::new(&self.file).file_stem().unwrap().to_string_lossy().into_owned()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let said = std::fs::read_to_string(self.file.with_extension("log"));
            eprintln!("{} said: {}", self.name(), said.unwrap_or_else(|error| error.to_string()));
        }
    }
}
