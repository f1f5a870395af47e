// SPDX-License-Identifier: MIT OR Apache-2.0
//! What holds for every function: panics, errors, options, flags, outputs.

use std::ffi::{CStr, CString, c_int, c_uint, c_void};
use std::ptr::{null, null_mut};

use crate::ffi::boundary::guard;
use crate::ffi::error::unipc_last_error;
use crate::ffi::shm::*;

fn last_error() -> String {
    // SAFETY: the string lives until this thread's next failure, and is copied before.
    unsafe { CStr::from_ptr(unipc_last_error()) }.to_str().unwrap().to_owned()
}

fn errno() -> c_int {
    std::io::Error::last_os_error().raw_os_error().unwrap()
}

fn set_errno(errno: c_int) {
    // SAFETY: this thread's errno may always be written.
    unsafe { *libc::__errno_location() = errno };
}

/// Creates four bytes of anonymous memory.
fn create(flags: c_uint, opts: *const unipc_shm_opts) -> Result<*mut unipc_shm, c_int> {
    let mut shm = std::ptr::dangling_mut();
    // SAFETY: all pointers are valid.
    match unsafe { unipc_shm_create(&raw mut shm, c"anon:".as_ptr(), 4, flags, opts) } {
        0 => Ok(shm),
        error => {
            assert!(shm.is_null(), "a constructor that fails leaves NULL");
            Err(error)
        }
    }
}

fn close(shm: *mut unipc_shm) {
    // SAFETY: the handle is open and used no more.
    unsafe { unipc_shm_close(shm) };
}

#[test]
fn a_panic_becomes_eio_with_words_and_the_process_goes_on() {
    assert_eq!(guard::<c_int>("probe", || panic!("cause {}", 7)), -libc::EIO);
    assert_eq!(errno(), libc::EIO);
    let words = last_error();
    assert!(words.starts_with("probe(libunipc): internal error: cause 7 (EIO); "), "{words}");

    assert_eq!(guard::<isize>("probe", || panic!("fixed")), -5);
    assert!(last_error().contains("fixed"));
    assert_eq!(guard::<usize>("probe", || std::panic::panic_any(7)), 0);
    assert!(last_error().contains("a panic without words"));
    assert!(guard::<*mut c_void>("probe", || panic!("NUL \0 inside")).is_null());
    assert!(last_error().contains("NUL  inside"));

    close(create(0, null()).unwrap());
}

#[test]
fn a_failure_sets_errno_and_words_and_a_success_leaves_them() {
    let mut shm = null_mut();
    let name = CString::new(format!("/ffi-boundary-{}", std::process::id())).unwrap();
    set_errno(0);
    // SAFETY: all pointers are valid.
    let answer = unsafe { unipc_shm_open(&raw mut shm, name.as_ptr(), 0, null()) };
    assert_eq!((answer, errno()), (-libc::ENOENT, libc::ENOENT));
    let words = last_error();
    assert!(words.starts_with(&format!("open({}): ", name.to_str().unwrap())), "{words}");
    close(create(0, null()).unwrap());
    assert_eq!(last_error(), words);
}

#[test]
fn each_thread_has_its_own_words() {
    create(1 << 31, null()).unwrap_err();
    assert!(!last_error().is_empty());
    assert_eq!(std::thread::spawn(last_error).join().unwrap(), "");
}

/// The options as a program has them that was compiled for the first version of the struct.
#[repr(C)]
struct Oldest {
    sz: usize,
    size: usize,
}

/// The options as a program has them that was compiled for a version to come.
#[repr(C)]
struct Youngest {
    known: unipc_shm_opts,
    unknown: [u64; 2],
}

fn opts(sz: usize) -> unipc_shm_opts {
    unipc_shm_opts {
        sz,
        size: 0,
        offset: 0,
        mode: 0,
        seals: 0,
        required_seals: 0,
        reserved: 0,
        huge_page_size: 0,
        address: null_mut(),
    }
}

const SIZE: usize = size_of::<unipc_shm_opts>();

#[test]
fn options_of_other_versions_are_understood_or_refused() {
    // Boxed, so that valgrind and AddressSanitizer see a read beyond what the caller has.
    let oldest = Box::new(Oldest { sz: size_of::<Oldest>(), size: 4 });
    close(create(0, (&raw const *oldest).cast()).unwrap());
    close(create(0, &raw const *Box::new(opts(SIZE))).unwrap());

    let sz = size_of::<Youngest>();
    let mut youngest = Box::new(Youngest { known: opts(sz), unknown: [0, 0] });
    close(create(0, (&raw const *youngest).cast()).unwrap());
    youngest.unknown[1] = 1 << 63;
    assert_eq!(create(0, (&raw const *youngest).cast()), Err(-libc::E2BIG));
}

#[test]
fn a_size_of_options_that_was_never_set_is_refused() {
    for sz in [0, size_of::<usize>() - 1] {
        assert_eq!(create(0, &raw const *Box::new(opts(sz))), Err(-libc::EINVAL), "{sz}");
    }
    // The pages behind the struct are not looked at.
    for sz in [4097, usize::MAX] {
        assert_eq!(create(0, &raw const *Box::new(opts(sz))), Err(-libc::E2BIG), "{sz}");
    }
}

#[test]
fn options_that_contradict_themselves_are_refused() {
    let refused = |change: fn(&mut unipc_shm_opts)| {
        let mut opts = opts(SIZE);
        change(&mut opts);
        assert_eq!(create(0, &raw const opts), Err(-libc::EINVAL), "{opts:?}");
    };
    refused(|opts| opts.reserved = 1);
    refused(|opts| opts.size = 5);
    refused(|opts| opts.mode = 0o1000);
    refused(|opts| opts.mode = unipc_mode::UNIPC_MODE_NONE as u32 | 0o600);
    refused(|opts| opts.seals = 1 << 29);
    refused(|opts| opts.seals = unipc_seal::UNIPC_SEAL_NONE as u32 | 1);
    refused(|opts| opts.required_seals = 1 << 29);
}

#[test]
fn an_address_flag_needs_an_address() {
    for flag in [
        unipc_shm_flag::UNIPC_SHM_ADDRESS_ROUND as c_uint,
        unipc_shm_flag::UNIPC_SHM_ADDRESS_REPLACE as c_uint,
    ] {
        assert_eq!(create(flag, null()), Err(-libc::EINVAL));
        assert!(last_error().contains("opts.address"), "{}", last_error());
    }
}

#[test]
fn the_address_of_the_options_is_where_the_memory_is() {
    let page = unipc_core::page_size();
    let free = create(0, null()).unwrap();
    // SAFETY: the handle is open.
    let address = unsafe { unipc_shm_data(free) };
    let rounded = unipc_shm_opts { address: address.map_addr(|at| at + page / 2), ..opts(SIZE) };
    let here = unipc_shm_flag::UNIPC_SHM_ADDRESS_ROUND as c_uint;
    assert_eq!(create(here, &raw const rounded), Err(-libc::EEXIST));

    let over = here | unipc_shm_flag::UNIPC_SHM_ADDRESS_REPLACE as c_uint;
    let placed = create(over, &raw const rounded).unwrap();
    // SAFETY: the handle is open.
    assert_eq!(unsafe { unipc_shm_data(placed) }, address);
    close(placed);
    // The first handle has lost its page and is left alone: another thread may own the range by now.
}

#[test]
fn unknown_flags_are_refused_by_all_who_take_flags() {
    let shm = create(0, null()).unwrap();
    let name = c"anon:".as_ptr();
    for bit in 14..32 {
        let flags = 1 << bit;
        let mut out = null_mut();
        let out = &raw mut out;
        // SAFETY: the pointers are valid and the handle is open.
        let answers = unsafe {
            [
                unipc_shm_create(out, name, 4, flags, null()),
                unipc_shm_open(out, name, flags, null()),
                unipc_shm_open_or_create(out, name, 4, flags, null()),
                unipc_shm_from_fd(out, 0, flags, null()),
                unipc_shm_remove(shm, flags),
                unipc_shm_flush(shm, 0, 0, flags),
                unipc_shm_add_seals(shm, flags),
                unipc_shm_advise(shm, 0, 0, 1 << bit),
            ]
        };
        assert_eq!(answers, [-libc::EINVAL; 8], "bit {bit}");
    }
    close(shm);
}

#[test]
fn a_descriptor_that_is_not_open_is_ebadf() {
    for fd in [-1, -100, c_int::MAX] {
        let mut shm = null_mut();
        // SAFETY: the pointers are valid.
        let answer = unsafe { unipc_shm_from_fd(&raw mut shm, fd, 0, null()) };
        assert_eq!(answer, -libc::EBADF, "{fd}");
    }
}

#[test]
fn outputs_are_written_only_on_success() {
    let shm = create(0, null()).unwrap();
    let (mut word, mut order, mut key) = (7, 7, 7);
    let mut status = unipc_shm_sysv_status { id: 7, ..Default::default() };
    // SAFETY: the pointers are valid and the handle is open.
    let answers = unsafe {
        [
            unipc_shm_load_u32(shm, 4, &raw mut word),
            unipc_shm_add_u32(shm, 4, 1, &raw mut word),
            unipc_shm_compare_exchange_u32(shm, 4, 1, 2, &raw mut word),
            unipc_shm_compare(shm, 1, c"four".as_ptr().cast(), 4, &raw mut order),
            crate::ffi::name::unipc_ftok(c"/nowhere/at/all".as_ptr(), 1, &raw mut key),
            unipc_shm_sysv_stat(-1, &raw mut status),
        ]
    };
    assert!(answers.iter().all(|&answer| answer < 0), "{answers:?}");
    assert_eq!((word, order, key, status.id), (7, 7, 7, 7));
    close(shm);
}

#[test]
fn a_length_that_no_object_has_is_out_of_range() {
    let shm = create(0, null()).unwrap();
    let mut buffer = [0_u8; 4];
    let buffer = (&raw mut buffer).cast();
    // SAFETY: the handle is open, and no byte beyond the buffer's four is touched.
    let answers = unsafe {
        [
            unipc_shm_read_at(shm, 0, buffer, usize::MAX),
            unipc_shm_write_at(shm, 0, buffer, usize::MAX),
            unipc_shm_read_at(shm, 4, buffer, usize::MAX / 2),
            unipc_shm_fill(shm, 1, usize::MAX, 0),
            unipc_shm_read_at(shm, usize::MAX, buffer, 4),
        ]
    };
    assert_eq!(answers, [-libc::ERANGE; 5]);
    close(shm);
}

#[test]
fn an_access_that_was_not_begun_does_not_end() {
    let mut file = null_mut();
    let path = format!("file:{}/not-begun", env!("CARGO_TARGET_TMPDIR"));
    let path = CString::new(path).unwrap();
    let replace = (unipc_shm_flag::UNIPC_SHM_REPLACE as c_uint)
        | unipc_shm_flag::UNIPC_SHM_REMOVE_ON_CLOSE as c_uint;
    // SAFETY: the pointers are valid and the handles open.
    let answers = unsafe {
        [
            unipc_shm_create(&raw mut file, path.as_ptr(), 4, replace, null()),
            unipc_shm_begin_access(file),
            unipc_shm_end_access(file),
            unipc_shm_end_access(file),
        ]
    };
    assert_eq!(answers, [0, 0, 0, -libc::EINVAL]);
    close(file);
}
