// SPDX-License-Identifier: MIT OR Apache-2.0
//! Pipes, FIFOs and turnstiles.

mod end;
mod fifo;
mod transfer;
mod turnstile;

use pyo3::prelude::*;

pub(crate) use end::{PipeEnd, duplicate_of};
pub(crate) use fifo::Fifo;
pub(crate) use turnstile::Turnstile;

use crate::error::raise;

/// Makes a pipe and returns its two ends: what is written into the second is read from the first.
///
/// - `capacity`: how many bytes it holds, see `PipeEnd.set_capacity`; None: what the kernel gives, 65536.
/// - `packets`: each write is a packet, and each read gives one, cut to its size (`O_DIRECT`).
///
/// Both descriptors are close-on-exec. Raises `OSError`: `EMFILE`, `ENFILE`; for the capacity what `set_capacity` does.
///
/// >>> from unipc.pipe import pipe
/// >>> reader, writer = pipe()
/// >>> writer.write(b"hello")
/// 5
/// >>> writer.close()
/// >>> reader.read(), reader.read()    # b"" is the end
/// (b'hello', b'')
#[pyfunction]
#[pyo3(signature = (*, capacity = None, packets = false))]
pub(crate) fn pipe(capacity: Option<usize>, packets: bool) -> PyResult<(PipeEnd, PipeEnd)> {
    let mut options = unipc::pipe::Options::new().packets(packets);
    if let Some(bytes) = capacity {
        options = options.capacity(bytes);
    }
    let (reader, writer) = options.create().map_err(raise)?;
    Ok((PipeEnd::new(reader), PipeEnd::new(writer)))
}

/// Makes two ends that both read and write: what one writes the other reads (a pair of sockets).
///
/// Both descriptors are close-on-exec. Raises `OSError`: `EMFILE`, `ENFILE`.
///
/// >>> from unipc.pipe import duplex
/// >>> one, other = duplex()
/// >>> one.write(b"ask"), other.read()
/// (3, b'ask')
/// >>> other.write(b"say"), one.read()
/// (3, b'say')
#[pyfunction]
pub(crate) fn duplex() -> PyResult<(PipeEnd, PipeEnd)> {
    let (one, other) = unipc::pipe::duplex().map_err(raise)?;
    Ok((PipeEnd::new(one), PipeEnd::new(other)))
}

/// The most that an ordinary user may ask for as a pipe's capacity, in bytes: /proc/sys/fs/pipe-max-size.
///
/// >>> from unipc.pipe import capacity_limit
/// >>> capacity_limit() >= 4096
/// True
#[pyfunction]
pub(crate) fn capacity_limit() -> PyResult<usize> {
    unipc::pipe::capacity_limit().map_err(raise)
}
