// SPDX-License-Identifier: MIT OR Apache-2.0
//! Resizing when something is in the way: it works, or nothing has changed.
#![allow(unsafe_code, reason = "making a placement is unsafe")]

mod support;

use std::fs;

use support::Directory;
use unipc::{Advice, Placement, SharedMemory, page_size};

const PAGES: usize = 4;

fn size_of(directory: &Directory) -> usize {
    usize::try_from(fs::metadata(directory.path("object")).unwrap().len()).unwrap()
}

#[test]
fn advice_for_a_part_does_not_hinder() {
    let directory = Directory::new("advice");
    let name = directory.name("object");
    let mut shm = SharedMemory::create(name.as_str(), PAGES * page_size()).unwrap();
    shm.fill(0, shm.len(), 7).unwrap();
    for size in [16 * PAGES, PAGES, 2 * PAGES].map(|pages| pages * page_size()) {
        // The kernel keeps such a mapping in two pieces.
        shm.advise(0, page_size(), Advice::Random).unwrap();
        shm.resize(size).unwrap();
        assert_eq!((shm.len(), size_of(&directory)), (size, size));
        shm.write_at(size - 1, &[1]).unwrap();
        assert_eq!(shm.compare(0, &[7; 100]).unwrap(), std::cmp::Ordering::Equal);
    }
}

#[test]
fn what_must_keep_its_place_shrinks_but_does_not_grow() {
    // SAFETY: nothing is there, and an occupied range is refused.
    let here = unsafe { Placement::at(0x2100_0000_0000) };
    let guarded = SharedMemory::options().guard_pages(true);
    for options in [guarded, SharedMemory::options().place(here)] {
        let directory = Directory::new("stays");
        let name = directory.name("object");
        let mut shm = options.create(name.as_str(), PAGES * page_size()).unwrap();
        let at = shm.as_ptr();
        let refused = shm.resize(2 * PAGES * page_size()).unwrap_err();
        assert_eq!(refused.errno(), libc::EOPNOTSUPP);
        assert_eq!(size_of(&directory), PAGES * page_size(), "the object is as it was");

        shm.resize(page_size()).unwrap();
        assert_eq!((shm.len(), size_of(&directory)), (page_size(), page_size()));
        assert_eq!(shm.as_ptr(), at);
        let outside = shm.write_at(page_size(), &[1]).unwrap_err();
        assert_eq!(outside.errno(), libc::ERANGE);
    }
}

#[test]
fn a_size_that_cannot_be_is_an_error() {
    for slack in [false, true] {
        let mut shm = SharedMemory::options().slack(slack).create("memfd:resized", 10).unwrap();
        let length = shm.len();
        for enormous in [usize::MAX, usize::MAX - 4095, isize::MAX as usize] {
            assert!(shm.resize(enormous).is_err(), "{enormous}");
            assert_eq!(shm.len(), length);
        }
        shm.write_at(0, b"as before").unwrap();
    }
}
