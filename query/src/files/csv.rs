//! The types of a CSV file's columns, found by looking at each cell's bytes once. The rules are those of arrow's CSV
//! reader, which asks eight regular expressions about every cell and so takes longer to find the types than to read the
//! rows. It still decides about everything that is not plain here: quotes, dates, rows of unequal length.

use std::io::BufRead;

use arrow::datatypes::{DataType, Field, Fields, Schema};

/// The schema by the header and the rows behind it, `rows_max` at most. None when the text is not plain.
pub(super) fn plain_schema(mut text: impl BufRead, rows_max: usize) -> std::io::Result<Option<Schema>> {
    let mut line = Vec::new();
    let mut columns: Vec<(String, Seen)> = Vec::new();
    let mut rows = 0;
    while rows < rows_max {
        line.clear();
        if text.read_until(b'\n', &mut line)? == 0 {
            break;
        }
        let Some(cells) = plain(&line) else {
            return Ok(None);
        };
        if cells.is_empty() {
            continue;
        }
        if columns.is_empty() {
            columns = cells.split(',').map(|name| (name.to_owned(), Seen::default())).collect();
            continue;
        }
        rows += 1;
        if !add(&mut columns, cells) {
            return Ok(None);
        }
    }
    let field = |(name, seen): (String, Seen)| Field::new(name, seen.data_type(), true);
    Ok((!columns.is_empty()).then(|| Schema::new(columns.into_iter().map(field).collect::<Fields>())))
}

/// A line without its end; none when a reader of CSV may see more in it than cells between commas.
fn plain(line: &[u8]) -> Option<&str> {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let text = std::str::from_utf8(line).ok()?;
    let is_special = |byte: &u8| matches!(byte, b'"' | b'\r');
    (!line.iter().any(is_special) && !text.starts_with('\u{feff}')).then_some(text)
}

/// False when the row has not as many cells as there are columns, or one that may be a date.
fn add(columns: &mut [(String, Seen)], cells: &str) -> bool {
    let mut count = 0;
    for cell in cells.split(',') {
        let Some((_, seen)) = columns.get_mut(count) else {
            return false;
        };
        count += 1;
        if cell.is_empty() || seen.text {
            continue;
        }
        match Kind::of(cell) {
            Kind::Bool => seen.bool = true,
            Kind::Int => seen.int = true,
            Kind::Float => seen.float = true,
            Kind::Text => seen.text = true,
            Kind::MaybeDate => return false,
        }
    }
    count == columns.len()
}

/// What the cells of a column have been.
#[derive(Debug, Default)]
struct Seen {
    bool: bool,
    int: bool,
    float: bool,
    text: bool,
}

impl Seen {
    fn data_type(&self) -> DataType {
        match self {
            Seen { text: true, .. } => DataType::Utf8,
            Seen { bool: true, int: false, float: false, .. } => DataType::Boolean,
            Seen { bool: true, .. } => DataType::Utf8,
            Seen { float: true, .. } => DataType::Float64,
            Seen { int: true, .. } => DataType::Int64,
            _ => DataType::Null,
        }
    }
}

#[derive(Debug, PartialEq)]
enum Kind {
    Bool,
    Int,
    Float,
    Text,
    MaybeDate,
}

impl Kind {
    fn of(cell: &str) -> Self {
        let number = cell.strip_prefix('-').unwrap_or(cell).as_bytes();
        let (whole, rest) = digits(number);
        match rest {
            [] if whole > 0 => match cell.len() < 19 || cell.parse::<i64>().is_ok() {
                true => Kind::Int,
                false => Kind::Text,
            },
            [b'.', rest @ ..] => {
                let (fraction, rest) = digits(rest);
                let is_number = whole + fraction > 0 && (rest.is_empty() || is_exponent(rest));
                if is_number { Kind::Float } else { Kind::Text }
            }
            [b'e' | b'E', ..] if whole > 0 && is_exponent(rest) => Kind::Float,
            [b'-', ..] if whole == 4 => Kind::MaybeDate,
            _ if matches!(cell, "NaN" | "nan" | "inf" | "-inf") => Kind::Float,
            _ if cell.eq_ignore_ascii_case("true") || cell.eq_ignore_ascii_case("false") => Kind::Bool,
            _ => Kind::Text,
        }
    }
}

/// How many digits there are, and what follows.
fn digits(text: &[u8]) -> (usize, &[u8]) {
    let count = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    (count, &text[count..])
}

fn is_exponent(text: &[u8]) -> bool {
    let [b'e' | b'E', power @ ..] = text else {
        return false;
    };
    let power = match power {
        [b'+' | b'-', power @ ..] => power,
        power => power,
    };
    matches!(digits(power), (1.., []))
}

#[cfg(test)]
mod tests {
    use arrow::csv::reader::Format;
    use proptest::prelude::*;

    use super::*;

    fn of_arrow(text: &str) -> Schema {
        Format::default().with_header(true).infer_schema(text.as_bytes(), None).unwrap().0
    }

    fn cell() -> impl Strategy<Value = String> {
        let odd = prop::sample::select(vec![
            "",
            "-",
            ".",
            "-.",
            "1.",
            ".5",
            "-.5",
            "1e5",
            "1e",
            "1E-3",
            "1.5e+7",
            ".e5",
            "e5",
            "--1",
            "+1",
            "0x1F",
            "1 ",
            " 1",
            "true",
            "FALSE",
            "True",
            "truely",
            "NaN",
            "nan",
            "inf",
            "-inf",
            "Infinity",
            "NULL",
            "v7",
            "é",
            "1_000",
            "999999999999999999",
            "9223372036854775807",
            "9223372036854775808",
            "-9223372036854775808",
            "0000000000000000001",
            "12-3",
            "12345-6",
        ]);
        prop_oneof![
            odd.prop_map(str::to_owned),
            "-?[0-9]{1,20}",
            "-?[0-9]{0,3}\\.?[0-9]{0,3}(e[0-9]{0,2})?",
            "[a-z0-9]{0,3}"
        ]
    }

    proptest! {
        /// The oracle is arrow's own inference.
        #[test]
        fn types_are_those_that_arrow_finds(
            rows in prop::collection::vec(prop::array::uniform3(cell()), 0..6),
            end in prop::sample::select(vec!["\n", "\r\n"]),
        ) {
            let lines: Vec<String> = std::iter::once("a,b,c".to_owned()).chain(rows.iter().map(|row| row.join(","))).collect();
            let text = lines.join(end);
            prop_assert_eq!(plain_schema(text.as_bytes(), usize::MAX).unwrap(), Some(of_arrow(&text)), "{}", text);
        }
    }

    #[test]
    fn what_is_not_plain_is_left_to_arrow() {
        for text in [
            "a,b\n\"x\",1\n",
            "a,b\n1,2020-01-02\n",
            "a,b\n1\n",
            "a,b\n1,2,3\n",
            "a,b\r1,2\r",
            "\u{feff}a,b\n1,2\n",
            "",
            "\n\n",
        ] {
            assert_eq!(plain_schema(text.as_bytes(), usize::MAX).unwrap(), None, "{text:?}");
        }
        assert_eq!(plain_schema(&b"a\n\xff\n"[..], usize::MAX).unwrap(), None);
    }

    #[test]
    fn empty_lines_are_no_rows_and_later_rows_are_not_looked_at() {
        let text = "a\n\n1\n\nx\n";
        for (rows_max, expected) in [(1, DataType::Int64), (2, DataType::Utf8)] {
            let schema = plain_schema(text.as_bytes(), rows_max).unwrap().unwrap();
            assert_eq!(schema.field(0).data_type(), &expected, "{rows_max}");
        }
    }
}
