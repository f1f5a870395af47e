// SPDX-License-Identifier: MIT OR Apache-2.0
//! What classes say that are not made by calling them.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use crate::channel::{Client, Queue, Service, Subscriber, Topic};
use crate::lock::FileLock;
use crate::mq::MessageQueue;
use crate::pipe::{Fifo, PipeEnd};
use crate::record::{Array, Cell};
use crate::signal::{PidFd, SignalCounter, SignalStream};
use crate::socket::{Listener, Socket};

/// Writes the constructors, each of which tells what makes such an object.
macro_rules! made_by {
    ($($class:ident: $makers:literal;)*) => {$(
        #[pymethods]
        impl $class {
            #[new]
            #[pyo3(signature = (*_arguments, **_keywords))]
            fn __new__(
                _arguments: &Bound<'_, PyTuple>,
                _keywords: Option<&Bound<'_, PyDict>>,
            ) -> PyResult<PyClassInitializer<Self>> {
                let words = concat!("use ", stringify!($class), ".", $makers);
                Err(PyTypeError::new_err(words))
            }
        }
    )*};
}

made_by! {
    Client: "open(place) or from_fd(fd)";
    Queue: "create(place), open(place), open_or_create(place) or from_fd(fd)";
    Service: "create(place), open(place), open_or_create(place) or from_fd(fd)";
    Subscriber: "open(place) or from_fd(fd)";
    Topic: "create(place), open(place), open_or_create(place) or from_fd(fd)";
    FileLock: "create(name), open(name), open_or_create(name) or from_fd(fd)";
    MessageQueue: "create(name), open(name) or open_or_create(name)";
    Fifo: "create(name), open(name) or open_or_create(name)";
    PipeEnd: "from_fd(fd), or unipc.pipe()";
    Array: "create(place, layout, count), open(place), open_or_create(place, layout, count), over(memory, layout) or from_fd(fd)";
    Cell: "create(place, layout), open(place), open_or_create(place, layout) or from_fd(fd)";
    PidFd: "open(pid) or from_fd(fd)";
    SignalCounter: "open(signals)";
    SignalStream: "open(signals)";
    Listener: "bind(name) or from_fd(fd)";
    Socket: "connect(name), bind(name), pair() or from_fd(fd)";
}
