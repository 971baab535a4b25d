//! Rules as their files give them, checked: what is evaluated, what is written or raised, and with which words.

mod check;
mod file;
mod inspect;
mod lines;
mod reader;
mod threshold;

use std::sync::Arc;
use std::time::Duration;

use culprit_store::{ProjectName, StoreName};

pub(crate) use check::read_rule_text;
pub use check::{FileReport, RuleReport, check_rule_file};
pub(crate) use file::parse_rule_file;
pub(crate) use threshold::Threshold;

use self::lines::Place;
use crate::slice::SliceTemplate;
use crate::template::{Template, escape_query};

/// Rules that are evaluated together and in order.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct GroupSpec {
    pub name: String,
    pub file: String,
    /// Absent: the server's default.
    pub interval: Option<Duration>,
    /// Absent or 0: no limit of its own.
    pub limit: usize,
    pub query_offset: Duration,
    pub rules: Vec<Arc<Rule>>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Rule {
    pub id: RuleId,
    pub kind: RuleKind,
    pub expression: Expression,
    /// The group's labels and the rule's own, the latter winning.
    pub labels: Vec<Templated>,
    pub(crate) place: Place,
}

/// Group, name and labels of a rule, and its number among equal ones: what stays the same when the expression is edited.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct RuleId(pub String);

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum RuleKind {
    Recording {
        record: String,
    },
    Alerting {
        alert: String,
        hold: Duration,
        keep_firing_for: Duration,
        annotations: Vec<Templated>,
        slice: Option<Box<SliceTemplate>>,
    },
}

/// A label's or an annotation's text, with its template.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Templated {
    pub name: String,
    pub text: String,
    pub template: Template,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Expression {
    Promql {
        project: ProjectName,
        query: String,
    },
    /// Each row is an instance: column `value`, or else the only numeric one, is its value, the others are labels.
    Sql {
        project: ProjectName,
        query: String,
        window: Duration,
    },
    /// The number of rows of the last `window` that match.
    Search {
        project: ProjectName,
        store: StoreName,
        text: String,
        window: Duration,
        threshold: Threshold,
    },
    /// Those series of a query that lately do what their past does not let expect. `of` is PromQL or SQL.
    Inspect {
        of: Box<Expression>,
        inspection: Inspection,
    },
}

/// What is compared with what: the latest `window` with the rest of the `history` before it, in points of one `step`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Inspection {
    pub step: Duration,
    pub window: Duration,
    pub history: Duration,
}

impl Rule {
    pub(crate) fn name(&self) -> &str {
        match &self.kind {
            RuleKind::Recording { record } => record,
            RuleKind::Alerting { alert, .. } => alert,
        }
    }
}

impl Expression {
    pub fn project(&self) -> &ProjectName {
        match self {
            Self::Promql { project, .. } | Self::Sql { project, .. } | Self::Search { project, .. } => project,
            Self::Inspect { of, .. } => of.project(),
        }
    }
}

impl Expression {
    /// Where the console shows the expression, below the server's address.
    pub(crate) fn console_path(&self) -> String {
        let (mode, query) = match self {
            Self::Promql { query, .. } => ("promql", query),
            Self::Sql { query, .. } => ("sql", query),
            Self::Search { .. } => return "/ui/alerts".to_owned(),
            Self::Inspect { of, .. } => return of.console_path(),
        };
        format!("/ui/?mode={mode}&project={}&q={}", self.project(), escape_query(query))
    }
}

/// As it is shown to people.
impl std::fmt::Display for Expression {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Promql { query, .. } | Self::Sql { query, .. } => f.write_str(query),
            Self::Inspect { of, .. } => write!(f, "inspect {of}"),
            Self::Search { store, text, threshold, .. } => write!(f, "{store} | {text} {threshold}"),
        }
    }
}
