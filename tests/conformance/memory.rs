// SPDX-License-Identifier: MIT OR Apache-2.0
//! What every face offers: the same verbs, with the errno as the error.

/// The errno of a failure, positive.
pub(crate) type Errno = i32;
pub(crate) type Result<T> = std::result::Result<T, Errno>;

/// The options that the suite uses; all faces have them.
#[allow(clippy::struct_excessive_bools, reason = "each is an independent switch")]
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Options {
    pub(crate) size: usize,
    pub(crate) offset: u64,
    pub(crate) mode: Option<u32>,
    pub(crate) read_only: bool,
    pub(crate) replace: bool,
    pub(crate) remove_on_close: bool,
    pub(crate) allow_removed: bool,
    /// For a memfd: no seals, so that it can shrink.
    pub(crate) unsealed: bool,
}

/// Shared memory as one face shows it. Dropping closes.
pub(crate) trait Memory: Sized + Sync {
    fn create(name: &str, size: usize, options: Options) -> Result<Self>;
    fn open(name: &str, options: Options) -> Result<Self>;
    fn open_or_create(name: &str, size: usize, options: Options) -> Result<Self>;
    /// The face duplicates or takes a duplicate: `fd` stays the caller's.
    fn from_fd(fd: i32, options: Options) -> Result<Self>;
    fn unlink(name: &str) -> Result<()>;
    fn remove(&self) -> Result<()>;

    fn data(&self) -> *mut u8;
    fn len(&self) -> usize;
    fn mapped_len(&self) -> usize;
    fn name(&self) -> String;
    fn is_read_only(&self) -> bool;
    fn fd(&self) -> Option<i32>;
    fn id(&self) -> Option<i32>;

    fn read_at(&self, offset: usize, buffer: &mut [u8]) -> Result<()>;
    fn write_at(&self, offset: usize, bytes: &[u8]) -> Result<()>;
    fn fill(&self, offset: usize, length: usize, byte: u8) -> Result<()>;
    fn compare(&self, offset: usize, bytes: &[u8]) -> Result<std::cmp::Ordering>;
    fn load_u32(&self, offset: usize) -> Result<u32>;
    fn store_u32(&self, offset: usize, value: u32) -> Result<()>;
    fn add_u32(&self, offset: usize, addend: u32) -> Result<u32>;
    fn compare_exchange_u32(
        &self,
        offset: usize,
        expected: u32,
        desired: u32,
    ) -> Result<(bool, u32)>;
    fn load_u64(&self, offset: usize) -> Result<u64>;
    fn store_u64(&self, offset: usize, value: u64) -> Result<()>;
    fn add_u64(&self, offset: usize, addend: u64) -> Result<u64>;
    fn compare_exchange_u64(
        &self,
        offset: usize,
        expected: u64,
        desired: u64,
    ) -> Result<(bool, u64)>;

    fn begin_access(&self);
    fn end_access(&self) -> Result<()>;
    fn resize(&mut self, size: usize) -> Result<()>;
    fn refresh(&mut self) -> Result<()>;
    fn flush(&self, offset: usize, length: usize) -> Result<()>;
    fn advise(&self, offset: usize, length: usize, advice: i32) -> Result<()>;
    fn lock(&self) -> Result<()>;
    fn unlock(&self) -> Result<()>;
}
