use std::fmt::Write;

use arrow::array::AsArray;
use arrow::compute::concat_batches;
use arrow::datatypes::{DataType, Int64Type};
use arrow::util::pretty::pretty_format_batches;
use futures::TryStreamExt;

use super::*;
use crate::FileSql;

fn written(folder: &tempfile::TempDir, name: &str, text: &str) -> String {
    let path = folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    path.display().to_string()
}

async fn all(table: &Table, reading: &Reading) -> Result<RecordBatch, QueryError> {
    let batches: Vec<RecordBatch> = table.read(reading).await?.try_collect().await?;
    Ok(concat_batches(&batches[0].schema(), &batches).unwrap())
}

fn reading(columns: &[&str], computed: &[(&str, &str)], condition: Option<&str>) -> Reading {
    Reading {
        columns: columns.iter().map(|name| (*name).to_owned()).collect(),
        computed: computed.iter().map(|(name, sql)| ((*name).to_owned(), (*sql).to_owned())).collect(),
        condition: condition.map(str::to_owned),
    }
}

/// SQL is the oracle.
#[tokio::test]
async fn what_is_read_is_what_sql_selects() {
    let folder = tempfile::tempdir().unwrap();
    let mut text = "host,ms,userId,note\n".to_owned();
    for row in 0..500 {
        writeln!(text, "h{},{},{},{}", row % 7, row % 50, row, if row % 3 == 0 { "" } else { "n" }).unwrap();
    }
    let path = written(&folder, "rows.csv", &text);
    let files = FileSql::new();
    let table = files.table(std::slice::from_ref(&path)).await.unwrap();
    for (columns, computed, condition) in [
        (&["userId", "host"][..], &[("slow", "COALESCE(ms > 40, false)")][..], None),
        (&["note"], &[], Some("ms % 2 = 0 AND note IS NOT NULL")),
        (&[], &[("one", "1"), ("it", "lower(files.host)")], Some("\"userId\" BETWEEN 5 AND 400")),
        (
            &["ms"],
            &[("when", "CASE WHEN ms < 5 THEN true WHEN host = 'h1' THEN false END")],
            Some("now() > TIMESTAMP '2020-01-01'"),
        ),
    ] {
        let own = all(&table, &reading(columns, computed, condition)).await.unwrap();
        let computed = computed.iter().map(|(name, sql)| format!("{sql} AS \"{name}\""));
        let selected: Vec<String> = columns.iter().map(|name| format!("\"{name}\"")).chain(computed).collect();
        let condition = condition.unwrap_or("true");
        let sql = format!("SELECT {} FROM \"{path}\" AS files WHERE {condition}", selected.join(", "));
        let expected = files.query(&sql).await.unwrap();
        let printed = |batches: &[RecordBatch]| pretty_format_batches(batches).unwrap().to_string();
        assert_eq!(printed(&[own]), printed(&expected), "{sql}");
    }
}

#[tokio::test]
async fn files_with_other_columns_are_one_table() {
    let folder = tempfile::tempdir().unwrap();
    let paths = [
        written(&folder, "a.csv", "host,status,empty\nh1,200,\nh2,500,\n"),
        written(&folder, "b.csv", "status,host,zone,empty\n503,h3,z1,7\n"),
        written(&folder, "c.ndjson", "{\"status\":\"bad\"}\n"),
    ];
    let table = FileSql::new().table(&paths).await.unwrap();
    let types: Vec<_> =
        table.schema().fields().iter().map(|field| (field.name().as_str(), field.data_type())).collect();
    let expected = [
        ("host", &DataType::Utf8),
        ("status", &DataType::Utf8),
        ("empty", &DataType::Int64),
        ("zone", &DataType::Utf8),
    ];
    assert_eq!(types, expected);
    let rows = all(&table, &reading(&["host", "status", "zone"], &[], Some("status <> '200'"))).await.unwrap();
    let text = |column: usize| {
        let mut texts: Vec<Option<String>> =
            rows.column(column).as_string::<i32>().iter().map(|text| text.map(str::to_owned)).collect();
        texts.sort();
        texts
    };
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(text(0), [None, some("h2"), some("h3")]);
    assert_eq!(text(1), [some("500"), some("503"), some("bad")]);
    assert_eq!(text(2), [None, None, some("z1")]);
}

#[tokio::test]
async fn a_column_that_is_not_there_is_named_with_those_that_are() {
    let folder = tempfile::tempdir().unwrap();
    let path = written(&folder, "rows.csv", "host,status\nh1,200\n");
    let table = FileSql::new().table(&[path]).await.unwrap();
    let error = match table.read(&reading(&["host"], &[], Some("stats >= 500"))).await {
        Ok(_) => panic!("a column that is not there is read"),
        Err(error) => error.to_string(),
    };
    assert_eq!(error, "there is no column \"stats\"; there are: host, status");
}

#[tokio::test]
async fn ten_thousand_columns_are_read_in_small_batches() {
    let folder = tempfile::tempdir().unwrap();
    let names: Vec<String> = (0..10_000).map(|column| format!("c{column}")).collect();
    let mut text = names.join(",");
    for row in 0..600i64 {
        text.push('\n');
        text.extend((0..10_000).map(|column| if column == 0 { row.to_string() } else { ",1".to_owned() }));
    }
    let path = written(&folder, "wide.csv", &text);
    let table = FileSql::new().table(&[path]).await.unwrap();
    let wanted =
        Reading { columns: names, computed: vec![("odd".to_owned(), "c0 % 2 = 1".to_owned())], condition: None };
    let batches: Vec<RecordBatch> = table.read(&wanted).await.unwrap().try_collect().await.unwrap();
    assert!(batches.iter().all(|batch| batch.num_columns() == 10_001 && batch.num_rows() < 500));
    let sum: i64 = batches.iter().flat_map(|batch| batch.column(0).as_primitive::<Int64Type>().values().to_vec()).sum();
    assert_eq!(sum, 599 * 600 / 2);
}
