//! An access key: its id, its secret, and what it may do where.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::limits::{KEY_ID_BYTES_MAX, SECRET_BYTES_MAX};
use crate::{ProjectName, StoreError, UnixNanos};

/// What a key may do in a project.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Right {
    /// Query, search, explain, look at dashboards.
    Read,
    /// Send rows and samples.
    Write,
    /// Pull shards, tail, take part in consumer groups.
    Consume,
    /// Create, change and delete stores, dashboards, quotas and keys; the other three come with it.
    Admin,
}

impl Right {
    pub const ALL: [Self; 4] = [Self::Read, Self::Write, Self::Consume, Self::Admin];

    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Consume => "consume",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for Right {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Where a grant holds: in one project, or with `*` in all of them, those of tomorrow included.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Scope {
    All,
    Project(ProjectName),
}

impl Scope {
    pub fn parse(text: &str) -> Result<Self, StoreError> {
        if text == "*" { Ok(Self::All) } else { ProjectName::parse(text).map(Self::Project) }
    }

    fn holds_in(&self, project: &ProjectName) -> bool {
        match self {
            Self::All => true,
            Self::Project(name) => name == project,
        }
    }
}

impl TryFrom<String> for Scope {
    type Error = StoreError;

    fn try_from(text: String) -> Result<Self, StoreError> {
        Self::parse(&text)
    }
}

impl From<Scope> for String {
    fn from(scope: Scope) -> Self {
        scope.to_string()
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("*"),
            Self::Project(name) => name.fmt(f),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    pub project: Scope,
    pub rights: BTreeSet<Right>,
}

impl Grant {
    /// Everything everywhere.
    pub fn administrator() -> Self {
        Self { project: Scope::All, rights: BTreeSet::from([Right::Admin]) }
    }

    fn gives(&self, right: Right) -> bool {
        self.rights.contains(&right) || self.rights.contains(&Right::Admin)
    }
}

/// Who a key is; not secret, and shown in errors and lists.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct KeyId(String);

impl KeyId {
    /// Accepts 1 to 64 letters, digits, `-`, `_` and `.`: what stands in every kind of Authorization header.
    pub fn parse(text: &str) -> Result<Self, StoreError> {
        let refused = |why| StoreError::BadName { thing: "access key", name: text.to_owned(), why };
        if text.is_empty() || text.len() > KEY_ID_BYTES_MAX {
            return Err(refused("it must have 1 to 64 bytes"));
        }
        if !text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.')) {
            return Err(refused("only letters, digits, '-', '_' and '.' are allowed"));
        }
        Ok(Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Signatures need the secret itself, so it cannot be kept as a hash. It never prints.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Accepts 1 to 256 visible ASCII characters. The error does not repeat them.
    pub fn parse(text: &str) -> Result<Self, StoreError> {
        let refused = |given: &str, limit| StoreError::OutOfRange { what: "secret", given: given.to_owned(), limit };
        if text.is_empty() || text.len() > SECRET_BYTES_MAX {
            return Err(refused(&format!("of {} bytes", text.len()), "it must have 1 to 256"));
        }
        if !text.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(refused("with other characters", "it must be visible ASCII without blanks"));
        }
        Ok(Self(text.to_owned()))
    }

    /// For signatures, and for showing a new key once.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// What a client has: `ID:SECRET`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyPair {
    pub id: KeyId,
    pub secret: Secret,
}

impl KeyPair {
    /// The text before the first colon is the id; secrets may hold colons.
    pub fn parse(text: &str) -> Result<Self, StoreError> {
        let Some((id, secret)) = text.split_once(':') else {
            let why = "it has no colon; a key is written ID:SECRET";
            return Err(StoreError::BadName { thing: "access key", name: "…".to_owned(), why });
        };
        Ok(Self { id: KeyId::parse(id)?, secret: Secret::parse(secret)? })
    }

    /// 64 bits of id, 192 bits of secret, from the operating system.
    pub fn random() -> Result<Self, StoreError> {
        let mut bytes = [0; 32];
        super::random(&mut bytes)?;
        let (id, secret) = bytes.split_at(8);
        Ok(Self { id: KeyId(format!("ck{}", super::hex(id))), secret: Secret(super::hex(secret)) })
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessKey {
    pub id: KeyId,
    pub secret: Secret,
    pub grants: Vec<Grant>,
    pub created: UnixNanos,
    pub is_disabled: bool,
}

impl AccessKey {
    pub fn allows(&self, project: &ProjectName, right: Right) -> bool {
        !self.is_disabled && self.grants.iter().any(|grant| grant.project.holds_in(project) && grant.gives(right))
    }

    /// Whether it may make keys for anybody.
    pub fn administers_all(&self) -> bool {
        let everywhere = |grant: &&Grant| grant.project == Scope::All;
        !self.is_disabled && self.grants.iter().filter(everywhere).any(|grant| grant.gives(Right::Admin))
    }

    fn administers_any(&self) -> bool {
        !self.is_disabled && self.grants.iter().any(|grant| grant.gives(Right::Admin))
    }

    /// Whether it administers all that `grants` reach, and anything at all: nobody gives away more than they have.
    pub fn covers(&self, grants: &[Grant]) -> bool {
        let covers_one = |grant: &Grant| match &grant.project {
            Scope::All => self.administers_all(),
            Scope::Project(project) => self.allows(project, Right::Admin),
        };
        self.administers_any() && grants.iter().all(covers_one)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(grants: &str) -> AccessKey {
        let KeyPair { id, secret } = KeyPair::parse("id:secret").unwrap();
        let grants = serde_json::from_str(grants).unwrap();
        AccessKey { id, secret, grants, created: UnixNanos(0), is_disabled: false }
    }

    #[test]
    fn grants_hold_in_their_projects() {
        let project = |name| ProjectName::parse(name).unwrap();
        for (grants, allowed) in [
            ("[]", &[][..]),
            (r#"[{"project":"a","rights":["read","write"]}]"#, &[("a", Right::Read), ("a", Right::Write)]),
            (
                r#"[{"project":"a","rights":["read"]},{"project":"b","rights":["consume"]}]"#,
                &[("a", Right::Read), ("b", Right::Consume)],
            ),
            (r#"[{"project":"*","rights":["write"]}]"#, &[("a", Right::Write), ("b", Right::Write)]),
            (
                r#"[{"project":"b","rights":["admin"]}]"#,
                &[("b", Right::Read), ("b", Right::Write), ("b", Right::Consume), ("b", Right::Admin)],
            ),
        ] {
            let mut key = key(grants);
            for name in ["a", "b"] {
                for right in Right::ALL {
                    let is_allowed = allowed.contains(&(name, right));
                    assert_eq!(key.allows(&project(name), right), is_allowed, "{grants}: {right} in {name}");
                }
            }
            key.is_disabled = true;
            assert!(!key.allows(&project("a"), Right::Read) && !key.administers_all(), "a disabled key may nothing");
        }
    }

    #[test]
    fn nobody_gives_away_more_than_they_have() {
        let of = |grants: &str| serde_json::from_str::<Vec<Grant>>(grants).unwrap();
        let (all, a, reader) = (
            key(r#"[{"project":"*","rights":["admin"]}]"#),
            key(r#"[{"project":"a","rights":["admin"]}]"#),
            key(r#"[{"project":"*","rights":["read"]}]"#),
        );
        let (in_a, in_b, everywhere) = (
            of(r#"[{"project":"a","rights":["read"]}]"#),
            of(r#"[{"project":"b","rights":["read"]}]"#),
            of(r#"[{"project":"*","rights":["read"]}]"#),
        );
        for (key, grants, may) in [
            (&all, &everywhere, true),
            (&a, &Vec::new(), true),
            (&reader, &Vec::new(), false),
            (&all, &in_b, true),
            (&a, &in_a, true),
            (&a, &in_b, false),
            (&a, &everywhere, false),
            (&reader, &in_a, false),
        ] {
            assert_eq!(key.covers(grants), may, "{key:?} {grants:?}");
        }
    }

    #[test]
    fn pairs_are_checked_and_keep_their_secret() {
        let pair = KeyPair::parse("LTAI-1.a_b:s3cr:et/+=").unwrap();
        assert_eq!((pair.id.as_str(), pair.secret.reveal()), ("LTAI-1.a_b", "s3cr:et/+="));
        assert_eq!(format!("{pair:?}"), r#"KeyPair { id: KeyId("LTAI-1.a_b"), secret: Secret(…) }"#);
        for (text, why) in [
            ("alone", "no colon"),
            (":secret", "1 to 64 bytes"),
            ("a/b:secret", "only letters"),
            ("id:", "1 to 256"),
            ("id:se cret", "visible ASCII"),
        ] {
            let error = KeyPair::parse(text).unwrap_err().to_string();
            assert!(error.contains(why) && !error.contains("se cret"), "{text}: {error}");
        }
        let (one, other) = (KeyPair::random().unwrap(), KeyPair::random().unwrap());
        assert_ne!(one, other);
        assert_eq!((one.id.as_str().len(), one.secret.reveal().len()), (18, 48));
    }
}
