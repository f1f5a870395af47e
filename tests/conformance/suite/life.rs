// SPDX-License-Identifier: MIT OR Apache-2.0
//! Names and handles: creating, opening, removing, inheriting.

use super::{bytes, made};
use crate::memory::{Memory, Options};
use crate::object::{Kind, Object};

pub(crate) fn the_mode_is_exact_whatever_the_umask<M: Memory>(kind: Kind) {
    for (asked, expected) in [(None, 0o600), (Some(0o640), 0o640), (Some(0o666), 0o666)] {
        let object = Object::new(kind);
        let memory: M = object.create(10, Options { mode: asked, ..Options::default() }).unwrap();
        let mode = match (memory.fd(), memory.id()) {
            (Some(fd), _) => {
                let path = format!("/proc/self/fd/{fd}");
                std::os::unix::fs::MetadataExt::mode(&std::fs::metadata(path).unwrap()) & 0o777
            }
            (_, Some(id)) => unipc::shm::SystemV::from_id(id).stat().unwrap().permissions.mode,
            _ => return,
        };
        assert_eq!(mode, expected);
    }
}

pub(crate) fn names_are_created_once<M: Memory>(kind: Kind) {
    let object = Object::new(kind);
    let options = Options::default();
    if !kind.is_named() {
        // Each creation makes another object.
        let (one, two): (M, M) =
            (object.create(8, options).unwrap(), object.create(8, options).unwrap());
        one.write_at(0, b"one").unwrap();
        assert_eq!(bytes(&two, 0, 3), [0; 3]);
        return;
    }
    assert_eq!(M::open(&object.name, options).err(), Some(libc::ENOENT));
    assert_eq!(M::unlink(&object.name), Err(libc::ENOENT));
    let _memory: M = object.create(8, options).unwrap();
    assert_eq!(object.create::<M>(8, options).err(), Some(libc::EEXIST));
}

pub(crate) fn open_or_create_does_either<M: Memory>(kind: Kind) {
    let object = Object::new(kind);
    let options = Options { remove_on_close: kind == Kind::Private, ..Options::default() };
    let first = M::open_or_create(&object.name, 100, options).unwrap();
    first.write_at(0, b"first").unwrap();
    if !kind.is_named() {
        return;
    }
    let second = M::open_or_create(&object.name, 50, options).unwrap();
    assert_eq!(second.len(), 50, "as much as was asked for");
    assert_eq!(bytes(&second, 0, 5), b"first");
    let remove_on_close = Options { remove_on_close: true, ..options };
    assert_eq!(M::open_or_create(&object.name, 101, remove_on_close).err(), Some(libc::EINVAL));
    M::open(&object.name, options).expect("what was refused is not removed");
}

pub(crate) fn closing_never_removes<M: Memory>(kind: Kind) {
    if !kind.is_named() {
        return;
    }
    let (object, memory) = made::<M>(kind, 16);
    memory.write_at(0, b"persists").unwrap();
    drop(memory);
    for _ in 0..2 {
        let memory = M::open(&object.name, Options::default()).unwrap();
        assert_eq!(bytes(&memory, 0, 8), b"persists");
    }
}

pub(crate) fn removing_leaves_the_open_handles_alone<M: Memory>(kind: Kind) {
    let (object, memory) = made::<M>(kind, 16);
    if matches!(kind, Kind::Memfd | Kind::Anonymous) {
        assert_eq!(memory.remove(), Err(libc::EOPNOTSUPP));
        assert_eq!(M::unlink(&object.name), Err(libc::EOPNOTSUPP));
        return;
    }
    let other = object.again(&memory, Options::default()).unwrap();
    M::unlink(&memory.name()).unwrap();
    memory.write_at(0, b"afterlife").unwrap();
    assert_eq!(bytes(&other, 0, 9), b"afterlife");
    if kind.is_named() {
        assert_eq!(M::open(&object.name, Options::default()).err(), Some(libc::ENOENT));
        assert_eq!(M::unlink(&object.name), Err(libc::ENOENT));
    } else {
        assert_eq!(M::open(&memory.name(), Options::default()).err(), Some(libc::EIDRM));
    }
}

pub(crate) fn the_name_of_a_successor_is_not_removed<M: Memory>(kind: Kind) {
    if !kind.is_named() {
        return;
    }
    let (object, first) = made::<M>(kind, 16);
    M::unlink(&object.name).unwrap();
    let second: M = object.create(16, Options::default()).unwrap();
    if kind.is_system_v() {
        // The first segment has its own identity; removing it again is harmless.
        first.remove().unwrap();
    } else {
        assert_eq!(first.remove(), Err(libc::ESTALE));
    }
    drop(first);
    second.write_at(0, b"mine").unwrap();
    assert_eq!(bytes(&M::open(&object.name, Options::default()).unwrap(), 0, 4), b"mine");
    second.remove().unwrap();
    assert_eq!(M::open(&object.name, Options::default()).err(), Some(libc::ENOENT));
}

pub(crate) fn remove_on_close_removes<M: Memory>(kind: Kind) {
    if !kind.is_named() {
        return;
    }
    let object = Object::new(kind);
    let options = Options { remove_on_close: true, ..Options::default() };
    let memory: M = object.create(16, options).unwrap();
    let other = M::open(&object.name, Options::default()).unwrap();
    drop(memory);
    assert_eq!(M::open(&object.name, Options::default()).err(), Some(libc::ENOENT));
    other.write_at(0, b"still mapped").unwrap();
}

pub(crate) fn replacing_makes_a_new_object<M: Memory>(kind: Kind) {
    let (object, old) = made::<M>(kind, 16);
    old.write_at(0, b"old").unwrap();
    let replace = Options { replace: true, ..Options::default() };
    let new: M = object.create(32, replace).unwrap();
    assert_eq!(new.len(), 32);
    assert_eq!(bytes(&new, 0, 3), [0; 3]);
    assert_eq!(bytes(&old, 0, 3), b"old", "who has the old one keeps it");
}

pub(crate) fn fork_shares_and_the_childs_end_changes_nothing<M: Memory>(kind: Kind) {
    let object = Object::new(kind);
    let options = Options {
        remove_on_close: kind != Kind::Memfd && kind != Kind::Anonymous,
        ..Options::default()
    };
    let memory: M = object.create(64, options).unwrap();
    memory.store_u32(0, 1).unwrap();
    // SAFETY: the child only touches the mapping and leaves by _exit.
    let child = unsafe { libc::fork() };
    if child == 0 {
        let seen = memory.load_u32(0) == Ok(1) && memory.add_u32(0, 41) == Ok(1);
        drop(memory);
        // SAFETY: ends the child without running the parent's exit handlers.
        unsafe { libc::_exit(i32::from(!seen)) };
    }
    let mut status = 0;
    // SAFETY: waits for the child made above.
    assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
    assert_eq!(status, 0);
    assert_eq!(memory.load_u32(0), Ok(42));
    assert!(object.again(&memory, Options::default()).is_none() == (kind == Kind::Anonymous));
}

pub(crate) fn descriptors_close_on_exec<M: Memory>(kind: Kind) {
    let (object, memory) = made::<M>(kind, 16);
    let has_descriptor = matches!(kind, Kind::Posix | Kind::File | Kind::Memfd);
    assert_eq!(memory.fd().is_some(), has_descriptor);
    let other = object.again(&memory, Options::default());
    for fd in [memory.fd(), other.as_ref().and_then(Memory::fd)].into_iter().flatten() {
        // SAFETY: asks for the flags of an open descriptor.
        let flags = unsafe { libc::fcntl(fd, libc::F_GETFD) };
        assert_eq!(flags & libc::FD_CLOEXEC, libc::FD_CLOEXEC);
    }
}
