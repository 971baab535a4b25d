//! False discovery rate: Benjamini and Hochberg (1995), adaptive by Storey's (2004) share of true null hypotheses.

/// P-values above it are taken for those of quiet slices.
const QUIET: f64 = 0.5;

/// For each p-value the smallest rate of false discoveries at which it is a discovery.
pub(super) fn q_values(p_values: &[f64]) -> Vec<f64> {
    let count = p_values.len() as f64;
    let quiet = p_values.iter().filter(|p| **p > QUIET).count() as f64;
    let nulls = ((quiet + 1.0) / (1.0 - QUIET)).min(count);
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_unstable_by(|a, b| p_values[*b].total_cmp(&p_values[*a]));
    let mut q_values = vec![1.0; p_values.len()];
    let mut least = 1.0f64;
    for (rank, index) in (1..=p_values.len()).rev().zip(order) {
        least = least.min(p_values[index] * nulls / rank as f64);
        q_values[index] = least;
    }
    q_values
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By hand: 4 of 10 lie above a half, so all 10 count as null; 0.001 · 10 / 1, 0.004 · 10 / 2, 0.03 · 10 / 3.
    #[test]
    fn as_by_hand() {
        let p = [0.03, 0.001, 0.004, 0.3, 0.4, 0.45, 0.6, 0.7, 0.8, 0.9];
        let q = q_values(&p);
        for (q, expected) in q.iter().zip([0.1, 0.01, 0.02]) {
            assert!((q - expected).abs() < 1e-12, "{q} is not {expected}");
        }
        assert!(q.iter().all(|q| *q <= 1.0));
    }

    /// Where nearly all slices jump, few can be false: 19 of 20 are small, so 2·(1 + 1) = 4 count as null.
    #[test]
    fn the_fewer_are_quiet_the_more_is_found() {
        let mut p = vec![0.02; 19];
        p.push(0.9);
        assert!((q_values(&p)[0] - 0.02 * 4.0 / 19.0).abs() < 1e-12);
        assert!(q_values(&[]).is_empty());
    }
}
