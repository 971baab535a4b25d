//! What a woken engineer reads about a measure: "the mean latency_ms is 812 where service = checkout, 95 elsewhere".

use super::agg::{Agg, Measure};
use crate::report::{Evidence, Report};

/// Causes that the sentence names; the report has them all.
const CAUSES_NAMED_MAX: usize = 3;

/// What the values of slice A are held against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    /// The rows outside of each slice.
    Elsewhere,
    /// Slice B.
    Baseline,
    /// A column that says what was expected.
    Expected,
}

pub(crate) fn sentence(report: &Report, measure: &Measure, comparison: Comparison, noun: &str) -> String {
    let name = name(measure);
    let mut text = match report.explanations.first() {
        None => nothing_found(report, &name, noun),
        Some(first) => {
            let evidence = &first.evidence;
            let mut text = format!("{name} is {}", values(evidence, comparison));
            if let Some(share) = evidence.contribution.filter(|share| *share > 0.0 && *share <= 1.5) {
                text.push_str(&format!("; {:.0} % of the deviation is there", (share * 100.0).min(100.0)));
            }
            capitalised(&text) + "."
        }
    };
    for more in report.explanations.iter().take(CAUSES_NAMED_MAX).skip(1) {
        text.push_str(&format!(" Besides, it is {}.", values(&more.evidence, comparison)));
    }
    let unnamed = report.explanations.len().saturating_sub(CAUSES_NAMED_MAX);
    if unnamed > 0 {
        text.push_str(&format!(" {unnamed} more {} smaller.", if unnamed == 1 { "is" } else { "are" }));
    }
    let mix = report.measure.as_ref().and_then(|measured| measured.mix);
    if let Some(mix) = mix.filter(|mix| *mix >= 0.5) {
        text.push_str(&format!(
            " {:.0} % of the change is rows having moved between slices, not slices having changed.",
            (mix * 100.0).min(100.0)
        ));
    }
    text
}

fn name(measure: &Measure) -> String {
    let column = &measure.column;
    match &measure.agg {
        _ if measure.expected.is_some() => column.clone(),
        Agg::Sum => format!("the sum of {column}"),
        Agg::Avg => format!("the mean {column}"),
        Agg::Ratio { denominator } => format!("{column}/{denominator}"),
        Agg::Percentile(rank) => format!("p{rank} of {column}"),
    }
}

fn values(evidence: &Evidence, comparison: Comparison) -> String {
    let value = |value: Option<f64>| value.map_or_else(|| "nothing".to_owned(), figure);
    let against = value(evidence.value_b);
    let against = match comparison {
        Comparison::Elsewhere => format!("{against} elsewhere"),
        Comparison::Baseline => format!("{against} in the baseline"),
        Comparison::Expected => format!("{against} were expected"),
    };
    format!("{} where {}, {against}", value(evidence.value_a), evidence.condition())
}

fn nothing_found(report: &Report, name: &str, noun: &str) -> String {
    let searched = report.dimensions.len();
    let dimensions = if searched == 1 { "dimension" } else { "dimensions" };
    format!(
        "No dimension value explains it: in {searched} {dimensions} {name} of the {} {noun} differs by no more than chance.",
        report.rows_a
    )
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next();
    // A column's name is written as it is; only our own words begin a sentence.
    if text.starts_with("the ") {
        first.into_iter().flat_map(char::to_uppercase).chain(letters).collect()
    } else {
        text.to_owned()
    }
}

/// A value with three digits that count, as a person writes it.
pub fn figure(value: f64) -> String {
    let size = value.abs();
    if size >= 99.95 || size == 0.0 {
        return format!("{value:.0}");
    }
    let digits = (2 - size.log10().floor() as i32).clamp(0, 6) as usize;
    let text = format!("{value:.digits$}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_three_digits_that_count() {
        for (value, text) in [
            (812.4, "812"),
            (131_347.2, "131347"),
            (9.457, "9.46"),
            (0.2637, "0.264"),
            (0.5, "0.5"),
            (-12.34, "-12.3"),
            (0.0, "0"),
            (0.000_012_3, "0.000012"),
        ] {
            assert_eq!(figure(value), text);
        }
    }
}
