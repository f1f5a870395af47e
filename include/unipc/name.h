/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Generated from ffi/src by `make bless`: change it there. */

#ifndef UNIPC_NAME_H
#define UNIPC_NAME_H

/*
 * One string addresses anything:
 *
 *   "/demo"           a POSIX object; "posix:/demo" is the same
 *   "sysv:PATH,PROJ"  a System V object with the key ftok(PATH, PROJ), PROJ from 0 to 255
 *   "sysv:0x1234"     a System V object with that key
 *   "sysv:private"    a new System V object without a key (IPC_PRIVATE)
 *   "sysv:id=42"      an existing System V object by identifier
 *   "file:PATH"       a file
 *   "memfd:LABEL"     memory without a name: its descriptor is passed on; the label is for people
 *   "anon:"           anonymous memory, inherited by fork()
 *   "unix:PATH"       a UNIX socket of that path, of at most 107 bytes
 *   "unix:@NAME"      a UNIX socket in the abstract name space: no file, gone with its last user
 *   "tcp:HOST:PORT"   a TCP socket; an IPv6 address stands in brackets: "tcp:[::1]:80"
 *   "udp:HOST:PORT"   a UDP socket
 *
 * Names are bytes that end in NUL, not always UTF-8.
 */
#include <stddef.h>
#include <stdint.h>
#include <unipc/base.h>

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * Is this a name? Looks at the grammar alone; the object need not exist.
 *
 * name: as in the table above
 *
 * Returns 0.
 * Errors:
 *   -EINVAL  it is not; unipc_last_error() says why, and what may have been meant
 * Since 0.1.
 */
int unipc_name_check(const char *name);

/**
 * The one spelling of a name: of "posix:/demo" it is "/demo", of "sysv:0x00AB" "sysv:0xab".
 *
 * name: a name
 * buf:  where the spelling goes, always ending in NUL unless cap is 0; may be NULL when cap is 0
 * cap:  how many bytes buf has
 *
 * Returns the length of the spelling in bytes without the NUL, as snprintf() does: when it is cap
 * or more, buf holds only its beginning.
 * Errors:
 *   -EINVAL  name is no name, or a pointer is NULL
 * Since 0.1.
 */
int unipc_name_canonical(const char *name, char *buf, size_t cap);

/**
 * The System V key of a path and a project number; the same as the C library's ftok().
 *
 * path: an existing file or directory
 * proj: of which the lowest 8 bits count
 * out:  where the key goes, a key_t
 *
 * Unlike ftok(), it tells a key of -1 from a failure. Two paths can have one key.
 *
 * Returns 0.
 * Errors:
 *   -ENOENT, -EACCES, -ENOTDIR, -ENAMETOOLONG, -ELOOP  the path cannot be looked up
 *   -EINVAL  the key would be 0, which is IPC_PRIVATE; or a pointer is NULL
 * Since 0.1. See ftok(3).
 */
int unipc_ftok(const char *path, int proj, int32_t *out);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* UNIPC_NAME_H */
