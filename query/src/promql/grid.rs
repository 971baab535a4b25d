//! The times at which an expression is evaluated, and how a selector's `@` and `offset` move them.

/// `steps` times from `start_ms`, `step_ms` apart. An instant is a grid of one step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Grid {
    pub(super) start_ms: i64,
    pub(super) step_ms: i64,
    pub(super) steps: usize,
}

impl Grid {
    pub(super) fn instant(at_ms: i64) -> Self {
        Self { start_ms: at_ms, step_ms: 1, steps: 1 }
    }

    /// From `start_ms` to the last step that is not after `end_ms`; empty when there is none.
    pub(super) fn range(start_ms: i64, end_ms: i64, step_ms: i64) -> Self {
        let span = i128::from(end_ms) - i128::from(start_ms);
        let steps = if span < 0 { 0 } else { usize::try_from(span / i128::from(step_ms) + 1).unwrap_or(usize::MAX) };
        Self { start_ms, step_ms, steps }
    }

    pub(super) fn at(&self, step: usize) -> i64 {
        self.start_ms + self.step_ms * step as i64
    }

    pub(super) fn end_ms(&self) -> i64 {
        self.at(self.steps.saturating_sub(1))
    }

    pub(super) fn times(&self) -> impl Iterator<Item = i64> + use<> {
        let grid = *self;
        (0..grid.steps).map(move |step| grid.at(step))
    }

    pub(super) fn first(&self) -> Self {
        Self { steps: 1, ..*self }
    }
}

/// `@ at_ms offset offset_ms`: which time a selector looks at when the grid is at some time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Anchor {
    pub(super) at_ms: Option<i64>,
    pub(super) offset_ms: i64,
}

impl Anchor {
    pub(super) fn reference(&self, time_ms: i64) -> i64 {
        self.at_ms.unwrap_or(time_ms).saturating_sub(self.offset_ms)
    }

    /// The grid of a subquery: multiples of its own step, after the window of the outer grid's first time, up to its last.
    pub(super) fn subquery(&self, outer: &Grid, range_ms: i64, step_ms: i64) -> Grid {
        let after = self.reference(outer.start_ms).saturating_sub(range_ms);
        let start = after.div_euclid(step_ms).saturating_add(1).saturating_mul(step_ms);
        Grid::range(start, self.reference(outer.end_ms()), step_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_ends_at_the_last_step_inside() {
        assert_eq!(Grid::range(0, 25, 10).times().collect::<Vec<_>>(), [0, 10, 20]);
        assert_eq!(Grid::range(5, 5, 10).times().collect::<Vec<_>>(), [5]);
        assert_eq!(Grid::range(6, 5, 10).steps, 0);
        assert_eq!(Grid::range(i64::MIN, i64::MAX, 1).steps, usize::MAX);
    }

    #[test]
    fn subqueries_lie_on_multiples_of_their_step_after_the_window_opens() {
        let anchor = Anchor { at_ms: None, offset_ms: 0 };
        for (at, range, step, start) in [(100, 50, 10, 60), (101, 50, 10, 60), (20, 50, 20, -20), (0, 50, 20, -40)] {
            let grid = anchor.subquery(&Grid::instant(at), range, step);
            assert_eq!(grid.start_ms, start, "[{range}:{step}] at {at}");
            assert!(grid.start_ms > at - range && grid.start_ms % step == 0);
        }
        let pinned = Anchor { at_ms: Some(1000), offset_ms: 100 };
        assert_eq!(pinned.subquery(&Grid::range(0, 500, 10), 30, 10), Grid::range(880, 900, 10));
    }
}
