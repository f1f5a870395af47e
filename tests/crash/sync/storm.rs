// SPDX-License-Identifier: MIT OR Apache-2.0
//! Kills at random moments: workers use every object at once, and now and then all of them die together. Afterwards
//! everything must be to be had within a second, and what the locks guard must be whole.

use std::time::{Duration, Instant};

use unipc::sync::{Barrier, Condvar, Event, Mutex, MutexGuard, Once, RwLock, Semaphore};
use unipc::{ErrorKind, Result, SharedMemory, Timeout};

use super::LIMIT;
use crate::process::{Child, Status};
use crate::random::Random;

const WORKERS: u64 = 4;
const PERMITS: u32 = 3;
const BRIEF: Timeout = Timeout::After(Duration::from_millis(1));
/// Where the two pairs lie that the mutex and the read-write lock guard.
const PAIR: usize = 50 << 10;
const OTHER: usize = PAIR + 8;

struct Objects {
    mutex: Mutex,
    rwlock: RwLock,
    semaphore: Semaphore,
    condvar: Condvar,
    barrier: Barrier,
    event: Event,
    once: Once,
}

impl Objects {
    fn new(shm: &SharedMemory) -> Result<Self> {
        Ok(Self {
            mutex: Mutex::open_or_create((shm, 0))?,
            rwlock: RwLock::options().readers(8).open_or_create((shm, 4 << 10))?,
            semaphore: Semaphore::options()
                .max(PERMITS)
                .open_or_create((shm, 12 << 10), PERMITS)?,
            condvar: Condvar::open_or_create((shm, 20 << 10))?,
            barrier: Barrier::open_or_create((shm, 24 << 10), 2)?,
            event: Event::options().auto_reset(true).open_or_create((shm, 28 << 10))?,
            once: Once::open_or_create((shm, 32 << 10))?,
        })
    }

    /// One thing after the other, chosen at random, until the end comes.
    fn work(&self, shm: &SharedMemory, random: &mut Random) -> Result<()> {
        loop {
            let done = match random.below(10) {
                0..3 => self.change(shm),
                3 => self.read(shm),
                4 => self.write(shm),
                5 | 6 => self.semaphore.acquire(BRIEF).map(drop),
                7 => self.wait(shm, random),
                8 => self.meet(),
                _ => match random.below(3) {
                    0 => self.event.set(),
                    1 => self.event.wait(BRIEF),
                    _ => self.once.begin(BRIEF).and_then(|begun| match begun {
                        Some(_) => self.once.abandon(),
                        None => Ok(()),
                    }),
                },
            };
            if let Err(error) = done {
                assert!(matches!(error.kind(), ErrorKind::TimedOut), "{error}");
            }
        }
    }

    fn change(&self, shm: &SharedMemory) -> Result<()> {
        let mut guard = self.mutex.lock(LIMIT)?;
        repair(&mut guard, shm)?;
        both(shm, PAIR)
    }

    fn write(&self, shm: &SharedMemory) -> Result<()> {
        let mut guard = self.rwlock.write(LIMIT)?;
        if guard.owner_died() {
            shm.store_u32(OTHER + 4, shm.load_u32(OTHER)?)?;
            guard.recovered()?;
        }
        both(shm, OTHER)
    }

    fn read(&self, shm: &SharedMemory) -> Result<()> {
        let guard = self.rwlock.read(LIMIT)?;
        let (one, two) = (shm.load_u32(OTHER)?, shm.load_u32(OTHER + 4)?);
        assert!(guard.owner_died() || one == two, "a reader found {one} and {two}");
        Ok(())
    }

    fn wait(&self, shm: &SharedMemory, random: &mut Random) -> Result<()> {
        if random.below(2) == 0 {
            return self.condvar.notify_one();
        }
        let mut guard = self.mutex.lock(LIMIT)?;
        // Waiting gives the mutex up, which unrepaired would be its end.
        repair(&mut guard, shm)?;
        let waited = self.condvar.wait(&mut guard, BRIEF);
        repair(&mut guard, shm)?;
        waited
    }

    fn meet(&self) -> Result<()> {
        match self.barrier.wait(BRIEF) {
            Err(error) if matches!(error.kind(), ErrorKind::Broken(_)) => self.barrier.reset(),
            // More of the workers than there are parties.
            Err(error) if matches!(error.kind(), ErrorKind::Busy(_)) => Ok(()),
            other => other.map(drop),
        }
    }

    /// Everything is to be had, and whole.
    fn check(&self, shm: &SharedMemory) -> Result<()> {
        self.change(shm)?;
        self.write(shm)?;
        self.read(shm)?;
        let permits: Vec<_> = (0..PERMITS).map(|_| self.semaphore.acquire(LIMIT)).collect();
        for permit in permits {
            drop(permit?);
        }
        assert_eq!(self.semaphore.value(), PERMITS, "permits");
        self.event.set()?;
        self.event.wait(LIMIT)?;
        if self.once.begin(LIMIT)?.is_some() {
            self.once.abandon()?;
        }
        self.barrier.reset()?;
        let mut other = Child::run(|| drop(self.barrier.wait(LIMIT).map(drop)));
        self.barrier.wait(LIMIT)?;
        assert_eq!(other.wait(), Status::Exited(0));
        Ok(())
    }
}

/// What whoever gets a dead holder's mutex has to do.
fn repair(guard: &mut MutexGuard<'_>, shm: &SharedMemory) -> Result<()> {
    if guard.owner_died() {
        shm.store_u32(PAIR + 4, shm.load_u32(PAIR)?)?;
        guard.recovered()?;
    }
    Ok(())
}

/// Adds to both of a pair that was equal.
fn both(shm: &SharedMemory, at: usize) -> Result<()> {
    let (one, two) = (shm.load_u32(at)?, shm.load_u32(at + 4)?);
    assert_eq!(one, two, "the pair");
    shm.store_u32(at, one + 1)?;
    shm.store_u32(at + 4, two + 1)
}

/// So many kills; the complaints.
pub(crate) fn run(kills: u64, seed: u64) -> Vec<String> {
    let mut failures = Vec::new();
    let mut random = Random::new(seed);
    let shm = SharedMemory::create("anon:", super::SIZE).expect("room");
    drop(Objects::new(&shm).expect("room"));
    for round in 0..kills.div_ceil(WORKERS) {
        let mut workers: Vec<_> = (0..WORKERS)
            .map(|_| {
                let mut random = Random::new(random.next());
                Child::run(|| {
                    let objects = Objects::new(&shm).expect("it is there");
                    objects.work(&shm, &mut random).expect("it goes on");
                })
            })
            .collect();
        let until = Instant::now() + Duration::from_micros(random.below(4000));
        while Instant::now() < until {
            std::thread::yield_now();
        }
        for worker in &mut workers {
            worker.kill();
            let status = worker.wait();
            if status != Status::Killed(libc::SIGKILL) {
                failures.push(format!("round {round}: a worker ended by {status:?}"));
            }
        }
        let mut checker = Child::run(|| {
            crate::process::alarm(Duration::from_secs(20));
            let objects = Objects::new(&shm).expect("it is there");
            objects.check(&shm).expect("everything is to be had");
        });
        let status = checker.wait();
        if status != Status::Exited(0) {
            failures.push(format!("round {round}: the check ended by {status:?}"));
        }
        if failures.len() > 20 {
            break;
        }
    }
    failures
}
