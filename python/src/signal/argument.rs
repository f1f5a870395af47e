// SPDX-License-Identifier: MIT OR Apache-2.0
//! Signals and sets of them as Python gives and takes them.

use std::collections::BTreeMap;

use pyo3::prelude::*;
use pyo3::types::{PyInt, PySet, PyString};
use unipc::signal::{Counts, Set, Signal, Value};

use crate::error::raise;

/// A signal: a number, `signal.SIGUSR1`, or a name such as "SIGUSR1" and "RTMIN+3".
#[derive(Clone, Copy)]
pub(crate) struct SignalArgument(pub(crate) Signal);

impl<'a, 'py> FromPyObject<'a, 'py> for SignalArgument {
    type Error = PyErr;

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        if let Ok(name) = object.cast::<PyString>() {
            return name.to_cow()?.parse().map(Self).map_err(raise);
        }
        Signal::new(object.extract()?).map(Self).map_err(raise)
    }
}

/// One signal, or any iterable of them.
#[derive(Clone, Copy)]
pub(crate) struct SetArgument(pub(crate) Set);

impl<'a, 'py> FromPyObject<'a, 'py> for SetArgument {
    type Error = PyErr;

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        if object.is_instance_of::<PyInt>() || object.is_instance_of::<PyString>() {
            return Ok(Self(object.extract::<SignalArgument>()?.0.into()));
        }
        let mut set = Set::EMPTY;
        for signal in object.try_iter()? {
            set |= signal?.extract::<SignalArgument>()?.0;
        }
        Ok(Self(set))
    }
}

/// The numbers, as a set of Python.
pub(crate) fn numbers(py: Python<'_>, set: Set) -> PyResult<Bound<'_, PySet>> {
    PySet::new(py, set.iter().map(Signal::number))
}

/// How often each number came.
pub(crate) fn by_number(counts: &Counts) -> BTreeMap<i32, u64> {
    counts.iter().map(|(signal, count)| (signal.number(), count)).collect()
}

/// The value to send: an int of 32 bits, or all bits of a pointer.
pub(crate) fn value(value: i32, pointer: Option<usize>) -> Value {
    pointer.map_or_else(|| Value::from(value), Value::from_pointer)
}
