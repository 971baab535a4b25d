//! info: labels of info metrics, such as `target_info`, beside those of the series they tell about.

use std::collections::HashMap;

use culprit_store::{LabelMatcher, Labels, METRIC_NAME, MatchValue};

use super::PromqlError;
use super::column::{Column, join_same};
use super::eval::{Evaluator, Reading};
use super::grid::{Anchor, Grid};
use super::plan::{Node, Selector, WindowSource};
use super::syntax::Matcher;

/// Series with the same values of these are about the same thing.
const IDENTIFYING: [&str; 2] = ["instance", "job"];

#[derive(Debug)]
pub(super) struct Info {
    pub(super) base: Node,
    /// The info series; looks at the time that the base looks at.
    pub(super) source: Selector,
    pub(super) wanted: InfoMatchers,
}

/// Which info metrics are asked, and which of their labels come over; all, when no label is named.
#[derive(Debug, Clone)]
pub(super) struct InfoMatchers {
    names: Vec<LabelMatcher>,
    labels: Vec<LabelMatcher>,
}

impl InfoMatchers {
    pub(super) fn new(given: &[Matcher]) -> Result<Self, PromqlError> {
        let (mut names, labels): (Vec<LabelMatcher>, Vec<LabelMatcher>) =
            given.iter().map(|matcher| matcher.compiled.clone()).partition(|matcher| matcher.name == METRIC_NAME);
        if names.is_empty() {
            names.push(LabelMatcher::equal(METRIC_NAME, "target_info"));
        } else if !names.iter().any(|it| matches!(it.value, MatchValue::Equal(_) | MatchValue::Regex(_))) {
            // What a name is not says nothing about which metrics carry information.
            names.push(LabelMatcher::regex(METRIC_NAME, ".+_info")?);
        }
        Ok(Self { names, labels })
    }

    pub(super) fn selects(&self) -> Vec<LabelMatcher> {
        self.names.iter().chain(&self.labels).cloned().collect()
    }

    fn wants(&self, label: &str) -> bool {
        self.labels.is_empty() || self.labels.iter().any(|matcher| matcher.name == label)
    }

    /// True when a series without information is still an answer.
    fn accepts_none(&self) -> bool {
        self.labels.iter().all(|matcher| matcher.matches_value(""))
    }
}

/// How the times at which an expression's first selector looks lie to those of evaluation.
pub(super) fn first_anchor(node: &Node) -> Option<Anchor> {
    match node {
        Node::Instant(selector) | Node::Window(WindowSource::Samples { selector, .. }) => Some(selector.anchor),
        Node::Window(WindowSource::Subquery { inner, anchor, .. }) => Some(match first_anchor(inner) {
            Some(inner) if inner.at_ms.is_some() => inner,
            Some(inner) => Anchor { at_ms: anchor.at_ms, offset_ms: anchor.offset_ms.saturating_add(inner.offset_ms) },
            None => *anchor,
        }),
        Node::Call(_, args) => args.nodes.iter().find_map(first_anchor),
        Node::Aggregate(aggregation) => first_anchor(&aggregation.input),
        Node::Binary(binary) => first_anchor(&binary.left).or_else(|| first_anchor(&binary.right)),
        Node::Negate(inner) => first_anchor(inner),
        Node::Info(info) => first_anchor(&info.base),
        Node::Number(_) | Node::Text(_) => None,
    }
}

impl Info {
    pub(super) fn eval(&self, evaluator: &mut Evaluator<'_>, grid: &Grid) -> Result<Vec<Column>, PromqlError> {
        let base = evaluator.vector(&self.base, grid)?;
        // The time of each info sample rather than its value, which says nothing: the latest of several counts.
        let infos = evaluator.instant(&self.source, grid, Reading::Time)?;
        if evaluator.series(&self.source).iter().any(|series| !series.histograms.is_empty()) {
            return Err(PromqlError::execution("info metrics have to be numbers, and a native histogram was selected"));
        }
        let mut about: HashMap<Labels, Vec<&Column>> = HashMap::new();
        for info in infos.iter().filter(|info| !identity(&info.labels).is_empty()) {
            about.entry(identity(&info.labels)).or_default().push(info);
        }
        let mut results = Vec::with_capacity(base.len());
        for column in base {
            evaluator.check_stop()?;
            if self.wanted.names.iter().all(|matcher| matcher.matches(&column.labels)) {
                results.push(column);
                continue;
            }
            let infos = about.get(&identity(&column.labels)).map_or(&[][..], Vec::as_slice);
            self.enrich(&column, infos, &mut results)?;
        }
        join_same(results)
    }

    /// One series per set of labels that the information adds over time.
    fn enrich(&self, base: &Column, infos: &[&Column], results: &mut Vec<Column>) -> Result<(), PromqlError> {
        let mut parts: Vec<Column> = Vec::new();
        let mut index: HashMap<Vec<usize>, usize> = HashMap::new();
        for step in (0..base.values.len()).filter(|step| base.is_present(*step)) {
            let chosen = latest(infos, step)?;
            if chosen.is_empty() && !self.wanted.accepts_none() {
                continue;
            }
            let part = match index.get(&chosen) {
                Some(part) => *part,
                None => {
                    let labels = self.with_info(&base.labels, chosen.iter().map(|at| &infos[*at].labels))?;
                    parts.push(Column::empty(labels, base.drop_name, base.values.len()));
                    index.insert(chosen, parts.len() - 1);
                    parts.len() - 1
                }
            };
            parts[part].take(step, base);
        }
        results.append(&mut parts);
        Ok(())
    }

    fn with_info<'a>(&self, base: &Labels, infos: impl Iterator<Item = &'a Labels>) -> Result<Labels, PromqlError> {
        let mut added: HashMap<&str, &str> = HashMap::new();
        for label in infos.flat_map(Labels::iter).filter(|label| *label.name != *METRIC_NAME) {
            if !self.wanted.wants(&label.name) {
                continue;
            }
            if let Some(other) = added.insert(&label.name, &label.value).filter(|other| **other != *label.value) {
                return Err(PromqlError::execution(format!(
                    "conflicting label: {}, with values {:?} and {:?}",
                    label.name, other, label.value
                )));
            }
        }
        // What the series says itself stays.
        let new = added.into_iter().filter(|(name, _)| base.get(name).is_none());
        Ok(new.fold(base.clone(), |labels, (name, value)| labels.with(name, value)))
    }
}

fn identity(labels: &Labels) -> Labels {
    labels.filter(|label| IDENTIFYING.contains(&&*label.name))
}

/// Per info metric, the series with the latest sample at this step.
fn latest(infos: &[&Column], step: usize) -> Result<Vec<usize>, PromqlError> {
    let mut chosen: Vec<usize> = Vec::new();
    for (at, info) in infos.iter().enumerate() {
        let Some(time) = info.get(step) else { continue };
        let name = info.labels.metric_name();
        match chosen.iter_mut().find(|other| infos[**other].labels.metric_name() == name) {
            None => chosen.push(at),
            Some(other) => match infos[*other].values[step].total_cmp(&time) {
                std::cmp::Ordering::Less => *other = at,
                std::cmp::Ordering::Greater => {}
                std::cmp::Ordering::Equal => {
                    return Err(PromqlError::execution(format!(
                        "found duplicate series for info metric: existing {}, new {}",
                        infos[*other].labels, info.labels
                    )));
                }
            },
        }
    }
    Ok(chosen)
}
