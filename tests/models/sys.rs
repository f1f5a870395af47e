// SPDX-License-Identifier: MIT OR Apache-2.0
//! In the place of the kernel and the processor: atomics, futexes, robust lists, the living and the dead.

pub(crate) mod atomic {
    //! Each operation is a step. The dead do nothing more.

    use std::sync::atomic::Ordering;

    use crate::scheduler::step;

    macro_rules! atomic {
        ($name:ident, $value:ty) => {
            #[derive(Debug, Default)]
            #[repr(transparent)]
            pub(crate) struct $name(std::sync::atomic::$name);

            #[allow(dead_code, reason = "each is a whole, whoever uses it")]
            impl $name {
                pub(crate) fn load(&self, _: Ordering) -> $value {
                    step();
                    self.0.load(Ordering::SeqCst)
                }

                pub(crate) fn store(&self, value: $value, _: Ordering) {
                    if step() {
                        self.0.store(value, Ordering::SeqCst);
                    }
                }

                pub(crate) fn swap(&self, value: $value, _: Ordering) -> $value {
                    if step() { self.0.swap(value, Ordering::SeqCst) } else { 0 }
                }

                pub(crate) fn compare_exchange(
                    &self,
                    from: $value,
                    to: $value,
                    _: Ordering,
                    _: Ordering,
                ) -> Result<$value, $value> {
                    if !step() {
                        return Ok(from);
                    }
                    self.0.compare_exchange(from, to, Ordering::SeqCst, Ordering::SeqCst)
                }

                pub(crate) fn fetch_and(&self, value: $value, _: Ordering) -> $value {
                    if step() { self.0.fetch_and(value, Ordering::SeqCst) } else { 0 }
                }

                pub(crate) fn fetch_or(&self, value: $value, _: Ordering) -> $value {
                    if step() { self.0.fetch_or(value, Ordering::SeqCst) } else { 0 }
                }

                pub(crate) fn fetch_max(&self, value: $value, _: Ordering) -> $value {
                    if step() { self.0.fetch_max(value, Ordering::SeqCst) } else { 0 }
                }

                pub(crate) fn as_ptr(&self) -> *mut $value {
                    self.0.as_ptr()
                }

                /// For the kernel and for checks: no step.
                pub(crate) fn plain(&self) -> &std::sync::atomic::$name {
                    &self.0
                }
            }
        };
    }

    atomic!(AtomicU32, u32);
    atomic!(AtomicU64, u64);
}

pub(crate) mod futex {
    //! Nobody wakes without being called, and time does not pass unless somebody has died.

    use std::sync::atomic::Ordering;
    use std::time::Duration;

    use nix::errno::Errno;

    use super::atomic::AtomicU32;
    use crate::scheduler::{self, Woken, step};

    pub(crate) const WAIT_MAX: usize = 128;

    pub(crate) fn wait(word: &AtomicU32, expected: u32, limit: Duration) -> nix::Result<()> {
        wait_any(&[(word, expected)], limit)
    }

    pub(crate) fn wait_any(words: &[(&AtomicU32, u32)], _: Duration) -> nix::Result<()> {
        step();
        if words.iter().any(|(word, expected)| word.plain().load(Ordering::SeqCst) != *expected) {
            return Err(Errno::EAGAIN);
        }
        match scheduler::sleep(words.iter().map(|(word, _)| word.as_ptr().addr()).collect()) {
            Woken::Called => Ok(()),
            Woken::TimePassed => Err(Errno::ETIMEDOUT),
        }
    }

    pub(crate) fn wake(word: &AtomicU32, count: i32) -> usize {
        if !step() {
            return 0;
        }
        scheduler::wake(word.as_ptr().addr(), usize::try_from(count).unwrap_or(0))
    }
}

pub(crate) mod identity {
    //! A thread's number is one more than the scheduler's; it is never used again.

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

    pub(crate) struct Plan {
        pub(crate) tid: u32,
        pub(crate) who: u64,
        pub(crate) since: u64,
    }

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

        pub(crate) fn settle(&self) {
            if private_step() {
                kernel(|_, pending| *pending = 0);
            }
        }

        pub(crate) fn plan(&self) -> Plan {
            Plan { tid: self.tid(), who: self.who(), since: self.since() }
        }

        /// Not as unsafe as the original: nobody follows the link.
        pub(crate) unsafe fn link(&self, link: Link, _: &Plan) {
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

/// Nobody spins.
pub(crate) fn processors() -> u32 {
    1
}
