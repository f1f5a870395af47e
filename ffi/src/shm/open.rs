// SPDX-License-Identifier: MIT OR Apache-2.0
//! Getting a handle and giving it back.

use std::ffi::{c_char, c_int, c_uint};

use unipc_core::shm::{Options, Seals};
use unipc_core::{Result, SharedMemory};

use super::boundary::Caller;
use super::unipc_shm_flag as flag;
use super::{unipc_seal, unipc_shm, unipc_shm_opts};

/// All flags but the one for removing, which is the last.
const KNOWN: c_uint = flag::UNIPC_SHM_IF_UNUSED as c_uint - 1;

const NO_SEALS: u32 = unipc_seal::UNIPC_SEAL_NONE as u32;

/// Creates an object and maps it for reading and writing.
///
/// out:   where the handle goes; NULL on failure. Close it with unipc_shm_close().
/// name:  "/demo", "sysv:PATH,PROJ", "sysv:0x1234", "sysv:private", "file:PATH", "memfd:LABEL",
///        "anon:"; see unipc/name.h
/// size:  in bytes, more than 0; the object has exactly so many, all zero
/// flags: UNIPC_SHM_ flags, or 0
/// opts:  NULL for the defaults
///
/// The memory is taken at once, so that using it never runs out of it. The object appears under its
/// name only when it is complete. It stays when the handle is closed, until it is unlinked.
///
/// Example:
///
///     unipc_shm *shm;
///     if (unipc_shm_create(&shm, "/demo", 4096, 0, NULL) < 0) {
///         fprintf(stderr, "%s\n", unipc_last_error());
///         return 1;
///     }
///     strcpy(unipc_shm_data(shm), "hello");
///     unipc_shm_close(shm);
///
/// Returns 0.
/// Errors:
///   -EEXIST      the name is taken
///   -EINVAL      no name, size 0, unknown flags, contradicting options, a name that cannot be
///                created (sysv:id=42), a size beyond SHMMAX; out or name is NULL
///   -ENOSPC      no room in the file system; SHMMNI or SHMALL is reached
///   -ENOMEM      no memory, no free huge pages, or the lock limit is reached
///   -EACCES      the directory may not be written
///   -EOPNOTSUPP  this kind of object does not have what was asked for
///   -EFBIG       the file would be larger than RLIMIT_FSIZE
///   -E2BIG       opts uses fields that this version of the library does not know
///   and what open(2), shmget(2), memfd_create(2) and mmap(2) give besides
/// Since 0.1.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_shm_create(
    out: *mut *mut unipc_shm,
    name: *const c_char,
    size: usize,
    flags: c_uint,
    opts: *const unipc_shm_opts,
) -> c_int {
    // SAFETY: the header asks for a place for the handle, a string, and options that know their size.
    let caller = unsafe { Caller::trusted("create") };
    caller.construct(out, || {
        let options = options_for_size(&caller, flags, opts, size)?;
        options.create(caller.name(name)?, size).map(unipc_shm::new)
    })
}

/// Opens an object that exists and maps it, as large as it is.
///
/// out:   where the handle goes; NULL on failure. Close it with unipc_shm_close().
/// name:  as for unipc_shm_create(), and "sysv:id=42"
/// flags: UNIPC_SHM_ flags, or 0
/// opts:  NULL for the defaults
///
/// Example:
///
///     unipc_shm *shm;
///     if (unipc_shm_open(&shm, "/demo", UNIPC_SHM_READ_ONLY, &UNIPC_SHM_OPTS(.size = 64)) < 0) {
///         fprintf(stderr, "%s\n", unipc_last_error());
///         return 1;
///     }
///     printf("%.64s\n", (const char *)unipc_shm_data(shm));
///     unipc_shm_close(shm);
///
/// Returns 0.
/// Errors:
///   -ENOENT       there is none
///   -EACCES       its mode does not let this user in
///   -ENODATA      it is empty: its creator has not sized it yet
///   -EIDRM        the segment is marked for removal, and UNIPC_SHM_ALLOW_REMOVED is not set
///   -EPERM        it belongs to another user, and UNIPC_SHM_OWN_ONLY is set
///   -EMEDIUMTYPE  a directory, FIFO, socket or device lies under the name; a disk's in /dev/shm is mapped
///   -EOPNOTSUPP   memfd: and anon: have no name that could be opened
///   -EINVAL       no name, unknown flags, contradicting options, the offset lies behind the end,
///                 no segment has this identifier; out or name is NULL
///   -ENOMEM       no memory, or the lock limit is reached
///   -E2BIG        opts uses fields that this version of the library does not know
///   and what open(2), shmget(2), shmat(2) and mmap(2) give besides
/// Since 0.1.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_shm_open(
    out: *mut *mut unipc_shm,
    name: *const c_char,
    flags: c_uint,
    opts: *const unipc_shm_opts,
) -> c_int {
    // SAFETY: the header asks for a place for the handle, a string, and options that know their size.
    let caller = unsafe { Caller::trusted("open") };
    caller.construct(out, || {
        let name = caller.name(name)?;
        // Opening takes little more than its calls; options that say nothing would show in it.
        let opened = match (flags, opts.is_null()) {
            (0, true) => SharedMemory::open(name),
            _ => options(&caller, flags, opts)?.open(name),
        };
        opened.map(unipc_shm::new)
    })
}

/// Opens an object, or creates it when there is none. What exists is never emptied or changed.
///
/// out:   where the handle goes; NULL on failure. Close it with unipc_shm_close().
/// name:  as for unipc_shm_create()
/// size:  in bytes, more than 0; an object that exists must have at least so many, of which the first are mapped
/// flags: UNIPC_SHM_ flags, or 0
/// opts:  NULL for the defaults
///
/// Returns 0.
/// Errors: as unipc_shm_create() without -EEXIST, as unipc_shm_open() without -ENOENT, and
///   -EINVAL  the object exists and is smaller than size
///   -EBUSY   others create and remove it all the time
/// Since 0.1.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_shm_open_or_create(
    out: *mut *mut unipc_shm,
    name: *const c_char,
    size: usize,
    flags: c_uint,
    opts: *const unipc_shm_opts,
) -> c_int {
    // SAFETY: the header asks for a place for the handle, a string, and options that know their size.
    let caller = unsafe { Caller::trusted("open_or_create") };
    caller.construct(out, || {
        let options = options_for_size(&caller, flags, opts, size)?;
        options.open_or_create(caller.name(name)?, size).map(unipc_shm::new)
    })
}

/// Maps what a descriptor refers to: a memfd that was received or inherited, an open file.
///
/// out:   where the handle goes; NULL on failure. Close it with unipc_shm_close().
/// fd:    is duplicated; it stays yours, and may be closed afterwards
/// flags: UNIPC_SHM_ flags, or 0
/// opts:  NULL for the defaults; required_seals says what a memfd of a stranger must be sealed
///        against
///
/// Returns 0.
/// Errors:
///   -EBADF        fd is not open
///   -EACCES       it was not opened for reading, or for writing without UNIPC_SHM_READ_ONLY
///   -EPERM        a required seal is missing; it is somebody else's, and UNIPC_SHM_OWN_ONLY is set
///   -EMEDIUMTYPE  it is not a regular file
///   -ENODATA      it is empty
///   -EINVAL       unknown flags, contradicting options, the offset lies behind the end; out is NULL
///   -EMFILE       too many descriptors are open
///   -ENOMEM       no memory, or the lock limit is reached
///   -E2BIG        opts uses fields that this version of the library does not know
/// Since 0.1.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_shm_from_fd(
    out: *mut *mut unipc_shm,
    fd: c_int,
    flags: c_uint,
    opts: *const unipc_shm_opts,
) -> c_int {
    // SAFETY: the header asks for a place for the handle and for options that know their size.
    let caller = unsafe { Caller::trusted("from_fd") };
    caller.construct(out, || {
        let options = options(&caller, flags, opts)?;
        options.from_fd(caller.duplicate(fd)?).map(unipc_shm::new)
    })
}

/// Unmaps the memory and closes the handle. The object itself stays; see unipc_shm_unlink().
///
/// shm: a handle, gone afterwards with its address, descriptor and name; NULL is fine
///
/// A child of fork() that closes its copy does not affect its parent.
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_shm_close(shm: *mut unipc_shm) {
    // SAFETY: the header asks for a handle that is closed once.
    let caller = unsafe { Caller::trusted("close") };
    caller.destroy(shm);
}

fn options_for_size(
    caller: &Caller,
    flags: c_uint,
    opts: *const unipc_shm_opts,
    size: usize,
) -> Result<Options> {
    let given = caller.options(opts)?.size;
    if given != 0 && given != size {
        return Err(caller.invalid("opts.size", "creating takes the size from its argument"));
    }
    options(caller, flags, opts)
}

fn options(caller: &Caller, flags: c_uint, opts: *const unipc_shm_opts) -> Result<Options> {
    let flags = caller.flags(flags, KNOWN)?;
    let has = |flag: flag| flags.has(flag as c_uint);
    let opts = caller.options(opts)?;
    if opts.reserved != 0 {
        return Err(caller.invalid("opts.reserved", "it is not 0"));
    }
    let mut options = SharedMemory::options()
        .mode(caller.mode(opts.mode)?)
        .offset(opts.offset)
        .require_seals(seals(caller, "opts.required_seals", opts.required_seals)?)
        .read_only(has(flag::UNIPC_SHM_READ_ONLY))
        .private(has(flag::UNIPC_SHM_PRIVATE))
        .populate(has(flag::UNIPC_SHM_POPULATE))
        .slack(has(flag::UNIPC_SHM_SLACK))
        .guard_pages(has(flag::UNIPC_SHM_GUARD_PAGES))
        .executable(has(flag::UNIPC_SHM_EXECUTABLE))
        .replace(has(flag::UNIPC_SHM_REPLACE))
        .remove_on_drop(has(flag::UNIPC_SHM_REMOVE_ON_CLOSE))
        .allow_removed(has(flag::UNIPC_SHM_ALLOW_REMOVED))
        .own_only(has(flag::UNIPC_SHM_OWN_ONLY))
        .locked(has(flag::UNIPC_SHM_LOCKED));
    if opts.size != 0 {
        options = options.size(opts.size);
    }
    if opts.huge_page_size != 0 {
        options = options.huge_pages(opts.huge_page_size);
    }
    options = match opts.seals {
        0 => options,
        NO_SEALS => options.seals(Seals::NONE),
        bits => options.seals(seals(caller, "opts.seals", bits)?),
    };
    let (round, replace) =
        (has(flag::UNIPC_SHM_ADDRESS_ROUND), has(flag::UNIPC_SHM_ADDRESS_REPLACE));
    let placement = caller.placement(opts.address, round, replace)?;
    Ok(placement.into_iter().fold(options, Options::place))
}

/// Seals from their bits, all of which must be known.
pub(super) fn seals(caller: &Caller, argument: &'static str, bits: u32) -> Result<Seals> {
    Seals::from_bits(bits.cast_signed())
        .ok_or_else(|| caller.invalid(argument, format!("unknown bits in {bits:#x}")))
}
