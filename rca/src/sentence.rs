//! The sentence that a woken engineer reads: "90 % of the failing requests have customer_id = 1002; 1 % of the others
//! have it."

use crate::report::Report;

/// Causes that the sentence names; the report has them all.
const CAUSES_NAMED_MAX: usize = 3;

/// `noun` is a plural for the anomalous rows, such as "failing requests".
pub fn sentence(report: &Report, noun: &str) -> String {
    let Some(first) = report.explanations.first() else {
        return nothing_found(report, noun);
    };
    let others = if report.complement { "the others" } else { "the baseline" };
    let have = if report.complement { "have" } else { "has" };
    let mut text = format!(
        "{} of the {noun} have {}; {} of {others} {have} it.",
        percent(first.evidence.rows_a, report.rows_a),
        first.evidence.condition(),
        percent(first.evidence.rows_b, report.rows_b),
    );
    for more in report.explanations.iter().take(CAUSES_NAMED_MAX).skip(1) {
        text.push_str(&format!(
            " Besides, {} have {} ({} of {others}).",
            percent(more.evidence.rows_a, report.rows_a),
            more.evidence.condition(),
            percent(more.evidence.rows_b, report.rows_b),
        ));
    }
    let unnamed = report.explanations.len().saturating_sub(CAUSES_NAMED_MAX);
    if unnamed > 0 {
        text.push_str(&format!(" {unnamed} more {} smaller.", if unnamed == 1 { "is" } else { "are" }));
    }
    text
}

fn nothing_found(report: &Report, noun: &str) -> String {
    let searched = report.dimensions.len();
    let dimensions = if searched == 1 { "dimension" } else { "dimensions" };
    format!(
        "No dimension value explains it: in {searched} {dimensions} the {} {noun} differ from the {} others by no more than \
         chance.",
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
    use super::*;

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
