//! What of a panel is not understood.

use crate::model::Support;

/// Collects, in the order of finding, each gap once.
#[derive(Debug, Default)]
pub(crate) struct Gaps {
    found: Vec<String>,
    blocked: bool,
}

impl Gaps {
    /// Something of how the data is shown.
    pub(crate) fn add(&mut self, what: impl Into<String>) {
        let what = what.into();
        if !self.found.contains(&what) {
            self.found.push(what);
        }
    }

    /// Something without which the panel does not show what it should.
    pub(crate) fn block(&mut self, what: impl Into<String>) {
        self.add(what);
        self.blocked = true;
    }

    pub(crate) fn into_parts(self) -> (Support, Vec<String>) {
        let support = match (self.blocked, self.found.is_empty()) {
            (true, _) => Support::None,
            (false, false) => Support::Partial,
            (false, true) => Support::Full,
        };
        (support, self.found)
    }
}
