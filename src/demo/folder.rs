//! Where the demo's server keeps its data: a folder that was asked for and stays, or a temporary one that goes.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use tempfile::TempDir;

use super::scenario::Scenario;
use crate::error::CliError;

pub(super) struct Folder {
    path: PathBuf,
    rules: PathBuf,
    temporary: Option<TempDir>,
    /// False when an earlier demo has left its data there.
    pub(super) is_new: bool,
}

impl Folder {
    pub(super) fn open(asked_for: Option<PathBuf>, scenario: Scenario) -> Result<Self, CliError> {
        let (path, temporary) = match asked_for {
            Some(path) => {
                std::fs::create_dir_all(&path).map_err(CliError::io("create the data folder", &path))?;
                (path, None)
            }
            None => {
                let folder = tempfile::Builder::new().prefix("culprit-demo-").tempdir();
                let folder = folder.map_err(CliError::io("create a data folder in", std::env::temp_dir()))?;
                (folder.path().to_owned(), Some(folder))
            }
        };
        let is_new = !Scenario::value_variants().iter().any(|scenario| path.join(rules_file(*scenario)).exists());
        let rules = path.join(rules_file(scenario));
        // Rules that somebody has edited stay as they are.
        if !rules.exists() {
            std::fs::write(&rules, scenario.rules()).map_err(CliError::io("write", &rules))?;
        }
        Ok(Self { path, rules, temporary, is_new })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn rules(&self) -> &Path {
        &self.rules
    }

    /// Removes a temporary folder; the server must have left it.
    pub(super) fn close(self) -> Result<(), CliError> {
        match self.temporary {
            Some(folder) => folder.close().map_err(CliError::io("remove the demo's data folder", &self.path)),
            None => Ok(()),
        }
    }
}

fn rules_file(scenario: Scenario) -> String {
    format!("demo-{}.yml", scenario.name())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_temporary_folder_goes_and_another_stays_with_its_rules() {
        let temporary = Folder::open(None, Scenario::Customer).unwrap();
        let path = temporary.path().to_owned();
        assert!(temporary.is_new && temporary.rules().exists());
        temporary.close().unwrap();
        assert!(!path.exists());

        let home = tempfile::tempdir().unwrap();
        let asked_for = home.path().join("demo");
        Folder::open(Some(asked_for.clone()), Scenario::FullDisk).unwrap().close().unwrap();
        std::fs::write(asked_for.join("demo-full-disk.yml"), "groups: []").unwrap();
        let again = Folder::open(Some(asked_for.clone()), Scenario::FullDisk).unwrap();
        assert!(!again.is_new);
        assert_eq!(std::fs::read_to_string(again.rules()).unwrap(), "groups: []");
        let other = Folder::open(Some(asked_for), Scenario::BadDeploy).unwrap();
        assert!(!other.is_new && other.rules() != again.rules(), "another incident in the shop that is there");
    }

    #[test]
    fn the_rules_have_no_mistakes() {
        for scenario in Scenario::value_variants() {
            let folder = Folder::open(None, *scenario).unwrap();
            let report = culprit_alerting::check_rule_file(folder.rules()).unwrap();
            assert!(report.is_ok() && !report.rules.is_empty(), "{scenario:?}: {report:?}");
            folder.close().unwrap();
        }
    }
}
