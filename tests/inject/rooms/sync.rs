// SPDX-License-Identifier: MIT OR Apache-2.0
//! Locks in shared memory: making them, finding them, waiting for them.

use std::rc::Rc;
use std::time::Duration;

use unipc::sync::{Barrier, Condvar, Event, Form, Mutex, Once, RwLock, Semaphore};
use unipc::{Result, SharedMemory, Timeout};

use super::{ANY, Act, Case, MADE, MADE_OR_THERE, Room, Yard};

const SHORT: Timeout = Timeout::After(Duration::from_millis(2));
const SIZE: usize = 64 << 10;

pub(super) const ROOM: Room = Room {
    name: "sync",
    cases: &[
        Case::new("create under a name", |yard| {
            named(yard, false, |name| Mutex::create(name).map(drop))
        })
        .forgives(MADE),
        Case::new("open_or_create new", |yard| {
            named(yard, true, |name| Mutex::open_or_create(name).map(drop))
        })
        .singly()
        .forgives(MADE_OR_THERE)
        .may_leave(),
        Case::new("open_or_create old", |yard| {
            let name = existing(yard);
            Box::new(move || Mutex::open_or_create(name.as_str()).map(drop))
        })
        .forgives(MADE_OR_THERE),
        Case::new("open", |yard| {
            let name = existing(yard);
            Box::new(move || Mutex::open(name.as_str()).map(drop))
        }),
        Case::new("unlink", |yard| {
            let name = existing(yard);
            Box::new(move || SharedMemory::unlink(name.as_str()))
        }),
        Case::new("create each kind in memory", |_| {
            let memory = SharedMemory::create("anon:", SIZE).expect("memory");
            Box::new(move || {
                // What a failure has left half-made is zeros again.
                memory.fill(0, SIZE, 0)?;
                RwLock::create((&memory, 0))?;
                Semaphore::create((&memory, 8 << 10), 2)?;
                Barrier::create((&memory, 24 << 10), 2)?;
                Condvar::create((&memory, 32 << 10))?;
                Event::create((&memory, 40 << 10))?;
                Once::create((&memory, 48 << 10)).map(drop)
            })
        })
        .singly(),
        Case::new("create the C library's in memory", |_| {
            let memory = SharedMemory::create("anon:", SIZE).expect("memory");
            Box::new(move || {
                memory.fill(0, SIZE, 0)?;
                Mutex::options().form(Form::Pthread).create((&memory, 0)).map(drop)
            })
        }),
        Case::new("mutex: lock, unlock", |_| {
            let memory = SharedMemory::create("anon:", SIZE).expect("memory");
            let mutex = Mutex::create((&memory, 0)).expect("zeros");
            Box::new(move || mutex.lock(Timeout::Forever)?.unlock())
        }),
        Case::new("condvar: wait in vain", |_| {
            let memory = SharedMemory::create("anon:", SIZE).expect("memory");
            let mutex = Mutex::create((&memory, 0)).expect("zeros");
            let condvar = Condvar::create((&memory, 4096)).expect("zeros");
            Box::new(move || {
                let mut guard = mutex.lock(Timeout::Forever)?;
                in_vain(condvar.wait(&mut guard, SHORT))?;
                guard.unlock()
            })
        }),
        Case::new("event: wait in vain, set, wait", |_| {
            let memory = SharedMemory::create("anon:", SIZE).expect("memory");
            let event = Event::options().auto_reset(true).create((&memory, 0)).expect("zeros");
            Box::new(move || {
                in_vain(event.wait(SHORT))?;
                event.set()?;
                event.wait(SHORT)
            })
        }),
        Case::new("semaphore: wait in vain", |_| {
            let memory = SharedMemory::create("anon:", SIZE).expect("memory");
            let semaphore = Semaphore::create((&memory, 0), 1).expect("zeros");
            Box::new(move || {
                let permit = semaphore.acquire(Timeout::TRY)?;
                let waited = in_vain(semaphore.acquire(SHORT).map(drop));
                drop(permit);
                waited
            })
        })
        .singly(),
        Case::new("barrier: wait in vain", |_| {
            let memory = SharedMemory::create("anon:", SIZE).expect("memory");
            let barrier = Barrier::create((&memory, 0), 2).expect("zeros");
            Box::new(move || {
                let waited = in_vain(barrier.wait(SHORT).map(drop));
                // Who gives up breaks it for the others.
                barrier.reset()?;
                waited
            })
        })
        .singly(),
        Case::new("once", |_| {
            let memory = SharedMemory::create("anon:", SIZE).expect("memory");
            let once = Once::create((&memory, 0)).expect("zeros");
            Box::new(move || once.call(SHORT, |_| Ok(())).map(drop))
        }),
        Case::new("rwlock: read, write", |_| {
            let memory = SharedMemory::create("anon:", SIZE).expect("memory");
            let lock = RwLock::create((&memory, 0)).expect("zeros");
            Box::new(move || {
                drop(lock.read(SHORT)?);
                lock.write(SHORT).map(drop)
            })
        }),
        Case::new("mutex: somebody has it", |yard| {
            let memory = SharedMemory::create("anon:", SIZE).expect("memory");
            let mutex = held_by_another(yard, &memory);
            Box::new(move || in_vain(mutex.lock(SHORT).map(drop)))
        })
        .once(),
    ],
    forgives: &[
        // A wait that ended early looks again.
        (libc::SYS_futex, libc::EAGAIN),
        (libc::SYS_futex_waitv, libc::EAGAIN),
        // An older kernel sleeps on one word.
        (libc::SYS_futex_waitv, libc::ENOSYS),
        // Who this is, from /proc. Who cannot be told is taken for alive: the kernel's list of what is held is the first line.
        (libc::SYS_openat, ANY),
        (libc::SYS_read, ANY),
        (libc::SYS_readlink, ANY),
        (libc::SYS_statx, ANY),
        (libc::SYS_tgkill, ANY),
        // The size, for which there is another call.
        (libc::SYS_lseek, ANY),
    ],
    // posix_fallocate of the C library, where the file system cannot allocate.
    translates: &[(libc::SYS_fcntl, ANY, libc::EBADF), (libc::SYS_newfstatat, ANY, libc::EBADF)],
    // The handler of SIGBUS; and a thread that is alive is there.
    impossible: &[(libc::SYS_rt_sigaction, libc::EINVAL), (libc::SYS_tgkill, libc::ESRCH)],
};

/// A creation: a failure must have left nothing, or what the next call takes.
fn named(yard: &mut Yard, may_leave: bool, create: fn(&str) -> Result<()>) -> Act {
    let (name, same, end) = (yard.posix("lock"), yard.posix("lock"), yard.posix("lock"));
    yard.check(move |result| {
        let there = Mutex::open(same.as_str()).map(|mutex| mutex.lock(Timeout::TRY).is_ok());
        let agrees = match result {
            Ok(()) => there == Ok(true),
            Err(_) => there.is_err() || may_leave,
        };
        (!agrees).then(|| format!("{result:?}, and there: {there:?}"))
    });
    yard.at_end(move || drop(SharedMemory::unlink(end.as_str())));
    Box::new(move || create(&name))
}

fn existing(yard: &mut Yard) -> String {
    let (name, end) = (yard.posix("lock"), yard.posix("lock"));
    drop(Mutex::create(name.as_str()).expect("the name is free"));
    yard.at_end(move || drop(SharedMemory::unlink(end.as_str())));
    name
}

/// Another thread holds it until the end.
fn held_by_another(yard: &mut Yard, memory: &SharedMemory) -> Rc<Mutex> {
    let mutex = Rc::new(Mutex::create((memory, 0)).expect("zeros"));
    // A handle that goes while this process holds the lock leaves its mapping.
    let kept = Rc::clone(&mutex);
    let theirs = Mutex::open((memory, 0)).expect("it is there");
    let (locked, is_locked) = std::sync::mpsc::channel();
    let (end, is_end) = std::sync::mpsc::channel::<()>();
    let holder = std::thread::spawn(move || {
        let guard = theirs.lock(Timeout::TRY).expect("it is new");
        locked.send(()).expect("somebody waits for that");
        // Until the other half is dropped.
        let _ = is_end.recv();
        drop(guard);
    });
    is_locked.recv().expect("it locks");
    yard.at_end(move || {
        drop(end);
        holder.join().expect("it only holds");
        drop(kept);
    });
    mutex
}

/// A wait that nobody ends must end by itself.
fn in_vain<T>(result: Result<T>) -> Result<()> {
    match result {
        Err(error) if error.errno() == libc::ETIMEDOUT => Ok(()),
        Err(error) => Err(error),
        Ok(_) => panic!("nothing could come"),
    }
}
