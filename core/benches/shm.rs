// SPDX-License-Identifier: MIT OR Apache-2.0
//! Shared memory in Rust against the plain calls. The same rows exist in C and in Python.
#![allow(clippy::print_stdout, reason = "this is a program")]

mod harness;
mod machine;
mod plain;

use std::cell::RefCell;
use std::ffi::CString;
use std::process::id;

use harness::{Side, compare};
use machine::HUGE_PAGE;
use plain::Size;
use unipc::SharedMemory;

const KIB: usize = 1 << 10;
const MIB: usize = 1 << 20;
const LARGE: usize = 64 * MIB;

/// An object for the benchmark, removed when dropped.
fn object(name: &str, size: usize) -> SharedMemory {
    let options = SharedMemory::options().populate(true).remove_on_drop(true);
    options.create(name, size).expect("room for the benchmark")
}

fn posix_name(what: &str) -> (String, CString) {
    let name = format!("/unipc-bench-{what}-{}", id());
    let plain = CString::new(name.as_str()).expect("no NUL");
    (name, plain)
}

fn key() -> (String, i32) {
    let key = 0x3000_0000 | id();
    (format!("sysv:{key:#x}"), key.cast_signed())
}

fn attach(name: &str) {
    drop(SharedMemory::open(name).expect("it exists"));
}

fn attach_posix() {
    let (name, plain) = posix_name("attach");
    let _object = object(&name, MIB);
    compare(
        "attach + detach, POSIX object of 1 MiB (expected: at most 1.10 x)",
        vec![
            Side::new("unipc open, close", || attach(&name)),
            Side::new("shm_open mmap munmap close, size known", || {
                plain::attach_posix(&plain, Size::Known(MIB));
            }),
            Side::new("shm_open fstat mmap munmap close", || {
                plain::attach_posix(&plain, Size::Asked);
            }),
        ],
    );
}

fn attach_segment_by_id() {
    let segment = object("sysv:private", MIB);
    let id = segment.system_v().expect("a segment").id();
    let name = segment.name().to_string();
    compare(
        "attach + detach, System V segment of 1 MiB by identifier (expected: at most 1.10 x)",
        vec![
            Side::new("unipc open, close", || attach(&name)),
            Side::new("shmat shmdt, size known", || plain::attach_segment(id, false)),
            Side::new("shmctl(IPC_STAT) shmat shmdt", || plain::attach_segment(id, true)),
        ],
    );
}

fn attach_segment_by_key() {
    let (name, key) = key();
    let _segment = object(&name, MIB);
    compare(
        "attach + detach, System V segment of 1 MiB by key (expected: at most 1.10 x)",
        vec![
            Side::new("unipc open, close", || attach(&name)),
            Side::new("shmget shmat shmdt, size known", || {
                plain::attach_segment(plain::shmget(key, 0), false);
            }),
            Side::new("shmget shmctl(IPC_STAT) shmat shmdt", || {
                plain::attach_segment(plain::shmget(key, 0), true);
            }),
        ],
    );
    compare(
        "attach + detach, System V segment of 1 MiB by key, its size stated (expected: at most 1.10 x)",
        vec![
            Side::new("unipc open with a size, close", || {
                drop(SharedMemory::options().size(MIB).open(name.as_str()).expect("it is there"));
            }),
            Side::new("shmget with the size, shmat shmdt", || {
                plain::attach_segment(plain::shmget(key, MIB), false);
            }),
        ],
    );
}

fn attach_file() {
    let path = std::env::temp_dir().join(format!("unipc-bench-{}", id()));
    let plain = CString::new(path.as_os_str().as_encoded_bytes()).expect("no NUL");
    let name = format!("file:{}", path.display());
    let _object = object(&name, MIB);
    compare(
        "attach + detach, file of 1 MiB (expected: at most 1.10 x)",
        vec![
            Side::new("unipc open, close", || attach(&name)),
            Side::new("open mmap munmap close, size known", || {
                plain::attach_file(&plain, Size::Known(MIB));
            }),
            Side::new("open fstat mmap munmap close", || {
                plain::attach_file(&plain, Size::Asked);
            }),
        ],
    );
}

fn create() {
    let (name, plain) = posix_name("create");
    let create = |name: &str| {
        drop(SharedMemory::create(name, 4 * KIB).expect("a new object"));
        SharedMemory::unlink(name).expect("it is there");
    };
    compare(
        "create + remove, POSIX object of 4 KiB",
        vec![
            Side::new("unipc create, close, unlink", || create(&name)),
            Side::new("shm_open posix_fallocate mmap munmap close shm_unlink", || {
                plain::create_posix(&plain, 4 * KIB, true);
            }),
            Side::new("shm_open ftruncate mmap munmap close shm_unlink", || {
                plain::create_posix(&plain, 4 * KIB, false);
            }),
        ],
    );
    let (name, key) = key();
    compare(
        "create + remove, System V segment of 4 KiB",
        vec![
            Side::new("unipc create, close, unlink", || create(&name)),
            Side::new("shmget shmat shmdt shmctl(IPC_RMID)", || {
                plain::create_segment(key, 4 * KIB);
            }),
        ],
    );
}

/// Both sides copy from and to the same private bytes, since the speed depends on where those lie.
fn copy(what: &str, target: &str, expected: &str, shm: &SharedMemory, size: usize) {
    let base = shm.as_ptr();
    let bytes = RefCell::new(vec![7; size]);
    compare(
        &format!("copy {what} into a {target}{expected}"),
        vec![
            Side::new("unipc write_at", || shm.write_at(0, &bytes.borrow()).expect("inside")),
            Side::new("memcpy", || plain::copy_in(base, &bytes.borrow())),
        ],
    );
    compare(
        &format!("copy {what} out of a {target}{expected}"),
        vec![
            Side::new("unipc read_at", || {
                shm.read_at(0, &mut bytes.borrow_mut()).expect("inside");
            }),
            Side::new("memcpy", || plain::copy_out(base, &mut bytes.borrow_mut())),
        ],
    );
}

fn copy_large(what: &str, expected: &str, size: usize) {
    let (name, _) = posix_name("copy");
    copy(what, "POSIX object", expected, &object(&name, size), size);
}

fn populate() {
    let (name, plain) = posix_name("populate");
    let _object = object(&name, LARGE);
    let attach = |populate| {
        let options = SharedMemory::options().populate(populate);
        let shm = options.open(name.as_str()).expect("it exists");
        plain::touch(shm.as_ptr(), shm.len());
    };
    compare(
        "attach 64 MiB, touch each page, detach",
        vec![
            Side::new("unipc open with populate", || attach(true)),
            Side::new("unipc open without", || attach(false)),
            Side::new("mmap with MAP_POPULATE", || {
                plain::attach_and_touch(&plain, LARGE, libc::MAP_POPULATE);
            }),
            Side::new("mmap without", || plain::attach_and_touch(&plain, LARGE, 0)),
        ],
    );
}

fn huge_pages() {
    let wanted = LARGE / HUGE_PAGE;
    if machine::free_huge_pages() < wanted {
        println!(
            "\nhuge pages: too few are free. As root: `echo {wanted} > /proc/sys/vm/nr_hugepages`"
        );
        println!("  before the benchmark, and `echo 0 > /proc/sys/vm/nr_hugepages` after it.");
        return;
    }
    let ordinary = object("memfd:ordinary", LARGE);
    let options = SharedMemory::options().huge_pages(HUGE_PAGE).populate(true);
    let huge = options.create("memfd:huge", LARGE).expect("they are free");
    compare(
        "4096 reads of 8 bytes at random places of 64 MiB",
        vec![
            Side::new("memfd with huge pages", || wander(huge.as_ptr())),
            Side::new("memfd with ordinary pages", || wander(ordinary.as_ptr())),
        ],
    );
}

/// 4096 reads, each at a place that depends on the one before.
fn wander(base: *const u8) -> usize {
    let mut place = 0;
    for _ in 0..4096 {
        let value = plain::load(base, (place >> 32) % (LARGE - 8));
        place = place.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1 + value);
    }
    place
}

fn small(name: &str, target: &str) {
    let shm = object(name, 4 * KIB);
    let base = shm.as_ptr();
    compare(
        &format!("add to an integer in a {target}"),
        vec![
            Side::new("unipc add_u32", || shm.add_u32(0, 1).expect("inside")),
            Side::new("fetch_add", || plain::fetch_add(base)),
        ],
    );
    copy("8 bytes", target, "", &shm, 8);
    copy("64 bytes", target, "", &shm, 64);
}

fn main() {
    machine::print_head("Rust");
    attach_posix();
    attach_segment_by_id();
    attach_segment_by_key();
    attach_file();
    create();
    copy_large("4 KiB", "", 4 * KIB);
    copy_large("1 MiB", "", MIB);
    copy_large("64 MiB", " (expected: at most 1.05 x)", LARGE);
    populate();
    huge_pages();
    let (name, _) = posix_name("small");
    small(&name, "POSIX object");
    small("memfd:small", "memfd");
}
