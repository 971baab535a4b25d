//! Types: which values an operator, a function and an aggregation take. The messages are those of Prometheus.

use super::super::aggregate::Param;
use super::super::binary::Operator;
use super::super::functions::{Function, Repeat};
use super::ast::{AggregateExpr, BinaryExpr, Expr, ExprKind, ValueType, VectorSelector};
use super::lexer::SyntaxError;

pub(in super::super) fn check(expr: &Expr) -> Result<(), SyntaxError> {
    let fail = |why: String| SyntaxError { at: expr.span.start, why };
    match &expr.kind {
        ExprKind::Number(_) | ExprKind::Text(_) | ExprKind::Garbled(_) => Ok(()),
        ExprKind::Paren(inner) | ExprKind::Negate(inner) => check(inner),
        ExprKind::Vector(selector) | ExprKind::Matrix { selector, .. } => selects(selector).map_err(fail),
        ExprKind::Subquery { inner, .. } => match inner.value_type() {
            ValueType::Vector => check(inner),
            other => Err(fail(format!("subquery is only allowed on instant vector, got {other} instead"))),
        },
        ExprKind::Call { function, args } => {
            counts(function, args.len()).map_err(fail)?;
            for (i, arg) in args.iter().enumerate() {
                let wanted = function.signature.args[i.min(function.signature.args.len() - 1)];
                want(arg, wanted, &format!("call to function {:?}", function.name))?;
                match &arg.kind {
                    // The second argument of info is a set of matchers, and selects nothing by itself.
                    ExprKind::Vector(_) if function.name == "info" && i == 1 => {}
                    _ => check(arg)?,
                }
            }
            match (function.name, args.get(1).map(|arg| &arg.kind)) {
                ("info", None | Some(ExprKind::Vector(_))) => Ok(()),
                ("info", Some(_)) => Err(fail("expected label selectors as the second argument to info()".to_owned())),
                _ => Ok(()),
            }
        }
        ExprKind::Aggregate(aggregate) => aggregates(aggregate).map_err(fail)?.iter().try_for_each(check),
        ExprKind::Binary(binary) => {
            combines(binary).map_err(fail)?;
            check(&binary.left)?;
            check(&binary.right)
        }
    }
}

/// A selector that could match every series is a mistake.
fn selects(selector: &VectorSelector) -> Result<(), String> {
    match selector.matchers.iter().any(|matcher| !matcher.compiled.matches_value("")) {
        true => Ok(()),
        false => Err("vector selector must contain at least one non-empty matcher".to_owned()),
    }
}

fn want(expr: &Expr, wanted: ValueType, context: &str) -> Result<(), SyntaxError> {
    match expr.value_type() {
        given if given == wanted => Ok(()),
        given => {
            Err(SyntaxError { at: expr.span.start, why: format!("expected type {wanted} in {context}, got {given}") })
        }
    }
}

fn counts(function: &Function, given: usize) -> Result<(), String> {
    let name = function.name;
    let (most, repeat) = (function.signature.args.len(), function.signature.repeat);
    let (least, most) = match repeat {
        Repeat::Exact => (most, most),
        Repeat::Optional => (most - 1, most),
        Repeat::Last(times) => (most - 1, most - 1 + times),
    };
    if least == most && given != most {
        Err(format!("expected {most} argument(s) in call to {name:?}, got {given}"))
    } else if given < least {
        Err(format!("expected at least {least} argument(s) in call to {name:?}, got {given}"))
    } else if given > most {
        Err(format!("expected at most {most} argument(s) in call to {name:?}, got {given}"))
    } else {
        Ok(())
    }
}

fn aggregates(aggregate: &AggregateExpr) -> Result<&[Expr], String> {
    let param = aggregate.aggregation.param;
    let wanted = if param == Param::None { 1 } else { 2 };
    if aggregate.args.len() != wanted {
        let given = aggregate.args.len();
        return Err(format!(
            "wrong number of arguments for aggregate expression provided, expected {wanted}, got {given}"
        ));
    }
    let param_type = if param == Param::Text { ValueType::Text } else { ValueType::Scalar };
    let types = [param_type, ValueType::Vector];
    for (arg, wanted) in aggregate.args.iter().zip(&types[2 - wanted..]) {
        let place = if *wanted == ValueType::Vector { "expression" } else { "parameter" };
        want(arg, *wanted, &format!("aggregation {place}")).map_err(|error| error.why)?;
    }
    Ok(&aggregate.args)
}

fn combines(binary: &BinaryExpr) -> Result<(), String> {
    let (left, right) = (binary.left.value_type(), binary.right.value_type());
    let number = |kind| matches!(kind, ValueType::Scalar | ValueType::Vector);
    if !number(left) || !number(right) {
        return Err("binary expression must contain only scalar and instant vector types".to_owned());
    }
    let comparison = matches!(binary.operator, Operator::Comparison(_));
    if binary.returns_bool && !comparison {
        return Err("bool modifier can only be used on comparison operators".to_owned());
    }
    if comparison && !binary.returns_bool && left == ValueType::Scalar && right == ValueType::Scalar {
        return Err("comparisons between scalars must use BOOL modifier".to_owned());
    }
    let both_vectors = left == ValueType::Vector && right == ValueType::Vector;
    let fills = binary.fill.left.is_some() || binary.fill.right.is_some();
    if !both_vectors && (binary.matching.is_some() || binary.group.is_some()) {
        return Err("vector matching only allowed between instant vectors".to_owned());
    }
    if !both_vectors && fills {
        return Err("filling in missing series only allowed between instant vectors".to_owned());
    }
    if let Operator::Set(operator) = binary.operator {
        let name = operator.name();
        if !both_vectors {
            return Err(format!("set operator {name:?} not allowed in binary scalar expression"));
        }
        if binary.group.is_some() {
            return Err(format!("no grouping allowed for {name:?} operation"));
        }
        if fills {
            return Err("filling in missing series not allowed for set operators".to_owned());
        }
    }
    if let (Some(matching), Some(group)) = (&binary.matching, &binary.group)
        && let Some(label) = matching.labels.iter().find(|label| matching.on && group.include.contains(label))
    {
        return Err(format!("label {label:?} must not occur in ON and GROUP clause at once"));
    }
    Ok(())
}
