/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Generated from ffi/src by `make bless`: change it there. */

#ifndef UNIPC_LOCK_H
#define UNIPC_LOCK_H

/*
 * Locks on files, of the three kinds that Linux has. All are advisory: they stop nobody but those who
 * ask for them too. The kernel drops them when their owner dies.
 *
 *                            UNIPC_LOCK_OFD       UNIPC_LOCK_POSIX       UNIPC_LOCK_FLOCK
 *   call                     fcntl(F_OFD_SETLK)   fcntl(F_SETLK), lockf  flock
 *   owner                    the open file        the process            the open file
 *   what is locked           any bytes            any bytes              the whole file
 *   two handles, one process exclude each other   are one owner          exclude each other
 *   another descriptor of
 *     the file is closed     nothing happens      all locks are LOST     nothing happens
 *   after fork()             owned by both        the child has none     owned by both
 *   after exec()             gone, as the descriptor is close-on-exec; kept if that is cleared
 *   shared to exclusive      in one step          in one step            given up first
 *   a deadlock               not noticed          -EDEADLK               not noticed
 *   who is in the way        range                range and pid          pid, by /proc/locks
 *
 * OFD and POSIX locks exclude each other; flock is a world of its own. OFD is the default: nothing of it
 * depends on what other code in the process does. Where deadlocks are not noticed, wait with a
 * timeout.
 */
#include <stddef.h>
#include <stdint.h>
#include <time.h>
#include <unipc/base.h>

/* Where a program asks for ISO C alone (-std=c99), time.h does not declare it. */
struct timespec;

/*
 * Options in one expression, for C: &UNIPC_LOCK_OPTS(.kind = UNIPC_LOCK_FLOCK, .mode = 0660).
 * They live until the end of the block.
 */
#ifndef __cplusplus
#define UNIPC_LOCK_OPTS(...) ((unipc_lock_opts){.sz = sizeof(unipc_lock_opts), __VA_ARGS__})
#endif

/* Options to start from, in C++ and C: unipc_lock_opts o = UNIPC_LOCK_OPTS_INIT; o.mode = 0660; */
#define UNIPC_LOCK_OPTS_INIT {sizeof(unipc_lock_opts), 0, 0}

/** The kinds of file lock, see the beginning of this header. */
typedef enum unipc_lock_kind {
    /** Record locks that belong to the open file: fcntl(F_OFD_SETLK). The default. */
    UNIPC_LOCK_OFD = 1,
    /** Record locks that belong to the process: fcntl(F_SETLK), lockf(). */
    UNIPC_LOCK_POSIX = 2,
    /** Locks on the whole file: flock(). */
    UNIPC_LOCK_FLOCK = 3,
} unipc_lock_kind;

/** How much a lock excludes. */
typedef enum unipc_lock_sharing {
    /** Everybody else: F_WRLCK, LOCK_EX. */
    UNIPC_LOCK_EXCLUSIVE = 1,
    /** Those who want it exclusively: F_RDLCK, LOCK_SH. */
    UNIPC_LOCK_SHARED = 2,
} unipc_lock_sharing;

/** Flags for opening. */
typedef enum unipc_lock_flag {
    /**
     * Open for reading only: needs no write permission, and allows a directory (for flock), but no
     * exclusive record lock. For unipc_lock_open() alone.
     */
    UNIPC_LOCK_READ_ONLY = (1 << 0),
} unipc_lock_flag;

/**
 * A file that is open for locking. Closing it ends its locks, and so does the end of the process.
 *
 * It is one owner: what it has locked it can lock again at once. Threads that are to exclude each
 * other open a handle each.
 */
typedef struct unipc_lock unipc_lock;

/**
 * How to create or open, where the defaults do not do. A field that is zero has its default.
 *
 * Make it with UNIPC_LOCK_OPTS() or UNIPC_LOCK_OPTS_INIT, which set sz. Later versions add fields.
 */
typedef struct unipc_lock_opts {
    /** sizeof(unipc_lock_opts). */
    size_t sz;
    /** A UNIPC_LOCK_ kind. 0: UNIPC_LOCK_OFD. */
    uint32_t kind;
    /** When creating: permission bits, exact whatever the umask. 0: 0600. */
    uint32_t mode;
} unipc_lock_opts;

/** A lock that is in the way of another one, see unipc_lock_holder(). */
typedef struct unipc_lock_holder_info {
    /** The process that took it. 0: none, it is an OFD lock; or one that cannot be seen from here. */
    int32_t pid;
    /** Its kind, a UNIPC_LOCK_ kind. */
    uint32_t kind;
    /** UNIPC_LOCK_EXCLUSIVE or UNIPC_LOCK_SHARED. */
    uint32_t sharing;
    /** Not used: 0. */
    uint32_t reserved;
    /** The first byte that it covers. */
    uint64_t start;
    /** How many bytes it covers. 0: to the end of the file, wherever that will be. */
    uint64_t length;
} unipc_lock_holder_info;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * Opens a file for locking, or creates it, empty, when there is none. What is in it stays.
 *
 * out:   where the handle goes; NULL on failure. Close it with unipc_lock_close().
 * name:  "file:PATH"
 * flags: 0
 * opts:  NULL for the defaults: OFD locks, mode 0600
 *
 * A symbolic link is not followed. The file is never removed, neither by closing nor otherwise: one
 * who waits for the old file and one who made a new one of its name would both get "the" lock.
 *
 * Example:
 *
 *     unipc_lock *lock;
 *     struct timespec second = {1, 0};
 *     if (unipc_lock_open_or_create(&lock, "file:/run/demo.lock", 0, NULL) < 0 ||
 *         unipc_lock_acquire(lock, UNIPC_LOCK_EXCLUSIVE, 0, 0, &second) < 0) {
 *         fprintf(stderr, "%s\n", unipc_last_error());
 *         return 1;
 *     }
 *     puts("nobody else has it now");
 *     unipc_lock_close(lock);
 *
 * Returns 0.
 * Errors:
 *   -EACCES       its mode or the directory does not let this user in
 *   -EMEDIUMTYPE  a symbolic link, directory, FIFO, socket or device lies under the name
 *   -EOPNOTSUPP   the name is not that of a file
 *   -EINVAL       no name, unknown flags, kind or mode; out or name is NULL
 *   -ENOSPC, -EROFS  it cannot be created
 *   -EBUSY        others create and remove the name all the time
 *   -E2BIG        opts uses fields that this version of the library does not know
 *   and what open(2) gives besides
 * Since 0.1.
 */
UNIPC_CHECK
int unipc_lock_open_or_create(unipc_lock **out,
                              const char *name,
                              unsigned int flags,
                              const unipc_lock_opts *opts);

/**
 * Creates a file for locking, which must not exist. It appears with its mode already set.
 *
 * The arguments are those of unipc_lock_open_or_create().
 *
 * Returns 0.
 * Errors: as unipc_lock_open_or_create(), and
 *   -EEXIST  something has the name, be it a symbolic link
 * Since 0.1.
 */
UNIPC_CHECK
int unipc_lock_create(unipc_lock **out,
                      const char *name,
                      unsigned int flags,
                      const unipc_lock_opts *opts);

/**
 * Opens an existing file for locking.
 *
 * flags: UNIPC_LOCK_READ_ONLY, or 0
 * The other arguments are those of unipc_lock_open_or_create().
 *
 * Returns 0.
 * Errors: as unipc_lock_open_or_create(), and
 *   -ENOENT  there is none
 * Since 0.1.
 */
UNIPC_CHECK
int unipc_lock_open(unipc_lock **out,
                    const char *name,
                    unsigned int flags,
                    const unipc_lock_opts *opts);

/**
 * Takes locks on a file that is open already.
 *
 * out:   where the handle goes; NULL on failure. Close it with unipc_lock_close().
 * fd:    a descriptor, which is duplicated; the caller still owns the original
 * flags: 0
 * opts:  NULL for the defaults; mode is not used
 *
 * OFD locks and flock belong to the open file, so to the original descriptor too. With
 * UNIPC_LOCK_POSIX, closing the handle ends all locks that this process has on the file.
 *
 * Returns 0.
 * Errors:
 *   -EBADF   not an open descriptor, or one that only names a path (O_PATH)
 *   -EMFILE  no descriptor is free
 *   -EINVAL  unknown flags or kind; out is NULL
 *   -E2BIG   opts uses fields that this version of the library does not know
 * Since 0.1.
 */
UNIPC_CHECK
int unipc_lock_from_fd(unipc_lock **out,
                       int fd,
                       unsigned int flags,
                       const unipc_lock_opts *opts);

/**
 * The name of the file; of a descriptor what the kernel calls it.
 *
 * lock: a handle
 *
 * Returns a string that lives as long as the handle, NULL if lock is NULL. Since 0.1.
 */
const char *unipc_lock_name(const unipc_lock *lock);

/**
 * Which kind of locks the handle takes.
 *
 * lock: a handle
 *
 * Returns a UNIPC_LOCK_ kind, -EINVAL if lock is NULL. Since 0.1.
 */
int unipc_lock_kind_of(const unipc_lock *lock);

/**
 * The descriptor of the file: close-on-exec, valid until the handle is closed, not to be closed.
 *
 * lock: a handle
 *
 * Returns the descriptor, -EINVAL if lock is NULL. Since 0.1.
 */
int unipc_lock_fd(const unipc_lock *lock);

/**
 * Closes the file, which ends its locks; the file stays. With UNIPC_LOCK_POSIX all locks end that this
 * process has on the file, by whatever handle.
 *
 * lock: a handle that is not used again; NULL is nothing
 *
 * Since 0.1.
 */
void unipc_lock_close(unipc_lock *lock);

/**
 * Locks some bytes of the file, or all of it.
 *
 * lock:    a handle
 * sharing: UNIPC_LOCK_EXCLUSIVE or UNIPC_LOCK_SHARED
 * start:   the first byte; bytes need not exist. 0 for flock.
 * length:  how many bytes. 0: to the end of the file, wherever that will be. 0 for flock.
 * timeout: how long to wait, NULL for ever, {0, 0} not at all
 *
 * What this owner has locked of these bytes is converted. A record lock is converted at once or
 * stays as it was; flock gives up what it has first, so that another owner may get it, and when the
 * call fails nothing is locked any more.
 *
 * The kernel has no time limit for locks: a wait with one tries first, and is then interrupted by a
 * timer with a real-time signal that nobody else uses. Nobody polls, and nothing is held or
 * queued when the time is over.
 *
 * Returns 0: it is locked, until unipc_lock_release() or unipc_lock_close().
 * Errors:
 *   -EAGAIN      somebody else has it, and the timeout is {0, 0}; or a wait with a limit cannot get
 *                a timer (RLIMIT_SIGPENDING)
 *   -ETIMEDOUT   somebody else has had it all the time
 *   -EINTR       a signal handler ran
 *   -EDEADLK     UNIPC_LOCK_POSIX: who has it waits for a lock of this process
 *   -EBADF       the descriptor is not open for writing (exclusive record lock) or reading (shared)
 *   -ENOLCK      there are too many locks
 *   -EOPNOTSUPP  a range with flock
 *   -EOVERFLOW   start + length is beyond the largest file
 *   -EINVAL      unknown sharing, a bad timeout; lock is NULL
 * Since 0.1. See fcntl(2), flock(2).
 */
UNIPC_CHECK
int unipc_lock_acquire(const unipc_lock *lock,
                       unsigned int sharing,
                       uint64_t start,
                       uint64_t length,
                       const struct timespec *timeout);

/**
 * Unlocks some bytes of the file, or all of it. Of a larger range the rest stays locked; bytes that are
 * not locked are fine.
 *
 * lock:   a handle
 * start:  the first byte. 0 for flock.
 * length: how many bytes. 0: to the end of the file, wherever that will be. 0 for flock.
 *
 * Returns 0.
 * Errors:
 *   -ENOLCK      one lock would become two, and there are too many
 *   -EOPNOTSUPP  a range with flock
 *   -EOVERFLOW   start + length is beyond the largest file
 *   -EINVAL      lock is NULL
 * Since 0.1.
 */
int unipc_lock_release(const unipc_lock *lock,
                       uint64_t start,
                       uint64_t length);

/**
 * Tells a lock of another owner that would make this one wait for such a lock now. By the time of the
 * answer that may have changed.
 *
 * lock, sharing, start, length: as for unipc_lock_acquire()
 * holder: where the first lock in the way is described
 *
 * The kernel tells it for record locks (F_OFD_GETLK, F_GETLK). For flock, /proc/locks is read: it may
 * name a process that has gone, and shows no locks of other pid namespaces.
 *
 * Returns 1: *holder says who is in the way. 0: nobody is, and *holder is as before.
 * Errors:
 *   -EOPNOTSUPP  a range with flock
 *   -EOVERFLOW   start + length is beyond the largest file
 *   -EINVAL      unknown sharing; lock or holder is NULL
 *   and, for flock, what reading /proc gives
 * Since 0.1.
 */
UNIPC_CHECK
int unipc_lock_holder(const unipc_lock *lock,
                      unsigned int sharing,
                      uint64_t start,
                      uint64_t length,
                      unipc_lock_holder_info *holder);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* UNIPC_LOCK_H */
