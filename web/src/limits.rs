//! Every bound of the routes, with its reason. What a query may cost stands in the query crate, what a row may hold in the
//! ingest crate.

use std::time::Duration;

/// JSON and form bodies: a query of the longest kind is a quarter of it.
pub(crate) const JSON_BYTES_MAX: usize = 1 << 20;
/// What a body has to come in, and what it has to bring for each second more: slower than any link that logs are sent over, so that only those run into it
/// who announced a body and do not send it.
pub(crate) const BODY_PATIENCE: Duration = Duration::from_secs(30);
pub(crate) const BODY_RATE_MIN: usize = 4 << 10;
/// From the beginning of a connection, or the end of an answer, to the end of the next request's head: longer than clients keep what they do not use (the longest known,
/// Prometheus, five minutes), so that no request meets a connection that is about to be closed.
pub(crate) const REQUEST_WAIT_MAX: Duration = Duration::from_secs(600);
/// A body over its limit is read on and thrown away up to so many bytes: a client that is still sending would see a
/// closed connection in place of the reason.
pub(crate) const DRAINED_BYTES_MAX: usize = 64 << 20;
/// And for so long: whoever announces a body and sends none gets his refusal all the same.
pub(crate) const DRAIN_TIME_MAX: Duration = Duration::from_secs(5);
/// A SQL answer that is gathered into one JSON text; the streaming formats have no such bound.
pub(crate) const ANSWER_BYTES_MAX: usize = 256 << 20;
/// Rows of `POST /api/search` when it names no limit: a screen or two.
pub(crate) const SEARCH_ROWS_DEFAULT: usize = 100;
pub(crate) const SEARCH_ROWS_MAX: usize = 10_000;
/// What an explanation may take when a caller asks for longer.
pub(crate) const EXPLAIN_BUDGET_MAX: Duration = Duration::from_secs(60);
/// Provisional reports that wait for a slow reader; more are dropped, the last one is not. There is one per length of explanations.
pub(crate) const PROVISIONAL_REPORTS_MAX: usize = 8;
/// Latencies above it count as it: the longest query may run 120 s.
pub(crate) const LATENCY_MICROS_MAX: u64 = 200_000_000;
/// How far a signed request's date may be from the server's clock: a captured request is of no use after it.
pub(crate) const SIGNATURE_SKEW_MAX: Duration = Duration::from_secs(15 * 60);
/// A quota report: some 100,000 projects.
pub(crate) const QUOTA_REPORT_BYTES_MAX: usize = 8 << 20;
/// How long a front end that does not say waits for news about bars.
pub(crate) const QUOTA_POLL_DEFAULT: Duration = Duration::from_secs(30);
/// Pause that a busy server asks for (`Retry-After`).
pub(crate) const RETRY_AFTER_SECONDS: u64 = 1;
/// Names in a page of a list of projects, logstores or views, as the clients of the SLS API know it.
pub(crate) const LIST_PAGE_DEFAULT: usize = 100;
pub(crate) const LIST_PAGE_MAX: usize = 500;
/// Of a web tracking request, which anybody may send: a page's worth of events.
pub(crate) const TRACK_BYTES_MAX: usize = 3 << 20;
/// LogGroups in one pull, whatever a consumer asks for.
pub(crate) const PULL_GROUPS_MAX: usize = 1_000;
/// How long a pull may wait at the tail: shorter than what proxies take for a dead connection.
pub(crate) const PULL_WAIT_MAX: Duration = Duration::from_secs(30);
/// Logs in a page of the SLS API's search, as its clients know it.
pub(crate) const QUERY_LINES_MAX: usize = 100;
/// What older clients of the SLS API are told of a query in headers: some libraries give up at 8 KiB of one.
pub(crate) const QUERY_INFO_BYTES_MAX: usize = 4_000;
/// A tail without rows says that it lives, and finds out whether its reader does.
pub(crate) const TAIL_HEARTBEAT: Duration = Duration::from_secs(10);
/// A tail that reads faster than its project may pauses so long, unless the quota says how long.
pub(crate) const TAIL_PAUSE: Duration = Duration::from_millis(100);
/// What a fanout pull gets when it names no bounds.
pub(crate) const FANOUT_BATCHES: usize = 100;
pub(crate) const FANOUT_BYTES: usize = 4 << 20;
pub(crate) const FANOUT_ACK_TIMEOUT_S: u64 = 60;
