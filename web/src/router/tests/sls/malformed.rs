use culprit_ingest::Codec;

use super::*;

const PUT: &str = "/logstores/app/shards/lb";

fn raw(body: Vec<u8>) -> Ask {
    ask("POST", PUT).header("content-type", "application/x-protobuf").bytes(body)
}

/// A prefix of a message is a message when it ends between two fields; the oracle is another decoder.
#[tokio::test]
async fn a_group_that_is_cut_anywhere_is_refused_or_whole() {
    let bench = bench().await;
    bench.shop(1).await;
    let whole = group(&["first", "second"]).encode_to_vec();
    let mut stored = 0;
    for length in 0..whole.len() {
        let cut = whole[..length].to_vec();
        let expected = LogGroup::decode(&cut[..]);
        let got = bench.sls(raw(cut)).await;
        match expected {
            Ok(group) => {
                got.empty();
                stored += group.logs.len();
            }
            Err(_) => {
                got.refused(400, "PostBodyInvalid");
            }
        }
    }
    assert_eq!(bench.messages("app", 0).await.len(), stored);
    bench.storage.shutdown().await.unwrap();
}

#[tokio::test]
async fn bombs_are_cut_off() {
    let bench = bench().await;
    bench.shop(1).await;
    let zeros = vec![0_u8; 64 << 20];
    for codec in ["zstd", "gzip", "deflate"] {
        let bomb = Codec::parse(codec).unwrap().compress(&zeros);
        let bomb = if bomb.len() > BODY_BYTES_MAX { bomb[..BODY_BYTES_MAX].to_vec() } else { bomb };
        let packed =
            |size: usize| raw(bomb.clone()).header("x-log-compresstype", codec).header("x-log-bodyrawsize", size);
        bench.sls(packed(100)).await.refused(400, "InvalidBodyRawSize");
        bench.sls(packed(64 << 20)).await.refused(400, "PostBodyTooLarge");
    }
    bench.storage.shutdown().await.unwrap();
}

#[tokio::test]
async fn what_is_no_log_is_told_as_such() {
    let bench = bench().await;
    bench.shop(1).await;
    let mut log = group(&["x"]);
    log.logs[0].contents[0].key = "k".repeat(10);
    let mut key_not_text = log.encode_to_vec();
    let at = key_not_text.windows(10).position(|part| part == b"kkkkkkkkkk").unwrap();
    key_not_text[at] = 0xff;
    let mut value_not_text = group(&["valueeee"]).encode_to_vec();
    let at = value_not_text.windows(8).position(|part| part == b"valueeee").unwrap();
    value_not_text[at] = 0xff;
    bench.sls(raw(key_not_text)).await.refused(400, "PostBodyInvalid");
    bench.sls(raw(b"{\"not\":\"protobuf\"}".to_vec())).await.refused(400, "PostBodyInvalid");
    bench.sls(raw(value_not_text)).await.empty();
    let old =
        LogGroup { logs: vec![Log { time: 1, contents: vec![content("msg", "old")], time_ns: None }], ..group(&[]) };
    bench.sls(raw(old.encode_to_vec())).await.empty();
    let far = LogGroup {
        logs: vec![Log { time: u32::MAX, contents: vec![content("msg", "far")], time_ns: None }],
        ..group(&[])
    };
    bench.sls(raw(far.encode_to_vec())).await.empty();
    let found = bench.messages("app", 0).await;
    assert_eq!(found, ["\u{fffd}alueeee", "old", "far"]);
    bench.storage.shutdown().await.unwrap();
}

#[tokio::test]
async fn wide_and_long_logs_are_taken() {
    let bench = bench_of(Access::default(), 32 << 20).await;
    bench.shop(1).await;
    let wide: Vec<Content> = (0..10_000).map(|key| content(&format!("key{key}"), &key.to_string())).collect();
    let wide = LogGroup { logs: vec![Log { time: 1_700_000_000, contents: wide, time_ns: None }], ..group(&[]) };
    bench.sls(raw(wide.encode_to_vec())).await.empty();
    let long = group(&[&"v".repeat(10 << 20)]);
    bench.sls(raw(long.encode_to_vec())).await.empty();
    let got = bench.ask("GET", "/logstores/app/shards/0?type=log&cursor=MA==&count=1").await.ok();
    let list = LogGroupList::decode(&got.body[..]).unwrap();
    assert_eq!(list.groups[0].logs[0].contents.len(), 10_000);
    let path = format!("/logstores/app/shards/0?type=log&cursor={}&count=1", got.header("x-log-cursor"));
    let got = bench.ask("GET", &path).await.ok();
    assert_eq!(LogGroupList::decode(&got.body[..]).unwrap().groups, [long]);
    bench.storage.shutdown().await.unwrap();
}
