// SPDX-License-Identifier: MIT OR Apache-2.0
//! What happens when there is no more: of disk, memory, descriptors, address space, segments.
//! Always an error that names the cause, never a signal, and nothing left behind.
#![allow(unsafe_code, reason = "limits and mounts are raw calls")]

#[path = "support/child.rs"]
mod child;
mod support;

use std::ffi::CString;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use child::{can_lock_memory, is_root, skip, succeeds_alone, succeeds_in_namespaces};
use nix::sys::resource::{Resource, setrlimit};
use support::{Directory, Removed, key_name, posix_name};
use unipc::{Error, SharedMemory};

const MEGABYTE: usize = 1 << 20;

/// A file system in memory of one megabyte. Only in a mount namespace of the test's own.
fn mount_small(at: &Path) {
    let at = CString::new(at.to_str().unwrap()).unwrap();
    let (kind, options) = (c"tmpfs".as_ptr(), c"size=1m,mode=1777".as_ptr());
    // SAFETY: all strings are NUL-terminated and outlive the call.
    let result = unsafe { libc::mount(kind, at.as_ptr(), kind, 0, options.cast()) };
    assert_eq!(result, 0, "{}", std::io::Error::last_os_error());
}

fn free_bytes(at: &Path) -> u64 {
    let space = nix::sys::statfs::statfs(at).unwrap();
    space.blocks_free() * u64::try_from(space.block_size()).unwrap()
}

#[test]
fn a_full_file_system_is_an_error_at_creation() {
    succeeds_in_namespaces("a_full_file_system_is_an_error_at_creation", || {
        let directory = Directory::new("full");
        let here = directory.path("");
        mount_small(&here);
        let name = directory.name("object");
        let refused = SharedMemory::create(name.as_str(), 4 * MEGABYTE).unwrap_err();
        assert_eq!(refused.errno(), libc::ENOSPC);
        assert_eq!(directory.entries(), 0);
        assert_eq!(free_bytes(&here), MEGABYTE as u64);

        // Growing beyond it leaves the object as it was, and takes nothing.
        let mut shm = SharedMemory::create(name.as_str(), 100_000).unwrap();
        shm.fill(0, shm.len(), 7).unwrap();
        let free = free_bytes(&here);
        assert_eq!(shm.resize(4 * MEGABYTE).unwrap_err().errno(), libc::ENOSPC);
        assert_eq!(fs::metadata(directory.path("object")).unwrap().len(), 100_000);
        assert_eq!(shm.compare(0, &vec![7; 100_000]).unwrap(), std::cmp::Ordering::Equal);
        assert_eq!(free_bytes(&here), free);
        shm.resize(500_000).unwrap();
        let taken = fs::metadata(directory.path("object")).unwrap().blocks() * 512;
        assert!(taken >= 500_000, "the memory is taken before it is touched: {taken} bytes");

        // What another program made without taking the memory cannot all be had, which is an error as well.
        fs::File::create(directory.path("sparse")).unwrap().set_len(4 << 20).unwrap();
        let sparse = SharedMemory::open(directory.name("sparse").as_str()).unwrap();
        assert_eq!(sparse.fill(0, 4 * MEGABYTE, 1).unwrap_err().errno(), libc::EFAULT);
    });
}

#[test]
fn a_full_dev_shm_says_how_full() {
    succeeds_in_namespaces("a_full_dev_shm_says_how_full", || {
        mount_small(Path::new("/dev/shm"));
        let name = posix_name("full");
        let refused = SharedMemory::create(name.as_str(), 4 * MEGABYTE).unwrap_err();
        assert_eq!(refused.errno(), libc::ENOSPC);
        assert!(
            refused
                .to_string()
                .contains("4194304 bytes were asked for, /dev/shm has 1048576 of 1048576 free"),
            "{refused}"
        );
        assert_eq!(fs::read_dir("/dev/shm").unwrap().count(), 0);
    });
}

#[test]
fn the_file_size_limit_is_an_error_and_no_signal() {
    succeeds_alone("the_file_size_limit_is_an_error_and_no_signal", || {
        let (posix, directory) = (Removed(posix_name("fsize")), Directory::new("fsize"));
        let limit = 65536;
        setrlimit(Resource::RLIMIT_FSIZE, limit, limit).unwrap();
        let file = directory.name("object");
        for name in [posix.0.as_str(), file.as_str(), "memfd:fsize"] {
            let refused = SharedMemory::create(name, MEGABYTE).unwrap_err();
            assert_eq!(refused.errno(), libc::EFBIG, "{refused}");
            assert!(refused.to_string().contains("RLIMIT_FSIZE is 65536"), "{refused}");
            let mut shm = SharedMemory::create(name, 60_000).unwrap();
            assert_eq!(shm.resize(MEGABYTE).unwrap_err().errno(), libc::EFBIG);
            assert_eq!(shm.len(), 60_000);
            shm.fill(0, 60_000, 1).unwrap();
            shm.resize(65_536).unwrap();
        }
        assert_eq!(directory.entries(), 1);
    });
}

/// Creates the same everywhere with a limit in force; the errors, none where there is no limit.
fn refused(create: impl Fn(&str) -> unipc::Result<SharedMemory>) -> Vec<Error> {
    let (posix, key) = (Removed(posix_name("limit")), Removed(key_name()));
    let directory = Directory::new("limit");
    let file = directory.name("object");
    let names = [posix.0.as_str(), file.as_str(), key.0.as_str(), "memfd:limit", "anon:"];
    let errors = names.iter().filter_map(|name| create(name).err()).collect();
    assert_eq!(directory.entries(), 0, "a failed creation leaves nothing");
    for name in [posix.0.as_str(), key.0.as_str()] {
        assert_eq!(SharedMemory::open(name).unwrap_err().errno(), libc::ENOENT);
    }
    errors
}

#[test]
fn too_many_descriptors_are_an_error() {
    succeeds_alone("too_many_descriptors_are_an_error", || {
        let directory = Directory::new("nofile");
        let existing = directory.name("existing");
        drop(SharedMemory::create(existing.as_str(), 100).unwrap());
        let used = fs::read_dir("/proc/self/fd").unwrap().count() as u64;
        let (mut taken, mut all) = (Vec::new(), false);
        setrlimit(Resource::RLIMIT_NOFILE, used + 8, used + 8).unwrap();
        while !all {
            let file = fs::File::open("/dev/null");
            all = file.is_err();
            taken.extend(file.ok());
        }
        for name in [posix_name("nofile").as_str(), existing.as_str(), "memfd:nofile"] {
            assert_eq!(SharedMemory::create(name, 100).unwrap_err().errno(), libc::EMFILE);
        }
        assert_eq!(SharedMemory::open(existing.as_str()).unwrap_err().errno(), libc::EMFILE);
        SharedMemory::create("anon:", 100).expect("needs no descriptor");
        // With a single descriptor left each of them works: none needs a second one.
        taken.pop();
        SharedMemory::open(existing.as_str()).unwrap();
        SharedMemory::create("memfd:nofile", 100).unwrap();
        SharedMemory::unlink(existing.as_str()).unwrap();
        SharedMemory::create(existing.as_str(), 100).unwrap();
    });
}

#[test]
fn too_little_address_space_is_an_error() {
    succeeds_alone("too_little_address_space_is_an_error", || {
        let mut grows = SharedMemory::create("memfd:grows", 4096).unwrap();
        let status = fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmSize:")).unwrap();
        let kib: u64 = line.split_whitespace().next().unwrap().parse().unwrap();
        // Enough for the test itself; whatever the sanitizers reserve counts already.
        let limit = kib * 1024 + (8 << 20);
        setrlimit(Resource::RLIMIT_AS, limit, limit).unwrap();
        let errors = refused(|name| SharedMemory::create(name, 16 * MEGABYTE));
        assert_eq!(errors.len(), 5, "{errors:?}");
        assert!(errors.iter().all(|error| error.errno() == libc::ENOMEM), "{errors:?}");

        // The memfd keeps its size, although a seal forbids to shrink it.
        assert_eq!(grows.resize(16 * MEGABYTE).unwrap_err().errno(), libc::ENOMEM);
        assert_eq!(grows.len(), 4096);
        let fd = grows.fd().unwrap().try_clone_to_owned().unwrap();
        assert_eq!(fs::File::from(fd).metadata().unwrap().len(), 4096);
    });
}

#[test]
fn the_lock_limit_is_named() {
    const TEST: &str = "the_lock_limit_is_named";
    if !can_lock_memory() {
        return skip(TEST, "mlock does nothing here, as under a sanitizer");
    }
    succeeds_alone(TEST, || {
        setrlimit(Resource::RLIMIT_MEMLOCK, 8192, 8192).unwrap();
        // SAFETY: concerns this process, which runs this test alone; root may lock without limit.
        if is_root() && unsafe { libc::setuid(65534) } != 0 {
            return skip(TEST, "root without the right to become somebody else");
        }
        let shm = SharedMemory::create("anon:", MEGABYTE).unwrap();
        let refused = shm.lock().unwrap_err();
        assert!(matches!(refused.errno(), libc::ENOMEM | libc::EPERM | libc::EAGAIN));
        assert!(refused.to_string().contains("RLIMIT_MEMLOCK is 8192"), "{refused}");
        let locked = SharedMemory::options().locked(true).create("memfd:locked", MEGABYTE);
        assert!(locked.unwrap_err().to_string().contains("RLIMIT_MEMLOCK"));
    });
}

#[test]
fn system_v_limits_are_named_with_their_values() {
    const TEST: &str = "system_v_limits_are_named_with_their_values";
    succeeds_in_namespaces(TEST, || {
        let set = |limit: &str, value: &str| fs::write(format!("/proc/sys/kernel/{limit}"), value);
        if let Err(error) = set("shmmni", "1") {
            return skip(TEST, format!("/proc/sys/kernel/shmmni: {error}"));
        }
        let create = |size: usize| SharedMemory::create(key_name().as_str(), size);
        let says = |result: unipc::Result<SharedMemory>, errno: i32, words: &str| {
            let error = result.unwrap_err();
            assert_eq!(error.errno(), errno, "{error}");
            assert!(error.to_string().contains(words), "{error}");
        };
        let only = create(100).unwrap();
        says(create(100), libc::ENOSPC, "SHMMNI is 1: 1 segments exist");
        only.remove().unwrap();
        drop(only);

        set("shmall", "4").unwrap();
        says(create(5 * 4096), libc::ENOSPC, "SHMALL is 4 pages: 0 are taken, 5 more");
        set("shmmax", "8192").unwrap();
        says(create(3 * 4096), libc::EINVAL, "SHMMAX is 8192 bytes");
        assert_eq!(unipc::shm::usage().unwrap().segments, 0, "nothing was left");
    });
}
