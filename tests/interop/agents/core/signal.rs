// SPDX-License-Identifier: MIT OR Apache-2.0
//! The verbs of signals.

use std::collections::HashMap;

use unipc::signal::{self, Counter, Info, PidFd, Set, Signal, Stream};
use unipc::{Result, Timeout};

use super::{Answer, Request, waiting};

/// What counts a signal, by its number.
#[derive(Default)]
pub(super) struct Room {
    counters: HashMap<i32, Counter>,
}

impl super::Room for Room {
    fn perform(&mut self, request: &Request) -> Answer {
        let done = match request.verb {
            "block" => changed(signal::block(set(request))),
            "unblock" => changed(signal::unblock(set(request))),
            "pending" => signal::pending().map(|set| {
                set.iter().map(|it| it.number().to_string()).collect::<Vec<_>>().join(",")
            }),
            "send" => send(request, false),
            "queue" => send(request, true),
            "take" => take(request).map(told),
            "action" => self.action(request),
            "count" => self.count(request),
            _ => return Err("ENOSYS".into()),
        };
        done.map_err(|error| unipc::errname(error.errno()))
    }
}

impl Room {
    fn action(&mut self, request: &Request) -> Result<String> {
        let signal = wanted(request)?;
        self.counters.remove(&signal.number());
        let to = request.text("to").unwrap_or_default();
        match to {
            "ignore" => drop(signal::ignore(signal)?),
            "default" => drop(signal::reset(signal)?),
            _ => drop(self.counters.insert(signal.number(), Counter::open(signal.into())?)),
        }
        Ok(to.into())
    }

    fn count(&self, request: &Request) -> Result<String> {
        let signal = wanted(request)?;
        let Some(counter) = self.counters.get(&signal.number()) else { return Ok("0".into()) };
        let counts = if request.text("wait").is_some() {
            waiting();
            loop {
                match counter.wait(Timeout::Forever) {
                    Err(error) if error.errno() == libc::EINTR => {}
                    counts => break counts,
                }
            }
        } else {
            counter.take()
        };
        Ok(counts?.of(signal).to_string())
    }
}

fn wanted(request: &Request) -> Result<Signal> {
    Signal::new(request.number("signal").unwrap_or(0))
}

fn set(request: &Request) -> Set {
    let numbers = request.text("signals").unwrap_or_default().split(',');
    numbers.filter_map(|number| number.parse().ok()).collect()
}

fn changed(masked: Result<signal::Masked>) -> Result<String> {
    masked?.keep();
    Ok("changed".into())
}

fn send(request: &Request, queued: bool) -> Result<String> {
    let (pid, signal) = (request.number("pid").unwrap_or(0), wanted(request)?);
    let value: i32 = request.number("value").unwrap_or(0);
    match (request.text("by").is_some(), queued) {
        (false, false) => signal::send(pid, signal)?,
        (false, true) => signal::queue(pid, signal, value)?,
        (true, false) => PidFd::open(pid)?.send(signal)?,
        (true, true) => PidFd::open(pid)?.queue(signal, value)?,
    }
    Ok("sent".into())
}

fn take(request: &Request) -> Result<Info> {
    let set = set(request);
    let waits = request.text("wait").is_some();
    let timeout = if waits { Timeout::Forever } else { Timeout::TRY };
    let tell = || {
        if waits {
            waiting();
        }
    };
    if request.text("by") != Some("stream") {
        tell();
        return signal::wait(set, timeout);
    }
    let stream = Stream::open(set)?;
    tell();
    stream.read(timeout)
}

fn told(info: Info) -> String {
    let Info { signal, code, pid, uid, value, status, .. } = info;
    let (signal, value) = (signal.number(), value.int());
    format!("signal={signal} code={code} pid={pid} uid={uid} value={value} status={status}")
}
