mod corpus;

use expect_test::{Expect, expect};

use super::import;
use crate::DashboardError;
use crate::model::{
    AxisPlacement, Dashboard, FieldOptions, Interpolation, LegendMode, Matcher, Panel, Scale, SpanNulls, StackingMode,
    Support, ThresholdsStyle, Transform, VariableKind, View,
};

const ORDERS: &str = include_str!("../../testdata/orders.json");
const OLD_ROWS: &str = include_str!("../../testdata/old_rows.json");

/// The report as a person would read it.
fn outline(dashboard: &Dashboard) -> String {
    let mut lines = vec![format!("{} {:?} missing {:?}", dashboard.uid, dashboard.title, dashboard.missing)];
    lines.extend(dashboard.panels.iter().map(|panel| {
        let g = panel.grid;
        let support = format!("{:?}", panel.support).to_lowercase();
        let place = format!("{},{} {}x{}", g.x, g.y, g.w, g.h);
        format!("{} {} {:?} at {place}: {support} {:?}", panel.id, panel.view.name(), panel.title, panel.missing)
    }));
    lines.join("\n")
}

fn check(body: &str, expected: &Expect) {
    expected.assert_eq(&outline(&import(body).unwrap()));
}

fn panel<'a>(dashboard: &'a Dashboard, title: &str) -> &'a Panel {
    dashboard.panels.iter().find(|panel| panel.title == title).unwrap()
}

#[test]
fn a_board_of_today_is_read_and_its_gaps_are_named() {
    check(
        ORDERS,
        &expect![[r#"
            orders-1 "Orders" missing ["choices of variable \"trace\": datasource type \"loki\"", "variable \"filters\" of type \"adhoc\"", "annotation \"Deploys\""]
            1 row "Traffic" at 0,0 24x1: full []
            2 timeseries "Orders per second" at 0,1 16x8: full []
            3 stat "Errors" at 16,1 8x8: full []
            4 table "By host" at 0,9 12x8: partial ["data links", "transformation \"timeSeriesTable\""]
            5 text "" at 12,9 12x4: full []
            6 row "More" at 0,17 24x1: partial ["repeated for each \"service\""]
            7 heatmap "Latency" at 0,18 12x8: none ["panel type \"heatmap\""]
            8 gauge "Broken" at 12,18 12x8: none ["query A: '(' at 1:4 is never closed"]
            9 bargauge "Half" at 0,26 12x8: partial ["reducer \"mystery\"", "field option \"newThing\"", "override by matcher \"byTheMoon\"", "repeated for each \"service\"", "datasource type \"loki\""]"#]],
    );
}

#[test]
fn a_board_of_rows_is_read() {
    check(
        OLD_ROWS,
        &expect![[r#"
        old-board-with-rows-98d5af58 "Old board, with rows!" missing []
        1 row "Load" at 0,0 24x1: full []
        2 timeseries "Network" at 0,1 12x7: partial ["series override \"fillBelowTo\""]
        3 stat "Uptime" at 12,1 6x7: full []
        4 gauge "Busy" at 18,1 6x7: full []
        5 row "Tables" at 0,8 24x1: full []
        6 table "Hosts" at 0,9 24x6: full []
        7 timeseries "By series" at 0,15 24x6: none ["horizontal axis by series"]"#]],
    );
}

#[test]
fn series_options_and_overrides_arrive() {
    let dashboard = import(ORDERS).unwrap();
    let orders = panel(&dashboard, "Orders per second");
    let field = &orders.field;
    assert_eq!(
        (field.unit.as_deref(), field.decimals, field.min, field.max),
        (Some("reqps"), Some(1), Some(0.0), None)
    );
    assert_eq!((field.fill_opacity, field.line_width), (Some(20.0), Some(2.0)));
    assert_eq!(field.interpolation, Some(Interpolation::StepAfter));
    assert_eq!(field.span_nulls, Some(SpanNulls::UpToMs(60_000.0)));
    assert_eq!(field.scale, Some(Scale { log: 10 }));
    assert_eq!(field.thresholds_style, Some(ThresholdsStyle::LineAndArea));
    let steps: Vec<_> =
        field.thresholds.iter().flat_map(|t| &t.steps).map(|step| (step.value, step.color.as_str())).collect();
    assert_eq!(steps, [(None, "green"), (Some(80.0), "red")]);
    assert_eq!((orders.max_data_points, orders.min_interval.as_deref()), (Some(400), Some("15s")));
    let View::Timeseries(view) = &orders.view else { panic!("{:?}", orders.view) };
    assert_eq!(view.legend.calcs, ["mean", "lastNotNull", "p95"]);
    let [regexp, value] = orders.overrides.as_slice() else { panic!("{:?}", orders.overrides) };
    assert_eq!(regexp.matcher, Matcher::Regexp { pattern: "/out.*/".to_owned() });
    assert_eq!((regexp.field.transform, regexp.field.axis), (Some(Transform::NegativeY), Some(AxisPlacement::Right)));
    assert!(matches!(&value.matcher, Matcher::Value { reducer, .. } if reducer == "allIsZero"));
    assert!(value.field.hide_from.is_some_and(|hide| hide.legend && hide.tooltip && !hide.viz));
    let sources: Vec<_> = orders.targets.iter().map(|t| (t.ref_id.as_str(), t.source.as_deref(), t.hide)).collect();
    assert_eq!(sources, [("A", Some("DS_METRICS"), false), ("B", Some("DS_METRICS"), true)]);
}

#[test]
fn variables_arrive() {
    let dashboard = import(ORDERS).unwrap();
    let names: Vec<_> = dashboard.variables.iter().map(|v| (v.name.as_str(), v.kind)).collect();
    let expected = [
        ("DS_METRICS", VariableKind::Datasource),
        ("VAR_REGION", VariableKind::Constant),
        ("service", VariableKind::Query),
        ("n", VariableKind::Custom),
        ("window", VariableKind::Interval),
        ("trace", VariableKind::Textbox),
    ];
    assert_eq!(names, expected);
    let variable = |name| dashboard.variables.iter().find(|variable| variable.name == name).unwrap();
    let service = variable("service");
    assert_eq!(service.query, "label_values(orders_total{region=\"${VAR_REGION}\"}, service)");
    assert_eq!((service.all_value.as_deref(), service.current.as_slice()), (Some(".+"), &["$__all".to_owned()][..]));
    let choices: Vec<_> = variable("n").options.iter().map(|c| (c.text.as_str(), c.value.as_str())).collect();
    assert_eq!(choices, [("Top five", "5"), ("10", "10"), ("20", "20")]);
    let windows: Vec<_> = variable("window").options.iter().map(|choice| choice.value.as_str()).collect();
    assert_eq!(windows, ["$__auto", "1m", "5m"]);
    let old = import(OLD_ROWS).unwrap();
    assert_eq!(old.variables[0].kind, VariableKind::Datasource, "a board that names none has one to choose the store");
}

#[test]
fn the_old_graph_becomes_a_time_series() {
    let dashboard = import(OLD_ROWS).unwrap();
    let network = panel(&dashboard, "Network");
    let View::Timeseries(view) = &network.view else { panic!("{:?}", network.view) };
    assert_eq!(
        (view.legend.mode, view.legend.calcs.as_slice()),
        (LegendMode::Table, &["mean".to_owned(), "lastNotNull".to_owned()][..])
    );
    let field = &network.field;
    assert_eq!(
        (field.unit.as_deref(), field.axis_label.as_deref(), field.fill_opacity),
        (Some("bps"), Some("in/out"), Some(20.0))
    );
    assert_eq!(field.stacking.as_ref().map(|stacking| stacking.mode), Some(StackingMode::Normal));
    let steps: Vec<_> =
        field.thresholds.iter().flat_map(|t| &t.steps).map(|step| (step.value, step.color.as_str())).collect();
    assert_eq!(steps, [(None, "rgba(1,2,3,0.5)"), (Some(10.0), "transparent"), (Some(100.0), "red")]);
    let of = |name: &str| {
        let named = |matcher: &Matcher| matches!(matcher, Matcher::Name { name: n } | Matcher::Regexp { pattern: n } if n == name);
        network.overrides.iter().find(|one| named(&one.matcher)).map(|one| one.field.clone()).unwrap()
    };
    assert_eq!(of("in eth0").color.and_then(|color| color.fixed).as_deref(), Some("#7EB26D"));
    assert_eq!(of("/out.*/").transform, Some(Transform::NegativeY));
    let share = of("share");
    assert_eq!(
        (share.axis, share.unit.as_deref(), share.max),
        (Some(AxisPlacement::Right), Some("percentunit"), Some(1.0))
    );
    assert_eq!(share.stacking.map(|stacking| stacking.mode), Some(StackingMode::None));
}

#[test]
fn the_old_single_values_become_stat_and_gauge() {
    let dashboard = import(OLD_ROWS).unwrap();
    let View::Stat(stat) = &panel(&dashboard, "Uptime").view else { panic!("no stat") };
    assert_eq!((stat.reduce.calc.as_str(), stat.prefix.as_str()), ("lastNotNull", "up "));
    let FieldOptions { thresholds, mappings, no_value, .. } = &panel(&dashboard, "Uptime").field;
    let bounds: Vec<_> = thresholds.iter().flat_map(|t| &t.steps).map(|step| step.value).collect();
    assert_eq!(bounds, [None, Some(300.0), Some(3600.0)]);
    assert_eq!((mappings.as_ref().map(Vec::len), no_value.as_deref()), (Some(2), Some("?")));
    let View::Gauge(gauge) = &panel(&dashboard, "Busy").view else { panic!("no gauge") };
    assert!(gauge.threshold_labels && gauge.reduce.calc == "mean");
}

#[test]
fn what_is_no_dashboard_is_refused_by_name() {
    for (body, wanted) in [
        ("{\"title\": \"x\",\n  panels: []}", "line 2, column 3"),
        ("[1]", "it is not an object"),
        ("{\"a\": 1}", "neither \"panels\" nor \"rows\""),
        (
            "{\"apiVersion\": \"dashboard.grafana.app/v2beta1\", \"kind\": \"Dashboard\", \"spec\": {\"elements\": {}}}",
            "dashboard.grafana.app/v2beta1",
        ),
        ("{\"elements\": {}, \"layout\": {}, \"title\": \"x\"}", "schema v2"),
    ] {
        let error = import(body).unwrap_err().to_string();
        assert!(error.contains(wanted), "{body}: {error}");
    }
}

#[test]
fn wrappings_are_taken_off() {
    let answer = import("{\"meta\": {}, \"dashboard\": {\"uid\": \"u\", \"title\": \"T\", \"panels\": []}}").unwrap();
    assert_eq!((answer.uid.as_str(), answer.title.as_str()), ("u", "T"));
    let resource = "{\"apiVersion\": \"dashboard.grafana.app/v1beta1\", \"metadata\": {\"name\": \"n\"}, \"spec\": {\"panels\": []}}";
    assert_eq!(import(resource).unwrap().uid, "n");
}

#[test]
fn uids_fit_into_an_address_and_stay_apart() {
    let uid =
        |uid: &str| import(&format!("{{\"uid\": {uid:?}, \"title\": \"Größe & Last\", \"panels\": []}}")).unwrap().uid;
    assert_eq!(uid("a_B-9"), "a_B-9");
    for odd in ["", "a/b", "../x", "ä", &"x".repeat(200)] {
        let made = uid(odd);
        assert!(made.len() <= 128 && made.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_'), "{made}");
    }
    assert_ne!(uid("a/b"), uid("a.b"));
}

#[test]
fn bounds_are_kept() {
    let panels = vec!["{}"; crate::limits::PANELS_MAX + 1].join(",");
    let error = import(&format!("{{\"panels\": [{panels}]}}")).unwrap_err();
    assert!(matches!(error, DashboardError::TooMany { thing: "panels", found: 2001, .. }), "{error}");
    let error = import(&" ".repeat(crate::limits::BODY_BYTES_MAX + 1)).unwrap_err();
    assert!(matches!(error, DashboardError::TooMany { thing: "bytes", .. }), "{error}");
}

#[test]
fn the_model_survives_its_own_json() {
    for body in [ORDERS, OLD_ROWS] {
        let dashboard = import(body).unwrap();
        let json = serde_json::to_string(&dashboard).unwrap();
        assert_eq!(serde_json::from_str::<Dashboard>(&json).unwrap(), dashboard);
    }
}

mod hostile {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::super::import;

    /// Values of every type wherever a file may hold one, under names that the importer reads.
    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            "[a-z$\\[{(\"/ ]{0,6}".prop_map(Value::from),
        ];
        let name = prop::sample::select(vec![
            "type",
            "gridPos",
            "x",
            "y",
            "w",
            "h",
            "targets",
            "expr",
            "options",
            "fieldConfig",
            "defaults",
            "overrides",
            "custom",
            "unit",
            "panels",
            "thresholds",
            "steps",
            "mappings",
            "styles",
            "yaxes",
            "span",
            "height",
            "legend",
            "seriesOverrides",
            "alias",
            "transformations",
            "id",
            "datasource",
            "uid",
            "matcher",
            "properties",
            "value",
        ]);
        leaf.prop_recursive(5, 64, 6, move |inner| {
            let members = prop::collection::vec((name.clone(), inner.clone()), 0..6);
            prop_oneof![
                prop::collection::vec(inner, 0..4).prop_map(Value::from),
                members.prop_map(|all| all.into_iter().map(|(k, v)| (k.to_owned(), v)).collect::<Value>()),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]
        #[test]
        fn no_file_makes_the_importer_panic(
            panels in prop::collection::vec(value(), 0..5),
            kind in prop::sample::select(vec!["timeseries", "graph", "stat", "singlestat", "table", "text", "row", "gauge", "x"]),
            rows in any::<bool>(),
        ) {
            let typed: Vec<Value> = panels
                .into_iter()
                .map(|mut panel| {
                    if let Some(members) = panel.as_object_mut() {
                        members.insert("type".to_owned(), kind.into());
                    }
                    panel
                })
                .collect();
            let body = if rows { json!({"rows": [{"panels": typed}]}) } else { json!({"panels": typed}) };
            let dashboard = import(&body.to_string()).unwrap();
            for panel in dashboard.panels {
                prop_assert!(panel.grid.x + panel.grid.w <= 24 && panel.grid.w > 0 && panel.grid.h > 0);
            }
        }
    }
}

#[test]
fn support_orders_what_is_missing() {
    let dashboard = import(ORDERS).unwrap();
    for panel in &dashboard.panels {
        assert_eq!(panel.support == Support::Full, panel.missing.is_empty(), "{}", panel.title);
    }
}
