/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Generated from ffi/src by `make bless`: change it there. */

#ifndef UNIPC_SOCKET_H
#define UNIPC_SOCKET_H

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

/** What a socket carries: the kernel's SOCK_ numbers. */
typedef enum unipc_socket_kind {
    /** Bytes in order, without boundaries: SOCK_STREAM. */
    UNIPC_SOCKET_STREAM = 1,
    /** Messages, each for itself: SOCK_DGRAM. */
    UNIPC_SOCKET_DATAGRAM = 2,
    /** Messages in order over a connection: SOCK_SEQPACKET. */
    UNIPC_SOCKET_SEQPACKET = 5,
} unipc_socket_kind;

/** Flags for connecting, binding and listening. */
typedef enum unipc_socket_flag {
    /** Fail with -EADDRINUSE where a file lies that a dead server has left, instead of replacing it. */
    UNIPC_SOCKET_KEEP_STALE = (1 << 0),
    /**
     * Remove the socket's file when the handle is closed, if it still is this socket's (not by a
     * child of fork()).
     */
    UNIPC_SOCKET_REMOVE_ON_CLOSE = (1 << 1),
    /** Refuse a server that runs neither as this user nor as root: -EPERM. UNIX streams and seqpackets. */
    UNIPC_SOCKET_OWN_ONLY = (1 << 2),
    /** Let each message bring its sender's credentials (SO_PASSCRED). UNIX sockets. */
    UNIPC_SOCKET_PASS_CREDENTIALS = (1 << 3),
    /** Let TCP hold small pieces back to put them together: no TCP_NODELAY. */
    UNIPC_SOCKET_DELAY = (1 << 4),
} unipc_socket_flag;

/** Which direction of a connection ends: the kernel's SHUT_ numbers. */
typedef enum unipc_shutdown {
    /** Receiving. */
    UNIPC_SHUTDOWN_RECEIVE = 0,
    /** Sending: the peer receives what is under way, then the end. */
    UNIPC_SHUTDOWN_SEND = 1,
    /** Both. */
    UNIPC_SHUTDOWN_BOTH = 2,
} unipc_shutdown;

/** What a received descriptor may refer to. */
typedef enum unipc_fd_kind {
    /** Anything. */
    UNIPC_FD_ANY = 0,
    /** Memory of memfd_create(). */
    UNIPC_FD_MEMFD = 1,
    /** A regular file, a memfd among them. */
    UNIPC_FD_FILE = 2,
    /** One end of a pipe, or a FIFO. */
    UNIPC_FD_PIPE = 3,
    /** A socket. */
    UNIPC_FD_SOCKET = 4,
    /** A directory. */
    UNIPC_FD_DIRECTORY = 5,
    /** A device: a terminal, /dev/null. */
    UNIPC_FD_DEVICE = 6,
    /** An eventfd, timerfd, signalfd, pidfd or epoll descriptor. */
    UNIPC_FD_EVENT = 7,
} unipc_fd_kind;

/** Flags in unipc_fd_opts. */
typedef enum unipc_fd_flag {
    /** Each must be open for reading. */
    UNIPC_FD_READABLE = (1 << 0),
    /** Each must be open for writing. */
    UNIPC_FD_WRITABLE = (1 << 1),
} unipc_fd_flag;

/** Numbers. */
typedef enum unipc_socket_constant {
    /** The most descriptors that one message carries (SCM_MAX_FD). */
    UNIPC_FD_MAX = 253,
    /** Room for the name of any socket, with its NUL. */
    UNIPC_SOCKET_NAME_SIZE = 256,
} unipc_socket_constant;

/** A socket that accepts connections. */
typedef struct unipc_listener unipc_listener;

/**
 * A socket that is connected, or sends and receives datagrams. A child of fork() shares it with its
 * parent: the peer sees the end when both have closed it.
 */
typedef struct unipc_socket unipc_socket;

/**
 * How to connect, bind or listen, where the defaults do not do. A field that is zero has its default.
 *
 * Make it with UNIPC_SOCKET_OPTS() or UNIPC_SOCKET_OPTS_INIT, which set sz. Later versions add fields.
 */
typedef struct unipc_socket_opts {
    /** sizeof(unipc_socket_opts). */
    size_t sz;
    /**
     * A unipc_socket_kind. 0: a stream for unix: and tcp:, datagrams for udp: and for
     * unipc_socket_bind().
     */
    uint32_t kind;
    /**
     * When binding: permission bits of the file, exact whatever the umask; who may write may connect.
     * 0: 0600. UNIPC_MODE_NONE: none.
     */
    uint32_t mode;
    /**
     * When listening: how many connections may wait to be accepted, cut to net.core.somaxconn.
     * 0: as many as that allows.
     */
    uint32_t backlog;
    /** Not used: 0. */
    uint32_t reserved;
    /** Ask for that many bytes of send buffer, see unipc_socket_set_send_buffer(). 0: the kernel's. */
    size_t send_buffer;
    /** Ask for that many bytes of receive buffer, of TCP and UDP. 0: the kernel's. */
    size_t receive_buffer;
    /**
     * When connecting: the name that the socket has itself. NULL: a UNIX datagram socket gets a free
     * abstract name, so that it can be answered, a UNIX stream none.
     */
    const char *local;
} unipc_socket_opts;

/**
 * Which descriptors are accepted. Others are refused, and closed. A field that is zero asks for nothing.
 *
 * Make it with UNIPC_FD_OPTS() or UNIPC_FD_OPTS_INIT, which set sz. Later versions add fields.
 */
typedef struct unipc_fd_opts {
    /** sizeof(unipc_fd_opts). */
    size_t sz;
    /** At least so many must come. */
    size_t least;
    /** Each must have at least so many bytes. */
    uint64_t size;
    /** Each must be of this unipc_fd_kind. */
    uint32_t kind;
    /** UNIPC_SEAL_ bits that each must have (unipc/shm.h). */
    uint32_t seals;
    /** UNIPC_FD_READABLE, UNIPC_FD_WRITABLE. */
    uint32_t flags;
    /** Not used: 0. */
    uint32_t reserved;
} unipc_fd_opts;

/** Who is at the other end, as the kernel says (struct ucred). */
typedef struct unipc_credentials {
    /** The process; 0 for one of a pid namespace that this process cannot see. */
    int32_t pid;
    /** Its effective user. */
    uint32_t uid;
    /** Its effective group. */
    uint32_t gid;
} unipc_credentials;

/** What came with a message, see unipc_socket_recv_message(). */
typedef struct unipc_received {
    /** How many descriptors came. */
    size_t fds;
    /** 1: it is no message, the peer has closed or sends no more. 0: a message, perhaps empty. */
    uint32_t ended;
    /** 1: credentials are set, which needs UNIPC_SOCKET_PASS_CREDENTIALS. 0: not. */
    uint32_t has_credentials;
    /** Who sent it. */
    unipc_credentials credentials;
    /** Not used: 0. */
    uint32_t reserved;
    /** The name of a datagram's sender; "" when it has none. */
    char sender[256];
} unipc_received;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * Connects to a listener; or, for datagrams, to the one peer with whom they are exchanged.
 *
 * out:     where the handle goes; NULL on failure. Close it with unipc_socket_close().
 * name:    "unix:PATH", "unix:@NAME", "tcp:HOST:PORT", "udp:HOST:PORT"; see unipc/name.h
 * flags:   UNIPC_SOCKET_ flags, or 0
 * opts:    NULL for the defaults
 * timeout: how long to wait; NULL: for ever; {0, 0}: not at all. Finding the address of a host by its
 *          name takes as long as it takes.
 *
 * Example:
 *
 *     unipc_socket *s;
 *     struct timespec second = {1, 0};
 *     if (unipc_socket_connect(&s, "unix:/run/demo.socket", 0, NULL, &second) < 0) {
 *         fprintf(stderr, "%s\n", unipc_last_error());
 *         return 1;
 *     }
 *     unipc_socket_send_all(s, "hello", 5, &second, NULL);
 *     unipc_socket_close(s);
 *
 * Returns 0.
 * Errors:
 *   -ECONNREFUSED  nobody listens
 *   -ENOENT        there is no such file
 *   -EACCES        the file may not be written to
 *   -EPROTOTYPE    the listener is of another kind
 *   -EPERM         the server is somebody else's, and UNIPC_SOCKET_OWN_ONLY is set
 *   -EHOSTUNREACH  the host is not known, or cannot be reached
 *   -EAGAIN        it would have to wait, and timeout is {0, 0}
 *   -ETIMEDOUT     it was not there in time
 *   -EINTR         a signal came
 *   -EOPNOTSUPP    the kind of socket does not have what was asked for
 *   -EINVAL        no name of a socket, unknown flags, contradicting options; out or name is NULL
 *   -E2BIG         opts uses fields that this version of the library does not know
 *   and what socket(2) and connect(2) give besides
 * Since 0.1. See connect(2), getaddrinfo(3).
 */
UNIPC_CHECK
int unipc_socket_connect(unipc_socket **out,
                         const char *name,
                         unsigned int flags,
                         const unipc_socket_opts *opts,
                         const struct timespec *timeout);

/**
 * Makes a datagram socket of this name, to receive what is sent to it and to answer.
 *
 * out:   where the handle goes; NULL on failure. Close it with unipc_socket_close().
 * name:  "unix:PATH", "unix:@NAME", "udp:HOST:PORT"; "unix:@" and port 0 take what is free, see
 *        unipc_socket_local_name()
 * flags: UNIPC_SOCKET_ flags, or 0
 * opts:  NULL for the defaults
 *
 * A file that a dead server has left is replaced, one of a living server never.
 *
 * Returns 0.
 * Errors:
 *   -EADDRINUSE     a living socket has the name
 *   -EEXIST         something lies there that is no socket
 *   -EPERM          a dead socket of somebody else lies there
 *   -EBUSY          somebody keeps the directory locked, so that the dead socket cannot be replaced
 *   -EACCES, -ENOENT, -ENOTDIR  nothing can be made in the directory
 *   -EADDRNOTAVAIL  the address is not of this machine
 *   -EINVAL         no name of a socket, unknown flags, contradicting options; out or name is NULL
 *   -E2BIG          opts uses fields that this version of the library does not know
 *   and what socket(2) and bind(2) give besides
 * Since 0.1. See bind(2), unix(7).
 */
UNIPC_CHECK
int unipc_socket_bind(unipc_socket **out,
                      const char *name,
                      unsigned int flags,
                      const unipc_socket_opts *opts);

/**
 * Makes two UNIX sockets that are connected to each other, for threads or for fork().
 *
 * one, other: where the handles go; NULL on failure. Close each with unipc_socket_close().
 * kind:       a unipc_socket_kind
 * flags:      UNIPC_SOCKET_PASS_CREDENTIALS, or 0
 *
 * Returns 0.
 * Errors:
 *   -EINVAL            no kind, unknown flags; one or other is NULL
 *   -EMFILE, -ENFILE   too many descriptors are open
 * Since 0.1. See socketpair(2).
 */
UNIPC_CHECK
int unipc_socket_pair(unipc_socket **one,
                      unipc_socket **other,
                      unsigned int kind,
                      unsigned int flags);

/**
 * Makes a handle for a socket that is open already: inherited, received, or made by other means.
 *
 * out: where the handle goes; NULL on failure. Close it with unipc_socket_close().
 * fd:  is duplicated; it stays yours, and may be closed afterwards
 *
 * Returns 0.
 * Errors:
 *   -EBADF       fd is not open
 *   -ENOTSOCK    it is no socket
 *   -EOPNOTSUPP  it is neither a UNIX nor a TCP or UDP socket
 *   -EINVAL      it listens, see unipc_listener_from_fd(); out is NULL
 *   -EMFILE      too many descriptors are open
 * Since 0.1.
 */
UNIPC_CHECK int unipc_socket_from_fd(unipc_socket **out, int fd);

/**
 * Closes the socket. Its file stays, see unipc_socket_unlink().
 *
 * socket: a handle, gone afterwards with its descriptor; NULL is fine
 *
 * Since 0.1.
 */
void unipc_socket_close(unipc_socket *socket);

/**
 * Removes the file of a UNIX socket. Connections stay, but who listens cannot be found any more.
 *
 * name: "unix:PATH"
 *
 * Returns 0.
 * Errors:
 *   -ENOENT          there is none
 *   -EACCES, -EPERM  the directory may not be changed
 *   -EOPNOTSUPP      a name without a file: unix:@, tcp: and udp: go with their last user
 *   -EINVAL          the file is no socket; no name of a socket; name is NULL
 * Since 0.1. See unlink(2).
 */
int unipc_socket_unlink(const char *name);

/**
 * Listens for connections.
 *
 * out:   where the handle goes; NULL on failure. Close it with unipc_listener_close().
 * name:  "unix:PATH", "unix:@NAME", "tcp:HOST:PORT"; "unix:@" and port 0 take what is free, see
 *        unipc_listener_name()
 * flags: UNIPC_SOCKET_ flags, or 0
 * opts:  NULL for the defaults: a stream, and mode 0600 for the file of a path
 *
 * A file that a dead server has left is replaced, one of a living server never; they are told apart
 * without disturbing the server. Put the file into a directory that only its users may enter.
 *
 * Example:
 *
 *     unipc_listener *listener;
 *     unipc_socket *client;
 *     char text[64];
 *     if (unipc_listener_bind(&listener, "unix:/run/demo.socket", 0, NULL) < 0)
 *         return 1;
 *     while (unipc_listener_accept(&client, listener, NULL) == 0) {
 *         ssize_t length = unipc_socket_recv(client, text, sizeof text, NULL);
 *         printf("%.*s\n", length > 0 ? (int)length : 0, text);
 *         unipc_socket_close(client);
 *     }
 *
 * Returns 0.
 * Errors: as unipc_socket_bind()
 * Since 0.1. See bind(2), listen(2).
 */
UNIPC_CHECK
int unipc_listener_bind(unipc_listener **out,
                        const char *name,
                        unsigned int flags,
                        const unipc_socket_opts *opts);

/**
 * Makes a handle for a listening socket that is open already, from a service manager for example.
 *
 * out: where the handle goes; NULL on failure. Close it with unipc_listener_close().
 * fd:  is duplicated; it stays yours. It becomes non-blocking, for all who share the socket.
 *
 * Returns 0.
 * Errors:
 *   -EBADF       fd is not open
 *   -ENOTSOCK    it is no socket
 *   -EOPNOTSUPP  it is neither a UNIX nor a TCP socket
 *   -EINVAL      it does not listen; out is NULL
 * Since 0.1.
 */
UNIPC_CHECK int unipc_listener_from_fd(unipc_listener **out, int fd);

/**
 * Waits for a client.
 *
 * out:      where the connection goes; NULL on failure. Close it with unipc_socket_close().
 * listener: a handle
 * timeout:  how long to wait; NULL: for ever; {0, 0}: not at all
 *
 * The connection has the buffers, the credentials and the delay that the listener was opened with.
 *
 * Returns 0.
 * Errors:
 *   -EAGAIN           nobody waits, and timeout is {0, 0}
 *   -ETIMEDOUT        nobody came in time
 *   -EINTR            a signal came
 *   -EMFILE, -ENFILE  too many descriptors are open; the client goes on waiting
 *   -EINVAL           no timeout; out or listener is NULL
 * Since 0.1. See accept(2).
 */
UNIPC_CHECK
int unipc_listener_accept(unipc_socket **out,
                          const unipc_listener *listener,
                          const struct timespec *timeout);

/**
 * The name at which a listener really listens, with the port that was free.
 *
 * listener: a handle
 * buf:      where it goes, always ending in NUL unless cap is 0; may be NULL when cap is 0
 * cap:      how many bytes buf has; UNIPC_SOCKET_NAME_SIZE is enough for any
 *
 * Returns the length of the name in bytes without the NUL, as snprintf() does.
 * Errors:
 *   -EINVAL  a pointer is NULL
 * Since 0.1. See getsockname(2).
 */
int unipc_listener_name(const unipc_listener *listener, char *buf, size_t cap);

/**
 * What a listener's connections carry.
 *
 * listener: a handle
 *
 * Returns a unipc_socket_kind.
 * Errors:
 *   -EINVAL  listener is NULL
 * Since 0.1.
 */
int unipc_listener_kind_of(const unipc_listener *listener);

/**
 * The descriptor, for poll(): it can be read when a client waits.
 *
 * listener: a handle
 *
 * Returns the descriptor, which belongs to the handle: valid until that is closed.
 * Errors:
 *   -EINVAL  listener is NULL
 * Since 0.1.
 */
int unipc_listener_fd(const unipc_listener *listener);

/**
 * Removes this very listener's file. Nobody finds it any more; who waits can still be accepted.
 *
 * listener: a handle
 *
 * Returns 0.
 * Errors:
 *   -ESTALE      another socket has the name by now
 *   -ENOENT      it is gone already
 *   -EOPNOTSUPP  it has no file
 *   -EINVAL      listener is NULL
 * Since 0.1. See unlink(2).
 */
int unipc_listener_remove(const unipc_listener *listener);

/**
 * Closes the listener. Connections that were accepted stay; its file too, see unipc_socket_unlink().
 *
 * listener: a handle, gone afterwards with its descriptor; NULL is fine
 *
 * Since 0.1.
 */
void unipc_listener_close(unipc_listener *listener);

/**
 * Sends a message whole; or down a stream all bytes without a time limit, unless a signal comes, and
 * with one what fits at once.
 *
 * socket:  a handle
 * buf:     the bytes; may be NULL when len is 0
 * len:     how many
 * timeout: how long to wait while the peer does not receive; NULL: for ever; {0, 0}: not at all
 *
 * Returns how many bytes were sent.
 * Errors: nothing was sent
 *   -EPIPE         the peer has gone, or receives no more; there is never a SIGPIPE
 *   -EMSGSIZE      the message is too long for its kind or for the send buffer
 *   -EAGAIN        it would have to wait, and timeout is {0, 0}
 *   -ETIMEDOUT     the peer did not receive in time
 *   -EINTR         a signal came
 *   -ECONNREFUSED, -ECONNRESET  the peer has gone
 *   -ENOTCONN, -EDESTADDRREQ    there is no peer
 *   -EINVAL        no timeout; socket, or buf of more than 0 bytes, is NULL
 * Since 0.1. See send(2).
 */
ptrdiff_t unipc_socket_send(const unipc_socket *socket,
                            const void *buf,
                            size_t len,
                            const struct timespec *timeout);

/**
 * Sends all bytes.
 *
 * socket:  a handle
 * buf:     the bytes; may be NULL when len is 0
 * len:     how many
 * timeout: for all of it; NULL: for ever; {0, 0}: only what fits
 * done:    gets how many bytes were sent, whatever the answer is; NULL if that is not wanted
 *
 * Returns 0.
 * Errors: done bytes were sent
 *   as unipc_socket_send()
 * Since 0.1.
 */
int unipc_socket_send_all(const unipc_socket *socket,
                          const void *buf,
                          size_t len,
                          const struct timespec *timeout,
                          size_t *done);

/**
 * Receives one message, or what a stream has, up to cap bytes.
 *
 * socket:  a handle
 * buf:     where the bytes go; may be NULL when cap is 0
 * cap:     for how many there is room
 * timeout: how long to wait for the first; NULL: for ever; {0, 0}: not at all
 *
 * Returns how many bytes were received. Of a stream and a seqpacket 0 is the end: the peer has closed
 * or sends no more. An empty message is 0 as well; unipc_socket_recv_message() tells them apart.
 * Errors:
 *   -EMSGSIZE    the message is longer than cap, and lost; unipc_socket_next_size() tells beforehand
 *   -EAGAIN      nothing is there, and timeout is {0, 0}
 *   -ETIMEDOUT   nothing came in time
 *   -EINTR       a signal came
 *   -ECONNRESET  the peer closed and had not received all
 *   -ENOTCONN    there is no peer
 *   -EINVAL      no timeout; socket, or buf of more than 0 bytes, is NULL
 * Descriptors that ride along are closed.
 * Since 0.1. See recv(2).
 */
ptrdiff_t unipc_socket_recv(const unipc_socket *socket,
                            void *buf,
                            size_t cap,
                            const struct timespec *timeout);

/**
 * Receives exactly so many bytes from a stream.
 *
 * socket:  a handle
 * buf:     room for the bytes
 * len:     how many
 * timeout: for all of it; NULL: for ever; {0, 0}: only what is there
 * done:    gets how many bytes were received, whatever the answer is; NULL if that is not wanted
 *
 * Returns 0.
 * Errors: done bytes were received
 *   -ENODATA     the stream has ended
 *   -EBADMSG     it ended after done bytes
 *   -EOPNOTSUPP  messages come whole: it is for streams
 *   else as unipc_socket_recv()
 * Since 0.1.
 */
int unipc_socket_recv_exact(const unipc_socket *socket,
                            void *buf,
                            size_t len,
                            const struct timespec *timeout,
                            size_t *done);

/**
 * Sends a datagram to a name, whatever the socket is connected to.
 *
 * socket:  a handle
 * buf:     the bytes; may be NULL when len is 0
 * len:     how many
 * name:    of the receiver
 * timeout: how long to wait while its queue is full; NULL: for ever; {0, 0}: not at all
 *
 * Returns how many bytes were sent.
 * Errors:
 *   -ENOENT, -ECONNREFUSED  nobody has the name
 *   -EACCES                 its file may not be written to
 *   -EPERM                  that socket is connected to another
 *   -EPROTOTYPE             it is no datagram socket
 *   -EINVAL                 a name of another family; no timeout; a pointer is NULL
 *   else as unipc_socket_send()
 * Since 0.1. See sendto(2).
 */
ptrdiff_t unipc_socket_send_to(const unipc_socket *socket,
                               const void *buf,
                               size_t len,
                               const char *name,
                               const struct timespec *timeout);

/**
 * Receives a datagram, and who sent it.
 *
 * socket:   a handle
 * buf:      where the bytes go; may be NULL when cap is 0
 * cap:      for how many there is room
 * name:     where the sender's name goes, "" when it has none; may be NULL when name_cap is 0
 * name_cap: for how many bytes there is room; UNIPC_SOCKET_NAME_SIZE is enough for any name
 * timeout:  how long to wait; NULL: for ever; {0, 0}: not at all
 *
 * Returns how many bytes were received.
 * Errors: as unipc_socket_recv()
 * Since 0.1. See recvfrom(2).
 */
ptrdiff_t unipc_socket_recv_from(const unipc_socket *socket,
                                 void *buf,
                                 size_t cap,
                                 char *name,
                                 size_t name_cap,
                                 const struct timespec *timeout);

/**
 * How long the next message is; of a stream, how many bytes can be received at once. Waits for one, and
 * leaves it where it is.
 *
 * socket:  a handle
 * timeout: how long to wait; NULL: for ever; {0, 0}: not at all
 *
 * Returns its length in bytes; 0 for an empty message and for the end.
 * Errors:
 *   -EAGAIN     nothing is there, and timeout is {0, 0}
 *   -ETIMEDOUT  nothing came in time
 *   -EINTR      a signal came
 *   -EINVAL     no timeout; socket is NULL
 * Since 0.1. See recv(2) MSG_PEEK.
 */
ptrdiff_t unipc_socket_next_size(const unipc_socket *socket,
                                 const struct timespec *timeout);

/**
 * Sends bytes together with descriptors: the receiver gets duplicates, which live when this process is
 * gone. UNIX sockets.
 *
 * socket:  a handle
 * buf:     the bytes, on a stream at least one; may be NULL when len is 0
 * len:     how many
 * fds:     the descriptors, which stay yours; may be NULL when n is 0
 * n:       how many, at most UNIPC_FD_MAX
 * to:      the receiver of a datagram; NULL: the peer
 * timeout: how long to wait; NULL: for ever; {0, 0}: not at all
 *
 * Returns how many bytes were sent; the descriptors go with the first.
 * Errors:
 *   -EBADF         a descriptor is not open
 *   -EOPNOTSUPP    TCP and UDP carry no descriptors
 *   -ETOOMANYREFS  more descriptors are under way than RLIMIT_NOFILE allows
 *   -EINVAL        too many descriptors, or no byte for them; no timeout; a pointer is NULL
 *   else as unipc_socket_send() and unipc_socket_send_to()
 * Since 0.1. See sendmsg(2), unix(7) SCM_RIGHTS.
 */
ptrdiff_t unipc_socket_send_message(const unipc_socket *socket,
                                    const void *buf,
                                    size_t len,
                                    const int *fds,
                                    size_t n,
                                    const char *to,
                                    const struct timespec *timeout);

/**
 * Receives one message, or what a stream has, with what rides along.
 *
 * socket:  a handle
 * buf:     where the bytes go; may be NULL when cap is 0
 * cap:     for how many there is room
 * fds:     where the descriptors go, all of them close-on-exec; may be NULL when fd_cap is 0
 * fd_cap:  for how many there is room; more are an error
 * expect:  what they must be; NULL: anything
 * out:     where goes what came besides; may be NULL
 * timeout: how long to wait; NULL: for ever; {0, 0}: not at all
 *
 * Returns how many bytes were received. out->ended tells an empty message from the end.
 * Errors:
 *   -EPERM     descriptors are not as expected, or more than fd_cap: all that came are closed
 *   -EMFILE    this process may not have so many descriptors: all that came are closed
 *   -EMSGSIZE  the message is longer than cap
 *   -E2BIG     expect uses fields that this version of the library does not know
 *   else as unipc_socket_recv(). The message is lost unless it is -EAGAIN, -ETIMEDOUT or -EINTR.
 * Since 0.1. See recvmsg(2), unix(7).
 */
ptrdiff_t unipc_socket_recv_message(const unipc_socket *socket,
                                    void *buf,
                                    size_t cap,
                                    int *fds,
                                    size_t fd_cap,
                                    const unipc_fd_opts *expect,
                                    unipc_received *out,
                                    const struct timespec *timeout);

/**
 * Sends descriptors over a connected UNIX socket, however it was made: SCM_RIGHTS.
 *
 * sock:    the descriptor of the socket
 * fds:     the descriptors, which stay yours
 * n:       how many, 1 to UNIPC_FD_MAX
 * timeout: how long to wait; NULL: for ever; {0, 0}: not at all
 *
 * One byte goes with them, their number modulo 256, as multiprocessing of Python does.
 *
 * Returns 0.
 * Errors:
 *   -EBADF         sock or a descriptor is not open
 *   -ENOTSOCK      sock is no socket
 *   -EOPNOTSUPP    it is no UNIX socket
 *   -ENOTCONN      it is not connected
 *   -EPIPE         the peer has gone; there is never a SIGPIPE
 *   -ETOOMANYREFS  more descriptors are under way than RLIMIT_NOFILE allows
 *   -EAGAIN, -ETIMEDOUT, -EINTR  as for unipc_socket_send()
 *   -EINVAL        none or too many descriptors; no timeout; fds is NULL
 * Since 0.1. See unix(7).
 */
int unipc_fd_send(int sock, const int *fds, size_t n, const struct timespec *timeout);

/**
 * Receives descriptors that unipc_fd_send() or another program sent, with at most one byte.
 *
 * sock:    the descriptor of the socket
 * fds:     where the descriptors go, all of them close-on-exec and yours to close
 * cap:     for how many there is room, at least 1; more are an error
 * expect:  what they must be; NULL: anything
 * timeout: how long to wait; NULL: for ever; {0, 0}: not at all
 *
 * Before the memory of a stranger's memfd is mapped, ask for UNIPC_SEAL_SHRINK and a size:
 *
 *     int fd;
 *     unipc_fd_opts expect = UNIPC_FD_OPTS_INIT;
 *     expect.kind = UNIPC_FD_MEMFD;
 *     expect.seals = UNIPC_SEAL_SHRINK;
 *     expect.size = 4096;
 *     if (unipc_fd_recv(sock, &fd, 1, &expect, NULL) == 1)
 *         unipc_shm_from_fd(&shm, fd, 0, NULL);
 *
 * Returns how many came; 0: the peer has closed.
 * Errors:
 *   -EPERM       descriptors are not as expected, more than cap, or none: all that came are closed
 *   -EMFILE      this process may not have so many descriptors: all that came are closed
 *   -EMSGSIZE    a longer message came with them: unipc_socket_recv_message() takes both
 *   -EBADF       sock is not open
 *   -ENOTSOCK    it is no socket
 *   -EOPNOTSUPP  it is no UNIX socket
 *   -ENOTCONN    it is not connected
 *   -EAGAIN, -ETIMEDOUT, -EINTR  as for unipc_socket_recv(): nothing was received
 *   -EINVAL      unknown options; no timeout; fds is NULL
 *   -E2BIG       expect uses fields that this version of the library does not know
 * Since 0.1. See unix(7).
 */
int unipc_fd_recv(int sock,
                  int *fds,
                  size_t cap,
                  const unipc_fd_opts *expect,
                  const struct timespec *timeout);

/**
 * Ends one direction of a connection, or both, for all who share the socket. What is under way arrives.
 *
 * socket: a handle
 * how:    a unipc_shutdown
 *
 * Returns 0.
 * Errors:
 *   -ENOTCONN  there is no peer
 *   -EINVAL    no such direction; socket is NULL
 * Since 0.1. See shutdown(2).
 */
int unipc_socket_shutdown(const unipc_socket *socket,
                          unsigned int how);

/**
 * What a socket carries.
 *
 * socket: a handle
 *
 * Returns a unipc_socket_kind.
 * Errors:
 *   -EINVAL  socket is NULL
 * Since 0.1.
 */
int unipc_socket_kind_of(const unipc_socket *socket);

/**
 * The descriptor, for poll() and for unipc_fd_send().
 *
 * socket: a handle
 *
 * Returns the descriptor, which belongs to the handle: valid until that is closed.
 * Errors:
 *   -EINVAL  socket is NULL
 * Since 0.1.
 */
int unipc_socket_fd(const unipc_socket *socket);

/**
 * The socket's own name, with the port that was free.
 *
 * socket: a handle
 * buf:    where it goes, always ending in NUL unless cap is 0; "" when it has none; may be NULL when
 *         cap is 0
 * cap:    how many bytes buf has; UNIPC_SOCKET_NAME_SIZE is enough for any
 *
 * Returns the length of the name in bytes without the NUL, as snprintf() does.
 * Errors:
 *   -EINVAL  a pointer is NULL
 * Since 0.1. See getsockname(2).
 */
int unipc_socket_local_name(const unipc_socket *socket,
                            char *buf,
                            size_t cap);

/**
 * The peer's name.
 *
 * socket: a handle
 * buf:    where it goes, always ending in NUL unless cap is 0; "" when it has none; may be NULL when
 *         cap is 0
 * cap:    how many bytes buf has; UNIPC_SOCKET_NAME_SIZE is enough for any
 *
 * Returns the length of the name in bytes without the NUL, as snprintf() does; 0 without a peer.
 * Errors:
 *   -EINVAL  a pointer is NULL
 * Since 0.1. See getpeername(2).
 */
int unipc_socket_peer_name(const unipc_socket *socket,
                           char *buf,
                           size_t cap);

/**
 * Who is at the other end of a UNIX stream or seqpacket: who connected, listened, or made the pair.
 *
 * socket: a handle
 * out:    where that goes
 *
 * Returns 0.
 * Errors:
 *   -EOPNOTSUPP  TCP, UDP, and datagrams without a fixed peer: their messages can tell
 *   -EINVAL      a pointer is NULL
 * Since 0.1. See unix(7) SO_PEERCRED.
 */
int unipc_socket_peer_credentials(const unipc_socket *socket, unipc_credentials *out);

/**
 * Lets each message bring its sender's credentials from now on, or not.
 *
 * socket: a handle
 * pass:   0: no; anything else: yes
 *
 * Returns 0.
 * Errors:
 *   -EOPNOTSUPP  TCP and UDP carry no credentials
 *   -EINVAL      socket is NULL
 * Since 0.1. See unix(7) SO_PASSCRED.
 */
int unipc_socket_pass_credentials(const unipc_socket *socket, int pass);

/**
 * How many bytes can be received now. Of messages: how long the next one is.
 *
 * socket: a handle
 *
 * Returns the number.
 * Errors:
 *   -EINVAL  socket is NULL
 * Since 0.1. See unix(7) SIOCINQ.
 */
ptrdiff_t unipc_socket_waiting(const unipc_socket *socket);

/**
 * How much of what was sent the other side has not received. UNIX sockets count the memory that it
 * takes, which is more than its bytes.
 *
 * socket: a handle
 *
 * Returns the number of bytes.
 * Errors:
 *   -EINVAL  socket is NULL
 * Since 0.1. See tcp(7) SIOCOUTQ.
 */
ptrdiff_t unipc_socket_unsent(const unipc_socket *socket);

/**
 * How much memory what was sent and not received may take.
 *
 * socket: a handle
 *
 * Returns the number of bytes.
 * Errors:
 *   -EINVAL  socket is NULL
 * Since 0.1. See socket(7) SO_SNDBUF.
 */
ptrdiff_t unipc_socket_send_buffer(const unipc_socket *socket);

/**
 * Asks for another size of the send buffer.
 *
 * socket: a handle
 * bytes:  how many
 *
 * Returns what it is now: the kernel doubles the number, and cuts it at net.core.wmem_max.
 * Errors:
 *   -EINVAL  more than INT_MAX; socket is NULL
 * Since 0.1. See socket(7) SO_SNDBUF.
 */
ptrdiff_t unipc_socket_set_send_buffer(const unipc_socket *socket, size_t bytes);

/**
 * How much memory what was received and not fetched may take, of TCP and UDP.
 *
 * socket: a handle
 *
 * Returns the number of bytes.
 * Errors:
 *   -EINVAL  socket is NULL
 * Since 0.1. See socket(7) SO_RCVBUF.
 */
ptrdiff_t unipc_socket_receive_buffer(const unipc_socket *socket);

/**
 * Asks for another size of the receive buffer.
 *
 * socket: a handle
 * bytes:  how many
 *
 * Returns what it is now: the kernel doubles the number, and cuts it at net.core.rmem_max.
 * Errors:
 *   -EINVAL  more than INT_MAX; socket is NULL
 * Since 0.1. See socket(7) SO_RCVBUF.
 */
ptrdiff_t unipc_socket_set_receive_buffer(const unipc_socket *socket, size_t bytes);

/**
 * Does TCP hold small pieces back to put them together?
 *
 * socket: a handle
 *
 * Returns 1 or 0, which is the default here.
 * Errors:
 *   -EOPNOTSUPP  only TCP does
 *   -EINVAL      socket is NULL
 * Since 0.1. See tcp(7) TCP_NODELAY.
 */
int unipc_socket_delay(const unipc_socket *socket);

/**
 * Lets TCP hold small pieces back to put them together, or not.
 *
 * socket: a handle
 * delay:  0: no; anything else: yes
 *
 * Returns 0.
 * Errors:
 *   -EOPNOTSUPP  only TCP does
 *   -EINVAL      socket is NULL
 * Since 0.1. See tcp(7) TCP_NODELAY.
 */
int unipc_socket_set_delay(const unipc_socket *socket, int delay);

/**
 * Removes the file of this very socket, of a datagram socket that was bound to a path.
 *
 * socket: a handle
 *
 * Returns 0.
 * Errors:
 *   -ESTALE      another socket has the name by now
 *   -ENOENT      it is gone already
 *   -EOPNOTSUPP  it has no file
 *   -EINVAL      socket is NULL
 * Since 0.1. See unlink(2).
 */
int unipc_socket_remove(const unipc_socket *socket);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* UNIPC_SOCKET_H */
