// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a record consists of.

use std::fmt::{self, Write};

use super::parse;
use super::scalar::Scalar;
use crate::error::{Error, ErrorKind, Result};

/// The most dimensions that a field can have.
pub(super) const DIMENSIONS_MAX: usize = 8;
/// How deep structures can lie in each other.
pub(super) const DEPTH_MAX: usize = 16;
/// The longest text of a layout, in bytes.
pub(super) const TEXT_MAX: usize = 64 << 10;
/// The longest name of a field, in bytes.
const NAME_MAX: usize = 63;

/// What a record consists of: a type, or fields with names; and the shape, where it is an array of these.
///
/// Written and stored as a PEP 3118 format with field names and every gap between fields spelled out, so that it
/// means the same to each compiler:
///
/// ```
/// use unipc::record::Layout;
/// let people = Layout::parse("T{4s:name:i:age:}")?;
/// assert_eq!(people.size(), 8);
/// assert_eq!(people.to_string(), "T{<4s:name:<i:age:}");
///
/// let padded = Layout::parse("T{B:kind:d:value:}")?; // native, so aligned as C does it
/// assert_eq!(padded.fields()[1].offset(), 8);
/// assert_eq!(padded.to_string(), "T{<B:kind:7x<d:value:}");
/// # Ok::<(), unipc::Error>(())
/// ```
///
/// Two layouts are the same when their fields agree in name, offset, type and shape, and the sizes are the same. The
/// alignment follows from that: it is what C gives the fields, or 1 where they do not lie as C would align them.
#[doc(alias = "dtype")]
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Layout {
    element: Element,
    shape: Vec<usize>,
    size: usize,
}

/// One element of a layout.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Element {
    Scalar(Scalar),
    Struct { fields: Vec<Field>, size: usize },
}

/// A field of a structure.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Field {
    name: String,
    offset: usize,
    layout: Layout,
}

impl Field {
    /// A field of this name at this byte of the structure.
    pub fn new(name: impl Into<String>, offset: usize, layout: Layout) -> Self {
        Self { name: name.into(), offset, layout }
    }

    /// Its name: letters, digits and underscores.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its first byte in the structure.
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// What it consists of.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// The first byte behind it.
    pub(super) fn end(&self) -> usize {
        self.offset + self.layout.size
    }
}

impl Layout {
    /// A layout from its PEP 3118 format: what numpy and ctypes give for their types, what `struct` understands, or what
    /// this library prints. Fields without names are called `f0`, `f1` and so on, as numpy does.
    ///
    /// Errors: `EINVAL`, saying where and why: pointers and Python objects, which mean nothing to other processes; another
    /// byte order than this machine's; what does not parse.
    pub fn parse(format: &str) -> Result<Self> {
        parse::parse(format).map_err(|kind| {
            let error = kind.during("layout", shortened(format));
            match parse::type_string(format) {
                Some(code) => error.with_advice(format!(
                    "a PEP 3118 format is expected, as \"{code}\" or \"T{{i:id:d:x:}}\"; in Python numpy.dtype({format:?}) is one as well"
                )),
                None => error,
            }
        })
    }

    /// A record that is one value.
    ///
    /// Errors: `EINVAL` for no characters at all, or too many.
    pub fn scalar(scalar: Scalar) -> Result<Self> {
        Self::of_scalar(scalar).map_err(|kind| kind.during("layout", scalar))
    }

    pub(super) fn of_scalar(scalar: Scalar) -> Result<Self, ErrorKind> {
        Self::new(Element::Scalar(scalar), Vec::new())
    }

    /// A record of `size` bytes with these fields, in any order.
    ///
    /// Errors: `EINVAL` when there are none, when two overlap or have one name, when one reaches beyond the size, or a name
    /// is no identifier.
    pub fn structure(size: usize, fields: impl IntoIterator<Item = Field>) -> Result<Self> {
        let fields: Vec<_> = fields.into_iter().collect();
        Self::of_fields(size, fields)
            .map_err(|kind| kind.during("layout", format_args!("structure of {size} bytes")))
    }

    /// A record with these fields in this order, laid out as C does it.
    ///
    /// ```
    /// use unipc::record::Layout;
    /// let (kind, value) = (Layout::parse("B")?, Layout::parse("d")?);
    /// let layout = Layout::aligned([("kind".into(), kind), ("value".into(), value)])?;
    /// assert_eq!(layout.to_string(), "T{<B:kind:7x<d:value:}");
    /// # Ok::<(), unipc::Error>(())
    /// ```
    ///
    /// Errors: as [`Layout::structure`].
    pub fn aligned(fields: impl IntoIterator<Item = (String, Self)>) -> Result<Self> {
        let mut end = 0_usize;
        let mut most = 1;
        let mut placed = Vec::new();
        for (name, layout) in fields {
            let offset = end.saturating_add(layout.alignment() - 1) / layout.alignment();
            let offset = offset * layout.alignment();
            most = most.max(layout.alignment());
            end = offset.saturating_add(layout.size);
            placed.push(Field::new(name, offset, layout));
        }
        Self::structure(end.saturating_add(most - 1) / most * most, placed)
    }

    pub(super) fn of_fields(size: usize, mut fields: Vec<Field>) -> Result<Self, ErrorKind> {
        fields.sort_by_key(|field| field.offset);
        let mut end = 0;
        let mut last = "";
        let mut names = std::collections::HashSet::new();
        for field in &fields {
            check_name(&field.name)?;
            if !names.insert(&field.name) {
                return Err(ErrorKind::invalid(format!("two fields are called {:?}", field.name)));
            }
            if field.offset < end {
                return Err(ErrorKind::invalid(format!(
                    "the fields {last:?} and {:?} overlap",
                    field.name
                )));
            }
            last = &field.name;
            let reach = field.offset.checked_add(field.layout.size);
            end = reach.filter(|&reach| reach <= size).ok_or_else(|| {
                ErrorKind::invalid(format!("the field {last:?} ends behind the {size} bytes"))
            })?;
        }
        if fields.is_empty() {
            return Err(ErrorKind::invalid("a structure has at least one field"));
        }
        Self::new(Element::Struct { fields, size }, Vec::new())
    }

    /// As many of these in a row: `T[count]`.
    ///
    /// Errors: `EINVAL` for none, for more than memory holds, and for more than 8 dimensions.
    pub fn repeated(&self, count: usize) -> Result<Self> {
        let mut shape = vec![count];
        shape.extend(&self.shape);
        Self::new(self.element.clone(), shape)
            .map_err(|kind| kind.during("layout", format_args!("{count} of {self}")))
    }

    /// Checks the whole, and normalises rows of single characters.
    pub(super) fn new(element: Element, mut shape: Vec<usize>) -> Result<Self, ErrorKind> {
        let mut element = element;
        if let (Element::Scalar(Scalar::Chars(1)), Some(&count)) = (&element, shape.last()) {
            element = Element::Scalar(Scalar::Chars(count));
            shape.pop();
        }
        if shape.len() > DIMENSIONS_MAX {
            return Err(ErrorKind::invalid(format!("more than {DIMENSIONS_MAX} dimensions")));
        }
        if element.depth() > DEPTH_MAX {
            return Err(ErrorKind::invalid(format!(
                "more than {DEPTH_MAX} structures in each other"
            )));
        }
        let size = shape.iter().try_fold(element.size(), |size, &count| size.checked_mul(count));
        let layout = match size {
            Some(0) => return Err(ErrorKind::invalid("it has no bytes")),
            Some(size) if isize::try_from(size).is_ok() => Self { element, shape, size },
            _ => return Err(ErrorKind::invalid("it has more bytes than memory")),
        };
        if !layout.fields().is_empty() && layout.to_string().len() > TEXT_MAX {
            return Err(ErrorKind::invalid(format!("its format has more than {TEXT_MAX} bytes")));
        }
        Ok(layout)
    }

    /// How many bytes a record takes, padding included.
    pub fn size(&self) -> usize {
        self.size
    }

    /// Of what a record's address must be a multiple for C.
    pub fn alignment(&self) -> usize {
        match &self.element {
            Element::Scalar(scalar) => scalar.alignment(),
            Element::Struct { fields, size } => {
                let natural =
                    fields.iter().map(|field| field.layout.alignment()).max().unwrap_or(1);
                let fits = |field: &Field| field.offset.is_multiple_of(field.layout.alignment());
                let is_natural = size.is_multiple_of(natural) && fields.iter().all(fits);
                if is_natural { natural } else { 1 }
            }
        }
    }

    /// The dimensions, where it is an array.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The type of an element, if it is no structure.
    pub fn as_scalar(&self) -> Option<Scalar> {
        match &self.element {
            Element::Scalar(scalar) => Some(*scalar),
            Element::Struct { .. } => None,
        }
    }

    /// The fields of an element in the order of their offsets; none if it is no structure.
    pub fn fields(&self) -> &[Field] {
        match &self.element {
            Element::Scalar(_) => &[],
            Element::Struct { fields, .. } => fields,
        }
    }

    /// How many bytes an element takes: all of them, but for arrays.
    pub fn element_size(&self) -> usize {
        self.element.size()
    }

    /// The type in words: `int32[3]`.
    pub fn type_name(&self) -> String {
        let mut name = match &self.element {
            Element::Scalar(scalar) => scalar.to_string(),
            Element::Struct { size, .. } => format!("struct of {size} bytes"),
        };
        for count in &self.shape {
            let _ = write!(name, "[{count}]");
        }
        name
    }
}

impl Element {
    pub(super) fn size(&self) -> usize {
        match self {
            Self::Scalar(scalar) => scalar.size(),
            Self::Struct { size, .. } => *size,
        }
    }

    fn depth(&self) -> usize {
        match self {
            Self::Scalar(_) => 0,
            Self::Struct { fields, .. } => {
                1 + fields.iter().map(|field| field.layout.element.depth()).max().unwrap_or(0)
            }
        }
    }
}

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.shape.is_empty() {
            let counts: Vec<_> = self.shape.iter().map(usize::to_string).collect();
            write!(f, "({})", counts.join(","))?;
        }
        let order = if cfg!(target_endian = "little") { '<' } else { '>' };
        match &self.element {
            Element::Scalar(scalar) => write!(f, "{order}{}", scalar.code()),
            Element::Struct { fields, size } => {
                f.write_str("T{")?;
                let mut end = 0;
                for field in fields {
                    write_gap(f, field.offset - end)?;
                    write!(f, "{}:{}:", field.layout, field.name)?;
                    end = field.end();
                }
                write_gap(f, size - end)?;
                f.write_str("}")
            }
        }
    }
}

fn write_gap(f: &mut fmt::Formatter<'_>, gap: usize) -> fmt::Result {
    match gap {
        0 => Ok(()),
        1 => f.write_str("x"),
        gap => write!(f, "{gap}x"),
    }
}

impl fmt::Debug for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Layout({self})")
    }
}

impl std::str::FromStr for Layout {
    type Err = Error;

    fn from_str(format: &str) -> Result<Self> {
        Self::parse(format)
    }
}

/// Is it an identifier in all three languages?
fn check_name(name: &str) -> Result<(), ErrorKind> {
    let first = name.bytes().next();
    let is_word = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if !is_word || first.is_none_or(|byte| byte.is_ascii_digit()) || name.len() > NAME_MAX {
        return Err(ErrorKind::invalid(format!(
            "{name:?} is no name of a field: up to {NAME_MAX} letters, digits and underscores, not a digit first"
        )));
    }
    Ok(())
}

/// As much of a format as an error shows.
pub(super) fn shortened(format: &str) -> String {
    const SHOWN: usize = 120;
    match format.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &format[..end]),
        None => format.to_owned(),
    }
}
