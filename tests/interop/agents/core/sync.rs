// SPDX-License-Identifier: MIT OR Apache-2.0
//! The verbs of locks in shared memory.

use std::time::Duration;

use unipc::sync::{Acquired, Condvar, Form, Mutex, RwLock};
use unipc::{Result, SharedMemory, Timeout};

use super::{Answer, Request, waiting};

const COND_AT: usize = 1024;
const RWLOCK_AT: usize = 2048;
const COUNT_AT: usize = 3072;

/// What this process has open.
#[derive(Default)]
pub(super) struct Room(Option<Objects>);

struct Objects {
    memory: SharedMemory,
    mutex: Mutex,
    cond: Condvar,
    rwlock: RwLock,
}

impl super::Room for Room {
    fn perform(&mut self, request: &Request) -> Answer {
        let done = if request.verb == "place" {
            place(request).map(|objects| {
                self.0 = Some(objects);
                "placed".into()
            })
        } else {
            self.0.as_ref().ok_or("EBADF")?.perform(request)
        };
        done.map_err(|error| unipc::errname(error.errno()))
    }
}

fn place(request: &Request) -> Result<Objects> {
    let memory = SharedMemory::open(request.text("memory").unwrap_or_default())?;
    let robust = request.text("form") == Some("robust");
    let form = if robust { Form::Robust } else { Form::Pthread };
    let mutex = Mutex::options().form(form);
    let cond = Condvar::options().form(form);
    let rwlock = RwLock::options().form(form);
    let rwlock = if robust { rwlock.readers(8) } else { rwlock };
    let make = request.number("make") == Some(1);
    let (mutex, cond, rwlock) = if make {
        let cond = cond.create((&memory, COND_AT))?;
        (mutex.create((&memory, 0))?, cond, rwlock.create((&memory, RWLOCK_AT))?)
    } else {
        let cond = cond.open((&memory, COND_AT))?;
        (mutex.open((&memory, 0))?, cond, rwlock.open((&memory, RWLOCK_AT))?)
    };
    Ok(Objects { memory, mutex, cond, rwlock })
}

/// `timeout` is in milliseconds; without it the call waits for ever. All but a try say WAIT.
fn limit(request: &Request) -> Timeout {
    let limit = request.number("timeout").map(Duration::from_millis);
    if limit != Some(Duration::ZERO) {
        waiting();
    }
    limit.map_or(Timeout::Forever, Timeout::After)
}

fn told(acquired: Acquired, word: &str) -> String {
    if acquired == Acquired::OwnerDied { "owner died".into() } else { word.into() }
}

impl Objects {
    fn perform(&self, request: &Request) -> Result<String> {
        let rounds = request.number("rounds").unwrap_or(1);
        match request.verb {
            "lock" => self.mutex.lock_raw(limit(request)).map(|how| told(how, "locked")),
            "unlock" => self.mutex.unlock().map(|()| "unlocked".into()),
            "recovered" => self.mutex.recovered().map(|()| "recovered".into()),
            "add" => {
                for _ in 0..rounds {
                    let _guard = self.mutex.lock(Timeout::Forever)?;
                    self.change(1)?;
                }
                Ok("added".into())
            }
            "wait" => {
                waiting();
                self.turns(rounds, false, u32::MAX).map(|()| "woken".into())
            }
            "signal" => self.turns(rounds, true, 1).map(|()| "signalled".into()),
            "read" => self.rwlock.read_raw(limit(request)).map(|how| told(how, "held")),
            "write" => self.rwlock.write_raw(limit(request)).map(|how| told(how, "held")),
            "leave" => self.rwlock.unlock().map(|()| "left".into()),
            "overwrite" => {
                for _ in 0..rounds {
                    let _guard = self.rwlock.write(Timeout::Forever)?;
                    self.change(1)?;
                }
                Ok("added".into())
            }
            _ => self.memory.load_u32(COUNT_AT).map(|count| count.to_string()),
        }
    }

    /// In two steps, between which another would be lost.
    fn change(&self, step: u32) -> Result<()> {
        let before = self.memory.load_u32(COUNT_AT)?;
        self.memory.store_u32(COUNT_AT, before.wrapping_add(step))
    }

    /// Waits until the counter is `idle` no more, changes it, and tells; so many times.
    fn turns(&self, rounds: u32, idle: bool, step: u32) -> Result<()> {
        let mut guard = self.mutex.lock(Timeout::Forever)?;
        for _ in 0..rounds {
            while (self.memory.load_u32(COUNT_AT)? > 0) == idle {
                self.cond.wait(&mut guard, Timeout::Forever)?;
            }
            self.change(step)?;
            self.cond.notify_all()?;
        }
        guard.unlock()
    }
}
