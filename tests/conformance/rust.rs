// SPDX-License-Identifier: MIT OR Apache-2.0
//! The Rust face.

use std::cmp::Ordering;
use std::os::fd::{AsRawFd, BorrowedFd};

use unipc::shm::{self, Seals};
use unipc::{Advice, Mode, SharedMemory};

use crate::memory::{Errno, Memory, Options, Result};

#[derive(Debug)]
pub(crate) struct Rust(SharedMemory);

#[allow(clippy::needless_pass_by_value, reason = "what map_err passes")]
fn errno(error: unipc::Error) -> Errno {
    error.errno()
}

fn options(options: Options) -> shm::Options {
    let mut given = SharedMemory::options()
        .offset(options.offset)
        .read_only(options.read_only)
        .replace(options.replace)
        .remove_on_drop(options.remove_on_close)
        .allow_removed(options.allow_removed);
    if let Some(bits) = options.mode {
        given = given.mode(Mode::new(bits).unwrap());
    }
    if options.size > 0 {
        given = given.size(options.size);
    }
    if options.unsealed {
        given = given.seals(Seals::NONE);
    }
    given
}

fn exchanged<T>(result: std::result::Result<T, T>) -> (bool, T) {
    match result {
        Ok(previous) => (true, previous),
        Err(previous) => (false, previous),
    }
}

impl Memory for Rust {
    fn create(name: &str, size: usize, given: Options) -> Result<Self> {
        options(given).create(name, size).map(Self).map_err(errno)
    }

    fn open(name: &str, given: Options) -> Result<Self> {
        options(given).open(name).map(Self).map_err(errno)
    }

    fn open_or_create(name: &str, size: usize, given: Options) -> Result<Self> {
        options(given).open_or_create(name, size).map(Self).map_err(errno)
    }

    fn from_fd(fd: i32, given: Options) -> Result<Self> {
        // SAFETY: the test holds the descriptor open.
        let fd = unsafe { BorrowedFd::borrow_raw(fd) }.try_clone_to_owned().unwrap();
        options(given).from_fd(fd).map(Self).map_err(errno)
    }

    fn unlink(name: &str) -> Result<()> {
        SharedMemory::unlink(name).map_err(errno)
    }

    fn remove(&self) -> Result<()> {
        self.0.remove().map_err(errno)
    }

    fn data(&self) -> *mut u8 {
        self.0.as_ptr()
    }

    fn len(&self) -> usize {
        self.0.len()
    }

    fn mapped_len(&self) -> usize {
        self.0.mapped_len()
    }

    fn name(&self) -> String {
        self.0.name().to_string()
    }

    fn is_read_only(&self) -> bool {
        self.0.is_read_only()
    }

    fn fd(&self) -> Option<i32> {
        self.0.fd().map(|fd| fd.as_raw_fd())
    }

    fn id(&self) -> Option<i32> {
        self.0.system_v().map(shm::SystemV::id)
    }

    fn read_at(&self, offset: usize, buffer: &mut [u8]) -> Result<()> {
        self.0.read_at(offset, buffer).map_err(errno)
    }

    fn write_at(&self, offset: usize, bytes: &[u8]) -> Result<()> {
        self.0.write_at(offset, bytes).map_err(errno)
    }

    fn fill(&self, offset: usize, length: usize, byte: u8) -> Result<()> {
        self.0.fill(offset, length, byte).map_err(errno)
    }

    fn compare(&self, offset: usize, bytes: &[u8]) -> Result<Ordering> {
        self.0.compare(offset, bytes).map_err(errno)
    }

    fn load_u32(&self, offset: usize) -> Result<u32> {
        self.0.load_u32(offset).map_err(errno)
    }

    fn store_u32(&self, offset: usize, value: u32) -> Result<()> {
        self.0.store_u32(offset, value).map_err(errno)
    }

    fn add_u32(&self, offset: usize, addend: u32) -> Result<u32> {
        self.0.add_u32(offset, addend).map_err(errno)
    }

    fn compare_exchange_u32(
        &self,
        offset: usize,
        expected: u32,
        desired: u32,
    ) -> Result<(bool, u32)> {
        self.0.compare_exchange_u32(offset, expected, desired).map(exchanged).map_err(errno)
    }

    fn load_u64(&self, offset: usize) -> Result<u64> {
        self.0.load_u64(offset).map_err(errno)
    }

    fn store_u64(&self, offset: usize, value: u64) -> Result<()> {
        self.0.store_u64(offset, value).map_err(errno)
    }

    fn add_u64(&self, offset: usize, addend: u64) -> Result<u64> {
        self.0.add_u64(offset, addend).map_err(errno)
    }

    fn compare_exchange_u64(
        &self,
        offset: usize,
        expected: u64,
        desired: u64,
    ) -> Result<(bool, u64)> {
        self.0.compare_exchange_u64(offset, expected, desired).map(exchanged).map_err(errno)
    }

    fn begin_access(&self) {
        std::mem::forget(self.0.begin_access());
    }

    fn end_access(&self) -> Result<()> {
        self.0.end_access().map_err(errno)
    }

    fn resize(&mut self, size: usize) -> Result<()> {
        self.0.resize(size).map_err(errno)
    }

    fn refresh(&mut self) -> Result<()> {
        self.0.refresh().map_err(errno)
    }

    fn flush(&self, offset: usize, length: usize) -> Result<()> {
        self.0.flush(offset, length).map_err(errno)
    }

    fn advise(&self, offset: usize, length: usize, advice: i32) -> Result<()> {
        let advice = Advice::from_raw(advice).ok_or(libc::EINVAL)?;
        self.0.advise(offset, length, advice).map_err(errno)
    }

    fn lock(&self) -> Result<()> {
        self.0.lock().map_err(errno)
    }

    fn unlock(&self) -> Result<()> {
        self.0.unlock().map_err(errno)
    }
}
