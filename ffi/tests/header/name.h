/* SPDX-License-Identifier: MIT OR Apache-2.0 */
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
