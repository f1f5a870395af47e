// SPDX-License-Identifier: MIT OR Apache-2.0
//! The verbs of semaphores.

use std::sync::Arc;
use std::time::Duration;

use unipc::sem::{Operation, Options, OwnedGuard, Status, limits};
use unipc::sysv::Change;
use unipc::{Mode, Result, Semaphore, SemaphoreSet, SharedMemory, Timeout};

use super::{Answer, Request, waiting};

/// What this process has open: a semaphore, what it holds of it, and a set.
#[derive(Default)]
pub(super) struct Room {
    semaphore: Option<Arc<Semaphore>>,
    held: Vec<OwnedGuard>,
    set: Option<SemaphoreSet>,
}

impl super::Room for Room {
    fn perform(&mut self, request: &Request) -> Answer {
        let name = request.text("name").unwrap_or_default();
        let done = match request.verb {
            "create" => self
                .keep(options(request).and_then(|options| {
                    options.create(name, request.number("value").unwrap_or(0))
                })),
            "open" => {
                let index = request.number("index").unwrap_or(0);
                self.keep(Semaphore::options().index(index).open(name))
            }
            "place" => self.keep(in_memory(request, |region| {
                Semaphore::create_in(region, request.number("value").unwrap_or(0))
            })),
            "find" => self.keep(in_memory(request, Semaphore::open_in)),
            "make" => self.keep_set(
                options(request).and_then(|options| options.create_set(name, &numbers(request))),
            ),
            "get" => self.keep_set(SemaphoreSet::open(name)),
            "close" => {
                self.semaphore = None;
                Ok("closed".into())
            }
            "leave" => {
                self.set = None;
                Ok("closed".into())
            }
            "remove" | "unmake" if !name.is_empty() => {
                Semaphore::unlink(name).map(|()| "removed".into())
            }
            "list" => SemaphoreSet::list()
                .map(|rows| rows.iter().map(describe).collect::<Vec<_>>().join(";")),
            "limits" => told_limits(),
            "hold" => self.hold(request)?,
            "acquire" | "release" | "value" | "remove" => {
                one(self.semaphore.as_ref().ok_or("EBADF")?, request)
            }
            _ => several(self.set.as_ref().ok_or("EBADF")?, request)?,
        };
        done.map_err(|error| unipc::errname(error.errno()))
    }
}

impl Room {
    fn keep(&mut self, opened: Result<Semaphore>) -> Result<String> {
        let semaphore = self.semaphore.insert(Arc::new(opened?));
        Ok(format!("id={}", semaphore.set().map_or(-1, SemaphoreSet::id)))
    }

    fn keep_set(&mut self, opened: Result<SemaphoreSet>) -> Result<String> {
        Ok(format!("id={}", self.set.insert(opened?).id()))
    }

    fn hold(&mut self, request: &Request) -> std::result::Result<Result<String>, String> {
        let semaphore = self.semaphore.as_ref().ok_or("EBADF")?;
        Ok(semaphore.hold_owned(limit(request)).map(|guard| {
            self.held.push(guard);
            "taken".into()
        }))
    }
}

fn options(request: &Request) -> Result<Options> {
    Ok(Semaphore::options().mode(Mode::new(request.number("mode").unwrap_or(0o600))?))
}

fn in_memory(
    request: &Request,
    work: impl FnOnce(unipc::Region) -> Result<Semaphore>,
) -> Result<Semaphore> {
    let memory = Arc::new(SharedMemory::open(request.text("memory").unwrap_or_default())?);
    work(memory.region(request.number("at").unwrap_or(0), Semaphore::SIZE)?)
}

/// `timeout` is in milliseconds; without it the call waits for ever. All but a try say WAIT.
fn limit(request: &Request) -> Timeout {
    let limit = request.number("timeout").map(Duration::from_millis);
    if limit != Some(Duration::ZERO) {
        waiting();
    }
    limit.map_or(Timeout::Forever, Timeout::After)
}

fn numbers(request: &Request) -> Vec<u16> {
    let words = request.text("values").unwrap_or_default().split(',');
    words.filter_map(|word| word.parse().ok()).collect()
}

/// `0:-1,2:+2u,1:0n`: index, delta, u for `SEM_UNDO`, n for `IPC_NOWAIT`.
fn operations(request: &Request) -> Vec<Operation> {
    let words = request.text("ops").unwrap_or_default().split(',');
    let operation = |word: &str| {
        let (index, rest) = word.split_once(':')?;
        let delta = rest.trim_end_matches(['u', 'n']);
        Some(
            Operation::new(index.parse().ok()?, delta.parse().ok()?)
                .undo(rest.contains('u'))
                .no_wait(rest.contains('n')),
        )
    };
    words.filter_map(operation).collect()
}

/// The verbs of an open semaphore.
fn one(semaphore: &Semaphore, request: &Request) -> Result<String> {
    match request.verb {
        "acquire" => semaphore.acquire(limit(request)).map(|()| "taken".into()),
        "release" => semaphore.release().map(|()| "given".into()),
        "value" => semaphore.value().map(|value| value.to_string()),
        _ => semaphore.remove().map(|()| "removed".into()),
    }
}

/// The verbs of an open set.
fn several(set: &SemaphoreSet, request: &Request) -> std::result::Result<Result<String>, String> {
    let index = request.number("index").unwrap_or(0);
    Ok(match request.verb {
        "operate" => set.operate(&operations(request), limit(request)).map(|()| "done".into()),
        "values" => set
            .values()
            .map(|values| values.iter().map(u16::to_string).collect::<Vec<_>>().join(",")),
        "put" => set.set_values(&numbers(request)).map(|()| "put".into()),
        "info" => set.info(index).map(|it| {
            format!(
                "value={} pid={} ncount={} zcount={}",
                it.value, it.last_pid, it.waiting_increase, it.waiting_zero
            )
        }),
        "stat" => set.stat().map(|status| describe(&status)),
        "set" => {
            let change = Change { mode: request.number("mode"), ..Change::default() };
            set.set(change).map(|()| "set".into())
        }
        "unmake" => set.remove().map(|()| "removed".into()),
        _ => return Err("ENOSYS".into()),
    })
}

/// All that a status tells, as the words that the runner compares with the tools.
fn describe(status: &Status) -> String {
    let permissions = status.permissions;
    format!(
        "key=0x{:08x} id={} mode={:o} uid={} gid={} cuid={} cgid={} nsems={} otime={} ctime={}",
        permissions.key,
        status.id,
        permissions.mode,
        permissions.uid,
        permissions.gid,
        permissions.cuid,
        permissions.cgid,
        status.count,
        status.operation_time,
        status.change_time
    )
}

fn told_limits() -> Result<String> {
    let limits = limits()?;
    Ok(format!(
        "semmsl={} semmns={} semopm={} semmni={} semvmx={}",
        limits.semmsl, limits.semmns, limits.semopm, limits.semmni, limits.semvmx
    ))
}
