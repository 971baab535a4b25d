//! Where the demo's server keeps its data: a folder that was asked for and stays, or a temporary one that goes.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::error::CliError;

const RULES: &str = include_str!("demo-rules.yml");
const RULES_FILE: &str = "demo-rules.yml";

pub(super) struct Folder {
    path: PathBuf,
    temporary: Option<TempDir>,
    /// False when an earlier demo has left its data there.
    pub(super) is_new: bool,
}

impl Folder {
    pub(super) fn open(asked_for: Option<PathBuf>) -> Result<Self, CliError> {
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
        let rules = path.join(RULES_FILE);
        let is_new = !rules.exists();
        // Rules that somebody has edited stay as they are.
        if is_new {
            std::fs::write(&rules, RULES).map_err(CliError::io("write", &rules))?;
        }
        Ok(Self { path, temporary, is_new })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn rules(&self) -> PathBuf {
        self.path.join(RULES_FILE)
    }

    /// Removes a temporary folder; the server must have left it.
    pub(super) fn close(self) -> Result<(), CliError> {
        match self.temporary {
            Some(folder) => folder.close().map_err(CliError::io("remove the demo's data folder", &self.path)),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_temporary_folder_goes_and_another_stays_with_its_rules() {
        let temporary = Folder::open(None).unwrap();
        let path = temporary.path().to_owned();
        assert!(temporary.is_new && temporary.rules().exists());
        temporary.close().unwrap();
        assert!(!path.exists());

        let home = tempfile::tempdir().unwrap();
        let asked_for = home.path().join("demo");
        Folder::open(Some(asked_for.clone())).unwrap().close().unwrap();
        std::fs::write(asked_for.join(RULES_FILE), "groups: []").unwrap();
        let again = Folder::open(Some(asked_for.clone())).unwrap();
        assert!(!again.is_new);
        assert_eq!(std::fs::read_to_string(again.rules()).unwrap(), "groups: []");
    }

    #[test]
    fn the_rules_have_no_mistakes() {
        let folder = Folder::open(None).unwrap();
        let report = culprit_alerting::check_rule_file(&folder.rules()).unwrap();
        assert!(report.is_ok() && report.rules.len() == 2, "{report:?}");
        folder.close().unwrap();
    }
}
