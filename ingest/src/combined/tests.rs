//! Lines by hand, and a real log against a count that shares no code with the decoder.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::{Array, AsArray};
use arrow::datatypes::{Int64Type, TimestampNanosecondType};
use expect_test::expect;

use crate::Format;
use crate::testing::{check, corpus, decode};

#[test]
fn combined_and_common() {
    check(
        Format::Combined,
        concat!(
            r#"83.149.9.216 - - [17/May/2015:12:05:03 +0200] "GET /a/b?q=1&r=? HTTP/1.1" 200 203023 "http://x/y" "Mozilla/5.0 (X; \"Y\") Z""#,
            "\n",
            r#"::1 id John Smith [17/May/2015:10:05:03 +0000] "POST / HTTP/2.0" 304 - "-" "-""#,
            "\n",
            r#"h - - [17/May/2015:10:05:03 +0000] "GET /common HTTP/1.0" 404 12"#,
            "\n",
        ),
        expect![[r#"
            {"_time":"2015-05-17T10:05:03Z","client":"83.149.9.216","method":"GET","path":"/a/b","query":"q=1&r=?","protocol":"HTTP/1.1","status":200,"bytes":203023,"referer":"http://x/y","user_agent":"Mozilla/5.0 (X; \"Y\") Z","_msg":"83.149.9.216 - - [17/May/2015:12:05:03 +0200] \"GET /a/b?q=1&r=? HTTP/1.1\" 200 203023 \"http://x/y\" \"Mozilla/5.0 (X; \\\"Y\\\") Z\""}
            {"_time":"2015-05-17T10:05:03Z","client":"::1","ident":"id","user":"John Smith","method":"POST","path":"/","protocol":"HTTP/2.0","status":304,"_msg":"::1 id John Smith [17/May/2015:10:05:03 +0000] \"POST / HTTP/2.0\" 304 - \"-\" \"-\""}
            {"_time":"2015-05-17T10:05:03Z","client":"h","method":"GET","path":"/common","protocol":"HTTP/1.0","status":404,"bytes":12,"_msg":"h - - [17/May/2015:10:05:03 +0000] \"GET /common HTTP/1.0\" 404 12"}
            3 accepted, 0 rejected
        "#]],
    );
}

#[test]
fn odd_requests_are_kept() {
    check(
        Format::Combined,
        concat!(
            r#"h - - [17/May/2015:10:05:03 +0000] "-" 408 - "-" "-""#,
            "\n",
            r#"h - - [17/May/2015:10:05:03 +0000] "\x16\x03\x01 \x02" 400 226 "-" "-""#,
            "\n",
            r#"h - - [17/May/2015:10:05:03 +0000] "GET /old" 200 1"#,
            "\n",
            r#"h - - [17/May/2015:10:05:03 +0000] "GET /a \"b\" c HTTP/1.1" 200 1 "-" "cut"#,
            "\n",
        ),
        expect![[r#"
            {"_time":"2015-05-17T10:05:03Z","client":"h","status":408,"_msg":"h - - [17/May/2015:10:05:03 +0000] \"-\" 408 - \"-\" \"-\""}
            {"_time":"2015-05-17T10:05:03Z","client":"h","status":400,"bytes":226,"_msg":"h - - [17/May/2015:10:05:03 +0000] \"\\x16\\x03\\x01 \\x02\" 400 226 \"-\" \"-\""}
            {"_time":"2015-05-17T10:05:03Z","client":"h","method":"GET","path":"/old","status":200,"bytes":1,"_msg":"h - - [17/May/2015:10:05:03 +0000] \"GET /old\" 200 1"}
            {"_time":"2015-05-17T10:05:03Z","client":"h","method":"GET","path":"/a \"b\" c","protocol":"HTTP/1.1","status":200,"bytes":1,"user_agent":"cut","_msg":"h - - [17/May/2015:10:05:03 +0000] \"GET /a \\\"b\\\" c HTTP/1.1\" 200 1 \"-\" \"cut"}
            4 accepted, 0 rejected
        "#]],
    );
}

#[test]
fn a_bad_line_never_loses_its_neighbours() {
    check(
        Format::Combined,
        concat!(
            r#"h - - [17/Mai/2015:10:05:03 +0000] "GET / HTTP/1.1" 200 1"#,
            "\n",
            "nonsense\n",
            "a b c d\n",
            r#"h - - [17/May/2015:10:05:03 +0000] GET / 200 1"#,
            "\n",
            r#"h - - [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1" 200 1"#,
            "\n",
        ),
        expect![[r#"
            {"_time":"2015-05-17T10:05:03Z","client":"h","method":"GET","path":"/","protocol":"HTTP/1.1","status":200,"bytes":1,"_msg":"h - - [17/May/2015:10:05:03 +0000] \"GET / HTTP/1.1\" 200 1"}
            1 accepted, 4 rejected
            line 1: field "_time" has the value "17/Mai/2015:10:05:03 +0000", which is not a time
            line 2: not an access log line: no blank after the client
            line 3: not an access log line: no [time] after the user
            line 4: not an access log line: no "request" after the [time]
        "#]],
    );
}

/// The oracle splits at quotes and blanks only, as awk would.
#[test]
fn a_real_log_equals_an_independent_count() {
    let Some(body) = corpus("data/logs/apache_access.log") else { return };
    let text = std::str::from_utf8(&body).unwrap();
    let mut by_status = BTreeMap::<i64, usize>::new();
    let mut paths = BTreeMap::<&str, usize>::new();
    let (mut bytes, mut clients, mut days) = (0_i64, BTreeSet::new(), BTreeMap::<String, usize>::new());
    for line in text.lines() {
        let mut quotes = line.split('"');
        let head: Vec<&str> = quotes.next().unwrap().split(' ').collect();
        let target = quotes.next().unwrap().split(' ').nth(1).unwrap();
        let tail: Vec<&str> = quotes.next().unwrap().trim().split(' ').collect();
        clients.insert(head[0]);
        *days.entry(head[3][1..3].to_owned()).or_default() += 1;
        *paths.entry(target.split('?').next().unwrap()).or_default() += 1;
        *by_status.entry(tail[0].parse().unwrap()).or_default() += 1;
        bytes += tail[1].parse::<i64>().unwrap_or(0);
    }

    let decoded = decode(Format::Combined, &body);
    assert_eq!((decoded.accepted, decoded.rejections.total()), (10_000, 0), "{:?}", decoded.rejections);
    let batch = decoded.batch.unwrap();
    let column = |name: &str| batch.column_by_name(name).unwrap();
    let text_of = |name: &str| column(name).as_string::<i32>();
    let mut found = BTreeMap::<i64, usize>::new();
    column("status")
        .as_primitive::<Int64Type>()
        .iter()
        .for_each(|status| *found.entry(status.unwrap()).or_default() += 1);
    assert_eq!(found, by_status);
    let mut found = BTreeMap::<&str, usize>::new();
    text_of("path").iter().for_each(|path| *found.entry(path.unwrap()).or_default() += 1);
    assert_eq!(found, paths);
    assert_eq!(text_of("client").iter().flatten().collect::<BTreeSet<_>>(), clients);
    assert_eq!(column("bytes").as_primitive::<Int64Type>().iter().flatten().sum::<i64>(), bytes);
    // All of it lies in May 2015, in UTC: 2015-05-01 was 16556 days after the epoch.
    let mut found = BTreeMap::<String, usize>::new();
    for time in column("_time").as_primitive::<TimestampNanosecondType>().values() {
        *found.entry(format!("{:02}", time / 86_400_000_000_000 - 16_556 + 1)).or_default() += 1;
    }
    assert_eq!(found, days);
    assert!(text_of("_msg").iter().flatten().eq(text.lines()));
    assert_eq!(column("method").null_count(), 0);
    let columns: Vec<&str> = batch.schema_ref().fields().iter().map(|field| field.name().as_str()).collect();
    assert_eq!(
        columns,
        [
            "_time",
            "client",
            "ident",
            "user",
            "method",
            "path",
            "query",
            "protocol",
            "status",
            "bytes",
            "referer",
            "user_agent",
            "_msg",
        ]
    );
    assert_eq!(column("user").null_count(), 10_000);
}
