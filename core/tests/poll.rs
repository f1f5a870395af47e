// SPDX-License-Identifier: MIT OR Apache-2.0
//! Waiting for several things of every kind at once.

#[path = "support/child.rs"]
mod child;
#[path = "support/fork.rs"]
mod fork;
mod support;

use std::sync::Arc;
use std::time::{Duration, Instant};

use fork::{asleep, fork, killed, succeeded};
use nix::sys::resource::{UsageWho, getrusage};
use support::posix_name;
use unipc::channel::{Client, Queue, Service, Subscriber, Topic};
use unipc::poll::{Doorbell, Poller, Wait, Waitable, wait_any};
use unipc::signal::{self, PidFd, Set, Signal, Stream};
use unipc::socket::{Kind, Socket};
use unipc::sync::{self, Event, EventOptions, Form, Mutex, Once, RwLock};
use unipc::{MessageQueue, Semaphore, SemaphoreSet, SharedMemory, Timeout, mq, pipe};

const SOON: Timeout = Timeout::After(Duration::from_secs(30));

/// A queue without a name, for this process and its children.
fn queue() -> Queue {
    Queue::create("memfd:poll", 4096).unwrap()
}

fn another(queue: &Queue) -> Queue {
    Queue::from_fd(queue.memory_fd().try_clone_to_owned().unwrap()).unwrap()
}

/// What makes something ready, and the keys of that.
type Work<'a> = (Vec<u64>, Box<dyn FnMut() + 'a>);

/// One of each kind, none of them ready; and for each what makes it ready.
#[allow(clippy::too_many_lines, reason = "a few lines for each kind")]
#[test]
fn each_of_many_kinds_is_told_of_and_no_other() {
    let usr2 = Signal::new(libc::SIGUSR2).unwrap();
    let shm = SharedMemory::create("memfd:kinds", 1 << 16).unwrap();
    let mutex = Mutex::create((&shm, 0)).unwrap();
    let lock = RwLock::create((&shm, 4096)).unwrap();
    let event = Event::create((&shm, 16384)).unwrap();
    let permits = sync::Semaphore::create((&shm, 20480), 0).unwrap();
    let once = Once::create((&shm, 32768)).unwrap();
    let (jobs, full) = (queue(), queue());
    let mut full = full;
    while full.send(&[0; 100], Timeout::TRY).is_ok() {}
    let topic = Topic::create("memfd:kinds", 4096).unwrap();
    let memory = || topic.memory_fd().try_clone_to_owned().unwrap();
    let news = Subscriber::from_fd(memory()).unwrap();
    let service = Service::create("memfd:kinds", 4096).unwrap();
    let memory = || service.memory_fd().try_clone_to_owned().unwrap();
    let mut client = Client::from_fd(memory()).unwrap();
    let system_v = MessageQueue::create("sysv:private").unwrap();
    let name = posix_name("poll-mq");
    let posix = mq::Options::new().create(name.as_str()).unwrap();
    let set = SemaphoreSet::create("sysv:private", &[0, 0]).unwrap();
    let named = posix_name("poll-sem");
    let semaphore = Semaphore::create(named.as_str(), 0).unwrap();
    let (reader, writer) = pipe::pipe().unwrap();
    let (socket, peer) = Socket::pair(Kind::Stream).unwrap();
    let signals = Stream::open(Set::from(usr2)).unwrap();
    let program = fork(|| {
        loop {
            std::thread::park();
        }
    });
    let process = PidFd::open(program.as_raw()).unwrap();

    // Held by another thread, since a poller tells of what anybody could take.
    let (release, holder) = hold(&shm);
    let first = [
        jobs.waitable().unwrap(),
        full.sender().waitable().unwrap().detached(),
        news.waitable().unwrap(),
        service.waitable().unwrap(),
        client.waitable().unwrap().detached(),
        mutex.waitable().unwrap(),
        lock.waitable().unwrap(),
        Waitable::to_write(&lock).unwrap(),
        permits.waitable().unwrap(),
        event.waitable().unwrap(),
        once.waitable().unwrap(),
        system_v.waitable().unwrap(),
        posix.waitable().unwrap(),
        Waitable::of_set(&set, 1).unwrap(),
        semaphore.waitable().unwrap(),
        reader.waitable().unwrap(),
        socket.waitable().unwrap(),
        signals.waitable().unwrap(),
        process.waitable().unwrap(),
    ];
    assert_eq!(wait_any(&first, Timeout::TRY).unwrap_err().errno(), libc::EAGAIN);
    let short = Timeout::After(Duration::from_millis(30));
    let over = wait_any(&first, short).unwrap_err();
    assert_eq!(over.errno(), libc::ETIMEDOUT);
    assert!(over.to_string().contains("nothing that was waited for is ready"), "{over}");
    let mut poller = Poller::new();
    for (thing, key) in first.iter().zip(0..) {
        poller.add(thing.clone(), key).unwrap();
    }
    let mut sender = another(&jobs);
    let mut taker = another(&full);
    let mut asker = Client::from_fd(memory()).unwrap();
    let mut topic = topic;
    let mut works: Vec<Work<'_>> = Vec::new();
    works.push((vec![0], Box::new(move || sender.send(b"job", SOON).unwrap())));
    works.push((vec![1], Box::new(move || drop(taker.recv(SOON).unwrap()))));
    works.push((vec![2], Box::new(move || topic.publish(b"news", SOON).unwrap())));
    works.push((vec![3], Box::new(move || assert!(asker.begin(b"?", SOON).is_ok()))));
    works.push((vec![8], Box::new(|| permits.post().unwrap())));
    works.push((vec![9], Box::new(|| event.set().unwrap())));
    works.push((vec![11], Box::new(|| system_v.send(1, b"order", SOON).unwrap())));
    works.push((vec![12], Box::new(|| posix.send(1, b"order", SOON).unwrap())));
    works.push((vec![13], Box::new(|| set.release(1, 1).unwrap())));
    works.push((vec![14], Box::new(|| semaphore.release().unwrap())));
    works.push((vec![15], Box::new(|| writer.write_all(b"line", SOON).unwrap())));
    works.push((vec![16], Box::new(|| peer.send_all(b"packet", SOON).unwrap())));
    works.push((vec![17], Box::new(move || to_this_thread(usr2))));
    works.push((vec![18], Box::new(move || killed(program))));
    works.push((vec![5, 6, 7, 10], Box::new(move || release.send(()).unwrap())));
    let mut expected = Vec::new();
    for (keys, mut work) in works {
        if !expected.is_empty() {
            assert_eq!(poller.wait(Timeout::TRY).unwrap(), expected, "nothing is taken");
        }
        work();
        expected.extend(keys);
        expected.sort_unstable();
        // The last thread gives up one after the other.
        let late = Instant::now() + Duration::from_secs(30);
        while poller.wait(SOON).unwrap() != expected {
            assert!(Instant::now() < late, "{:?} and not {expected:?}", poller.wait(SOON));
        }
    }
    holder.join().unwrap();
    drop(poller);
    for remaining in 0..first.len() {
        let alone = wait_any(&first[remaining..], Timeout::TRY);
        assert_eq!(alone.unwrap(), usize::from(remaining == 4), "the lowest index that is ready");
    }
    signals.read(Timeout::TRY).unwrap();
    system_v.remove().unwrap();
    set.remove().unwrap();
    MessageQueue::unlink(name.as_str()).unwrap();
    Semaphore::unlink(named.as_str()).unwrap();
    assert!(client.begin(b"?", SOON).is_ok());
}

/// To the one thread that has blocked it.
fn to_this_thread(signal: Signal) {
    let (process, thread) = (nix::unistd::getpid(), nix::unistd::gettid());
    signal::send_thread(process.as_raw(), thread.as_raw(), signal).unwrap();
}

/// A thread that holds the locks until it is told.
fn hold(shm: &SharedMemory) -> (std::sync::mpsc::Sender<()>, std::thread::JoinHandle<()>) {
    let fd = shm.fd().unwrap().try_clone_to_owned().unwrap();
    let (release, released) = std::sync::mpsc::channel();
    let (held, holds) = std::sync::mpsc::channel();
    let holder = std::thread::spawn(move || {
        let shm = SharedMemory::from_fd(fd).unwrap();
        let (mutex, lock) = (Mutex::open((&shm, 0)).unwrap(), RwLock::open((&shm, 4096)).unwrap());
        let once = Once::open((&shm, 32768)).unwrap();
        let (guard, write) = (mutex.lock(SOON).unwrap(), lock.write(SOON).unwrap());
        assert!(once.begin(SOON).unwrap().is_some());
        held.send(()).unwrap();
        released.recv().unwrap();
        once.complete().unwrap();
        drop((guard, write));
    });
    holds.recv().unwrap();
    (release, holder)
}

#[test]
fn a_lock_with_as_many_readers_as_it_can_have_is_not_to_be_read() {
    let shm = SharedMemory::create("memfd:readers", 4096).unwrap();
    let lock = RwLock::options().readers(2).create((&shm, 0)).unwrap();
    let readers = [lock.read(SOON).unwrap(), lock.read(SOON).unwrap()];
    let to_read = [lock.waitable().unwrap()];
    assert_eq!(lock.read(Timeout::TRY).unwrap_err().errno(), libc::EAGAIN);
    assert_eq!(wait_any(&to_read, Timeout::TRY).unwrap_err().errno(), libc::EAGAIN);
    std::thread::scope(|scope| {
        let waiter = scope.spawn(|| wait_any(&to_read, SOON).map(drop));
        let [first, second] = readers;
        drop(first);
        waiter.join().unwrap().unwrap();
        drop(second);
    });
    // A writer keeps it as before.
    let writer = lock.write(SOON).unwrap();
    assert_eq!(wait_any(&to_read, Timeout::TRY).unwrap_err().errno(), libc::EAGAIN);
    drop(writer);
    assert_eq!(wait_any(&to_read, Timeout::TRY).unwrap(), 0);
}

#[test]
fn a_waiter_is_woken_while_it_sleeps_whatever_it_waits_for() {
    let (mut jobs, mut answers) = (queue(), queue());
    let (mut sender, mut told) = (another(&jobs), another(&answers));
    let orders = MessageQueue::create("sysv:private").unwrap();
    let shm = SharedMemory::create("memfd:woken", 4096).unwrap();
    let event = EventOptions::new().auto_reset(true).create((&shm, 0)).unwrap();
    let (reader, writer) = pipe::pipe().unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for round in 0..100_u8 {
                match round % 4 {
                    0 => sender.send(&[round], SOON).unwrap(),
                    1 => orders.send(1, &[round], SOON).unwrap(),
                    2 => event.set().unwrap(),
                    _ => writer.write_all(&[round], SOON).unwrap(),
                }
                assert_eq!(told.recv(SOON).unwrap(), [round]);
            }
        });
        for round in 0..100_u8 {
            let things = [jobs.waitable(), orders.waitable(), event.waitable(), reader.waitable()];
            let things = things.map(Result::unwrap);
            let which = wait_any(&things, SOON).unwrap();
            assert_eq!(which, usize::from(round % 4));
            let mut room = [0];
            match which {
                0 => assert_eq!(jobs.recv(Timeout::TRY).unwrap(), [round]),
                1 => assert_eq!(orders.receive(mq::Want::Any, Timeout::TRY).unwrap().data, [round]),
                2 => event.wait(Timeout::TRY).unwrap(),
                _ => assert_eq!(reader.read(&mut room, Timeout::TRY).unwrap(), 1),
            }
            answers.send(&[round], SOON).unwrap();
        }
    });
    orders.remove().unwrap();
}

#[test]
fn the_death_of_a_holder_is_told() {
    let shm = SharedMemory::create("memfd:death", 1 << 16).unwrap();
    let mutex = Mutex::create((&shm, 0)).unwrap();
    let lock = RwLock::create((&shm, 4096)).unwrap();
    let permits = sync::Semaphore::create((&shm, 16384), 1).unwrap();
    let mut told = queue();
    let mut tell = another(&told);
    for round in 0..9 {
        let child = fork(|| {
            let shm =
                SharedMemory::from_fd(shm.fd().unwrap().try_clone_to_owned().unwrap()).unwrap();
            let mutex = Mutex::open((&shm, 0)).unwrap();
            let lock = RwLock::open((&shm, 4096)).unwrap();
            let permits = sync::Semaphore::open((&shm, 16384)).unwrap();
            let held = match round % 3 {
                0 => mutex.lock_raw(SOON),
                1 => lock.read_raw(SOON),
                _ => permits.acquire_raw(SOON),
            };
            assert!(held.is_ok());
            let mut tell = Queue::from_fd(tell.memory_fd().try_clone_to_owned().unwrap()).unwrap();
            tell.send(b"", SOON).unwrap();
            loop {
                std::thread::park();
            }
        });
        told.recv(SOON).unwrap();
        let thing = match round % 3 {
            0 => mutex.waitable().unwrap(),
            1 => Waitable::to_write(&lock).unwrap(),
            _ => permits.waitable().unwrap(),
        };
        assert_eq!(
            wait_any(std::slice::from_ref(&thing), Timeout::TRY).unwrap_err().errno(),
            libc::EAGAIN
        );
        let killer = std::thread::spawn(move || killed(child));
        assert_eq!(wait_any(&[thing], SOON).unwrap(), 0);
        killer.join().unwrap();
        match round % 3 {
            0 => {
                let mut guard = mutex.lock(Timeout::TRY).unwrap();
                assert!(guard.owner_died());
                guard.recovered().unwrap();
            }
            1 => drop(lock.write(Timeout::TRY).unwrap()),
            _ => drop(permits.acquire(Timeout::TRY).unwrap()),
        }
    }
    tell.send(b"", SOON).unwrap();
}

#[test]
fn the_death_of_one_who_waits_harms_nobody() {
    let shm = SharedMemory::create("memfd:harm", 1 << 16).unwrap();
    let (mutex, event) = (Mutex::create((&shm, 0)).unwrap(), Event::create((&shm, 4096)).unwrap());
    let mut jobs = queue();
    for round in 0..5_u8 {
        let guard = mutex.lock(SOON).unwrap();
        let child = fork(|| {
            let jobs = Queue::from_fd(jobs.memory_fd().try_clone_to_owned().unwrap()).unwrap();
            let things = [mutex.waitable(), event.waitable(), jobs.waitable()];
            let _ = wait_any(&things.map(Result::unwrap), Timeout::Forever);
        });
        asleep(child);
        killed(child);
        drop(guard);
        drop(mutex.lock(SOON).unwrap());
        event.set().unwrap();
        event.reset().unwrap();
        jobs.send(&[round], SOON).unwrap();
        assert_eq!(jobs.recv(SOON).unwrap(), [round]);
    }
}

#[test]
fn a_poller_is_its_process_s_own_unless_all_has_descriptors() {
    let shm = SharedMemory::create("memfd:fork", 4096).unwrap();
    let event = Event::create((&shm, 0)).unwrap();
    let (reader, writer) = pipe::pipe().unwrap();
    let mut mixed = Poller::new();
    mixed.add(event.waitable().unwrap(), 1).unwrap();
    mixed.add(reader.waitable().unwrap(), 2).unwrap();
    let mut plain = Poller::new();
    plain.add(reader.waitable().unwrap(), 7).unwrap();
    let bell = Doorbell::new(&event.waitable().unwrap()).unwrap();
    let short = Timeout::After(Duration::from_millis(20));
    assert_eq!(mixed.wait(short).unwrap_err().errno(), libc::ETIMEDOUT);
    let child = fork(|| {
        assert_eq!(mixed.wait(SOON).unwrap_err().errno(), libc::EINVAL);
        assert_eq!(plain.wait(short).unwrap_err().errno(), libc::ETIMEDOUT);
        let thing = event.waitable().unwrap();
        assert_eq!(
            wait_any(std::slice::from_ref(&thing), short).unwrap_err().errno(),
            libc::ETIMEDOUT
        );
        event.set().unwrap();
        assert_eq!(wait_any(&[thing], SOON).unwrap(), 0);
        // What the child drops stays as it is in the parent.
        assert!(bell.arm().is_err());
        drop(std::mem::take(&mut mixed));
    });
    assert_eq!(mixed.wait(SOON).unwrap(), [1]);
    assert_eq!(wait_any(&[Waitable::readable(&bell)], SOON).unwrap(), 0);
    succeeded(child);
    drop(writer);
    assert_eq!(plain.wait(SOON).unwrap(), [7], "the end of a pipe is something to be told");
}

#[test]
fn what_cannot_be_is_refused() {
    let (reader, _writer) = pipe::pipe().unwrap();
    assert_eq!(wait_any(&[], SOON).unwrap_err().errno(), libc::EINVAL);
    let closed = Waitable::raw(1_000_000, true, false);
    let error = wait_any(&[reader.waitable().unwrap(), closed], SOON).unwrap_err();
    assert_eq!(error.errno(), libc::EBADF);
    assert!(error.to_string().contains("descriptor 1000000"), "{error}");
    let mut poller = Poller::new();
    poller.add(reader.waitable().unwrap(), 3).unwrap();
    assert_eq!(poller.add(reader.waitable().unwrap(), 3).unwrap_err().errno(), libc::EEXIST);
    assert_eq!(poller.remove(4).unwrap_err().errno(), libc::ENOENT);
    assert_eq!(poller.len(), 1);
    poller.remove(3).unwrap();
    assert!(poller.is_empty());
    assert_eq!(poller.wait(SOON).unwrap_err().errno(), libc::EINVAL);
    let error = Doorbell::new(&reader.waitable().unwrap()).unwrap_err();
    assert_eq!(error.errno(), libc::EINVAL);
    let shm = SharedMemory::create("memfd:refused", 4096).unwrap();
    let foreign = Mutex::options().form(Form::Pthread).create((&shm, 0)).unwrap();
    assert_eq!(foreign.waitable().unwrap_err().errno(), libc::EOPNOTSUPP);
    let gone = MessageQueue::create("sysv:private").unwrap();
    let thing = gone.waitable().unwrap();
    gone.remove().unwrap();
    assert_eq!(wait_any(&[thing], SOON).unwrap(), 0, "the call that takes says what happened");
    assert!(gone.receive(mq::Want::Any, Timeout::TRY).is_err());
    assert!(gone.waitable().is_err());
}

#[test]
fn a_signal_ends_the_wait() {
    child::succeeds_alone("a_signal_ends_the_wait", || {
        let jobs = queue();
        let usr1 = Signal::new(libc::SIGUSR1).unwrap();
        let _counter = signal::Counter::open(Set::from(usr1)).unwrap();
        let me = nix::unistd::gettid();
        let pid = nix::unistd::getpid().as_raw();
        let stop = Arc::new(std::sync::atomic::AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let sender = std::thread::spawn(move || {
            while !stopped.load(std::sync::atomic::Ordering::Relaxed) {
                signal::send_thread(pid, me.as_raw(), usr1).unwrap();
                std::thread::yield_now();
            }
        });
        let error = wait_any(&[jobs.waitable().unwrap()], SOON).unwrap_err();
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
        assert_eq!(error.errno(), libc::EINTR);
        sender.join().unwrap();
    });
}

/// Time of the processor that this process has used.
fn used() -> Duration {
    let usage = getrusage(UsageWho::RUSAGE_SELF).unwrap();
    let time = |value: nix::sys::time::TimeVal| {
        Duration::from_micros(u64::try_from(value.tv_sec() * 1_000_000 + value.tv_usec()).unwrap())
    };
    time(usage.user_time()) + time(usage.system_time())
}

/// How much of the processor such a wait takes, as a part of the time.
fn share_of_an_idle_wait(things: &[Waitable<'_>]) -> f64 {
    let stretch = Duration::from_secs(2);
    let before = used();
    assert!(wait_any(things, Timeout::After(stretch)).is_err());
    used().saturating_sub(before).as_secs_f64() / stretch.as_secs_f64()
}

/// It is less than a thousandth on an idle machine; the bounds leave room for a loaded one, where each look costs more.
#[test]
fn idle_waiting_burns_nearly_nothing() {
    child::succeeds_alone("idle_waiting_burns_nearly_nothing", || {
        let shm = SharedMemory::create("memfd:idle", 4096).unwrap();
        let event = Event::create((&shm, 0)).unwrap();
        let jobs = queue();
        let orders = MessageQueue::create("sysv:private").unwrap();
        let of_words =
            share_of_an_idle_wait(&[event.waitable().unwrap(), jobs.waitable().unwrap()]);
        let with_looks = share_of_an_idle_wait(&[orders.waitable().unwrap()]);
        orders.remove().unwrap();
        assert!(of_words < 0.01, "{of_words} of a processor");
        assert!(with_looks < 0.1, "{with_looks} of a processor");
    });
}

#[test]
fn many_more_things_than_the_kernel_waits_for_at_once() {
    let shm = SharedMemory::create("memfd:many", 1 << 17).unwrap();
    let events: Vec<_> = (0..300).map(|at| Event::create((&shm, at * 256)).unwrap()).collect();
    let mut poller = Poller::new();
    for (event, key) in events.iter().zip(0..) {
        poller.add(event.waitable().unwrap(), key).unwrap();
    }
    for key in [0, 127, 128, 299] {
        let event = &events[key];
        std::thread::scope(|scope| {
            scope.spawn(|| event.set().unwrap());
            assert_eq!(poller.wait(SOON).unwrap(), [key as u64]);
        });
        event.reset().unwrap();
    }
}
