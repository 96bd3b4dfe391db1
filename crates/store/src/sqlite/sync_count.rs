//! Counts the syncs to disk of each thread, as they happen.
//!
//! Whether a commit was durable is not taken from a setting but seen: the C library's `fsync` and `fdatasync`, which SQLite
//! calls, are defined here, do the system call, and count those that succeed. A commit whose thread has synced nothing
//! between its beginning and its return has not been durable, whatever was configured.
#![allow(unsafe_code)]

use std::{
    cell::Cell,
    ffi::{c_int, c_long},
};

thread_local! {
    static SYNCS: Cell<u64> = const { Cell::new(0) };
}

/// How often the calling thread has synced a file.
pub(super) fn of_this_thread() -> u64 {
    SYNCS.get()
}

fn count(call: c_long, file: c_int) -> c_int {
    // SAFETY: both calls take one file descriptor, of which the kernel says itself if it is none.
    let result = unsafe { libc::syscall(call, file) };
    if result == 0 {
        SYNCS.set(SYNCS.get() + 1);
    }
    // Zero or minus one, with `errno` set by `syscall`.
    result as c_int
}

// SAFETY: the names and signatures are those of POSIX, and so is what they do.
#[unsafe(no_mangle)]
extern "C" fn fsync(file: c_int) -> c_int {
    count(libc::SYS_fsync, file)
}

// SAFETY: as above.
#[unsafe(no_mangle)]
extern "C" fn fdatasync(file: c_int) -> c_int {
    count(libc::SYS_fdatasync, file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sync_of_this_thread_is_counted_and_one_of_another_is_not() {
        let file = tempfile::tempfile().unwrap();
        let before = of_this_thread();
        file.sync_all().unwrap();
        file.sync_data().unwrap();
        assert_eq!(of_this_thread(), before + 2);
        std::thread::scope(|scope| {
            scope.spawn(|| file.sync_all().unwrap());
        });
        assert_eq!(of_this_thread(), before + 2);
    }
}
