use std::sync::Arc;

use arrow::array::{Float64Array, Int64Array, StringArray, UInt64Array};

use super::*;

fn column(name: &str, array: ArrayRef, in_a: impl Fn(u32) -> bool) -> Column {
    let mut column = Column::new(name, Shape::of(array.data_type()));
    let (a, b) = (0..array.len() as u32).partition(|row| in_a(*row));
    column.push(&Cells::of(&array).unwrap().unwrap(), &BatchRows { a, b });
    column
}

fn texts(of: impl Iterator<Item = String>) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(of))
}

/// One text is in every tenth row, all others are unique: more values than the dictionary and the counters hold.
#[test]
fn a_frequent_text_among_countless_ones_keeps_its_name_and_its_rows() {
    let rows = 40 * FREQUENT_TEXTS_MAX / 10;
    let text = |row: usize| if row % 10 == 3 { "culprit".to_owned() } else { format!("id-{row}") };
    let column = column("key", texts((0..rows).map(text)), |row| row % 2 == 1);
    assert!(column.is_wide() && column.texts.len() <= FREQUENT_TEXTS_MAX);
    let digest = payload(&Key::Text("culprit"));
    assert_eq!(column.value(digest), Some(Value::Text("culprit".into())));
    let mut seen = 0;
    column.a.for_each(|_, payload| seen += usize::from(payload == digest));
    assert_eq!(seen, rows / 10);
}

#[test]
fn many_integers_are_amounts_unless_they_are_called_like_an_id() {
    let many: ArrayRef = Arc::new(Int64Array::from_iter_values(0..3_000));
    assert!(column("bytes", many.clone(), |row| row < 9).is_measure());
    let ids = column("customer_id", many, |row| row < 9);
    assert!(!ids.is_measure() && !ids.is_wide());
    let floats = column(
        "ratio",
        Arc::new(Float64Array::from_iter((0..90).map(|row| (row % 9 != 0).then_some(f64::from(row))))),
        |row| row < 9,
    );
    assert!(floats.is_measure());
    assert_eq!(floats.number(floats.payload(&floats.a, 0)), None, "missing");
    assert_eq!(floats.number(floats.payload(&floats.a, 1)), Some(1.0));
    let unsigned = column("size", Arc::new(UInt64Array::from(vec![u64::MAX, 1])), |row| row == 0);
    assert_eq!(unsigned.value(0), Some(Value::Text(u64::MAX.to_string())), "no wrong sign");
}
