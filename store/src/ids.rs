//! Names and identifiers. Names come from outside and are checked once, here; ids are given by the catalog.

use std::fmt;

use crate::StoreError;
use crate::limits::NAME_BYTES_MAX;

macro_rules! name {
    ($(#[$doc:meta])* $type:ident, $thing:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
        #[serde(transparent)]
        pub struct $type(String);

        impl $type {
            /// Accepts 1 to 128 letters, digits, `-`, `_` and `.`, beginning with a letter, a digit or `_`.
            pub fn parse(text: &str) -> Result<Self, StoreError> {
                check_name(text)
                    .map(|()| Self(text.to_owned()))
                    .map_err(|why| StoreError::BadName { thing: $thing, name: text.to_owned(), why })
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::borrow::Borrow<str> for $type {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

name!(
    /// The tenant: the unit of access, of quota and of naming.
    ProjectName,
    "project"
);
name!(
    /// A logstore's, metricstore's or tracestore's name inside its project.
    StoreName,
    "store"
);

impl ProjectName {
    /// The project that always exists.
    pub fn default_project() -> Self {
        Self("default".to_owned())
    }

    /// The project that the server's own telemetry goes to.
    pub fn system() -> Self {
        Self("system".to_owned())
    }
}

fn check_name(text: &str) -> Result<(), &'static str> {
    if text.is_empty() {
        return Err("it is empty");
    }
    if text.len() > NAME_BYTES_MAX {
        return Err("it is longer than 128 bytes");
    }
    if !text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.')) {
        return Err("only letters, digits, '-', '_' and '.' are allowed");
    }
    if matches!(text.as_bytes()[0], b'-' | b'.') {
        return Err("it must begin with a letter, a digit or '_'");
    }
    Ok(())
}

macro_rules! id {
    ($(#[$doc:meta])* $type:ident, $repr:ty) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
        #[serde(transparent)]
        pub struct $type(pub $repr);

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}", self.0)
            }
        }
    };
}

id!(
    /// A store's row in the catalog; never used again after the store is deleted.
    StoreId,
    i64
);
id!(
    /// A shard's row in the catalog, unique over all stores.
    ShardId,
    i64
);
id!(
    /// A shard's small number inside its store, never given again; what producers and consumers name it by.
    ShardNumber,
    u32
);
id!(
    /// Position of a record batch in its shard: dense, from 0.
    Offset,
    u64
);
id!(
    /// Hash of a series' labels; unique inside its metricstore.
    SeriesId,
    u64
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_checked() {
        for good in ["default", "a", "_self", "app-1.log", "9lives"] {
            assert_eq!(StoreName::parse(good).unwrap().as_str(), good);
        }
        for (bad, why) in
            [("", "empty"), ("-a", "begin"), (".hidden", "begin"), ("a/b", "only letters"), ("é", "only letters")]
        {
            let error = StoreName::parse(bad).unwrap_err().to_string();
            assert!(error.contains(why), "{bad}: {error}");
        }
        assert!(ProjectName::parse(&"x".repeat(129)).is_err());
    }
}
