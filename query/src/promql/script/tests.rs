//! The runner itself: what it accepts, and above all what it does not let pass.

use super::*;

async fn failures(text: &str) -> Vec<String> {
    let report = run_script(text).await;
    assert_eq!(report.failed, report.failures.len());
    report.failures.into_iter().map(|failure| format!("{}: {}", failure.line, failure.why)).collect()
}

#[tokio::test]
async fn what_is_wrong_fails_with_its_line() {
    let script = r#"load 1m
  m{a="x"} 1 2 3
  m{a="y"} 4 _ 6

eval instant at 1m m
  m{a="x"} 2
  m{a="y"} 4

eval instant at 1m m
  m{a="x"} 2.1
  m{a="y"} 4

eval instant at 2m m
  m{a="x"} 3

eval instant at 2m m{a="x"}
  expect fail

eval instant at 2m sum(m)
  {b="c"} 9

eval instant at 2m m{a="x"}
  expect warn
  m{a="x"} 3

eval instant at 2m sort_desc(m)
  expect ordered
  m{a="x"} 3
  m{a="y"} 6

eval range from 0 to 2m step 1m m
  m{a="x"} 1 2 3
  m{a="y"} 4 _ 6

eval instant at 0 1 + 1
  3

eval instant at 0 "a"
  expect string "b"

eval instant at 0 info(m)
  expect fail

evaluate this

eval instant at 0 m
  m{a="x" 1
"#;
    let wanted = [
        "9: m{a=\"x\"}: expected 2.1, got 2",
        "13: unexpected m{a=\"y\"} 6",
        "16: expected a failure, but the query gave a result",
        "19: no {b=\"c\"} in the result",
        "22: no note like Any among []",
        "26: the samples are not in the expected order",
        "31: m{a=\"y\"}: expected a sample at 120000 ms, got one at 60000 ms",
        "35: scalar: expected 3, got 2",
        "38: expected the string \"b\", got String(\"a\")",
        "41: expected a failure, but the query gave a result",
        "44: \"evaluate\" is no command; there are load, clear and eval",
        "47: expected a label like name=\"value\" at \"1\"",
    ];
    assert_eq!(failures(script).await, wanted);
}

#[tokio::test]
async fn loads_add_up_until_clear() {
    let script = "load 1m\n  a 1\n\nload 1m\n  b 2\n\neval instant at 0 a + b\n  {} 3\n\nclear\neval instant at 0 a\n";
    let report = run_script(script).await;
    assert_eq!((report.passed, report.failures), (2, Vec::new()));
}
