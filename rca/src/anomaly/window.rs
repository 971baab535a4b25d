//! The last few values, with their mean and deviation in constant time.

/// Sums are kept around an anchor, the mean of one turn ago, so that small deviations of great values stay exact; each
/// turn they are added up anew, so that rounding does not pile up.
#[derive(Debug, Clone)]
pub(super) struct Window {
    values: Vec<f64>,
    next: usize,
    is_full: bool,
    anchor: f64,
    sum: f64,
    squares: f64,
}

impl Window {
    pub(super) fn new(length: usize) -> Self {
        Self { values: vec![0.0; length], next: 0, is_full: false, anchor: 0.0, sum: 0.0, squares: 0.0 }
    }

    pub(super) fn push(&mut self, value: f64) {
        let old = std::mem::replace(&mut self.values[self.next], value);
        self.next += 1;
        if self.next == self.values.len() {
            self.next = 0;
            self.is_full = true;
            self.add_up();
        } else if self.is_full {
            let (new, old) = (value - self.anchor, old - self.anchor);
            self.sum += new - old;
            self.squares += new * new - old * old;
        }
    }

    fn add_up(&mut self) {
        let length = self.values.len() as f64;
        // Constant values must have no deviation at all, and the mean of equal numbers may differ from them.
        let first = self.values[0];
        self.anchor = first + self.values.iter().map(|value| value - first).sum::<f64>() / length;
        self.sum = self.values.iter().map(|value| value - self.anchor).sum();
        self.squares = self.values.iter().map(|value| (value - self.anchor).powi(2)).sum();
    }

    pub(super) fn is_full(&self) -> bool {
        self.is_full
    }

    pub(super) fn mean(&self) -> f64 {
        self.anchor + self.sum / self.values.len() as f64
    }

    pub(super) fn deviation(&self) -> f64 {
        let length = self.values.len() as f64;
        let mean = self.sum / length;
        (self.squares / length - mean * mean).max(0.0).sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::anomaly::noise::Noise;

    #[test]
    fn as_added_up_by_hand_even_far_from_zero() {
        let mut noise = Noise::new(1);
        let values: Vec<f64> = (0..500).map(|_| 1e9 + noise.normal()).collect();
        let mut window = Window::new(24);
        for (at, value) in values.iter().enumerate() {
            window.push(*value);
            assert_eq!(window.is_full(), at >= 23);
            if at >= 23 {
                let last = &values[at - 23..=at];
                let mean = 1e9 + last.iter().map(|value| value - 1e9).sum::<f64>() / 24.0;
                let deviation = (last.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / 24.0).sqrt();
                assert!((window.mean() - mean).abs() < 1e-6);
                assert!((window.deviation() - deviation).abs() < 1e-6, "{at}");
            }
        }
    }

    #[test]
    fn equal_values_do_not_deviate() {
        let mut window = Window::new(7);
        for _ in 0..30 {
            window.push(0.1);
        }
        assert_eq!((window.mean(), window.deviation()), (0.1, 0.0));
    }
}
