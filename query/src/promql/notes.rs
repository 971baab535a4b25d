//! What a result should be read with: Prometheus' warnings and infos, each said once.

use super::limits::NOTES_MAX;

/// Ordered by first appearance; bounded, because a message names a metric and a selector may match thousands.
#[derive(Debug, Default, Clone)]
pub(super) struct Notes {
    said: Vec<String>,
    /// What the next notes are about.
    place: Place,
    unsaid: usize,
}

/// Where a part of the query begins; counted from 1, in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) line: usize,
    pub(super) column: usize,
}

impl Default for Place {
    fn default() -> Self {
        Self { line: 1, column: 1 }
    }
}

impl Place {
    pub(super) fn of(query: &str, at: usize) -> Self {
        let before = &query[..at];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Self { line: before.matches('\n').count() + 1, column: before[line_start..].chars().count() + 1 }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

impl Notes {
    /// Notes end with the place of what they are about. Evaluating a part of the query moves it, so whoever has something to
    /// say sets it after that.
    pub(super) fn at(&mut self, place: Place) {
        self.place = place;
    }

    pub(super) fn warn(&mut self, what: impl std::fmt::Display) {
        self.add(format!("PromQL warning: {what} ({})", self.place));
    }

    pub(super) fn info(&mut self, what: impl std::fmt::Display) {
        self.add(format!("PromQL info: {what} ({})", self.place));
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

    /// None said yet, about the same place.
    pub(super) fn empty(&self) -> Self {
        Self { place: self.place, ..Self::default() }
    }

    /// What was said elsewhere, after what was said here.
    pub(super) fn join(&mut self, other: Self) {
        self.unsaid += other.unsaid;
        for note in other.said {
            self.add(note);
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
        notes.at(Place::of("a +\n b", 5));
        for i in 0..NOTES_MAX + 4 {
            notes.info(i);
        }
        let texts = notes.into_texts();
        assert_eq!(texts.len(), NOTES_MAX + 1);
        assert_eq!(texts[0], "PromQL warning: a (1:1)");
        assert_eq!(texts[1], "PromQL info: 0 (2:2)");
        assert_eq!(texts[NOTES_MAX], "PromQL warning: 5 more notes are left out");
    }
}
