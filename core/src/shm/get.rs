// SPDX-License-Identifier: MIT OR Apache-2.0
//! The calls that get shared memory: they hand each name to the backing that knows it.

use std::os::fd::OwnedFd;

use super::{Options, SharedMemory, anonymous, file, limits, memfd, system_v};
use crate::error::{Error, ErrorKind, Result};
use crate::name::Name;
use crate::open::Disposition;

/// What an object that was opened is called until it gets the caller's name, which is moved there: a copy would
/// show in the time that opening takes.
pub(super) const UNNAMED: Name = Name::Anonymous;

impl Options {
    /// [`SharedMemory::create`] with these options.
    pub fn create(
        &self,
        name: impl TryInto<Name, Error: Into<Error>>,
        size: usize,
    ) -> Result<SharedMemory> {
        self.sized(size).get(name.try_into().map_err(Into::into)?, Disposition::Create, "create")
    }

    /// [`SharedMemory::open`] with these options.
    pub fn open(&self, name: impl TryInto<Name, Error: Into<Error>>) -> Result<SharedMemory> {
        self.get(name.try_into().map_err(Into::into)?, Disposition::Open, "open")
    }

    /// [`SharedMemory::open_or_create`] with these options.
    pub fn open_or_create(
        &self,
        name: impl TryInto<Name, Error: Into<Error>>,
        size: usize,
    ) -> Result<SharedMemory> {
        let name = name.try_into().map_err(Into::into)?;
        self.sized(size).get(name, Disposition::OpenOrCreate, "open_or_create")
    }

    /// [`SharedMemory::from_fd`] with these options.
    ///
    /// The descriptor becomes close-on-exec.
    ///
    /// Errors: `EMEDIUMTYPE` for anything but a regular file, `EACCES` when it was not opened for reading (and writing,
    /// unless `read_only` or `private`), `EPERM` when a required seal is missing, `ENODATA` when it is empty, `EINVAL` for
    /// options that are for creating (`replace`, `seals`, `huge_pages`) or need a name (`remove_on_drop`).
    pub fn from_fd(&self, fd: impl Into<OwnedFd>) -> Result<SharedMemory> {
        let fd = fd.into();
        let name = file::name_of(&fd);
        self.clone().received(fd, name.clone()).map_err(|kind| kind.during("from_fd", name))
    }

    fn received(self, fd: OwnedFd, name: Name) -> Result<SharedMemory, ErrorKind> {
        if self.replace || self.seals.is_some() || self.huge_page_size.is_some() {
            return Err(ErrorKind::invalid(
                "what is received exists: replace, seals and huge_pages are for creating",
            ));
        }
        if self.remove_on_drop {
            return Err(ErrorKind::invalid(
                "what is received has no name for sure: remove it by name",
            ));
        }
        self.check_mapping()?;
        let object = file::received(fd, &name, &self)?;
        let length = self.length(object.size, object.page_size)?;
        let shm = self.map(object, name, length)?;
        // It is that of the giver's descriptor as well.
        let _ = shm.positioned.set(());
        Ok(shm)
    }

    /// For a call that may create an object of this size.
    fn sized(&self, size: usize) -> Self {
        Self { size: Some(size), creating: true, ..self.clone() }
    }

    fn get(
        &self,
        name: Name,
        disposition: Disposition,
        operation: &'static str,
    ) -> Result<SharedMemory> {
        let got = self.check(&name, disposition).and_then(|()| match &name {
            Name::Posix(_) | Name::File(_) => file::get(self, &name, disposition),
            Name::SystemV(wanted) => system_v::get(self, &name, wanted, disposition),
            Name::Memfd(label) => memfd::create(self, &name, label, disposition),
            Name::Anonymous => anonymous::create(self, disposition),
            Name::Socket(_) => Err(no_memory()),
        });
        let mut shm =
            got.map_err(|kind| limits::explain_with(kind.during(operation, &name), &name, self))?;
        if matches!(shm.name, UNNAMED) {
            shm.name = name;
        }
        Ok(shm)
    }
}

impl SharedMemory {
    /// Creates the object `name` with `size` bytes, all zero, and maps it for reading and writing.
    ///
    /// The memory is taken at once. The object appears under its name only when it is complete.
    ///
    /// Errors: `EEXIST` when the name is taken, `ENOSPC` or `ENOMEM` when there is no memory,
    /// `EINVAL` for size 0 or a name that cannot be created (`sysv:id=42`), `EACCES`.
    ///
    /// [shm_open(3)](https://man7.org/linux/man-pages/man3/shm_open.3.html), [shmget(2)](https://man7.org/linux/man-pages/man2/shmget.2.html), [mmap(2)](https://man7.org/linux/man-pages/man2/mmap.2.html)
    #[doc(alias = "shmget")]
    #[doc(alias = "memfd_create")]
    pub fn create(name: impl TryInto<Name, Error: Into<Error>>, size: usize) -> Result<Self> {
        Options::new().create(name, size)
    }

    /// Opens the object `name` as large as it is, for reading and writing.
    ///
    /// Errors: `ENOENT`, `EACCES`, `ENODATA` when the object is empty, `EIDRM` for a segment that is marked
    /// for removal, `EOPNOTSUPP` for `memfd:` and `anon:`, which have no name that could be opened.
    ///
    /// What others remove at this very moment may be opened nevertheless, a segment too while it is attached elsewhere.
    #[doc(alias = "shm_open")]
    #[doc(alias = "shmat")]
    pub fn open(name: impl TryInto<Name, Error: Into<Error>>) -> Result<Self> {
        Options::new().open(name)
    }

    /// Opens the object, or creates it with `size` bytes when there is none. Of a larger object the first `size` bytes
    /// are mapped.
    ///
    /// Errors: those of both; `EINVAL` when the object exists and is smaller than `size`.
    pub fn open_or_create(
        name: impl TryInto<Name, Error: Into<Error>>,
        size: usize,
    ) -> Result<Self> {
        Options::new().open_or_create(name, size)
    }

    /// Maps what a descriptor refers to: a memfd that was received, an open file.
    ///
    /// Errors: as [`Options::from_fd`].
    pub fn from_fd(fd: impl Into<OwnedFd>) -> Result<Self> {
        Options::new().from_fd(fd)
    }

    /// How, if not by default.
    ///
    /// ```
    /// # use unipc::SharedMemory;
    /// let read_only = SharedMemory::options().read_only(true).offset(128).open("file:/etc/passwd");
    /// ```
    pub fn options() -> Options {
        Options::new()
    }
}

/// What a name of a socket says here.
pub(super) fn no_memory() -> ErrorKind {
    ErrorKind::invalid("it names a socket, which has no bytes to share; see unipc::socket")
}
