//! The rules of the house that can be counted: which crate may lean on which, sizes of files and functions as ratchets, heads, names, banned words.
//!
//! A ratchet lists what breaks its rule today by name; an entry that no longer breaks it must go, so that a list only ever gets shorter.

#[path = "layout/scan.rs"]
mod scan;
#[path = "layout/tree.rs"]
mod tree;

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, MetadataCommand, Package};
use scan::*;
use tree::{SourceFile, files, root};

/// Who may lean on whom. The root package knows everybody, and nobody knows it.
const ARROWS: [(&str, &[&str]); 9] = [
    ("culprit-store", &[]),
    // Measures from outside, over HTTP.
    ("culprit-bench", &[]),
    ("culprit-ingest", &["culprit-store"]),
    ("culprit-query", &["culprit-store"]),
    ("culprit-rca", &["culprit-query", "culprit-store"]),
    ("culprit-alerting", &["culprit-query", "culprit-store"]),
    ("culprit-dashboards", &["culprit-query", "culprit-store"]),
    (
        "culprit-web",
        &["culprit-alerting", "culprit-dashboards", "culprit-ingest", "culprit-query", "culprit-rca", "culprit-store"],
    ),
    (
        "culprit",
        &[
            "culprit-alerting",
            "culprit-dashboards",
            "culprit-ingest",
            "culprit-query",
            "culprit-rca",
            "culprit-store",
            "culprit-web",
        ],
    ),
];

/// Libraries that have one home, so that what they bring does not spread.
const HOMES: [(&str, &[&str]); 12] = [
    ("axum", &["culprit-web"]),
    ("hyper", &["culprit-web"]),
    ("tower-http", &["culprit-web"]),
    ("rust-embed", &["culprit-web"]),
    ("datafusion", &["culprit-query", "culprit-rca"]),
    ("promql-parser", &["culprit-query"]),
    ("sqlx", &["culprit-store"]),
    ("crc32c", &["culprit-store"]),
    ("snap", &["culprit-ingest", "culprit"]),
    ("lettre", &["culprit-alerting"]),
    ("clap", &["culprit"]),
    ("indicatif", &["culprit"]),
];

const FILE_LINES_MAX: usize = 800;
const FUNCTION_LINES_MAX: usize = 70;
/// Files above the limit.
const LONG_FILES: [&str; 0] = [];
/// Functions above the limit, as `file: function`.
const LONG_FUNCTIONS: [&str; 0] = [];

/// In Rust that is shipped: errors thrown away, lints and tests switched off.
const BANNED_CODE: [&str; 5] = ["let _ =", "#[allow", "#![allow", "todo!", "unimplemented!"];
const BANNED_ANYWHERE: [&str; 4] = ["TODO", "FIXME", "#[ignore", "XXX"];
/// Folders of one machine: what leans on them works there alone.
const MACHINE_FOLDERS: [&str; 3] = ["/work/", "/root/", "/farm/"];
/// What such files hold belongs into a file with a name of its own.
const BANNED_NAMES: [&str; 6] = ["utils", "util", "common", "helpers", "helper", "types"];
/// Documents say what is there; the reader praises.
const PRAISE: [&str; 8] =
    ["blazing", "seamless", "seamlessly", "effortless", "cutting-edge", "world-class", "state-of-the-art", "lightning"];
/// The rules name what they ban.
const THIS: [&str; 2] = ["tests/layout.rs", "tests/layout/scan.rs"];

/// All but these of rca/ is Arrow in, explanations out.
const RCA_WITH_IO: [&str; 4] = ["rca/src/gather", "rca/src/investigate/gather", "rca/src/sql", "rca/src/lib.rs"];
const IO_WORDS: [&str; 8] =
    ["std::fs", "std::net", "std::process", "tokio::", "datafusion", "Instant::now", "SystemTime", "Storage"];

fn packages() -> Vec<Package> {
    let manifest = root().join("Cargo.toml");
    MetadataCommand::new().manifest_path(manifest).no_deps().exec().expect("cargo reads its own manifests").packages
}

fn sources() -> Vec<SourceFile> {
    files().into_iter().filter(|file| !THIS.contains(&file.path.as_str())).collect()
}

/// Fails with one line per finding.
fn expect_none(rule: &str, findings: &[String]) {
    assert!(findings.is_empty(), "{rule}:\n{}", findings.join("\n"));
}

fn at_lines(file: &SourceFile, what: &str, lines: &[usize]) -> Vec<String> {
    lines.iter().map(|line| format!("{}:{line}: {what}", file.path)).collect()
}

#[test]
fn crates_lean_on_each_other_as_the_arrows_say() {
    let allowed: BTreeMap<&str, BTreeSet<String>> =
        ARROWS.iter().map(|(from, to)| (*from, to.iter().map(|to| (*to).to_owned()).collect())).collect();
    let packages = packages();
    let names: BTreeSet<&str> = packages.iter().map(|package| package.name.as_str()).collect();
    assert_eq!(names, allowed.keys().copied().collect(), "the workspace's crates");
    for package in &packages {
        let wanted = &allowed[package.name.as_str()];
        let ours = |kinds: &[DependencyKind]| -> BTreeSet<String> {
            let of_kind = package.dependencies.iter().filter(|dependency| kinds.contains(&dependency.kind));
            of_kind.filter(|dependency| dependency.path.is_some()).map(|dependency| dependency.name.clone()).collect()
        };
        assert_eq!(&ours(&[DependencyKind::Normal]), wanted, "dependencies of {}", package.name);
        let beside = ours(&[DependencyKind::Development, DependencyKind::Build]);
        assert!(beside.is_subset(wanted), "{} may not lean on {beside:?}, not in tests either", package.name);
    }
}

#[test]
fn libraries_stay_at_home() {
    let mut strangers = Vec::new();
    for package in packages() {
        for dependency in
            package.dependencies.iter().filter(|dependency| dependency.kind != DependencyKind::Development)
        {
            let home = HOMES.iter().find(|(library, _)| *library == dependency.name);
            if home.is_some_and(|(_, homes)| !homes.contains(&package.name.as_str())) {
                strangers.push(format!("{} in {}", dependency.name, package.name));
            }
        }
    }
    expect_none("a library outside of its home", &strangers);
}

/// query re-exports the engine for rca; the manifests cannot see who else takes it from there.
#[test]
fn the_sql_engine_is_named_in_query_and_rca_alone() {
    const ENGINE: &str = "datafusion::";
    let elsewhere = sources().into_iter().filter(|file| {
        file.has_extension(&["rs"]) && !file.path.starts_with("query/") && !file.path.starts_with("rca/src/sql")
    });
    let findings: Vec<String> =
        elsewhere.flat_map(|file| at_lines(&file, ENGINE, &lines_with(&file.text, ENGINE))).collect();
    expect_none("DataFusion types outside of query/ and rca/src/sql.rs", &findings);
}

#[test]
fn the_search_for_causes_is_pure() {
    let pure = sources().into_iter().filter(|file| {
        let with_io = RCA_WITH_IO.iter().any(|prefix| file.path.starts_with(prefix));
        file.path.starts_with("rca/src/") && !with_io && !file.is_test()
    });
    let findings: Vec<String> = pure
        .flat_map(|file| {
            let words =
                IO_WORDS.iter().flat_map(|word| at_lines(&file, word, &lines_with(production(&file.text), word)));
            words.collect::<Vec<_>>()
        })
        .collect();
    expect_none("I/O in rca/ outside of gather and sql", &findings);
}

#[test]
fn files_stay_short() {
    let code = sources().into_iter().filter(|file| file.has_extension(&["rs", "ts", "tsx", "mjs"]));
    let long: BTreeSet<String> =
        code.filter(|file| production(&file.text).lines().count() > FILE_LINES_MAX).map(|file| file.path).collect();
    let known: BTreeSet<String> = LONG_FILES.iter().map(|path| (*path).to_owned()).collect();
    assert_eq!(long, known, "files of more than {FILE_LINES_MAX} lines; split them, or shorten LONG_FILES");
}

#[test]
fn functions_stay_short() {
    let mut long = BTreeSet::new();
    for file in sources().iter().filter(|file| file.has_extension(&["rs"])) {
        let too_long = functions(&file.text).into_iter().filter(|function| function.length > FUNCTION_LINES_MAX);
        long.extend(too_long.map(|function| format!("{}: {}", file.path, function.name)));
    }
    let known: BTreeSet<String> = LONG_FUNCTIONS.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(long, known, "functions of more than {FUNCTION_LINES_MAX} lines; split them, or shorten LONG_FUNCTIONS");
}

#[test]
fn every_file_says_what_it_is() {
    let rust = sources().into_iter().filter(|file| file.has_extension(&["rs"]) && !file.path.ends_with("/tests.rs"));
    let mut findings = Vec::new();
    for file in rust {
        let lines = head_lines(&file.text);
        let is_crate = file.path.ends_with("src/lib.rs");
        match lines {
            0 if !file.path.contains("/tests/") => findings.push(format!("{} has no `//!` head", file.path)),
            lines if is_crate && !(5..=20).contains(&lines) => {
                findings.push(format!("{} has a head of {lines} lines, not 5 to 20", file.path));
            }
            _ => {}
        }
    }
    expect_none("heads", &findings);
}

#[test]
fn files_are_named_after_what_they_hold() {
    let code = sources().into_iter().filter(|file| file.has_extension(&["rs", "ts", "tsx", "mjs"]));
    let findings: Vec<String> = code.filter(|file| BANNED_NAMES.contains(&file.stem())).map(|file| file.path).collect();
    expect_none("names that say nothing", &findings);
}

#[test]
fn banned_words_stay_out() {
    let mut findings = Vec::new();
    for file in sources() {
        for word in BANNED_ANYWHERE {
            findings.extend(at_lines(&file, word, &lines_with(&file.text, word)));
        }
        if file.has_extension(&["rs"]) && !file.is_test() {
            for word in BANNED_CODE {
                findings.extend(at_lines(&file, word, &lines_with(production(&file.text), word)));
            }
        }
        if file.has_extension(&["rs"]) && !file.is_test() {
            findings.extend(at_lines(&file, "a result thrown away", &thrown_away(production(&file.text))));
        }
        if file.has_extension(&["rs", "ts", "tsx", "mjs"]) {
            findings.extend(at_lines(&file, "banner or numbered step", &banners(&file.text)));
        }
    }
    expect_none("banned words", &findings);
}

#[test]
fn nothing_leans_on_one_machine() {
    let mut findings = Vec::new();
    for file in sources() {
        for folder in MACHINE_FOLDERS {
            findings.extend(at_lines(&file, folder, &lines_with_folder(&file.text, folder)));
        }
    }
    expect_none("folders of one machine", &findings);
}

#[test]
fn documents_lead_somewhere_and_do_not_praise() {
    let mut findings = Vec::new();
    for file in sources().iter().filter(|file| file.has_extension(&["md"])) {
        let folder = root().join(&file.path);
        let folder = folder.parent().unwrap_or(root());
        let broken = relative_links(&file.text).into_iter().filter(|target| !folder.join(target).exists());
        findings.extend(broken.map(|target| format!("{} links to {target}, which is not there", file.path)));
        for word in PRAISE {
            findings.extend(at_lines(file, word, &lines_with(&file.text.to_lowercase(), word)));
        }
    }
    expect_none("documents", &findings);
}

/// Structs whose fields are keys of the configuration.
const CONFIGURATION: [&str; 6] = [
    "src/config.rs",
    "alerting/src/config.rs",
    "alerting/src/notify/webhook.rs",
    "alerting/src/notify/email.rs",
    "alerting/src/notify/slack.rs",
    "alerting/src/notify/dingtalk.rs",
];

/// What the page's table of channels has in its first column.
const CHANNELS: [&str; 4] = ["webhook", "email", "slack", "dingtalk"];

#[test]
fn the_page_of_the_configuration_names_every_key() {
    let page = text_of("docs/configuration.md");
    let mut keys: BTreeSet<String> = BTreeSet::new();
    for path in CONFIGURATION {
        keys.extend(fields_of_structs(production(&text_of(path)), &["Config", "Section"]));
    }
    assert!(keys.len() > 20, "the scan of the configuration found only {keys:?}");
    let is_named = |key: &&String| page.contains(&format!("`{key}`")) || page.contains(&format!("`[{key}]`"));
    let missing: Vec<String> = keys.iter().filter(|key| !is_named(key)).cloned().collect();
    expect_none("keys that docs/configuration.md does not name", &missing);
    let is_key = |cell: &&str| cell.chars().all(|c| c.is_lowercase() || c == '_');
    let invented: Vec<String> = first_cells(&page)
        .into_iter()
        .filter(is_key)
        .filter(|cell| !keys.contains(*cell) && !CHANNELS.contains(cell))
        .map(str::to_owned)
        .collect();
    expect_none("keys of docs/configuration.md that are not there", &invented);
}

#[test]
fn the_page_of_http_names_every_route() {
    let page = text_of("docs/http.md");
    let routes = route_paths(production(&text_of("web/src/router.rs")));
    assert!(routes.len() > 15, "the scan of the router found only {routes:?}");
    let mut missing: Vec<String> = routes.into_iter().filter(|route| !page.contains(route.as_str())).collect();
    let prometheus = text_of("web/src/prometheus.rs");
    let routes = between(&prometheus, "both!(\"", "\"");
    assert!(routes.len() > 5, "the scan of Prometheus' routes found only {routes:?}");
    missing
        .extend(routes.iter().filter(|route| !page.contains(&format!("`{route}`"))).map(|route| (*route).to_owned()));
    expect_none("routes that docs/http.md does not name", &missing);
}

#[test]
fn the_page_of_rules_names_every_key() {
    let page = text_of("docs/rules.md");
    let source = text_of("alerting/src/rules/file.rs");
    let keys: Vec<&str> =
        ["GROUP_KEYS", "RULE_KEYS", "EXPLAIN_KEYS"].into_iter().flat_map(|list| words_of(&source, list)).collect();
    assert!(keys.len() > 20, "the scan of the rule file's keys found only {keys:?}");
    let missing: Vec<String> =
        keys.iter().filter(|key| !page.contains(&format!("`{key}`"))).map(|key| (*key).to_owned()).collect();
    expect_none("keys that docs/rules.md does not name", &missing);
}

/// Whoever types what a page shows gets an answer.
#[test]
fn commands_in_documents_exist() {
    let main = text_of("src/main.rs");
    let known = enum_words(&main, "Command");
    assert!(known.contains("serve") && known.len() > 5, "the scan of the command line found only {known:?}");
    let mut findings = Vec::new();
    for file in sources().iter().filter(|file| file.has_extension(&["md"])) {
        let unknown = commands_shown(&file.text, "culprit").into_iter().filter(|command| !known.contains(*command));
        findings.extend(unknown.map(|command| format!("{} shows `culprit {command}`", file.path)));
    }
    expect_none("commands that are not there", &findings);
}

fn text_of(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[test]
fn the_map_has_a_reason_for_every_dependency() {
    let map = text_of("ARCHITECTURE.md");
    let foreign = packages().into_iter().flat_map(|package| package.dependencies);
    let names: BTreeSet<String> = foreign.filter(|found| found.path.is_none()).map(|found| found.name).collect();
    let unnamed: Vec<String> = names.into_iter().filter(|name| lines_with(&map, name).is_empty()).collect();
    expect_none("dependencies that ARCHITECTURE.md does not name", &unnamed);
}

#[test]
fn no_dependency_is_idle() {
    let sources = sources();
    let mut idle = Vec::new();
    for package in packages() {
        let folder = package.manifest_path.parent().map_or_else(String::new, |folder| format!("{folder}/src/"));
        let own: Vec<&SourceFile> =
            sources.iter().filter(|file| root().join(&file.path).starts_with(&folder)).collect();
        assert!(!own.is_empty(), "no sources of {} below {folder}", package.name);
        for dependency in package.dependencies.iter().filter(|dependency| dependency.kind == DependencyKind::Normal) {
            // The one whose library has another name.
            let name = if dependency.name == "md-5" { "md5".to_owned() } else { dependency.name.replace('-', "_") };
            if own.iter().all(|file| lines_with(&file.text, &name).is_empty()) {
                idle.push(format!("{} in {}", dependency.name, package.name));
            }
        }
    }
    expect_none("dependencies that nothing uses", &idle);
}

/// The map is of use as long as somebody reads it to the end.
#[test]
fn the_map_stays_short() {
    let map = std::fs::read_to_string(root().join("ARCHITECTURE.md")).expect("the map is there");
    assert!(map.lines().count() < 250, "ARCHITECTURE.md has {} lines", map.lines().count());
}
