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
