//! One column through all rows of both slices, as codes, and what its values say that it is.
//!
//! A cell becomes a payload, 64 bits that are equal where the cells are equal: an integer or a float itself, the digest of
//! a text. As long as there are few values they have a dictionary, and a row keeps a code of one or two bytes; after that
//! rows keep the payloads. Of the texts of such a column those are remembered that are frequent in A (Misra and Gries
//! 1982), since no others can be named: ten million values take no more room than eight bytes per row.

use std::collections::HashMap;

use arrow::array::{Array, ArrayRef};

use crate::cells::{Cells, Shape};
use crate::codes::Codes;
use crate::items::Value;
use crate::key::{Key, RowHash};
use crate::limits::{DICTIONARY_MAX, FLOAT_CATEGORIES_MAX, FREQUENT_TEXTS_MAX, INTEGER_CATEGORIES_MAX};
use crate::names;

/// The payload of a missing value: the bits of negative zero, which [`Key::float`] does not give, and of the smallest
/// integer, which is taken for missing.
pub(crate) const NULL: u64 = 1 << 63;

#[derive(Debug)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) shape: Shape,
    pub(crate) a: Codes,
    pub(crate) b: Codes,
    /// By code; a wide column keeps those from before it became wide, as examples.
    values: Vec<Value>,
    payloads: Vec<u64>,
    codes: HashMap<u64, u16, RowHash>,
    /// Of a wide column of texts those that may be frequent in A, by digest, with their counters.
    texts: HashMap<u64, (Box<str>, u64), RowHash>,
    /// The dictionary of the last batch and the codes of its values: batches of one file share it.
    last_dictionary: Option<(ArrayRef, Vec<u16>)>,
}

/// Rows of one batch, per slice.
pub(crate) struct BatchRows {
    pub(crate) a: Vec<u32>,
    pub(crate) b: Vec<u32>,
}

/// No code: there are at most [`DICTIONARY_MAX`].
const UNKNOWN: u16 = u16::MAX;

/// The dictionary has no room for another value.
struct Full;

impl Column {
    pub(crate) fn new(name: &str, shape: Shape) -> Self {
        Self {
            name: name.to_owned(),
            shape,
            a: Codes::new(),
            b: Codes::new(),
            values: Vec::new(),
            payloads: Vec::new(),
            codes: HashMap::default(),
            texts: HashMap::default(),
            last_dictionary: None,
        }
    }

    /// Values beyond which the column has no dictionary any more.
    fn dictionary_max(&self) -> usize {
        match self.shape {
            Shape::Int | Shape::Unsigned if !names::is_identifier(&self.name) => INTEGER_CATEGORIES_MAX,
            Shape::Float => FLOAT_CATEGORIES_MAX,
            _ => DICTIONARY_MAX,
        }
    }

    pub(crate) fn is_wide(&self) -> bool {
        matches!(self.a, Codes::Wide(_))
    }

    /// True for a numeric column whose values are amounts rather than names: too many to be names, and not called like an id.
    pub(crate) fn is_measure(&self) -> bool {
        let numeric = matches!(self.shape, Shape::Int | Shape::Unsigned | Shape::Float);
        numeric && self.is_wide() && (self.shape == Shape::Float || !names::is_identifier(&self.name))
    }

    /// Adds the rows of a batch.
    pub(crate) fn push(&mut self, cells: &Cells<'_>, rows: &BatchRows) {
        if !self.is_wide() {
            match self.encode(cells, &rows.a).and_then(|a| Ok((a, self.encode(cells, &rows.b)?))) {
                Ok((a, b)) => {
                    self.a.extend(self.values.len(), a.into_iter());
                    self.b.extend(self.values.len(), b.into_iter());
                    return;
                }
                Err(Full) => self.widen(),
            }
        }
        if self.shape == Shape::Text {
            rows.a.iter().for_each(|row| self.remember(cells.key(*row as usize)));
        }
        self.a.extend_wide(rows.a.iter().map(|row| cells.payload(*row as usize)));
        self.b.extend_wide(rows.b.iter().map(|row| cells.payload(*row as usize)));
    }

    fn encode(&mut self, cells: &Cells<'_>, rows: &[u32]) -> Result<Vec<u16>, Full> {
        let Cells::Coded { keys, array, values } = cells else {
            let mut last = None;
            let code = |row: &u32| {
                let key = cells.key(*row as usize);
                match last {
                    Some((same, code)) if same == key => Ok(code),
                    _ => {
                        let code = self.intern(key)?;
                        last = Some((key, code));
                        Ok(code)
                    }
                }
            };
            return rows.iter().map(code).collect();
        };
        let mut known = match self.last_dictionary.take() {
            Some((last, known)) if last.to_data().ptr_eq(&array.to_data()) => known,
            _ => vec![UNKNOWN; values.len()],
        };
        let nulls = keys.nulls();
        let keys = keys.values();
        // Once per row and column: a loop, whose room is known, is twice as fast as collecting results.
        let mut codes = Vec::with_capacity(rows.len());
        for row in rows {
            let row = *row as usize;
            if nulls.is_some_and(|nulls| nulls.is_null(row)) {
                codes.push(self.intern(Key::Null)?);
                continue;
            }
            let known = &mut known[keys[row] as usize];
            if *known == UNKNOWN {
                *known = self.intern(values.key(keys[row] as usize))?;
            }
            codes.push(*known);
        }
        self.last_dictionary = Some(((*array).clone(), known));
        Ok(codes)
    }

    fn intern(&mut self, key: Key<'_>) -> Result<u16, Full> {
        let payload = payload(&key);
        if let Some(code) = self.codes.get(&payload) {
            return Ok(*code);
        }
        let shape = self.shape;
        self.intern_value(payload, || shape.value(key))
    }

    fn intern_value(&mut self, payload: u64, value: impl FnOnce() -> Value) -> Result<u16, Full> {
        let next = self.values.len();
        if next >= self.dictionary_max() {
            return Err(Full);
        }
        let value = value();
        self.values.push(value);
        self.payloads.push(payload);
        self.codes.insert(payload, next as u16);
        Ok(next as u16)
    }

    /// From codes to payloads.
    pub(crate) fn widen(&mut self) {
        if self.is_wide() {
            return;
        }
        let mut counts = vec![0u64; self.values.len()];
        self.a.for_each(|_, code| counts[code as usize] += 1);
        for ((value, payload), count) in self.values.iter().zip(&self.payloads).zip(counts) {
            if let (Value::Text(text), 1..) = (value, count) {
                self.texts.insert(*payload, (text.as_str().into(), count));
            }
        }
        self.a.widen(|code| self.payloads[code as usize]);
        self.b.widen(|code| self.payloads[code as usize]);
        (self.codes, self.last_dictionary) = (HashMap::default(), None);
    }

    /// Counts a text of A. When there is no room, all counters go down instead, so that a text in more than one of
    /// [`FREQUENT_TEXTS_MAX`] rows always stays.
    fn remember(&mut self, key: Key<'_>) {
        let Key::Text(text) = key else { return };
        let digest = payload(&key);
        if let Some((_, count)) = self.texts.get_mut(&digest) {
            *count += 1;
        } else if self.texts.len() < FREQUENT_TEXTS_MAX {
            self.texts.insert(digest, (text.into(), 1));
        } else {
            self.texts.retain(|_, (_, count)| {
                *count -= 1;
                *count > 0
            });
        }
    }

    /// Equal for equal cells.
    pub(crate) fn payload(&self, codes: &Codes, row: usize) -> u64 {
        let code = codes.get(row);
        if self.is_wide() { code } else { self.payloads[code as usize] }
    }

    /// None for nulls and for what is not a number.
    pub(crate) fn number(&self, payload: u64) -> Option<f64> {
        match self.shape {
            _ if payload == NULL => None,
            Shape::Int => Some(payload.cast_signed() as f64),
            Shape::Unsigned => Some(payload as f64),
            Shape::Float => Some(f64::from_bits(payload)),
            _ => None,
        }
    }

    /// Different codes of a dictionary; none without one.
    pub(crate) fn dictionary_len(&self) -> Option<usize> {
        (!self.is_wide()).then_some(self.values.len())
    }

    /// The value of a code, or of a wide column's payload; None for a text that is not frequent in A.
    pub(crate) fn value(&self, code: u64) -> Option<Value> {
        if !self.is_wide() {
            return self.values.get(code as usize).cloned();
        }
        Some(match self.shape {
            _ if code == NULL => Value::Null,
            Shape::Int => Value::Int(code.cast_signed()),
            Shape::Float => Value::Float(f64::from_bits(code)),
            Shape::Unsigned => Value::Text(code.to_string()),
            _ => Value::Text(self.texts.get(&code)?.0.to_string()),
        })
    }

    /// Payloads of up to `limit` rows of a slice, spread evenly over it.
    pub(crate) fn sample<'c>(&'c self, codes: &'c Codes, limit: usize) -> impl Iterator<Item = u64> + 'c {
        let stride = codes.len().div_ceil(limit).max(1);
        (0..codes.len()).step_by(stride).map(|row| self.payload(codes, row))
    }

    /// True when the column holds points in time under a name that says so.
    pub(crate) fn is_time(&self) -> bool {
        const EXAMPLES: usize = 100;
        let numbers = self.is_wide() && self.shape != Shape::Text;
        let examples: Vec<Value> = if numbers {
            self.sample(&self.a, EXAMPLES).filter_map(|payload| self.value(payload)).collect()
        } else {
            self.values.iter().take(EXAMPLES).cloned().collect()
        };
        let keys = examples.iter().filter_map(Value::key);
        let mut present = keys.filter(|key| *key != Key::Null).peekable();
        names::is_time(&self.name) && present.peek().is_some() && present.all(|key| names::looks_like_time(&key))
    }
}

/// 64 bits that are equal for equal keys of one column.
pub(crate) fn payload(key: &Key<'_>) -> u64 {
    match key {
        Key::Null => NULL,
        Key::Int(value) => value.cast_unsigned(),
        Key::Float(bits) => *bits,
        Key::Bool(value) => u64::from(*value),
        Key::Text(_) => key.digest(),
    }
}

#[cfg(test)]
mod tests;
