// SPDX-License-Identifier: MIT OR Apache-2.0
//! Copies and atomics. Copies of many bytes let other Python threads run.

use pyo3::prelude::*;
use pyo3::types::PyBytes;

use super::SharedMemory;
use crate::buffer::{Lent, new_bytes};
use crate::error::raise;

/// From this many bytes on a copy takes longer than detaching from the interpreter for it.
const LONG_COPY: usize = 32 << 10;

fn copy<R: Send>(
    py: Python<'_>,
    length: usize,
    work: impl FnOnce() -> unipc::Result<R> + Send,
) -> PyResult<R> {
    let result = if length < LONG_COPY { work() } else { py.detach(work) };
    result.map_err(raise)
}

#[pymethods]
impl SharedMemory {
    /// A copy of `size` bytes from `offset` on.
    ///
    /// A file that another process has truncated is an error here, not a signal. The copy is not atomic: a writer at
    /// work at the same time may be seen half-way.
    ///
    /// Raises `OSError`: `ERANGE` when the bytes are not all inside, `EFAULT` when the file has lost them.
    ///
    /// >>> import unipc
    /// >>> with unipc.SharedMemory.create("anon:", 4096) as shm:
    /// ...     shm.write_at(10, b"hello")
    /// ...     shm.read_at(10, 5)
    /// b'hello'
    fn read_at<'py>(
        &self,
        py: Python<'py>,
        offset: usize,
        size: usize,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let shm = self.get(py)?;
        // Before memory for a size out of all proportion is taken.
        shm.ptr_at(offset, size).map_err(raise)?;
        new_bytes(py, size, |bytes| copy(py, size, || shm.read_uninit(offset, bytes).map(drop)))
    }

    /// Copies the bytes from `offset` on into `buffer`, a writable bytes-like object, and fills all of it.
    ///
    /// Raises `OSError` as `read_at` does, `BufferError` when the buffer is read-only or not contiguous.
    ///
    /// >>> import unipc
    /// >>> mine = bytearray(3)
    /// >>> with unipc.SharedMemory.create("anon:", 4096) as shm:
    /// ...     shm.fill(0, 3, ord("x"))
    /// ...     shm.read_into(0, mine)
    /// >>> mine
    /// bytearray(b'xxx')
    fn read_into(&self, py: Python<'_>, offset: usize, buffer: &Bound<'_, PyAny>) -> PyResult<()> {
        let mut buffer = Lent::writable(buffer)?;
        let shm = self.get(py)?;
        let bytes = buffer.bytes_mut();
        copy(py, bytes.len(), || shm.read_at(offset, bytes))
    }

    /// Copies `data`, any contiguous bytes-like object, to `offset`.
    ///
    /// Raises `OSError` as `read_at` does, and `EACCES` when the mapping is read-only.
    fn write_at(&self, py: Python<'_>, offset: usize, data: &Bound<'_, PyAny>) -> PyResult<()> {
        let data = Lent::readable(data)?;
        let shm = self.get(py)?;
        let bytes = data.bytes();
        copy(py, bytes.len(), || shm.write_at(offset, bytes))
    }

    /// Sets `size` bytes from `offset` on to `byte`, 0 to 255. Raises as `write_at` does.
    fn fill(&self, py: Python<'_>, offset: usize, size: usize, byte: u8) -> PyResult<()> {
        let shm = self.get(py)?;
        copy(py, size, || shm.fill(offset, size, byte))
    }

    /// How the bytes at `offset` stand to `data`, as memcmp(3) orders them: -1, 0 or 1. Raises as `read_at` does.
    fn compare(&self, py: Python<'_>, offset: usize, data: &Bound<'_, PyAny>) -> PyResult<i8> {
        let data = Lent::readable(data)?;
        let shm = self.get(py)?;
        let bytes = data.bytes();
        copy(py, bytes.len(), || shm.compare(offset, bytes)).map(|order| order as i8)
    }

    /// Reads the 32-bit unsigned integer at `offset`, a multiple of 4, in one piece.
    ///
    /// This and the other atomics are sequentially consistent, between all threads and processes that share the bytes.
    ///
    /// Raises `OSError`: `ERANGE` outside, `EINVAL` when not aligned, `EFAULT` when the file has lost the page.
    ///
    /// >>> import unipc
    /// >>> with unipc.SharedMemory.create("anon:", 4096) as shm:
    /// ...     shm.store_u32(8, 41)
    /// ...     shm.add_u32(8, 1)
    /// ...     shm.load_u32(8)
    /// 41
    /// 42
    fn load_u32(&self, py: Python<'_>, offset: usize) -> PyResult<u32> {
        self.glance(py, |shm| shm.load_u32(offset))
    }

    /// Writes the 32-bit unsigned integer at `offset` in one piece. Raises as `load_u32` does; `EACCES` if read-only.
    fn store_u32(&self, py: Python<'_>, offset: usize, value: u32) -> PyResult<()> {
        self.glance(py, |shm| shm.store_u32(offset, value))
    }

    /// Adds to the 32-bit unsigned integer at `offset`, wrapping around; gives the previous value. Raises as `store_u32`.
    fn add_u32(&self, py: Python<'_>, offset: usize, addend: u32) -> PyResult<u32> {
        self.glance(py, |shm| shm.add_u32(offset, addend))
    }

    /// Stores `desired` at `offset` if the 32-bit unsigned integer there is `expected`.
    ///
    /// Gives `(exchanged, previous)`: whether it was stored, and what was there. Raises as `store_u32` does.
    ///
    /// >>> import unipc
    /// >>> with unipc.SharedMemory.create("anon:", 4096) as shm:
    /// ...     shm.compare_exchange_u32(0, 0, 7)
    /// ...     shm.compare_exchange_u32(0, 0, 8)
    /// (True, 0)
    /// (False, 7)
    fn compare_exchange_u32(
        &self,
        py: Python<'_>,
        offset: usize,
        expected: u32,
        desired: u32,
    ) -> PyResult<(bool, u32)> {
        self.glance(py, |shm| shm.compare_exchange_u32(offset, expected, desired)).map(exchanged)
    }

    /// Reads the 64-bit unsigned integer at `offset`, a multiple of 8; see `load_u32`.
    fn load_u64(&self, py: Python<'_>, offset: usize) -> PyResult<u64> {
        self.glance(py, |shm| shm.load_u64(offset))
    }

    /// Writes the 64-bit unsigned integer at `offset`; see `store_u32`.
    fn store_u64(&self, py: Python<'_>, offset: usize, value: u64) -> PyResult<()> {
        self.glance(py, |shm| shm.store_u64(offset, value))
    }

    /// Adds to the 64-bit unsigned integer at `offset`; see `add_u32`.
    fn add_u64(&self, py: Python<'_>, offset: usize, addend: u64) -> PyResult<u64> {
        self.glance(py, |shm| shm.add_u64(offset, addend))
    }

    /// Stores `desired` if the 64-bit unsigned integer at `offset` is `expected`; see `compare_exchange_u32`.
    fn compare_exchange_u64(
        &self,
        py: Python<'_>,
        offset: usize,
        expected: u64,
        desired: u64,
    ) -> PyResult<(bool, u64)> {
        self.glance(py, |shm| shm.compare_exchange_u64(offset, expected, desired)).map(exchanged)
    }
}

fn exchanged<T>(result: Result<T, T>) -> (bool, T) {
    match result {
        Ok(previous) => (true, previous),
        Err(previous) => (false, previous),
    }
}
