// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reading and writing descriptors in the ways that nix lacks: one attempt that does not wait whatever the descriptor's
//! flags are, and writing that raises no SIGPIPE.

use std::io::IoSlice;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::ptr;
use std::sync::atomic::{AtomicU8, Ordering};

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::sys::signal::{SigSet, SigmaskHow, Signal, pthread_sigmask};
use nix::sys::socket::{MsgFlags, sendmsg};

/// Linux 6.18; the libc crate does not know it yet.
const RWF_NOSIGNAL: libc::c_int = 0x100;

/// `preadv2` and `pwritev2` at the descriptor's own position, which streams do not have.
const HERE: libc::off_t = -1;

/// How many bytes a call moved, or why none.
#[inline]
fn count(result: isize) -> nix::Result<usize> {
    usize::try_from(result).map_err(|_| last_error())
}

/// Apart, so that what comes after a call that succeeded has no branch to take: after the kernel none is foreseen.
#[cold]
#[inline(never)]
fn last_error() -> Errno {
    Errno::last()
}

/// How many bytes can be read at once: `FIONREAD`, see
/// [`pipe(7)`](https://man7.org/linux/man-pages/man7/pipe.7.html).
pub(crate) fn waiting(fd: BorrowedFd<'_>) -> nix::Result<usize> {
    let mut bytes: libc::c_int = 0;
    // SAFETY: the request fills the integer that the pointer is to.
    Errno::result(unsafe { libc::ioctl(fd.as_raw_fd(), libc::FIONREAD, &raw mut bytes) })?;
    // The kernel counts from 0.
    Ok(usize::try_from(bytes).unwrap_or(0))
}

/// Room that holds values as room that need not.
#[inline]
pub(crate) fn uninit(room: &mut [u8]) -> &mut [MaybeUninit<u8>] {
    // SAFETY: the same bytes; those who get them here (the calls above all) write nothing but values.
    unsafe { std::slice::from_raw_parts_mut(room.as_mut_ptr().cast(), room.len()) }
}

/// [`read(2)`](https://man7.org/linux/man-pages/man2/read.2.html) into room that need not hold values yet.
#[inline]
pub(crate) fn read(fd: BorrowedFd<'_>, room: &mut [MaybeUninit<u8>]) -> nix::Result<usize> {
    // SAFETY: the kernel writes into the room alone, whose length it is told.
    count(unsafe { libc::read(fd.as_raw_fd(), room.as_mut_ptr().cast(), room.len()) })
}

/// One attempt to read: `EAGAIN` when it would wait, `EOPNOTSUPP` for descriptors that cannot be asked so (FIFOs
/// opened by name, terminals; pipes before Linux 6.4).
#[inline]
pub(crate) fn read_now(fd: BorrowedFd<'_>, room: &mut [MaybeUninit<u8>]) -> nix::Result<usize> {
    let part = libc::iovec { iov_base: room.as_mut_ptr().cast(), iov_len: room.len() };
    // SAFETY: one part, which is the room; the kernel writes there alone.
    count(unsafe { libc::preadv2(fd.as_raw_fd(), &raw const part, 1, HERE, libc::RWF_NOWAIT) })
}

/// [`recv(2)`](https://man7.org/linux/man-pages/man2/recv.2.html), for sockets.
#[inline]
pub(crate) fn receive(
    fd: BorrowedFd<'_>,
    room: &mut [MaybeUninit<u8>],
    wait: bool,
) -> nix::Result<usize> {
    let flags = if wait { 0 } else { libc::MSG_DONTWAIT };
    let start = room.as_mut_ptr().cast();
    // SAFETY: the kernel writes into the room alone, whose length it is told.
    count(unsafe { libc::recv(fd.as_raw_fd(), start, room.len(), flags) })
}

/// [`send(2)`](https://man7.org/linux/man-pages/man2/send.2.html) without SIGPIPE, for sockets.
#[inline]
pub(crate) fn send(fd: BorrowedFd<'_>, bytes: &[u8], wait: bool) -> nix::Result<usize> {
    let flags = libc::MSG_NOSIGNAL | if wait { 0 } else { libc::MSG_DONTWAIT };
    // SAFETY: the kernel only reads the bytes.
    count(unsafe { libc::send(fd.as_raw_fd(), bytes.as_ptr().cast(), bytes.len(), flags) })
}

/// As [`send`], of several parts one behind the other.
pub(crate) fn send_parts(
    fd: BorrowedFd<'_>,
    parts: &[IoSlice<'_>],
    wait: bool,
) -> nix::Result<usize> {
    let now = if wait { MsgFlags::empty() } else { MsgFlags::MSG_DONTWAIT };
    sendmsg::<()>(fd.as_raw_fd(), parts, &[], MsgFlags::MSG_NOSIGNAL | now, None)
}

/// [`write(2)`](https://man7.org/linux/man-pages/man2/write.2.html), with SIGPIPE, for those who asked for it.
#[inline]
pub(crate) fn write_plainly(fd: BorrowedFd<'_>, bytes: &[u8]) -> nix::Result<usize> {
    // SAFETY: the kernel only reads the bytes, whose number it is told.
    count(unsafe { libc::write(fd.as_raw_fd(), bytes.as_ptr().cast(), bytes.len()) })
}

/// Writes to a pipe, or to anything that is no socket, without SIGPIPE. Without `wait` one attempt, as [`read_now`].
#[inline]
pub(crate) fn write(fd: BorrowedFd<'_>, bytes: &[u8], wait: bool) -> nix::Result<usize> {
    write_parts(fd, &[IoSlice::new(bytes)], wait)
}

/// As [`write`], of several parts one behind the other.
#[inline]
pub(crate) fn write_parts(
    fd: BorrowedFd<'_>,
    parts: &[IoSlice<'_>],
    wait: bool,
) -> nix::Result<usize> {
    let nowait = if wait { 0 } else { libc::RWF_NOWAIT };
    if knows_no_signal() {
        return write_flagged(fd, parts, RWF_NOSIGNAL | nowait);
    }
    write_masked(fd, parts, nowait)
}

/// As [`write_parts`], on kernels that cannot be told to send no SIGPIPE.
#[cold]
#[inline(never)]
fn write_masked(
    fd: BorrowedFd<'_>,
    parts: &[IoSlice<'_>],
    nowait: libc::c_int,
) -> nix::Result<usize> {
    without_sigpipe(|| match nowait {
        0 => nix::sys::uio::writev(fd, parts),
        flags => write_flagged(fd, parts, flags),
    })
}

#[inline]
fn write_flagged(
    fd: BorrowedFd<'_>,
    parts: &[IoSlice<'_>],
    flags: libc::c_int,
) -> nix::Result<usize> {
    // One or two.
    let number = libc::c_int::try_from(parts.len()).map_err(|_| Errno::EINVAL)?;
    // The standard library promises that an `IoSlice` is an iovec.
    let start = parts.as_ptr().cast();
    // SAFETY: so many parts, of which the kernel only reads the bytes.
    count(unsafe { libc::pwritev2(fd.as_raw_fd(), start, number, HERE, flags) })
}

/// Where the first such byte is. The standard library's own search takes several times as long.
pub(crate) fn find(byte: u8, bytes: &[u8]) -> Option<usize> {
    let start = bytes.as_ptr();
    // SAFETY: the call only reads the bytes.
    let found = unsafe { libc::memchr(start.cast(), byte.into(), bytes.len()) };
    (!found.is_null()).then(|| found.addr() - start.addr())
}

/// Can the kernel be told to send no SIGPIPE? Asked once, on a pipe made for it.
#[inline]
fn knows_no_signal() -> bool {
    // SYNC: the answer alone, which is always the same.
    match NO_SIGNAL.load(Ordering::Relaxed) {
        YES => true,
        NO => false,
        _ => ask_for_no_signal(),
    }
}

#[cold]
fn ask_for_no_signal() -> bool {
    let Ok((_reader, writer)) = nix::unistd::pipe2(OFlag::O_CLOEXEC) else {
        return false;
    };
    let knows = write_flagged(writer.as_fd(), &[IoSlice::new(b"?")], RWF_NOSIGNAL) == Ok(1);
    // SYNC: as above.
    NO_SIGNAL.store(if knows { YES } else { NO }, Ordering::Relaxed);
    knows
}

const YES: u8 = 1;
const NO: u8 = 2;

/// What [`knows_no_signal`] knows: 0 for nothing yet.
static NO_SIGNAL: AtomicU8 = AtomicU8::new(0);

/// Makes a call during which this thread takes no SIGPIPE; one that the call caused is gone after it.
pub(crate) fn without_sigpipe<T>(call: impl FnOnce() -> nix::Result<T>) -> nix::Result<T> {
    let mut only = SigSet::empty();
    only.add(Signal::SIGPIPE);
    let mut before = SigSet::empty();
    pthread_sigmask(SigmaskHow::SIG_BLOCK, Some(&only), Some(&mut before))?;
    // One that was there before is the program's own. It can only be there if it was blocked.
    let theirs = before.contains(Signal::SIGPIPE) && is_pending(Signal::SIGPIPE);
    let result = call();
    if matches!(result, Err(Errno::EPIPE)) && !theirs {
        take_pending(&only);
    }
    pthread_sigmask(SigmaskHow::SIG_SETMASK, Some(&before), None)?;
    result
}

fn is_pending(signal: Signal) -> bool {
    let mut set = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: the call fills the set that the pointer is to.
    if unsafe { libc::sigpending(set.as_mut_ptr()) } != 0 {
        return false;
    }
    // SAFETY: the call succeeded, so it is filled.
    unsafe { libc::sigismember(set.as_ptr(), signal as libc::c_int) == 1 }
}

/// Takes a blocked signal away, if there is one.
fn take_pending(signals: &SigSet) {
    let now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    loop {
        // SAFETY: both pointers are to live values, and what the signal brought is not asked for.
        let taken =
            unsafe { libc::sigtimedwait(signals.as_ref(), ptr::null_mut(), &raw const now) };
        if taken != -1 || Errno::last() != Errno::EINTR {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use nix::sys::signal::{SaFlags, SigAction, SigHandler, sigaction};

    use super::*;

    extern "C" fn abort(_: libc::c_int) {
        std::process::abort();
    }

    /// SIGPIPE ends this process: nothing here may cause one.
    fn deadly() {
        let action = SigAction::new(SigHandler::Handler(abort), SaFlags::empty(), SigSet::empty());
        // SAFETY: the handler may be called at any time.
        unsafe { sigaction(Signal::SIGPIPE, &action) }.unwrap();
    }

    #[test]
    fn writing_without_readers_raises_no_signal_on_any_kernel() {
        deadly();
        let (reader, writer) = nix::unistd::pipe2(OFlag::O_CLOEXEC).unwrap();
        drop(reader);
        assert_eq!(write(writer.as_fd(), b"x", true), Err(Errno::EPIPE));
        assert_eq!(write(writer.as_fd(), b"x", false), Err(Errno::EPIPE));
        // What kernels before 6.18 need.
        let plain = || nix::unistd::write(&writer, b"x");
        assert_eq!(without_sigpipe(plain), Err(Errno::EPIPE));
        assert!(!is_pending(Signal::SIGPIPE));
        let mut only = SigSet::empty();
        only.add(Signal::SIGPIPE);
        only.thread_block().unwrap();
        assert_eq!(without_sigpipe(plain), Err(Errno::EPIPE));
        assert!(!is_pending(Signal::SIGPIPE), "blocked before, and nothing of ours is left");
        nix::sys::signal::raise(Signal::SIGPIPE).unwrap();
        assert_eq!(without_sigpipe(plain), Err(Errno::EPIPE));
        assert!(is_pending(Signal::SIGPIPE), "the program's own stays");
        take_pending(&only);
        only.thread_unblock().unwrap();
    }
}
