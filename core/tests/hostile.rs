// SPDX-License-Identifier: MIT OR Apache-2.0
//! Names and descriptors in the hands of somebody else: what is planted under a name, who owns it, who may write.
#![allow(unsafe_code, reason = "an attacker uses the raw calls")]

#[path = "support/child.rs"]
mod child;
mod support;

use std::ffi::CString;
use std::fs;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use child::{is_root, skip, succeeds_alone};
use support::{Directory, Removed, key_name, posix_name};
use unipc::shm::{Seals, SystemV};
use unipc::{Mode, SharedMemory};

/// Where the object of a POSIX name lies.
fn path_of(name: &str) -> PathBuf {
    Path::new("/dev/shm").join(name.trim_start_matches('/'))
}

fn make_fifo(path: &Path) {
    let path = CString::new(path.to_str().unwrap()).unwrap();
    // SAFETY: the string is NUL-terminated and outlives the call.
    assert_eq!(unsafe { libc::mkfifo(path.as_ptr(), 0o666) }, 0);
}

/// A name, the path behind it, and a victim that a planted link may lead to.
struct Planted {
    name: String,
    path: PathBuf,
    victim: PathBuf,
}

const VICTIM: &[u8] = b"somebody else's bytes";

impl Planted {
    /// Once as a POSIX object and once as a file.
    fn each(test: impl Fn(&Self)) {
        let directory = Directory::new("planted");
        let posix = posix_name("planted");
        let places = [
            (posix.clone(), path_of(&posix)),
            (directory.name("object"), directory.path("object")),
        ];
        for (name, path) in places {
            let victim = path.with_extension("victim");
            fs::write(&victim, VICTIM).unwrap();
            let planted = Self { name, path, victim };
            test(&planted);
            assert_eq!(fs::read(&planted.victim).unwrap(), VICTIM, "the victim is as it was");
        }
    }

    fn name(&self) -> &str {
        &self.name
    }

    /// The errno of opening, of opening or creating, and of creating.
    fn errnos(&self) -> [i32; 3] {
        let errno = |result: unipc::Result<SharedMemory>| {
            let error = result.unwrap_err();
            assert!(error.to_string().contains(self.name()), "{error}");
            error.errno()
        };
        [
            errno(SharedMemory::open(self.name())),
            errno(SharedMemory::open_or_create(self.name(), 100)),
            errno(SharedMemory::create(self.name(), 100)),
        ]
    }
}

impl Drop for Planted {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.victim);
        let _ = fs::remove_file(&self.path).or_else(|_| fs::remove_dir(&self.path));
    }
}

const WRONG: [i32; 3] = [libc::EMEDIUMTYPE, libc::EMEDIUMTYPE, libc::EEXIST];

#[test]
fn a_planted_fifo_is_refused_and_nobody_waits_at_it() {
    succeeds_alone("a_planted_fifo_is_refused_and_nobody_waits_at_it", || {
        Planted::each(|planted| {
            make_fifo(&planted.path);
            assert_eq!(planted.errnos(), WRONG);
            let read_only = SharedMemory::options().read_only(true).open(planted.name());
            assert_eq!(read_only.unwrap_err().errno(), libc::EMEDIUMTYPE);
            assert!(fs::metadata(&planted.path).unwrap().file_type().is_fifo());
        });
    });
}

#[test]
fn planted_directories_sockets_and_devices_are_refused() {
    Planted::each(|planted| {
        fs::create_dir(&planted.path).unwrap();
        assert_eq!(planted.errnos(), WRONG);
        assert!(SharedMemory::unlink(planted.name()).is_err(), "a directory is no object");
        fs::remove_dir(&planted.path).unwrap();

        let listener = UnixListener::bind(&planted.path).unwrap();
        assert_eq!(planted.errnos(), WRONG);
        drop(listener);
    });
    for device in ["file:/dev/null", "file:/dev/zero"] {
        let refused = SharedMemory::open(device).unwrap_err();
        assert_eq!(refused.errno(), libc::EMEDIUMTYPE, "{refused}");
    }
}

#[test]
fn creation_never_goes_through_a_planted_link() {
    Planted::each(|planted| {
        symlink(&planted.victim, &planted.path).unwrap();
        let created = SharedMemory::create(planted.name(), 100);
        assert_eq!(created.unwrap_err().errno(), libc::EEXIST);

        // Replacing is for objects, and a link is none.
        let replaced = SharedMemory::options().replace(true).create(planted.name(), 100);
        assert_eq!(replaced.unwrap_err().errno(), libc::EMEDIUMTYPE);
        assert_eq!(fs::read_link(&planted.path).unwrap(), planted.victim);
    });
}

#[test]
fn a_link_to_nowhere_creates_nothing_there() {
    Planted::each(|planted| {
        let nowhere = planted.path.with_extension("nowhere");
        symlink(&nowhere, &planted.path).unwrap();
        assert_eq!(SharedMemory::create(planted.name(), 100).unwrap_err().errno(), libc::EEXIST);
        let either = SharedMemory::open_or_create(planted.name(), 100);
        assert_eq!(either.unwrap_err().errno(), libc::EMEDIUMTYPE);
        assert!(!nowhere.exists());
        SharedMemory::unlink(planted.name()).unwrap();
        assert!(fs::symlink_metadata(&planted.path).is_err(), "unlink takes the link");
    });
}

#[test]
fn a_posix_object_is_never_a_link() {
    let name = Removed(posix_name("link"));
    let other = Removed(posix_name("linked"));
    let _kept = SharedMemory::create(other.0.as_str(), 100).unwrap();
    symlink(path_of(&other.0), path_of(&name.0)).unwrap();
    let refused = SharedMemory::open(name.0.as_str()).unwrap_err();
    assert_eq!(refused.errno(), libc::EMEDIUMTYPE);
    assert!(refused.to_string().contains("symbolic link"), "{refused}");
}

#[test]
fn what_was_opened_through_a_link_is_not_removed_and_the_link_is_named() {
    let directory = Directory::new("through");
    let (real, link) = (directory.name("real"), directory.name("link"));
    let _kept = SharedMemory::create(real.as_str(), 100).unwrap();
    symlink(directory.path("real"), directory.path("link")).unwrap();
    let shm = SharedMemory::open(link.as_str()).unwrap();
    let refused = shm.remove().unwrap_err();
    assert_eq!(refused.errno(), libc::EMEDIUMTYPE, "{refused}");
    assert!(refused.to_string().contains("symbolic link"), "{refused}");
    // The link leads to another one now.
    SharedMemory::options().replace(true).create(real.as_str(), 100).unwrap();
    assert_eq!(shm.remove().unwrap_err().errno(), libc::ESTALE);
    assert!(directory.path("link").is_symlink() && directory.path("real").exists());
}

#[test]
fn files_without_bytes_to_map_are_refused() {
    let empty = SharedMemory::options().read_only(true).open("file:/proc/self/maps").unwrap_err();
    assert_eq!(empty.errno(), libc::ENODATA, "{empty}");
    let unmappable = SharedMemory::options().read_only(true).open("file:/sys/kernel/mm/hugepages");
    assert_eq!(unmappable.unwrap_err().errno(), libc::EMEDIUMTYPE);
}

#[test]
fn the_mode_is_exact_whatever_the_umask() {
    succeeds_alone("the_mode_is_exact_whatever_the_umask", || {
        for (umask, bits) in [(0, 0o600), (0, 0o640), (0o777, 0o600), (0o777, 0o666), (0o27, 0)] {
            // SAFETY: a setting of this process, which runs this test alone.
            unsafe { libc::umask(umask) };
            let (posix, key) = (Removed(posix_name("umask")), Removed(key_name()));
            let file = Removed(format!("file:/tmp/unipc-umask-{:x}", support::unique()));
            let names = [posix.0.as_str(), file.0.as_str(), key.0.as_str(), "memfd:umask"];
            for name in names {
                let mut options = SharedMemory::options();
                if bits != 0o600 {
                    options = options.mode(Mode::new(bits).unwrap());
                }
                // A segment without permissions cannot be attached, not even by its creator, unless he is root.
                if name.starts_with("sysv") && bits == 0 {
                    continue;
                }
                let shm = options.create(name, 100).unwrap_or_else(|error| panic!("{error}"));
                assert_eq!(mode_of(&shm), bits, "{name} under umask {umask:o}");
            }
        }
    });
}

fn mode_of(shm: &SharedMemory) -> u32 {
    if let Some(segment) = shm.system_v() {
        return segment.stat().unwrap().permissions.mode;
    }
    let file = fs::File::from(shm.fd().unwrap().try_clone_to_owned().unwrap());
    file.metadata().unwrap().mode() & 0o7777
}

#[test]
fn a_read_only_descriptor_stays_read_only() {
    let shm = SharedMemory::create("memfd:read-only", 4096).unwrap();
    shm.write_at(0, b"original").unwrap();
    let received = shm.read_only_fd().unwrap();
    assert_eq!(flags_of(&received) & libc::O_ACCMODE, libc::O_RDONLY);

    // What a peer of the same user might do: change the mode, reopen it for writing, write in every way.
    let _ = fs::File::from(received.try_clone().unwrap())
        .set_permissions(fs::Permissions::from_mode(0o777));
    let through_proc = format!("/proc/self/fd/{}", received.as_raw_fd());
    let reopened: Vec<OwnedFd> = [received]
        .into_iter()
        .chain(fs::File::options().read(true).write(true).open(&through_proc).map(OwnedFd::from))
        .collect();
    for fd in &reopened {
        let fd = fd.as_raw_fd();
        // SAFETY: the buffer has five bytes.
        assert_eq!(unsafe { libc::pwrite(fd, c"forge".as_ptr().cast(), 5, 0) }, -1);
        for size in [0, 8192] {
            // SAFETY: takes numbers only.
            assert_eq!(unsafe { libc::ftruncate(fd, size) }, -1);
        }
        let punch = libc::FALLOC_FL_PUNCH_HOLE | libc::FALLOC_FL_KEEP_SIZE;
        // SAFETY: takes numbers only.
        assert_eq!(unsafe { libc::fallocate(fd, punch, 0, 4096) }, -1);
        let writable = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: the kernel chooses the address of a new mapping.
        let mapped =
            unsafe { libc::mmap(std::ptr::null_mut(), 4096, writable, libc::MAP_SHARED, fd, 0) };
        assert_eq!(mapped, libc::MAP_FAILED);
        // SAFETY: as above.
        let reading = unsafe {
            libc::mmap(std::ptr::null_mut(), 4096, libc::PROT_READ, libc::MAP_SHARED, fd, 0)
        };
        assert_ne!(reading, libc::MAP_FAILED);
        // SAFETY: the page is this test's own.
        assert_eq!(unsafe { libc::mprotect(reading, 4096, writable) }, -1);
        // SAFETY: as above.
        unsafe { libc::munmap(reading, 4096) };
    }
    assert_eq!(shm.compare(0, b"original").unwrap(), std::cmp::Ordering::Equal);
    shm.write_at(0, b"who made").unwrap();
    assert!(shm.seals().unwrap().contains(Seals::FUTURE_WRITE | Seals::SHRINK | Seals::GROW));
}

fn flags_of(fd: &OwnedFd) -> i32 {
    // SAFETY: takes numbers only.
    unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_GETFL) }
}

#[test]
fn a_squatter_is_told_by_his_uid() {
    const TEST: &str = "a_squatter_is_told_by_his_uid";
    const SQUATTER: u32 = 65534;
    if !is_root() {
        return skip(TEST, "only root can act as another user");
    }
    succeeds_alone(TEST, || {
        let (posix, key) = (Removed(posix_name("squat")), Removed(key_name()));
        let file = Removed(format!("file:/tmp/unipc-squat-{:x}", support::unique()));
        let names = [posix.0.as_str(), file.0.as_str(), key.0.as_str()];
        // SAFETY: concerns this process, which runs this test alone; all threads become that user.
        assert_eq!(unsafe { libc::seteuid(SQUATTER) }, 0);
        for name in names {
            let open_to_all = SharedMemory::options().mode(Mode::new(0o666).unwrap());
            open_to_all.create(name, 100).unwrap();
        }
        // SAFETY: as above; back to root.
        assert_eq!(unsafe { libc::seteuid(0) }, 0);
        for name in names {
            SharedMemory::open(name).expect("by default anybody's object is opened");
            let own_only = SharedMemory::options().own_only(true);
            for refused in [own_only.open(name), own_only.open_or_create(name, 100)] {
                let refused = refused.unwrap_err();
                assert_eq!(refused.errno(), libc::EPERM);
                assert!(refused.to_string().contains("user 65534"), "{refused}");
            }
        }
    });
}

#[test]
fn a_refusal_tells_what_may_not_be_done() {
    const TEST: &str = "a_refusal_tells_what_may_not_be_done";
    if !is_root() {
        return skip(TEST, "only root can act as another user");
    }
    succeeds_alone(TEST, || {
        let posix = Removed(posix_name("refused"));
        let _ours = SharedMemory::create(posix.0.as_str(), 100).unwrap();
        // SAFETY: concerns this process, which runs this test alone; all threads become that user.
        assert_eq!(unsafe { libc::seteuid(65534) }, 0);
        let read_only = SharedMemory::options().read_only(true).open(posix.0.as_str());
        let unattachable = SharedMemory::options().mode(Mode::new(0).unwrap());
        for (refused, words) in [
            (SharedMemory::create("file:/unipc-refused", 100), "directory"),
            (SharedMemory::open(posix.0.as_str()), "read_only needs less"),
            (read_only, "directory on its path"),
            (unattachable.create("sysv:private", 100), "0600"),
        ] {
            let refused = refused.unwrap_err();
            assert_eq!(refused.errno(), libc::EACCES, "{refused}");
            assert!(refused.to_string().contains(words), "{refused}");
        }
        // SAFETY: as above; back to root.
        assert_eq!(unsafe { libc::seteuid(0) }, 0);
    });
}

#[test]
fn every_descriptor_is_closed_by_exec() {
    succeeds_alone("every_descriptor_is_closed_by_exec", || {
        let before = descriptors();
        let (posix, directory) = (Removed(posix_name("exec")), Directory::new("exec"));
        let file = directory.name("object");
        let memfd = SharedMemory::create("memfd:exec", 100).unwrap();
        let received = memfd.fd().unwrap().try_clone_to_owned().unwrap();
        // SAFETY: takes numbers only. What is received may have been sent without the flag.
        assert_eq!(unsafe { libc::fcntl(received.as_raw_fd(), libc::F_SETFD, 0) }, 0);
        let kept = [
            SharedMemory::create(posix.0.as_str(), 100).unwrap(),
            SharedMemory::open(posix.0.as_str()).unwrap(),
            SharedMemory::create(file.as_str(), 100).unwrap(),
            SharedMemory::open_or_create(file.as_str(), 100).unwrap(),
            SharedMemory::from_fd(received).unwrap(),
            memfd,
        ];
        let read_only = kept[5].read_only_fd().unwrap();
        let made: Vec<_> =
            descriptors().into_iter().filter(|descriptor| !before.contains(descriptor)).collect();
        assert_eq!(made.len(), kept.len() + 1, "{made:?}, read-only {read_only:?}");
        for descriptor in made {
            // SAFETY: takes numbers only.
            let flags = unsafe { libc::fcntl(descriptor, libc::F_GETFD) };
            assert_eq!(flags, libc::FD_CLOEXEC, "descriptor {descriptor}");
        }
    });
}

fn descriptors() -> Vec<i32> {
    let entries = fs::read_dir("/proc/self/fd").unwrap().flatten();
    let mut numbers: Vec<i32> =
        entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    // Of the directory that was read, by now closed.
    // SAFETY: takes numbers only.
    numbers.retain(|&number| unsafe { libc::fcntl(number, libc::F_GETFD) } >= 0);
    numbers
}

#[test]
fn removed_segments_are_not_adopted_by_identifier() {
    let key = Removed(key_name());
    let shm = SharedMemory::create(key.0.as_str(), 100).unwrap();
    let id = shm.system_v().map_or(-1, SystemV::id);
    shm.remove().unwrap();
    let by_id = format!("sysv:id={id}");
    assert_eq!(SharedMemory::open(by_id.as_str()).unwrap_err().errno(), libc::EIDRM);
    assert_eq!(SharedMemory::open(key.0.as_str()).unwrap_err().errno(), libc::ENOENT);
}
