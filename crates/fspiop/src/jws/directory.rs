//! Public keys in files: `<FSP id>.pem` in one directory, read when they are first needed and again when they change.
//!
//! Invariant: what is verified with is what the file says now. A file that is gone, or that cannot be used, leaves its
//! FSP without a key: an old key is never kept instead, because a file is replaced for a reason. Only files that exist
//! are remembered, so that made-up names cost no memory.

use super::{InvalidSignature, Received, VerificationKey, text_of, verify};
use crate::headers::{HTTP_METHOD, SOURCE, URI};
use crate::percent;
use std::{
    collections::HashMap,
    fmt,
    fs::{File, Metadata},
    io::{self, ErrorKind, Read as _},
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

/// Bytes of a key file; the largest RSA key that is accepted has less than three thousand.
const FILE_BYTES_MAX: u64 = 1 << 16;

/// The directory and what has been read of it. Asking for a key looks at one file on the local disk.
pub struct KeyDirectory {
    path: PathBuf,
    known: Mutex<HashMap<String, Known>>,
}

#[derive(Clone)]
struct Known {
    stamp: Stamp,
    /// The key, or why the file has none.
    key: Result<Arc<VerificationKey>, String>,
}

/// What changes when a file changes.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Stamp {
    file: (u64, u64),
    length: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl KeyDirectory {
    /// Errors: a sentence if the directory cannot be listed. Its files are looked at when they are needed.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, String> {
        let path = path.into();
        std::fs::read_dir(&path).map_err(|error| {
            let shown = path.display();
            format!("The directory of keys {shown} cannot be read: {error}. It holds a file <FSP id>.pem for each FSP.")
        })?;
        Ok(Self { path, known: Mutex::default() })
    }

    /// The names of which there are files, whether they can be used or not. Errors: the directory cannot be listed.
    pub fn names(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(&self.path)? {
            let name = entry?.file_name();
            names.extend(name.to_str().and_then(|name| name.strip_suffix(".pem")).map(str::to_owned));
        }
        names.sort();
        Ok(names)
    }

    /// The key of an FSP. Errors: [`InvalidSignature::NoKey`].
    pub fn key(&self, fsp: &str) -> Result<Arc<VerificationKey>, InvalidSignature> {
        let no_key = |why: String| InvalidSignature::NoKey { fsp: fsp.to_owned(), why };
        if fsp.contains(['/', '\0']) {
            return Err(no_key("no file can have this name".to_owned()));
        }
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let path = self.path.join(format!("{fsp}.pem"));
        let found = std::fs::metadata(&path).map(|metadata| Stamp::of(&metadata));
        let stamp = match found {
            Ok(stamp) => stamp,
            Err(error) => {
                known.remove(fsp);
                let is_missing = error.kind() == ErrorKind::NotFound;
                return Err(no_key(if is_missing { "there is no file".to_owned() } else { error.to_string() }));
            }
        };
        if let Some(known) = known.get(fsp).filter(|known| known.stamp == stamp) {
            return known.key.clone().map_err(no_key);
        }
        let read = read(&path);
        known.insert(fsp.to_owned(), Known { stamp, key: read.clone() });
        read.map_err(no_key)
    }

    /// Verifies a received message with the key of its source, and that it is of the request that it came with.
    pub fn verify(&self, received: &Received<'_>) -> Result<(), InvalidSignature> {
        let Received { headers, body, .. } = received;
        let source = text_of(headers, SOURCE)?.ok_or(InvalidSignature::NotProtected(SOURCE))?;
        verify(&*self.key(source)?, headers, body)?;
        check_request(received)
    }
}

/// The signature covers what the headers say of method and path; this is what the request itself says of them.
///
/// Existing clients leave out what stands before the resource, and write `//host/path` for resources that they do not
/// know (dfsp-client.md §7), so that one path may be the end of the other. A query is not compared.
pub(super) fn check_request(received: &Received<'_>) -> Result<(), InvalidSignature> {
    let signed_method = text_of(received.headers, HTTP_METHOD)?.unwrap_or_default();
    if !signed_method.eq_ignore_ascii_case(received.method.as_str()) {
        return Err(InvalidSignature::OfAnotherRequest(HTTP_METHOD));
    }
    let path = |text: &str| percent::decode(text.split('?').next().unwrap_or_default());
    let (signed, real) = (path(text_of(received.headers, URI)?.unwrap_or_default()), path(received.path));
    match (signed, real) {
        (Some(signed), Some(real)) if signed.ends_with(&real) || (is_path(&signed) && real.ends_with(&signed)) => {
            Ok(())
        }
        (_, _) => Err(InvalidSignature::OfAnotherRequest(URI)),
    }
}

fn is_path(text: &str) -> bool {
    text.starts_with('/') && text.len() > 1
}

fn read(path: &Path) -> Result<Arc<VerificationKey>, String> {
    let mut pem = String::new();
    let file = File::open(path).map_err(|error| error.to_string())?;
    file.take(FILE_BYTES_MAX).read_to_string(&mut pem).map_err(|error| error.to_string())?;
    VerificationKey::from_pem(&pem).map(Arc::new).map_err(|error| error.to_string())
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        Self {
            file: (metadata.dev(), metadata.ino()),
            length: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}

impl fmt::Debug for KeyDirectory {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "KeyDirectory({})", self.path.display())
    }
}
