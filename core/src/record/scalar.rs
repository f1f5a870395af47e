// SPDX-License-Identifier: MIT OR Apache-2.0
//! The types of which records are made.

use std::fmt;

/// A type without parts, as C, numpy and Rust all have it.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scalar {
    /// `_Bool`: one byte.
    Bool,
    /// `int8_t`, `signed char`.
    Int8,
    /// `uint8_t`, `unsigned char`.
    Uint8,
    /// `int16_t`.
    Int16,
    /// `uint16_t`.
    Uint16,
    /// `int32_t`.
    Int32,
    /// `uint32_t`.
    Uint32,
    /// `int64_t`.
    Int64,
    /// `uint64_t`.
    Uint64,
    /// `_Float16`.
    Float16,
    /// `float`.
    Float32,
    /// `double`.
    Float64,
    /// `float _Complex`.
    Complex64,
    /// `double _Complex`.
    Complex128,
    /// `char[N]`: so many characters, padded with NULs; numpy's `S`.
    Chars(usize),
}

/// The type, its code of PEP 3118 in standard sizes, its name, its C spelling, size and alignment.
type Row = (Scalar, &'static str, &'static str, &'static str, usize, usize);

const TABLE: [Row; 14] = [
    (Scalar::Bool, "?", "bool", "_Bool", 1, 1),
    (Scalar::Int8, "b", "int8", "int8_t", 1, 1),
    (Scalar::Uint8, "B", "uint8", "uint8_t", 1, 1),
    (Scalar::Int16, "h", "int16", "int16_t", 2, 2),
    (Scalar::Uint16, "H", "uint16", "uint16_t", 2, 2),
    (Scalar::Int32, "i", "int32", "int32_t", 4, 4),
    (Scalar::Uint32, "I", "uint32", "uint32_t", 4, 4),
    (Scalar::Int64, "q", "int64", "int64_t", 8, align_of::<i64>()),
    (Scalar::Uint64, "Q", "uint64", "uint64_t", 8, align_of::<u64>()),
    (Scalar::Float16, "e", "float16", "_Float16", 2, 2),
    (Scalar::Float32, "f", "float32", "float", 4, 4),
    (Scalar::Float64, "d", "float64", "double", 8, align_of::<f64>()),
    (Scalar::Complex64, "Zf", "complex64", "float _Complex", 8, 4),
    (Scalar::Complex128, "Zd", "complex128", "double _Complex", 16, align_of::<f64>()),
];

impl Scalar {
    /// The type of a PEP 3118 code in standard sizes, but for `s`.
    pub(super) fn from_code(code: &str) -> Option<Self> {
        TABLE.iter().find(|row| row.1 == code).map(|row| row.0)
    }

    fn row(self) -> Option<&'static Row> {
        TABLE.iter().find(|row| row.0 == self)
    }

    /// The code, with the count of characters before it.
    pub(super) fn code(self) -> String {
        match self {
            Self::Chars(count) => format!("{count}s"),
            other => other.row().map(|row| row.1).unwrap_or_default().to_owned(),
        }
    }

    /// The C type, without the dimension that characters have.
    pub(super) fn c_name(self) -> &'static str {
        self.row().map_or("char", |row| row.3)
    }

    /// How many bytes it takes.
    pub fn size(self) -> usize {
        match self {
            Self::Chars(count) => count,
            other => other.row().map_or(0, |row| row.4),
        }
    }

    /// Of what its address is a multiple in C.
    pub fn alignment(self) -> usize {
        self.row().map_or(1, |row| row.5)
    }
}

impl fmt::Display for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.row() {
            Some(row) => f.write_str(row.2),
            None => write!(f, "char[{}]", self.size()),
        }
    }
}
