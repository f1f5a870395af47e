// SPDX-License-Identifier: MIT OR Apache-2.0
//! System V message queues: `msgget`, `msgsnd`, `msgrcv` and every command of `msgctl`.

use std::mem::MaybeUninit;

use libc::c_long;
use nix::errno::Errno;

// Linux's own commands and flags, which the libc crate lacks. A test holds them against <sys/msg.h>.
pub(crate) const MSG_STAT_ANY: i32 = 13;
pub(crate) const MSG_INFO: i32 = 12;
pub(crate) const MSG_EXCEPT: i32 = 0o20000;
pub(crate) const MSG_COPY: i32 = 0o40000;

/// A `struct msgbuf` that is a part of somebody's memory, at any address: the type, and behind it the text.
#[derive(Debug)]
pub(crate) struct Room<'a> {
    memory: &'a mut [MaybeUninit<u8>],
    /// How many bytes of text are initialised; `None` while the type is not, either.
    filled: Option<usize>,
}

/// How many bytes the type takes.
pub(crate) const TYPE: usize = size_of::<c_long>();

/// A cache line.
const LINE: usize = 64;

/// So far into a page, and a few bytes further, the kernel's copy of a message begins.
const KERNELS: usize = 48;

/// How many bytes [`Room::beside`] may leave unused.
pub(crate) const SLACK: usize = 3 * LINE;

impl<'a> Room<'a> {
    /// Room for as many bytes as the memory has, less the type's.
    #[inline]
    pub(crate) fn new(memory: &'a mut [MaybeUninit<u8>]) -> Self {
        assert!(memory.len() >= TYPE, "the type needs room");
        Self { memory, filled: None }
    }

    /// As [`Room::new`], with the text at the same place in a cache line as what is copied to it or from it, and not where
    /// the kernel's copy lies in a page. `rep movs` takes 2 to 30 times as long where the destination lies 1 to 16 bytes
    /// behind the source, whatever the page: on a Zen 4 as in the user's memory so in the kernel.
    #[inline]
    pub(crate) fn beside(memory: &'a mut [MaybeUninit<u8>], other: *const u8) -> Self {
        let text = memory.as_ptr().addr() + TYPE;
        let unused = other.addr().wrapping_sub(text) % LINE;
        let is_near = (text + unused) % 4096 < 2 * LINE;
        const { assert!(KERNELS + TYPE + 16 < 2 * LINE) };
        Self::new(&mut memory[if is_near { unused + 2 * LINE } else { unused }..])
    }

    #[inline]
    fn capacity(&self) -> usize {
        self.memory.len() - TYPE
    }

    /// Puts a message in.
    #[inline]
    pub(crate) fn put(&mut self, tag: c_long, data: &[u8]) {
        assert!(data.len() <= self.capacity(), "the room is too small");
        let start: *mut u8 = self.memory.as_mut_ptr().cast();
        // SAFETY: as checked in `new`, the memory begins with room for the type, and it is borrowed mutably.
        unsafe { start.cast::<c_long>().write_unaligned(tag) };
        // SAFETY: as above, these bytes and as many as `capacity` tells follow.
        let text = unsafe { start.add(TYPE) };
        // SAFETY: as checked, there is room for all bytes.
        unsafe { text.copy_from_nonoverlapping(data.as_ptr(), data.len()) };
        self.filled = Some(data.len());
    }

    /// The type and the text of the message that is in it.
    #[inline]
    pub(crate) fn message(&self) -> Option<(c_long, &[u8])> {
        let length = self.filled?;
        let start: *const u8 = self.memory.as_ptr().cast();
        // SAFETY: `filled` says that the type is there.
        let tag = unsafe { start.cast::<c_long>().read_unaligned() };
        // SAFETY: the text lies behind the type in the same memory.
        let text = unsafe { start.add(TYPE) };
        // SAFETY: `filled` says that this many bytes are there, and the memory is borrowed as long as `self`.
        Some((tag, unsafe { std::slice::from_raw_parts(text, length) }))
    }
}

pub(crate) fn msgget(key: i32, flags: i32) -> nix::Result<i32> {
    // SAFETY: msgget takes numbers only.
    Errno::result(unsafe { libc::msgget(key, flags) })
}

/// Sends the message that is in `room`.
#[inline]
pub(crate) fn msgsnd(id: i32, room: &Room<'_>, flags: i32) -> nix::Result<()> {
    let length = room.filled.ok_or(Errno::EINVAL)?;
    // SAFETY: the pointer is to a type and `length` bytes, which are initialised and only read.
    let result = unsafe { libc::msgsnd(id, room.memory.as_ptr().cast(), length, flags) };
    Errno::result(result).map(drop)
}

/// Receives a message of at most `limit` bytes, and of no more than the room has, into `room`.
#[inline]
pub(crate) fn msgrcv(
    id: i32,
    room: &mut Room<'_>,
    limit: usize,
    want: c_long,
    flags: i32,
) -> nix::Result<()> {
    let limit = limit.min(room.capacity());
    room.filled = None;
    // SAFETY: behind the type there is room for `limit` bytes, of which the kernel writes no more.
    let result = unsafe { libc::msgrcv(id, room.memory.as_mut_ptr().cast(), limit, want, flags) };
    // The kernel returns how many bytes it wrote, or -1.
    let length = usize::try_from(result).map_err(|_| Errno::last())?;
    room.filled = Some(length);
    Ok(())
}

/// Sends a whole `struct msgbuf`: the type, and behind it the text. `EINVAL` when not even the type is there.
#[inline]
pub(crate) fn msgsnd_msgbuf(id: i32, msgbuf: &[u8], flags: i32) -> nix::Result<()> {
    let length = msgbuf.len().checked_sub(TYPE).ok_or(Errno::EINVAL)?;
    // SAFETY: the pointer is to a type and `length` bytes, which are only read.
    let result = unsafe { libc::msgsnd(id, msgbuf.as_ptr().cast(), length, flags) };
    Errno::result(result).map(drop)
}

/// Receives into a whole `struct msgbuf`: how many bytes of text. `EINVAL` when there is not even room for the type.
#[inline]
pub(crate) fn msgrcv_msgbuf(
    id: i32,
    msgbuf: &mut [u8],
    want: c_long,
    flags: i32,
) -> nix::Result<usize> {
    let limit = msgbuf.len().checked_sub(TYPE).ok_or(Errno::EINVAL)?;
    // SAFETY: behind the type there is room for `limit` bytes, of which the kernel writes no more.
    let result = unsafe { libc::msgrcv(id, msgbuf.as_mut_ptr().cast(), limit, want, flags) };
    // The kernel returns how many bytes it wrote, or -1.
    usize::try_from(result).map_err(|_| Errno::last())
}

/// The type at the start of a `struct msgbuf`.
#[inline]
pub(crate) fn type_of(msgbuf: &[u8]) -> Option<c_long> {
    msgbuf.first_chunk().map(|start| c_long::from_ne_bytes(*start))
}

/// `msgctl` with a command that fills a `T`; returns the call's value and what it filled.
///
/// # Safety
///
/// `command` must write a `T`, entirely.
unsafe fn msgctl_get<T>(id: i32, command: i32) -> nix::Result<(i32, T)> {
    // Zeroed, since valgrind does not know that every command fills it.
    let mut value = MaybeUninit::<T>::zeroed();
    // SAFETY: the buffer has the size and alignment of what the command writes.
    let result = unsafe { libc::msgctl(id, command, value.as_mut_ptr().cast()) };
    Errno::result(result)?;
    // SAFETY: the command succeeded, so by contract the kernel has filled all of it.
    Ok((result, unsafe { value.assume_init() }))
}

pub(crate) fn msgctl_stat(id: i32) -> nix::Result<libc::msqid_ds> {
    // SAFETY: IPC_STAT fills a msqid_ds.
    unsafe { msgctl_get(id, libc::IPC_STAT) }.map(|(_, status)| status)
}

/// `MSG_STAT_ANY`: the queue in a slot of the kernel's table, with its identifier; `EINVAL` for an empty slot.
pub(crate) fn msgctl_stat_any(slot: i32) -> nix::Result<(i32, libc::msqid_ds)> {
    // SAFETY: MSG_STAT_ANY fills a msqid_ds.
    unsafe { msgctl_get(slot, MSG_STAT_ANY) }
}

pub(crate) fn msgctl_limits() -> nix::Result<libc::msginfo> {
    // SAFETY: IPC_INFO fills a struct msginfo.
    unsafe { msgctl_get(0, libc::IPC_INFO) }.map(|(_, limits)| limits)
}

/// The usage, and the highest slot of the kernel's table in use.
pub(crate) fn msgctl_usage() -> nix::Result<(i32, libc::msginfo)> {
    // SAFETY: MSG_INFO fills a struct msginfo.
    unsafe { msgctl_get(0, MSG_INFO) }
}

pub(crate) fn msgctl_set(id: i32, status: &libc::msqid_ds) -> nix::Result<()> {
    let mut status = *status;
    // SAFETY: IPC_SET reads a msqid_ds, which `status` is.
    Errno::result(unsafe { libc::msgctl(id, libc::IPC_SET, &raw mut status) }).map(drop)
}

pub(crate) fn msgctl_remove(id: i32) -> nix::Result<()> {
    // SAFETY: IPC_RMID ignores the buffer.
    Errno::result(unsafe { libc::msgctl(id, libc::IPC_RMID, std::ptr::null_mut()) }).map(drop)
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    /// What libc's own headers say, asked through the C compiler.
    #[test]
    fn constants_and_sizes_are_those_of_the_c_headers() {
        let directory =
            std::env::temp_dir().join(format!("unipc-msg-probe-{}", std::process::id()));
        std::fs::create_dir_all(&directory).expect("a temporary directory");
        let source = directory.join("probe.c");
        let program = directory.join("probe");
        std::fs::write(
            &source,
            "#define _GNU_SOURCE\n#include <stdio.h>\n#include <stddef.h>\n#include <sys/msg.h>\n\
             int main(void) { printf(\"%d %d %d %d %zu %zu %zu\\n\", MSG_STAT_ANY, MSG_INFO, MSG_EXCEPT,\n\
             MSG_COPY, sizeof(struct msginfo), sizeof(struct msqid_ds), offsetof(struct msgbuf, mtext)); }\n",
        )
        .expect("a probe");
        let compiled = Command::new("cc").arg(&source).arg("-o").arg(&program).status();
        assert!(compiled.expect("a C compiler").success());
        let output = Command::new(&program).output().expect("the probe runs");
        std::fs::remove_dir_all(&directory).expect("ours");
        let ours = format!(
            "{MSG_STAT_ANY} {MSG_INFO} {MSG_EXCEPT} {MSG_COPY} {} {} {}\n",
            size_of::<libc::msginfo>(),
            size_of::<libc::msqid_ds>(),
            size_of::<c_long>(),
        );
        assert_eq!(String::from_utf8_lossy(&output.stdout), ours);
    }

    #[test]
    fn a_room_holds_what_was_put_in() {
        let mut memory = [MaybeUninit::uninit(); TYPE + 11];
        let mut room = Room::new(&mut memory);
        assert_eq!(room.message(), None);
        room.put(7, b"hello world");
        assert_eq!(room.message(), Some((7, &b"hello world"[..])));
        room.put(8, b"");
        assert_eq!(room.message(), Some((8, &b""[..])));
    }

    #[test]
    fn a_text_lies_in_a_line_as_what_it_is_beside_and_not_at_the_kernels_place() {
        let other = [0_u8; 2 * LINE];
        let mut memory = [MaybeUninit::uninit(); 2 * 4096];
        for start in 0..4096 {
            let place = &raw const other[start % LINE];
            let mut room = Room::beside(&mut memory[start..][..TYPE + 1 + SLACK], place);
            room.put(1, b"x");
            let (_, text) = room.message().unwrap();
            let address = text.as_ptr().addr();
            assert_eq!((address.abs_diff(place.addr()) % LINE, text), (0, &b"x"[..]));
            assert!(address % 4096 > KERNELS + TYPE + 16, "{start}");
        }
    }
}
