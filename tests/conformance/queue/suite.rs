// SPDX-License-Identifier: MIT OR Apache-2.0
//! The facts that hold for both kinds of queue in every face.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

use super::face::{How, LONG, Options, Queue, TRY};
use crate::object::{Kind, Object};

const ANY: How = How { want: 0, except: false, truncate: false };

/// A name of its own, whose queue goes with it.
struct Place {
    object: Object,
}

impl Place {
    fn new(kind: Kind) -> Self {
        Self { object: Object::new(kind) }
    }

    fn name(&self) -> &str {
        &self.object.name
    }

    /// Creates it; what is private is removed when the handle closes.
    fn create<Q: Queue>(&self, options: Options) -> crate::memory::Result<Q> {
        let private = self.object.kind == Kind::Private;
        Q::create(
            self.name(),
            Options { remove_on_close: options.remove_on_close || private, ..options },
        )
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.object.kind.is_named() {
            // The other face would do as well; the core's is nearest.
            let _ = unipc::MessageQueue::unlink(self.name());
        }
    }
}

fn small(kind: Kind) -> Options {
    let posix = kind == Kind::Posix;
    Options {
        max_messages: if posix { 4 } else { 0 },
        max_size: if posix { 64 } else { 0 },
        ..Options::default()
    }
}

fn made<Q: Queue>(kind: Kind) -> (Place, Q) {
    let place = Place::new(kind);
    let queue = place.create(small(kind)).unwrap();
    (place, queue)
}

fn received<Q: Queue>(queue: &Q, how: How) -> (i64, Vec<u8>) {
    let mut buffer = vec![0xee; 64];
    let (tag, length) = queue.receive(how, &mut buffer, TRY).unwrap();
    buffer.truncate(length);
    (tag, buffer)
}

pub(crate) fn messages_come_as_they_were_sent<Q: Queue>(kind: Kind) {
    let (_place, queue) = made::<Q>(kind);
    let other = Q::open(&queue.name(), Options::default()).unwrap();
    for data in [&b""[..], &[0], &[0, 255, 10, 0], &[7; 64]] {
        queue.send(3, data, LONG).unwrap();
        assert_eq!(other.messages(), Ok(1));
        assert_eq!(received(&other, ANY), (3, data.to_vec()));
    }
    assert_eq!(queue.messages(), Ok(0));
}

pub(crate) fn closing_never_removes<Q: Queue>(kind: Kind) {
    if !kind.is_named() {
        return;
    }
    let (place, queue) = made::<Q>(kind);
    queue.send(1, b"persists", None).unwrap();
    drop(queue);
    let queue = Q::open(place.name(), Options::default()).unwrap();
    assert_eq!(received(&queue, ANY), (1, b"persists".to_vec()));
}

pub(crate) fn a_try_never_waits<Q: Queue>(kind: Kind) {
    let (_place, queue) = made::<Q>(kind);
    assert_eq!(queue.receive(ANY, &mut [0; 64], TRY), Err(libc::EAGAIN));
    let mut sent = 0;
    while queue.send(1, &[sent; 64], TRY).is_ok() {
        sent = sent.wrapping_add(1);
    }
    assert_eq!(queue.send(1, &[0; 64], TRY), Err(libc::EAGAIN));
    assert_eq!(received(&queue, ANY).1, [0; 64]);
    assert_eq!(queue.send(1, &[0; 64], TRY), Ok(()), "there is room again");
}

pub(crate) fn a_limit_is_kept<Q: Queue>(kind: Kind) {
    let (_place, queue) = made::<Q>(kind);
    let limit = std::time::Duration::from_millis(20);
    let started = Instant::now();
    assert_eq!(queue.receive(ANY, &mut [0; 64], Some(limit)), Err(libc::ETIMEDOUT));
    assert!(started.elapsed() >= limit);
    while queue.send(1, &[0; 64], TRY).is_ok() {}
    let started = Instant::now();
    assert_eq!(queue.send(1, &[0; 64], Some(limit)), Err(libc::ETIMEDOUT));
    assert!(started.elapsed() >= limit);
}

pub(crate) fn a_message_that_is_too_long_stays<Q: Queue>(kind: Kind) {
    let (_place, queue) = made::<Q>(kind);
    queue.send(2, b"0123456789", LONG).unwrap();
    let errno = if kind == Kind::Posix { libc::EMSGSIZE } else { libc::E2BIG };
    for limit in [TRY, LONG, None] {
        assert_eq!(queue.receive(ANY, &mut [0; 9], limit), Err(errno));
        assert_eq!(queue.messages(), Ok(1));
    }
    assert_eq!(received(&queue, ANY), (2, b"0123456789".to_vec()));
}

pub(crate) fn a_message_may_be_cut<Q: Queue>(kind: Kind) {
    let (_place, queue) = made::<Q>(kind);
    let how = How { truncate: true, ..ANY };
    for (room, kept) in [(4, &b"0123"[..]), (10, b"0123456789"), (0, b"")] {
        queue.send(2, b"0123456789", LONG).unwrap();
        let mut buffer = vec![0; room];
        assert_eq!(queue.receive(how, &mut buffer, LONG), Ok((2, 10)), "how long it was is told");
        assert_eq!(buffer, kept);
        assert_eq!(queue.messages(), Ok(0));
    }
}

pub(crate) fn what_is_too_long_to_send_is_refused<Q: Queue>(kind: Kind) {
    let (_place, queue) = made::<Q>(kind);
    let data = vec![0; queue.max_size() + 1];
    let errno = if kind == Kind::Posix { libc::EMSGSIZE } else { libc::EINVAL };
    assert_eq!(queue.send(1, &data, None), Err(errno));
    assert_eq!(queue.send(1, &data[1..], TRY), Ok(()), "the longest is fine");
}

pub(crate) fn tags_have_bounds<Q: Queue>(kind: Kind) {
    let (_place, queue) = made::<Q>(kind);
    let (good, bad) = match kind {
        Kind::Posix => ([0, 32767], [-1, 32768]),
        _ => ([1, i64::MAX], [0, -1]),
    };
    for tag in good {
        queue.send(tag, b"", TRY).unwrap();
        assert_eq!(received(&queue, ANY).0, tag);
    }
    for tag in bad {
        assert_eq!(queue.send(tag, b"", TRY), Err(libc::EINVAL), "{tag}");
    }
}

pub(crate) fn only_system_v_chooses_by_type<Q: Queue>(kind: Kind) {
    let (_place, queue) = made::<Q>(kind);
    for tag in [3, 1, 2, 9] {
        queue.send(tag, &[u8::try_from(tag).unwrap()], TRY).unwrap();
    }
    let except = How { want: 1, except: true, ..ANY };
    if kind == Kind::Posix {
        for how in [How { want: 1, ..ANY }, How { want: -1, ..ANY }, except] {
            assert_eq!(queue.receive(how, &mut [0; 64], TRY), Err(libc::EOPNOTSUPP));
        }
        assert_eq!(queue.peek(0), Err(libc::EOPNOTSUPP));
        let order: Vec<_> = (0..4).map(|_| received(&queue, ANY).0).collect();
        assert_eq!(order, [9, 3, 2, 1]);
        return;
    }
    match queue.peek(1) {
        Err(errno) => assert_eq!(errno, libc::EOPNOTSUPP, "the kernel was built without it"),
        second => assert_eq!(second, Ok(Some((1, vec![1])))),
    }
    assert_eq!(received(&queue, How { want: -2, ..ANY }), (1, vec![1]));
    assert_eq!(received(&queue, How { want: 9, ..ANY }), (9, vec![9]));
    assert_eq!(received(&queue, How { want: 3, except: true, ..ANY }), (2, vec![2]));
    assert_eq!(queue.receive(How { want: 7, ..ANY }, &mut [0; 64], TRY), Err(libc::EAGAIN));
    assert_eq!(queue.receive(How { want: 0, ..except }, &mut [0; 64], TRY), Err(libc::EINVAL));
    assert_eq!(received(&queue, except), (3, vec![3]));
}

pub(crate) fn names_are_created_once<Q: Queue>(kind: Kind) {
    if !kind.is_named() {
        let (one, two) = (made::<Q>(kind), made::<Q>(kind));
        one.1.send(1, b"one", TRY).unwrap();
        assert_eq!(two.1.messages(), Ok(0), "each creation makes another queue");
        return;
    }
    let place = Place::new(kind);
    assert_eq!(Q::open(place.name(), Options::default()).err(), Some(libc::ENOENT));
    assert_eq!(Q::unlink(place.name()), Err(libc::ENOENT));
    let _queue: Q = place.create(small(kind)).unwrap();
    assert_eq!(place.create::<Q>(small(kind)).err(), Some(libc::EEXIST));
}

pub(crate) fn open_or_create_does_either<Q: Queue>(kind: Kind) {
    let place = Place::new(kind);
    let options = Options { remove_on_close: kind == Kind::Private, ..small(kind) };
    let first = Q::open_or_create(place.name(), options).unwrap();
    first.send(1, b"first", TRY).unwrap();
    if kind.is_named() {
        let second = Q::open_or_create(place.name(), options).unwrap();
        assert_eq!(received(&second, ANY), (1, b"first".to_vec()));
    }
}

pub(crate) fn the_mode_is_exact_whatever_the_umask<Q: Queue>(kind: Kind) {
    for (asked, expected) in [(None, 0o600), (Some(0o640), 0o640), (Some(0o666), 0o666)] {
        let place = Place::new(kind);
        let queue: Q = place.create(Options { mode: asked, ..small(kind) }).unwrap();
        let mode = match (queue.fd(), queue.id()) {
            (Ok(fd), _) => {
                let mut status = std::mem::MaybeUninit::<libc::stat>::zeroed();
                // SAFETY: the descriptor is open, and there is room for its status.
                assert_eq!(unsafe { libc::fstat(fd, status.as_mut_ptr()) }, 0);
                // SAFETY: the call has filled it.
                unsafe { status.assume_init() }.st_mode & 0o777
            }
            (_, id) => unipc::mq::SystemV::from_id(id.unwrap()).stat().unwrap().permissions.mode,
        };
        assert_eq!(mode, expected);
    }
}

pub(crate) fn replacing_makes_a_new_queue<Q: Queue>(kind: Kind) {
    let (place, old) = made::<Q>(kind);
    old.send(1, b"old", TRY).unwrap();
    let new: Q = place.create(Options { replace: true, ..small(kind) }).unwrap();
    assert_eq!(new.messages(), Ok(0));
    if kind == Kind::Posix || kind == Kind::Private {
        assert_eq!(received(&old, ANY).1, b"old", "who has the old one keeps it");
    } else {
        assert_eq!(old.receive(ANY, &mut [0; 64], TRY), Err(libc::EIDRM));
    }
}

pub(crate) fn removing_is_by_name_or_by_handle<Q: Queue>(kind: Kind) {
    let (place, first) = made::<Q>(kind);
    let name = first.name();
    Q::unlink(&name).unwrap();
    let gone = if kind == Kind::Private { libc::EINVAL } else { libc::ENOENT };
    assert_eq!(Q::unlink(&name), Err(gone));
    assert_eq!(Q::open(&name, Options::default()).err(), Some(gone));
    let second: Q = place.create(small(kind)).unwrap();
    let refused = if kind == Kind::Posix { libc::ESTALE } else { libc::EINVAL };
    assert_eq!(first.remove(), Err(refused), "it is not the successor that is removed");
    second.send(1, b"mine", TRY).unwrap();
    second.remove().unwrap();
    assert_eq!(Q::open(&second.name(), Options::default()).err(), Some(gone));
    if kind == Kind::Posix {
        assert_eq!(received(&second, ANY).1, b"mine", "who has it open keeps it");
    } else {
        assert_eq!(second.receive(ANY, &mut [0; 64], TRY), Err(libc::EIDRM));
        assert_eq!(second.send(1, b"", TRY), Err(libc::EIDRM));
    }
}

pub(crate) fn remove_on_close_removes<Q: Queue>(kind: Kind) {
    let place = Place::new(kind);
    let queue: Q = place.create(Options { remove_on_close: true, ..small(kind) }).unwrap();
    let name = queue.name();
    drop(queue);
    let gone = if kind == Kind::Private { libc::EINVAL } else { libc::ENOENT };
    assert_eq!(Q::open(&name, Options::default()).err(), Some(gone));
}

pub(crate) fn a_handle_does_what_it_is_for<Q: Queue>(kind: Kind) {
    let (_place, queue) = made::<Q>(kind);
    let sender = Q::open(&queue.name(), Options { send_only: true, ..Options::default() }).unwrap();
    let receiver =
        Q::open(&queue.name(), Options { receive_only: true, ..Options::default() }).unwrap();
    sender.send(1, b"one way", TRY).unwrap();
    assert_eq!(sender.receive(ANY, &mut [0; 64], TRY), Err(libc::EBADF));
    assert_eq!(receiver.send(1, b"", TRY), Err(libc::EBADF));
    assert_eq!(received(&receiver, ANY).1, b"one way");
    let neither = Options { send_only: true, receive_only: true, ..Options::default() };
    assert_eq!(Q::open(&queue.name(), neither).err(), Some(libc::EINVAL));
}

pub(crate) fn fork_shares_and_the_childs_end_changes_nothing<Q: Queue>(kind: Kind) {
    let place = Place::new(kind);
    let queue: Q = place.create(Options { remove_on_close: true, ..small(kind) }).unwrap();
    queue.send(2, b"ping", TRY).unwrap();
    // SAFETY: the child only uses the queue and leaves by _exit.
    let child = unsafe { libc::fork() };
    if child == 0 {
        let mut buffer = [0; 64];
        let seen = queue.receive(ANY, &mut buffer, TRY) == Ok((2, 4));
        let answered = queue.send(5, b"pong", TRY).is_ok();
        drop(queue);
        // SAFETY: ends the child without running the parent's exit handlers.
        unsafe { libc::_exit(i32::from(!(seen && answered))) };
    }
    let mut status = 0;
    // SAFETY: waits for the child made above.
    assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
    assert_eq!(status, 0);
    assert_eq!(received(&queue, ANY), (5, b"pong".to_vec()));
    Q::open(&queue.name(), Options::default()).expect("the child has removed nothing");
}

pub(crate) fn threads_get_each_message_once<Q: Queue>(kind: Kind) {
    const EACH: u32 = 500;
    let (_place, queue) = made::<Q>(kind);
    let (sum, left) = (AtomicU32::new(0), AtomicU32::new(4 * EACH));
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let queue = &queue;
            scope.spawn(move || {
                for number in 0..EACH {
                    let limit = if thread % 2 == 0 { None } else { LONG };
                    queue.send(1, &(number + 1).to_ne_bytes(), limit).unwrap();
                }
            });
        }
        for limit in [None, LONG, None, LONG] {
            let (queue, sum, left) = (&queue, &sum, &left);
            scope.spawn(move || {
                // SYNC: counters alone; each thread takes its share.
                while left
                    .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1))
                    .is_ok()
                {
                    let mut buffer = [0; 64];
                    let (_, length) = queue.receive(ANY, &mut buffer, limit).unwrap();
                    let number = u32::from_ne_bytes(buffer[..length].try_into().unwrap());
                    // SYNC: as above.
                    sum.fetch_add(number, Ordering::Relaxed);
                }
            });
        }
    });
    assert_eq!(sum.into_inner(), 4 * EACH * (EACH + 1) / 2);
    assert_eq!(queue.messages(), Ok(0));
}

pub(crate) fn only_posix_has_a_descriptor<Q: Queue>(kind: Kind) {
    let (_place, queue) = made::<Q>(kind);
    if kind != Kind::Posix {
        assert_eq!(queue.fd(), Err(libc::EOPNOTSUPP));
        assert!(queue.id().unwrap() >= 0);
        return;
    }
    assert_eq!(queue.id(), Err(libc::EOPNOTSUPP));
    let fd = queue.fd().unwrap();
    // SAFETY: asks for the flags of an open descriptor.
    let flags = unsafe { libc::fcntl(fd, libc::F_GETFD) };
    assert_eq!(flags & libc::FD_CLOEXEC, libc::FD_CLOEXEC);
    let ready = |events| {
        let mut polled = libc::pollfd { fd, events, revents: 0 };
        // SAFETY: one descriptor, and a place for what is there.
        unsafe { libc::poll(&raw mut polled, 1, 0) };
        polled.revents
    };
    assert_eq!(ready(libc::POLLIN | libc::POLLOUT), libc::POLLOUT);
    queue.send(1, b"", TRY).unwrap();
    assert_eq!(ready(libc::POLLIN), libc::POLLIN);
}

pub(crate) fn only_posix_notifies<Q: Queue>(kind: Kind) {
    let (_place, queue) = made::<Q>(kind);
    let answer = queue.notify_signal(libc::SIGWINCH);
    assert_eq!(answer, if kind == Kind::Posix { Ok(()) } else { Err(libc::EOPNOTSUPP) });
}

pub(crate) fn names_of_other_objects_are_refused<Q: Queue>(kind: Kind) {
    for name in ["file:/tmp/x", "memfd:x", "anon:"] {
        assert_eq!(Q::create(name, Options::default()).err(), Some(libc::EOPNOTSUPP));
        assert_eq!(Q::open(name, Options::default()).err(), Some(libc::EOPNOTSUPP));
        assert_eq!(Q::unlink(name), Err(libc::EOPNOTSUPP));
    }
    let place = Place::new(kind);
    let sized = Options { max_size: 10, remove_on_close: true, ..Options::default() };
    let errno = if kind == Kind::Posix { None } else { Some(libc::EOPNOTSUPP) };
    assert_eq!(place.create::<Q>(sized).err(), errno, "sizes are for POSIX queues");
    assert_eq!(Q::open(place.name(), sized).err(), Some(libc::EINVAL));
}
