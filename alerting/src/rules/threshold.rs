//! `> 10`: what a count must be for a search to raise an alert.

use std::fmt;

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Threshold {
    comparison: Comparison,
    bound: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
    Equal,
    NotEqual,
}

/// Two-character signs first, so that `>=` is not read as `>` and a bound of `= 5`.
const SIGNS: [(&str, Comparison); 6] = [
    (">=", Comparison::GreaterOrEqual),
    ("<=", Comparison::LessOrEqual),
    ("==", Comparison::Equal),
    ("!=", Comparison::NotEqual),
    (">", Comparison::Greater),
    ("<", Comparison::Less),
];

impl Default for Threshold {
    fn default() -> Self {
        Self { comparison: Comparison::Greater, bound: 0.0 }
    }
}

impl Threshold {
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let bad = || format!("threshold {text:?} is not a comparison with a number, as \"> 10\" is");
        let (sign, comparison) = SIGNS.into_iter().find(|(sign, _)| text.starts_with(sign)).ok_or_else(bad)?;
        let bound: f64 = text[sign.len()..].trim().parse().map_err(|_| bad())?;
        if bound.is_nan() {
            return Err(bad());
        }
        Ok(Self { comparison, bound })
    }

    pub fn holds(&self, value: f64) -> bool {
        match self.comparison {
            Comparison::Greater => value > self.bound,
            Comparison::GreaterOrEqual => value >= self.bound,
            Comparison::Less => value < self.bound,
            Comparison::LessOrEqual => value <= self.bound,
            Comparison::Equal => value == self.bound,
            Comparison::NotEqual => value != self.bound,
        }
    }
}

impl fmt::Display for Threshold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = SIGNS.iter().find(|(_, comparison)| *comparison == self.comparison).map_or("", |(sign, _)| sign);
        write!(f, "{sign} {}", self.bound)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compared() {
        for (text, value, holds) in
            [("> 10", 10.0, false), (">=10", 10.0, true), ("< 1", 0.0, true), ("!= 3", 3.0, false)]
        {
            assert_eq!(Threshold::parse(text).unwrap().holds(value), holds, "{text}");
        }
        assert!(Threshold::default().holds(1.0));
        for bad in ["10", "> ten", "", "> NaN", "=> 1"] {
            assert!(Threshold::parse(bad).is_err(), "{bad}");
        }
        assert_eq!(Threshold::parse(">=2.5").unwrap().to_string(), ">= 2.5");
    }
}
