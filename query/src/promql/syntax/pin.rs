//! The same query with `@` on every selector: its value at one time, whenever it is asked.

use super::ast::{At, Expr, ExprKind};

/// Functions that look at the time of evaluation itself.
const READ_TIME: [&str; 11] = [
    "days_in_month",
    "day_of_month",
    "day_of_week",
    "day_of_year",
    "hour",
    "minute",
    "month",
    "year",
    "predict_linear",
    "time",
    "timestamp",
];

impl Expr {
    /// Puts `@ seconds` on each selector and subquery that is not under one yet. False when that does not fix the value.
    pub(in super::super) fn pin(&mut self, seconds: f64) -> bool {
        match &mut self.kind {
            ExprKind::Number(_) | ExprKind::Text(_) | ExprKind::Garbled(_) => true,
            ExprKind::Paren(inner) | ExprKind::Negate(inner) => inner.pin(seconds),
            ExprKind::Vector(selector) | ExprKind::Matrix { selector, .. } => {
                selector.shift.at.get_or_insert(At::Seconds(seconds));
                true
            }
            ExprKind::Subquery { inner, shift, .. } => {
                shift.at.get_or_insert(At::Seconds(seconds));
                inner.is_timeless()
            }
            // The matchers of info are no selector.
            ExprKind::Call { function, args } if function.name == "info" => args[0].pin(seconds),
            ExprKind::Call { function, args } => {
                !READ_TIME.contains(&function.name) && args.iter_mut().all(|arg| arg.pin(seconds))
            }
            ExprKind::Aggregate(aggregate) => aggregate.args.iter_mut().all(|arg| arg.pin(seconds)),
            ExprKind::Binary(binary) => binary.left.pin(seconds) && binary.right.pin(seconds),
        }
    }

    fn is_timeless(&self) -> bool {
        match &self.kind {
            ExprKind::Number(_) | ExprKind::Text(_) | ExprKind::Garbled(_) => true,
            ExprKind::Vector(_) | ExprKind::Matrix { .. } => true,
            ExprKind::Paren(inner) | ExprKind::Negate(inner) | ExprKind::Subquery { inner, .. } => inner.is_timeless(),
            ExprKind::Call { function, args } => {
                !READ_TIME.contains(&function.name) && args.iter().all(Self::is_timeless)
            }
            ExprKind::Aggregate(aggregate) => aggregate.args.iter().all(Self::is_timeless),
            ExprKind::Binary(binary) => binary.left.is_timeless() && binary.right.is_timeless(),
        }
    }
}
