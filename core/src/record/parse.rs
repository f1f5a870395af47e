// SPDX-License-Identifier: MIT OR Apache-2.0
//! PEP 3118 formats, read.
//!
//! A format is a row of items. An item is, in this order and each part optional but the code: a shape `(2,3)`, a mark for
//! sizes and byte order (`@ = < > ^ !`, valid until the next one), a count, a code or a structure `T{…}`, a name `:name:`. The mark
//! `@`, with which a format begins, has native sizes and alignment; `^` native sizes without alignment; the others
//! standard sizes without.

use super::layout::{DEPTH_MAX, DIMENSIONS_MAX, Element, Field, Layout, TEXT_MAX};
use super::scalar::Scalar;
use crate::error::ErrorKind;

/// Reads a whole format.
pub(super) fn parse(format: &str) -> Result<Layout, ErrorKind> {
    if format.len() > TEXT_MAX {
        return Err(ErrorKind::invalid(format!(
            "{} bytes are more than the {TEXT_MAX} that a format can have",
            format.len()
        )));
    }
    let mut reader = Reader { format, at: 0, mark: Mark::NATIVE };
    let items = reader.items(0)?;
    if reader.at < format.len() {
        return Err(reader.error("a } without its T{"));
    }
    items.into_layout(true)
}

/// The code of PEP 3118 for what numpy calls `f8`, should this text be such a name.
pub(super) fn type_string(text: &str) -> Option<&'static str> {
    Some(match text.trim_start_matches(['<', '>', '=', '|']) {
        "b1" => "?",
        "i1" => "b",
        "i2" => "h",
        "i4" => "i",
        "i8" => "q",
        "u1" => "B",
        "u2" => "H",
        "u4" => "I",
        "u8" => "Q",
        "f2" => "e",
        "f4" => "f",
        "f8" => "d",
        "c8" => "Zf",
        "c16" => "Zd",
        _ => return None,
    })
}

/// How items are to be read.
#[derive(Clone, Copy)]
struct Mark {
    native: bool,
    aligned: bool,
    /// The order of bytes is not this machine's.
    foreign: bool,
}

impl Mark {
    const NATIVE: Self = Self { native: true, aligned: true, foreign: false };

    fn new(mark: char) -> Option<Self> {
        let (big, little) = (cfg!(target_endian = "big"), cfg!(target_endian = "little"));
        let (native, aligned, foreign) = match mark {
            '@' => (true, true, false),
            '^' => (true, false, false),
            '=' => (false, false, false),
            '<' => (false, false, big),
            '>' | '!' => (false, false, little),
            _ => return None,
        };
        Some(Self { native, aligned, foreign })
    }
}

struct Reader<'a> {
    format: &'a str,
    at: usize,
    mark: Mark,
}

/// The items of a structure, or of a format.
#[derive(Default)]
struct Items {
    fields: Vec<Field>,
    named: bool,
    /// So many bytes are taken.
    end: usize,
    gaps: bool,
    /// Of what the structure's size is a multiple.
    alignment: usize,
}

impl Items {
    /// `alone`: a single item without a name is no structure.
    fn into_layout(self, alone: bool) -> Result<Layout, ErrorKind> {
        let Self { mut fields, named, end, gaps, alignment } = self;
        if alone && fields.len() == 1 && !named && !gaps {
            return Ok(fields.swap_remove(0).layout().clone());
        }
        // A row of items at the top is packed at its end, as `struct` has it.
        let alignment = if alone { 1 } else { alignment.max(1) };
        let size = end.checked_next_multiple_of(alignment).ok_or_else(too_large)?;
        Layout::of_fields(size, fields)
    }
}

impl Reader<'_> {
    fn error(&self, why: &str) -> ErrorKind {
        ErrorKind::invalid(format!("at byte {}: {why}", self.at))
    }

    fn rest(&self) -> &str {
        &self.format[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn take(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        if found {
            self.at += wanted.len_utf8();
        }
        found
    }

    fn skip_spaces(&mut self) {
        while self.peek().is_some_and(|next| next.is_ascii_whitespace()) {
            self.at += 1;
        }
    }

    fn items(&mut self, depth: usize) -> Result<Items, ErrorKind> {
        if depth > DEPTH_MAX {
            return Err(self.error(&format!("more than {DEPTH_MAX} structures in each other")));
        }
        let mut items = Items::default();
        loop {
            self.skip_spaces();
            match self.peek() {
                None | Some('}') => return Ok(items),
                Some(_) => self.item(&mut items, depth)?,
            }
        }
    }

    fn item(&mut self, items: &mut Items, depth: usize) -> Result<(), ErrorKind> {
        let mut shape = self.shape()?;
        self.marks();
        let count = self.number()?;
        self.marks();
        if self.take('x') {
            if !shape.is_empty() {
                return Err(self.error("padding has no shape"));
            }
            items.gaps = true;
            items.end = items.end.checked_add(count.unwrap_or(1)).ok_or_else(too_large)?;
            self.name()?;
            return Ok(());
        }
        let element = self.element(count, &mut shape, depth)?;
        let layout = Layout::new(element, shape).map_err(|kind| self.error(&kind.to_string()))?;
        if self.mark.aligned {
            let alignment = layout.alignment();
            items.end = items.end.checked_next_multiple_of(alignment).ok_or_else(too_large)?;
            items.alignment = items.alignment.max(alignment);
        } else {
            // What follows is laid out by hand, the end too.
            items.alignment = 1;
        }
        let name = self.name()?;
        items.named |= name.is_some();
        let name = name.unwrap_or_else(|| format!("f{}", items.fields.len()));
        let end = items.end.checked_add(layout.size()).ok_or_else(too_large)?;
        items.fields.push(Field::new(name, items.end, layout));
        items.end = end;
        Ok(())
    }

    fn marks(&mut self) {
        while let Some(mark) = self.peek().and_then(Mark::new) {
            self.mark = mark;
            self.at += 1;
        }
    }

    fn shape(&mut self) -> Result<Vec<usize>, ErrorKind> {
        let mut shape = Vec::new();
        if !self.take('(') {
            return Ok(shape);
        }
        loop {
            self.skip_spaces();
            let count = self.number()?;
            shape.push(count.ok_or_else(|| self.error("a shape is made of numbers"))?);
            if shape.len() > DIMENSIONS_MAX {
                return Err(self.error(&format!("more than {DIMENSIONS_MAX} dimensions")));
            }
            self.skip_spaces();
            if self.take(')') {
                return Ok(shape);
            }
            if !self.take(',') {
                return Err(self.error("a shape ends with )"));
            }
        }
    }

    fn number(&mut self) -> Result<Option<usize>, ErrorKind> {
        let digits = self.rest().bytes().take_while(u8::is_ascii_digit).count();
        if digits == 0 {
            return Ok(None);
        }
        let number = self.rest()[..digits].parse();
        let number = number.map_err(|_| self.error("the number is too large"))?;
        self.at += digits;
        Ok(Some(number))
    }

    fn element(
        &mut self,
        count: Option<usize>,
        shape: &mut Vec<usize>,
        depth: usize,
    ) -> Result<Element, ErrorKind> {
        if self.rest().starts_with("T{") {
            self.at += 2;
            let structure = self.items(depth + 1)?;
            if !self.take('}') {
                return Err(self.error("a T{ without its }"));
            }
            shape.extend(count);
            let layout =
                structure.into_layout(false).map_err(|kind| self.error(&kind.to_string()))?;
            let size = layout.size();
            return Ok(Element::Struct { fields: layout.fields().to_vec(), size });
        }
        if self.take('s') {
            return Ok(Element::Scalar(Scalar::Chars(count.unwrap_or(1))));
        }
        shape.extend(count);
        let scalar = self.scalar()?;
        if self.mark.foreign && scalar.size() > 1 {
            return Err(self.error("its byte order is not this machine's"));
        }
        Ok(Element::Scalar(scalar))
    }

    fn scalar(&mut self) -> Result<Scalar, ErrorKind> {
        let Some(code) = self.peek() else {
            return Err(self.error("the type is missing"));
        };
        let length = if code == 'Z' { 2 } else { code.len_utf8() };
        let Some(code) = self.rest().get(..length) else {
            return Err(self.error("Z is followed by f or d"));
        };
        let scalar = match (code, self.mark.native) {
            ("c", _) => Some(Scalar::Chars(1)),
            ("l", true) if size_of::<std::ffi::c_long>() == 8 => Some(Scalar::Int64),
            ("L", true) if size_of::<std::ffi::c_long>() == 8 => Some(Scalar::Uint64),
            ("l", _) => Some(Scalar::Int32),
            ("L", _) => Some(Scalar::Uint32),
            ("n", true) => Scalar::from_code(if size_of::<isize>() == 8 { "q" } else { "i" }),
            ("N", true) => Scalar::from_code(if size_of::<usize>() == 8 { "Q" } else { "I" }),
            _ => Scalar::from_code(code),
        };
        let Some(scalar) = scalar else {
            let why = match code {
                "P" | "O" | "&" | "X" => "a pointer means nothing to other processes".to_owned(),
                "w" | "u" => "text is of another size in each language; use bytes".to_owned(),
                "g" | "Zg" => "long double differs between machines and languages".to_owned(),
                other => format!("there is no type {other:?}"),
            };
            return Err(self.error(&why));
        };
        self.at += length;
        Ok(scalar)
    }

    fn name(&mut self) -> Result<Option<String>, ErrorKind> {
        if !self.take(':') {
            return Ok(None);
        }
        let Some(length) = self.rest().find(':') else {
            return Err(self.error("a name ends with :"));
        };
        let name = self.rest()[..length].to_owned();
        self.at += length + 1;
        Ok(Some(name))
    }
}

fn too_large() -> ErrorKind {
    ErrorKind::invalid("it has more bytes than memory")
}
