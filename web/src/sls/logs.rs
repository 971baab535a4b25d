//! Queries: logs by words and by SQL, histograms, the neighbours of a log, topics. What is asked is read here; the query crate answers it.

use std::time::Duration;

use culprit_query::logs::{self, GetContext, GetHistogram, GetLogs, LogFields, LogsAnswer};
use culprit_query::{QueryError, SqlEngine};
use culprit_store::{Fault, ProjectName, StoreName, UnixNanos};
use serde_json::{Map, Value, json};

use super::call::Call;
use super::error::{Code, SlsError};
use super::fields::{Fields, flag};
use super::pull::accepted;
use super::reply::Reply;
use crate::error::one_line;
use crate::limits::{QUERY_INFO_BYTES_MAX, QUERY_LINES_MAX};

const COMPLETE: &str = "Complete";
const PROGRESS: &str = "x-log-progress";
const COUNT: &str = "x-log-count";

/// GetLogs as newer clients send it; the answer holds what older ones find in headers.
pub(super) async fn by_body(call: &mut Call<'_>, name: &str) -> Result<Reply, SlsError> {
    let body = call.read_json().await?;
    let mut fields = Fields::parse(&body, Code::ParameterInvalid)?;
    let request = Request {
        from: fields.integer("from")?,
        to: fields.integer("to")?,
        from_ns: fields.integer("fromNs")?,
        to_ns: fields.integer("toNs")?,
        line: fields.integer("line")?,
        offset: fields.integer("offset")?,
        query: fields.text("query")?.unwrap_or_else(String::new),
        topic: fields.text("topic")?,
        reverse: fields.flag("reverse")?.unwrap_or(false),
    };
    let codec = accepted(call.header("accept-encoding").unwrap_or(""));
    let answer = find(call, name, request.logs()?).await?;
    let rows: Vec<Value> = answer.rows.iter().map(row).collect();
    Ok(Reply::compressed_json(&json!({ "meta": meta(&answer), "data": rows }), codec))
}

/// GetLogs as the Node client and older ones send it.
pub(super) async fn by_parameters(call: &mut Call<'_>, name: &str) -> Result<Reply, SlsError> {
    let request = request_of(call)?;
    let answer = find(call, name, request.logs()?).await?;
    Ok(with_headers(&answer))
}

fn request_of(call: &Call<'_>) -> Result<Request, SlsError> {
    let reverse = call.params.get("reverse").unwrap_or("false");
    let wrong = || SlsError::new(Code::InvalidReverse, format!("reverse is {reverse:?}; it must be true or false"));
    Ok(Request {
        from: call.integer("from", Code::ParameterInvalid)?,
        to: call.integer("to", Code::ParameterInvalid)?,
        from_ns: call.integer("fromNs", Code::ParameterInvalid)?,
        to_ns: call.integer("toNs", Code::ParameterInvalid)?,
        line: call.integer("line", Code::InvalidLine)?,
        offset: call.integer("offset", Code::InvalidOffset)?,
        query: call.params.get("query").unwrap_or("").to_owned(),
        topic: call.params.get("topic").map(str::to_owned),
        reverse: flag(reverse).ok_or_else(wrong)?,
    })
}

/// SQL over the logstores of a project.
pub(super) async fn of_project(call: &mut Call<'_>) -> Result<Reply, SlsError> {
    let query = call.params.get("query").unwrap_or("").to_owned();
    let (engine, project) = (call.sql(), call.project()?.clone());
    Ok(with_headers(&logs::project_sql(&engine, &project, &query).await?))
}

async fn find(call: &mut Call<'_>, name: &str, request: GetLogs) -> Result<LogsAnswer, SlsError> {
    let (engine, project, store) = place(call, name)?;
    logs::get(&engine, &project, &store, &request).await.map_err(of_query)
}

/// The store or view of the path, which has to be there.
fn place(call: &Call<'_>, name: &str) -> Result<(SqlEngine, ProjectName, StoreName), SlsError> {
    let (project, store) = (call.project()?.clone(), StoreName::parse(name).map_err(SlsError::parameter)?);
    if call.app.storage.view(&project, &store).is_none() {
        call.store(name)?;
    }
    Ok((call.sql(), project, store))
}

/// What is missing is a name inside the query.
fn of_query(error: QueryError) -> SlsError {
    match error.fault() {
        Fault::Missing => SlsError::new(Code::InvalidQueryString, error),
        _ => SlsError::from(error),
    }
}

pub(super) async fn histogram(call: &mut Call<'_>, name: &str) -> Result<Reply, SlsError> {
    let request = histogram_request(call)?;
    let (engine, project, store) = place(call, name)?;
    let found = logs::histogram(&engine, &project, &store, &request).await.map_err(of_query)?;
    let shown = found.buckets.iter().map(|bucket| {
        let (from, to) = (seconds(bucket.from), seconds(bucket.to));
        json!({ "from": from, "to": to, "count": bucket.count, "progress": COMPLETE })
    });
    let reply = Reply::json(&shown.collect::<Vec<Value>>());
    Ok(reply.with(PROGRESS, COMPLETE).with(COUNT, found.total))
}

fn histogram_request(call: &Call<'_>) -> Result<GetHistogram, SlsError> {
    let integer = |name| call.integer(name, Code::ParameterInvalid);
    let (from, to) = range(integer("from")?, integer("fromNs")?, integer("to")?, integer("toNs")?)?;
    let interval: Option<u64> = call.integer("interval", Code::ParameterInvalid)?;
    Ok(GetHistogram {
        from,
        to,
        query: call.params.get("query").unwrap_or("").to_owned(),
        topic: call.params.get("topic").map(str::to_owned),
        interval: interval.filter(|seconds| *seconds > 0).map(Duration::from_secs),
    })
}

pub(super) async fn context(call: &mut Call<'_>, name: &str) -> Result<Reply, SlsError> {
    let request = context_request(call)?;
    let (engine, project, store) = place(call, name)?;
    let found = logs::context(&engine, &project, &store, &request).await.map_err(|error| match error.fault() {
        // Of a place in the store, not of a search.
        Fault::Caller => SlsError::parameter(error),
        _ => of_query(error),
    })?;
    let logs: Vec<Value> = found.logs.iter().map(row).collect();
    let (back_lines, forward_lines) = (found.back_lines, found.forward_lines);
    Ok(Reply::json(&json!({
        "progress": COMPLETE,
        "total_lines": logs.len(),
        "back_lines": back_lines,
        "forward_lines": forward_lines,
        "logs": logs,
    })))
}

fn context_request(call: &Call<'_>) -> Result<GetContext, SlsError> {
    let text = |name| call.params.get(name).unwrap_or("").to_owned();
    let lines = |name| {
        let given = call.integer::<usize>(name, Code::ParameterInvalid)?;
        Ok::<usize, SlsError>(given.unwrap_or(0).min(QUERY_LINES_MAX))
    };
    Ok(GetContext {
        pack_id: text("pack_id"),
        pack_meta: text("pack_meta"),
        back_lines: lines("back_lines")?,
        forward_lines: lines("forward_lines")?,
    })
}

pub(super) async fn topics(call: &mut Call<'_>, name: &str) -> Result<Reply, SlsError> {
    let line: usize = call.integer("line", Code::InvalidLine)?.unwrap_or(QUERY_LINES_MAX);
    let token = call.params.get("token").unwrap_or("").to_owned();
    let (engine, project, store) = place(call, name)?;
    let found = logs::topics(&engine, &project, &store, &token, line.min(QUERY_LINES_MAX)).await.map_err(of_query)?;
    Ok(Reply::json(&found.topics).with(COUNT, found.topics.len()).with("x-log-nexttoken", found.next_token))
}

/// As a client asks, by body or by parameters.
struct Request {
    from: Option<i64>,
    to: Option<i64>,
    from_ns: Option<i64>,
    to_ns: Option<i64>,
    line: Option<i64>,
    offset: Option<i64>,
    query: String,
    topic: Option<String>,
    reverse: bool,
}

impl Request {
    fn logs(self) -> Result<GetLogs, SlsError> {
        let (from, to) = range(self.from, self.from_ns, self.to, self.to_ns)?;
        // SQL has a LIMIT of its own, and clients send -1 or anything else beside it.
        let is_sql = self.query.contains('|');
        let offset = self.offset.unwrap_or(0);
        let wrong = || SlsError::new(Code::InvalidOffset, format!("offset is {offset}; it must be 0 or more"));
        let offset = if is_sql { 0 } else { usize::try_from(offset).map_err(|_| wrong())? };
        let line = if is_sql { QUERY_LINES_MAX } else { line(self.line)? };
        Ok(GetLogs { from, to, query: self.query, topic: self.topic, offset, line, reverse: self.reverse })
    }
}

fn line(given: Option<i64>) -> Result<usize, SlsError> {
    let Some(given) = given else { return Ok(QUERY_LINES_MAX) };
    let line = usize::try_from(given).ok().filter(|line| *line <= QUERY_LINES_MAX);
    line.ok_or_else(|| SlsError::new(Code::InvalidLine, format!("line is {given}; it must be 0 to {QUERY_LINES_MAX}")))
}

fn range(
    from: Option<i64>,
    from_ns: Option<i64>,
    to: Option<i64>,
    to_ns: Option<i64>,
) -> Result<(UnixNanos, UnixNanos), SlsError> {
    let (Some(from), Some(to)) = (from, to) else {
        return Err(SlsError::parameter("from and to are needed, in seconds since the epoch"));
    };
    let nanos = |seconds: i64, part: Option<i64>| {
        let part = part.unwrap_or(0).clamp(0, 999_999_999);
        UnixNanos(seconds.saturating_mul(1_000_000_000).saturating_add(part))
    };
    let (begin, end) = (nanos(from, from_ns), nanos(to, to_ns));
    if begin < end {
        return Ok((begin, end));
    }
    Err(SlsError::new(Code::InvalidTimeRange, format!("from is {from} and to is {to}; from must be before to")))
}

fn seconds(time: UnixNanos) -> i64 {
    time.0.div_euclid(1_000_000_000)
}

/// All values are text in this API.
fn row(fields: &LogFields) -> Value {
    let fields = fields.iter().map(|(name, value)| (name.clone(), Value::String(value.clone())));
    Value::Object(fields.collect::<Map<String, Value>>())
}

fn meta(answer: &LogsAnswer) -> Value {
    let terms: Vec<Value> = answer.terms.iter().map(|(key, term)| json!({ "key": key, "term": term })).collect();
    json!({
        "progress": COMPLETE,
        "count": answer.rows.len(),
        "processedRows": answer.processed_rows,
        "processedBytes": 0,
        "elapsedMillisecond": millis(answer),
        "hasSQL": answer.has_sql,
        "whereQuery": answer.where_query,
        "aggQuery": answer.agg_query,
        "cpuSec": answer.elapsed.as_secs_f64(),
        "cpuCores": 1,
        "mode": 0,
        "limited": answer.limited.unwrap_or(0),
        "keys": answer.keys,
        "terms": terms,
        "columnTypes": answer.column_types,
        "isAccurate": true,
        // As the service spells it.
        "telementryType": "logs",
        "powerSql": false,
        "insertedSQL": "",
        "marker": "",
        "shard": 0,
        "scanBytes": 0,
        "highlights": [],
    })
}

fn millis(answer: &LogsAnswer) -> u64 {
    u64::try_from(answer.elapsed.as_millis()).unwrap_or(u64::MAX)
}

fn with_headers(answer: &LogsAnswer) -> Reply {
    let reply = Reply::json(&answer.rows.iter().map(row).collect::<Vec<Value>>())
        .with(PROGRESS, COMPLETE)
        .with(COUNT, answer.rows.len())
        .with("x-log-processed-rows", answer.processed_rows)
        .with("x-log-elapsed-millisecond", millis(answer))
        .with("x-log-has-sql", answer.has_sql)
        .with("x-log-where-query", header_text(&answer.where_query))
        .with("x-log-agg-query", header_text(&answer.agg_query))
        .with("x-log-cpu-sec", answer.elapsed.as_secs_f64())
        .with("x-log-cpu-cores", 1);
    let terms: Vec<Value> = answer.terms.iter().map(|(key, term)| json!([term, key])).collect();
    let info =
        json!({ "mode": 0, "keys": answer.keys, "terms": terms, "limited": answer.limited.unwrap_or(0).to_string() })
            .to_string();
    if info.len() <= QUERY_INFO_BYTES_MAX { reply.with("x-log-query-info", info) } else { reply }
}

/// In one line, and not longer than clients read headers.
fn header_text(query: &str) -> String {
    one_line(&query).chars().filter(char::is_ascii).take(QUERY_INFO_BYTES_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(line: i64, offset: i64, query: &str) -> Result<GetLogs, SlsError> {
        let (line, offset) = (Some(line), Some(offset));
        let (from, to) = (Some(10), Some(20));
        Request {
            from,
            to,
            from_ns: None,
            to_ns: Some(5),
            line,
            offset,
            query: query.into(),
            topic: None,
            reverse: false,
        }
        .logs()
    }

    #[test]
    fn pages_are_bounded_and_sql_has_none() {
        let page = request(100, 7, "error").unwrap();
        assert_eq!((page.line, page.offset), (100, 7));
        assert_eq!((page.from, page.to), (UnixNanos(10_000_000_000), UnixNanos(20_000_000_005)));
        assert_eq!(request(101, 0, "error").unwrap_err().code, Code::InvalidLine);
        assert_eq!(request(-1, 0, "error").unwrap_err().code, Code::InvalidLine);
        assert_eq!(request(1, -1, "error").unwrap_err().code, Code::InvalidOffset);
        assert_eq!(request(-1, -1, "* | SELECT 1").unwrap().line, QUERY_LINES_MAX);
    }

    #[test]
    fn ranges_have_two_ends_in_order() {
        assert_eq!(range(Some(1), None, None, None).unwrap_err().code, Code::ParameterInvalid);
        assert_eq!(range(Some(2), None, Some(2), None).unwrap_err().code, Code::InvalidTimeRange);
        assert_eq!(
            range(Some(2), None, Some(2), Some(1)).unwrap(),
            (UnixNanos(2_000_000_000), UnixNanos(2_000_000_001))
        );
        assert!(range(Some(0), None, Some(i64::MAX), None).is_ok());
    }
}
