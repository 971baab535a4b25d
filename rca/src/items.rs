//! Items: one dimension with one of its values, and the rows that have it. Items with the same rows are one item with aliases.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, OnceLock};

use crate::bitmap::Bitmap;
use crate::codes::Codes;
use crate::column::Column;
use crate::key::{Key, RowHash, RowHasher};
use crate::ranges::is_within;

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

    /// What a cell with this value holds; none for a range of values.
    pub(crate) fn key(&self) -> Option<Key<'_>> {
        match self {
            Value::Null => Some(Key::Null),
            Value::Text(text) => Some(Key::Text(text)),
            Value::Int(value) => Some(Key::Int(*value)),
            Value::Float(value) => Some(Key::float(*value)),
            Value::Bool(value) => Some(Key::Bool(*value)),
            Value::AtLeast(_) | Value::Below(_) | Value::Within(..) => None,
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

/// Where an item's rows of B come from, should they be asked for.
#[derive(Debug)]
pub(crate) enum Source<'r> {
    Code(&'r Codes, u64),
    /// From the first number to before the second.
    Within(&'r Column, f64, f64),
    /// No number.
    Missing(&'r Column),
    /// The sample is all of B.
    Sample,
}

/// A dimension's value with its rows in both slices.
#[derive(Debug)]
pub(crate) struct Item<'r> {
    /// Index into the searched dimensions, in their order.
    pub(crate) dimension: u32,
    pub(crate) value: Value,
    pub(crate) a: Bitmap,
    /// Rows of the sample of B.
    pub(crate) sample: Bitmap,
    source: Source<'r>,
    b: OnceLock<Bitmap>,
}

impl<'r> Item<'r> {
    pub(crate) fn new(dimension: u32, value: Value, a: Bitmap, sample: Bitmap, source: Source<'r>) -> Self {
        Self { dimension, value, a, sample, source, b: OnceLock::new() }
    }

    /// The code that its rows of B have, where a column of B tells it.
    pub(crate) fn code(&self) -> Option<(&'r Codes, u64)> {
        match self.source {
            Source::Code(codes, code) => Some((codes, code)),
            Source::Within(..) | Source::Missing(_) | Source::Sample => None,
        }
    }

    /// All rows of B; most items never need them.
    pub(crate) fn b(&self) -> &Bitmap {
        match &self.source {
            Source::Sample => &self.sample,
            Source::Code(codes, code) => self.b.get_or_init(|| Bitmap::of_words(codes.select(*code))),
            Source::Within(column, from, to) => {
                self.b.get_or_init(|| of_numbers(column, |number| is_within(number, *from, *to)))
            }
            Source::Missing(column) => {
                self.b.get_or_init(|| of_numbers(column, |number| number.is_none_or(f64::is_nan)))
            }
        }
    }
}

fn of_numbers(column: &Column, wanted: impl Fn(Option<f64>) -> bool) -> Bitmap {
    let mut rows = Bitmap::zeros(column.b.len());
    for row in 0..column.b.len() {
        if wanted(column.number(column.payload(&column.b, row))) {
            rows.set(row);
        }
    }
    rows
}

/// Dimension and value of an item that is another one's alias.
pub(crate) type Name = (u32, Value);

/// Items by index. Those with the same rows in A and in B as an earlier one are its aliases: without it every functional
/// dependency multiplies the candidates, and the true cause shares its place with its shadows.
#[derive(Debug, Default)]
pub(crate) struct ItemList<'r> {
    pub(crate) items: Vec<Arc<Item<'r>>>,
    aliases: Vec<Vec<Name>>,
    by_rows: HashMap<u64, Vec<usize>, RowHash>,
}

impl<'r> ItemList<'r> {
    pub(crate) fn add(&mut self, item: Item<'r>) {
        let Self { items, aliases, by_rows } = self;
        let same = by_rows.entry(rows_digest(&item)).or_default();
        let is_alias = |other: &Item<'r>| other.a == item.a && other.sample == item.sample && other.b() == item.b();
        match same.iter().find(|index| is_alias(&items[**index])) {
            // Two ranges of one column that hold the same rows: the first says it.
            Some(index) if items[*index].dimension == item.dimension => {}
            Some(index) => aliases[*index].push((item.dimension, item.value)),
            None => {
                same.push(items.len());
                items.push(Arc::new(item));
                aliases.push(Vec::new());
            }
        }
    }

    /// The names of an item; the first says most to a person.
    pub(crate) fn names(&self, index: usize) -> Vec<Name> {
        let item = &self.items[index];
        let mut names = vec![(item.dimension, item.value.clone())];
        names.extend(self.aliases[index].iter().cloned());
        names.sort_by_key(|(_, value)| value.preference());
        names
    }
}

fn rows_digest(item: &Item<'_>) -> u64 {
    use std::hash::Hasher;
    let mut hasher = RowHasher::default();
    item.a.words().iter().chain(item.sample.words()).for_each(|word| hasher.write_u64(*word));
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(dimension: u32, value: Value, rows: &[usize]) -> Item<'static> {
        let mut a = Bitmap::zeros(100);
        rows.iter().for_each(|row| a.set(*row));
        Item::new(dimension, value, a, Bitmap::zeros(10), Source::Sample)
    }

    #[test]
    fn same_rows_become_one_item_and_names_speak_for_absences() {
        let mut list = ItemList::default();
        list.add(item(0, Value::Null, &[1, 70]));
        list.add(item(1, Value::Text("eu".into()), &[1, 70]));
        list.add(item(2, Value::Int(5), &[1]));
        list.add(item(3, Value::Int(7), &[1, 70]));
        let kept = &list.items;
        assert_eq!(kept.len(), 2);
        assert_eq!(list.names(0), [(1, Value::Text("eu".into())), (3, Value::Int(7)), (0, Value::Null)]);
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
