//! What alerting counts about itself.

use std::sync::atomic::{AtomicU64, Ordering};

use culprit_store::Metric;

/// One counter; `add` is cheap and never blocks.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    pub fn add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Sent and failed notifications of one kind of receiver.
#[derive(Debug, Default)]
pub struct Delivered {
    pub sent: Counter,
    pub failed: Counter,
    pub retried: Counter,
}

#[derive(Debug, Default)]
pub struct Metrics {
    pub evaluations: Counter,
    pub evaluation_failures: Counter,
    pub evaluation_nanos: Counter,
    pub iterations: Counter,
    pub iterations_missed: Counter,
    pub reloads: Counter,
    pub reload_failures: Counter,
    pub series_write_failures: Counter,
    pub explanations: Counter,
    pub explanations_late: Counter,
    pub explanation_failures: Counter,
    pub investigations: Counter,
    pub investigation_failures: Counter,
    pub incidents: Counter,
    pub incident_records_dropped: Counter,
    pub incident_record_failures: Counter,
    pub alerts_left_out: Counter,
    pub webhook: Delivered,
    pub email: Delivered,
    pub slack: Delivered,
    pub dingtalk: Delivered,
}

impl Metrics {
    pub fn delivered(&self, integration: &str) -> &Delivered {
        match integration {
            "email" => &self.email,
            "slack" => &self.slack,
            "dingtalk" => &self.dingtalk,
            _ => &self.webhook,
        }
    }

    /// Ready for `/metrics` and the self-scrape.
    pub fn metrics(&self) -> Vec<Metric> {
        let plain = |name, help, counter: &Counter| Metric::counter(name, help, counter.get());
        let mut metrics = vec![
            plain("culprit_alerting_evaluations_total", "Evaluations of rules.", &self.evaluations),
            plain("culprit_alerting_evaluation_failures_total", "Evaluations that failed.", &self.evaluation_failures),
            plain("culprit_alerting_iterations_total", "Evaluations of whole groups.", &self.iterations),
            plain(
                "culprit_alerting_iterations_missed_total",
                "Evaluations of groups left out because the one before took too long.",
                &self.iterations_missed,
            ),
            plain("culprit_alerting_reloads_total", "Changes of rule files that were taken over.", &self.reloads),
            plain(
                "culprit_alerting_reload_failures_total",
                "Changes of rule files with mistakes.",
                &self.reload_failures,
            ),
            plain(
                "culprit_alerting_series_write_failures_total",
                "Results of rules that could not be written.",
                &self.series_write_failures,
            ),
            plain("culprit_alerting_incidents_total", "Incidents that were opened.", &self.incidents),
            plain(
                "culprit_alerting_incident_records_dropped_total",
                "Revisions of incidents dropped because their queue was full.",
                &self.incident_records_dropped,
            ),
            plain(
                "culprit_alerting_incident_record_failures_total",
                "Revisions of incidents that could not be written.",
                &self.incident_record_failures,
            ),
            plain(
                "culprit_alerting_alerts_left_out_total",
                "Alerts that their incident had no room for.",
                &self.alerts_left_out,
            ),
        ];
        metrics.extend(self.searches());
        let mut seconds =
            Metric::counter("culprit_alerting_evaluation_seconds_total", "Time spent evaluating rules.", 0);
        seconds.value = self.evaluation_nanos.get() as f64 / 1e9;
        metrics.push(seconds);
        let kinds =
            [("webhook", &self.webhook), ("email", &self.email), ("slack", &self.slack), ("dingtalk", &self.dingtalk)];
        for (kind, delivered) in kinds {
            let labelled = |name, help, counter: &Counter| plain(name, help, counter).label("integration", kind);
            metrics.extend([
                labelled("culprit_alerting_notifications_total", "Messages that arrived.", &delivered.sent),
                labelled("culprit_alerting_notification_failures_total", "Messages given up.", &delivered.failed),
                labelled("culprit_alerting_notification_retries_total", "Messages tried again.", &delivered.retried),
            ]);
        }
        metrics
    }

    /// What was searched for incidents.
    fn searches(&self) -> [Metric; 5] {
        let plain = |name, help, counter: &Counter| Metric::counter(name, help, counter.get());
        [
            plain("culprit_alerting_explanations_total", "Searches for a cause.", &self.explanations),
            plain(
                "culprit_alerting_explanations_late_total",
                "Causes that came after their message had gone.",
                &self.explanations_late,
            ),
            plain(
                "culprit_alerting_explanation_failures_total",
                "Searches for a cause that failed.",
                &self.explanation_failures,
            ),
            plain(
                "culprit_alerting_investigations_total",
                "Investigations of incidents, failed ones included.",
                &self.investigations,
            ),
            plain(
                "culprit_alerting_investigation_failures_total",
                "Investigations that failed.",
                &self.investigation_failures,
            ),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_house() {
        let metrics = Metrics::default();
        metrics.delivered("slack").failed.add(2);
        for metric in metrics.metrics() {
            assert!(metric.name.starts_with("culprit_alerting_") && metric.name.ends_with("_total"), "{}", metric.name);
        }
        let slack = [("integration", "slack".to_owned())];
        let all = metrics.metrics();
        let failed = all.iter().find(|m| m.labels == slack && m.value > 0.0).unwrap();
        assert_eq!((failed.name, failed.value), ("culprit_alerting_notification_failures_total", 2.0));
    }
}
