// SPDX-License-Identifier: MIT OR Apache-2.0
//! Getting a handle and giving it back.

use std::ffi::{c_char, c_int, c_uint};

use unipc_core::mq::Options;
use unipc_core::{MessageQueue, Result};

use super::boundary::Caller;
use super::unipc_mq_flag as flag;
use super::{unipc_mq, unipc_mq_opts};

/// All flags but those for receiving, which are the last.
const KNOWN: c_uint = flag::UNIPC_MQ_TRUNCATE as c_uint - 1;

/// Creates a message queue, empty.
///
/// out:   where the handle goes; NULL on failure. Close it with unipc_mq_close().
/// name:  "/demo", "sysv:PATH,PROJ", "sysv:0x1234", "sysv:private"; see unipc/name.h
/// flags: UNIPC_MQ_ flags, or 0
/// opts:  NULL for the defaults
///
/// It has its mode from the first moment on. It stays when the handle is closed, with its messages,
/// until it is unlinked.
///
/// Example:
///
///     unipc_mq *mq;
///     if (unipc_mq_create(&mq, "/demo", 0, NULL) < 0 ||
///         unipc_mq_send(mq, 1, "hello", 5, NULL) < 0) {
///         fprintf(stderr, "%s\n", unipc_last_error());
///         return 1;
///     }
///     unipc_mq_close(mq);
///
/// Returns 0.
/// Errors:
///   -EEXIST      the name is taken
///   -EINVAL      no name, unknown flags, contradicting options, a name that cannot be created; a
///                POSIX queue that is larger than the system allows; out or name is NULL
///   -ENOENT      sysv:PATH,PROJ and there is no such path
///   -ENOSPC      there are too many queues (MSGMNI, queues_max)
///   -EMFILE      RLIMIT_MSGQUEUE does not allow it, or too many descriptors are open
///   -EOPNOTSUPP  only POSIX and System V names stand for queues; max_messages and max_size are of
///                POSIX queues
///   -E2BIG       opts uses fields that this version of the library does not know
///   and what mq_open(3) and msgget(2) give besides
/// Since 0.1.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_mq_create(
    out: *mut *mut unipc_mq,
    name: *const c_char,
    flags: c_uint,
    opts: *const unipc_mq_opts,
) -> c_int {
    // SAFETY: the header asks for a place for the handle, a string, and options that know their size.
    let caller = unsafe { Caller::trusted("create") };
    caller.construct(out, || {
        let options = options(&caller, flags, opts)?;
        options.create(caller.name(name)?).map(unipc_mq::new)
    })
}

/// Opens a message queue that exists.
///
/// out:   where the handle goes; NULL on failure. Close it with unipc_mq_close().
/// name:  as for unipc_mq_create(), and "sysv:id=42"
/// flags: UNIPC_MQ_ flags, or 0
/// opts:  NULL for the defaults
///
/// Returns 0.
/// Errors:
///   -ENOENT      there is none (-EINVAL for an identifier)
///   -EACCES      its mode does not let this user both send and receive; UNIPC_MQ_SEND_ONLY and
///                UNIPC_MQ_RECEIVE_ONLY need less; by an identifier only reading is checked here
///   -EPERM       it belongs to another user, and UNIPC_MQ_OWN_ONLY is set
///   -EINVAL      no name, unknown flags, contradicting options; out or name is NULL
///   -EMFILE      too many descriptors are open
///   -EOPNOTSUPP  only POSIX and System V names stand for queues
///   -E2BIG       opts uses fields that this version of the library does not know
/// Since 0.1. See mq_open(3), msgget(2).
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_mq_open(
    out: *mut *mut unipc_mq,
    name: *const c_char,
    flags: c_uint,
    opts: *const unipc_mq_opts,
) -> c_int {
    // SAFETY: the header asks for a place for the handle, a string, and options that know their size.
    let caller = unsafe { Caller::trusted("open") };
    caller.construct(out, || {
        let options = options(&caller, flags, opts)?;
        options.open(caller.name(name)?).map(unipc_mq::new)
    })
}

/// Opens a message queue, or creates it when there is none.
///
/// out:   where the handle goes; NULL on failure. Close it with unipc_mq_close().
/// name:  as for unipc_mq_create()
/// flags: UNIPC_MQ_ flags, or 0
/// opts:  NULL for the defaults
///
/// Returns 0.
/// Errors: as unipc_mq_create() without -EEXIST, as unipc_mq_open() without -ENOENT, and
///   -EINVAL  the POSIX queue exists and holds less than opts asks for
///   -EBUSY   others create and remove it all the time
/// Since 0.1.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_mq_open_or_create(
    out: *mut *mut unipc_mq,
    name: *const c_char,
    flags: c_uint,
    opts: *const unipc_mq_opts,
) -> c_int {
    // SAFETY: the header asks for a place for the handle, a string, and options that know their size.
    let caller = unsafe { Caller::trusted("open_or_create") };
    caller.construct(out, || {
        let options = options(&caller, flags, opts)?;
        options.open_or_create(caller.name(name)?).map(unipc_mq::new)
    })
}

/// Closes the handle. The queue itself stays, with its messages; see unipc_mq_unlink().
///
/// mq: a handle, gone afterwards with its descriptor and name; NULL is fine
///
/// A child of fork() that closes its copy does not affect its parent. Closing any handle of a POSIX
/// queue ends a notification that this process has asked for, which is the kernel's rule.
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_mq_close(mq: *mut unipc_mq) {
    // SAFETY: the header asks for a handle that is closed once.
    let caller = unsafe { Caller::trusted("close") };
    caller.destroy(mq);
}

fn options(caller: &Caller, flags: c_uint, opts: *const unipc_mq_opts) -> Result<Options> {
    let flags = caller.flags(flags, KNOWN)?;
    let has = |flag: flag| flags.has(flag as c_uint);
    let opts = caller.options(opts)?;
    if opts.reserved != 0 {
        return Err(caller.invalid("opts.reserved", "it is not 0"));
    }
    let mut options = MessageQueue::options()
        .mode(caller.mode(opts.mode)?)
        .send_only(has(flag::UNIPC_MQ_SEND_ONLY))
        .receive_only(has(flag::UNIPC_MQ_RECEIVE_ONLY))
        .replace(has(flag::UNIPC_MQ_REPLACE))
        .remove_on_drop(has(flag::UNIPC_MQ_REMOVE_ON_CLOSE))
        .own_only(has(flag::UNIPC_MQ_OWN_ONLY));
    if opts.max_messages != 0 {
        options = options.max_messages(opts.max_messages);
    }
    if opts.max_size != 0 {
        options = options.max_size(opts.max_size);
    }
    Ok(options)
}
