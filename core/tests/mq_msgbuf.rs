// SPDX-License-Identifier: MIT OR Apache-2.0
//! Messages in memory that is laid out as the kernel has it, sent and received beside those that are not.

#[path = "support/queue.rs"]
mod queue;
mod support;

use std::sync::Arc;
use std::time::Duration;

use queue::{Gone, LONG, each_kind, waiting};
use support::key_name;
use unipc::mq::{Change, Received, TYPE_SIZE, Want, limits};
use unipc::{MessageQueue, Timeout};

const SOON: Timeout = Timeout::After(Duration::from_millis(2));

fn private() -> MessageQueue {
    MessageQueue::options().remove_on_drop(true).create("sysv:private").unwrap()
}

fn msgbuf(tag: libc::c_long, text: &[u8]) -> Vec<u8> {
    [&tag.to_ne_bytes(), text].concat()
}

/// Room for so many bytes of text, of which none is as it will be.
fn room(bytes: usize) -> Vec<u8> {
    vec![b'#'; TYPE_SIZE + bytes]
}

#[test]
fn one_who_has_a_msgbuf_and_one_who_has_none_understand_each_other() {
    let queue = private();
    let largest = usize::try_from(limits().unwrap().msgmax).unwrap();
    for size in [0, 1, 7, 8, 4047, 4048, 4049, largest] {
        let text: Vec<u8> = (0..=255).cycle().take(size).collect();
        let sent = msgbuf(i64::MAX - 1, &text);
        // At each place in a word, which is how a slice of bytes may lie.
        for unused in 0..TYPE_SIZE {
            let mut memory = vec![0; unused];
            memory.extend_from_slice(&sent);
            queue.send_msgbuf(&memory[unused..], LONG).unwrap();
            let message = queue.receive(Want::Any, LONG).unwrap();
            assert_eq!((message.tag, &message.data), (i64::MAX - 1, &text));

            queue.send(i64::MAX - 1, &text, LONG).unwrap();
            let mut into = vec![b'#'; unused + TYPE_SIZE + size + 1];
            let received = queue.receive_msgbuf(Want::Any, &mut into[unused..], LONG).unwrap();
            assert_eq!(received, Received { tag: i64::MAX - 1, len: size });
            assert_eq!((&into[unused..][..sent.len()], into.last()), (&sent[..], Some(&b'#')));
        }
    }
}

#[test]
fn a_msgbuf_is_chosen_by_its_type() {
    let queue = private();
    for (tag, text) in [(3, "third"), (1, "first"), (2, ""), (1, "again")] {
        queue.send_msgbuf(&msgbuf(tag, text.as_bytes()), LONG).unwrap();
    }
    let mut into = room(9);
    for (want, tag, text) in [
        (Want::UpTo(2), 1, "first"),
        (Want::Tag(2), 2, ""),
        (Want::Except(3), 1, "again"),
        (Want::Any, 3, "third"),
    ] {
        let received = queue.receive_msgbuf(want, &mut into, Timeout::TRY).unwrap();
        assert_eq!(received, Received { tag, len: text.len() });
        assert_eq!(&into[TYPE_SIZE..][..received.len], text.as_bytes());
    }
    let odd = queue.receive_msgbuf(Want::Except(0), &mut into, Timeout::TRY).unwrap_err();
    assert_eq!(odd.errno(), libc::EINVAL);
}

#[test]
fn a_msgbuf_that_is_too_short_leaves_the_message_or_cuts_it() {
    let queue = private();
    queue.send(7, b"0123456789", LONG).unwrap();
    let error = queue.receive_msgbuf(Want::Any, &mut room(9), LONG).unwrap_err();
    assert_eq!(error.errno(), libc::E2BIG);
    assert!(error.to_string().contains("longer than the buffer"), "{error}");
    let mut into = room(9);
    match queue.peek_msgbuf(0, &mut into) {
        Err(error) if error.errno() == libc::EOPNOTSUPP => {}
        peeked => {
            assert_eq!(peeked.unwrap_err().errno(), libc::E2BIG);
            let mut into = room(20);
            let whole = queue.peek_msgbuf(0, &mut into).unwrap();
            assert_eq!(whole, Some(Received { tag: 7, len: 10 }));
            assert_eq!(into[..TYPE_SIZE + 10], msgbuf(7, b"0123456789"));
            assert_eq!(queue.peek_msgbuf(1, &mut into).unwrap(), None);
            assert_eq!(queue.peek_msgbuf(usize::MAX, &mut into).unwrap(), None);
        }
    }
    assert_eq!(queue.messages().unwrap(), 1);
    let cut = queue.receive_msgbuf_truncated(Want::Any, &mut into[..TYPE_SIZE + 4], LONG).unwrap();
    assert_eq!(cut, Received { tag: 7, len: 4 });
    assert_eq!(into, msgbuf(7, b"0123#####"));
    assert_eq!(queue.messages().unwrap(), 0);
    queue.send(7, b"0123456789", LONG).unwrap();
    let none = queue.receive_msgbuf_truncated(Want::Any, &mut into[..TYPE_SIZE], LONG).unwrap();
    assert_eq!(none, Received { tag: 7, len: 0 });
}

#[test]
fn what_is_no_msgbuf_is_refused_with_the_reason() {
    let queue = private();
    for (wrong, why) in [
        (msgbuf(0, b"text"), "0 is no type"),
        (msgbuf(-3, b"text"), "-3 is no type"),
        (vec![1; TYPE_SIZE - 1], "begins with the type"),
        (vec![], "begins with the type"),
    ] {
        for timeout in [Timeout::TRY, Timeout::Forever] {
            let error = queue.send_msgbuf(&wrong, timeout).unwrap_err();
            assert_eq!(error.errno(), libc::EINVAL);
            assert!(error.to_string().contains(why), "{error}");
        }
    }
    assert_eq!(queue.messages().unwrap(), 0);
    queue.send(1, b"", LONG).unwrap();
    let error = queue.receive_msgbuf(Want::Any, &mut [0; TYPE_SIZE - 1], LONG).unwrap_err();
    assert_eq!(error.errno(), libc::EINVAL);
    assert!(error.to_string().contains("begins with the type"), "{error}");
    assert_eq!(queue.messages().unwrap(), 1);

    let id = queue.system_v().unwrap();
    id.set(Change { max_bytes: Some(100), ..Change::default() }).unwrap();
    let never = queue.send_msgbuf(&msgbuf(1, &[0; 101]), Timeout::Forever).unwrap_err();
    assert_eq!(never.errno(), libc::EINVAL);
    assert!(never.to_string().contains("the message has 101 bytes, msg_qbytes"), "{never}");
}

#[test]
fn a_msgbuf_is_waited_for_and_waits() {
    let queue = Arc::new(private());
    queue.system_v().unwrap().set(Change { max_bytes: Some(100), ..Change::default() }).unwrap();
    for timeout in [LONG, Timeout::Forever] {
        let other = Arc::clone(&queue);
        let receiver = waiting(move || {
            let mut into = room(8);
            other.receive_msgbuf(Want::Any, &mut into, timeout).map(|received| (received, into))
        });
        queue.send(5, b"wake up!", LONG).unwrap();
        let (told, into) = receiver.join().unwrap().unwrap();
        assert_eq!(told, Received { tag: 5, len: 8 });
        assert_eq!(into, msgbuf(5, b"wake up!"));

        queue.send(1, &[0; 60], LONG).unwrap();
        let other = Arc::clone(&queue);
        let sender = waiting(move || other.send_msgbuf(&msgbuf(6, &[1; 60]), timeout));
        assert_eq!(queue.receive(Want::Any, LONG).unwrap().tag, 1);
        sender.join().unwrap().unwrap();
        assert_eq!(queue.receive(Want::Any, LONG).unwrap().tag, 6);
    }
    for (timeout, errno) in [(Timeout::TRY, libc::EAGAIN), (SOON, libc::ETIMEDOUT)] {
        let empty = queue.receive_msgbuf(Want::Any, &mut room(8), timeout).unwrap_err();
        assert_eq!(empty.errno(), errno);
        queue.send(1, &[0; 60], LONG).unwrap();
        let full = queue.send_msgbuf(&msgbuf(1, &[0; 60]), timeout).unwrap_err();
        assert_eq!(full.errno(), errno);
        queue.receive(Want::Any, LONG).unwrap();
    }
}

#[test]
fn removal_is_told_to_who_has_a_msgbuf() {
    let key = Gone(key_name());
    let queue = Arc::new(MessageQueue::create(key.0.as_str()).unwrap());
    let waiters = [LONG, Timeout::Forever].map(|timeout| {
        let queue = Arc::clone(&queue);
        waiting(move || queue.receive_msgbuf(Want::Any, &mut room(8), timeout).unwrap_err())
    });
    MessageQueue::unlink(key.0.as_str()).unwrap();
    let after = [
        queue.receive_msgbuf(Want::Any, &mut room(8), LONG).unwrap_err(),
        queue.send_msgbuf(&msgbuf(1, b""), LONG).unwrap_err(),
        queue.peek_msgbuf(0, &mut room(8)).unwrap_err(),
    ];
    for error in waiters.map(|waiter| waiter.join().unwrap()).into_iter().chain(after) {
        assert_eq!(error.errno(), libc::EIDRM, "{error}");
        assert!(error.to_string().contains("somebody has removed the queue"), "{error}");
    }
}

#[test]
fn a_posix_queue_has_no_msgbuf_and_a_handle_does_what_it_is_for() {
    let [posix, system_v] = each_kind("msgbuf", &MessageQueue::options());
    let id = system_v.name();
    let sender = MessageQueue::options().send_only(true).open(id).unwrap();
    let receiver = MessageQueue::options().receive_only(true).open(id).unwrap();
    system_v.send(1, b"there", LONG).unwrap();
    for (queue, errno) in [(&posix, libc::EOPNOTSUPP), (&receiver, libc::EBADF)] {
        let refused = queue.send_msgbuf(&msgbuf(1, b""), LONG).unwrap_err();
        assert_eq!(refused.errno(), errno);
    }
    for (queue, errno) in [(&posix, libc::EOPNOTSUPP), (&sender, libc::EBADF)] {
        let refused = [
            queue.receive_msgbuf(Want::Any, &mut room(8), LONG).unwrap_err(),
            queue.receive_msgbuf_truncated(Want::Any, &mut room(8), LONG).unwrap_err(),
            queue.peek_msgbuf(0, &mut room(8)).unwrap_err(),
        ];
        assert_eq!(refused.map(|error| error.errno()), [errno; 3]);
    }
    sender.send_msgbuf(&msgbuf(2, b""), LONG).unwrap();
    assert_eq!(receiver.receive_msgbuf(Want::Tag(2), &mut room(0), LONG).unwrap().len, 0);
    assert_eq!(receiver.receive_msgbuf(Want::Any, &mut room(5), LONG).unwrap().len, 5);
}
