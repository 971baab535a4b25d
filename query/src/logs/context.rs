//! What stands around a row, from the same sender.
//!
//! A producer numbers its packs (`__tag__:__pack_id__` is its own id, a dash, and the number in hexadecimal), so its rows are in order by pack and by their
//! place inside, however they travelled. Rows without the tag are in order of receipt, among those of their source. `__pack_meta__` names a row by when and
//! where it came in; it means nothing to clients, who give it back as they got it.

use arrow::record_batch::RecordBatch;
use culprit_store::{OFFSET, ProjectName, RECEIVED, ROW, StoreName, TimeRange, UnixNanos};
use datafusion::functions::expr_fn::{character_length, starts_with};
use datafusion::logical_expr::{BinaryExpr, Expr, LogicalPlan, LogicalPlanBuilder, Operator, ident, lit};

use crate::limits::{CONTEXT_LINES_MAX, SHARDS_MAX};
use crate::log_columns::{INDEX_NUMBER, PACK_ID, SOURCE};
use crate::logs::page::add_place;
use crate::logs::text::{ColumnText, log_fields};
use crate::logs::{LogFields, Place};
use crate::search::Search;
use crate::time_filter::time_literal;
use crate::{QueryError, SqlEngine};

/// Before the source of rows that no producer has numbered; ids of producers are hexadecimal.
const UNTAGGED: &str = "source:";

#[derive(Debug, Clone)]
pub struct GetContext {
    pub pack_id: String,
    pub pack_meta: String,
    pub back_lines: usize,
    pub forward_lines: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContextAnswer {
    /// Oldest first, the row itself among them; `__index_number__` is the distance from it.
    pub logs: Vec<LogFields>,
    pub back_lines: usize,
    pub forward_lines: usize,
}

pub async fn context(
    engine: &SqlEngine,
    project: &ProjectName,
    store: &StoreName,
    request: &GetContext,
) -> Result<ContextAnswer, QueryError> {
    let at = RowPlace::parse(&request.pack_meta)?;
    let place = Place { engine, project, store, range: TimeRange::ALL };
    let found = place.rows(&Search::Everything, |plan| {
        LogicalPlanBuilder::from(plan).filter(at.is_here())?.limit(0, Some(SHARDS_MAX))?.build()
    });
    let centre = fields(&found.await?.collect(SHARDS_MAX).await?)?;
    let Some(centre) = centre.into_iter().find(|fields| pack_id(fields) == request.pack_id) else {
        let why = format!("no row has pack_id {:?} and pack_meta {:?}", request.pack_id, request.pack_meta);
        return Err(QueryError::Invalid(why));
    };
    let id = value(&centre, PACK_ID).filter(|id| !id.starts_with(UNTAGGED));
    let anchor = Anchor { at, id, source: value(&centre, SOURCE) };
    let back = anchor.side(&place, Side::Back, request.back_lines).await?;
    let forward = anchor.side(&place, Side::Forward, request.forward_lines).await?;
    let (back_lines, forward_lines) = (back.len(), forward.len());
    let mut logs: Vec<LogFields> = back.into_iter().rev().chain([centre]).chain(forward).collect();
    for (fields, number) in logs.iter_mut().zip(-(back_lines as i64)..) {
        fields.push((INDEX_NUMBER.to_owned(), number.to_string()));
    }
    Ok(ContextAnswer { logs, back_lines, forward_lines })
}

/// The pack of a row; rows without the tag belong to their source.
pub(super) fn pack_id(fields: &LogFields) -> String {
    let source = || format!("{UNTAGGED}{}", value(fields, SOURCE).unwrap_or_default());
    value(fields, PACK_ID).unwrap_or_else(source)
}

fn value(fields: &LogFields, name: &str) -> Option<String> {
    fields.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone())
}

pub(super) fn pack_meta(columns: &[ColumnText<'_>], row: usize) -> Option<String> {
    let find = |name: &str| columns.iter().find(|column| column.name() == name);
    let received = find(RECEIVED)?.nanoseconds(row)?;
    Some(format!("0|{received}|{}|{}", find(OFFSET)?.text(row)?, find(ROW)?.text(row)?))
}

/// When a row came in, and where it stands.
struct RowPlace {
    received: UnixNanos,
    offset: u64,
    row: u32,
}

impl RowPlace {
    fn parse(text: &str) -> Result<Self, QueryError> {
        let parts: Vec<&str> = text.split('|').collect();
        let place = || match parts.as_slice() {
            ["0", received, offset, row] => Some(Self {
                received: UnixNanos(received.parse().ok()?),
                offset: offset.parse().ok()?,
                row: row.parse().ok()?,
            }),
            _ => None,
        };
        place().ok_or_else(|| QueryError::Invalid(format!("{text:?} is no pack_meta that a search gave")))
    }

    fn keys(&self) -> [(Expr, Expr); 3] {
        let received = time_literal(self.received);
        [(ident(RECEIVED), received), (ident(OFFSET), lit(self.offset)), (ident(ROW), lit(self.row))]
    }

    fn is_here(&self) -> Expr {
        self.keys().into_iter().map(|(key, value)| key.eq(value)).reduce(Expr::and).expect("there are three keys")
    }
}

struct Anchor {
    at: RowPlace,
    id: Option<String>,
    source: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Back,
    Forward,
}

impl Anchor {
    /// Nearest first.
    async fn side(&self, place: &Place<'_>, side: Side, lines: usize) -> Result<Vec<LogFields>, QueryError> {
        let lines = lines.min(CONTEXT_LINES_MAX);
        let keys = self.keys();
        let rows = place.rows(&Search::Everything, |plan| {
            let sorted = keys.iter().map(|(key, _)| key.clone().sort(side == Side::Forward, false));
            let peers = self.peers(&plan);
            let sorted: Vec<_> = sorted.collect();
            LogicalPlanBuilder::from(plan)
                .filter(peers.and(beyond(&keys, side)))?
                .sort(sorted)?
                .limit(0, Some(lines))?
                .build()
        });
        fields(&rows.await?.collect(lines).await?)
    }

    /// What orders the sender's rows, with the value of the row in the middle. Hexadecimal numbers without leading zeros ascend by length, then as text.
    fn keys(&self) -> Vec<(Expr, Expr)> {
        let by_pack = self.id.iter().flat_map(|id| {
            let length = i32::try_from(id.chars().count()).unwrap_or(i32::MAX);
            [(character_length(ident(PACK_ID)), lit(length)), (ident(PACK_ID), lit(id.as_str()))]
        });
        by_pack.chain(self.at.keys()).collect()
    }

    fn peers(&self, plan: &LogicalPlan) -> Expr {
        let has = |name: &str| plan.schema().has_column_with_unqualified_name(name);
        match (&self.id, &self.source) {
            (Some(id), _) => {
                let sender = id.rsplit_once('-').map_or(id.as_str(), |(sender, _)| sender);
                starts_with(ident(PACK_ID), lit(format!("{sender}-"))).or(ident(PACK_ID).eq(lit(id.as_str())))
            }
            (None, source) => {
                let untagged = if has(PACK_ID) { ident(PACK_ID).is_null() } else { lit(true) };
                let same = match source.as_deref() {
                    _ if !has(SOURCE) => lit(true),
                    None | Some("") => ident(SOURCE).is_null().or(ident(SOURCE).eq(lit(""))),
                    Some(source) => ident(SOURCE).eq(lit(source)),
                };
                untagged.and(same)
            }
        }
    }
}

/// Rows on one side of the keys' values, in the order of the keys.
fn beyond(keys: &[(Expr, Expr)], side: Side) -> Expr {
    let operator = if side == Side::Back { Operator::Lt } else { Operator::Gt };
    let compare = |(key, value): &(Expr, Expr)| {
        Expr::BinaryExpr(BinaryExpr::new(Box::new(key.clone()), operator, Box::new(value.clone())))
    };
    let equal = |(key, value): &(Expr, Expr)| key.clone().eq(value.clone());
    let last = keys.split_last().map(|(last, before)| (compare(last), before)).expect("a row has a place");
    last.1.iter().rev().fold(last.0, |rest, key| compare(key).or(equal(key).and(rest)))
}

fn fields(batches: &[RecordBatch]) -> Result<Vec<LogFields>, QueryError> {
    let mut rows = Vec::new();
    for batch in batches {
        let columns = ColumnText::of_batch(batch)?;
        rows.extend((0..batch.num_rows()).map(|row| {
            let mut fields = log_fields(&columns, row);
            add_place(&mut fields, &columns, row);
            fields
        }));
    }
    Ok(rows)
}
