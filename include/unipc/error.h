/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Generated from ffi/src by `make bless`: change it there. */

#ifndef UNIPC_ERROR_H
#define UNIPC_ERROR_H

/*
 * Errors are errno numbers: a function that fails returns -errno and sets errno too, so that
 * perror() works. Causes for which the kernel has no number borrow one that is not given otherwise:
 *
 *   -ERANGE       the bytes asked for are outside of the memory
 *   -EFAULT       a file was truncated while it was mapped, or its file system is full
 *   -ENODATA      the object exists but is empty
 *   -EIDRM        the object is marked for removal
 *   -ESTALE       the name belongs to another object now
 *   -EOPNOTSUPP   this kind of object cannot do that
 *   -EMEDIUMTYPE  a directory, FIFO, socket or device where a file should be
 *   -EPROTO       the bytes were laid out by another kind or version of object
 *   -E2BIG        options use fields that this version of the library does not know
 *   -EIO          a fault of the library itself, if it is not the disk's
 */
#include <unipc/base.h>

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * The words for what a function returned: "File exists" for -EEXIST.
 *
 * rc: a negative return value, or an errno; 0 is "Success".
 *
 * Returns a static string, in English; "Unknown errno" for a number that is none. Never NULL.
 * The same for every thread, unlike strerror(). Since 0.1.
 */
const char *unipc_strerror(int rc);

/**
 * The symbol for what a function returned: "EEXIST" for -EEXIST.
 *
 * rc: a negative return value, or an errno; 0 is "OK".
 *
 * Returns a static string; "unknown" for a number that is no errno. Never NULL. Since 0.1.
 */
const char *unipc_errname(int rc);

/**
 * This thread's last failure in words: what was tried, on which object, why it failed, what to do.
 *
 * For example "create(/demo): File exists (EEXIST); the name is taken; open it, use open_or_create,
 * or replace it".
 *
 * Returns a string that stays as it is until the next call of this thread that fails; "" before the
 * first. Never NULL. A call that succeeds leaves it alone. Since 0.1.
 */
const char *unipc_last_error(void);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* UNIPC_ERROR_H */
