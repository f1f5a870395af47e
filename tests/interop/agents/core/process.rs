// SPDX-License-Identifier: MIT OR Apache-2.0
//! The verbs of programs.

use std::io::{Read, Write, stdin, stdout};

use unipc::pipe::{
    Command, Coprocess, Pty, Shell, WindowSize, is_terminal, modes, status_number, window_size,
};
use unipc::{Error, Result, Timeout};

use super::{Answer, Request, hex, waiting};

const FOREVER: Timeout = Timeout::Forever;

/// The filter or the program on a terminal that this process drives.
#[derive(Default)]
pub(super) struct Room {
    filter: Option<Coprocess>,
    pty: Option<Pty>,
}

impl super::Room for Room {
    fn perform(&mut self, request: &Request) -> Answer {
        let done = match request.verb {
            "say" => say(request),
            "take" => take(request),
            "read" => read_command(request),
            "write" => write_command(request),
            "start" => self.start(request),
            "stop" => self.stop(),
            "pty" => self.open_terminal(request),
            "terminal" => use_terminal(),
            _ => return self.talk(request),
        };
        done.map_err(name)
    }
}

#[allow(clippy::needless_pass_by_value, reason = "made for map_err")]
fn name(error: Error) -> String {
    unipc::errname(error.errno())
}

impl Room {
    fn start(&mut self, request: &Request) -> Result<String> {
        let filter = self.filter.insert(Coprocess::spawn(command(request))?);
        Ok(format!("pid={}", filter.process().pid()))
    }

    fn stop(&mut self) -> Result<String> {
        let status = match (self.filter.take(), self.pty.take()) {
            (Some(filter), _) => filter.close(FOREVER)?,
            (None, Some(pty)) => pty.close(FOREVER)?,
            (None, None) => return Ok("nothing".into()),
        };
        Ok(format!("status={}", status_number(status)))
    }

    fn open_terminal(&mut self, request: &Request) -> Result<String> {
        let pty = self.pty.insert(Pty::spawn(command(request), size(request))?);
        let pid = pty.process().map_or(0, |process| process.pid());
        Ok(format!("pid={pid} name={}", pty.name().display()))
    }

    /// What needs somebody to talk to.
    fn talk(&self, request: &Request) -> Answer {
        let filter = || self.filter.as_ref().ok_or("EBADF");
        let pty = || self.pty.as_ref().ok_or("EBADF");
        match request.verb {
            "exchange" => {
                let filter = filter()?;
                waiting();
                let answer = filter.exchange(&request.bytes("hex"), FOREVER).map_err(name)?;
                Ok(hex(&answer))
            }
            "line" => {
                let pty = pty()?;
                waiting();
                let line = pty.read_line(FOREVER).map_err(name)?;
                line.map(|line| hex(&line)).ok_or_else(|| "ENODATA".into())
            }
            "type" => {
                pty()?.write(&request.bytes("hex"), FOREVER).map_err(name)?;
                Ok("typed".into())
            }
            "resize" => {
                pty()?.set_window_size(size(request)).map_err(name)?;
                Ok("resized".into())
            }
            _ => Err("ENOSYS".into()),
        }
    }
}

fn command(request: &Request) -> Command {
    Command::shell(request.text("command").unwrap_or_default())
}

fn size(request: &Request) -> WindowSize {
    let number = |key, otherwise| request.number(key).unwrap_or(otherwise);
    WindowSize::new(number("rows", 24), number("columns", 80))
}

/// Returns when the runner has opened the FIFO `go` and closed it again.
fn wait_for_go(request: &Request) {
    if let Some(path) = request.text("go") {
        let _ = std::fs::read(path);
    }
}

/// The command of a popen for reading.
fn say(request: &Request) -> Result<String> {
    wait_for_go(request);
    let written = stdout().write_all(&request.bytes("hex")).and_then(|()| stdout().flush());
    std::process::exit(if written.is_ok() { 3 } else { 1 });
}

/// The command of a popen for writing.
fn take(request: &Request) -> Result<String> {
    wait_for_go(request);
    let mut all = Vec::new();
    let path = request.text("path").unwrap_or_default();
    let done = stdin().read_to_end(&mut all).and_then(|_| std::fs::write(path, all));
    std::process::exit(if done.is_ok() { 3 } else { 1 });
}

fn read_command(request: &Request) -> Result<String> {
    let shell = Shell::reader(command(request))?;
    waiting();
    let (mut all, mut room) = (Vec::new(), [0; 4096]);
    loop {
        match shell.read(&mut room, FOREVER)? {
            0 => break,
            count => all.extend_from_slice(&room[..count]),
        }
    }
    let status = shell.close(FOREVER)?;
    Ok(format!("status={} hex={}", status_number(status), hex(&all)))
}

fn write_command(request: &Request) -> Result<String> {
    let block = request.bytes("hex");
    let size = request.number("size").unwrap_or(0);
    let all: Vec<u8> = block.iter().copied().cycle().take(size).collect();
    let shell = Shell::writer(command(request))?;
    waiting();
    shell.write(&all, FOREVER)?;
    Ok(format!("status={}", status_number(shell.close(FOREVER)?)))
}

fn print_size() -> Result<()> {
    let size = window_size(stdin())?;
    println!("rows={} columns={}", size.rows, size.columns);
    Ok(())
}

/// The program on a terminal.
fn use_terminal() -> Result<String> {
    let echo = modes(stdin())?.echo;
    println!("tty={} echo={}", u8::from(is_terminal(stdin())), u8::from(echo));
    print_size()?;
    let mut room = [0; 256];
    loop {
        let _ = stdout().flush();
        match stdin().read(&mut room).map(|count| &room[..count]) {
            Err(_) => std::process::exit(1),
            Ok(b"") => println!("end of file"),
            Ok(b"quit\n") => std::process::exit(4),
            Ok(b"size\n") => print_size()?,
            Ok(line) => print!("got {}", String::from_utf8_lossy(line)),
        }
    }
}
