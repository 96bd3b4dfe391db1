//! What a disk may hold after the power has failed.
//!
//! What was synced is there. Of what was written to a file after its last sync, each write may have arrived, or not, or
//! only some of its sectors, whatever came before or after it.

use std::{fs, path::Path};

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct FileId(pub usize);

/// One thing that happened on the file system, or in the program that used it.
#[derive(Clone, Debug)]
pub enum Step {
    Write {
        file: FileId,
        offset: usize,
        data: Box<[u8]>,
    },
    Truncate {
        file: FileId,
        size: usize,
    },
    Delete {
        file: FileId,
        /// Whether the directory was synced with it.
        is_synced: bool,
    },
    Sync {
        file: FileId,
    },
    /// A unit's commit has told its caller that the unit is durable.
    CommitReturned,
}

/// A source of numbers that a seed determines (splitmix64).
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % limit as u64) as usize
    }
}

/// What becomes of the writes that were not synced; drawn once for each cut.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Fate {
    AllLost,
    AllThere,
    /// Each by itself, and whole.
    Some,
    /// Each sector by itself.
    Torn,
}

const SECTOR: usize = 512;

/// A file as a disk sees it.
#[derive(Clone, Default)]
struct File {
    synced: Vec<u8>,
    exists: bool,
    pending: Vec<Step>,
}

/// Writes into `directory` what may be left of the files after `steps`. Each keeps its name.
pub fn survive(steps: &[Step], names: &[impl AsRef<Path>], directory: &Path, random: &mut Random) {
    let mut files: Vec<File> = vec![File::default(); names.len()];
    for step in steps {
        match step {
            Step::Write { file, .. } | Step::Truncate { file, .. } => files[file.0].pending.push(step.clone()),
            Step::Delete { file, is_synced: false } => files[file.0].pending.push(step.clone()),
            Step::Delete { file, is_synced: true } => files[file.0] = File::default(),
            Step::Sync { file } => sync(&mut files, *file),
            Step::CommitReturned => {}
        }
    }
    let fate = [Fate::AllLost, Fate::AllThere, Fate::Some, Fate::Torn][random.below(4)];
    for (file, name) in files.iter_mut().zip(names) {
        file.cut(fate, random);
        if file.exists {
            fs::write(directory.join(name.as_ref().file_name().unwrap()), &file.synced).unwrap();
        }
    }
}

/// The first sync of a new file is also one of the directory (as SQLite's own file system does it), which makes the
/// deletions before it durable.
fn sync(files: &mut [File], file: FileId) {
    let is_new = !files[file.0].exists;
    let file = &mut files[file.0];
    file.exists = true;
    for step in std::mem::take(&mut file.pending) {
        file.apply(&step);
    }
    for file in files.iter_mut().filter(|_| is_new) {
        if let Some(Step::Delete { .. }) = file.pending.last() {
            *file = File::default();
        }
    }
}

impl File {
    fn cut(&mut self, fate: Fate, random: &mut Random) {
        for step in std::mem::take(&mut self.pending) {
            let survives = match fate {
                Fate::AllLost => false,
                Fate::AllThere => true,
                Fate::Some => random.below(2) == 0,
                Fate::Torn => {
                    self.tear(&step, random);
                    continue;
                }
            };
            if survives {
                self.apply(&step);
            }
        }
    }

    /// Applies some sectors of a write; anything else happens whole or not at all.
    fn tear(&mut self, step: &Step, random: &mut Random) {
        let Step::Write { file, offset, data } = step else {
            if random.below(2) == 0 {
                self.apply(step);
            }
            return;
        };
        let mut from = 0;
        while from < data.len() {
            let to = data.len().min(from + SECTOR - (offset + from) % SECTOR);
            if random.below(2) == 0 {
                self.apply(&Step::Write { file: *file, offset: offset + from, data: data[from..to].into() });
            }
            from = to;
        }
    }

    fn apply(&mut self, step: &Step) {
        match step {
            Step::Write { offset, data, .. } => {
                self.exists = true;
                let end = offset + data.len();
                if self.synced.len() < end {
                    self.synced.resize(end, 0);
                }
                self.synced[*offset..end].copy_from_slice(data);
            }
            Step::Truncate { size, .. } => self.synced.resize(*size, 0),
            Step::Delete { .. } => *self = Self::default(),
            Step::Sync { .. } | Step::CommitReturned => {}
        }
    }
}
