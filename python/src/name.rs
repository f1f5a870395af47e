// SPDX-License-Identifier: MIT OR Apache-2.0
//! Names of objects as Python gives them, and keys made of paths.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use pyo3::exceptions::PyValueError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};
use unipc::Name;
use unipc::sysv::Key;

use crate::error::raise;

/// A `str`, `bytes` or `os.PathLike` in the grammar of names.
pub(crate) struct NameArgument(pub(crate) Name);

impl<'a, 'py> FromPyObject<'a, 'py> for NameArgument {
    type Error = PyErr;

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        // Most names are text, which Python keeps as UTF-8 once it was asked for.
        let text = object.cast::<PyString>().ok();
        let name = match text.as_ref().and_then(|text| text.to_str().ok()) {
            Some(text) => Name::parse(text),
            None => Name::parse(os_string(&object)?),
        };
        name.map(Self).map_err(raise)
    }
}

/// The bytes of a path or name, whatever it is given as; text as `os.fsencode` has it.
pub(crate) fn os_string(object: &Bound<'_, PyAny>) -> PyResult<OsString> {
    if let Ok(bytes) = object.cast::<PyBytes>() {
        return Ok(OsStr::from_bytes(bytes.as_bytes()).to_owned());
    }
    if object.is_instance_of::<PyString>() {
        return object.extract();
    }
    let py = object.py();
    // Gives str or bytes, or raises TypeError.
    os_string(&py.import(intern!(py, "os"))?.call_method1(intern!(py, "fspath"), (object,))?)
}

/// The System V key that a path and a project number stand for: ftok(3).
///
/// `path` must exist: its device and inode make the key, with the lowest 8 bits of `proj`. The C function ignores
/// the other bits of `proj` in silence; here they are a `ValueError`, unless `mask` is true.
///
/// The key is a signed number, as `key_t` is; `sysv:PATH,PROJ` names the object without computing it.
///
/// Raises `OSError`: `ENOENT`, `EACCES`, `ENOTDIR` for a path that cannot be looked up; `EINVAL` when the key would be
/// 0, which is `IPC_PRIVATE`.
///
/// >>> import unipc
/// >>> unipc.ftok("/etc/passwd", 1) >> 24
/// 1
/// >>> unipc.ftok("/etc/passwd", 257, mask=True) == unipc.ftok("/etc/passwd", 1)
/// True
#[pyfunction]
#[pyo3(signature = (path, proj, mask = false))]
pub(crate) fn ftok(path: &Bound<'_, PyAny>, proj: i64, mask: bool) -> PyResult<i32> {
    let project = u8::try_from(if mask { proj & 0xff } else { proj }).map_err(|_| {
        PyValueError::new_err(format!(
            "proj is a number from 0 to 255, not {proj}; mask=True takes its lowest 8 bits"
        ))
    })?;
    Key::ftok(os_string(path)?, project).map(Key::raw).map_err(raise)
}
