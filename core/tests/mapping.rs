// SPDX-License-Identifier: MIT OR Apache-2.0
//! How memory is mapped: windows, slack, private copies, addresses, guard pages, population, locks.
#![allow(unsafe_code, reason = "raw pointers are what is tested")]

#[path = "support/child.rs"]
mod child;
mod support;

use std::fs;

use support::{Directory, Removed, key_name, posix_name, protection_at};
use unipc::{Advice, Mode, Placement, SharedMemory, page_size};

fn file_of(directory: &Directory, size: usize) -> String {
    let bytes: Vec<u8> = (0..size).map(|at| u8::try_from(at % 251).unwrap()).collect();
    fs::write(directory.path("data"), bytes).unwrap();
    directory.name("data")
}

#[test]
fn an_offset_need_not_lie_on_a_page_boundary() {
    let directory = Directory::new("offset");
    let name = file_of(&directory, 3 * page_size());
    for offset in [0, 1, 100, page_size() - 1, page_size(), page_size() + 7, 3 * page_size() - 1] {
        let shm = SharedMemory::options().offset(offset as u64).open(name.as_str()).unwrap();
        assert_eq!(shm.len(), 3 * page_size() - offset);
        let mut byte = [0];
        shm.read_at(0, &mut byte).unwrap();
        assert_eq!(usize::from(byte[0]), offset % 251);
        shm.read_at(shm.len() - 1, &mut byte).unwrap();
        assert_eq!(usize::from(byte[0]), (3 * page_size() - 1) % 251);
    }
    let beyond = SharedMemory::options().offset(3 * page_size() as u64).open(name.as_str());
    assert_eq!(beyond.unwrap_err().errno(), libc::EINVAL);
}

#[test]
fn of_an_object_that_is_larger_than_asked_no_more_is_mapped_than_of_a_new_one() {
    for name in [posix_name("larger"), key_name()] {
        let removed = Removed(name);
        let name = removed.0.as_str();
        let options = SharedMemory::options().offset(10);
        assert_eq!(options.open_or_create(name, 100).unwrap().len(), 90);
        assert_eq!(options.open_or_create(name, 100).unwrap().len(), 90);
        SharedMemory::unlink(name).unwrap();
        SharedMemory::create(name, 200).unwrap();
        assert_eq!(options.open_or_create(name, 100).unwrap().len(), 90);
        assert_eq!(options.clone().size(100).open(name).unwrap().len(), 100);
        let behind = SharedMemory::options().offset(100).open_or_create(name, 100).unwrap_err();
        assert_eq!(behind.errno(), libc::EINVAL);
    }
}

#[test]
fn the_length_is_what_was_asked_cut_at_the_end_of_the_file() {
    let directory = Directory::new("length");
    let name = file_of(&directory, 5000);
    let open = |size: usize| SharedMemory::options().size(size).open(name.as_str()).unwrap();
    assert_eq!(open(10).len(), 10);
    assert_eq!(open(5000).len(), 5000);
    assert_eq!(open(1 << 20).len(), 5000);
    assert_eq!(open(10).read_at(5, &mut [0; 6]).unwrap_err().errno(), libc::ERANGE);
    assert_eq!(open(10).read_at(usize::MAX, &mut [0; 2]).unwrap_err().errno(), libc::ERANGE);
}

#[test]
fn slack_reaches_to_the_end_of_the_page_and_never_into_the_file() {
    let directory = Directory::new("slack");
    let name = file_of(&directory, 40);
    let slack = || SharedMemory::options().size(80).slack(true).open(name.as_str()).unwrap();
    let (writer, reader) = (slack(), slack());
    assert_eq!(writer.len(), 80);
    writer.write_at(72, b"tail").unwrap();
    assert_eq!(reader.compare(72, b"tail").unwrap(), std::cmp::Ordering::Equal);
    assert_eq!(fs::metadata(directory.path("data")).unwrap().len(), 40);
    assert_eq!(SharedMemory::options().size(80).open(name.as_str()).unwrap().len(), 40);
    let whole = SharedMemory::options().slack(true).open(name.as_str()).unwrap();
    assert_eq!(whole.len(), page_size());
    for name in ["anon:", "memfd:slack", directory.name("new").as_str()] {
        let created = SharedMemory::options().slack(true).create(name, 40).unwrap();
        assert_eq!(created.len(), page_size(), "{name}");
    }
    assert_eq!(fs::metadata(directory.path("new")).unwrap().len(), 40);
}

#[test]
fn a_private_mapping_keeps_its_changes_to_itself() {
    let directory = Directory::new("private");
    let name = file_of(&directory, 100);
    fs::set_permissions(
        directory.path("data"),
        std::os::unix::fs::PermissionsExt::from_mode(0o400),
    )
    .unwrap();
    let private = SharedMemory::options().private(true).open(name.as_str()).unwrap();
    private.write_at(0, b"mine").unwrap();
    assert_eq!(private.compare(0, b"mine").unwrap(), std::cmp::Ordering::Equal);
    assert_ne!(&fs::read(directory.path("data")).unwrap()[..4], b"mine");
    for name in ["anon:", "sysv:private"] {
        let refused = SharedMemory::options().private(true).create(name, 100);
        assert_eq!(refused.unwrap_err().errno(), libc::EOPNOTSUPP);
    }
}

#[test]
fn guard_pages_surround_the_mapping() {
    // Alone, so that no other test maps something where a guard page was.
    child::succeeds_alone("guard_pages_surround_the_mapping", check_guard_pages);
}

fn check_guard_pages() {
    let name = Removed(posix_name("guards"));
    let key = Removed(key_name());
    for object in [name.0.as_str(), key.0.as_str(), "memfd:guards", "anon:"] {
        let shm = SharedMemory::options()
            .guard_pages(true)
            .create(object, 100)
            .unwrap_or_else(|error| panic!("{error}"));
        shm.write_at(0, b"inside").unwrap();
        let start = shm.as_ptr().addr();
        for outside in [start - 1, start + page_size()] {
            assert_eq!(protection_at(outside).as_deref(), Some("---p"), "{object}");
        }
        drop(shm);
        assert_eq!(protection_at(start - 1), None, "{object}: the guard pages go with the mapping");
    }
}

/// The protection of the mapping that holds an address, as /proc/self/maps prints it; `None` where nothing is mapped.
#[test]
fn protection_follows_the_options() {
    for name in [Removed(posix_name("protection")), Removed(key_name())] {
        let protection = |options: unipc::shm::Options| {
            let shm = options.open(name.0.as_str()).unwrap();
            protection_at(shm.as_ptr().addr()).unwrap()
        };
        // System V asks for the right to execute where it is to be executable.
        let mode = Mode::new(0o700).unwrap();
        SharedMemory::options().mode(mode).create(name.0.as_str(), 10).unwrap();
        assert_eq!(protection(SharedMemory::options()), "rw-s");
        assert_eq!(protection(SharedMemory::options().read_only(true)), "r--s");
        assert_eq!(protection(SharedMemory::options().executable(true)), "rwxs");
        if name.0.starts_with('/') {
            assert_eq!(protection(SharedMemory::options().private(true)), "rw-p");
        }
    }
}

/// An address where neither the program nor the kernel puts anything by itself.
const FAR_AWAY: usize = 0x2000_0000_0000;

#[test]
fn a_mapping_goes_where_it_is_placed_and_never_over_another() {
    let free = FAR_AWAY;
    // SAFETY: nothing is there, and the kernel refuses an occupied range.
    let here = unsafe { Placement::at(free) };
    let shm = SharedMemory::options().place(here).create("memfd:here", 10).unwrap();
    assert_eq!(shm.as_ptr().addr(), free);

    let occupied = SharedMemory::options().place(here).create("memfd:over", 10);
    assert_eq!(occupied.unwrap_err().errno(), libc::EEXIST);

    // SAFETY: without permission to replace, nothing can be overwritten.
    let crooked = unsafe { Placement::at(free + 8 * page_size() + 5) };
    let refused = SharedMemory::options().place(crooked).create("memfd:crooked", 10);
    assert_eq!(refused.unwrap_err().errno(), libc::EINVAL);
    let rounded = SharedMemory::options().place(crooked.rounding()).create("anon:", 10).unwrap();
    assert_eq!(rounded.as_ptr().addr(), free + 8 * page_size());
}

#[test]
fn system_v_places_rounds_and_remaps() {
    let free = FAR_AWAY + (1 << 30);
    let key = Removed(key_name());
    // SAFETY: nothing is there; shmat refuses an occupied one.
    let crooked = unsafe { Placement::at(free + 100) };
    let exact = SharedMemory::options().place(crooked).create(key.0.as_str(), 10);
    assert_eq!(exact.unwrap_err().errno(), libc::EINVAL, "SHM_RND is needed for that");
    let shm = SharedMemory::options().place(crooked.rounding()).create(key.0.as_str(), 10).unwrap();
    assert_eq!(shm.as_ptr().addr(), free);

    shm.write_at(0, b"seen twice").unwrap();
    let mine = SharedMemory::create("anon:", 10).unwrap();
    // SAFETY: the address is that of `mine`.
    let over = unsafe { Placement::at(mine.as_ptr().addr()) };
    // SAFETY: what is replaced is `mine`, which is not used again.
    let over = unsafe { over.replacing() };
    let again = SharedMemory::options().place(over).open(key.0.as_str()).unwrap();
    assert_eq!(again.as_ptr(), mine.as_ptr());
    assert_eq!(again.compare(0, b"seen twice").unwrap(), std::cmp::Ordering::Equal);
    // Its pages are the segment's now; unmapping them twice would take somebody else's.
    std::mem::forget(mine);
}

#[test]
fn populate_faults_the_pages_in_at_once() {
    child::succeeds_alone("populate_faults_the_pages_in_at_once", check_population);
}

fn check_population() {
    let pages = 64;
    let size = pages * page_size();
    for name in ["anon:", "memfd:populate", "sysv:private"] {
        let faults = |populate: bool| {
            let shm = SharedMemory::options()
                .populate(populate)
                .remove_on_drop(name == "sysv:private")
                .create(name, size)
                .unwrap();
            let before = minor_faults();
            for page in 0..pages {
                let byte = shm.ptr_at(page * page_size(), 1).unwrap();
                // SAFETY: inside the mapping.
                unsafe { byte.write_volatile(1) };
            }
            minor_faults() - before
        };
        let (with, without) = (faults(true), faults(false));
        assert!(with < 8 && with + 4 < without, "{name}: {with} faults with, {without} without");
    }
}

fn minor_faults() -> i64 {
    // SAFETY: all zeros is an rusage.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: the struct is of the right type. RUSAGE_THREAD keeps other tests out of the count.
    assert_eq!(unsafe { libc::getrusage(libc::RUSAGE_THREAD, &raw mut usage) }, 0);
    usage.ru_minflt
}

#[test]
fn a_lock_in_memory_shows_in_the_process_status() {
    let test = "a_lock_in_memory_shows_in_the_process_status";
    if !child::can_lock_memory() {
        return child::skip(test, "mlock is ignored here, as by sanitizers");
    }
    child::succeeds_alone(test, check_lock);
}

fn check_lock() {
    let shm = SharedMemory::create("memfd:lock", 16 * page_size()).unwrap();
    let before = locked_kib();
    shm.lock().unwrap();
    assert!(locked_kib() >= before + 16 * page_size() as u64 / 1024);
    shm.unlock().unwrap();
    let from_the_start = SharedMemory::options().locked(true).create("anon:", 4096).unwrap();
    from_the_start.unlock().unwrap();
}

#[test]
fn pages_that_come_back_are_locked_again() {
    let test = "pages_that_come_back_are_locked_again";
    if !child::can_lock_memory() {
        return child::skip(test, "mlock is ignored here, as by sanitizers");
    }
    child::succeeds_alone(test, || {
        let directory = Directory::new("locked");
        let name = file_of(&directory, 4 * page_size());
        let shm = SharedMemory::options().locked(true).open(name.as_str()).unwrap();
        let before = locked_kib();
        let file = fs::File::options().write(true).open(directory.path("data")).unwrap();
        file.set_len(1).unwrap();
        assert_eq!(shm.load_u32(2 * page_size()).unwrap_err().errno(), libc::EFAULT);
        assert_eq!(locked_kib(), before);
    });
}

fn locked_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmLck:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
fn flush_and_advise_take_any_range_inside() {
    let directory = Directory::new("flush");
    let shm = SharedMemory::create(directory.name("data").as_str(), 3 * page_size()).unwrap();
    shm.fill(0, shm.len(), 7).unwrap();
    for (offset, length) in [(0, shm.len()), (1, 1), (page_size() - 1, 2), (shm.len(), 0)] {
        shm.flush(offset, length).unwrap();
        shm.flush_async(offset, length).unwrap();
        shm.flush_invalidate(offset, length, false).unwrap();
        shm.advise(offset, length, Advice::Sequential).unwrap();
    }
    assert_eq!(shm.flush(1, shm.len()).unwrap_err().errno(), libc::ERANGE);
    assert_eq!(shm.advise(shm.len(), 1, Advice::Normal).unwrap_err().errno(), libc::ERANGE);
    // Advice never costs bytes: not even DontNeed on shared memory.
    shm.advise(0, shm.len(), Advice::DontNeed).unwrap();
    assert_eq!(shm.compare(0, &vec![7; shm.len()]).unwrap(), std::cmp::Ordering::Equal);
}

#[test]
fn what_was_flushed_is_on_the_disk() {
    use std::io::Read;
    use std::os::unix::fs::OpenOptionsExt;

    let directory = Directory::new("disk");
    let shm = SharedMemory::create(directory.name("data").as_str(), page_size()).unwrap();
    shm.write_at(0, b"durable").unwrap();
    shm.flush(0, shm.len()).unwrap();
    // Reading past the page cache; a file system in memory may not have that.
    let direct =
        fs::File::options().read(true).custom_flags(libc::O_DIRECT).open(directory.path("data"));
    let Ok(mut file) = direct else {
        return child::skip("what_was_flushed_is_on_the_disk", "no O_DIRECT");
    };
    let block = SharedMemory::create("anon:", page_size()).unwrap();
    // SAFETY: a page of our own that nobody else has, aligned as O_DIRECT wants it.
    let page = unsafe { std::slice::from_raw_parts_mut(block.as_ptr(), page_size()) };
    file.read_exact(page).unwrap();
    assert_eq!(&page[..7], b"durable");
}

#[test]
fn an_empty_object_is_told_as_empty_however_it_is_opened() {
    let directory = Directory::new("empty");
    let name = file_of(&directory, 0);
    assert_eq!(SharedMemory::open(name.as_str()).unwrap_err().errno(), libc::ENODATA);
    let either = SharedMemory::open_or_create(name.as_str(), 10);
    assert_eq!(either.unwrap_err().errno(), libc::ENODATA);
}

#[test]
fn an_access_that_never_began_does_not_end() {
    let directory = Directory::new("unbegun");
    let shm = SharedMemory::create(directory.name("data").as_str(), 10).unwrap();
    assert_eq!(shm.end_access().unwrap_err().errno(), libc::EINVAL);
    shm.begin_access().end().unwrap();
    assert_eq!(shm.end_access().unwrap_err().errno(), libc::EINVAL);
}

#[test]
fn every_advice_has_its_number() {
    for raw in 0..=30 {
        if let Some(advice) = Advice::from_raw(raw) {
            assert_eq!(advice as i32, raw);
        }
    }
    assert_eq!(Advice::from_raw(libc::MADV_DONTNEED), Some(Advice::DontNeed));
    assert_eq!(Advice::from_raw(libc::MADV_REMOVE), None, "would punch a hole for everybody");
}

#[test]
fn huge_pages_are_used_where_there_are_some_and_refused_where_not() {
    const HUGE: usize = 2 << 20;
    let free = fs::read_to_string("/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages")
        .map_or(0, |text| text.trim().parse::<u64>().unwrap());
    for name in ["memfd:huge", "anon:", "sysv:private"] {
        let options =
            SharedMemory::options().huge_pages(HUGE).remove_on_drop(name.starts_with("sysv"));
        match options.create(name, HUGE) {
            Ok(mut shm) => {
                assert!(free > 0, "{name}");
                shm.fill(0, HUGE, 1).unwrap();
                assert_eq!(shm.mapped_len(), HUGE);
                if name.starts_with("memfd") && free > 1 {
                    shm.resize(2 * HUGE).unwrap();
                    shm.fill(HUGE, HUGE, 2).unwrap();
                    assert!(shm.compare(HUGE - 1, &[1, 2]).unwrap().is_eq());
                }
            }
            Err(error) => {
                // An ordinary user may not have them as System V even where there are some.
                let forbidden = name.starts_with("sysv:") && !child::is_root();
                assert!(
                    free == 0 || (forbidden && error.errno() == libc::EPERM),
                    "{name}: {error}"
                );
                assert!(error.to_string().contains("huge pages"), "{error}");
            }
        }
        let uneven = options.create(name, HUGE + 1).unwrap_err();
        assert_eq!(uneven.errno(), libc::EINVAL);
        assert!(SharedMemory::options().huge_pages(4096).create(name, 4096).is_err());
        // Nor are others taken where there are none of this size.
        let none = SharedMemory::options().huge_pages(8192).create(name, 8192).unwrap_err();
        assert!([libc::EINVAL, libc::ENODEV].contains(&none.errno()), "{none}");
    }
    let posix = SharedMemory::options().huge_pages(HUGE).create("/unipc-huge", HUGE);
    assert_eq!(posix.unwrap_err().errno(), libc::EOPNOTSUPP);
}

#[test]
fn options_that_contradict_themselves_are_refused() {
    let errno = |result: unipc::Result<SharedMemory>| result.unwrap_err().errno();
    assert_eq!(errno(SharedMemory::create("/unipc-zero", 0)), libc::EINVAL);
    let read_only = SharedMemory::options().read_only(true).create("/unipc-ro", 10);
    assert_eq!(errno(read_only), libc::EINVAL);
    let replace = SharedMemory::options().replace(true).open("/unipc-replace");
    assert_eq!(errno(replace), libc::EINVAL);
    let sealed = SharedMemory::options().seals(unipc::shm::Seals::GROW).create("anon:", 10);
    assert_eq!(errno(sealed), libc::EOPNOTSUPP);
    let unwritable = SharedMemory::options().seals(unipc::shm::Seals::WRITE).create("memfd:", 10);
    assert_eq!(errno(unwritable), libc::EINVAL, "the new mapping is writable");
    let memfd = SharedMemory::create("memfd:received", 10).unwrap();
    for options in [
        SharedMemory::options().replace(true),
        SharedMemory::options().remove_on_drop(true),
        SharedMemory::options().seals(unipc::shm::Seals::GROW),
    ] {
        let received = memfd.fd().unwrap().try_clone_to_owned().unwrap();
        assert_eq!(errno(options.from_fd(received)), libc::EINVAL);
    }
    let offset = SharedMemory::options().offset(10).create("anon:", 20);
    assert_eq!(errno(offset), libc::EINVAL);
    let behind = SharedMemory::options().offset(4096).create("memfd:", 10);
    assert_eq!(errno(behind), libc::EINVAL);
    assert_eq!(Mode::new(0o4755).unwrap_err().errno(), libc::EINVAL);
    for enormous in [usize::MAX, isize::MAX as usize, usize::MAX - 4095] {
        for name in ["anon:", "memfd:", "sysv:private", "/unipc-enormous"] {
            assert!(SharedMemory::create(name, enormous).is_err(), "{name} {enormous}");
            let slack = SharedMemory::options().slack(true).offset(enormous as u64);
            assert!(slack.create(name, enormous).is_err(), "{name} {enormous}");
            assert!(slack.size(enormous).open("file:/etc/passwd").is_err());
        }
    }
}
