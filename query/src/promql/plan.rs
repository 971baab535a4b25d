//! What will be evaluated: the syntax tree with functions resolved, `@ start()` turned into a time, selectors numbered, and
//! everything refused that the engine does not do.

use culprit_store::{LabelMatcher, Labels, SampleRange};

use super::aggregate::Aggregation;
use super::binary::Binary;
use super::functions::Function;
use super::grid::Anchor;
use super::info::Info;
use super::notes::Place;
use super::syntax::Edges;

/// A plan is made for one grid: `fetches` are the series that its selectors need, all of which are loaded before evaluation.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) root: Node,
    pub(super) fetches: Vec<Fetch>,
}

/// One read from the store; selectors with equal matchers and overlapping ranges share it.
#[derive(Debug, Clone)]
pub(super) struct Fetch {
    pub(super) matchers: Vec<LabelMatcher>,
    pub(super) range: SampleRange,
}

#[derive(Debug)]
pub(super) enum Node {
    Number(f64),
    Text(String),
    Instant(Selector),
    /// Of type range vector: an argument of a function, or the whole of an instant query.
    Window(WindowSource),
    Call(&'static Function, Arguments),
    Aggregate(Box<Aggregation>),
    Binary(Box<Binary>),
    Negate(Box<Node>),
    Info(Box<Info>),
}

#[derive(Debug)]
pub(super) struct Selector {
    /// Index into the plan's fetches.
    pub(super) fetch: usize,
    pub(super) anchor: Anchor,
    pub(super) edges: Edges,
    pub(super) hints: ResetHints,
    pub(super) place: Place,
    /// The labels that `absent` gives to what this selector does not find.
    pub(super) implied: Labels,
}

/// Of a call, each with its place in the query.
#[derive(Debug)]
pub(super) struct Arguments {
    pub(super) nodes: Vec<Node>,
    pub(super) places: Vec<Place>,
}

/// What histograms say about resets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ResetHints {
    /// What was written with them.
    Stored,
    /// What comparing each with the one before shows. Prometheus does so where only counts and sums are asked for, and warns
    /// of contradictions that it would not see otherwise.
    Detected,
}

#[derive(Debug)]
pub(super) enum WindowSource {
    Samples { selector: Selector, range_ms: i64 },
    Subquery { inner: Box<Node>, anchor: Anchor, range_ms: i64, step_ms: i64 },
}

impl WindowSource {
    pub(super) fn anchor(&self) -> Anchor {
        match self {
            Self::Samples { selector, .. } => selector.anchor,
            Self::Subquery { anchor, .. } => *anchor,
        }
    }

    pub(super) fn edges(&self) -> Edges {
        match self {
            Self::Samples { selector, .. } => selector.edges,
            Self::Subquery { .. } => Edges::Plain,
        }
    }

    pub(super) fn range_ms(&self) -> i64 {
        match self {
            Self::Samples { range_ms, .. } | Self::Subquery { range_ms, .. } => *range_ms,
        }
    }
}

impl Node {
    /// True when the value is the same at every step, so that one evaluation is enough: all that reads time is pinned by `@`.
    pub(super) fn is_steady(&self) -> bool {
        match self {
            Self::Number(_) | Self::Text(_) => true,
            Self::Instant(selector) => selector.anchor.at_ms.is_some(),
            Self::Window(source) => source.anchor().at_ms.is_some(),
            Self::Call(function, args) => !function.reads_clock && args.nodes.iter().all(Self::is_steady),
            Self::Aggregate(aggregation) => {
                aggregation.input.is_steady() && aggregation.param.as_ref().is_none_or(Self::is_steady)
            }
            Self::Binary(binary) => binary.left.is_steady() && binary.right.is_steady(),
            Self::Negate(inner) => inner.is_steady(),
            Self::Info(info) => info.base.is_steady() && info.source.anchor.at_ms.is_some(),
        }
    }
}
