// SPDX-License-Identifier: MIT OR Apache-2.0
//! Getting System V sets by key and identifier, and removing them; `birth` tells why it takes more than `semget`.

use nix::errno::Errno;

use super::birth::{self, AtWork, Found, UNFINISHED};
use super::{Options, SemaphoreSet, status};
use crate::error::ErrorKind;
use crate::name::{Name, SystemVName};
use crate::sys::semctl;
use crate::sysv::Key;

/// How often one tries again when others create and remove in between.
const ATTEMPTS: usize = 1000;

/// What a name means.
enum Wanted {
    Key(Key),
    Private,
    Id(i32),
}

fn wanted(name: &Name) -> Result<Wanted, ErrorKind> {
    match name {
        Name::SystemV(SystemVName::Key(key)) => Ok(Wanted::Key(*key)),
        Name::SystemV(SystemVName::Ftok { path, project }) => {
            Key::ftok(path, *project).map(Wanted::Key).map_err(|error| error.kind().clone())
        }
        Name::SystemV(SystemVName::Private) => Ok(Wanted::Private),
        Name::SystemV(SystemVName::Id(id)) => Ok(Wanted::Id(*id)),
        Name::Posix(_) => Err(not_a_set()),
        _ => Err(ErrorKind::unsupported(
            "a semaphore is POSIX (/name) or System V (sysv:PATH,PROJ or sysv:0xKEY)",
        )),
    }
}

pub(super) fn not_a_set() -> ErrorKind {
    ErrorKind::unsupported("a set of semaphores is System V: sysv:PATH,PROJ or sysv:0xKEY")
}

pub(super) fn create(
    options: &Options,
    name: &Name,
    values: &[u16],
) -> Result<SemaphoreSet, ErrorKind> {
    match wanted(name)? {
        Wanted::Id(_) => Err(ErrorKind::invalid(
            "the kernel chooses identifiers: create by key, or sysv:private",
        )),
        Wanted::Private => make(options, None, name, values),
        Wanted::Key(key) if options.replace => {
            for _ in 0..ATTEMPTS {
                match unlink_key(key) {
                    Ok(()) | Err(ErrorKind::Os(libc::ENOENT)) => {}
                    Err(other) => return Err(other),
                }
                match make(options, Some(key), name, values) {
                    Err(ErrorKind::Os(libc::EEXIST)) => {}
                    other => return other,
                }
            }
            Err(contended())
        }
        Wanted::Key(key) => {
            for _ in 0..ATTEMPTS {
                match make(options, Some(key), name, values) {
                    // What a dead creator left is not in the way.
                    Err(ErrorKind::Os(libc::EEXIST)) if was_left_behind(key)? => {}
                    other => return other,
                }
            }
            Err(contended())
        }
    }
}

pub(super) fn open(options: &Options, name: &Name) -> Result<SemaphoreSet, ErrorKind> {
    match wanted(name)? {
        Wanted::Private => {
            Err(ErrorKind::invalid("sysv:private is always a new set: open it as sysv:id=NUMBER"))
        }
        Wanted::Id(id) => match birth::finished(id, options.creator_timeout)? {
            Found::Ready(status) => handle(options, name, id, &status),
            Found::Gone => Err(Errno::EINVAL.into()),
        },
        Wanted::Key(key) => {
            for _ in 0..ATTEMPTS {
                if let Found::Ready((id, status)) = find(options, key)? {
                    return handle(options, name, id, &status);
                }
            }
            Err(contended())
        }
    }
}

pub(super) fn open_or_create(
    options: &Options,
    name: &Name,
    values: &[u16],
) -> Result<SemaphoreSet, ErrorKind> {
    let Wanted::Key(key) = wanted(name)? else {
        // Always new, or refused.
        return create(options, name, values);
    };
    if options.replace {
        return Err(ErrorKind::invalid("only creating can replace"));
    }
    for _ in 0..ATTEMPTS {
        match find(options, key) {
            Ok(Found::Ready((id, status))) => {
                let set = handle(options, name, id, &status)?;
                if set.len() < values.len() {
                    return Err(ErrorKind::invalid(format!(
                        "the set exists with {} semaphores, {} were asked for",
                        set.len(),
                        values.len()
                    )));
                }
                return Ok(set);
            }
            Ok(Found::Gone) => continue,
            Err(ErrorKind::Os(libc::ENOENT)) => {}
            Err(other) => return Err(other),
        }
        match make(options, Some(key), name, values) {
            Err(ErrorKind::Os(libc::EEXIST)) => {}
            other => return other,
        }
    }
    Err(contended())
}

/// A new set that has its values. `EEXIST` when the key is taken.
fn make(
    options: &Options,
    key: Option<Key>,
    name: &Name,
    values: &[u16],
) -> Result<SemaphoreSet, ErrorKind> {
    let mode = options.mode.bits();
    status::check_mode(Some(mode))?;
    if values.is_empty() {
        return Err(ErrorKind::invalid("a set has at least one semaphore"));
    }
    let count = u16::try_from(values.len()).map_err(|_| Errno::EINVAL)?;
    // By an identifier that nobody has been told no one comes too early; by a key they may.
    let _at_work = if key.is_some() { Some(AtWork::begin()?) } else { None };
    let flags = libc::IPC_CREAT | libc::IPC_EXCL | UNFINISHED.cast_signed();
    for _ in 0..ATTEMPTS {
        let id = semctl::semget(key.map_or(libc::IPC_PRIVATE, Key::raw), count.into(), flags)?;
        match birth::initialise(id, values, mode) {
            Ok(()) => {
                let name = if key.is_none() { Name::of_id(id) } else { name.clone() };
                return Ok(SemaphoreSet::new(id, count, name));
            }
            // Removed by somebody meanwhile.
            Err(Errno::EINVAL | Errno::EIDRM) if !birth::exists(id) => {}
            Err(errno) => {
                // Ours, new and of no use: nobody shall find it.
                let _ = semctl::remove(id);
                return Err(errno.into());
            }
        }
    }
    Err(contended())
}

/// The finished set that has this key now.
fn find(options: &Options, key: Key) -> Result<Found<(i32, libc::semid_ds)>, ErrorKind> {
    let id = semctl::semget(key.raw(), 0, 0)?;
    let mut found = birth::finished(id, options.creator_timeout)?;
    if let Found::Ready(status) = found {
        found = birth::settled(id, status, options.creator_timeout)?;
    }
    Ok(match found {
        Found::Ready(status) => Found::Ready((id, status)),
        Found::Gone => Found::Gone,
    })
}

/// Has nobody a set with this key who could still finish it?
fn was_left_behind(key: Key) -> Result<bool, ErrorKind> {
    match semctl::semget(key.raw(), 0, 0) {
        Ok(id) => birth::is_cleared(id),
        Err(Errno::ENOENT) => Ok(true),
        Err(errno) => Err(errno.into()),
    }
}

// The fields' widths differ between libcs; all of them fit.
#[allow(clippy::useless_conversion)]
fn handle(
    options: &Options,
    name: &Name,
    id: i32,
    status: &libc::semid_ds,
) -> Result<SemaphoreSet, ErrorKind> {
    options.check_owner(status.sem_perm.uid)?;
    // The kernel addresses semaphores with 16 bits.
    let count = u16::try_from(status.sem_nsems).unwrap_or(u16::MAX);
    Ok(SemaphoreSet::new(id, count, name.clone()))
}

/// Removes the set of this name.
pub(super) fn unlink(name: &Name) -> Result<(), ErrorKind> {
    match wanted(name)? {
        Wanted::Id(id) => Ok(semctl::remove(id)?),
        Wanted::Private => Err(ErrorKind::invalid("sysv:private names no set: use sysv:id=NUMBER")),
        Wanted::Key(key) => unlink_key(key),
    }
}

fn unlink_key(key: Key) -> Result<(), ErrorKind> {
    for _ in 0..ATTEMPTS {
        match semctl::remove(semctl::semget(key.raw(), 0, 0)?) {
            Err(Errno::EINVAL | Errno::EIDRM) => {}
            other => return Ok(other?),
        }
    }
    Err(contended())
}

fn contended() -> ErrorKind {
    ErrorKind::Busy("others create and remove sets with this key all the time".into())
}
