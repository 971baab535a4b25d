//! The report as a person reads it on a terminal: a sentence, a line per explanation with small bars for its share of both slices, and below what
//! was read and what was left out.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::io::IsTerminal;

use culprit_rca::{Evidence, Report, figure};

/// Whether shares are drawn beside their figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bars {
    Drawn,
    Left,
}

impl Bars {
    /// Drawn for people at a terminal who do not refuse such things; see no-color.org.
    pub(super) fn of_terminal() -> Self {
        let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        if std::io::stdout().is_terminal() && !refused { Self::Drawn } else { Self::Left }
    }
}

const BAR_CELLS: usize = 10;
/// Parts of a cell, an eighth each.
const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

pub(super) fn table(report: &Report, bars: Bars) -> String {
    let mut text = format!("{}\n", report.sentence);
    if !report.explanations.is_empty() || !report.vanished.is_empty() {
        explanations(report, bars, &mut text);
    }
    text.push('\n');
    footer(report, &mut text);
    text
}

fn explanations(report: &Report, bars: Bars, text: &mut String) {
    // What the rows say tells how they ended: it stands below what explains them.
    let is_new = |said: &&Evidence| report.explanations.iter().all(|told| told.evidence.items != said.items);
    let said = report.said.iter().filter(is_new).map(|evidence| ("say".to_owned(), evidence));
    let rows: Vec<(String, &Evidence)> = (1..)
        .zip(&report.explanations)
        .flat_map(|(number, explanation)| {
            let alternates = explanation.alternates.iter().map(|evidence| ("or".to_owned(), evidence));
            std::iter::once((format!("{number}."), &explanation.evidence)).chain(alternates).collect::<Vec<_>>()
        })
        .chain(said)
        .chain(report.vanished.iter().map(|gone| ("not".to_owned(), &gone.evidence)))
        .collect();
    let heads = heads(report);
    let columns: Vec<[String; COLUMNS]> = rows.iter().map(|(_, evidence)| cells(report, evidence, bars)).collect();
    let width = |at: usize| {
        let cells = columns.iter().map(|cells| &cells[at]).chain([&heads[at]]);
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..COLUMNS).map(width).collect();
    let line = |lead: &str, cells: &[String; COLUMNS], last: &str, text: &mut String| {
        let cells = cells.iter().zip(&widths).map(|(cell, width)| format!("  {cell:<width$}")).collect::<String>();
        writeln!(text, "{}", format!("{lead:>3}{cells}  {last}").trim_end()).expect("a string takes what is written");
    };
    text.push('\n');
    line("", &heads, "", text);
    for ((lead, evidence), cells) in rows.iter().zip(&columns) {
        line(lead, cells, &evidence.condition(), text);
        for alias in evidence.items.iter().flat_map(|item| &item.aliases).filter(|_| lead != "or") {
            line("", &Default::default(), &format!("(the same rows have {} = {})", alias.dimension, alias.value), text);
        }
    }
}

/// Before the condition, which is last because nothing bounds its width.
const COLUMNS: usize = 3;

fn heads(report: &Report) -> [String; COLUMNS] {
    match &report.measure {
        None => ["in A", "in B", "risk ratio"].map(str::to_owned),
        Some(measure) => [
            format!("{} of {}", measure.agg, measure.column),
            "compared with".to_owned(),
            "of the deviation".to_owned(),
        ],
    }
}

fn cells(report: &Report, evidence: &Evidence, bars: Bars) -> [String; COLUMNS] {
    if report.measure.is_some() {
        let value = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), figure);
        let part = evidence
            .contribution
            .map_or_else(String::new, |part| drawn(part, bars, &format!("{:>5.1} %", part * 100.0)));
        return [value(evidence.value_a), value(evidence.value_b), part];
    }
    let ratio = match (evidence.risk_ratio, evidence.ci) {
        (Some(ratio), Some((low, high))) => format!("{ratio:.1} ({low:.1} to {high:.1})"),
        _ => String::new(),
    };
    let share = |share: f64, rows| drawn(share, bars, &format!("{:>5.1} % {:>9}", share * 100.0, grouped(rows)));
    [share(evidence.support_a, evidence.rows_a), share(evidence.support_b, evidence.rows_b), ratio]
}

fn drawn(share: f64, bars: Bars, figures: &str) -> String {
    match bars {
        Bars::Drawn => format!("{} {figures}", bar(share)),
        Bars::Left => figures.to_owned(),
    }
}

/// Of fixed width. What is not nothing shows at least an eighth.
fn bar(share: f64) -> String {
    let all = BAR_CELLS * 8;
    let eighths = ((share.clamp(0.0, 1.0) * all as f64).round() as usize).max(usize::from(share > 0.0));
    let mut bar = "█".repeat(eighths / 8);
    bar.push_str(EIGHTHS[eighths % 8]);
    let drawn = bar.chars().count();
    bar.extend(std::iter::repeat_n(' ', BAR_CELLS.saturating_sub(drawn)));
    bar
}

fn footer(report: &Report, text: &mut String) {
    let exact = if report.exact { "exact" } else { "partial" };
    let dimensions = report.dimensions.len();
    let mut line = |line: std::fmt::Arguments<'_>| writeln!(text, "{line}").expect("a string takes what is written");
    line(format_args!(
        "{} rows read ({} in A, {} in B), {dimensions} {}, {exact}, {:.0} ms",
        grouped(report.rows),
        grouped(report.rows_a),
        grouped(report.rows_b),
        if dimensions == 1 { "dimension" } else { "dimensions" },
        report.elapsed_ms,
    ));
    if let Some(unit) = &report.unit {
        let (name, effect) = (&unit.dimension, unit.design_effect);
        line(format_args!("rows with the same {name} are not independent: {effect:.1} of them weigh as one"));
    }
    for cut in &report.cuts {
        line(format_args!("cut: {cut}"));
    }
    let mut by_reason: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for left_out in &report.left_out {
        by_reason.entry(&left_out.why).or_default().push(&left_out.dimension);
    }
    for (why, names) in by_reason {
        line(format_args!("left out: {} ({why})", listed(&names)));
    }
}

/// A wide table leaves out thousands for one reason: the first tell which kind it is.
fn listed(names: &[&str]) -> String {
    const NAMES_MAX: usize = 24;
    let (first, more) = names.split_at(names.len().min(NAMES_MAX));
    match more.len() {
        0 => first.join(", "),
        more => format!("{} and {} more", first.join(", "), grouped(more as u64)),
    }
}

/// Thousands apart, so that a count is read at a glance.
pub(super) fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let first = digits.len() % 3;
    let mut parts: Vec<&str> = digits.as_bytes()[first..]
        .chunks(3)
        .map(|three| std::str::from_utf8(three).expect("digits are ASCII"))
        .collect();
    if first > 0 {
        parts.insert(0, &digits[..first]);
    }
    parts.join(",")
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    fn report() -> Report {
        let evidence = |conditions: &[(&str, &str)], aliases: serde_json::Value, rows: (u64, u64)| {
            let items: Vec<_> = conditions
                .iter()
                .map(|(dimension, value)| {
                    serde_json::json!({"dimension": dimension, "value": value, "condition": format!("{dimension} = {value}"), "aliases": aliases})
                })
                .collect();
            serde_json::json!({
                "items": items, "rows_a": rows.0, "rows_b": rows.1, "support_a": rows.0 as f64 / 1200.0, "support_b": rows.1 as f64 / 100_000.0,
                "support_ratio": 1.0, "risk_ratio": 75.25, "ci": [70.0, 81.04], "q_value": 0.0, "score": 1.0,
            })
        };
        let mut first = evidence(
            &[("customer_id", "1002")],
            serde_json::json!([{"dimension": "tenant", "value": "acme"}]),
            (1081, 1234),
        );
        first["alternates"] =
            serde_json::json!([evidence(&[("region", "eu"), ("plan", "free")], serde_json::json!([]), (600, 20))]);
        first["alternates_total"] = 1.into();
        let report = serde_json::json!({
            "sentence": "90 % of the failing requests have customer_id = 1002; 1.2 % of the others have it.",
            "explanations": [first], "ranked": [], "exact": true, "cuts": [], "rows": 101_200, "rows_a": 1200, "rows_b": 100_000,
            "left_out": [
                {"dimension": "message", "why": "free text"}, {"dimension": "status", "why": "the predicate names it"},
                {"dimension": "url", "why": "free text"},
            ],
            "complement": true, "dimensions": ["customer_id", "region"], "counted": [4, 2],
            "unit": {"dimension": "request_id", "design_effect": 2.34}, "elapsed_ms": 47.9,
        });
        serde_json::from_value(report).unwrap()
    }

    #[test]
    fn bars_stand_beside_their_figures() {
        expect![[r#"
            90 % of the failing requests have customer_id = 1002; 1.2 % of the others have it.

                 in A                          in B                          risk ratio
             1.  █████████   90.1 %     1,081  ▏            1.2 %     1,234  75.2 (70.0 to 81.0)  customer_id = 1002
                                                                                                  (the same rows have tenant = acme)
             or  █████       50.0 %       600  ▏            0.0 %        20  75.2 (70.0 to 81.0)  region = eu and plan = free

            101,200 rows read (1,200 in A, 100,000 in B), 2 dimensions, exact, 48 ms
            rows with the same request_id are not independent: 2.3 of them weigh as one
            left out: message, url (free text)
            left out: status (the predicate names it)
        "#]]
        .assert_eq(&table(&report(), Bars::Drawn));
    }

    #[test]
    fn of_many_names_the_first_are_listed() {
        assert_eq!(listed(&["a", "b"]), "a, b");
        let many = listed(&["c"; 10_000]);
        assert!(many.starts_with("c, c, ") && many.ends_with("c and 9,976 more") && many.len() < 100, "{many}");
    }

    #[test]
    fn what_vanished_stands_below_with_its_share_of_b() {
        let gone = serde_json::json!([{
            "items": [{"dimension": "host", "value": "h7", "condition": "host = h7", "aliases": []}],
            "rows_a": 0, "rows_b": 8000, "support_a": 0.0, "support_b": 0.08, "support_ratio": 0.0, "risk_ratio": 0.01,
            "ci": [0.001, 0.1], "q_value": 0.0, "score": 1.0, "alternates": [], "alternates_total": 0,
        }]);
        let gone = Report { vanished: serde_json::from_value(gone).unwrap(), ..report() };
        let line = "not    0.0 %         0    8.0 %     8,000  0.0 (0.0 to 0.1)     host = h7\n";
        assert!(table(&gone, Bars::Left).contains(line), "{}", table(&gone, Bars::Left));
        let alone = Report { explanations: Vec::new(), ..gone };
        assert!(table(&alone, Bars::Left).contains("host = h7"));
    }

    #[test]
    fn without_bars_the_figures_stay() {
        let text = table(&report(), Bars::Left);
        assert!(
            text.contains(" 1.   90.1 %     1,081    1.2 %     1,234  75.2 (70.0 to 81.0)  customer_id = 1002"),
            "{text}"
        );
        assert!(!text.contains('█'));
    }

    #[test]
    fn measures_have_values_and_their_part_of_the_deviation() {
        let mut report = report();
        let measure =
            serde_json::json!({"column": "latency_ms", "agg": "avg", "value_a": 300.0, "value_b": 95.2, "mix": null});
        report.measure = serde_json::from_value(measure).unwrap();
        let evidence = &mut report.explanations[0].evidence;
        (evidence.value_a, evidence.value_b, evidence.contribution) = (Some(812.25), Some(95.2), Some(0.87));
        let text = table(&report, Bars::Left);
        assert!(text.contains("avg of latency_ms  compared with  of the deviation"), "{text}");
        assert!(text.contains(" 1.  812                95.2            87.0 %           customer_id = 1002"), "{text}");
    }

    #[test]
    fn nothing_found_is_no_empty_table() {
        let nothing =
            Report { explanations: Vec::new(), sentence: "No dimension value explains it.".to_owned(), ..report() };
        let text = table(&nothing, Bars::Drawn);
        assert!(text.starts_with("No dimension value explains it.\n\n101,200 rows read"), "{text}");
    }

    #[test]
    fn bars_have_one_width_and_never_hide_what_is_there() {
        for (share, drawn) in
            [(0.0, "          "), (0.001, "▏         "), (0.5, "█████     "), (0.99, "█████████▉"), (1.0, "██████████")]
        {
            assert_eq!(bar(share), drawn, "{share}");
        }
    }

    #[test]
    fn thousands_are_apart() {
        for (count, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(grouped(count), text);
        }
    }
}
