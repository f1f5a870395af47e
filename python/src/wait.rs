// SPDX-License-Identifier: MIT OR Apache-2.0
//! Waiting as Python does it: detached from the interpreter, interrupted for signal handlers alone (PEP 475).

use std::time::Duration;

use pyo3::prelude::*;
use unipc::Timeout;

use crate::error::raise;
use crate::handle::check_signals;

/// Seconds to wait as `int` or `float`; `None` for ever, 0 for a try.
#[derive(Clone, Copy)]
pub(crate) struct TimeoutArgument(pub(crate) Timeout);

impl<'a, 'py> FromPyObject<'a, 'py> for TimeoutArgument {
    type Error = PyErr;

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        match object.extract::<Option<f64>>()? {
            None => Ok(Self(Timeout::Forever)),
            Some(seconds) => Timeout::from_seconds(seconds).map(Self).map_err(raise),
        }
    }
}

/// Without an argument, as with None, it waits for ever.
pub(crate) fn limit(timeout: Option<TimeoutArgument>) -> Timeout {
    timeout.map_or(Timeout::Forever, |timeout| timeout.0)
}

/// Does what may block, with the time that is left. A signal runs Python's handlers; if none of them raises, the wait
/// goes on.
pub(crate) fn wait<R: Send>(
    py: Python<'_>,
    timeout: Timeout,
    mut work: impl FnMut(Timeout) -> unipc::Result<R> + Send,
) -> PyResult<R> {
    let deadline = timeout.deadline();
    let mut left = timeout;
    loop {
        match py.detach(|| work(left)) {
            Err(error) if error.errno() == libc::EINTR => check_signals(py)?,
            other => return other.map_err(raise),
        }
        if timeout != Timeout::TRY {
            // Never a try, which would fail with another errno than a wait whose time is over.
            left = match deadline.remaining() {
                Timeout::TRY => Timeout::After(Duration::from_nanos(1)),
                more => more,
            };
        }
    }
}
