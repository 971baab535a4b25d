//! One column through all batches, and what its values say that it is.

use std::collections::HashSet;

use arrow::array::ArrayRef;

use crate::cells::{Cells, Key, RowHash, Shape};
use crate::input::{Input, Slice, Slices};
use crate::limits::{FLOAT_CATEGORIES_MAX, INTEGER_CATEGORIES_MAX};
use crate::{RcaError, names};

/// A column with the slices that its rows belong to.
#[derive(Debug)]
pub(crate) struct Column<'a> {
    pub(crate) name: &'a str,
    pub(crate) cells: Vec<Cells<'a>>,
    pub(crate) slices: &'a Slices,
    pub(crate) shape: Shape,
}

impl<'a> Column<'a> {
    pub(crate) fn open(
        input: &'a Input,
        slices: &'a Slices,
        index: usize,
        shape: Shape,
    ) -> Result<Option<Self>, RcaError> {
        let name = input.batches[0].schema_ref().field(index).name();
        let open =
            |array: &'a ArrayRef| Cells::of(array).map_err(|source| RcaError::Column { column: name.clone(), source });
        let cells: Option<Vec<Cells>> = input
            .batches
            .iter()
            .map(|batch| open(batch.column(index)).transpose())
            .map(Option::transpose)
            .collect::<Result<_, _>>()?;
        Ok(cells.map(|cells| Self { name, cells, slices, shape }))
    }

    /// Calls `visit` with each cell of a slice, up to `limit` rows spread evenly over the slice.
    pub(crate) fn sample(&self, slice: &Slice, limit: usize, mut visit: impl FnMut(&Cells<'a>, usize)) {
        let stride = slice.len.div_ceil(limit).max(1);
        let mut skip = 0;
        for (cells, rows) in self.cells.iter().zip(&slice.rows) {
            rows.iter().skip(skip).step_by(stride).for_each(|row| visit(cells, *row as usize));
            skip = (skip + stride - rows.len() % stride) % stride;
        }
    }

    /// True when the column holds points in time under a name that says so.
    pub(crate) fn is_time(&self) -> bool {
        let mut times = 0usize;
        let mut seen = 0usize;
        self.sample(&self.slices.a, 100, |cells, row| {
            let key = cells.key(row);
            seen += usize::from(key != Key::Null);
            times += usize::from(names::looks_like_time(&key));
        });
        names::is_time(self.name) && seen > 0 && times == seen
    }

    /// True for a numeric column whose values are amounts rather than names: too many to be names, and not called like an id.
    pub(crate) fn is_measure(&self) -> bool {
        let names_max = match self.shape {
            Shape::Int if names::is_identifier(self.name) => return false,
            Shape::Int => INTEGER_CATEGORIES_MAX,
            Shape::Float => FLOAT_CATEGORIES_MAX,
            _ => return false,
        };
        let mut distinct: HashSet<Key, RowHash> = HashSet::default();
        for slice in [&self.slices.a, &self.slices.b] {
            for (cells, rows) in self.cells.iter().zip(&slice.rows) {
                for row in rows {
                    distinct.insert(cells.key(*row as usize));
                    if distinct.len() > names_max {
                        return true;
                    }
                }
            }
        }
        false
    }
}
