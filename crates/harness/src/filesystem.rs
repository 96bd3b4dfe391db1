//! On what kind of file system a directory lies.
//!
//! Invariant: a measurement of durable commits is never made on memory that calls itself a disk.

use std::{
    fs, io,
    path::{Path, PathBuf},
};
use tempfile::TempDir;

const IN_MEMORY: [&str; 3] = ["tmpfs", "ramfs", "devtmpfs"];

/// The name of the file system, such as `ext4`, that an existing directory lies on.
pub fn kind_of(directory: &Path) -> io::Result<String> {
    let directory = directory.canonicalize()?;
    let mounts = fs::read_to_string("/proc/self/mounts")?;
    deepest_mount(&mounts, &directory)
        .ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "no mount point contains the directory"))
}

/// A directory that nobody else has; it is removed with all that is in it when the value is dropped.
pub fn fresh_directory(parent: &Path) -> io::Result<TempDir> {
    tempfile::Builder::new().prefix("umoja-bench-").tempdir_in(parent)
}

/// Whether what is written there ever reaches a disk.
pub fn is_in_memory(kind: &str) -> bool {
    IN_MEMORY.contains(&kind)
}

/// A later mount on the same point hides the earlier one.
fn deepest_mount(mounts: &str, directory: &Path) -> Option<String> {
    let mut deepest: Option<(usize, &str)> = None;
    for line in mounts.lines() {
        let mut fields = line.split(' ').skip(1);
        let (Some(point), Some(kind)) = (fields.next(), fields.next()) else { continue };
        let point = PathBuf::from(unescape(point));
        let depth = point.components().count();
        if directory.starts_with(&point) && deepest.is_none_or(|(known, _)| depth >= known) {
            deepest = Some((depth, kind));
        }
    }
    deepest.map(|(_, kind)| kind.to_owned())
}

/// Blanks, tabs, line ends and backslashes are written as three octal digits (fstab(5)).
fn unescape(point: &str) -> String {
    [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")]
        .into_iter()
        .fold(point.to_owned(), |text, (escaped, plain)| text.replace(escaped, plain))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_deepest_and_latest_mount_decides() {
        let mounts = "/dev/vda / ext4 rw 0 0\ntmpfs /run tmpfs rw 0 0\n/dev/vdb /run/my\\040data xfs rw 0 0\n\
                      overlay /srv overlay rw 0 0\ntmpfs /srv tmpfs rw 0 0\n";
        let kind = |directory: &str| deepest_mount(mounts, Path::new(directory)).unwrap();
        assert_eq!(kind("/var/data"), "ext4");
        assert_eq!(kind("/run/hub"), "tmpfs");
        assert_eq!(kind("/run/my data/hub"), "xfs");
        assert_eq!(kind("/runner"), "ext4");
        assert_eq!(kind("/srv/hub"), "tmpfs");
        assert!(is_in_memory("tmpfs") && !is_in_memory("ext4"));
    }

    #[test]
    fn the_file_system_of_this_checkout_has_a_name() {
        assert!(!kind_of(Path::new(".")).unwrap().is_empty());
    }
}
