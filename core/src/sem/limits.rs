// SPDX-License-Identifier: MIT OR Apache-2.0
//! How much there may be, how much there is, and errors that name the limit that was hit.

use super::{Operation, SemaphoreSet};
use crate::error::{Error, ErrorKind, Result};
use crate::name::{Name, SystemVName};
use crate::sys::{sem::VALUE_MAX, semctl};

/// The limits of System V semaphores in this IPC namespace, as `ipcs -l` and `/proc/sys/kernel/sem` have them.
#[doc(alias = "seminfo")]
#[doc(alias = "IPC_INFO")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// `SEMMSL`: how many semaphores a set may have.
    pub semmsl: u64,
    /// `SEMMNS`: how many semaphores all sets together may have.
    pub semmns: u64,
    /// `SEMOPM`: how many operations one call may have.
    pub semopm: u64,
    /// `SEMMNI`: how many sets there may be.
    pub semmni: u64,
    /// `SEMVMX`: the highest value of a semaphore.
    pub semvmx: u64,
}

/// What System V semaphores use in this IPC namespace (`SEM_INFO`).
#[doc(alias = "SEM_INFO")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// How many sets exist.
    pub sets: u64,
    /// How many semaphores they have together.
    pub semaphores: u64,
}

/// The limits. Errors: none on a kernel with System V IPC; `ENOSYS` without.
pub fn limits() -> Result<Limits> {
    let raw = semctl::limits().map_err(|errno| ErrorKind::from(errno).during("limits", "sysv:"))?;
    Ok(Limits {
        semmsl: number(raw.semmsl),
        semmns: number(raw.semmns),
        semopm: number(raw.semopm),
        semmni: number(raw.semmni),
        semvmx: number(raw.semvmx),
    })
}

/// The usage. Errors: as [`limits`].
pub fn usage() -> Result<Usage> {
    let (_, raw) =
        semctl::usage().map_err(|errno| ErrorKind::from(errno).during("usage", "sysv:"))?;
    Ok(Usage { sets: number(raw.semusz), semaphores: number(raw.semaem) })
}

fn number(raw: i32) -> u64 {
    raw.cast_unsigned().into()
}

/// Names the limit that an operation on a set ran into.
pub(super) fn explain_operation(
    error: Error,
    set: &SemaphoreSet,
    operations: &[Operation],
) -> Error {
    let advice = match (error.errno(), operations.len()) {
        (libc::E2BIG, count) => match limits() {
            Ok(Limits { semopm, .. }) => {
                format!("SEMOPM is {semopm}: {count} operations were asked for in one call")
            }
            Err(_) => return error,
        },
        (libc::EFBIG, _) => {
            format!("the set has {0} semaphores, 0 to {1}", set.len(), set.len() - 1)
        }
        (libc::ERANGE, _) => {
            "SEMVMX is 32767: neither a value nor what one process has to undo can pass it"
                .to_owned()
        }
        (libc::ENOSPC | libc::ENOMEM, _) => {
            "the kernel has no room for another record of what to undo".to_owned()
        }
        (libc::EACCES, _) => {
            "taking and giving need write permission (0200), waiting for 0 read permission (0400)"
                .to_owned()
        }
        (libc::EINVAL, 0) => "there are no operations".to_owned(),
        _ => return error,
    };
    error.with_advice(advice)
}

/// Names the limit that a value ran into.
pub(super) fn explain_value(error: Error) -> Error {
    match error.errno() {
        // The kernel's constant; it cannot be changed.
        libc::ERANGE => error.with_advice("SEMVMX is 32767, the highest value"),
        _ => error,
    }
}

/// Says why a semaphore could not be given back once more.
pub(super) fn explain_release(error: Error, system_v: bool, binary: bool) -> Error {
    if error.errno() != libc::EOVERFLOW {
        return error;
    }
    let advice = if binary {
        "it is binary, and free already".to_owned()
    } else if system_v {
        "SEMVMX is 32767: neither the value nor what one process has to undo can pass it".to_owned()
    } else {
        format!("SEM_VALUE_MAX is {VALUE_MAX}")
    };
    error.with_advice(advice)
}

/// Adds to an error of create or open what the reader can do about it.
pub(super) fn explain(error: Error, name: &Name, count: usize) -> Error {
    let advice = match (error.kind(), name) {
        (ErrorKind::Os(libc::EEXIST), _) => {
            "the name is taken; open it, use open_or_create, or replace it".to_owned()
        }
        (ErrorKind::Os(libc::ENOENT), Name::SystemV(SystemVName::Ftok { path, .. }))
            if !path.exists() =>
        {
            let path = path.display();
            format!("the key is made of {path}, which does not exist: touch {path}")
        }
        (ErrorKind::Os(libc::ENOENT), Name::SystemV(_)) => "no set has this key".to_owned(),
        (ErrorKind::Os(libc::ENOENT), _) => "nobody has created it, or it was unlinked".to_owned(),
        (ErrorKind::Os(libc::EACCES), _) => "its mode does not let this user in".to_owned(),
        (ErrorKind::TimedOut | ErrorKind::WouldBlock, _) => {
            "its creator is alive but has not finished; is it stopped?".to_owned()
        }
        (ErrorKind::Os(libc::EINVAL | libc::ENOSPC | libc::ERANGE), Name::SystemV(_)) => {
            return explain_set(error, count as u64);
        }
        _ => return error,
    };
    error.with_advice(advice)
}

fn explain_set(error: Error, count: u64) -> Error {
    let (Ok(limits), Ok(usage)) = (limits(), usage()) else {
        return error;
    };
    let advice = match error.errno() {
        libc::ERANGE => format!("SEMVMX is {}, the highest value", limits.semvmx),
        libc::ENOSPC if usage.sets >= limits.semmni => format!(
            "SEMMNI is {}: {} sets exist; remove unused ones (ipcs -s, ipcrm)",
            limits.semmni, usage.sets
        ),
        libc::ENOSPC => format!(
            "SEMMNS is {}: {} semaphores exist, {count} more were asked for",
            limits.semmns, usage.semaphores
        ),
        _ if count > limits.semmsl => {
            format!("SEMMSL is {}: {count} semaphores were asked for in one set", limits.semmsl)
        }
        _ if count == 0 => "no set has this identifier".to_owned(),
        _ => return error,
    };
    error.with_advice(advice)
}
