// SPDX-License-Identifier: MIT OR Apache-2.0
//! Arrays tell their layout, cells are always whole, directories survive whoever uses them.

#[path = "support/process.rs"]
mod process;
mod support;

use std::collections::BTreeMap;
use std::time::Duration;

use process::Child;
use proptest::prelude::*;
use support::{Removed, key_name, posix_name};
use unipc::channel::Queue;
use unipc::record::{Array, Cell, Chars, Directory, Layout, Options, Record};
use unipc::sync::{Mutex, RwLock};
use unipc::{Mode, SharedMemory, Timeout};

const LONG: Timeout = Timeout::After(Duration::from_secs(30));

#[derive(Record, Clone, Copy, PartialEq, Debug)]
#[repr(C)]
struct People {
    name: Chars<4>,
    age: i32,
}

/// Whole when all words are the same.
#[derive(Record, Clone, Copy)]
#[repr(C)]
struct Wide {
    words: [u64; 40],
}

fn people() -> Layout {
    People::layout().unwrap()
}

fn errno<T: std::fmt::Debug>(result: unipc::Result<T>) -> i32 {
    result.unwrap_err().errno()
}

/// Names of every kind, each gone when the test is over.
fn names(what: &str) -> (support::Directory, [String; 3]) {
    let directory = support::Directory::new(what);
    let file = directory.name("object");
    (directory, [posix_name(what), key_name(), file])
}

#[test]
fn an_array_is_found_by_name_with_its_layout() {
    let (_directory, names) = names("array");
    for name in names {
        let _removed = Removed(name.clone());
        let array = Array::create(name.as_str(), &people(), 10).unwrap();
        assert_eq!(array.len(), 10);
        assert_eq!(array.get::<People>(9).unwrap(), People { name: Chars::default(), age: 0 });
        let ann = People { name: Chars::from("ann"), age: 21 };
        array.set(9, &ann).unwrap();

        let other = Array::open(name.as_str(), None).unwrap();
        assert_eq!(*other.layout(), people());
        assert_eq!(other.get::<People>(9).unwrap(), ann);
        let mut bytes = [0; 8];
        other.read_at(9, &mut bytes).unwrap();
        assert_eq!(&bytes[..4], b"ann\0");
        assert!(other.as_ptr().addr().is_multiple_of(64));
        assert_eq!(other.ptr_at(9).unwrap().addr() - other.as_ptr().addr(), 72);

        assert_eq!(errno(Array::create(name.as_str(), &people(), 10)), libc::EEXIST);
        assert_eq!(Array::open_or_create(name.as_str(), &people(), 10).unwrap().len(), 10);
        assert_eq!(Array::open_or_create(name.as_str(), &people(), 3).unwrap().len(), 10);
        assert_eq!(errno(Array::open_or_create(name.as_str(), &people(), 11)), libc::EPROTO);
        assert_eq!(errno(other.get::<People>(10)), libc::ERANGE);
        assert_eq!(errno(other.get::<People>(usize::MAX)), libc::ERANGE);
        assert_eq!(errno(other.get::<u32>(0)), libc::EINVAL);
        assert_eq!(errno(other.write_at(0, b"short")), libc::EINVAL);
        assert_eq!(errno(Cell::open(name.as_str(), None)), libc::EPROTO);
        assert_eq!(errno(Directory::open(name.as_str())), libc::EPROTO);
    }
}

#[test]
fn another_layout_is_refused_with_the_field_named() {
    let name = posix_name("differs");
    let _removed = Removed(name.clone());
    Array::create(name.as_str(), &people(), 2).unwrap();
    let wrong = Layout::parse("T{4s:name:d:age:}").unwrap();
    for error in [
        Array::open(name.as_str(), Some(&wrong)).unwrap_err(),
        Array::open_or_create(name.as_str(), &wrong, 2).unwrap_err(),
    ] {
        assert_eq!(error.errno(), libc::EPROTO);
        let text = error.to_string();
        let words = "field \"age\" is int32 at offset 4 in the object, float64 at offset 8 in the declaration";
        assert!(text.contains(words) && text.contains(&name), "{text}");
    }
}

#[test]
fn arrays_lie_in_memory_of_every_kind() {
    let shm = SharedMemory::create("anon:", 1 << 16).unwrap();
    let array = Array::create((&shm, 128), &people(), 10).unwrap();
    array.set(1, &People { name: Chars::from("c"), age: 3 }).unwrap();
    assert_eq!(Array::open((&shm, 128), Some(&people())).unwrap().get::<People>(1).unwrap().age, 3);
    assert_eq!(errno(Array::create((&shm, 128), &people(), 10)), libc::EEXIST);
    assert_eq!(errno(Array::create((&shm, 100), &people(), 10)), libc::EINVAL);
    assert_eq!(errno(Array::create((&shm, 4096), &people(), 1 << 20)), libc::ERANGE);
    shm.fill(8192, 64, 7).unwrap();
    assert_eq!(errno(Array::create((&shm, 8192), &people(), 1)), libc::EBUSY);
    drop(shm);
    assert_eq!(array.get::<People>(1).unwrap().age, 3, "it keeps the memory");

    let array = Array::create("memfd:frames", &people(), 4).unwrap();
    array.set(0, &People { name: Chars::from("m"), age: 9 }).unwrap();
    let fd = array.fd().unwrap().try_clone_to_owned().unwrap();
    assert_eq!(Array::from_fd(fd, None).unwrap().get::<People>(0).unwrap().age, 9);
    assert_eq!(Array::open_or_create("memfd:frames", &people(), 3).unwrap().len(), 3);
    assert_eq!(Cell::open_or_create("anon:", &people()).unwrap().version().unwrap(), 0);
    for (count, expected) in [(0, libc::EINVAL), (usize::MAX, libc::EOVERFLOW)] {
        assert_eq!(errno(Array::create("memfd:frames", &people(), count)), expected);
    }
}

#[test]
fn who_may_only_read_reads() {
    let name = posix_name("reader");
    let _removed = Removed(name.clone());
    let options = Options::new().mode(Mode::new(0o440).unwrap());
    let array = options.create_array(name.as_str(), &people(), 2).unwrap();
    array.set(1, &People { name: Chars::from("r"), age: 5 }).unwrap();
    let reader = Options::new().read_only(true).open_array(name.as_str(), Some(&people())).unwrap();
    assert!(reader.is_read_only());
    assert_eq!(reader.get::<People>(1).unwrap().age, 5);
    assert_eq!(errno(reader.set(1, &People { name: Chars::from("r"), age: 6 })), libc::EACCES);

    let shm = SharedMemory::options().read_only(true).open(name.as_str()).unwrap();
    assert!(Array::open((&shm, 0), None).unwrap().is_read_only());

    let name = posix_name("cell-reader");
    let _removed = Removed(name.clone());
    let cell = Cell::create(name.as_str(), &people()).unwrap();
    cell.set(&People { name: Chars::from("c"), age: 7 }, LONG).unwrap();
    let reader = Options::new().read_only(true).open_cell(name.as_str(), None).unwrap();
    assert_eq!(reader.get::<People>().unwrap().age, 7);
    assert_eq!(errno(reader.set(&People { name: Chars::from("c"), age: 8 }, LONG)), libc::EACCES);
}

#[test]
fn raw_memory_is_read_with_a_layout_from_outside() {
    let shm = SharedMemory::create("anon:", 80).unwrap();
    let array = Array::over(&shm, 0, &people(), None).unwrap();
    assert_eq!(array.len(), 10);
    array.set(9, &People { name: Chars::from("raw"), age: 1 }).unwrap();
    let mut bytes = [0; 8];
    shm.read_at(72, &mut bytes).unwrap();
    assert_eq!(bytes[..4], *b"raw\0");
    assert_eq!(Array::over(&shm, 8, &people(), Some(2)).unwrap().len(), 2);
    assert_eq!(errno(Array::over(&shm, 8, &people(), Some(10))), libc::ERANGE);
    assert_eq!(errno(Array::over(&shm, 8, &people(), Some(usize::MAX))), libc::ERANGE);
    assert_eq!(errno(Array::over(&shm, 80, &people(), None)), libc::EINVAL);
    assert_eq!(errno(Array::over(&shm, 81, &people(), None)), libc::ERANGE);
    assert_eq!(errno(Array::over(&shm, 2, &people(), None)), libc::EINVAL);
}

#[test]
fn a_damaged_header_is_refused() {
    let shm = SharedMemory::create("anon:", 1 << 16).unwrap();
    Array::create((&shm, 0), &people(), 10).unwrap();
    Cell::create((&shm, 4096), &people()).unwrap();
    Directory::create((&shm, 8192), 1 << 14).unwrap();
    let mut before = vec![0; 1 << 16];
    shm.read_at(0, &mut before).unwrap();
    let mut refused = 0;
    for base in [0, 4096, 8192] {
        // All bytes that say something: the stamp, the numbers, the text.
        for at in (0..64).chain(192..240).chain(320..345) {
            for change in [1, 0x80, 0xff] {
                shm.write_at(base + at, &[before[base + at] ^ change]).unwrap();
                let opened = match base {
                    0 => Array::open((&shm, 0), Some(&people())).map(|array| {
                        for index in 0..array.len() {
                            array.get::<People>(index).unwrap();
                        }
                    }),
                    4096 => Cell::open((&shm, 4096), Some(&people()))
                        .and_then(|cell| cell.get::<People>().map(|_| ())),
                    _ => Directory::open((&shm, 8192)).and_then(|it| it.place("x", 64).map(|_| ())),
                };
                refused += u32::from(opened.is_err());
                shm.write_at(base, &before[base..base + 4096]).unwrap();
            }
        }
    }
    assert!(refused > 600, "{refused}");
}

#[test]
fn a_cell_is_always_whole() {
    let name = posix_name("cell");
    let _removed = Removed(name.clone());
    let cell = Cell::create(name.as_str(), &Wide::layout().unwrap()).unwrap();
    assert_eq!(cell.get::<Wide>().unwrap().words, [0; 40]);
    // Whether the reader has seen enough, and how many values were written.
    let shm = SharedMemory::create("anon:", 4096).unwrap();
    let (enough, written) = (0, 8);
    let writer = |from: u64| {
        let cell = Cell::open(name.as_str(), Some(&Wide::layout().unwrap())).unwrap();
        let shm = &shm;
        move || {
            let mut value = from;
            while value < from + 30_000 || shm.load_u32(enough).unwrap() == 0 {
                cell.set(&Wide { words: [value; 40] }, LONG).unwrap();
                value += 1;
            }
            shm.add_u64(written, value - from).unwrap();
        }
    };
    let children = [Child::run(writer(1 << 32)), Child::run(writer(1 << 40))];
    let mut last = 0;
    let mut seen = 0_u32;
    while seen < 1000 {
        let mut bytes = [0; 320];
        let version = cell.read(&mut bytes).unwrap();
        let words = Wide::load(&bytes).words;
        assert_eq!(words, [words[0]; 40], "torn");
        assert!(version >= last);
        seen += u32::from(version > last);
        last = version;
    }
    shm.store_u32(enough, 1).unwrap();
    for child in children {
        child.succeeds();
    }
    assert_eq!(cell.version().unwrap(), shm.load_u64(written).unwrap());
}

#[test]
fn a_writer_that_is_killed_leaves_a_value_and_its_turn() {
    let shm = SharedMemory::create("anon:", 1 << 16).unwrap();
    let cell = Cell::create((&shm, 0), &Wide::layout().unwrap()).unwrap();
    let mut busy = 0;
    for round in 0..60_u64 {
        let child = Child::run(|| {
            for value in 0.. {
                cell.set(&Wide { words: [value; 40] }, LONG).unwrap();
            }
        });
        let before = cell.version().unwrap();
        while cell.version().unwrap() < before + 20 + round % 7 {
            std::thread::yield_now();
        }
        child.kill();
        let words = cell.get::<Wide>().unwrap().words;
        assert_eq!(words, [words[0]; 40], "torn");
        // Sometimes it died in its turn.
        busy += u32::from(shm.load_u32(128).unwrap() != 0);
        cell.set(&Wide { words: [7; 40] }, LONG).unwrap();
        assert_eq!(cell.get::<Wide>().unwrap().words, [7; 40]);
    }
    assert!(busy > 0, "nobody died while it wrote");
}

#[test]
fn a_writer_that_is_stopped_keeps_its_turn_for_as_long_as_the_others_wait() {
    let shm = SharedMemory::create("anon:", 1 << 16).unwrap();
    let cell = Cell::create((&shm, 0), &people()).unwrap();
    // What a stopped writer leaves: a turn that a living thread has.
    let turn = Child::that_stays(|| {
        let own = nix::unistd::gettid().as_raw().cast_unsigned();
        shm.store_u32(128, own).unwrap();
    });
    let value = People { name: Chars::from("x"), age: 1 };
    assert_eq!(errno(cell.set(&value, Timeout::TRY)), libc::EAGAIN);
    let short = Timeout::After(Duration::from_millis(20));
    assert_eq!(errno(cell.set(&value, short)), libc::ETIMEDOUT);
    assert_eq!(cell.get::<People>().unwrap().age, 0, "readers do not wait");
    shm.store_u32(128, 0).unwrap();
    turn.kill();
    cell.set(&value, LONG).unwrap();
}

#[test]
fn one_is_created_by_many_at_once() {
    for round in 0..30 {
        let name = posix_name(&format!("race-{round}"));
        let _removed = Removed(name.clone());
        let make = || {
            let array = Array::open_or_create(name.as_str(), &people(), 5).unwrap();
            assert_eq!(array.len(), 5);
        };
        let children: Vec<_> = (0..4).map(|_| Child::run(make)).collect();
        make();
        for child in children {
            child.succeeds();
        }
    }
}

#[test]
fn places_have_names_and_are_used_again() {
    let (_directory, names) = names("places");
    for name in names {
        let _removed = Removed(name.clone());
        let directory =
            Directory::options().entries(8).create_directory(name.as_str(), 1 << 14).unwrap();
        let lock = directory.place("lock", Mutex::SIZE).unwrap();
        let mutex = Mutex::create(&lock).unwrap();
        let guard = mutex.lock(LONG).unwrap();
        let other = Directory::open(name.as_str()).unwrap();
        assert_eq!(other.capacity(), 8);
        let same = Mutex::open(other.find("lock").unwrap()).unwrap();
        assert_eq!(errno(same.lock(Timeout::TRY).map(drop)), libc::EDEADLK);
        drop(guard);

        let cell = Cell::create(
            other.place("cell", Cell::size_for(&people()).unwrap()).unwrap(),
            &people(),
        )
        .unwrap();
        cell.set(&People { name: Chars::from("z"), age: 4 }, LONG).unwrap();
        let found = Cell::open(directory.find("cell").unwrap(), Some(&people())).unwrap();
        assert_eq!(found.get::<People>().unwrap().age, 4);

        assert_eq!(errno(other.place("lock", 64)), libc::EEXIST);
        assert_eq!(errno(other.find("none")), libc::ENOENT);
        assert_eq!(errno(other.remove("none")), libc::ENOENT);
        assert_eq!(errno(other.place("", 64)), libc::EINVAL);
        assert_eq!(errno(other.place(&"n".repeat(104), 64)), libc::EINVAL);
        assert_eq!(errno(other.place("nothing", 0)), libc::EINVAL);
        for huge in [1 << 20, usize::MAX / 2, usize::MAX] {
            assert_eq!(errno(other.place("huge", huge)), libc::ENOSPC);
        }
        assert!(!other.find_or_place("lock", 64).unwrap().1);
        assert_eq!(errno(other.find_or_place("lock", 4096)), libc::EINVAL);

        let kinds: BTreeMap<_, _> = other
            .list()
            .unwrap()
            .into_iter()
            .map(|entry| (entry.name().to_owned(), entry.kind()))
            .collect();
        assert_eq!(kinds["lock"].as_deref(), Some("mutex"));
        assert_eq!(kinds["cell"].as_deref(), Some("cell"));

        other.remove("lock").unwrap();
        assert_eq!(errno(directory.find("lock")), libc::ENOENT);
        let (again, made) = directory.find_or_place("readers", 128).unwrap();
        assert!(made && again.offset() == lock.offset(), "the room is used again");
        assert_eq!(again.kind(), None, "and holds zeros");
        for number in 0..6 {
            directory.place(&format!("more{number}"), 64).unwrap();
        }
        assert_eq!(errno(directory.place("last", 64)), libc::ENOSPC);
    }
}

#[test]
fn an_object_stays_inside_its_place() {
    let shm = SharedMemory::create("memfd:neighbours", 1 << 18).unwrap();
    let directory = Directory::create((&shm, 0), 1 << 18).unwrap();
    let small = directory.place("small", Array::size_for(&people(), 10).unwrap()).unwrap();
    let behind = directory.place("behind", Mutex::SIZE).unwrap();
    Mutex::create(&behind).unwrap();
    assert_eq!(errno(Array::create(&small, &people(), 1000)), libc::ERANGE);
    assert_eq!(errno(Array::open_or_create(&small, &people(), 1000)), libc::ERANGE);
    assert_eq!(errno(Directory::create(&small, 1 << 14)), libc::ERANGE);
    Array::create(&small, &people(), 10).unwrap();

    let page = directory.place_on_page("page", unipc::page_size()).unwrap();
    assert_eq!(errno(Queue::create(&page, 1 << 14)), libc::ERANGE);
    let nested = directory.place("nested", 1 << 14).unwrap();
    let nested = Directory::options().entries(8).create_directory(&nested, 1 << 14).unwrap();
    let inner = nested.place("inner", 64).unwrap();
    assert_eq!(errno(Mutex::create(&inner)), libc::ERANGE);
}

#[test]
fn a_place_that_was_not_filled_is_filled_by_the_next() {
    let shm = SharedMemory::create("anon:", 1 << 16).unwrap();
    let directory = Directory::create((&shm, 0), 1 << 16).unwrap();
    // As if its placer had died before it created anything.
    directory.place("lock", RwLock::SIZE).unwrap();
    let (place, made) = directory.find_or_place("lock", RwLock::SIZE).unwrap();
    assert!(!made);
    RwLock::open_or_create(&place).unwrap();
    RwLock::open(directory.find("lock").unwrap()).unwrap();
}

#[test]
fn whoever_is_killed_leaves_a_whole_directory() {
    let shm = SharedMemory::create("anon:", 1 << 16).unwrap();
    let directory = Directory::create((&shm, 0), 1 << 16).unwrap();
    let turns = || {
        // SYNC: the entry's first word, as anybody may look at it.
        (0..64).map(|index| shm.load_u64(320 + index * 128).unwrap()).sum::<u64>()
    };
    for round in 0..40_usize {
        let child = Child::run(|| {
            for number in round.. {
                let name = format!("place{}", number % 5);
                match directory.place(&name, 64 * (1 + number % 9)) {
                    Err(error) if error.errno() == libc::EEXIST => directory.remove(&name).unwrap(),
                    other => drop(other.unwrap()),
                }
            }
        });
        let mut changes = 0;
        let mut last = turns();
        while changes < 4 {
            let now = turns();
            changes += u32::from(now != last);
            last = now;
        }
        child.kill();
        let places = directory.list().unwrap();
        assert!(places.len() <= 5);
        for pair in places.windows(2) {
            assert!(pair[0].offset() + pair[0].size() <= pair[1].offset(), "{places:?}");
        }
        let own = directory.place("own", 4096).unwrap();
        assert!(places.iter().all(|place| {
            own.offset() + own.size() <= place.offset()
                || place.offset() + place.size() <= own.offset()
        }));
        directory.remove("own").unwrap();
    }
}

#[derive(Debug, Clone)]
enum Step {
    Place(u8, usize),
    Remove(u8),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0..12_u8, 1..3000_usize).prop_map(|(name, size)| Step::Place(name, size)),
        (0..12_u8).prop_map(Step::Remove),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// Against a map of what should be there.
    #[test]
    fn places_never_overlap(steps in prop::collection::vec(step(), 1..60)) {
        let shm = SharedMemory::create("anon:", 1 << 14).unwrap();
        let directory =
            Directory::options().entries(10).create_directory((&shm, 0), 1 << 14).unwrap();
        let mut model = BTreeMap::new();
        for step in steps {
            match step {
                Step::Place(name, size) => match directory.place(&name.to_string(), size) {
                    Ok(entry) => {
                        prop_assert!(model.insert(name.to_string(), entry.size()).is_none());
                        prop_assert!(entry.size() >= size);
                        let mut bytes = vec![1; entry.size()];
                        shm.read_at(entry.offset(), &mut bytes).unwrap();
                        prop_assert!(bytes.iter().all(|&byte| byte == 0));
                        shm.fill(entry.offset(), entry.size(), name + 1).unwrap();
                    }
                    Err(error) if error.errno() == libc::EEXIST => {
                        prop_assert!(model.contains_key(&name.to_string()));
                    }
                    Err(error) => prop_assert_eq!(error.errno(), libc::ENOSPC),
                },
                Step::Remove(name) => {
                    let known = model.remove(&name.to_string()).is_some();
                    prop_assert_eq!(directory.remove(&name.to_string()).is_ok(), known);
                }
            }
            let places = directory.list().unwrap();
            prop_assert_eq!(places.len(), model.len());
            for place in places {
                prop_assert_eq!(model.get(place.name()), Some(&place.size()));
                let mut bytes = vec![0; place.size()];
                shm.read_at(place.offset(), &mut bytes).unwrap();
                let own: u8 = place.name().parse().unwrap();
                prop_assert!(bytes.iter().all(|&byte| byte == own + 1), "overwritten");
            }
        }
    }
}
