// SPDX-License-Identifier: MIT OR Apache-2.0
//! The two forms of an object, and what the C library's form has in common.

use nix::errno::Errno;

use super::place::{Place, Site};
use crate::error::{Error, ErrorKind, Result};
use crate::open::{Disposition, Mode};
use crate::sys::pthread::Foreign;

/// Whose layout an object has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[repr(i32)]
pub enum Form {
    /// This library's own, which survives every death. The default.
    #[default]
    Robust = 0,
    /// The C library's `pthread_mutex_t` and its kin, so that programs that know only libc use the same bytes.
    ///
    /// What it survives is what the C library's object does: a mutex its holder's death; a read-write lock, a condition
    /// variable, a barrier or a semaphore no death of anybody inside. There is no stamp, so nothing tells what the bytes
    /// are: peers must be trusted, one of them creates, and the others open when that is done. The layout is that of this
    /// C library, on this machine.
    Pthread = 1,
}

/// Finds or makes an object of the C library; gives it with its label.
pub(super) fn establish<'a, T>(
    place: impl TryInto<Place<'a>, Error: Into<Error>>,
    disposition: Disposition,
    mode: Mode,
    operation: &'static str,
    make: impl Fn(&Foreign<T>) -> nix::Result<()>,
) -> Result<(Foreign<T>, Box<str>)> {
    let place = place.try_into().map_err(Into::into)?;
    let label = place.to_string().into_boxed_str();
    let make = |site: Site| {
        let foreign = Foreign::new(site.map, site.offset)?;
        let create = match disposition {
            Disposition::Open => false,
            Disposition::Create if !foreign.is_blank() => return Err(ErrorKind::Os(libc::EEXIST)),
            Disposition::Create => true,
            Disposition::OpenOrCreate => foreign.is_blank(),
        };
        if create {
            make(&foreign)?;
        }
        foreign.check()?;
        Ok(foreign)
    };
    let found = place
        .reach(disposition, mode, size_of::<T>())
        .and_then(|site| make(site).inspect_err(|_| place.withdraw(disposition)));
    match found {
        Ok(foreign) => Ok((foreign, label)),
        Err(kind) => Err(place.failed(operation, kind)),
    }
}

/// What the C library's objects say, in the words of this library.
pub(super) fn kind_of(errno: Errno) -> ErrorKind {
    match errno {
        Errno::EBUSY | Errno::EAGAIN => ErrorKind::WouldBlock,
        Errno::ETIMEDOUT => ErrorKind::TimedOut,
        Errno::ENOTRECOVERABLE => ErrorKind::NotRecoverable,
        other => other.into(),
    }
}
