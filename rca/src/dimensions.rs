//! From columns to items: which columns can explain anything, by which of their values, and why the others cannot.
//!
//! A column is left out for what it *is* (unique per row, constant, a time, free text, the predicate's own or a function
//! of it), never because it separates A from B: the column that does so perfectly may be the culprit.

mod prevalent;

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;

use serde::{Deserialize, Serialize};

use crate::bitmap::Bitmap;
use crate::cells::Shape;
use crate::codes::Codes;
use crate::column::Column;
use crate::functional::Predicate;
use crate::input::Options;
use crate::items::{Item, ItemList};
use crate::key::RowHash;
use crate::names;
use crate::ranges::Ranges;
use crate::rows::Rows;
use crate::sample::Sample;
use crate::significance::Choices;
use crate::workers::{Stop, share_out};

pub(crate) use self::prevalent::{Common, Lack};

/// A column that was not searched, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    pub dimension: String,
    pub why: String,
}

/// The searched dimensions.
#[derive(Debug)]
pub(crate) struct Dimensions<'r> {
    pub(crate) names: Vec<String>,
    pub(crate) choices: Vec<Choices>,
    pub(crate) left_out: Vec<LeftOut>,
    searched: Vec<Values<'r>>,
}

/// What a dimension's items are made of.
#[derive(Debug)]
enum Values<'r> {
    Categories(Categories<'r>),
    Ranges(Ranges<'r>),
}

/// What became of a column.
enum Outcome<'r> {
    Searched(Values<'r>, Choices),
    LeftOut(String),
}

/// What decides over columns.
pub(crate) struct Encoding<'r> {
    pub(crate) rows: &'r Rows,
    pub(crate) predicate_columns: &'r [String],
    pub(crate) options: &'r Options,
    /// The column that says which rows belong together; it is no dimension.
    pub(crate) unit: Option<&'r str>,
    /// Rows of A that a value must have.
    pub(crate) min_rows: u64,
    pub(crate) sample: &'r Sample,
}

impl<'r> Encoding<'r> {
    /// The dimensions, and a note when the budget ended before all columns were read.
    pub(crate) fn run(&self, stop: Stop<'_>) -> (Dimensions<'r>, Vec<String>) {
        let candidates = self.candidate_columns();
        let named: Vec<&Column> = self.predicate_columns.iter().filter_map(|name| self.rows.column(name)).collect();
        let predicate = Predicate::of(&named);
        let outcomes = share_out(candidates.len(), |at| self.encode(&predicate, candidates[at]), stop);
        let left_out = self.rows.unsupported.iter().filter(|left| self.asks_for(&left.dimension)).cloned().collect();
        let mut all = Dimensions { names: Vec::new(), choices: Vec::new(), left_out, searched: Vec::new() };
        let mut unread = 0;
        for (column, outcome) in candidates.iter().zip(outcomes) {
            let name = column.name.clone();
            match outcome {
                Some(Outcome::Searched(values, choices)) => {
                    all.names.push(name);
                    all.choices.push(choices);
                    all.searched.push(values);
                }
                Some(Outcome::LeftOut(why)) => all.left_out.push(LeftOut { dimension: name, why }),
                None => {
                    unread += 1;
                    let why = "the time budget ended before it was read".to_owned();
                    all.left_out.push(LeftOut { dimension: name, why });
                }
            }
        }
        let of = candidates.len();
        let cut = (unread > 0).then(|| format!("the time budget ended before {unread} of {of} columns were read"));
        (all, cut.into_iter().collect())
    }

    fn asks_for(&self, name: &str) -> bool {
        self.options.dimensions.as_ref().is_none_or(|wanted| wanted.iter().any(|wanted| wanted == name))
    }

    /// The columns to look at: those named, or all.
    fn candidate_columns(&self) -> Vec<&'r Column> {
        let wanted = |column: &&Column| match &self.options.dimensions {
            Some(_) => self.asks_for(&column.name),
            None => !names::is_hidden(&column.name),
        };
        self.rows.columns.iter().filter(wanted).collect()
    }

    fn encode(&self, predicate: &Predicate, column: &'r Column) -> Outcome<'r> {
        let asked_for = self.options.dimensions.is_some();
        if let Some(why) = self.unfit(&column.name, column.shape) {
            return Outcome::LeftOut(why.to_owned());
        }
        if !asked_for && column.is_time() {
            return Outcome::LeftOut("a point in time".to_owned());
        }
        if !asked_for && let Some(why) = predicate.why_function(column) {
            return Outcome::LeftOut(why);
        }
        if column.is_measure() {
            return match Ranges::of(column, self.sample) {
                Some(ranges) => {
                    let choices = Choices { values: 0.0, ranges: ranges.tried() };
                    Outcome::Searched(Values::Ranges(ranges), choices)
                }
                None => Outcome::LeftOut("constant".to_owned()),
            };
        }
        self.categories(column)
    }

    fn categories(&self, column: &'r Column) -> Outcome<'r> {
        if column.dictionary_len() == Some(1) {
            return Outcome::LeftOut("constant".to_owned());
        }
        let counts = Counts::of(&column.a, &Bitmap::ones(column.a.len()));
        if counts.frequent(self.min_rows).next().is_none() {
            let (distinct, rows_a, min_rows) = (counts.distinct(), column.a.len(), self.min_rows);
            return Outcome::LeftOut(if distinct * 2 > rows_a {
                format!("nearly unique: {distinct} values in {rows_a} anomalous rows")
            } else {
                format!("no value is in {min_rows} of the {rows_a} anomalous rows")
            });
        }
        let sample = match self.sample {
            Sample::Whole => None,
            Sample::Rows(rows) => Some(column.b.take(rows)),
        };
        let choices = Choices { values: counts.values_estimate(), ranges: 0.0 };
        Outcome::Searched(Values::Categories(Categories { column, sample, built: HashSet::new() }), choices)
    }

    fn unfit(&self, name: &str, shape: Shape) -> Option<&'static str> {
        let asked_for = self.options.dimensions.is_some();
        if self.predicate_columns.iter().any(|column| column == name) {
            return Some("the predicate names it");
        }
        if self.unit == Some(name) && !asked_for {
            return Some("the unit whose rows are not independent");
        }
        declared_unfit(name, shape).filter(|_| !asked_for || !matches!(shape, Shape::Text))
    }
}

impl<'r> Dimensions<'r> {
    /// Adds the items that are frequent among the rows of A that are left, as far as they are not in the list.
    pub(crate) fn grow(&mut self, list: &mut ItemList<'r>, left: &Bitmap, min_rows: u64) {
        let searched: Vec<Mutex<&mut Values<'r>>> = self.searched.iter_mut().map(Mutex::new).collect();
        let grown = share_out(
            searched.len(),
            |at| match &mut **searched[at].lock().expect("each dimension has one worker") {
                Values::Categories(categories) => categories.items(at as u32, left, min_rows),
                Values::Ranges(ranges) => ranges.items(at as u32, min_rows),
            },
            &|| false,
        );
        grown.into_iter().flatten().flatten().for_each(|item| list.add(item));
    }
}

/// Why a column explains nothing whatever its values are.
pub(crate) fn declared_unfit(name: &str, shape: Shape) -> Option<&'static str> {
    match shape {
        Shape::Time => Some("a point in time"),
        Shape::Unsupported => Some("values of its type are not searched"),
        Shape::Text if names::is_free_text(name) => Some("free text"),
        _ => None,
    }
}

/// A dimension whose values are names.
#[derive(Debug)]
struct Categories<'r> {
    column: &'r Column,
    /// Codes of the sampled rows of B; none when the sample is all of B.
    sample: Option<Codes>,
    built: HashSet<u64>,
}

impl<'r> Categories<'r> {
    fn items(&mut self, dimension: u32, left: &Bitmap, min_rows: u64) -> Vec<Item<'r>> {
        let counts = Counts::of(&self.column.a, left);
        let mut new: Vec<u64> = counts.frequent(min_rows).filter(|code| !self.built.contains(code)).collect();
        new.sort_unstable();
        self.built.extend(&new);
        self.of_codes(dimension, new).collect()
    }
}

/// One bitmap per wanted code, in one pass.
fn bitmaps(codes: &Codes, wanted: &[u64]) -> Vec<Bitmap> {
    let mut maps = vec![Bitmap::zeros(codes.len()); wanted.len()];
    if let Codes::Wide(_) = codes {
        let places: HashMap<u64, usize, RowHash> = wanted.iter().copied().zip(0..).collect();
        codes.for_each(|row, code| {
            if let Some(place) = places.get(&code) {
                maps[*place].set(row);
            }
        });
        return maps;
    }
    let codes_max = wanted.last().map_or(0, |code| *code as usize + 1);
    let mut places = vec![u32::MAX; codes_max];
    wanted.iter().zip(0..).for_each(|(code, place)| places[*code as usize] = place);
    codes.for_each(|row, code| {
        let place = places.get(code as usize).copied().unwrap_or(u32::MAX);
        if let Some(map) = maps.get_mut(place as usize) {
            map.set(row);
        }
    });
    maps
}

/// How many rows have each code.
enum Counts {
    Dense(Vec<u64>),
    Hashed(HashMap<u64, u64, RowHash>),
}

impl Counts {
    fn of(codes: &Codes, rows: &Bitmap) -> Self {
        let all = rows.rows_and(rows).map(|row| codes.get(row as usize));
        if let Codes::Wide(_) = codes {
            let mut counts: HashMap<u64, u64, RowHash> = HashMap::default();
            all.for_each(|code| *counts.entry(code).or_default() += 1);
            return Counts::Hashed(counts);
        }
        let mut counts = Vec::new();
        for code in all {
            let code = code as usize;
            if code >= counts.len() {
                counts.resize(code + 1, 0);
            }
            counts[code] += 1;
        }
        Counts::Dense(counts)
    }

    fn get(&self, code: u64) -> u64 {
        match self {
            Counts::Dense(counts) => counts.get(code as usize).copied().unwrap_or(0),
            Counts::Hashed(counts) => counts.get(&code).copied().unwrap_or(0),
        }
    }

    fn frequent(&self, min_rows: u64) -> Box<dyn Iterator<Item = u64> + '_> {
        let is_frequent = move |count: u64| count >= min_rows;
        match self {
            Counts::Dense(counts) => {
                Box::new((0..).zip(counts).filter(move |(_, count)| is_frequent(**count)).map(|(code, _)| code))
            }
            Counts::Hashed(counts) => {
                Box::new(counts.iter().filter(move |(_, count)| is_frequent(**count)).map(|(code, _)| *code))
            }
        }
    }

    fn present(&self) -> Box<dyn Iterator<Item = u64> + '_> {
        match self {
            Counts::Dense(counts) => Box::new(counts.iter().copied().filter(|count| *count > 0)),
            Counts::Hashed(counts) => Box::new(counts.values().copied()),
        }
    }

    fn distinct(&self) -> usize {
        self.present().count()
    }

    /// Values there would be with more rows: those seen once and twice tell how many were not seen (Chao 1984).
    fn values_estimate(&self) -> f64 {
        let seen = |times: u64| self.present().filter(|count| *count == times).count() as f64;
        let (once, twice) = (seen(1), seen(2));
        self.distinct() as f64 + once * (once - 1.0).max(0.0) / (2.0 * (twice + 1.0))
    }
}
