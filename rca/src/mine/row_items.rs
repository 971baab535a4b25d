//! Which items each row of A has: what makes counting the extensions of a prefix a walk over its rows.

use crate::population::Population;

/// The items of each row of A, as ranks, ascending.
pub(super) struct RowItems {
    starts: Vec<u32>,
    ranks: Vec<u16>,
}

impl RowItems {
    pub(super) fn new(left: &Population<'_>, ranked: &[usize]) -> Self {
        let rows = left.rows.a.words().len() * 64;
        let mut ends = vec![0u32; rows + 1];
        for index in ranked {
            left.items[*index].a.rows_and(&left.rows.a).for_each(|row| ends[row as usize + 1] += 1);
        }
        (0..rows).for_each(|row| ends[row + 1] += ends[row]);
        let mut ranks = vec![0; ends[rows] as usize];
        let mut next = ends.clone();
        for (rank, index) in (0..).zip(ranked) {
            for row in left.items[*index].a.rows_and(&left.rows.a) {
                ranks[next[row as usize] as usize] = rank;
                next[row as usize] += 1;
            }
        }
        Self { starts: ends, ranks }
    }

    fn of(&self, row: u32) -> &[u16] {
        &self.ranks[self.starts[row as usize] as usize..self.starts[row as usize + 1] as usize]
    }
}

/// The rows that have one item, close together: of each row the items that rank after it.
pub(super) struct Projection {
    starts: Vec<u32>,
    ranks: Vec<u16>,
    /// None until asked for.
    places: Option<Places>,
}

/// Per rank where it stands, and where its row ends.
struct Places {
    starts: Vec<u32>,
    places: Vec<(u32, u32)>,
}

impl Projection {
    pub(super) fn new(items: &RowItems, first: usize, rows: impl Iterator<Item = u32>) -> Self {
        let mut projection = Self { starts: vec![0], ranks: Vec::new(), places: None };
        for row in rows {
            let of_row = items.of(row);
            projection.ranks.extend_from_slice(&of_row[of_row.partition_point(|rank| usize::from(*rank) <= first)..]);
            projection.starts.push(projection.ranks.len() as u32);
        }
        projection
    }

    /// Adds to `counts` how many of the rows that have all of `others` have each later item. `others` ascend.
    pub(super) fn count(&mut self, others: &[usize], counts: &mut [u32]) {
        let Some((last, middle)) = others.split_last() else {
            self.ranks.iter().for_each(|rank| counts[usize::from(*rank)] += 1);
            return;
        };
        let places = self.places.take().unwrap_or_else(|| Places::of(&self.starts, &self.ranks, counts.len()));
        for (at, end) in places.of_rank(*last) {
            let (at, end) = (*at as usize, *end as usize);
            if !middle.is_empty() && !self.has_all(at, middle) {
                continue;
            }
            self.ranks[at + 1..end].iter().for_each(|rank| counts[usize::from(*rank)] += 1);
        }
        self.places = Some(places);
    }

    /// Whether the row of the place has the ranks, which are below the one at the place.
    fn has_all(&self, at: usize, ranks: &[usize]) -> bool {
        let start = self.starts[self.starts.partition_point(|start| *start as usize <= at) - 1] as usize;
        ranks.iter().all(|rank| self.ranks[start..at].iter().any(|own| usize::from(*own) == *rank))
    }
}

impl Places {
    /// `rows` are the bounds of the rows in `ranks`.
    fn of(rows: &[u32], ranks: &[u16], ranks_max: usize) -> Self {
        let mut starts = vec![0u32; ranks_max + 1];
        ranks.iter().for_each(|rank| starts[usize::from(*rank) + 1] += 1);
        (0..ranks_max).for_each(|rank| starts[rank + 1] += starts[rank]);
        let mut next = starts.clone();
        let mut places = vec![(0, 0); ranks.len()];
        for row in rows.windows(2) {
            for at in row[0]..row[1] {
                let place = &mut next[usize::from(ranks[at as usize])];
                places[*place as usize] = (at, row[1]);
                *place += 1;
            }
        }
        Self { starts, places }
    }

    fn of_rank(&self, rank: usize) -> &[(u32, u32)] {
        &self.places[self.starts[rank] as usize..self.starts[rank + 1] as usize]
    }
}
