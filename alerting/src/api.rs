//! What Prometheus' API says about rules and alerts, in its shapes.

use std::time::Duration;

use culprit_store::{LabelMatcher, Labels, UnixNanos};
use serde_json::{Map, Value, json};

use crate::alert::{Alert, AlertState};
use crate::files::Files;
use crate::group::{GroupView, RuleState};
use crate::rules::{RuleKind, Templated};
use crate::slice::rfc3339;
use crate::template::format_e;

/// The parameters of `GET /api/v1/rules`; an empty list accepts everything.
#[derive(Debug, Clone, Default)]
pub struct RuleFilter {
    /// `alert` or `record`.
    pub kind: Option<String>,
    pub rule_names: Vec<String>,
    pub groups: Vec<String>,
    pub files: Vec<String>,
    /// `match[]`: rules whose labels match all matchers of at least one set.
    pub matches: Vec<Vec<LabelMatcher>>,
    pub exclude_alerts: bool,
    /// At most so many groups; the answer then carries a token for the rest.
    pub group_limit: Option<usize>,
    pub group_next_token: Option<String>,
}

pub(crate) fn rules(groups: &[GroupView], filter: &RuleFilter) -> Value {
    let mut shown = Vec::new();
    let mut next_token = None;
    let key = |group: &GroupView| format!("{};{}", group.spec.file, group.spec.name);
    for group in groups {
        let is_before = filter.group_next_token.as_ref().is_some_and(|token| key(group) < *token);
        if is_before || !accepts(&filter.groups, &group.spec.name) || !accepts(&filter.files, &group.spec.file) {
            continue;
        }
        let rules: Vec<Value> =
            group.rules.iter().filter(|rule| accepts_rule(filter, rule)).map(|rule| rule_json(rule, filter)).collect();
        let is_narrow = filter.kind.is_some() || !filter.rule_names.is_empty() || !filter.matches.is_empty();
        if rules.is_empty() && is_narrow {
            continue;
        }
        if filter.group_limit.is_some_and(|limit| shown.len() >= limit) {
            next_token = Some(key(group));
            break;
        }
        shown.push(group_json(group, rules));
    }
    let mut data = json!({ "groups": shown });
    if let Some(token) = next_token {
        data["groupNextToken"] = token.into();
    }
    json!({ "status": "success", "data": data })
}

pub(crate) fn alerts(groups: &[GroupView]) -> Value {
    let rules = groups.iter().flat_map(|group| &group.rules);
    let alerts: Vec<Value> = rules.flat_map(|rule| rule.alerts.active()).map(alert_json).collect();
    json!({ "status": "success", "data": { "alerts": alerts } })
}

pub(crate) fn files(files: &Files) -> Value {
    let file = |(path, file): (&std::path::PathBuf, &crate::files::LoadedFile)| {
        json!({
            "file": path.display().to_string(),
            "groups": file.groups.len(),
            "rules": file.groups.iter().map(|group| group.rules.len()).sum::<usize>(),
            "errors": file.errors,
        })
    };
    json!({ "files": files.iter().map(file).collect::<Vec<_>>() })
}

fn accepts(wanted: &[String], name: &str) -> bool {
    wanted.is_empty() || wanted.iter().any(|wanted| wanted == name)
}

fn accepts_rule(filter: &RuleFilter, rule: &RuleState) -> bool {
    let is_kind = match filter.kind.as_deref() {
        Some("alert") => rule.is_alerting(),
        Some("record") => !rule.is_alerting(),
        _ => true,
    };
    let labels = Labels::new(rule.rule.labels.iter().map(|label| (label.name.as_str(), label.text.as_str())));
    let is_matched = filter.matches.is_empty()
        || labels
            .is_ok_and(|labels| filter.matches.iter().any(|set| set.iter().all(|matcher| matcher.matches(&labels))));
    is_kind && is_matched && accepts(&filter.rule_names, rule.rule.name())
}

fn group_json(group: &GroupView, rules: Vec<Value>) -> Value {
    json!({
        "name": group.spec.name,
        "file": group.spec.file,
        "rules": rules,
        "interval": group.interval.as_secs_f64(),
        "limit": group.spec.limit,
        "evaluationTime": group.evaluation_time.as_secs_f64(),
        "lastEvaluation": time(group.last_evaluation),
    })
}

/// Go's zero time stands for "never".
fn time(at: Option<UnixNanos>) -> String {
    at.map_or_else(|| "0001-01-01T00:00:00Z".to_owned(), rfc3339)
}

fn texts(list: &[Templated]) -> Value {
    Value::Object(list.iter().map(|entry| (entry.name.clone(), entry.text.as_str().into())).collect())
}

fn rule_json(rule: &RuleState, filter: &RuleFilter) -> Value {
    let mut out = Map::new();
    if let RuleKind::Alerting { hold, keep_firing_for, annotations, .. } = &rule.rule.kind {
        let seconds = |duration: &Duration| Value::from(duration.as_secs_f64());
        out.insert("state".to_owned(), rule.state().as_str().into());
        out.insert("duration".to_owned(), seconds(hold));
        out.insert("keepFiringFor".to_owned(), seconds(keep_firing_for));
        out.insert("annotations".to_owned(), texts(annotations));
        if !filter.exclude_alerts {
            out.insert("alerts".to_owned(), rule.alerts.active().map(alert_json).collect());
        }
    }
    out.insert("name".to_owned(), rule.rule.name().into());
    out.insert("query".to_owned(), rule.rule.expression.to_string().into());
    out.insert("labels".to_owned(), texts(&rule.rule.labels));
    out.insert("health".to_owned(), rule.health.as_str().into());
    if let Some(error) = &rule.last_error {
        out.insert("lastError".to_owned(), error.as_str().into());
    }
    out.insert("evaluationTime".to_owned(), rule.evaluation_time.as_secs_f64().into());
    out.insert("lastEvaluation".to_owned(), time(rule.last_evaluation).into());
    out.insert("type".to_owned(), if rule.is_alerting() { "alerting" } else { "recording" }.into());
    Value::Object(out)
}

fn alert_json(alert: &Alert) -> Value {
    let mut out = json!({
        "labels": alert.labels,
        "annotations": alert.annotations,
        "state": alert.state.as_str(),
        "activeAt": rfc3339(alert.active_at),
        "value": format_e(alert.value, None),
    });
    if let Some(since) = alert.keep_firing_since.filter(|_| alert.state == AlertState::Firing) {
        out["keepFiringSince"] = rfc3339(since).into();
    }
    out
}
