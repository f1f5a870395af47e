// SPDX-License-Identifier: MIT OR Apache-2.0
//! Parts of objects, and odd places, sizes and descriptors: the right bytes, or a refusal.
#![allow(unsafe_code, reason = "making a placement is unsafe")]

#[path = "support/child.rs"]
mod child;
mod support;

use std::fs;
use std::io::{Read, Seek};

use support::{Removed, key_name, posix_name, protection_at};
use unipc::{Placement, SharedMemory, page_size};

#[test]
fn a_part_of_a_segment_is_the_part_that_was_asked_for() {
    let pages = 16 * page_size();
    let key = Removed(key_name());
    let whole = SharedMemory::create(key.0.as_str(), pages).unwrap();
    for (offset, size) in [(0, 10), (7, 10), (page_size(), 10), (2 * page_size() + 3, page_size())]
    {
        whole.write_at(offset, b"begin").unwrap();
        for guard_pages in [false, true] {
            let options = SharedMemory::options().offset(offset as u64).guard_pages(guard_pages);
            let part = options.clone().size(size).open(key.0.as_str()).unwrap();
            assert_eq!(part.len(), size);
            assert_eq!(part.mapped_len(), pages, "a segment is attached whole");
            assert!(part.compare(0, b"begin").unwrap().is_eq(), "offset {offset}");
            let rest = options.open(key.0.as_str()).unwrap();
            assert_eq!(rest.len(), pages - offset);
            rest.write_at(rest.len() - 3, b"end").unwrap();
            assert!(whole.compare(pages - 3, b"end").unwrap().is_eq());
            rest.flush(0, rest.len()).unwrap();
        }
    }
}

#[test]
fn guard_pages_surround_all_of_a_segment() {
    // Alone, so that no other test maps something where a guard page was.
    child::succeeds_alone("guard_pages_surround_all_of_a_segment", || {
        let key = Removed(key_name());
        let pages = 16 * page_size();
        let _whole = SharedMemory::create(key.0.as_str(), pages).unwrap();
        let options = SharedMemory::options().size(10).guard_pages(true);
        let part = options.open(key.0.as_str()).unwrap();
        let start = part.as_ptr().addr();
        assert_eq!(protection_at(start - 1).as_deref(), Some("---p"));
        assert_eq!(protection_at(start + pages - 1).as_deref(), Some("rw-s"));
        assert_eq!(protection_at(start + pages).as_deref(), Some("---p"));
    });
}

#[test]
fn an_address_that_rounds_to_none_is_refused() {
    // SAFETY: nothing can be mapped there.
    let first_page = unsafe { Placement::at(page_size() - 1) }.rounding();
    // SAFETY: as above.
    let replacing = unsafe { first_page.replacing() };
    for placement in [first_page, replacing] {
        for name in ["memfd:nowhere", "anon:", "sysv:private"] {
            let refused = SharedMemory::options().place(placement).create(name, 10).unwrap_err();
            assert_eq!(refused.errno(), libc::EINVAL, "{name}");
        }
    }
    // SAFETY: refused before anything is mapped.
    let anywhere = unsafe { Placement::at(1 << 40) };
    let both = SharedMemory::options().place(anywhere).guard_pages(true).create("anon:", 10);
    assert_eq!(both.unwrap_err().errno(), libc::EINVAL);
}

#[test]
fn a_size_of_nothing_is_refused_of_a_descriptor_too() {
    let shm = SharedMemory::create("memfd:received", 5000).unwrap();
    for offset in [0, 1] {
        let fd = shm.fd().unwrap().try_clone_to_owned().unwrap();
        let refused = SharedMemory::options().size(0).offset(offset).from_fd(fd).unwrap_err();
        assert_eq!(refused.errno(), libc::EINVAL, "{refused}");
    }
}

#[test]
fn a_directory_is_refused_for_what_it_is() {
    let directory = fs::File::open("/").unwrap();
    assert_eq!(SharedMemory::from_fd(directory).unwrap_err().errno(), libc::EMEDIUMTYPE);
}

#[test]
fn an_integer_is_aligned_as_in_its_object() {
    let name = Removed(posix_name("aligned"));
    let whole = SharedMemory::create(name.0.as_str(), 100).unwrap();
    whole.store_u32(4, 7).unwrap();
    let options = SharedMemory::options().offset(2).read_only(true);
    let part = options.open(name.0.as_str()).unwrap();
    assert_eq!(part.load_u32(2).unwrap(), 7);
    let refused = part.load_u32(0).unwrap_err();
    assert_eq!(refused.errno(), libc::EINVAL);
    assert!(refused.to_string().contains("byte 2 of the object"), "{refused}");
}

#[test]
fn a_child_that_did_not_inherit_the_pages_unmaps_nothing() {
    child::succeeds_alone("a_child_that_did_not_inherit_the_pages_unmaps_nothing", || {
        let shm = SharedMemory::create("anon:", page_size()).unwrap();
        shm.advise(0, shm.len(), unipc::Advice::DontFork).unwrap();
        let at = shm.as_ptr();
        // SAFETY: the child calls nothing that another thread may have left half-done.
        let process = unsafe { libc::fork() };
        if process == 0 {
            let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED_NOREPLACE;
            // SAFETY: refused if something is there.
            let other =
                unsafe { libc::mmap(at.cast(), page_size(), libc::PROT_READ, flags, -1, 0) };
            drop(shm);
            let mut residency = 0;
            // SAFETY: only asks about the page, with room for the answer.
            let kept = unsafe { libc::mincore(at.cast(), page_size(), &raw mut residency) } == 0;
            // SAFETY: ends the child.
            unsafe { libc::_exit(i32::from(other != at.cast() || !kept)) };
        }
        let mut status = -1;
        // SAFETY: waits for the child made above.
        assert_eq!(unsafe { libc::waitpid(process, &raw mut status, 0) }, process);
        assert_eq!(status, 0);
    });
}

#[test]
fn a_descriptor_is_read_from_the_first_byte_on_and_keeps_the_position_that_came_with_it() {
    let name = Removed(posix_name("position"));
    SharedMemory::create(name.0.as_str(), 100).unwrap().write_at(0, b"first").unwrap();
    let opened = SharedMemory::open(name.0.as_str()).unwrap();
    let file = || fs::File::from(opened.fd().unwrap().try_clone_to_owned().unwrap());
    let mut word = [0; 3];
    file().read_exact(&mut word).unwrap();
    assert_eq!(&word, b"fir");
    file().read_exact(&mut word[..2]).unwrap();
    assert_eq!(&word[..2], b"st", "asking for the descriptor again leaves its position alone");

    let received = SharedMemory::from_fd(file()).unwrap();
    received.fd().unwrap();
    assert_eq!(file().stream_position().unwrap(), 5);
}
