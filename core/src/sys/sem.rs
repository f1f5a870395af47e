// SPDX-License-Identifier: MIT OR Apache-2.0
//! POSIX semaphores where they lie in shared memory: `sem_init`, `sem_wait`, `sem_post` and their kin.

use std::cell::UnsafeCell;
use std::mem::transmute;
use std::sync::OnceLock;
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

    pub(crate) fn post(&self) -> nix::Result<()> {
        // SAFETY: the reference is to a semaphore, or to bytes that the C library takes for one.
        Errno::result(unsafe { libc::sem_post(self.0.get()) }).map(drop)
    }

    pub(crate) fn wait(&self) -> nix::Result<()> {
        // SAFETY: as in `post`.
        Errno::result(unsafe { libc::sem_wait(self.0.get()) }).map(drop)
    }

    pub(crate) fn try_wait(&self) -> nix::Result<()> {
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

#[cfg(all(target_env = "gnu", target_pointer_width = "64"))]
impl Sem {
    /// Posts only if the value is 0, in one step; false if it is not.
    ///
    /// The C library has no such call. This is its `sem_post` with a condition, on the layout that every 64-bit glibc since
    /// 2.21 has: the value in the lower and the number of waiters in the upper half of the first 64 bits.
    pub(crate) fn post_if_zero(&self) -> nix::Result<bool> {
        use std::sync::atomic::{AtomicU64, Ordering};

        let word = self.0.get().cast::<u64>();
        // SAFETY: a `sem_t` is aligned for 64 bits, which the C library, too, changes only atomically.
        let word = unsafe { AtomicU64::from_ptr(word) };
        // SYNC: relaxed: the exchange below decides.
        let mut seen = word.load(Ordering::Relaxed);
        while seen & u64::from(u32::MAX) == 0 {
            // SYNC: release pairs with the acquire in sem_wait, as in sem_post.
            match word.compare_exchange_weak(seen, seen + 1, Ordering::Release, Ordering::Relaxed) {
                Ok(_) if seen >> 32 == 0 => return Ok(true),
                Ok(_) => return self.wake().map(|()| true),
                Err(now) => seen = now,
            }
        }
        Ok(false)
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
impl Sem {
    /// Needs to know how the C library lays out a semaphore: `EOPNOTSUPP`.
    pub(crate) fn post_if_zero(&self) -> nix::Result<bool> {
        Err(Errno::EOPNOTSUPP)
    }
}
