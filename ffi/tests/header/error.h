/* SPDX-License-Identifier: MIT OR Apache-2.0 */
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
