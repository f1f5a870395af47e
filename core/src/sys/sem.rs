// SPDX-License-Identifier: MIT OR Apache-2.0
//! POSIX semaphores where they lie in shared memory: `sem_init`, `sem_wait`, `sem_post` and their kin.

use std::cell::UnsafeCell;
use std::mem::transmute;
use std::sync::OnceLock;
#[cfg(all(target_env = "gnu", target_pointer_width = "64"))]
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use nix::errno::Errno;
use nix::time::{ClockId, clock_gettime};

use super::timer::timespec;

/// The highest value: `SEM_VALUE_MAX`.
pub(crate) const VALUE_MAX: u32 = i32::MAX.cast_unsigned();

/// A `sem_t` that others use too.
#[repr(transparent)]
pub(crate) struct Sem(UnsafeCell<libc::sem_t>);

// SAFETY: the calls of the C library on a semaphore may be made by any thread at any time.
unsafe impl Sync for Sem {}

// SAFETY: all bits are a `sem_t` as far as memory goes, and it is changed through shared references alone.
unsafe impl super::Shared for Sem {}

impl std::fmt::Debug for Sem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sem")
    }
}

impl Sem {
    /// [`sem_init(3)`](https://man7.org/linux/man-pages/man3/sem_init.3.html), shared between processes.
    pub(crate) fn init(&self, value: u32) -> nix::Result<()> {
        // SAFETY: the semaphore lies in memory that is this reference's to write.
        Errno::result(unsafe { libc::sem_init(self.0.get(), 1, value) }).map(drop)
    }

    #[inline]
    pub(crate) fn post(&self) -> nix::Result<()> {
        if self.post_unless_awaited() {
            return Ok(());
        }
        // SAFETY: the reference is to a semaphore, or to bytes that the C library takes for one.
        Errno::result(unsafe { libc::sem_post(self.0.get()) }).map(drop)
    }

    #[inline]
    pub(crate) fn wait(&self) -> nix::Result<()> {
        if self.take_at_once() {
            return Ok(());
        }
        // SAFETY: as in `post`.
        Errno::result(unsafe { libc::sem_wait(self.0.get()) }).map(drop)
    }

    #[inline]
    pub(crate) fn try_wait(&self) -> nix::Result<()> {
        if self.take_at_once() {
            return Ok(());
        }
        // SAFETY: as in `post`.
        Errno::result(unsafe { libc::sem_trywait(self.0.get()) }).map(drop)
    }

    pub(crate) fn value(&self) -> nix::Result<u32> {
        let mut value = 0;
        // SAFETY: as in `post`; the value goes to a local.
        Errno::result(unsafe { libc::sem_getvalue(self.0.get(), &raw mut value) })?;
        // POSIX lets a system tell the number of waiters as a negative value; Linux tells 0.
        Ok(u32::try_from(value).unwrap_or(0))
    }

    /// `sem_clockwait(CLOCK_MONOTONIC)`, which glibc has since 2.30: `None` where there is no such call.
    pub(crate) fn clock_wait(&self, limit: Duration) -> Option<nix::Result<()>> {
        let call = sem_clockwait()?;
        Some(monotonic_in(limit).and_then(|moment| {
            // SAFETY: as in `post`; the moment lives as long as the call.
            let result = unsafe { call(self.0.get(), libc::CLOCK_MONOTONIC, &raw const moment) };
            Errno::result(result).map(drop)
        }))
    }
}

/// The moment on the monotonic clock that is `limit` from now, or the last one that there is.
fn monotonic_in(limit: Duration) -> nix::Result<libc::timespec> {
    let now = Duration::from(clock_gettime(ClockId::CLOCK_MONOTONIC)?);
    Ok(timespec(now.saturating_add(limit)))
}

type ClockWait =
    unsafe extern "C" fn(*mut libc::sem_t, libc::clockid_t, *const libc::timespec) -> libc::c_int;

/// Looked up at run time, so that the library can be loaded where the C library is older.
fn sem_clockwait() -> Option<ClockWait> {
    static FOUND: OnceLock<Option<ClockWait>> = OnceLock::new();
    *FOUND.get_or_init(|| {
        // On 32 bits there are two, for two sizes of time.
        if cfg!(not(target_pointer_width = "64")) {
            return None;
        }
        // SAFETY: the name is NUL-terminated, and looking it up changes nothing.
        let address = unsafe { libc::dlsym(libc::RTLD_DEFAULT, c"sem_clockwait".as_ptr()) };
        // SAFETY: NULL becomes `None`; otherwise it is the C library's function, which has this type.
        unsafe { transmute::<*mut libc::c_void, Option<ClockWait>>(address) }
    })
}

/// What every 64-bit glibc agrees on: the value is the lower half of the first 64 bits, which change in one piece. Since
/// 2.21 the upper half is the number of waiters; before, it was a constant other than 0, and whatever is found there is
/// kept. So what needs nobody woken or put to sleep is done here, without the call; all else is the C library's.
#[cfg(all(target_env = "gnu", target_pointer_width = "64"))]
impl Sem {
    #[inline]
    fn word(&self) -> &AtomicU64 {
        let word = self.0.get().cast::<u64>();
        // SAFETY: a `sem_t` is aligned for 64 bits, which the C library, too, changes only atomically.
        unsafe { AtomicU64::from_ptr(word) }
    }

    /// One attempt to give where nobody waits; false says nothing but that the C library has to look.
    #[inline]
    fn post_unless_awaited(&self) -> bool {
        // SYNC: relaxed: the exchange decides.
        let seen = self.word().load(Ordering::Relaxed);
        // Also false for a value that is the highest already.
        seen < u64::from(VALUE_MAX) && self.exchange(seen, seen + 1, Ordering::Release)
    }

    /// One attempt to take what is there; false says nothing but that the C library has to look.
    #[inline]
    fn take_at_once(&self) -> bool {
        // SYNC: relaxed: the exchange decides.
        let seen = self.word().load(Ordering::Relaxed);
        seen & u64::from(u32::MAX) != 0 && self.exchange(seen, seen - 1, Ordering::Acquire)
    }

    #[inline]
    fn exchange(&self, seen: u64, now: u64, order: Ordering) -> bool {
        // SYNC: release in giving pairs with acquire in taking, here and in the C library.
        self.word().compare_exchange(seen, now, order, Ordering::Relaxed).is_ok()
    }

    /// Posts only if the value is 0, in one step; false if it is not. The C library has no such call.
    pub(crate) fn post_if_zero(&self) -> nix::Result<bool> {
        loop {
            // SYNC: relaxed: the exchange decides.
            let seen = self.word().load(Ordering::Relaxed);
            if seen & u64::from(u32::MAX) != 0 {
                return Ok(false);
            }
            if self.exchange(seen, seen + 1, Ordering::Release) {
                return if seen == 0 { Ok(true) } else { self.wake().map(|()| true) };
            }
        }
    }

    /// Wakes one who sleeps in `sem_wait`.
    fn wake(&self) -> nix::Result<()> {
        // The value is the half that futexes look at.
        let half = usize::from(cfg!(target_endian = "big"));
        let futex = self.0.get().cast::<u32>().wrapping_add(half);
        // SAFETY: FUTEX_WAKE takes an address for a name alone and touches nothing.
        let woken = unsafe { libc::syscall(libc::SYS_futex, futex, libc::FUTEX_WAKE, 1) };
        Errno::result(woken).map(drop)
    }
}

#[cfg(not(all(target_env = "gnu", target_pointer_width = "64")))]
#[allow(clippy::unused_self, reason = "as where the layout is known")]
impl Sem {
    fn post_unless_awaited(&self) -> bool {
        false
    }

    fn take_at_once(&self) -> bool {
        false
    }

    /// Needs to know how the C library lays out a semaphore: `EOPNOTSUPP`.
    pub(crate) fn post_if_zero(&self) -> nix::Result<bool> {
        Err(Errno::EOPNOTSUPP)
    }
}
