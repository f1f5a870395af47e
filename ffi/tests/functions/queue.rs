// SPDX-License-Identifier: MIT OR Apache-2.0
//! Message queues: what C alone sees of them, such as structs, flags and functions that are called back.

use std::ffi::{CStr, CString, c_int, c_long, c_void};
use std::ptr::{null, null_mut};
use std::sync::mpsc;
use std::time::Duration;

use crate::ffi::mq::unipc_mq_flag::*;
use crate::ffi::mq::*;

static NOW: libc::timespec = libc::timespec { tv_sec: 0, tv_nsec: 0 };

struct Queue(*mut unipc_mq);

impl Queue {
    fn new(name: &CStr, opts: *const unipc_mq_opts) -> Self {
        let mut mq = null_mut();
        let remove = UNIPC_MQ_REMOVE_ON_CLOSE as _;
        // SAFETY: all pointers are valid.
        assert_eq!(unsafe { unipc_mq_create(&raw mut mq, name.as_ptr(), remove, opts) }, 0);
        Self(mq)
    }

    fn send(&self, tag: c_long, text: &[u8]) {
        // SAFETY: the handle is open and the bytes are there.
        let sent =
            unsafe { unipc_mq_send(self.0, tag, text.as_ptr().cast(), text.len(), &raw const NOW) };
        assert_eq!(sent, 0);
    }

    /// What it returns, the bytes that were written, and the tag.
    fn receive(&self, want: c_long, flags: unipc_mq_flag, cap: usize) -> (isize, Vec<u8>, c_long) {
        let (mut buffer, mut tag) = (vec![b'#'; cap], -1);
        let flags = flags as u32 & !(UNIPC_MQ_SEND_ONLY as u32);
        // SAFETY: the handle is open, and there is room for what is received.
        let length = unsafe {
            let (buffer, tag) = (buffer.as_mut_ptr().cast(), &raw mut tag);
            unipc_mq_receive(self.0, want, flags, buffer, cap, tag, &raw const NOW)
        };
        (length, buffer, tag)
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        // SAFETY: the handle is open and used no more.
        unsafe { unipc_mq_close(self.0) };
    }
}

/// Stands for no flag.
const NONE: unipc_mq_flag = UNIPC_MQ_SEND_ONLY;

fn posix(what: &str) -> Queue {
    let opts = unipc_mq_opts {
        sz: size_of::<unipc_mq_opts>(),
        max_messages: 3,
        max_size: 16,
        mode: 0o640,
        reserved: 0,
    };
    let name = CString::new(format!("/ffi-{what}-{}", std::process::id())).unwrap();
    Queue::new(&name, &raw const opts)
}

#[test]
fn a_message_that_is_too_long_stays_or_is_cut() {
    let queue = Queue::new(c"sysv:private", null());
    queue.send(7, b"0123456789");
    assert_eq!(queue.receive(0, NONE, 4), (-(libc::E2BIG as isize), b"####".into(), -1));
    assert_eq!(queue.receive(0, UNIPC_MQ_TRUNCATE, 4), (10, b"0123".into(), 7));
    queue.send(1, b"one");
    queue.send(2, b"two");
    assert_eq!(queue.receive(1, UNIPC_MQ_EXCEPT, 4), (3, b"two#".into(), 2));
    assert_eq!(queue.receive(0, UNIPC_MQ_EXCEPT, 4).0, -(libc::EINVAL as isize));
    let mut tag = 0;
    // SAFETY: the handle is open, and there is room for what is copied.
    let copied = unsafe { unipc_mq_peek(queue.0, 0, null_mut(), 0, &raw mut tag) };
    if copied != -(libc::EOPNOTSUPP as isize) {
        assert_eq!((copied, tag), (3, 1));
        // SAFETY: as above.
        let none = unsafe { unipc_mq_peek(queue.0, 1, null_mut(), 0, null_mut()) };
        assert_eq!(none, -(libc::ENOMSG as isize));
    }
    assert_eq!(queue.receive(-2, NONE, 3), (3, b"one".into(), 1));
    assert_eq!(queue.receive(0, NONE, 3).0, -(libc::EAGAIN as isize));

    let queue = posix("long");
    queue.send(7, b"0123456789");
    assert_eq!(queue.receive(0, NONE, 10).0, -(libc::EMSGSIZE as isize));
    assert_eq!(queue.receive(0, UNIPC_MQ_TRUNCATE, 4), (10, b"0123".into(), 7));
}

/// A `struct msgbuf`.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Msgbuf {
    tag: c_long,
    text: [u8; 16],
}

#[test]
fn a_msgbuf_is_sent_and_filled_as_it_lies() {
    let queue = Queue::new(c"sysv:private", null());
    let out = Msgbuf { tag: 7, text: *b"0123456789abcdef" };
    let send = |msgbuf: Msgbuf, msgsz: usize| {
        // SAFETY: the handle is open and as many bytes are there, or the number is refused.
        unsafe { unipc_mq_send_msgbuf(queue.0, (&raw const msgbuf).cast(), msgsz, &raw const NOW) }
    };
    let receive = |flags: u32, msgsz: usize| {
        let mut into = Msgbuf { tag: -1, text: [b'#'; 16] };
        // SAFETY: the handle is open and there is room for as much, or the number is refused.
        let length = unsafe {
            let msgp = (&raw mut into).cast();
            unipc_mq_receive_msgbuf(queue.0, 0, flags, msgp, msgsz, &raw const NOW)
        };
        (length, into)
    };
    assert_eq!(send(out, 16), 0);
    assert_eq!(receive(0, 15).0, -(libc::E2BIG as isize));
    let mut copied = Msgbuf { tag: -1, text: [b'#'; 16] };
    // SAFETY: the handle is open and there is room for the whole message.
    let peeked = unsafe { unipc_mq_peek_msgbuf(queue.0, 0, (&raw mut copied).cast(), 16) };
    assert!(peeked == -(libc::EOPNOTSUPP as isize) || (peeked, copied) == (16, out));
    assert_eq!(receive(0, 16), (16, out));
    assert_eq!(receive(0, 16).0, -(libc::EAGAIN as isize));
    assert_eq!(send(out, 16), 0);
    let cut = Msgbuf { tag: 7, text: *b"0123############" };
    assert_eq!(receive(UNIPC_MQ_TRUNCATE as u32, 4), (4, cut));
    assert_eq!(send(Msgbuf { tag: 0, ..out }, 16), -libc::EINVAL);
    assert_eq!(receive(UNIPC_MQ_EXCEPT as u32, 16).0, -(libc::EINVAL as isize));
    assert_eq!(receive(1 << 20, 16).0, -(libc::EINVAL as isize));
    for negative in [usize::MAX, usize::MAX - 8] {
        assert_eq!(send(out, negative), -libc::ERANGE);
        assert_eq!(receive(0, negative).0, -(libc::ERANGE as isize));
    }
}

#[test]
fn the_structs_hold_what_the_core_knows() {
    let queue = posix("stat");
    queue.send(5, b"hello");
    let mut status = unipc_mq_posix_status::default();
    // SAFETY: the handle is open, and there is a place for the status.
    assert_eq!(unsafe { unipc_mq_posix_stat(queue.0, &raw mut status) }, 0);
    let (limits, mode) = ((status.max_messages, status.max_size), status.mode);
    assert_eq!((limits, mode, status.messages, status.bytes), ((3, 16), 0o640, 1, 5));

    let queue = Queue::new(c"sysv:private", null());
    queue.send(5, b"hello");
    // SAFETY: the handle is open.
    let id = unsafe { unipc_mq_id(queue.0) };
    let mut status = unipc_mq_sysv_status::default();
    let unchanged = u32::MAX;
    assert_eq!(unipc_mq_sysv_set(id, unchanged, unchanged, 0o600, 1000), 0);
    // SAFETY: there is a place for the status.
    assert_eq!(unsafe { unipc_mq_sysv_stat(id, &raw mut status) }, 0);
    assert_eq!((status.id, status.messages, status.bytes, status.max_bytes), (id, 1, 5, 1000));
    let (mut limits, mut usage) = Default::default();
    // SAFETY: there is a place for the limits.
    assert_eq!(unsafe { unipc_mq_limits(&raw mut limits) }, 0);
    // SAFETY: there is a place for the usage.
    assert_eq!(unsafe { unipc_mq_usage(&raw mut usage) }, 0);
    assert!(limits.msgmax > 0 && limits.prio_max == 32768 && usage.queues > 0);
}

unsafe extern "C" fn tell(channel: *mut c_void) {
    // SAFETY: the test gives a sender that lives for ever.
    let sender = unsafe { &*channel.cast::<mpsc::Sender<c_int>>() };
    sender.send(42).unwrap();
}

#[test]
fn a_function_is_called_with_its_argument() {
    let queue = posix("thread");
    let (sender, news) = mpsc::channel::<c_int>();
    // For ever, since nobody knows when the function has returned.
    let sender = Box::into_raw(Box::new(sender));
    // SAFETY: the handle is open, and the sender lives for ever.
    let asked = unsafe { unipc_mq_notify_thread(queue.0, Some(tell), sender.cast()) };
    assert_eq!(asked, 0);
    // SAFETY: the handle is open.
    assert_eq!(unsafe { unipc_mq_notify_signal(queue.0, libc::SIGUSR1, 0) }, -libc::EBUSY);
    queue.send(0, b"");
    assert_eq!(news.recv_timeout(Duration::from_secs(30)), Ok(42));
    // SAFETY: the handle is open.
    assert_eq!(unsafe { unipc_mq_cancel_notification(queue.0) }, 0);
}
