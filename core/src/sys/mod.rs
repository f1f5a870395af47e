// SPDX-License-Identifier: MIT OR Apache-2.0
//! The raw libc calls that nix lacks. Nothing here is public; every function returns an errno, none decides anything.
#![allow(unsafe_code)]

pub(crate) mod atomic;
pub(crate) mod fork;
pub(crate) mod futex;
mod held;
pub(crate) mod identity;
pub(crate) mod lock;
pub(crate) mod membarrier;
pub(crate) mod mqueue;
pub(crate) mod msg;
pub(crate) mod pid;
pub(crate) mod poll;
pub(crate) mod pthread;
pub(crate) mod ring;
pub(crate) mod robust;
pub(crate) mod sem;
pub(crate) mod semctl;
pub(crate) mod shm;
pub(crate) mod signal;
pub(crate) mod slot;
pub(crate) mod socket;
pub(crate) mod spawn;
pub(crate) mod stream;
pub(crate) mod terminal;
pub(crate) mod timer;

use std::ffi::CString;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::OnceLock;

use nix::errno::Errno;
use nix::unistd::{SysconfVar, sysconf};

/// Does what is seldom needed in a call of its own, of which nothing unwinds, and gives `done`.
#[cold]
#[inline(never)]
#[allow(improper_ctypes_definitions, reason = "no C code calls it; it says that nothing unwinds")]
pub(crate) extern "C" fn apart<T, A, B, R>(
    it: &T,
    one: A,
    other: B,
    done: R,
    work: impl FnOnce(&T, A, B),
) -> R {
    work(it, one, other);
    done
}

/// Tells the compiler that the way past this call is not the usual one.
#[cold]
#[inline]
pub(crate) fn seldom() {}

/// A C object that processes share, such as a `sem_t`.
///
/// # Safety
///
/// Whatever bytes lie there are a value of it, and it is changed through shared references (`UnsafeCell`, atomics).
pub(crate) unsafe trait Shared: Sync {}

/// [`ftok(3)`](https://man7.org/linux/man-pages/man3/ftok.3.html); a key of -1 is told apart from a failure.
pub(crate) fn ftok(path: &Path, project: u8) -> nix::Result<i32> {
    let c_path = CString::new(path.as_os_str().as_bytes()).map_err(|_| Errno::EINVAL)?;
    // SAFETY: the pointer is to a NUL-terminated string that outlives the call, which only reads it.
    let key = unsafe { libc::ftok(c_path.as_ptr(), i32::from(project)) };
    if key == -1 {
        // Only the lookup of the path can fail, so the lookup says whether -1 is the key.
        nix::sys::stat::stat(path)?;
    }
    Ok(key)
}

/// [`renameat2(2)`](https://man7.org/linux/man-pages/man2/rename.2.html) with `RENAME_NOREPLACE`: `EEXIST` when the name is taken.
pub(crate) fn rename_to_new(from: &Path, to: &Path) -> nix::Result<()> {
    let c_path = |path: &Path| CString::new(path.as_os_str().as_bytes());
    let (Ok(c_from), Ok(c_to)) = (c_path(from), c_path(to)) else {
        return Err(Errno::EINVAL);
    };
    // SAFETY: both pointers are to NUL-terminated strings that outlive the call, which only reads them.
    let result = unsafe {
        libc::syscall(
            libc::SYS_renameat2,
            libc::AT_FDCWD,
            c_from.as_ptr(),
            libc::AT_FDCWD,
            c_to.as_ptr(),
            libc::RENAME_NOREPLACE,
        )
    };
    Errno::result(result).map(drop)
}

/// [`fstat(2)`](https://man7.org/linux/man-pages/man2/stat.2.html) by the call of that name. Some C libraries take a
/// longer way, through `newfstatat`, which costs a quarter more.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "riscv64"))]
pub(crate) fn fstat(fd: BorrowedFd<'_>) -> nix::Result<libc::stat> {
    let mut status = MaybeUninit::<libc::stat>::zeroed();
    // SAFETY: on these machines the C library's struct is the kernel's, and the buffer has its size.
    let done = unsafe { libc::syscall(libc::SYS_fstat, fd.as_raw_fd(), status.as_mut_ptr()) };
    Errno::result(done)?;
    // SAFETY: the call succeeded, so the kernel has filled it.
    Ok(unsafe { status.assume_init() })
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "riscv64")))]
pub(crate) fn fstat(fd: BorrowedFd<'_>) -> nix::Result<libc::stat> {
    nix::sys::stat::fstat(fd)
}

/// The size of a page of memory in bytes.
pub(crate) fn page_size() -> usize {
    static SIZE: OnceLock<usize> = OnceLock::new();
    *SIZE.get_or_init(|| {
        // SAFETY: sysconf reads a constant of the system.
        let size = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
        usize::try_from(size).expect("POSIX demands a page size")
    })
}

/// A file of `/proc` that tells of a process or thread. The name in it is whatever bytes that has given itself, and what of a
/// longer one was left, perhaps half a letter.
pub(crate) fn told_by_proc(path: impl AsRef<std::path::Path>) -> std::io::Result<String> {
    std::fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

/// How many bytes can be taken without starving others: the kernel's own estimate, with swap.
pub(crate) fn available_memory() -> nix::Result<u64> {
    let Ok(text) = std::fs::read_to_string("/proc/meminfo") else {
        return total_memory();
    };
    let kib = |field: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(field))?;
        line.split_whitespace().next()?.parse::<u64>().ok()
    };
    match (kib("MemAvailable:"), kib("SwapFree:")) {
        (Some(available), Some(swap)) => Ok((available + swap) * 1024),
        _ => total_memory(),
    }
}

/// Memory and swap of the machine: what is used where /proc does not tell how much of it is available.
fn total_memory() -> nix::Result<u64> {
    let info = nix::sys::sysinfo::sysinfo()?;
    Ok(info.ram_total() + info.swap_total())
}

/// [`madvise(2)`](https://man7.org/linux/man-pages/man2/madvise.2.html), with the advices that nix does not know.
///
/// # Safety
///
/// The range must belong to the caller, and the advice must not discard bytes that others count on.
pub(crate) unsafe fn madvise(address: *mut u8, length: usize, advice: i32) -> nix::Result<()> {
    // SAFETY: the caller owns the range.
    let result = unsafe { libc::madvise(address.cast(), length, advice) };
    Errno::result(result).map(drop)
}

/// How many processors there are, at least 1. On which of them this process may run tells nothing of its peers.
pub(crate) fn processors() -> u32 {
    let online = sysconf(SysconfVar::_NPROCESSORS_ONLN).ok().flatten().unwrap_or(1);
    u32::try_from(online).unwrap_or(1).max(1)
}

/// A number by chance, another one in each child of fork as well: `getrandom(2)`.
pub(crate) fn random() -> u64 {
    let mut number = 0_u64;
    // SAFETY: the kernel writes at most the size of the number to the local.
    unsafe { libc::getrandom((&raw mut number).cast(), size_of::<u64>(), 0) };
    number
}
