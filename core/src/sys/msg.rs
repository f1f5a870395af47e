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

/// A `struct msgbuf` that is a part of somebody's memory: one word for the type, the others for the text.
#[derive(Debug)]
pub(crate) struct Room<'a> {
    words: &'a mut [MaybeUninit<c_long>],
    /// How many bytes of text are initialised; `None` while the type is not, either.
    filled: Option<usize>,
}

/// How many words a message of so many bytes takes, with its type.
pub(crate) const fn words_for(bytes: usize) -> usize {
    1 + bytes.div_ceil(size_of::<c_long>())
}

impl<'a> Room<'a> {
    /// Room for as many bytes as the words have, less one.
    pub(crate) fn new(words: &'a mut [MaybeUninit<c_long>]) -> Self {
        assert!(!words.is_empty(), "the type needs a word");
        Self { words, filled: None }
    }

    fn text(&mut self) -> *mut u8 {
        self.words[1..].as_mut_ptr().cast()
    }

    fn capacity(&self) -> usize {
        (self.words.len() - 1) * size_of::<c_long>()
    }

    /// Puts a message in.
    pub(crate) fn put(&mut self, tag: c_long, data: &[u8]) {
        assert!(data.len() <= self.capacity(), "the room is too small");
        self.words[0].write(tag);
        let text = self.text();
        // SAFETY: as checked, the words behind the first have this many bytes, and they are borrowed mutably.
        unsafe { text.copy_from_nonoverlapping(data.as_ptr(), data.len()) };
        self.filled = Some(data.len());
    }

    /// The type and the text of the message that is in it.
    pub(crate) fn message(&self) -> Option<(c_long, &[u8])> {
        let length = self.filled?;
        // SAFETY: `filled` says that the type is there.
        let tag = unsafe { self.words[0].assume_init() };
        let text: *const u8 = self.words[1..].as_ptr().cast();
        // SAFETY: `filled` says that this many bytes are there, and the words are borrowed as long as `self`.
        Some((tag, unsafe { std::slice::from_raw_parts(text, length) }))
    }
}

pub(crate) fn msgget(key: i32, flags: i32) -> nix::Result<i32> {
    // SAFETY: msgget takes numbers only.
    Errno::result(unsafe { libc::msgget(key, flags) })
}

/// Sends the message that is in `room`.
pub(crate) fn msgsnd(id: i32, room: &Room<'_>, flags: i32) -> nix::Result<()> {
    let length = room.filled.ok_or(Errno::EINVAL)?;
    // SAFETY: the pointer is to a type and `length` bytes, which are initialised and only read.
    let result = unsafe { libc::msgsnd(id, room.words.as_ptr().cast(), length, flags) };
    Errno::result(result).map(drop)
}

/// Receives a message of at most `limit` bytes, and of no more than the room has, into `room`.
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
    let result = unsafe { libc::msgrcv(id, room.words.as_mut_ptr().cast(), limit, want, flags) };
    // The kernel returns how many bytes it wrote, or -1.
    let length = usize::try_from(result).map_err(|_| Errno::last())?;
    room.filled = Some(length);
    Ok(())
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
        let mut words = [MaybeUninit::uninit(); words_for(11)];
        let mut room = Room::new(&mut words);
        assert_eq!(room.message(), None);
        room.put(7, b"hello world");
        assert_eq!(room.message(), Some((7, &b"hello world"[..])));
        room.put(8, b"");
        assert_eq!(room.message(), Some((8, &b""[..])));
    }
}
