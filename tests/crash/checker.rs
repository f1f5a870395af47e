// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a death may leave: a complete object or none, which can be used, and nothing else.

use unipc::{Mode, SharedMemory};

use crate::object::{self, Content, MODE, SIZES, SMALLEST};
use crate::place::Place;

/// What was found under the name after a death.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    Nothing,
    Object(Content),
}

/// The state of the name right after the process `dead` was killed, without changing it.
///
/// Errors: what is half-made, or left besides.
pub(crate) fn inspect(place: &Place, dead: i32) -> Result<Found, String> {
    let strays = place.strays(dead);
    if !strays.is_empty() {
        return Err(format!("left behind: {}", strays.join(", ")));
    }
    let Some(seen) = place.look() else {
        return match SharedMemory::open(place.name.as_str()) {
            Err(error) if error.errno() == libc::ENOENT => Ok(Found::Nothing),
            other => Err(format!("there is no object, but open says {other:?}")),
        };
    };
    if seen.mode != MODE || !SIZES.contains(&seen.size) {
        return Err(format!("half-made: {} bytes, mode {:o}", seen.size, seen.mode));
    }
    let shm = SharedMemory::open(place.name.as_str()).map_err(|error| error.to_string())?;
    if shm.len() != seen.size {
        return Err(format!("open maps {} of {} bytes", shm.len(), seen.size));
    }
    object::check(&shm).map(Found::Object)
}

/// Can the name be used further, whatever was found?
pub(crate) fn reuse(place: &Place) -> Result<(), String> {
    let mode = Mode::new(MODE).expect("nine bits");
    let again = SharedMemory::options().mode(mode).open_or_create(place.name.as_str(), SMALLEST);
    let shm = again.map_err(|error| format!("open_or_create fails: {error}"))?;
    object::check(&shm).map(drop)
}

/// Removes the object and looks for anything left.
pub(crate) fn remove(place: &Place, dead: i32) -> Result<(), String> {
    let name = place.name.as_str();
    match SharedMemory::unlink(name) {
        Err(error) if error.errno() != libc::ENOENT => return Err(error.to_string()),
        _ => {}
    }
    match inspect(place, dead)? {
        Found::Nothing => Ok(()),
        Found::Object(_) => Err("the object is still there after it was removed".to_owned()),
    }
}
