// SPDX-License-Identifier: MIT OR Apache-2.0
//! The plain calls of libc that unipc is held against. A call that fails ends the benchmark.
#![allow(unsafe_code, reason = "these are calls of C")]

use std::ffi::CStr;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use libc::{MAP_SHARED, O_CLOEXEC, O_CREAT, O_EXCL, O_RDWR, PROT_READ, PROT_WRITE};

fn succeeded(result: i32) -> i32 {
    assert!(result >= 0, "{}", std::io::Error::last_os_error());
    result
}

fn shm_open(name: &CStr, flags: i32) -> i32 {
    // SAFETY: the name ends in NUL.
    succeeded(unsafe { libc::shm_open(name.as_ptr(), flags, 0o600) })
}

fn file_open(path: &CStr) -> i32 {
    // SAFETY: the path ends in NUL.
    succeeded(unsafe { libc::open(path.as_ptr(), O_RDWR | O_CLOEXEC) })
}

fn size_of_file(fd: i32) -> usize {
    // SAFETY: all zeros is a stat.
    let mut status: libc::stat = unsafe { std::mem::zeroed() };
    // SAFETY: `status` is one stat to write.
    succeeded(unsafe { libc::fstat(fd, &raw mut status) });
    usize::try_from(status.st_size).expect("it is mapped")
}

fn close(fd: i32) {
    // SAFETY: the descriptor was opened here and is not used any more.
    succeeded(unsafe { libc::close(fd) });
}

fn mmap(fd: i32, size: usize, flags: i32) -> *mut u8 {
    let protection = PROT_READ | PROT_WRITE;
    // SAFETY: the kernel chooses an address that is free.
    let base = unsafe { libc::mmap(null_mut(), size, protection, MAP_SHARED | flags, fd, 0) };
    assert!(base != libc::MAP_FAILED, "{}", std::io::Error::last_os_error());
    base.cast()
}

fn munmap(base: *mut u8, size: usize) {
    // SAFETY: mapped by `mmap` above and not used any more.
    succeeded(unsafe { libc::munmap(base.cast(), size) });
}

/// Writes a byte into each page.
pub(crate) fn touch(base: *mut u8, size: usize) {
    for offset in (0..size).step_by(4096) {
        // SAFETY: the callers map `size` bytes.
        let page = unsafe { base.add(offset) };
        // SAFETY: as above.
        unsafe { page.write_volatile(1) };
    }
}

/// How long this thread has been running on a processor, in the kernel too.
pub(crate) fn processor_time() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is one timespec to write.
    succeeded(unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) });
    let (seconds, nanoseconds) = (time.tv_sec.try_into(), time.tv_nsec.try_into());
    Duration::new(seconds.expect("not negative"), nanoseconds.expect("below a second"))
}

/// From now on this process and those that it starts run on one processor: what it takes to wake somebody on another one
/// differs from run to run, and from one side to the next.
#[allow(dead_code, reason = "not all benchmarks have two processes")]
pub(crate) fn share_a_processor() {
    // SAFETY: a set is bits; none is set.
    let mut one: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    // SAFETY: the call takes nothing.
    let here = usize::try_from(unsafe { libc::sched_getcpu() }).expect("a number");
    // SAFETY: the kernel's numbers of processors have their places in the set.
    unsafe { libc::CPU_SET(here, &mut one) };
    // SAFETY: the call reads the set, whose size it is told.
    succeeded(unsafe { libc::sched_setaffinity(0, size_of_val(&one), &raw const one) });
}

/// How the size of an object becomes known.
#[derive(Clone, Copy)]
pub(crate) enum Size {
    Known(usize),
    Asked,
}

/// `shm_open`, perhaps `fstat`, `mmap`, `munmap`, `close`.
pub(crate) fn attach_posix(name: &CStr, size: Size) {
    attach(shm_open(name, O_RDWR), size);
}

/// `open`, perhaps `fstat`, `mmap`, `munmap`, `close`.
pub(crate) fn attach_file(path: &CStr, size: Size) {
    attach(file_open(path), size);
}

fn attach(fd: i32, size: Size) {
    let size = match size {
        Size::Known(size) => size,
        Size::Asked => size_of_file(fd),
    };
    munmap(mmap(fd, size, 0), size);
    close(fd);
}

/// As `attach_posix`, with all pages touched; `flags` may be `MAP_POPULATE`.
pub(crate) fn attach_and_touch(name: &CStr, size: usize, flags: i32) {
    let fd = shm_open(name, O_RDWR);
    let base = mmap(fd, size, flags);
    touch(base, size);
    munmap(base, size);
    close(fd);
}

/// Creates the object, `allocated` or as a hole, maps it, and removes it again.
pub(crate) fn create_posix(name: &CStr, size: usize, allocated: bool) {
    let fd = shm_open(name, O_RDWR | O_CREAT | O_EXCL);
    let length = i64::try_from(size).expect("small");
    if allocated {
        // SAFETY: numbers only.
        succeeded(-unsafe { libc::posix_fallocate(fd, 0, length) });
    } else {
        // SAFETY: numbers only.
        succeeded(unsafe { libc::ftruncate(fd, length) });
    }
    munmap(mmap(fd, size, 0), size);
    close(fd);
    // SAFETY: the name ends in NUL.
    succeeded(unsafe { libc::shm_unlink(name.as_ptr()) });
}

/// `shmget` with a key, of an existing segment.
pub(crate) fn shmget(key: i32, size: usize) -> i32 {
    // SAFETY: numbers only.
    succeeded(unsafe { libc::shmget(key, size, 0) })
}

/// Perhaps `shmctl(IPC_STAT)`, `shmat`, `shmdt`.
pub(crate) fn attach_segment(id: i32, ask_size: bool) {
    if ask_size {
        // SAFETY: all zeros is a shmid_ds.
        let mut status: libc::shmid_ds = unsafe { std::mem::zeroed() };
        // SAFETY: `status` is one shmid_ds to write.
        succeeded(unsafe { libc::shmctl(id, libc::IPC_STAT, &raw mut status) });
    }
    // SAFETY: the kernel chooses an address that is free.
    let base = unsafe { libc::shmat(id, std::ptr::null(), 0) };
    assert!(base.addr() != usize::MAX, "{}", std::io::Error::last_os_error());
    // SAFETY: attached above and not used.
    succeeded(unsafe { libc::shmdt(base) });
}

/// `shmget`, `shmat`, `shmdt` and `shmctl(IPC_RMID)` of a new segment.
pub(crate) fn create_segment(key: i32, size: usize) {
    // SAFETY: numbers only.
    let id =
        succeeded(unsafe { libc::shmget(key, size, libc::IPC_CREAT | libc::IPC_EXCL | 0o600) });
    attach_segment(id, false);
    // SAFETY: this command takes no buffer.
    succeeded(unsafe { libc::shmctl(id, libc::IPC_RMID, null_mut()) });
}

/// `memcpy` into the mapping.
pub(crate) fn copy_in(mapping: *mut u8, bytes: &[u8]) {
    // SAFETY: the callers map at least as many bytes.
    unsafe { mapping.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
}

/// `memcpy` out of the mapping.
pub(crate) fn copy_out(mapping: *const u8, bytes: &mut [u8]) {
    // SAFETY: the callers map at least as many bytes.
    unsafe { mapping.copy_to_nonoverlapping(bytes.as_mut_ptr(), bytes.len()) };
}

/// Reads the eight bytes at `offset`.
pub(crate) fn load(mapping: *const u8, offset: usize) -> usize {
    // SAFETY: the callers map at least eight bytes more than `offset`.
    let place = unsafe { mapping.add(offset) };
    // SAFETY: as above.
    unsafe { place.cast::<usize>().read_unaligned() }
}

/// The locked instruction by itself.
pub(crate) fn fetch_add(mapping: *mut u8) -> u32 {
    // SAFETY: a mapping begins on a page boundary, and an atomic of the same address is all that others use.
    let atomic = unsafe { AtomicU32::from_ptr(mapping.cast()) };
    // SYNC: a counter alone; it orders nothing.
    atomic.fetch_add(1, Ordering::SeqCst)
}
