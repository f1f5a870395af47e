// SPDX-License-Identifier: MIT OR Apache-2.0
//! A peer that truncates the file without rest, beside every operation: each ends with a result, and nobody dies.
#![allow(unsafe_code, reason = "raw pointers are what the guard is for")]

#[path = "support/child.rs"]
mod child;
mod support;

use std::collections::BTreeMap;
use std::fs::File;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use child::succeeds_alone;
use support::{Directory, Removed, posix_name};
use unipc::shm::{Options, Seals};
use unipc::{Error, SharedMemory, page_size};

const PAGES: usize = 4;

/// How often each operation is tried on each kind of mapping, at least.
const ROUNDS: usize = 500;

/// How often each operation ended how: 0 for success.
type Tally = BTreeMap<(&'static str, i32), usize>;

/// Cuts the file to each of some sizes in turn, until told to stop.
fn truncate_on_and_on(file: &File, stop: &AtomicBool) {
    let page = page_size() as u64;
    let full = PAGES as u64 * page;
    // SYNC: a flag alone; it orders nothing.
    for size in [full, 0, full, page, 2 * page + 100, full, 1].into_iter().cycle() {
        if stop.load(Ordering::Relaxed) {
            return;
        }
        file.set_len(size).expect("the file can be truncated");
    }
}

/// Runs `victim` beside the truncating peer.
fn beside_a_peer(shm: &SharedMemory, victim: impl FnOnce()) {
    let file = File::from(shm.fd().expect("a file").try_clone_to_owned().expect("a descriptor"));
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| truncate_on_and_on(&file, &stop));
        let victim = std::panic::catch_unwind(std::panic::AssertUnwindSafe(victim));
        // SYNC: a flag alone; it orders nothing.
        stop.store(true, Ordering::Relaxed);
        victim.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    });
}

fn count<T>(tally: &mut Tally, what: &'static str, result: Result<T, Error>) {
    let errno = result.err().map_or(0, |error| error.errno());
    *tally.entry((what, errno)).or_default() += 1;
}

/// Every checked call that touches bytes, at random-looking places.
fn checked_calls(shm: &SharedMemory) -> Tally {
    let mut tally = Tally::new();
    let mut buffer = vec![0; 3000];
    for round in 0.. {
        if round >= ROUNDS && is_varied(&tally) {
            break;
        }
        let at = round * 1021 % (shm.len() - buffer.len());
        let aligned = at / 8 * 8;
        count(&mut tally, "read_at", shm.read_at(at, &mut buffer));
        count(&mut tally, "compare", shm.compare(at, &buffer));
        count(&mut tally, "read", shm.read::<u64>(at));
        count(&mut tally, "load_u32", shm.load_u32(aligned));
        count(&mut tally, "load_u64", shm.load_u64(aligned));
        if shm.is_read_only() {
            continue;
        }
        count(&mut tally, "write_at", shm.write_at(at, &buffer));
        count(&mut tally, "write", shm.write(at, &7_u64));
        count(&mut tally, "fill", shm.fill(at, buffer.len(), 1));
        count(&mut tally, "store_u32", shm.store_u32(aligned, 1));
        count(&mut tally, "add_u32", shm.add_u32(aligned, 1));
        count(&mut tally, "compare_exchange_u32", shm.compare_exchange_u32(aligned, 1, 2));
        count(&mut tally, "store_u64", shm.store_u64(aligned, 1));
        count(&mut tally, "add_u64", shm.add_u64(aligned, 1));
        count(&mut tally, "compare_exchange_u64", shm.compare_exchange_u64(aligned, 1, 2));
        // Waiting for a disk each time would be all that is tested.
        if round % 32 == 0 {
            count(&mut tally, "flush", shm.flush(0, shm.len()));
        }
    }
    tally
}

/// Has the peer been in the way, and not always? Until then nothing is proven.
fn is_varied(tally: &Tally) -> bool {
    let seen = |wanted: i32| tally.keys().any(|&(_, errno)| errno == wanted);
    seen(0) && seen(libc::EFAULT)
}

/// Nothing but success and these.
fn judge(tally: &Tally, allowed: &[i32]) {
    for (&(what, errno), &times) in tally {
        let fine = errno == 0 || allowed.contains(&errno);
        assert!(fine, "{what}: {} ({times} times)", unipc::errname(errno));
    }
}

/// The kinds of mapping of a file that others can truncate.
fn mappings(test: impl Fn(&SharedMemory)) {
    let size = PAGES * page_size();
    let (posix, directory) = (Removed(posix_name("truncate")), Directory::new("truncate"));
    let file = directory.name("object");
    test(&SharedMemory::create(posix.0.as_str(), size).unwrap());
    test(&SharedMemory::create(file.as_str(), size).unwrap());
    test(&SharedMemory::options().seals(Seals::NONE).create("memfd:truncate", size).unwrap());

    let whole = |options: Options| {
        File::options()
            .write(true)
            .open(directory.path("object"))
            .unwrap()
            .set_len(size as u64)
            .unwrap();
        options.open(file.as_str()).unwrap()
    };
    test(&whole(SharedMemory::options().guard_pages(true)));
    test(&whole(SharedMemory::options().slack(true)));
    test(&whole(SharedMemory::options().offset(1000)));
}

#[test]
fn no_checked_call_dies_of_a_truncated_file() {
    succeeds_alone("no_checked_call_dies_of_a_truncated_file", || {
        mappings(|shm| beside_a_peer(shm, || judge(&checked_calls(shm), &[libc::EFAULT])));
    });
}

#[test]
fn nor_does_a_reader() {
    succeeds_alone("nor_does_a_reader", || {
        let directory = Directory::new("reader");
        let name = directory.name("object");
        let writer = SharedMemory::create(name.as_str(), PAGES * page_size()).unwrap();
        let reader = SharedMemory::options().read_only(true).open(name.as_str()).unwrap();
        beside_a_peer(&writer, || judge(&checked_calls(&reader), &[libc::EFAULT]));
    });
}

#[test]
fn a_private_copy_remembers_what_it_lost() {
    succeeds_alone("a_private_copy_remembers_what_it_lost", || {
        let directory = Directory::new("private");
        let name = directory.name("object");
        let writer = SharedMemory::create(name.as_str(), PAGES * page_size()).unwrap();
        let mut copy = SharedMemory::options().private(true).open(name.as_str()).unwrap();
        beside_a_peer(&writer, || judge(&checked_calls(&copy), &[libc::EFAULT]));

        let file = File::from(writer.fd().unwrap().try_clone_to_owned().unwrap());
        file.set_len(0).unwrap();
        assert_eq!(copy.guarded(|| raw_loop(&copy, 1)).unwrap_err().errno(), libc::EFAULT);
        // Its lost pages are zeros that nobody can repair, so no access is trusted any more,
        file.set_len((PAGES * page_size()) as u64).unwrap();
        assert_eq!(copy.guarded(|| ()).unwrap_err().errno(), libc::EFAULT);
        // until it begins anew, with the file's bytes.
        writer.fill(0, writer.len(), 9).unwrap();
        copy.refresh().unwrap();
        assert_eq!(copy.compare(0, &vec![9; copy.len()]).unwrap(), std::cmp::Ordering::Equal);
    });
}

/// As numpy would: plain loops over the whole mapping, without a check.
fn raw_loop(shm: &SharedMemory, written: u8) -> u64 {
    let mut sum = 0;
    for at in (0..shm.len()).step_by(64) {
        let byte = shm.ptr_at(at, 1).expect("inside");
        // SAFETY: inside the mapping; others change it meanwhile, hence volatile.
        sum += u64::from(unsafe { byte.read_volatile() });
        // SAFETY: as above.
        unsafe { byte.write_volatile(written) };
    }
    sum
}

#[test]
fn guarded_loops_in_two_threads_end_with_a_result() {
    succeeds_alone("guarded_loops_in_two_threads_end_with_a_result", || {
        mappings(|shm| {
            let both = |work: &(dyn Fn(u8) + Sync)| {
                thread::scope(|scope| {
                    scope.spawn(|| work(1));
                    work(2);
                });
            };
            beside_a_peer(shm, || {
                both(&|written| {
                    for _ in 0..ROUNDS {
                        if let Err(error) = shm.guarded(|| raw_loop(shm, written)) {
                            assert_eq!(error.errno(), libc::EFAULT);
                        }
                    }
                });
            });
            // Once the file is whole and stays so, both get through, although their guards overlap.
            let file = File::from(shm.fd().unwrap().try_clone_to_owned().unwrap());
            file.set_len((PAGES * page_size()) as u64).unwrap();
            both(&|written| while shm.guarded(|| raw_loop(shm, written)).is_err() {});
        });
    });
}

#[test]
fn resizing_and_refreshing_follow_the_file_or_say_why_not() {
    succeeds_alone("resizing_and_refreshing_follow_the_file_or_say_why_not", || {
        let (posix, directory) = (Removed(posix_name("resize")), Directory::new("resize"));
        for name in [posix.0.as_str(), directory.name("object").as_str()] {
            let writer = SharedMemory::create(name, PAGES * page_size()).unwrap();
            let mut shm = SharedMemory::open(name).unwrap();
            beside_a_peer(&writer, || {
                let mut tally = Tally::new();
                for round in 0.. {
                    if round >= ROUNDS && is_varied(&tally) {
                        break;
                    }
                    count(&mut tally, "refresh", shm.refresh());
                    count(&mut tally, "resize", shm.resize((round % 7 + 1) * page_size()));
                    count(&mut tally, "fill", shm.fill(0, shm.len(), 1));
                    count(&mut tally, "load_u32", shm.load_u32(shm.len() / 2 / 4 * 4));
                    count(&mut tally, "open", SharedMemory::open(name));
                }
                // ENODATA and ERANGE: it was empty, or a byte long, at that moment.
                judge(&tally, &[libc::EFAULT, libc::ENODATA, libc::ERANGE]);
            });
        }
    });
}
