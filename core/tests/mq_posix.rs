// SPDX-License-Identifier: MIT OR Apache-2.0
//! POSIX queues at full fidelity, with the mqueue file system as the judge.
#![allow(unsafe_code, reason = "mounts, masks and limits are raw calls")]

#[path = "support/child.rs"]
mod child;
#[path = "support/queue.rs"]
mod queue;
mod support;

use std::fs;
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;
use std::sync::mpsc;
use std::time::Duration;

use child::{is_root, skip, succeeds_alone, succeeds_in_namespaces};
use nix::sys::resource::{Resource, setrlimit};
use queue::{Gone, LONG};
use support::posix_name;
use unipc::mq::{Notification, Want, limits};
use unipc::{MessageQueue, Mode, Timeout};

fn small(name: &Gone) -> MessageQueue {
    MessageQueue::options().max_messages(4).max_size(64).create(name.0.as_str()).unwrap()
}

#[test]
fn the_highest_priority_comes_first_and_the_oldest_of_it() {
    let name = Gone(posix_name("priority"));
    let queue = MessageQueue::create(name.0.as_str()).unwrap();
    for (priority, text) in [(0, "a"), (9, "b"), (32767, "c"), (1, "d"), (9, "e")] {
        queue.send(priority, text.as_bytes(), LONG).unwrap();
    }
    let order: Vec<_> = (0..5)
        .map(|_| queue.receive(Want::Any, Timeout::TRY).unwrap())
        .map(|message| (message.tag, String::from_utf8(message.data).unwrap()))
        .collect();
    let expected = [(32767, "c"), (9, "b"), (9, "e"), (1, "d"), (0, "a")];
    assert_eq!(order, expected.map(|(tag, text)| (tag, text.to_owned())));
    for odd in [-1, 32768, i64::MAX] {
        assert_eq!(queue.send(odd, b"", Timeout::TRY).unwrap_err().errno(), libc::EINVAL);
    }
    let chosen = queue.receive(Want::Tag(9), Timeout::TRY).unwrap_err();
    assert_eq!(chosen.errno(), libc::EOPNOTSUPP);
    assert_eq!(queue.peek(0).unwrap_err().errno(), libc::EOPNOTSUPP);
}

#[test]
fn the_status_is_what_was_asked_for_and_what_is_there() {
    let name = Gone(posix_name("status"));
    let queue = small(&name);
    assert_eq!((queue.max_size().unwrap(), queue.messages().unwrap()), (64, 0));
    queue.send(1, &[1; 10], LONG).unwrap();
    queue.send(1, &[1; 20], LONG).unwrap();
    let status = queue.posix_stat().unwrap();
    assert_eq!((status.max_messages, status.max_size, status.messages), (4, 64, 2));
    assert_eq!((status.bytes, status.notification), (Some(30), None));
    assert_eq!((status.mode, status.uid), (0o600, nix::unistd::geteuid().as_raw()));
    assert!(!status.non_blocking);
    let sender = MessageQueue::options().send_only(true).open(name.0.as_str()).unwrap();
    let status = sender.posix_stat().unwrap();
    assert_eq!((status.messages, status.bytes), (2, None), "who only sends may not read the file");
    assert!(queue.system_v().is_none() && queue.id().is_none());
}

#[test]
fn the_file_system_of_queues_shows_the_same() {
    const TEST: &str = "the_file_system_of_queues_shows_the_same";
    succeeds_in_namespaces(TEST, || {
        let at = std::env::temp_dir().join(format!("unipc-mqueue-{}", std::process::id()));
        fs::create_dir_all(&at).unwrap();
        let path = std::ffi::CString::new(at.to_str().unwrap()).unwrap();
        let kind = c"mqueue".as_ptr();
        // SAFETY: all strings are NUL-terminated and outlive the call.
        if unsafe { libc::mount(kind, path.as_ptr(), kind, 0, std::ptr::null()) } != 0 {
            return skip(TEST, std::io::Error::last_os_error());
        }
        let queue = small(&Gone("/seen".into()));
        // The guard has removed the name already: the queue is there as long as it is open.
        assert!(!at.join("seen").exists());
        drop(queue);

        let name = Gone("/seen".into());
        let queue = small(&name);
        queue.send(3, &[0; 33], LONG).unwrap();
        queue.notify_signal(libc::SIGUSR1, 5).unwrap_or_else(|error| panic!("{error}"));
        // By another process: closing any descriptor of the queue would end this one's notification.
        let shown = std::process::Command::new("cat").arg(at.join("seen")).output().unwrap();
        let shown = String::from_utf8(shown.stdout).unwrap();
        let fields: Vec<_> = shown.split_whitespace().collect();
        let pid = std::process::id();
        let expected = [
            "QSIZE:33",
            "NOTIFY:0",
            &format!("SIGNO:{}", libc::SIGUSR1),
            &format!("NOTIFY_PID:{pid}"),
        ];
        assert_eq!(fields, expected);
        let status = queue.posix_stat().unwrap();
        let file = fs::metadata(at.join("seen")).unwrap();
        assert_eq!(status.bytes, Some(33));
        assert_eq!(
            (status.mode, status.uid, status.gid),
            (file.mode() & 0o777, file.uid(), file.gid())
        );
        assert_eq!((status.access_time, status.change_time), (file.atime(), file.ctime()));
        let pid = pid.cast_signed();
        let notification = Notification { pid, method: 0, signal: libc::SIGUSR1 };
        assert_eq!(status.notification, Some(notification));

        // Whoever removes the file unlinks the queue; the handle goes on.
        fs::remove_file(at.join("seen")).unwrap();
        assert_eq!(MessageQueue::open("/seen").unwrap_err().errno(), libc::ENOENT);
        assert_eq!(queue.receive(Want::Any, LONG).unwrap().data.len(), 33);
        assert_eq!(queue.remove().unwrap_err().errno(), libc::ENOENT);
        // SAFETY: the string ends in NUL and outlives the call.
        assert_eq!(unsafe { libc::umount2(path.as_ptr(), libc::MNT_DETACH) }, 0);
        fs::remove_dir(&at).unwrap();
    });
}

#[test]
fn the_mode_is_exact_from_the_first_moment_on() {
    succeeds_alone("the_mode_is_exact_from_the_first_moment_on", || {
        // SAFETY: concerns this process, which runs this test alone.
        let before = unsafe { libc::umask(0o777) };
        let stop = std::sync::atomic::AtomicBool::new(false);
        let name = Gone(posix_name("exact"));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                // SYNC: a flag alone.
                while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                    if let Ok(queue) = MessageQueue::open(name.0.as_str()) {
                        assert_eq!(queue.posix_stat().unwrap().mode, 0o640);
                    }
                }
            });
            for _ in 0..200 {
                let options = MessageQueue::options().mode(Mode::new(0o640).unwrap());
                let queue = options.create(name.0.as_str()).unwrap();
                assert_eq!(queue.posix_stat().unwrap().mode, 0o640);
                queue.remove().unwrap();
            }
            // SYNC: as above.
            stop.store(true, std::sync::atomic::Ordering::Relaxed);
        });
        // SAFETY: as above.
        assert_eq!(unsafe { libc::umask(before) }, 0o777, "the process's own umask is as it was");
    });
}

#[test]
fn a_name_that_belongs_to_another_queue_is_not_removed() {
    let name = Gone(posix_name("successor"));
    let first = small(&name);
    MessageQueue::unlink(name.0.as_str()).unwrap();
    assert_eq!(first.remove().unwrap_err().errno(), libc::ENOENT);
    let second = small(&name);
    // Looking who has the name leaves his notification alone, which closing a descriptor of the queue would end.
    second.notify_signal(libc::SIGUSR1, 0).unwrap();
    assert_eq!(first.remove().unwrap_err().errno(), libc::ESTALE);
    assert!(second.posix_stat().unwrap().notification.is_some());
    second.cancel_notification().unwrap();
    first.send(1, b"afterlife", LONG).unwrap();
    assert_eq!(second.messages().unwrap(), 0);
    second.remove().unwrap();
}

#[test]
fn an_existing_queue_must_hold_what_is_asked_for() {
    let name = Gone(posix_name("large"));
    let _queue = small(&name);
    let asked = |messages, size| {
        let options = MessageQueue::options().max_messages(messages).max_size(size);
        options.open_or_create(name.0.as_str()).map(|queue| queue.max_size().unwrap())
    };
    assert_eq!(asked(4, 64).unwrap(), 64);
    assert_eq!(asked(1, 1).unwrap(), 64);
    for (messages, size) in [(5, 64), (4, 65)] {
        let refused = asked(messages, size).unwrap_err();
        assert_eq!(refused.errno(), libc::EINVAL);
        assert!(refused.to_string().contains("for 4 messages of 64 bytes"), "{refused}");
    }
    assert_eq!(MessageQueue::open_or_create(name.0.as_str()).unwrap().max_size().unwrap(), 64);
}

#[test]
fn a_descriptor_that_is_non_blocking_waits_all_the_same() {
    let name = Gone(posix_name("nonblock"));
    let queue = small(&name);
    let fd = queue.fd().unwrap().as_raw_fd();
    // SAFETY: the descriptor is open.
    let flags = unsafe { libc::fcntl(fd, libc::F_GETFL) };
    // SAFETY: as above.
    assert_eq!(unsafe { libc::fcntl(fd, libc::F_SETFL, flags | libc::O_NONBLOCK) }, 0);
    assert!(queue.posix_stat().unwrap().non_blocking);
    let queue = std::sync::Arc::new(queue);
    let receiver = std::sync::Arc::clone(&queue);
    let receiver = queue::waiting(move || receiver.receive(Want::Any, Timeout::Forever));
    queue.send(1, b"late", LONG).unwrap();
    assert_eq!(receiver.join().unwrap().unwrap().data, b"late");
    assert!(queue.posix_stat().unwrap().non_blocking, "nobody has touched the flag");
}

#[test]
fn the_descriptor_polls() {
    use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
    let name = Gone(posix_name("poll"));
    let queue = small(&name);
    let ready = || {
        let events = PollFlags::POLLIN | PollFlags::POLLOUT;
        let mut polled = [PollFd::new(queue.fd().unwrap(), events)];
        poll(&mut polled, PollTimeout::ZERO).unwrap();
        polled[0].revents().unwrap()
    };
    assert_eq!(ready(), PollFlags::POLLOUT);
    queue.send(1, b"", LONG).unwrap();
    assert_eq!(ready(), PollFlags::POLLIN | PollFlags::POLLOUT);
    for _ in 0..3 {
        queue.send(1, b"", LONG).unwrap();
    }
    assert_eq!(ready(), PollFlags::POLLIN);
}

#[test]
fn a_thread_is_told_once() {
    let name = Gone(posix_name("thread"));
    let queue = small(&name);
    let (told, news) = mpsc::channel();
    let masked = move || {
        let mask = nix::sys::signal::SigSet::thread_get_mask().unwrap();
        told.send(mask.contains(nix::sys::signal::Signal::SIGINT)).unwrap();
    };
    queue.notify_thread(masked).unwrap();
    let notification = queue.posix_stat().unwrap().notification.unwrap();
    assert_eq!((notification.pid.cast_unsigned(), notification.method), (std::process::id(), 2));
    let twice = queue.notify_signal(libc::SIGUSR1, 0).unwrap_err();
    assert_eq!(twice.errno(), libc::EBUSY);
    assert!(twice.to_string().contains(&format!("process {} has asked", std::process::id())));

    queue.send(0, b"x", LONG).unwrap();
    assert!(news.recv_timeout(Duration::from_secs(30)).unwrap(), "the thread has signals blocked");
    assert_eq!(queue.posix_stat().unwrap().notification, None);
    queue.receive(Want::Any, LONG).unwrap();
    queue.send(0, b"y", LONG).unwrap();
    assert!(news.recv().is_err(), "the callback is gone, it can run no more");
}

#[test]
fn a_cancelled_notification_ends_without_a_call() {
    let name = Gone(posix_name("cancel"));
    let queue = small(&name);
    let (told, news) = mpsc::channel::<()>();
    let callback = move || told.send(()).unwrap();
    queue.notify_thread(callback.clone()).unwrap();
    queue.cancel_notification().unwrap();
    queue.cancel_notification().expect("cancelling nothing is fine");
    queue.notify_thread(callback).unwrap();
    drop(queue);
    // Both threads have ended, and with them both callbacks.
    assert!(news.recv_timeout(Duration::from_secs(30)).is_err());
    assert_eq!(news.try_recv(), Err(mpsc::TryRecvError::Disconnected));
    let key = MessageQueue::options().remove_on_drop(true).create("sysv:private").unwrap();
    assert_eq!(key.notify_thread(|| ()).unwrap_err().errno(), libc::EOPNOTSUPP);
    assert_eq!(key.notify_signal(1, 0).unwrap_err().errno(), libc::EOPNOTSUPP);
    assert_eq!(key.posix_stat().unwrap_err().errno(), libc::EOPNOTSUPP);
}

/// Waits for SIGUSR2, which is blocked: its code, value and sender.
fn awaited(set: &nix::sys::signal::SigSet) -> (i32, i32, u32) {
    let mut info = std::mem::MaybeUninit::<libc::siginfo_t>::zeroed();
    let limit = libc::timespec { tv_sec: 30, tv_nsec: 0 };
    // SAFETY: all pointers are to live values of the types that the call takes.
    let signal = unsafe { libc::sigtimedwait(set.as_ref(), info.as_mut_ptr(), &raw const limit) };
    assert_eq!(signal, libc::SIGUSR2);
    // SAFETY: the call has filled it.
    let info = unsafe { info.assume_init() };
    // SAFETY: a signal of a queue has a value.
    let value = unsafe { info.si_value() }.sival_ptr.addr();
    // SAFETY: and a pid.
    let pid = unsafe { info.si_pid() };
    #[allow(clippy::cast_possible_truncation, reason = "the int is the lower half of the union")]
    let value = (value as u32).cast_signed();
    (info.si_code, value, pid.cast_unsigned())
}

#[test]
fn a_signal_brings_its_value_and_the_senders_pid() {
    let name = Gone(posix_name("signal"));
    let queue = small(&name);
    assert_eq!(queue.notify_signal(4711, 0).unwrap_err().errno(), libc::EINVAL);
    // SAFETY: a child with one thread, which blocks the signal; it ends by _exit.
    let child = unsafe { libc::fork() };
    if child == 0 {
        let seen = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let mut set = nix::sys::signal::SigSet::empty();
            set.add(nix::sys::signal::Signal::SIGUSR2);
            set.thread_block().unwrap();
            queue.notify_signal(libc::SIGUSR2, -7).unwrap();
            queue.send(0, b"x", LONG).unwrap();
            assert_eq!(awaited(&set), (libc::SI_MESGQ, -7, std::process::id()));
        }));
        // SAFETY: ends the child without running the parent's exit handlers.
        unsafe { libc::_exit(i32::from(seen.is_err())) };
    }
    let mut ended = 0;
    // SAFETY: waits for the child made above.
    assert_eq!(unsafe { libc::waitpid(child, &raw mut ended, 0) }, child);
    assert_eq!(ended, 0);
}

#[test]
fn the_limits_are_the_kernels_and_named_when_hit() {
    const TEST: &str = "the_limits_are_the_kernels_and_named_when_hit";
    succeeds_in_namespaces(TEST, || {
        let path = |limit: &str| format!("/proc/sys/fs/mqueue/{limit}");
        let set = |limit: &str, value: &str| fs::write(path(limit), value);
        if let Err(error) = set("queues_max", "1").and_then(|()| set("msg_max", "7")) {
            return skip(TEST, format!("/proc/sys/fs/mqueue: {error}"));
        }
        set("msgsize_max", "512").unwrap();
        set("msgsize_max", "100000").unwrap();
        {
            // Larger than what is received on the stack.
            let name = Gone(posix_name("huge"));
            let options = MessageQueue::options().max_messages(2).max_size(100_000);
            let queue = options.create(name.0.as_str()).unwrap();
            for size in [100_000, 5, 8193] {
                queue.send(1, &vec![7; size], LONG).unwrap();
                assert_eq!(queue.receive(Want::Any, LONG).unwrap().data, vec![7; size]);
            }
        }
        set("msgsize_max", "512").unwrap();
        setrlimit(Resource::RLIMIT_MSGQUEUE, 100_000, 100_000).unwrap();
        let kernel = |limit: &str| fs::read_to_string(path(limit)).unwrap().trim().parse::<u64>();
        let known = limits().unwrap().posix.unwrap();
        assert_eq!((known.msg_max, known.msgsize_max, known.queues_max), (7, 512, 1));
        assert_eq!(Ok(known.msg_default), kernel("msg_default"));
        assert_eq!(Ok(known.msgsize_default), kernel("msgsize_default"));
        assert_eq!((known.rlimit_msgqueue, known.prio_max), (Some(100_000), 32768));

        let (create, name) = (MessageQueue::options(), Gone(posix_name("limits")));
        let says = |result: unipc::Result<MessageQueue>, errno: i32, words: &str| {
            let error = result.unwrap_err();
            assert_eq!(error.errno(), errno, "{error}");
            assert!(error.to_string().contains(words), "{error}");
        };
        // The kernel allows an ordinary user what /proc says; here this user is privileged, but not without end.
        let huge = create.clone().max_messages(65537).max_size(16);
        says(huge.create(name.0.as_str()), libc::EINVAL, "msg_max is 7");
        let huge = create.clone().max_messages(1).max_size((16 << 20) + 1);
        says(huge.create(name.0.as_str()), libc::EINVAL, "msgsize_max is 512");
        set("msgsize_max", "1048576").unwrap();
        let large = create.clone().max_messages(7).max_size(1 << 20);
        says(large.create(name.0.as_str()), libc::EMFILE, "RLIMIT_MSGQUEUE is 100000 bytes");
        setrlimit(Resource::RLIMIT_NOFILE, 3, 3).unwrap();
        says(create.create(name.0.as_str()), libc::EMFILE, "RLIMIT_NOFILE is 3");
    });
}

#[test]
fn too_many_queues_are_an_error_that_says_so() {
    const TEST: &str = "too_many_queues_are_an_error_that_says_so";
    succeeds_in_namespaces(TEST, || {
        if let Err(error) = fs::write("/proc/sys/fs/mqueue/queues_max", "1") {
            return skip(TEST, format!("/proc/sys/fs/mqueue: {error}"));
        }
        // SAFETY: concerns this process, which runs this test alone.
        if !is_root() || unsafe { libc::setuid(65534) } != 0 {
            return skip(TEST, "the privileged are not counted, and only root can become another");
        }
        let (first, second) = (Gone(posix_name("one")), Gone(posix_name("two")));
        let _queue = MessageQueue::create(first.0.as_str()).unwrap();
        let refused = MessageQueue::create(second.0.as_str()).unwrap_err();
        assert_eq!(refused.errno(), libc::ENOSPC);
        assert!(refused.to_string().contains("queues_max is 1"), "{refused}");
        let options = MessageQueue::options().max_messages(11);
        let refused = options.create(second.0.as_str()).unwrap_err();
        assert!([libc::EINVAL, libc::ENOSPC].contains(&refused.errno()), "{refused}");
    });
}
