//! `culprit rules check`: every rule of a file with its verdict.

use std::path::Path;

use serde::Serialize;

use super::file::{Problem, parse_rule_file};
use crate::error::AlertingError;
use crate::limits::RULE_FILE_BYTES_MAX;

/// The verdict on one file: its good rules, and its mistakes.
#[derive(Debug, Serialize)]
pub struct FileReport {
    pub file: String,
    pub rules: Vec<RuleReport>,
    pub errors: Vec<RuleReport>,
}

/// A rule that is well (`error` is absent), or a mistake.
#[derive(Debug, Serialize)]
pub struct RuleReport {
    pub file: String,
    pub line: usize,
    pub group: Option<String>,
    pub rule: Option<String>,
    pub error: Option<String>,
}

/// `FILE:LINE: ok NAME` or `FILE:LINE: MISTAKE`.
impl std::fmt::Display for RuleReport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { file, line, .. } = self;
        match (&self.error, &self.rule) {
            (Some(error), _) => write!(f, "{file}:{line}: {error}"),
            (None, rule) => write!(f, "{file}:{line}: ok {}", rule.as_deref().unwrap_or("")),
        }
    }
}

impl FileReport {
    pub fn is_ok(&self) -> bool {
        self.errors.is_empty()
    }
}

pub fn check_rule_file(path: &Path) -> Result<FileReport, AlertingError> {
    let file = path.display().to_string();
    let text = read_rule_text(path)?;
    let parsed = parse_rule_file(&file, &text);
    let rules = parsed.groups.iter().flat_map(|group| {
        group.rules.iter().map(|rule| RuleReport {
            file: file.clone(),
            line: rule.place.line(&text),
            group: Some(group.name.clone()),
            rule: Some(rule.name().to_owned()),
            error: None,
        })
    });
    let rules = rules.collect();
    let error = |problem: Problem| RuleReport {
        file: problem.file,
        line: problem.line,
        group: None,
        rule: None,
        error: Some(problem.why),
    };
    Ok(FileReport { file, rules, errors: parsed.problems.into_iter().map(error).collect() })
}

/// The text of a rule file, refused when it is too large to be one.
pub(crate) fn read_rule_text(path: &Path) -> Result<String, AlertingError> {
    let read = |source| AlertingError::Read { path: path.to_owned(), source };
    let bytes = std::fs::metadata(path).map_err(read)?.len();
    if bytes > RULE_FILE_BYTES_MAX {
        let why = format!("it has {bytes} bytes, more than {RULE_FILE_BYTES_MAX}, too large for a rule file");
        return Err(read(std::io::Error::new(std::io::ErrorKind::FileTooLarge, why)));
    }
    std::fs::read_to_string(path).map_err(read)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rule_has_its_verdict() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("r.yml");
        std::fs::write(&path, "groups:\n- name: a\n  rules:\n  - {alert: X, expr: up}\n  - {alert: Y, exrp: up}\n")
            .unwrap();
        let report = check_rule_file(&path).unwrap();
        let shown = |reports: &[RuleReport]| {
            let lines = reports.iter().map(|report| report.to_string().replace(&report.file, "r.yml"));
            lines.collect::<Vec<_>>()
        };
        assert_eq!(shown(&report.rules), ["r.yml:4: ok X"]);
        let errors = shown(&report.errors);
        assert!(errors[0].starts_with("r.yml:5: unknown key \"exrp\" in rule \"Y\""), "{errors:?}");
        assert!(!report.is_ok() && check_rule_file(&folder.path().join("none.yml")).is_err());
    }
}
