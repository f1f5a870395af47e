/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Sockets: streams, datagrams and sequenced packets, between processes of this machine and over TCP and
 * UDP; and descriptors that travel through them.
 *
 *   kind        names                           connection   boundaries   reliable   sender waits
 *   STREAM      unix:PATH, unix:@NAME, tcp:     yes          no           yes        yes
 *   SEQPACKET   unix:PATH, unix:@NAME           yes          yes          yes        yes
 *   DATAGRAM    unix:PATH, unix:@NAME           no           yes          yes        yes
 *   DATAGRAM    udp:HOST:PORT                   no           yes          no         no
 *
 * STREAMS, which POSIX once listed beside sockets, do not exist on Linux.
 *
 * A message that is longer than the receiver's buffer is -EMSGSIZE, never cut in silence. Sending to a
 * peer that has gone is -EPIPE, never SIGPIPE. Every call takes a timeout and works on blocking and
 * non-blocking descriptors alike. Records on a stream are in unipc/frame.h, which takes
 * unipc_socket_fd().
 *
 * The file of a UNIX socket stays when the socket is closed; the next server takes it over. It is as
 * safe as its directory: in /tmp anybody may have taken the name first, which UNIPC_SOCKET_OWN_ONLY
 * notices.
 *
 * Threads may use one handle at once: each message goes to exactly one of those that wait.
 */
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>
#include <unipc/base.h>

/* C99 without POSIX knows no timespec: it is enough to know that there is one. */
struct timespec;

/*
 * Options in one expression, for C: &UNIPC_SOCKET_OPTS(.kind = UNIPC_SOCKET_SEQPACKET, .mode = 0660).
 * They live until the end of the block.
 */
#ifndef __cplusplus
#define UNIPC_SOCKET_OPTS(...) ((unipc_socket_opts){.sz = sizeof(unipc_socket_opts), __VA_ARGS__})
#define UNIPC_FD_OPTS(...) ((unipc_fd_opts){.sz = sizeof(unipc_fd_opts), __VA_ARGS__})
#endif

/* Options to start from, in C++ and C: unipc_socket_opts o = UNIPC_SOCKET_OPTS_INIT; o.backlog = 8; */
#define UNIPC_SOCKET_OPTS_INIT {sizeof(unipc_socket_opts), 0, 0, 0, 0, 0, 0, NULL}
#define UNIPC_FD_OPTS_INIT {sizeof(unipc_fd_opts), 0, 0, 0, 0, 0, 0}
