// SPDX-License-Identifier: MIT OR Apache-2.0
//! The system calls that the library makes, and the errors that each may give.

/// A system call: its number, its name, and the errors to inject. None for calls that must not be left out:
/// a `close` that is not made is a leak of the test's own making.
pub(super) struct Call(pub(super) i64, pub(super) &'static str, pub(super) &'static [i32]);

const NEVER: &[i32] = &[];

const CALLS: &[Call] = &[
    Call(
        libc::SYS_openat,
        "openat",
        &[
            libc::EACCES,
            libc::EINTR,
            libc::EIO,
            libc::EMFILE,
            libc::ENFILE,
            libc::ENOENT,
            libc::ENOMEM,
            libc::ENOSPC,
            libc::EOPNOTSUPP,
            libc::EROFS,
        ],
    ),
    Call(
        libc::SYS_fallocate,
        "fallocate",
        &[libc::EFBIG, libc::EINTR, libc::EIO, libc::ENOSPC, libc::EOPNOTSUPP, libc::EPERM],
    ),
    Call(libc::SYS_ftruncate, "ftruncate", &[libc::EINTR, libc::EIO, libc::EPERM]),
    Call(libc::SYS_fchmod, "fchmod", &[libc::EIO, libc::EPERM, libc::EROFS]),
    Call(libc::SYS_newfstatat, "newfstatat", &[libc::EACCES, libc::EIO, libc::ENOMEM]),
    Call(libc::SYS_statx, "statx", &[libc::EACCES, libc::EIO, libc::ENOENT]),
    Call(libc::SYS_fstat, "fstat", &[libc::EIO, libc::ENOMEM]),
    Call(libc::SYS_fstatfs, "fstatfs", &[libc::EIO, libc::ENOSYS]),
    Call(libc::SYS_statfs, "statfs", &[libc::EIO, libc::ENOSYS]),
    Call(
        libc::SYS_linkat,
        "linkat",
        &[
            libc::EACCES,
            libc::EDQUOT,
            libc::EEXIST,
            libc::EIO,
            libc::EMLINK,
            libc::ENOENT,
            libc::ENOSPC,
            libc::EROFS,
        ],
    ),
    Call(
        libc::SYS_renameat2,
        "renameat2",
        &[libc::EACCES, libc::EEXIST, libc::EINVAL, libc::EIO, libc::ENOSPC, libc::EROFS],
    ),
    Call(
        libc::SYS_unlink,
        "unlink",
        &[libc::EACCES, libc::EBUSY, libc::EIO, libc::EPERM, libc::EROFS],
    ),
    Call(libc::SYS_readlink, "readlink", &[libc::EACCES, libc::EIO, libc::ENOENT]),
    Call(libc::SYS_readlinkat, "readlinkat", &[libc::EACCES, libc::EIO, libc::ENOENT]),
    Call(
        libc::SYS_memfd_create,
        "memfd_create",
        &[libc::EINVAL, libc::EMFILE, libc::ENFILE, libc::ENOMEM, libc::EPERM],
    ),
    Call(libc::SYS_fcntl, "fcntl", &[libc::EBUSY, libc::EMFILE, libc::EPERM]),
    Call(
        libc::SYS_mmap,
        "mmap",
        &[libc::EACCES, libc::EAGAIN, libc::ENODEV, libc::ENOMEM, libc::EPERM],
    ),
    Call(libc::SYS_mremap, "mremap", &[libc::EAGAIN, libc::EFAULT, libc::ENOMEM]),
    Call(libc::SYS_madvise, "madvise", &[libc::EAGAIN, libc::EINVAL, libc::EIO, libc::ENOMEM]),
    Call(libc::SYS_msync, "msync", &[libc::EBUSY, libc::EINTR, libc::EIO, libc::ENOMEM]),
    Call(libc::SYS_mlock, "mlock", &[libc::EAGAIN, libc::ENOMEM, libc::EPERM]),
    Call(libc::SYS_munlock, "munlock", &[libc::ENOMEM, libc::EPERM]),
    Call(
        libc::SYS_shmget,
        "shmget",
        &[libc::EACCES, libc::EEXIST, libc::EINVAL, libc::ENOENT, libc::ENOMEM, libc::ENOSPC],
    ),
    Call(
        libc::SYS_shmat,
        "shmat",
        &[libc::EACCES, libc::EIDRM, libc::EINVAL, libc::EMFILE, libc::ENOMEM],
    ),
    Call(
        libc::SYS_shmctl,
        "shmctl",
        &[libc::EACCES, libc::EIDRM, libc::EINVAL, libc::ENOMEM, libc::EPERM],
    ),
    Call(libc::SYS_prlimit64, "prlimit64", &[libc::EPERM]),
    Call(libc::SYS_pwrite64, "pwrite64", &[libc::EIO, libc::ENOSPC]),
    Call(libc::SYS_pread64, "pread64", &[libc::EIO]),
    Call(libc::SYS_access, "access", &[libc::ENOENT]),
    Call(libc::SYS_close, "close", NEVER),
    Call(libc::SYS_munmap, "munmap", NEVER),
    Call(libc::SYS_shmdt, "shmdt", NEVER),
    Call(libc::SYS_brk, "brk", NEVER),
    Call(libc::SYS_geteuid, "geteuid", NEVER),
    Call(libc::SYS_getpid, "getpid", NEVER),
    Call(libc::SYS_sched_yield, "sched_yield", NEVER),
];

const ALLOCATION: Call = Call(libc::SYS_mmap, "mmap", NEVER);

/// The call with this number; `None` is a gap in the table.
pub(super) fn known(number: i64, arguments: &[u64; 6]) -> Option<&'static Call> {
    // When the memory allocator gets nothing a Rust program ends, whatever the library does.
    let private = u64::from((libc::MAP_PRIVATE | libc::MAP_ANONYMOUS).cast_unsigned());
    if number == libc::SYS_mmap && arguments[3] == private {
        return Some(&ALLOCATION);
    }
    CALLS.iter().find(|call| call.0 == number)
}

/// What the library makes of an error to which it gives a meaning of its own.
pub(super) fn translated(errno: i32) -> Option<i32> {
    match errno {
        // From madvise: this kernel has no MADV_POPULATE_WRITE.
        libc::EINVAL => Some(libc::EOPNOTSUPP),
        // From fallocate: then the C library writes zeros, and calls any trouble with that EBADF.
        libc::EOPNOTSUPP => Some(libc::EBADF),
        _ => None,
    }
}
