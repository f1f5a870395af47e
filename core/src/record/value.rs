// SPDX-License-Identifier: MIT OR Apache-2.0
//! Rust types that are records.

use std::fmt;

use super::layout::Layout;
use super::scalar::Scalar;
use crate::error::Result;

/// A type whose values lie in shared memory as C lays them out. Derived for a `#[repr(C)]` structure:
///
/// ```
/// use unipc::record::{Chars, Layout, Record};
///
/// #[derive(Record, Clone, Copy)]
/// #[repr(C)]
/// struct People {
///     name: Chars<4>,
///     age: i32,
/// }
///
/// assert_eq!(People::layout()?.to_string(), "T{<4s:name:<i:age:}");
/// # Ok::<(), unipc::Error>(())
/// ```
///
/// Fields are integers of fixed size, `f32`, `f64`, `bool`, [`Chars`], other records, and arrays of these. What means
/// nothing to another process does not compile: references, pointers, `usize`, enumerations, types without `repr(C)`.
///
/// ```compile_fail
/// #[derive(unipc::record::Record, Clone, Copy)]
/// #[repr(C)]
/// struct Wrong<'a> { name: &'a str }
/// ```
///
/// Values are copied field by field: padding is written as zeros, and whatever bytes others have left become a value (a
/// `bool` is true if its byte is not 0).
pub trait Record: Copy + 'static {
    /// What it consists of.
    ///
    /// Errors: `EINVAL` when it has no bytes.
    fn layout() -> Result<Layout>;

    /// The value that these bytes are. There are at least as many as [`Layout::size`] says; who gives fewer gets a panic.
    fn load(bytes: &[u8]) -> Self;

    /// Writes the value to these bytes, of which there must be enough.
    fn store(&self, bytes: &mut [u8]);
}

macro_rules! numbers {
    ($($number:ty, $scalar:ident;)*) => {$(
        impl Record for $number {
            fn layout() -> Result<Layout> {
                Layout::scalar(Scalar::$scalar)
            }

            #[inline]
            fn load(bytes: &[u8]) -> Self {
                let mut own = [0; size_of::<Self>()];
                own.copy_from_slice(&bytes[..size_of::<Self>()]);
                Self::from_ne_bytes(own)
            }

            #[inline]
            fn store(&self, bytes: &mut [u8]) {
                bytes[..size_of::<Self>()].copy_from_slice(&self.to_ne_bytes());
            }
        }
    )*};
}

numbers! {
    i8, Int8;
    u8, Uint8;
    i16, Int16;
    u16, Uint16;
    i32, Int32;
    u32, Uint32;
    i64, Int64;
    u64, Uint64;
    f32, Float32;
    f64, Float64;
}

impl Record for bool {
    fn layout() -> Result<Layout> {
        Layout::scalar(Scalar::Bool)
    }

    #[inline]
    fn load(bytes: &[u8]) -> Self {
        bytes[0] != 0
    }

    #[inline]
    fn store(&self, bytes: &mut [u8]) {
        bytes[0] = u8::from(*self);
    }
}

impl<T: Record, const N: usize> Record for [T; N] {
    fn layout() -> Result<Layout> {
        T::layout()?.repeated(N)
    }

    #[inline]
    fn load(bytes: &[u8]) -> Self {
        std::array::from_fn(|index| T::load(&bytes[index * size_of::<T>()..]))
    }

    #[inline]
    fn store(&self, bytes: &mut [u8]) {
        for (index, value) in self.iter().enumerate() {
            value.store(&mut bytes[index * size_of::<T>()..]);
        }
    }
}

/// C's `char[N]`, numpy's `S`: text of at most `N` bytes, padded with NULs.
///
/// ```
/// use unipc::record::Chars;
/// let name = Chars::<4>::from("ann");
/// assert_eq!(name.as_bytes(), b"ann");
/// assert_eq!(name.to_string(), "ann");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[repr(transparent)]
pub struct Chars<const N: usize>(pub [u8; N]);

impl<const N: usize> Chars<N> {
    /// The bytes before the first NUL.
    pub fn as_bytes(&self) -> &[u8] {
        let length = self.0.iter().position(|&byte| byte == 0).unwrap_or(N);
        &self.0[..length]
    }
}

impl<const N: usize> From<&str> for Chars<N> {
    /// As much of the text as there is room for.
    fn from(text: &str) -> Self {
        let mut bytes = [0; N];
        let length = text.len().min(N);
        bytes[..length].copy_from_slice(&text.as_bytes()[..length]);
        Self(bytes)
    }
}

impl<const N: usize> Default for Chars<N> {
    fn default() -> Self {
        Self([0; N])
    }
}

impl<const N: usize> fmt::Display for Chars<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        String::from_utf8_lossy(self.as_bytes()).fmt(f)
    }
}

impl<const N: usize> fmt::Debug for Chars<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.as_bytes().escape_ascii())
    }
}

impl<const N: usize> Record for Chars<N> {
    fn layout() -> Result<Layout> {
        Layout::scalar(Scalar::Chars(N))
    }

    #[inline]
    fn load(bytes: &[u8]) -> Self {
        Self(<[u8; N]>::load(bytes))
    }

    #[inline]
    fn store(&self, bytes: &mut [u8]) {
        bytes[..N].copy_from_slice(&self.0);
    }
}
