// SPDX-License-Identifier: MIT OR Apache-2.0
//! In the place of the kernel and the processor: atomics, futexes, robust lists, the living and the dead.

pub(crate) mod atomic;

pub(crate) mod futex {
    //! Nobody wakes without being called, and time does not pass unless somebody has died.

    use std::sync::atomic::Ordering;
    use std::time::Duration;

    use nix::errno::Errno;

    use super::atomic::AtomicU32;
    use crate::scheduler::{self, Woken, step};

    pub(crate) const WAIT_MAX: usize = 128;

    #[track_caller]
    pub(crate) fn wait(word: &AtomicU32, expected: u32, limit: Duration) -> nix::Result<()> {
        wait_any(&[(word, expected)], limit)
    }

    #[track_caller]
    pub(crate) fn wait_any(words: &[(&AtomicU32, u32)], _: Duration) -> nix::Result<()> {
        step();
        scheduler::flush();
        if words.iter().any(|(word, expected)| word.plain().load(Ordering::SeqCst) != *expected) {
            return Err(Errno::EAGAIN);
        }
        match scheduler::sleep(words.iter().map(|(word, _)| word.as_ptr().addr()).collect()) {
            Woken::Called => Ok(()),
            Woken::TimePassed => Err(Errno::ETIMEDOUT),
        }
    }

    #[track_caller]
    pub(crate) fn wake(word: &AtomicU32, count: i32) -> usize {
        if !step() {
            return 0;
        }
        // The kernel looks for sleepers behind a barrier.
        scheduler::flush();
        scheduler::wake(word.as_ptr().addr(), usize::try_from(count).unwrap_or(0))
    }
}

pub(crate) mod identity {
    //! A thread's number is one more than the scheduler's; it is never used again.

    use std::cell::Cell;

    use crate::scheduler;

    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub(crate) struct Identity {
        pub(crate) tid: u32,
        pub(crate) who: u64,
        pub(crate) since: u64,
    }

    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub(crate) enum Life {
        Alive,
        Dead,
        Unknown,
    }

    thread_local! {
        static INSTEAD_OF: Cell<Option<usize>> = const { Cell::new(None) };
    }

    /// Does what the thread with this number would do before a run begins.
    pub(crate) fn instead_of<T>(thread: usize, work: impl FnOnce() -> T) -> T {
        INSTEAD_OF.set(Some(thread));
        let result = work();
        INSTEAD_OF.set(None);
        result
    }

    /// Each thread is a process.
    pub(crate) fn of_this_process() -> Identity {
        let number = INSTEAD_OF.get().or(scheduler::number()).expect("somebody");
        let tid = u32::try_from(number).expect("few") + 1;
        Identity { tid, who: tid.into(), since: 1 }
    }

    pub(crate) fn exists(pid: u32, _: u32) -> bool {
        !scheduler::has_died(pid as usize - 1)
    }

    pub(crate) fn judge(identity: Identity) -> Life {
        match identity {
            Identity { since: 0, .. } => Life::Unknown,
            Identity { tid, .. } if scheduler::has_died(tid as usize - 1) => Life::Dead,
            _ => Life::Alive,
        }
    }
}

pub(crate) mod robust {
    //! A thread's list, which the scheduler keeps; each change of it is a place at which the thread can die.
    #![allow(clippy::trivially_copy_pass_by_ref, reason = "as in the original")]

    use super::atomic::AtomicU64;
    use crate::scheduler::{self, kernel, private_step};

    pub(crate) const WORD_BEFORE_LINK: usize = 32;

    #[derive(Debug, Clone, Copy)]
    pub(crate) struct Current(usize);

    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub(crate) struct Link(usize);

    impl Link {
        pub(crate) fn of(link: &AtomicU64) -> Self {
            Self(link.as_ptr().addr())
        }

        pub(crate) fn address(self) -> usize {
            self.0
        }
    }

    #[allow(clippy::unused_self, reason = "as in the original")]
    impl Current {
        #[allow(clippy::unnecessary_wraps, reason = "as in the original")]
        pub(crate) fn get() -> nix::Result<Self> {
            Ok(Self(scheduler::number().unwrap_or(90)))
        }

        pub(crate) fn known() -> Option<Self> {
            Self::get().ok()
        }

        pub(crate) fn tid(&self) -> u32 {
            u32::try_from(self.0).unwrap_or(0) + 1
        }

        pub(crate) fn who(&self) -> u64 {
            1
        }

        pub(crate) fn since(&self) -> u64 {
            self.0 as u64 + 1
        }

        pub(crate) fn spread(&self) -> usize {
            self.0
        }

        pub(crate) fn pend(&self, link: Link) {
            if private_step() {
                kernel(|_, pending| *pending = link.0);
            }
        }

        pub(crate) fn pending(&self) -> usize {
            kernel(|_, pending| *pending)
        }

        pub(crate) fn settle(&self) {
            if private_step() {
                kernel(|_, pending| *pending = 0);
            }
        }

        /// Not as unsafe as the original: nobody follows the link.
        pub(crate) unsafe fn link(&self, link: Link, _: usize) {
            if private_step() {
                kernel(|held, _| held.push(link.0));
            }
        }

        pub(crate) fn top(&self) -> usize {
            kernel(|held, _| held.last().copied().unwrap_or(0))
        }

        pub(crate) fn pop(&self) {
            if private_step() {
                kernel(|held, _| held.pop());
            }
        }

        pub(crate) fn unlink(&self, link: Link) -> bool {
            private_step()
                && kernel(|held, _| {
                    let at = held.iter().rposition(|&it| it == link.0);
                    at.map(|at| held.remove(at)).is_some()
                })
        }

        pub(crate) fn has(&self, link: Link) -> bool {
            kernel(|held, _| held.contains(&link.0))
        }

        pub(crate) fn latest(&self, wanted: impl Fn(usize) -> bool) -> Option<usize> {
            kernel(|held, _| held.iter().rev().copied().find(|&link| wanted(link)))
        }

        pub(crate) fn find_by_mark(&self, _: u64) -> Option<Link> {
            None
        }
    }
}

pub(crate) mod membarrier {
    //! Stores that come late have come after it.

    use crate::scheduler::{flush_all, step};

    pub(crate) fn register() -> bool {
        true
    }

    pub(crate) fn everywhere() -> bool {
        if step() {
            flush_all();
        }
        true
    }
}

pub(crate) mod fork {
    //! Nobody has children.

    pub(crate) fn generation() -> u32 {
        0
    }
}

/// A death unwinds here.
pub(crate) fn apart<T, A, B, R>(
    it: &T,
    one: A,
    other: B,
    done: R,
    work: impl FnOnce(&T, A, B),
) -> R {
    work(it, one, other);
    done
}

/// Nobody spins.
pub(crate) fn processors() -> u32 {
    1
}
