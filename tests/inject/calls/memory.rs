// SPDX-License-Identifier: MIT OR Apache-2.0
//! Memory and mappings, and what the C library does for itself.

use super::Call;

pub(super) const CALLS: &[Call] = calls! {
    SYS_memfd_create: EINVAL EMFILE ENFILE ENOMEM EPERM;
    SYS_mmap: EACCES EAGAIN ENODEV ENOMEM EPERM;
    SYS_mremap: EAGAIN EFAULT ENOMEM;
    SYS_madvise: EAGAIN EINVAL EIO ENOMEM;
    SYS_msync: EBUSY EINTR EIO ENOMEM;
    SYS_mlock: EAGAIN ENOMEM EPERM;
    SYS_munlock: ENOMEM EPERM;
    SYS_munmap:;
    SYS_mprotect:;
    SYS_brk:;
    SYS_getrandom:;
    SYS_rseq:;
    SYS_set_robust_list:;
    SYS_set_tid_address:;
};
