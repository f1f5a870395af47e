// SPDX-License-Identifier: MIT OR Apache-2.0
//! Getting System V queues: by key, by path and project, by identifier.
//!
//! [msgget(2)](https://man7.org/linux/man-pages/man2/msgget.2.html)

use nix::errno::Errno;

use super::{Queue, SystemV};
use crate::error::ErrorKind;
use crate::mq::{Access, Options};
use crate::name::SystemVName;
use crate::open::Disposition;
use crate::sys::msg;
use crate::sysv::Key;

/// How often getting a queue tries again when others create and remove in between.
const ATTEMPTS: usize = 1000;

pub(in crate::mq) fn get(
    options: &Options,
    wanted: &SystemVName,
    disposition: Disposition,
) -> Result<Queue, ErrorKind> {
    let key = match (wanted, disposition) {
        (SystemVName::Id(id), Disposition::Open) => return open_id(options, *id),
        (SystemVName::Id(_), _) => {
            return Err(ErrorKind::invalid(
                "the kernel chooses identifiers: create by key, or sysv:private",
            ));
        }
        (SystemVName::Private, Disposition::Open) => {
            return Err(ErrorKind::invalid(
                "sysv:private is always a new queue: open it as sysv:id=NUMBER",
            ));
        }
        (SystemVName::Private, _) => return create(options, libc::IPC_PRIVATE),
        (SystemVName::Key(key), _) => *key,
        (SystemVName::Ftok { path, project }, _) => key_of(path, *project)?,
    };
    match disposition {
        Disposition::Open => open(options, key),
        Disposition::Create if options.replace => replace(options, key),
        Disposition::Create => create(options, key.raw()),
        Disposition::OpenOrCreate => open_or_create(options, key),
    }
}

pub(in crate::mq) fn key_of(path: &std::path::Path, project: u8) -> Result<Key, ErrorKind> {
    Key::ftok(path, project).map_err(|error| error.kind().clone())
}

/// Removes the queue that has this key now.
pub(in crate::mq) fn unlink(key: Key) -> Result<(), ErrorKind> {
    for _ in 0..ATTEMPTS {
        match msg::msgctl_remove(msg::msgget(key.raw(), 0)?) {
            Err(Errno::EINVAL | Errno::EIDRM) => {}
            other => return Ok(other?),
        }
    }
    Err(contended())
}

fn create(options: &Options, key: i32) -> Result<Queue, ErrorKind> {
    let flags = libc::IPC_CREAT | libc::IPC_EXCL | options.mode.bits().cast_signed();
    Ok(Queue::new(msg::msgget(key, flags)?))
}

fn open(options: &Options, key: Key) -> Result<Queue, ErrorKind> {
    for _ in 0..ATTEMPTS {
        let id = msg::msgget(key.raw(), permission(options))?;
        match check_owner(options, id) {
            // It was removed meanwhile, and the key means another one by now, or none.
            Err(ErrorKind::Os(libc::EINVAL | libc::EIDRM)) => {}
            other => return other.map(|()| Queue::new(id)),
        }
    }
    Err(contended())
}

fn open_id(options: &Options, id: i32) -> Result<Queue, ErrorKind> {
    match check_owner(options, id) {
        // It is there, and who only sends need not read.
        Err(ErrorKind::Os(libc::EACCES)) if options.access() == Access::Send => {}
        other => other?,
    }
    match msg::msgctl_stat(id) {
        Err(Errno::EACCES) if options.access() == Access::Send => {}
        other => drop(other?),
    }
    Ok(Queue::new(id))
}

fn open_or_create(options: &Options, key: Key) -> Result<Queue, ErrorKind> {
    for _ in 0..ATTEMPTS {
        match open(options, key) {
            Err(ErrorKind::Os(libc::ENOENT)) => {}
            other => return other,
        }
        match create(options, key.raw()) {
            Err(ErrorKind::Os(libc::EEXIST)) => {}
            other => return other,
        }
    }
    Err(contended())
}

fn replace(options: &Options, key: Key) -> Result<Queue, ErrorKind> {
    for _ in 0..ATTEMPTS {
        match unlink(key) {
            Ok(()) | Err(ErrorKind::Os(libc::ENOENT)) => {}
            Err(other) => return Err(other),
        }
        match create(options, key.raw()) {
            Err(ErrorKind::Os(libc::EEXIST)) => {}
            other => return other,
        }
    }
    Err(contended())
}

fn contended() -> ErrorKind {
    ErrorKind::Busy("others create and remove queues with this key all the time".into())
}

/// What `msgget` shall check that this user may.
fn permission(options: &Options) -> i32 {
    match options.access() {
        Access::Both => 0o600,
        Access::Send => 0o200,
        Access::Receive => 0o400,
    }
}

fn check_owner(options: &Options, id: i32) -> Result<(), ErrorKind> {
    if !options.looks_at_owner() {
        return Ok(());
    }
    let status = SystemV { id }.raw_status()?;
    options.check_owner(status.msg_perm.uid)
}
