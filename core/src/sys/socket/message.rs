// SPDX-License-Identifier: MIT OR Apache-2.0
//! Messages with control data: descriptors and credentials.
//!
//! nix has `recvmsg`, but hands received descriptors out as numbers, and drops them open when control data was cut.

use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::ptr;

use nix::errno::Errno;
use nix::sys::socket::MsgFlags;

use super::Address;

/// The most descriptors that one message carries: the kernel's `SCM_MAX_FD`.
pub(crate) const SCM_MAX_FD: usize = 253;

/// The sender as a pidfd, where somebody has set `SO_PASSPIDFD` (Linux 6.5); the libc crate does not know it yet.
const SCM_PIDFD: i32 = 4;

/// Room for what comes beside descriptors: the sender's credentials and its pidfd.
const BESIDES: usize = space(size_of::<libc::ucred>()) + space(size_of::<i32>());

/// Room for control data.
const CONTROL: usize = space(SCM_MAX_FD * size_of::<i32>()) + BESIDES;

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
    message.msg_controllen = space(most.min(SCM_MAX_FD) * size_of::<i32>()) + BESIDES;
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
            (libc::SOL_SOCKET, kind @ (libc::SCM_RIGHTS | SCM_PIDFD)) => {
                for at in 0..length / size_of::<i32>() {
                    // SAFETY: the kernel wrote so many numbers there.
                    let place = unsafe { content.add(at * size_of::<i32>()) };
                    // SAFETY: as above.
                    let number = unsafe { place.cast::<[u8; size_of::<i32>()]>().read() };
                    let number = i32::from_ne_bytes(number);
                    if number < 0 {
                        // An errno in the place of a pidfd.
                        continue;
                    }
                    // SAFETY: the kernel has just installed it for this process, and nobody else knows of it.
                    let descriptor = unsafe { OwnedFd::from_raw_fd(number) };
                    // A pidfd that nobody here has asked for is closed.
                    if kind == libc::SCM_RIGHTS {
                        received.descriptors.push(descriptor);
                    }
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
}
