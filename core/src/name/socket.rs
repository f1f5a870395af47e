// SPDX-License-Identifier: MIT OR Apache-2.0
//! Names of sockets: a path, an abstract name, or a host and a port.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::net::Ipv6Addr;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

use super::parse::Parsed;

/// The longest path or abstract name of a UNIX socket in bytes: `sun_path` less one.
pub const SOCKET_NAME_MAX: usize = 107;

/// The longest name of a host in the domain name system.
const HOST_MAX: usize = 253;

/// The ways to point at a socket.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum SocketName {
    /// `unix:PATH`: a file stands for the socket.
    Path(PathBuf),
    /// `unix:@NAME`: no file, and gone with its last user. Any program of the network namespace can reach it,
    /// whoever its user is: there are no permissions. The bytes are those after the kernel's leading NUL. Without any,
    /// `unix:@`, binding takes a name that is free, as port 0 takes a free port. A NUL among them, as programs that pass
    /// the whole of `sun_path` have it, is written `\0`, and a backslash `\\`.
    Abstract(OsString),
    /// `tcp:HOST:PORT`.
    Tcp(HostPort),
    /// `udp:HOST:PORT`.
    Udp(HostPort),
}

/// A host, by name or address, and a port. Port 0 asks for a free one when it is bound.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct HostPort {
    host: String,
    port: u16,
}

impl HostPort {
    /// The name or the address, without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn new(address: std::net::SocketAddr) -> Self {
        let host = match address {
            std::net::SocketAddr::V6(v6) if v6.scope_id() != 0 => {
                format!("{}%{}", v6.ip(), v6.scope_id())
            }
            other => other.ip().to_string(),
        };
        Self { host, port: address.port() }
    }
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

impl SocketName {
    pub(super) fn to_os_string(&self) -> OsString {
        match self {
            // A path made elsewhere, not parsed, must not turn into an abstract name.
            Self::Path(path) if path.as_os_str().as_bytes().starts_with(b"@") => {
                tagged("unix:./", path.as_os_str())
            }
            Self::Path(path) => tagged("unix:", path.as_os_str()),
            Self::Abstract(name) => tagged("unix:@", OsStr::from_bytes(&escape(name.as_bytes()))),
            Self::Tcp(place) => format!("tcp:{place}").into(),
            Self::Udp(place) => format!("udp:{place}").into(),
        }
    }
}

fn tagged(tag: &str, rest: &OsStr) -> OsString {
    OsString::from_vec([tag.as_bytes(), rest.as_bytes()].concat())
}

/// What comes after `unix:`.
pub(super) fn unix(rest: &[u8]) -> Parsed<SocketName> {
    let (name, is_abstract) = match rest.strip_prefix(b"@") {
        Some(name) => (unescape(name)?, true),
        None => (rest.to_vec(), false),
    };
    if name.is_empty() && !is_abstract {
        return Err("after \"unix:\" comes a PATH or @NAME; \"unix:@\" is a free name".into());
    }
    if name.len() > SOCKET_NAME_MAX {
        return Err(format!(
            "a UNIX socket's name has at most {SOCKET_NAME_MAX} bytes (sun_path), this one {}; use a shorter directory \
             or a path relative to the current one",
            name.len()
        )
        .into());
    }
    let name = OsString::from_vec(name);
    Ok(if is_abstract { SocketName::Abstract(name) } else { SocketName::Path(name.into()) })
}

/// Abstract names may hold NULs, which no string of C can.
fn escape(name: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(name.len());
    for &byte in name {
        match byte {
            0 => text.extend(b"\\0"),
            b'\\' => text.extend(b"\\\\"),
            byte => text.push(byte),
        }
    }
    text
}

fn unescape(text: &[u8]) -> Parsed<Vec<u8>> {
    let mut name = Vec::with_capacity(text.len());
    let mut rest = text.iter();
    while let Some(&byte) = rest.next() {
        name.push(match byte {
            b'\\' => match rest.next() {
                Some(b'0') => 0,
                Some(b'\\') => b'\\',
                _ => return Err("in an abstract name \\0 is a NUL and \\\\ a backslash".into()),
            },
            other => other,
        });
    }
    Ok(name)
}

/// What comes after `tcp:` and `udp:`.
pub(super) fn host_port(rest: &[u8]) -> Parsed<HostPort> {
    const FORM: &str =
        "after \"tcp:\" and \"udp:\" comes HOST:PORT, an IPv6 address in brackets: [::1]:80";
    let text = std::str::from_utf8(rest).map_err(|_| FORM)?;
    let (host, port) = text.rsplit_once(':').ok_or(FORM)?;
    let port = Some(port)
        .filter(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
        .and_then(|digits| digits.parse().ok())
        .ok_or("a port is a number from 0 to 65535")?;
    let host = match host.strip_prefix('[') {
        Some(rest) => version_6(rest.strip_suffix(']').ok_or(FORM)?)?,
        None => plain(host)?,
    };
    Ok(HostPort { host, port })
}

/// An address in brackets, in its one spelling; a scope (`%eth0`) may follow.
fn version_6(text: &str) -> Parsed<String> {
    let (address, scope) = match text.split_once('%') {
        Some((address, scope)) => (address, Some(scope)),
        None => (text, None),
    };
    let address: Ipv6Addr = address.parse().map_err(|_| "in brackets stands an IPv6 address")?;
    match scope {
        None => Ok(address.to_string()),
        Some(scope) if is_word(scope) => Ok(format!("{address}%{scope}")),
        Some(_) => Err("after % comes the name or number of a network interface".into()),
    }
}

fn plain(host: &str) -> Parsed<String> {
    match host {
        "" => Err("the host is missing; every interface is 0.0.0.0 or [::]".into()),
        _ if host.contains(':') => Err("an IPv6 address stands in brackets: [::1]:80".into()),
        _ if host.len() > HOST_MAX => Err(format!("a host has at most {HOST_MAX} bytes").into()),
        _ if !is_word(host) => Err("a host is made of letters, digits, '.', '-' and '_'".into()),
        _ => Ok(host.to_owned()),
    }
}

fn is_word(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    !text.is_empty() && text.bytes().all(fits)
}
