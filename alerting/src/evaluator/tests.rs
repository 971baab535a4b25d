//! Rules in SQL and in search words, and incidents read back, on a real store.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray, TimestampNanosecondArray};
use culprit_store::{Route, StorageConfig, StoreKind, StoreSpec, TIME};
use expect_test::{Expect, expect};

use super::*;
use crate::dispatch::{INCIDENT_STORE, read_back};
use crate::incident::Incident;
use crate::rules::parse_rule_file;

const NOW: UnixNanos = UnixNanos(1_700_000_000_000_000_000);

struct House {
    storage: Storage,
    evaluator: Evaluator,
    _folder: tempfile::TempDir,
}

async fn house() -> House {
    let folder = tempfile::tempdir().unwrap();
    let storage = Storage::open(StorageConfig::new(folder.path())).await.unwrap();
    let metrics = MetricSource::Store { storage: storage.clone(), store: StoreName::parse("metrics").unwrap() };
    let evaluator = Evaluator::new(Engine::default(), metrics, Some(SqlEngine::new(storage.clone()).unwrap()));
    House { storage, evaluator, _folder: folder }
}

async fn append(
    house: &House,
    project: &ProjectName,
    store: &str,
    seconds_ago: &[i64],
    columns: Vec<(&str, ArrayRef)>,
) {
    let name = StoreName::parse(store).unwrap();
    let store = house.storage.create_store(project, &name, StoreSpec::new(StoreKind::Logs)).await.unwrap();
    let times = seconds_ago.iter().map(|ago| NOW.0 - ago * 1_000_000_000);
    let times: ArrayRef = Arc::new(TimestampNanosecondArray::from_iter_values(times).with_timezone("UTC"));
    let all = [(TIME, times)].into_iter().chain(columns);
    let batch = RecordBatch::try_from_iter(all).unwrap();
    house.storage.append(&store, batch, &Route::Any).await.unwrap();
}

/// Seven rows of a shop; the last is older than five minutes.
async fn shop(house: &House) {
    let text = |values: &[&str]| Arc::new(StringArray::from(values.to_vec())) as ArrayRef;
    let columns = vec![
        ("service", text(&["cart", "cart", "cart", "pay", "pay", "web", "web"])),
        ("status", Arc::new(Int64Array::from(vec![500, 503, 200, 500, 200, 200, 500])) as ArrayRef),
        ("_msg", text(&["timeout", "panic: x", "ok", "timeout", "ok", "ok", "timeout"])),
    ];
    append(house, &ProjectName::default_project(), "shop", &[10, 20, 30, 40, 50, 60, 600], columns).await;
}

async fn check(house: &House, rule: &str, expected: Expect) {
    let file = parse_rule_file("r.yml", &format!("groups:\n- name: g\n  rules:\n  - alert: X\n{rule}"));
    assert_eq!(file.problems, []);
    let expression = &file.groups[0].rules[0].expression;
    let shown = match house.evaluator.evaluate(expression, NOW).await {
        Ok(mut measured) => {
            measured.sort_by(|a, b| a.labels.cmp(&b.labels));
            measured.iter().map(|m| format!("{} {}", m.labels, m.value)).collect::<Vec<_>>().join("\n")
        }
        Err(error) => format!("error: {error}"),
    };
    expected.assert_eq(&shown);
}

#[tokio::test]
async fn sql_and_search_count_the_rows_of_their_window() {
    let house = house().await;
    shop(&house).await;
    check(
        &house,
        "    sql: SELECT service, count(*) AS errors FROM shop WHERE status >= 500 GROUP BY service\n",
        expect![[r#"
            {service="cart"} 2
            {service="pay"} 1"#]],
    )
    .await;
    check(
        &house,
        "    sql: SELECT service, status, 0.5 AS value FROM shop WHERE service = 'web'\n    window: 1h\n",
        expect![[r#"
            {service="web", status="200"} 0.5
            {service="web", status="500"} 0.5"#]],
    )
    .await;
    check(&house, "    search: shop | timeout\n", expect!["{} 2"]).await;
    check(&house, "    search: shop | timeout\n    window: 1h\n", expect!["{} 3"]).await;
    check(&house, "    search: shop | timeout\n    threshold: '> 2'\n", expect![""]).await;
    check(&house, "    search: shop | status>=500 service:cart\n", expect!["{} 2"]).await;
    check(&house, "    search: shop | nothing\n    threshold: '< 1'\n", expect!["{} 0"]).await;
    check(&house, "    expr: vector(3)\n", expect!["{} 3"]).await;
    check(&house, "    sql: SELECT service FROM shop\n", expect![[r#"error: the query returns no number: name one column "value", or return exactly one numeric column (columns: service)"#]]).await;
}

#[tokio::test]
async fn rules_over_what_is_not_there_say_so() {
    let house = house().await;
    for (rule, why) in [
        ("    sql: SELECT count(*) AS value FROM nowhere\n", "nowhere"),
        ("    search: nowhere | x\n", "nowhere"),
        ("    sql: DROP TABLE shop\n", "SELECT"),
    ] {
        let file = parse_rule_file("r.yml", &format!("groups:\n- name: g\n  rules:\n  - alert: X\n{rule}"));
        let result = house.evaluator.evaluate(&file.groups[0].rules[0].expression, NOW).await;
        let error = result.unwrap_err().to_string();
        assert!(error.contains(why), "{rule}: {error}");
    }
    let file = parse_rule_file("r.yml", "groups:\n- name: g\n  rules:\n  - {alert: X, search: 'shop | \"open'}\n");
    assert!(file.problems[0].why.contains("never closed"), "{:?}", file.problems);
}

fn incident(id: &str, revision: u64, fired_at: i64) -> Incident {
    let document = serde_json::json!({
        "id": id, "revision": revision, "key": id, "rule_id": "r", "rule": "High", "group": "g", "expression": "x",
        "console_path": "/ui/", "group_labels": {}, "alerts": [], "causes": [], "fired_at": fired_at,
        "resolved_at": null, "deliveries": [], "told": {},
    });
    serde_json::from_value(document).unwrap()
}

#[tokio::test]
async fn the_newest_revision_of_each_incident_is_read_back() {
    let house = house().await;
    let all = [incident("b", 1, 5), incident("a", 10, 7), incident("a", 9, 7), incident("b", 2, 5)];
    let rows: Vec<serde_json::Value> = all.iter().map(|incident| incident.to_row(NOW).unwrap()).collect();
    let text = |key: &str| Arc::new(rows.iter().map(|row| row[key].as_str()).collect::<StringArray>()) as ArrayRef;
    let revisions: ArrayRef = Arc::new(rows.iter().map(|row| row["revision"].as_i64()).collect::<Int64Array>());
    let columns = vec![("id", text("id")), ("revision", revisions), ("document", text("document"))];
    append(&house, &ProjectName::system(), INCIDENT_STORE, &[40, 30, 20, 10], columns).await;
    let read = read_back(&house.evaluator, NOW).await.unwrap();
    let shown: Vec<_> = read.iter().map(|incident| (incident.id.as_str(), incident.revision)).collect();
    assert_eq!(shown, [("b", 2), ("a", 10)]);
}
