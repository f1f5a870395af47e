// SPDX-License-Identifier: MIT OR Apache-2.0
//! Message queues in Rust against the plain calls. The same rows exist in C and in Python.
#![allow(clippy::print_stdout, reason = "this is a program")]
#![allow(unsafe_code, reason = "the plain calls are calls of C")]

mod harness;
mod machine;
#[allow(dead_code, reason = "the clock alone is of use here")]
mod plain;

use std::os::fd::AsRawFd;
use std::process::id;

use harness::{Side, compare};
use unipc::mq::{TYPE_SIZE, Want};
use unipc::{MessageQueue, Timeout};

const LARGEST: usize = 65536;
const DEFAULT: usize = 8192;

/// From where messages go, and where they come from.
type Pair<'a> = (&'a MessageQueue, &'a MessageQueue);

/// The number that the kernel knows a queue by: identifier or descriptor.
fn number(queue: &MessageQueue) -> i32 {
    queue.id().or_else(|| queue.fd().map(|fd| fd.as_raw_fd())).expect("one of the two")
}

fn done(result: isize) -> usize {
    usize::try_from(result).unwrap_or_else(|_| panic!("{}", std::io::Error::last_os_error()))
}

/// A `struct msgbuf`.
#[repr(C)]
struct Message {
    tag: libc::c_long,
    text: [u8; LARGEST],
}

impl Message {
    #[allow(clippy::large_stack_arrays, reason = "once, and on its way to the heap")]
    fn new() -> Box<Self> {
        Box::new(Self { tag: 1, text: [7; LARGEST] })
    }

    fn send(&self, id: i32, length: usize) {
        // SAFETY: the message has as many bytes, which are only read.
        done(unsafe { libc::msgsnd(id, (&raw const *self).cast(), length, 0) } as isize);
    }

    fn receive(&mut self, id: i32) -> usize {
        // SAFETY: there is room for as many bytes.
        done(unsafe { libc::msgrcv(id, (&raw mut *self).cast(), LARGEST, 0, 0) })
    }

    fn send_posix(&self, fd: i32, length: usize) {
        // SAFETY: the message has as many bytes, which are only read.
        done(unsafe { libc::mq_send(fd, self.text.as_ptr().cast(), length, 1) } as isize);
    }

    fn receive_posix(&mut self, fd: i32) -> usize {
        let mut priority = 0;
        let start = self.text.as_mut_ptr().cast();
        // SAFETY: there is room for as many bytes, and for the priority.
        done(unsafe { libc::mq_receive(fd, start, LARGEST, &raw mut priority) })
    }
}

fn through(there: &MessageQueue, back: &MessageQueue, buffer: &mut [u8], size: usize) {
    there.send(1, &buffer[..size], Timeout::Forever).expect("room");
    back.receive_into(Want::Any, buffer, Timeout::Forever).expect("a message");
}

fn through_in_a_msgbuf(there: &MessageQueue, back: &MessageQueue, msgbuf: &mut [u8], size: usize) {
    there.send_msgbuf(&msgbuf[..TYPE_SIZE + size], Timeout::Forever).expect("room");
    back.receive_msgbuf(Want::Any, msgbuf, Timeout::Forever).expect("a message");
}

/// Another process that sends everything back, by the plain calls.
fn echo(there: i32, back: i32, system_v: bool) -> i32 {
    // SAFETY: the child makes plain calls alone, until it is killed.
    let child = unsafe { libc::fork() };
    if child != 0 {
        return child;
    }
    let mut message = Message::new();
    loop {
        if system_v {
            let length = message.receive(there);
            message.send(back, length);
        } else {
            let length = message.receive_posix(there);
            message.send_posix(back, length);
        }
    }
}

fn end(child: i32) {
    // SAFETY: ours.
    unsafe { libc::kill(child, libc::SIGKILL) };
    // SAFETY: as above; its status is of no interest.
    unsafe { libc::waitpid(child, std::ptr::null_mut(), 0) };
}

fn sides<'a>(queues: Pair<'a>, calls: &'a str, size: usize) -> Vec<Side<'a>> {
    let (there, back) = queues;
    let mut buffer = vec![7; LARGEST];
    let ours = Side::new("unipc send, receive", move || through(there, back, &mut buffer, size));
    vec![ours, plain_calls(queues, calls, size)]
}

fn sides_of_msgbufs<'a>(queues: Pair<'a>, calls: &'a str, size: usize) -> Vec<Side<'a>> {
    let (there, back) = queues;
    let mut msgbuf = vec![7; TYPE_SIZE + LARGEST];
    msgbuf[..TYPE_SIZE].copy_from_slice(&libc::c_long::to_ne_bytes(1));
    let ours = Side::new("unipc send_msgbuf, receive_msgbuf", move || {
        through_in_a_msgbuf(there, back, &mut msgbuf, size);
    });
    vec![ours, plain_calls(queues, calls, size)]
}

fn plain_calls<'a>((there, back): Pair<'a>, calls: &'a str, size: usize) -> Side<'a> {
    let mut message = Message::new();
    let system_v = there.id().is_some();
    let (out, into) = (number(there), number(back));
    Side::new(calls, move || {
        if system_v {
            message.send(out, size);
            message.receive(into);
        } else {
            message.send_posix(out, size);
            message.receive_posix(into);
        }
    })
}

fn sizes(kind: &str, calls: &str, largest: usize, make: impl Fn(&str) -> MessageQueue) {
    let (there, back) = (make("there"), make("back"));
    let system_v = there.id().is_some();
    let mut all = vec![8, 64, 1024, DEFAULT, largest];
    all.dedup();
    for size in all {
        let title = format!("{kind}: one way, {size} bytes (expected: at most 1.03 x)");
        compare(&title, sides((&there, &there), calls, size));
        if system_v {
            let title =
                format!("{kind}: one way in a msgbuf, {size} bytes (expected: at most 1.03 x)");
            compare(&title, sides_of_msgbufs((&there, &there), calls, size));
        }
        let child = echo(number(&there), number(&back), system_v);
        let title = format!(
            "{kind}: round trip, {size} bytes, time of this side (expected: at most 1.03 x)"
        );
        compare(&title, sides((&there, &back), calls, size));
        if system_v {
            let title = format!(
                "{kind}: round trip in a msgbuf, {size} bytes, time of this side (expected: at most 1.03 x)"
            );
            compare(&title, sides_of_msgbufs((&there, &back), calls, size));
        }
        end(child);
    }
}

fn posix(what: &str, largest: usize) -> unipc::Result<MessageQueue> {
    let options = MessageQueue::options().max_messages(2).max_size(largest).remove_on_drop(true);
    options.create(format!("/unipc-bench-{what}-{}", id()))
}

fn main() {
    machine::print_head("Rust");
    plain::share_a_processor();
    let system_v = |_: &str| {
        MessageQueue::options().remove_on_drop(true).create("sysv:private").expect("a queue")
    };
    let most = system_v("").max_size().expect("a limit").min(LARGEST);
    if most < LARGEST {
        println!("\nSystem V messages have {most} bytes at most (kernel.msgmax, kernel.msgmnb)");
    }
    sizes("System V queue", "msgsnd, msgrcv", most, system_v);
    let most = if posix("there", LARGEST).is_ok() { LARGEST } else { DEFAULT };
    if most < LARGEST {
        println!("\nPOSIX messages have {most} bytes at most (fs.mqueue.msgsize_max)");
    }
    sizes("POSIX queue", "mq_send, mq_receive", most, |what| posix(what, most).expect("a queue"));
}
