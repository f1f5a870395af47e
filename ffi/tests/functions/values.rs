// SPDX-License-Identifier: MIT OR Apache-2.0
//! Versions, words and numbers: what C sees is what Cargo.toml, the kernel and the core say.

use std::ffi::{CStr, CString, c_char, c_int};

use crate::ffi::base::{unipc_page_size, unipc_version, unipc_version_string};
use crate::ffi::error::{unipc_errname, unipc_strerror};
use crate::ffi::name::{unipc_ftok, unipc_name_canonical, unipc_name_check};
use crate::ffi::shm::unipc_advice::*;
use crate::ffi::shm::unipc_backing::*;
use crate::ffi::shm::unipc_seal::*;
use unipc_core::Advice;
use unipc_core::shm::{Backing, Seals};

fn text<'a>(string: *const c_char) -> &'a str {
    // SAFETY: the functions that are asked here return static strings.
    unsafe { CStr::from_ptr(string) }.to_str().unwrap()
}

#[test]
fn the_version_is_that_of_cargo_toml() {
    let version = text(unipc_version_string());
    assert_eq!(version, env!("CARGO_PKG_VERSION"));
    let parts = version.split('.').map(|part| part.parse::<u32>().unwrap());
    assert_eq!(unipc_version(), parts.fold(0, |number, part| number * 1000 + part));
    let header = include_str!("../../../include/unipc/base.h");
    assert!(header.contains(&format!("#define UNIPC_VERSION_STRING \"{version}\"\n")));
}

#[test]
fn the_page_size_is_the_systems() {
    // SAFETY: reads a constant of the system.
    let system = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    assert_eq!(unipc_page_size(), usize::try_from(system).unwrap());
}

#[test]
fn every_errno_has_symbol_and_words_of_either_sign() {
    for errno in 1..=133 {
        if [41, 58].contains(&errno) {
            // Linux left these two out.
            assert_eq!(text(unipc_errname(errno)), "unknown");
            continue;
        }
        let (symbol, words) = (text(unipc_errname(errno)), text(unipc_strerror(errno)));
        assert!(symbol.starts_with('E') && words.len() > 3, "{errno}: {symbol} {words}");
        assert_eq!(unipc_errname(-errno), unipc_errname(errno));
        assert_eq!(unipc_strerror(-errno), unipc_strerror(errno));
    }
    assert_eq!((text(unipc_errname(0)), text(unipc_strerror(0))), ("OK", "Success"));
    assert_eq!((text(unipc_errname(-17)), text(unipc_strerror(-17))), ("EEXIST", "File exists"));
    for none in [134, 4096, c_int::MAX, c_int::MIN] {
        assert_eq!(text(unipc_errname(none)), "unknown");
        assert!(text(unipc_strerror(none)).starts_with("Unknown error"));
    }
}

fn check(name: &CStr) -> c_int {
    // SAFETY: a string.
    unsafe { unipc_name_check(name.as_ptr()) }
}

/// The answer for a buffer of `cap` bytes, and what the buffer holds.
fn canonical(name: &CStr, cap: usize) -> (c_int, Vec<u8>) {
    let mut buffer = vec![b'#'; cap];
    // SAFETY: a string and room for `cap` bytes.
    let answer = unsafe { unipc_name_canonical(name.as_ptr(), buffer.as_mut_ptr().cast(), cap) };
    (answer, buffer)
}

#[test]
fn names_are_checked_and_spelled() {
    assert_eq!(check(c"sysv:/etc/passwd,1"), 0);
    assert_eq!(check(c"file:/\xff"), 0);
    for bad in [c"", c"demo", c"/a/b", c"sysv:0x0", c"anon:x"] {
        assert_eq!(check(bad), -libc::EINVAL, "{bad:?}");
        assert_eq!(canonical(bad, 4), (-libc::EINVAL, b"####".into()), "{bad:?}");
    }
    assert_eq!(canonical(c"posix:/demo", 7), (5, b"/demo\0#".into()));
    assert_eq!(canonical(c"posix:/demo", 6), (5, b"/demo\0".into()));
    assert_eq!(canonical(c"posix:/demo", 5), (5, b"/dem\0".into()));
    assert_eq!(canonical(c"posix:/demo", 1), (5, b"\0".into()));
    assert_eq!(canonical(c"file:/\xff", 8), (7, b"file:/\xff\0".into()));
}

#[test]
fn ftok_is_the_c_librarys() {
    let path = CString::new(env!("CARGO_MANIFEST_DIR")).unwrap();
    for project in [1, 255, 256, 257, -1] {
        let mut key = 0;
        // SAFETY: a string and a place for the key.
        let answer = unsafe { unipc_ftok(path.as_ptr(), project, &raw mut key) };
        // SAFETY: a string.
        assert_eq!((answer, key), (0, unsafe { libc::ftok(path.as_ptr(), project) }), "{project}");
    }
}

#[test]
fn the_constants_are_the_kernels_and_the_cores() {
    for (ours, theirs) in [
        (UNIPC_BACKING_SYSTEM_V, Backing::SystemV),
        (UNIPC_BACKING_POSIX, Backing::Posix),
        (UNIPC_BACKING_FILE, Backing::File),
        (UNIPC_BACKING_MEMFD, Backing::Memfd),
        (UNIPC_BACKING_ANONYMOUS, Backing::Anonymous),
    ] {
        assert_eq!(ours as c_int, theirs as c_int, "{theirs:?}");
    }
    for (ours, theirs) in [
        (UNIPC_SEAL_SEAL, Seals::SEAL),
        (UNIPC_SEAL_SHRINK, Seals::SHRINK),
        (UNIPC_SEAL_GROW, Seals::GROW),
        (UNIPC_SEAL_WRITE, Seals::WRITE),
        (UNIPC_SEAL_FUTURE_WRITE, Seals::FUTURE_WRITE),
        (UNIPC_SEAL_EXEC, Seals::EXEC),
    ] {
        assert_eq!(ours as c_int, theirs.bits(), "{theirs:?}");
    }
    assert_eq!(Seals::from_bits(UNIPC_SEAL_NONE as c_int), None, "it is no seal");
    for (ours, theirs) in [
        (UNIPC_ADVICE_NORMAL, Advice::Normal),
        (UNIPC_ADVICE_RANDOM, Advice::Random),
        (UNIPC_ADVICE_SEQUENTIAL, Advice::Sequential),
        (UNIPC_ADVICE_WILL_NEED, Advice::WillNeed),
        (UNIPC_ADVICE_DONT_NEED, Advice::DontNeed),
        (UNIPC_ADVICE_DONT_FORK, Advice::DontFork),
        (UNIPC_ADVICE_DO_FORK, Advice::DoFork),
        (UNIPC_ADVICE_HUGE_PAGE, Advice::HugePage),
        (UNIPC_ADVICE_NO_HUGE_PAGE, Advice::NoHugePage),
        (UNIPC_ADVICE_DONT_DUMP, Advice::DontDump),
        (UNIPC_ADVICE_DO_DUMP, Advice::DoDump),
        (UNIPC_ADVICE_COLD, Advice::Cold),
        (UNIPC_ADVICE_PAGE_OUT, Advice::PageOut),
        (UNIPC_ADVICE_POPULATE_READ, Advice::PopulateRead),
        (UNIPC_ADVICE_POPULATE_WRITE, Advice::PopulateWrite),
    ] {
        assert_eq!(Advice::from_raw(ours as c_int), Some(theirs));
    }
}
