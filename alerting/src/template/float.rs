//! Floats as Go prints them: `%e`, `%f` and `%g`, with a precision or as short as possible.

/// `1e+00`: the form in which Prometheus' API gives an alert's value.
pub(crate) fn format_e(value: f64, precision: Option<usize>) -> String {
    special(value).unwrap_or_else(|| {
        let (digits, exponent) = digits(value, precision.map(|p| p + 1));
        with_exponent(value.is_sign_negative(), &digits, exponent, precision)
    })
}

pub(crate) fn format_f(value: f64, precision: usize) -> String {
    special(value).unwrap_or_else(|| format!("{value:.precision$}"))
}

/// Exponent form when the exponent is below -4 or not below the precision (6 when the shortest form is wanted).
pub(crate) fn format_g(value: f64, precision: Option<usize>) -> String {
    special(value).unwrap_or_else(|| {
        let wanted = precision.map(|p| p.max(1));
        let (digits, exponent) = digits(value, wanted);
        let digits = match digits.trim_end_matches('0') {
            "" => "0",
            trimmed => trimmed,
        };
        let limit = i32::try_from(wanted.unwrap_or(6)).unwrap_or(i32::MAX);
        if exponent < -4 || exponent >= limit {
            return with_exponent(value.is_sign_negative(), digits, exponent, None);
        }
        plain(value.is_sign_negative(), digits, exponent)
    })
}

fn special(value: f64) -> Option<String> {
    let text = match value {
        v if v.is_nan() => "NaN",
        f64::INFINITY => "+Inf",
        f64::NEG_INFINITY => "-Inf",
        _ => return None,
    };
    Some(text.to_owned())
}

/// Significant digits without a point, and the decimal exponent of the first one.
fn digits(value: f64, count: Option<usize>) -> (String, i32) {
    let text = match count {
        Some(count) => format!("{:.*e}", count.saturating_sub(1), value.abs()),
        None => format!("{:e}", value.abs()),
    };
    let (mantissa, exponent) = text.split_once('e').expect("`{:e}` always writes an exponent");
    (mantissa.replace('.', ""), exponent.parse().expect("the exponent of an f64 is a small integer"))
}

fn with_exponent(negative: bool, digits: &str, exponent: i32, fraction: Option<usize>) -> String {
    let sign = if negative { "-" } else { "" };
    let (first, rest) = digits.split_at(1);
    let rest = &rest[..fraction.unwrap_or(rest.len()).min(rest.len())];
    let point = if rest.is_empty() { "" } else { "." };
    let exponent_sign = if exponent < 0 { '-' } else { '+' };
    format!("{sign}{first}{point}{rest}e{exponent_sign}{:02}", exponent.abs())
}

fn plain(negative: bool, digits: &str, exponent: i32) -> String {
    let sign = if negative { "-" } else { "" };
    if exponent < 0 {
        let zeros = "0".repeat(exponent.unsigned_abs() as usize - 1);
        return format!("{sign}0.{zeros}{digits}");
    }
    let whole = exponent as usize + 1;
    if digits.len() <= whole {
        return format!("{sign}{digits}{}", "0".repeat(whole - digits.len()));
    }
    format!("{sign}{}.{}", &digits[..whole], &digits[whole..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_go_prints_them() {
        let shortest = [
            (0.0, "0"),
            (1.0, "1"),
            (100000.0, "100000"),
            (1e6, "1e+06"),
            (1234567.0, "1.234567e+06"),
            (0.0001, "0.0001"),
            (0.00001234, "1.234e-05"),
            (-2.5, "-2.5"),
            (f64::INFINITY, "+Inf"),
            (f64::NAN, "NaN"),
        ];
        for (value, text) in shortest {
            assert_eq!(format_g(value, None), text);
        }
        for (value, text) in [(100.0, "100"), (12345.0, "1.234e+04"), (0.12345, "0.1235"), (9999.9, "1e+04")] {
            assert_eq!(format_g(value, Some(4)), text);
        }
        assert_eq!(format_e(1.0, None), "1e+00");
        assert_eq!(format_e(1234.5, Some(1)), "1.2e+03");
        assert_eq!(format_f(2.675, 2), "2.67");
    }
}
