//! Turns the parser's tree into a plan.

use culprit_store::{LabelMatcher, Labels, METRIC_NAME, MatchValue, SampleRange};

use super::PromqlError;
use super::aggregate::{Aggregation, Grouping};
use super::binary::{Binary, Cardinality, Matching};
use super::eval::QueryBounds;
use super::functions::Function;
use super::grid::{Anchor, Grid};
use super::info::{Info, InfoMatchers, first_anchor};
use super::notes::Place;
use super::plan::{Arguments, Fetch, Node, Plan, ResetHints, Selector, WindowSource};
use super::syntax::{AggregateExpr, At, BinaryExpr, DurationExpr, Edges, Expr, ExprKind, Shift, VectorSelector};

pub(super) struct PlannerConfig<'a> {
    /// What the expression was read from.
    pub(super) query: &'a str,
    pub(super) bounds: QueryBounds,
    pub(super) lookback_ms: i64,
    pub(super) subquery_step_ms: i64,
    /// A subquery may not have more steps than this.
    pub(super) samples_max: usize,
}

pub(super) fn plan(expr: &Expr, grid: &Grid, config: PlannerConfig<'_>) -> Result<Plan, PromqlError> {
    let mut planner = Planner { config, fetches: Vec::new(), hints: ResetHints::Stored };
    let root = planner.node(expr, grid)?;
    Ok(Plan { root, fetches: planner.fetches })
}

struct Planner<'a> {
    config: PlannerConfig<'a>,
    fetches: Vec<Fetch>,
    hints: ResetHints,
}

impl Planner<'_> {
    fn node(&mut self, expr: &Expr, grid: &Grid) -> Result<Node, PromqlError> {
        match &expr.kind {
            ExprKind::Number(number) => Ok(Node::Number(*number)),
            ExprKind::Text(text) => Ok(Node::Text(text.clone())),
            ExprKind::Garbled(escaped) => {
                Err(PromqlError::execution(format!("the string \"{escaped}\" is not valid UTF-8")))
            }
            ExprKind::Paren(inner) => self.node(inner, grid),
            ExprKind::Vector(selector) => {
                Ok(Node::Instant(self.selector(selector, grid, self.config.lookback_ms, self.place(expr))?))
            }
            ExprKind::Matrix { selector, range } => self.samples(selector, range, grid),
            ExprKind::Subquery { inner, range, step, shift } => self.subquery(inner, range, step.as_ref(), shift, grid),
            ExprKind::Negate(inner) => Ok(Node::Negate(Box::new(self.node(inner, grid)?))),
            ExprKind::Call { function, args } => self.call(function, args, grid),
            ExprKind::Aggregate(aggregate) => self.aggregate(aggregate, grid),
            ExprKind::Binary(binary) => self.binary(binary, self.place(expr), grid),
        }
    }

    fn place(&self, expr: &Expr) -> Place {
        Place::of(self.config.query, expr.span.start)
    }

    /// A selector that looks back `reach_ms` from each time of the grid, left end excluded.
    fn selector(
        &mut self,
        selector: &VectorSelector,
        grid: &Grid,
        reach_ms: i64,
        place: Place,
    ) -> Result<Selector, PromqlError> {
        let matchers: Vec<LabelMatcher> = selector.matchers.iter().map(|matcher| matcher.compiled.clone()).collect();
        let anchor = self.anchor(&selector.shift)?;
        let implied = implied_labels(&matchers)?;
        let fetch = self.fetch(matchers, self.reach(anchor, grid, reach_ms, selector.edges));
        Ok(Selector { fetch, anchor, edges: selector.edges, hints: self.hints, place, implied })
    }

    /// The times that samples are needed of. Looking back goes on before an anchored window, and a smoothed one looks ahead.
    fn reach(&self, anchor: Anchor, grid: &Grid, reach_ms: i64, edges: Edges) -> SampleRange {
        let start_ms = anchor.reference(grid.start_ms).saturating_sub(reach_ms).saturating_add(1);
        let end_ms = anchor.reference(grid.end_ms());
        let lookback_ms = self.config.lookback_ms;
        match edges {
            Edges::Plain => SampleRange { start_ms, end_ms },
            Edges::Anchored => SampleRange { start_ms: start_ms.saturating_sub(lookback_ms), end_ms },
            Edges::Smoothed => SampleRange {
                start_ms: start_ms.saturating_sub(lookback_ms),
                end_ms: end_ms.saturating_add(lookback_ms),
            },
        }
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

    fn anchor(&self, shift: &Shift) -> Result<Anchor, PromqlError> {
        let at_ms = shift.at.map(|at| match at {
            At::Start => self.config.bounds.start_ms,
            At::End => self.config.bounds.end_ms,
            At::Seconds(seconds) => (seconds * 1000.0).round() as i64,
        });
        let offset_ms = shift.offset.as_ref().map_or(Ok(0), |offset| offset.millis(&self.config.bounds))?;
        Ok(Anchor { at_ms, offset_ms })
    }

    fn samples(&mut self, selector: &VectorSelector, range: &DurationExpr, grid: &Grid) -> Result<Node, PromqlError> {
        let range_ms = range.positive_millis(&self.config.bounds)?;
        let selector = self.selector(selector, grid, range_ms, Place::default())?;
        Ok(Node::Window(WindowSource::Samples { selector, range_ms }))
    }

    fn subquery(
        &mut self,
        inner: &Expr,
        range: &DurationExpr,
        step: Option<&DurationExpr>,
        shift: &Shift,
        grid: &Grid,
    ) -> Result<Node, PromqlError> {
        let range_ms = range.positive_millis(&self.config.bounds)?;
        let step_ms = match step {
            None => self.config.subquery_step_ms,
            Some(step) => step.positive_millis(&self.config.bounds)?,
        };
        let anchor = self.anchor(shift)?;
        let inner_grid = anchor.subquery(grid, range_ms, step_ms);
        if inner_grid.steps > self.config.samples_max {
            return Err(PromqlError::TooManySamples { limit: self.config.samples_max });
        }
        let inner = Box::new(self.hinted(ResetHints::Stored, |it| it.node(inner, &inner_grid))?);
        Ok(Node::Window(WindowSource::Subquery { inner, anchor, range_ms, step_ms }))
    }

    fn call(&mut self, function: &'static Function, args: &[Expr], grid: &Grid) -> Result<Node, PromqlError> {
        if function.name == "info" {
            return self.info(args, grid);
        }
        for arg in args {
            if let ExprKind::Matrix { selector, .. } = &arg.kind {
                edges_fit(function.name, selector.edges)?;
            }
        }
        let hints = match function.name {
            "histogram_count" | "histogram_sum" | "histogram_avg" => ResetHints::Detected,
            name if name.starts_with("histogram_") => ResetHints::Stored,
            _ => self.hints,
        };
        let nodes = args.iter().map(|arg| self.hinted(hints, |it| it.node(arg, grid))).collect::<Result<_, _>>()?;
        let places = args.iter().map(|arg| self.place(arg)).collect();
        Ok(Node::Call(function, Arguments { nodes, places }))
    }

    /// Plans a part of the query whose histograms have other hints.
    fn hinted<T>(&mut self, hints: ResetHints, plan: impl FnOnce(&mut Self) -> T) -> T {
        let outer = std::mem::replace(&mut self.hints, hints);
        let planned = plan(self);
        self.hints = outer;
        planned
    }

    /// The second argument, if there is one, is only a set of matchers.
    fn info(&mut self, args: &[Expr], grid: &Grid) -> Result<Node, PromqlError> {
        let base = self.node(&args[0], grid)?;
        let given = match args.get(1).map(|arg| &arg.kind) {
            Some(ExprKind::Vector(selector)) => selector.matchers.as_slice(),
            _ => &[],
        };
        let wanted = InfoMatchers::new(given)?;
        let anchor = first_anchor(&base).unwrap_or_default();
        let range = self.reach(anchor, grid, self.config.lookback_ms, Edges::Plain);
        let fetch = self.fetch(wanted.selects(), range);
        let source = Selector {
            fetch,
            anchor,
            edges: Edges::Plain,
            hints: ResetHints::Stored,
            place: Place::default(),
            implied: Labels::default(),
        };
        Ok(Node::Info(Box::new(Info { base, source, wanted })))
    }

    fn aggregate(&mut self, expr: &AggregateExpr, grid: &Grid) -> Result<Node, PromqlError> {
        let grouping = match &expr.grouping {
            None => Grouping::By(Vec::new()),
            Some(grouping) if grouping.without => Grouping::Without(grouping.labels.clone()),
            Some(grouping) => Grouping::By(grouping.labels.clone()),
        };
        if let ExprKind::Garbled(escaped) = &expr.args[0].kind {
            return Err(PromqlError::execution(format!("invalid label name \"{escaped}\"")));
        }
        let mut args = expr.args.iter().map(|arg| self.node(arg, grid)).collect::<Result<Vec<_>, _>>()?;
        let input = args.pop().ok_or_else(|| PromqlError::execution("an aggregation needs a vector"))?;
        let places = expr.args.iter().map(|arg| self.place(arg)).collect();
        let operator = expr.aggregation.operator;
        let aggregation = Aggregation { operator, grouping, param: args.pop(), input, places };
        Ok(Node::Aggregate(Box::new(aggregation)))
    }

    fn binary(&mut self, expr: &BinaryExpr, place: Place, grid: &Grid) -> Result<Node, PromqlError> {
        let matching = self.matching(expr);
        let (left, right) = self.hinted(ResetHints::Stored, |it| {
            Ok::<_, PromqlError>((it.node(&expr.left, grid)?, it.node(&expr.right, grid)?))
        })?;
        let (operator, returns_bool) = (expr.operator, expr.returns_bool);
        Ok(Node::Binary(Box::new(Binary { operator, returns_bool, matching, place, left, right })))
    }

    fn matching(&self, expr: &BinaryExpr) -> Matching {
        let by = match &expr.matching {
            None => Grouping::Without(Vec::new()),
            Some(matching) if matching.on => Grouping::By(matching.labels.clone()),
            Some(matching) => Grouping::Without(matching.labels.clone()),
        };
        let (cardinality, include) = match &expr.group {
            None => (Cardinality::OneToOne, Vec::new()),
            Some(group) if group.left => (Cardinality::ManyToOne, group.include.clone()),
            Some(group) => (Cardinality::OneToMany, group.include.clone()),
        };
        Matching { by, cardinality, include, fill: expr.fill }
    }
}

fn edges_fit(function: &str, edges: Edges) -> Result<(), PromqlError> {
    const ANCHORED: [&str; 5] = ["changes", "delta", "increase", "rate", "resets"];
    const SMOOTHED: [&str; 3] = ["delta", "increase", "rate"];
    let (word, allowed): (_, &[&str]) = match edges {
        Edges::Plain => return Ok(()),
        Edges::Anchored => ("anchored", &ANCHORED),
        Edges::Smoothed => ("smoothed", &SMOOTHED),
    };
    if allowed.contains(&function) {
        return Ok(());
    }
    let allowed = allowed.join(", ");
    Err(PromqlError::execution(format!("{word} modifier can only be used with: {allowed} - not with {function}")))
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
