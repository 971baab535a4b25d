//! Rule files on disk: which ones the patterns name, and what has changed in them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use regex::Regex;

use crate::error::AlertingError;
use crate::limits::RULE_FILES_MAX;
use crate::rules::{GroupSpec, parse_rule_file, read_rule_text};

/// A file as it was last read. A broken one keeps the groups that it had when it was whole.
#[derive(Debug, Clone, Default)]
pub(crate) struct LoadedFile {
    pub groups: Vec<GroupSpec>,
    /// What is wrong with the newest content.
    pub errors: Vec<String>,
    hash: u64,
}

pub(crate) type Files = BTreeMap<PathBuf, LoadedFile>;

/// What reading again has found.
#[derive(Debug, Default)]
pub(crate) struct Reading {
    pub(crate) files: Files,
    pub(crate) is_changed: bool,
    /// Errors that were not there the last time; each is said once.
    pub(crate) new_errors: Vec<String>,
}

/// Reads all files; those with the same content as in `known` are not parsed again.
pub(crate) fn read_files(patterns: &[String], known: &Files) -> Result<Reading, AlertingError> {
    let mut reading = Reading::default();
    for path in paths(patterns)? {
        let old = known.get(&path);
        let loaded = read_one(&path, old);
        if old.is_none_or(|old| old.hash != loaded.hash || old.errors != loaded.errors) {
            reading.is_changed = true;
            reading.new_errors.extend(loaded.errors.iter().cloned());
        }
        reading.files.insert(path, loaded);
    }
    reading.is_changed |= known.keys().any(|path| !reading.files.contains_key(path));
    Ok(reading)
}

fn read_one(path: &Path, old: Option<&LoadedFile>) -> LoadedFile {
    let kept = || old.map_or_else(Vec::new, |old| old.groups.clone());
    let text = match read_rule_text(path) {
        Ok(text) => text,
        Err(error) => return LoadedFile { groups: kept(), errors: vec![error.to_string()], hash: 0 },
    };
    let hash = xxhash_rust::xxh3::xxh3_64(text.as_bytes());
    if let Some(old) = old.filter(|old| old.hash == hash) {
        return old.clone();
    }
    let parsed = parse_rule_file(&path.display().to_string(), &text);
    if parsed.problems.is_empty() {
        return LoadedFile { groups: parsed.groups, errors: Vec::new(), hash };
    }
    LoadedFile { groups: kept(), errors: parsed.problems.iter().map(ToString::to_string).collect(), hash }
}

fn paths(patterns: &[String]) -> Result<BTreeSet<PathBuf>, AlertingError> {
    let mut paths = BTreeSet::new();
    for pattern in patterns {
        let path = Path::new(pattern);
        let last = path.file_name().and_then(|name| name.to_str()).unwrap_or("");
        if path.is_dir() {
            paths.extend(matching(path, "*.yml")?);
            paths.extend(matching(path, "*.yaml")?);
        } else if last.contains(['*', '?']) {
            paths.extend(matching(path.parent().unwrap_or(Path::new("")), last)?);
        } else {
            // A file that is not there is an error of its own, said by reading it.
            paths.insert(path.to_owned());
        }
    }
    if paths.len() > RULE_FILES_MAX {
        return Err(AlertingError::TooManyFiles { count: paths.len(), limit: RULE_FILES_MAX });
    }
    Ok(paths)
}

/// Files of a folder whose names match; a folder that is not there holds none.
fn matching(folder: &Path, pattern: &str) -> Result<Vec<PathBuf>, AlertingError> {
    let escaped = regex::escape(pattern).replace(r"\*", ".*").replace(r"\?", ".");
    let regex = Regex::new(&format!("^{escaped}$"))
        .map_err(|source| AlertingError::Pattern { path: pattern.to_owned(), source: Box::new(source) })?;
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let read = |source| AlertingError::Read { path: folder.to_owned(), source };
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(read)?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.map_err(read)?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        if name.is_some_and(|name| regex.is_match(name)) && path.is_file() {
            found.push(path);
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "groups:\n- name: a\n  rules:\n  - {alert: X, expr: up}\n";

    fn groups(reading: &Reading) -> Vec<&str> {
        reading.files.values().flat_map(|file| file.groups.iter().map(|group| group.name.as_str())).collect()
    }

    #[test]
    fn changes_are_seen_and_a_broken_file_keeps_its_rules() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("one.yml");
        let patterns = [folder.path().join("*.yml").display().to_string()];
        std::fs::write(&file, GOOD).unwrap();
        std::fs::write(folder.path().join("two.txt"), "not rules").unwrap();
        let first = read_files(&patterns, &Files::new()).unwrap();
        assert!(first.is_changed && groups(&first) == ["a"]);
        assert!(!read_files(&patterns, &first.files).unwrap().is_changed);

        std::fs::write(&file, GOOD.replace("expr", "exrp")).unwrap();
        let broken = read_files(&patterns, &first.files).unwrap();
        assert!(broken.is_changed && groups(&broken) == ["a"]);
        assert!(broken.new_errors[0].contains("one.yml:4: unknown key \"exrp\""), "{:?}", broken.new_errors);
        let still = read_files(&patterns, &broken.files).unwrap();
        assert!(!still.is_changed && still.new_errors.is_empty());
        assert_eq!(still.files[&file].errors.len(), 2);

        std::fs::write(&file, GOOD.replace("name: a", "name: b")).unwrap();
        let mended = read_files(&patterns, &still.files).unwrap();
        assert_eq!((groups(&mended), mended.files[&file].errors.len()), (vec!["b"], 0));
        std::fs::remove_file(&file).unwrap();
        let gone = read_files(&patterns, &mended.files).unwrap();
        assert!(gone.is_changed && gone.files.is_empty());
    }

    #[test]
    fn a_named_file_that_is_missing_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let reading = read_files(&[folder.path().join("no.yml").display().to_string()], &Files::new()).unwrap();
        assert!(reading.new_errors[0].contains("no.yml"), "{:?}", reading.new_errors);
        let folders = read_files(&[folder.path().display().to_string()], &Files::new()).unwrap();
        assert!(folders.files.is_empty() && !folders.is_changed);
    }
}
