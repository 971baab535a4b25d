//! What the webhook brings, as far as somebody on call reads it, and its lines on the terminal.

use std::collections::BTreeMap;

use serde::Deserialize;

/// Causes and correlated values printed; the console shows all.
const CAUSES_SHOWN: usize = 3;
const CORRELATED_SHOWN: usize = 2;

/// Alertmanager's webhook payload, version 4, with what the server adds to it.
#[derive(Debug, Deserialize)]
pub(super) struct Page {
    pub(super) status: String,
    pub(super) culprit: Incident,
    pub(super) alerts: Vec<PagedAlert>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Incident {
    #[serde(rename = "incident")]
    pub(super) id: String,
    pub(super) url: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct PagedAlert {
    labels: BTreeMap<String, String>,
    annotations: BTreeMap<String, String>,
    culprit: Cause,
}

#[derive(Debug, Deserialize)]
pub(super) struct Cause {
    status: String,
    sentence: Option<String>,
    report: Option<Report>,
}

#[derive(Debug, Deserialize)]
struct Report {
    explanations: Vec<Explanation>,
}

#[derive(Debug, Deserialize)]
struct Explanation {
    #[serde(flatten)]
    evidence: Evidence,
    alternates: Vec<Evidence>,
}

#[derive(Debug, Deserialize)]
struct Evidence {
    items: Vec<Item>,
    support_a: f64,
    support_b: f64,
    risk_ratio: Option<f64>,
}

#[derive(Debug, PartialEq, Deserialize)]
struct Item {
    dimension: String,
    value: String,
    /// As a person writes it, where that is not `dimension = value`.
    condition: Option<String>,
}

impl Page {
    pub(super) fn is_firing(&self) -> bool {
        self.status == "firing"
    }

    /// The first cause found, else what is said in its place.
    pub(super) fn cause(&self) -> Option<&Cause> {
        let causes = || self.alerts.iter().map(|alert| &alert.culprit);
        causes().find(|cause| cause.is_found()).or_else(|| causes().next())
    }

    pub(super) fn lines(&self) -> Vec<String> {
        let Some(alert) = self.alerts.first() else { return vec!["a page without an alert".to_owned()] };
        let name = alert.labels.get("alertname").map_or("(unnamed)", String::as_str);
        let more = match self.alerts.len() {
            1 => String::new(),
            n => format!(" and {} more", n - 1),
        };
        if !self.is_firing() {
            return vec![format!("RESOLVED {name}{more}")];
        }
        let summary = alert.annotations.get("summary").map_or("", String::as_str);
        let mut lines = vec![format!("ALERT {name}{more}: {summary}")];
        lines.extend(alert.annotations.get("culprit_cause").cloned());
        lines.extend(self.cause().into_iter().flat_map(Cause::ranked));
        lines.push(self.culprit.url.clone());
        lines
    }
}

impl Cause {
    pub(super) fn is_found(&self) -> bool {
        self.report.as_ref().is_some_and(|report| !report.explanations.is_empty())
    }

    /// Still searched for when this was written.
    pub(super) fn is_pending(&self) -> bool {
        self.status == "pending"
    }

    /// For a cause that comes after its page.
    pub(super) fn lines(&self) -> Vec<String> {
        self.sentence.iter().cloned().chain(self.ranked()).collect()
    }

    /// The causes with their evidence, and what only correlates with the first.
    fn ranked(&self) -> Vec<String> {
        let Some(report) = &self.report else { return Vec::new() };
        let causes = report.explanations.iter().take(CAUSES_SHOWN).zip(1..);
        let mut lines: Vec<_> = causes.map(|(cause, rank)| format!("{rank}. {}", cause.evidence.line())).collect();
        let others = report.explanations.first().map_or_else(Vec::new, Explanation::correlated);
        let correlated: Vec<_> = others.into_iter().take(CORRELATED_SHOWN).map(Evidence::short).collect();
        if !correlated.is_empty() {
            lines.push(format!("correlated, not the cause: {}", correlated.join("; ")));
        }
        lines
    }
}

impl Explanation {
    /// Of the alternates those that are not the cause itself with something added.
    fn correlated(&self) -> Vec<&Evidence> {
        let cause = &self.evidence.items;
        let restates = |other: &Evidence| cause.iter().all(|item| other.items.contains(item));
        self.alternates.iter().filter(|other| !restates(other)).collect()
    }
}

impl Evidence {
    fn condition(&self) -> String {
        let condition = |item: &Item| match &item.condition {
            Some(condition) => condition.clone(),
            None => format!("{} = {}", item.dimension, item.value),
        };
        self.items.iter().map(condition).collect::<Vec<_>>().join(" and ")
    }

    fn line(&self) -> String {
        let shares = format!("{} of these rows, {} of the others", percent(self.support_a), percent(self.support_b));
        match self.risk_ratio.filter(|ratio| ratio.is_finite()) {
            Some(ratio) => format!("{}: {shares}, {ratio:.0} times as likely", self.condition()),
            None => format!("{}: {shares}", self.condition()),
        }
    }

    fn short(&self) -> String {
        format!("{} ({} against {})", self.condition(), percent(self.support_a), percent(self.support_b))
    }
}

fn percent(share: f64) -> String {
    let percent = share * 100.0;
    if percent < 9.95 { format!("{percent:.1} %") } else { format!("{percent:.0} %") }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use serde_json::json;

    use super::*;

    fn evidence(dimension: &str, value: &str, a: f64, b: f64) -> serde_json::Value {
        json!({"items": [{"dimension": dimension, "value": value, "aliases": []}], "rows_a": 70, "rows_b": 9,
            "support_a": a, "support_b": b, "risk_ratio": a / b, "ci": [3.0, 4.0]})
    }

    fn page(culprit: serde_json::Value) -> Page {
        let why = if culprit["sentence"].is_string() { "78 % have it." } else { "no explanation yet" };
        serde_json::from_value(json!({
            "version": "4", "status": "firing",
            "culprit": {"incident": "0123", "url": "http://127.0.0.1:6700/ui/alerts?incident=0123", "group": "shop"},
            "alerts": [{
                "status": "firing", "labels": {"alertname": "HighErrorRate", "severity": "page"},
                "annotations": {"summary": "6 % fail", "culprit_cause": why}, "culprit": culprit,
            }],
        }))
        .unwrap()
    }

    #[test]
    fn a_page_is_told_in_a_few_lines() {
        let mut first = evidence("customer_id", "1002", 0.784, 0.0051);
        let mut restated = evidence("customer_id", "1002", 0.6, 0.001);
        let with = json!({"dimension": "method", "value": "GET", "condition": "method = GET", "aliases": []});
        restated["items"].as_array_mut().unwrap().push(with);
        let plan = evidence("plan", "enterprise", 0.81, 0.19);
        first["alternates"] = json!([restated, plan, evidence("region", "eu", 0.7, 0.43)]);
        let page = page(json!({"status": "ready", "sentence": "78 % have it.", "report": {"explanations": [first]}}));
        assert!(page.is_firing() && page.cause().is_some_and(Cause::is_found));
        expect![[r#"
            ALERT HighErrorRate: 6 % fail
            78 % have it.
            1. customer_id = 1002: 78 % of these rows, 0.5 % of the others, 154 times as likely
            correlated, not the cause: plan = enterprise (81 % against 19 %); region = eu (70 % against 43 %)
            http://127.0.0.1:6700/ui/alerts?incident=0123"#]]
        .assert_eq(&page.lines().join("\n"));
    }

    #[test]
    fn a_page_without_a_cause_says_why() {
        let page = page(json!({"status": "pending", "sentence": null, "why": "no explanation yet", "report": null}));
        assert!(!page.cause().unwrap().is_found());
        expect![[r#"
            ALERT HighErrorRate: 6 % fail
            no explanation yet
            http://127.0.0.1:6700/ui/alerts?incident=0123"#]]
        .assert_eq(&page.lines().join("\n"));
    }
}
