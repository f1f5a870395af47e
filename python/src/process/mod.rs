// SPDX-License-Identifier: MIT OR Apache-2.0
//! Programs: what to start, and the process that it becomes.

mod coprocess;
mod pty;
mod shell;
mod terminal;

use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::sync::Arc;

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyMapping, PyString, PyTuple};
use unipc::pipe::{Command, status_number};
use unipc::{Error, ErrorKind, Timeout};

pub(crate) use coprocess::Coprocess;
pub(crate) use pty::Pty;
pub(crate) use shell::Shell;
pub(crate) use terminal::{
    RawMode, is_terminal, set_terminal_modes, set_window_size, terminal_modes, window_size,
};

use crate::buffer::duplicate;
use crate::error::raise;
use crate::name::os_string;
use crate::wait::{TimeoutArgument, wait};

const FOREVER: TimeoutArgument = TimeoutArgument(Timeout::Forever);

/// The numbers of `subprocess`: its STDOUT, and its DEVNULL.
const STDOUT: RawFd = -2;
const DEVNULL: RawFd = -3;

/// A copy of the descriptor of a number, or of an object that has `fileno()`.
fn duplicate_of(file: &Bound<'_, PyAny>) -> PyResult<OwnedFd> {
    duplicate(number_of(file)?)
}

fn number_of(file: &Bound<'_, PyAny>) -> PyResult<RawFd> {
    match file.getattr_opt(intern!(file.py(), "fileno"))? {
        Some(fileno) => fileno.call0()?.extract(),
        None => file.extract(),
    }
}

/// The program that Python describes: the first argument, and the keywords that all who start programs have.
fn command(program: &Bound<'_, PyAny>, options: Option<&Bound<'_, PyDict>>) -> PyResult<Command> {
    let option = |name: &str| match options {
        Some(options) => options.get_item(name).map(|it| it.filter(|value| !value.is_none())),
        None => Ok(None),
    };
    let flag = |name| option(name)?.map_or(Ok(false), |value| value.is_truthy());
    let mut command = started(program, flag("shell")?)?;
    if let Some(env) = option("env")? {
        command = command.env_clear();
        for item in env.cast::<PyMapping>()?.items()?.iter() {
            let (key, value): (Bound<'_, PyAny>, Bound<'_, PyAny>) = item.extract()?;
            command = command.env(os_string(&key)?, os_string(&value)?);
        }
    }
    if let Some(cwd) = option("cwd")? {
        command = command.directory(os_string(&cwd)?);
    }
    for (number, name) in [(0, "stdin"), (1, "stdout"), (2, "stderr")] {
        if let Some(file) = option(name)? {
            command = standard(command, number, &file)?;
        }
    }
    if let Some(passed) = option("pass_fds")? {
        command = pass(command, &passed)?;
    }
    Ok(command.new_group(flag("new_group")?))
}

/// The keywords that `command` knows; others are a mistake.
fn check_keywords(options: Option<&Bound<'_, PyDict>>) -> PyResult<()> {
    const KNOWN: [&str; 8] =
        ["shell", "stdin", "stdout", "stderr", "pass_fds", "env", "cwd", "new_group"];
    for key in options.map(PyDictMethods::keys).iter().flatten() {
        let key: String = key.extract()?;
        if !KNOWN.contains(&key.as_str()) {
            return Err(PyTypeError::new_err(format!("unexpected keyword argument '{key}'")));
        }
    }
    Ok(())
}

/// Words, or a line for the shell.
fn started(program: &Bound<'_, PyAny>, shell: bool) -> PyResult<Command> {
    let is_text = program.is_instance_of::<PyString>() || program.is_instance_of::<PyBytes>();
    match (shell, is_text) {
        (true, true) => Ok(Command::shell(os_string(program)?)),
        (true, false) => Err(PyTypeError::new_err("with shell=True the command is one string")),
        (false, true) => Err(PyTypeError::new_err(
            "a string is a line for the shell: say shell=True, or give a list of words",
        )),
        (false, false) => {
            let words = program.try_iter()?.map(|word| os_string(&word?));
            Command::from_list(words.collect::<PyResult<Vec<_>>>()?).map_err(raise)
        }
    }
}

fn standard(command: Command, number: RawFd, file: &Bound<'_, PyAny>) -> PyResult<Command> {
    Ok(match number_of(file)? {
        DEVNULL => command.null(number),
        STDOUT if number == 2 => command.same(2, 1),
        ours => command.descriptor(number, duplicate(ours)?),
    })
}

/// Descriptors that keep their numbers, or a mapping of the program's numbers to ours.
fn pass(mut command: Command, passed: &Bound<'_, PyAny>) -> PyResult<Command> {
    if let Ok(mapping) = passed.cast::<PyMapping>() {
        for item in mapping.items()?.iter() {
            let (theirs, ours): (RawFd, Bound<'_, PyAny>) = item.extract()?;
            command = command.descriptor(theirs, duplicate_of(&ours)?);
        }
        return Ok(command);
    }
    for file in passed.try_iter()? {
        let number = number_of(&file?)?;
        command = command.descriptor(number, duplicate(number)?);
    }
    Ok(command)
}

/// What the handle is called: the words of the command.
fn label_of(command: &Bound<'_, PyAny>) -> PyResult<String> {
    Ok(command.repr()?.to_string())
}

/// Waits for a process: how it ended, as `subprocess` has it.
fn wait_for(py: Python<'_>, process: &unipc::pipe::Process, timeout: Timeout) -> PyResult<i32> {
    if let Some(status) = process.status().map_err(raise)? {
        return Ok(status_number(status));
    }
    wait(py, timeout, |left| process.wait(left)).map(status_number)
}

/// A program that this process has started, made by `spawn` or had from a `Shell`, `Coprocess` or `Pty`.
///
/// It is known by a descriptor (a pidfd, `fileno()`) that becomes readable when it has ended, not by a number that the
/// kernel could give to another process. Waiting needs no handler for SIGCHLD and disturbs none. How it ended is a number as in
/// `subprocess`: 0 to 255 is its exit status, -N means that signal N has killed it.
///
/// `with` waits at its end. One that is dropped goes on, and is taken away when it ends: no zombie remains. A child of
/// `os.fork` cannot wait for it (`ChildProcessError`); it cannot be pickled. Threads may use it at once.
///
/// >>> import unipc
/// >>> process = unipc.spawn(["sh", "-c", "exit 3"])
/// >>> process.wait()
/// 3
#[pyclass(frozen, weakref, module = "unipc")]
pub(crate) struct Process {
    process: Arc<unipc::pipe::Process>,
    label: String,
}

impl Process {
    fn new(process: &Arc<unipc::pipe::Process>, label: &str) -> Self {
        Self { process: Arc::clone(process), label: label.to_owned() }
    }
}

/// Starts a program and returns it, a `Process`, when it runs.
///
/// - `command`: a sequence of words, of which the first is the program, found in PATH unless it has a slash; no shell
///   looks at them. With `shell=True` one string, a line for `sh -c`; never build it from words that came from elsewhere.
/// - `stdin`, `stdout`, `stderr`: a number or an object with `fileno()`, `subprocess.DEVNULL`, for `stderr` also
///   `subprocess.STDOUT`; None: as in this process. They are duplicated: close the ends of pipes afterwards.
/// - `pass_fds`: descriptors that keep their numbers, or a mapping of the program's numbers to ours. It gets no others, not
///   even inheritable ones.
/// - `env`: a mapping that is its environment; None: that of this process. `cwd`: its working directory.
/// - `new_group`: it gets a process group of its own, so that a Ctrl-C at the terminal is not for it.
///
/// Its signal mask is empty, and SIGPIPE and SIGXFSZ, which Python ignores, have their default action. However
/// much memory this process has, none is copied.
///
/// Raises `OSError`: `FileNotFoundError`, `PermissionError`; `ENOEXEC`, `E2BIG`, `EAGAIN`, `EMFILE`. `TypeError` for a string
/// without `shell=True`.
///
/// >>> import unipc
/// >>> reader, writer = unipc.pipe.pipe()
/// >>> with unipc.spawn(["echo", "hello"], stdout=writer):
/// ...     writer.close()
/// ...     reader.read()
/// b'hello\n'
#[pyfunction]
#[pyo3(signature = (command, **options), text_signature = "(command, *, shell=False, stdin=None, stdout=None, stderr=None, pass_fds=(), env=None, cwd=None, new_group=False)")]
pub(crate) fn spawn(
    command: &Bound<'_, PyAny>,
    options: Option<&Bound<'_, PyDict>>,
) -> PyResult<Process> {
    check_keywords(options)?;
    let program = self::command(command, options)?;
    let process = Arc::new(program.spawn().map_err(raise)?);
    Ok(Process::new(&process, &label_of(command)?))
}

#[pymethods]
impl Process {
    /// The process identifier. Once it was waited for, the kernel may give the number to another process.
    #[getter]
    fn pid(&self) -> i32 {
        self.process.pid()
    }

    /// How it ended; None while it runs. Does not wait.
    #[getter]
    fn returncode(&self) -> PyResult<Option<i32>> {
        Ok(self.process.status().map_err(raise)?.map(status_number))
    }

    /// How it ended; None while it runs. Does not wait; the method of `subprocess.Popen`.
    fn poll(&self) -> PyResult<Option<i32>> {
        self.returncode()
    }

    /// Waits until it has ended, and returns how. It may be asked again, by other threads too.
    ///
    /// Raises `OSError`: `TimeoutError`, `BlockingIOError` for a timeout of 0; `ChildProcessError` when how it ended is
    /// lost: SIGCHLD is ignored, another part of the program has waited for any child, or this is a child of `os.fork`.
    #[pyo3(signature = (timeout = FOREVER), text_signature = "($self, timeout=None)")]
    fn wait(&self, py: Python<'_>, timeout: TimeoutArgument) -> PyResult<i32> {
        wait_for(py, &self.process, timeout.0)
    }

    /// Sends a signal; 0 only asks whether it is there.
    ///
    /// Raises `OSError`: `ProcessLookupError` when it has ended and was waited for; the signal never hits another process of
    /// that number. `PermissionError`, `EINVAL`.
    fn send_signal(&self, signal: i32) -> PyResult<()> {
        self.process.signal(signal).map_err(raise)
    }

    /// Asks it to end: SIGTERM. One that has ended already is fine.
    fn terminate(&self) -> PyResult<()> {
        match self.process.signal(libc::SIGTERM) {
            Err(error) if error.errno() == libc::ESRCH => Ok(()),
            other => other.map_err(raise),
        }
    }

    /// Ends it with SIGKILL, which it cannot prevent. One that has ended already is fine.
    fn kill(&self) -> PyResult<()> {
        self.process.kill().map_err(raise)
    }

    /// The pidfd: readable when the process has ended, close-on-exec, valid as long as this object.
    ///
    /// Raises `ProcessLookupError` where SIGCHLD is ignored and it had ended before the descriptor could be had.
    fn fileno(&self) -> PyResult<RawFd> {
        let gone = || raise(Error::new("fileno", &self.label, ErrorKind::Os(libc::ESRCH)));
        self.process.pidfd().map(|fd| fd.as_raw_fd()).ok_or_else(gone)
    }

    fn __enter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    /// Waits, unless the block ends with an exception.
    #[pyo3(signature = (*exception))]
    fn __exit__(&self, py: Python<'_>, exception: &Bound<'_, PyTuple>) -> PyResult<()> {
        if !raised(exception) {
            wait_for(py, &self.process, Timeout::Forever)?;
        }
        Ok(())
    }

    fn __repr__(&self) -> String {
        let state = match self.process.status() {
            Ok(None) => "runs".to_owned(),
            Ok(Some(status)) => format!("ended with {}", status_number(status)),
            Err(_) => "status lost".to_owned(),
        };
        format!("<unipc.Process {} {} {state}>", self.process.pid(), self.label)
    }
}

/// Does a `with` block end with an exception?
fn raised(exception: &Bound<'_, PyTuple>) -> bool {
    exception.get_item(0).is_ok_and(|kind| !kind.is_none())
}

/// Sizes of reads are positive numbers; what is read at once is limited anyhow.
fn room(size: usize) -> PyResult<Vec<u8>> {
    if size == 0 {
        return Err(PyValueError::new_err("size is 1 or more bytes"));
    }
    Ok(vec![0; size.min(1 << 20)])
}
