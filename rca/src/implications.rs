//! Which values of B always come with one certain value of another dimension, such as a host with its zone.
//!
//! That a pair's rows are those of one of its items is asked for every value of a dimension that is a function of another
//! one. One pass over two columns of codes answers all of them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::codes::Codes;
use crate::items::Item;

#[derive(Debug, Default)]
pub(crate) struct Implications {
    /// By two dimensions.
    known: Mutex<HashMap<(u32, u32), Implied>>,
}

/// Per code of one dimension the one code of another, or [`MANY`].
type Implied = Arc<[u32]>;

/// No code: a dictionary has at most 2^16.
const UNSEEN: u32 = u32::MAX;
const MANY: u32 = u32::MAX - 1;

impl Implications {
    /// True when all rows of B that have the item have the other. False also where that is not known.
    pub(crate) fn holds(&self, item: &Item<'_>, other: &Item<'_>) -> bool {
        let (Some((codes, code)), Some((other_codes, other_code))) = (item.code(), other.code()) else {
            return false;
        };
        let key = (item.dimension, other.dimension);
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        let implied = known.unwrap_or_else(|| {
            let implied: Implied = implied(codes, other_codes).into();
            self.known.lock().unwrap_or_else(PoisonError::into_inner).insert(key, implied.clone());
            implied
        });
        implied.get(code as usize).is_some_and(|implied| u64::from(*implied) == other_code)
    }
}

fn implied(codes: &Codes, others: &Codes) -> Vec<u32> {
    match (codes, others) {
        (Codes::Narrow(codes), Codes::Narrow(others)) => implied_by(codes, others),
        (Codes::Narrow(codes), Codes::Medium(others)) => implied_by(codes, others),
        (Codes::Medium(codes), Codes::Narrow(others)) => implied_by(codes, others),
        (Codes::Medium(codes), Codes::Medium(others)) => implied_by(codes, others),
        (Codes::Wide(_), _) | (_, Codes::Wide(_)) => Vec::new(),
    }
}

fn implied_by<X: Copy + Into<usize>, Y: Copy + Into<u32>>(codes: &[X], others: &[Y]) -> Vec<u32> {
    let mut implied = Vec::new();
    for (code, other) in codes.iter().zip(others) {
        let (code, other) = ((*code).into(), (*other).into());
        if code >= implied.len() {
            implied.resize(code + 1, UNSEEN);
        }
        let known = &mut implied[code];
        if *known != other {
            *known = if *known == UNSEEN { other } else { MANY };
        }
    }
    implied
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_implies_the_only_one_it_comes_with() {
        let (hosts, zones) = ([3u8, 0, 1, 3, 0, 1], [300u16, 7, 7, 300, 8, 7]);
        assert_eq!(implied_by(&hosts, &zones), [MANY, 7, UNSEEN, 300]);
        let wide = Codes::Wide(vec![1, 2]);
        assert!(implied(&Codes::Narrow(vec![1, 2]), &wide).is_empty());
    }
}
