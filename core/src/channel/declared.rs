// SPDX-License-Identifier: MIT OR Apache-2.0
//! The record layout in a channel's first page: written when the channel is made, read by everyone who opens it.

use super::ground::LATCH;
use super::layout::LAYOUT;
use crate::error::ErrorKind;
use crate::map::lines::LINE;
use crate::record::Layout;

/// What the number before the text is: there is none, or it is a PEP 3118 format.
const NONE: u32 = 0;
const FORMAT: u32 = 1;

/// The number and the text's length.
pub(super) const HEAD: usize = 8;
/// The longest text of a channel's layout, in bytes.
pub(super) const LONGEST: usize = LATCH * LINE - LAYOUT - HEAD;

/// The bytes that a new channel has at [`LAYOUT`].
///
/// Errors: `EINVAL` when the text is too long, or a record is.
pub(super) fn bytes_of(layout: &Layout) -> Result<Vec<u8>, ErrorKind> {
    let text = layout.to_string();
    if text.len() > LONGEST || u32::try_from(layout.size()).is_err() {
        return Err(ErrorKind::invalid(format!(
            "a channel has room for a layout of {LONGEST} characters, and for records below 4 GiB; this one has {} and {} bytes",
            text.len(),
            layout.size()
        )));
    }
    #[allow(clippy::cast_possible_truncation, reason = "it is shorter than a page")]
    let length = text.len() as u32;
    Ok([&FORMAT.to_ne_bytes()[..], &length.to_ne_bytes(), text.as_bytes()].concat())
}

/// The layout that a channel has, if any, of which `read` gives the bytes from there on; whose messages have this size.
///
/// Errors: `EPROTO` when it is of an unknown version, damaged, or not of this size.
pub(super) fn find(
    message_size: u32,
    read: impl Fn(&mut [u8], usize) -> Result<(), ErrorKind>,
) -> Result<Option<Layout>, ErrorKind> {
    let refused = |why: String| Err(ErrorKind::Layout(why.into()));
    let number = |at: usize| {
        let mut bytes = [0; 4];
        read(&mut bytes, LAYOUT + at).map(|()| u32::from_ne_bytes(bytes))
    };
    match number(0)? {
        NONE => return Ok(None),
        FORMAT => {}
        other => {
            return refused(format!(
                "its record layout is of version {other}, and this library knows {FORMAT}"
            ));
        }
    }
    let length = number(4)? as usize;
    if length > LONGEST {
        return refused(format!(
            "its record layout has {length} characters, more than there can be"
        ));
    }
    let mut text = vec![0; length];
    read(&mut text, LAYOUT + HEAD)?;
    let layout = match String::from_utf8(text) {
        Ok(text) => Layout::parse(&text),
        Err(_) => return refused("its record layout is no text".into()),
    };
    match layout {
        Ok(layout) if layout.size() == message_size as usize => Ok(Some(layout)),
        Ok(layout) => {
            let size = layout.size();
            refused(format!("its messages have {message_size} bytes, and its record layout {size}"))
        }
        Err(error) => refused(format!("its record layout does not parse: {}", error.kind())),
    }
}

/// Is what was declared, if anything was, the layout that the channel has?
///
/// Errors: `EPROTO`, naming the first field that differs.
pub(super) fn check(declared: Option<&Layout>, found: Option<&Layout>) -> Result<(), ErrorKind> {
    match (declared, found) {
        (None, _) => Ok(()),
        (Some(declared), Some(found)) => declared.check(found),
        (Some(declared), None) => Err(ErrorKind::Layout(
            format!("its messages have no record layout, and {declared} was declared").into(),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads from bytes that begin at [`LAYOUT`].
    fn found(message_size: u32, bytes: &[u8]) -> Result<Option<Layout>, ErrorKind> {
        find(message_size, |buffer, at| {
            let start = at - LAYOUT;
            let source = bytes.get(start..start + buffer.len()).ok_or(ErrorKind::Truncated)?;
            buffer.copy_from_slice(source);
            Ok(())
        })
    }

    #[test]
    fn what_was_written_is_found() {
        let layout = Layout::parse("T{4s:name:i:age:}").unwrap();
        let bytes = bytes_of(&layout).unwrap();
        assert_eq!(found(8, &bytes), Ok(Some(layout)));
        assert_eq!(found(8, &[0; 8]), Ok(None));
    }

    #[test]
    fn what_is_damaged_or_of_tomorrow_is_refused_in_words() {
        let bytes = bytes_of(&Layout::parse("T{4s:name:i:age:}").unwrap()).unwrap();
        let with = |at: usize, value: u32| {
            let mut changed = bytes.clone();
            changed[at..at + 4].copy_from_slice(&value.to_ne_bytes());
            changed
        };
        let says = |message_size, bytes: &[u8], words: &str| {
            let error = found(message_size, bytes).unwrap_err();
            assert_eq!(error.errno(), libc::EPROTO, "{error}");
            assert!(error.to_string().contains(words), "{error}");
        };
        says(8, &with(0, 2), "of version 2, and this library knows 1");
        says(8, &with(4, u32::MAX), "more than there can be");
        says(8, &with(4, 5), "does not parse");
        says(8, &with(8, 0xffff_ffff), "no text");
        says(12, &bytes, "its messages have 12 bytes, and its record layout 8");
    }

    #[test]
    fn a_layout_that_has_no_room_is_refused() {
        let name = "x".repeat(60);
        let fields = |count: usize| {
            let field = |at: usize| (format!("{name}{at}"), Layout::parse("=q").unwrap());
            Layout::aligned((0..count).map(field)).unwrap()
        };
        assert!(bytes_of(&fields(50)).is_ok());
        assert_eq!(bytes_of(&fields(70)).unwrap_err().errno(), libc::EINVAL);
    }
}
