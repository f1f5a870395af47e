/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Generated from ffi/src by `make bless`: change it there. */

#ifndef UNIPC_PIPE_H
#define UNIPC_PIPE_H

/*
 * Pipes and what is made of them: bytes in order from one end to the other, each read once. FIFOs are
 * pipes with a name in the file system; a turnstile says whose turn it is, between parent and child.
 *
 * Every call takes a timeout, whatever O_NONBLOCK says, and none changes that flag, which belongs to
 * everybody who has the same open file. No call raises SIGPIPE, unless unipc_pipe_set_sigpipe() allows it:
 * -EPIPE says that nobody reads any more.
 *
 * Programs are started by argv (no shell looks at the words) or by a line of the shell, and are known by a
 * descriptor, not by a number that another process could get: unipc_process_. One at the other end of a
 * pipe is unipc_shell_ (popen() and pclose()), a filter at the other end of two unipc_coprocess_, one on a
 * terminal of its own unipc_pty_. No SIGCHLD handler is needed, and no zombie remains.
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

/* The same for programs: &UNIPC_PROCESS_OPTS(.directory = "/") */
#ifndef __cplusplus
#define UNIPC_PROCESS_OPTS(...) ((unipc_process_opts){.sz = sizeof(unipc_process_opts), __VA_ARGS__})
#endif
#define UNIPC_PROCESS_OPTS_INIT {sizeof(unipc_process_opts), NULL, NULL, NULL, 0, 0}

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

/** Flags for starting a program, of whatever function does it. */
typedef enum unipc_process_flag {
    /**
     * argv holds one word, a line for the shell: sh -c LINE. Never build it from words that came from
     * elsewhere.
     */
    UNIPC_PROCESS_SHELL = (1 << 0),
    /** The program gets a process group of its own, so that a Ctrl-C at the terminal is not for it. */
    UNIPC_PROCESS_NEW_GROUP = (1 << 1),
    /** Its standard error goes where its standard output goes (2>&1). */
    UNIPC_PROCESS_STDERR_TO_STDOUT = (1 << 2),
    /** With opts.environment: these variables alone, not added to those of this process. */
    UNIPC_PROCESS_CLEAR_ENVIRONMENT = (1 << 3),
} unipc_process_flag;

/** In unipc_process_descriptor.ours. */
typedef enum unipc_process_constant {
    /** Not a descriptor of this process but /dev/null. */
    UNIPC_FD_NULL = -1,
} unipc_process_constant;

/** Flags of unipc_shell_open(), besides those of unipc_process_flag. One of the two must be there. */
typedef enum unipc_shell_flag {
    /** The program's standard output is read. */
    UNIPC_SHELL_READ = (1 << 8),
    /** The program's standard input is written. */
    UNIPC_SHELL_WRITE = (1 << 9),
} unipc_shell_flag;

/** Flags of unipc_coprocess_spawn(), besides those of unipc_process_flag. */
typedef enum unipc_coprocess_flag {
    /**
     * The filter's standard output is a pseudoterminal in raw mode, for filters that put out whole blocks
     * into a pipe and lines to a terminal (all that use stdio and do not flush).
     */
    UNIPC_COPROCESS_TERMINAL = (1 << 8),
} unipc_coprocess_flag;

/** What a terminal's line discipline does to the bytes. */
typedef enum unipc_terminal_mode {
    /** Input is put out again, so that who types sees it (ECHO). */
    UNIPC_TERMINAL_ECHO = (1 << 0),
    /** Input comes in lines, which can be edited until their end; Ctrl-D ends it (ICANON). */
    UNIPC_TERMINAL_CANONICAL = (1 << 1),
    /** Ctrl-C, Ctrl-\ and Ctrl-Z are signals (ISIG). */
    UNIPC_TERMINAL_SIGNALS = (1 << 2),
    /** A newline is put out as carriage return and newline (OPOST). */
    UNIPC_TERMINAL_OUTPUT = (1 << 3),
} unipc_terminal_mode;

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

/** A filter at the other end of two pipes. */
typedef struct unipc_coprocess unipc_coprocess;

/**
 * One end of a pipe or of a FIFO, or either end of a duplex. A handle belongs to the process; a child
 * of fork() has its own copy, and as long as any process keeps a writing end the readers see no end.
 */
typedef struct unipc_pipe unipc_pipe;

/** A program that this process has started. A child of fork() cannot wait for it. */
typedef struct unipc_process unipc_process;

/** The master of a pseudoterminal, perhaps with a program on the other side. */
typedef struct unipc_pty unipc_pty;

/** A terminal in raw mode, and how it was before. */
typedef struct unipc_raw_mode unipc_raw_mode;

/** A program at the other end of a pipe. */
typedef struct unipc_shell unipc_shell;

/** Two pipes through which a parent and its child take turns. */
typedef struct unipc_turnstile unipc_turnstile;

/** How a pipe is made. Make it with UNIPC_PIPE_OPTS(...); a field that is 0 has its default. */
typedef struct unipc_pipe_opts {
    /** sizeof(unipc_pipe_opts). */
    size_t sz;
    /** How many bytes the pipe holds, see unipc_pipe_set_capacity(). 0: what the kernel gives, 65536. */
    size_t capacity;
} unipc_pipe_opts;

/** A descriptor for the program. */
typedef struct unipc_process_descriptor {
    /**
     * Which of this process, which keeps it: close it if nobody else needs it, above all the ends of pipes.
     * UNIPC_FD_NULL: /dev/null.
     */
    int ours;
    /** Which number it has in the program: 0 standard input, 1 standard output, 2 standard error, or any. */
    int theirs;
} unipc_process_descriptor;

/**
 * How a program is started, where the defaults do not do. A field that is zero has its default.
 *
 * Make it with UNIPC_PROCESS_OPTS() or UNIPC_PROCESS_OPTS_INIT, which set sz. Later versions add fields.
 */
typedef struct unipc_process_opts {
    /** sizeof(unipc_process_opts). */
    size_t sz;
    /**
     * "KEY=VALUE" strings and a NULL behind them: set in the environment, which is else that of this
     * process; "KEY" without "=" removes that variable. NULL: none.
     */
    const char *const *environment;
    /** The program's working directory. NULL: that of this process. */
    const char *directory;
    /**
     * Descriptors for the program besides 0, 1 and 2, or in their place. It gets no others, not even those
     * that are not close-on-exec.
     */
    const unipc_process_descriptor *descriptors;
    /** How many of them. */
    size_t descriptor_count;
    /** For unipc_coprocess_spawn(): how long a line of the filter may be, in bytes. 0: 1 MiB. */
    size_t line_limit;
} unipc_process_opts;

/** How many characters fit into the window of a terminal. */
typedef struct unipc_window_size {
    /** Lines. */
    uint16_t rows;
    /** Characters in a line. */
    uint16_t columns;
    /** The width in pixels, 0 where nobody knows. */
    uint16_t width;
    /** The height in pixels, 0 where nobody knows. */
    uint16_t height;
} unipc_window_size;

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
 * Lets writes to this handle without a timeout raise SIGPIPE, as write() does, or not.
 *
 * pipe:    a handle
 * allowed: 0: no, as at the beginning; else yes. No matter for a duplex, which costs nothing and never
 *          raises it
 *
 * Without readers there is -EPIPE in either case. The default is safe whatever the process makes of the
 * signal, but of a few bytes it takes 100 to 120 ns more in the kernel (a sixth of a write and a read). A
 * program that ignores SIGPIPE for good has the speed of write() and no signal if it allows it; one that
 * wants to end as in "yes | head" has that. It is of this handle, not of the descriptor; a clone begins
 * with what it is cloned from.
 *
 * Example:
 *
 *     #include <errno.h>
 *     #include <signal.h>
 *     #include <unipc.h>
 *
 *     int main(void)
 *     {
 *         unipc_pipe *reader, *writer;
 *         if (unipc_pipe_create(&reader, &writer, 0, NULL) < 0)
 *             return 1;
 *         signal(SIGPIPE, SIG_IGN);
 *         unipc_pipe_set_sigpipe(writer, 1);
 *         unipc_pipe_close(reader);
 *         int gone = unipc_pipe_write(writer, "x", 1, NULL) == -EPIPE;
 *         unipc_pipe_close(writer);
 *         return gone ? 0 : 1;
 *     }
 *
 * Returns 0.
 * Errors:
 *   -EINVAL  pipe is NULL
 * Since 0.1. See pipe(7).
 */
int unipc_pipe_set_sigpipe(const unipc_pipe *pipe,
                           int allowed);

/**
 * May writes to this handle raise SIGPIPE?
 *
 * pipe: a handle
 *
 * Returns 1 if they may, 0 if not, see unipc_pipe_set_sigpipe().
 * Errors:
 *   -EINVAL  pipe is NULL
 * Since 0.1.
 */
int unipc_pipe_sigpipe(const unipc_pipe *pipe);

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
 *   -EPIPE      nobody can read any more; there is no SIGPIPE, see unipc_pipe_set_sigpipe()
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

/**
 * Starts a program.
 *
 * out:   gets the handle
 * argv:  the program, its arguments, and a NULL behind them. A program without a slash is looked for in
 *        PATH; no shell looks at the words, unless UNIPC_PROCESS_SHELL is set
 * flags: UNIPC_PROCESS_ flags, or 0
 * opts:  UNIPC_PROCESS_OPTS(...), or NULL
 *
 * When this returns the program runs. It has descriptors 0, 1 and 2 of this process, those of opts.descriptors,
 * and no others; an empty signal mask, and the default action for SIGPIPE. However much memory this
 * process has, none is copied, and other threads go on.
 *
 * Returns 0.
 * Errors:
 *   -ENOENT   there is no such program, or no such opts.directory
 *   -EACCES   it may not be executed
 *   -ENOEXEC  it is neither a program nor begins with #!
 *   -E2BIG    too many or too long arguments; opts has fields of a later version
 *   -EAGAIN   no process is left (RLIMIT_NPROC)
 *   -EMFILE   no descriptors are left
 *   -EBADF    an opts.descriptors[].ours is not open
 *   -EINVAL   no words, unknown flags, a negative descriptor; out or argv is NULL
 * Since 0.1. See execve(2).
 */
int unipc_process_spawn(unipc_process **out,
                        const char *const *argv,
                        unsigned int flags,
                        const unipc_process_opts *opts);

/**
 * Waits until a program has ended. It may be asked again, by other threads too.
 *
 * process: a handle
 * status:  gets how it ended: 0 to 255 is what it gave to exit(), -N means that signal N has killed it.
 *          NULL if that is not wanted
 * timeout: how long to wait; NULL: for ever; {0, 0}: not at all
 *
 * Returns 0.
 * Errors:
 *   -EAGAIN     it still runs, and timeout is {0, 0}
 *   -ETIMEDOUT  it still runs
 *   -EINTR      a signal came
 *   -ECHILD     how it ended is lost: SIGCHLD is ignored, another part of the program has waited for it, or
 *               this is a child of fork()
 *   -EINVAL     no timeout; process is NULL
 * Since 0.1. See waitid(2).
 */
int unipc_process_wait(const unipc_process *process,
                       int *status,
                       const struct timespec *timeout);

/**
 * Sends a signal to a program; 0 only asks whether it is there.
 *
 * process: a handle
 * number:  the signal, such as SIGTERM
 *
 * Returns 0.
 * Errors:
 *   -ESRCH   it has ended and was waited for; the signal never hits another process of that number
 *   -EPERM   it has changed its user
 *   -EINVAL  no such signal; process is NULL
 * Since 0.1. See pidfd_send_signal(2).
 */
int unipc_process_signal(const unipc_process *process, int number);

/**
 * Ends a program with SIGKILL, which it cannot prevent; one that has ended already is fine. Wait for it then.
 *
 * process: a handle
 *
 * Returns 0.
 * Errors:
 *   -EPERM   it has changed its user
 *   -EINVAL  process is NULL
 * Since 0.1.
 */
int unipc_process_kill(const unipc_process *process);

/**
 * The process identifier. Once the program was waited for, the kernel may give it to another process.
 *
 * process: a handle
 *
 * Returns the identifier.
 * Errors:
 *   -EINVAL  process is NULL
 * Since 0.1.
 */
int unipc_process_pid(const unipc_process *process);

/**
 * The descriptor that becomes readable when the program has ended, for poll() (a pidfd).
 *
 * process: a handle
 *
 * Returns the descriptor, which stays the handle's: close-on-exec, valid until it is closed.
 * Errors:
 *   -ESRCH   SIGCHLD is ignored, and the program had ended before it could be had
 *   -EINVAL  process is NULL
 * Since 0.1. See pidfd_open(2).
 */
int unipc_process_fd(const unipc_process *process);

/**
 * Closes the handle; NULL is fine. A program that runs goes on, and is taken away when it ends: no zombie
 * remains.
 *
 * process: a handle from unipc_process_spawn(), not used after this
 *
 * Since 0.1.
 */
void unipc_process_close(unipc_process *process);

/**
 * Starts a program, and reads its standard output or writes its standard input.
 *
 * out:   gets the handle
 * argv:  the program, its arguments, and a NULL behind them; see unipc_process_spawn()
 * flags: UNIPC_SHELL_READ or UNIPC_SHELL_WRITE, and UNIPC_PROCESS_ flags
 * opts:  UNIPC_PROCESS_OPTS(...), or NULL
 *
 * Returns 0.
 * Errors: those of unipc_process_spawn(), and
 *   -EINVAL  not one of the two flags; opts.descriptors has what is the pipe
 * Since 0.1.
 */
int unipc_shell_open(unipc_shell **out,
                     const char *const *argv,
                     unsigned int flags,
                     const unipc_process_opts *opts);

/**
 * Runs a line of the shell, sh -c LINE, and reads what it puts out or writes what it reads, as popen() does.
 *
 * out:  gets the handle
 * line: for the shell; never build it from words that came from elsewhere
 * type: "r" to read, "w" to write; an "e" behind it, for close-on-exec, which it always is, is fine
 *
 * Returns 0.
 * Errors: those of unipc_process_spawn(), and
 *   -EINVAL  another type; out, line or type is NULL
 * Since 0.1. See popen(3).
 */
int unipc_shell_popen(unipc_shell **out,
                      const char *line,
                      const char *type);

/**
 * Reads what is there.
 *
 * shell: a handle
 * buf:     room for the bytes
 * cap:     how many at most
 * timeout: how long to wait for the first byte; NULL: for ever; {0, 0}: not at all
 *
 * Returns how many bytes were read; 0 at the end.
 * Errors:
 *   -EAGAIN     there is nothing, and timeout is {0, 0}
 *   -ETIMEDOUT  nothing came in time
 *   -EINTR      a signal came; nothing was read
 *   -EBADF      it was closed, or is not for reading
 *   -EINVAL     no timeout; shell, or buf of more than 0 bytes, is NULL
 * Since 0.1. See read(2).
 */
ptrdiff_t unipc_shell_read(const unipc_shell *shell,
                           void *buf,
                           size_t cap,
                           const struct timespec *timeout);

/**
 * Reads the next line, as a string without its newline. A last line may have no newline.
 *
 * shell: a handle
 * buf:     room for the line and a NUL
 * cap:     how many bytes that is
 * timeout: how long to wait; NULL: for ever; {0, 0}: not at all
 *
 * Returns the line's length; an empty line is 0.
 * Errors:
 *   -ENODATA    the end: there is no further line
 *   -EMSGSIZE   the line does not fit, and stays the next; or it is beyond the limit, and unipc_shell_read()
 *               gives its bytes
 *   -EAGAIN, -ETIMEDOUT, -EINTR  it has not come whole; what has come stays
 *   -EBADF      it was closed, or is not for reading
 *   -EINVAL     no timeout; shell, or buf of more than 0 bytes, is NULL
 * Since 0.1.
 */
ptrdiff_t unipc_shell_read_line(const unipc_shell *shell,
                                char *buf,
                                size_t cap,
                                const struct timespec *timeout);

/**
 * Writes all bytes.
 *
 * shell: a handle
 * buf:     the bytes
 * len:     how many
 * timeout: for all of it; NULL: for ever; {0, 0}: only what fits
 *
 * Returns 0.
 * Errors: a part may have gone, of -EAGAIN, -ETIMEDOUT and -EINTR too
 *   -EPIPE      the program has ended or closed its input, which unipc_last_error() tells; there is never a SIGPIPE
 *   -EAGAIN     there is no room, and timeout is {0, 0}
 *   -ETIMEDOUT  there was not enough room in time
 *   -EINTR      a signal came
 *   -EBADF      it was closed, or is not for writing
 *   -EINVAL     no timeout; shell, or buf of more than 0 bytes, is NULL
 * Since 0.1.
 */
int unipc_shell_write(const unipc_shell *shell,
                      const void *buf,
                      size_t len,
                      const struct timespec *timeout);

/**
 * Closes the pipe, so that a program that reads sees the end of its input. Waiting does that, too.
 *
 * shell: a handle
 *
 * Returns 0.
 * Errors:
 *   -EINVAL  shell is NULL
 * Since 0.1.
 */
int unipc_shell_end(const unipc_shell *shell);

/**
 * Closes the pipe and waits until the program has ended, as pclose() does.
 *
 * shell: a handle
 * status:  gets how it ended: 0 to 255 is what it gave to exit(), -N means that signal N has killed it.
 *          NULL if that is not wanted
 * timeout: how long to wait; NULL: for ever; {0, 0}: not at all
 *
 * Returns 0.
 * Errors: those of unipc_process_wait()
 * Since 0.1.
 */
int unipc_shell_wait(const unipc_shell *shell,
                     int *status,
                     const struct timespec *timeout);

/**
 * The program, for unipc_process_signal() and the like.
 *
 * shell: a handle
 *
 * Returns a handle that lives as long as this one, not to be closed; NULL for NULL. Since 0.1.
 */
const unipc_process *unipc_shell_process(const unipc_shell *shell);

/**
 * The pipe's descriptor, for poll().
 *
 * shell: a handle
 *
 * A line that has come already is not seen by poll(): read until -EAGAIN before.
 *
 * Returns the descriptor, which stays the handle's: close-on-exec, valid until it is closed.
 * Errors:
 *   -EBADF   it was closed
 *   -EINVAL  shell is NULL
 * Since 0.1.
 */
int unipc_shell_fd(const unipc_shell *shell);

/**
 * Closes the handle and the pipe; NULL is fine. It does not wait: see unipc_shell_wait(). No zombie remains.
 *
 * shell: a handle, not used after this
 *
 * Since 0.1.
 */
void unipc_shell_close(unipc_shell *shell);

/**
 * Starts a filter: what is written goes to its standard input, and what it puts out is read.
 *
 * out:   gets the handle
 * argv:  the filter, its arguments, and a NULL behind them; see unipc_process_spawn()
 * flags: UNIPC_COPROCESS_TERMINAL, and UNIPC_PROCESS_ flags
 * opts:  UNIPC_PROCESS_OPTS(...), or NULL
 *
 * Full pipes do no harm: a write that finds no room reads what the filter puts out, and keeps it for the
 * next read, up to 64 MiB. Threads may use the handle at once: a line, and an exchange, is not mixed with
 * those of others.
 *
 * Returns 0.
 * Errors: those of unipc_process_spawn(), and
 *   -ENOSPC  no pseudoterminals are left (kernel.pty.max)
 *   -EINVAL  opts.descriptors has what is a pipe
 * Since 0.1.
 */
int unipc_coprocess_spawn(unipc_coprocess **out,
                          const char *const *argv,
                          unsigned int flags,
                          const unipc_process_opts *opts);

/**
 * Sends a line, to which the newline is added, and waits for a line in answer.
 *
 * coprocess: a handle
 * line:      the line, without a newline in it
 * len:       its length
 * buf:       room for the answer, without its newline, and a NUL
 * cap:       how many bytes that is
 * timeout:   for both; NULL: for ever; {0, 0}: not at all
 *
 * Returns the answer's length; an empty line is 0.
 * Errors:
 *   -EPIPE      the filter has ended, or closed its input or output; unipc_last_error() tells how it ended
 *   -EMSGSIZE   the answer does not fit, or is beyond the limit; it stays, for unipc_coprocess_read_line()
 *               or unipc_coprocess_read()
 *   -EAGAIN, -ETIMEDOUT, -EINTR  no answer; it may still come, and would be taken for the next one
 *   -EBADF      the input was ended
 *   -EINVAL     a newline in the line; no timeout; coprocess, line or buf is NULL
 * Since 0.1.
 */
ptrdiff_t unipc_coprocess_exchange(const unipc_coprocess *coprocess,
                                   const void *line,
                                   size_t len,
                                   char *buf,
                                   size_t cap,
                                   const struct timespec *timeout);

/**
 * Writes a line, to which the newline is added.
 *
 * coprocess: a handle
 * buf:     the bytes
 * len:     how many
 * timeout: for all of it; NULL: for ever; {0, 0}: only what fits
 *
 * Returns 0.
 * Errors: a part may have gone, of -EAGAIN, -ETIMEDOUT and -EINTR too
 *   -EPIPE      the filter has ended or closed its input, which unipc_last_error() tells; there is never a SIGPIPE
 *   -EAGAIN     there is no room, and timeout is {0, 0}
 *   -ETIMEDOUT  there was not enough room in time
 *   -EINTR      a signal came
 *   -EBADF      it was closed, or the input was ended
 *   -EINVAL     a newline in the line; no timeout; coprocess, or buf of more than 0 bytes, is NULL
 * Since 0.1.
 */
int unipc_coprocess_write_line(const unipc_coprocess *coprocess,
                               const void *buf,
                               size_t len,
                               const struct timespec *timeout);

/**
 * Writes all bytes.
 *
 * coprocess: a handle
 * buf:     the bytes
 * len:     how many
 * timeout: for all of it; NULL: for ever; {0, 0}: only what fits
 *
 * Returns 0.
 * Errors: a part may have gone, of -EAGAIN, -ETIMEDOUT and -EINTR too
 *   -EPIPE      the filter has ended or closed its input, which unipc_last_error() tells; there is never a SIGPIPE
 *   -EAGAIN     there is no room, and timeout is {0, 0}
 *   -ETIMEDOUT  there was not enough room in time
 *   -EINTR      a signal came
 *   -EBADF      it was closed, or the input was ended
 *   -EINVAL     no timeout; coprocess, or buf of more than 0 bytes, is NULL
 *   -ENOBUFS    the filter has put out 64 MiB meanwhile that nobody has read
 * Since 0.1.
 */
int unipc_coprocess_write(const unipc_coprocess *coprocess,
                          const void *buf,
                          size_t len,
                          const struct timespec *timeout);

/**
 * Reads what is there.
 *
 * coprocess: a handle
 * buf:     room for the bytes
 * cap:     how many at most
 * timeout: how long to wait for the first byte; NULL: for ever; {0, 0}: not at all
 *
 * Returns how many bytes were read; 0 at the end of its output.
 * Errors:
 *   -EAGAIN     there is nothing, and timeout is {0, 0}
 *   -ETIMEDOUT  nothing came in time
 *   -EINTR      a signal came; nothing was read
 *   -EBADF      it was closed, or is not for reading
 *   -EINVAL     no timeout; coprocess, or buf of more than 0 bytes, is NULL
 * Since 0.1. See read(2).
 */
ptrdiff_t unipc_coprocess_read(const unipc_coprocess *coprocess,
                               void *buf,
                               size_t cap,
                               const struct timespec *timeout);

/**
 * Reads the next line, as a string without its newline. A last line may have no newline.
 *
 * coprocess: a handle
 * buf:     room for the line and a NUL
 * cap:     how many bytes that is
 * timeout: how long to wait; NULL: for ever; {0, 0}: not at all
 *
 * Returns the line's length; an empty line is 0.
 * Errors:
 *   -ENODATA    the end: there is no further line
 *   -EMSGSIZE   the line does not fit, and stays the next; or it is beyond the limit, and unipc_coprocess_read()
 *               gives its bytes
 *   -EAGAIN, -ETIMEDOUT, -EINTR  it has not come whole; what has come stays
 *   -EBADF      it was closed, or is not for reading
 *   -EINVAL     no timeout; coprocess, or buf of more than 0 bytes, is NULL
 * Since 0.1.
 */
ptrdiff_t unipc_coprocess_read_line(const unipc_coprocess *coprocess,
                                    char *buf,
                                    size_t cap,
                                    const struct timespec *timeout);

/**
 * Writes all bytes, ends the input, and reads all that the filter puts out until it closes its output.
 *
 * coprocess: a handle
 * bytes:     what to write
 * len:       how many
 * buf:       room for what comes
 * cap:       how many bytes that is; what does not fit is lost
 * timeout:   for all of it; NULL: for ever; {0, 0}: not at all
 *
 * Returns how many bytes came, which may be more than cap, as snprintf() does.
 * Errors: those of unipc_coprocess_write() and unipc_coprocess_read(), without -EPIPE
 * Since 0.1.
 */
ptrdiff_t unipc_coprocess_communicate(const unipc_coprocess *coprocess,
                                      const void *bytes,
                                      size_t len,
                                      void *buf,
                                      size_t cap,
                                      const struct timespec *timeout);

/**
 * Ends the filter's input, so that one that reads all before it answers (sort) answers now.
 *
 * coprocess: a handle
 *
 * Returns 0.
 * Errors:
 *   -EINVAL  coprocess is NULL
 * Since 0.1.
 */
int unipc_coprocess_end_input(const unipc_coprocess *coprocess);

/**
 * Ends the filter's input and waits until the filter has ended. What it still puts out is not read
 * meanwhile: read to the end first.
 *
 * coprocess: a handle
 * status:  gets how it ended: 0 to 255 is what it gave to exit(), -N means that signal N has killed it.
 *          NULL if that is not wanted
 * timeout: how long to wait; NULL: for ever; {0, 0}: not at all
 *
 * Returns 0.
 * Errors: those of unipc_process_wait()
 * Since 0.1.
 */
int unipc_coprocess_wait(const unipc_coprocess *coprocess,
                         int *status,
                         const struct timespec *timeout);

/**
 * The program, for unipc_process_signal() and the like.
 *
 * coprocess: a handle
 *
 * Returns a handle that lives as long as this one, not to be closed; NULL for NULL. Since 0.1.
 */
const unipc_process *unipc_coprocess_process(const unipc_coprocess *coprocess);

/**
 * The descriptor from which the filter's output comes, for poll().
 *
 * coprocess: a handle
 *
 * A line that has come already is not seen by poll(): read until -EAGAIN before.
 *
 * Returns the descriptor, which stays the handle's: close-on-exec, valid until it is closed.
 * Errors:
 *   -EBADF   it was closed
 *   -EINVAL  coprocess is NULL
 * Since 0.1.
 */
int unipc_coprocess_fd(const unipc_coprocess *coprocess);

/**
 * Was something of the filter's output read already, which no poll() shows? Perhaps a part of a line.
 *
 * coprocess: a handle
 *
 * Returns 1 if so, else 0.
 * Errors:
 *   -EINVAL  coprocess is NULL
 * Since 0.1.
 */
int unipc_coprocess_has_buffered(const unipc_coprocess *coprocess);

/**
 * Closes the handle and both pipes; NULL is fine. It does not wait: see unipc_coprocess_wait(). No zombie
 * remains.
 *
 * coprocess: a handle, not used after this
 *
 * Since 0.1.
 */
void unipc_coprocess_close(unipc_coprocess *coprocess);

/**
 * Is it a terminal?
 *
 * fd: a descriptor
 *
 * Returns 1 if it is, 0 if it is something else.
 * Errors:
 *   -EBADF  it is not open
 * Since 0.1. See isatty(3).
 */
int unipc_terminal_is(int fd);

/**
 * The size of a terminal's window.
 *
 * fd:   a terminal; either side of a pseudoterminal gives the same
 * size: gets it
 *
 * Returns 0.
 * Errors:
 *   -ENOTTY  it is no terminal
 *   -EBADF   it is not open
 *   -EINVAL  size is NULL
 * Since 0.1. See TIOCGWINSZ(2const).
 */
int unipc_terminal_window_size(int fd, unipc_window_size *size);

/**
 * Sets the size of a terminal's window. If it changes, the foreground programs of the terminal get SIGWINCH.
 *
 * fd:   a terminal
 * size: the new one
 *
 * Returns 0.
 * Errors:
 *   -ENOTTY  it is no terminal
 *   -EBADF   it is not open
 *   -EINVAL  size is NULL
 * Since 0.1. See TIOCSWINSZ(2const).
 */
int unipc_terminal_set_window_size(int fd,
                                   const unipc_window_size *size);

/**
 * What a terminal's line discipline does.
 *
 * fd: a terminal; either side of a pseudoterminal gives the same
 *
 * Returns UNIPC_TERMINAL_ bits.
 * Errors:
 *   -ENOTTY  it is no terminal
 *   -EBADF   it is not open
 * Since 0.1. See termios(3).
 */
int unipc_terminal_modes(int fd);

/**
 * Changes what a terminal's line discipline does, at once; what the bits do not name stays.
 *
 * fd:    a terminal
 * modes: UNIPC_TERMINAL_ bits
 *
 * Returns 0.
 * Errors:
 *   -ENOTTY  it is no terminal
 *   -EBADF   it is not open
 *   -EINTR   a signal came
 *   -EINVAL  unknown bits
 * Since 0.1. See termios(3).
 */
int unipc_terminal_set_modes(int fd, unsigned int modes);

/**
 * Puts a terminal into raw mode and remembers how it was: every byte comes as it was typed, at once, without
 * an echo, and goes as it was written.
 *
 * out: gets the handle that puts it back
 * fd:  a terminal; it is duplicated
 *
 * It belongs to the terminal, so all processes that use it see it; one that is killed leaves it raw.
 *
 * Returns 0.
 * Errors:
 *   -ENOTTY  it is no terminal
 *   -EBADF   it is not open
 *   -EMFILE  no descriptors are left
 *   -EINTR   a signal came
 *   -EINVAL  out is NULL
 * Since 0.1. See cfmakeraw(3).
 */
int unipc_raw_mode_enter(unipc_raw_mode **out,
                         int fd);

/**
 * Puts the terminal back to how it was. Twice is as once.
 *
 * raw: a handle
 *
 * Returns 0.
 * Errors:
 *   -EIO     the terminal has hung up
 *   -EINTR   a signal came: call it again
 *   -EINVAL  raw is NULL
 * Since 0.1.
 */
int unipc_raw_mode_restore(const unipc_raw_mode *raw);

/**
 * Closes the handle, and puts the terminal back if that was not done; NULL is fine.
 *
 * raw: a handle, not used after this
 *
 * Since 0.1.
 */
void unipc_raw_mode_close(unipc_raw_mode *raw);

/**
 * Opens a pseudoterminal with nobody on the other side yet; unipc_pty_slave() gives that.
 *
 * out:  gets the handle of the master
 * size: the window's size; NULL: 24 lines of 80 characters
 *
 * Returns 0.
 * Errors:
 *   -ENOSPC           all pseudoterminals are in use (kernel.pty.max)
 *   -EMFILE, -ENFILE  no descriptors are left
 *   -ENOENT           /dev/ptmx or /dev/pts is missing
 *   -EINVAL           out is NULL
 * Since 0.1. See posix_openpt(3), ptsname(3).
 */
int unipc_pty_open(unipc_pty **out, const unipc_window_size *size);

/**
 * Opens a pseudoterminal and starts a program on it, in a session of its own whose controlling terminal it
 * is. Its standard input, output and error are the terminal, unless opts.descriptors says otherwise of the last two.
 *
 * out:   gets the handle of the master
 * argv:  the program, its arguments, and a NULL behind them; see unipc_process_spawn()
 * flags: UNIPC_PROCESS_ flags, or 0
 * opts:  UNIPC_PROCESS_OPTS(...), or NULL
 * size:  the window's size; NULL: 24 lines of 80 characters
 *
 * What is written the program reads as if it was typed: it is echoed, lines can be edited until their end,
 * Ctrl-C (byte 3) is SIGINT. What it puts out is read, with "\r\n" for each newline. unipc_pty_set_modes()
 * switches these things off one by one.
 *
 * Returns 0.
 * Errors: those of unipc_pty_open() and unipc_process_spawn(), and
 *   -EINVAL  opts.descriptors has descriptor 0
 * Since 0.1.
 */
int unipc_pty_spawn(unipc_pty **out,
                    const char *const *argv,
                    unsigned int flags,
                    const unipc_process_opts *opts,
                    const unipc_window_size *size);

/**
 * The path of the other side: "/dev/pts/N".
 *
 * pty: a handle
 *
 * Returns a string that lives as long as the handle; NULL for NULL. Since 0.1. See ptsname(3).
 */
const char *unipc_pty_name(const unipc_pty *pty);

/**
 * The other side, a terminal to give to a program. While it is open no hang-up is seen here.
 *
 * pty: a handle
 *
 * Returns a new descriptor, close-on-exec, which is the caller's to close.
 * Errors:
 *   -EMFILE  no descriptors are left
 *   -EBADF   it was hung up
 *   -EINVAL  pty is NULL
 * Since 0.1. See TIOCGPTPEER(2const).
 */
int unipc_pty_slave(const unipc_pty *pty);

/**
 * Reads what is there.
 *
 * pty: a handle
 * buf:     room for the bytes
 * cap:     how many at most
 * timeout: how long to wait for the first byte; NULL: for ever; {0, 0}: not at all
 *
 * Returns how many bytes were read; 0 when the other side has hung up (read(2) says EIO).
 * Errors:
 *   -EAGAIN     there is nothing, and timeout is {0, 0}
 *   -ETIMEDOUT  nothing came in time
 *   -EINTR      a signal came; nothing was read
 *   -EBADF      it was closed, or is not for reading
 *   -EINVAL     no timeout; pty, or buf of more than 0 bytes, is NULL
 * Since 0.1. See read(2).
 */
ptrdiff_t unipc_pty_read(const unipc_pty *pty,
                         void *buf,
                         size_t cap,
                         const struct timespec *timeout);

/**
 * Reads the next line, as a string without its newline (a terminal
 * puts "\r" before it). A last line may have no newline.
 *
 * pty: a handle
 * buf:     room for the line and a NUL
 * cap:     how many bytes that is
 * timeout: how long to wait; NULL: for ever; {0, 0}: not at all
 *
 * Returns the line's length; an empty line is 0.
 * Errors:
 *   -ENODATA    the end: there is no further line
 *   -EMSGSIZE   the line does not fit, and stays the next; or it is beyond the limit, and unipc_pty_read()
 *               gives its bytes
 *   -EAGAIN, -ETIMEDOUT, -EINTR  it has not come whole; what has come stays
 *   -EBADF      it was closed, or is not for reading
 *   -EINVAL     no timeout; pty, or buf of more than 0 bytes, is NULL
 * Since 0.1.
 */
ptrdiff_t unipc_pty_read_line(const unipc_pty *pty,
                              char *buf,
                              size_t cap,
                              const struct timespec *timeout);

/**
 * Writes all bytes, as if they were typed. In canonical mode the terminal keeps 4095 bytes of a line that has
 * not ended, and drops the rest.
 *
 * pty: a handle
 * buf:     the bytes
 * len:     how many
 * timeout: for all of it; NULL: for ever; {0, 0}: only what fits
 *
 * Returns 0.
 * Errors: a part may have gone, of -EAGAIN, -ETIMEDOUT and -EINTR too
 *   -EAGAIN     there is no room, and timeout is {0, 0}
 *   -ETIMEDOUT  there was not enough room in time
 *   -EINTR      a signal came
 *   -ENOBUFS    64 MiB have come meanwhile that nobody has read
 *   -EBADF      it was hung up here
 *   -EINVAL     no timeout; pty, or buf of more than 0 bytes, is NULL
 * Since 0.1.
 */
int unipc_pty_write(const unipc_pty *pty,
                    const void *buf,
                    size_t len,
                    const struct timespec *timeout);

/**
 * Ends the input, as Ctrl-D does: in canonical mode a program that reads next at the beginning of a line
 * gets 0 bytes. The terminal stays.
 *
 * pty:     a handle
 * timeout: how long to wait for room; NULL: for ever; {0, 0}: not at all
 *
 * Returns 0.
 * Errors: those of unipc_pty_write()
 * Since 0.1.
 */
int unipc_pty_end_of_file(const unipc_pty *pty,
                          const struct timespec *timeout);

/**
 * The size of the window.
 *
 * pty:  a handle
 * size: gets it
 *
 * Returns 0.
 * Errors:
 *   -EBADF   it was hung up
 *   -EINVAL  pty or size is NULL
 * Since 0.1.
 */
int unipc_pty_window_size(const unipc_pty *pty, unipc_window_size *size);

/**
 * Sets the size of the window. If it changes, the program in the foreground gets SIGWINCH.
 *
 * pty:  a handle
 * size: the new one; NULL: 24 lines of 80 characters
 *
 * Returns 0.
 * Errors:
 *   -EBADF   it was hung up
 *   -EINVAL  pty is NULL
 * Since 0.1.
 */
int unipc_pty_set_window_size(const unipc_pty *pty, const unipc_window_size *size);

/**
 * What the line discipline does.
 *
 * pty: a handle
 *
 * Returns UNIPC_TERMINAL_ bits; all of them at the beginning.
 * Errors:
 *   -EBADF   it was hung up
 *   -EINVAL  pty is NULL
 * Since 0.1.
 */
int unipc_pty_modes(const unipc_pty *pty);

/**
 * Changes what the line discipline does.
 *
 * pty:   a handle
 * modes: UNIPC_TERMINAL_ bits; what is not among them stays as it is
 *
 * Returns 0.
 * Errors:
 *   -EBADF   it was hung up
 *   -EINTR   a signal came
 *   -EINVAL  unknown bits; pty is NULL
 * Since 0.1.
 */
int unipc_pty_set_modes(const unipc_pty *pty, unsigned int modes);

/**
 * Hangs up: the programs of the session get SIGHUP, and the other side ends.
 *
 * pty: a handle
 *
 * Returns 0.
 * Errors:
 *   -EINVAL  pty is NULL
 * Since 0.1.
 */
int unipc_pty_hang_up(const unipc_pty *pty);

/**
 * Waits until the program has ended. What it puts out is not read meanwhile: read to the end first.
 *
 * pty: a handle
 * status:  gets how it ended: 0 to 255 is what it gave to exit(), -N means that signal N has killed it.
 *          NULL if that is not wanted
 * timeout: how long to wait; NULL: for ever; {0, 0}: not at all
 *
 * Returns 0.
 * Errors: those of unipc_process_wait(); -ECHILD when there is no program
 * Since 0.1.
 */
int unipc_pty_wait(const unipc_pty *pty,
                   int *status,
                   const struct timespec *timeout);

/**
 * The program, for unipc_process_signal() and the like.
 *
 * pty: a handle
 *
 * Returns a handle that lives as long as this one, not to be closed; NULL for NULL
 * and where there is no program. Since 0.1.
 */
const unipc_process *unipc_pty_process(const unipc_pty *pty);

/**
 * The master's descriptor, for poll(). It does not block.
 *
 * pty: a handle
 *
 * A line that has come already is not seen by poll(): read until -EAGAIN before.
 *
 * Returns the descriptor, which stays the handle's: close-on-exec, valid until it is closed.
 * Errors:
 *   -EBADF   it was closed
 *   -EINVAL  pty is NULL
 * Since 0.1.
 */
int unipc_pty_fd(const unipc_pty *pty);

/**
 * Was something of what comes read already, which no poll() shows? Perhaps a part of a line.
 *
 * pty: a handle
 *
 * Returns 1 if so, else 0.
 * Errors:
 *   -EINVAL  pty is NULL
 * Since 0.1.
 */
int unipc_pty_has_buffered(const unipc_pty *pty);

/**
 * Closes the handle and hangs up; NULL is fine. It does not wait: see unipc_pty_wait(). No zombie remains.
 *
 * pty: a handle, not used after this
 *
 * Since 0.1.
 */
void unipc_pty_close(unipc_pty *pty);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* UNIPC_PIPE_H */
