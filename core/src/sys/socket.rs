// SPDX-License-Identifier: MIT OR Apache-2.0
//! Socket addresses as the kernel has them, options, and messages with control data.
//!
//! nix has `recvmsg`, but hands received descriptors out as numbers, and drops them open when control data was cut.

use std::ffi::c_void;
use std::mem::{MaybeUninit, offset_of};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::ptr;

use nix::errno::Errno;
use nix::sys::socket::MsgFlags;

/// The most descriptors that one message carries: the kernel's `SCM_MAX_FD`.
pub(crate) const SCM_MAX_FD: usize = 253;

/// Room for control data: that many descriptors, and the sender's credentials.
const CONTROL: usize = space(SCM_MAX_FD * size_of::<i32>()) + space(size_of::<libc::ucred>());

const PATH_OFFSET: usize = offset_of!(libc::sockaddr_un, sun_path);

/// The size of a type as the calls take it.
#[allow(clippy::cast_possible_truncation, reason = "the types are small")]
const fn length_of<T>() -> libc::socklen_t {
    size_of::<T>() as libc::socklen_t
}

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
    storage: libc::sockaddr_storage,
    length: libc::socklen_t,
}

impl Address {
    fn empty() -> Self {
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

    fn pointer(&self) -> *const libc::sockaddr {
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

pub(crate) fn bind(fd: BorrowedFd<'_>, address: &Address) -> nix::Result<()> {
    // SAFETY: the pointer is to an address of that length, which the call only reads.
    Errno::result(unsafe { libc::bind(fd.as_raw_fd(), address.pointer(), address.length) })
        .map(drop)
}

pub(crate) fn connect(fd: BorrowedFd<'_>, address: &Address) -> nix::Result<()> {
    // SAFETY: as in `bind`.
    Errno::result(unsafe { libc::connect(fd.as_raw_fd(), address.pointer(), address.length) })
        .map(drop)
}

/// The new connection, close-on-exec, with `flags` besides.
pub(crate) fn accept(fd: BorrowedFd<'_>) -> nix::Result<OwnedFd> {
    let (nobody, nothing) = (ptr::null_mut(), ptr::null_mut());
    // SAFETY: NULL says that the address is not wanted.
    let fd = unsafe { libc::accept4(fd.as_raw_fd(), nobody, nothing, libc::SOCK_CLOEXEC) };
    let fd = Errno::result(fd)?;
    // SAFETY: the call has just made it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

pub(crate) fn local_address(fd: BorrowedFd<'_>) -> nix::Result<Address> {
    let mut address = Address::empty();
    let place = ptr::from_mut(&mut address.storage).cast();
    // SAFETY: both pointers are to live values, the length is that of the room.
    Errno::result(unsafe { libc::getsockname(fd.as_raw_fd(), place, &raw mut address.length) })?;
    Ok(address)
}

pub(crate) fn peer_address(fd: BorrowedFd<'_>) -> nix::Result<Address> {
    let mut address = Address::empty();
    let place = ptr::from_mut(&mut address.storage).cast();
    // SAFETY: as in `local_address`.
    Errno::result(unsafe { libc::getpeername(fd.as_raw_fd(), place, &raw mut address.length) })?;
    Ok(address)
}

/// `sendto(2)`.
pub(crate) fn send_to(
    fd: BorrowedFd<'_>,
    bytes: &[u8],
    flags: MsgFlags,
    to: &Address,
) -> nix::Result<usize> {
    let (start, length) = (bytes.as_ptr().cast(), bytes.len());
    // SAFETY: the pointers are to live bytes and to an address of that length, which the call only reads.
    let sent = unsafe {
        libc::sendto(fd.as_raw_fd(), start, length, flags.bits(), to.pointer(), to.length)
    };
    Errno::result(sent).map(isize::cast_unsigned)
}

/// `recv(2)`: how long the message is (with `MSG_TRUNC` also beyond the buffer).
pub(crate) fn receive(
    fd: BorrowedFd<'_>,
    buffer: &mut [MaybeUninit<u8>],
    flags: MsgFlags,
) -> nix::Result<usize> {
    let (start, room) = (buffer.as_mut_ptr().cast::<c_void>(), buffer.len());
    // SAFETY: the kernel writes into the buffer alone, whose length it is told.
    let got = unsafe { libc::recv(fd.as_raw_fd(), start, room, flags.bits()) };
    Errno::result(got).map(isize::cast_unsigned)
}

/// `recvfrom(2)`: how long the message is (with `MSG_TRUNC` also beyond the buffer) and who sent it.
pub(crate) fn receive_from(
    fd: BorrowedFd<'_>,
    buffer: &mut [u8],
    flags: MsgFlags,
) -> nix::Result<(usize, Address)> {
    let mut address = Address::empty();
    let (place, length) = (ptr::from_mut(&mut address.storage).cast(), &raw mut address.length);
    let (start, room) = (buffer.as_mut_ptr().cast::<c_void>(), buffer.len());
    // SAFETY: the pointers are to room of the lengths told.
    let got = unsafe { libc::recvfrom(fd.as_raw_fd(), start, room, flags.bits(), place, length) };
    Ok((Errno::result(got)?.cast_unsigned(), address))
}

/// An option's value.
///
/// # Safety
///
/// The option's value must be a `T`, for which all bits zero are a value too.
unsafe fn option<T>(fd: BorrowedFd<'_>, level: i32, name: i32) -> nix::Result<T> {
    let mut value = MaybeUninit::<T>::zeroed();
    let mut length = length_of::<T>();
    let place = value.as_mut_ptr().cast::<c_void>();
    // SAFETY: the pointers are to room of that length.
    let got = unsafe { libc::getsockopt(fd.as_raw_fd(), level, name, place, &raw mut length) };
    Errno::result(got)?;
    // SAFETY: by contract; what the kernel left out is zero.
    Ok(unsafe { value.assume_init() })
}

pub(crate) fn number_option(fd: BorrowedFd<'_>, level: i32, name: i32) -> nix::Result<i32> {
    // SAFETY: all bits are an integer.
    unsafe { option(fd, level, name) }
}

pub(crate) fn peer_credentials(fd: BorrowedFd<'_>) -> nix::Result<libc::ucred> {
    // SAFETY: the option's value is three integers.
    unsafe { option(fd, libc::SOL_SOCKET, libc::SO_PEERCRED) }
}

fn set_option<T>(fd: BorrowedFd<'_>, level: i32, name: i32, value: &T) -> nix::Result<()> {
    let (place, length) = (ptr::from_ref(value).cast(), length_of::<T>());
    // SAFETY: the pointer is to a live value of that length, which the call only reads.
    let set = unsafe { libc::setsockopt(fd.as_raw_fd(), level, name, place, length) };
    Errno::result(set).map(drop)
}

pub(crate) fn set_number_option(
    fd: BorrowedFd<'_>,
    level: i32,
    name: i32,
    value: i32,
) -> nix::Result<()> {
    set_option(fd, level, name, &value)
}

/// How long `connect` waits for room in the queue of a UNIX listener; zero is for ever.
pub(crate) fn set_send_timeout(
    fd: BorrowedFd<'_>,
    timeout: std::time::Duration,
) -> nix::Result<()> {
    let value = libc::timeval {
        tv_sec: libc::time_t::try_from(timeout.as_secs()).unwrap_or(libc::time_t::MAX),
        tv_usec: timeout.subsec_micros().into(),
    };
    set_option(fd, libc::SOL_SOCKET, libc::SO_SNDTIMEO, &value)
}

/// `ppoll(2)` of one descriptor: what of `events` is there, 0 when the time is over. nix does not know `POLLRDHUP`.
pub(crate) fn poll(
    fd: BorrowedFd<'_>,
    events: i16,
    left: Option<libc::timespec>,
) -> nix::Result<i16> {
    let mut polled = libc::pollfd { fd: fd.as_raw_fd(), events, revents: 0 };
    let left = left.as_ref().map_or(ptr::null(), ptr::from_ref);
    // SAFETY: one descriptor and a time, or NULL for ever; both live as long as the call.
    Errno::result(unsafe { libc::ppoll(&raw mut polled, 1, left, ptr::null()) })?;
    Ok(polled.revents)
}

/// `SIOCOUTQ`: bytes sent that the other side has not received.
pub(crate) fn unsent(fd: BorrowedFd<'_>) -> nix::Result<i32> {
    let mut bytes = 0;
    // SAFETY: the request writes an integer, to which the pointer is.
    Errno::result(unsafe { libc::ioctl(fd.as_raw_fd(), libc::TIOCOUTQ, &raw mut bytes) })?;
    Ok(bytes)
}

/// Control data, aligned as its headers are.
#[repr(C)]
union Control {
    _header: libc::cmsghdr,
    bytes: [u8; CONTROL],
}

/// How many bytes control data with `length` bytes of content takes: `CMSG_SPACE`.
const fn space(length: usize) -> usize {
    let align = size_of::<usize>();
    size_of::<libc::cmsghdr>().next_multiple_of(align) + length.next_multiple_of(align)
}

/// `sendmsg(2)` with descriptors.
///
/// Errors: `EINVAL` for more than [`SCM_MAX_FD`], as the kernel has it.
pub(crate) fn send_message(
    fd: BorrowedFd<'_>,
    bytes: &[u8],
    descriptors: &[BorrowedFd<'_>],
    to: Option<&Address>,
    flags: MsgFlags,
) -> nix::Result<usize> {
    if descriptors.len() > SCM_MAX_FD {
        return Err(Errno::EINVAL);
    }
    let mut control = Control { bytes: [0; CONTROL] };
    let mut part = libc::iovec { iov_base: bytes.as_ptr().cast_mut().cast(), iov_len: bytes.len() };
    let mut message = blank_message(&mut part);
    if let Some(to) = to {
        message.msg_name = to.pointer().cast_mut().cast();
        message.msg_namelen = to.length;
    }
    if !descriptors.is_empty() {
        let length = size_of_val(descriptors);
        message.msg_control = ptr::from_mut(&mut control).cast();
        message.msg_controllen = space(length);
        // SAFETY: the message's fields are set.
        let header = unsafe { libc::CMSG_FIRSTHDR(&raw const message) };
        // SAFETY: there is room for one header, so that it is not NULL.
        let header = unsafe { &mut *header };
        header.cmsg_level = libc::SOL_SOCKET;
        header.cmsg_type = libc::SCM_RIGHTS;
        header.cmsg_len = space(0) + length;
        // SAFETY: the header lies in the control data.
        let content = unsafe { libc::CMSG_DATA(header) };
        for (at, descriptor) in descriptors.iter().enumerate() {
            let number = descriptor.as_raw_fd().to_ne_bytes();
            // SAFETY: the control data has room for SCM_MAX_FD numbers, and there are no more.
            let place = unsafe { content.add(at * size_of::<i32>()) };
            // SAFETY: as above.
            unsafe { place.cast::<[u8; size_of::<i32>()]>().write(number) };
        }
    }
    // SAFETY: the message's pointers are to live values of the lengths told, which the call only reads.
    let sent = unsafe { libc::sendmsg(fd.as_raw_fd(), &raw const message, flags.bits()) };
    Errno::result(sent).map(isize::cast_unsigned)
}

fn blank_message(part: &mut libc::iovec) -> libc::msghdr {
    // SAFETY: a msghdr is integers and pointers, of which zero is a value.
    let mut message: libc::msghdr = unsafe { MaybeUninit::zeroed().assume_init() };
    message.msg_iov = part;
    message.msg_iovlen = 1;
    message
}

/// What `recvmsg(2)` gave. The descriptors are owned, so that they are closed whatever the caller decides.
#[derive(Debug)]
pub(crate) struct Message {
    /// With `MSG_TRUNC` among the flags asked for: also beyond the buffer.
    pub(crate) length: usize,
    pub(crate) flags: MsgFlags,
    pub(crate) descriptors: Vec<OwnedFd>,
    pub(crate) credentials: Option<libc::ucred>,
    pub(crate) from: Address,
}

/// `recvmsg(2)` with room for `most` descriptors (at most [`SCM_MAX_FD`]) and for credentials. All descriptors are
/// close-on-exec. The room is rounded up, so that more than `most` may come.
pub(crate) fn receive_message(
    fd: BorrowedFd<'_>,
    buffer: &mut [u8],
    most: usize,
    flags: MsgFlags,
) -> nix::Result<Message> {
    let mut from = Address::empty();
    let mut control = Control { bytes: [0; CONTROL] };
    let mut part = libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: buffer.len() };
    let mut message = blank_message(&mut part);
    message.msg_name = ptr::from_mut(&mut from.storage).cast();
    message.msg_namelen = from.length;
    message.msg_control = ptr::from_mut(&mut control).cast();
    message.msg_controllen =
        space(most.min(SCM_MAX_FD) * size_of::<i32>()) + space(size_of::<libc::ucred>());
    let flags = flags | MsgFlags::MSG_CMSG_CLOEXEC;
    // SAFETY: the message's pointers are to room of the lengths told.
    let got = unsafe { libc::recvmsg(fd.as_raw_fd(), &raw mut message, flags.bits()) };
    let length = Errno::result(got)?.cast_unsigned();
    from.length = message.msg_namelen;
    let mut received = Message {
        length,
        flags: MsgFlags::from_bits_retain(message.msg_flags),
        descriptors: Vec::new(),
        credentials: None,
        from,
    };
    take_control(&message, &mut received);
    Ok(received)
}

/// Takes over what the control data of a received message says.
fn take_control(message: &libc::msghdr, received: &mut Message) {
    // SAFETY: the kernel has filled the message, so its headers are sound.
    let mut next = unsafe { libc::CMSG_FIRSTHDR(message) };
    while !next.is_null() {
        // SAFETY: not NULL, so a header inside of the control data.
        let header = unsafe { next.read() };
        // SAFETY: as above.
        let content = unsafe { libc::CMSG_DATA(next) };
        let length = header.cmsg_len.saturating_sub(space(0));
        match (header.cmsg_level, header.cmsg_type) {
            (libc::SOL_SOCKET, libc::SCM_RIGHTS) => {
                for at in 0..length / size_of::<i32>() {
                    // SAFETY: the kernel wrote so many numbers there.
                    let place = unsafe { content.add(at * size_of::<i32>()) };
                    // SAFETY: as above.
                    let number = unsafe { place.cast::<[u8; size_of::<i32>()]>().read() };
                    let number = i32::from_ne_bytes(number);
                    // SAFETY: the kernel has just installed it for this process, and nobody else knows of it.
                    received.descriptors.push(unsafe { OwnedFd::from_raw_fd(number) });
                }
            }
            (libc::SOL_SOCKET, libc::SCM_CREDENTIALS) if length >= size_of::<libc::ucred>() => {
                // SAFETY: the kernel wrote credentials there.
                let credentials = unsafe { content.cast::<libc::ucred>().read_unaligned() };
                received.credentials = Some(credentials);
            }
            _ => {}
        }
        // SAFETY: the header belongs to the message.
        next = unsafe { libc::CMSG_NXTHDR(message, next) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_space_of_control_data_is_that_of_the_macros() {
        for length in [0_u32, 1, 4, 8, 12, 13, 1012] {
            // SAFETY: it computes only.
            let wanted = unsafe { libc::CMSG_SPACE(length) };
            assert_eq!(space(length as usize), wanted as usize, "{length}");
        }
        // SAFETY: as above.
        assert_eq!(space(0), unsafe { libc::CMSG_LEN(0) } as usize);
    }

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
