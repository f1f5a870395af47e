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
                Err(PyTypeError::new_err(concat!("use ", $makers)))
            }
        }
    )*};
}

made_by! {
    Client: "Client.open(place) or from_fd(fd)";
    Queue: "Queue.create(place), open(place), open_or_create(place) or from_fd(fd)";
    Service: "Service.create(place), open(place), open_or_create(place) or from_fd(fd)";
    Subscriber: "Subscriber.open(place) or from_fd(fd)";
    Topic: "Topic.create(place), open(place), open_or_create(place) or from_fd(fd)";
    FileLock: "FileLock.create(name), open(name), open_or_create(name) or from_fd(fd)";
    MessageQueue: "MessageQueue.create(name), open(name) or open_or_create(name)";
    Fifo: "Fifo.create(name), open(name) or open_or_create(name)";
    PipeEnd: "PipeEnd.from_fd(fd), or unipc.pipe.pipe()";
    Array: "Array.create(place, layout, count), open(place), open_or_create(place, layout, count), over(memory, layout) or from_fd(fd)";
    Cell: "Cell.create(place, layout), open(place), open_or_create(place, layout) or from_fd(fd)";
    PidFd: "PidFd.open(pid) or from_fd(fd)";
    SignalCounter: "Counter.open(signals)";
    SignalStream: "Stream.open(signals)";
    Listener: "Listener.bind(name) or from_fd(fd)";
    Socket: "Socket.connect(name), bind(name), pair() or from_fd(fd)";
}
