//! What can be counted in a source text without a parser. The Rust scanners rely on rustfmt: an item's closing brace stands alone, indented as the
//! line on which the item begins.

use std::collections::BTreeSet;

/// A function with a body of more than one line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Function {
    pub(crate) name: String,
    /// Counted from 1.
    pub(crate) line: usize,
    /// Signature and braces included.
    pub(crate) length: usize,
}

pub(crate) fn functions(source: &str) -> Vec<Function> {
    let lines: Vec<&str> = source.lines().collect();
    (0..lines.len())
        .filter_map(|at| {
            let name = function_name(lines[at])?;
            let length = body_end(&lines[at..])? + 1;
            Some(Function { name: name.to_owned(), line: at + 1, length })
        })
        .collect()
}

fn function_name(line: &str) -> Option<&str> {
    let mut words = line.trim_start();
    while let Some(rest) = ["pub ", "const ", "async ", "unsafe "].into_iter().find_map(|word| words.strip_prefix(word))
    {
        words = rest;
    }
    if let Some(rest) = words.strip_prefix("pub(") {
        return function_name(rest.split_once(") ")?.1);
    }
    let name = words.strip_prefix("fn ")?;
    name.split(|c: char| !c.is_alphanumeric() && c != '_').next()
}

/// The line of the closing brace, counted from the first; none when the function has no body or has it on one line.
fn body_end(lines: &[&str]) -> Option<usize> {
    let opening = lines.iter().position(|line| line.ends_with(['{', '}', ';']))?;
    if !lines[opening].ends_with('{') {
        return None;
    }
    let indent = lines[0].len() - lines[0].trim_start().len();
    let is_end = |line: &&str| line.trim_start() == "}" && line.len() == indent + 1;
    lines[opening..].iter().position(is_end).map(|at| opening + at)
}

/// Lines before the module of tests at the end of the file.
pub(crate) fn production(source: &str) -> &str {
    let tests = source.find("\n#[cfg(test)]\nmod ");
    tests.map_or(source, |at| &source[..at + 1])
}

/// How many lines of `//!` the file begins with.
pub(crate) fn head_lines(source: &str) -> usize {
    source.lines().take_while(|line| line.starts_with("//!")).count()
}

/// Lines on which the text stands, counted from 1; where it begins or ends with a letter, no other letter may touch it there.
pub(crate) fn lines_with(source: &str, text: &str) -> Vec<usize> {
    let at_edge = |edge: Option<char>, neighbour: Option<char>| {
        !edge.is_some_and(char::is_alphanumeric) || !neighbour.is_some_and(|c| c.is_alphanumeric() || c == '_')
    };
    let stands = |line: &str| {
        line.match_indices(text).any(|(at, _)| {
            at_edge(text.chars().next(), line[..at].chars().next_back())
                && at_edge(text.chars().next_back(), line[at + text.len()..].chars().next())
        })
    };
    numbered(source, stands)
}

/// A folder of one machine, and not the tail of a longer path.
pub(crate) fn lines_with_folder(source: &str, folder: &str) -> Vec<usize> {
    numbered(source, |line| {
        line.match_indices(folder).any(|(at, _)| {
            let before = line[..at].chars().next_back();
            !before.is_some_and(|c| c.is_alphanumeric() || "_.-}".contains(c))
        })
    })
}

/// Statements that end in `.ok();` and give their result to nobody.
pub(crate) fn thrown_away(source: &str) -> Vec<usize> {
    let mut statement = String::new();
    let mut found = Vec::new();
    for (number, line) in (1..).zip(source.lines()) {
        statement.push_str(line.trim());
        if line.ends_with([';', '{', '}']) {
            let is_kept =
                statement.starts_with("let ") || statement.starts_with("return ") || statement.contains(" = ");
            if statement.ends_with(".ok();") && !is_kept {
                found.push(number);
            }
            statement.clear();
        }
    }
    found
}

/// `// ----`, `// ====`, `// Step 2`.
pub(crate) fn banners(source: &str) -> Vec<usize> {
    numbered(source, |line| {
        let Some(comment) = line.trim_start().strip_prefix("//") else { return false };
        let comment = comment.trim_start_matches(['/', '!']).trim_start();
        let numbered_step = ["Step ", "Phase "].into_iter().filter_map(|word| comment.strip_prefix(word));
        ["----", "====", "####", "****"].into_iter().any(|rule| comment.starts_with(rule))
            || numbered_step.into_iter().any(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    })
}

/// Where the relative links of a Markdown text lead.
pub(crate) fn relative_links(markdown: &str) -> Vec<&str> {
    markdown
        .match_indices("](")
        .filter_map(|(at, _)| markdown[at + 2..].split_once(')'))
        .map(|(target, _)| target.split('#').next().unwrap_or(target))
        .filter(|target| !target.is_empty() && !target.contains("://") && !target.starts_with('/'))
        .collect()
}

/// Names of the public fields of structs whose names end in one of `endings`.
pub(crate) fn fields_of_structs(source: &str, endings: &[&str]) -> Vec<String> {
    let mut inside = false;
    let mut fields = Vec::new();
    for line in source.lines() {
        if let Some(name) = line.strip_suffix(" {").and_then(|line| line.rsplit_once("struct ")).map(|(_, name)| name) {
            inside = endings.iter().any(|ending| name.ends_with(ending));
        } else if line == "}" {
            inside = false;
        } else if inside && let Some(rest) = line.trim_start().strip_prefix("pub") {
            let declaration = rest.strip_prefix("(crate)").unwrap_or(rest).trim_start();
            fields.extend(declaration.split_once(": ").map(|(name, _)| name.to_owned()));
        }
    }
    fields
}

/// Texts of the shape `"/…"`: the paths of a router.
pub(crate) fn route_paths(source: &str) -> Vec<String> {
    let texts = source.match_indices("\"/").filter_map(|(at, _)| source[at + 1..].split('"').next());
    texts.filter(|path| !path.contains(char::is_whitespace)).map(str::to_owned).collect()
}

/// What stands between each `begin` and the next `end`.
pub(crate) fn between<'a>(source: &'a str, begin: &str, end: &str) -> Vec<&'a str> {
    let begun = source.match_indices(begin).map(|(at, _)| &source[at + begin.len()..]);
    begun.filter_map(|rest| rest.split_once(end).map(|(inside, _)| inside)).collect()
}

/// The quoted words of `const NAME: … = [ … ];`.
pub(crate) fn words_of<'a>(source: &'a str, name: &str) -> Vec<&'a str> {
    let lists = between(source, &format!("const {name}:"), "];");
    let list = lists.first().copied().unwrap_or("");
    list.split('"').skip(1).step_by(2).collect()
}

/// Variants of an enum, as clap names them: `ReloadRules` is `reload-rules`.
pub(crate) fn enum_words(source: &str, name: &str) -> BTreeSet<String> {
    let body = source.split(&format!("enum {name} {{")).nth(1).and_then(|rest| rest.split("\n}").next()).unwrap_or("");
    let variants = body.lines().map(str::trim).filter(|line| line.starts_with(char::is_uppercase));
    variants.map(|line| kebab(line.split(|c: char| !c.is_alphanumeric()).next().unwrap_or(line))).collect()
}

fn kebab(name: &str) -> String {
    let mut text = String::new();
    for (at, c) in name.char_indices() {
        if c.is_uppercase() && at > 0 {
            text.push('-');
        }
        text.extend(c.to_lowercase());
    }
    text
}

/// What follows the program's name, in code: at the beginning of a line, behind a prompt, or behind a backtick.
pub(crate) fn commands_shown<'a>(markdown: &'a str, program: &str) -> Vec<&'a str> {
    let mut shown = Vec::new();
    for line in markdown.lines() {
        for (at, _) in line.match_indices(program) {
            let before = &line[..at];
            let rest = line[at + program.len()..].strip_prefix(' ');
            if (before.is_empty() || before == "$ " || before.ends_with('`'))
                && let Some(rest) = rest
            {
                shown.extend(rest.split(|c: char| !c.is_alphanumeric() && c != '-').next());
            }
        }
    }
    shown
}

/// The code in the first cells of a Markdown text's tables; a cell may hold several.
pub(crate) fn first_cells(markdown: &str) -> Vec<&str> {
    let cells = markdown.lines().filter_map(|line| line.strip_prefix("| `")?.split(" | ").next());
    cells.flat_map(|cell| cell.split("`, `")).map(|code| code.trim_end_matches('`')).collect()
}

fn numbered(source: &str, stands: impl Fn(&str) -> bool) -> Vec<usize> {
    (1..).zip(source.lines()).filter(|(_, line)| stands(line)).map(|(number, _)| number).collect()
}

mod tests {
    use super::*;

    const SOURCE: &str = "\
//! Head.
//! Its second line.

fn one_line() {}

impl Shape for Square {
    pub(crate) async fn area(
        &self,
        unit: Unit,
    ) -> f64
    where
        Unit: Copy,
    {
        if unit == Unit::Metre {
            return 1.0;
        }
        2.0
    }

    fn declared(&self) -> f64;
}

pub const fn two() -> u8 {
    2
}

#[cfg(test)]
mod tests {
    fn three() {
        let a = 1;
    }
}
";

    #[test]
    fn functions_are_found_with_their_length() {
        let found: Vec<(String, usize, usize)> =
            functions(SOURCE).into_iter().map(|function| (function.name, function.line, function.length)).collect();
        let expected = [("area", 7, 12), ("two", 23, 3), ("three", 29, 3)];
        assert_eq!(found, expected.map(|(name, line, length)| (name.to_owned(), line, length)));
    }

    #[test]
    fn a_word_in_front_of_fn_is_no_function() {
        for line in ["// fn name() {", "let f: fn (u8) = g;", "    fns();", "type F = fn();"] {
            assert_eq!(function_name(line), None, "{line}");
        }
    }

    #[test]
    fn tests_are_left_out_and_heads_counted() {
        assert_eq!(production(SOURCE).lines().count(), 26);
        assert_eq!(production("fn a() {}\n"), "fn a() {}\n");
        assert_eq!(head_lines(SOURCE), 2);
        assert_eq!(head_lines("mod a;\n//! late\n"), 0);
    }

    #[test]
    fn texts_are_found_as_words() {
        assert_eq!(lines_with("a FIX\nFIXED\nPREFIX\n(FIX)", "FIX"), [1, 4]);
        assert_eq!(lines_with("a.b();\nb()", ".b();"), [1]);
        assert_eq!(lines_with("let _ = f();\nlet _guard = f();\nlet _ =\n", "let _ ="), [1, 3]);
    }

    #[test]
    fn results_given_to_nobody_are_found() {
        let text = "let a = b().ok();\nc().ok();\nlet d = e()\n    .ok();\nf(1)\n    .ok();\ng = h().ok();\n";
        assert_eq!(thrown_away(text), [2, 6]);
    }

    #[test]
    fn folders_are_found_at_their_beginning() {
        let text = "see /srv/a\nhttp://host/srv/b\n\"/srv/\"\n./srv/x";
        assert_eq!(lines_with_folder(text, "/srv/"), [1, 3]);
    }

    #[test]
    fn banners_and_numbered_steps_are_found() {
        let text = "// ------ parts\n//! # Head\n  // Step 2: go\n// Steps are few\n// a ---- b\n//=====\n";
        assert_eq!(banners(text), [1, 3, 6]);
    }

    #[test]
    fn fields_routes_and_keys_are_found() {
        let source = "pub struct AConfig {\n    /// Text.\n    pub(crate) one: u8,\n    pub two: B,\n    own: C,\n}\npub struct Else {\n    pub three: u8,\n}\n";
        assert_eq!(fields_of_structs(source, &["Config"]), ["one", "two"]);
        assert_eq!(route_paths("(\"/\", get(a)), (\"/api/{x}\", get(b)), \"no\""), ["/", "/api/{x}"]);
        assert_eq!(
            words_of("const K: [&str; 2] = [\n \"a\", \"b\",\n];\nconst L: [&str; 1] = [\"c\"];", "K"),
            ["a", "b"]
        );
    }

    #[test]
    fn commands_and_table_cells_are_found() {
        let source = "enum Command {\n    /// Text\n    Serve(Args),\n    ReloadRules,\n}\n";
        assert_eq!(enum_words(source, "Command"), ["reload-rules", "serve"].map(str::to_owned).into());
        let text = "culprit serve --x\n$ culprit sql 'a'\nthe `culprit tail` of culprit is\n";
        assert_eq!(commands_shown(text, "culprit"), ["serve", "sql", "tail"]);
        assert_eq!(first_cells("| `a`, `b` | c |\n|---|\n| d |\n| `e` | f |"), ["a", "b", "e"]);
    }

    #[test]
    fn links_into_the_repository_are_found() {
        let text = "[a](docs/a.md#x) [b](https://host/b) [c](#here) ![d](d.png) [e](/ui/)";
        assert_eq!(relative_links(text), ["docs/a.md", "d.png"]);
    }
}
