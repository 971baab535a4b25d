//! Items: one dimension with one of its values, and the rows that have it. Items with the same rows are one item with aliases.

use std::collections::HashMap;
use std::fmt;

use crate::bitmap::Bitmap;
use crate::cells::{Key, RowHash};

/// What a dimension is equal to, or within.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Null,
    Text(String),
    Int(i64),
    Float(f64),
    Bool(bool),
    AtLeast(f64),
    Below(f64),
    /// Half-open: the first is inside, the second is not.
    Within(f64, f64),
}

impl Value {
    pub(crate) fn of(key: Key<'_>) -> Self {
        match key {
            Key::Null => Value::Null,
            Key::Text(text) => Value::Text(text.to_owned()),
            Key::Int(value) => Value::Int(value),
            Key::Float(bits) => Value::Float(f64::from_bits(bits)),
            Key::Bool(value) => Value::Bool(value),
        }
    }

    /// Among aliases the one that says most to a person stands for all: a name before a number before an absence.
    fn preference(&self) -> u8 {
        match self {
            Value::Text(_) | Value::Int(_) | Value::Bool(_) => 0,
            Value::Float(_) => 1,
            Value::AtLeast(_) | Value::Below(_) | Value::Within(..) => 2,
            Value::Null => 3,
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Null => f.write_str("NULL"),
            Value::Text(text) => f.write_str(text),
            Value::Int(value) => write!(f, "{value}"),
            Value::Float(value) => write!(f, "{value}"),
            Value::Bool(value) => write!(f, "{value}"),
            Value::AtLeast(edge) => write!(f, ">= {edge}"),
            Value::Below(edge) => write!(f, "< {edge}"),
            Value::Within(from, to) => write!(f, "[{from}, {to})"),
        }
    }
}

/// A dimension's value with its rows in both slices.
#[derive(Debug)]
pub(crate) struct Item {
    /// Index into the searched dimensions, in their order.
    pub(crate) dimension: u32,
    pub(crate) value: Value,
    pub(crate) a: Bitmap,
    pub(crate) b: Bitmap,
    pub(crate) count_a: u64,
    pub(crate) count_b: u64,
    /// Items of other dimensions with exactly the same rows.
    pub(crate) aliases: Vec<(u32, Value)>,
}

impl Item {
    /// An item whose dimension its caller sets.
    pub(crate) fn new(value: Value, a: Bitmap, b: Bitmap) -> Self {
        let (count_a, count_b) = (a.count(), b.count());
        Self { dimension: 0, value, a, b, count_a, count_b, aliases: Vec::new() }
    }
}

/// Makes one item of those with the same rows in A and in B. Without it every functional dependency multiplies the
/// candidates, and the true cause shares its place with its shadows.
pub(crate) fn collapse_aliases(items: Vec<Item>) -> Vec<Item> {
    let mut kept: Vec<Item> = Vec::with_capacity(items.len());
    let mut by_rows: HashMap<u64, Vec<usize>, RowHash> = HashMap::default();
    for item in items {
        let same = by_rows.entry(rows_digest(&item)).or_default();
        match same.iter().find(|index| kept[**index].a == item.a && kept[**index].b == item.b) {
            Some(index) => merge(&mut kept[*index], item),
            None => {
                same.push(kept.len());
                kept.push(item);
            }
        }
    }
    kept
}

fn merge(into: &mut Item, item: Item) {
    if into.dimension == item.dimension {
        return; // two ranges of one column that hold the same rows: the first says it
    }
    if item.value.preference() < into.value.preference() {
        let old = std::mem::replace(&mut into.value, item.value);
        into.aliases.push((std::mem::replace(&mut into.dimension, item.dimension), old));
    } else {
        into.aliases.push((item.dimension, item.value));
    }
}

fn rows_digest(item: &Item) -> u64 {
    use std::hash::Hasher;
    let mut hasher = crate::cells::RowHasher::default();
    item.a.words().iter().chain(item.b.words()).for_each(|word| hasher.write_u64(*word));
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(dimension: u32, value: Value, rows: &[usize]) -> Item {
        let mut a = Bitmap::zeros(100);
        rows.iter().for_each(|row| a.set(*row));
        Item { dimension, ..Item::new(value, a, Bitmap::zeros(10)) }
    }

    #[test]
    fn same_rows_become_one_item_and_names_speak_for_absences() {
        let kept = collapse_aliases(vec![
            item(0, Value::Null, &[1, 70]),
            item(1, Value::Text("eu".into()), &[1, 70]),
            item(2, Value::Int(5), &[1]),
            item(3, Value::Int(7), &[1, 70]),
        ]);
        assert_eq!(kept.len(), 2);
        assert_eq!((kept[0].dimension, kept[0].value.clone()), (1, Value::Text("eu".into())));
        assert_eq!(kept[0].aliases, [(0, Value::Null), (3, Value::Int(7))]);
        assert_eq!(kept[1].value, Value::Int(5));
    }

    #[test]
    fn values_print_without_needless_digits() {
        for (value, text) in [
            (Value::AtLeast(812.0), ">= 812"),
            (Value::Within(0.5, 2.0), "[0.5, 2)"),
            (Value::Null, "NULL"),
            (Value::Float(1.5), "1.5"),
        ] {
            assert_eq!(value.to_string(), text);
        }
    }
}
