// SPDX-License-Identifier: MIT OR Apache-2.0
//! Ends that know their direction, and the standard library's traits on all of them.

use std::io;
use std::ops::Deref;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};

use nix::errno::Errno;

use super::end::End;
use crate::error::{Error, Result};
use crate::time::Timeout;

/// Makes a type of ends that know their direction.
macro_rules! end {
    ($(#[$doc:meta])* $name:ident, $reads:expr, $writes:expr, $wrong:literal) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name(End);

        impl $name {
            /// Takes over a descriptor that was inherited or received, as [`End::from_fd`] does.
            ///
            /// Errors: also `EBADF` when it was opened the other way.
            pub fn from_fd(fd: OwnedFd) -> Result<Self> {
                Self::try_from(End::from_fd(fd)?)
            }

            /// Another descriptor of the same end.
            pub fn try_clone(&self) -> Result<Self> {
                self.0.try_clone().map(Self)
            }

            pub(super) fn new(end: End) -> Self {
                Self(end)
            }
        }

        impl Deref for $name {
            type Target = End;

            fn deref(&self) -> &End {
                &self.0
            }
        }

        impl TryFrom<End> for $name {
            type Error = Error;

            fn try_from(end: End) -> Result<Self> {
                let (reads, writes) = end.access()?;
                if (!$reads || reads) && (!$writes || writes) {
                    return Ok(Self(end));
                }
                Err(end.failed("from_fd", Errno::EBADF.into()).with_advice($wrong))
            }
        }

        impl AsFd for $name {
            fn as_fd(&self) -> BorrowedFd<'_> {
                self.0.as_fd()
            }
        }

        impl AsRawFd for $name {
            fn as_raw_fd(&self) -> RawFd {
                self.0.as_raw_fd()
            }
        }

        impl From<$name> for End {
            fn from(end: $name) -> Self {
                end.0
            }
        }

        impl From<$name> for OwnedFd {
            fn from(end: $name) -> Self {
                end.0.into()
            }
        }
    };
}

end!(
    /// The end of a pipe or FIFO that is read. See [`End`] for what it does.
    ///
    /// The methods with a time limit are its own, so that they are found first where [`std::io::Read`] is imported; those
    /// of the trait are there for what takes a `Read`.
    ///
    /// ```
    /// use std::io::{BufRead, BufReader, Read, Write};
    /// use unipc::Timeout;
    ///
    /// let (reader, mut writer) = unipc::pipe::pipe()?;
    /// writer.write_all(b"bytes and lines\n", Timeout::Forever)?;
    /// let mut room = [0; 6];
    /// assert_eq!(reader.read(&mut room, Timeout::Forever)?, 6);
    /// writeln!(writer, "of both").unwrap();
    /// drop(writer);
    /// let mut lines = BufReader::new(reader);
    /// let mut line = String::new();
    /// lines.read_line(&mut line).unwrap();
    /// lines.read_to_string(&mut line).unwrap();
    /// assert_eq!(line, "and lines\nof both\n");
    /// # Ok::<(), unipc::Error>(())
    /// ```
    Reader, true, false, "it is open for writing only"
);
end!(
    /// The end of a pipe or FIFO that is written. See [`End`] for what it does.
    Writer, false, true, "it is open for reading only"
);
end!(
    /// An end that is read and written: what one writes the other reads. See [`End`] for what it does.
    Duplex, true, true, "it is open in one direction only"
);

/// Reads without a time limit, as [`std::io`] has it.
impl io::Read for &End {
    #[inline]
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        Ok(End::read(self, room, Timeout::Forever)?)
    }
}

/// Writes without a time limit, as [`std::io`] has it.
impl io::Write for &End {
    #[inline]
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(End::write(self, bytes, Timeout::Forever)?)
    }

    /// Nothing is kept back.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

// The types that know their direction have the methods of `End` as their own: else those of `std::io`, where they are
// imported, would be found first.
macro_rules! reads {
    ($($name:ty),*) => {$(
        impl $name {
            /// See [`End::read`].
            #[inline]
            pub fn read(&self, room: &mut [u8], timeout: Timeout) -> Result<usize> {
                self.0.read(room, timeout)
            }

            /// See [`End::read_exact`].
            #[inline]
            pub fn read_exact(&self, room: &mut [u8], timeout: Timeout) -> Result<()> {
                self.0.read_exact(room, timeout)
            }
        }

        impl io::Read for $name {
            #[inline]
            fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
                Ok(self.0.read(room, Timeout::Forever)?)
            }
        }
    )*};
}
macro_rules! writes {
    ($($name:ty),*) => {$(
        impl $name {
            /// See [`End::write`].
            #[inline]
            pub fn write(&self, bytes: &[u8], timeout: Timeout) -> Result<usize> {
                self.0.write(bytes, timeout)
            }

            /// See [`End::write_all`].
            #[inline]
            pub fn write_all(&self, bytes: &[u8], timeout: Timeout) -> Result<()> {
                self.0.write_all(bytes, timeout)
            }
        }

        impl io::Write for $name {
            #[inline]
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                Ok(self.0.write(bytes, Timeout::Forever)?)
            }

            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
    )*};
}

reads!(Reader, Duplex);
writes!(Writer, Duplex);
