// SPDX-License-Identifier: MIT OR Apache-2.0
//! A filter at the other end of two pipes: a line goes, a line comes.

use std::process::ExitStatus;
use std::sync::Arc;

use super::process::Process;
use super::pty;
use super::shell::{OpenFd, check_free, explained, known, new_pipe};
use super::sink::Sink;
use super::source::{LINE_LIMIT, Source, newline};
use super::spawn::Command;
use super::turn::Taken;
use crate::error::{Error, ErrorKind, Result};
use crate::stream::Limit;
use crate::time::Timeout;

/// A filter as a coprocess: what is written goes to its standard input, and what it puts out is read.
///
/// [`Coprocess::exchange`] sends a line and gives the answer. All else is there in pieces, for filters that do not
/// answer each line with one.
///
/// - **A filter that dies is an error**: `EPIPE`, with how it ended in the text; never a SIGPIPE, never a wait for what
///   cannot come.
/// - **Full pipes do no harm.** Two programs that both write and do not read wait for each other for ever when both
///   pipes are full (64 KiB each). Here a write that finds no room reads what the filter puts out, and keeps it for the
///   next read, up to 64 MiB; then it is `ENOBUFS`. So writing any amount and reading afterwards works, and so do one thread that
///   writes and one that reads.
/// - **Filters that keep their output back.** The C library and others put out whole blocks into a pipe, and lines
///   to a terminal. With [`CoprocessOptions::terminal`] the filter's standard output is a pseudoterminal, so that each line
///   comes at once. It is in raw mode: bytes arrive as they were written. The standard input stays a pipe, so that
///   the filter does not believe in a user and prompt for input, and sees an end of its input.
///
/// After a time limit in an exchange the answer may still come: it would be taken for the answer to the next line. Read it,
/// or start anew.
///
/// Dropping closes both pipes and does not wait; a filter sees the end of its input and ends. No zombie remains.
/// Threads: all functions may be called at once; a line, and an exchange, is not mixed with those of others, and
/// each gets the answer to its own line. fork: a child has the pipes, too; only one of the two may use them. Descriptors are
/// close-on-exec.
///
/// ```
/// use unipc::Timeout;
/// use unipc::pipe::{Command, Coprocess};
///
/// let filter = Coprocess::spawn(Command::new("cat"))?;
/// assert_eq!(filter.exchange(b"hello", Timeout::Forever)?, b"hello");
/// assert!(filter.close(Timeout::Forever)?.success());
/// # Ok::<(), unipc::Error>(())
/// ```
#[doc(alias = "coproc")]
#[derive(Debug)]
pub struct Coprocess {
    input: Sink,
    output: Source,
    process: Arc<Process>,
}

/// How a coprocess is run, where the defaults do not do.
#[derive(Debug, Clone, Copy)]
pub struct CoprocessOptions {
    terminal: bool,
    line_limit: usize,
}

impl Default for CoprocessOptions {
    fn default() -> Self {
        Self { terminal: false, line_limit: LINE_LIMIT }
    }
}

impl CoprocessOptions {
    /// The defaults: two pipes, lines of up to 1 MiB.
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets the filter's standard output be a terminal, for filters that put out whole blocks into a pipe.
    pub fn terminal(mut self, terminal: bool) -> Self {
        self.terminal = terminal;
        self
    }

    /// How long a line of the filter may be, in bytes.
    pub fn line_limit(mut self, bytes: usize) -> Self {
        self.line_limit = bytes;
        self
    }

    /// Starts the filter.
    ///
    /// Errors: as [`Command::spawn`]; `EINVAL` when the command says itself what its standard input or output is.
    pub fn spawn(self, command: Command) -> Result<Coprocess> {
        check_free(&command, 0)?;
        check_free(&command, 1)?;
        let (their_input, our_input) = new_pipe(&command)?;
        let (our_output, their_output) = if self.terminal {
            let (master, slave) = pty::raw_pair()?;
            (pty::stream(master), slave)
        } else {
            let (ours, theirs) = new_pipe(&command)?;
            (known(ours), theirs)
        };
        let process = command.stdin(their_input).stdout(their_output).spawn()?;
        Ok(Coprocess {
            input: Sink::new(known(our_input), false),
            output: Source::new(our_output, self.line_limit, self.terminal),
            process: Arc::new(process),
        })
    }
}

impl Coprocess {
    /// Starts a filter with the default [`CoprocessOptions`].
    ///
    /// Errors: those of [`CoprocessOptions::spawn`].
    pub fn spawn(command: Command) -> Result<Self> {
        CoprocessOptions::new().spawn(command)
    }

    /// Sends a line, to which the newline is added, and waits for a line in answer, which is given without it.
    ///
    /// Errors: `EPIPE` when the filter has ended, or has closed its input or output; `EINVAL` for a line with a newline
    /// in it; `EMSGSIZE` for an answer beyond the limit; `EAGAIN`, `ETIMEDOUT`, `EINTR`,
    /// after which the answer may still come: [`Coprocess::begin_line`] goes on.
    pub fn exchange(&self, line: &[u8], timeout: Timeout) -> Result<Vec<u8>> {
        self.exchange_with(line, timeout, |answer| Ok(answer.to_vec()))
    }

    /// As [`Coprocess::exchange`], without a copy of the answer: what `take` refuses stays the next line.
    ///
    /// Errors: as `exchange`, and what `take` says.
    pub fn exchange_with<R>(
        &self,
        line: &[u8],
        timeout: Timeout,
        take: impl FnOnce(&[u8]) -> Result<R, ErrorKind>,
    ) -> Result<R> {
        self.begin_line(line)?.receive(timeout, take)
    }

    /// As [`Coprocess::exchange`], into `room` for the answer and one byte more: how long it is. A large answer is not copied:
    /// give as much room as the largest takes.
    ///
    /// Errors: as `exchange`; `EMSGSIZE` when the answer does not fit: it stays the next line.
    ///
    /// ```
    /// use unipc::Timeout;
    /// use unipc::pipe::{Command, Coprocess};
    ///
    /// let filter = Coprocess::spawn(Command::new("cat"))?;
    /// let mut room = vec![0; 65536];
    /// let length = filter.exchange_into(b"hello", &mut room, Timeout::Forever)?;
    /// assert_eq!(room[..length], *b"hello");
    /// # Ok::<(), unipc::Error>(())
    /// ```
    pub fn exchange_into(&self, line: &[u8], room: &mut [u8], timeout: Timeout) -> Result<usize> {
        self.begin_line(line)?.receive_into(room, timeout)
    }

    /// Writes a line, to which the newline is added.
    ///
    /// Errors: as [`Coprocess::write`]; `EINVAL` for a line with a newline in it.
    pub fn write_line(&self, line: &[u8], timeout: Timeout) -> Result<()> {
        self.begin_line(line)?.send(timeout)
    }

    /// Writes all bytes.
    ///
    /// Errors: `EPIPE` when the filter has ended or closed its input; `ENOBUFS` when it has put out 64 MiB meanwhile that
    /// nobody has read; `EAGAIN`, `ETIMEDOUT`, `EINTR`; `EBADF` after [`Coprocess::end_input`].
    /// [`ErrorKind::done`] tells how many bytes went before it.
    pub fn write(&self, bytes: &[u8], timeout: Timeout) -> Result<()> {
        self.begin(bytes).send(timeout)
    }

    /// A line to send, with the newline that is added, and perhaps an answer to receive; for callers who go on after a
    /// signal.
    ///
    /// Errors: `EINVAL` for a line with a newline in it.
    pub fn begin_line<'a>(&'a self, line: &'a [u8]) -> Result<Exchange<'a>> {
        if newline(line).is_some() {
            let why = "a line has no newline in it: the newline is added";
            return Err(self.failed("line", ErrorKind::invalid(why)));
        }
        Ok(Exchange { coprocess: self, parts: [line, b"\n"], done: 0, turn: None })
    }

    /// Bytes to send; for callers who go on after a signal.
    pub fn begin<'a>(&'a self, bytes: &'a [u8]) -> Exchange<'a> {
        Exchange { coprocess: self, parts: [bytes, b""], done: 0, turn: None }
    }

    /// Reads the next line, without its newline; nothing at the end. A last line may have no newline.
    ///
    /// Errors: `EMSGSIZE` for a line beyond the limit, whose bytes stay for [`Coprocess::read`]; `EAGAIN`, `ETIMEDOUT`,
    /// `EINTR`: a part of a line that has come stays.
    pub fn read_line(&self, timeout: Timeout) -> Result<Option<Vec<u8>>> {
        self.with_line(timeout, |line| Ok(line.to_vec()))
    }

    /// As [`Coprocess::read_line`], without a copy: what `take` refuses stays the next line.
    ///
    /// Errors: as `read_line`, and what `take` says.
    pub fn with_line<R>(
        &self,
        timeout: Timeout,
        take: impl FnOnce(&[u8]) -> Result<R, ErrorKind>,
    ) -> Result<Option<R>> {
        let line = self.output.line(&mut Limit::new(timeout), take);
        line.map_err(|kind| self.failed("read_line", kind))
    }

    /// Reads what is there, at most `room`: how many bytes; 0 at the end. Waits for the first.
    ///
    /// Errors: `EAGAIN`, `ETIMEDOUT`, `EINTR`.
    pub fn read(&self, room: &mut [u8], timeout: Timeout) -> Result<usize> {
        let read = self.output.read(room, &mut Limit::new(timeout));
        read.map_err(|kind| self.failed("read", kind))
    }

    /// Ends the filter's input, so that one that reads all before it answers (`sort`) answers now.
    pub fn end_input(&self) {
        self.input.close();
    }

    /// Writes all bytes, ends the input, and reads all that the filter puts out until it closes its output.
    ///
    /// Errors: as [`Coprocess::write`] and [`Coprocess::read`]. Output of a filter that stops reading early is given
    /// all the same, without an error (`head`).
    pub fn communicate(&self, bytes: &[u8], timeout: Timeout) -> Result<Vec<u8>> {
        let mut communication = self.begin_communication(bytes);
        communication.finish(timeout)?;
        Ok(communication.came)
    }

    /// As [`Coprocess::communicate`]; for callers who go on after a signal.
    pub fn begin_communication<'a>(&'a self, bytes: &'a [u8]) -> Communication<'a> {
        Communication { sending: Some(self.begin(bytes)), coprocess: self, came: Vec::new() }
    }

    /// Ends the filter's input and waits for the filter: how it ended. What it still puts out is not read, so read to the end
    /// first: a filter with more than 64 KiB to say would wait for that.
    ///
    /// Errors: those of [`Process::wait`].
    pub fn wait(&self, timeout: Timeout) -> Result<ExitStatus> {
        self.end_input();
        self.process.wait(timeout)
    }

    /// Closes both pipes, waits for the filter and tells how it ended. One that still has something to say gets EPIPE
    /// or SIGPIPE.
    ///
    /// Errors: those of [`Process::wait`]. The filter goes on then, and no zombie remains.
    pub fn close(self, timeout: Timeout) -> Result<ExitStatus> {
        self.end();
        self.process.wait(timeout)
    }

    /// Closes both pipes. Calls that other threads are in go on.
    pub fn end(&self) {
        self.input.close();
        self.output.close();
    }

    /// The filter, to signal it or to wait for it.
    pub fn process(&self) -> &Arc<Process> {
        &self.process
    }

    /// The descriptor from which the filter's output comes, to poll it. See [`Coprocess::has_buffered`].
    ///
    /// Errors: `EBADF` when it was closed.
    pub fn fd(&self) -> Result<OpenFd> {
        self.output.stream().map(OpenFd).map_err(|kind| self.failed("fd", kind))
    }

    /// Was something read already that no poll of the descriptor shows? Perhaps a part of a line.
    pub fn has_buffered(&self) -> bool {
        self.output.has_buffered()
    }

    fn failed(&self, operation: &'static str, kind: ErrorKind) -> Error {
        let limit = self.output.line_limit();
        let too_long = matches!(kind, ErrorKind::TooLong { .. });
        let error = explained(&self.process, operation, kind);
        if too_long {
            return error.with_advice(format!("the limit of a line is {limit} bytes: raise it"));
        }
        error
    }
}

/// What goes to a filter, and perhaps the answer to it, step by step: a call that a signal or a time limit has
/// ended is made again and goes on where it was. Nobody else's bytes come between as long as it lives.
///
/// Dropped before it is done, it leaves a part of the line with the filter.
#[derive(Debug)]
pub struct Exchange<'a> {
    coprocess: &'a Coprocess,
    /// The bytes, and the newline that follows them in a line.
    parts: [&'a [u8]; 2],
    done: usize,
    turn: Option<Taken<'a>>,
}

impl Exchange<'_> {
    /// Sends what was not sent yet.
    ///
    /// Errors: those of [`Coprocess::write`].
    pub fn send(&mut self, timeout: Timeout) -> Result<()> {
        let all = self.parts[0].len() + self.parts[1].len();
        self.send_within(&mut Limit::new(timeout))
            .map_err(|kind| self.coprocess.failed("write", kind.after(self.done, all)))
    }

    /// Sends what was not sent yet, and gives the next line of the filter, without its newline, to `take`.
    ///
    /// Errors: those of [`Coprocess::exchange`], and what `take` says.
    pub fn receive<R>(
        &mut self,
        timeout: Timeout,
        take: impl FnOnce(&[u8]) -> Result<R, ErrorKind>,
    ) -> Result<R> {
        let mut limit = Limit::new(timeout);
        let answer = self.send_within(&mut limit).and_then(|()| {
            self.coprocess.output.line(&mut limit, take)?.ok_or(ErrorKind::Os(libc::EPIPE))
        });
        answer.map_err(|kind| self.coprocess.failed("exchange", kind))
    }

    /// As [`Exchange::receive`], into `room` for the answer and one byte more: how long it is.
    ///
    /// Errors: those of [`Coprocess::exchange_into`].
    pub fn receive_into(&mut self, room: &mut [u8], timeout: Timeout) -> Result<usize> {
        let mut limit = Limit::new(timeout);
        let answer = self.send_within(&mut limit).and_then(|()| {
            self.coprocess.output.line_into(room, &mut limit)?.ok_or(ErrorKind::Os(libc::EPIPE))
        });
        answer.map_err(|kind| self.coprocess.failed("exchange", kind))
    }

    fn send_within(&mut self, limit: &mut Limit) -> Result<(), ErrorKind> {
        let Coprocess { input, output, .. } = self.coprocess;
        let turn = input.hold_turn(&mut self.turn, limit)?;
        input.write_and_drain(self.parts, &mut self.done, output, limit, turn)
    }
}

/// All that goes to a filter and all that comes, step by step: a call that a signal or a time limit has ended is
/// made again and goes on where it was.
#[derive(Debug)]
pub struct Communication<'a> {
    coprocess: &'a Coprocess,
    /// Nothing when all has gone.
    sending: Option<Exchange<'a>>,
    came: Vec<u8>,
}

impl Communication<'_> {
    /// Sends what is left, ends the input, and reads to the end.
    ///
    /// Errors: those of [`Coprocess::communicate`].
    pub fn finish(&mut self, timeout: Timeout) -> Result<()> {
        let mut limit = Limit::new(timeout);
        self.finish_within(&mut limit).map_err(|kind| self.coprocess.failed("communicate", kind))
    }

    /// What has come so far.
    pub fn output(&self) -> &[u8] {
        &self.came
    }

    fn finish_within(&mut self, limit: &mut Limit) -> Result<(), ErrorKind> {
        if let Some(sending) = &mut self.sending {
            match sending.send_within(limit) {
                // It needs no more.
                Err(ErrorKind::Os(libc::EPIPE)) | Ok(()) => {}
                Err(kind) => return Err(kind),
            }
            self.coprocess.end_input();
            self.sending = None;
        }
        let mut room = vec![0; 64 << 10];
        loop {
            match self.coprocess.output.read(&mut room, limit)? {
                0 => return Ok(()),
                count => self.came.extend_from_slice(&room[..count]),
            }
        }
    }
}
