//! What a cell holds, and how it is hashed.

use std::hash::{BuildHasherDefault, Hash, Hasher};

use xxhash_rust::xxh3::xxh3_64_with_seed;

/// A cell's value, equal exactly where the cells are equal. NaN equals NaN, and zero has one sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Key<'a> {
    Null,
    Text(&'a str),
    Int(i64),
    /// The bits of a float.
    Float(u64),
    Bool(bool),
}

impl Key<'_> {
    pub(crate) fn float(value: f64) -> Self {
        let canonical = if value.is_nan() { f64::NAN } else { value + 0.0 };
        Key::Float(canonical.to_bits())
    }

    /// A 64-bit digest, where one collision in billions does no harm.
    pub(crate) fn digest(&self) -> u64 {
        let mut hasher = RowHasher::default();
        self.hash(&mut hasher);
        hasher.finish()
    }
}

// One write per key instead of the derived three: this runs once per row and column.
impl Hash for Key<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match *self {
            Key::Null => state.write_u64(0x9E37),
            Key::Text(text) => state.write(text.as_bytes()),
            Key::Int(value) => state.write_u64(value.cast_unsigned()),
            Key::Float(bits) => state.write_u64(bits),
            Key::Bool(value) => state.write_u64(u64::from(value)),
        }
    }
}

/// XXH3 for text, a multiplication for numbers. Not for keys that an attacker chooses to collide: tables are bounded by
/// the rows of one request.
#[derive(Debug, Default)]
pub(crate) struct RowHasher(u64);

impl Hasher for RowHasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0 = xxh3_64_with_seed(bytes, self.0);
    }

    fn write_u64(&mut self, value: u64) {
        let wide = u128::from(self.0 ^ value ^ 0xA076_1D64_78BD_642F) * 0xE703_7ED1_A0B4_28DB;
        self.0 = (wide >> 64) as u64 ^ wide as u64;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

pub(crate) type RowHash = BuildHasherDefault<RowHasher>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nan_equals_itself_and_zero_has_one_sign() {
        assert_eq!(Key::float(-0.0), Key::float(0.0));
        assert_eq!(Key::float(f64::NAN), Key::float(-f64::NAN));
        assert_ne!(Key::Text("1").digest(), Key::Int(1).digest());
    }
}
