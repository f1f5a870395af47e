// SPDX-License-Identifier: MIT OR Apache-2.0
//! The verbs of pipes, FIFOs and turns.
#![allow(unsafe_code, reason = "fork, and descriptors by number")]

use std::os::fd::{FromRawFd, OwnedFd, RawFd};

use nix::unistd::ForkResult;
use unipc::pipe::{End, Fifo, PIPE_BUF, Side, Turnstile, Writer, pipe};
use unipc::{ErrorKind, Mode, Timeout};

use super::{Answer, Request, hex, waiting};

/// The one end that this process has open, and its side of a turnstile.
#[derive(Default)]
pub(super) struct Room {
    end: Option<End>,
    turnstile: Option<(Side, Turnstile)>,
}

impl super::Room for Room {
    fn perform(&mut self, request: &Request) -> Answer {
        let name = request.text("name").unwrap_or_default();
        let done = match request.verb {
            "take" => self.take(request).map(|_| "taken".into()),
            "write" => self.write(request),
            "write_waiting" => {
                waiting();
                self.write(request)
            }
            "read" => self.read(request),
            "drain" => self.drain(request),
            "records" => self.records(request),
            "tally" => self.tally(),
            "close" => {
                self.end = None;
                Ok("closed".into())
            }
            "create" => {
                let mode = request.number("mode").unwrap_or(0o600);
                Mode::new(mode)
                    .and_then(|mode| Fifo::create_with(name, mode))
                    .map(|_| "created".into())
            }
            "unlink" => Fifo::unlink(name).map(|()| "removed".into()),
            "reader" => Fifo::open(name)
                .and_then(|fifo| fifo.reader(limit(request)))
                .map(|reader| self.keep(reader)),
            "writer" => Fifo::open(name)
                .and_then(|fifo| fifo.writer(limit(request)))
                .map(|writer| self.keep(writer)),
            "side" => self.side(request),
            "turns" => {
                waiting();
                let log = inherited(request, "log");
                let first = request.text("first") == Some("1");
                self.rounds(first, &log).map(|()| "done".into())
            }
            "tell" => self.tell().map(|()| "told".into()),
            "wait" => {
                waiting();
                self.wait().map(|()| "heard".into())
            }
            "forked" => return self.forked(request.text("first") == Some("1")),
            _ => return Err("ENOSYS".into()),
        };
        done.map_err(|error| unipc::errname(error.errno()))
    }
}

/// A descriptor that this process was started with, or a copy of one.
fn inherited(request: &Request, key: &str) -> Writer {
    let number: RawFd = request.number(key).unwrap_or(-1);
    // SAFETY: the runner says that the descriptor is this process's own.
    let fd = unsafe { OwnedFd::from_raw_fd(number) };
    Writer::from_fd(fd).expect("the log is a pipe")
}

fn limit(request: &Request) -> Timeout {
    if request.text("timeout").is_some() {
        return Timeout::TRY;
    }
    waiting();
    Timeout::Forever
}

impl Room {
    fn keep(&mut self, end: impl Into<End>) -> String {
        self.end = Some(end.into());
        "opened".into()
    }

    fn end(&self) -> &End {
        self.end.as_ref().expect("an end is open")
    }

    fn take(&mut self, request: &Request) -> unipc::Result<&End> {
        if let Some(number) = request.number::<RawFd>("fd") {
            // SAFETY: the runner says that the descriptor is this process's own.
            let fd = unsafe { OwnedFd::from_raw_fd(number) };
            self.end = Some(End::from_fd(fd)?);
        }
        Ok(self.end())
    }

    fn write(&mut self, request: &Request) -> unipc::Result<String> {
        let data = request.bytes("hex");
        self.take(request)?.write_all(&data, Timeout::Forever)?;
        Ok(data.len().to_string())
    }

    fn read(&self, request: &Request) -> unipc::Result<String> {
        waiting();
        let mut room = vec![0; request.number("size").unwrap_or(65536)];
        match self.end().read(&mut room, Timeout::Forever)? {
            0 => Ok("end".into()),
            count => Ok(hex(&room[..count])),
        }
    }

    fn drain(&mut self, request: &Request) -> unipc::Result<String> {
        let mut all = Vec::new();
        let mut room = [0; 4096];
        let end = self.take(request)?;
        loop {
            match end.read(&mut room, Timeout::Forever)? {
                0 => return Ok(hex(&all)),
                count => all.extend(&room[..count]),
            }
        }
    }

    fn records(&self, request: &Request) -> unipc::Result<String> {
        let letter = request.text("letter").unwrap_or("a").as_bytes()[0];
        for _ in 0..request.number("count").unwrap_or(0) {
            self.end().write_atomic(&[letter; PIPE_BUF], Timeout::Forever)?;
        }
        Ok("written".into())
    }

    fn tally(&self) -> unipc::Result<String> {
        let mut counts = [0; 4];
        let mut record = [0; PIPE_BUF];
        loop {
            match self.end().read_exact(&mut record, Timeout::Forever) {
                Err(error) if *error.kind() == ErrorKind::EndOfStream => {
                    return Ok(counts.map(|count: usize| count.to_string()).join(","));
                }
                other => other?,
            }
            if record.iter().any(|&byte| byte != record[0]) {
                return Ok("torn".into());
            }
            counts[usize::from(record[0] - b'a')] += 1;
        }
    }

    fn side(&mut self, request: &Request) -> unipc::Result<String> {
        let parent = request.text("side") == Some("parent");
        let side = if parent { Side::Parent } else { Side::Child };
        let fd = |key| {
            let number: RawFd = request.number(key).unwrap_or(-1);
            // SAFETY: the runner says that the descriptor is this process's own.
            unsafe { OwnedFd::from_raw_fd(number) }
        };
        self.turnstile = Some((side, Turnstile::from_fds(side, fd("hear"), fd("tell"))?));
        Ok("taken".into())
    }

    fn tell(&mut self) -> unipc::Result<()> {
        let (side, turnstile) = self.turnstile.as_mut().expect("a side was taken");
        match side {
            Side::Parent => turnstile.tell_child(),
            Side::Child => turnstile.tell_parent(),
        }
    }

    fn wait(&mut self) -> unipc::Result<()> {
        let (side, turnstile) = self.turnstile.as_mut().expect("a side was taken");
        match side {
            Side::Parent => turnstile.wait_child(Timeout::Forever),
            Side::Child => turnstile.wait_parent(Timeout::Forever),
        }
    }

    fn rounds(&mut self, first: bool, log: &Writer) -> unipc::Result<()> {
        for _ in 0..5 {
            if !first {
                self.wait()?;
            }
            let parent = self.turnstile.as_ref().is_some_and(|(side, _)| *side == Side::Parent);
            log.write_all(if parent { b"p" } else { b"c" }, Timeout::Forever)?;
            self.tell()?;
            if first {
                self.wait()?;
            }
        }
        Ok(())
    }

    /// Five rounds over a fork of this process; the letters in their order.
    fn forked(&mut self, first: bool) -> Answer {
        let failed = |error: unipc::Error| unipc::errname(error.errno());
        let (letters, log) = pipe().map_err(failed)?;
        let turnstile = Turnstile::new().map_err(failed)?;
        // SAFETY: the process has one thread.
        match unsafe { nix::unistd::fork() }.map_err(|errno| errno.to_string())? {
            ForkResult::Child => {
                self.turnstile = Some((Side::Child, turnstile));
                let done = self.rounds(!first, &log);
                // SAFETY: ends the child without what belongs to its parent.
                unsafe { libc::_exit(i32::from(done.is_err())) }
            }
            ForkResult::Parent { child } => {
                self.turnstile = Some((Side::Parent, turnstile));
                self.rounds(first, &log).map_err(failed)?;
                nix::sys::wait::waitpid(child, None).map_err(|errno| errno.to_string())?;
                match self.wait() {
                    Err(error) if error.errno() == libc::EPIPE => {}
                    _ => return Err("the child's death was not noticed".into()),
                }
                let mut order = [0; 10];
                letters.read_exact(&mut order, Timeout::Forever).map_err(failed)?;
                Ok(String::from_utf8_lossy(&order).into_owned())
            }
        }
    }
}
