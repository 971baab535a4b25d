//! The files of the repository that people write.

use std::path::{Path, PathBuf};

/// What tools make, and what they download.
const MADE: [&str; 6] = ["target", "node_modules", "dist", ".git", ".cache", "test-results"];
const WRITTEN: [&str; 16] =
    ["rs", "toml", "md", "sql", "ts", "tsx", "mjs", "js", "css", "html", "json", "yml", "yaml", "sh", "test", "py"];
/// Files without an extension.
const WRITTEN_NAMES: [&str; 3] = ["Makefile", "run", ".gitignore"];

pub(crate) struct SourceFile {
    /// From the root of the repository, with slashes.
    pub(crate) path: String,
    pub(crate) text: String,
}

impl SourceFile {
    pub(crate) fn has_extension(&self, extensions: &[&str]) -> bool {
        self.path.rsplit_once('.').is_some_and(|(_, extension)| extensions.contains(&extension))
    }

    /// The name without its extension.
    pub(crate) fn stem(&self) -> &str {
        let name = self.path.rsplit('/').next().unwrap_or(&self.path);
        name.split('.').next().unwrap_or(name)
    }

    /// Files that only tests are compiled from.
    pub(crate) fn is_test(&self) -> bool {
        self.path.starts_with("tests/")
            || self.path.contains("/tests/")
            || self.path.ends_with("/tests.rs")
            || self.path.contains(".test.")
    }
}

pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

pub(crate) fn files() -> Vec<SourceFile> {
    let mut found = Vec::new();
    walk(root(), &mut found);
    found.sort();
    found.into_iter().map(read).collect()
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
    let entries = std::fs::read_dir(folder).expect("the repository can be listed");
    for entry in entries {
        let path = entry.expect("the repository can be listed").path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or("");
        if path.is_dir() && !path.is_symlink() {
            if !MADE.contains(&name) {
                walk(&path, found);
            }
        } else if is_written(&path, name) {
            found.push(path);
        }
    }
}

fn is_written(path: &Path, name: &str) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or("");
    (WRITTEN.contains(&extension) || WRITTEN_NAMES.contains(&name)) && name != "package-lock.json"
}

fn read(path: PathBuf) -> SourceFile {
    let text = std::fs::read_to_string(&path).expect("a source file is UTF-8 text");
    let relative = path.strip_prefix(root()).expect("the walk began at the root");
    SourceFile { path: relative.to_string_lossy().replace('\\', "/"), text }
}
