// SPDX-License-Identifier: MIT OR Apache-2.0
//! The parser of names: bytes in, a checked [`Name`] or the reason out.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use super::{MEMFD_LABEL_MAX, Name, POSIX_NAME_MAX, PosixName, SocketName, SystemVName, socket};
use crate::error::{ErrorKind, Result};
use crate::sysv::Key;

pub(super) type Parsed<T> = std::result::Result<T, Cow<'static, str>>;

pub(super) fn parse(name: &[u8]) -> Result<Name> {
    parse_any(name).map_err(|why| ErrorKind::InvalidName(why).during("name", name.escape_ascii()))
}

fn parse_any(name: &[u8]) -> Parsed<Name> {
    if name.is_empty() {
        return Err("it is empty".into());
    }
    if name.contains(&0) {
        return Err("it contains a NUL byte".into());
    }
    if name.starts_with(b"/") {
        return posix(name);
    }
    let Some(colon) = name.iter().position(|&byte| byte == b':') else {
        return Err(format!(
            "it has no prefix; a POSIX object is \"/{0}\", a file \"file:{0}\"",
            name.escape_ascii()
        )
        .into());
    };
    let (tag, rest) = (&name[..colon], &name[colon + 1..]);
    match tag {
        b"posix" => posix(rest),
        b"sysv" => system_v(rest).map(Name::SystemV),
        b"file" if rest.is_empty() => Err("the path is missing after \"file:\"".into()),
        b"file" => Ok(Name::File(path(rest))),
        b"memfd" if rest.len() > MEMFD_LABEL_MAX => {
            Err(format!("a memfd label has at most {MEMFD_LABEL_MAX} bytes").into())
        }
        b"memfd" => Ok(Name::Memfd(OsStr::from_bytes(rest).to_owned())),
        b"anon" if rest.is_empty() => Ok(Name::Anonymous),
        b"anon" => Err("nothing may follow \"anon:\"".into()),
        b"unix" => socket::unix(rest).map(Name::Socket),
        b"tcp" => socket::host_port(rest).map(SocketName::Tcp).map(Name::Socket),
        b"udp" => socket::host_port(rest).map(SocketName::Udp).map(Name::Socket),
        _ => Err("the prefix is none of posix: sysv: file: memfd: anon: unix: tcp: udp:".into()),
    }
}

fn posix(name: &[u8]) -> Parsed<Name> {
    let Some(rest) = name.strip_prefix(b"/") else {
        return Err("a POSIX name begins with a slash".into());
    };
    match rest {
        b"" => Err("a POSIX name has at least one byte after its slash".into()),
        b"." | b".." => Err("\"/.\" and \"/..\" are directories".into()),
        _ if rest.contains(&b'/') => Err(format!(
            "a POSIX name has one slash, at its beginning; a file is \"file:{}\"",
            name.escape_ascii()
        )
        .into()),
        _ if rest.len() > POSIX_NAME_MAX => {
            Err(format!("a POSIX name has at most {POSIX_NAME_MAX} bytes after its slash").into())
        }
        _ => Ok(Name::Posix(PosixName(OsStr::from_bytes(rest).to_owned()))),
    }
}

fn system_v(rest: &[u8]) -> Parsed<SystemVName> {
    // A comma decides: what stands before the last one is a path, whatever it looks like.
    if let Some(comma) = rest.iter().rposition(|&byte| byte == b',') {
        let project = text(&rest[comma + 1..])
            .filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))
            .and_then(|digits| digits.parse().ok())
            .ok_or("the project after the comma is a number from 0 to 255")?;
        if comma == 0 {
            return Err("the path before the comma is missing".into());
        }
        let path = path(&rest[..comma]);
        return Ok(SystemVName::Ftok { path, project });
    }
    match rest {
        b"private" => Ok(SystemVName::Private),
        [b'0', b'x', digits @ ..] => key(digits),
        [b'i', b'd', b'=', digits @ ..] => identifier(digits),
        _ => Err(KINDS.into()),
    }
}

const KINDS: &str = "after \"sysv:\" comes PATH,PROJ or 0xKEY or private or id=NUMBER";

fn identifier(digits: &[u8]) -> Parsed<SystemVName> {
    let id = number::<10>(digits).ok_or("an identifier is a decimal number")?;
    i32::try_from(id)
        .map(SystemVName::Id)
        .map_err(|_| "an identifier is a number from 0 to 2147483647".into())
}

fn key(digits: &[u8]) -> Parsed<SystemVName> {
    let raw = number::<16>(digits).ok_or("a key is written in hexadecimal digits")?;
    let raw = u32::try_from(raw).map_err(|_| "a key has 32 bits")?;
    let key = Key::new(raw.cast_signed()).ok_or("key 0 is IPC_PRIVATE: write sysv:private")?;
    Ok(SystemVName::Key(key))
}

/// The number that the digits stand for, the largest one if it is larger; `None` unless there are digits alone.
fn number<const BASE: u32>(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_u64, |number, &digit| {
        let digit = char::from(digit).to_digit(BASE)?;
        Some(number.saturating_mul(BASE.into()).saturating_add(digit.into()))
    })
}

fn text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok().filter(|text| !text.is_empty())
}

fn path(bytes: &[u8]) -> PathBuf {
    PathBuf::from(OsStr::from_bytes(bytes))
}
