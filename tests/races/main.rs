// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is shared under a lock, or goes through a queue, is written and read in order: for `ThreadSanitizer`.
//!
//! It knows addresses, so both threads use one handle, and with it one mapping. It knows no fences, so what relies on them
//! (subscribers, and turns that change hands) is for `tests/models`. The standard library is not instrumented: the
//! test harness would be a race. Under it a careless test, in a process of its own, must be reported.
#![allow(clippy::print_stdout, reason = "the closing line of a test program")]

use std::process::Command;
use std::sync::Arc;
use std::thread;

use unipc::channel::Queue;
use unipc::sync::{Event, Mutex, RwLock, Semaphore};
use unipc::{Result, SharedMemory, Timeout};

const ROUNDS: u64 = 2000;
/// Where the locks are, and what is shared under them.
const LOCK: usize = 0;
const SHARED: usize = 8192;
/// Tells this program to be the careless one.
const CARELESS: &str = "UNIPC_RACES_CARELESS";

type Shared = [u64; 8];
type Test = fn() -> Result<()>;

fn main() -> Result<()> {
    if std::env::var_os(CARELESS).is_some() {
        return careless();
    }
    let mut tests: Vec<(&str, Test)> = vec![
        ("mutex", mutex),
        ("read-write lock", rwlock),
        ("semaphore", semaphore),
        ("event", event),
        ("queue", queue),
    ];
    // The options are there when ThreadSanitizer is.
    if std::env::var_os("TSAN_OPTIONS").is_some() {
        tests.push(("a race is reported", || {
            race_is_reported();
            Ok(())
        }));
    }
    for (name, test) in &tests {
        test()?;
        println!("test {name} ... ok");
    }
    println!("test result: ok. {} passed; 0 failed; 0 ignored;", tests.len());
    Ok(())
}

fn memory() -> Result<Arc<SharedMemory>> {
    SharedMemory::create("memfd:races", 16384).map(Arc::new)
}

fn in_both<T: Send + Sync + 'static>(
    shared: &Arc<T>,
    first: fn(&T) -> Result<()>,
    second: fn(&T) -> Result<()>,
) -> Result<()> {
    let threads = [first, second].map(|work| {
        let shared = Arc::clone(shared);
        thread::spawn(move || work(&shared))
    });
    threads.into_iter().try_for_each(|thread| thread.join().expect("no panic"))
}

fn increment(memory: &SharedMemory) -> Result<()> {
    let values: Shared = memory.read(SHARED)?;
    memory.write(SHARED, &values.map(|value| value + 1))
}

fn look(memory: &SharedMemory) -> Result<u64> {
    let values: Shared = memory.read(SHARED)?;
    assert!(values.iter().all(|value| *value == values[0]), "torn: {values:?}");
    Ok(values[0])
}

fn mutex() -> Result<()> {
    let memory = memory()?;
    let mutex = Mutex::create((&*memory, LOCK))?;
    let work = |(memory, mutex): &(Arc<SharedMemory>, Mutex)| {
        (0..ROUNDS).try_for_each(|_| {
            let _guard = mutex.lock(Timeout::Forever)?;
            increment(memory)
        })
    };
    let both = Arc::new((memory, mutex));
    in_both(&both, work, work)?;
    assert_eq!(look(&both.0)?, 2 * ROUNDS);
    Ok(())
}

fn rwlock() -> Result<()> {
    let memory = memory()?;
    let lock = RwLock::create((&*memory, LOCK))?;
    let both = Arc::new((memory, lock));
    in_both(
        &both,
        |(memory, lock)| {
            (0..ROUNDS).try_for_each(|_| {
                let _guard = lock.write(Timeout::Forever)?;
                increment(memory)
            })
        },
        |(memory, lock)| {
            (0..ROUNDS).try_for_each(|_| {
                let _guard = lock.read(Timeout::Forever)?;
                look(memory).map(drop)
            })
        },
    )?;
    assert_eq!(look(&both.0)?, ROUNDS);
    Ok(())
}

fn semaphore() -> Result<()> {
    let memory = memory()?;
    let semaphore = Semaphore::create((&*memory, LOCK), 1)?;
    let work = |(memory, semaphore): &(Arc<SharedMemory>, Semaphore)| {
        (0..ROUNDS).try_for_each(|_| {
            let _permit = semaphore.acquire(Timeout::Forever)?;
            increment(memory)
        })
    };
    let both = Arc::new((memory, semaphore));
    in_both(&both, work, work)?;
    assert_eq!(look(&both.0)?, 2 * ROUNDS);
    Ok(())
}

fn event() -> Result<()> {
    for _ in 0..100 {
        let memory = memory()?;
        let event = Event::create((&*memory, LOCK))?;
        let both = Arc::new((memory, event));
        in_both(
            &both,
            |(memory, event)| {
                increment(memory)?;
                event.set()
            },
            |(memory, event)| {
                event.wait(Timeout::Forever)?;
                assert_eq!(look(memory)?, 1);
                Ok(())
            },
        )?;
    }
    Ok(())
}

fn queue() -> Result<()> {
    let name = format!("/races-{}", std::process::id());
    let queue = Queue::create(name.as_str(), 4096)?;
    Queue::unlink(name.as_str())?;
    let (mut sender, mut receiver) = queue.split();
    // Beside the tail, in two lines of it, and in the ring alone.
    let message = |number: u64| {
        let length = [8, 48, 64, 104, 105, 400][usize::try_from(number % 6).expect("few")];
        vec![number.to_le_bytes()[0]; length]
    };
    let sends = thread::spawn(move || {
        (0..ROUNDS).try_for_each(|number| sender.send(&message(number), Timeout::Forever))?;
        Ok(sender)
    });
    for number in 0..ROUNDS {
        assert_eq!(receiver.recv(Timeout::Forever)?, message(number));
    }
    sends.join().expect("no panic").map(drop)
}

/// Increments without a lock.
fn careless() -> Result<()> {
    let work = |memory: &SharedMemory| (0..ROUNDS).try_for_each(|_| increment(memory));
    in_both(&memory()?, work, work)
}

fn race_is_reported() {
    let program = std::env::current_exe().expect("it is known");
    let done = Command::new(program).env(CARELESS, "1").output().expect("it starts");
    let told = String::from_utf8_lossy(&done.stderr);
    assert!(!done.status.success(), "{told}");
    assert!(told.contains("WARNING: ThreadSanitizer: data race"), "{told}");
}
