//! Turns the parser's tree into a plan.

use std::time::{Duration, SystemTime};

use culprit_store::{LabelMatcher, Labels, METRIC_NAME, MatchValue, SampleRange};
use promql_parser::parser::{
    AggregateExpr, AtModifier, BinaryExpr, Call, Expr, LabelModifier, MatrixSelector, Offset, SubqueryExpr,
    VectorMatchCardinality, VectorSelector,
};

use super::PromqlError;
use super::aggregate::{Aggregation, Grouping};
use super::binary::{Binary, Matching, Operator};
use super::eval::QueryBounds;
use super::functions;
use super::grid::{Anchor, Grid};
use super::parse::matchers;
use super::plan::{Fetch, Node, Plan, Selector, WindowSource};

pub(super) struct PlannerConfig {
    pub(super) bounds: QueryBounds,
    pub(super) lookback_ms: i64,
    pub(super) subquery_step_ms: i64,
    /// A subquery may not have more steps than this.
    pub(super) samples_max: usize,
}

pub(super) fn plan(expr: &Expr, grid: &Grid, config: PlannerConfig) -> Result<Plan, PromqlError> {
    let mut planner = Planner { config, fetches: Vec::new() };
    let root = planner.node(expr, grid)?;
    Ok(Plan { root, fetches: planner.fetches })
}

struct Planner {
    config: PlannerConfig,
    fetches: Vec<Fetch>,
}

impl Planner {
    fn node(&mut self, expr: &Expr, grid: &Grid) -> Result<Node, PromqlError> {
        match expr {
            Expr::NumberLiteral(number) => Ok(Node::Number(number.val)),
            Expr::StringLiteral(text) => Ok(Node::Text(text.val.clone())),
            Expr::Paren(paren) => self.node(&paren.expr, grid),
            Expr::VectorSelector(selector) => {
                Ok(Node::Instant(self.selector(selector, grid, self.config.lookback_ms)?))
            }
            Expr::MatrixSelector(selector) => self.samples(selector, grid),
            Expr::Subquery(subquery) => self.subquery(subquery, grid),
            Expr::Unary(unary) => Ok(Node::Negate(Box::new(self.node(&unary.expr, grid)?))),
            Expr::Call(call) => self.call(call, grid),
            Expr::Aggregate(aggregate) => self.aggregate(aggregate, grid),
            Expr::Binary(binary) => self.binary(binary, grid),
            Expr::Extension(_) => Err(PromqlError::feature("a syntax extension")),
        }
    }

    /// A selector that looks back `reach_ms` from each time of the grid, left end excluded.
    fn selector(&mut self, selector: &VectorSelector, grid: &Grid, reach_ms: i64) -> Result<Selector, PromqlError> {
        let matchers = matchers(selector)?;
        let anchor = self.anchor(selector.at.as_ref(), selector.offset.as_ref());
        let range = SampleRange {
            start_ms: anchor.reference(grid.start_ms).saturating_sub(reach_ms).saturating_add(1),
            end_ms: anchor.reference(grid.end_ms()),
        };
        let implied = implied_labels(&matchers)?;
        Ok(Selector { fetch: self.fetch(matchers, range), anchor, implied })
    }

    fn fetch(&mut self, matchers: Vec<LabelMatcher>, range: SampleRange) -> usize {
        let overlaps = |other: &SampleRange| range.start_ms <= other.end_ms && other.start_ms <= range.end_ms;
        let shared =
            self.fetches.iter().position(|fetch| overlaps(&fetch.range) && same_matchers(&fetch.matchers, &matchers));
        if let Some(index) = shared {
            let joined = &mut self.fetches[index].range;
            joined.start_ms = joined.start_ms.min(range.start_ms);
            joined.end_ms = joined.end_ms.max(range.end_ms);
            return index;
        }
        self.fetches.push(Fetch { matchers, range });
        self.fetches.len() - 1
    }

    fn anchor(&self, at: Option<&AtModifier>, offset: Option<&Offset>) -> Anchor {
        let at_ms = at.map(|at| match at {
            AtModifier::Start => self.config.bounds.start_ms,
            AtModifier::End => self.config.bounds.end_ms,
            AtModifier::At(time) => unix_ms(*time),
        });
        let offset_ms = match offset {
            None => 0,
            Some(Offset::Pos(offset)) => millis(*offset),
            Some(Offset::Neg(offset)) => -millis(*offset),
        };
        Anchor { at_ms, offset_ms }
    }

    fn samples(&mut self, expr: &MatrixSelector, grid: &Grid) -> Result<Node, PromqlError> {
        let range_ms = millis(expr.range);
        let selector = self.selector(&expr.vs, grid, range_ms)?;
        Ok(Node::Window(WindowSource::Samples { selector, range_ms }))
    }

    fn subquery(&mut self, expr: &SubqueryExpr, grid: &Grid) -> Result<Node, PromqlError> {
        let range_ms = millis(expr.range);
        let step_ms = expr.step.map(millis).filter(|step| *step > 0).unwrap_or(self.config.subquery_step_ms);
        let anchor = self.anchor(expr.at.as_ref(), expr.offset.as_ref());
        let inner_grid = anchor.subquery(grid, range_ms, step_ms);
        if inner_grid.steps > self.config.samples_max {
            return Err(PromqlError::TooManySamples { limit: self.config.samples_max });
        }
        let inner = Box::new(self.node(&expr.expr, &inner_grid)?);
        Ok(Node::Window(WindowSource::Subquery { inner, anchor, range_ms, step_ms }))
    }

    fn call(&mut self, call: &Call, grid: &Grid) -> Result<Node, PromqlError> {
        let function = functions::find(call.func.name).ok_or_else(|| PromqlError::function(call.func.name))?;
        let args = call.args.args.iter().map(|arg| self.node(arg, grid)).collect::<Result<_, _>>()?;
        Ok(Node::Call(function, args))
    }

    fn aggregate(&mut self, expr: &AggregateExpr, grid: &Grid) -> Result<Node, PromqlError> {
        let grouping = match &expr.modifier {
            None => Grouping::By(Vec::new()),
            Some(LabelModifier::Include(labels)) => Grouping::By(labels.labels.clone()),
            Some(LabelModifier::Exclude(labels)) => Grouping::Without(labels.labels.clone()),
        };
        let param = expr.param.as_ref().map(|param| self.node(param, grid)).transpose()?;
        let input = self.node(&expr.expr, grid)?;
        Aggregation::new(&expr.op.to_string(), grouping, param, input).map(|it| Node::Aggregate(Box::new(it)))
    }

    fn binary(&mut self, expr: &BinaryExpr, grid: &Grid) -> Result<Node, PromqlError> {
        let name = expr.op.to_string();
        let operator = Operator::parse(&name).ok_or(PromqlError::feature("a histogram operator"))?;
        let matching = self.matching(expr)?;
        let (left, right) = (self.node(&expr.lhs, grid)?, self.node(&expr.rhs, grid)?);
        Ok(Node::Binary(Box::new(Binary { operator, returns_bool: expr.return_bool(), matching, left, right })))
    }

    fn matching(&self, expr: &BinaryExpr) -> Result<Matching, PromqlError> {
        let Some(modifier) = &expr.modifier else { return Ok(Matching::default()) };
        if modifier.fill_values.lhs.is_some() || modifier.fill_values.rhs.is_some() {
            return Err(PromqlError::feature("modifier \"fill\""));
        }
        let by = match &modifier.matching {
            None => Grouping::Without(Vec::new()),
            Some(LabelModifier::Include(labels)) => Grouping::By(labels.labels.clone()),
            Some(LabelModifier::Exclude(labels)) => Grouping::Without(labels.labels.clone()),
        };
        Ok(match &modifier.card {
            VectorMatchCardinality::ManyToOne(include) => Matching::group_left(by, include.labels.clone()),
            VectorMatchCardinality::OneToMany(include) => Matching::group_right(by, include.labels.clone()),
            VectorMatchCardinality::OneToOne | VectorMatchCardinality::ManyToMany => Matching::one_to_one(by),
        })
    }
}

fn same_matchers(left: &[LabelMatcher], right: &[LabelMatcher]) -> bool {
    let same =
        |a: &LabelMatcher, b: &LabelMatcher| {
            a.name == b.name
                && match (&a.value, &b.value) {
                    (MatchValue::Equal(x), MatchValue::Equal(y))
                    | (MatchValue::NotEqual(x), MatchValue::NotEqual(y)) => x == y,
                    (MatchValue::Regex(x), MatchValue::Regex(y))
                    | (MatchValue::NotRegex(x), MatchValue::NotRegex(y)) => x.as_str() == y.as_str(),
                    _ => false,
                }
        };
    left.len() == right.len() && left.iter().zip(right).all(|(a, b)| same(a, b))
}

/// The labels that `=` matchers fix; a later matcher on the same label takes it away again. Odd for `{a="x",a="x"}`, but that is
/// what Prometheus does and rules rely on.
fn implied_labels(matchers: &[LabelMatcher]) -> Result<Labels, PromqlError> {
    let mut fixed: Vec<(&str, &str)> = Vec::new();
    let mut seen: Vec<&str> = Vec::new();
    for matcher in matchers.iter().filter(|matcher| matcher.name != METRIC_NAME) {
        let name = matcher.name.as_str();
        match &matcher.value {
            MatchValue::Equal(value) if !seen.contains(&name) => {
                seen.push(name);
                fixed.push((name, value));
            }
            _ => fixed.retain(|(other, _)| *other != name),
        }
    }
    Ok(Labels::new(fixed)?)
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

fn unix_ms(time: SystemTime) -> i64 {
    match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(after) => millis(after),
        Err(before) => -millis(before.duration()),
    }
}
