use std::path::Path;

use expect_test::{Expect, expect};

use super::*;

fn problems(text: &str) -> String {
    let lines: Vec<_> = parse_rule_file("r.yml", text).problems.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

fn check(text: &str, expected: Expect) {
    expected.assert_eq(&problems(text));
}

const GOOD: &str = r#"
groups:
- name: shop
  interval: 5s
  limit: 10
  query_offset: 1s
  labels: {team: web}
  rules:
  - record: job:errors:rate1m
    expr: sum by (job) (rate(errors_total[1m]))
    labels: {team: data}
  - alert: HighErrorRate
    expr: job:errors:rate1m > 0.1
    for: 30s
    keep_firing_for: 1m
    labels: {severity: 1}
    annotations:
      summary: 'errors on {{ $labels.job }}'
      culprit_slice: 'shop | service = ''{{ $labels.job }}'' and status >= 500'
  - alert: Slow
    sql: SELECT service, avg(duration) AS value FROM shop GROUP BY service HAVING value > 1
    window: 1m
    explain: {store: shop, where: duration > 1, baseline: duration <= 1, noun: slow calls, dimensions: [host, version], window: 10m}
  - alert: Panics
    search: 'shop | panic'
    threshold: '>= 3'
"#;

#[test]
fn a_good_file_is_read_whole() {
    let file = parse_rule_file("r.yml", GOOD);
    assert_eq!(file.problems, []);
    let group = &file.groups[0];
    assert_eq!((group.name.as_str(), group.limit, group.interval), ("shop", 10, Some(Duration::from_secs(5))));
    let labels = |i: usize| group.rules[i].labels.iter().map(|l| format!("{}={}", l.name, l.text)).collect::<Vec<_>>();
    assert_eq!(labels(0), ["team=data"]);
    assert_eq!(labels(1), ["team=web", "severity=1"]);
    assert_eq!(group.rules.iter().map(|rule| rule.place.line(GOOD)).collect::<Vec<_>>(), [9, 12, 20, 24]);
    let RuleKind::Alerting { hold, keep_firing_for, slice, .. } = &group.rules[1].kind else { panic!() };
    assert_eq!((*hold, *keep_firing_for), (Duration::from_secs(30), Duration::from_secs(60)));
    assert_eq!(slice.as_ref().unwrap().store.as_str(), "shop");
    let RuleKind::Alerting { slice: Some(slice), .. } = &group.rules[2].kind else { panic!() };
    assert_eq!((slice.dimensions.len(), slice.window), (2, Duration::from_secs(600)));
    assert_eq!(slice.noun.as_deref(), Some("slow calls"));
    let Expression::Search { threshold, window, text, .. } = &group.rules[3].expression else { panic!() };
    assert_eq!((threshold.to_string().as_str(), *window, text.as_str()), (">= 3", DEFAULT_WINDOW, "panic"));
}

#[test]
fn a_typo_gives_one_line_with_file_line_and_key() {
    check(
        "groups:\n- name: a\n  rules:\n  - alert: HighErrorRate\n    exrp: up == 0\n    expr: up == 0\n",
        expect![[
            r#"r.yml:5: unknown key "exrp" in rule "HighErrorRate", expected one of record, alert, expr, sql, search, project, window, threshold, for, keep_firing_for, labels, annotations, explain, inspect"#
        ]],
    );
    check(
        "groups:\n- name: a\n  intervall: 5s\n",
        expect![[
            r#"r.yml:3: unknown key "intervall" in group "a", expected one of name, interval, limit, query_offset, labels, rules"#
        ]],
    );
    check("group:\n- name: a\n", expect![[r#"r.yml:1: unknown key "group" in the file, expected one of groups"#]]);
}

#[test]
fn mistakes_are_found_where_they_stand() {
    let rule = |body: &str| problems(&format!("groups:\n- name: a\n  rules:\n{body}"));
    for (body, expected) in [
        ("  - alert: X\n    expr: 'sum('\n", r#"r.yml:5: rule "X": could not parse expression"#),
        (
            "  - alert: X\n    expr: up\n    for: 5 minutes\n",
            r#"r.yml:6: rule "X": key "for": not a duration: "5 minutes""#,
        ),
        ("  - expr: up\n", r#"r.yml:4: rule 0 of group "a": a rule needs "record" or "alert""#),
        ("  - alert: X\n    record: y\n    expr: up\n", "either \"record\" or \"alert\""),
        ("  - alert: X\n", r#"its expression is missing"#),
        ("  - alert: X\n    expr: up\n    sql: SELECT 1\n", "comes more than once"),
        ("  - record: x\n    expr: up\n    for: 1m\n", r#"r.yml:6: rule "x": a recording rule takes no "for""#),
        ("  - record: 'x{a=\"b\"}'\n    expr: up\n", "invalid recording rule name"),
        (
            "  - alert: X\n    expr: up\n    annotations:\n      a: ok\n      b: '{{ humanise 1 }}'\n",
            r#"r.yml:8: rule "X": annotations "b": template line 1: function "humanise" not defined"#,
        ),
        ("  - alert: X\n    expr: up\n    labels: {__name__: x}\n", "invalid label name"),
        ("  - alert: X\n    expr: up\n    threshold: '> 1'\n", r#""threshold" does not go with "expr""#),
        ("  - alert: X\n    search: nothing\n", "STORE | PREDICATE"),
        ("  - alert: X\n    search: a | b\n    threshold: ten\n", "not a comparison"),
        ("  - alert: X\n    expr: up\n    explain: {store: shop}\n", r#"key "where" is missing"#),
        ("  - alert: X\n    expr: up\n    annotations: {culprit_slice: shop}\n", "STORE | PREDICATE"),
        ("  - alert: X\n    expr: [up]\n", r#"key "expr" must be a text"#),
        ("  - up\n", "must be a mapping"),
        ("  - alert: X\n    expr: up\n    expr: up\n", "not valid YAML"),
    ] {
        let found = rule(body);
        assert!(found.contains(expected), "{body}: {found}");
    }
    assert!(problems("groups:\n- name: a\n- name: a\n").contains("r.yml:3: group \"a\" comes twice"));
    assert!(problems("kind: Pod\nspec: {}\n").contains("holds no rules"));
    assert_eq!(problems(""), "");
}

/// Public rule files, read as they are. promtool finds them all right too.
#[test]
fn public_rule_files_load() {
    let Some(shared) = std::env::var_os("CULPRIT_SHARED") else {
        eprintln!("skipped: public_rule_files_load needs CULPRIT_SHARED");
        return;
    };
    let root = Path::new(&shared).join("data/rules");
    let (mut files, mut rules, mut problems) = (0, 0, Vec::new());
    for folder in std::fs::read_dir(&root).unwrap() {
        for entry in std::fs::read_dir(folder.unwrap().path()).unwrap() {
            let path = entry.unwrap().path();
            let file = parse_rule_file(&path.display().to_string(), &std::fs::read_to_string(&path).unwrap());
            files += 1;
            rules += file.groups.iter().map(|group| group.rules.len()).sum::<usize>();
            problems.extend(file.problems);
        }
    }
    assert!(files >= 78 && rules > 500, "{files} files, {rules} rules");
    assert!(problems.is_empty(), "{problems:#?}");
}
