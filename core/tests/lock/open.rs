// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which files and descriptors can be locked.

use std::fs;
use std::fs::File;
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::fs::{MetadataExt, symlink};

use crate::support::Directory;
use crate::{KINDS, TRY, alone, errno};
use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use unipc::Mode;
use unipc::lock::Sharing::{Exclusive, Shared};
use unipc::lock::{FileLock, Kind};

#[test]
fn the_file_is_made_with_its_mode_and_stays() {
    let _alone = alone();
    let directory = Directory::new("lock-make");
    let name = directory.name("lock");
    assert_eq!(errno(FileLock::open(name.as_str())), libc::ENOENT);
    let lock = FileLock::create(name.as_str()).unwrap();
    assert_eq!((lock.kind(), lock.name().to_string()), (Kind::Ofd, name.clone()));
    let shown = fs::read_link(format!("/proc/self/fd/{}", lock.as_fd().as_raw_fd())).unwrap();
    assert_eq!(shown, directory.path("lock"), "what lslocks and fuser show");
    let flags = fcntl(lock.as_fd(), FcntlArg::F_GETFD).unwrap();
    assert!(FdFlag::from_bits_retain(flags).contains(FdFlag::FD_CLOEXEC));
    drop(lock);
    assert_eq!(fs::metadata(directory.path("lock")).unwrap().mode() & 0o7777, 0o600);
    assert_eq!(errno(FileLock::create(name.as_str())), libc::EEXIST);
    // What is in it stays.
    fs::write(directory.path("lock"), "content").unwrap();
    drop(FileLock::open_or_create(name.as_str()).unwrap());
    drop(FileLock::open(name.as_str()).unwrap());
    assert_eq!(fs::read(directory.path("lock")).unwrap(), b"content");
    // Exactly the mode, whatever the umask of this process, which tests share: 0666 has bits that any umask takes.
    let options = FileLock::options().mode(Mode::new(0o666).unwrap());
    drop(options.open_or_create(directory.name("all").as_str()).unwrap());
    assert_eq!(fs::metadata(directory.path("all")).unwrap().mode() & 0o7777, 0o666);
    assert_eq!(directory.entries(), 2);
}

#[test]
fn what_is_no_file_is_refused() {
    let _alone = alone();
    let directory = Directory::new("lock-odd");
    let either = |file: &str| errno(FileLock::open_or_create(directory.name(file).as_str()));
    symlink(directory.path("target"), directory.path("link")).unwrap();
    assert_eq!(either("link"), libc::EMEDIUMTYPE, "a link that leads nowhere");
    fs::write(directory.path("target"), "").unwrap();
    assert_eq!(either("link"), libc::EMEDIUMTYPE, "a link to a file");
    assert_eq!(errno(FileLock::create(directory.name("link").as_str())), libc::EEXIST);
    nix::unistd::mkfifo(&directory.path("fifo"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    assert_eq!(either("fifo"), libc::EMEDIUMTYPE);
    fs::create_dir(directory.path("directory")).unwrap();
    assert_eq!(either("directory"), libc::EMEDIUMTYPE);
    assert_eq!(either("no/where"), libc::ENOENT);
    for name in ["/demo", "anon:", "sysv:0x1", "memfd:x", "unix:@x"] {
        assert_eq!(errno(FileLock::open_or_create(name)), libc::EOPNOTSUPP, "{name}");
    }
    // A directory can be locked as a whole.
    let options = FileLock::options().kind(Kind::Flock).read_only(true);
    let mut lock = options.open(directory.name("directory").as_str()).unwrap();
    let other = options.open(directory.name("directory").as_str()).unwrap();
    let guard = lock.lock(Exclusive, TRY).unwrap();
    assert_eq!(errno(other.acquire(.., Exclusive, TRY)), libc::EAGAIN);
    drop(guard);
    assert_eq!(errno(options.create(directory.name("new").as_str())), libc::EINVAL);
    assert_eq!(errno(options.open_or_create(directory.name("new").as_str())), libc::EINVAL);
}

#[test]
fn a_descriptor_has_to_be_open_for_what_is_asked() {
    let _alone = alone();
    let directory = Directory::new("lock-access");
    let (name, path) = (directory.name("lock"), directory.path("lock"));
    fs::write(&path, "").unwrap();
    for kind in KINDS {
        let options = FileLock::options().kind(kind);
        let reader = options.read_only(true).open(name.as_str()).unwrap();
        let writer = File::options().write(true).open(&path).unwrap();
        let writer = options.from_fd(writer.into()).unwrap();
        assert_eq!(writer.name().to_string(), name);
        let expected = if kind == Kind::Flock { 0 } else { libc::EBADF };
        assert_eq!(errno(reader.acquire(.., Shared, TRY)), 0);
        assert_eq!(errno(reader.acquire(.., Exclusive, TRY)), expected, "{kind:?}");
        drop(reader);
        assert_eq!(errno(writer.acquire(.., Exclusive, TRY)), 0);
        assert_eq!(errno(writer.acquire(.., Shared, TRY)), expected, "{kind:?}");
    }
    let reader = FileLock::options().read_only(true).open(name.as_str()).unwrap();
    let text = reader.acquire(.., Exclusive, TRY).unwrap_err().to_string();
    assert!(text.starts_with(&format!("lock({name}): Bad file descriptor (EBADF); ")), "{text}");
    assert!(text.contains("open for writing"), "{text}");
    let path_only = nix::fcntl::OFlag::O_PATH;
    let fd = nix::fcntl::open(&path, path_only, nix::sys::stat::Mode::empty()).unwrap();
    assert_eq!(errno(FileLock::from_fd(fd)), libc::EBADF);
}
