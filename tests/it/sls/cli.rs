//! PyPI's `aliyun-log-cli`: the operations as people type them.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{
    ADMINISTRATOR, Log, LogGroup, LogTag, Server, Sls, client_command, finish_client, now_millis, python,
};

const PATIENCE: Duration = Duration::from_secs(120);
const PROJECT: &str = "typed";

/// `aliyunlog log …` with the keys of the server.
struct Cli<'a> {
    server: &'a Server,
    program: PathBuf,
}

impl Cli<'_> {
    /// What a subcommand prints, as JSON; nothing is null.
    async fn log(&self, subcommand: &str, parameters: &[(&str, &str)]) -> Value {
        let mut command = client_command(&self.program, self.server);
        command.args(["log", subcommand, "--region-endpoint=http://sls.local", "--format-output=json"]);
        command.arg(format!("--access-id={}", ADMINISTRATOR.id));
        command.arg(format!("--access-key={}", ADMINISTRATOR.secret));
        command.args(parameters.iter().map(|(name, value)| format!("--{name}={value}")));
        // It reads and writes its settings there.
        command.env("HOME", self.server.folder());
        let said = finish_client(&mut command, PATIENCE).await;
        let said = said.trim();
        if said.is_empty() { Value::Null } else { serde_json::from_str(said).unwrap_or_else(|_| json!(said)) }
    }

    /// A subcommand on the store of the test.
    async fn on_store(&self, subcommand: &str, parameters: &[(&str, &str)]) -> Value {
        self.log(subcommand, &[&[("project_name", PROJECT), ("logstore_name", "shop")], parameters].concat()).await
    }
}

#[tokio::test]
async fn the_command_line_does_what_is_typed() {
    let server = Server::start_locked("").await;
    let program = python().await.with_file_name("aliyunlog");
    let cli = Cli { server: &server, program };
    check_projects_and_stores(&cli).await;
    check_shards(&cli).await;
    check_logs(&cli, &server).await;
    check_groups(&cli).await;
    cli.on_store("delete_logstore", &[]).await;
    cli.log("delete_project", &[("project_name", PROJECT)]).await;
    let left = cli.log("list_project", &[("project_name_pattern", PROJECT)]).await;
    assert_eq!((&left["count"], &left["total"]), (&json!(0), &json!(0)), "{left}");
}

async fn check_projects_and_stores(cli: &Cli<'_>) {
    cli.log("create_project", &[("project_name", PROJECT), ("project_des", "typed by hand")]).await;
    let project = cli.log("get_project", &[("project_name", PROJECT)]).await;
    assert_eq!((&project["projectName"], &project["description"]), (&json!(PROJECT), &json!("typed by hand")));
    cli.on_store("create_logstore", &[("ttl", "5"), ("shard_count", "2")]).await;
    cli.on_store("update_logstore", &[("ttl", "6"), ("auto_split", "false")]).await;
    let store = cli.on_store("get_logstore", &[]).await;
    assert_eq!((&store["ttl"], &store["shardCount"], &store["autoSplit"]), (&json!(6), &json!(2), &json!(false)));
    let listed = cli.log("list_logstore", &[("project_name", PROJECT)]).await;
    assert_eq!(listed["logstores"], json!(["shop"]));
    let index = json!({"line": {"token": [" "]}, "keys": {"n": {"type": "long", "doc_value": true}}}).to_string();
    cli.on_store("create_index", &[("index_detail", &index)]).await;
    let index = cli.on_store("get_index_config", &[]).await;
    assert_eq!(index["keys"]["n"]["type"], json!("long"), "{index}");
}

async fn check_shards(cli: &Cli<'_>) {
    let quarter = format!("4{}", "0".repeat(31));
    cli.on_store("split_shard", &[("shardId", "0"), ("split_hash", &quarter)]).await;
    let shards = cli.on_store("list_shards", &[]).await;
    let states: Vec<_> = shards.as_array().unwrap().iter().map(|shard| (&shard["shardID"], &shard["status"])).collect();
    let expected = [(0, "readonly"), (1, "readwrite"), (2, "readwrite"), (3, "readwrite")];
    for (shard, status) in expected {
        assert!(states.contains(&(&json!(shard), &json!(status))), "{shard} is not {status}: {states:?}");
    }
    cli.on_store("merge_shard", &[("shardId", "2")]).await;
    let shards = cli.on_store("list_shards", &[]).await;
    let writable = shards.as_array().unwrap().iter().filter(|shard| shard["status"] == json!("readwrite"));
    assert_eq!(writable.count(), 2, "{shards}");
}

async fn check_logs(cli: &Cli<'_>, server: &Server) {
    let now = u32::try_from(now_millis() / 1000).unwrap();
    let sls = Sls::new(&server.client, PROJECT, Some(ADMINISTRATOR));
    let logs = (0..30).map(|n| Log::new(now - 30, &[("n", &n.to_string()), ("message", "typed and found")])).collect();
    let tags = vec![LogTag { key: "__pack_id__".to_owned(), value: "AB12-1".to_owned() }];
    let group = LogGroup { topic: Some("typed".to_owned()), tags, ..LogGroup::of(logs) };
    let answer = sls.put("shop", &format!("shards/route?key={}", "0".repeat(32)), &group).await.unwrap();
    assert_eq!(answer.verdict().0, 200);

    let (from, to) = ((now - 600).to_string(), (now + 60).to_string());
    let store = [("project", PROJECT), ("logstore", "shop"), ("from_time", from.as_str()), ("to_time", to.as_str())];
    let found = cli.log("get_log", &[&store[..], &[("query", "n > 27")]].concat()).await;
    assert_eq!(found.as_array().unwrap_or(&vec![]).len(), 2, "{found}");
    let counted = cli.log("get_log", &[&store[..], &[("query", "* | select sum(n) as s")]].concat()).await;
    assert_eq!(counted[0]["s"], json!("435"), "{counted}");
    // The lower half is shard 4 since the split and the merge.
    let begin = cli.on_store("get_begin_cursor", &[("shard_id", "4")]).await;
    let cursor = begin["cursor"].as_str().expect("a cursor").to_owned();
    let pulled = cli.on_store("pull_logs", &[("shard_id", "4"), ("cursor", &cursor), ("count", "10")]).await;
    assert_eq!(pulled["count"], json!(30), "{pulled}");
    let dump = server.folder().join("dump_{}.log").display().to_string();
    let range = [("from_time", "begin"), ("to_time", "end"), ("file_path", dump.as_str())];
    cli.on_store("pull_log_dump", &range).await;
    assert_eq!(lines_below(server.folder(), "dump_"), 30);
}

async fn check_groups(cli: &Cli<'_>) {
    let store = [("project", PROJECT), ("logstore", "shop")];
    let group = [&store[..], &[("consumer_group", "readers")]].concat();
    cli.log("create_consumer_group", &[&group[..], &[("timeout", "30"), ("in_order", "true")]].concat()).await;
    cli.log("update_consumer_group", &[&group[..], &[("timeout", "40")]].concat()).await;
    let groups = cli.log("list_consumer_group", &store).await;
    assert_eq!(groups, json!([{"name": "readers", "timeout": 40, "order": true}]));
    cli.log("delete_consumer_group", &group).await;
    assert_eq!(cli.log("list_consumer_group", &store).await, json!([]));
}

fn lines_below(folder: &Path, prefix: &str) -> usize {
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let wanted = files.filter(|path| path.file_name().unwrap().to_string_lossy().starts_with(prefix));
    wanted.map(|path| std::fs::read_to_string(path).unwrap().lines().count()).sum()
}
