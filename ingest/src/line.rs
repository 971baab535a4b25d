//! Plain text: the line is the message, its time is the arrival.

use crate::rejection::RowError;
use crate::row::Row;

/// The field that holds a row's text.
pub(crate) const MESSAGE: &str = "_msg";

pub(crate) fn read_line<'a>(line: &'a str, row: &mut Row<'a>) -> Result<(), RowError> {
    row.set_text(MESSAGE, line)
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use crate::Format;
    use crate::testing::check;

    #[test]
    fn lines_are_messages() {
        check(
            Format::Line,
            b"first\r\n\n   \n  indented \xff\n{\"json\":1}",
            expect![[r#"
            {"_time":"ARRIVAL","_msg":"first"}
            {"_time":"ARRIVAL","_msg":"  indented �"}
            {"_time":"ARRIVAL","_msg":"{\"json\":1}"}
            3 accepted, 0 rejected
        "#]],
        );
        check(
            Format::Line,
            "",
            expect![[r#"
            0 accepted, 0 rejected
        "#]],
        );
    }
}
