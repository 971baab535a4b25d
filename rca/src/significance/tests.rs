use super::*;

fn close(left: f64, right: f64) {
    assert!((left - right).abs() <= 1e-9 + 1e-6 * right.abs(), "{left} is not {right}");
}

/// The expected value is the sum of O ln(O/E) over the four cells, E = 20, 20, 80, 80.
#[test]
fn likelihood_ratio_of_known_tables() {
    let table = Table::new(30, 10, 100, 100);
    close(table.g(), 6.485_757_163_003);
    close(table.p(), erfc(table.g().sqrt()));
    assert!(Table::new(10, 30, 100, 100).g() < 0.0, "the sign says which slice is favoured");
    assert_eq!(Table::new(10, 10, 100, 100).g(), 0.0);
    assert_eq!(Table::new(0, 0, 100, 100).g(), 0.0);
    assert_eq!(Table::new(100, 100, 100, 100).g(), 0.0);
}

/// Fisher's tea: 3 of 4 guessed. P(X=4) = 1/70, P(X=3) = 16/70, so mid-p of the upper tail is (1 + 8)/70.
#[test]
fn small_tables_are_tested_exactly() {
    close(Table::new(3, 1, 4, 4).p(), 2.0 * 9.0 / 70.0);
    close(Table::new(4, 0, 4, 4).p(), 2.0 * 0.5 / 70.0);
}

/// A brute-force sum over all tables of the margins.
#[test]
fn fisher_agrees_with_enumeration() {
    let choose = |n: u64, k: u64| (0..k).fold(1.0, |c, i| c * (n - i) as f64 / (i + 1) as f64);
    for (a, b, all_a, all_b) in [(5, 2, 30, 40), (1, 6, 12, 9), (0, 3, 20, 20), (7, 0, 9, 200)] {
        let inside = a + b;
        let weight =
            |x: u64| if x > inside || inside - x > all_b { 0.0 } else { choose(all_a, x) * choose(all_b, inside - x) };
        let total: f64 = (0..=all_a.min(inside)).map(weight).sum();
        let upper: f64 = (a + 1..=all_a.min(inside)).map(weight).sum::<f64>() + weight(a) / 2.0;
        let lower: f64 = (0..a).map(weight).sum::<f64>() + weight(a) / 2.0;
        close(Table::new(a, b, all_a, all_b).fisher_mid_p(), (2.0 * upper.min(lower) / total).min(1.0));
    }
}

/// Altman, Practical Statistics: 30/100 against 10/100 has RR 3 and ln-SE sqrt(1/30-1/100+1/10-1/100).
#[test]
fn risk_ratio_and_its_interval() {
    let table = Table { a_in: 30.0, b_in: 70.0, a_out: 10.0, b_out: 90.0 };
    let risk = table.risk_ratio();
    close(risk.ratio, 3.0);
    let error = (1.0 / 30.0 - 0.01 + 0.1 - 0.01f64).sqrt();
    close(risk.interval(1.0).0, (3f64.ln() - 1.959_963_985 * error).exp());
    assert!(risk.interval(4.0).0 < risk.interval(1.0).0, "clustered rows widen the interval");
    let all = Table { a_in: 50.0, b_in: 0.0, a_out: 0.0, b_out: 950.0 }.risk_ratio();
    assert!(all.ratio.is_finite() && all.ratio > 500.0);
}

#[test]
fn the_family_counts_what_chance_could_have_shown() {
    let dimension = |values: f64| Choices { values, ranges: 0.0 };
    let small = Family::new(&[dimension(3.0), dimension(4.0)], 2, 0.05, 50.0, 5_000.0);
    close(small.size(1), 7.0);
    close(small.size(2), 12.0);
    close(small.q(1, 0.001), 0.001 * 14.0);
    // A thousand values cannot all reach 1 % of A; rare ones are no hypotheses.
    let skewed = Family::new(&[dimension(1_000.0)], 1, 0.05, 50.0, 5_000.0);
    assert!(skewed.size(1) > 100.0 && skewed.size(1) < 300.0, "{}", skewed.size(1));
    // By Poisson tails: 5,000/25.4 values may reach 50 rows by chance, and 100/0.25 may reach 5.
    let few_rows = Family::new(&[dimension(1_000.0)], 1, 0.05, 5.0, 100.0);
    assert!(few_rows.size(1) > 2.0 * skewed.size(1), "{}", few_rows.size(1));
    let with_range = Family::new(&[dimension(3.0), Choices { values: 1.0, ranges: 60.0 }], 2, 0.05, 50.0, 5_000.0);
    close(with_range.size(1), 64.0);
    close(with_range.size(2), 3.0 + 180.0);
}
