// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where an object lies: at an offset of shared memory, or under a name of its own.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::sync::Arc;

use crate::error::{Error, ErrorKind, Result};
use crate::map::Map;
use crate::name::Name;
use crate::open::{Disposition, Mode};
use crate::shm::{Options, SharedMemory};

/// Where an object of this room lies.
///
/// Made from `(&shm, offset)`, or from a name, under which a small segment is created for the object alone.
#[derive(Debug, Clone)]
pub struct Place<'a>(Where<'a>);

#[derive(Debug, Clone)]
enum Where<'a> {
    Memory(&'a SharedMemory, usize),
    Name(Name),
    /// Found in a directory.
    Mapped(Site, String),
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
            Where::Mapped(_, label) => f.write_str(label),
        }
    }
}

/// A place that is mapped.
#[derive(Debug, Clone)]
pub(crate) struct Site {
    pub(crate) map: Arc<Map>,
    pub(crate) offset: usize,
    /// How many bytes there are, where that is fewer than up to the end of the memory.
    room: Option<usize>,
}

impl Site {
    /// From `offset` on, to the end of the memory.
    pub(crate) fn new(map: Arc<Map>, offset: usize) -> Self {
        Self { map, offset, room: None }
    }

    /// `room` bytes from `offset` on.
    pub(crate) fn of_size(map: Arc<Map>, offset: usize, room: usize) -> Self {
        Self { map, offset, room: Some(room) }
    }

    /// Is there room for an object of so many bytes? Errors: `ERANGE`.
    pub(crate) fn check(&self, bytes: usize) -> Result<(), ErrorKind> {
        self.map.check(self.offset, bytes)?;
        match self.room {
            Some(room) if bytes > room => {
                let (length, size) = (bytes as u64, room as u64);
                Err(ErrorKind::OutOfBounds { offset: 0, length, size })
            }
            _ => Ok(()),
        }
    }
}

impl Place<'_> {
    /// A place in memory that is mapped; errors call it by the label.
    pub(crate) fn mapped(site: Site, label: String) -> Self {
        Self(Where::Mapped(site, label))
    }

    /// As [`Place::reach_filled`], for objects that can be read where nothing can be written, and that know their own size: all of an
    /// existing segment is mapped.
    pub(crate) fn reach_whole(
        &self,
        disposition: Disposition,
        mode: Mode,
        read_only: bool,
        size: usize,
        fill: impl Fn(&SharedMemory) -> Result<(), ErrorKind> + Send + Sync + 'static,
    ) -> Result<Site, ErrorKind> {
        let options = SharedMemory::options().mode(mode);
        let creating =
            if self.is_published() { options.clone().fill(fill) } else { options.clone() };
        let memory = match &self.0 {
            Where::Memory(memory, offset) if memory.is_read_only() || read_only => {
                return Ok(Site::new(memory.view()?, *offset));
            }
            Where::Memory(..) | Where::Mapped(..) => return self.reach(disposition, mode, size),
            Where::Name(name) => match disposition {
                Disposition::Open => options.read_only(read_only).open(name),
                Disposition::Create => creating.create(name, size),
                // Without a name there is nothing to be opened.
                Disposition::OpenOrCreate if matches!(name, Name::Memfd(_) | Name::Anonymous) => {
                    creating.create(name, size)
                }
                Disposition::OpenOrCreate => match options.open(name) {
                    Err(error) if error.errno() == libc::ENOENT => {
                        creating.open_or_create(name, size)
                    }
                    other => other,
                },
            },
        };
        let memory = memory.map_err(|error| error.kind().clone())?;
        let map = memory.view().inspect_err(|_| self.withdraw(disposition))?;
        Ok(Site::new(map, 0))
    }

    /// What failed here, with what the reader can do about it.
    #[cold]
    pub(crate) fn failed(&self, operation: &'static str, kind: ErrorKind) -> Error {
        let error = kind.during(operation, self);
        match (&self.0, error.kind()) {
            (Where::Name(name), _) => crate::shm::explain(error, name),
            (_, ErrorKind::Os(libc::EEXIST)) => {
                error.with_advice("there is one already; open it, or use open_or_create")
            }
            _ => error,
        }
    }

    /// The name, if it is one.
    pub(crate) fn name(&self) -> Option<&Name> {
        match &self.0 {
            Where::Name(name) => Some(name),
            Where::Memory(..) | Where::Mapped(..) => None,
        }
    }

    /// What the memory is called in which it lies, if that is known better than its descriptor tells.
    pub(crate) fn memory_name(&self) -> Option<&Name> {
        match &self.0 {
            Where::Memory(memory, _) => Some(memory.name()),
            Where::Name(_) | Where::Mapped(..) => None,
        }
    }

    /// Where it is mapped, for writing. Errors: `EINVAL` for a name, `EACCES` for read-only memory.
    pub(crate) fn site(&self) -> Result<Site, ErrorKind> {
        match &self.0 {
            Where::Memory(memory, offset) => Ok(Site::new(memory.twin()?, *offset)),
            Where::Mapped(site, _) if !site.map.is_writable() => Err(ErrorKind::ReadOnly),
            Where::Mapped(site, _) => Ok(site.clone()),
            Where::Name(_) => Err(ErrorKind::invalid("a name is no place in memory")),
        }
    }

    /// Is this a name that a new segment gets only when it is complete?
    pub(crate) fn is_published(&self) -> bool {
        match &self.0 {
            Where::Memory(..) | Where::Mapped(..) => false,
            Where::Name(name) => !matches!(name, Name::SystemV(_) | Name::Anonymous),
        }
    }

    /// Maps the place; a segment under a name is made large enough for `size` bytes.
    pub(super) fn reach(
        &self,
        disposition: Disposition,
        mode: Mode,
        size: usize,
    ) -> Result<Site, ErrorKind> {
        self.reach_by(&SharedMemory::options().mode(mode), disposition, size)
    }

    /// As [`Place::reach`]. A segment that is made has what `fill` puts there before others see it, where its name allows that
    /// ([`Place::is_published`]).
    pub(super) fn reach_filled(
        &self,
        disposition: Disposition,
        mode: Mode,
        size: usize,
        fill: impl Fn(&SharedMemory) -> Result<(), ErrorKind> + Send + Sync + 'static,
    ) -> Result<Site, ErrorKind> {
        let options = SharedMemory::options().mode(mode);
        let fills = self.is_published() && disposition != Disposition::Open;
        let options = if fills { options.fill(fill) } else { options };
        self.reach_by(&options, disposition, size)
    }

    fn reach_by(
        &self,
        options: &Options,
        disposition: Disposition,
        size: usize,
    ) -> Result<Site, ErrorKind> {
        match &self.0 {
            Where::Memory(memory, offset) => Ok(Site::new(memory.twin()?, *offset)),
            Where::Mapped(there, _) => Ok(there.clone()),
            Where::Name(name) => {
                let memory = match disposition {
                    Disposition::Open => options.open(name),
                    Disposition::Create => options.create(name, size),
                    Disposition::OpenOrCreate => options.open_or_create(name, size),
                };
                let memory = memory.map_err(|error| error.kind().clone())?;
                let map = memory.twin().inspect_err(|_| self.withdraw(disposition))?;
                Ok(Site::new(map, 0))
            }
        }
    }

    /// Takes the name away from a segment that was created for an object which could not be made.
    pub(crate) fn withdraw(&self, disposition: Disposition) {
        if let (Where::Name(name), Disposition::Create) = (&self.0, disposition) {
            // The failure itself is what is told.
            let _ = SharedMemory::unlink(name);
        }
    }
}
