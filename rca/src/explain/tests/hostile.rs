//! Tables that nobody meant to be explained: each gives an answer or a clear refusal, in bounded memory and time.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use arrow::array::{ArrayRef, AsArray, BooleanArray, Float64Array, Int64Array, NullArray, RecordBatch, StringArray};
use arrow::buffer::{Buffer, OffsetBuffer, ScalarBuffer};

use super::super::planted::Random;
use super::*;
use crate::limits::ORDER_MAX;
use crate::{Measure, explain_measure};

fn table(columns: Vec<(String, ArrayRef)>, in_a: &BooleanArray) -> Input {
    let columns = columns.into_iter().map(|(name, of)| (name, of, true));
    Input {
        batches: vec![RecordBatch::try_from_iter_with_nullable(columns).unwrap()],
        slice: vec![in_a.clone()],
        predicate_columns: Vec::new(),
        baseline: Baseline::Complement,
    }
}

fn texts(values: impl Iterator<Item = String>) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(values))
}

fn search(input: &Input) -> Result<Report, String> {
    searched_with(input, &Options::default())
}

fn searched_with(input: &Input, options: &Options) -> Result<Report, String> {
    explain(input, options, "rows", &|| false).map_err(|error| error.to_string())
}

fn conditions(report: &Report) -> Vec<String> {
    report.explanations.iter().map(|explanation| explanation.evidence.condition()).collect()
}

/// Resident memory at its highest, of the whole process: each test runs in one of its own.
fn memory_peak_mib() -> usize {
    let Ok(status) = std::fs::read_to_string("/proc/self/status") else { return 0 };
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    peak.trim().trim_end_matches(" kB").parse::<usize>().unwrap() / 1024
}

#[test]
fn a_row_or_a_slice_alone_is_refused() {
    let host = |rows: usize| vec![("host".to_owned(), texts((0..rows).map(|row| format!("h{}", row % 3))))];
    for (slice, refusal) in [
        (vec![true], "no row is in the normal slice: there is nothing to compare the 1 anomalous rows with"),
        (vec![false], "no row is in the anomalous slice: the predicate holds nowhere in the 1 rows read"),
        (vec![true; 500], "no row is in the normal slice: there is nothing to compare the 500 anomalous rows with"),
        (vec![], "no row is in the anomalous slice: the predicate holds nowhere in the 0 rows read"),
    ] {
        let error = search(&table(host(slice.len()), &slice.clone().into())).unwrap_err();
        assert!(error.starts_with(refusal), "{} rows: {error}", slice.len());
    }
    let nowhere = BooleanArray::from(vec![None; 20]);
    assert!(search(&table(host(20), &nowhere)).unwrap_err().contains("no row is in the anomalous slice"));
    let two = search(&table(host(2), &vec![true, false].into())).unwrap();
    assert!(two.explanations.is_empty() && two.vanished.is_empty() && two.exact, "{two:?}");
}

#[test]
fn columns_that_say_nothing_are_left_out_with_a_reason() {
    let rows = 400;
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("constant", texts((0..rows).map(|_| "x".to_owned()))),
        ("zero", Arc::new(Int64Array::from(vec![0; rows]))),
        ("null_type", Arc::new(NullArray::new(rows))),
        ("null_text", Arc::new(StringArray::new_null(rows))),
        ("null_int", Arc::new(Int64Array::new_null(rows))),
        ("null_float", Arc::new(Float64Array::new_null(rows))),
        ("nan", Arc::new(Float64Array::from(vec![f64::NAN; rows]))),
        ("infinite", Arc::new(Float64Array::from_iter_values((0..rows).map(|_| f64::INFINITY)))),
        ("empty", texts((0..rows).map(|_| String::new()))),
        ("request_id", Arc::new(Int64Array::from(vec![7; rows]))),
    ];
    let names: Vec<String> = columns.iter().map(|(name, _)| (*name).to_owned()).collect();
    let in_a: BooleanArray = (0..rows).map(|row| Some(row % 5 == 0)).collect();
    let report = search(&table(columns.into_iter().map(|(name, of)| (name.to_owned(), of)).collect(), &in_a)).unwrap();
    assert!(report.explanations.is_empty() && report.ranked.is_empty() && report.dimensions.is_empty(), "{report:?}");
    let left_out: Vec<&str> = report.left_out.iter().map(|left| left.dimension.as_str()).collect();
    assert_eq!(left_out, names);
    assert!(report.sentence.starts_with("No dimension value explains it: in 0 dimensions"), "{}", report.sentence);
}

/// Numbers that are none are a value like a null, and infinities are numbers.
#[test]
fn what_is_no_number_can_explain_too() {
    let mut random = Random(31);
    let in_a: BooleanArray = (0..4_000).map(|_| Some(random.unit() < 0.1)).collect();
    let number = |row: usize, random: &mut Random| match (in_a.value(row), random.unit() < 0.7) {
        (true, true) => f64::NAN,
        _ if random.unit() < 0.1 => f64::INFINITY,
        _ => random.unit(),
    };
    let numbers = Float64Array::from_iter_values((0..4_000).map(|row| number(row, &mut random)));
    let report = search(&table(vec![("load".to_owned(), Arc::new(numbers))], &in_a)).unwrap();
    assert_eq!(conditions(&report), ["load IS NULL"], "{}", report.sentence);
    let nan_in_a = report.explanations[0].evidence.rows_a;
    assert!(nan_in_a > 200 && report.explanations[0].evidence.rows_b == 0, "{report:?}");
}

#[test]
fn measures_that_are_no_numbers_are_counted_out_or_refused() {
    let in_a: BooleanArray = (0..900).map(|row| Some(row % 3 == 0)).collect();
    let host = || ("host".to_owned(), texts((0..900).map(|row| format!("h{}", row % 7))));
    let measured = |values: Vec<Option<f64>>| {
        let input = table(vec![host(), ("ms".to_owned(), Arc::new(Float64Array::from(values)))], &in_a);
        let measure = Measure::new("ms", None, None);
        explain_measure(&input, &measure, &Options::default(), "rows", &|| false).map_err(|error| error.to_string())
    };
    for nothing in [Some(f64::NAN), Some(f64::INFINITY), None] {
        let error = measured(vec![nothing; 900]).unwrap_err();
        assert_eq!(error, "measure \"ms\" has no finite value in the 900 rows read");
    }
    assert!(measured(vec![Some(3.0); 900]).unwrap().explanations.is_empty());
    let some = |row: usize| match row % 4 {
        0 => Some(f64::NAN),
        1 => None,
        _ => Some(10.0 + (row % 13) as f64 + if row % 7 == 2 && row.is_multiple_of(3) { 500.0 } else { 0.0 }),
    };
    let report = measured((0..900).map(some).collect()).unwrap();
    assert_eq!(conditions(&report), ["host = h2"], "{}", report.sentence);
    assert!(report.left_out.iter().any(|left| left.why.contains("450")), "{:?}", report.left_out);
}

/// One of ten thousand columns is the culprit.
#[test]
fn ten_thousand_columns_are_searched() {
    const ROWS: usize = 1_000;
    let mut random = Random(41);
    let in_a: BooleanArray = (0..ROWS).map(|_| Some(random.unit() < 0.15)).collect();
    let mut columns: Vec<(String, ArrayRef)> = Vec::new();
    for column in 0..10_000 {
        let name = format!("c{column}");
        let culprit = column == 7_321;
        let code = |row: usize, random: &mut Random| {
            if culprit && in_a.value(row) && random.unit() < 0.9 { 4 } else { random.below(4) as i64 }
        };
        let codes: Vec<i64> = (0..ROWS).map(|row| code(row, &mut random)).collect();
        columns.push(match column % 3 {
            _ if culprit => (name, texts(codes.iter().map(|code| format!("v{code}")))),
            0 => (name, Arc::new(Int64Array::from(codes))),
            1 => (name, Arc::new(Float64Array::from_iter_values((0..ROWS).map(|_| random.unit())))),
            _ => (name, texts(codes.iter().map(|code| format!("v{code}")))),
        });
    }
    let report = search(&table(columns, &in_a)).unwrap();
    assert_eq!(conditions(&report), ["c7321 = v4"], "{}", report.sentence);
    assert!(report.vanished.is_empty(), "{:?}", report.vanished);
    assert_eq!(report.dimensions.len(), 10_000);
    let cut = "2000 of ";
    assert!(!report.exact && report.cuts.iter().any(|said| said.starts_with(cut)), "{:?}", report.cuts);
    assert!(memory_peak_mib() < 1_500, "{} MiB", memory_peak_mib());
}

/// A number and a name that no two rows share, and one column that matters. Eight bytes per row and column are what a
/// value without a dictionary costs.
#[test]
fn ten_million_distinct_values_cost_eight_bytes_each() {
    const ROWS: usize = 10_000_000;
    const DIGITS: usize = 8;
    let mut random = Random(51);
    let in_a: BooleanArray = (0..ROWS).map(|_| Some(random.unit() < 0.01)).collect();
    let number = |row: usize| row.wrapping_mul(7_368_787) % ROWS;
    let numbers = Int64Array::from_iter_values((0..ROWS).map(|row| number(row) as i64));
    let mut names = Vec::with_capacity(ROWS * DIGITS);
    for row in 0..ROWS {
        let mut rest = number(row);
        let digits: [u8; DIGITS] = std::array::from_fn(|_| {
            let digit = b'0' + (rest % 10) as u8;
            rest /= 10;
            digit
        });
        names.extend_from_slice(&digits);
    }
    let ends: ScalarBuffer<i32> = (0..=ROWS).map(|row| (row * DIGITS) as i32).collect();
    let names = StringArray::new(OffsetBuffer::new(ends), Buffer::from_vec(names), None);
    let host = |row: usize| if in_a.value(row) && row % 10 < 7 { 1 } else { row as i64 % 4 };
    let hosts = Int64Array::from_iter_values((0..ROWS).map(host));
    let before = memory_peak_mib();
    let columns: Vec<(String, ArrayRef)> = vec![
        ("number".to_owned(), Arc::new(numbers.clone())),
        ("session_id".to_owned(), Arc::new(numbers)),
        ("name".to_owned(), Arc::new(names)),
        ("host".to_owned(), Arc::new(hosts)),
    ];
    let input = table(columns, &in_a);
    let report = search(&input).unwrap();
    let hosts = input.batches[0].column(3).as_primitive::<arrow::datatypes::Int64Type>();
    let in_slice = |of: bool| (0..ROWS).filter(|row| in_a.value(*row) == of && hosts.value(*row) == 1).count() as u64;
    assert_eq!(conditions(&report), ["host = 1"], "{}", report.sentence);
    let evidence = &report.explanations[0].evidence;
    assert_eq!((evidence.rows_a, evidence.rows_b), (in_slice(true), in_slice(false)));
    let nearly_unique = |name: &str| {
        report.left_out.iter().any(|left| left.dimension == name && left.why.starts_with("nearly unique: "))
    };
    assert!(nearly_unique("session_id") && nearly_unique("name"), "{:?}", report.left_out);
    let own = memory_peak_mib() - before;
    assert!(own < 700, "{own} MiB for three times 80 MB of payloads, 10 MB of codes and what they grow through");
}

#[test]
fn the_limits_of_the_knobs_are_answered() {
    let mut random = Random(61);
    let in_a: BooleanArray = (0..3_000).map(|_| Some(random.unit() < 0.1)).collect();
    let host = |row: usize, random: &mut Random| match in_a.value(row) && random.unit() < 0.8 {
        true => "h1".to_owned(),
        false => format!("h{}", random.below(9)),
    };
    let columns = |random: &mut Random| {
        vec![
            ("host".to_owned(), texts((0..3_000).map(|row| host(row, random)).collect::<Vec<_>>().into_iter())),
            (
                "path".to_owned(),
                texts((0..3_000).map(|_| format!("/{}", random.below(40))).collect::<Vec<_>>().into_iter()),
            ),
            (
                "size".to_owned(),
                Arc::new(Float64Array::from_iter_values((0..3_000).map(|_| random.unit()))) as ArrayRef,
            ),
        ]
    };
    let input = table(columns(&mut random), &in_a);
    let defaults = Options::default;
    for (options, named) in [
        (Options { min_support: 1.0, ..defaults() }, false),
        (Options { min_support: 1e-300, ..defaults() }, true),
        (Options { alpha: 1e-12, ..defaults() }, true),
        (Options { alpha: f64::MIN_POSITIVE, ..defaults() }, false),
        (Options { alpha: 1.0 - f64::EPSILON, ..defaults() }, true),
        (Options { min_ratio: 1.0, ..defaults() }, true),
        (Options { min_ratio: f64::MAX, ..defaults() }, false),
        (Options { max_order: 1, ..defaults() }, true),
        (Options { max_order: ORDER_MAX, min_support: 1e-300, ..defaults() }, true),
    ] {
        let report = searched_with(&input, &options).unwrap();
        assert!(report.exact, "{options:?}: {:?}", report.cuts);
        let first = conditions(&report).first().cloned();
        assert_eq!(first.is_some_and(|first| first == "host = h1"), named, "{options:?}: {}", report.sentence);
    }
    for options in [
        Options { min_support: f64::NAN, ..defaults() },
        Options { min_support: 1.0 + f64::EPSILON, ..defaults() },
        Options { min_ratio: f64::NAN, ..defaults() },
        Options { alpha: 0.0, ..defaults() },
        Options { alpha: f64::NAN, ..defaults() },
        Options { max_order: 0, ..defaults() },
    ] {
        assert!(searched_with(&input, &options).unwrap_err().contains("must be"), "{options:?}");
    }
}

/// Whenever the time is up, what is said is true, and what may be missing is bounded.
#[test]
fn time_may_end_at_any_moment() {
    let mut random = Random(71);
    let in_a: BooleanArray = (0..4_000).map(|_| Some(random.unit() < 0.1)).collect();
    let columns = |random: &mut Random| {
        (0..8)
            .map(|column| {
                let value = |row: usize| {
                    if column == 0 && in_a.value(row) && random.unit() < 0.7 { 9 } else { random.below(9) }
                };
                (
                    format!("d{column}"),
                    texts((0..4_000).map(value).map(|value| format!("v{value}")).collect::<Vec<_>>().into_iter()),
                )
            })
            .collect::<Vec<_>>()
    };
    let input = table(columns(&mut random), &in_a);
    let whole = search(&input).unwrap();
    let mut named = 0;
    for moments in (0..120).chain((120..1_200).step_by(60)) {
        let asked = AtomicUsize::new(0);
        let stop = || asked.fetch_add(1, Ordering::Relaxed) >= moments;
        let report = explain(&input, &Options::default(), "rows", &stop).unwrap();
        named += usize::from(conditions(&report) == conditions(&whole));
        assert!(report.exact == report.cuts.is_empty(), "{:?}", report.cuts);
        assert!(report.exact || report.cuts.iter().all(|cut| cut.contains("time budget")), "{:?}", report.cuts);
        let of_whole = |evidence: &Evidence| whole.ranked.iter().find(|other| other.items == evidence.items);
        for told in report.explanations.iter().map(|told| &told.evidence) {
            let same = of_whole(told).map(|other| (other.rows_a, other.rows_b));
            assert!(same.is_none_or(|same| same == (told.rows_a, told.rows_b)), "{}", told.condition());
        }
    }
    assert!(named > 20, "{named} of 138 moments were late enough for the cause");
}
