// SPDX-License-Identifier: MIT OR Apache-2.0
//! System V queues at full fidelity, with /proc/sysvipc/msg as the judge.

#[path = "support/child.rs"]
mod child;
#[path = "support/queue.rs"]
mod queue;
mod support;

use std::fs;
use std::sync::Arc;

use child::{is_root, skip, succeeds_alone, succeeds_in_namespaces};
use queue::{Gone, LONG, waiting};
use support::{Directory, key_name};
use unipc::mq::{Change, SystemV, Want, limits, usage};
use unipc::sysv::{Key, Permissions};
use unipc::{MessageQueue, Mode, Name, Timeout};

/// The kernel's own table: the fields of the row of this identifier, by column name.
fn kernel_row(id: i32) -> Option<impl Fn(&str) -> i64> {
    let table = fs::read_to_string("/proc/sysvipc/msg").unwrap();
    let mut lines = table.lines();
    let columns: Vec<_> = lines.next().unwrap().split_whitespace().map(str::to_owned).collect();
    let row = lines.find_map(|line| {
        let fields: Vec<_> = line.split_whitespace().map(str::to_owned).collect();
        (fields[1] == id.to_string()).then_some(fields)
    })?;
    Some(move |column: &str| {
        let at = columns.iter().position(|name| name == column).unwrap();
        let radix = if column == "perms" { 8 } else { 10 };
        i64::from_str_radix(&row[at], radix).unwrap()
    })
}

fn private() -> MessageQueue {
    MessageQueue::options().remove_on_drop(true).create("sysv:private").unwrap()
}

fn received(queue: &MessageQueue, want: Want) -> (i64, String) {
    let message = queue.receive(want, Timeout::TRY).unwrap();
    (message.tag, String::from_utf8(message.data).unwrap())
}

#[test]
fn every_field_of_the_status_is_the_kernels() {
    let key = Gone(key_name());
    let queue = MessageQueue::create(key.0.as_str()).unwrap();
    let id = queue.system_v().unwrap();
    let fresh = id.stat().unwrap();
    assert_eq!((fresh.send_time, fresh.receive_time, fresh.last_send_pid), (0, 0, 0));
    queue.send(3, b"third", LONG).unwrap();
    queue.send(1, b"", LONG).unwrap();
    queue.receive(Want::Tag(1), LONG).unwrap();
    let status = id.stat().unwrap();
    let row = kernel_row(status.id).unwrap();
    let permissions = status.permissions;
    for (column, value) in [
        ("key", i64::from(permissions.key)),
        ("msqid", i64::from(queue.id().unwrap())),
        ("perms", i64::from(permissions.mode)),
        ("cbytes", status.bytes.cast_signed()),
        ("qnum", status.messages.cast_signed()),
        ("lspid", i64::from(status.last_send_pid)),
        ("lrpid", i64::from(status.last_receive_pid)),
        ("uid", i64::from(permissions.uid)),
        ("gid", i64::from(permissions.gid)),
        ("cuid", i64::from(permissions.cuid)),
        ("cgid", i64::from(permissions.cgid)),
        ("stime", status.send_time),
        ("rtime", status.receive_time),
        ("ctime", status.change_time),
    ] {
        assert_eq!(row(column), value, "{column}");
    }
    assert_eq!((status.bytes, status.messages, queue.messages().unwrap()), (5, 1, 1));
    assert_eq!(status.max_bytes, limits().unwrap().msgmnb);
    assert_eq!(status.last_send_pid.cast_unsigned(), std::process::id());
    assert_eq!(status.last_receive_pid.cast_unsigned(), std::process::id());
    assert!(status.send_time > 0 && status.receive_time > 0 && status.change_time > 0);
    assert_eq!(permissions.mode, 0o600);
    assert_eq!(permissions.sequence, status.id.cast_unsigned() / 32768);
}

#[test]
fn receiving_chooses_by_type() {
    let queue = private();
    for (tag, text) in [(3, "third"), (1, "first"), (2, ""), (1, "again"), (9, "ninth")] {
        queue.send(tag, text.as_bytes(), LONG).unwrap();
    }
    assert_eq!(received(&queue, Want::UpTo(2)), (1, "first".into()));
    assert_eq!(received(&queue, Want::Tag(2)), (2, String::new()));
    assert_eq!(received(&queue, Want::Except(3)), (1, "again".into()));
    assert_eq!(queue.receive(Want::Tag(1), Timeout::TRY).unwrap_err().errno(), libc::EAGAIN);
    assert_eq!(received(&queue, Want::Any), (3, "third".into()));
    assert_eq!(received(&queue, Want::from(-10)), (9, "ninth".into()));
    for odd in [0, -1, i64::MIN] {
        assert_eq!(queue.send(odd, b"", Timeout::TRY).unwrap_err().errno(), libc::EINVAL);
    }
    queue.send(i64::MAX, b"last", LONG).unwrap();
    assert_eq!(received(&queue, Want::from(i64::MIN)), (i64::MAX, "last".into()));
}

#[test]
fn a_look_takes_nothing() {
    let queue = private();
    queue.send(5, b"one", LONG).unwrap();
    queue.send(6, &[7; 9000][..limits().unwrap().msgmax.min(9000) as usize], LONG).unwrap();
    match queue.peek(0) {
        Err(error) if error.errno() == libc::EOPNOTSUPP => {
            return skip("a_look_takes_nothing", error);
        }
        first => assert_eq!(first.unwrap().unwrap().data, b"one"),
    }
    assert_eq!(queue.peek(1).unwrap().unwrap().tag, 6);
    assert_eq!(queue.peek(2).unwrap(), None);
    assert_eq!(queue.peek(usize::MAX).unwrap(), None);
    assert_eq!(queue.messages().unwrap(), 2);
    assert_eq!(queue.system_v().unwrap().stat().unwrap().last_receive_pid, 0);
}

#[test]
fn removal_wakes_all_who_wait() {
    let key = Gone(key_name());
    let queue = Arc::new(MessageQueue::create(key.0.as_str()).unwrap());
    let waiters: Vec<_> = (0..8)
        .map(|number| {
            let queue = Arc::clone(&queue);
            let timeout = if number % 2 == 0 { Timeout::Forever } else { LONG };
            waiting(move || queue.receive(Want::Any, timeout).unwrap_err())
        })
        .collect();
    MessageQueue::unlink(key.0.as_str()).unwrap();
    for waiter in waiters {
        let error = waiter.join().unwrap();
        assert_eq!(error.errno(), libc::EIDRM);
        assert!(error.to_string().contains("somebody has removed the queue"), "{error}");
    }
    // A handle that is older than the removal says the same, not that its identifier is wrong.
    assert_eq!(queue.receive(Want::Any, LONG).unwrap_err().errno(), libc::EIDRM);
    assert_eq!(queue.send(1, b"", LONG).unwrap_err().errno(), libc::EIDRM);
    assert_eq!(queue.messages().unwrap_err().errno(), libc::EIDRM);
    assert_eq!(queue.remove().unwrap_err().errno(), libc::EINVAL);
    assert!(kernel_row(queue.id().unwrap()).is_none());
}

#[test]
fn set_changes_what_it_is_given_and_nothing_else() {
    let queue = private();
    let id = queue.system_v().unwrap();
    let before = id.stat().unwrap();
    id.set(Change { mode: Some(0o640), max_bytes: Some(100), ..Change::default() }).unwrap();
    let after = id.stat().unwrap();
    assert_eq!(after.permissions, Permissions { mode: 0o640, ..before.permissions });
    assert_eq!(after.max_bytes, 100);
    assert_eq!(kernel_row(id.id()).unwrap()("perms"), 0o640);
    let odd = id.set(Change { mode: Some(0o4640), ..Change::default() });
    assert_eq!(odd.unwrap_err().errno(), libc::EINVAL);
    let odd = id.set(Change { max_bytes: Some(1 << 32), ..Change::default() });
    assert_eq!(odd.unwrap_err().errno(), libc::ERANGE);
    assert_eq!(id.stat().unwrap().max_bytes, 100);

    // The capacity is what it says, and a message that could never fit does not wait.
    queue.send(1, &[0; 60], LONG).unwrap();
    assert_eq!(queue.send(1, &[0; 60], Timeout::TRY).unwrap_err().errno(), libc::EAGAIN);
    let never = queue.send(1, &[0; 101], Timeout::Forever).unwrap_err();
    assert_eq!(never.errno(), libc::EINVAL);
    assert!(never.to_string().contains("msg_qbytes of the queue is 100"), "{never}");
}

#[test]
fn more_than_msgmnb_is_for_the_privileged() {
    succeeds_alone("more_than_msgmnb_is_for_the_privileged", || {
        // SAFETY: concerns this process, which runs this test alone.
        #[allow(unsafe_code)]
        if is_root() && unsafe { libc::setuid(65534) } != 0 {
            return skip("more_than_msgmnb", "root without the right to become somebody else");
        }
        let queue = private();
        let id = queue.system_v().unwrap();
        let msgmnb = limits().unwrap().msgmnb;
        id.set(Change { max_bytes: Some(msgmnb), ..Change::default() }).unwrap();
        let refused = id.set(Change { max_bytes: Some(msgmnb + 1), ..Change::default() });
        let refused = refused.unwrap_err();
        assert_eq!(refused.errno(), libc::EPERM);
        assert!(refused.to_string().contains(&format!("MSGMNB is {msgmnb}")), "{refused}");
    });
}

#[test]
fn the_mode_says_who_may() {
    succeeds_alone("the_mode_says_who_may", || {
        let mode = |bits| MessageQueue::options().mode(Mode::new(bits).unwrap());
        let (reading, writing) = (Gone(key_name()), Gone(key_name()));
        mode(0o444).create(reading.0.as_str()).unwrap().send(1, b"read", LONG).ok();
        mode(0o222).create(writing.0.as_str()).unwrap();
        // SAFETY: concerns this process, which runs this test alone.
        #[allow(unsafe_code)]
        if !is_root() || unsafe { libc::seteuid(65534) } != 0 {
            return skip("the_mode_says_who_may", "only root can become somebody else");
        }
        let refused = MessageQueue::open(reading.0.as_str()).unwrap_err();
        assert_eq!(refused.errno(), libc::EACCES);
        assert!(refused.to_string().contains("receive_only"), "{refused}");
        let receiver = MessageQueue::options().receive_only(true).open(reading.0.as_str()).unwrap();
        assert_eq!(receiver.receive(Want::Any, LONG).unwrap().data, b"read");
        assert_eq!(receiver.send(1, b"", LONG).unwrap_err().errno(), libc::EBADF);
        let sender = MessageQueue::options().send_only(true).open(writing.0.as_str()).unwrap();
        sender.send(1, b"written", LONG).unwrap();
        assert_eq!(sender.receive(Want::Any, LONG).unwrap_err().errno(), libc::EBADF);
        let id = Name::parse(format!("sysv:id={}", sender.id().unwrap())).unwrap();
        MessageQueue::options().send_only(true).open(&id).unwrap().send(1, b"", LONG).unwrap();
        assert_eq!(MessageQueue::open(&id).unwrap_err().errno(), libc::EACCES);
        assert_eq!(MessageQueue::unlink(&id).unwrap_err().errno(), libc::EPERM);
        let own = MessageQueue::options().own_only(true).receive_only(true);
        own.open(reading.0.as_str()).expect("root's queues are trusted");
        // SAFETY: as above.
        #[allow(unsafe_code)]
        unsafe {
            libc::seteuid(0);
        }
    });
}

#[test]
fn a_private_queue_is_named_by_its_identifier() {
    let queue = private();
    let name = format!("sysv:id={}", queue.id().unwrap());
    assert_eq!(queue.name().to_string(), name);
    let again = MessageQueue::open(queue.name()).unwrap();
    again.send(1, b"kin", LONG).unwrap();
    assert_eq!(received(&queue, Want::Any), (1, "kin".into()));
    assert_eq!(MessageQueue::open("sysv:private").unwrap_err().errno(), libc::EINVAL);
    assert_eq!(MessageQueue::create(name.as_str()).unwrap_err().errno(), libc::EINVAL);
    assert_eq!(MessageQueue::unlink("sysv:private").unwrap_err().errno(), libc::EINVAL);
    let stale = MessageQueue::open("sysv:id=2147483647").unwrap_err();
    assert_eq!(stale.errno(), libc::EINVAL);
    assert!(stale.to_string().contains("no queue has this identifier"), "{stale}");
}

#[test]
fn a_path_makes_the_key() {
    let directory = Directory::new("mq-ftok");
    let path = directory.path("file");
    fs::write(&path, "").unwrap();
    let name = Gone(format!("sysv:{},7", path.display()));
    let queue = MessageQueue::create(name.0.as_str()).unwrap();
    let same = MessageQueue::open(format!("sysv:{}", Key::ftok(&path, 7).unwrap())).unwrap();
    assert_eq!(queue.system_v(), same.system_v());
    drop(name);
    let missing = format!("sysv:{},7", directory.path("none").display());
    let error = MessageQueue::open(missing).unwrap_err();
    assert_eq!(error.errno(), libc::ENOENT);
    assert!(error.to_string().contains("touch "), "{error}");
}

#[test]
fn the_list_and_the_usage_hold_what_the_kernel_lists() {
    let queue = private();
    let id = queue.id().unwrap();
    queue.send(1, b"listed", LONG).unwrap();
    let listed = SystemV::list().unwrap();
    let mine = listed.iter().find(|status| status.id == id).expect("ours is listed");
    assert_eq!((mine.bytes, mine.messages), (6, 1));
    let used = usage().unwrap();
    assert!(used.queues >= 1 && used.messages >= 1 && used.bytes >= 6, "{used:?}");
    drop(queue);
    assert!(!SystemV::list().unwrap().iter().any(|status| status.id == id));
}

#[test]
fn messages_of_any_size_are_received_whole() {
    const TEST: &str = "messages_of_any_size_are_received_whole";
    succeeds_in_namespaces(TEST, || {
        let set = |limit: &str, value: &str| fs::write(format!("/proc/sys/kernel/{limit}"), value);
        if let Err(error) = set("msgmax", "1048576").and_then(|()| set("msgmnb", "4194304")) {
            return skip(TEST, format!("/proc/sys/kernel: {error}"));
        }
        let queue = private();
        assert_eq!(queue.max_size().unwrap(), 1 << 20);
        let sizes = [0, 1, 1015, 1016, 1017, 8191, 8192, 8193, 65536, 1 << 20];
        let data: Vec<u8> = (0..=255).cycle().take(1 << 20).collect();
        for size in sizes {
            queue.send(1, &data[..size], LONG).unwrap();
        }
        // What was sent stays receivable when the limit is lowered.
        set("msgmax", "8192").unwrap();
        for size in sizes {
            assert!(queue.peek(0).map_or(true, |message| message.unwrap().data == data[..size]));
            assert!(queue.receive(Want::Any, LONG).unwrap().data == data[..size], "{size}");
        }
        let refused = queue.send(1, &data[..8193], LONG).unwrap_err();
        assert_eq!(refused.errno(), libc::EINVAL);
        assert!(refused.to_string().contains("MSGMAX is 8192"), "{refused}");

        set("msgmni", "1").unwrap();
        let refused = MessageQueue::create(key_name()).unwrap_err();
        assert_eq!(refused.errno(), libc::ENOSPC);
        assert!(refused.to_string().contains("MSGMNI is 1: 1 queues exist"), "{refused}");
        let kernel = limits().unwrap();
        assert_eq!((kernel.msgmax, kernel.msgmnb, kernel.msgmni), (8192, 4_194_304, 1));
    });
}
