//! Which hash keys a shard gets, so that a split cuts its load in two and not only its range.

use crate::limits::KEYS_SAMPLED;

/// Recent keys with their bytes. A new one takes a random place, so that the older a key is the likelier it is gone.
#[derive(Debug, Default)]
pub(crate) struct KeySample {
    kept: Vec<(u128, u64)>,
    seen: u64,
}

impl KeySample {
    pub(crate) fn add(&mut self, key: u128, bytes: u64) {
        self.seen = self.seen.wrapping_add(1);
        if self.kept.len() < KEYS_SAMPLED {
            self.kept.push((key, bytes));
            return;
        }
        let place = (self.seen.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) % KEYS_SAMPLED as u64;
        self.kept[usize::try_from(place).expect("the remainder is below KEYS_SAMPLED")] = (key, bytes);
    }

    /// The key at which a range is cut so that both halves got about as many bytes. None without keys, and when one key is all there is: no cut would
    /// divide its load.
    pub(crate) fn middle(&self) -> Option<u128> {
        let mut sorted = self.kept.clone();
        sorted.sort_unstable();
        let total: u128 = sorted.iter().map(|(_, bytes)| u128::from(*bytes)).sum();
        let lowest = sorted.first()?.0;
        let (mut below, mut best) = (0_u128, None);
        for (place, (key, bytes)) in sorted.iter().enumerate() {
            // The upper half begins at a key that is new here; what lies below it must not be empty.
            if *key > lowest && sorted[place - 1].0 != *key {
                let uneven = (total - below).abs_diff(below);
                if best.is_none_or(|(least, _)| uneven < least) {
                    best = Some((uneven, *key));
                }
            }
            below += u128::from(*bytes);
        }
        best.map(|(_, key)| key)
    }

    pub(crate) fn is_one_key(&self) -> bool {
        self.kept.len() > 1 && self.kept.iter().all(|(key, _)| *key == self.kept[0].0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_cuts_the_bytes_in_two() {
        let mut sample = KeySample::default();
        assert_eq!(sample.middle(), None);
        for (key, bytes) in [(10, 100), (20, 100), (90, 50), (91, 50), (92, 50), (93, 50)] {
            sample.add(key, bytes);
        }
        assert_eq!(sample.middle(), Some(90));
        sample.add(5, 10_000);
        assert_eq!(sample.middle(), Some(10), "the heavy key stands alone");
    }

    #[test]
    fn one_key_cannot_be_divided() {
        let mut sample = KeySample::default();
        for _ in 0..2 * KEYS_SAMPLED {
            sample.add(7, 1);
        }
        assert_eq!((sample.middle(), sample.is_one_key()), (None, true));
        for _ in 0..20 * KEYS_SAMPLED {
            sample.add(8, 1);
        }
        assert_eq!((sample.kept.len(), sample.is_one_key()), (KEYS_SAMPLED, true), "old keys are forgotten");
    }
}
