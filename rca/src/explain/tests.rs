use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int64Array, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;

use super::incident::{Cause, Incident, Spec};
use super::planted::{Random, Request, input, requests};
use super::*;

mod hostile;

fn search(input: &Input) -> Report {
    explain(input, &Options::default(), "failing requests", &|| false).unwrap()
}

/// An itemset as sorted `dimension=value`, aliases left away.
fn set(evidence: &Evidence) -> Vec<String> {
    let mut set: Vec<_> = evidence.items.iter().map(|item| format!("{}={}", item.dimension, item.value)).collect();
    set.sort();
    set
}

fn asserted(report: &Report) -> Vec<Vec<String>> {
    report.explanations.iter().map(|explanation| set(&explanation.evidence)).collect()
}

#[test]
fn a_customer_is_named_and_not_the_fields_that_follow_him() {
    for seed in 0..8 {
        let failing = |r: &Request| if r.customer == 1002 { 0.85 } else { 0.01 };
        let requests = requests(seed, 20_000, 1, failing);
        let report = search(&input(&requests));
        assert_eq!(asserted(&report), [["customer_id=1002"]], "seed {seed}: {}", report.sentence);
        let share = |failed: bool| {
            let of = requests.iter().filter(|r| r.failed == failed);
            100.0 * of.clone().filter(|r| r.customer == 1002).count() as f64 / of.count() as f64
        };
        let said = format!("{:.0} % of the failing requests have customer_id = 1002;", share(true));
        assert!(report.sentence.starts_with(&said), "{} is not {said}", report.sentence);
        let alternates: HashSet<_> = report.explanations[0].alternates.iter().flat_map(set).collect();
        assert!(alternates.contains("region=eu"), "shadows are folded, not deleted: {alternates:?}");
    }
}

/// Host 7 is 1 row in 24, `v1` 1 in 4 and chrome 1 in 2: shares of a cause from 4 % to half a percent.
#[test]
fn causes_of_every_order_are_named_exactly() {
    let one = |r: &Request| r.host == "host-7";
    let two = |r: &Request| r.host == "host-7" && r.version == "v1";
    let three = |r: &Request| r.service == "service-3" && r.version == "v1" && r.browser == Some("chrome");
    type Cause = fn(&Request) -> bool;
    let cases: [(Cause, &[&str]); 3] = [
        (one, &["host=host-7"]),
        (two, &["host=host-7", "version=v1"]),
        (three, &["browser=chrome", "service=service-3", "version=v1"]),
    ];
    for (cause, truth) in cases {
        for seed in 0..6 {
            let requests = requests(100 + seed, 30_000, 1, |r| if cause(r) { 0.4 } else { 0.01 });
            let report = search(&input(&requests));
            assert_eq!(asserted(&report), [truth], "seed {seed}: {}", report.sentence);
        }
    }
}

#[test]
fn two_independent_causes_are_two_answers() {
    let mut named_both = 0;
    for seed in 0..10 {
        let rate = |r: &Request| match (r.host == "host-5", r.path == "/p/9" && r.version == "v0") {
            (true, _) => 0.3,
            (_, true) => 0.5,
            _ => 0.01,
        };
        let report = search(&input(&requests(200 + seed, 40_000, 1, rate)));
        let named: HashSet<_> = asserted(&report).into_iter().collect();
        let truth = [vec!["host=host-5".to_owned()], vec!["path=/p/9".to_owned(), "version=v0".to_owned()]];
        named_both += usize::from(named == HashSet::from(truth));
    }
    assert!(named_both >= 9, "both causes and nothing else in {named_both} of 10");
}

#[test]
fn values_with_the_same_rows_are_aliases_of_one_item() {
    let requests = requests(7, 10_000, 1, |r| if r.region == "sa" { 0.3 } else { 0.02 });
    let report = search(&input(&requests));
    assert_eq!(asserted(&report), [["region=sa"]]);
    let item = &report.explanations[0].evidence.items[0];
    assert_eq!(item.aliases, [Alias { dimension: "country".into(), value: "BR".into() }]);
}

/// 5 % of searches without a cause may assert one; 120 searches then show at most 11 with a probability of 0.99.
#[test]
fn without_a_cause_nothing_is_asserted() {
    for (rows, rate) in [(1_500, 0.03), (6_000, 0.1)] {
        let false_alarms = (0..120u64)
            .filter(|seed| !asserted(&search(&input(&requests(1_000 + seed, rows, 1, |_| rate)))).is_empty())
            .count();
        assert!(false_alarms <= 11, "{false_alarms} of 120 with {rows} rows");
    }
}

/// Rows of one trace fail together, so that chance looks like a cause to whoever takes them for independent.
#[test]
fn rows_of_one_trace_are_not_taken_for_independent() {
    let alarms = |blind: bool| {
        let seeds = 0..60u64;
        let alarm = |seed: &u64| {
            let mut input = input(&requests(3_000 + seed, 8_000, 8, |_| 0.05));
            if blind {
                for batch in &mut input.batches {
                    batch.remove_column(12);
                }
            }
            !search(&input).explanations.is_empty()
        };
        seeds.filter(alarm).count()
    };
    assert!(alarms(false) <= 7, "{} of 60", alarms(false));
    assert!(alarms(true) >= 30, "the data tempt: {} of 60", alarms(true));
}

#[test]
fn evidence_is_the_exact_count_of_rows() {
    let rate = |r: &Request| if r.plan == "enterprise" && r.version == "v2" { 0.5 } else { 0.03 };
    let requests = requests(11, 12_000, 1, rate);
    let report = search(&input(&requests));
    assert_eq!(asserted(&report), [["plan=enterprise", "version=v2"]]);
    let has = |r: &Request, item: &ReportItem| match item.dimension.as_str() {
        "customer_id" => Some(r.customer.to_string() == item.value),
        "region" => Some(r.region == item.value),
        "plan" => Some(r.plan == item.value),
        "version" => Some(r.version == item.value),
        "service" => Some(r.service == item.value),
        "host" => Some(r.host == item.value),
        "path" => Some(r.path == item.value),
        "browser" => Some(r.browser.unwrap_or("NULL") == item.value),
        _ => None,
    };
    let mut checked = 0;
    for evidence in &report.ranked {
        let count = |failed: bool| {
            let inside = |r: &&Request| evidence.items.iter().all(|item| has(r, item) == Some(true));
            requests.iter().filter(|r| r.failed == failed).filter(inside).count() as u64
        };
        if evidence.items.iter().all(|item| has(&requests[0], item).is_some()) {
            assert_eq!((evidence.rows_a, evidence.rows_b), (count(true), count(false)), "{}", evidence.condition());
            checked += 1;
        }
    }
    assert!(checked > 3 && report.ranked.len() <= RANKED_MAX);
    assert_eq!(report.rows, 12_000);
    assert_eq!(report.rows_a, requests.iter().filter(|r| r.failed).count() as u64);
}

#[test]
fn a_number_explains_by_its_range() {
    let requests = requests(12, 20_000, 1, |r| if r.payload >= 40_000 { 0.6 } else { 0.01 });
    let report = search(&input(&requests));
    let item = &report.explanations[0].evidence.items[0];
    assert_eq!((report.explanations.len(), item.dimension.as_str()), (1, "payload_bytes"), "{}", report.sentence);
    let edge: f64 = item.value.strip_prefix(">= ").unwrap().parse().unwrap();
    assert!((30_000.0..45_000.0).contains(&edge), "{edge}");
}

/// Missing pages have small answers, so a range of sizes covers all of them; what is missing are the paths.
#[test]
fn a_symptom_that_covers_all_does_not_hide_the_causes() {
    let mut random = Random(5);
    let missing = ["/files/old.jar", "/gone.gif", "/wp-login.php"];
    let (mut path, mut bytes, mut status) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..8_000 {
        let gone = random.unit() < 0.02;
        path.push(if gone { missing[random.below(3)].to_owned() } else { format!("/p/{}", random.below(400)) });
        let small = gone || random.unit() < 0.2;
        bytes.push(if small { 280 + random.below(60) } else { 100 + random.below(90_000) } as i64);
        status.push(if gone { 404 } else { [200, 200, 304][random.below(3)] });
    }
    let report = search(&of_status(vec![
        ("path", Arc::new(StringArray::from_iter_values(path)) as ArrayRef),
        ("bytes", Arc::new(Int64Array::from(bytes))),
        ("status", Arc::new(Int64Array::from(status))),
    ]));
    let named: HashSet<_> = asserted(&report).into_iter().flatten().collect();
    let truth = missing.iter().map(|path| format!("path={path}")).collect();
    assert_eq!(named, truth, "{}", report.sentence);
}

/// A table with an integer `status`; A is where it is 400 or more.
fn of_status(columns: Vec<(&str, ArrayRef)>) -> Input {
    let batch =
        RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, of)| (name, of, true))).unwrap();
    let status = batch.column_by_name("status").unwrap().as_primitive::<arrow::datatypes::Int64Type>();
    let slice = vec![BooleanArray::from_unary(status, |status| status >= 400)];
    Input { batches: vec![batch], slice, predicate_columns: vec!["status".into()], baseline: Baseline::Complement }
}

#[test]
fn what_restates_the_predicate_is_left_out_and_what_separates_is_not() {
    let mut random = Random(9);
    let texts = |of: &dyn Fn(usize) -> String| Arc::new(StringArray::from_iter_values((0..4_000).map(of))) as ArrayRef;
    let status: Vec<i64> = (0..4_000)
        .map(|row| if row % 10 == 0 { [500, 503][random.below(2)] } else { [200, 301][random.below(2)] })
        .collect();
    let report = search(&of_status(vec![
        ("status_class", texts(&|row| format!("{}xx", status[row] / 100))),
        ("level", texts(&|row| if status[row] >= 500 { "error".into() } else { "info".into() })),
        ("version", texts(&|row| if row % 10 == 0 { "v2".into() } else { "v1".into() })),
        ("request_key", texts(&|row| format!("r{row}"))),
        ("dc", texts(&|_| "fra".into())),
        ("_msg", texts(&|row| format!("answered {}", status[row]))),
        ("seen_at", Arc::new(Int64Array::from_iter_values((0..4_000).map(|row| 1_795_219_200_000 + row)))),
        ("code", Arc::new(Int64Array::from_iter_values(status.iter().map(|status| status * 10)))),
        ("status", Arc::new(Int64Array::from(status.clone()))),
    ]));
    assert_eq!(asserted(&report), [["version=v2"]], "perfect separation is no reason to leave it out");
    assert_eq!(report.explanations[0].evidence.support_ratio, None);
    let why: Vec<_> = report.left_out.iter().map(|left| (left.dimension.as_str(), left.why.as_str())).collect();
    assert_eq!(
        why,
        [
            ("status_class", "it says how the row ended, as the predicate does"),
            ("level", "it says how the row ended, as the predicate does"),
            ("request_key", "nearly unique: 400 values in 400 anomalous rows"),
            ("dc", "constant"),
            ("_msg", "free text"),
            ("seen_at", "a point in time"),
            ("code", "a function of the predicate's columns"),
            ("status", "the predicate names it"),
        ]
    );
}

#[test]
fn an_absent_value_is_a_value() {
    let requests = requests(13, 10_000, 1, |r| if r.browser.is_none() { 0.4 } else { 0.02 });
    let report = search(&input(&requests));
    assert_eq!(asserted(&report), [["browser=NULL"]]);
    assert!(report.sentence.contains("have no browser;"), "{}", report.sentence);
}

#[test]
fn another_population_as_baseline_has_no_risk_ratio() {
    let (before, after) = (requests(14, 8_000, 1, |_| 0.0), requests(15, 4_000, 1, |_| 0.0));
    // Afterwards two in three requests go to host 3.
    let mut random = Random(16);
    let moved =
        after.into_iter().map(|r| if random.unit() < 0.66 { Request { host: "host-3".into(), ..r } } else { r });
    let both: Vec<Request> = before.into_iter().chain(moved.map(|r| Request { failed: true, ..r })).collect();
    let report = search(&Input { baseline: Baseline::Other, ..input(&both) });
    assert_eq!(asserted(&report)[0], ["host=host-3"]);
    let evidence = &report.explanations[0].evidence;
    assert_eq!((evidence.risk_ratio, evidence.ci), (None, None));
    assert!(report.sentence.contains("of the baseline is."), "{}", report.sentence);
}

#[test]
fn dictionaries_and_plain_strings_give_the_same_report() {
    let plain = input(&requests(17, 5_000, 1, |r| if r.host == "host-2" { 0.4 } else { 0.02 }));
    let coded = |array: &ArrayRef| match array.data_type() {
        DataType::Utf8 => cast(array, &DataType::Dictionary(DataType::Int32.into(), DataType::Utf8.into())).unwrap(),
        _ => array.clone(),
    };
    let batches = plain.batches.iter().map(|batch| {
        let names = batch.schema().fields().iter().map(|field| field.name().clone()).collect::<Vec<_>>();
        RecordBatch::try_from_iter_with_nullable(
            names.into_iter().zip(batch.columns()).map(|(n, a)| (n, coded(a), true)),
        )
    });
    let batches = batches.collect::<Result<_, _>>().unwrap();
    assert_eq!(search(&Input { batches, ..plain.clone() }), search(&plain));
}

#[test]
fn a_spent_budget_is_said() {
    let input = input(&requests(18, 3_000, 1, |r| if r.host == "host-2" { 0.5 } else { 0.02 }));
    let report = explain(&input, &Options::default(), "rows", &|| true).unwrap();
    assert!(!report.exact && report.cuts[0].contains("time budget"), "{:?}", report.cuts);
    let asked = std::sync::atomic::AtomicUsize::new(0);
    let after_columns = || asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed) > 40;
    let report = explain(&input, &Options::default(), "rows", &after_columns).unwrap();
    assert_eq!((report.exact, asserted(&report)), (false, vec![vec!["host=host-2".to_owned()]]));
}

/// The pair is not known before order two; what comes before is marked, and the last word is that of a plain search.
#[test]
fn partial_reports_come_order_by_order() {
    let rate = |r: &Request| if r.host == "host-7" && r.version == "v1" { 0.4 } else { 0.01 };
    let input = input(&requests(23, 30_000, 1, rate));
    let mut partial = Vec::new();
    let options = Options::default();
    let last =
        explain_progressively(&input, &options, "failing requests", &|| false, &mut |report| partial.push(report));
    assert_eq!(last.unwrap(), search(&input));
    assert_eq!(partial.len(), 2);
    assert!(partial.iter().all(|report| !report.exact && report.cuts[0].starts_with("provisional: ")));
    for (order, report) in (1..).zip(&partial) {
        let bound = report.cuts[0].rsplit_once("at most ").unwrap().1.split(' ').next().unwrap();
        let bound: u64 = bound.parse().unwrap();
        let whole = search(&input);
        let missing = whole.ranked.iter().filter(|evidence| evidence.items.len() > order);
        assert!(bound <= report.rows_a && missing.clone().all(|evidence| evidence.rows_a <= bound), "{bound}");
        assert!(missing.count() > 0 || order == 2);
    }
    assert!(partial[0].explanations.iter().all(|explanation| explanation.evidence.items.len() == 1));
    assert_eq!(asserted(&partial[1]), [["host=host-7", "version=v1"]]);
}

#[test]
fn asked_dimensions_are_the_only_ones() {
    let input = input(&requests(19, 3_000, 1, |r| if r.host == "host-2" { 0.5 } else { 0.02 }));
    let only = |dimensions: &[&str]| Options {
        dimensions: Some(dimensions.iter().map(|name| (*name).to_owned()).collect()),
        ..Options::default()
    };
    let report = explain(&input, &only(&["region", "version"]), "rows", &|| false).unwrap();
    assert_eq!((report.dimensions.len(), report.explanations.len()), (2, 0));
    assert!(report.sentence.starts_with("No dimension value explains it: in 2 dimensions"), "{}", report.sentence);
    let error = explain(&input, &only(&["hots"]), "rows", &|| false).unwrap_err().to_string();
    assert!(error.contains("\"hots\"") && error.contains("host"), "{error}");
}

#[test]
fn what_cannot_be_compared_is_refused() {
    let failing = |rate: f64| input(&requests(20, 200, 1, |_| rate));
    let refused =
        |input: &Input, options: &Options| explain(input, options, "rows", &|| false).unwrap_err().to_string();
    let options = Options::default();
    assert!(refused(&failing(0.0), &options).contains("no row is in the anomalous slice"));
    assert!(refused(&failing(1.0), &options).contains("no row is in the normal slice"));
    let empty = Input { batches: Vec::new(), slice: Vec::new(), ..failing(0.5) };
    assert!(refused(&empty, &options).contains("0 rows read"));
    for (options, names) in [
        (Options { max_order: 9, ..Options::default() }, "max_order is 9"),
        (Options { min_support: 0.0, ..Options::default() }, "min_support is 0"),
        (Options { alpha: 1.0, ..Options::default() }, "alpha is 1"),
        (Options { unit: Some("session".into()), ..Options::default() }, "\"session\""),
    ] {
        assert!(refused(&failing(0.5), &options).contains(names), "{names}");
    }
}

/// The keys that the command line and the HTTP reference promise.
#[test]
fn the_report_has_the_promised_shape() {
    let report = search(&input(&requests(22, 5_000, 1, |r| if r.region == "sa" { 0.3 } else { 0.02 })));
    let json = serde_json::to_value(&report).unwrap();
    let keys = |of: &serde_json::Value| of.as_object().unwrap().keys().cloned().collect::<HashSet<_>>();
    for key in ["sentence", "explanations", "ranked", "left_out", "exact", "rows", "rows_a", "rows_b", "elapsed_ms"] {
        assert!(keys(&json).contains(key), "{key} of the report");
    }
    let evidence = [
        "items",
        "rows_a",
        "rows_b",
        "support_a",
        "support_b",
        "support_ratio",
        "risk_ratio",
        "ci",
        "q_value",
        "score",
    ];
    for key in evidence {
        assert!(keys(&json["explanations"][0]).contains(key), "{key} of an explanation");
        assert!(keys(&json["ranked"][0]).contains(key), "{key} of a ranked one");
    }
    assert!(json["explanations"][0]["alternates"].is_array());
    let item = serde_json::json!({
        "dimension": "region", "value": "sa", "condition": "region = sa",
        "aliases": [{"dimension": "country", "value": "BR"}],
    });
    assert_eq!(json["explanations"][0]["items"], serde_json::json!([item]));
    assert_eq!(serde_json::from_value::<Report>(json).unwrap(), report, "clients read it back");
}

#[test]
fn odd_tables_are_answered() {
    let one_each = input(&requests(21, 2, 1, |r| if r.trace == 0 { 1.0 } else { 0.0 }));
    assert!(search(&one_each).explanations.is_empty());
    let constant = of_status(vec![
        ("dc", Arc::new(StringArray::from(vec!["fra"; 100])) as ArrayRef),
        ("nothing", Arc::new(arrow::array::NullArray::new(100))),
        ("ratio", Arc::new(arrow::array::Float64Array::from(vec![f64::NAN; 100]))),
        ("status", Arc::new(Int64Array::from_iter_values((0..100).map(|row| 200 + row % 2 * 300)))),
    ]);
    let report = search(&constant);
    assert_eq!(report.left_out.len(), 4, "{:?}", report.left_out);
    assert!(report.explanations.is_empty() && report.dimensions.is_empty());
}

fn report_of(incident: &Incident) -> Report {
    let texts = |codes: &Vec<u32>| Arc::new(StringArray::from_iter_values(codes.iter().map(|code| format!("v{code}"))));
    let dimensions = incident.codes.iter().enumerate();
    let mut columns: Vec<(String, ArrayRef)> =
        dimensions.map(|(at, codes)| (format!("d{at}"), texts(codes) as ArrayRef)).collect();
    let requests = incident.request.iter().map(|request| i64::from(*request));
    columns.push(("request_id".to_owned(), Arc::new(Int64Array::from_iter_values(requests))));
    let input = Input {
        batches: vec![RecordBatch::try_from_iter(columns).unwrap()],
        slice: vec![BooleanArray::from(incident.failed.clone())],
        predicate_columns: Vec::new(),
        baseline: Baseline::Complement,
    };
    explain(&input, &Options::default(), "failing requests", &|| false).unwrap()
}

/// Whether the evidence is the cause, its values by their own names or by an alias.
fn is_cause(evidence: &Evidence, cause: &Cause) -> bool {
    let is = |item: &ReportItem, (dimension, value): &(usize, u32)| {
        let (dimension, value) = (format!("d{dimension}"), format!("v{value}"));
        let alias = |alias: &Alias| alias.dimension == dimension && alias.value == value;
        (item.dimension == dimension && item.value == value) || item.aliases.iter().any(alias)
    };
    evidence.items.len() == cause.items.len()
        && cause.items.iter().all(|item| evidence.items.iter().any(|own| is(own, item)))
}

/// The short form of the measurement at a million rows. 100,000 rows are sampled, so this is the way through the sample too.
#[test]
fn planted_causes_among_correlated_dimensions_are_named() {
    let (mut causes, mut named, mut ranked, mut first) = (0, 0, 0, 0);
    const SEEDS: u64 = 12;
    for seed in 0..SEEDS {
        let spec = Spec { rows: 150_000, columns: 12, causes: 1 + seed as usize % 3, noise: 0.0, seed };
        let incident = Incident::generate(&spec);
        let report = report_of(&incident);
        // A tenth of the rows shows causes of a threefold rate as well when they have three times the share.
        for cause in incident.causes.iter().filter(|cause| cause.share >= 0.01) {
            causes += 1;
            named += usize::from(report.explanations.iter().any(|told| is_cause(&told.evidence, cause)));
            ranked += usize::from(report.ranked.iter().take(5).any(|evidence| is_cause(evidence, cause)));
        }
        let told = |evidence: &Evidence| incident.causes.iter().any(|cause| is_cause(evidence, cause));
        first += u64::from(report.explanations.first().is_some_and(|first| told(&first.evidence)));
    }
    assert!(causes >= 12 && named * 20 >= causes * 19 && ranked * 20 >= causes * 19, "{named}, {ranked} of {causes}");
    assert!(first >= SEEDS - 1, "{first} of {SEEDS} begin with a cause");
}

/// With one false alarm in twenty, six of forty come once in seventy runs of such a test.
#[test]
fn requests_that_fail_as_one_are_no_cause() {
    let alarms = (0..40).filter(|seed| {
        let spec = Spec { rows: 30_000, columns: 12, causes: 0, noise: 0.0, seed: 500 + seed };
        !report_of(&Incident::generate(&spec)).explanations.is_empty()
    });
    let alarms = alarms.count();
    assert!(alarms <= 5, "{alarms} of 40");
}
