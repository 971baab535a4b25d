//! `search | SELECT …`: search words, a bar, SQL.

use crate::QueryError;

/// What stands before the first bar outside of quotes, and behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Question<'a> {
    pub(crate) search: Option<&'a str>,
    pub(crate) sql: Option<&'a str>,
    /// `| with_pack_meta`: rows say where they stand, so that somebody can ask for what is around them.
    pub(crate) wants_places: bool,
}

impl<'a> Question<'a> {
    /// Without a bar all of it is SQL. Gives the search, if there is one, and the SQL.
    pub(crate) fn of_sql(text: &'a str) -> Result<(Option<&'a str>, &'a str), QueryError> {
        if begins_sql(text) || bar(text).is_none() {
            return Ok((None, text));
        }
        let question = Self::of_search(text)?;
        let missing = || QueryError::Invalid("SELECT was expected behind the bar".to_owned());
        Ok((question.search, question.sql.ok_or_else(missing)?))
    }

    /// Without a bar all of it is a search, unless it is a SELECT.
    pub(crate) fn of_search(text: &'a str) -> Result<Self, QueryError> {
        if begins_sql(text) {
            return Ok(Self { search: None, sql: Some(text), wants_places: false });
        }
        let Some(at) = bar(text) else { return Ok(Self { search: Some(text), sql: None, wants_places: false }) };
        let search = Some(text[..at].trim_end());
        let rest = text[at + 1..].trim();
        if rest.eq_ignore_ascii_case("with_pack_meta") {
            return Ok(Self { search, sql: None, wants_places: true });
        }
        if !begins_sql(rest) {
            let position = at + 2;
            return Err(QueryError::Search {
                text: text.to_owned(),
                position,
                why: "SELECT was expected after the bar",
            });
        }
        Ok(Self { search, sql: Some(rest), wants_places: false })
    }
}

fn begins_sql(text: &str) -> bool {
    let text = text.trim_start().trim_start_matches(['(', ' ']);
    let end = text.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(text.len());
    let is_followed = text[end..].starts_with(|c: char| c.is_whitespace() || "*(\"'".contains(c));
    is_followed
        && ["select", "with", "show", "explain", "values"].iter().any(|word| text[..end].eq_ignore_ascii_case(word))
}

fn bar(text: &str) -> Option<usize> {
    let mut quote = None;
    let mut is_escaped = false;
    for (at, character) in text.char_indices() {
        match (quote, character) {
            _ if is_escaped => is_escaped = false,
            (Some(_), '\\') => is_escaped = true,
            (Some(open), _) if character == open => quote = None,
            (None, '"' | '\'') => quote = Some(character),
            (None, '|') => return Some(at),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bar_outside_of_quotes_parts_search_and_sql() {
        for (text, search, sql) in [
            ("error", Some("error"), None),
            ("* | select count(*)", Some("*"), Some("select count(*)")),
            (
                "a:\"x|y\" and b | WITH t AS (SELECT 1) SELECT 2",
                Some("a:\"x|y\" and b"),
                Some("WITH t AS (SELECT 1) SELECT 2"),
            ),
            ("SELECT a || b FROM log", None, Some("SELECT a || b FROM log")),
            ("(a or b)|SELECT*", Some("(a or b)"), Some("SELECT*")),
            ("selected", Some("selected"), None),
            ("with: x", Some("with: x"), None),
        ] {
            let question = Question::of_search(text).unwrap();
            assert_eq!((question.search, question.sql), (search, sql), "{text}");
        }
        assert!(Question::of_search("* | with_pack_meta").unwrap().wants_places);
        let error = Question::of_search("* | where a = 1").unwrap_err().to_string();
        assert!(error.contains("at character 4: SELECT was expected after the bar"), "{error}");
    }

    #[test]
    fn sql_without_a_bar_is_sql() {
        for text in ["SELECT 1", "DROP TABLE x", "SELEC 1", " (select 1)"] {
            assert_eq!(Question::of_sql(text).unwrap(), (None, text));
        }
        let searched = Question::of_sql("status>=500 | SELECT * FROM a").unwrap();
        assert_eq!(searched, (Some("status>=500"), "SELECT * FROM a"));
        assert!(Question::of_sql("error | with_pack_meta").is_err());
    }
}
