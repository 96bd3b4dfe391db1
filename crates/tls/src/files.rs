//! Files of keys and certificates that this program writes.
//!
//! Invariant: nothing is overwritten by [`create`], a private key is readable for its owner alone from its first byte, and
//! what has a file's name is whole.

use std::{
    fs::{self, OpenOptions},
    io::{ErrorKind, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

/// Who may read a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Readers {
    Owner,
    Everybody,
}

impl Readers {
    fn mode(self) -> u32 {
        match self {
            Self::Owner => 0o600,
            Self::Everybody => 0o644,
        }
    }
}

/// Writes a new file; false, and nothing is changed, if there is one. The error is a sentence.
pub fn create(path: &Path, content: &str, readers: Readers) -> Result<bool, String> {
    let written = write_beside(path, content, readers)?;
    // A link fails where a rename would overwrite.
    let linked = fs::hard_link(&written, path);
    let _ = fs::remove_file(&written);
    match linked {
        Ok(()) => sync_parent(path).map(|()| true),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(not_written(path, &error)),
    }
}

/// Writes a file in the place of whatever is there. The error is a sentence.
pub fn replace(path: &Path, content: &str, readers: Readers) -> Result<(), String> {
    let written = write_beside(path, content, readers)?;
    fs::rename(&written, path).map_err(|error| not_written(path, &error))?;
    sync_parent(path)
}

/// Makes a directory, and those above it, that its owner alone can read; one that is there stays as it is.
pub fn create_directory(path: &Path) -> Result<(), String> {
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|error| format!("The directory {} cannot be made: {error}.", path.display()))
}

pub fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("The file {} cannot be read: {error}.", path.display()))
}

/// Reads a private key. One that others may read is refused.
pub fn read_private(path: &Path) -> Result<String, String> {
    let mode = fs::metadata(path).map(|metadata| metadata.permissions().mode() & 0o777).unwrap_or_default();
    if mode & 0o077 != 0 {
        return Err(format!(
            "The private key {0} can be read by others (mode {mode:o}). If it may have been read, make a new one; \
             else: chmod 600 {0}.",
            path.display()
        ));
    }
    read(path)
}

/// Under a name of its own, whole and on the disk.
fn write_beside(path: &Path, content: &str, readers: Readers) -> Result<PathBuf, String> {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let beside = path.with_file_name(format!(".{name}.{}", std::process::id()));
    // Left by a process of the same number that was killed.
    let _ = fs::remove_file(&beside);
    let write = || {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(readers.mode()).open(&beside)?;
        file.write_all(content.as_bytes())?;
        file.sync_all()
    };
    write().map_err(|error| not_written(path, &error))?;
    Ok(beside)
}

fn sync_parent(path: &Path) -> Result<(), String> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::File::open(parent).and_then(|parent| parent.sync_all()).map_err(|error| not_written(path, &error))
}

fn not_written(path: &Path, error: &std::io::Error) -> String {
    format!("The file {} cannot be written: {error}.", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_for_its_owner_and_is_never_overwritten() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("deep/key.pem");
        create_directory(path.parent().unwrap()).unwrap();
        assert_eq!(create(&path, "first", Readers::Owner), Ok(true));
        assert_eq!(create(&path, "second", Readers::Owner), Ok(false));
        assert_eq!(read_private(&path).as_deref(), Ok("first"));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        replace(&path, "third", Readers::Everybody).unwrap();
        assert_eq!(read(&path).as_deref(), Ok("third"));
        assert!(read_private(&path).unwrap_err().contains("chmod 600"));
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "nothing is left beside");
        assert!(create(&directory.path().join("none/key.pem"), "", Readers::Owner).is_err());
    }
}
