//! Versions, builds and images that the time before did not have: what was deployed.

use crate::investigate::finding::Detail;
use crate::investigate::rank::Piece;
use crate::limits::{CHANGE_ROWS_MIN, CHANGED_VALUES_MAX};
use crate::significance::Table;

/// Words in the names of columns and labels that say what runs.
const DEPLOYED: [&str; 12] = [
    "version",
    "release",
    "build",
    "revision",
    "commit",
    "image",
    "deploy",
    "deployment",
    "sha",
    "tag",
    "rollout",
    "migration",
];

/// A value of a version-like label with its rows (or series) in the window and before.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Seen {
    pub(crate) value: String,
    pub(crate) rows: u64,
    pub(crate) rows_before: u64,
    /// Nanoseconds since the epoch.
    pub(crate) first: i64,
}

/// Whether a column or label says what runs: `app.version`, `image_tag`, `git-sha`, `buildNumber`.
pub(crate) fn is_deployed(name: &str) -> bool {
    words(name).iter().any(|word| DEPLOYED.contains(&word.as_str()))
}

fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut was_lower = false;
    for c in name.chars() {
        let begins = !c.is_alphanumeric() || (c.is_uppercase() && was_lower);
        if begins {
            words.push(String::new());
        }
        if c.is_alphanumeric() {
            words.last_mut().expect("there is always a last word").extend(c.to_lowercase());
        }
        was_lower = c.is_lowercase();
    }
    words
}

/// The values of one label that came, the most frequent first. A label that is new as a whole says nothing.
pub(crate) fn changed(store: &str, label: &str, seen: &[Seen]) -> Vec<Piece> {
    let rows: u64 = seen.iter().map(|seen| seen.rows).sum();
    let rows_before: u64 = seen.iter().map(|seen| seen.rows_before).sum();
    let mut previous: Vec<&Seen> = seen.iter().filter(|seen| seen.rows_before > 0).collect();
    previous.sort_by(|a, b| b.rows_before.cmp(&a.rows_before).then_with(|| a.value.cmp(&b.value)));
    let mut new: Vec<&Seen> = seen.iter().filter(|seen| seen.rows_before == 0 && seen.rows > 0).collect();
    new.sort_by(|a, b| b.rows.cmp(&a.rows).then_with(|| a.value.cmp(&b.value)));
    // A label that gets new values all the time, as a request's id does, is no version.
    if rows_before < CHANGE_ROWS_MIN || new.len() > CHANGED_VALUES_MAX {
        return Vec::new();
    }
    let tests = seen.len() as f64;
    let piece = |seen: &Seen| Piece {
        detail: Detail::ChangedLabel {
            store: store.to_owned(),
            label: label.to_owned(),
            value: seen.value.clone(),
            previous: previous.iter().take(CHANGED_VALUES_MAX).map(|seen| seen.value.clone()).collect(),
            share: seen.rows as f64 / rows as f64,
        },
        onset: Some(seen.first),
        q_value: Some((Table::new(seen.rows, 0, rows, rows_before).p() * tests).min(1.0)),
    };
    new.into_iter().map(piece).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(value: &str, rows: u64, rows_before: u64) -> Seen {
        Seen { value: value.to_owned(), rows, rows_before, first: 7 }
    }

    #[test]
    fn names_that_say_what_runs() {
        for name in ["version", "app.version", "image_tag", "git-sha", "buildNumber", "service.version", "RELEASE"] {
            assert!(is_deployed(name), "{name}");
        }
        for name in ["conversion", "path", "stage", "rebuilds", "customer_id", "imagery"] {
            assert!(!is_deployed(name), "{name}");
        }
    }

    #[test]
    fn a_new_version_is_told_with_the_former_ones() {
        let found = changed("shop", "version", &[seen("1.1", 300, 0), seen("1.0", 700, 5000), seen("0.9", 0, 50)]);
        assert_eq!(found.len(), 1);
        let Detail::ChangedLabel { value, previous, share, .. } = &found[0].detail else { panic!("{found:?}") };
        assert_eq!((value.as_str(), previous.as_slice()), ("1.1", &["1.0".to_owned(), "0.9".to_owned()][..]));
        assert!((share - 0.3).abs() < 1e-12 && found[0].onset == Some(7));
        assert!(found[0].q_value.unwrap() < 1e-9);
    }

    #[test]
    fn ids_and_labels_without_a_past_are_no_versions() {
        let ids: Vec<Seen> = (0..100).map(|at| seen(&at.to_string(), u64::from(at % 2 == 0), 50)).collect();
        assert!(changed("shop", "build", &ids).is_empty());
        let new_ids: Vec<Seen> = (0..100).map(|at| seen(&at.to_string(), 1, u64::from(at < 60))).collect();
        assert!(changed("shop", "build", &new_ids).is_empty());
        assert!(changed("shop", "build", &[seen("7", 10, 0)]).is_empty());
    }
}
