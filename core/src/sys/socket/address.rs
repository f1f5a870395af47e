// SPDX-License-Identifier: MIT OR Apache-2.0
//! Socket addresses as the kernel has them: UNIX paths and abstract names, IPv4, IPv6.

use std::mem::{MaybeUninit, offset_of};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::ptr;

use nix::errno::Errno;

use super::length_of;

const PATH_OFFSET: usize = offset_of!(libc::sockaddr_un, sun_path);

/// An address family as an address has it.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the constants are small numbers"
)]
const fn family(number: i32) -> libc::sa_family_t {
    number as libc::sa_family_t
}

/// An address, and how much of it counts.
#[derive(Clone, Copy)]
pub(crate) struct Address {
    pub(super) storage: libc::sockaddr_storage,
    pub(super) length: libc::socklen_t,
}

impl Address {
    pub(super) fn empty() -> Self {
        // SAFETY: an address is integers, of which zero is a value.
        let storage = unsafe { MaybeUninit::zeroed().assume_init() };
        Self { storage, length: length_of::<libc::sockaddr_storage>() }
    }

    /// `value` must be one of the kernel's address structs, of which `length` bytes count.
    fn of<T: Copy>(value: &T, length: usize) -> Self {
        const { assert!(size_of::<T>() <= size_of::<libc::sockaddr_storage>()) };
        let mut address = Self::empty();
        // SAFETY: the storage is large enough for any address, as asserted, and does not overlap with the value.
        unsafe { ptr::from_mut(&mut address.storage).cast::<T>().write(*value) };
        address.length = libc::socklen_t::try_from(length).unwrap_or(0);
        address
    }

    /// The bytes of `sun_path`: a path, or an abstract name with its leading NUL. None: the kernel is to choose a name.
    ///
    /// Errors: `ENAMETOOLONG`.
    pub(crate) fn unix(path: &[u8]) -> nix::Result<Self> {
        // SAFETY: an address is integers, of which zero is a value.
        let mut un: libc::sockaddr_un = unsafe { MaybeUninit::zeroed().assume_init() };
        un.sun_family = family(libc::AF_UNIX);
        if path.len() > un.sun_path.len() {
            return Err(Errno::ENAMETOOLONG);
        }
        for (to, from) in un.sun_path.iter_mut().zip(path) {
            *to = from.cast_signed() as libc::c_char;
        }
        Ok(Self::of(&un, PATH_OFFSET + path.len()))
    }

    pub(crate) fn inet(address: SocketAddr) -> Self {
        match address {
            SocketAddr::V4(v4) => {
                let address = libc::sockaddr_in {
                    sin_family: family(libc::AF_INET),
                    sin_port: v4.port().to_be(),
                    sin_addr: libc::in_addr { s_addr: u32::from_ne_bytes(v4.ip().octets()) },
                    sin_zero: [0; 8],
                };
                Self::of(&address, size_of::<libc::sockaddr_in>())
            }
            SocketAddr::V6(v6) => {
                let address = libc::sockaddr_in6 {
                    sin6_family: family(libc::AF_INET6),
                    sin6_port: v6.port().to_be(),
                    sin6_flowinfo: v6.flowinfo().to_be(),
                    sin6_addr: libc::in6_addr { s6_addr: v6.ip().octets() },
                    sin6_scope_id: v6.scope_id(),
                };
                Self::of(&address, size_of::<libc::sockaddr_in6>())
            }
        }
    }

    pub(crate) fn family(&self) -> i32 {
        // The kernel gives an unnamed peer no bytes at all.
        if (self.length as usize) < size_of::<libc::sa_family_t>() {
            return libc::AF_UNSPEC;
        }
        self.storage.ss_family.into()
    }

    /// The bytes of `sun_path` that count, of a UNIX address.
    pub(crate) fn unix_path(&self) -> Vec<u8> {
        // SAFETY: the storage is large enough for any address, and any bytes are a sockaddr_un.
        let un = unsafe { ptr::from_ref(&self.storage).cast::<libc::sockaddr_un>().read() };
        let length = (self.length as usize).saturating_sub(PATH_OFFSET).min(un.sun_path.len());
        un.sun_path[..length].iter().map(|&byte| byte.cast_unsigned_byte()).collect()
    }

    /// The address, of an IPv4 or IPv6 one.
    pub(crate) fn ip(&self) -> Option<SocketAddr> {
        let storage = ptr::from_ref(&self.storage);
        match self.family() {
            libc::AF_INET => {
                // SAFETY: the storage is large enough for any address, and any bytes are a sockaddr_in.
                let v4 = unsafe { storage.cast::<libc::sockaddr_in>().read() };
                let ip = Ipv4Addr::from(v4.sin_addr.s_addr.to_ne_bytes());
                Some(SocketAddrV4::new(ip, u16::from_be(v4.sin_port)).into())
            }
            libc::AF_INET6 => {
                // SAFETY: as above.
                let v6 = unsafe { storage.cast::<libc::sockaddr_in6>().read() };
                let ip = Ipv6Addr::from(v6.sin6_addr.s6_addr);
                let (port, flow) = (u16::from_be(v6.sin6_port), u32::from_be(v6.sin6_flowinfo));
                Some(SocketAddrV6::new(ip, port, flow, v6.sin6_scope_id).into())
            }
            _ => None,
        }
    }

    pub(super) fn pointer(&self) -> *const libc::sockaddr {
        ptr::from_ref(&self.storage).cast()
    }
}

impl std::fmt::Debug for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Address").field("family", &self.family()).finish_non_exhaustive()
    }
}

/// `c_char` is signed on some machines.
trait CastUnsignedByte {
    fn cast_unsigned_byte(self) -> u8;
}

impl CastUnsignedByte for libc::c_char {
    fn cast_unsigned_byte(self) -> u8 {
        self.to_ne_bytes()[0]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_survive_the_round_trip() {
        for text in ["127.0.0.1:80", "[::1]:65535", "[fe80::1%3]:1"] {
            let address: SocketAddr = text.parse().unwrap();
            assert_eq!(Address::inet(address).ip(), Some(address));
        }
        for path in [&b""[..], b"/run/x", b"\0abstract\0more"] {
            let address = Address::unix(path).unwrap();
            assert_eq!(address.family(), libc::AF_UNIX);
            assert_eq!(address.unix_path(), path);
        }
        assert_eq!(Address::unix(&[b'x'; 109]).unwrap_err(), Errno::ENAMETOOLONG);
    }
}
