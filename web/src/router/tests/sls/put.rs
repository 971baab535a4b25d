use culprit_ingest::Codec;

use super::*;

/// What is compressed here is compressed by the libraries themselves.
fn compressed(codec: &str, raw: &[u8]) -> Vec<u8> {
    match codec {
        "gzip" | "deflate" | "zstd" | "lz4" => Codec::parse(codec).unwrap().compress(raw),
        _ => raw.to_vec(),
    }
}

#[tokio::test]
async fn logs_come_back_as_they_were_put_whatever_the_compression() {
    let bench = bench().await;
    bench.shop(1).await;
    let sent = group(&["one", "two"]);
    let raw = sent.encode_to_vec();
    for codec in ["", "lz4", "zstd", "deflate", "gzip"] {
        let mut asked = ask("POST", "/logstores/app/shards/lb")
            .header("content-type", "application/x-protobuf")
            .header("x-log-bodyrawsize", raw.len());
        if !codec.is_empty() {
            asked = asked.header("x-log-compresstype", codec);
        }
        bench.sls(asked.bytes(compressed(codec, &raw))).await.empty();
    }
    bench.sls(ask("POST", "/logstores/app").logs(&sent)).await.empty();
    for codec in ["", "lz4", "zstd", "deflate", "gzip"] {
        let path = "/logstores/app/shards/0?type=log&cursor=MA==&count=6";
        let got = bench.sls(ask("GET", path).header("accept-encoding", codec)).await.ok();
        assert_eq!((got.header("x-log-count"), got.header("x-log-compresstype")), ("6", codec));
        assert_eq!((got.header("x-log-cursor"), got.header("content-type")), ("Ng==", "application/x-protobuf"));
        let size = got.header("x-log-bodyrawsize").parse().unwrap();
        let codec = Codec::parse(codec).unwrap();
        let plain = codec.decompress(&got.body.clone().into(), Some(size), 1 << 20).unwrap();
        assert_eq!(plain.len(), size);
        let list = LogGroupList::decode(&plain[..]).unwrap();
        assert_eq!(list.groups, vec![sent.clone(); 6]);
    }
    bench.storage.shutdown().await.unwrap();
}

#[tokio::test]
async fn a_hash_key_finds_the_shard_that_owns_it() {
    let bench = bench().await;
    bench.shop(2).await;
    for (key, shard) in [("7fffffffffffffffffffffffffffffff", 0), ("80000000000000000000000000000000", 1)] {
        let path = format!("/logstores/app/shards/route?key={key}");
        bench.sls(ask("POST", &path).logs(&group(&[key]))).await.empty();
        assert_eq!(bench.messages("app", shard).await, [key]);
    }
    for key in ["", "?key=", "?key=8", "?key=zz000000000000000000000000000000"] {
        let path = format!("/logstores/app/shards/route{key}");
        bench.sls(ask("POST", &path).logs(&group(&["x"]))).await.refused(400, "InvalidKey");
    }
    bench.storage.shutdown().await.unwrap();
}

#[tokio::test]
async fn a_counted_write_is_stored_once() {
    let bench = bench().await;
    bench.shop(2).await;
    let (low, high) = ("00000000000000000000000000000001", "f0000000000000000000000000000001");
    let put = async |key: &str, number: &str, text: &str| {
        let path = format!("/logstores/app/shards/route?key={key}&seqid={number}");
        bench.sls(ask("POST", &path).logs(&group(&[text]))).await
    };
    put(low, "1", "a").await.empty();
    put(high, "1", "b").await.empty();
    for number in ["1", "0", "-3"] {
        put(low, number, "again").await.refused(400, "InvalidSequenceId");
    }
    put(low, "7", "c").await.empty();
    put(low, "6", "late").await.refused(400, "InvalidSequenceId");
    bench.sls(ask("POST", "/logstores/app/shards/0?action=split")).await.ok();
    put(low, "7", "again").await.refused(400, "InvalidSequenceId");
    put(low, "8", "d").await.empty();
    let path = format!("/logstores/app/shards/route?key={low}");
    bench.sls(ask("POST", &path).logs(&group(&["uncounted"]))).await.empty();
    for (shard, messages) in [(0, vec!["a", "c"]), (1, vec!["b"]), (2, vec!["d", "uncounted"])] {
        assert_eq!(bench.messages("app", shard).await, messages, "shard {shard}");
    }
    put(low, "x", "y").await.refused(400, "ParameterInvalid");
    bench.sls(ask("POST", "/logstores/app?seqid=1").logs(&group(&["y"]))).await.refused(400, "InvalidKey");
    bench.storage.shutdown().await.unwrap();
}

#[tokio::test]
async fn wrong_headers_have_their_codes() {
    let bench = bench().await;
    bench.shop(1).await;
    let raw = group(&["x"]).encode_to_vec();
    let lz4 = compressed("lz4", &raw);
    let (kind, size) = ("application/x-protobuf", raw.len().to_string());
    for (headers, body, status, code) in [
        (vec![], &raw, 400, "MissingContentType"),
        (vec![("content-type", "application/json")], &raw, 415, "InvalidContentType"),
        (
            vec![("content-type", kind), ("x-log-compresstype", "rar"), ("x-log-bodyrawsize", &size)],
            &raw,
            400,
            "InvalidCompressType",
        ),
        (vec![("content-type", kind), ("x-log-compresstype", "lz4")], &lz4, 400, "MissingBodyRawSize"),
        (
            vec![("content-type", kind), ("x-log-compresstype", "lz4"), ("x-log-bodyrawsize", "-1")],
            &lz4,
            400,
            "InvalidBodyRawSize",
        ),
        (
            vec![("content-type", kind), ("x-log-compresstype", "lz4"), ("x-log-bodyrawsize", "3")],
            &lz4,
            400,
            "InvalidBodyRawSize",
        ),
        (
            vec![("content-type", kind), ("x-log-compresstype", "lz4"), ("x-log-bodyrawsize", "4000000000")],
            &lz4,
            400,
            "PostBodyTooLarge",
        ),
        (
            vec![("content-type", kind), ("x-log-compresstype", "zstd"), ("x-log-bodyrawsize", &size)],
            &lz4,
            400,
            "PostBodyUncompressError",
        ),
        (vec![("content-type", kind), ("x-log-mode", "other")], &raw, 400, "ParameterInvalid"),
    ] {
        let asked = headers
            .iter()
            .fold(ask("POST", "/logstores/app/shards/lb"), |asked, (name, value)| asked.header(name, value));
        bench.sls(asked.bytes(body.clone())).await.refused(status, code);
    }
    let large = vec![0; BODY_BYTES_MAX + 1];
    let asked = ask("POST", "/logstores/app/shards/lb").header("content-type", kind).bytes(large);
    bench.sls(asked).await.refused(400, "PostBodyTooLarge");
    bench.sls(ask("POST", "/logstores/none/shards/lb").logs(&group(&["x"]))).await.refused(404, "LogStoreNotExist");
    assert_eq!(bench.messages("app", 0).await, Vec::<String>::new(), "nothing of it was stored");
    bench.storage.shutdown().await.unwrap();
}

#[tokio::test]
async fn pages_track_where_the_owner_lets_them() {
    let bench = bench().await;
    bench.shop(1).await;
    bench.ask("GET", "/logstores/app/track?APIVersion=0.6.0&msg=a").await.refused(401, "Unauthorized");
    bench.sls(ask("PUT", "/logstores/app").json(json!({ "enable_tracking": true }))).await.empty();
    // A page of another site, whose browser asks first.
    let page = |method| {
        let request = Request::builder().method(method).uri("http://shop.sls.local/logstores/app/track");
        Ask {
            request: request.header("origin", "https://shop.example").header("accept-language", "en"),
            body: Vec::new(),
        }
    };
    let got = bench.sls(page("OPTIONS")).await.ok();
    assert_eq!(
        (got.header("access-control-allow-origin"), got.header("access-control-allow-methods")),
        ("*", "GET, POST")
    );
    bench.ask("GET", "/logstores/app/track?APIVersion=0.6.0&__topic__=t&msg=a").await.empty();
    let body = json!({ "__topic__": "t", "__tags__": { "k": "v" }, "__logs__": [{ "msg": "b" }, { "msg": "c" }] });
    let got = bench.sls(page("POST").json(body)).await;
    assert_eq!(got.header("access-control-allow-origin"), "*");
    got.empty();
    let packed = br#"{"__logs__":[{"msg":"d"}]}"#;
    let asked = page("POST").header("x-log-compresstype", "deflate").header("x-log-bodyrawsize", packed.len());
    bench.sls(asked.bytes(compressed("deflate", packed))).await.empty();
    assert_eq!(bench.messages("app", 0).await, ["a", "b", "c", "d"]);
    bench.ask("GET", "/logstores/app/track?APIVersion=0.6.0").await.refused(400, "ParameterInvalid");
    bench.sls(page("POST").bytes(b"[]".to_vec())).await.refused(400, "PostBodyInvalid");
    bench.storage.shutdown().await.unwrap();
}

/// The address of remote write takes both: LogGroups of agents, and what Prometheus sends.
#[tokio::test]
async fn metrics_come_as_log_groups_too() {
    let bench = bench().await;
    bench.shop(1).await;
    let store = json!({ "logstoreName": "m", "ttl": 1, "shardCount": 1, "telemetryType": "Metrics" });
    bench.sls(ask("POST", "/logstores").json(store)).await.empty();
    let sample = |value: &str| {
        let contents = vec![
            content("__name__", "up"),
            content("__labels__", "job#$#api|zone#$#z1"),
            content("__time_nano__", "1700000000000000000"),
            content("__value__", value),
        ];
        LogGroup {
            logs: vec![Log { time: 1_700_000_000, contents, time_ns: None }],
            topic: None,
            source: None,
            tags: vec![],
        }
    };
    bench.sls(ask("POST", "/prometheus/shop/m/api/v1/write").logs(&sample("2.5"))).await.empty();
    let query = "/prometheus/shop/m/api/v1/query?query=up&time=1700000000";
    let answer = bench.get(query).await.json();
    assert_eq!(answer["data"]["result"][0]["metric"], json!({ "__name__": "up", "job": "api", "zone": "z1" }));
    assert_eq!(answer["data"]["result"][0]["value"][1], "2.5");
    // And they are read as they came, from memory and from a segment.
    for _ in 0..2 {
        let got = bench.ask("GET", "/logstores/m/shards/0?type=log&cursor=MA==").await.ok();
        assert_eq!(LogGroupList::decode(&got.body[..]).unwrap().groups, [sample("2.5")]);
        bench.storage.flush().await.unwrap();
    }
    bench
        .sls(ask("POST", "/prometheus/shop/none/api/v1/write").logs(&sample("1")))
        .await
        .refused(404, "LogStoreNotExist");
    bench.storage.shutdown().await.unwrap();
}
