//! What there is to say about histograms that were added up.

use super::super::notes::Notes;
use super::{IncompatibleSchemas, NativeHistogram, Reconciled, ResetHint};

#[derive(Debug, Default)]
pub(in super::super) struct Aggregated {
    reset: bool,
    no_reset: bool,
    bounds: bool,
}

impl Aggregated {
    pub(in super::super) fn hint(&mut self, histogram: &NativeHistogram) {
        match histogram.hint {
            ResetHint::Reset => self.reset = true,
            ResetHint::NotReset => self.no_reset = true,
            ResetHint::Unknown | ResetHint::Gauge => {}
        }
    }

    /// None when the histograms have nothing in common, which is said at once.
    pub(in super::super) fn note(
        &mut self,
        done: Result<Reconciled, IncompatibleSchemas>,
        metric: &str,
        notes: &mut Notes,
    ) -> Option<()> {
        match done {
            Ok(reconciled) => {
                self.bounds |= reconciled.bounds;
                Some(())
            }
            Err(IncompatibleSchemas) => {
                notes.mixed_schemas(metric);
                None
            }
        }
    }

    pub(in super::super) fn tell(&self, notes: &mut Notes) {
        if self.reset && self.no_reset {
            notes.contradicting_resets("aggregation");
        }
        if self.bounds {
            notes.reconciled_bounds("aggregation");
        }
    }
}
