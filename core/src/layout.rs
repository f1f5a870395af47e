// SPDX-License-Identifier: MIT OR Apache-2.0
//! The stamp on memory whose insides are ours: magic, kind, version, size, and whose libc made it.
//!
//! Raw segments carry no stamp. An object that lays out its bytes begins with these 64, the magic
//! stored last and alone, so that nobody takes an unfinished object for a finished one. Inside
//! such objects there are offsets, never pointers.
//!
//! | bytes | field |
//! |---|---|
//! | 0..8 | magic, `unipc` and three NULs |
//! | 8..16 | kind, eight characters |
//! | 16..20 | layout version |
//! | 20..24 | libc: 1 glibc, 2 musl (their pthread objects differ) |
//! | 24..28 | pointer width in bits |
//! | 28..32 | byte order, `0x01020304` as the maker stores it |
//! | 32..40 | size of the object in bytes |
//! | 40..64 | zero |

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::error::ErrorKind;

/// The first eight bytes of a finished object.
pub const MAGIC: [u8; 8] = *b"unipc\0\0\0";

/// How many bytes a stamp takes: one cache line.
pub const STAMP_SIZE: usize = 64;

/// What to do with memory in which no object begins.
macro_rules! raw_memory {
    () => {
        "raw memory is opened with SharedMemory.open (in C unipc_shm_open)"
    };
}

pub(crate) use raw_memory;

const BYTE_ORDER: u32 = 0x0102_0304;
const LIBC: u32 = if cfg!(target_env = "musl") { 2 } else { 1 };

/// What an object is: its kind, the version of its layout, its size in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// Eight characters, padded with NULs: `b"mutex\0\0\0"`.
    pub kind: [u8; 8],
    /// Raised whenever the bytes change their meaning.
    pub version: u32,
    /// The whole object, this stamp included.
    pub size: u64,
}

#[derive(FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
struct Stamp {
    magic: [u8; 8],
    kind: [u8; 8],
    version: u32,
    libc: u32,
    pointer_width: u32,
    byte_order: u32,
    size: u64,
    zero: [u8; 24],
}

const _: () = assert!(size_of::<Stamp>() == STAMP_SIZE);

impl Layout {
    /// The stamp for this layout on this machine. Store its first eight bytes, the magic, last.
    ///
    /// ```
    /// use unipc::layout::Layout;
    /// let layout = Layout { kind: *b"example\0", version: 1, size: 4096 };
    /// assert!(layout.check(&layout.stamp()).is_ok());
    /// let newer = Layout { version: 2, ..layout };
    /// let error = newer.check(&layout.stamp()).unwrap_err();
    /// assert_eq!(error.to_string(), "layout mismatch: version is 1, this library knows 2");
    /// ```
    pub fn stamp(&self) -> [u8; STAMP_SIZE] {
        let stamp = Stamp {
            magic: MAGIC,
            kind: self.kind,
            version: self.version,
            libc: LIBC,
            pointer_width: usize::BITS,
            byte_order: BYTE_ORDER,
            size: self.size,
            zero: [0; 24],
        };
        zerocopy::transmute!(stamp)
    }

    /// Does this stamp, copied out of shared memory, say what is expected?
    ///
    /// Errors: [`ErrorKind::Layout`] (`EPROTO`) naming the field and both values.
    pub fn check(&self, stamp: &[u8; STAMP_SIZE]) -> Result<(), ErrorKind> {
        let found: Stamp = zerocopy::transmute!(*stamp);
        let wanted: Stamp = zerocopy::transmute!(self.stamp());
        if found.magic != MAGIC {
            return Err(ErrorKind::Layout(
                concat!("no unipc object begins here, or it is unfinished; ", raw_memory!()).into(),
            ));
        }
        let differs = |what: &str, is: &dyn std::fmt::Display, knows: &dyn std::fmt::Display| {
            let why = format!("{what} is {is}, this library knows {knows}");
            Err(ErrorKind::Layout(why.into()))
        };
        if found.byte_order != wanted.byte_order {
            return differs("byte order", &found.byte_order, &wanted.byte_order);
        }
        if found.kind != wanted.kind {
            let (is, wanted) = (called(found.kind), called(wanted.kind));
            let why = format!(
                "it is {is}, not {wanted}: open it as {is} (in Python unipc.open() opens whatever it is)"
            );
            return Err(ErrorKind::Layout(why.into()));
        }
        for (what, is, knows) in [
            ("version", found.version, wanted.version),
            ("libc", found.libc, wanted.libc),
            ("pointer width", found.pointer_width, wanted.pointer_width),
        ] {
            if is != knows {
                return differs(what, &is, &knows);
            }
        }
        if found.size != wanted.size {
            return differs("size", &found.size, &wanted.size);
        }
        Ok(())
    }
}

/// The kind of the object that begins with this stamp, copied out of shared memory: `mutex`, `array`. `None`: no finished
/// object of this library.
pub fn kind_of(stamp: &[u8; STAMP_SIZE]) -> Option<String> {
    let found: Stamp = zerocopy::transmute!(*stamp);
    let length = found.kind.iter().position(|&byte| byte == 0).unwrap_or(found.kind.len());
    let kind = std::str::from_utf8(&found.kind[..length]).ok()?;
    let is_word = !kind.is_empty() && kind.bytes().all(|byte| byte.is_ascii_graphic());
    (found.magic == MAGIC && is_word).then(|| kind.to_owned())
}

/// What errors call a kind.
fn called(kind: [u8; 8]) -> String {
    let length = kind.iter().position(|&byte| byte == 0).unwrap_or(kind.len());
    match &kind[..length] {
        b"places" => "a directory".to_owned(),
        b"semaphor" => "a semaphore".to_owned(),
        word @ (b"array" | b"event") => format!("an {}", word.escape_ascii()),
        word => format!("a {}", word.escape_ascii()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAYOUT: Layout = Layout { kind: *b"test\0\0\0\0", version: 7, size: 4096 };

    #[test]
    fn every_altered_field_is_refused_by_name() {
        let fields = [
            (0, "begins here"),
            (8, "it is a uest, not a test"),
            (16, "version"),
            (20, "libc"),
            (24, "pointer width"),
            (28, "byte order"),
            (32, "size"),
        ];
        for (at, word) in fields {
            let mut stamp = LAYOUT.stamp();
            stamp[at] ^= 1;
            let error = LAYOUT.check(&stamp).unwrap_err();
            assert_eq!(error.errno(), libc::EPROTO);
            assert!(error.to_string().contains(word), "byte {at}: {error}");
        }
    }

    #[test]
    fn memory_without_a_stamp_is_no_object() {
        assert!(LAYOUT.check(&[0; STAMP_SIZE]).is_err());
        assert!(LAYOUT.check(&LAYOUT.stamp()).is_ok());
    }

    #[test]
    fn the_documented_offsets_hold() {
        let stamp = LAYOUT.stamp();
        assert_eq!(&stamp[..8], b"unipc\0\0\0");
        assert_eq!(&stamp[8..16], b"test\0\0\0\0");
        assert_eq!(stamp[16..20], 7u32.to_ne_bytes());
        assert_eq!(stamp[32..40], 4096u64.to_ne_bytes());
        assert_eq!(stamp[40..], [0; 24]);
    }
}
