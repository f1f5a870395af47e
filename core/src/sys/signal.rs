// SPDX-License-Identifier: MIT OR Apache-2.0
//! Signals: the calls that nix lacks, or has for standard signals alone.
//!
//! A set of signals is a `u64` here, as the kernel keeps it: signal N is bit N - 1.

use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::ptr;
use std::time::Duration;

use nix::errno::Errno;
use zerocopy::{FromBytes, FromZeros, Immutable, IntoBytes};

use super::timer::timespec;

/// What the kernel calls the size of a set.
const SET_SIZE: usize = size_of::<u64>();

/// `siginfo_t` of 64-bit Linux as plain integers; which of them mean something depends on code and signal.
#[derive(Debug, Clone, Copy, FromBytes, IntoBytes, Immutable)]
#[repr(C, align(8))]
pub(crate) struct Siginfo {
    pub(crate) signo: i32,
    pub(crate) errno: i32,
    pub(crate) code: i32,
    padding: i32,
    /// Sender's process; of a timer its number. With `second` also an address, or the events of a descriptor.
    pub(crate) first: i32,
    /// Sender's user; of a timer how often it ran over.
    pub(crate) second: u32,
    /// The value; of a child its status; the descriptor.
    pub(crate) third: u64,
    /// Processor times of a child.
    pub(crate) times: [i64; 2],
    rest: [u64; 10],
}

const _: () = assert!(size_of::<Siginfo>() == size_of::<libc::siginfo_t>());

impl Siginfo {
    /// What `sigqueue` sends.
    #[inline]
    pub(crate) fn queued(signal: i32, value: usize) -> Self {
        Self {
            signo: signal,
            code: libc::SI_QUEUE,
            first: std::process::id().cast_signed(),
            second: nix::unistd::getuid().as_raw(),
            third: value as u64,
            ..Self::new_zeroed()
        }
    }
}

/// What a signalfd gives: `struct signalfd_siginfo`, whose fields are those of `Siginfo` unfolded.
#[derive(Debug, Clone, Copy, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub(crate) struct Record {
    pub(crate) signo: u32,
    pub(crate) errno: i32,
    pub(crate) code: i32,
    pub(crate) pid: u32,
    pub(crate) uid: u32,
    pub(crate) fd: i32,
    pub(crate) timer: u32,
    pub(crate) band: u32,
    pub(crate) overrun: u32,
    trap: u32,
    pub(crate) status: i32,
    int: i32,
    pub(crate) value: u64,
    pub(crate) user_time: u64,
    pub(crate) system_time: u64,
    pub(crate) address: u64,
    rest: [u64; 6],
}

const _: () = assert!(size_of::<Record>() == size_of::<libc::signalfd_siginfo>());

/// The same set in the form of this libc.
#[inline]
pub(crate) fn to_libc(bits: u64) -> libc::sigset_t {
    // SAFETY: a sigset_t is integers, of which zero is a value: the empty set.
    let mut set: libc::sigset_t = unsafe { MaybeUninit::zeroed().assume_init() };
    // SAFETY: on 64-bit Linux every libc keeps the kernel's set in the first eight bytes; it is aligned as a long.
    unsafe { (&raw mut set).cast::<u64>().write(bits) };
    set
}

/// A set of this libc as the kernel's.
#[inline]
pub(crate) fn from_libc(set: &libc::sigset_t) -> u64 {
    // SAFETY: as in `to_libc`.
    unsafe { ptr::from_ref(set).cast::<u64>().read() }
}

/// `rt_sigprocmask(2)`: changes the calling thread's mask, if asked to; the mask before. The C library's signals must
/// not be among the bits: of that, and of moving larger sets, consists `pthread_sigmask(3)`.
#[inline]
pub(crate) fn thread_mask(how: i32, bits: Option<u64>) -> nix::Result<u64> {
    let new = bits.as_ref().map_or(ptr::null(), ptr::from_ref);
    let mut before = 0_u64;
    let call = libc::SYS_rt_sigprocmask;
    // SAFETY: `new` is NULL or points to a set that outlives the call, and `before` is one to write.
    Errno::result(unsafe { libc::syscall(call, how, new, &raw mut before, SET_SIZE) })?;
    Ok(before)
}

/// `rt_sigprocmask(2)` where nobody asks what was before. It cannot fail with a `how` that exists.
#[inline]
pub(crate) fn change_thread_mask(how: i32, bits: u64) {
    let old = ptr::null_mut::<u64>();
    // SAFETY: the set outlives the call, which only reads it.
    unsafe { libc::syscall(libc::SYS_rt_sigprocmask, how, &raw const bits, old, SET_SIZE) };
}

/// `sigpending(2)`: for this thread and for its process.
pub(crate) fn pending() -> nix::Result<u64> {
    let mut set = to_libc(0);
    // SAFETY: the call only writes the set.
    Errno::result(unsafe { libc::sigpending(&raw mut set) })?;
    Ok(from_libc(&set))
}

/// `rt_sigtimedwait(2)`. The C library's function would tell `SI_USER` for `SI_TKILL`.
#[inline]
pub(crate) fn wait(bits: u64, timeout: Option<Duration>) -> nix::Result<Siginfo> {
    let timeout = timeout.map(timespec);
    let timeout = timeout.as_ref().map_or(ptr::null(), ptr::from_ref);
    let mut info = MaybeUninit::<Siginfo>::uninit();
    let call = libc::SYS_rt_sigtimedwait;
    // SAFETY: set and timeout outlive the call, which only reads them; `info` has the size of a siginfo_t to write.
    let result =
        unsafe { libc::syscall(call, &raw const bits, info.as_mut_ptr(), timeout, SET_SIZE) };
    Errno::result(result)?;
    // SAFETY: the call succeeded, so the kernel has filled all of it.
    Ok(unsafe { info.assume_init() })
}

/// `signalfd(2)`, non-blocking and close-on-exec; or another set for one that exists.
pub(crate) fn signalfd(fd: Option<BorrowedFd<'_>>, bits: u64) -> nix::Result<Option<OwnedFd>> {
    let set = to_libc(bits);
    let flags = libc::SFD_CLOEXEC | libc::SFD_NONBLOCK;
    let old = fd.map_or(-1, |fd| fd.as_raw_fd());
    // SAFETY: the set outlives the call, which only reads it.
    let raw = Errno::result(unsafe { libc::signalfd(old, &raw const set, flags) })?;
    // SAFETY: a new descriptor, which nobody else knows.
    Ok(fd.is_none().then(|| unsafe { OwnedFd::from_raw_fd(raw) }))
}

/// Reads whole records; how many. `EAGAIN` when no signal is there.
#[inline]
pub(crate) fn read_records(fd: BorrowedFd<'_>, records: &mut [Record]) -> nix::Result<usize> {
    nix::unistd::read(fd, records.as_mut_bytes()).map(|bytes| bytes / size_of::<Record>())
}

/// `kill(2)`, with every meaning that it gives to a pid that is not positive.
#[inline]
pub(crate) fn kill(pid: i32, signal: i32) -> nix::Result<()> {
    // SAFETY: takes two integers.
    Errno::result(unsafe { libc::kill(pid, signal) }).map(drop)
}

/// `tgkill(2)`.
#[inline]
pub(crate) fn kill_thread(pid: i32, thread: i32, signal: i32) -> nix::Result<()> {
    // SAFETY: takes three integers.
    Errno::result(unsafe { libc::syscall(libc::SYS_tgkill, pid, thread, signal) }).map(drop)
}

/// `raise(3)`.
#[inline]
pub(crate) fn raise(signal: i32) -> nix::Result<()> {
    // SAFETY: takes an integer.
    Errno::result(unsafe { libc::raise(signal) }).map(drop)
}

/// `sigqueue(3)`.
#[inline]
pub(crate) fn queue(pid: i32, signal: i32, value: usize) -> nix::Result<()> {
    let value = libc::sigval { sival_ptr: ptr::without_provenance_mut(value) };
    // SAFETY: takes integers; the receiver alone decides what the value means.
    Errno::result(unsafe { libc::sigqueue(pid, signal, value) }).map(drop)
}

/// `rt_tgsigqueueinfo(2)`: as `sigqueue`, to one thread.
#[inline]
pub(crate) fn queue_thread(pid: i32, thread: i32, signal: i32, value: usize) -> nix::Result<()> {
    let mut info = Siginfo::queued(signal, value);
    let call = libc::SYS_rt_tgsigqueueinfo;
    // SAFETY: `info` has the size of a siginfo_t and outlives the call.
    Errno::result(unsafe { libc::syscall(call, pid, thread, signal, &raw mut info) }).map(drop)
}

/// `pidfd_open(2)`, which is always close-on-exec.
pub(crate) fn pidfd_open(pid: i32) -> nix::Result<OwnedFd> {
    // SAFETY: takes two integers.
    let raw = Errno::result(unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) })?;
    let raw = i32::try_from(raw).map_err(|_| Errno::EBADF)?;
    // SAFETY: a new descriptor, which nobody else knows.
    Ok(unsafe { OwnedFd::from_raw_fd(raw) })
}

/// Signals the process group that the pidfd's process leads: `PIDFD_SIGNAL_PROCESS_GROUP` (Linux 6.9).
pub(crate) const TO_GROUP: u32 = 1 << 2;

/// `pidfd_send_signal(2)`, as `kill` does or with what `info` says.
#[inline]
pub(crate) fn pidfd_send(
    fd: BorrowedFd<'_>,
    signal: i32,
    info: Option<&Siginfo>,
    flags: u32,
) -> nix::Result<()> {
    let info = info.map_or(ptr::null(), ptr::from_ref);
    let call = libc::SYS_pidfd_send_signal;
    // SAFETY: `info` is NULL or has the size of a siginfo_t and outlives the call, which only reads it.
    Errno::result(unsafe { libc::syscall(call, fd.as_raw_fd(), signal, info, flags) }).map(drop)
}

/// What the kernel does with a signal: `struct sigaction` as plain numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Action {
    /// `SIG_DFL`, `SIG_IGN` or the address of a function.
    pub(crate) handler: usize,
    pub(crate) flags: i32,
    pub(crate) mask: u64,
}

/// `sigaction(2)`: the action in force.
pub(crate) fn action(signal: i32) -> nix::Result<Action> {
    exchange(signal, ptr::null())
}

/// `sigaction(2)`: sets an action, whose handler must be `SIG_DFL`, `SIG_IGN`, this library's, or one that was in
/// force in this process before; the action before.
pub(crate) fn set_action(signal: i32, action: Action) -> nix::Result<Action> {
    // SAFETY: a sigaction is integers, of which zero is a value.
    let mut new: libc::sigaction = unsafe { MaybeUninit::zeroed().assume_init() };
    new.sa_sigaction = action.handler;
    // The C library adds its own way back from a handler.
    new.sa_flags = action.flags & !SA_RESTORER;
    new.sa_mask = to_libc(action.mask);
    exchange(signal, &raw const new)
}

const SA_RESTORER: i32 = 0x0400_0000;

fn exchange(signal: i32, new: *const libc::sigaction) -> nix::Result<Action> {
    // SAFETY: a sigaction is integers, of which zero is a value.
    let mut old: libc::sigaction = unsafe { MaybeUninit::zeroed().assume_init() };
    // SAFETY: `new` is NULL or a live action whose handler may be called, `old` is one to write.
    Errno::result(unsafe { libc::sigaction(signal, new, &raw mut old) })?;
    Ok(Action {
        handler: old.sa_sigaction,
        flags: old.sa_flags & !SA_RESTORER,
        mask: from_libc(&old.sa_mask),
    })
}

/// `eventfd(2)`: non-blocking, close-on-exec, not readable yet.
pub(crate) fn eventfd() -> nix::Result<OwnedFd> {
    // SAFETY: takes two integers.
    let raw = Errno::result(unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) })?;
    // SAFETY: a new descriptor, which nobody else knows.
    Ok(unsafe { OwnedFd::from_raw_fd(raw) })
}

/// `dup3(2)`: the number of `old` stands for what `new` is, close-on-exec.
pub(crate) fn replace_fd(new: BorrowedFd<'_>, old: BorrowedFd<'_>) -> nix::Result<()> {
    let (new, old) = (new.as_raw_fd(), old.as_raw_fd());
    // SAFETY: both are open; whoever owns `old` goes on owning its number.
    Errno::result(unsafe { libc::dup3(new, old, libc::O_CLOEXEC) }).map(drop)
}

/// A value of zeros for the rest of the process's life, which is zeros again in a child of fork: `MADV_WIPEONFORK`.
pub(crate) fn wiped_on_fork<T: FromZeros>() -> nix::Result<&'static T> {
    const { assert!(align_of::<T>() <= 4096) };
    let protection = libc::PROT_READ | libc::PROT_WRITE;
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
    // SAFETY: the kernel chooses an address that is free.
    let base = unsafe { libc::mmap(ptr::null_mut(), size_of::<T>(), protection, flags, -1, 0) };
    if base == libc::MAP_FAILED {
        return Err(Errno::last());
    }
    // SAFETY: just mapped, and nobody else knows it.
    let wiped = unsafe { libc::madvise(base, size_of::<T>(), libc::MADV_WIPEONFORK) };
    if let Err(errno) = Errno::result(wiped) {
        // SAFETY: as above.
        unsafe { libc::munmap(base, size_of::<T>()) };
        return Err(errno);
    }
    // SAFETY: mapped for good, aligned to a page, and zeros, which are a `T`.
    Ok(unsafe { &*base.cast::<T>() })
}

/// Makes an eventfd readable. Async-signal-safe; errno is as before.
pub(crate) fn notify(eventfd: i32) {
    // SAFETY: the address of this thread's errno is always valid.
    let errno = unsafe { libc::__errno_location() };
    // SAFETY: as above.
    let before = unsafe { errno.read() };
    let one = 1_u64;
    // SAFETY: eight readable bytes. That it is readable already (EAGAIN) is as good.
    unsafe { libc::write(eventfd, (&raw const one).cast(), size_of::<u64>()) };
    // SAFETY: as above.
    unsafe { errno.write(before) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_those_of_the_c_library() {
        let set = to_libc(1 << (libc::SIGUSR1 - 1) | 1 << 63);
        for signal in 1..=64 {
            // SAFETY: the set is alive, and sigismember only reads it.
            let is_in = unsafe { libc::sigismember(&raw const set, signal) };
            assert_eq!(is_in == 1, [libc::SIGUSR1, 64].contains(&signal), "{signal}");
        }
        assert_eq!(from_libc(&set), 1 << 9 | 1 << 63);
    }

    #[test]
    fn a_siginfo_is_the_c_librarys() {
        let ours = Siginfo::queued(libc::SIGUSR1, 0x1_2345_6789);
        // SAFETY: the same size and alignment, and any bytes are a siginfo_t.
        let libc = unsafe { ptr::from_ref(&ours).cast::<libc::siginfo_t>().read() };
        assert_eq!((libc.si_signo, libc.si_code), (libc::SIGUSR1, libc::SI_QUEUE));
        // SAFETY: the fields of a signal that was queued.
        assert_eq!(unsafe { libc.si_pid() }, std::process::id().cast_signed());
        // SAFETY: as above.
        assert_eq!(unsafe { libc.si_uid() }, nix::unistd::getuid().as_raw());
        // SAFETY: as above.
        assert_eq!(unsafe { libc.si_value() }.sival_ptr.addr(), 0x1_2345_6789);
        // SAFETY: where a child's status lies, beside the value.
        assert_eq!(unsafe { libc.si_status() }, 0x2345_6789);
    }
}
