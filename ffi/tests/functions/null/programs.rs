// SPDX-License-Identifier: MIT OR Apache-2.0
//! NULL for the functions of programs, shells, coprocesses, pseudoterminals and terminals.

use super::*;

/// The functions of programs that were asked.
#[allow(clippy::too_many_lines, reason = "a line a call")]
pub(super) fn programs() -> Vec<&'static str> {
    let argv = [c"cat".as_ptr(), null()];
    let argv = argv.as_ptr();
    let (mut shell, mut filter, mut pty) = (null_mut(), null_mut(), null_mut());
    let write = unipc_shell_flag::UNIPC_SHELL_WRITE as std::ffi::c_uint;
    // SAFETY: the pointers are valid.
    let made = unsafe {
        [
            unipc_shell_open(&raw mut shell, argv, write, null()),
            unipc_coprocess_spawn(&raw mut filter, argv, 0, null()),
            unipc_pty_spawn(&raw mut pty, argv, 0, null(), null()),
        ]
    };
    assert_eq!(made, [0; 3]);
    let mut byte = 0_u8;
    let (buf, text) = ((&raw mut byte).cast(), (&raw mut byte).cast());
    let (no_process, no_shell) = (null::<unipc_process>(), null::<unipc_shell>());
    let (no_filter, no_pty) = (null::<unipc_coprocess>(), null::<unipc_pty>());
    let (mut process, mut other_shell, mut raw) = (null_mut(), null_mut(), null_mut());
    let (mut other_filter, mut other_pty) = (null_mut(), null_mut());
    let (line, way) = (c"true".as_ptr(), c"r".as_ptr());
    let asked = ask! {
        unipc_process_spawn(null_mut(), argv, 0, null()) -> INVALID;
        unipc_process_spawn(&raw mut process, null(), 0, null()) -> INVALID;
        unipc_process_wait(no_process, null_mut(), null()) -> INVALID;
        unipc_process_signal(no_process, 0) -> INVALID;
        unipc_process_kill(no_process) -> INVALID;
        unipc_process_pid(no_process) -> INVALID;
        unipc_process_fd(no_process) -> INVALID;
        unipc_shell_open(null_mut(), argv, write, null()) -> INVALID;
        unipc_shell_open(&raw mut other_shell, null(), write, null()) -> INVALID;
        unipc_shell_popen(null_mut(), line, way) -> INVALID;
        unipc_shell_popen(&raw mut other_shell, null(), way) -> INVALID;
        unipc_shell_popen(&raw mut other_shell, line, null()) -> INVALID;
        unipc_shell_read(no_shell, buf, 1, null()) -> INVALID as isize;
        unipc_shell_read(shell, null_mut(), 1, null()) -> INVALID as isize;
        unipc_shell_read_line(no_shell, text, 1, null()) -> INVALID as isize;
        unipc_shell_read_line(shell, null_mut(), 1, null()) -> INVALID as isize;
        unipc_shell_write(no_shell, buf, 1, null()) -> INVALID;
        unipc_shell_write(shell, null(), 1, null()) -> INVALID;
        unipc_shell_end(no_shell) -> INVALID;
        unipc_shell_wait(no_shell, null_mut(), null()) -> INVALID;
        unipc_shell_process(no_shell) -> null();
        unipc_shell_fd(no_shell) -> INVALID;
        unipc_coprocess_spawn(null_mut(), argv, 0, null()) -> INVALID;
        unipc_coprocess_spawn(&raw mut other_filter, null(), 0, null()) -> INVALID;
        unipc_coprocess_exchange(no_filter, buf, 1, text, 1, null()) -> INVALID as isize;
        unipc_coprocess_exchange(filter, null(), 1, text, 1, null()) -> INVALID as isize;
        unipc_coprocess_exchange(filter, buf, 1, null_mut(), 1, null()) -> INVALID as isize;
        unipc_coprocess_write(no_filter, buf, 1, null()) -> INVALID;
        unipc_coprocess_write(filter, null(), 1, null()) -> INVALID;
        unipc_coprocess_write_line(no_filter, buf, 1, null()) -> INVALID;
        unipc_coprocess_write_line(filter, null(), 1, null()) -> INVALID;
        unipc_coprocess_read(no_filter, buf, 1, null()) -> INVALID as isize;
        unipc_coprocess_read(filter, null_mut(), 1, null()) -> INVALID as isize;
        unipc_coprocess_read_line(no_filter, text, 1, null()) -> INVALID as isize;
        unipc_coprocess_read_line(filter, null_mut(), 1, null()) -> INVALID as isize;
        unipc_coprocess_communicate(no_filter, buf, 1, buf, 1, null()) -> INVALID as isize;
        unipc_coprocess_communicate(filter, null(), 1, buf, 1, null()) -> INVALID as isize;
        unipc_coprocess_communicate(filter, buf, 1, null_mut(), 1, null()) -> INVALID as isize;
        unipc_coprocess_end_input(no_filter) -> INVALID;
        unipc_coprocess_wait(no_filter, null_mut(), null()) -> INVALID;
        unipc_coprocess_process(no_filter) -> null();
        unipc_coprocess_fd(no_filter) -> INVALID;
        unipc_coprocess_has_buffered(no_filter) -> INVALID;
        unipc_pty_open(null_mut(), null()) -> INVALID;
        unipc_pty_spawn(null_mut(), argv, 0, null(), null()) -> INVALID;
        unipc_pty_spawn(&raw mut other_pty, null(), 0, null(), null()) -> INVALID;
        unipc_pty_name(no_pty) -> null();
        unipc_pty_slave(no_pty) -> INVALID;
        unipc_pty_read(no_pty, buf, 1, null()) -> INVALID as isize;
        unipc_pty_read(pty, null_mut(), 1, null()) -> INVALID as isize;
        unipc_pty_read_line(no_pty, text, 1, null()) -> INVALID as isize;
        unipc_pty_read_line(pty, null_mut(), 1, null()) -> INVALID as isize;
        unipc_pty_write(no_pty, buf, 1, null()) -> INVALID;
        unipc_pty_write(pty, null(), 1, null()) -> INVALID;
        unipc_pty_end_of_file(no_pty, null()) -> INVALID;
        unipc_pty_window_size(no_pty, null_mut()) -> INVALID;
        unipc_pty_window_size(pty, null_mut()) -> INVALID;
        unipc_pty_set_window_size(no_pty, null()) -> INVALID;
        unipc_pty_modes(no_pty) -> INVALID;
        unipc_pty_set_modes(no_pty, 0) -> INVALID;
        unipc_pty_hang_up(no_pty) -> INVALID;
        unipc_pty_wait(no_pty, null_mut(), null()) -> INVALID;
        unipc_pty_process(no_pty) -> null();
        unipc_pty_fd(no_pty) -> INVALID;
        unipc_pty_has_buffered(no_pty) -> INVALID;
        unipc_terminal_window_size(0, null_mut()) -> INVALID;
        unipc_terminal_set_window_size(0, null()) -> INVALID;
        unipc_raw_mode_enter(null_mut(), 0) -> INVALID;
        unipc_raw_mode_restore(null()) -> INVALID;
    };
    // SAFETY: the handles are open and used no more, or NULL.
    unsafe {
        unipc_shell_close(shell);
        unipc_coprocess_close(filter);
        unipc_pty_close(pty);
        unipc_process_close(process);
        unipc_raw_mode_close(raw);
    }
    raw = null_mut();
    assert!(
        raw.is_null() && other_shell.is_null() && other_filter.is_null() && other_pty.is_null()
    );
    asked.to_vec()
}
