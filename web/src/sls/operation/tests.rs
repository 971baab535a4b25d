use axum::http::Uri;

use super::*;

fn parse(method: &str, target: &str) -> Result<Operation, SlsError> {
    let uri: Uri = target.parse().unwrap();
    let params = Params::of_uri(&uri).unwrap();
    Operation::parse(&method.parse().unwrap(), uri.path(), &params)
}

fn of_store(act: StoreAct) -> Operation {
    Operation::Store { name: "app".to_owned(), act }
}

#[test]
fn every_operation_has_its_address() {
    let group = || "g".to_owned();
    for (method, target, operation) in [
        ("GET", "/", Operation::GetProject),
        ("POST", "/", Operation::CreateProject),
        ("PUT", "/", Operation::UpdateProject),
        ("DELETE", "/", Operation::DeleteProject),
        ("GET", "/logs?query=x", Operation::ProjectLogs),
        ("GET", "/logstores?offset=0&size=10", Operation::ListLogstores),
        ("POST", "/logstores", Operation::CreateLogstore),
        ("GET", "/storeviews", Operation::ListViews),
        ("DELETE", "/storeviews/v", Operation::View { name: "v".to_owned(), act: ViewAct::Delete }),
        ("GET", "/logstores/app", of_store(StoreAct::Get)),
        ("GET", "/logstores/a%70p/", of_store(StoreAct::Get)),
        ("GET", "/logstores/app?type=", of_store(StoreAct::Get)),
        ("PUT", "/logstores/app", of_store(StoreAct::Update)),
        ("DELETE", "/logstores/app", of_store(StoreAct::Delete)),
        ("POST", "/logstores/app", of_store(StoreAct::PutLogs(Placing::Balanced))),
        ("POST", "/logstores/app/shards/lb", of_store(StoreAct::PutLogs(Placing::Balanced))),
        ("POST", "/logstores/app/shards/route?key=0", of_store(StoreAct::PutLogs(Placing::ByKey))),
        ("GET", "/logstores/app/shards", of_store(StoreAct::ListShards)),
        ("GET", "/logstores/app/shards/7?type=cursor&from=end", of_store(StoreAct::GetCursor(7))),
        ("GET", "/logstores/app/shards/7?type=cursor_time", of_store(StoreAct::GetCursorTime(7))),
        ("GET", "/logstores/app/shards/7?type=log", of_store(StoreAct::PullLogs(7))),
        ("GET", "/logstores/app/shards/7?type=logs", of_store(StoreAct::PullLogs(7))),
        ("POST", "/logstores/app/shards/7?action=split", of_store(StoreAct::SplitShard(7))),
        ("POST", "/logstores/app/shards/7?action=merge", of_store(StoreAct::MergeShards(7))),
        ("DELETE", "/logstores/app/shards/7", of_store(StoreAct::DeleteShard(7))),
        ("GET", "/logstores/app/consumergroups", of_store(StoreAct::ListGroups)),
        ("POST", "/logstores/app/consumergroups", of_store(StoreAct::CreateGroup)),
        ("PUT", "/logstores/app/consumergroups/g", of_store(StoreAct::UpdateGroup(group()))),
        ("DELETE", "/logstores/app/consumergroups/g", of_store(StoreAct::DeleteGroup(group()))),
        ("GET", "/logstores/app/consumergroups/g?shard=1", of_store(StoreAct::GetCheckpoints(group()))),
        ("POST", "/logstores/app/consumergroups/g?type=heartbeat", of_store(StoreAct::Heartbeat(group()))),
        ("POST", "/logstores/app/consumergroups/g?type=checkpoint", of_store(StoreAct::PutCheckpoint(group()))),
        ("POST", "/logstores/app/index", of_store(StoreAct::CreateIndex)),
        ("PUT", "/logstores/app/index", of_store(StoreAct::UpdateIndex)),
        ("GET", "/logstores/app/index", of_store(StoreAct::GetIndex)),
        ("DELETE", "/logstores/app/index", of_store(StoreAct::DeleteIndex)),
        ("POST", "/logstores/app/logs", of_store(StoreAct::GetLogs)),
        ("GET", "/logstores/app?type=log", of_store(StoreAct::GetLogsOld)),
        ("GET", "/logstores/app?type=histogram", of_store(StoreAct::GetHistograms)),
        ("GET", "/logstores/app?type=context_log", of_store(StoreAct::GetContextLogs)),
        ("GET", "/logstores/app?type=topic", of_store(StoreAct::ListTopics)),
        ("GET", "/logstores/app/track?a=b", of_store(StoreAct::Track)),
        ("POST", "/logstores/app/track", of_store(StoreAct::Track)),
        ("POST", "/logstores/app/substores", of_store(StoreAct::Substore(Substore::Create))),
        ("PUT", "/logstores/app/substores/storage/ttl", of_store(StoreAct::Substore(Substore::PutTtl))),
    ] {
        assert_eq!(parse(method, target).unwrap(), operation, "{method} {target}");
    }
}

#[test]
fn what_is_no_operation_is_said() {
    for (method, target, code, part) in [
        ("PATCH", "/", Code::InvalidMethod, "/ does not take PATCH"),
        ("POST", "/logs", Code::InvalidMethod, "/logs does not take POST"),
        ("PUT", "/logstores", Code::InvalidMethod, "/logstores does not take PUT"),
        ("GET", "/logstores/app/shards/lb", Code::InvalidMethod, "does not take GET"),
        ("PUT", "/logstores/app/track", Code::InvalidMethod, "does not take PUT"),
        ("GET", "/logstores/app?type=logs", Code::ParameterInvalid, "type of GET /logstores/app is \"logs\""),
        ("GET", "/logstores/app/shards/x?type=log", Code::ParameterInvalid, "the shard of"),
        ("GET", "/logstores/app/shards/-1?type=log", Code::ParameterInvalid, "the shard of"),
        ("GET", "/logstores/app/shards/4294967296?type=log", Code::ParameterInvalid, "it must be a number"),
        ("GET", "/logstores/app/shards/1", Code::ParameterInvalid, "type of"),
        ("POST", "/logstores/app/shards/1?action=burst", Code::ParameterInvalid, "split or merge"),
        ("POST", "/logstores/app/consumergroups/g", Code::ParameterInvalid, "heartbeat or checkpoint"),
        ("GET", "/logstores/%ff", Code::ParameterInvalid, "is not UTF-8"),
        ("GET", "/jobs", Code::NotSupported, "GET /jobs is not an operation"),
        ("GET", "/logstores/app/shipper", Code::NotSupported, "not an operation"),
        ("POST", "/logstores/app/shards/1/2", Code::NotSupported, "not an operation"),
    ] {
        let error = parse(method, target).unwrap_err();
        assert_eq!(error.code, code, "{method} {target}: {error}");
        assert!(error.message.contains(part), "{method} {target}: {error}");
    }
}

/// A path that means another store once it is decoded stays one name, which no store can have.
#[test]
fn a_slash_in_a_name_stays_in_the_name() {
    let Operation::Store { name, act } = parse("GET", "/logstores/..%2f..%2fetc").unwrap() else { panic!("a store") };
    assert_eq!((name.as_str(), act), ("../../etc", StoreAct::Get));
}

#[test]
fn writers_readers_and_consumers_need_their_own_right() {
    for (method, target, rights) in [
        ("POST", "/logstores/app/shards/lb", vec![Right::Write]),
        ("GET", "/logstores/app/shards/1?type=log", vec![Right::Consume]),
        ("POST", "/logstores/app/consumergroups/g?type=checkpoint", vec![Right::Consume]),
        ("POST", "/logstores/app/logs", vec![Right::Read]),
        ("GET", "/logs", vec![Right::Read]),
        ("DELETE", "/logstores/app", vec![Right::Admin]),
        ("POST", "/logstores/app/shards/1?action=split", vec![Right::Admin]),
        ("DELETE", "/", vec![Right::Admin]),
        ("GET", "/logstores/app/track", vec![]),
    ] {
        assert_eq!(parse(method, target).unwrap().rights(), rights, "{method} {target}");
    }
}
