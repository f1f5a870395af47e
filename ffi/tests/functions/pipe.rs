// SPDX-License-Identifier: MIT OR Apache-2.0
//! Pipes, FIFOs, turnstiles and frames as C sees them: answers, outputs, options, constants.

use std::ffi::{CStr, CString, c_int, c_uint, c_void};
use std::ptr::{null, null_mut};

use libc::timespec;

use crate::ffi::error::unipc_last_error;
use crate::ffi::frame::*;
use crate::ffi::pipe::*;

static NOW: timespec = timespec { tv_sec: 0, tv_nsec: 0 };
static SHORT: timespec = timespec { tv_sec: 0, tv_nsec: 5_000_000 };

fn words() -> String {
    // SAFETY: the string lives until this thread's next failure.
    unsafe { CStr::from_ptr(unipc_last_error()) }.to_string_lossy().into_owned()
}

fn pipe(
    flags: c_uint,
    opts: *const unipc_pipe_opts,
) -> Result<(*mut unipc_pipe, *mut unipc_pipe), c_int> {
    let (mut reader, mut writer) = (null_mut(), null_mut());
    // SAFETY: the pointers are valid.
    match unsafe { unipc_pipe_create(&raw mut reader, &raw mut writer, flags, opts) } {
        0 => Ok((reader, writer)),
        error => {
            assert!(reader.is_null() && writer.is_null());
            Err(error)
        }
    }
}

fn close(ends: [*mut unipc_pipe; 2]) {
    // SAFETY: the handles are open and used no more.
    ends.into_iter().for_each(|end| unsafe { unipc_pipe_close(end) });
}

/// What `read` says, and what it gave.
fn read(end: *mut unipc_pipe, timeout: &timespec) -> (isize, Vec<u8>) {
    let mut room = [0_u8; 64];
    // SAFETY: the handle is open, and the room is as large as told.
    let answer = unsafe { unipc_pipe_read(end, room.as_mut_ptr().cast(), room.len(), timeout) };
    (answer, room[..usize::try_from(answer).unwrap_or(0)].to_vec())
}

/// Waits until nobody has the other end any more. A child that another test starts has it, too, until its exec.
fn wait_until_alone(end: *const unipc_pipe) {
    // SAFETY: the handle is open.
    let fd = unsafe { unipc_pipe_fd(end) };
    let mut polled = libc::pollfd { fd, events: 0, revents: 0 };
    // SAFETY: one pollfd, as told.
    assert_eq!(unsafe { libc::poll(&raw mut polled, 1, -1) }, 1);
}

#[test]
fn bytes_go_through_and_the_answers_count_them() {
    let (reader, writer) = pipe(0, null()).unwrap();
    let bytes: *const c_void = c"hello".as_ptr().cast();
    let mut done = 7;
    assert_eq!(read(reader, &NOW).0, -libc::EAGAIN as isize);
    assert_eq!(read(reader, &SHORT).0, -libc::ETIMEDOUT as isize);
    assert!(words().starts_with("read(pipe fd "), "{}", words());
    // SAFETY: the handles are open, the pointers valid.
    unsafe {
        assert_eq!(unipc_pipe_write(writer, bytes, 5, null()), 5);
        assert_eq!(unipc_pipe_waiting(reader), 5);
        assert_eq!(read(reader, &NOW), (5, b"hello".to_vec()));
        assert_eq!(unipc_pipe_write_all(writer, bytes, 3, &raw const NOW, &raw mut done), 0);
        assert_eq!(done, 3);
        let mut room = [0_u8; 8];
        let start = room.as_mut_ptr().cast();
        let answer = unipc_pipe_read_exact(reader, start, 5, &raw const NOW, &raw mut done);
        assert_eq!((answer, done, &room[..3]), (-libc::EAGAIN, 3, b"hel".as_slice()));
        assert!(words().contains("after 3 of 5 bytes (EAGAIN)"), "{}", words());
        let large = vec![0_u8; 1 << 20];
        let start = large.as_ptr().cast();
        let answer = unipc_pipe_write_all(writer, start, 1 << 20, &raw const NOW, &raw mut done);
        assert_eq!((answer, done), (-libc::EAGAIN, 65536));
        assert_eq!(unipc_pipe_write_atomic(writer, start, 4097, null()), -libc::EMSGSIZE);
        let answer = unipc_pipe_read_exact(writer, start.cast_mut(), 1, null(), &raw mut done);
        assert_eq!((answer, done), (-libc::EBADF, 0));
    }
    close([reader, writer]);
}

#[test]
fn the_end_and_a_broken_pipe_are_told() {
    let (reader, writer) = pipe(0, null()).unwrap();
    let mut copy = null_mut();
    // SAFETY: the handles are open, the pointers valid.
    unsafe {
        assert_eq!(unipc_pipe_clone(&raw mut copy, writer), 0);
        unipc_pipe_close(writer);
        assert_eq!(read(reader, &NOW).0, -libc::EAGAIN as isize);
        unipc_pipe_close(copy);
        wait_until_alone(reader);
        assert_eq!(read(reader, &NOW), (0, Vec::new()));
        let mut byte = 0_u8;
        let byte = (&raw mut byte).cast();
        assert_eq!(unipc_pipe_read_exact(reader, byte, 1, null(), null_mut()), -libc::ENODATA);
        unipc_pipe_close(reader);
        let (reader, writer) = pipe(0, null()).unwrap();
        unipc_pipe_close(reader);
        wait_until_alone(writer);
        assert_eq!(unipc_pipe_write(writer, byte, 1, null()), -libc::EPIPE as isize);
        unipc_pipe_close(writer);
    }
}

#[test]
fn options_flags_and_places_are_checked() {
    let opts = unipc_pipe_opts { sz: size_of::<unipc_pipe_opts>(), capacity: 1 << 20 };
    let (reader, writer) =
        pipe(unipc_pipe_flag::UNIPC_PIPE_PACKETS as c_uint, &raw const opts).unwrap();
    // SAFETY: the handles are open, the pointers valid.
    unsafe {
        assert_eq!(unipc_pipe_capacity(reader), 1 << 20);
        assert_eq!(unipc_pipe_set_capacity(writer, 5000), 8192);
        assert!(unipc_pipe_capacity_limit() >= 4096);
        for packet in [c"ab", c"c"] {
            unipc_pipe_write(writer, packet.as_ptr().cast(), packet.count_bytes(), null());
        }
        assert_eq!((read(reader, &NOW).1, read(reader, &NOW).1), (b"ab".to_vec(), b"c".to_vec()));
        close([reader, writer]);
        let mut same = null_mut();
        let answer = unipc_pipe_create(&raw mut same, &raw mut same, 0, null());
        assert_eq!((answer, same), (-libc::EINVAL, null_mut()));
        assert_eq!(unipc_pipe_from_fd(&raw mut same, -1), -libc::EBADF);
        let root = libc::open(c"/".as_ptr(), libc::O_RDONLY | libc::O_CLOEXEC);
        assert_eq!(unipc_pipe_from_fd(&raw mut same, root), -libc::EOPNOTSUPP);
        libc::close(root);
        assert_eq!(unipc_pipe_duplex(&raw mut same, &raw mut same), -libc::EINVAL);
    }
    assert_eq!(pipe(8, null()).unwrap_err(), -libc::EINVAL);
    let unset = unipc_pipe_opts { sz: 0, capacity: 0 };
    assert_eq!(pipe(0, &raw const unset).unwrap_err(), -libc::EINVAL);
    let bad = timespec { tv_sec: -1, tv_nsec: 0 };
    let (reader, writer) = pipe(0, null()).unwrap();
    assert_eq!(read(reader, &bad).0, -libc::EINVAL as isize);
    close([reader, writer]);
}

#[test]
fn a_duplex_and_its_descriptor() {
    let (mut one, mut other, mut copy) = (null_mut(), null_mut(), null_mut());
    // SAFETY: the handles are open, the pointers valid.
    unsafe {
        assert_eq!(unipc_pipe_duplex(&raw mut one, &raw mut other), 0);
        assert_eq!(unipc_pipe_from_fd(&raw mut copy, unipc_pipe_fd(one)), 0);
        assert_eq!(unipc_pipe_write(copy, c"x".as_ptr().cast(), 1, null()), 1);
        assert_eq!(unipc_pipe_finish_writing(one), 0);
        assert_eq!((read(other, &NOW).1, read(other, &NOW).0), (b"x".to_vec(), 0));
        assert_eq!(unipc_pipe_keep_open(one), -libc::ENXIO);
        let fd = unipc_pipe_fd(one);
        assert_eq!(
            CStr::from_ptr(unipc_pipe_name(one)),
            &*CString::new(format!("pipe fd {fd}")).unwrap()
        );
        assert_eq!(libc::fcntl(fd, libc::F_GETFD), libc::FD_CLOEXEC);
        assert_eq!(unipc_pipe_set_inheritable(one, 1), 0);
        assert_eq!(libc::fcntl(fd, libc::F_GETFD), 0);
        assert_eq!(unipc_pipe_set_inheritable(one, 0), 0);
        assert_eq!(libc::fcntl(fd, libc::F_GETFD), libc::FD_CLOEXEC);
        assert_eq!(unipc_pipe_sigpipe(one), 0);
        assert_eq!(unipc_pipe_set_sigpipe(one, 2), 0);
        assert_eq!(unipc_pipe_sigpipe(one), 1);
        assert_eq!(unipc_pipe_set_sigpipe(one, 0), 0);
        assert_eq!(unipc_pipe_sigpipe(one), 0);
    }
    close([one, other]);
    close([copy, null_mut()]);
}

#[test]
fn a_fifo_lives_by_its_name() {
    let path = format!("{}/c-fifo-{}", env!("CARGO_TARGET_TMPDIR"), std::process::id());
    let name = CString::new(format!("file:{path}")).unwrap();
    let name = name.as_ptr();
    let exist_ok = unipc_fifo_flag::UNIPC_FIFO_EXIST_OK as c_uint;
    let (mut reader, mut writer) = (null_mut(), null_mut());
    // SAFETY: the handles are open, the pointers valid.
    unsafe {
        assert_eq!(unipc_fifo_create(name, 0, 0o640), 0);
        assert_eq!(unipc_fifo_create(name, 0, 0), -libc::EEXIST);
        assert_eq!(unipc_fifo_create(name, exist_ok, 0), 0);
        assert_eq!(unipc_fifo_create(name, 2, 0), -libc::EINVAL);
        assert_eq!(unipc_fifo_create(name, 0, 0o10000), -libc::EINVAL);
        assert_eq!(unipc_fifo_create(c"/posix".as_ptr(), 0, 0), -libc::EOPNOTSUPP);
        let mode = std::os::unix::fs::MetadataExt::mode(&std::fs::metadata(&path).unwrap());
        assert_eq!(mode & 0o7777, 0o640);
        assert_eq!(unipc_fifo_writer(&raw mut writer, name, &raw const NOW), -libc::ENXIO);
        assert!(writer.is_null());
        assert_eq!(unipc_fifo_reader(&raw mut reader, name, &raw const SHORT), -libc::ETIMEDOUT);
        assert_eq!(unipc_fifo_reader(&raw mut reader, name, &raw const NOW), 0);
        assert_eq!(read(reader, &NOW).0, -libc::EAGAIN as isize);
        assert_eq!(unipc_pipe_keep_open(reader), 0);
        assert_eq!(read(reader, &NOW).0, -libc::EAGAIN as isize);
        assert_eq!(unipc_fifo_writer(&raw mut writer, name, null()), 0);
        assert_eq!(CStr::from_ptr(unipc_pipe_name(writer)), CStr::from_ptr(name));
        assert_eq!(unipc_pipe_write_atomic(writer, c"x".as_ptr().cast(), 1, null()), 0);
        assert_eq!(unipc_fifo_unlink(name), 0);
        assert_eq!(unipc_fifo_unlink(name), -libc::ENOENT);
        assert_eq!(unipc_fifo_reader(&raw mut writer, name, null()), -libc::ENOENT);
    }
    close([reader, null_mut()]);
}

#[test]
fn a_turnstile_knows_its_side() {
    let (mut turnstile, mut child) = (null_mut(), null_mut());
    let (mut hear, mut tell) = (-1, -1);
    let parent_side = unipc_side::UNIPC_SIDE_PARENT as c_int;
    let child_side = unipc_side::UNIPC_SIDE_CHILD as c_int;
    // SAFETY: the handles are open, the pointers valid.
    unsafe {
        assert_eq!(unipc_turnstile_create(&raw mut turnstile), 0);
        assert_eq!(unipc_turnstile_fds(turnstile, child_side, &raw mut hear, &raw mut tell), 0);
        assert_eq!(unipc_turnstile_from_fds(&raw mut child, child_side, hear, tell), 0);
        assert_eq!(unipc_turnstile_tell_parent(turnstile), -libc::EINVAL);
        assert_eq!(unipc_turnstile_choose(turnstile, parent_side), 0);
        assert_eq!(unipc_turnstile_choose(turnstile, child_side), -libc::EINVAL);
        assert_eq!(unipc_turnstile_choose(turnstile, 3), -libc::EINVAL);
        let gone = unipc_turnstile_fds(turnstile, child_side, &raw mut hear, &raw mut tell);
        assert_eq!(gone, -libc::EBADF);
        assert_eq!(unipc_turnstile_wait_child(turnstile, &raw const NOW), -libc::EAGAIN);
        assert_eq!(unipc_turnstile_wait_parent(child, &raw const SHORT), -libc::ETIMEDOUT);
        assert_eq!(unipc_turnstile_tell_child(turnstile), 0);
        assert_eq!(unipc_turnstile_wait_parent(child, null()), 0);
        assert_eq!(unipc_turnstile_tell_parent(child), 0);
        assert_eq!(unipc_turnstile_wait_child(turnstile, null()), 0);
        unipc_turnstile_close(child);
        assert_eq!(unipc_turnstile_wait_child(turnstile, null()), -libc::EPIPE);
        assert!(words().contains("the child has ended"), "{}", words());
        unipc_turnstile_close(turnstile);
        assert_eq!(unipc_turnstile_from_fds(&raw mut child, 0, 0, 0), -libc::EINVAL);
    }
}

#[test]
fn frames_come_as_they_went() {
    let (reader, writer) = pipe(0, null()).unwrap();
    let (mut from, mut to) = (null_mut(), null_mut());
    let exclusive = unipc_frame_flag::UNIPC_FRAME_EXCLUSIVE as c_uint;
    let (mut data, mut len): (*const c_void, usize) = (null(), 7);
    // SAFETY: the handles are open, the pointers valid, and a frame is as long as told.
    unsafe {
        assert_eq!(unipc_frame_reader_open(&raw mut from, unipc_pipe_fd(reader), 100_000), 0);
        assert_eq!(unipc_frame_writer_open(&raw mut to, unipc_pipe_fd(writer), exclusive, 0), 0);
        assert_eq!(unipc_frame_writer_open(null_mut(), 0, 4, 0), -libc::EINVAL);
        close([reader, writer]);
        let answer = unipc_frame_read(from, &raw mut data, &raw mut len, &raw const NOW);
        assert_eq!((answer, len, data), (-libc::EAGAIN, 7, null()));
        assert_eq!(unipc_frame_write(to, c"abc".as_ptr().cast(), 3, null()), 0);
        assert_eq!(unipc_frame_write(to, null(), 0, null()), 0);
        assert_eq!(unipc_frame_read(from, &raw mut data, &raw mut len, null()), 1);
        assert_eq!(std::slice::from_raw_parts(data.cast::<u8>(), len), b"abc");
        assert_eq!(unipc_frame_read(from, &raw mut data, &raw mut len, null()), 1);
        assert_eq!(len, 0);
        let long = vec![1_u8; 100_001];
        let start = long.as_ptr().cast();
        assert_eq!(unipc_frame_unfinished(to), 0);
        assert_eq!(unipc_frame_write(to, start, 100_001, &raw const NOW), -libc::EAGAIN);
        assert_eq!(unipc_frame_unfinished(to), 1);
        assert_eq!(unipc_frame_finish(to, &raw const SHORT), -libc::ETIMEDOUT);
        assert_eq!(unipc_frame_read(from, &raw mut data, &raw mut len, null()), -libc::EMSGSIZE);
        unipc_frame_reader_close(from);
        assert_eq!(unipc_frame_finish(to, null()), -libc::EPIPE);
        unipc_frame_writer_close(to);
    }
}

#[test]
fn the_constants_are_the_cores() {
    use unipc_core::{pipe, stream};
    assert_eq!(unipc_pipe_constant::UNIPC_PIPE_BUF as usize, pipe::PIPE_BUF);
    assert_eq!(unipc_frame_constant::UNIPC_FRAME_ATOMIC as usize, stream::FRAME_ATOMIC);
    assert_eq!(unipc_frame_constant::UNIPC_FRAME_LIMIT as u32, stream::FRAME_LIMIT);
}
