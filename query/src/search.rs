//! Search words: what they mean, and the SQL predicate that says the same.
//!
//! `timeout "connection reset" level:error status>=500 NOT path:/health*` means: the message holds both texts, and the fields compare as written.
//! Words stand for text inside `_msg`, whatever its case; neighbours are joined by AND; `OR`, `NOT`, `-` and parentheses do what they say; `*` in a
//! field's value is a wildcard, and alone it is every row; `latency in [1 100)` is a range.
//!
//! [`Search`] is the tree; `syntax.rs` cuts text into tokens, `parser.rs` builds the tree, `predicate.rs` writes it as SQL text, and `filter.rs` as a
//! filter over the columns of one store, where words are words and not parts of them, as in the cloud service whose protocol we speak.

mod filter;
mod parser;
mod predicate;
mod syntax;

pub(crate) use filter::{FilterColumns, filter};
pub(crate) use parser::parse;
pub use predicate::to_predicate;
pub(crate) use predicate::to_predicate_over;

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Search {
    Everything,
    /// Text anywhere in the row.
    Text(Value),
    Field {
        name: String,
        test: Test,
    },
    All(Vec<Search>),
    Any(Vec<Search>),
    Not(Box<Search>),
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Test {
    Exists,
    Compare(Operator, Value),
    Range { low: Bound, high: Bound },
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Value {
    pub(crate) text: String,
    /// Quoted text is taken as it stands: no wildcards, no numbers.
    pub(crate) is_quoted: bool,
}

impl Value {
    pub(crate) fn number(&self) -> Option<f64> {
        if self.is_quoted {
            return None;
        }
        self.text.parse::<f64>().ok().filter(|number| number.is_finite())
    }
}

/// One end of a range; None is open to that side.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Bound {
    pub(crate) number: Option<String>,
    pub(crate) is_closed: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    /// `:`, which may mean less than equality, by who reads it.
    Has,
    Equal,
    NotEqual,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

impl Operator {
    pub(crate) fn sql(self) -> &'static str {
        match self {
            Self::Has | Self::Equal => "=",
            Self::NotEqual => "<>",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
        }
    }
}

/// Words and fields that rows must have, for highlighting: what is negated is left out.
pub(crate) fn terms(search: &Search) -> Vec<(String, String)> {
    match search {
        Search::Everything | Search::Not(_) => Vec::new(),
        Search::Text(value) => vec![(String::new(), value.text.clone())],
        Search::Field { name, test: Test::Compare(Operator::Has, value) } => vec![(name.clone(), value.text.clone())],
        Search::Field { .. } => Vec::new(),
        Search::All(parts) | Search::Any(parts) => parts.iter().flat_map(terms).collect(),
    }
}

#[cfg(test)]
mod tests;
