//! What the same rule had before, and whether it was the same.

use crate::investigate::finding::Detail;
use crate::investigate::rank::Piece;
use crate::limits::RECALLED_MAX;

/// An incident of the past, as the store of incidents has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Earlier {
    pub(crate) id: String,
    /// Nanoseconds since the epoch.
    pub(crate) fired_at: i64,
    /// The sentence that told its cause.
    pub(crate) cause: String,
}

/// The newest incidents, those first whose cause names what is found now. `found` are conditions such as
/// `version = 2`, in all the words that a sentence may put them in.
pub(crate) fn recalled(mut earlier: Vec<Earlier>, found: &[String]) -> Vec<Piece> {
    let is_same = |cause: &str| found.iter().any(|condition| names(cause, condition));
    earlier.sort_by(|a, b| (is_same(&b.cause), b.fired_at, &b.id).cmp(&(is_same(&a.cause), a.fired_at, &a.id)));
    earlier.truncate(RECALLED_MAX);
    let piece = |earlier: Earlier| Piece {
        onset: Some(earlier.fired_at),
        q_value: None,
        detail: Detail::EarlierIncident {
            same_cause: is_same(&earlier.cause),
            fired_at: super::finding::rfc3339(earlier.fired_at),
            id: earlier.id,
            cause: earlier.cause,
        },
    };
    earlier.into_iter().map(piece).collect()
}

/// Whether the sentence has the condition as a whole: `host = db1` is not in "host = db12".
fn names(cause: &str, condition: &str) -> bool {
    let is_end = |c: char| !c.is_alphanumeric() && c != '_';
    cause.match_indices(condition).any(|(at, _)| {
        let after = cause[at + condition.len()..].chars();
        let mut after = after.skip_while(|c| matches!(c, '.')).peekable();
        cause[..at].chars().next_back().is_none_or(is_end) && after.peek().is_none_or(|c| is_end(*c))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn earlier(id: &str, fired_at: i64, cause: &str) -> Earlier {
        Earlier { id: id.to_owned(), fired_at, cause: cause.to_owned() }
    }

    #[test]
    fn the_same_cause_comes_before_a_newer_one() {
        let list = vec![
            earlier("a", 10, "90 % of the rows have host = db1; 1 % of the others have it."),
            earlier("b", 20, "90 % of the rows have host = db12; 1 % of the others have it."),
            earlier("c", 30, "explanation failed"),
        ];
        let found = recalled(list, &["host = db1".to_owned()]);
        let ids: Vec<_> = found
            .iter()
            .map(|piece| match &piece.detail {
                Detail::EarlierIncident { id, same_cause, .. } => (id.as_str(), *same_cause),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(ids, [("a", true), ("c", false), ("b", false)]);
    }

    #[test]
    fn a_condition_is_found_as_a_whole() {
        for (cause, expected) in [
            ("have host = db1.", true),
            ("have host = db1; 3 %", true),
            ("have host = db1 and x = 2", true),
            ("have host = db12", false),
            ("have host = db1.5", false),
            ("have subhost = db1", false),
        ] {
            assert_eq!(names(cause, "host = db1"), expected, "{cause}");
        }
    }
}
