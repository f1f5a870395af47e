// SPDX-License-Identifier: MIT OR Apache-2.0
//! One error for every room: what was tried, on which object, why it failed, what to do.
//!
//! [`Error::errno`] is total, so that C can return `-errno` and Python can pick the right
//! `OSError` subclass without a table of their own. States that the kernel has no number for
//! borrow one that no wrapped call gives (`EPROTO` for a foreign layout, `ENODATA` for an empty
//! object), so that each cause stays distinct.

use std::borrow::Cow;
use std::fmt;

use nix::errno::Errno;

/// A result whose error is [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A failed operation: the call, the object it was tried on, the cause and, where there is one, a remedy.
///
/// ```
/// let error = unipc::SharedMemory::open("/no-such-object").unwrap_err();
/// assert_eq!(error.errno(), libc::ENOENT);
/// assert!(error.to_string().starts_with("open(/no-such-object): No such file or directory"));
/// ```
///
/// It is as small as a pointer, so that results which can hold one cost nothing where all goes well.
#[derive(Clone, PartialEq, Eq)]
pub struct Error(Box<Story>);

#[derive(Clone, PartialEq, Eq)]
struct Story {
    operation: &'static str,
    object: String,
    kind: ErrorKind,
    advice: Option<Cow<'static, str>>,
}

/// Why an operation failed. Every kind has an errno of its own or the kernel's.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ErrorKind {
    /// A system call failed with this errno.
    #[error("{} ({})", description(*.0), errname(*.0))]
    Os(i32),
    /// The name does not follow the grammar of [`crate::Name`]: `EINVAL`.
    #[error("not a name: {0}")]
    InvalidName(Cow<'static, str>),
    /// An argument, or a combination of arguments, makes no sense: `EINVAL`.
    #[error("{0}")]
    InvalidArgument(Cow<'static, str>),
    /// The bytes asked for lie outside the object: `ERANGE`.
    #[error("bytes {offset}..{} lie outside the {size} bytes of the mapping", u128::from(*offset) + u128::from(*length))]
    OutOfBounds {
        /// First byte asked for.
        offset: u64,
        /// How many bytes were asked for.
        length: u64,
        /// How many bytes there are.
        size: u64,
    },
    /// The file behind the mapping was truncated (or its disk is full): `EFAULT`.
    #[error("the file was truncated while it was mapped, or its file system is full")]
    Truncated,
    /// The object exists but has no bytes, so there is nothing to map: `ENODATA`.
    #[error("the object is empty: there is nothing to map")]
    Empty,
    /// The mapping is read-only: `EACCES`.
    #[error("the mapping is read-only")]
    ReadOnly,
    /// The object was removed and lives only until its last user leaves: `EIDRM`.
    #[error("the object is marked for removal")]
    Removed,
    /// The name now belongs to another object than the one that is open: `ESTALE`.
    #[error("the name belongs to another object now")]
    Replaced,
    /// Something is mapped at the address that was asked for: `EEXIST`.
    #[error("something is mapped at the address asked for")]
    Occupied,
    /// The object is in use: `EBUSY`.
    #[error("in use: {0}")]
    Busy(Cow<'static, str>),
    /// There is no room for that in the object: `ENOSPC`.
    #[error("no room: {0}")]
    NoRoom(Cow<'static, str>),
    /// This kind of object cannot do that: `EOPNOTSUPP`.
    #[error("not supported: {0}")]
    Unsupported(Cow<'static, str>),
    /// A directory, FIFO, socket or device lies under the name: `EMEDIUMTYPE`.
    #[error("not a regular file but {0}")]
    WrongType(&'static str),
    /// The object belongs to somebody else, or lacks a guarantee that was asked for: `EPERM`.
    #[error("not trusted: {0}")]
    Untrusted(Cow<'static, str>),
    /// The bytes were laid out by another kind or version of object: `EPROTO`.
    #[error("layout mismatch: {0}")]
    Layout(Cow<'static, str>),
    /// A lock was given up by a holder that did not repair what it guards: `ENOTRECOVERABLE`.
    #[error("nobody repaired what a dead holder left, and the lock is retired")]
    NotRecoverable,
    /// A party died, or somebody broke the barrier: `EOWNERDEAD`.
    #[error("broken: {0}")]
    Broken(&'static str),
    /// The time given to a wait has passed: `ETIMEDOUT`.
    #[error("timed out")]
    TimedOut,
    /// It cannot be done at once, and the caller does not wait ([`crate::Timeout::TRY`]): `EAGAIN`.
    #[error("it cannot be done without waiting")]
    WouldBlock,
    /// Bytes went, and then it failed; the errno is that of the cause.
    #[error("{cause}, after {done} of {total} bytes")]
    Partial {
        /// How many bytes were moved; they are not undone.
        done: usize,
        /// How many were asked for.
        total: usize,
        /// What happened then.
        cause: Box<ErrorKind>,
    },
    /// The stream has ended where something should have come: `ENODATA`.
    #[error("the stream has ended")]
    EndOfStream,
    /// The stream ended in the middle of what should have come: `EBADMSG`.
    #[error("the stream ended after {done} of {total} bytes")]
    Cut {
        /// How many bytes came.
        done: usize,
        /// How many there should have been.
        total: usize,
    },
    /// More bytes than the limit allows: `EMSGSIZE`.
    #[error("{length} bytes are more than the {limit} that are allowed")]
    TooLong {
        /// How many bytes it would be.
        length: u64,
        /// The limit.
        limit: u64,
    },
    /// A message of another size than all messages, or the next one, have: `EMSGSIZE`.
    #[error("a message has {is} bytes here, not {given}")]
    MessageSize {
        /// How many bytes it has.
        is: u64,
        /// How many the caller gave, or expected.
        given: u64,
    },
    /// The message does not fit into the caller's buffer: `EMSGSIZE`.
    #[error("the message has {message} bytes, the buffer {buffer}")]
    BufferSize {
        /// How many bytes the message has.
        message: u64,
        /// How many there is room for.
        buffer: u64,
    },
    /// Something else than a FIFO lies under the name: `EMEDIUMTYPE`.
    #[error("not a FIFO but {0}")]
    NotFifo(&'static str),
    /// The library itself failed (a panic that was caught at the language boundary): `EIO`.
    #[error("internal error: {0}")]
    Internal(Cow<'static, str>),
}

impl ErrorKind {
    /// The errno that stands for this kind in C and in Python.
    pub fn errno(&self) -> i32 {
        match self {
            Self::Os(errno) => *errno,
            Self::InvalidName(_) | Self::InvalidArgument(_) => libc::EINVAL,
            Self::OutOfBounds { .. } => libc::ERANGE,
            Self::Truncated => libc::EFAULT,
            Self::Empty | Self::EndOfStream => libc::ENODATA,
            Self::ReadOnly => libc::EACCES,
            Self::Removed => libc::EIDRM,
            Self::Replaced => libc::ESTALE,
            Self::Occupied => libc::EEXIST,
            Self::Busy(_) => libc::EBUSY,
            Self::NoRoom(_) => libc::ENOSPC,
            Self::Unsupported(_) => libc::EOPNOTSUPP,
            Self::WrongType(_) | Self::NotFifo(_) => libc::EMEDIUMTYPE,
            Self::Untrusted(_) => libc::EPERM,
            Self::Layout(_) => libc::EPROTO,
            Self::NotRecoverable => libc::ENOTRECOVERABLE,
            Self::Broken(_) => libc::EOWNERDEAD,
            Self::TimedOut => libc::ETIMEDOUT,
            Self::WouldBlock => libc::EAGAIN,
            Self::Partial { cause, .. } => cause.errno(),
            Self::Cut { .. } => libc::EBADMSG,
            Self::TooLong { .. } | Self::MessageSize { .. } | Self::BufferSize { .. } => {
                libc::EMSGSIZE
            }
            Self::Internal(_) => libc::EIO,
        }
    }

    pub(crate) fn invalid(why: impl Into<Cow<'static, str>>) -> Self {
        Self::InvalidArgument(why.into())
    }

    pub(crate) fn unsupported(why: impl Into<Cow<'static, str>>) -> Self {
        Self::Unsupported(why.into())
    }

    /// How many bytes were moved before it failed.
    pub fn done(&self) -> usize {
        match self {
            Self::Partial { done, .. } | Self::Cut { done, .. } => *done,
            _ => 0,
        }
    }

    /// Adds how much was done, if anything was.
    pub(crate) fn after(self, done: usize, total: usize) -> Self {
        if done == 0 { self } else { Self::Partial { done, total, cause: Box::new(self) } }
    }

    /// The stream ended when `done` of `total` bytes had come.
    pub(crate) fn ended(done: usize, total: usize) -> Self {
        if done == 0 { Self::EndOfStream } else { Self::Cut { done, total } }
    }

    /// Says what was tried and on what, which the floors below do not know.
    #[cold]
    pub(crate) fn during(self, operation: &'static str, object: impl fmt::Display) -> Error {
        Error::new(operation, object, self)
    }
}

impl From<std::io::Error> for ErrorKind {
    /// What the standard library reports of a system call.
    fn from(error: std::io::Error) -> Self {
        Self::Os(error.raw_os_error().unwrap_or(libc::EIO))
    }
}

impl From<Errno> for ErrorKind {
    fn from(errno: Errno) -> Self {
        Self::Os(errno as i32)
    }
}

impl Error {
    /// An error of `kind` that happened in `operation` on `object`.
    #[cold]
    #[inline(never)]
    pub fn new(operation: &'static str, object: impl fmt::Display, kind: ErrorKind) -> Self {
        Self(Box::new(Story { operation, object: object.to_string(), kind, advice: None }))
    }

    /// Adds what the reader can do about it.
    #[must_use]
    pub fn with_advice(mut self, advice: impl Into<Cow<'static, str>>) -> Self {
        self.0.advice = Some(advice.into());
        self
    }

    /// The errno of the cause; never 0.
    pub fn errno(&self) -> i32 {
        self.0.kind.errno()
    }

    /// The cause.
    pub fn kind(&self) -> &ErrorKind {
        &self.0.kind
    }

    /// What was tried: a verb of this library or a system call.
    pub fn operation(&self) -> &'static str {
        self.0.operation
    }

    /// The name of the object on which it was tried.
    pub fn object(&self) -> &str {
        &self.0.object
    }

    /// What to do about it, where the library knows.
    pub fn advice(&self) -> Option<&str> {
        self.0.advice.as_deref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Story { operation, object, kind, advice } = &*self.0;
        write!(f, "{operation}({object}): {kind}")?;
        if !matches!(kind, ErrorKind::Os(_)) {
            // Os says it by itself.
            write!(f, " ({})", errname(self.errno()))?;
        }
        match advice {
            Some(advice) => write!(f, "; {advice}"),
            None => Ok(()),
        }
    }
}

/// The same words: they are what a `main` that returns this error prints.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Error {}

/// So that `impl TryInto<Name>` accepts a [`crate::Name`] as well as a string.
impl From<std::convert::Infallible> for Error {
    fn from(never: std::convert::Infallible) -> Self {
        match never {}
    }
}

impl From<Error> for std::io::Error {
    /// Keeps the errno, so that `kind()` and `raw_os_error()` work; the text is lost.
    fn from(error: Error) -> Self {
        Self::from_raw_os_error(error.errno())
    }
}

/// The symbol of an errno: `"EEXIST"`. [`errname`](https://man7.org/linux/man-pages/man3/errno.3.html).
pub fn errname(errno: i32) -> String {
    match Errno::from_raw(errno) {
        Errno::UnknownErrno => format!("errno {errno}"),
        known => format!("{known:?}"),
    }
}

/// The C library's words for an errno: `"File exists"`.
#[doc(alias = "strerror")]
pub fn description(errno: i32) -> String {
    let words = std::io::Error::from_raw_os_error(errno).to_string();
    // The number that Rust adds is told as a symbol.
    words.split(" (os error").next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One of each kind: a new kind that is missing here does not compile in `errno`, and shows up as a gap.
    fn every_kind() -> Vec<ErrorKind> {
        vec![
            ErrorKind::Os(libc::ENOSPC),
            ErrorKind::InvalidName("x".into()),
            ErrorKind::InvalidArgument("x".into()),
            ErrorKind::OutOfBounds { offset: u64::MAX, length: u64::MAX, size: 1 },
            ErrorKind::Truncated,
            ErrorKind::Empty,
            ErrorKind::ReadOnly,
            ErrorKind::Removed,
            ErrorKind::Replaced,
            ErrorKind::Occupied,
            ErrorKind::Busy("x".into()),
            ErrorKind::NoRoom("x".into()),
            ErrorKind::Unsupported("x".into()),
            ErrorKind::WrongType("a FIFO"),
            ErrorKind::Untrusted("x".into()),
            ErrorKind::Layout("x".into()),
            ErrorKind::NotRecoverable,
            ErrorKind::Broken("x"),
            ErrorKind::TimedOut,
            ErrorKind::WouldBlock,
            ErrorKind::TimedOut.after(1, 2),
            ErrorKind::EndOfStream,
            ErrorKind::Cut { done: 1, total: 2 },
            ErrorKind::TooLong { length: 2, limit: 1 },
            ErrorKind::MessageSize { is: 8, given: 4 },
            ErrorKind::BufferSize { message: 6, buffer: 2 },
            ErrorKind::NotFifo("a directory"),
            ErrorKind::Internal("x".into()),
        ]
    }

    #[test]
    fn every_kind_has_a_known_errno_and_words() {
        for kind in every_kind() {
            assert_ne!(Errno::from_raw(kind.errno()), Errno::UnknownErrno, "{kind:?}");
            assert!(!kind.to_string().is_empty());
        }
    }

    #[test]
    fn the_text_tells_operation_object_cause_and_remedy() {
        let error =
            ErrorKind::Os(libc::EEXIST).during("create", "/demo").with_advice("open it instead");
        assert_eq!(error.to_string(), "create(/demo): File exists (EEXIST); open it instead");
        assert_eq!(std::io::Error::from(error).raw_os_error(), Some(libc::EEXIST));
    }
}
