//! A file system for SQLite that remembers every write and every sync, so that a test can ask what a disk might hold if
//! the power had failed at any moment; and that can be told to fail.
//!
//! It passes everything on to SQLite's own file system, except syncs, which are only remembered. This is the one place
//! of the crate where `unsafe` is needed: SQLite's interface is one of C structures.

use crate::disk::{FileId, Step};
use rusqlite::ffi;
use std::{
    collections::BTreeMap,
    ffi::{CStr, CString, c_char, c_int, c_void},
    path::PathBuf,
    ptr,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

/// What happened on the file system, in order. Lives as long as the process, as a registered VFS does.
#[derive(Default)]
pub struct Recorder {
    log: Mutex<Log>,
    pub writes_fail: AtomicBool,
    pub syncs_fail: AtomicBool,
}

#[derive(Default)]
struct Log {
    steps: Vec<Step>,
    files: BTreeMap<PathBuf, FileId>,
}

/// What SQLite allocates for each open file: ours, then the file of its own file system.
#[repr(C)]
struct OpenFile {
    base: ffi::sqlite3_file,
    recorder: &'static Recorder,
    /// None for temporary files, which nobody looks for after a crash.
    id: Option<FileId>,
}

impl Recorder {
    /// Registers a file system of this name with SQLite, for the rest of the process.
    pub fn register(name: &str) -> &'static Self {
        let recorder: &'static Self = Box::leak(Box::default());
        let name = Box::leak(CString::new(name).unwrap().into_boxed_c_str());
        // SAFETY: the system's VFS is registered by the library's initialization and never goes away; ours is leaked.
        unsafe {
            assert_eq!(ffi::sqlite3_initialize(), ffi::SQLITE_OK);
            let system = ffi::sqlite3_vfs_find(ptr::null());
            let own = Box::leak(Box::new(ffi::sqlite3_vfs {
                szOsFile: size_of::<OpenFile>() as c_int + (*system).szOsFile,
                pNext: ptr::null_mut(),
                zName: name.as_ptr(),
                pAppData: ptr::from_ref(recorder).cast_mut().cast(),
                xOpen: Some(open),
                xDelete: Some(delete),
                ..*system
            }));
            assert_eq!(ffi::sqlite3_vfs_register(own, 0), ffi::SQLITE_OK);
        }
        recorder
    }

    /// Notes that a commit has returned.
    pub fn note_commit(&self) {
        self.log.lock().unwrap().steps.push(Step::CommitReturned);
    }

    /// Everything so far, and the file of each id.
    pub fn history(&self) -> (Vec<Step>, Vec<PathBuf>) {
        let log = self.log.lock().unwrap();
        let mut files: Vec<_> = log.files.iter().map(|(path, id)| (*id, path.clone())).collect();
        files.sort();
        (log.steps.clone(), files.into_iter().map(|(_, path)| path).collect())
    }

    fn note(&self, step: Step) {
        self.log.lock().unwrap().steps.push(step);
    }

    fn id_of(&self, name: *const c_char) -> FileId {
        // SAFETY: SQLite passes names that end with a zero byte.
        let name = unsafe { CStr::from_ptr(name) };
        let mut log = self.log.lock().unwrap();
        let next = FileId(log.files.len());
        *log.files.entry(PathBuf::from(name.to_str().unwrap())).or_insert(next)
    }
}

const KEPT: c_int = ffi::SQLITE_OPEN_MAIN_DB | ffi::SQLITE_OPEN_MAIN_JOURNAL | ffi::SQLITE_OPEN_WAL;

static METHODS: ffi::sqlite3_io_methods = ffi::sqlite3_io_methods {
    iVersion: 2,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(check_reserved_lock),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(device_characteristics),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: None,
    xUnfetch: None,
};

/// The system's VFS, which was the default before ours was registered beside it.
fn system() -> *mut ffi::sqlite3_vfs {
    // SAFETY: a lookup without side effects.
    unsafe { ffi::sqlite3_vfs_find(ptr::null()) }
}

// SAFETY, for all functions below: SQLite calls them with the pointers that it got from us, on files that it has opened
// and not closed; the system's file lies directly behind ours, as `szOsFile` has made room for both.

unsafe fn ours<'a>(file: *mut ffi::sqlite3_file) -> &'a OpenFile {
    unsafe { &*file.cast() }
}

unsafe fn theirs(file: *mut ffi::sqlite3_file) -> *mut ffi::sqlite3_file {
    unsafe { file.cast::<OpenFile>().add(1).cast() }
}

/// Calls the method of the system's file.
macro_rules! pass_on {
    ($file:ident . $method:ident ( $($argument:expr),* )) => {
        unsafe {
            let file = theirs($file);
            ((*(*file).pMethods).$method.unwrap())(file $(, $argument)*)
        }
    };
}

unsafe extern "C" fn open(
    vfs: *mut ffi::sqlite3_vfs,
    name: ffi::sqlite3_filename,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    flags_out: *mut c_int,
) -> c_int {
    unsafe {
        let recorder: &'static Recorder = &*(*vfs).pAppData.cast();
        let id = (flags & KEPT != 0 && !name.is_null()).then(|| recorder.id_of(name));
        file.cast::<OpenFile>().write(OpenFile { base: ffi::sqlite3_file { pMethods: ptr::null() }, recorder, id });
        let code = ((*system()).xOpen.unwrap())(system(), name, theirs(file), flags, flags_out);
        if code == ffi::SQLITE_OK {
            (*file).pMethods = &raw const METHODS;
        }
        code
    }
}

unsafe extern "C" fn delete(vfs: *mut ffi::sqlite3_vfs, name: *const c_char, sync_directory: c_int) -> c_int {
    unsafe {
        let recorder: &'static Recorder = &*(*vfs).pAppData.cast();
        recorder.note(Step::Delete { file: recorder.id_of(name), is_synced: sync_directory != 0 });
        ((*system()).xDelete.unwrap())(system(), name, 0)
    }
}

unsafe extern "C" fn write(file: *mut ffi::sqlite3_file, data: *const c_void, length: c_int, offset: i64) -> c_int {
    let OpenFile { recorder, id, .. } = unsafe { ours(file) };
    if recorder.writes_fail.load(Ordering::SeqCst) {
        return ffi::SQLITE_FULL;
    }
    if let Some(file) = *id {
        let data = unsafe { std::slice::from_raw_parts(data.cast::<u8>(), length as usize) };
        recorder.note(Step::Write { file, offset: offset as usize, data: data.into() });
    }
    pass_on!(file.xWrite(data, length, offset))
}

unsafe extern "C" fn truncate(file: *mut ffi::sqlite3_file, size: i64) -> c_int {
    let OpenFile { recorder, id, .. } = unsafe { ours(file) };
    if let Some(file) = *id {
        recorder.note(Step::Truncate { file, size: size as usize });
    }
    pass_on!(file.xTruncate(size))
}

/// Does not sync: the disk of these tests is the log.
unsafe extern "C" fn sync(file: *mut ffi::sqlite3_file, _flags: c_int) -> c_int {
    let OpenFile { recorder, id, .. } = unsafe { ours(file) };
    if recorder.syncs_fail.load(Ordering::SeqCst) {
        return ffi::SQLITE_IOERR_FSYNC;
    }
    if let Some(file) = *id {
        recorder.note(Step::Sync { file });
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn close(file: *mut ffi::sqlite3_file) -> c_int {
    pass_on!(file.xClose())
}

unsafe extern "C" fn read(file: *mut ffi::sqlite3_file, into: *mut c_void, length: c_int, offset: i64) -> c_int {
    pass_on!(file.xRead(into, length, offset))
}

unsafe extern "C" fn file_size(file: *mut ffi::sqlite3_file, size: *mut i64) -> c_int {
    pass_on!(file.xFileSize(size))
}

unsafe extern "C" fn lock(file: *mut ffi::sqlite3_file, level: c_int) -> c_int {
    pass_on!(file.xLock(level))
}

unsafe extern "C" fn unlock(file: *mut ffi::sqlite3_file, level: c_int) -> c_int {
    pass_on!(file.xUnlock(level))
}

unsafe extern "C" fn check_reserved_lock(file: *mut ffi::sqlite3_file, is_locked: *mut c_int) -> c_int {
    pass_on!(file.xCheckReservedLock(is_locked))
}

unsafe extern "C" fn file_control(file: *mut ffi::sqlite3_file, operation: c_int, argument: *mut c_void) -> c_int {
    pass_on!(file.xFileControl(operation, argument))
}

unsafe extern "C" fn sector_size(file: *mut ffi::sqlite3_file) -> c_int {
    pass_on!(file.xSectorSize())
}

unsafe extern "C" fn device_characteristics(file: *mut ffi::sqlite3_file) -> c_int {
    pass_on!(file.xDeviceCharacteristics())
}

unsafe extern "C" fn shm_map(
    file: *mut ffi::sqlite3_file,
    region: c_int,
    size: c_int,
    extend: c_int,
    mapped: *mut *mut c_void,
) -> c_int {
    pass_on!(file.xShmMap(region, size, extend, mapped))
}

unsafe extern "C" fn shm_lock(file: *mut ffi::sqlite3_file, offset: c_int, count: c_int, flags: c_int) -> c_int {
    pass_on!(file.xShmLock(offset, count, flags))
}

unsafe extern "C" fn shm_barrier(file: *mut ffi::sqlite3_file) {
    pass_on!(file.xShmBarrier())
}

unsafe extern "C" fn shm_unmap(file: *mut ffi::sqlite3_file, delete: c_int) -> c_int {
    pass_on!(file.xShmUnmap(delete))
}
