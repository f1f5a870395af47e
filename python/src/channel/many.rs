// SPDX-License-Identifier: MIT OR Apache-2.0
//! Many messages in one call: rows of a buffer, lists of bytes, NumPy arrays.
#![allow(unsafe_code)]

use std::mem::MaybeUninit;
use std::time::Duration;

use pyo3::exceptions::{PyBlockingIOError, PyTimeoutError, PyTypeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyTuple};
use unipc::Timeout;

use super::records::{Records, with_bytes};
use crate::buffer::Lent;
use crate::handle::check_signals;

/// Bytes that are initialised are also bytes that may not be; only bytes are written to them.
pub(super) fn uninitialised(bytes: &mut [u8]) -> &mut [MaybeUninit<u8>] {
    // SAFETY: the two have one layout, and whoever gets the result writes bytes alone.
    unsafe { &mut *(std::ptr::from_mut(bytes) as *mut [MaybeUninit<u8>]) }
}

/// What is left of the time for all of them together: a try only if it was one from the beginning.
fn left(timeout: Timeout, deadline: unipc::Deadline) -> Timeout {
    match deadline.remaining() {
        Timeout::TRY if timeout != Timeout::TRY => Timeout::After(Duration::from_nanos(1)),
        left => left,
    }
}

/// The messages of a list or tuple, if each of them is a `bytes` object, which stays as it is.
fn all_bytes<'py>(messages: &Bound<'py, PyAny>) -> Option<Vec<Bound<'py, PyBytes>>> {
    let bytes = |message: Bound<'py, PyAny>| message.cast_into_exact::<PyBytes>().ok();
    if let Ok(list) = messages.cast_exact::<PyList>() {
        return list.iter().map(bytes).collect();
    }
    messages.cast_exact::<PyTuple>().ok()?.iter().map(bytes).collect()
}

/// Sends as many as can be in time.
fn send_all(
    py: Python<'_>,
    messages: &[Bound<'_, PyBytes>],
    timeout: Timeout,
    each: impl Fn(&[&[u8]], Timeout) -> PyResult<usize>,
) -> PyResult<usize> {
    let messages: Vec<&[u8]> = messages.iter().map(PyBytesMethods::as_bytes).collect();
    let (deadline, mut sent, mut left) = (timeout.deadline(), 0, timeout);
    while sent < messages.len() {
        match each(&messages[sent..], left) {
            Ok(more) => sent += more,
            Err(error) if sent > 0 && is_over(py, &error) => break,
            Err(error) => return Err(error),
        }
        if sent < messages.len() {
            check_signals(py)?;
            left = self::left(timeout, deadline);
        }
    }
    Ok(sent)
}

/// Sends the elements of a buffer, or of an iterable.
pub(super) fn send(
    py: Python<'_>,
    messages: &Bound<'_, PyAny>,
    records: Option<&Records>,
    timeout: Timeout,
    row: impl Fn(&[u8], usize, Timeout) -> PyResult<usize>,
    each: impl Fn(&[&[u8]], Timeout) -> PyResult<usize>,
    one: impl Fn(&[u8], Timeout) -> PyResult<()>,
) -> PyResult<usize> {
    if let Some(messages) = all_bytes(messages) {
        return send_all(py, &messages, timeout, each);
    }
    let deadline = timeout.deadline();
    let Ok(lent) = Lent::readable(messages) else {
        let mut count = 0;
        for message in messages.try_iter()? {
            let message = message?;
            let left = left(timeout, deadline);
            match with_bytes(records, &message, |bytes| one(bytes, left)) {
                Ok(()) => count += 1,
                Err(error) if count > 0 && is_over(py, &error) => break,
                Err(error) => return Err(error),
            }
        }
        return Ok(count);
    };
    let count = messages.len()?;
    if count == 0 {
        return Ok(0);
    }
    let (mut bytes, size) = (lent.bytes(), lent.len() / count);
    if size * count != lent.len() || size == 0 {
        return Err(PyTypeError::new_err("the buffer has no elements along its first axis"));
    }
    while !bytes.is_empty() {
        match row(bytes, size, left(timeout, deadline)) {
            Ok(sent) => bytes = &bytes[sent * size..],
            Err(error) if bytes.len() < lent.len() && is_over(py, &error) => break,
            Err(error) => return Err(error),
        }
        check_signals(py)?;
    }
    Ok(count - bytes.len() / size)
}

/// Is it the time that is over?
fn is_over(py: Python<'_>, error: &PyErr) -> bool {
    // The value knows its class; the error itself only that it is an OSError.
    let error = error.value(py);
    error.is_instance_of::<PyBlockingIOError>() || error.is_instance_of::<PyTimeoutError>()
}

/// How many are asked for.
pub(super) fn at_least_one(count: usize) -> PyResult<usize> {
    if count == 0 {
        return Err(PyValueError::new_err("count is 1 or more"));
    }
    Ok(count)
}

/// A list of at most `count` messages: waits for the first, and takes the others that are there.
pub(super) fn list(
    py: Python<'_>,
    count: usize,
    timeout: Timeout,
    receive: impl Fn(Timeout) -> PyResult<Py<PyBytes>>,
) -> PyResult<Bound<'_, PyAny>> {
    let count = at_least_one(count)?;
    let list = PyList::new(py, [receive(timeout)?])?;
    while list.len() < count {
        match receive(Timeout::TRY) {
            Ok(message) => list.append(message)?,
            Err(error) if is_over(py, &error) => break,
            Err(error) => return Err(error),
        }
    }
    Ok(list.into_any())
}

/// The dtype of what is received as an array: the one that was asked for, or that of the channel's records.
pub(super) fn dtype<'a, 'py>(
    py: Python<'py>,
    asked: Option<&'a Bound<'py, PyAny>>,
    records: Option<&'a Records>,
) -> PyResult<Option<&'a Bound<'py, PyAny>>> {
    match (asked, records) {
        (None, Some(records)) => records.dtype(py).map(Some),
        (asked, _) => Ok(asked),
    }
}

/// A NumPy array of at most `count` messages.
pub(super) fn array<'py>(
    py: Python<'py>,
    count: usize,
    dtype: &Bound<'py, PyAny>,
    receive: impl FnOnce(&mut [MaybeUninit<u8>], usize) -> PyResult<usize>,
) -> PyResult<Bound<'py, PyAny>> {
    let count = at_least_one(count)?;
    let numpy = py.import(intern!(py, "numpy"))?;
    let array = numpy.call_method1(intern!(py, "empty"), (count, dtype))?;
    let bytes = numpy.getattr(intern!(py, "uint8"))?;
    let keywords = PyDict::new(py);
    keywords.set_item("dtype", bytes)?;
    let mut room = Lent::writable(&array.call_method("view", (), Some(&keywords))?)?;
    let size = room.len() / count;
    let received = receive(uninitialised(room.bytes_mut()), size)?;
    drop(room);
    if received == count {
        return Ok(array);
    }
    array.get_item(pyo3::types::PySlice::new(py, 0, received.cast_signed(), 1))
}
