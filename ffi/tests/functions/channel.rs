// SPDX-License-Identifier: MIT OR Apache-2.0
//! Channels as C sees them: NULL, flags, and what comes out.

use std::ffi::{c_int, c_void};
use std::ptr::{null, null_mut};

use crate::ffi::channel::*;
use crate::ffi::shm::{unipc_shm, unipc_shm_close, unipc_shm_create};
use crate::null::INVALID;

/// Functions for which NULL is fine.
pub(crate) const EXEMPT: &[&str] = &[
    "unipc_client_close",
    "unipc_question_close",
    // Their only pointer may be NULL.
    "unipc_queue_size",
    "unipc_service_size",
    "unipc_topic_size",
    "unipc_queue_close",
    "unipc_service_close",
    "unipc_subscriber_close",
    "unipc_topic_close",
];

static TRY: libc::timespec = libc::timespec { tv_sec: 0, tv_nsec: 0 };

/// Every function with NULL for every pointer that it needs; their names.
#[allow(clippy::too_many_lines, reason = "a line a call")]
pub(crate) fn null_is_refused() -> Vec<&'static str> {
    let name = c"memfd:null".as_ptr();
    let layout = c"=i".as_ptr();
    let invalid = INVALID as isize;
    let (mut byte, mut size, mut word) = (0_u8, 0_usize, null::<c_void>());
    let buf = (&raw mut byte).cast::<c_void>();
    let mut room = null_mut::<c_void>();
    let mut part = libc::iovec { iov_base: buf, iov_len: 1 };
    let no_bytes = libc::iovec { iov_base: null_mut(), iov_len: 1 };
    let mut shm: *mut unipc_shm = null_mut();
    // SAFETY: the pointers are valid.
    assert_eq!(unsafe { unipc_shm_create(&raw mut shm, name, 4096, 0, null()) }, 0);
    let (mut queue, no_queue) = (null_mut(), null_mut::<unipc_queue>());
    let out_queue = &raw mut queue;
    // SAFETY: the pointers are valid.
    assert_eq!(unsafe { unipc_queue_create(out_queue, name, 4096, 0, null()) }, 0);
    let (mut topic, no_topic) = (null_mut(), null_mut::<unipc_topic>());
    let out_topic = &raw mut topic;
    // SAFETY: the pointers are valid.
    assert_eq!(unsafe { unipc_topic_create(out_topic, name, 4096, 0, null()) }, 0);
    let (mut service, no_service) = (null_mut(), null_mut::<unipc_service>());
    let out_service = &raw mut service;
    // SAFETY: the pointers are valid.
    assert_eq!(unsafe { unipc_service_create(out_service, name, 4096, 0, null()) }, 0);
    let (mut subscriber, no_subscriber) = (null_mut(), null_mut::<unipc_subscriber>());
    let (mut client, no_client) = (null_mut(), null_mut::<unipc_client>());
    let (mut question, no_question) = (null_mut(), null_mut::<unipc_question>());
    // SAFETY: the handles are open, the pointers valid.
    unsafe {
        assert_eq!(
            unipc_subscriber_from_fd(&raw mut subscriber, unipc_topic_memory_fd(topic), 0),
            0
        );
        assert_eq!(unipc_client_from_fd(&raw mut client, unipc_service_memory_fd(service), 0), 0);
        assert!(unipc_client_begin(client, null(), 0, null()) >= 0);
        assert_eq!(unipc_service_recv(service, &raw mut question, &raw const TRY), 0);
    }
    let (mut other_queue, mut other_topic, mut other_service) =
        (null_mut(), null_mut(), null_mut());
    let (mut other_subscriber, mut other_client) = (null_mut(), null_mut());
    let asked = ask! {
        unipc_queue_create(null_mut(), name, 4096, 0, null()) -> INVALID;
        unipc_queue_create(&raw mut other_queue, null(), 4096, 0, null()) -> INVALID;
        unipc_queue_open_or_create(null_mut(), name, 4096, 0, null()) -> INVALID;
        unipc_queue_open_or_create(&raw mut other_queue, null(), 4096, 0, null()) -> INVALID;
        unipc_queue_memory_fd(no_queue) -> INVALID;
        unipc_queue_fd(no_queue) -> INVALID;
        unipc_queue_send_fd(no_queue) -> INVALID;
        unipc_topic_fd(no_topic) -> INVALID;
        unipc_subscriber_fd(no_subscriber) -> INVALID;
        unipc_service_fd(no_service) -> INVALID;
        unipc_client_fd(no_client) -> INVALID;
        unipc_queue_unlink(null()) -> INVALID;
        unipc_topic_create(null_mut(), name, 4096, 0, null()) -> INVALID;
        unipc_topic_create(&raw mut other_topic, null(), 4096, 0, null()) -> INVALID;
        unipc_topic_open_or_create(null_mut(), name, 4096, 0, null()) -> INVALID;
        unipc_topic_open_or_create(&raw mut other_topic, null(), 4096, 0, null()) -> INVALID;
        unipc_topic_memory_fd(no_topic) -> INVALID;
        unipc_topic_unlink(null()) -> INVALID;
        unipc_service_create(null_mut(), name, 4096, 0, null()) -> INVALID;
        unipc_service_create(&raw mut other_service, null(), 4096, 0, null()) -> INVALID;
        unipc_service_open_or_create(null_mut(), name, 4096, 0, null()) -> INVALID;
        unipc_service_open_or_create(&raw mut other_service, null(), 4096, 0, null()) -> INVALID;
        unipc_service_memory_fd(no_service) -> INVALID;
        unipc_service_unlink(null()) -> INVALID;
        unipc_queue_open(null_mut(), name, 0) -> INVALID;
        unipc_queue_open(&raw mut other_queue, null(), 0) -> INVALID;
        unipc_queue_from_fd(null_mut(), 0, 0) -> INVALID;
        unipc_queue_name(no_queue) -> null();
        unipc_topic_open(null_mut(), name, 0) -> INVALID;
        unipc_topic_open(&raw mut other_topic, null(), 0) -> INVALID;
        unipc_topic_from_fd(null_mut(), 0, 0) -> INVALID;
        unipc_topic_name(no_topic) -> null();
        unipc_service_open(null_mut(), name, 0) -> INVALID;
        unipc_service_open(&raw mut other_service, null(), 0) -> INVALID;
        unipc_service_from_fd(null_mut(), 0, 0) -> INVALID;
        unipc_service_name(no_service) -> null();
        unipc_subscriber_open(null_mut(), name, 0) -> INVALID;
        unipc_subscriber_open(&raw mut other_subscriber, null(), 0) -> INVALID;
        unipc_subscriber_from_fd(null_mut(), 0, 0) -> INVALID;
        unipc_subscriber_name(no_subscriber) -> null();
        unipc_client_open(null_mut(), name, 0) -> INVALID;
        unipc_client_open(&raw mut other_client, null(), 0) -> INVALID;
        unipc_client_from_fd(null_mut(), 0, 0) -> INVALID;
        unipc_client_name(no_client) -> null();
        unipc_queue_open_layout(null_mut(), name, layout, 0) -> INVALID;
        unipc_queue_open_layout(&raw mut other_queue, null(), layout, 0) -> INVALID;
        unipc_queue_open_layout(&raw mut other_queue, name, null(), 0) -> INVALID;
        unipc_queue_layout(no_queue) -> null();
        unipc_topic_open_layout(null_mut(), name, layout, 0) -> INVALID;
        unipc_topic_open_layout(&raw mut other_topic, null(), layout, 0) -> INVALID;
        unipc_topic_open_layout(&raw mut other_topic, name, null(), 0) -> INVALID;
        unipc_topic_layout(no_topic) -> null();
        unipc_subscriber_open_layout(null_mut(), name, layout, 0) -> INVALID;
        unipc_subscriber_open_layout(&raw mut other_subscriber, null(), layout, 0) -> INVALID;
        unipc_subscriber_open_layout(&raw mut other_subscriber, name, null(), 0) -> INVALID;
        unipc_subscriber_layout(no_subscriber) -> null();
        unipc_queue_at(null_mut(), shm, 0, 2, 4096, 0, null()) -> INVALID;
        unipc_queue_at(&raw mut other_queue, null(), 0, 2, 4096, 0, null()) -> INVALID;
        unipc_topic_at(null_mut(), shm, 0, 2, 4096, 0, null()) -> INVALID;
        unipc_topic_at(&raw mut other_topic, null(), 0, 2, 4096, 0, null()) -> INVALID;
        unipc_subscriber_at(null_mut(), shm, 0, 0, null()) -> INVALID;
        unipc_subscriber_at(&raw mut other_subscriber, null(), 0, 0, null()) -> INVALID;
        unipc_service_at(null_mut(), shm, 0, 2, 4096, 0, null()) -> INVALID;
        unipc_service_at(&raw mut other_service, null(), 0, 2, 4096, 0, null()) -> INVALID;
        unipc_client_at(null_mut(), shm, 0, 0, null()) -> INVALID;
        unipc_client_at(&raw mut other_client, null(), 0, 0, null()) -> INVALID;
        unipc_topic_subscribe(null_mut(), topic, 0) -> INVALID;
        unipc_topic_subscribe(&raw mut other_subscriber, no_topic, 0) -> INVALID;
        unipc_queue_send(no_queue, buf, 1, null()) -> INVALID;
        unipc_queue_send(queue, null(), 1, null()) -> INVALID;
        unipc_queue_send_many(no_queue, buf, 1, 1, null()) -> invalid;
        unipc_queue_send_many(queue, null(), 1, 1, null()) -> invalid;
        unipc_queue_send_each(no_queue, &raw const part, 1, null()) -> invalid;
        unipc_queue_send_each(queue, null(), 1, null()) -> invalid;
        unipc_queue_send_each(queue, &raw const no_bytes, 1, null()) -> invalid;
        unipc_queue_reserve(no_queue, 1, &raw mut room, null()) -> INVALID;
        unipc_queue_reserve(queue, 1, null_mut(), null()) -> INVALID;
        unipc_queue_commit(no_queue, 1) -> INVALID;
        unipc_queue_abort(no_queue) -> INVALID;
        unipc_topic_publish(no_topic, buf, 1, null()) -> INVALID;
        unipc_topic_publish(topic, null(), 1, null()) -> INVALID;
        unipc_topic_publish_many(no_topic, buf, 1, 1, null()) -> invalid;
        unipc_topic_publish_many(topic, null(), 1, 1, null()) -> invalid;
        unipc_topic_publish_each(no_topic, &raw const part, 1, null()) -> invalid;
        unipc_topic_publish_each(topic, null(), 1, null()) -> invalid;
        unipc_topic_publish_each(topic, &raw const no_bytes, 1, null()) -> invalid;
        unipc_topic_reserve(no_topic, 1, &raw mut room, null()) -> INVALID;
        unipc_topic_reserve(topic, 1, null_mut(), null()) -> INVALID;
        unipc_topic_commit(no_topic, 1) -> INVALID;
        unipc_topic_abort(no_topic) -> INVALID;
        unipc_queue_recv(no_queue, buf, 1, null()) -> invalid;
        unipc_queue_recv(queue, null_mut(), 1, null()) -> invalid;
        unipc_queue_recv_many(no_queue, buf, 1, 1, null()) -> invalid;
        unipc_queue_recv_many(queue, null_mut(), 1, 1, null()) -> invalid;
        unipc_queue_recv_each(no_queue, buf, 1, &raw mut part, 1, null()) -> invalid;
        unipc_queue_recv_each(queue, null_mut(), 1, &raw mut part, 1, null()) -> invalid;
        unipc_queue_recv_each(queue, buf, 1, null_mut(), 1, null()) -> invalid;
        unipc_queue_peek(no_queue, &raw mut word, &raw mut size, null()) -> INVALID;
        unipc_queue_peek(queue, null_mut(), &raw mut size, null()) -> INVALID;
        unipc_queue_peek(queue, &raw mut word, null_mut(), null()) -> INVALID;
        unipc_queue_release(no_queue) -> INVALID;
        unipc_queue_leave(no_queue) -> INVALID;
        unipc_subscriber_recv(no_subscriber, buf, 1, null_mut(), null()) -> invalid;
        unipc_subscriber_recv(subscriber, null_mut(), 1, null_mut(), null()) -> invalid;
        unipc_subscriber_recv_many(no_subscriber, buf, 1, 1, null_mut(), null()) -> invalid;
        unipc_subscriber_recv_many(subscriber, null_mut(), 1, 1, null_mut(), null()) -> invalid;
        unipc_subscriber_peek(no_subscriber, &raw mut word, &raw mut size, null()) -> INVALID;
        unipc_subscriber_peek(subscriber, null_mut(), &raw mut size, null()) -> INVALID;
        unipc_subscriber_peek(subscriber, &raw mut word, null_mut(), null()) -> INVALID;
        unipc_subscriber_release(no_subscriber, null_mut()) -> INVALID;
        unipc_subscriber_leave(no_subscriber) -> INVALID;
        unipc_service_recv(no_service, &raw mut question, null()) -> INVALID;
        unipc_service_recv(service, null_mut(), null()) -> INVALID;
        unipc_question_data(no_question) -> null();
        unipc_question_size(no_question) -> 0;
        unipc_question_has_expired(no_question) -> INVALID;
        unipc_service_reply(no_service, question, buf, 1, null()) -> INVALID;
        unipc_service_reply(service, no_question, buf, 1, null()) -> INVALID;
        unipc_service_reply(service, question, null(), 1, null()) -> INVALID;
        unipc_service_reply_part(no_service, question, buf, 1, null()) -> INVALID;
        unipc_service_fail(no_service, question, 1, null(), null()) -> INVALID;
        unipc_client_call(no_client, buf, 1, buf, 1, null()) -> invalid;
        unipc_client_call(client, null(), 1, buf, 1, null()) -> invalid;
        unipc_client_call(client, buf, 1, null_mut(), 1, null()) -> invalid;
        unipc_client_begin(no_client, buf, 1, null()) -> INVALID;
        unipc_client_begin(client, null(), 1, null()) -> INVALID;
        unipc_client_begin_until(no_client, buf, 1, null(), null()) -> INVALID;
        unipc_client_begin_until(client, null(), 1, null(), null()) -> INVALID;
        unipc_client_is_pending(no_client, 0) -> INVALID;
        unipc_client_wait(no_client, 0, buf, 1, null_mut(), null()) -> invalid;
        unipc_client_wait(client, 0, null_mut(), 1, null_mut(), null()) -> invalid;
        unipc_client_cancel(no_client, 0) -> INVALID;
    };
    // SAFETY: the handles are open and used no more.
    unsafe {
        // The first question was closed by the call that failed with it as its place.
        unipc_client_close(client);
        unipc_subscriber_close(subscriber);
        unipc_service_close(service);
        unipc_topic_close(topic);
        unipc_queue_close(queue);
        unipc_shm_close(shm);
    }
    asked.to_vec()
}

/// The first program: five calls.
#[test]
fn a_message_goes_from_one_handle_to_another() {
    let (mut sender, mut receiver) = (null_mut(), null_mut());
    let mut room = [0_u8; 8];
    // SAFETY: the pointers are valid and the handles open.
    unsafe {
        assert_eq!(
            unipc_queue_create(&raw mut sender, c"memfd:first".as_ptr(), 4096, 0, null()),
            0
        );
        assert_eq!(unipc_queue_from_fd(&raw mut receiver, unipc_queue_memory_fd(sender), 0), 0);
        assert_eq!(unipc_queue_send(sender, c"hello".as_ptr().cast(), 5, null()), 0);
        let small = unipc_queue_recv(receiver, room.as_mut_ptr().cast(), 4, null());
        assert_eq!(small, -libc::EMSGSIZE as isize);
        assert_eq!(unipc_queue_recv(receiver, room.as_mut_ptr().cast(), 8, null()), 5);
        assert_eq!(&room[..5], b"hello");
        let none = unipc_queue_recv(receiver, room.as_mut_ptr().cast(), 8, &raw const TRY);
        assert_eq!(none, -libc::EAGAIN as isize);
        let unknown =
            unipc_queue_create(&raw mut receiver, c"memfd:x".as_ptr(), 4096, 1 << 9, null());
        assert_eq!(unknown, -libc::EINVAL as c_int);
        unipc_queue_close(sender);
    }
}
