//! Our reader and writer against prost's, and against bytes that nobody meant.

mod hostile;
mod round_trip;

use arrow::array::RecordBatch;
use culprit_store::{ColumnType, StoreSchema};
use expect_test::{Expect, expect};
use prost::Message;

use super::messages::{LogGroup, log, tag};
use super::{LogGroupError, decode};
use crate::testing::{schema, to_ndjson};

fn decoded(group: &LogGroup, schema: &StoreSchema) -> RecordBatch {
    decode(&group.encode_to_vec(), schema).unwrap().batch.unwrap()
}

fn check(group: &LogGroup, expected: Expect) {
    expected.assert_eq(&to_ndjson(&decoded(group, &schema(&[]))));
}

#[test]
fn logs_become_rows_and_the_header_columns() {
    let mut second = log(1_431_857_104, &[("level", "warn"), ("took", "12"), ("host", "b")]);
    second.time_ns = Some(123_456_789);
    let logs = vec![
        log(1_431_857_103, &[("level", "info"), ("msg", "a \"b\" é"), ("took", "")]),
        second,
        log(0, &[]),
        log(u32::MAX, &[("msg", "x"), ("level", "y")]),
    ];
    let tags = vec![tag("__pack_id__", "1F-2"), tag("pod", "")];
    let group = LogGroup { logs, topic: Some("t".into()), source: Some("10.0.0.1".into()), tags, ..Default::default() };
    check(
        &group,
        expect![[r#"
        {"_time":"2015-05-17T10:05:03Z","__topic__":"t","__source__":"10.0.0.1","__tag__:__pack_id__":"1F-2","__tag__:pod":"","level":"info","msg":"a \"b\" é","took":""}
        {"_time":"2015-05-17T10:05:04.123456789Z","__topic__":"t","__source__":"10.0.0.1","__tag__:__pack_id__":"1F-2","__tag__:pod":"","level":"warn","took":"12","host":"b"}
        {"_time":"1970-01-01T00:00:00Z","__topic__":"t","__source__":"10.0.0.1","__tag__:__pack_id__":"1F-2","__tag__:pod":""}
        {"_time":"2106-02-07T06:28:15Z","__topic__":"t","__source__":"10.0.0.1","__tag__:__pack_id__":"1F-2","__tag__:pod":"","level":"y","msg":"x"}
    "#]],
    );
}

#[test]
fn nothing_that_comes_twice_or_bears_a_name_of_ours_is_lost() {
    let logs = vec![
        log(1, &[("a", "1"), ("a", "2"), ("__topic__", "mine"), ("b", "3"), ("a", "4")]),
        log(2, &[("_time", "x"), ("_overflow", "y"), ("", "z"), ("__tag__:k", "w")]),
    ];
    let tags = vec![tag("k", "v"), tag("k", "again")];
    let group = LogGroup { logs, topic: Some("t".into()), source: Some(String::new()), tags, ..Default::default() };
    check(
        &group,
        expect![[r#"
        {"_time":"1970-01-01T00:00:01Z","__topic__":"t","__tag__:k":"v","a":"1","b":"3","_overflow":{"a":"2","__topic__":"mine","a":"4","__tag__:k":"again"}}
        {"_time":"1970-01-01T00:00:02Z","__topic__":"t","__tag__:k":"v","field_time":"x","field_overflow":"y","field":"z","_overflow":{"__tag__:k":"w","__tag__:k":"again"}}
    "#]],
    );
}

#[test]
fn keys_beyond_the_columns_of_a_store_go_to_the_map() {
    let keys: Vec<String> = (0..10_000).map(|i| format!("k{i}")).collect();
    let contents: Vec<(&str, &str)> = keys.iter().map(|key| (key.as_str(), "v")).collect();
    let group = LogGroup { logs: vec![log(1, &contents)], ..Default::default() };
    // The store's own column keeps its place although 9,999 keys come before it.
    let batch = decoded(&group, &schema(&[("k9999", ColumnType::Utf8), ("other", ColumnType::Int64)]));
    assert_eq!(batch.num_columns(), 1 + 511 + 1);
    assert!(batch.column_by_name("k9999").is_some());
    assert_eq!(to_ndjson(&batch).matches("\"v\"").count(), 10_000);
}

#[test]
fn texts_go_into_columns_of_other_types_where_they_fit() {
    let typed = schema(&[
        ("n", ColumnType::Int64),
        ("f", ColumnType::Float64),
        ("b", ColumnType::Bool),
        ("__topic__", ColumnType::Int64),
    ]);
    let row = |n, f, b| log(1, &[("n", n), ("f", f), ("b", b)]);
    let logs = vec![
        row("503", "1.5", "true"),
        row("-9223372036854775808", "2", "false"),
        row("007", "1.50", "True"),
        row("+1", "NaN", ""),
        row("9223372036854775808", "9007199254740993", "1"),
        row("", "1e3", "false"),
    ];
    let group = LogGroup { logs, topic: Some("7".into()), ..Default::default() };
    expect![[r#"
        {"_time":"1970-01-01T00:00:01Z","__topic__":"7","n":503,"f":1.5,"b":true}
        {"_time":"1970-01-01T00:00:01Z","__topic__":"7","n":-9223372036854775808,"f":2.0,"b":false}
        {"_time":"1970-01-01T00:00:01Z","__topic__":"7","_overflow":{"n":"007","f":"1.50","b":"True"}}
        {"_time":"1970-01-01T00:00:01Z","__topic__":"7","_overflow":{"n":"+1","f":"NaN","b":""}}
        {"_time":"1970-01-01T00:00:01Z","__topic__":"7","_overflow":{"n":"9223372036854775808","f":"9007199254740993","b":"1"}}
        {"_time":"1970-01-01T00:00:01Z","__topic__":"7","b":false,"_overflow":{"n":"","f":"1e3"}}
    "#]].assert_eq(&to_ndjson(&decoded(&group, &typed)));
}

#[test]
fn bytes_that_are_no_text_are_replaced_and_counted() {
    let mut bad = log(1, &[("a", ""), ("b", "fine"), ("a", "")]);
    bad.contents[0].value = b"caf\xe9".to_vec();
    bad.contents[2].value = b"\xff".to_vec();
    // Both halves of a character, in two values that stand side by side.
    let mut halves = [log(2, &[("a", "")]), log(3, &[("a", "")])];
    halves[0].contents[0].value = b"\xc3".to_vec();
    halves[1].contents[0].value = b"\xa9".to_vec();
    let group = LogGroup { logs: [vec![bad], halves.to_vec()].concat(), ..Default::default() };
    let decoded = decode(&group.encode_to_vec(), &schema(&[])).unwrap();
    assert_eq!(decoded.repaired, 4);
    expect![[r#"
        {"_time":"1970-01-01T00:00:01Z","a":"caf�","b":"fine","_overflow":{"a":"�"}}
        {"_time":"1970-01-01T00:00:02Z","a":"�"}
        {"_time":"1970-01-01T00:00:03Z","a":"�"}
    "#]]
    .assert_eq(&to_ndjson(&decoded.batch.unwrap()));
}

#[test]
fn a_group_without_logs_is_no_batch() {
    let group = LogGroup { topic: Some("t".into()), tags: vec![tag("k", "v")], ..Default::default() };
    let decoded = decode(&group.encode_to_vec(), &schema(&[])).unwrap();
    assert!(decoded.batch.is_none() && decoded.rows == 0);
    assert!(decode(b"", &schema(&[])).unwrap().batch.is_none());
}

/// Hand-written bytes, for what no proper writer writes.
#[test]
fn the_wire_is_read_as_protobuf_reads_it() {
    for (body, expected) in [
        // Time after the contents, unknown fields of each kind, the last Time counts.
        (&b"\x0a\x17\x12\x06\x0a\x01a\x12\x01b\x08\x01\x08\x05\x50\x07\x59________"[..], Ok(r#""a":"b""#)),
        // Lengths and tags in more bytes than needed.
        (b"\x8a\x00\x84\x80\x00\x08\x85\x80\x00", Ok("00:00:05")),
        // Time_ns as a plain number.
        (b"\x0a\x04\x08\x01\x20\x07", Ok("00:00:01.000000007")),
        (b"\x0a\x02\x20\x07", Err("log 0 of the log group has no Time")),
        (b"\x0a\x05\x0d\x01\x00\x00\x00", Err("log 0 of the log group has no Time")),
        (b"\x0a\x02\x08\x01\x0b", Err("byte 4 of the log group begins a group or an unknown kind of field")),
        (b"\x0a\x02\x08\x01\x0f", Err("byte 4 of the log group begins a group or an unknown kind of field")),
        (b"\x02\x00", Err("byte 0 of the log group begins a field with a number that no field has")),
        (
            b"\x0a\x0b\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02",
            Err("byte 3 of the log group begins a number of more"),
        ),
        (b"\x0a\x05\x08\x01", Err("cut off: a message or text at byte 1 has no end")),
        (b"\x0a\x07\x08\x01\x12\x03\x0a\x01\xff", Err("the key \"\u{fffd}\", which is not UTF-8")),
    ] {
        match (decode(body, &schema(&[])), expected) {
            (Ok(decoded), Ok(part)) => {
                let text = to_ndjson(&decoded.batch.unwrap());
                assert!(text.contains(part), "{body:?}: {text}");
            }
            (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{body:?}: {error}"),
            (got, expected) => panic!("{body:?}: {got:?}, not {expected:?}"),
        }
    }
}

#[test]
fn sizes_are_refused_as_such() {
    let header = LogGroup { logs: vec![log(1, &[]); 20_000], topic: Some("t".repeat(10_000)), ..Default::default() };
    let tags = LogGroup { tags: vec![tag("k", "v"); 129], ..Default::default() };
    for body in [
        vec![0; crate::limits::LOGGROUP_RAW_BYTES_MAX + 1],
        header.encode_to_vec(),
        tags.encode_to_vec(),
        b"\x0a\x02\x08\x01".repeat(crate::limits::LOGGROUP_LOGS_MAX + 1),
        one_log(&[b"\x08\x01".as_slice(), &b"\x12\x00".repeat(crate::limits::LOGGROUP_OVERFLOW_MAX + 2)].concat()),
    ] {
        let error: LogGroupError = decode(&body, &schema(&[])).unwrap_err();
        assert!(error.is_about_size(), "{error}");
    }
}

fn one_log(fields: &[u8]) -> Vec<u8> {
    let mut group = vec![0x0a];
    super::wire::put_varint(&mut group, fields.len());
    group.extend_from_slice(fields);
    group
}
