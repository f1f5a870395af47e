/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Generated from ffi/src by `make bless`: change it there. */

#ifndef UNIPC_PIPE_H
#define UNIPC_PIPE_H

/*
 * Pipes and what is made of them: bytes in order from one end to the other, each read once. FIFOs are
 * pipes with a name in the file system; a turnstile says whose turn it is, between parent and child.
 *
 * Every call takes a timeout, whatever O_NONBLOCK says, and none changes that flag, which belongs to
 * everybody who has the same open file. No call raises SIGPIPE: -EPIPE says that nobody reads any more.
 *
 * Threads may use one end at once: each byte is read once, and writes of up to UNIPC_PIPE_BUF bytes
 * stay together. Records of any length are in unipc/frame.h.
 */
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>
#include <unipc/base.h>

/* C99 without POSIX knows no timespec: it is enough to know that there is one. */
struct timespec;

/*
 * Options in one expression, for C: &UNIPC_PIPE_OPTS(.capacity = 1 << 20).
 * They live until the end of the block.
 */
#ifndef __cplusplus
#define UNIPC_PIPE_OPTS(...) ((unipc_pipe_opts){.sz = sizeof(unipc_pipe_opts), __VA_ARGS__})
#endif

/* Options to start from, in C++ and C: unipc_pipe_opts o = UNIPC_PIPE_OPTS_INIT; o.capacity = 4096; */
#define UNIPC_PIPE_OPTS_INIT {sizeof(unipc_pipe_opts), 0}

/*
 * The names that textbooks use, for one turnstile of one source file: define UNIPC_TELL_WAIT before
 * this header is included. All return 0 or -errno, which the textbooks' do not.
 */
#ifdef UNIPC_TELL_WAIT
static struct unipc_turnstile *unipc_tell_wait;
#define TELL_WAIT() unipc_turnstile_create(&unipc_tell_wait)
#define TELL_PARENT(pid) ((void)(pid), unipc_turnstile_tell_parent(unipc_tell_wait))
#define WAIT_PARENT() unipc_turnstile_wait_parent(unipc_tell_wait, NULL)
#define TELL_CHILD(pid) ((void)(pid), unipc_turnstile_tell_child(unipc_tell_wait))
#define WAIT_CHILD() unipc_turnstile_wait_child(unipc_tell_wait, NULL)
#endif

/** Numbers. */
typedef enum unipc_pipe_constant {
    /** How many bytes a pipe takes together, whatever other writers do. It is no capacity. */
    UNIPC_PIPE_BUF = 4096,
} unipc_pipe_constant;

/** Flags of unipc_pipe_create(). */
typedef enum unipc_pipe_flag {
    /**
     * Each write is a packet, and each read gives one, cut to its room: what does not fit is lost
     * (O_DIRECT). A write of more than UNIPC_PIPE_BUF bytes is several packets.
     */
    UNIPC_PIPE_PACKETS = (1 << 0),
} unipc_pipe_flag;

/** Flags of unipc_fifo_create(). */
typedef enum unipc_fifo_flag {
    /** A FIFO that exists is fine, whoever made it. */
    UNIPC_FIFO_EXIST_OK = (1 << 0),
} unipc_fifo_flag;

/** The two sides of a turnstile. */
typedef enum unipc_side {
    /** Who made the turnstile. */
    UNIPC_SIDE_PARENT = 1,
    /** Who came of fork(). */
    UNIPC_SIDE_CHILD = 2,
} unipc_side;

/**
 * One end of a pipe or of a FIFO, or either end of a duplex. A handle belongs to the process; a child
 * of fork() has its own copy, and as long as any process keeps a writing end the readers see no end.
 */
typedef struct unipc_pipe unipc_pipe;

/** Two pipes through which a parent and its child take turns. */
typedef struct unipc_turnstile unipc_turnstile;

/** How a pipe is made. Make it with UNIPC_PIPE_OPTS(...); a field that is 0 has its default. */
typedef struct unipc_pipe_opts {
    /** sizeof(unipc_pipe_opts). */
    size_t sz;
    /** How many bytes the pipe holds, see unipc_pipe_set_capacity(). 0: what the kernel gives, 65536. */
    size_t capacity;
} unipc_pipe_opts;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * Makes a pipe: what is written into the one is read from the other.
 *
 * reader: gets the end to read from
 * writer: gets the end to write to
 * flags:  UNIPC_PIPE_PACKETS, or 0
 * opts:   UNIPC_PIPE_OPTS(...), or NULL
 *
 * Both descriptors are close-on-exec.
 *
 * Returns 0.
 * Errors:
 *   -EMFILE, -ENFILE  no descriptors are left
 *   -EPERM, -EINVAL   opts.capacity is above pipe-max-size, or no size
 *   -EINVAL           unknown flags; reader or writer is NULL
 * Since 0.1. See pipe2(2).
 */
int unipc_pipe_create(unipc_pipe **reader,
                      unipc_pipe **writer,
                      unsigned int flags,
                      const unipc_pipe_opts *opts);

/**
 * Makes two ends that both read and write: what one writes the other reads (a pair of sockets).
 *
 * one, other: get the ends
 *
 * Both descriptors are close-on-exec.
 *
 * Returns 0.
 * Errors:
 *   -EMFILE, -ENFILE  no descriptors are left
 *   -EINVAL           one or other is NULL
 * Since 0.1. See socketpair(2).
 */
int unipc_pipe_duplex(unipc_pipe **one, unipc_pipe **other);

/**
 * An end of a descriptor that was inherited or received: of a pipe, a FIFO or a stream socket.
 *
 * out: gets the handle
 * fd:  is duplicated, and stays the caller's
 *
 * Returns 0.
 * Errors:
 *   -EBADF       fd is not open
 *   -EOPNOTSUPP  it is something else
 *   -EMFILE      no descriptors are left
 *   -EINVAL      out is NULL
 * Since 0.1.
 */
int unipc_pipe_from_fd(unipc_pipe **out, int fd);

/**
 * Another handle for the same end. The stream ends when both are closed.
 *
 * out:  gets the handle
 * pipe: a handle
 *
 * Returns 0.
 * Errors:
 *   -EMFILE  no descriptors are left
 *   -EINVAL  out or pipe is NULL
 * Since 0.1. See dup(2).
 */
int unipc_pipe_clone(unipc_pipe **out, const unipc_pipe *pipe);

/**
 * Closes an end; NULL is fine. A FIFO keeps its name.
 *
 * pipe: a handle, not used after this
 *
 * Since 0.1.
 */
void unipc_pipe_close(unipc_pipe *pipe);

/**
 * The descriptor, for poll() and for programs that are executed.
 *
 * pipe: a handle
 *
 * Returns the descriptor, which stays the handle's: close-on-exec, valid until it is closed.
 * Errors:
 *   -EINVAL  pipe is NULL
 * Since 0.1.
 */
int unipc_pipe_fd(const unipc_pipe *pipe);

/**
 * What the end is called: "file:PATH" of a FIFO that was opened by name, else "pipe fd N".
 *
 * pipe: a handle
 *
 * Returns a string that lives as long as the handle; NULL for NULL. Since 0.1.
 */
const char *unipc_pipe_name(const unipc_pipe *pipe);

/**
 * Lets programs that this process executes inherit the descriptor, or not.
 *
 * pipe:        a handle
 * inheritable: 0: no, as at the beginning; else yes
 *
 * Returns 0.
 * Errors:
 *   -EINVAL  pipe is NULL
 * Since 0.1. See fcntl(2) FD_CLOEXEC.
 */
int unipc_pipe_set_inheritable(const unipc_pipe *pipe, int inheritable);

/**
 * Keeps the stream from ending: a writing end is held open beside this reading one, so that a read
 * waits when all other writers have gone, for the next to come. It lasts until the handle is closed.
 *
 * pipe: a handle to read from
 *
 * Returns 0.
 * Errors:
 *   -ENXIO   it is one of a duplex
 *   -ENOENT  there is no /proc
 *   -EINVAL  pipe is NULL
 * Since 0.1.
 */
int unipc_pipe_keep_open(const unipc_pipe *pipe);

/**
 * Ends what this end of a duplex writes; it can still read. The other end sees the end of the stream.
 *
 * pipe: one of a duplex
 *
 * Returns 0.
 * Errors:
 *   -ENOTSOCK  it is the end of a pipe: close it instead
 *   -EINVAL    pipe is NULL
 * Since 0.1. See shutdown(2).
 */
int unipc_pipe_finish_writing(const unipc_pipe *pipe);

/**
 * How many bytes wait to be read, from either end (FIONREAD).
 *
 * pipe: a handle
 *
 * Returns the number.
 * Errors:
 *   -EINVAL  pipe is NULL
 * Since 0.1.
 */
ptrdiff_t unipc_pipe_waiting(const unipc_pipe *pipe);

/**
 * How many bytes the pipe holds at most, from either end.
 *
 * pipe: a handle
 *
 * Returns the number, 65536 unless it was changed.
 * Errors:
 *   -EBADF   it is one of a duplex, which is no pipe
 *   -EINVAL  pipe is NULL
 * Since 0.1. See fcntl(2) F_GETPIPE_SZ.
 */
ptrdiff_t unipc_pipe_capacity(const unipc_pipe *pipe);

/**
 * Lets the pipe hold more, or less.
 *
 * pipe:  a handle of either end
 * bytes: how many; the kernel rounds up to a power of two, at least a page
 *
 * Returns how many bytes it holds then.
 * Errors:
 *   -EPERM   above pipe-max-size, which unipc_last_error() tells, or above what this user may have
 *   -EBUSY   more bytes than that wait to be read
 *   -EBADF   it is one of a duplex, which is no pipe
 *   -EINVAL  no such size; pipe is NULL
 * Since 0.1. See fcntl(2) F_SETPIPE_SZ.
 */
ptrdiff_t unipc_pipe_set_capacity(const unipc_pipe *pipe, size_t bytes);

/**
 * The most that an ordinary user may ask for as a capacity, in bytes (/proc/sys/fs/pipe-max-size).
 *
 * Returns the number.
 * Errors:
 *   -ENOENT  there is no /proc
 * Since 0.1.
 */
ptrdiff_t unipc_pipe_capacity_limit(void);

/**
 * Reads what is there.
 *
 * pipe:    a handle to read from
 * buf:     room for the bytes
 * cap:     how many at most
 * timeout: how long to wait for the first byte; NULL: for ever; {0, 0}: not at all
 *
 * Returns how many bytes were read; 0 when the stream has ended, that is when the last writing end was
 *   closed and all was read.
 * Errors:
 *   -EAGAIN     there is nothing, and timeout is {0, 0}
 *   -ETIMEDOUT  nothing came in time
 *   -EINTR      a signal came; nothing was read
 *   -EBADF      the end is for writing
 *   -EINVAL     no timeout; pipe, or buf of more than 0 bytes, is NULL
 * Since 0.1. See read(2).
 */
ptrdiff_t unipc_pipe_read(const unipc_pipe *pipe,
                          void *buf,
                          size_t cap,
                          const struct timespec *timeout);

/**
 * Reads exactly so many bytes.
 *
 * pipe:    a handle to read from
 * buf:     room for the bytes
 * len:     how many
 * timeout: for all of it; NULL: for ever; {0, 0}: only what is there
 * done:    gets how many bytes were read, whatever the answer is; NULL if that is not wanted
 *
 * Returns 0.
 * Errors:
 *   -ENODATA    the stream has ended
 *   -EBADMSG    it ended after done bytes
 *   -EAGAIN, -ETIMEDOUT, -EINTR  only done bytes came
 *   -EBADF      the end is for writing
 *   -EINVAL     no timeout; pipe, or buf of more than 0 bytes, is NULL
 * Since 0.1.
 */
int unipc_pipe_read_exact(const unipc_pipe *pipe,
                          void *buf,
                          size_t len,
                          const struct timespec *timeout,
                          size_t *done);

/**
 * Writes.
 *
 * pipe:    a handle to write to
 * buf:     the bytes
 * len:     how many
 * timeout: how long to wait for room; NULL: for ever; {0, 0}: not at all
 *
 * Up to UNIPC_PIPE_BUF bytes go into a pipe together or not at all. With NULL all bytes go, unless a
 * signal comes in between; with a timeout what fits at once.
 *
 * Returns how many bytes were written; 0 only for none.
 * Errors: nothing was written
 *   -EPIPE      nobody can read any more; there is never a SIGPIPE
 *   -EAGAIN     there is no room, and timeout is {0, 0}
 *   -ETIMEDOUT  there was no room in time
 *   -EINTR      a signal came
 *   -EBADF      the end is for reading
 *   -EINVAL     no timeout; pipe, or buf of more than 0 bytes, is NULL
 * Since 0.1. See write(2), pipe(7).
 */
ptrdiff_t unipc_pipe_write(const unipc_pipe *pipe,
                           const void *buf,
                           size_t len,
                           const struct timespec *timeout);

/**
 * Writes all bytes. Those of several writers may mix when there are more than UNIPC_PIPE_BUF.
 *
 * pipe:    a handle to write to
 * buf:     the bytes
 * len:     how many
 * timeout: for all of it; NULL: for ever; {0, 0}: only what fits
 * done:    gets how many bytes were written, whatever the answer is; NULL if that is not wanted
 *
 * Returns 0.
 * Errors: done bytes were written
 *   as unipc_pipe_write()
 * Since 0.1.
 */
int unipc_pipe_write_all(const unipc_pipe *pipe,
                         const void *buf,
                         size_t len,
                         const struct timespec *timeout,
                         size_t *done);

/**
 * Writes all bytes together: never mixed with those of other writers, and all or nothing.
 *
 * pipe:    a handle to write to
 * buf:     the bytes
 * len:     how many, at most UNIPC_PIPE_BUF
 * timeout: how long to wait for room; NULL: for ever; {0, 0}: not at all
 *
 * Returns 0.
 * Errors: nothing was written
 *   -EMSGSIZE    more than UNIPC_PIPE_BUF bytes
 *   -EOPNOTSUPP  it is one of a duplex, which promises no such thing
 *   else as unipc_pipe_write()
 * Since 0.1.
 */
int unipc_pipe_write_atomic(const unipc_pipe *pipe,
                            const void *buf,
                            size_t len,
                            const struct timespec *timeout);

/**
 * Creates a FIFO with exactly this mode, whatever the umask is.
 *
 * name:  file:PATH
 * flags: UNIPC_FIFO_EXIST_OK, or 0
 * mode:  permission bits; 0: 0600
 *
 * It is never visible with another mode, and a symbolic link does not lead its creation elsewhere.
 *
 * Returns 0.
 * Errors:
 *   -EEXIST       something has the name
 *   -EMEDIUMTYPE  something else than a FIFO has it, and flags has UNIPC_FIFO_EXIST_OK
 *   -EACCES, -ENAMETOOLONG, -ENOENT, -ENOSPC, -ENOTDIR, -EROFS  from the file system
 *   -EOPNOTSUPP   a name that is no file
 *   -EINVAL       no name, no mode, unknown flags; name is NULL
 * Since 0.1. See mkfifo(3).
 */
int unipc_fifo_create(const char *name, unsigned int flags, uint32_t mode);

/**
 * Opens a FIFO for reading. Waits until somebody has it open for writing; {0, 0} does not wait and
 * succeeds at once: then reading waits for the first writer.
 *
 * out:     gets the handle
 * name:    file:PATH
 * timeout: how long to wait; NULL: for ever; {0, 0}: not at all
 *
 * While it waits this process counts as a reader: a writer that opens the FIFO in the moment in which
 * the time is over finds nobody, and its first write is -EPIPE.
 *
 * Returns 0.
 * Errors:
 *   -ETIMEDOUT    nobody opened it for writing in time
 *   -EINTR        a signal came
 *   -ENOENT       there is none
 *   -EACCES       this user may not
 *   -EMEDIUMTYPE  it is no FIFO
 *   -EOPNOTSUPP   a name that is no file
 *   -EINVAL       no name, no timeout; out or name is NULL
 * Since 0.1. See open(2), fifo(7).
 */
int unipc_fifo_reader(unipc_pipe **out,
                      const char *name,
                      const struct timespec *timeout);

/**
 * Opens a FIFO for writing. Waits until somebody has it open for reading.
 *
 * out:     gets the handle
 * name:    file:PATH
 * timeout: how long to wait; NULL: for ever; {0, 0}: not at all
 *
 * Returns 0.
 * Errors:
 *   -ENXIO        nobody has it open for reading, and timeout is {0, 0}
 *   -ETIMEDOUT    nobody opened it for reading in time
 *   else as unipc_fifo_reader()
 * Since 0.1. See open(2), fifo(7).
 */
int unipc_fifo_writer(unipc_pipe **out, const char *name, const struct timespec *timeout);

/**
 * Removes the name of a FIFO. Who has it open goes on using it.
 *
 * name: file:PATH
 *
 * Returns 0.
 * Errors:
 *   -ENOENT       there is none
 *   -EMEDIUMTYPE  something else has the name, which stays
 *   -EACCES, -EPERM, -EROFS  from the file system
 *   -EOPNOTSUPP   a name that is no file
 *   -EINVAL       no name; name is NULL
 * Since 0.1. See unlink(2).
 */
int unipc_fifo_unlink(const char *name);

/**
 * Makes a turnstile, before fork() (TELL_WAIT). The process that made it is the parent then, any other
 * the child. Whoever waits for a peer that ends hears so.
 *
 * out: gets the handle
 *
 * Each side closes what belongs to the other when it calls for the first time, or with
 * unipc_turnstile_choose(). A third process that has inherited the pipes keeps a dead peer from being
 * noticed. Each telling is kept until it is waited for.
 *
 * Returns 0.
 * Errors:
 *   -EMFILE, -ENFILE  no descriptors are left
 *   -EINVAL           out is NULL
 * Since 0.1.
 */
int unipc_turnstile_create(unipc_turnstile **out);

/**
 * One side of a turnstile, of descriptors that were inherited through exec() or received.
 *
 * out:   gets the handle
 * which: UNIPC_SIDE_PARENT or UNIPC_SIDE_CHILD
 * hear:  is read; it is duplicated, so close it
 * tell:  is written; it is duplicated, so close it
 *
 * Returns 0.
 * Errors:
 *   -EBADF       they are not open, or the other way
 *   -EOPNOTSUPP  they are no pipes
 *   -EINVAL      no side; out is NULL
 * Since 0.1.
 */
int unipc_turnstile_from_fds(unipc_turnstile **out, int which, int hear, int tell);

/**
 * Says which side this process is, after fork(), and closes what belongs to the other. The functions
 * do it by themselves; call it when this process may end before its first one, or forks again.
 *
 * turnstile: a handle
 * which:     UNIPC_SIDE_PARENT or UNIPC_SIDE_CHILD
 *
 * Returns 0.
 * Errors:
 *   -EINVAL  it is the other side already; no side; turnstile is NULL
 * Since 0.1.
 */
int unipc_turnstile_choose(unipc_turnstile *turnstile,
                           int which);

/**
 * The descriptors of a side, to hand them to a program that is executed.
 *
 * turnstile: a handle
 * which:     UNIPC_SIDE_PARENT or UNIPC_SIDE_CHILD
 * hear:      gets the descriptor that this side reads
 * tell:      gets the descriptor that it writes
 *
 * They stay the handle's, and are close-on-exec.
 *
 * Returns 0.
 * Errors:
 *   -EBADF   they were closed
 *   -EINVAL  no side; a pointer is NULL
 * Since 0.1.
 */
int unipc_turnstile_fds(const unipc_turnstile *turnstile, int which, int *hear, int *tell);

/**
 * The child tells the parent to go on (TELL_PARENT).
 *
 * turnstile: a handle
 *
 * Returns 0.
 * Errors:
 *   -EPIPE   the parent has ended
 *   -EINTR   a signal came
 *   -EINVAL  this process is the parent; turnstile is NULL
 * Since 0.1.
 */
int unipc_turnstile_tell_parent(unipc_turnstile *turnstile);

/**
 * The child waits until the parent tells it to go on (WAIT_PARENT).
 *
 * turnstile: a handle
 * timeout:   how long to wait; NULL: for ever; {0, 0}: not at all
 *
 * Returns 0.
 * Errors:
 *   -EPIPE      the parent has ended without telling
 *   -EAGAIN     it has not told, and timeout is {0, 0}
 *   -ETIMEDOUT  it did not tell in time
 *   -EINTR      a signal came
 *   -EPROTO     something else wrote into the pipe
 *   -EINVAL     this process is the parent; no timeout; turnstile is NULL
 * Since 0.1.
 */
int unipc_turnstile_wait_parent(unipc_turnstile *turnstile, const struct timespec *timeout);

/**
 * The parent tells the child to go on (TELL_CHILD).
 *
 * turnstile: a handle
 *
 * Returns 0.
 * Errors:
 *   -EPIPE   the child has ended
 *   -EINTR   a signal came
 *   -EINVAL  this process is the child; turnstile is NULL
 * Since 0.1.
 */
int unipc_turnstile_tell_child(unipc_turnstile *turnstile);

/**
 * The parent waits until the child tells it to go on (WAIT_CHILD).
 *
 * turnstile: a handle
 * timeout:   how long to wait; NULL: for ever; {0, 0}: not at all
 *
 * Returns 0.
 * Errors:
 *   -EPIPE   the child has ended without telling
 *   -EINVAL  this process is the child; no timeout; turnstile is NULL
 *   else as unipc_turnstile_wait_parent()
 * Since 0.1.
 */
int unipc_turnstile_wait_child(unipc_turnstile *turnstile, const struct timespec *timeout);

/**
 * Closes this process's ends; NULL is fine. The peer hears that this side has ended.
 *
 * turnstile: a handle, not used after this
 *
 * Since 0.1.
 */
void unipc_turnstile_close(unipc_turnstile *turnstile);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* UNIPC_PIPE_H */
