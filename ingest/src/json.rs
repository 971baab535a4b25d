//! A JSON array of objects; one object, however many lines it takes; or objects one after the other.
//!
//! The body is first cut into its elements by counting brackets outside strings, so that an element that is broken
//! inside spoils itself alone.

use crate::ndjson::read_object;
use crate::rejection::RowError;
use crate::rows::Rows;

/// Where a byte stands among the elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// A comma or white space between elements.
    Between,
    Inside,
    /// A closing bracket that belongs to no element: the array's own.
    End,
}

/// Follows the bytes of a sequence of JSON values, from after the opening bracket of the array, if there is one.
#[derive(Debug, Clone, Default)]
pub struct ElementScanner {
    depth: usize,
    in_string: bool,
    escaped: bool,
}

impl ElementScanner {
    pub fn next(&mut self, byte: u8) -> Place {
        if self.in_string {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = true,
                b'"' => self.in_string = false,
                _ => {}
            }
            return Place::Inside;
        }
        match byte {
            b'"' => self.in_string = true,
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' if self.depth == 0 => return Place::End,
            b'}' | b']' => self.depth -= 1,
            b',' | b' ' | b'\t' | b'\r' | b'\n' if self.depth == 0 => return Place::Between,
            _ => {}
        }
        Place::Inside
    }

    /// True inside an element that is not complete.
    pub fn is_open(&self) -> bool {
        self.depth > 0 || self.in_string
    }
}

pub(crate) fn read<'a>(text: &'a str, rows: &mut Rows<'a>) {
    let blank = text.len() - text.trim_start().len();
    let in_array = text[blank..].starts_with('[');
    let start = if in_array { blank + 1 } else { 0 };
    let mut scanner = ElementScanner::default();
    let mut line = 1 + newlines(&text[..start]);
    // Where the element began that the scanner is in: position and line.
    let mut element: Option<(usize, u64)> = None;
    let mut ended = !in_array;
    for (at, byte) in text.bytes().enumerate().skip(start) {
        let place = scanner.next(byte);
        match (place, element) {
            (Place::Inside, None) => element = Some((at, line)),
            (Place::Between | Place::End, Some((from, line))) => {
                rows.read(line, &text[from..at], read_object);
                element = None;
            }
            _ => {}
        }
        if place == Place::End && in_array && !ended {
            ended = true;
        } else if place == Place::End {
            rows.reject(line, &RowError::StrayBracket);
        }
        line += u64::from(byte == b'\n');
    }
    match element {
        Some((_, line)) if in_array && scanner.is_open() => return rows.reject(line, &RowError::ArrayCut),
        Some((from, line)) => rows.read(line, &text[from..], read_object),
        None => {}
    }
    if !ended {
        rows.reject(line, &RowError::ArrayCut);
    }
}

fn newlines(text: &str) -> u64 {
    text.bytes().filter(|byte| *byte == b'\n').count() as u64
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use crate::Format;
    use crate::testing::check;

    #[test]
    fn arrays_single_objects_and_sequences() {
        check(
            Format::Json,
            "[]",
            expect![[r#"
            0 accepted, 0 rejected
        "#]],
        );
        check(
            Format::Json,
            " [ {\"a\":1} ,\n{\"a\":\"],}\\\"{\"}]\n",
            expect![[r#"
            {"_time":"ARRIVAL","a":1}
            {"_time":"ARRIVAL","_overflow":{"a":"],}\"{"}}
            2 accepted, 0 rejected
        "#]],
        );
        check(
            Format::Json,
            "{\n  \"a\": {\n    \"b\": 1\n  }\n}\n",
            expect![[r#"
            {"_time":"ARRIVAL","a.b":1}
            1 accepted, 0 rejected
        "#]],
        );
        check(
            Format::Json,
            "{\"a\":1}\n{\"a\":2} {\"a\":3}",
            expect![[r#"
            {"_time":"ARRIVAL","a":1}
            {"_time":"ARRIVAL","a":2}
            {"_time":"ARRIVAL","a":3}
            3 accepted, 0 rejected
        "#]],
        );
    }

    #[test]
    fn a_bad_element_never_loses_its_neighbours() {
        check(
            Format::Json,
            "[\n{\"a\":1},\n{\"a\":},\n7, {\"a\":3},\n{\n \"a\": 4,\n \"b\" 5\n},\n{\"a\":6}\n]",
            expect![[r#"
                {"_time":"ARRIVAL","a":1}
                {"_time":"ARRIVAL","a":3}
                {"_time":"ARRIVAL","a":6}
                3 accepted, 3 rejected
                line 3: not valid JSON: expected value (column 6)
                line 4: a row must be a JSON object, but this begins with '7'
                line 7: not valid JSON: expected `:` (column 6)
            "#]],
        );
    }

    #[test]
    fn what_is_cut_is_said() {
        check(
            Format::Json,
            "[{\"a\":1},\n{\"a\":2",
            expect![[r#"
            {"_time":"ARRIVAL","a":1}
            1 accepted, 1 rejected
            line 2: the JSON array does not end; was the body cut?
        "#]],
        );
        check(
            Format::Json,
            "[{\"a\":1}",
            expect![[r#"
            {"_time":"ARRIVAL","a":1}
            1 accepted, 1 rejected
            line 1: the JSON array does not end; was the body cut?
        "#]],
        );
        check(
            Format::Json,
            "[{\"a\":1},",
            expect![[r#"
            {"_time":"ARRIVAL","a":1}
            1 accepted, 1 rejected
            line 1: the JSON array does not end; was the body cut?
        "#]],
        );
        check(
            Format::Json,
            "[{\"a\":1}]]\n",
            expect![[r#"
            {"_time":"ARRIVAL","a":1}
            1 accepted, 1 rejected
            line 1: a closing bracket that nothing opened
        "#]],
        );
    }
}
