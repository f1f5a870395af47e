/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Generated from ffi/src by `make bless`: change it there. */

#ifndef UNIPC_BASE_H
#define UNIPC_BASE_H

#include <stddef.h>

/* The version of this header, for the preprocessor. unipc_version() is that of the library. */
#define UNIPC_VERSION_MAJOR 0
#define UNIPC_VERSION_MINOR 1
#define UNIPC_VERSION_PATCH 0
#define UNIPC_VERSION_NUMBER                                                                       \
    (UNIPC_VERSION_MAJOR * 1000000 + UNIPC_VERSION_MINOR * 1000 + UNIPC_VERSION_PATCH)
#define UNIPC_VERSION_STRING "0.1.0"

/* Marks functions whose result must not be ignored. */
#if defined(__GNUC__)
#define UNIPC_CHECK __attribute__((warn_unused_result))
#else
#define UNIPC_CHECK
#endif

/** What an object is to the kernel, see unipc_shm_backing(), unipc_mq_backing(). */
typedef enum unipc_backing {
    /** A System V segment: shmget(). */
    UNIPC_BACKING_SYSTEM_V = 1,
    /** A POSIX object: shm_open(). */
    UNIPC_BACKING_POSIX = 2,
    /** A file: open(). */
    UNIPC_BACKING_FILE = 3,
    /** Memory without a name: memfd_create(). */
    UNIPC_BACKING_MEMFD = 4,
    /** An anonymous mapping: MAP_ANONYMOUS. */
    UNIPC_BACKING_ANONYMOUS = 5,
} unipc_backing;

/** For opts.mode. */
typedef enum unipc_mode {
    /** In opts.mode, where 0 is the default: no permission for anybody. */
    UNIPC_MODE_NONE = (1 << 30),
} unipc_mode;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * The version of the library that is loaded: major * 1000000 + minor * 1000 + patch.
 *
 * UNIPC_VERSION_NUMBER is the version of the header that the program was compiled with.
 * Returns the number. Async-signal-safe. Since 0.1.
 */
unsigned int unipc_version(void);

/**
 * The version of the library that is loaded, as text: "0.1.0".
 *
 * Returns a static string. Async-signal-safe. Since 0.1.
 */
const char *unipc_version_string(void);

/**
 * The size of a page of memory in bytes, as sysconf(_SC_PAGESIZE) tells it.
 *
 * Returns the size. Since 0.1.
 */
size_t unipc_page_size(void);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* UNIPC_BASE_H */
