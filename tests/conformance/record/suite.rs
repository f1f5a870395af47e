// SPDX-License-Identifier: MIT OR Apache-2.0
//! The facts that hold for records in every kind of memory and in every face.

use unipc::SharedMemory;

use super::face::{Array, Cell, Directory, Face, How};
use crate::object::{Kind, Object};

const PEOPLE: &str = "T{4s:name:i:age:}";
const STORED: &str = "T{<4s:name:<i:age:}";
const WIDE: &str = "T{(8)Q:words:}";
/// The greatest value that the other process writes.
const LAST: u64 = 3000;

fn array<F: Face>(place: &Object, how: How, count: usize) -> crate::memory::Result<F::Array> {
    F::Array::get(&place.name, how, Some(PEOPLE), count)
}

fn bytes<A: Array>(array: &A, index: usize) -> [u8; 8] {
    let mut bytes = [0xff; 8];
    array.read(index, &mut bytes).unwrap();
    bytes
}

pub(crate) fn a_new_array_is_zeros_and_tells_its_layout<F: Face>(kind: Kind) {
    let place = Object::new(kind);
    let array = array::<F>(&place, How::Create, 10).unwrap();
    assert_eq!((array.len(), array.record_size()), (10, 8));
    assert_eq!(array.layout(), STORED);
    assert!((0..10).all(|index| bytes(&array, index) == [0; 8]));
    assert!(array.data().addr().is_multiple_of(64), "lines are not shared with the header");
}

pub(crate) fn what_one_handle_sets_another_gets<F: Face>(kind: Kind) {
    let place = Object::new(kind);
    let one = array::<F>(&place, How::Create, 10).unwrap();
    let other = F::Array::get(&place.name, How::Open, None, 0).unwrap();
    assert_eq!((other.len(), other.layout()), (10, STORED.to_owned()));
    one.write(9, b"ann\0\x15\0\0\0").unwrap();
    assert_eq!(&bytes(&other, 9), b"ann\0\x15\0\0\0");
    let age = other.data().wrapping_add(9 * 8 + 4).cast::<[u8; 4]>();
    // SAFETY: in the tenth of ten records, which nobody writes now.
    assert_eq!(unsafe { age.read() }, 21_i32.to_ne_bytes());
    drop(one);
    assert_eq!(&bytes(&other, 9), b"ann\0\x15\0\0\0", "closing never removes");
}

pub(crate) fn names_are_created_once<F: Face>(kind: Kind) {
    let place = Object::new(kind);
    for how in [How::Open, How::OpenToRead] {
        assert_eq!(array::<F>(&place, how, 10).err(), Some(libc::ENOENT));
    }
    let one = array::<F>(&place, How::OpenOrCreate, 10).unwrap();
    assert_eq!(array::<F>(&place, How::Create, 10).err(), Some(libc::EEXIST));
    assert_eq!(array::<F>(&place, How::OpenOrCreate, 3).unwrap().len(), 10);
    assert_eq!(array::<F>(&place, How::OpenOrCreate, 11).err(), Some(libc::EPROTO), "too few");
    assert_eq!(one.len(), 10);
}

pub(crate) fn another_layout_is_refused<F: Face>(kind: Kind) {
    let place = Object::new(kind);
    let _array = array::<F>(&place, How::Create, 10).unwrap();
    for other in ["T{4s:name:d:age:}", "T{4s:name:I:age:}", "T{i:age:4s:name:}", "T{4s:nom:i:age:}"]
    {
        for how in [How::Open, How::OpenToRead, How::OpenOrCreate] {
            let refused = F::Array::get(&place.name, how, Some(other), 10);
            assert_eq!(refused.err(), Some(libc::EPROTO), "{other}");
        }
    }
    let place = Object::new(kind);
    let _cell = F::Cell::get(&place.name, How::Create, Some(PEOPLE)).unwrap();
    let refused = F::Cell::get(&place.name, How::Open, Some("T{4s:name:d:age:}"));
    assert_eq!(refused.err(), Some(libc::EPROTO));
}

pub(crate) fn one_kind_is_not_another<F: Face>(kind: Kind) {
    let (of_array, of_cell, raw) = (Object::new(kind), Object::new(kind), Object::new(kind));
    let _array = array::<F>(&of_array, How::Create, 10).unwrap();
    let _cell = F::Cell::get(&of_cell.name, How::Create, Some(PEOPLE)).unwrap();
    let bytes = SharedMemory::create(raw.name.as_str(), 4096).unwrap();
    bytes.fill(0, 4096, 7).unwrap();
    for place in [&of_cell, &raw] {
        let refused = F::Array::get(&place.name, How::Open, None, 0);
        assert_eq!(refused.err(), Some(libc::EPROTO));
    }
    for place in [&of_array, &raw] {
        assert_eq!(F::Cell::get(&place.name, How::Open, None).err(), Some(libc::EPROTO));
        assert_eq!(F::Directory::get(&place.name, How::Open, 0).err(), Some(libc::EPROTO));
    }
}

pub(crate) fn a_read_only_handle_reads_and_refuses_to_write<F: Face>(kind: Kind) {
    let (place, other) = (Object::new(kind), Object::new(kind));
    let writer = array::<F>(&place, How::Create, 2).unwrap();
    writer.write(1, &[1; 8]).unwrap();
    let reader = array::<F>(&place, How::OpenToRead, 0).unwrap();
    assert_eq!(bytes(&reader, 1), [1; 8]);
    assert_eq!(reader.write(1, &[2; 8]), Err(libc::EACCES));
    let writer = F::Cell::get(&other.name, How::Create, Some(PEOPLE)).unwrap();
    let reader = F::Cell::get(&other.name, How::OpenToRead, Some(PEOPLE)).unwrap();
    writer.write(&[3; 8]).unwrap();
    let mut bytes = [0; 8];
    assert_eq!((reader.read(&mut bytes), bytes), (Ok(1), [3; 8]));
    assert_eq!(reader.write(&[4; 8]), Err(libc::EACCES));
}

pub(crate) fn counts_sizes_and_layouts_that_make_no_sense<F: Face>(kind: Kind) {
    let place = Object::new(kind);
    assert_eq!(array::<F>(&place, How::Create, 0).err(), Some(libc::EINVAL));
    assert_eq!(array::<F>(&place, How::Create, usize::MAX).err(), Some(libc::EOVERFLOW));
    for nonsense in ["", "T{", "T{4s:name:", "P", "T{}", "(0)i", "T{i:same:i:same:}"] {
        let refused = F::Array::get(&place.name, How::Create, Some(nonsense), 1);
        assert_eq!(refused.err(), Some(libc::EINVAL), "{nonsense:?}");
    }
    assert_eq!(F::Array::get(&place.name, How::Create, None, 1).err(), Some(libc::EINVAL));
    assert!(SharedMemory::open(place.name.as_str()).is_err(), "nothing was made");
    let array = array::<F>(&place, How::Create, 2).unwrap();
    for index in [2, usize::MAX / 8, usize::MAX] {
        assert_eq!(array.read(index, &mut [0; 8]), Err(libc::ERANGE));
        assert_eq!(array.write(index, &[0; 8]), Err(libc::ERANGE));
    }
    for size in [0, 7, 9] {
        assert_eq!(array.read(0, &mut vec![0; size]), Err(libc::EINVAL));
        assert_eq!(array.write(0, &vec![0; size]), Err(libc::EINVAL));
    }
}

pub(crate) fn each_value_of_a_cell_has_a_number<F: Face>(kind: Kind) {
    let place = Object::new(kind);
    let one = F::Cell::get(&place.name, How::OpenOrCreate, Some(PEOPLE)).unwrap();
    let other = F::Cell::get(&place.name, How::Open, None).unwrap();
    let mut bytes = [0xff; 8];
    assert_eq!((other.read(&mut bytes), bytes, other.version()), (Ok(0), [0; 8], Ok(0)));
    for number in 1..=20_u8 {
        let writer = if number % 3 == 0 { &other } else { &one };
        writer.write(&[number; 8]).unwrap();
        let version = Ok(u64::from(number));
        assert_eq!((other.read(&mut bytes), bytes), (version, [number; 8]));
        assert_eq!(one.version(), version);
    }
    for size in [0, 7, 9] {
        assert_eq!(one.read(&mut vec![0; size]), Err(libc::EINVAL));
        assert_eq!(one.write(&vec![0; size]), Err(libc::EINVAL));
    }
    assert_eq!(F::Cell::get(&place.name, How::Create, Some(PEOPLE)).err(), Some(libc::EEXIST));
}

pub(crate) fn a_cell_is_whole_while_another_process_writes<F: Face>(kind: Kind) {
    let place = Object::new(kind);
    let cell = F::Cell::get(&place.name, How::Create, Some(WIDE)).unwrap();
    // SAFETY: the child calls what needs no other thread, and ends.
    let child = unsafe { libc::fork() };
    if child == 0 {
        let writes = || {
            let own = F::Cell::get(&place.name, How::Open, Some(WIDE))?;
            (1..=LAST).try_for_each(|value| own.write(&value.to_ne_bytes().repeat(8)))
        };
        let status = i32::from(writes().is_err());
        // SAFETY: ends the child.
        unsafe { libc::_exit(status) };
    }
    let (mut bytes, mut before) = ([0; 64], 0);
    while before < LAST {
        let version = cell.read(&mut bytes).unwrap();
        let value = u64::from_ne_bytes(*bytes.first_chunk().unwrap());
        assert_eq!(bytes.as_slice(), value.to_ne_bytes().repeat(8), "torn");
        assert_eq!(version, value, "each value is one write");
        assert!(value >= before, "{value} after {before}");
        before = value;
        let mut status = 0;
        // SAFETY: asks for the child's end, which is kept for the call below.
        let ended = unsafe { libc::waitpid(child, &raw mut status, libc::WNOHANG) };
        if ended == child {
            assert_eq!(status, 0, "the writer");
            assert_eq!(cell.version(), Ok(LAST));
            return;
        }
    }
    let mut status = 0;
    // SAFETY: the child is ours.
    assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
    assert_eq!(status, 0, "the writer");
}

/// Memory with a directory of so many places.
fn directory<F: Face>(place: &Object, entries: u32) -> F::Directory {
    drop(SharedMemory::create(place.name.as_str(), 16 << 10).unwrap());
    F::Directory::get(&place.name, How::Create, entries).unwrap()
}

pub(crate) fn places_are_found_by_name_freed_and_used_again<F: Face>(kind: Kind) {
    let place = Object::new(kind);
    let one = directory::<F>(&place, 4);
    let other = F::Directory::get(&place.name, How::OpenOrCreate, 4).unwrap();
    let first = one.place("first", 100).unwrap();
    assert!(first.size >= 100 && first.size.is_multiple_of(64), "{first:?}");
    assert!(first.offset.is_multiple_of(64) && first.kind.is_empty(), "{first:?}");
    assert_eq!(other.find("first").unwrap(), first);
    let (second, made) = other.find_or_place("second", 4096).unwrap();
    assert!(made && second.offset >= first.offset + first.size);
    assert_eq!(one.find_or_place("second", 4096).unwrap(), (second.clone(), false));
    assert_eq!(one.list().unwrap(), [first.clone(), second.clone()]);

    let memory = SharedMemory::open(place.name.as_str()).unwrap();
    unipc::sync::Mutex::create((&memory, second.offset)).unwrap();
    assert_eq!(one.find("second").unwrap().kind, "mutex", "what lies there is told");
    memory.fill(first.offset, first.size, 7).unwrap();
    other.remove("first").unwrap();
    assert_eq!(one.find("first").err(), Some(libc::ENOENT));
    let again = one.place("again", 64).unwrap();
    assert_eq!(again.offset, first.offset, "what was freed is used again");
    assert_eq!(memory.compare(again.offset, &[0; 64]).unwrap(), std::cmp::Ordering::Equal, "zeros");
}

pub(crate) fn a_directory_says_what_it_cannot_do<F: Face>(kind: Kind) {
    let place = Object::new(kind);
    assert_eq!(F::Directory::get(&place.name, How::Open, 0).err(), Some(libc::ENOENT));
    let directory = directory::<F>(&place, 3);
    assert_eq!(F::Directory::get(&place.name, How::Create, 3).err(), Some(libc::EEXIST));
    directory.place("taken", 64).unwrap();
    assert_eq!(directory.place("taken", 64).err(), Some(libc::EEXIST));
    assert_eq!(directory.find_or_place("taken", 4096).err(), Some(libc::EINVAL), "it is smaller");
    assert_eq!(directory.place("large", 1 << 20).err(), Some(libc::ENOSPC));
    assert_eq!(directory.place("none", 0).err(), Some(libc::EINVAL));
    for name in ["", &"n".repeat(104)] {
        assert_eq!(directory.place(name, 64).err(), Some(libc::EINVAL));
    }
    directory.place(&"n".repeat(103), 64).unwrap();
    directory.place("third", 64).unwrap();
    assert_eq!(directory.place("fourth", 64).err(), Some(libc::ENOSPC), "no entry is left");
    assert_eq!(directory.remove("fourth").err(), Some(libc::ENOENT));
    assert_eq!(directory.list().unwrap().len(), 3);
}
