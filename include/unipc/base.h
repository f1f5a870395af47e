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
