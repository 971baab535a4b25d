//! Time in filters: the range that a query's filters leave is what whole files are left out by.

use culprit_store::{TIME, TimeRange, UnixNanos};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::{BinaryExpr, Expr, Operator, cast, ident, lit};

const NANOS_PER_SECOND: i64 = 1_000_000_000;

/// None when the range is unbounded.
pub(crate) fn bounds(range: TimeRange) -> Option<Expr> {
    let from = range.from.map(|from| ident(TIME).gt_eq(time_literal(from)));
    let to = range.to.map(|to| ident(TIME).lt(time_literal(to)));
    from.into_iter().chain(to).reduce(Expr::and)
}

pub(crate) fn time_literal(at: UnixNanos) -> Expr {
    lit(ScalarValue::TimestampNanosecond(Some(at.0), Some("UTC".into())))
}

/// Whole seconds since 1970, as log groups count them.
pub(crate) fn seconds() -> Expr {
    cast(ident(TIME), arrow::datatypes::DataType::Int64) / lit(NANOS_PER_SECOND)
}

/// The range that filters on `_time` leave: a superset of what they accept, good for leaving out whole files.
pub(crate) fn time_range(filters: &[Expr]) -> TimeRange {
    let mut range = TimeRange::ALL;
    for filter in filters {
        narrow(filter, &mut range);
    }
    range
}

fn narrow(filter: &Expr, range: &mut TimeRange) {
    match filter {
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::And, right }) => {
            narrow(left, range);
            narrow(right, range);
        }
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => {
            if let Some((first, last)) = accepted(left, *op, right) {
                raise(range, first);
                lower(range, last);
            }
        }
        Expr::Between(between) if !between.negated => {
            for (op, bound) in [(Operator::GtEq, &between.low), (Operator::LtEq, &between.high)] {
                if let Some((first, last)) = accepted(&between.expr, op, bound) {
                    raise(range, first);
                    lower(range, last);
                }
            }
        }
        _ => {}
    }
}

/// The first time that the comparison accepts, and the one behind the last.
fn accepted(left: &Expr, op: Operator, right: &Expr) -> Option<(Option<i64>, Option<i64>)> {
    let (op, (low, high)) = match (unit(left), unit(right)) {
        (Some(unit), None) => (op, moment(right, unit)?),
        (None, Some(unit)) => (op.swap()?, moment(left, unit)?),
        _ => return None,
    };
    match op {
        Operator::Gt => Some((Some(high), None)),
        Operator::GtEq => Some((Some(low), None)),
        Operator::Lt => Some((None, Some(low))),
        Operator::LtEq => Some((None, Some(high))),
        Operator::Eq => Some((Some(low), Some(high))),
        _ => None,
    }
}

/// Nanoseconds per unit, if the expression is time.
fn unit(expr: &Expr) -> Option<i64> {
    match expr {
        Expr::Column(column) => (column.name == TIME).then_some(1),
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Divide, right }) => {
            let Expr::Cast(inner) = left.as_ref() else { return None };
            let is_seconds = matches!(right.as_ref(), Expr::Literal(ScalarValue::Int64(Some(NANOS_PER_SECOND)), _));
            (is_seconds && unit(&inner.expr) == Some(1)).then_some(NANOS_PER_SECOND)
        }
        _ => None,
    }
}

/// The nanoseconds that a literal of this unit covers: the first, and the one behind the last.
fn moment(value: &Expr, unit: i64) -> Option<(i64, i64)> {
    let Expr::Literal(value, _) = value else { return None };
    let (first, length) = match value {
        ScalarValue::TimestampNanosecond(Some(at), _) if unit == 1 => (*at, 1),
        ScalarValue::TimestampMicrosecond(Some(at), _) if unit == 1 => (at.saturating_mul(1000), 1),
        ScalarValue::Int64(Some(seconds)) if unit == NANOS_PER_SECOND => {
            // Division cuts towards zero: second 0 reaches one second to both sides.
            let first = seconds.saturating_mul(unit).saturating_sub(if *seconds <= 0 { unit - 1 } else { 0 });
            let last = seconds.saturating_mul(unit).saturating_add(if *seconds >= 0 { unit } else { 1 });
            return Some((first, last));
        }
        _ => return None,
    };
    Some((first, first.saturating_add(length)))
}

fn raise(range: &mut TimeRange, from: Option<i64>) {
    let Some(from) = from.map(UnixNanos) else { return };
    range.from = Some(range.from.map_or(from, |old| old.max(from)));
}

fn lower(range: &mut TimeRange, to: Option<i64>) {
    let Some(to) = to.map(UnixNanos) else { return };
    range.to = Some(range.to.map_or(to, |old| old.min(to)));
}

#[cfg(test)]
mod tests {
    use datafusion::logical_expr::col;

    use super::*;

    #[test]
    fn filters_on_time_become_a_range() {
        let at = |ns| time_literal(UnixNanos(ns));
        let range = |from, to| TimeRange { from: Some(UnixNanos(from)), to: Some(UnixNanos(to)) };
        let time = || col(TIME);
        let second = 1_000_000_000;
        for (filter, expected) in [
            (time().gt_eq(at(5)).and(time().lt(at(9))), range(5, 9)),
            (at(5).lt(time()).and(time().lt_eq(at(9))), range(6, 10)),
            (time().eq(at(7)), range(7, 8)),
            (time().between(at(3), at(4)), range(3, 5)),
            (time().gt(at(1)).or(time().lt(at(9))), TimeRange::ALL),
            (col("n").gt(at(1)), TimeRange::ALL),
            (seconds().gt_eq(lit(5i64)).and(seconds().lt(lit(9i64))), range(5 * second, 9 * second)),
            (seconds().gt(lit(5i64)).and(seconds().lt_eq(lit(9i64))), range(6 * second, 10 * second)),
            (seconds().eq(lit(0i64)), range(1 - second, second)),
            (seconds().eq(lit(-2i64)), range(1 - 3 * second, 1 - 2 * second)),
        ] {
            assert_eq!(time_range(std::slice::from_ref(&filter)), expected, "{filter}");
        }
    }
}
