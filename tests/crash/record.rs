// SPDX-License-Identifier: MIT OR Apache-2.0
//! Death in the operations of records: what a writer, a placer or a creator leaves is whole, and the next goes on.

use std::time::Duration;

use unipc::record::{Array, Cell, Directory, Layout};
use unipc::sync::Mutex;
use unipc::{SharedMemory, Timeout};

use crate::sync::{LIMIT, Scenario, is_gone};

/// How many numbers a record has; it is whole when all are the same.
const WIDTH: usize = 24;
/// How many bytes the directory has.
const DIRECTORY: usize = 32 << 10;
const WARM: usize = 48 << 10;
const LONG: Timeout = Timeout::After(Duration::from_secs(4));

fn layout() -> Layout {
    Layout::parse("(24)Q").expect("a layout")
}

fn cell(shm: &SharedMemory) -> Cell {
    Cell::open_or_create((shm, 0), &layout()).expect("a cell")
}

fn directory(shm: &SharedMemory) -> Directory {
    Directory::options()
        .entries(4)
        .timeout(LIMIT)
        .open_or_create_directory((shm, 0), DIRECTORY)
        .expect("a directory")
}

fn array(shm: &SharedMemory) -> Array {
    Array::open_or_create((shm, 0), &layout(), 5).expect("an array")
}

/// So that the victim's thread is known to the kernel before the first instruction counts.
fn warm(shm: &SharedMemory) {
    let other = Mutex::open_or_create((shm, WARM)).expect("a mutex");
    drop(other.lock(LONG).expect("nobody else wants it"));
}

fn set(cell: &Cell, value: u64, timeout: Timeout) {
    cell.set(&[value; WIDTH], timeout).expect("the turn comes");
}

fn get(cell: &Cell) -> u64 {
    let words = cell.get::<[u64; WIDTH]>().expect("a value");
    assert_eq!(words, [words[0]; WIDTH], "torn");
    words[0]
}

/// Whoever writes next gets his turn, and nobody's value is half another's.
fn is_whole(shm: &SharedMemory) {
    let cell = cell(shm);
    let before = get(&cell);
    assert!(before == 1 || before == 2, "{before} was never written");
    set(&cell, 3, LIMIT);
    assert_eq!(get(&cell), 3);
    // All slots, that of the dead one too.
    for value in 4..12 {
        set(&cell, value, LIMIT);
        assert_eq!(get(&cell), value);
    }
}

/// Reads beside the victim, and whoever comes after, until the victim is gone.
fn read_beside(shm: &SharedMemory) {
    let cell = cell(shm);
    while !is_gone(shm) {
        get(&cell);
    }
}

/// The table is in order, and there is room for the next.
fn is_in_order(shm: &SharedMemory) {
    let directory = directory(shm);
    let places = directory.list().expect("the turn comes");
    assert!(places.iter().any(|place| place.name() == "first"), "a place was lost");
    for pair in places.windows(2) {
        assert!(pair[0].offset() + pair[0].size() <= pair[1].offset(), "two overlap");
    }
    let (place, _) = directory.find_or_place("second", 1000).expect("there is room");
    assert_eq!(place.size(), 1024);
    let mut bytes = vec![1; place.size()];
    shm.read_at(place.offset(), &mut bytes).expect("inside");
    assert!(bytes.iter().all(|&byte| byte == 0), "a place holds zeros");
    directory.place("third", 4096).expect("there is room");
    assert_eq!(directory.list().expect("the turn comes").len(), 3);
}

/// The next creator takes over, and the records are there.
fn is_made(shm: &SharedMemory) {
    let array = array(shm);
    assert_eq!((array.len(), array.layout()), (5, &layout()));
    array.set(4, &[7_u64; WIDTH]).expect("inside");
    assert_eq!(
        Array::open((shm, 0), None).expect("an array").get::<[u64; WIDTH]>(4),
        Ok([7; WIDTH])
    );
}

pub(crate) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "cell write",
        make: |shm| set(&cell(shm), 1, LONG),
        bystander: None,
        victim: |shm, mark| {
            warm(shm);
            let cell = cell(shm);
            mark();
            set(&cell, 2, LONG);
            mark();
        },
        check: is_whole,
    },
    Scenario {
        name: "cell write beside a reader",
        make: |shm| set(&cell(shm), 1, LONG),
        bystander: Some((read_beside, |_| true)),
        victim: |shm, mark| {
            warm(shm);
            let cell = cell(shm);
            mark();
            set(&cell, 2, LONG);
            mark();
        },
        check: is_whole,
    },
    Scenario {
        name: "array create",
        make: |_| {},
        bystander: None,
        victim: |shm, mark| {
            warm(shm);
            mark();
            drop(array(shm));
            mark();
        },
        check: is_made,
    },
    Scenario {
        name: "directory place",
        make: |shm| drop(directory(shm).place("first", 128).expect("there is room")),
        bystander: None,
        victim: |shm, mark| {
            warm(shm);
            let directory = directory(shm);
            mark();
            directory.place("second", 1000).expect("there is room");
            mark();
        },
        check: is_in_order,
    },
    Scenario {
        name: "directory remove",
        make: |shm| {
            directory(shm).place("zeroth", 2048).expect("there is room");
            directory(shm).place("first", 128).expect("there is room");
        },
        bystander: None,
        victim: |shm, mark| {
            warm(shm);
            let directory = directory(shm);
            mark();
            directory.remove("zeroth").expect("it is there");
            mark();
        },
        check: |shm| {
            let directory = directory(shm);
            let _ = directory.remove("zeroth");
            is_in_order(shm);
        },
    },
];
