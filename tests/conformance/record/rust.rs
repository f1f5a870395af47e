// SPDX-License-Identifier: MIT OR Apache-2.0
//! The Rust face.

use unipc::record::{self, Entry, Layout, Options};
use unipc::{SharedMemory, Timeout};

use super::face::{Array, Cell, Directory, Face, Found, How};
use crate::memory::{Errno, Result};

#[derive(Debug)]
pub(crate) struct Rust;

impl Face for Rust {
    type Array = record::Array;
    type Cell = record::Cell;
    type Directory = record::Directory;
}

#[allow(clippy::needless_pass_by_value, reason = "what map_err passes")]
fn errno(error: unipc::Error) -> Errno {
    error.errno()
}

fn layout(text: Option<&str>) -> Result<Option<Layout>> {
    text.map(Layout::parse).transpose().map_err(errno)
}

/// Whoever creates states a layout.
fn declared(layout: Option<&Layout>) -> Result<&Layout> {
    layout.ok_or(libc::EINVAL)
}

impl Array for record::Array {
    fn get(name: &str, how: How, text: Option<&str>, count: usize) -> Result<Self> {
        let layout = layout(text)?;
        let layout = layout.as_ref();
        let got = match how {
            How::Open => Self::open(name, layout),
            How::OpenToRead => Options::new().read_only(true).open_array(name, layout),
            How::Create => Self::create(name, declared(layout)?, count),
            How::OpenOrCreate => Self::open_or_create(name, declared(layout)?, count),
        };
        got.map_err(errno)
    }

    fn len(&self) -> usize {
        self.len()
    }

    fn layout(&self) -> String {
        self.layout().to_string()
    }

    fn record_size(&self) -> usize {
        self.layout().size()
    }

    fn data(&self) -> *mut u8 {
        self.as_ptr()
    }

    fn read(&self, index: usize, buffer: &mut [u8]) -> Result<()> {
        self.read_at(index, buffer).map_err(errno)
    }

    fn write(&self, index: usize, bytes: &[u8]) -> Result<()> {
        self.write_at(index, bytes).map_err(errno)
    }
}

impl Cell for record::Cell {
    fn get(name: &str, how: How, text: Option<&str>) -> Result<Self> {
        let layout = layout(text)?;
        let layout = layout.as_ref();
        let got = match how {
            How::Open => Self::open(name, layout),
            How::OpenToRead => Options::new().read_only(true).open_cell(name, layout),
            How::Create => Self::create(name, declared(layout)?),
            How::OpenOrCreate => Self::open_or_create(name, declared(layout)?),
        };
        got.map_err(errno)
    }

    fn version(&self) -> Result<u64> {
        self.version().map_err(errno)
    }

    fn read(&self, buffer: &mut [u8]) -> Result<u64> {
        self.read(buffer).map_err(errno)
    }

    fn write(&self, bytes: &[u8]) -> Result<()> {
        self.write(bytes, Timeout::TRY).map_err(errno)
    }
}

fn found(entry: &Entry) -> Found {
    Found {
        name: entry.name().to_owned(),
        offset: entry.offset(),
        size: entry.size(),
        kind: entry.kind().unwrap_or_default(),
    }
}

impl Directory for record::Directory {
    fn get(name: &str, how: How, entries: u32) -> Result<Self> {
        let memory = SharedMemory::open(name).map_err(errno)?;
        let entries = usize::try_from(entries).unwrap();
        let options = if entries == 0 { Options::new() } else { Options::new().entries(entries) };
        let size = memory.len();
        let got = match how {
            How::Open | How::OpenToRead => options.open_directory((&memory, 0)),
            How::Create => options.create_directory((&memory, 0), size),
            How::OpenOrCreate => options.open_or_create_directory((&memory, 0), size),
        };
        got.map_err(errno)
    }

    fn place(&self, name: &str, size: usize) -> Result<Found> {
        self.place(name, size).map(|entry| found(&entry)).map_err(errno)
    }

    fn find(&self, name: &str) -> Result<Found> {
        self.find(name).map(|entry| found(&entry)).map_err(errno)
    }

    fn find_or_place(&self, name: &str, size: usize) -> Result<(Found, bool)> {
        self.find_or_place(name, size).map(|(entry, made)| (found(&entry), made)).map_err(errno)
    }

    fn remove(&self, name: &str) -> Result<()> {
        self.remove(name).map_err(errno)
    }

    fn list(&self) -> Result<Vec<Found>> {
        self.list().map(|entries| entries.iter().map(found).collect()).map_err(errno)
    }
}
