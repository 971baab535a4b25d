//! How many rows a search finds, over time.

use std::collections::HashMap;
use std::time::Duration;

use arrow::array::AsArray;
use arrow::datatypes::{DataType, Int64Type};
use culprit_store::{ProjectName, StoreName, TIME, UnixNanos};
use datafusion::functions_aggregate::expr_fn::count;
use datafusion::logical_expr::{LogicalPlanBuilder, cast, ident, lit};

use crate::limits::{HISTOGRAM_BUCKETS_DEFAULT, HISTOGRAM_BUCKETS_MAX};
use crate::logs::{Place, range, search_of};
use crate::question::Question;
use crate::{QueryError, SqlEngine};

#[derive(Debug, Clone)]
pub struct GetHistogram {
    pub from: UnixNanos,
    pub to: UnixNanos,
    /// What stands behind a bar is not looked at.
    pub query: String,
    pub topic: Option<String>,
    /// None chooses one that makes about sixty buckets at most.
    pub interval: Option<Duration>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Histogram {
    /// In order and without gaps; the first begins with the range and the last ends with it.
    pub buckets: Vec<Bucket>,
    pub total: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bucket {
    pub from: UnixNanos,
    pub to: UnixNanos,
    pub count: u64,
}

const SECOND: i64 = 1_000_000_000;
/// Intervals that people read easily, in seconds.
const INTERVALS: [i64; 20] =
    [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 21_600, 43_200, 86_400, 604_800, 2_592_000];

pub async fn histogram(
    engine: &SqlEngine,
    project: &ProjectName,
    store: &StoreName,
    request: &GetHistogram,
) -> Result<Histogram, QueryError> {
    let range = range(request.from, request.to)?;
    let question = Question::of_search(&request.query)?;
    let search = search_of(question.search, request.topic.as_deref())?;
    let interval = interval(request)?;
    let place = Place { engine, project, store, range };
    let rows = place.rows(&search, |plan| {
        let number =
            (cast(ident(TIME), DataType::Int64) - lit(request.from.0 - offset(request.from, interval))) / lit(interval);
        let counts = vec![count(lit(1i64)).alias("count")];
        LogicalPlanBuilder::from(plan).aggregate(vec![number.alias("number")], counts)?.build()
    });
    let batches = rows.await?.collect(HISTOGRAM_BUCKETS_MAX as usize).await?;
    let mut counts: HashMap<i64, u64> = HashMap::new();
    for batch in &batches {
        let (numbers, found) =
            (batch.column(0).as_primitive::<Int64Type>(), batch.column(1).as_primitive::<Int64Type>());
        counts.extend(numbers.values().iter().zip(found.values()).map(|(number, count)| (*number, *count as u64)));
    }
    let buckets: Vec<Bucket> = buckets(request.from, request.to, interval)
        .zip(0..)
        .map(|((from, to), number)| Bucket { from, to, count: counts.get(&number).copied().unwrap_or(0) })
        .collect();
    Ok(Histogram { total: buckets.iter().map(|bucket| bucket.count).sum(), buckets })
}

/// How far the first bucket's natural beginning lies before the range.
fn offset(from: UnixNanos, interval: i64) -> i64 {
    from.0.rem_euclid(interval)
}

fn interval(request: &GetHistogram) -> Result<i64, QueryError> {
    let length = request.to.0.saturating_sub(request.from.0);
    let interval = match request.interval {
        Some(interval) => i64::try_from(interval.as_nanos()).unwrap_or(i64::MAX).max(SECOND),
        None => {
            let fits = |seconds: &&i64| length / (**seconds * SECOND) < HISTOGRAM_BUCKETS_DEFAULT as i64;
            INTERVALS
                .iter()
                .find(fits)
                .map_or(length / HISTOGRAM_BUCKETS_DEFAULT as i64 + 1, |seconds| seconds * SECOND)
        }
    };
    let buckets = length / interval + 2;
    if buckets as u64 > HISTOGRAM_BUCKETS_MAX {
        let why = format!("the interval makes {buckets} buckets, more than the {HISTOGRAM_BUCKETS_MAX} allowed");
        return Err(QueryError::Invalid(why));
    }
    Ok(interval)
}

/// At whole multiples of the interval since 1970, cut at both ends.
fn buckets(from: UnixNanos, to: UnixNanos, interval: i64) -> impl Iterator<Item = (UnixNanos, UnixNanos)> {
    let begin = from.0 - offset(from, interval);
    std::iter::successors(Some(begin), move |at| at.checked_add(interval).filter(|next| *next < to.0))
        .map(move |at| (UnixNanos(at.max(from.0)), UnixNanos(at.saturating_add(interval).min(to.0))))
}
