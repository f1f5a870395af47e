// SPDX-License-Identifier: MIT OR Apache-2.0
//! Programs, shells, coprocesses and pseudoterminals as C sees them: answers, outputs, options, constants.

use std::ffi::{CStr, c_char, c_int, c_uint};
use std::ptr::{null, null_mut};

use libc::timespec;

use crate::ffi::error::unipc_last_error;
use crate::ffi::pipe::*;

static NOW: timespec = timespec { tv_sec: 0, tv_nsec: 0 };
static SHORT: timespec = timespec { tv_sec: 0, tv_nsec: 5_000_000 };

const SHELL: c_uint = unipc_process_flag::UNIPC_PROCESS_SHELL as c_uint;
const READ: c_uint = unipc_shell_flag::UNIPC_SHELL_READ as c_uint;
const WRITE: c_uint = unipc_shell_flag::UNIPC_SHELL_WRITE as c_uint;

fn words() -> String {
    // SAFETY: the string lives until this thread's next failure.
    unsafe { CStr::from_ptr(unipc_last_error()) }.to_string_lossy().into_owned()
}

fn options() -> unipc_process_opts {
    // SAFETY: integers and pointers, of which zero is a value.
    let mut opts: unipc_process_opts = unsafe { std::mem::zeroed() };
    opts.sz = size_of::<unipc_process_opts>();
    opts
}

/// The array that C gives.
fn argv(words: &[&'static CStr]) -> Vec<*const c_char> {
    words.iter().map(|word| word.as_ptr()).chain([null()]).collect()
}

fn status(process: *const unipc_process) -> c_int {
    let mut status = 1000;
    // SAFETY: the handle is open, the pointers valid.
    assert_eq!(unsafe { unipc_process_wait(process, &raw mut status, null()) }, 0, "{}", words());
    status
}

fn spawn(
    words: &[&'static CStr],
    flags: c_uint,
    opts: *const unipc_process_opts,
) -> Result<c_int, c_int> {
    let mut process = null_mut();
    // SAFETY: the pointers are valid.
    match unsafe { unipc_process_spawn(&raw mut process, argv(words).as_ptr(), flags, opts) } {
        0 => {
            let status = status(process);
            // SAFETY: the handle is open and used no more.
            unsafe { unipc_process_close(process) };
            Ok(status)
        }
        error => {
            assert!(process.is_null());
            Err(error)
        }
    }
}

/// What a line of the shell puts out.
fn output(line: &'static CStr, opts: *const unipc_process_opts, flags: c_uint) -> String {
    let mut shell = null_mut();
    let (mut room, mut all) = ([0_u8; 256], Vec::new());
    let flags = SHELL | READ | flags;
    // SAFETY: the pointers are valid.
    let made = unsafe { unipc_shell_open(&raw mut shell, argv(&[line]).as_ptr(), flags, opts) };
    assert_eq!(made, 0, "{}", words());
    loop {
        // SAFETY: the handle is open, and the room is as large as told.
        let count = unsafe { unipc_shell_read(shell, room.as_mut_ptr().cast(), 256, null()) };
        match usize::try_from(count).unwrap() {
            0 => break,
            count => all.extend_from_slice(&room[..count]),
        }
    }
    // SAFETY: the handle is open and used no more.
    unsafe { unipc_shell_close(shell) };
    String::from_utf8(all).unwrap()
}

#[test]
fn programs_end_with_a_number() {
    assert_eq!(spawn(&[c"true"], 0, null()), Ok(0));
    assert_eq!(spawn(&[c"exit 3"], SHELL, null()), Ok(3));
    assert_eq!(spawn(&[c"kill -9 $$"], SHELL, null()), Ok(-9));
    assert_eq!(spawn(&[c"unipc-no-such-program"], 0, null()), Err(-libc::ENOENT));
    assert!(words().contains("no folder of PATH"), "{}", words());
    assert_eq!(spawn(&[], 0, null()), Err(-libc::EINVAL));
    assert_eq!(spawn(&[c"a", c"b"], SHELL, null()), Err(-libc::EINVAL));
    assert_eq!(spawn(&[c"true"], 1 << 8, null()), Err(-libc::EINVAL));
}

#[test]
fn options_reach_the_program() {
    let environment = [c"UNIPC_A=1".as_ptr(), c"HOME".as_ptr(), null()];
    let mut opts = options();
    opts.environment = environment.as_ptr();
    opts.directory = c"/".as_ptr();
    assert_eq!(output(c"echo $UNIPC_A ${HOME-none}; pwd", &raw const opts, 0), "1 none\n/\n");
    let clear = unipc_process_flag::UNIPC_PROCESS_CLEAR_ENVIRONMENT as c_uint;
    let text = output(c"/usr/bin/env | grep UNIPC; echo $HOME", &raw const opts, clear);
    assert_eq!(text, "UNIPC_A=1\n\n");
    let both = unipc_process_flag::UNIPC_PROCESS_STDERR_TO_STDOUT as c_uint;
    assert_eq!(output(c"echo err >&2", null(), both), "err\n");
    let fds = [
        unipc_process_descriptor {
            ours: unipc_process_constant::UNIPC_FD_NULL as c_int,
            theirs: 0,
        },
        unipc_process_descriptor { ours: 2, theirs: 9 },
    ];
    let mut opts = options();
    (opts.descriptors, opts.descriptor_count) = (fds.as_ptr(), fds.len());
    let line = c"read x || echo null; test -e /dev/fd/9 && echo nine";
    assert_eq!(output(line, &raw const opts, 0), "null\nnine\n");
    let bad = [unipc_process_descriptor { ours: 9999, theirs: 0 }];
    (opts.descriptors, opts.descriptor_count) = (bad.as_ptr(), 1);
    assert_eq!(spawn(&[c"true"], 0, &raw const opts), Err(-libc::EBADF));
}

#[test]
fn a_process_is_waited_for_and_signalled() {
    let mut process = null_mut();
    // SAFETY: the pointers are valid, the handle is open and then used no more.
    unsafe {
        let list = argv(&[c"sleep", c"1000"]);
        assert_eq!(unipc_process_spawn(&raw mut process, list.as_ptr(), 0, null()), 0);
        assert!(unipc_process_pid(process) > 1 && unipc_process_fd(process) > 2);
        assert_eq!(unipc_process_wait(process, null_mut(), &raw const NOW), -libc::EAGAIN);
        assert_eq!(unipc_process_wait(process, null_mut(), &raw const SHORT), -libc::ETIMEDOUT);
        assert_eq!(unipc_process_signal(process, libc::SIGTERM), 0);
        assert_eq!(status(process), -libc::SIGTERM);
        assert_eq!(unipc_process_signal(process, 0), -libc::ESRCH);
        assert_eq!(unipc_process_kill(process), 0);
        unipc_process_close(process);
    }
}

#[test]
fn popen_takes_a_line_and_a_direction() {
    let mut shell = null_mut();
    let mut room = [0_u8; 8];
    let buf = room.as_mut_ptr().cast();
    let mut status = 1000;
    // SAFETY: the pointers are valid, the handles are open and then used no more.
    unsafe {
        let line = c"printf 'one\\n\\nlong line\\n'; exit 3".as_ptr();
        assert_eq!(unipc_shell_popen(&raw mut shell, line, c"r".as_ptr()), 0);
        assert_eq!(unipc_shell_read_line(shell, buf, 8, null()), 3);
        assert_eq!(unipc_shell_read_line(shell, buf, 8, null()), 0);
        assert_eq!(unipc_shell_read_line(shell, buf, 8, null()), -libc::EMSGSIZE as isize);
        assert_eq!(unipc_shell_read(shell, buf.cast(), 8, null()), 8);
        assert_eq!(unipc_shell_read_line(shell, buf, 8, null()), 1);
        assert_eq!(unipc_shell_read_line(shell, buf, 8, null()), -libc::ENODATA as isize);
        assert_eq!(unipc_shell_write(shell, buf.cast(), 1, null()), -libc::EBADF);
        assert!(unipc_shell_fd(shell) > 2);
        assert_eq!(unipc_shell_wait(shell, &raw mut status, null()), 0);
        assert_eq!(unipc_shell_fd(shell), -libc::EBADF);
        unipc_shell_close(shell);
        assert_eq!(status, 3);
        assert_eq!(
            unipc_shell_popen(&raw mut shell, c"true".as_ptr(), c"rw".as_ptr()),
            -libc::EINVAL
        );
        assert!(shell.is_null());

        let line = c"read -r x; test \"$x\" = hello && exit 4".as_ptr();
        assert_eq!(unipc_shell_popen(&raw mut shell, line, c"we".as_ptr()), 0);
        assert_eq!(unipc_shell_write(shell, c"hello\n".as_ptr().cast(), 6, null()), 0);
        assert_eq!(unipc_shell_end(shell), 0);
        assert!(unipc_process_pid(unipc_shell_process(shell)) > 1);
        assert_eq!(unipc_shell_wait(shell, &raw mut status, null()), 0);
        unipc_shell_close(shell);
        assert_eq!(status, 4);
        let list = argv(&[c"true"]);
        for flags in [0, READ | WRITE] {
            let made = unipc_shell_open(&raw mut shell, list.as_ptr(), flags, null());
            assert_eq!(made, -libc::EINVAL);
        }
    }
}

#[test]
fn a_coprocess_answers() {
    let mut filter = null_mut();
    let mut room = [b'#'; 8];
    let buf: *mut c_char = room.as_mut_ptr().cast();
    let mut opts = options();
    opts.line_limit = 20;
    let hello = c"hello".as_ptr().cast();
    // SAFETY: the pointers are valid, the handles are open and then used no more.
    unsafe {
        let list = argv(&[c"cat"]);
        assert_eq!(unipc_coprocess_spawn(&raw mut filter, list.as_ptr(), 0, &raw const opts), 0);
        assert_eq!(unipc_coprocess_exchange(filter, hello, 5, buf, 8, null()), 5);
        assert_eq!(CStr::from_ptr(buf), c"hello");
        // One byte too few for the NUL: the line stays.
        assert_eq!(
            unipc_coprocess_exchange(filter, hello, 5, buf, 5, null()),
            -libc::EMSGSIZE as isize
        );
        assert_eq!(unipc_coprocess_read_line(filter, buf, 6, null()), 5);
        assert_eq!(
            unipc_coprocess_read_line(filter, buf, 8, &raw const NOW),
            -libc::EAGAIN as isize
        );
        assert_eq!(
            unipc_coprocess_write_line(filter, c"a\nb".as_ptr().cast(), 3, null()),
            -libc::EINVAL
        );
        assert_eq!(unipc_coprocess_write_line(filter, hello, 5, null()), 0);
        assert_eq!(unipc_coprocess_write(filter, hello, 5, null()), 0);
        assert_eq!(unipc_coprocess_read(filter, buf.cast(), 6, null()), 6);
        assert!(unipc_coprocess_fd(filter) > 2);
        let left =
            unipc_coprocess_communicate(filter, c"!".as_ptr().cast(), 1, buf.cast(), 2, null());
        assert_eq!(left, 6, "what there was, not what there was room for");
        assert_eq!(&room[..2], b"he");
        assert_eq!(unipc_coprocess_has_buffered(filter), 0);
        assert_eq!(unipc_coprocess_write(filter, hello, 5, null()), -libc::EBADF);
        let mut ended = 1000;
        assert_eq!(unipc_coprocess_wait(filter, &raw mut ended, null()), 0);
        assert_eq!(ended, 0);
        unipc_coprocess_close(filter);

        let list = argv(&[c"read x; exit 7"]);
        assert_eq!(unipc_coprocess_spawn(&raw mut filter, list.as_ptr(), SHELL, null()), 0);
        let dead = unipc_coprocess_exchange(filter, hello, 5, buf, 8, null());
        assert_eq!(dead, -libc::EPIPE as isize);
        assert!(told("exit status: 7"));
        assert_eq!(status(unipc_coprocess_process(filter)), 7);
        assert_eq!(unipc_coprocess_end_input(filter), 0);
        unipc_coprocess_close(filter);

        let terminal = unipc_coprocess_flag::UNIPC_COPROCESS_TERMINAL as c_uint;
        let list = argv(&[c"sed", c"s/^/</"]);
        assert_eq!(unipc_coprocess_spawn(&raw mut filter, list.as_ptr(), terminal, null()), 0);
        assert_eq!(unipc_coprocess_exchange(filter, hello, 5, buf, 8, null()), 6);
        assert_eq!(CStr::from_ptr(buf), c"<hello");
        unipc_coprocess_close(filter);
    }
}

fn told(what: &str) -> bool {
    words().contains(what)
}

#[test]
fn a_pseudoterminal_is_a_terminal() {
    let (mut pty, mut raw) = (null_mut(), null_mut());
    let mut room = [0_u8; 64];
    let buf: *mut c_char = room.as_mut_ptr().cast();
    let size = unipc_window_size { rows: 30, columns: 100, width: 0, height: 0 };
    let mut got = unipc_window_size::default();
    // SAFETY: the pointers are valid, the handles are open and then used no more.
    unsafe {
        let list = argv(&[c"tty; read -r x; echo got $x; stty size"]);
        assert_eq!(unipc_pty_spawn(&raw mut pty, list.as_ptr(), SHELL, null(), &raw const size), 0);
        assert!(unipc_pty_read_line(pty, buf, 64, null()) > 0);
        let said = CStr::from_ptr(buf).to_str().unwrap();
        assert_eq!(said.trim_end(), CStr::from_ptr(unipc_pty_name(pty)).to_str().unwrap());
        assert_eq!(unipc_pty_window_size(pty, &raw mut got), 0);
        assert_eq!(got, size);
        assert_eq!(unipc_pty_modes(pty), 15);
        let echo = unipc_terminal_mode::UNIPC_TERMINAL_ECHO as c_uint;
        assert_eq!(unipc_pty_set_modes(pty, 15 & !echo), 0);
        assert_eq!(unipc_pty_set_modes(pty, 16), -libc::EINVAL);
        assert_eq!(unipc_pty_set_window_size(pty, null()), 0);
        assert_eq!(unipc_pty_write(pty, c"typed\n".as_ptr().cast(), 6, null()), 0);
        for line in [c"got typed\r", c"24 80\r"] {
            assert!(unipc_pty_read_line(pty, buf, 64, null()) > 0);
            assert_eq!(CStr::from_ptr(buf), line);
        }
        assert_eq!(unipc_pty_read_line(pty, buf, 64, null()), -libc::ENODATA as isize);
        assert_eq!(unipc_pty_read(pty, buf.cast(), 64, null()), 0);
        assert_eq!(status(unipc_pty_process(pty)), 0);
        assert_eq!(unipc_pty_wait(pty, null_mut(), null()), 0);
        unipc_pty_close(pty);

        assert_eq!(unipc_pty_open(&raw mut pty, null()), 0);
        assert!(unipc_pty_process(pty).is_null());
        assert_eq!(unipc_pty_wait(pty, null_mut(), null()), -libc::ECHILD);
        let slave = unipc_pty_slave(pty);
        assert_eq!((unipc_terminal_is(slave), unipc_terminal_is(unipc_pty_fd(pty))), (1, 1));
        assert_eq!(unipc_raw_mode_enter(&raw mut raw, slave), 0);
        assert_eq!(unipc_terminal_modes(slave), 0);
        assert_eq!(unipc_raw_mode_restore(raw), 0);
        assert_eq!(unipc_terminal_modes(slave), 15);
        unipc_raw_mode_close(raw);
        assert_eq!(unipc_terminal_set_modes(slave, 3), 0);
        assert_eq!(unipc_pty_modes(pty), 3);
        assert_eq!(unipc_terminal_set_window_size(slave, &raw const size), 0);
        assert_eq!(unipc_terminal_window_size(slave, &raw mut got), 0);
        assert_eq!(got, size);
        assert_eq!(unipc_pty_end_of_file(pty, null()), 0);
        assert_eq!(libc::read(slave, buf.cast(), 64), 0);
        assert_eq!(unipc_pty_has_buffered(pty), 0);
        assert_eq!(unipc_pty_hang_up(pty), 0);
        assert_eq!(unipc_pty_fd(pty), -libc::EBADF);
        libc::close(slave);
        unipc_pty_close(pty);
    }
    let mut pipe = [0; 2];
    // SAFETY: the pointers are valid, and the descriptors are this test's own.
    unsafe {
        assert_eq!(libc::pipe2(pipe.as_mut_ptr(), libc::O_CLOEXEC), 0);
        assert_eq!(unipc_terminal_is(pipe[0]), 0);
        assert_eq!(unipc_terminal_modes(pipe[0]), -libc::ENOTTY);
        assert_eq!(unipc_raw_mode_enter(&raw mut raw, pipe[0]), -libc::ENOTTY);
        assert_eq!(unipc_terminal_is(-1), -libc::EBADF);
        libc::close(pipe[0]);
        libc::close(pipe[1]);
    }
}
