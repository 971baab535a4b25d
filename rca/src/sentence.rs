//! The sentence that a woken engineer reads: "90 % of the failing requests run version = 2.14.0 of service = checkout; 1 %
//! of the others do."

use crate::phrase::phrase;
use crate::report::{Evidence, Report};

/// Causes that the sentence names; the report has them all.
const CAUSES_NAMED_MAX: usize = 3;

/// `noun` is a plural for the anomalous rows, such as "failing requests".
pub fn sentence(report: &Report, noun: &str) -> String {
    // What vanished speaks where nothing else does: beside a cause it is what the cause did not touch.
    let Some(first) = report.explanations.first().or(report.vanished.first()) else {
        return nothing_found(report, noun);
    };
    let others = if report.complement { "the others" } else { "the baseline" };
    let mut text = contrast(&first.evidence, report, noun, others);
    for more in report.explanations.iter().take(CAUSES_NAMED_MAX).skip(1) {
        text.push_str(&format!(
            " Besides, {} {} ({} of {others}).",
            share(more.evidence.rows_a, report.rows_a),
            phrase(&more.evidence.items).text,
            share(more.evidence.rows_b, report.rows_b),
        ));
    }
    let unnamed = report.explanations.len().saturating_sub(CAUSES_NAMED_MAX);
    if unnamed > 0 {
        text.push_str(&format!(" {unnamed} more {} smaller.", if unnamed == 1 { "is" } else { "are" }));
    }
    text
}

fn contrast(evidence: &Evidence, report: &Report, noun: &str, others: &str) -> String {
    let said = phrase(&evidence.items);
    let mut text = format!(
        "{} of the {noun} {}; {} of {others} {}.",
        share(evidence.rows_a, report.rows_a),
        said.text,
        share(evidence.rows_b, report.rows_b),
        if report.complement { said.again } else { said.again_of_one },
    );
    // "all" and "none" may come first.
    text[..1].make_ascii_uppercase();
    text
}

/// A share as a person says it: "all" and "none" where it is that.
fn share(part: u64, whole: u64) -> String {
    match part {
        0 => "none".to_owned(),
        all if all == whole => "all".to_owned(),
        _ => percent(part, whole),
    }
}

fn nothing_found(report: &Report, noun: &str) -> String {
    let searched = report.dimensions.len();
    if let ([cut, ..], 0) = (&report.cuts[..], searched) {
        return format!("Nothing is known of the {} {noun}: {cut}.", report.rows_a);
    }
    let verdict =
        if report.cuts.is_empty() { "No dimension value explains it" } else { "So far no dimension value explains it" };
    let dimensions = if searched == 1 { "dimension" } else { "dimensions" };
    format!(
        "{verdict}: in {searched} {dimensions} the {} {noun} differ from the {} others by no more than chance.",
        report.rows_a, report.rows_b
    )
}

/// Whole percents; below ten one digit after the point where it says something. Never "100 %" or "0 %" of what is not.
fn percent(part: u64, whole: u64) -> String {
    let share = 100.0 * part as f64 / whole.max(1) as f64;
    if part == 0 || part == whole {
        format!("{share:.0} %")
    } else if share < 0.1 {
        "less than 0.1 %".to_owned()
    } else if share > 99.9 {
        "more than 99.9 %".to_owned()
    } else if !(9.95..=99.0).contains(&share) {
        format!("{} %", format!("{share:.1}").trim_end_matches(".0"))
    } else {
        format!("{share:.0} %")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn explanation(conditions: &[(&str, &str)], rows_a: u64, rows_b: u64) -> Value {
        let item = |(dimension, value): &(&str, &str)| {
            let condition = format!("{dimension} = {value}");
            json!({"dimension": dimension, "value": value, "condition": condition, "aliases": []})
        };
        let items: Vec<_> = conditions.iter().map(item).collect();
        json!({
            "items": items, "rows_a": rows_a, "rows_b": rows_b, "support_a": 0.0, "support_b": 0.0,
            "q_value": 0.0, "score": 1.0, "alternates": [], "alternates_total": 0,
        })
    }

    /// Of 200 rows and 10,000 others.
    fn report(explanations: Vec<Value>, complement: bool) -> Report {
        let report = json!({
            "sentence": "", "explanations": explanations, "ranked": [], "vanished": [], "left_out": [], "exact": true,
            "cuts": [], "rows": 10_200, "rows_a": 200, "rows_b": 10_000, "complement": complement,
            "dimensions": ["service", "version"], "counted": [], "elapsed_ms": 0.0,
        });
        serde_json::from_value(report).unwrap()
    }

    #[test]
    fn the_sentence_is_what_a_person_would_write() {
        let release = || explanation(&[("service", "checkout"), ("version", "2.14.0")], 184, 310);
        for (explanations, complement, text) in [
            (
                vec![release()],
                true,
                "92 % of the failing requests run version = 2.14.0 of service = checkout; 3.1 % of the others do.",
            ),
            (
                vec![explanation(&[("customer_id", "1002")], 163, 120)],
                false,
                "82 % of the failing requests have customer_id = 1002; 1.2 % of the baseline has it.",
            ),
            (
                vec![explanation(&[("host", "cart-eu-3")], 200, 0)],
                true,
                "All of the failing requests are on host = cart-eu-3; none of the others are.",
            ),
            (
                vec![release(), explanation(&[("upstream", "orders-db")], 14, 9)],
                true,
                "92 % of the failing requests run version = 2.14.0 of service = checkout; 3.1 % of the others do. \
                 Besides, 7 % call upstream = orders-db (less than 0.1 % of the others).",
            ),
            (
                vec![],
                true,
                "No dimension value explains it: in 2 dimensions the 200 failing requests differ from the 10000 others \
                 by no more than chance.",
            ),
        ] {
            assert_eq!(sentence(&report(explanations, complement), "failing requests"), text);
        }
    }

    #[test]
    fn a_search_that_was_cut_does_not_speak_of_all() {
        let cut = |dimensions: &[&str]| {
            let mut report = report(vec![], true);
            report.cuts = vec!["the time budget ended before 2 of 2 columns were read".to_owned()];
            report.dimensions = dimensions.iter().map(|name| (*name).to_owned()).collect();
            sentence(&report, "failing requests")
        };
        let nothing =
            "Nothing is known of the 200 failing requests: the time budget ended before 2 of 2 columns were read.";
        assert_eq!(cut(&[]), nothing);
        assert!(cut(&["host"]).starts_with("So far no dimension value explains it: in 1 dimension the 200"));
    }

    #[test]
    fn what_vanished_speaks_alone() {
        let gone = explanation(&[("host", "cart-eu-3")], 0, 420);
        let of = |explanations: Vec<Value>, vanished: &Value| {
            let mut report = report(explanations, true);
            report.vanished = vec![serde_json::from_value(vanished.clone()).unwrap()];
            sentence(&report, "failing requests")
        };
        assert_eq!(of(vec![], &gone), "None of the failing requests are on host = cart-eu-3; 4.2 % of the others are.");
        let cause = explanation(&[("plan", "pro")], 163, 120);
        assert_eq!(
            of(vec![cause], &gone),
            "82 % of the failing requests have plan = pro; 1.2 % of the others have it."
        );
    }

    #[test]
    fn percents_neither_overstate_nor_understate() {
        for (part, whole, text) in [
            (90, 100, "90 %"),
            (1, 100, "1 %"),
            (0, 100, "0 %"),
            (100, 100, "100 %"),
            (99_990, 100_000, "more than 99.9 %"),
            (9_950, 10_000, "99.5 %"),
            (1, 100_000, "less than 0.1 %"),
            (123, 10_000, "1.2 %"),
            (2_345, 10_000, "23 %"),
        ] {
            assert_eq!(percent(part, whole), text, "{part} of {whole}");
        }
    }
}
