// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where an object lies: at an offset of shared memory, or under a name of its own.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::sync::Arc;

use crate::error::{Error, ErrorKind, Result};
use crate::map::Map;
use crate::name::Name;
use crate::open::{Disposition, Mode};
use crate::shm::SharedMemory;

/// Where an object of this room lies.
///
/// Made from `(&shm, offset)`, or from a name, under which a small segment is created for the object alone.
#[derive(Debug, Clone)]
pub struct Place<'a>(Where<'a>);

#[derive(Debug, Clone)]
enum Where<'a> {
    Memory(&'a SharedMemory, usize),
    Name(Name),
}

impl<'a> From<(&'a SharedMemory, usize)> for Place<'a> {
    fn from((memory, offset): (&'a SharedMemory, usize)) -> Self {
        Self(Where::Memory(memory, offset))
    }
}

impl From<Name> for Place<'_> {
    fn from(name: Name) -> Self {
        Self(Where::Name(name))
    }
}

macro_rules! place_from {
    ($($kind:ty),*) => {$(
        impl TryFrom<$kind> for Place<'_> {
            type Error = Error;

            fn try_from(name: $kind) -> Result<Self> {
                Name::parse(name).map(Self::from)
            }
        }
    )*};
}

place_from!(&str, &String, String, &OsStr, &OsString, OsString);

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Where::Memory(memory, offset) => write!(f, "{}+{offset}", memory.name()),
            Where::Name(name) => name.fmt(f),
        }
    }
}

/// A place that is mapped.
pub(super) struct Site {
    pub(super) map: Arc<Map>,
    pub(super) offset: usize,
}

impl Place<'_> {
    /// Maps the place; a segment under a name is made large enough for `size` bytes.
    pub(super) fn reach(
        &self,
        disposition: Disposition,
        mode: Mode,
        size: usize,
    ) -> Result<Site, ErrorKind> {
        let (map, offset) = match &self.0 {
            Where::Memory(memory, offset) => (memory.twin(), *offset),
            Where::Name(name) => {
                let options = SharedMemory::options().mode(mode);
                let memory = match disposition {
                    Disposition::Open => options.open(name),
                    Disposition::Create => options.create(name, size),
                    Disposition::OpenOrCreate => options.open_or_create(name, size),
                };
                (memory.map_err(|error| error.kind().clone())?.twin(), 0)
            }
        };
        Ok(Site { map: map?, offset })
    }
}
