// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reading and writing shared bytes: copies, typed values, atomics, and the guard for raw pointers.

use std::cmp::Ordering;
use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicU32, AtomicU64};

use zerocopy::{FromBytes, Immutable, IntoBytes};

use super::SharedMemory;
use crate::error::{ErrorKind, Result};

impl SharedMemory {
    /// Copies the bytes at `offset` into `buffer`, all of it.
    ///
    /// A file that another process has truncated is an error here, not a signal.
    ///
    /// Errors: `ERANGE` when the bytes are not all inside, `EFAULT` when the file lost them.
    ///
    /// The copy is not atomic: a writer at work at the same time may be seen half-way.
    pub fn read_at(&self, offset: usize, buffer: &mut [u8]) -> Result<()> {
        self.map.read_at(offset, buffer).map_err(|kind| self.failed("read_at", kind))
    }

    /// As [`SharedMemory::read_at`], into memory that need not be initialised first, which takes half the time for
    /// large copies into fresh memory. Gives the same memory back, initialised. Errors: as [`SharedMemory::read_at`].
    pub fn read_uninit<'a>(
        &self,
        offset: usize,
        buffer: &'a mut [MaybeUninit<u8>],
    ) -> Result<&'a mut [u8]> {
        self.map.read_uninit(offset, buffer).map_err(|kind| self.failed("read_at", kind))
    }

    /// Copies `bytes` to `offset`.
    ///
    /// Errors: as [`SharedMemory::read_at`], and `EACCES` when the mapping is read-only.
    pub fn write_at(&self, offset: usize, bytes: &[u8]) -> Result<()> {
        self.map.write_at(offset, bytes).map_err(|kind| self.failed("write_at", kind))
    }

    /// Sets `length` bytes from `offset` on to `byte`. Errors: as [`SharedMemory::write_at`].
    #[doc(alias = "memset")]
    pub fn fill(&self, offset: usize, length: usize, byte: u8) -> Result<()> {
        self.map.fill(offset, length, byte).map_err(|kind| self.failed("fill", kind))
    }

    /// How the bytes at `offset` stand to `bytes`, as `memcmp` orders them. Errors: as [`SharedMemory::read_at`].
    #[doc(alias = "memcmp")]
    pub fn compare(&self, offset: usize, bytes: &[u8]) -> Result<Ordering> {
        self.map.compare(offset, bytes).map_err(|kind| self.failed("compare", kind))
    }

    /// Copies a value out: any type whose every bit pattern is valid, such as a `#[repr(C)]` struct of numbers that
    /// derives zerocopy's `FromBytes` and `IntoBytes`. Errors: as [`SharedMemory::read_at`].
    ///
    /// ```
    /// use unipc::SharedMemory;
    /// use zerocopy::{FromBytes, Immutable, IntoBytes};
    ///
    /// #[derive(FromBytes, IntoBytes, Immutable)]
    /// #[repr(C)]
    /// struct People { name: [u8; 4], age: i32 }
    ///
    /// # fn main() -> unipc::Result<()> {
    /// let shm = SharedMemory::create("anon:", 80)?;
    /// shm.write(8, &People { name: *b"c\0\0\0", age: 21 })?;
    /// assert_eq!(shm.read::<People>(8)?.age, 21);
    /// # Ok(())
    /// # }
    /// ```
    pub fn read<T: FromBytes + IntoBytes>(&self, offset: usize) -> Result<T> {
        let mut value = T::new_zeroed();
        self.read_at(offset, value.as_mut_bytes())?;
        Ok(value)
    }

    /// Copies a value in. Errors: as [`SharedMemory::write_at`].
    pub fn write<T: IntoBytes + Immutable>(&self, offset: usize, value: &T) -> Result<()> {
        self.write_at(offset, value.as_bytes())
    }

    /// Runs `work`, which may use raw pointers into the mapping. Should the file lose pages meanwhile, the process
    /// does not die of SIGBUS: the missing pages read as zeros, and the loss is the result.
    ///
    /// Any thread's accesses to this mapping are covered while the call lasts. Guards may nest and overlap; a loss is
    /// told to all that overlap with it. A child that was forked while another thread was inside a guard counts that one as
    /// going on, until it calls `refresh`. SIGBUS for any other address goes to the handler that was there before.
    /// A thread that touches the memory must not block SIGBUS: the kernel ends a process that faults while it is blocked.
    /// That is so for all that lies in the memory, such as an array or a lock.
    ///
    /// Errors: `EFAULT` when pages were missing: what was read or written since the guard began is void.
    ///
    /// ```
    /// # fn main() -> unipc::Result<()> {
    /// let shm = unipc::SharedMemory::create("memfd:guarded", 4096)?;
    /// let first = shm.guarded(|| unsafe { shm.as_ptr().read_volatile() })?;
    /// assert_eq!(first, 0);
    /// # Ok(())
    /// # }
    /// ```
    pub fn guarded<R>(&self, work: impl FnOnce() -> R) -> Result<R> {
        let access = self.begin_access();
        let result = work();
        access.end().map(|()| result)
    }

    /// Begins a guarded access that ends with [`Access::end`]; see [`SharedMemory::guarded`].
    pub fn begin_access(&self) -> Access<'_> {
        self.map.begin_access();
        Access { shm: self, ended: false }
    }

    /// Ends an access whose [`Access`] was forgotten with [`std::mem::forget`], for callers that cannot hold a
    /// borrow: the C functions and Python's context manager.
    ///
    /// Errors: as [`Access::end`]; `EINVAL` when none was begun, which is noticed where the object can shrink.
    pub fn end_access(&self) -> Result<()> {
        self.map.end_access().map_err(|kind| self.failed("end_access", kind))
    }
}

/// A guarded access that is going on, see [`SharedMemory::guarded`]. Dropping it ends it and keeps the result quiet.
#[derive(Debug)]
pub struct Access<'a> {
    shm: &'a SharedMemory,
    ended: bool,
}

impl Access<'_> {
    /// Ends the access.
    ///
    /// Errors: `EFAULT` when the file lost pages of the mapping meanwhile.
    pub fn end(mut self) -> Result<()> {
        self.ended = true;
        self.shm.end_access()
    }
}

impl Drop for Access<'_> {
    fn drop(&mut self) {
        if !self.ended {
            let _ = self.shm.map.end_access();
        }
    }
}

macro_rules! atomics {
    ($($integer:ident, $atomic:ident, $at:ident, $load:ident, $store:ident, $add:ident, $exchange:ident;)*) => {
        /// Atomic integers at offsets that are multiples of their size: enough for counters and flags.
        ///
        /// All are sequentially consistent. Errors: `ERANGE` outside the mapping, `EINVAL` when not aligned,
        /// `EACCES` for a change to a read-only mapping, `EFAULT` when the file lost the page.
        impl SharedMemory {$(
            /// The integer as an atomic of Rust's own, for other orderings and operations. Not guarded against a
            /// file that shrinks; see [`SharedMemory::guarded`].
            pub fn $at(&self, offset: usize) -> Result<&$atomic> {
                self.writable(stringify!($at))?;
                self.map.$at(offset).map_err(|kind| self.failed(stringify!($at), kind))
            }

            /// Reads the integer.
            pub fn $load(&self, offset: usize) -> Result<$integer> {
                self.map.$load(offset).map_err(|kind| self.failed(stringify!($load), kind))
            }

            /// Writes the integer.
            pub fn $store(&self, offset: usize, value: $integer) -> Result<()> {
                self.map.$store(offset, value).map_err(|kind| self.failed(stringify!($store), kind))
            }

            /// Adds to the integer, wrapping around; gives the previous value.
            pub fn $add(&self, offset: usize, addend: $integer) -> Result<$integer> {
                self.map.$add(offset, addend).map_err(|kind| self.failed(stringify!($add), kind))
            }

            /// Stores `desired` if the integer is `expected`. `Ok(Ok(previous))` when it was,
            /// `Ok(Err(previous))` when it was not.
            pub fn $exchange(
                &self,
                offset: usize,
                expected: $integer,
                desired: $integer,
            ) -> Result<std::result::Result<$integer, $integer>> {
                self.map
                    .$exchange(offset, expected, desired)
                    .map_err(|kind| self.failed(stringify!($exchange), kind))
            }
        )*}
    };
}

atomics! {
    u32, AtomicU32, atomic_u32, load_u32, store_u32, add_u32, compare_exchange_u32;
    u64, AtomicU64, atomic_u64, load_u64, store_u64, add_u64, compare_exchange_u64;
}

impl SharedMemory {
    /// A reference to an atomic can store, so it must not lead into read-only pages.
    fn writable(&self, operation: &'static str) -> Result<()> {
        if self.is_read_only() {
            return Err(self.failed(operation, ErrorKind::ReadOnly));
        }
        Ok(())
    }
}
