/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include <stddef.h>

/* The version of this header, for the preprocessor. unipc_version() is that of the library. */
#define UNIPC_VERSION_MAJOR @MAJOR@
#define UNIPC_VERSION_MINOR @MINOR@
#define UNIPC_VERSION_PATCH @PATCH@
#define UNIPC_VERSION_NUMBER                                                                       \
    (UNIPC_VERSION_MAJOR * 1000000 + UNIPC_VERSION_MINOR * 1000 + UNIPC_VERSION_PATCH)
#define UNIPC_VERSION_STRING "@VERSION@"

/* Marks functions whose result must not be ignored. */
#if defined(__GNUC__)
#define UNIPC_CHECK __attribute__((warn_unused_result))
#else
#define UNIPC_CHECK
#endif
