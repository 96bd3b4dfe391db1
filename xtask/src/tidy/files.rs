//! The text files of the repository: what git tracks and what it would track.
//!
//! Invariant: ignored and binary files never appear; paths are relative to the root and use `/`.

use crate::workspace::{command, output};
use std::{fs, path::Path};

pub struct File {
    pub path: String,
    pub text: String,
}

pub fn of_the_repository(root: &Path) -> Result<Vec<File>, String> {
    let listed = output(command("git").args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]));
    let mut paths = match listed {
        Ok(listed) => listed.split_terminator('\0').map(str::to_owned).collect(),
        // A source archive, or a checkout that git refuses to open because it belongs to somebody else.
        Err(_) => walk(root, "")?,
    };
    paths.sort();
    paths.dedup();
    let mut files = Vec::new();
    for path in paths {
        // A file that was deleted and not yet staged is still listed.
        let Ok(bytes) = fs::read(root.join(&path)) else { continue };
        if let Ok(text) = String::from_utf8(bytes) {
            files.push(File { path, text });
        }
    }
    if files.is_empty() { Err(format!("{} holds no files", root.display())) } else { Ok(files) }
}

fn walk(root: &Path, folder: &str) -> Result<Vec<String>, String> {
    let problem = |error| format!("cannot read {folder:?} below {}: {error}", root.display());
    let mut paths = Vec::new();
    for entry in fs::read_dir(root.join(folder)).map_err(problem)? {
        let entry = entry.map_err(problem)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
        let kind = entry.file_type().map_err(problem)?;
        if kind.is_file() {
            paths.push(path);
        } else if kind.is_dir() && !["target", ".git", "node_modules"].contains(&name.as_str()) {
            paths.extend(walk(root, &path)?);
        }
    }
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_walk_finds_what_git_finds_in_this_crate() {
        let root = crate::workspace::root();
        let mut walked = walk(&root, "xtask").unwrap();
        walked.sort();
        assert!(walked.contains(&"xtask/Cargo.toml".to_owned()));
        assert!(walked.contains(&"xtask/src/tidy/files.rs".to_owned()));
        let listed = of_the_repository(&root).unwrap();
        for file in listed.iter().filter(|file| file.path.starts_with("xtask/src/")) {
            assert!(walked.contains(&file.path), "{}", file.path);
        }
    }
}
