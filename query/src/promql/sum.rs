//! Compensated sums: Neumaier's improvement of Kahan's algorithm, in the order and with the exceptions of Prometheus, so that
//! results agree with it to the last digits.

use std::ops::AddAssign;

/// A running sum and what rounding took from it.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Sum {
    pub(super) sum: f64,
    pub(super) lost: f64,
}

impl Sum {
    pub(super) fn add(&mut self, value: f64) {
        let total = self.sum + value;
        if total.is_infinite() {
            self.lost = 0.0;
        } else if self.sum.abs() >= value.abs() {
            self.lost += (self.sum - total) + value;
        } else {
            self.lost += (value - total) + self.sum;
        }
        self.sum = total;
    }

    pub(super) fn value(&self) -> f64 {
        self.sum + self.lost
    }
}

impl From<f64> for Sum {
    fn from(value: f64) -> Self {
        Self { sum: value, lost: 0.0 }
    }
}

impl From<Sum> for f64 {
    fn from(sum: Sum) -> Self {
        if sum.sum.is_infinite() { sum.sum } else { sum.value() }
    }
}

impl AddAssign<f64> for Sum {
    fn add_assign(&mut self, value: f64) {
        self.add(value);
    }
}

impl AddAssign for Sum {
    fn add_assign(&mut self, other: Self) {
        self.add(other.sum);
        self.lost += other.lost;
    }
}

impl FromIterator<f64> for Sum {
    fn from_iter<I: IntoIterator<Item = f64>>(values: I) -> Self {
        let mut sum = Self::default();
        values.into_iter().for_each(|value| sum.add(value));
        sum
    }
}

/// A mean that survives values whose sum overflows: it divides the sum while that is finite, and goes on incrementally from the
/// value that would make it infinite. The direct form is the exact one, so it is kept as long as possible.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Mean {
    count: f64,
    /// The sum, or the mean once `incremental`.
    acc: Sum,
    incremental: bool,
}

impl Mean {
    pub(super) fn add(&mut self, value: f64) {
        self.count += 1.0;
        if self.count == 1.0 {
            self.acc.sum = value;
            return;
        }
        if !self.incremental {
            let mut direct = self.acc;
            direct.add(value);
            if !direct.sum.is_infinite() {
                self.acc = direct;
                return;
            }
            self.incremental = true;
            self.acc.sum /= self.count - 1.0;
            self.acc.lost /= self.count - 1.0;
        }
        let weight = (self.count - 1.0) / self.count;
        self.acc = Sum { sum: weight * self.acc.sum, lost: weight * self.acc.lost };
        self.acc.add(value / self.count);
    }

    pub(super) fn value(&self) -> f64 {
        if self.incremental { self.acc.value() } else { self.acc.sum / self.count + self.acc.lost / self.count }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mean(values: &[f64]) -> f64 {
        let mut mean = Mean::default();
        values.iter().for_each(|value| mean.add(*value));
        mean.value()
    }

    #[test]
    fn large_values_that_cancel_leave_the_small_ones() {
        assert_eq!([1.0, 1e100, 1.0, -1e100].into_iter().collect::<Sum>().value(), 2.0);
        assert_eq!(mean(&[2.0, 8.0, 1e100, -1e100]), 2.5);
    }

    #[test]
    fn means_do_not_overflow() {
        let big = f64::MAX * 0.75;
        assert_eq!(mean(&[big, big, big]), big);
        assert_eq!(mean(&[f64::INFINITY, 0.0, f64::INFINITY]), f64::INFINITY);
        assert!(mean(&[f64::INFINITY, 1.0, f64::NEG_INFINITY]).is_nan());
        assert!(mean(&[1.0, f64::NAN]).is_nan());
    }

    #[test]
    fn the_mean_of_a_constant_is_that_constant() {
        for n in 1..200 {
            assert_eq!(mean(&vec![52.0; n]), 52.0, "{n} values");
        }
    }
}
