// SPDX-License-Identifier: MIT OR Apache-2.0
//! NULL for every pointer of every function: -EINVAL from those that return an int, NULL or 0 from getters.

use std::collections::BTreeSet;
use std::ffi::c_int;
use std::ptr::{null, null_mut};

use crate::ffi::frame::*;
use crate::ffi::mechanism::*;
use crate::ffi::mq::*;
use crate::ffi::name::*;
use crate::ffi::pipe::*;
use crate::ffi::sem::*;
use crate::ffi::shm::*;
use crate::ffi::socket::*;

/// Functions that take no pointer, or for which NULL is fine.
const EXEMPT: &[&str] = &[
    "unipc_errname",
    "unipc_frame_reader_close",
    "unipc_frame_writer_close",
    "unipc_last_error",
    "unipc_lock_close",
    "unipc_mq_close",
    "unipc_mq_sysv_list",
    "unipc_mq_sysv_remove",
    "unipc_mq_sysv_set",
    "unipc_coprocess_close",
    "unipc_mechanism_count",
    "unipc_page_size",
    "unipc_pipe_capacity_limit",
    "unipc_pipe_close",
    "unipc_process_close",
    "unipc_pty_close",
    "unipc_raw_mode_close",
    "unipc_shell_close",
    "unipc_sem_close",
    "unipc_semset_close",
    "unipc_semset_list",
    "unipc_sem_size",
    "unipc_listener_close",
    "unipc_shm_close",
    "unipc_socket_close",
    "unipc_shm_sysv_lock",
    "unipc_shm_sysv_remove",
    "unipc_shm_sysv_set",
    "unipc_shm_sysv_unlock",
    "unipc_strerror",
    "unipc_terminal_is",
    "unipc_terminal_modes",
    "unipc_terminal_set_modes",
    "unipc_barrier_close",
    "unipc_barrier_size",
    "unipc_condvar_close",
    "unipc_condvar_size",
    "unipc_event_close",
    "unipc_event_size",
    "unipc_mutex_close",
    "unipc_mutex_size",
    "unipc_once_close",
    "unipc_once_size",
    "unipc_rwlock_close",
    "unipc_rwlock_size",
    "unipc_sync_semaphore_close",
    "unipc_sync_semaphore_size",
    "unipc_turnstile_close",
    "unipc_version",
    "unipc_version_string",
    "unipc_shm_sysv_list",
];

/// The function's name, and its answer as a number: 0 for NULL.
macro_rules! ask {
    ($($function:ident($($argument:expr),*) -> $expected:expr;)*) => {
        [$({
            // SAFETY: every pointer is NULL or valid, and the handle is open.
            let answer = unsafe { $function($($argument),*) };
            assert_eq!(answer, $expected, "{}", stringify!($function($($argument),*)));
            // SAFETY: the string lives until this thread's next failure.
            let words = unsafe { std::ffi::CStr::from_ptr($crate::ffi::error::unipc_last_error()) }.to_str().unwrap();
            assert!(words.contains("it is NULL"), "{}: {words}", stringify!($function));
            stringify!($function)
        }),*]
    };
}

pub(crate) const INVALID: c_int = -libc::EINVAL;

mod programs;

/// The table of mechanisms, which is data.
fn mechanisms() -> Vec<&'static str> {
    let asked = ask! {
        unipc_mechanism_at(0, null_mut()) -> INVALID;
    };
    asked.to_vec()
}

/// The functions of semaphores that were asked.
fn semaphores() -> Vec<&'static str> {
    let (mut out, mut set_out) = (null_mut(), null_mut());
    let (out, set_out) = (&raw mut out, &raw mut set_out);
    let (none, no_set) = (null::<unipc_sem>(), null::<unipc_semset>());
    let (mut shm, mut sem, mut set) = (null_mut(), null_mut(), null_mut());
    let (private, one, mut number) = (c"sysv:private".as_ptr(), [1_u16], 0);
    let remove = unipc_sem_flag::UNIPC_SEM_REMOVE_ON_CLOSE as std::ffi::c_uint;
    // SAFETY: the pointers are valid.
    let made = unsafe {
        [
            unipc_shm_create(&raw mut shm, c"anon:".as_ptr(), 64, 0, null()),
            unipc_sem_create_at(&raw mut sem, shm, 0, 1, 0),
            unipc_semset_create(&raw mut set, private, one.as_ptr(), 1, remove, null()),
        ]
    };
    assert_eq!(made, [0; 3]);
    let asked = ask! {
        unipc_sem_create(null_mut(), private, 1, 0, null()) -> INVALID;
        unipc_sem_create(out, null(), 1, 0, null()) -> INVALID;
        unipc_sem_open(null_mut(), private, 0, null()) -> INVALID;
        unipc_sem_open(out, null(), 0, null()) -> INVALID;
        unipc_sem_open_or_create(null_mut(), private, 1, 0, null()) -> INVALID;
        unipc_sem_open_or_create(out, null(), 1, 0, null()) -> INVALID;
        unipc_sem_create_at(null_mut(), shm, 0, 1, 0) -> INVALID;
        unipc_sem_create_at(out, null(), 0, 1, 0) -> INVALID;
        unipc_sem_open_at(null_mut(), shm, 0, 0) -> INVALID;
        unipc_sem_open_at(out, null(), 0, 0) -> INVALID;
        unipc_sem_acquire(none, null()) -> INVALID;
        unipc_sem_release(none) -> INVALID;
        unipc_sem_value(none, &raw mut number) -> INVALID;
        unipc_sem_value(sem, null_mut()) -> INVALID;
        unipc_sem_set_value(none, 1) -> INVALID;
        unipc_sem_unlink(null()) -> INVALID;
        unipc_sem_remove(none) -> INVALID;
        unipc_sem_name(none) -> null();
        unipc_sem_backing(none) -> INVALID;
        unipc_sem_id(none) -> INVALID;
        unipc_sem_index(none) -> INVALID;
        unipc_semset_create(null_mut(), private, one.as_ptr(), 1, 0, null()) -> INVALID;
        unipc_semset_create(set_out, null(), one.as_ptr(), 1, 0, null()) -> INVALID;
        unipc_semset_create(set_out, private, null(), 1, 0, null()) -> INVALID;
        unipc_semset_open(null_mut(), private, 0, null()) -> INVALID;
        unipc_semset_open(set_out, null(), 0, null()) -> INVALID;
        unipc_semset_open_or_create(null_mut(), private, one.as_ptr(), 1, 0, null()) -> INVALID;
        unipc_semset_open_or_create(set_out, null(), one.as_ptr(), 1, 0, null()) -> INVALID;
        unipc_semset_open_or_create(set_out, private, null(), 1, 0, null()) -> INVALID;
        unipc_semset_operate(set, null(), 1, null()) -> INVALID;
        unipc_semset_operate(no_set, null(), 0, null()) -> INVALID;
        unipc_semset_acquire(no_set, 0, 1, null()) -> INVALID;
        unipc_semset_release(no_set, 0, 1) -> INVALID;
        unipc_semset_wait_zero(no_set, 0, null()) -> INVALID;
        unipc_semset_name(no_set) -> null();
        unipc_semset_id(no_set) -> INVALID;
        unipc_semset_count(no_set) -> 0;
        unipc_semset_value(no_set, 0) -> INVALID;
        unipc_semset_set_value(no_set, 0, 1) -> INVALID;
        unipc_semset_values(no_set, null_mut(), 0) -> INVALID as isize;
        unipc_semset_values(set, null_mut(), 1) -> INVALID as isize;
        unipc_semset_set_values(no_set, one.as_ptr(), 1) -> INVALID;
        unipc_semset_set_values(set, null(), 1) -> INVALID;
        unipc_semset_info(no_set, 0, null_mut()) -> INVALID;
        unipc_semset_info(set, 0, null_mut()) -> INVALID;
        unipc_semset_stat(no_set, null_mut()) -> INVALID;
        unipc_semset_stat(set, null_mut()) -> INVALID;
        unipc_semset_set(no_set, 0, 0, 0) -> INVALID;
        unipc_semset_remove(no_set) -> INVALID;
        unipc_sem_limits(null_mut()) -> INVALID;
        unipc_sem_usage(null_mut()) -> INVALID;
    };
    // SAFETY: there is no room for one set, but NULL is no room at all.
    assert_eq!(unsafe { unipc_semset_list(null_mut(), 1) }, INVALID as isize);
    // SAFETY: the handles are open and used no more; NULL is fine.
    unsafe {
        unipc_sem_close(sem);
        unipc_sem_close(null_mut());
        unipc_semset_close(set);
        unipc_semset_close(null_mut());
        unipc_shm_close(shm);
    }
    asked.into()
}

/// The functions of queues that were asked.
fn queues(mq: *const unipc_mq) -> Vec<&'static str> {
    let (mut out, mut byte, mut number) = (null_mut(), 0_u8, 0);
    let (out, buf) = (&raw mut out, (&raw mut byte).cast());
    let (none, private) = (null::<unipc_mq>(), c"sysv:private".as_ptr());
    let asked = ask! {
        unipc_mq_create(null_mut(), private, 0, null()) -> INVALID;
        unipc_mq_create(out, null(), 0, null()) -> INVALID;
        unipc_mq_open(null_mut(), private, 0, null()) -> INVALID;
        unipc_mq_open(out, null(), 0, null()) -> INVALID;
        unipc_mq_open_or_create(null_mut(), private, 0, null()) -> INVALID;
        unipc_mq_open_or_create(out, null(), 0, null()) -> INVALID;
        unipc_mq_send(none, 1, buf, 1, null()) -> INVALID;
        unipc_mq_send(mq, 1, null(), 1, null()) -> INVALID;
        unipc_mq_receive(none, 0, 0, buf, 1, null_mut(), null()) -> INVALID as isize;
        unipc_mq_receive(mq, 0, 0, null_mut(), 1, null_mut(), null()) -> INVALID as isize;
        unipc_mq_peek(none, 0, buf, 1, null_mut()) -> INVALID as isize;
        unipc_mq_peek(mq, 0, null_mut(), 1, null_mut()) -> INVALID as isize;
        unipc_mq_send_msgbuf(none, buf, 1, null()) -> INVALID;
        unipc_mq_send_msgbuf(mq, null(), 1, null()) -> INVALID;
        unipc_mq_receive_msgbuf(none, 0, 0, buf, 1, null()) -> INVALID as isize;
        unipc_mq_receive_msgbuf(mq, 0, 0, null_mut(), 1, null()) -> INVALID as isize;
        unipc_mq_peek_msgbuf(none, 0, buf, 1) -> INVALID as isize;
        unipc_mq_peek_msgbuf(mq, 0, null_mut(), 1) -> INVALID as isize;
        unipc_mq_name(none) -> null();
        unipc_mq_backing(none) -> INVALID;
        unipc_mq_fd(none) -> INVALID;
        unipc_mq_id(none) -> INVALID;
        unipc_mq_max_size(none) -> 0;
        unipc_mq_messages(none, &raw mut number) -> INVALID;
        unipc_mq_messages(mq, null_mut()) -> INVALID;
        unipc_mq_posix_stat(none, null_mut()) -> INVALID;
        unipc_mq_posix_stat(mq, null_mut()) -> INVALID;
        unipc_mq_notify_signal(none, 1, 0) -> INVALID;
        unipc_mq_notify_thread(none, None, null_mut()) -> INVALID;
        unipc_mq_notify_thread(mq, None, null_mut()) -> INVALID;
        unipc_mq_cancel_notification(none) -> INVALID;
        unipc_mq_unlink(null()) -> INVALID;
        unipc_mq_remove(none) -> INVALID;
        unipc_mq_sysv_stat(0, null_mut()) -> INVALID;
        unipc_mq_limits(null_mut()) -> INVALID;
        unipc_mq_usage(null_mut()) -> INVALID;
    };
    // SAFETY: there is no room for one queue, but NULL is no room at all.
    assert_eq!(unsafe { unipc_mq_sysv_list(null_mut(), 1) }, INVALID as isize);
    asked.to_vec()
}

fn sockets(socket: *const unipc_socket, listener: *const unipc_listener) -> Vec<&'static str> {
    const NOTHING: isize = INVALID as isize;
    let (mut socket_out, mut listener_out) = (null_mut(), null_mut());
    let (out, listener_out) = (&raw mut socket_out, &raw mut listener_out);
    let (mut byte, mut number) = (0_u8, 0);
    let (buf, fds) = ((&raw mut byte).cast(), &raw mut number);
    let (none, nobody) = (null::<unipc_socket>(), null::<unipc_listener>());
    let asked = ask! {
        unipc_socket_connect(null_mut(), c"unix:@x".as_ptr(), 0, null(), null()) -> INVALID;
        unipc_socket_connect(out, null(), 0, null(), null()) -> INVALID;
        unipc_socket_bind(null_mut(), c"unix:@".as_ptr(), 0, null()) -> INVALID;
        unipc_socket_bind(out, null(), 0, null()) -> INVALID;
        unipc_socket_pair(null_mut(), out, 1, 0) -> INVALID;
        unipc_socket_pair(out, null_mut(), 1, 0) -> INVALID;
        unipc_socket_from_fd(null_mut(), 0) -> INVALID;
        unipc_socket_unlink(null()) -> INVALID;
        unipc_socket_send(none, buf, 1, null()) -> NOTHING;
        unipc_socket_send(socket, null(), 1, null()) -> NOTHING;
        unipc_socket_send_all(none, buf, 1, null(), null_mut()) -> INVALID;
        unipc_socket_send_all(socket, null(), 1, null(), null_mut()) -> INVALID;
        unipc_socket_recv(none, buf, 1, null()) -> NOTHING;
        unipc_socket_recv(socket, null_mut(), 1, null()) -> NOTHING;
        unipc_socket_recv_exact(none, buf, 1, null(), null_mut()) -> INVALID;
        unipc_socket_recv_exact(socket, null_mut(), 1, null(), null_mut()) -> INVALID;
        unipc_socket_send_to(none, buf, 1, c"unix:@x".as_ptr(), null()) -> NOTHING;
        unipc_socket_send_to(socket, null(), 1, c"unix:@x".as_ptr(), null()) -> NOTHING;
        unipc_socket_send_to(socket, buf, 1, null(), null()) -> NOTHING;
        unipc_socket_recv_from(none, buf, 1, null_mut(), 0, null()) -> NOTHING;
        unipc_socket_recv_from(socket, null_mut(), 1, null_mut(), 0, null()) -> NOTHING;
        unipc_socket_recv_from(socket, buf, 1, null_mut(), 1, null()) -> NOTHING;
        unipc_socket_next_size(none, null()) -> NOTHING;
        unipc_socket_send_message(none, buf, 1, null(), 0, null(), null()) -> NOTHING;
        unipc_socket_send_message(socket, null(), 1, null(), 0, null(), null()) -> NOTHING;
        unipc_socket_send_message(socket, buf, 1, null(), 1, null(), null()) -> NOTHING;
        unipc_socket_recv_message(none, buf, 1, null_mut(), 0, null(), null_mut(), null()) -> NOTHING;
        unipc_socket_recv_message(socket, buf, 1, null_mut(), 1, null(), null_mut(), null()) -> NOTHING;
        unipc_fd_send(0, null(), 1, null()) -> INVALID;
        unipc_fd_recv(0, null_mut(), 1, null(), null()) -> INVALID;
        unipc_socket_shutdown(none, 0) -> INVALID;
        unipc_socket_kind_of(none) -> INVALID;
        unipc_socket_fd(none) -> INVALID;
        unipc_socket_local_name(none, null_mut(), 0) -> INVALID;
        unipc_socket_local_name(socket, null_mut(), 1) -> INVALID;
        unipc_socket_peer_name(none, null_mut(), 0) -> INVALID;
        unipc_socket_peer_name(socket, null_mut(), 1) -> INVALID;
        unipc_socket_peer_credentials(none, null_mut()) -> INVALID;
        unipc_socket_peer_credentials(socket, null_mut()) -> INVALID;
        unipc_socket_pass_credentials(none, 1) -> INVALID;
        unipc_socket_waiting(none) -> NOTHING;
        unipc_socket_unsent(none) -> NOTHING;
        unipc_socket_send_buffer(none) -> NOTHING;
        unipc_socket_set_send_buffer(none, 1) -> NOTHING;
        unipc_socket_receive_buffer(none) -> NOTHING;
        unipc_socket_set_receive_buffer(none, 1) -> NOTHING;
        unipc_socket_delay(none) -> INVALID;
        unipc_socket_set_delay(none, 1) -> INVALID;
        unipc_socket_remove(none) -> INVALID;
        unipc_listener_bind(null_mut(), c"unix:@".as_ptr(), 0, null()) -> INVALID;
        unipc_listener_bind(listener_out, null(), 0, null()) -> INVALID;
        unipc_listener_from_fd(null_mut(), 0) -> INVALID;
        unipc_listener_accept(null_mut(), listener, null()) -> INVALID;
        unipc_listener_accept(out, nobody, null()) -> INVALID;
        unipc_listener_name(nobody, null_mut(), 0) -> INVALID;
        unipc_listener_name(listener, null_mut(), 1) -> INVALID;
        unipc_listener_kind_of(nobody) -> INVALID;
        unipc_listener_fd(nobody) -> INVALID;
        unipc_listener_remove(nobody) -> INVALID;
    };
    // SAFETY: the place for a number is valid, and there is no such descriptor.
    assert_eq!(unsafe { unipc_fd_send(-1, fds, 1, null()) }, -libc::EBADF);
    asked.to_vec()
}

#[test]
#[allow(clippy::too_many_lines, reason = "one list of all functions")]
fn null_is_refused_everywhere() {
    let (mut one, mut other, mut listener) = (null_mut(), null_mut(), null_mut());
    // SAFETY: the pointers are valid.
    unsafe {
        assert_eq!(unipc_socket_pair(&raw mut one, &raw mut other, 1, 0), 0);
        assert_eq!(unipc_listener_bind(&raw mut listener, c"unix:@".as_ptr(), 0, null()), 0);
    }
    let of_sockets = sockets(one, listener);
    // SAFETY: the handles are open and used no more.
    unsafe {
        unipc_socket_close(one);
        unipc_socket_close(other);
        unipc_listener_close(listener);
    }

    let mut mq = null_mut();
    let remove = unipc_mq_flag::UNIPC_MQ_REMOVE_ON_CLOSE as std::ffi::c_uint;
    // SAFETY: the pointers are valid.
    let made = unsafe { unipc_mq_create(&raw mut mq, c"sysv:private".as_ptr(), remove, null()) };
    assert_eq!(made, 0);
    let of_queues = queues(mq);
    // SAFETY: the handle is open and used no more.
    unsafe { unipc_mq_close(mq) };

    let mut shm = null_mut();
    let anonymous = c"anon:".as_ptr();
    // SAFETY: the pointers are valid.
    assert_eq!(unsafe { unipc_shm_create(&raw mut shm, anonymous, 4, 0, null()) }, 0);
    let (mut out, mut byte) = (null_mut(), 0_u8);
    let (out, buf) = (&raw mut out, (&raw mut byte).cast());
    let none = null::<unipc_shm>();
    let (mut key, mut word, mut wide) = (0, 0, 0);
    let (mut end, mut other, mut turnstile) = (null_mut(), null_mut(), null_mut());
    let (mut frame_reader, mut frame_writer) = (null_mut(), null_mut());
    // SAFETY: the pointers are valid.
    let made = unsafe {
        [
            unipc_pipe_create(&raw mut end, &raw mut other, 0, null()),
            unipc_turnstile_create(&raw mut turnstile),
            unipc_frame_reader_open(&raw mut frame_reader, unipc_pipe_fd(end), 0),
            unipc_frame_writer_open(&raw mut frame_writer, unipc_pipe_fd(other), 0, 0),
        ]
    };
    assert_eq!(made, [0; 4]);
    let (no_pipe, mut place, file) = (null::<unipc_pipe>(), null_mut(), c"file:/x".as_ptr());
    let (mut data, mut len) = (null(), 0);
    let asked = ask! {
        unipc_name_check(null()) -> INVALID;
        unipc_name_canonical(null(), null_mut(), 0) -> INVALID;
        unipc_name_canonical(anonymous, null_mut(), 1) -> INVALID;
        unipc_ftok(null(), 1, &raw mut key) -> INVALID;
        unipc_ftok(c"/".as_ptr(), 1, null_mut()) -> INVALID;
        unipc_shm_create(null_mut(), anonymous, 4, 0, null()) -> INVALID;
        unipc_shm_create(out, null(), 4, 0, null()) -> INVALID;
        unipc_shm_open(null_mut(), anonymous, 0, null()) -> INVALID;
        unipc_shm_open(out, null(), 0, null()) -> INVALID;
        unipc_shm_open_or_create(null_mut(), anonymous, 4, 0, null()) -> INVALID;
        unipc_shm_open_or_create(out, null(), 4, 0, null()) -> INVALID;
        unipc_shm_from_fd(null_mut(), 0, 0, null()) -> INVALID;
        unipc_shm_data(none) -> null_mut();
        unipc_shm_size(none) -> 0;
        unipc_shm_mapped_size(none) -> 0;
        unipc_shm_at(none, 0, 0) -> null_mut();
        unipc_shm_name(none) -> null();
        unipc_shm_backing(none) -> INVALID;
        unipc_shm_is_read_only(none) -> INVALID;
        unipc_shm_fd(none) -> INVALID;
        unipc_shm_id(none) -> INVALID;
        unipc_shm_read_at(none, 0, buf, 1) -> INVALID;
        unipc_shm_read_at(shm, 0, null_mut(), 1) -> INVALID;
        unipc_shm_write_at(none, 0, buf, 1) -> INVALID;
        unipc_shm_write_at(shm, 0, null(), 1) -> INVALID;
        unipc_shm_fill(none, 0, 0, 0) -> INVALID;
        unipc_shm_compare(none, 0, buf, 1, &raw mut key) -> INVALID;
        unipc_shm_compare(shm, 0, null(), 1, &raw mut key) -> INVALID;
        unipc_shm_compare(shm, 0, buf, 1, null_mut()) -> INVALID;
        unipc_shm_begin_access(none) -> INVALID;
        unipc_shm_end_access(none) -> INVALID;
        unipc_shm_load_u32(none, 0, &raw mut word) -> INVALID;
        unipc_shm_load_u32(shm, 0, null_mut()) -> INVALID;
        unipc_shm_store_u32(none, 0, 1) -> INVALID;
        unipc_shm_add_u32(none, 0, 1, null_mut()) -> INVALID;
        unipc_shm_compare_exchange_u32(none, 0, 0, 0, null_mut()) -> INVALID;
        unipc_shm_load_u64(none, 0, &raw mut wide) -> INVALID;
        unipc_shm_load_u64(shm, 0, null_mut()) -> INVALID;
        unipc_shm_store_u64(none, 0, 1) -> INVALID;
        unipc_shm_add_u64(none, 0, 1, null_mut()) -> INVALID;
        unipc_shm_compare_exchange_u64(none, 0, 0, 0, null_mut()) -> INVALID;
        unipc_shm_unlink(null()) -> INVALID;
        unipc_shm_remove(none, 0) -> INVALID;
        unipc_shm_resize(null_mut(), 1) -> INVALID;
        unipc_shm_refresh(null_mut()) -> INVALID;
        unipc_shm_flush(none, 0, 0, 0) -> INVALID;
        unipc_shm_advise(none, 0, 0, 0) -> INVALID;
        unipc_shm_lock(none) -> INVALID;
        unipc_shm_unlock(none) -> INVALID;
        unipc_shm_seals(none) -> INVALID;
        unipc_shm_add_seals(none, 0) -> INVALID;
        unipc_shm_read_only_fd(none) -> INVALID;
        unipc_shm_sysv_stat(0, null_mut()) -> INVALID;
        unipc_shm_limits(null_mut()) -> INVALID;
        unipc_shm_usage(null_mut()) -> INVALID;
        unipc_pipe_create(null_mut(), &raw mut place, 0, null()) -> INVALID;
        unipc_pipe_create(&raw mut place, null_mut(), 0, null()) -> INVALID;
        unipc_pipe_duplex(null_mut(), &raw mut place) -> INVALID;
        unipc_pipe_duplex(&raw mut place, null_mut()) -> INVALID;
        unipc_pipe_from_fd(null_mut(), 0) -> INVALID;
        unipc_pipe_clone(null_mut(), end) -> INVALID;
        unipc_pipe_clone(&raw mut place, no_pipe) -> INVALID;
        unipc_pipe_fd(no_pipe) -> INVALID;
        unipc_pipe_name(no_pipe) -> null();
        unipc_pipe_set_inheritable(no_pipe, 0) -> INVALID;
        unipc_pipe_set_sigpipe(no_pipe, 1) -> INVALID;
        unipc_pipe_sigpipe(no_pipe) -> INVALID;
        unipc_pipe_keep_open(no_pipe) -> INVALID;
        unipc_pipe_finish_writing(no_pipe) -> INVALID;
        unipc_pipe_waiting(no_pipe) -> INVALID as isize;
        unipc_pipe_capacity(no_pipe) -> INVALID as isize;
        unipc_pipe_set_capacity(no_pipe, 1) -> INVALID as isize;
        unipc_pipe_read(no_pipe, buf, 1, null()) -> INVALID as isize;
        unipc_pipe_read(end, null_mut(), 1, null()) -> INVALID as isize;
        unipc_pipe_read_exact(no_pipe, buf, 1, null(), null_mut()) -> INVALID;
        unipc_pipe_read_exact(end, null_mut(), 1, null(), null_mut()) -> INVALID;
        unipc_pipe_write(no_pipe, buf, 1, null()) -> INVALID as isize;
        unipc_pipe_write(end, null(), 1, null()) -> INVALID as isize;
        unipc_pipe_write_all(no_pipe, buf, 1, null(), null_mut()) -> INVALID;
        unipc_pipe_write_all(end, null(), 1, null(), null_mut()) -> INVALID;
        unipc_pipe_write_atomic(no_pipe, buf, 1, null()) -> INVALID;
        unipc_pipe_write_atomic(end, null(), 1, null()) -> INVALID;
        unipc_fifo_create(null(), 0, 0) -> INVALID;
        unipc_fifo_reader(null_mut(), file, null()) -> INVALID;
        unipc_fifo_reader(&raw mut place, null(), null()) -> INVALID;
        unipc_fifo_writer(null_mut(), file, null()) -> INVALID;
        unipc_fifo_writer(&raw mut place, null(), null()) -> INVALID;
        unipc_fifo_unlink(null()) -> INVALID;
        unipc_turnstile_create(null_mut()) -> INVALID;
        unipc_turnstile_from_fds(null_mut(), 1, 0, 0) -> INVALID;
        unipc_turnstile_choose(null_mut(), 1) -> INVALID;
        unipc_turnstile_fds(null(), 1, &raw mut key, &raw mut key) -> INVALID;
        unipc_turnstile_fds(turnstile, 1, null_mut(), &raw mut key) -> INVALID;
        unipc_turnstile_fds(turnstile, 1, &raw mut key, null_mut()) -> INVALID;
        unipc_turnstile_tell_parent(null_mut()) -> INVALID;
        unipc_turnstile_wait_parent(null_mut(), null()) -> INVALID;
        unipc_turnstile_tell_child(null_mut()) -> INVALID;
        unipc_turnstile_wait_child(null_mut(), null()) -> INVALID;
        unipc_frame_reader_open(null_mut(), 0, 0) -> INVALID;
        unipc_frame_read(null_mut(), &raw mut data, &raw mut len, null()) -> INVALID;
        unipc_frame_read(frame_reader, null_mut(), &raw mut len, null()) -> INVALID;
        unipc_frame_read(frame_reader, &raw mut data, null_mut(), null()) -> INVALID;
        unipc_frame_writer_open(null_mut(), 0, 0, 0) -> INVALID;
        unipc_frame_write(null_mut(), buf, 1, null()) -> INVALID;
        unipc_frame_write(frame_writer, null(), 1, null()) -> INVALID;
        unipc_frame_finish(null_mut(), null()) -> INVALID;
        unipc_frame_unfinished(null()) -> INVALID;
    };
    // SAFETY: the handles are open and used no more.
    unsafe {
        unipc_frame_reader_close(frame_reader);
        unipc_frame_writer_close(frame_writer);
        unipc_turnstile_close(turnstile);
        unipc_pipe_close(end);
        unipc_pipe_close(other);
    }
    // SAFETY: there is no room for one segment, but NULL is no room at all.
    assert_eq!(unsafe { unipc_shm_sysv_list(null_mut(), 1) }, INVALID as isize);
    // SAFETY: the handle is open and used no more.
    unsafe { unipc_shm_close(shm) };

    let symbols = include_str!("../../unipc.symbols").lines();
    let covered: BTreeSet<_> = asked
        .into_iter()
        .chain(of_queues)
        .chain(semaphores())
        .chain(of_sockets)
        .chain(programs::programs())
        .chain(crate::channel::null_is_refused())
        .chain(crate::channel::EXEMPT.iter().copied())
        .chain(crate::poll::null_is_refused())
        .chain(crate::poll::EXEMPT.iter().copied())
        .chain(mechanisms())
        .chain(crate::lock::null_is_refused())
        .chain(crate::record::null_is_refused())
        .chain(crate::record::EXEMPT.iter().copied())
        .chain(crate::signal::null_is_refused())
        .chain(crate::sync::asked_with_null())
        .chain(EXEMPT.iter().copied())
        .collect();
    assert_eq!(covered, symbols.collect(), "every exported function is asked, or exempt");
}

#[test]
fn null_is_fine_where_nothing_is_wanted() {
    let (mut shm, mut mq) = (null_mut(), null_mut());
    let remove = unipc_mq_flag::UNIPC_MQ_REMOVE_ON_CLOSE as std::ffi::c_uint;
    // SAFETY: the pointers are valid or NULL where the header allows it, and the handle is open.
    unsafe {
        unipc_shm_close(null_mut());
        unipc_mq_close(null_mut());
        unipc_socket_close(null_mut());
        unipc_listener_close(null_mut());
        assert_eq!(unipc_mq_create(&raw mut mq, c"sysv:private".as_ptr(), remove, null()), 0);
        assert_eq!(unipc_mq_send(mq, 1, null(), 0, null()), 0);
        assert_eq!(unipc_mq_receive(mq, 0, 0, null_mut(), 0, null_mut(), null()), 0);
        assert!(unipc_mq_sysv_list(null_mut(), 0) >= 1);
        unipc_mq_close(mq);
        unipc_pipe_close(null_mut());
        unipc_turnstile_close(null_mut());
        unipc_frame_reader_close(null_mut());
        unipc_frame_writer_close(null_mut());
        assert_eq!(unipc_shm_create(&raw mut shm, c"anon:".as_ptr(), 8, 0, null()), 0);
        assert_eq!(unipc_shm_read_at(shm, 8, null_mut(), 0), 0);
        assert_eq!(unipc_shm_write_at(shm, 8, null(), 0), 0);
        assert_eq!(unipc_shm_add_u32(shm, 0, 1, null_mut()), 0);
        assert_eq!(unipc_shm_compare_exchange_u64(shm, 0, 1, 2, null_mut()), 1);
        assert!(unipc_shm_sysv_list(null_mut(), 0) >= 0);
        assert_eq!(unipc_name_canonical(c"posix:/demo".as_ptr(), null_mut(), 0), 5);
        unipc_shm_close(shm);
    }
}
