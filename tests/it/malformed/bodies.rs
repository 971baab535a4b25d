//! Bodies of PutLogs: cut, of another size than announced, swollen, wide, deep, not text.

use prost::Message;

use super::raw::{self, Verdict};
use super::{NEIGHBOUR, Neighbour, PROJECT, STORE, is_alive};
use crate::harness::{Content, Log, LogGroup, LogTag, Server, Sls, cursor_of, lz4_block, now_millis, number_of};

const TARGET: &str = "/logstores/shop/shards/lb";
const HOST: (&str, &str) = ("host", "attacked.sls.local");
const PROTOBUF: (&str, &str) = ("content-type", "application/x-protobuf");
/// What refusing all of this may cost in memory, in KiB; a bomb that went off would cost a multiple.
const MEMORY_KIB_MAX: u64 = 800 * 1024;
const HALF_A_CENTURY: u32 = 50 * 365 * 24 * 3600;

async fn start() -> (Server, Sls, Neighbour) {
    let server = Server::start("").await;
    let sls = Sls::new(&server.client, PROJECT, None);
    sls.create_project().await;
    sls.create_store(STORE, 1).await;
    let neighbour = Neighbour::settle(&server).await;
    (server, sls, neighbour)
}

async fn put(server: &Server, headers: &[(&str, &str)], body: &[u8]) -> Verdict {
    raw::send(server, TARGET, &[&[HOST, PROTOBUF], headers].concat(), body).await
}

fn refused(code: &str) -> Verdict {
    (400, code.to_owned())
}

fn group() -> LogGroup {
    let logs = (0..3).map(|n| Log { time_ns: Some(n), ..Log::new(1_700_000_000 + n, &[("path", "/a"), ("n", "1")]) });
    let tags = vec![LogTag { key: "host".to_owned(), value: "h1".to_owned() }];
    LogGroup {
        topic: Some("topic".to_owned()),
        source: Some("10.0.0.1".to_owned()),
        tags,
        ..LogGroup::of(logs.collect())
    }
}

/// All that the attacked store holds.
async fn stored(sls: &Sls) -> Vec<LogGroup> {
    let end = number_of(&sls.cursor(STORE, 0, "end").await.unwrap());
    let mut at = number_of(&sls.cursor(STORE, 0, "begin").await.unwrap());
    let mut groups = Vec::new();
    while at < end {
        let pull = sls.pull(STORE, 0, &cursor_of(at), 100).await.unwrap();
        groups.extend(pull.groups);
        at = number_of(&pull.next);
    }
    groups
}

#[tokio::test]
async fn groups_that_are_cut_at_every_byte() {
    let (server, sls, neighbour) = start().await;
    let whole = group().encode_to_vec();
    let mut logs = 0;
    for length in 0..=whole.len() {
        // A cut between two fields leaves a smaller group that is a good one.
        let expected = match LogGroup::decode(&whole[..length]) {
            Ok(group) => {
                logs += group.logs.len();
                (200, String::new())
            }
            Err(_) => refused("PostBodyInvalid"),
        };
        assert_eq!(put(&server, &[], &whole[..length]).await, expected, "cut after {length} of {} bytes", whole.len());
    }
    let found: usize = stored(&sls).await.iter().map(|group| group.logs.len()).sum();
    assert_eq!(found, logs, "no log of a refused group is there");
    neighbour.is_undisturbed(&server).await;
}

#[tokio::test]
async fn sizes_that_are_not_the_right_ones() {
    let (server, sls, neighbour) = start().await;
    let plain = group().encode_to_vec();
    let block = lz4_block(&plain);
    let sizes = [
        ((plain.len() - 1).to_string(), &["InvalidBodyRawSize", "PostBodyUncompressError"][..]),
        ((plain.len() + 1).to_string(), &["InvalidBodyRawSize", "PostBodyUncompressError"]),
        ("0".to_owned(), &["InvalidBodyRawSize", "PostBodyUncompressError"]),
        ("-1".to_owned(), &["InvalidBodyRawSize"]),
        ("many".to_owned(), &["InvalidBodyRawSize"]),
        (u64::MAX.to_string(), &["PostBodyTooLarge"]),
        ("1000000000".to_owned(), &["PostBodyTooLarge"]),
    ];
    for (size, codes) in sizes {
        let (status, code) = put(&server, &[("x-log-compresstype", "lz4"), ("x-log-bodyrawsize", &size)], &block).await;
        assert!(status == 400 && codes.contains(&code.as_str()), "declared {size}: {status} {code}");
    }
    let size = plain.len().to_string();
    let declared = ("x-log-bodyrawsize", size.as_str());
    for (headers, body, expected) in [
        (vec![("x-log-compresstype", "lz4")], block.as_slice(), refused("MissingBodyRawSize")),
        (vec![("x-log-compresstype", "rar"), declared], &block, refused("InvalidCompressType")),
        (vec![("x-log-compresstype", "lz4"), declared], &block[..block.len() / 2], refused("PostBodyUncompressError")),
        (vec![("x-log-compresstype", "zstd"), declared], &block, refused("PostBodyUncompressError")),
        (vec![("x-log-compresstype", "deflate"), declared], &block, refused("PostBodyUncompressError")),
        (vec![("x-log-compresstype", "lz4"), declared], b"", refused("PostBodyUncompressError")),
        (vec![("content-length", "999999999999")], b"", refused("PostBodyTooLarge")),
    ] {
        assert_eq!(put(&server, &headers, body).await, expected, "{headers:?}");
    }
    assert_eq!(raw::send(&server, TARGET, &[HOST], &plain).await, refused("MissingContentType"));
    // Announced and never sent: the refusal comes all the same.
    let announced = [HOST, ("content-length", "5000")];
    assert_eq!(raw::send(&server, TARGET, &announced, b"").await, refused("MissingContentType"));
    let (status, code) = raw::send(&server, TARGET, &[HOST, ("content-type", "text/plain")], &plain).await;
    assert_eq!((status, code.as_str()), (415, "InvalidContentType"));
    assert_eq!(stored(&sls).await, []);
    neighbour.is_undisturbed(&server).await;
}

#[tokio::test]
async fn bombs_do_not_go_off() {
    let (server, sls, neighbour) = start().await;
    let zeros = 400_000_000;
    let zstd = zstd::encode_all(std::io::Read::take(std::io::repeat(0), zeros), 1).unwrap();
    // One literal, and a match of it as long as 255 times its bytes.
    let mut lz4 = vec![0x1f, 0, 1, 0];
    lz4.resize(1_600_000, 255);
    lz4.extend([0, 0x10, 0]);
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::copy(&mut std::io::Read::take(std::io::repeat(0), zeros), &mut gzip).unwrap();
    for (kind, body) in [("zstd", zstd), ("lz4", lz4), ("gzip", gzip.finish().unwrap())] {
        assert!(body.len() < 4_000_000, "{kind}: {} bytes are no bomb", body.len());
        for (size, codes) in [
            ("400000000", &["PostBodyTooLarge"][..]),
            ("20000000", &["InvalidBodyRawSize", "PostBodyUncompressError"]),
            ("1000", &["InvalidBodyRawSize", "PostBodyUncompressError"]),
        ] {
            let headers = [("x-log-compresstype", kind), ("x-log-bodyrawsize", size)];
            let (status, code) = put(&server, &headers, &body).await;
            assert!(status == 400 && codes.contains(&code.as_str()), "{kind} of {size}: {status} {code}");
        }
    }
    let peak = server.peak_memory_kib();
    assert!(peak < MEMORY_KIB_MAX, "the server took {peak} KiB");
    assert_eq!(stored(&sls).await, []);
    neighbour.is_undisturbed(&server).await;
}

#[tokio::test]
async fn wide_large_and_odd_groups_come_back_whole() {
    let (server, sls, neighbour) = start().await;
    let keys: Vec<String> = (0..10_000).map(|n| format!("key-{n}")).collect();
    let wide: Vec<(&str, &str)> = keys.iter().map(|key| (key.as_str(), "v")).collect();
    let large = "0123456789".repeat(1_000_000);
    let now = u32::try_from(now_millis() / 1000).unwrap();
    let groups = [
        LogGroup::of(vec![Log::new(now, &wide)]),
        LogGroup::of(vec![Log::new(now, &[("large", &large)])]),
        LogGroup::of(
            [now - HALF_A_CENTURY, now + HALF_A_CENTURY, 0].map(|time| Log::new(time, &[("odd", "clock")])).into(),
        ),
        LogGroup::of(vec![Log::new(now, &[("_time", "x"), ("_offset", "y"), ("", "no key"), ("a\"b;--", "'")])]),
        LogGroup::of(vec![Log::new(now, &[("twice", "1"), ("twice", "2")])]),
    ];
    for group in &groups {
        assert_eq!(put(&server, &[], &group.encode_to_vec()).await, (200, String::new()));
    }
    let found = stored(&sls).await;
    assert_eq!(found.len(), groups.len());
    for (found, sent) in found.iter().zip(&groups) {
        assert!(sorted(found) == sorted(sent), "a group of {} bytes came back as another", sent.encoded_len());
    }
    neighbour.is_undisturbed(&server).await;
}

type Contents = Vec<(String, Vec<u8>)>;

/// Each log's time and its contents in order of their keys, under the names that the server gives to those that are its own.
fn sorted(group: &LogGroup) -> Vec<(u32, Contents)> {
    let name = |key: &str| if key.is_empty() || key.starts_with('_') { format!("field{key}") } else { key.to_owned() };
    let contents = |log: &Log| {
        let mut contents: Vec<_> = log.contents.iter().map(|one| (name(&one.key), one.value.clone())).collect();
        contents.sort();
        contents
    };
    group.logs.iter().map(|log| (log.time, contents(log))).collect()
}

#[tokio::test]
async fn bytes_that_are_not_text() {
    let (server, sls, neighbour) = start().await;
    let broken = |key: &[u8], value: &[u8]| {
        let mut log = Log::new(1_700_000_000, &[]);
        log.contents.push(Content { key: "KEY".to_owned(), value: value.to_vec() });
        let bytes = LogGroup::of(vec![log]).encode_to_vec();
        let at = bytes.windows(3).position(|three| three == b"KEY").expect("the key is in it");
        [&bytes[..at], key, &bytes[at + 3..]].concat()
    };
    assert_eq!(put(&server, &[], &broken(b"KEY", b"a\xff\xfeb")).await, (200, String::new()));
    assert_eq!(put(&server, &[], &broken(b"K\xffY", b"fine")).await, refused("PostBodyInvalid"));
    let found = stored(&sls).await;
    assert_eq!((found.len(), found[0].logs[0].get("KEY")), (1, "a\u{fffd}\u{fffd}b"));
    for body in [&b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"[..], &[0; 1000], &[b'{'; 1000], &[0x0b; 5000]] {
        assert_eq!(put(&server, &[], body).await, refused("PostBodyInvalid"), "{:?}…", &body[..4]);
    }
    let json = [HOST, ("content-type", "application/json")];
    for body in
        ["", "null", "[]", "{", "{\"logstoreName\":{}}", &"[".repeat(200_000), "{\"logstoreName\":\"x\\ud800\"}"]
    {
        let (status, code) = raw::send(&server, "/logstores", &json, body.as_bytes()).await;
        assert!(status == 400 && !code.is_empty(), "{:.20}: {status} {code}", body);
    }
    neighbour.is_undisturbed(&server).await;
    assert_ne!(NEIGHBOUR, PROJECT);
    is_alive(&server).await;
}
