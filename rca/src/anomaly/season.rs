//! The usual value of each part of a period.

#[derive(Debug, Clone)]
pub(super) struct Season {
    period: i64,
    pace: f64,
    parts: Vec<Part>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Part {
    count: u32,
    mean: f64,
}

impl Season {
    /// `pace` is the weight of the newest value of a part, once the part has as many.
    pub(super) fn new(period: i64, parts: usize, pace: f64) -> Self {
        Self { period, pace, parts: vec![Part::default(); parts] }
    }

    fn part(&self, time: i64) -> usize {
        let share = i128::from(time.rem_euclid(self.period)) * self.parts.len() as i128 / i128::from(self.period);
        usize::try_from(share).expect("a remainder is less than the period")
    }

    pub(super) fn at(&self, time: i64) -> Option<f64> {
        let part = self.parts[self.part(time)];
        (part.count > 0).then_some(part.mean)
    }

    /// How many values the part of that time has had, and their mean.
    pub(super) fn part_at(&self, time: i64) -> (f64, f64) {
        let part = self.parts[self.part(time)];
        (f64::from(part.count), part.mean)
    }

    pub(super) fn learn(&mut self, time: i64, value: f64) {
        let at = self.part(time);
        let part = &mut self.parts[at];
        part.count = part.count.saturating_add(1);
        part.mean += f64::from(part.count).recip().max(self.pace) * (value - part.mean);
    }
}
