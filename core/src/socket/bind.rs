// SPDX-License-Identifier: MIT OR Apache-2.0
//! Giving a socket its name; the file that stands for it, its mode, its end, and what a dead server has left.
//!
//! A file of a socket is *stale* when no socket is bound to it: a datagram socket that connects to it is refused.
//! Against a living socket of another kind the same attempt fails in another way, and does not disturb it, so
//! nobody is ever connected to for a test, and a server between `bind` and `listen` counts as living.

use std::ffi::OsStr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, OFlag};
use nix::sys::socket::SockFlag;
use nix::sys::stat::{
    FchmodatFlags, FileStat, Mode as FileMode, SFlag, fchmod, fchmodat, fstat, lstat,
};
use nix::unistd::{geteuid, unlink as unlink_path};

use super::{Kind, Options, Socket, address, connect, sys};
use crate::error::{Error, ErrorKind, Result};
use crate::name::{Name, SocketName};
use crate::open::Mode;
use crate::sys::lock::flock;
use crate::sys::rename_to_new;
use crate::time::Timeout;
use crate::{fd, interrupt};
use sys::Address;

/// How long others may keep the directory locked while they replace a file, which takes them microseconds.
const PATIENCE: Duration = Duration::from_secs(1);

impl Socket {
    /// A datagram socket of this name, to receive what is sent to it and to answer.
    ///
    /// Errors: as [`Listener::bind`](super::Listener::bind).
    ///
    /// [bind(2)](https://man7.org/linux/man-pages/man2/bind.2.html)
    ///
    /// ```
    /// use unipc::{Timeout, socket::Socket};
    /// # fn main() -> unipc::Result<()> {
    /// let server = Socket::bind("udp:127.0.0.1:0")?;
    /// let client = Socket::connect(server.local_name()?.unwrap(), Timeout::Forever)?;
    /// client.send(b"ping", Timeout::Forever)?;
    /// let mut buffer = [0; 16];
    /// let (length, sender) = server.recv_from(&mut buffer, Timeout::Forever)?;
    /// server.send_to(&buffer[..length], &sender.unwrap(), Timeout::Forever)?;
    /// # Ok(()) }
    /// ```
    pub fn bind(name: impl TryInto<Name, Error: Into<Error>>) -> Result<Self> {
        Options::new().bind(name)
    }
}

impl Options {
    /// [`Socket::bind`] with these options.
    pub fn bind(&self, name: impl TryInto<Name, Error: Into<Error>>) -> Result<Socket> {
        let name = name.try_into().map_err(Into::into)?;
        let kind = self.bound_kind(&name, "bind", Kind::Datagram)?;
        if kind != Kind::Datagram {
            let why = "a stream or seqpacket that is bound listens: see Listener::bind";
            return Err(ErrorKind::invalid(why).during("bind", &name));
        }
        let (fd, unix, file) = self.bound(&name, kind, "bind", |_| Ok(()))?;
        let mut socket = Socket::new(fd, kind, unix, Some(name));
        socket.file = file;
        Ok(socket)
    }

    pub(super) fn bound_kind(
        &self,
        name: &Name,
        operation: &'static str,
        usual: Kind,
    ) -> Result<Kind> {
        let socket = address::socket_name(name, operation)?;
        self.kind_for(socket, usual).map_err(|kind| kind.during(operation, name))
    }

    /// A socket of this name, on which `ready` was done before others may count it as dead.
    pub(super) fn bound(
        &self,
        name: &Name,
        kind: Kind,
        operation: &'static str,
        ready: impl Fn(BorrowedFd<'_>) -> nix::Result<()>,
    ) -> Result<(OwnedFd, bool, Option<File>)> {
        let socket = address::socket_name(name, operation)?;
        let explain = |kind: ErrorKind| address::advise(kind.during(operation, name), socket);
        let mut last = ErrorKind::Os(libc::EADDRNOTAVAIL);
        for target in address::resolve(socket, operation)? {
            let flags = SockFlag::empty();
            let fd = connect::new_socket(&target, kind, flags).map_err(|e| explain(e.into()))?;
            let unix = target.family() == libc::AF_UNIX;
            self.apply(fd.as_fd(), unix).map_err(explain)?;
            if matches!(socket, SocketName::Tcp(_)) {
                // A server that is started again does not wait for old connections to be forgotten.
                let reuse = libc::SO_REUSEADDR;
                sys::set_number_option(fd.as_fd(), libc::SOL_SOCKET, reuse, 1)
                    .and_then(|()| self.apply_tcp(fd.as_fd()))
                    .map_err(|errno| explain(errno.into()))?;
            }
            let bound = match socket {
                SocketName::Path(path) => {
                    self.bind_path(fd.as_fd(), path, &target, &ready).map(Some)
                }
                _ => sys::bind(fd.as_fd(), &target)
                    .and_then(|()| ready(fd.as_fd()))
                    .map(|()| None)
                    .map_err(ErrorKind::from),
            };
            match bound {
                Ok(file) => return Ok((fd, unix, file)),
                Err(kind) => last = kind,
            }
        }
        Err(explain(last))
    }

    /// Binds to a path and does `ready`; a failure leaves no file.
    pub(super) fn bind_path(
        &self,
        fd: BorrowedFd<'_>,
        path: &Path,
        target: &Address,
        ready: impl Fn(BorrowedFd<'_>) -> nix::Result<()>,
    ) -> Result<File, ErrorKind> {
        // Held until the socket is ready: nobody replaces a file of this directory meanwhile. Where a directory cannot
        // be locked nothing in it is ever replaced.
        let mut locked = lock(path, Lock::Shared).ok();
        let mut bound = bind_with_mode(fd, path, target, self.mode);
        if bound == Err(ErrorKind::Os(libc::EADDRINUSE)) && !self.keep_stale {
            // First given back, or two that want to replace would wait for each other.
            drop(locked.take());
            let exclusive = lock(path, Lock::Exclusive)?;
            remove_stale(path, &exclusive)?;
            locked = Some(exclusive);
            bound = bind_with_mode(fd, path, target, self.mode);
        }
        bound?;
        let file =
            ready(fd).map_err(ErrorKind::from).and_then(|()| File::new(path, self.remove_on_drop));
        drop(locked);
        file.inspect_err(|_| {
            let _ = unlink_path(path);
        })
    }
}

/// Gives a socket that connects to `target` its own name.
pub(super) fn to_local(
    fd: BorrowedFd<'_>,
    name: &SocketName,
    target: &Address,
    options: &Options,
) -> Result<Option<File>, ErrorKind> {
    let fits = |address: &&Address| address.family() == target.family();
    let addresses = address::resolve(name, "connect").map_err(|error| error.kind().clone())?;
    let own = addresses.iter().find(fits).ok_or_else(|| {
        ErrorKind::invalid("the local name is of another family than the one to connect to")
    })?;
    match name {
        SocketName::Path(path) => options.bind_path(fd, path, own, |_| Ok(())).map(Some),
        _ => Ok(sys::bind(fd, own).map(|()| None)?),
    }
}

/// Binds, so that the file has exactly this mode, and never a wider one.
fn bind_with_mode(
    fd: BorrowedFd<'_>,
    path: &Path,
    target: &Address,
    mode: Mode,
) -> Result<(), ErrorKind> {
    let mode = FileMode::from_bits_truncate(mode.bits());
    // The file gets the mode of the socket, without what the umask takes.
    fchmod(fd, mode)?;
    sys::bind(fd, target)?;
    give_mode(path, mode).inspect_err(|_| {
        let _ = unlink_path(path);
    })
}

/// Gives back what the umask took. Through a descriptor, so that nothing planted under the name meanwhile is changed.
fn give_mode(path: &Path, mode: FileMode) -> Result<(), ErrorKind> {
    let file = fd::open(path, OFlag::O_PATH | OFlag::O_NOFOLLOW, FileMode::empty())?;
    let status = fstat(&file)?;
    if FileMode::from_bits_truncate(status.st_mode) == mode {
        return Ok(());
    }
    if !is_socket(&status) || status.st_uid != geteuid().as_raw() {
        return Err(ErrorKind::Replaced);
    }
    let through_proc = fd::proc_path(file.as_fd());
    Ok(fchmodat(AT_FDCWD, &through_proc, mode, FchmodatFlags::FollowSymlink)?)
}

fn is_socket(status: &FileStat) -> bool {
    SFlag::from_bits_truncate(status.st_mode & SFlag::S_IFMT.bits()) == SFlag::S_IFSOCK
}

/// Locks the directory of `path` among those that bind in it, until the descriptor is closed.
fn lock(path: &Path, how: Lock) -> Result<OwnedFd, ErrorKind> {
    let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY;
    let directory = fd::open(directory_of(path), flags, FileMode::empty())?;
    let how = match how {
        Lock::Shared => libc::LOCK_SH,
        Lock::Exclusive => libc::LOCK_EX,
    };
    match flock(directory.as_fd(), how | libc::LOCK_NB) {
        Err(Errno::EAGAIN) => {}
        other => return Ok(other.map(|()| directory)?),
    }
    let deadline = Timeout::After(PATIENCE).deadline();
    loop {
        match interrupt::until(deadline, || flock(directory.as_fd(), how)) {
            Err(ErrorKind::Os(libc::EINTR)) => {}
            Err(ErrorKind::TimedOut) => {
                let why = "somebody keeps its directory locked, so that it cannot be replaced";
                return Err(ErrorKind::Busy(why.into()));
            }
            other => return other.map(|()| directory),
        }
    }
}

#[derive(Debug, Clone, Copy)]
enum Lock {
    /// By those that bind.
    Shared,
    /// By whoever removes.
    Exclusive,
}

fn directory_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Removes the file of a socket that nobody is bound to any more. Call it with the directory locked.
///
/// Errors: `EADDRINUSE` for one that lives; `EEXIST` for something else than a socket; `EPERM` for somebody else's.
fn remove_stale(path: &Path, directory: &OwnedFd) -> Result<(), ErrorKind> {
    let status = match lstat(path) {
        Err(Errno::ENOENT) => return Ok(()),
        other => other?,
    };
    if !is_socket(&status) {
        return Err(ErrorKind::Os(libc::EEXIST));
    }
    if lives(path)? {
        return Err(ErrorKind::Os(libc::EADDRINUSE));
    }
    let me = geteuid().as_raw();
    if status.st_uid != me && me != 0 {
        let why = format!("a dead socket of user {} lies under the name", status.st_uid);
        return Err(ErrorKind::Untrusted(why.into()));
    }
    // Somebody who knows nothing of the lock may have put a new one there since: moved aside, it is looked at again.
    let aside = aside(path);
    rename_to_new(path, &aside)?;
    let gone = lstat(&aside).map_err(ErrorKind::from).and_then(|moved| {
        let same = (moved.st_dev, moved.st_ino) == (status.st_dev, status.st_ino);
        if !same || lives(&through(directory, &aside))? {
            return Err(ErrorKind::Os(libc::EADDRINUSE));
        }
        Ok(unlink_path(&aside)?)
    });
    gone.inspect_err(|_| {
        // Best effort: somebody may have taken the name meanwhile.
        let _ = rename_to_new(&aside, path);
    })
}

/// Is a socket bound to this file?
fn lives(path: &Path) -> Result<bool, ErrorKind> {
    let address = Address::unix(path.as_os_str().as_bytes())?;
    let probe = connect::new_socket(&address, Kind::Datagram, SockFlag::SOCK_NONBLOCK)?;
    match sys::connect(probe.as_fd(), &address) {
        Err(Errno::ECONNREFUSED | Errno::ENOENT) => Ok(false),
        // Of another kind; or connected to somebody else.
        Ok(()) | Err(Errno::EPROTOTYPE | Errno::EPERM) => Ok(true),
        Err(errno) => Err(errno.into()),
    }
}

/// A name in the same directory that nobody has.
fn aside(path: &Path) -> PathBuf {
    static COUNTER: AtomicU32 = AtomicU32::new(0);
    // SYNC: a counter alone; it orders nothing.
    let number = COUNTER.fetch_add(1, Ordering::Relaxed);
    let name = format!(".u{}-{number}", std::process::id());
    path.with_file_name(OsStr::new(&name))
}

/// The same file by a path that is short enough for a socket.
fn through(directory: &OwnedFd, path: &Path) -> PathBuf {
    fd::proc_path(directory.as_fd()).join(path.file_name().unwrap_or_default())
}

/// The file of a bound socket, removed when this is dropped if that was asked for.
#[derive(Debug)]
pub(super) struct File {
    path: PathBuf,
    identity: (u64, u64),
    /// Only the process that made it removes it, not its children.
    remove_in: Option<u32>,
}

impl File {
    fn new(path: &Path, remove: bool) -> Result<Self, ErrorKind> {
        let status = lstat(path)?;
        Ok(Self {
            path: path.to_owned(),
            identity: (status.st_dev, status.st_ino),
            remove_in: remove.then(std::process::id),
        })
    }

    /// Removes the file, if it still is this socket's.
    ///
    /// Errors: `ESTALE` when another has the name by now, `ENOENT`.
    pub(super) fn remove(&self) -> Result<(), ErrorKind> {
        let status = lstat(&self.path)?;
        if (status.st_dev, status.st_ino) != self.identity {
            return Err(ErrorKind::Replaced);
        }
        Ok(unlink_path(&self.path)?)
    }
}

impl Drop for File {
    fn drop(&mut self) {
        if self.remove_in == Some(std::process::id()) {
            // Best effort: a file that stays is taken over by the next server.
            let _ = self.remove();
        }
    }
}

/// Removes the file of a UNIX socket. Connections stay, and whoever listens goes on, but cannot be found any more.
///
/// Errors: `ENOENT`, `EACCES`, `EPERM`; `EINVAL` for a file that is no socket; `EOPNOTSUPP` for names without a file.
///
/// [unlink(2)](https://man7.org/linux/man-pages/man2/unlink.2.html)
pub fn unlink(name: impl TryInto<Name, Error: Into<Error>>) -> Result<()> {
    let name = name.try_into().map_err(Into::into)?;
    let failed = |kind: ErrorKind| kind.during("unlink", &name);
    let SocketName::Path(path) = address::socket_name(&name, "unlink")? else {
        let why = "it has no file; it goes with its last user";
        return Err(failed(ErrorKind::unsupported(why)));
    };
    let status = lstat(path).map_err(|errno| failed(errno.into()))?;
    if !is_socket(&status) {
        return Err(failed(ErrorKind::invalid("the file is no socket")));
    }
    unlink_path(path).map_err(|errno| failed(errno.into()))
}
