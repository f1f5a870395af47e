// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the objects of these tests contain, so that a half-made one is recognised.
//!
//! | bytes | field |
//! |---|---|
//! | 0..4 | state: 0 new, 1 being written, 2 written |
//! | 4..8 | the byte that the rest is made of |
//! | 8.. | zeros while new; the byte, then zeros where it has grown since |

use unipc::SharedMemory;

/// The mode of every object. None but an exact one passes: neither the default nor one that a umask has touched.
pub(crate) const MODE: u32 = 0o646;

/// A umask that takes away what [`MODE`] grants.
pub(crate) const UMASK: u32 = 0o777;

/// All sizes that an object may ever have: within a page, whole pages, and more than the megabyte that is
/// allocated at a time.
pub(crate) const SIZES: [usize; 4] = [SMALLEST, 5000, 3 * 4096 + 1, (2 << 20) + 4097];
pub(crate) const SMALLEST: usize = 64;

const STATE: usize = 0;
const BYTE: usize = 4;
const BODY: usize = 8;

const NEW: u32 = 0;
const WRITING: u32 = 1;
const WRITTEN: u32 = 2;

/// How complete the object was that somebody found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Content {
    /// As it was created.
    Zeros,
    /// Its user, not the library, was killed while filling it.
    MidWrite,
    /// All that its user wrote.
    Written,
}

/// Fills a new object.
pub(crate) fn write(shm: &SharedMemory, byte: u8) -> unipc::Result<()> {
    shm.store_u32(BYTE, u32::from(byte))?;
    shm.store_u32(STATE, WRITING)?;
    shm.fill(BODY, shm.len() - BODY, byte)?;
    shm.store_u32(STATE, WRITTEN)
}

/// What an object contains; an error when that is nothing that a user has ever left in it.
pub(crate) fn check(shm: &SharedMemory) -> Result<Content, String> {
    let mut bytes = vec![0; shm.len()];
    shm.read_at(0, &mut bytes).map_err(|error| error.to_string())?;
    let number = |at: usize| u32::from_ne_bytes(std::array::from_fn(|index| bytes[at + index]));
    let body = &bytes[BODY..];
    let Ok(byte) = u8::try_from(number(BYTE)) else {
        return Err(format!("the byte is {:#x}", number(BYTE)));
    };
    match number(STATE) {
        NEW if body.iter().all(|&is| is == 0) => Ok(Content::Zeros),
        WRITING if body.iter().all(|&is| is == byte || is == 0) => Ok(Content::MidWrite),
        WRITTEN => {
            let filled = body.iter().take_while(|&&is| is == byte).count();
            let rest_is_zero = body[filled..].iter().all(|&is| is == 0);
            // It was filled at one of the sizes, and nobody makes it smaller than the smallest.
            if filled >= SMALLEST - BODY && rest_is_zero {
                Ok(Content::Written)
            } else {
                Err(format!("{filled} of {} bytes are {byte:#x}, then others follow", body.len()))
            }
        }
        state => Err(format!("state {state} with other bytes than belong to it")),
    }
}
