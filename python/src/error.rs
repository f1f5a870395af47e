// SPDX-License-Identifier: MIT OR Apache-2.0
//! Errors of the core as Python knows them: `OSError`, whose subclass Python picks by errno.

use pyo3::create_exception;
use pyo3::exceptions::{PyOSError, PyValueError};
use pyo3::prelude::*;

create_exception!(
    unipc,
    RemovedError,
    PyOSError,
    "The object is marked for removal and lives only until its last user leaves (errno EIDRM)."
);

create_exception!(
    unipc,
    LayoutError,
    PyOSError,
    "The bytes were laid out by another kind or version of object (errno EPROTO)."
);

create_exception!(
    unipc,
    OwnerDiedError,
    PyOSError,
    "Whoever held the lock, or was a party of the barrier, has died: the data may be inconsistent (errno EOWNERDEAD)."
);

create_exception!(
    unipc,
    NotRecoverableError,
    PyOSError,
    "Nobody repaired what a dead holder left, and the lock is retired (errno ENOTRECOVERABLE)."
);

/// The exception for an error of the core: errno, cause and advice, and the object's name as `filename`.
#[allow(clippy::needless_pass_by_value, reason = "made for map_err")]
pub(crate) fn raise(error: unipc::Error) -> PyErr {
    let errno = error.errno();
    let text = match error.advice() {
        Some(advice) => format!("{}; {advice}", error.kind()),
        None => error.kind().to_string(),
    };
    let arguments = (errno, text, error.object().to_owned());
    match errno {
        libc::EIDRM => RemovedError::new_err(arguments),
        libc::EPROTO => LayoutError::new_err(arguments),
        libc::EOWNERDEAD => OwnerDiedError::new_err(arguments),
        libc::ENOTRECOVERABLE => NotRecoverableError::new_err(arguments),
        _ => PyOSError::new_err(arguments),
    }
}

/// What a handle says once it is closed.
pub(crate) fn closed(name: &impl std::fmt::Display) -> PyErr {
    PyValueError::new_err(format!("{name} is closed"))
}
