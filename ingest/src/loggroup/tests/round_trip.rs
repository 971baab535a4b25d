//! What is written is read again, by prost and by us.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use prost::Message;

use super::super::messages::{Content, Log, LogGroup, LogGroupList, LogTag};
use super::super::{decode, encode, encode_entry};
use super::*;

/// Few names, so that logs share and repeat them.
fn key() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => prop::sample::select(vec!["a", "b", "level", "msg", "trace_id", "__topic__", "__tag__:x", "_time", ""])
            .prop_map(str::to_owned),
        1 => "\\PC{0,12}",
    ]
}

fn value() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        Just("same".as_bytes().to_vec()),
        "\\PC{0,20}".prop_map(String::into_bytes),
        vec(any::<u8>(), 0..4),
        (120usize..140).prop_map(|length| vec![b'x'; length]),
    ]
}

fn log_strategy() -> impl Strategy<Value = Log> {
    let content = (key(), value()).prop_map(|(key, value)| Content { key, value });
    (any::<u32>(), vec(content, 0..8), option::of(0u32..1_000_000_000)).prop_map(|(time, contents, time_ns)| Log {
        time,
        contents,
        time_ns,
    })
}

fn group() -> impl Strategy<Value = LogGroup> {
    let tag = (prop::sample::select(vec!["x", "y", ""]), "\\PC{0,5}")
        .prop_map(|(key, value)| LogTag { key: key.to_owned(), value });
    let text = || option::of("\\PC{0,5}");
    (vec(log_strategy(), 0..12), text(), text(), text(), text(), vec(tag, 0..4)).prop_map(
        |(logs, category, topic, source, machine_uuid, tags)| LogGroup {
            logs,
            category,
            topic,
            source,
            machine_uuid,
            tags,
        },
    )
}

/// All that a reader of a log learns: its time, and each text under its name, wherever the message keeps it.
type Facts = Vec<(u64, Vec<(String, String)>)>;

fn facts(group: &LogGroup) -> Facts {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let mut header: Vec<(String, String)> = Vec::new();
    header.extend(group.topic.iter().filter(|t| !t.is_empty()).map(|topic| ("__topic__".to_owned(), topic.clone())));
    header
        .extend(group.source.iter().filter(|s| !s.is_empty()).map(|source| ("__source__".to_owned(), source.clone())));
    header.extend(group.tags.iter().map(|tag| (format!("__tag__:{}", tag.key), tag.value.clone())));
    let of_log = |log: &Log| {
        let time = u64::from(log.time) * 1_000_000_000 + u64::from(log.time_ns.unwrap_or(0));
        // The one change of a name: ours get a prefix.
        let name = |key: &str| if matches!(key, "" | "_time") { format!("field{key}") } else { key.to_owned() };
        let contents = log.contents.iter().map(|content| (name(&content.key), text(&content.value)));
        let mut pairs: Vec<(String, String)> = contents.chain(header.iter().cloned()).collect();
        pairs.sort();
        (time, pairs)
    };
    group.logs.iter().map(of_log).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn what_prost_writes_comes_back_whole(group in group()) {
        let decoded = decode(&group.encode_to_vec(), &schema(&[])).unwrap();
        prop_assert_eq!(decoded.rows, group.logs.len());
        let Some(batch) = decoded.batch else { return Ok(()) };
        let mut written = Vec::new();
        encode(&batch, &mut written);
        let read = LogGroup::decode(&*written).unwrap();
        prop_assert_eq!(facts(&read), facts(&group));
        // Canonical: prost would write the same number of bytes.
        prop_assert_eq!(read.encoded_len(), written.len());
        // A second time around nothing changes any more.
        let again = decode(&written, &schema(&[])).unwrap();
        prop_assert_eq!(again.repaired, 0);
        let mut rewritten = Vec::new();
        encode(&again.batch.unwrap(), &mut rewritten);
        prop_assert_eq!(facts(&LogGroup::decode(&*rewritten).unwrap()), facts(&group));
    }

    #[test]
    fn entries_are_a_list(groups in vec(group(), 0..4)) {
        let mut list = Vec::new();
        let mut expected = Vec::new();
        for group in &groups {
            if let Some(batch) = decode(&group.encode_to_vec(), &schema(&[])).unwrap().batch {
                encode_entry(&batch, &mut list);
                expected.push(facts(group));
            }
        }
        let read = LogGroupList::decode(&*list).unwrap();
        prop_assert_eq!(read.groups.iter().map(facts).collect::<Vec<Facts>>(), expected);
    }
}

#[test]
fn the_header_comes_back_as_the_header() {
    let logs = vec![log(1, &[("a", "1")]), log(2, &[("a", "2")])];
    let tags = vec![tag("k", "v"), tag("empty", "")];
    let group = LogGroup { logs, topic: Some("t".into()), source: Some("s".into()), tags, ..Default::default() };
    let mut written = Vec::new();
    encode(&decoded(&group, &schema(&[])), &mut written);
    assert_eq!(LogGroup::decode(&*written).unwrap(), group);
}

/// Rows that came as JSON are read as LogGroups too.
#[test]
fn columns_of_any_type_are_written_as_sql_prints_them() {
    let lines = concat!(
        r#"{"_time":"1969-12-31T23:59:59.5Z","n":-7,"f":1.5,"b":true,"__topic__":"x","s":"t"}"#,
        "\n",
        r#"{"_time":"2200-01-01T00:00:00Z","n":"late","f":2,"__topic__":"y"}"#,
        "\n",
        r#"{"_time":"2015-05-17T10:05:03.25Z","f":1e300}"#,
    );
    let batch = crate::testing::decode(crate::Format::Ndjson, lines).batch.unwrap();
    let mut written = Vec::new();
    encode(&batch, &mut written);
    let logs: Vec<String> = LogGroup::decode(&*written)
        .unwrap()
        .logs
        .iter()
        .map(|log| {
            let pairs: Vec<String> =
                log.contents.iter().map(|c| format!("{}={}", c.key, String::from_utf8_lossy(&c.value))).collect();
            format!("{} {:?} {}\n", log.time, log.time_ns, pairs.join(" "))
        })
        .collect();
    expect![[r#"
        0 None n=-7 f=1.5 b=true __topic__=x s=t
        4294967295 None f=2.0 __topic__=y n=late
        1431857103 Some(250000000) f=1e300
    "#]]
    .assert_eq(&logs.concat());
}

#[test]
fn a_slice_of_a_batch_is_written_alone() {
    let logs = (0..5).map(|i| log(i, &[("a", &i.to_string()), ("a", "twice")])).collect();
    let group = LogGroup { logs, topic: Some("t".into()), ..Default::default() };
    let batch = decoded(&group, &schema(&[])).slice(1, 3);
    let mut written = Vec::new();
    encode(&batch, &mut written);
    assert_eq!(LogGroup::decode(&*written).unwrap(), LogGroup { logs: group.logs[1..4].to_vec(), ..group });
}
