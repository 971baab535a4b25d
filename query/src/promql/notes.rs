//! What a result should be read with: Prometheus' warnings and infos, each said once.

use super::limits::NOTES_MAX;

/// Ordered by first appearance; bounded, because a message names a metric and a selector may match thousands.
#[derive(Debug, Default)]
pub(super) struct Notes {
    said: Vec<String>,
    unsaid: usize,
}

impl Notes {
    pub(super) fn warn(&mut self, what: impl std::fmt::Display) {
        self.add(format!("PromQL warning: {what}"));
    }

    pub(super) fn info(&mut self, what: impl std::fmt::Display) {
        self.add(format!("PromQL info: {what}"));
    }

    pub(super) fn mixed_types(&mut self, metric: &str) {
        self.warn(format_args!("encountered a mix of histograms and floats for metric name {metric:?}"));
    }

    pub(super) fn mixed_schemas(&mut self, metric: &str) {
        self.warn(format_args!(
            "vector contains a mix of histograms with exponential and custom buckets schemas for metric name {metric:?}"
        ));
    }

    pub(super) fn not_a_counter(&mut self, metric: &str) {
        self.warn(format_args!("this native histogram metric is not a counter: {metric:?}"));
    }

    pub(super) fn not_a_gauge(&mut self, metric: &str) {
        self.warn(format_args!("this native histogram metric is not a gauge: {metric:?}"));
    }

    /// `what` is the addition, subtraction or aggregation that met different bounds.
    pub(super) fn reconciled_bounds(&mut self, what: &str) {
        self.info(format_args!("mismatched custom buckets were reconciled during {what}"));
    }

    pub(super) fn contradicting_resets(&mut self, what: &str) {
        self.warn(format_args!("conflicting counter resets during histogram {what}"));
    }

    /// A function of floats saw histograms beside them.
    pub(super) fn ignored_in_range(&mut self, metric: &str) {
        self.info(format_args!(
            "ignored histograms in a range containing both floats and histograms for metric name {metric:?}"
        ));
    }

    fn add(&mut self, note: String) {
        if self.said.contains(&note) {
            return;
        }
        if self.said.len() < NOTES_MAX {
            self.said.push(note);
        } else {
            self.unsaid += 1;
        }
    }

    pub(super) fn into_texts(self) -> Vec<String> {
        let mut texts = self.said;
        if self.unsaid > 0 {
            texts.push(format!("PromQL warning: {} more notes are left out", self.unsaid));
        }
        texts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_note_once_and_a_bounded_number() {
        let mut notes = Notes::default();
        notes.warn("a");
        notes.warn("a");
        for i in 0..NOTES_MAX + 4 {
            notes.info(i);
        }
        let texts = notes.into_texts();
        assert_eq!(texts.len(), NOTES_MAX + 1);
        assert_eq!(texts[0], "PromQL warning: a");
        assert_eq!(texts[NOTES_MAX], "PromQL warning: 5 more notes are left out");
    }
}
