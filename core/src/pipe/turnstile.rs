// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whose turn it is: a parent and its child tell each other and wait for each other (`TELL_WAIT` and its kin).

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use super::{Reader, Writer, pipe};
use crate::error::{Error, ErrorKind, Result};
use crate::time::Timeout;

/// Two pipes through which a parent and its child take turns.
///
/// Make it before `fork`; then the process that made it is the parent, and any other the child. Whoever waits for a
/// peer that ends hears so (`EPIPE`) instead of waiting for ever: each side closes what belongs to the other when it
/// calls for the first time, or with [`Turnstile::choose`].
///
/// | document | here |
/// |---|---|
/// | `TELL_WAIT()` | [`Turnstile::new`] |
/// | `TELL_PARENT(pid)`, `WAIT_PARENT()` | [`Turnstile::tell_parent`], [`Turnstile::wait_parent`] |
/// | `TELL_CHILD(pid)`, `WAIT_CHILD()` | [`Turnstile::tell_child`], [`Turnstile::wait_child`] |
///
/// Each telling is kept until it is waited for, so nobody has to be first. On the wire it is the document's: the parent
/// writes `p`, the child `c`.
///
/// A third process that has inherited the pipes keeps a dead peer from being noticed: fork it before the turnstile is
/// made, or let it drop its copy.
///
/// ```
/// # #![allow(unsafe_code)]
/// use unipc::Timeout;
/// use unipc::pipe::Turnstile;
///
/// # fn main() -> unipc::Result<()> {
/// let mut turnstile = Turnstile::new()?;
/// // SAFETY: the child only makes system calls.
/// if unsafe { libc::fork() } == 0 {
///     let told = turnstile.wait_parent(Timeout::Forever).and_then(|()| turnstile.tell_parent());
///     // SAFETY: ends the child.
///     unsafe { libc::_exit(i32::from(told.is_err())) };
/// }
/// turnstile.tell_child()?;
/// turnstile.wait_child(Timeout::Forever)?;
/// let gone = turnstile.wait_child(Timeout::Forever).unwrap_err();
/// assert_eq!(gone.errno(), libc::EPIPE); // the child has ended
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Turnstile {
    parent: Option<Ends>,
    child: Option<Ends>,
    creator: u32,
}

/// One of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Who made the turnstile.
    Parent,
    /// Who came of fork.
    Child,
}

/// What one side has of the two pipes.
#[derive(Debug)]
struct Ends {
    hear: Reader,
    tell: Writer,
}

impl Side {
    /// What this side writes.
    fn word(self) -> u8 {
        match self {
            Self::Parent => b'p',
            Self::Child => b'c',
        }
    }

    fn other(self) -> Self {
        match self {
            Self::Parent => Self::Child,
            Self::Child => Self::Parent,
        }
    }
}

impl Turnstile {
    /// Makes the two pipes, before fork.
    ///
    /// Errors: `EMFILE`, `ENFILE`.
    #[doc(alias = "TELL_WAIT")]
    pub fn new() -> Result<Self> {
        let ((child_hears, parent_tells), (parent_hears, child_tells)) = (pipe()?, pipe()?);
        Ok(Self {
            parent: Some(Ends { hear: parent_hears, tell: parent_tells }),
            child: Some(Ends { hear: child_hears, tell: child_tells }),
            creator: std::process::id(),
        })
    }

    /// One side, of descriptors that were inherited through exec or received: `hear` is read, `tell` is written. They
    /// become close-on-exec.
    ///
    /// Errors: `EBADF` when they were opened the other way; `EOPNOTSUPP` when they are no pipes.
    pub fn from_fds(side: Side, hear: OwnedFd, tell: OwnedFd) -> Result<Self> {
        let ends = Some(Ends { hear: Reader::from_fd(hear)?, tell: Writer::from_fd(tell)? });
        let creator = std::process::id();
        Ok(match side {
            Side::Parent => Self { parent: ends, child: None, creator },
            Side::Child => Self { parent: None, child: ends, creator },
        })
    }

    /// Says which side this process is, after fork, and closes what belongs to the other. The methods do it by
    /// themselves; call it when this process may end before its first telling or waiting, or forks again.
    ///
    /// Errors: `EINVAL` when it is the other side already.
    pub fn choose(&mut self, side: Side) -> Result<()> {
        let (own, other) = match side {
            Side::Parent => (&self.parent, &mut self.child),
            Side::Child => (&self.child, &mut self.parent),
        };
        if own.is_none() {
            return Err(wrong("choose", side.other()));
        }
        *other = None;
        Ok(())
    }

    /// The descriptors of a side, that is what it hears and what it tells, to hand them to a program that is executed;
    /// `None` when they were closed.
    pub fn fds(&self, side: Side) -> Option<(BorrowedFd<'_>, BorrowedFd<'_>)> {
        let ends = match side {
            Side::Parent => self.parent.as_ref(),
            Side::Child => self.child.as_ref(),
        };
        ends.map(|ends| (ends.hear.as_fd(), ends.tell.as_fd()))
    }

    /// The child tells the parent to go on.
    ///
    /// Errors: `EPIPE` when the parent has ended; `EINVAL` in the parent.
    #[doc(alias = "TELL_PARENT")]
    pub fn tell_parent(&mut self) -> Result<()> {
        self.tell("tell_parent", Side::Child)
    }

    /// The child waits until the parent tells it to go on.
    ///
    /// Errors: `EPIPE` when the parent has ended without telling; `EAGAIN`, `ETIMEDOUT`, `EINTR`; `EINVAL` in the parent;
    /// `EPROTO` when something else wrote into the pipe.
    #[doc(alias = "WAIT_PARENT")]
    pub fn wait_parent(&mut self, timeout: Timeout) -> Result<()> {
        self.wait("wait_parent", Side::Child, timeout)
    }

    /// The parent tells the child to go on.
    ///
    /// Errors: `EPIPE` when the child has ended; `EINVAL` in the child.
    #[doc(alias = "TELL_CHILD")]
    pub fn tell_child(&mut self) -> Result<()> {
        self.tell("tell_child", Side::Parent)
    }

    /// The parent waits until the child tells it to go on.
    ///
    /// Errors: `EPIPE` when the child has ended without telling; else as [`Turnstile::wait_parent`].
    #[doc(alias = "WAIT_CHILD")]
    pub fn wait_child(&mut self, timeout: Timeout) -> Result<()> {
        self.wait("wait_child", Side::Parent, timeout)
    }

    /// The ends of this process, which is `side` if its call makes sense.
    fn own(&mut self, operation: &'static str, side: Side) -> Result<&Ends> {
        let both = self.parent.is_some() && self.child.is_some();
        if both && (std::process::id() == self.creator) != (side == Side::Parent) {
            return Err(wrong(operation, side.other()));
        }
        let (own, other) = match side {
            Side::Parent => (&self.parent, &mut self.child),
            Side::Child => (&self.child, &mut self.parent),
        };
        let own = own.as_ref().ok_or_else(|| wrong(operation, side.other()))?;
        *other = None;
        Ok(own)
    }

    fn tell(&mut self, operation: &'static str, side: Side) -> Result<()> {
        // One byte never waits: nobody tells 65536 times without being waited for.
        let told = self.own(operation, side)?.tell.write_all(&[side.word()], Timeout::Forever);
        told.map_err(|error| failed(operation, side.other(), error.kind().clone()))
    }

    fn wait(&mut self, operation: &'static str, side: Side, timeout: Timeout) -> Result<()> {
        let mut word = [0];
        let heard = self.own(operation, side)?.hear.read_exact(&mut word, timeout);
        let failed = |kind| failed(operation, side.other(), kind);
        match heard {
            Ok(()) if word == [side.other().word()] => Ok(()),
            Ok(()) => Err(failed(ErrorKind::Layout("not the byte of a turnstile".into()))),
            Err(error) if *error.kind() == ErrorKind::EndOfStream => {
                Err(failed(ErrorKind::Os(libc::EPIPE)))
            }
            Err(error) => Err(failed(error.kind().clone())),
        }
    }
}

fn failed(operation: &'static str, peer: Side, kind: ErrorKind) -> Error {
    let gone = kind.errno() == libc::EPIPE;
    let error = kind.during(operation, "turnstile");
    match (gone, peer) {
        (false, _) => error,
        (true, Side::Parent) => error.with_advice("the parent has ended"),
        (true, Side::Child) => error.with_advice("the child has ended"),
    }
}

fn wrong(operation: &'static str, this: Side) -> Error {
    let (this, who) = match this {
        Side::Parent => ("parent", "whoever made the turnstile"),
        Side::Child => ("child", "a process that came of fork"),
    };
    ErrorKind::InvalidArgument(format!("this process is the {this}: {who}").into())
        .during(operation, "turnstile")
}
