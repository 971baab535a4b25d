//! Searches, what they mean and what is wrong with them.

use expect_test::{Expect, expect};

use super::*;

fn check(text: &str, expected: Expect) {
    let answer = match to_predicate(text) {
        Ok(predicate) => predicate,
        Err(error) => format!("error: {error}"),
    };
    expected.assert_eq(&answer);
}

#[test]
fn searches_become_predicates() {
    check("", expect!["true"]);
    check("timeout", expect!["_msg ILIKE '%timeout%'"]);
    check("100%_done", expect![[r"_msg ILIKE '%100\%\_done%'"]]);
    check("\"it's\" level:error", expect![[r#"(_msg ILIKE '%it''s%' AND "level" = 'error')"#]]);
    check("status>=500 AND service = 'cart'", expect![[r#"("status" >= 500 AND "service" = 'cart')"#]]);
    check("a OR b c", expect!["(_msg ILIKE '%a%' OR (_msg ILIKE '%b%' AND _msg ILIKE '%c%'))"]);
    check("NOT (a or b)", expect!["NOT ((_msg ILIKE '%a%' OR _msg ILIKE '%b%'))"]);
    check("-path:/health* host:*", expect![[r#"(NOT ("path" LIKE '/health%') AND "host" IS NOT NULL)"#]]);
    check("delta:-5 ok:true", expect![[r#"("delta" = -5 AND "ok" = true)"#]]);
}

#[test]
fn mistakes_are_named_with_their_place() {
    check("(a", expect![[r#"error: search "(a", at character 3: a closing parenthesis was expected"#]]);
    check(
        "status>=",
        expect![[r#"error: search "status>=", at character 9: a value was expected after the comparison"#]],
    );
    check("\"open", expect![[r#"error: search "\"open", at character 1: the quote is never closed"#]]);
    check("or b", expect![[r#"error: search "or b", at character 1: a word was expected before the operator"#]]);
    check("a )", expect![[r#"error: search "a )", at character 3: an operator or a word was expected"#]]);
}
