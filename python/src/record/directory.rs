// SPDX-License-Identifier: MIT OR Apache-2.0
//! The table behind `unipc.Directory`.

use pyo3::prelude::*;
use unipc::record::{Directory, Entry, Options};
use unipc::{SharedMemory as Memory, Timeout};

use crate::error::raise;
use crate::shm::SharedMemory;
use crate::wait::wait;

/// Name, offset, size and kind of a place.
type Told = (String, usize, usize, Option<String>);

fn told(entry: &Entry) -> Told {
    (entry.name().to_owned(), entry.offset(), entry.size(), entry.kind())
}

/// Names for places inside a segment. `unipc.Directory` is for programs; this is what it stands on.
#[pyclass(frozen, weakref, module = "unipc._native")]
pub(crate) struct PlaceTable(Directory);

impl PlaceTable {
    fn at(
        memory: &Bound<'_, SharedMemory>,
        work: impl Fn(&Memory) -> unipc::Result<Directory> + Sync,
    ) -> PyResult<Self> {
        let shm = memory.get().memory(memory.py())?;
        wait(memory.py(), Timeout::Forever, |_| work(&shm)).map(Self)
    }

    fn call<R: Send>(
        &self,
        py: Python<'_>,
        work: impl Fn(&Directory) -> unipc::Result<R> + Sync,
    ) -> PyResult<R> {
        wait(py, Timeout::Forever, |_| work(&self.0))
    }
}

#[pymethods]
impl PlaceTable {
    /// Creates it: `size` bytes from `offset` on, all that there are without a size.
    #[staticmethod]
    #[pyo3(signature = (memory, offset, size, entries, existing))]
    fn create(
        memory: &Bound<'_, SharedMemory>,
        offset: usize,
        size: Option<usize>,
        entries: usize,
        existing: bool,
    ) -> PyResult<Self> {
        let options = Options::new().entries(entries);
        Self::at(memory, |shm| {
            let size = size.unwrap_or(shm.len().saturating_sub(offset));
            let place = (shm, offset);
            if existing {
                options.open_or_create_directory(place, size)
            } else {
                options.create_directory(place, size)
            }
        })
    }

    /// Opens it.
    #[staticmethod]
    fn open(memory: &Bound<'_, SharedMemory>, offset: usize) -> PyResult<Self> {
        Self::at(memory, |shm| Directory::open((shm, offset)))
    }

    /// Makes a place of at least `size` bytes.
    fn place(&self, py: Python<'_>, name: &str, size: usize, on_page: bool) -> PyResult<Told> {
        let place = |directory: &Directory| {
            if on_page { directory.place_on_page(name, size) } else { directory.place(name, size) }
        };
        self.call(py, place).map(|entry| told(&entry))
    }

    /// The place of this name.
    fn find(&self, py: Python<'_>, name: &str) -> PyResult<Told> {
        self.call(py, |directory| directory.find(name)).map(|entry| told(&entry))
    }

    /// The place of this name, made when there is none; True when it was.
    fn find_or_place(
        &self,
        py: Python<'_>,
        name: &str,
        size: usize,
        on_page: bool,
    ) -> PyResult<(Told, bool)> {
        let place = |directory: &Directory| {
            if on_page {
                directory.find_or_place_on_page(name, size)
            } else {
                directory.find_or_place(name, size)
            }
        };
        self.call(py, place).map(|(entry, made)| (told(&entry), made))
    }

    /// Frees the place of this name.
    fn remove(&self, py: Python<'_>, name: &str) -> PyResult<()> {
        self.call(py, |directory| directory.remove(name))
    }

    /// All places.
    fn list(&self, py: Python<'_>) -> PyResult<Vec<Told>> {
        self.call(py, Directory::list).map(|entries| entries.iter().map(told).collect())
    }

    /// How many places there can be.
    #[getter]
    fn capacity(&self) -> usize {
        self.0.capacity()
    }

    /// How many bytes it takes.
    #[getter]
    fn size(&self) -> usize {
        self.0.size()
    }

    /// How errors call it.
    #[getter]
    fn label(&self) -> &str {
        self.0.label()
    }
}

/// The kind of the object of this library that begins at `offset`: "mutex", "array". None where there is none.
#[pyfunction]
pub(crate) fn kind_at(memory: &Bound<'_, SharedMemory>, offset: usize) -> PyResult<Option<String>> {
    let shm = memory.get().memory(memory.py())?;
    let mut stamp = [0; unipc::layout::STAMP_SIZE];
    if shm.len().saturating_sub(offset) < stamp.len() {
        return Ok(None);
    }
    shm.read_at(offset, &mut stamp).map_err(raise)?;
    Ok(unipc::layout::kind_of(&stamp))
}
