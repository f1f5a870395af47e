// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reading and writing: what goes in comes out, and nothing outside is touched.

use std::cmp::Ordering;

use super::{PAGE, bytes, made};
use crate::memory::{Memory, Options};
use crate::object::Kind;

pub(crate) fn what_one_handle_writes_another_reads<M: Memory>(kind: Kind) {
    let (object, memory) = made::<M>(kind, 100);
    memory.write_at(90, b"0123456789").unwrap();
    assert_eq!(bytes(&memory, 90, 10), b"0123456789");
    let Some(other) = object.again(&memory, Options::default()) else { return };
    assert_eq!(other.len(), 100);
    assert_eq!(bytes(&other, 90, 10), b"0123456789");
    other.write_at(0, b"back").unwrap();
    assert_eq!(bytes(&memory, 0, 4), b"back");
    assert_ne!(memory.data(), other.data(), "two mappings of the same bytes");
}

pub(crate) fn nothing_outside_can_be_touched<M: Memory>(kind: Kind) {
    let (_object, memory) = made::<M>(kind, 10);
    let outside = [(10, 1), (0, 11), (5, 6), (usize::MAX, 1), (usize::MAX, usize::MAX), (11, 0)];
    for (offset, length) in outside {
        assert_eq!(memory.fill(offset, length, 1), Err(libc::ERANGE), "{offset}+{length}");
        if length < 100 {
            let mut buffer = vec![0; length];
            assert_eq!(memory.read_at(offset, &mut buffer), Err(libc::ERANGE));
            assert_eq!(memory.write_at(offset, &buffer), Err(libc::ERANGE));
            assert_eq!(memory.compare(offset, &buffer), Err(libc::ERANGE));
        }
    }
    assert_eq!(memory.load_u32(8), Err(libc::ERANGE), "half of it lies outside");
    assert_eq!(memory.load_u64(4), Err(libc::ERANGE));
    // The end itself is inside, for nothing.
    memory.write_at(10, b"").unwrap();
    memory.read_at(10, &mut []).unwrap();
    assert!(bytes(&memory, 0, 10).iter().all(|&byte| byte == 0), "refused means untouched");
}

pub(crate) fn a_read_only_handle_reads_and_refuses_to_write<M: Memory>(kind: Kind) {
    let (object, memory) = made::<M>(kind, 100);
    memory.write_at(0, b"read me!").unwrap();
    let read_only = Options { read_only: true, ..Options::default() };
    let Some(reader) = object.again(&memory, read_only) else { return };
    assert!(reader.is_read_only());
    assert_eq!(bytes(&reader, 0, 8), b"read me!");
    assert_eq!(reader.load_u64(0).unwrap(), u64::from_ne_bytes(*b"read me!"));
    assert_eq!(reader.write_at(0, b"x"), Err(libc::EACCES));
    assert_eq!(reader.fill(0, 1, 0), Err(libc::EACCES));
    assert_eq!(reader.store_u32(0, 1), Err(libc::EACCES));
    assert_eq!(reader.add_u64(0, 1), Err(libc::EACCES));
    assert_eq!(reader.compare_exchange_u32(0, 0, 1), Err(libc::EACCES));
    assert_eq!(bytes(&memory, 0, 8), b"read me!");
}

pub(crate) fn fill_and_compare<M: Memory>(kind: Kind) {
    let (_object, memory) = made::<M>(kind, 3 * PAGE);
    memory.fill(1, 3 * PAGE - 2, 7).unwrap();
    assert_eq!(bytes(&memory, 0, 2), [0, 7]);
    assert_eq!(bytes(&memory, 3 * PAGE - 2, 2), [7, 0]);
    let mut expected = vec![7; 3 * PAGE - 2];
    assert_eq!(memory.compare(1, &expected), Ok(Ordering::Equal));
    for at in [0, PAGE, 3 * PAGE - 3] {
        expected[at] = 8;
        assert_eq!(memory.compare(1, &expected), Ok(Ordering::Less), "byte {at}");
        expected[at] = 6;
        assert_eq!(memory.compare(1, &expected), Ok(Ordering::Greater), "byte {at}");
        expected[at] = 7;
    }
}

pub(crate) fn atomic_integers<M: Memory>(kind: Kind) {
    let (_object, memory) = made::<M>(kind, 64);
    memory.store_u32(4, 5).unwrap();
    assert_eq!(memory.load_u32(4), Ok(5));
    assert_eq!(memory.add_u32(4, u32::MAX), Ok(5), "the previous value; it wraps around");
    assert_eq!(memory.load_u32(4), Ok(4));
    assert_eq!(memory.compare_exchange_u32(4, 9, 1), Ok((false, 4)));
    assert_eq!(memory.compare_exchange_u32(4, 4, 1), Ok((true, 4)));
    assert_eq!(bytes(&memory, 0, 12), [[0; 4], 1u32.to_ne_bytes(), [0; 4]].concat());

    memory.store_u64(56, 1 << 40).unwrap();
    assert_eq!(memory.add_u64(56, 2), Ok(1 << 40));
    assert_eq!(memory.compare_exchange_u64(56, 0, 1), Ok((false, (1 << 40) + 2)));
    assert_eq!(memory.compare_exchange_u64(56, (1 << 40) + 2, 3), Ok((true, (1 << 40) + 2)));
    assert_eq!(memory.load_u64(56), Ok(3));
    for crooked in [1, 2, 3, 5] {
        assert_eq!(memory.load_u32(crooked), Err(libc::EINVAL));
        assert_eq!(memory.store_u64(crooked, 1), Err(libc::EINVAL));
    }
    assert_eq!(memory.add_u64(4, 1), Err(libc::EINVAL));
}

pub(crate) fn threads_add_exactly<M: Memory>(kind: Kind) {
    const ROUNDS: u32 = 10_000;
    let (_object, memory) = made::<M>(kind, 16);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..ROUNDS {
                    memory.add_u32(0, 1).unwrap();
                    memory.add_u64(8, 1).unwrap();
                }
            });
        }
    });
    assert_eq!(memory.load_u32(0), Ok(4 * ROUNDS));
    assert_eq!(memory.load_u64(8), Ok(u64::from(4 * ROUNDS)));
}

pub(crate) fn large_copies<M: Memory>(kind: Kind) {
    let size = (4 << 20) + 13;
    let (object, memory) = made::<M>(kind, size);
    let vector: Vec<u8> = (0..=252).cycle().take(size).collect();
    memory.write_at(0, &vector).unwrap();
    assert_eq!(memory.compare(0, &vector), Ok(Ordering::Equal));
    assert_eq!(bytes(&memory, 0, size), vector);
    if let Some(other) = object.again(&memory, Options::default()) {
        assert_eq!(bytes(&other, 0, size), vector);
    }
}
