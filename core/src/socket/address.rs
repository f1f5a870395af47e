// SPDX-License-Identifier: MIT OR Apache-2.0
//! Between names and the kernel's addresses.

use std::ffi::OsString;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

use super::{Kind, sys};
use crate::error::{Error, ErrorKind, Result};
use crate::name::{HostPort, Name, SocketName};
use sys::Address;

/// A name that must be one of a socket.
pub(super) fn socket_name<'n>(name: &'n Name, operation: &'static str) -> Result<&'n SocketName> {
    match name {
        Name::Socket(socket) => Ok(socket),
        other => Err(ErrorKind::invalid(
            "it names no socket: unix:PATH, unix:@NAME, tcp:HOST:PORT or udp:HOST:PORT does",
        )
        .during(operation, other)),
    }
}

/// The addresses that a name stands for: one, or for a host what the system's resolver says, in its order.
///
/// Errors: `EHOSTUNREACH` for a host that is not known; `ENAMETOOLONG` for a path that was not parsed.
pub(super) fn resolve(name: &SocketName, operation: &'static str) -> Result<Vec<Address>> {
    let failed = |kind: ErrorKind| kind.during(operation, Name::Socket(name.clone()));
    let place = match name {
        SocketName::Path(path) => {
            let bytes = path.as_os_str().as_bytes();
            let address = Address::unix(bytes).map_err(|errno| failed(errno.into()))?;
            return Ok(vec![address]);
        }
        // Without any byte the kernel chooses a name.
        SocketName::Abstract(name) if name.is_empty() => {
            let address = Address::unix(b"").map_err(|errno| failed(errno.into()))?;
            return Ok(vec![address]);
        }
        SocketName::Abstract(name) => {
            let bytes = [b"\0", name.as_bytes()].concat();
            let address = Address::unix(&bytes).map_err(|errno| failed(errno.into()))?;
            return Ok(vec![address]);
        }
        SocketName::Tcp(place) | SocketName::Udp(place) => place,
    };
    if let Ok(ip) = place.host().parse::<IpAddr>() {
        return Ok(vec![Address::inet(SocketAddr::new(ip, place.port()))]);
    }
    let found = (place.host(), place.port()).to_socket_addrs().map_err(|error| {
        let kind = ErrorKind::Os(error.raw_os_error().unwrap_or(libc::EHOSTUNREACH));
        failed(kind).with_advice(error.to_string())
    })?;
    Ok(found.map(Address::inet).collect())
}

/// The name of an address; `None` for a socket that has none.
pub(super) fn name_of(address: &Address, kind: Kind) -> Option<Name> {
    if let Some(ip) = address.ip() {
        let place = HostPort::new(ip);
        return Some(Name::Socket(match kind {
            Kind::Datagram => SocketName::Udp(place),
            _ => SocketName::Tcp(place),
        }));
    }
    let path = address.unix_path();
    match path.as_slice() {
        [] => None,
        [0, name @ ..] => {
            Some(Name::Socket(SocketName::Abstract(OsString::from_vec(name.to_vec()))))
        }
        path => {
            let path = path.split(|&byte| byte == 0).next().unwrap_or_default();
            let path = PathBuf::from(OsString::from_vec(path.to_vec()));
            Some(Name::Socket(SocketName::Path(path)))
        }
    }
}

/// What to do about an error on a name, where it is known.
pub(super) fn advise(error: Error, name: &SocketName) -> Error {
    let is_file = matches!(name, SocketName::Path(_));
    let advice = match error.errno() {
        libc::ECONNREFUSED if is_file => "nobody listens: its server has gone, or is no server",
        libc::ECONNREFUSED => "nobody listens there",
        libc::ENOENT if is_file => "no server has made it",
        libc::EPROTOTYPE => "the socket is of another kind: stream, datagram or seqpacket",
        libc::EADDRINUSE if is_file => "a living socket has the name",
        libc::EADDRINUSE => "another socket has the name",
        libc::EADDRNOTAVAIL => "no interface of this machine has the address",
        libc::EACCES if is_file => "connecting needs write permission for the file, see its mode",
        _ => return error,
    };
    error.with_advice(advice)
}
