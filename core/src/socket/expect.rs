// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which descriptors are accepted from a peer.

use std::fmt;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use nix::sys::socket::MsgFlags;
use nix::sys::stat::{SFlag, fstat};

use super::{DESCRIPTORS_MAX, sys};
use crate::error::ErrorKind;
use crate::fd;
use crate::seals::Seals;

/// What a received descriptor may refer to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DescriptorKind {
    /// Anything.
    Any,
    /// Memory of `memfd_create`: a file without a name that can be sealed.
    Memfd,
    /// A regular file, a memfd among them.
    File,
    /// One end of a pipe, or a FIFO.
    Pipe,
    /// A socket.
    Socket,
    /// A directory.
    Directory,
    /// A device: a terminal, `/dev/null`.
    Device,
    /// What has no type: an eventfd, timerfd, signalfd, pidfd or epoll descriptor.
    Event,
}

impl DescriptorKind {
    fn words(self) -> &'static str {
        match self {
            Self::Any => "something",
            Self::Memfd => "a memfd",
            Self::File => "a file",
            Self::Pipe => "a pipe",
            Self::Socket => "a socket",
            Self::Directory => "a directory",
            Self::Device => "a device",
            Self::Event => "an event descriptor",
        }
    }
}

impl fmt::Display for DescriptorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.words())
    }
}

/// Which descriptors are accepted: how many, of which kind, how sealed and how large. Everything else is refused, and
/// closed, before the caller sees it.
///
/// A peer that is not trusted can send any descriptor. Before its memory is mapped ask for [`Seals::SHRINK`], so that it
/// cannot be cut short under the mapping, and for the size.
///
/// ```
/// use unipc::shm::Seals;
/// use unipc::socket::{DescriptorKind, Expect};
/// let frame = Expect::exactly(1).kind(DescriptorKind::Memfd).seals(Seals::SHRINK).size_at_least(1 << 20);
/// let ends = Expect::up_to(2).kind(DescriptorKind::Pipe).readable();
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expect {
    least: usize,
    most: usize,
    kind: DescriptorKind,
    seals: Seals,
    size: u64,
    readable: bool,
    writable: bool,
}

impl Expect {
    /// No descriptor at all.
    pub const NONE: Self = Self::between(0, 0);

    /// None to `most` of them, of any kind; never more than [`DESCRIPTORS_MAX`] come.
    pub const fn up_to(most: usize) -> Self {
        Self::between(0, most)
    }

    /// So many, of any kind.
    pub const fn exactly(count: usize) -> Self {
        Self::between(count, count)
    }

    /// So many at least, and so many at most.
    pub const fn between(least: usize, most: usize) -> Self {
        let (kind, seals) = (DescriptorKind::Any, Seals::NONE);
        Self { least, most, kind, seals, size: 0, readable: false, writable: false }
    }

    /// Each of this kind.
    pub fn kind(mut self, kind: DescriptorKind) -> Self {
        self.kind = kind;
        self
    }

    /// Each with at least these seals.
    pub fn seals(mut self, seals: Seals) -> Self {
        self.seals = seals;
        self
    }

    /// Each with at least so many bytes.
    pub fn size_at_least(mut self, bytes: u64) -> Self {
        self.size = bytes;
        self
    }

    /// Each open for reading.
    pub fn readable(mut self) -> Self {
        self.readable = true;
        self
    }

    /// Each open for writing.
    pub fn writable(mut self) -> Self {
        self.writable = true;
        self
    }

    pub(super) fn most(&self) -> usize {
        self.most.min(DESCRIPTORS_MAX)
    }

    /// Errors: `EPERM`, `EMFILE`.
    pub(super) fn check(&self, message: &sys::Message) -> Result<(), ErrorKind> {
        let came = message.descriptors.len();
        let refused = |why: String| Err(ErrorKind::Untrusted(why.into()));
        if came > self.most {
            return refused(format!("{came} descriptors came, {} were asked for", self.most));
        }
        if message.flags.contains(MsgFlags::MSG_CTRUNC) {
            // There was room for `most` and some more, so that fewer are those that this process may have.
            if came < self.most {
                return Err(ErrorKind::Os(libc::EMFILE));
            }
            return refused(format!("more descriptors came than the {} asked for", self.most));
        }
        if came < self.least {
            return refused(format!("{came} descriptors came, {} were asked for", self.least));
        }
        for (at, descriptor) in message.descriptors.iter().enumerate() {
            if let Some(why) = self.objection(descriptor)? {
                return refused(format!("descriptor {at} of {came} {why}"));
            }
        }
        Ok(())
    }

    /// What is wrong with a descriptor.
    fn objection(&self, descriptor: &OwnedFd) -> Result<Option<String>, ErrorKind> {
        let fd = descriptor.as_fd();
        if self.kind != DescriptorKind::Any {
            let kind = kind_of(fd)?;
            let fits = kind == self.kind
                || (self.kind, kind) == (DescriptorKind::File, DescriptorKind::Memfd);
            if !fits {
                return Ok(Some(format!("is {kind}, not {}", self.kind)));
            }
        }
        if self.seals != Seals::NONE {
            let seals = Seals::of(fd)?;
            if !seals.contains(self.seals) {
                return Ok(Some(format!("lacks the seals {:?}", self.seals - seals)));
            }
        }
        if self.size > 0 {
            let size = fd::size(fd)?;
            if size < self.size {
                return Ok(Some(format!("has {size} bytes, not {}", self.size)));
            }
        }
        if self.readable || self.writable {
            let (readable, writable) = fd::access(fd)?;
            if self.readable && !readable {
                return Ok(Some("is not open for reading".into()));
            }
            if self.writable && !writable {
                return Ok(Some("is not open for writing".into()));
            }
        }
        Ok(None)
    }
}

/// No descriptor.
impl Default for Expect {
    fn default() -> Self {
        Self::NONE
    }
}

fn kind_of(fd: BorrowedFd<'_>) -> Result<DescriptorKind, ErrorKind> {
    let status = fstat(fd)?;
    Ok(match SFlag::from_bits_truncate(status.st_mode & SFlag::S_IFMT.bits()) {
        // A file in memory that has no name; what lies in /dev/shm has one, and cannot be sealed.
        SFlag::S_IFREG if status.st_nlink == 0 && can_be_sealed(fd) => DescriptorKind::Memfd,
        SFlag::S_IFREG => DescriptorKind::File,
        SFlag::S_IFIFO => DescriptorKind::Pipe,
        SFlag::S_IFSOCK => DescriptorKind::Socket,
        SFlag::S_IFDIR => DescriptorKind::Directory,
        SFlag::S_IFCHR | SFlag::S_IFBLK => DescriptorKind::Device,
        _ => DescriptorKind::Event,
    })
}

fn can_be_sealed(fd: BorrowedFd<'_>) -> bool {
    nix::fcntl::fcntl(fd, nix::fcntl::FcntlArg::F_GET_SEALS).is_ok()
}
