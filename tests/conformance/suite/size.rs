// SPDX-License-Identifier: MIT OR Apache-2.0
//! How much there is, and what is done to whole pages.

use super::{PAGE, bytes, made};
use crate::memory::{Memory, Options};
use crate::object::{Kind, Object};

pub(crate) fn a_new_object_is_zero_and_as_long_as_asked<M: Memory>(kind: Kind) {
    for size in [1, 10, PAGE, PAGE + 1, 1 << 20] {
        let (_object, memory) = made::<M>(kind, size);
        assert_eq!(memory.len(), size);
        assert_eq!(memory.mapped_len(), size.next_multiple_of(PAGE));
        assert!(!memory.is_read_only());
        assert!(bytes(&memory, 0, size).iter().all(|&byte| byte == 0));
    }
}

pub(crate) fn resizing<M: Memory>(kind: Kind) {
    let object = Object::new(kind);
    let unsealed = Options { unsealed: kind == Kind::Memfd, ..Options::default() };
    let mut memory: M = object.create(100, unsealed).unwrap();
    memory.write_at(0, b"kept").unwrap();
    if !kind.is_resizable() {
        assert_eq!(memory.resize(200), Err(libc::EOPNOTSUPP));
        assert_eq!(memory.len(), 100);
        return;
    }
    for size in [5 * PAGE, 200, 1 << 20, 3] {
        let before = memory.len();
        memory.resize(size).unwrap();
        assert_eq!(memory.len(), size);
        assert_eq!(bytes(&memory, 0, 3), b"kep");
        if size > before {
            assert!(bytes(&memory, before, size - before).iter().all(|&byte| byte == 0));
        }
        memory.fill(3, size - 3, 9).unwrap();
    }
    assert_eq!(memory.resize(0), Err(libc::ENODATA));
    assert_eq!(memory.len(), 3, "a refused resize changes nothing");
}

pub(crate) fn others_follow_a_resize<M: Memory>(kind: Kind) {
    let object = Object::new(kind);
    let unsealed = Options { unsealed: kind == Kind::Memfd, ..Options::default() };
    let mut memory: M = object.create(PAGE, unsealed).unwrap();
    let Some(mut other) = object.again(&memory, Options::default()) else { return };
    if !kind.is_resizable() {
        other.refresh().unwrap();
        assert_eq!(other.len(), PAGE);
        return;
    }
    memory.resize(3 * PAGE).unwrap();
    memory.write_at(3 * PAGE - 4, b"far!").unwrap();
    assert_eq!(other.len(), PAGE, "a view does not change by itself");
    other.refresh().unwrap();
    assert_eq!(bytes(&other, 3 * PAGE - 4, 4), b"far!");

    memory.resize(10).unwrap();
    let mut byte = [0];
    assert_eq!(other.read_at(PAGE, &mut byte), Err(libc::EFAULT), "the page is gone");
    assert_eq!(other.read_at(10, &mut byte), Err(libc::EFAULT), "so is the rest of the last page");
    assert_eq!(other.write_at(2 * PAGE, b"x"), Err(libc::EFAULT));
    assert_eq!(other.load_u32(2 * PAGE), Err(libc::EFAULT));
    assert_eq!(other.store_u32(2 * PAGE, 1), Err(libc::EFAULT));
    other.read_at(9, &mut byte).unwrap();
    other.refresh().unwrap();
    assert_eq!(other.len(), 10);
}

pub(crate) fn pages_can_be_flushed_advised_and_locked<M: Memory>(kind: Kind) {
    let (_object, memory) = made::<M>(kind, 2 * PAGE);
    memory.fill(0, 2 * PAGE, 5).unwrap();
    memory.flush(0, 2 * PAGE).unwrap();
    memory.flush(100, 1).unwrap();
    memory.advise(0, 2 * PAGE, libc::MADV_WILLNEED).unwrap();
    assert_eq!(memory.advise(0, PAGE, libc::MADV_REMOVE), Err(libc::EINVAL), "it would destroy");
    memory.lock().unwrap();
    memory.unlock().unwrap();
    assert_eq!(memory.flush(0, 2 * PAGE + 1), Err(libc::ERANGE));
    assert_eq!(bytes(&memory, 0, 2 * PAGE), vec![5; 2 * PAGE]);
}

pub(crate) fn a_guarded_access_ends_well<M: Memory>(kind: Kind) {
    let (_object, memory) = made::<M>(kind, PAGE);
    memory.begin_access();
    memory.begin_access();
    // SAFETY: inside the mapping.
    unsafe { memory.data().write_volatile(42) };
    assert_eq!(memory.end_access(), Ok(()));
    assert_eq!(memory.end_access(), Ok(()));
    assert_eq!(bytes(&memory, 0, 1), [42]);
}

pub(crate) fn sizes_and_names_that_make_no_sense<M: Memory>(kind: Kind) {
    let object = Object::new(kind);
    let options = Options::default();
    assert_eq!(object.create::<M>(0, options).err(), Some(libc::EINVAL));
    assert!(object.create::<M>(usize::MAX, options).is_err());
    assert!(object.create::<M>(usize::MAX >> 1, options).is_err());
    for name in ["", "demo", "/a/b", "sysv:", "sysv:0x0", "file:", "anon:x", "what:/ever"] {
        assert_eq!(M::create(name, 16, options).err(), Some(libc::EINVAL), "{name}");
        assert_eq!(M::open(name, options).err(), Some(libc::EINVAL), "{name}");
        assert_eq!(M::unlink(name), Err(libc::EINVAL), "{name}");
    }
    if kind.is_named() {
        assert_eq!(M::open(&object.name, options).err(), Some(libc::ENOENT), "nothing was left");
    } else if kind != Kind::Private {
        assert_eq!(M::open(&object.name, options).err(), Some(libc::EOPNOTSUPP));
    }
}

pub(crate) fn offsets_and_lengths<M: Memory>(kind: Kind) {
    let (object, memory) = made::<M>(kind, 2 * PAGE);
    memory.write_at(PAGE - 2, b"across").unwrap();
    let window = |offset, size| Options { size, offset, ..Options::default() };
    let Some(inside) = object.again(&memory, window(PAGE as u64 - 2, 6)) else { return };
    assert_eq!(inside.len(), 6);
    assert_eq!(bytes(&inside, 0, 6), b"across");
    inside.write_at(0, b"A").unwrap();
    assert_eq!(bytes(&memory, PAGE - 2, 1), b"A");
    let rest = object.again(&memory, window(PAGE as u64, 0)).unwrap();
    assert_eq!(rest.len(), PAGE);
    assert_eq!(bytes(&rest, 0, 4), b"ross", "a whole page further");
    if kind.is_named() {
        let behind = M::open(&object.name, window(2 * PAGE as u64, 0));
        assert_eq!(behind.err(), Some(libc::EINVAL));
    }
}
