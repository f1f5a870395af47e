// SPDX-License-Identifier: MIT OR Apache-2.0
//! What every face offers: the same verbs, with the errno as the error.

use crate::memory::Result;

/// Whether it is opened, made, or either.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    Open,
    OpenToRead,
    Create,
    OpenOrCreate,
}

/// A place in a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) name: String,
    pub(crate) offset: usize,
    pub(crate) size: usize,
    /// Empty for what is no object.
    pub(crate) kind: String,
}

/// The types of one face.
pub(crate) trait Face {
    type Array: Array;
    type Cell: Cell;
    type Directory: Directory;
}

/// An array as one face shows it. Dropping closes.
pub(crate) trait Array: Sized {
    fn get(name: &str, how: How, layout: Option<&str>, count: usize) -> Result<Self>;
    fn len(&self) -> usize;
    fn layout(&self) -> String;
    fn record_size(&self) -> usize;
    fn data(&self) -> *mut u8;
    fn read(&self, index: usize, buffer: &mut [u8]) -> Result<()>;
    fn write(&self, index: usize, bytes: &[u8]) -> Result<()>;
}

/// A cell as one face shows it. Dropping closes.
pub(crate) trait Cell: Sized {
    fn get(name: &str, how: How, layout: Option<&str>) -> Result<Self>;
    fn version(&self) -> Result<u64>;
    /// How many values had been published.
    fn read(&self, buffer: &mut [u8]) -> Result<u64>;
    /// Without waiting for other writers.
    fn write(&self, bytes: &[u8]) -> Result<()>;
}

/// A directory that takes all of a segment, as one face shows it. Dropping closes.
pub(crate) trait Directory: Sized {
    fn get(name: &str, how: How, entries: u32) -> Result<Self>;
    fn place(&self, name: &str, size: usize) -> Result<Found>;
    fn find(&self, name: &str) -> Result<Found>;
    fn find_or_place(&self, name: &str, size: usize) -> Result<(Found, bool)>;
    fn remove(&self, name: &str) -> Result<()>;
    fn list(&self) -> Result<Vec<Found>>;
}
