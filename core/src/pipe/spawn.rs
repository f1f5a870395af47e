// SPDX-License-Identifier: MIT OR Apache-2.0
//! What to start and how: a program with its arguments, or a line for the shell.

use std::collections::BTreeMap;
use std::ffi::{CString, OsStr, OsString};
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::sys::stat::Mode;

use super::process::Process;
use crate::error::{Error, ErrorKind, Result};
use crate::fd;
use crate::sys::spawn::{self, Plan, Step};

/// The shell of `popen(3)` and `system(3)`.
const SHELL: &str = "/bin/sh";
/// Where a program is looked for when `PATH` is not set, as `execvp(3)` does.
const DEFAULT_PATH: &str = "/bin:/usr/bin";

/// What a descriptor of the new process is.
#[derive(Debug)]
enum Source {
    Moved(OwnedFd),
    Null,
    /// What this other descriptor of the new process is.
    Same(RawFd),
}

/// A program to start, with its arguments, its descriptors and its surroundings.
///
/// The program gets what is named here and nothing else: all descriptors but 0, 1, 2 and those
/// handed on are closed when it starts, even those that somebody opened without close-on-exec. Its
/// signal mask is empty, SIGPIPE and SIGXFSZ have their default action, and handlers are gone; other
/// signals that this process ignores stay ignored (as `nohup` wants it).
///
/// An end of a pipe that is given to it moves: when the program runs, this process has that end no
/// more, so that the end of the file arrives when the program closes it.
///
/// Threads: any. The call does `clone(2)` as `vfork(2)` does: the calling thread waits until the program
/// runs, the others go on, and no memory is copied, however much this process has.
///
/// ```
/// use unipc::Timeout;
/// use unipc::pipe::Command;
///
/// let process = Command::new("true").spawn()?;
/// assert!(process.wait(Timeout::Forever)?.success());
/// let process = Command::shell("exit 3").spawn()?;
/// assert_eq!(process.wait(Timeout::Forever)?.code(), Some(3));
/// # Ok::<(), unipc::Error>(())
/// ```
#[doc(alias = "fork")]
#[doc(alias = "exec")]
#[doc(alias = "execl")]
#[doc(alias = "execvp")]
#[doc(alias = "posix_spawn")]
#[derive(Debug)]
pub struct Command {
    program: OsString,
    arguments: Vec<OsString>,
    /// What errors call it.
    label: String,
    /// Changes to the environment: a value, or nothing where a variable is removed.
    environment: BTreeMap<OsString, Option<OsString>>,
    clear_environment: bool,
    directory: Option<PathBuf>,
    descriptors: BTreeMap<RawFd, Source>,
    group: bool,
    terminal: bool,
}

impl Command {
    /// A program, found in the folders of `PATH` unless the name has a slash. Its arguments are given
    /// to it as they are: no shell looks at them.
    pub fn new(program: impl AsRef<OsStr>) -> Self {
        let program = program.as_ref().to_owned();
        let label = program.display().to_string();
        Self {
            arguments: vec![program.clone()],
            program,
            label,
            environment: BTreeMap::new(),
            clear_environment: false,
            directory: None,
            descriptors: BTreeMap::new(),
            group: false,
            terminal: false,
        }
    }

    /// A line for the shell: `sh -c LINE`, as `popen(3)` and `system(3)` run it. Its variables, patterns,
    /// pipelines and quotes work, so never build it from words that came from elsewhere.
    #[doc(alias = "popen")]
    #[doc(alias = "system")]
    pub fn shell(line: impl AsRef<OsStr>) -> Self {
        let line = line.as_ref();
        let mut command = Self::new(SHELL).name("sh").arg("-c").arg(line);
        command.label = format!("sh -c '{}'", line.display());
        command
    }

    /// A program and its arguments in one list, of which the first is the program.
    ///
    /// Errors: `EINVAL` for an empty list.
    pub fn from_list<S: AsRef<OsStr>>(list: impl IntoIterator<Item = S>) -> Result<Self> {
        let mut list = list.into_iter();
        let program = list.next().ok_or_else(|| {
            ErrorKind::invalid("the list is empty, and the first word is the program")
                .during("spawn", "argv")
        })?;
        Ok(Self::new(program).args(list))
    }

    /// One more argument.
    pub fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.arguments.push(argument.as_ref().to_owned());
        self
    }

    /// More arguments.
    pub fn args<S: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = S>) -> Self {
        self.arguments.extend(arguments.into_iter().map(|argument| argument.as_ref().to_owned()));
        self
    }

    /// What the program is told that it is called (`argv[0]`), where that is not its file's name.
    pub fn name(mut self, name: impl AsRef<OsStr>) -> Self {
        name.as_ref().clone_into(&mut self.arguments[0]);
        self
    }

    /// Sets a variable in the environment, which is otherwise this process's own.
    pub fn env(mut self, key: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        let value = value.as_ref().to_owned();
        self.environment.insert(key.as_ref().to_owned(), Some(value));
        self
    }

    /// Removes a variable from the environment.
    pub fn env_remove(mut self, key: impl AsRef<OsStr>) -> Self {
        self.environment.insert(key.as_ref().to_owned(), None);
        self
    }

    /// As [`Command::env`] for `KEY=VALUE`, and as [`Command::env_remove`] for `KEY`.
    #[doc(alias = "putenv")]
    pub fn env_assign(self, assignment: impl AsRef<OsStr>) -> Self {
        let bytes = assignment.as_ref().as_bytes();
        match bytes.iter().position(|&byte| byte == b'=') {
            Some(at) => {
                self.env(OsStr::from_bytes(&bytes[..at]), OsStr::from_bytes(&bytes[at + 1..]))
            }
            None => self.env_remove(assignment),
        }
    }

    /// Begins with an empty environment. What was set before is gone, too.
    pub fn env_clear(mut self) -> Self {
        self.environment.clear();
        self.clear_environment = true;
        self
    }

    /// The program's working directory. A program that is named by a relative path is looked for from there.
    pub fn directory(mut self, directory: impl AsRef<Path>) -> Self {
        self.directory = Some(directory.as_ref().to_owned());
        self
    }

    /// Moves a descriptor to the program, as its standard input.
    #[doc(alias = "dup2")]
    pub fn stdin(self, fd: impl Into<OwnedFd>) -> Self {
        self.descriptor(0, fd)
    }

    /// Moves a descriptor to the program, as its standard output.
    pub fn stdout(self, fd: impl Into<OwnedFd>) -> Self {
        self.descriptor(1, fd)
    }

    /// Moves a descriptor to the program, as its standard error.
    pub fn stderr(self, fd: impl Into<OwnedFd>) -> Self {
        self.descriptor(2, fd)
    }

    /// Moves a descriptor to the program, where it has this number.
    pub fn descriptor(mut self, number: RawFd, fd: impl Into<OwnedFd>) -> Self {
        self.descriptors.insert(number, Source::Moved(fd.into()));
        self
    }

    /// The program's descriptor of this number is `/dev/null`.
    pub fn null(mut self, number: RawFd) -> Self {
        self.descriptors.insert(number, Source::Null);
        self
    }

    /// Makes one descriptor of the program the same as another: `same(2, 1)` is `2>&1`.
    pub fn same(mut self, number: RawFd, other: RawFd) -> Self {
        self.descriptors.insert(number, Source::Same(other));
        self
    }

    /// Puts the program into a process group of its own, so that a Ctrl-C at the terminal is not for it.
    #[doc(alias = "setpgid")]
    pub fn new_group(mut self, group: bool) -> Self {
        self.group = group;
        self
    }

    /// A session of its own, in which descriptor 0 is the controlling terminal.
    pub(super) fn terminal(mut self) -> Self {
        self.terminal = true;
        self
    }

    /// Does somebody say already what this descriptor is?
    pub(super) fn has(&self, number: RawFd) -> bool {
        self.descriptors.contains_key(&number)
    }

    pub(super) fn label(&self) -> &str {
        &self.label
    }

    /// Starts the program. When this returns it runs, and the descriptors given to it are closed here.
    ///
    /// Errors: `ENOENT` when there is no such program (or directory); `EACCES` when it may not be
    /// executed; `ENOEXEC` for a file that is neither a program nor begins with `#!`; `E2BIG` for too many
    /// arguments; `EAGAIN` when `RLIMIT_NPROC` or the machine has no process left; `EMFILE`; `EINVAL` for a
    /// NUL byte in a word or a negative descriptor number; and what `execve(2)` says besides.
    pub fn spawn(self) -> Result<Process> {
        let pid = self.start().map_err(|(step, kind)| self.failed(step, kind))?;
        Process::new(pid, self.label)
    }

    fn start(&self) -> Result<libc::pid_t, (Step, ErrorKind)> {
        let unusable = |kind| (Step::Execute, kind);
        let files = self.files().map_err(unusable)?;
        let arguments = c_strings(&self.arguments).map_err(unusable)?;
        let environment = self.environment().map_err(unusable)?;
        let directory = self.directory.as_ref().map(|it| c_string(it.as_os_str()));
        let directory = directory.transpose().map_err(|kind| (Step::Directory, kind))?;
        let null = self.open_null().map_err(|kind| (Step::Descriptors, kind))?;
        let descriptors = self.placed(null.as_ref()).map_err(|kind| (Step::Descriptors, kind))?;
        let plan = Plan {
            files: &files,
            arguments: &arguments,
            environment: environment.as_deref(),
            directory: directory.as_deref(),
            descriptors: &descriptors,
            terminal: self.terminal,
            group: self.group,
        };
        spawn::spawn(&plan).map_err(|(step, errno)| (step, errno.into()))
    }

    /// The files that may be meant, in order.
    fn files(&self) -> Result<Vec<CString>, ErrorKind> {
        let program = self.program.as_bytes();
        if program.is_empty() {
            return Err(Errno::ENOENT.into());
        }
        if program.contains(&b'/') {
            return Ok(vec![c_string(&self.program)?]);
        }
        let path = match self.environment.get(OsStr::new("PATH")) {
            Some(changed) => changed.clone(),
            None if self.clear_environment => None,
            None => std::env::var_os("PATH"),
        };
        let path = path.unwrap_or_else(|| DEFAULT_PATH.into());
        let in_folder = |folder: &[u8]| {
            let folder = if folder.is_empty() { b"." } else { folder };
            c_string(&OsString::from_vec([folder, b"/", program].concat()))
        };
        path.as_bytes().split(|&byte| byte == b':').map(in_folder).collect()
    }

    /// `KEY=VALUE` strings; nothing when the environment is that of this process.
    fn environment(&self) -> Result<Option<Vec<CString>>, ErrorKind> {
        if self.environment.is_empty() && !self.clear_environment {
            return Ok(None);
        }
        let mut all: BTreeMap<OsString, OsString> =
            if self.clear_environment { BTreeMap::new() } else { std::env::vars_os().collect() };
        for (key, value) in &self.environment {
            match value {
                Some(value) => all.insert(key.clone(), value.clone()),
                None => all.remove(key),
            };
        }
        let joined = all.into_iter().map(|(mut key, value)| {
            if key.is_empty() || key.as_bytes().contains(&b'=') {
                return Err(ErrorKind::invalid("a variable's name is not empty and has no ="));
            }
            key.push("=");
            key.push(value);
            c_string(&key)
        });
        joined.collect::<Result<_, _>>().map(Some)
    }

    fn open_null(&self) -> Result<Option<OwnedFd>, ErrorKind> {
        let wanted = self.descriptors.values().any(|source| matches!(source, Source::Null));
        let open = || fd::open(Path::new("/dev/null"), OFlag::O_RDWR, Mode::empty());
        Ok(wanted.then(open).transpose()?)
    }

    /// Which descriptor of ours is which of the program's, sorted by the program's.
    fn placed(&self, null: Option<&OwnedFd>) -> Result<Vec<(RawFd, RawFd)>, ErrorKind> {
        let mut placed = Vec::with_capacity(self.descriptors.len());
        for (&number, source) in &self.descriptors {
            if number < 0 {
                return Err(ErrorKind::invalid(format!("{number} is no descriptor number")));
            }
            let mut source = source;
            let mut ours = None;
            // As often as there are descriptors: a circle ends with none.
            for _ in 0..=self.descriptors.len() {
                ours = match source {
                    Source::Moved(fd) => Some(fd.as_raw_fd()),
                    Source::Null => null.map(AsRawFd::as_raw_fd),
                    Source::Same(other) => match self.descriptors.get(other) {
                        None => Some(*other),
                        Some(next) => {
                            source = next;
                            continue;
                        }
                    },
                };
                break;
            }
            let why = "descriptors are each the same as the other, and none is open";
            placed.push((ours.ok_or_else(|| ErrorKind::invalid(why))?, number));
        }
        Ok(placed)
    }

    fn failed(&self, step: Step, kind: ErrorKind) -> Error {
        let errno = kind.errno();
        match (step, &self.directory) {
            (Step::Directory, Some(directory)) => kind.during("chdir", directory.display()),
            (Step::Execute, _) => {
                let error = kind.during("spawn", &self.label);
                match errno {
                    libc::ENOENT if !self.program.as_bytes().contains(&b'/') => {
                        error.with_advice("no folder of PATH has a program of that name")
                    }
                    libc::ENOENT => {
                        error.with_advice("there is no such file, or its #! line names none")
                    }
                    libc::ENOEXEC => error.with_advice(
                        "a script needs a #! line; or start its interpreter with it as argument",
                    ),
                    _ => error,
                }
            }
            (Step::Clone, _) => match errno {
                libc::EAGAIN => kind.during("clone", &self.label).with_advice(
                    "RLIMIT_NPROC, the cgroup's pids.max or kernel.pid_max is reached",
                ),
                _ => kind.during("clone", &self.label),
            },
            (Step::Terminal, _) => kind.during("setsid", &self.label),
            (Step::Group, _) => kind.during("setpgid", &self.label),
            (Step::Directory | Step::Descriptors, _) => kind.during("dup2", &self.label),
        }
    }
}

fn c_string(text: &OsStr) -> Result<CString, ErrorKind> {
    CString::new(text.as_bytes())
        .map_err(|_| ErrorKind::invalid("a word for a program has no NUL byte"))
}

fn c_strings(words: &[OsString]) -> Result<Vec<CString>, ErrorKind> {
    words.iter().map(|word| c_string(word)).collect()
}

/// A second descriptor of the same open file, close-on-exec.
pub(super) fn duplicate(fd: BorrowedFd<'_>) -> Result<OwnedFd, ErrorKind> {
    fd.try_clone_to_owned()
        .map_err(|error| ErrorKind::Os(error.raw_os_error().unwrap_or(libc::EIO)))
}
