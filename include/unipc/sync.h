/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Generated from ffi/src by `make bless`: change it there. */

#ifndef UNIPC_SYNC_H
#define UNIPC_SYNC_H

/*
 * Locks placed in shared memory that survive a kill -9: mutex, condition variable, read-write lock,
 * barrier, semaphore, event and once.
 *
 * An object lies at an offset of any shared memory, where there were zeros, or under a name of its
 * own. It is opened by each process, from C, Python and Rust alike, and used by any thread.
 *
 * Death. Whoever holds something may be killed at any instruction: the next one gets in, and is
 * told so by UNIPC_OWNER_DIED. A stopped process is not dead. So that this works, the kernel and
 * the C library keep a list of what each thread holds; programs that use these objects need
 * nothing for it.
 *
 * Two forms. The robust form (the default) is this library's own. In the pthread form the bytes
 * are the C library's own object, for programs that know only that.
 *
 * A program that counts its runs, with any number of others at once:
 *
 *     #include <stdint.h>
 *     #include <stdio.h>
 *     #include <unipc.h>
 *
 *     int main(void)
 *     {
 *         struct { uint64_t begun, done; } *runs;
 *         unipc_shm *shm;
 *         unipc_mutex *mutex;
 *         int rc;
 *
 *         if (unipc_shm_open_or_create(&shm, "/counter", 4096, 0, NULL) < 0 ||
 *             unipc_mutex_open(&mutex, shm, 0, UNIPC_SYNC_OPEN_OR_CREATE, NULL) < 0 ||
 *             (rc = unipc_mutex_lock(mutex, NULL)) < 0) {
 *             fprintf(stderr, "%s\n", unipc_last_error());
 *             return 1;
 *         }
 *         // The mutex takes the first unipc_mutex_size() bytes, 256: data go behind them.
 *         runs = unipc_shm_at(shm, 1024, sizeof(*runs));
 *         if (rc == UNIPC_OWNER_DIED) { // it is held, and the last holder was killed
 *             runs->begun = runs->done;
 *             unipc_mutex_recovered(mutex);
 *         }
 *         runs->begun++;
 *         runs->done++;
 *         printf("run %llu\n", (unsigned long long)runs->done);
 *         unipc_mutex_unlock(mutex);
 *         unipc_mutex_close(mutex);
 *         unipc_shm_close(shm);
 *         return 0;
 *     }
 *
 * A timeout is relative, on the monotonic clock; NULL is for ever, {0, 0} a try.
 */
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>
#include <unipc/base.h>
#include <unipc/shm.h>

/* Where a program asks for ISO C alone (-std=c99), time.h does not declare it. */
struct timespec;

/* Options in one expression, for C: &UNIPC_SYNC_OPTS(.form = UNIPC_SYNC_PTHREAD). */
#ifndef __cplusplus
#define UNIPC_SYNC_OPTS(...) ((unipc_sync_opts){.sz = sizeof(unipc_sync_opts), __VA_ARGS__})
#endif

/* Options to start from, in C++ and C: unipc_sync_opts o = UNIPC_SYNC_OPTS_INIT; o.max = 10; */
#define UNIPC_SYNC_OPTS_INIT {sizeof(unipc_sync_opts), 0, 0, 0, 0, 0, 0}

/** What the functions that open do when there is an object, and when there is none. */
typedef enum unipc_sync_how {
    /** Open the one that is there. Where the bytes are zero, wait for up to a second for a creator. */
    UNIPC_SYNC_OPEN = 0,
    /** Create it where there are zeros. */
    UNIPC_SYNC_CREATE = 1,
    /** Open it, or create it when there is none. */
    UNIPC_SYNC_OPEN_OR_CREATE = 2,
} unipc_sync_how;

/** Whose layout an object has. */
typedef enum unipc_sync_form {
    /** This library's own, which survives every death. The default. */
    UNIPC_SYNC_ROBUST = 0,
    /**
     * The C library's own pthread_mutex_t, pthread_cond_t, pthread_rwlock_t, pthread_barrier_t or
     * sem_t, process-shared, so that programs that know only libc use the same bytes. Only the
     * mutex, which is a robust one, survives a death. Nothing tells what the bytes are: peers must
     * be trusted, one of them creates, and the others open when that is done.
     */
    UNIPC_SYNC_PTHREAD = 1,
} unipc_sync_form;

/** What a mutex does when its holder locks it again. */
typedef enum unipc_mutex_kind {
    /** It says -EDEADLK (PTHREAD_MUTEX_ERRORCHECK). The default. */
    UNIPC_MUTEX_ERROR_CHECKING = 0,
    /** It waits for itself, until the time is over (PTHREAD_MUTEX_NORMAL). */
    UNIPC_MUTEX_NORMAL = 1,
    /** It counts (PTHREAD_MUTEX_RECURSIVE). */
    UNIPC_MUTEX_RECURSIVE = 2,
} unipc_mutex_kind;

/** News of calls that have done their work. */
typedef enum unipc_locked {
    /** As it should be. */
    UNIPC_LOCKED = 0,
    /**
     * It is held, and its last holder died or left without repairing: what it guards may be
     * inconsistent.
     */
    UNIPC_OWNER_DIED = 1,
} unipc_locked;

/** News of unipc_once_begin(). */
typedef enum unipc_once_news {
    /** It is done. */
    UNIPC_ONCE_DONE = 0,
    /** It is the caller's to do. */
    UNIPC_ONCE_BEGIN = 1,
    /** It is the caller's to do, and somebody who died has begun before. */
    UNIPC_ONCE_BEGIN_AGAIN = 2,
} unipc_once_news;

/**
 * A point that a number of threads pass together.
 *
 * A handle belongs to the process, the object to the shared memory: it stays when the handle is
 * closed, and the handle stays usable when the memory is closed.
 */
typedef struct unipc_barrier unipc_barrier;

/**
 * A condition variable: waiting for a change of what a mutex guards.
 *
 * A handle belongs to the process, the object to the shared memory: it stays when the handle is
 * closed, and the handle stays usable when the memory is closed.
 */
typedef struct unipc_condvar unipc_condvar;

/**
 * A flag for which others wait.
 *
 * A handle belongs to the process, the object to the shared memory: it stays when the handle is
 * closed, and the handle stays usable when the memory is closed.
 */
typedef struct unipc_event unipc_event;

/**
 * A lock for one thread at a time, of any process.
 *
 * A handle belongs to the process, the object to the shared memory: it stays when the handle is
 * closed, and the handle stays usable when the memory is closed.
 */
typedef struct unipc_mutex unipc_mutex;

/**
 * Something that is done once among all processes.
 *
 * A handle belongs to the process, the object to the shared memory: it stays when the handle is
 * closed, and the handle stays usable when the memory is closed.
 */
typedef struct unipc_once unipc_once;

/**
 * A lock that many readers have together, or one writer alone.
 *
 * A handle belongs to the process, the object to the shared memory: it stays when the handle is
 * closed, and the handle stays usable when the memory is closed.
 */
typedef struct unipc_rwlock unipc_rwlock;

/**
 * Permits, each of which knows its holder.
 *
 * A handle belongs to the process, the object to the shared memory: it stays when the handle is
 * closed, and the handle stays usable when the memory is closed.
 */
typedef struct unipc_sync_semaphore unipc_sync_semaphore;

/**
 * How to create or open, where the defaults do not do. A field that is zero has its default; one
 * that the object has no use for must be zero.
 *
 * Make it with UNIPC_SYNC_OPTS() or UNIPC_SYNC_OPTS_INIT, which set sz. Later versions add fields.
 */
typedef struct unipc_sync_opts {
    /** sizeof(unipc_sync_opts). */
    size_t sz;
    /** When opening by name and creating: permission bits, exact whatever the umask. 0: 0600. */
    uint32_t mode;
    /** UNIPC_SYNC_ROBUST or UNIPC_SYNC_PTHREAD. Not for events and once. */
    uint32_t form;
    /** Mutex: a UNIPC_MUTEX_ kind. When opening, the object's own kind counts. */
    uint32_t kind;
    /** Mutex: not 0 lets the holder run with the priority of the most urgent waiter. Pthread form alone. */
    uint32_t inherit;
    /** Event: not 0 lets one waiter pass for each unipc_event_set(), instead of all. */
    uint32_t auto_reset;
    /**
     * Semaphore: how many permits there can be. 0: as many as at first, but at least 64.
     * Read-write lock: how many can read at once. 0: 60. Robust form alone.
     */
    uint32_t max;
} unipc_sync_opts;

/** A thread that holds something. */
typedef struct unipc_sync_holder {
    /** Its process, in that process's own PID namespace. 0: not known. */
    uint32_t pid;
    /** The thread, likewise. 0: nobody. */
    uint32_t tid;
    /** When the thread began, in clock ticks since boot, as in /proc/PID/stat. 0: not known. */
    uint64_t start_time;
} unipc_sync_holder;

/** What is to be seen of a mutex or a read-write lock from outside. */
typedef struct unipc_sync_status {
    /** Who holds the mutex; who writes, or waits for readers to leave so as to write. */
    unipc_sync_holder holder;
    /** 1 when the last holder died, and nobody has said since that the data are whole. */
    uint32_t owner_died;
    /** 1 when it can be locked no more. */
    uint32_t retired;
} unipc_sync_status;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * Opens or creates a mutex in shared memory.
 *
 * out:    where the handle goes; NULL on failure. Close it with unipc_mutex_close().
 * shm:    the memory, writable; it may be closed before the handle is
 * offset: where the object begins: a multiple of 64 (of 8 in the pthread form); it takes unipc_mutex_size()
 *         bytes from there, and data go behind them
 * how:    UNIPC_SYNC_OPEN, UNIPC_SYNC_CREATE or UNIPC_SYNC_OPEN_OR_CREATE
 * opts:   NULL for the defaults
 *
 * Returns 0.
 * Errors:
 *   -EEXIST      UNIPC_SYNC_CREATE, and there is one
 *   -EBUSY       the bytes are not zero and no object: fill them with zeros first
 *   -EPROTO      there is none, or another kind or version of object
 *   -EINVAL      the offset is no such multiple, an argument or an option is out of range; out or shm
 *                is NULL
 *   -ERANGE      it does not fit into the memory
 *   -EACCES      the memory is mapped read-only
 *   -EOPNOTSUPP  the memory is mapped copy-on-write, or the form does not have what was asked for
 *   -EINTR       a signal came while it waited for a creator
 * Since 0.1.
 */
UNIPC_CHECK
int unipc_mutex_open(unipc_mutex **out,
                     const unipc_shm *shm,
                     size_t offset,
                     int how,
                     const unipc_sync_opts *opts);

/**
 * Opens or creates a mutex under a name of its own, in a small segment for it alone.
 *
 * out:    where the handle goes; NULL on failure. Close it with unipc_mutex_close().
 * name:   as for unipc_shm_create(); it is removed with unipc_shm_unlink()
 * how:    UNIPC_SYNC_OPEN, UNIPC_SYNC_CREATE or UNIPC_SYNC_OPEN_OR_CREATE
 * opts:   NULL for the defaults
 *
 * Returns 0.
 * Errors: as unipc_mutex_open(), and as unipc_shm_create() and unipc_shm_open() of the name.
 * Since 0.1.
 */
UNIPC_CHECK
int unipc_mutex_open_named(unipc_mutex **out,
                           const char *name,
                           int how,
                           const unipc_sync_opts *opts);

/**
 * Closes the handle; the object stays. What the process holds of it, it goes on holding, until another
 * handle gives it back or the thread ends.
 *
 * handle: NULL is fine
 *
 * Since 0.1.
 */
void unipc_mutex_close(unipc_mutex *handle);

/**
 * How many bytes a mutex takes in the robust form. In the pthread form it is the C library's size.
 *
 * Since 0.1.
 */
size_t unipc_mutex_size(void);

/**
 * Locks the mutex for the calling thread.
 *
 * When the last holder died, the lock is held all the same, and UNIPC_OWNER_DIED says so: repair the data,
 * then call unipc_mutex_recovered(). Unlocking without that retires the mutex.
 *
 * Not async-signal-safe. A child of fork() holds nothing.
 *
 * handle: a handle
 * timeout: how long to wait, on the monotonic clock; NULL for ever, {0, 0} not at all
 *
 * Returns UNIPC_LOCKED or UNIPC_OWNER_DIED: it is held in both cases.
 * Errors:
 *   -EAGAIN     the timeout is {0, 0}, and it cannot be done without waiting
 *   -ETIMEDOUT  the time is over
 *   -EINTR      a signal came; not in the pthread form, which goes on waiting
 *   -EDEADLK    the calling thread holds it already
 *   -ENOTRECOVERABLE  nobody repaired what a dead holder left: it is retired
 *   -EFAULT     the file behind the memory was truncated
 *   -EINVAL     handle is NULL, or the timeout is none
 * Since 0.1.
 */
UNIPC_CHECK
int unipc_mutex_lock(const unipc_mutex *handle,
                     const struct timespec *timeout);

/**
 * Unlocks the mutex.
 *
 * handle: a handle
 *
 * Returns 0.
 * Errors:
 *   -EPERM   the calling thread does not hold it
 *   -EINVAL  handle is NULL
 * Since 0.1.
 */
int unipc_mutex_unlock(const unipc_mutex *handle);

/**
 * Says that what the mutex guards is whole again, after its last holder died.
 *
 * handle: a handle
 *
 * Returns 0.
 * Errors:
 *   -EPERM   the calling thread does not hold it
 *   -EINVAL  nobody died; handle is NULL
 * Since 0.1.
 */
int unipc_mutex_recovered(const unipc_mutex *handle);

/**
 * Unlocks, and leaves the data to the next one as if this thread had died: it will be told so.
 *
 * handle: a handle
 *
 * Returns 0.
 * Errors:
 *   -EPERM       the calling thread does not hold it
 *   -EOPNOTSUPP  it has the pthread form
 *   -EINVAL      handle is NULL
 * Since 0.1.
 */
int unipc_mutex_abandon(const unipc_mutex *handle);

/**
 * Who holds it, and whether somebody has died, a moment ago.
 *
 * handle: a handle
 * status: where it goes
 *
 * Returns 0.
 * Errors:
 *   -EINVAL  a pointer is NULL
 * Since 0.1.
 */
int unipc_mutex_status(const unipc_mutex *handle, unipc_sync_status *status);

/**
 * The threads that sleep at the object, as far as there was room in it; of those who died they may be
 * stale. None are known in the pthread form.
 *
 * handle: a handle
 * tids:   gets up to cap numbers; may be NULL when cap is 0
 * cap:    how many there is room for
 *
 * Returns how many there are.
 * Errors:
 *   -EINVAL  handle is NULL, or tids is and cap is not 0
 * Since 0.1.
 */
ptrdiff_t unipc_mutex_waiters(const unipc_mutex *handle,
                              uint32_t *tids,
                              size_t cap);

/**
 * Opens or creates a condition variable in shared memory.
 *
 * out:    where the handle goes; NULL on failure. Close it with unipc_condvar_close().
 * shm:    the memory, writable; it may be closed before the handle is
 * offset: where the object begins: a multiple of 64 (of 8 in the pthread form); it takes unipc_condvar_size()
 *         bytes from there, and data go behind them
 * how:    UNIPC_SYNC_OPEN, UNIPC_SYNC_CREATE or UNIPC_SYNC_OPEN_OR_CREATE
 * opts:   NULL for the defaults
 *
 * Returns 0.
 * Errors:
 *   -EEXIST      UNIPC_SYNC_CREATE, and there is one
 *   -EBUSY       the bytes are not zero and no object: fill them with zeros first
 *   -EPROTO      there is none, or another kind or version of object
 *   -EINVAL      the offset is no such multiple, an argument or an option is out of range; out or shm
 *                is NULL
 *   -ERANGE      it does not fit into the memory
 *   -EACCES      the memory is mapped read-only
 *   -EOPNOTSUPP  the memory is mapped copy-on-write, or the form does not have what was asked for
 *   -EINTR       a signal came while it waited for a creator
 * Since 0.1.
 */
UNIPC_CHECK
int unipc_condvar_open(unipc_condvar **out,
                       const unipc_shm *shm,
                       size_t offset,
                       int how,
                       const unipc_sync_opts *opts);

/**
 * Opens or creates a condition variable under a name of its own, in a small segment for it alone.
 *
 * out:    where the handle goes; NULL on failure. Close it with unipc_condvar_close().
 * name:   as for unipc_shm_create(); it is removed with unipc_shm_unlink()
 * how:    UNIPC_SYNC_OPEN, UNIPC_SYNC_CREATE or UNIPC_SYNC_OPEN_OR_CREATE
 * opts:   NULL for the defaults
 *
 * Returns 0.
 * Errors: as unipc_condvar_open(), and as unipc_shm_create() and unipc_shm_open() of the name.
 * Since 0.1.
 */
UNIPC_CHECK
int unipc_condvar_open_named(unipc_condvar **out,
                             const char *name,
                             int how,
                             const unipc_sync_opts *opts);

/**
 * Closes the handle; the object stays. What the process holds of it, it goes on holding, until another
 * handle gives it back or the thread ends.
 *
 * handle: NULL is fine
 *
 * Since 0.1.
 */
void unipc_condvar_close(unipc_condvar *handle);

/**
 * How many bytes a condition variable takes in the robust form. In the pthread form it is the C library's size.
 *
 * Since 0.1.
 */
size_t unipc_condvar_size(void);

/**
 * Unlocks the mutex, waits for a notice, and locks again.
 *
 * The wait may end without a notice: always look again at what you wait for.
 *
 * handle:  a handle
 * mutex:   a mutex of the same form, which the calling thread holds, once
 * timeout: how long to wait, on the monotonic clock; NULL for ever, {0, 0} not at all
 *
 * Returns UNIPC_LOCKED, or UNIPC_OWNER_DIED when the mutex is held again and a holder died meanwhile.
 * Errors: after each but -ENOTRECOVERABLE the mutex is held again, as before; unipc_mutex_status() tells
 * whether a holder died meanwhile.
 *   -ETIMEDOUT  the time is over
 *   -EAGAIN     the timeout is {0, 0}
 *   -EINTR      a signal came; not in the pthread form, which goes on waiting
 *   -EPERM      the calling thread does not hold the mutex
 *   -EINVAL     a handle is NULL, the timeout is none, the forms differ, or the mutex is locked more than once
 *   -ENOTRECOVERABLE  the mutex was retired meanwhile, and is not held
 * Since 0.1.
 */
int unipc_condvar_wait(const unipc_condvar *handle,
                       const unipc_mutex *mutex,
                       const struct timespec *timeout);

/**
 * Wakes one of those who wait.
 *
 * handle: a handle
 *
 * Returns 0.
 * Errors:
 *   -EFAULT  the file behind the memory was truncated
 *   -EINVAL  handle is NULL
 * Since 0.1.
 */
int unipc_condvar_notify_one(const unipc_condvar *handle);

/**
 * Wakes all who wait.
 *
 * handle: a handle
 *
 * Returns 0.
 * Errors:
 *   -EFAULT  the file behind the memory was truncated
 *   -EINVAL  handle is NULL
 * Since 0.1.
 */
int unipc_condvar_notify_all(const unipc_condvar *handle);

/**
 * The threads that sleep at the object, as far as there was room in it; of those who died they may be
 * stale. None are known in the pthread form.
 *
 * handle: a handle
 * tids:   gets up to cap numbers; may be NULL when cap is 0
 * cap:    how many there is room for
 *
 * Returns how many there are.
 * Errors:
 *   -EINVAL  handle is NULL, or tids is and cap is not 0
 * Since 0.1.
 */
ptrdiff_t unipc_condvar_waiters(const unipc_condvar *handle,
                                uint32_t *tids,
                                size_t cap);

/**
 * Opens or creates a read-write lock in shared memory.
 *
 * out:    where the handle goes; NULL on failure. Close it with unipc_rwlock_close().
 * shm:    the memory, writable; it may be closed before the handle is
 * offset: where the object begins: a multiple of 64 (of 8 in the pthread form); it takes unipc_rwlock_size()
 *         bytes from there, and data go behind them
 * how:    UNIPC_SYNC_OPEN, UNIPC_SYNC_CREATE or UNIPC_SYNC_OPEN_OR_CREATE
 * opts:   NULL for the defaults
 *
 * Returns 0.
 * Errors:
 *   -EEXIST      UNIPC_SYNC_CREATE, and there is one
 *   -EBUSY       the bytes are not zero and no object: fill them with zeros first
 *   -EPROTO      there is none, or another kind or version of object
 *   -EINVAL      the offset is no such multiple, an argument or an option is out of range; out or shm
 *                is NULL
 *   -ERANGE      it does not fit into the memory
 *   -EACCES      the memory is mapped read-only
 *   -EOPNOTSUPP  the memory is mapped copy-on-write, or the form does not have what was asked for
 *   -EINTR       a signal came while it waited for a creator
 * Since 0.1.
 */
UNIPC_CHECK
int unipc_rwlock_open(unipc_rwlock **out,
                      const unipc_shm *shm,
                      size_t offset,
                      int how,
                      const unipc_sync_opts *opts);

/**
 * Opens or creates a read-write lock under a name of its own, in a small segment for it alone.
 *
 * out:    where the handle goes; NULL on failure. Close it with unipc_rwlock_close().
 * name:   as for unipc_shm_create(); it is removed with unipc_shm_unlink()
 * how:    UNIPC_SYNC_OPEN, UNIPC_SYNC_CREATE or UNIPC_SYNC_OPEN_OR_CREATE
 * opts:   NULL for the defaults
 *
 * Returns 0.
 * Errors: as unipc_rwlock_open(), and as unipc_shm_create() and unipc_shm_open() of the name.
 * Since 0.1.
 */
UNIPC_CHECK
int unipc_rwlock_open_named(unipc_rwlock **out,
                            const char *name,
                            int how,
                            const unipc_sync_opts *opts);

/**
 * Closes the handle; the object stays. What the process holds of it, it goes on holding, until another
 * handle gives it back or the thread ends.
 *
 * handle: NULL is fine
 *
 * Since 0.1.
 */
void unipc_rwlock_close(unipc_rwlock *handle);

/**
 * How many bytes a read-write lock takes in the robust form. In the pthread form it is the C library's size.
 *
 * readers: opts.max, or the 60 that it is by default
 *
 * Since 0.1.
 */
size_t unipc_rwlock_size(uint32_t readers);

/**
 * Locks for reading, together with other readers.
 *
 * A writer that waits keeps new readers out: a thread that reads must not ask to read again. (The pthread
 * form prefers readers, as glibc does.) UNIPC_OWNER_DIED: a writer died, and no writer has repaired yet.
 *
 * handle: a handle
 * timeout: how long to wait, on the monotonic clock; NULL for ever, {0, 0} not at all
 *
 * Returns UNIPC_LOCKED or UNIPC_OWNER_DIED: it is held in both cases.
 * Errors:
 *   -EAGAIN     the timeout is {0, 0}, and it cannot be done without waiting
 *   -ETIMEDOUT  the time is over
 *   -EINTR      a signal came; not in the pthread form, which goes on waiting
 *   -EDEADLK    the calling thread writes
 *   -ENOTRECOVERABLE  nobody repaired what a dead holder left: it is retired
 *   -EFAULT     the file behind the memory was truncated
 *   -EINVAL     handle is NULL, or the timeout is none
 * Since 0.1.
 */
UNIPC_CHECK
int unipc_rwlock_read(const unipc_rwlock *handle,
                      const struct timespec *timeout);

/**
 * Locks for writing, alone.
 *
 * UNIPC_OWNER_DIED: the last writer died. Repair the data, then call unipc_rwlock_recovered(); unlocking
 * without that retires the lock.
 *
 * handle: a handle
 * timeout: how long to wait, on the monotonic clock; NULL for ever, {0, 0} not at all
 *
 * Returns UNIPC_LOCKED or UNIPC_OWNER_DIED: it is held in both cases.
 * Errors:
 *   -EAGAIN     the timeout is {0, 0}, and it cannot be done without waiting
 *   -ETIMEDOUT  the time is over
 *   -EINTR      a signal came; not in the pthread form, which goes on waiting
 *   -EDEADLK    the calling thread reads or writes
 *   -ENOTRECOVERABLE  nobody repaired what a dead holder left: it is retired
 *   -EFAULT     the file behind the memory was truncated
 *   -EINVAL     handle is NULL, or the timeout is none
 * Since 0.1.
 */
UNIPC_CHECK
int unipc_rwlock_write(const unipc_rwlock *handle,
                       const struct timespec *timeout);

/**
 * Ends what the calling thread has: its writing, or its latest reading.
 *
 * handle: a handle
 *
 * Returns 0.
 * Errors:
 *   -EPERM   it has neither; not noticed in the pthread form
 *   -EINVAL  handle is NULL
 * Since 0.1.
 */
int unipc_rwlock_unlock(const unipc_rwlock *handle);

/**
 * Says, as the writer, that the data are whole again after a writer died.
 *
 * handle: a handle
 *
 * Returns 0.
 * Errors:
 *   -EPERM       the calling thread does not write
 *   -EOPNOTSUPP  it has the pthread form
 *   -EINVAL      nobody died; handle is NULL
 * Since 0.1.
 */
int unipc_rwlock_recovered(const unipc_rwlock *handle);

/**
 * Ends the writing, and leaves the data to the next one as if this thread had died.
 *
 * handle: a handle
 *
 * Returns 0.
 * Errors:
 *   -EPERM       the calling thread does not write
 *   -EOPNOTSUPP  it has the pthread form
 *   -EINVAL      handle is NULL
 * Since 0.1.
 */
int unipc_rwlock_abandon(const unipc_rwlock *handle);

/**
 * Who holds it, and whether somebody has died, a moment ago.
 *
 * handle: a handle
 * status: where it goes
 *
 * Returns 0.
 * Errors:
 *   -EINVAL  a pointer is NULL
 * Since 0.1.
 */
int unipc_rwlock_status(const unipc_rwlock *handle, unipc_sync_status *status);

/**
 * The threads that read. In the pthread form nobody is known.
 *
 * handle:  a handle
 * holders: gets up to cap threads; may be NULL when cap is 0
 * cap:     how many there is room for
 *
 * Returns how many there are.
 * Errors:
 *   -EINVAL  handle is NULL, or holders is and cap is not 0
 * Since 0.1.
 */
ptrdiff_t unipc_rwlock_readers(const unipc_rwlock *handle,
                               unipc_sync_holder *holders,
                               size_t cap);

/**
 * The threads that sleep at the object, as far as there was room in it; of those who died they may be
 * stale. None are known in the pthread form.
 *
 * handle: a handle
 * tids:   gets up to cap numbers; may be NULL when cap is 0
 * cap:    how many there is room for
 *
 * Returns how many there are.
 * Errors:
 *   -EINVAL  handle is NULL, or tids is and cap is not 0
 * Since 0.1.
 */
ptrdiff_t unipc_rwlock_waiters(const unipc_rwlock *handle,
                               uint32_t *tids,
                               size_t cap);

/**
 * Opens or creates a barrier in shared memory.
 *
 * out:    where the handle goes; NULL on failure. Close it with unipc_barrier_close().
 * shm:    the memory, writable; it may be closed before the handle is
 * offset: where the object begins: a multiple of 64 (of 8 in the pthread form); it takes unipc_barrier_size()
 *         bytes from there, and data go behind them
 * how:    UNIPC_SYNC_OPEN, UNIPC_SYNC_CREATE or UNIPC_SYNC_OPEN_OR_CREATE
 * parties:how many parties it is for, 1 to 65536; not looked at by UNIPC_SYNC_OPEN
 * opts:   NULL for the defaults
 *
 * Returns 0.
 * Errors:
 *   -EEXIST      UNIPC_SYNC_CREATE, and there is one
 *   -EBUSY       the bytes are not zero and no object: fill them with zeros first
 *   -EPROTO      there is none, or another kind or version of object
 *   -EINVAL      the offset is no such multiple, an argument or an option is out of range; out or shm
 *                is NULL
 *   -ERANGE      it does not fit into the memory
 *   -EACCES      the memory is mapped read-only
 *   -EOPNOTSUPP  the memory is mapped copy-on-write, or the form does not have what was asked for
 *   -EINTR       a signal came while it waited for a creator
 * Since 0.1.
 */
UNIPC_CHECK
int unipc_barrier_open(unipc_barrier **out,
                       const unipc_shm *shm,
                       size_t offset,
                       int how,
                       uint32_t parties,
                       const unipc_sync_opts *opts);

/**
 * Opens or creates a barrier under a name of its own, in a small segment for it alone.
 *
 * out:    where the handle goes; NULL on failure. Close it with unipc_barrier_close().
 * name:   as for unipc_shm_create(); it is removed with unipc_shm_unlink()
 * how:    UNIPC_SYNC_OPEN, UNIPC_SYNC_CREATE or UNIPC_SYNC_OPEN_OR_CREATE
 * parties:how many parties it is for, 1 to 65536; not looked at by UNIPC_SYNC_OPEN
 * opts:   NULL for the defaults
 *
 * Returns 0.
 * Errors: as unipc_barrier_open(), and as unipc_shm_create() and unipc_shm_open() of the name.
 * Since 0.1.
 */
UNIPC_CHECK
int unipc_barrier_open_named(unipc_barrier **out,
                             const char *name,
                             int how,
                             uint32_t parties,
                             const unipc_sync_opts *opts);

/**
 * Closes the handle; the object stays. What the process holds of it, it goes on holding, until another
 * handle gives it back or the thread ends.
 *
 * handle: NULL is fine
 *
 * Since 0.1.
 */
void unipc_barrier_close(unipc_barrier *handle);

/**
 * How many bytes a barrier takes in the robust form. In the pthread form it is the C library's size.
 *
 * parties: how many parties it is for
 *
 * Since 0.1.
 */
size_t unipc_barrier_size(uint32_t parties);

/**
 * Arrives, and waits until all parties have.
 *
 * A party that dies while it waits breaks the barrier, and so does one that has called unipc_barrier_join()
 * whenever it dies. A wait that ends early takes the arrival back and breaks nothing.
 *
 * handle: a handle
 * timeout: how long to wait, on the monotonic clock; NULL for ever, {0, 0} not at all
 *
 * Returns 1 to one of the parties, the last, and 0 to the others.
 * Errors:
 *   -EOWNERDEAD  the barrier is broken; unipc_barrier_reset() makes it whole
 *   -EAGAIN     the timeout is {0, 0}, and it cannot be done without waiting
 *   -ETIMEDOUT  the time is over
 *   -EINTR      a signal came; not in the pthread form, which goes on waiting
 *   -EBUSY      more threads than it has parties use it
 *   -EOPNOTSUPP  it has the pthread form, which waits for ever or not at all
 *   -EFAULT     the file behind the memory was truncated
 *   -EINVAL     handle is NULL, or the timeout is none
 * Since 0.1.
 */
int unipc_barrier_wait(const unipc_barrier *handle,
                       const struct timespec *timeout);

/**
 * Makes the calling thread known as a party: from now on its death breaks the barrier, also between its waits,
 * and so does its end without unipc_barrier_leave().
 *
 * handle: a handle
 *
 * Returns 0.
 * Errors:
 *   -EALREADY    it is known
 *   -EBUSY       all places are taken
 *   -EOWNERDEAD  the barrier is broken
 *   -EOPNOTSUPP  it has the pthread form
 *   -EINVAL      handle is NULL
 * Since 0.1.
 */
int unipc_barrier_join(const unipc_barrier *handle);

/**
 * Ends what unipc_barrier_join() began.
 *
 * handle: a handle
 *
 * Returns 0.
 * Errors:
 *   -EPERM       the calling thread has not joined
 *   -EOPNOTSUPP  it has the pthread form
 *   -EINVAL      handle is NULL
 * Since 0.1.
 */
int unipc_barrier_leave(const unipc_barrier *handle);

/**
 * Breaks the barrier: all who wait, and all who come, get -EOWNERDEAD.
 *
 * handle: a handle
 *
 * Returns 0.
 * Errors:
 *   -EOPNOTSUPP  it has the pthread form
 *   -EINVAL      handle is NULL
 * Since 0.1.
 */
int unipc_barrier_abort(const unipc_barrier *handle);

/**
 * Makes a broken barrier whole again. Who still waits there gets -EOWNERDEAD.
 *
 * handle: a handle
 *
 * Returns 0.
 * Errors:
 *   -EOPNOTSUPP  it has the pthread form
 *   -EINVAL      handle is NULL
 * Since 0.1.
 */
int unipc_barrier_reset(const unipc_barrier *handle);

/**
 * Is it broken? A barrier in the pthread form does not know.
 *
 * handle: a handle
 *
 * Returns 1 when it is, 0 when it is not.
 * Errors:
 *   -EINVAL  handle is NULL
 * Since 0.1.
 */
int unipc_barrier_is_broken(const unipc_barrier *handle);

/**
 * How many wait in this round; 0 in the pthread form.
 *
 * handle: a handle
 *
 * Returns how many.
 * Errors:
 *   -EINVAL  handle is NULL
 * Since 0.1.
 */
int unipc_barrier_arrived(const unipc_barrier *handle);

/**
 * How many parties it is for; 0 for one in the pthread form that was only opened.
 *
 * handle: a handle
 *
 * Returns how many.
 * Errors:
 *   -EINVAL  handle is NULL
 * Since 0.1.
 */
int unipc_barrier_parties(const unipc_barrier *handle);

/**
 * The threads that have joined or wait. In the pthread form nobody is known.
 *
 * handle:  a handle
 * holders: gets up to cap threads; may be NULL when cap is 0
 * cap:     how many there is room for
 *
 * Returns how many there are.
 * Errors:
 *   -EINVAL  handle is NULL, or holders is and cap is not 0
 * Since 0.1.
 */
ptrdiff_t unipc_barrier_holders(const unipc_barrier *handle,
                                unipc_sync_holder *holders,
                                size_t cap);

/**
 * Opens or creates a semaphore in shared memory.
 *
 * out:    where the handle goes; NULL on failure. Close it with unipc_sync_semaphore_close().
 * shm:    the memory, writable; it may be closed before the handle is
 * offset: where the object begins: a multiple of 64 (of 8 in the pthread form); it takes unipc_sync_semaphore_size()
 *         bytes from there, and data go behind them
 * how:    UNIPC_SYNC_OPEN, UNIPC_SYNC_CREATE or UNIPC_SYNC_OPEN_OR_CREATE
 * value:  how many permits there are at first; not looked at by UNIPC_SYNC_OPEN
 * opts:   NULL for the defaults
 *
 * Returns 0.
 * Errors:
 *   -EEXIST      UNIPC_SYNC_CREATE, and there is one
 *   -EBUSY       the bytes are not zero and no object: fill them with zeros first
 *   -EPROTO      there is none, or another kind or version of object
 *   -EINVAL      the offset is no such multiple, an argument or an option is out of range; out or shm
 *                is NULL
 *   -ERANGE      it does not fit into the memory
 *   -EACCES      the memory is mapped read-only
 *   -EOPNOTSUPP  the memory is mapped copy-on-write, or the form does not have what was asked for
 *   -EINTR       a signal came while it waited for a creator
 * Since 0.1.
 */
UNIPC_CHECK
int unipc_sync_semaphore_open(unipc_sync_semaphore **out,
                              const unipc_shm *shm,
                              size_t offset,
                              int how,
                              uint32_t value,
                              const unipc_sync_opts *opts);

/**
 * Opens or creates a semaphore under a name of its own, in a small segment for it alone.
 *
 * out:    where the handle goes; NULL on failure. Close it with unipc_sync_semaphore_close().
 * name:   as for unipc_shm_create(); it is removed with unipc_shm_unlink()
 * how:    UNIPC_SYNC_OPEN, UNIPC_SYNC_CREATE or UNIPC_SYNC_OPEN_OR_CREATE
 * value:  how many permits there are at first; not looked at by UNIPC_SYNC_OPEN
 * opts:   NULL for the defaults
 *
 * Returns 0.
 * Errors: as unipc_sync_semaphore_open(), and as unipc_shm_create() and unipc_shm_open() of the name.
 * Since 0.1.
 */
UNIPC_CHECK
int unipc_sync_semaphore_open_named(unipc_sync_semaphore **out,
                                    const char *name,
                                    int how,
                                    uint32_t value,
                                    const unipc_sync_opts *opts);

/**
 * Closes the handle; the object stays. What the process holds of it, it goes on holding, until another
 * handle gives it back or the thread ends.
 *
 * handle: NULL is fine
 *
 * Since 0.1.
 */
void unipc_sync_semaphore_close(unipc_sync_semaphore *handle);

/**
 * How many bytes a semaphore takes in the robust form. In the pthread form it is the C library's size.
 *
 * max: opts.max, or what it is by default: the first number of permits, but at least 64
 *
 * Since 0.1.
 */
size_t unipc_sync_semaphore_size(uint32_t max);

/**
 * Takes a permit, which the calling thread holds until unipc_sync_semaphore_release(). When it dies, the permit
 * goes to the next, which is told so by UNIPC_OWNER_DIED. In the pthread form it is the same as
 * unipc_sync_semaphore_wait().
 *
 * handle: a handle
 * timeout: how long to wait, on the monotonic clock; NULL for ever, {0, 0} not at all
 *
 * Returns UNIPC_LOCKED or UNIPC_OWNER_DIED: the permit is held in both cases.
 * Errors:
 *   -EAGAIN     the timeout is {0, 0}, and it cannot be done without waiting
 *   -ETIMEDOUT  the time is over
 *   -EINTR      a signal came
 *   -EFAULT     the file behind the memory was truncated
 *   -EINVAL     handle is NULL, or the timeout is none
 * Since 0.1.
 */
UNIPC_CHECK
int unipc_sync_semaphore_acquire(const unipc_sync_semaphore *handle,
                                 const struct timespec *timeout);

/**
 * Gives back the permit that the calling thread took last. In the pthread form it is the same as
 * unipc_sync_semaphore_post().
 *
 * handle: a handle
 *
 * Returns 0.
 * Errors:
 *   -EPERM      the calling thread holds none
 *   -EOVERFLOW  pthread form: SEM_VALUE_MAX is reached
 *   -EINVAL     handle is NULL
 * Since 0.1.
 */
int unipc_sync_semaphore_release(const unipc_sync_semaphore *handle);

/**
 * Takes a permit for good, as sem_wait() does: only unipc_sync_semaphore_post() makes another.
 *
 * handle: a handle
 * timeout: how long to wait, on the monotonic clock; NULL for ever, {0, 0} not at all
 *
 * Returns 0.
 * Errors:
 *   -EAGAIN     the timeout is {0, 0}, and it cannot be done without waiting
 *   -ETIMEDOUT  the time is over
 *   -EINTR      a signal came
 *   -EFAULT     the file behind the memory was truncated
 *   -EINVAL     handle is NULL, or the timeout is none
 * Since 0.1.
 */
UNIPC_CHECK
int unipc_sync_semaphore_wait(const unipc_sync_semaphore *handle,
                              const struct timespec *timeout);

/**
 * Adds a permit, as sem_post() does. Async-signal-safe while it succeeds.
 *
 * handle: a handle
 *
 * Returns 0.
 * Errors:
 *   -EOVERFLOW  there are as many as there can be
 *   -EFAULT     the file behind the memory was truncated
 *   -EINVAL     handle is NULL
 * Since 0.1.
 */
int unipc_sync_semaphore_post(const unipc_sync_semaphore *handle);

/**
 * How many permits are free at this moment.
 *
 * handle: a handle
 *
 * Returns how many.
 * Errors:
 *   -EINVAL  handle is NULL
 * Since 0.1.
 */
int unipc_sync_semaphore_value(const unipc_sync_semaphore *handle);

/**
 * How many permits there can be.
 *
 * handle: a handle
 *
 * Returns how many.
 * Errors:
 *   -EINVAL  handle is NULL
 * Since 0.1.
 */
int unipc_sync_semaphore_max(const unipc_sync_semaphore *handle);

/**
 * The threads that hold permits, once for each. In the pthread form nobody is known.
 *
 * handle:  a handle
 * holders: gets up to cap threads; may be NULL when cap is 0
 * cap:     how many there is room for
 *
 * Returns how many there are.
 * Errors:
 *   -EINVAL  handle is NULL, or holders is and cap is not 0
 * Since 0.1.
 */
ptrdiff_t unipc_sync_semaphore_holders(const unipc_sync_semaphore *handle,
                                       unipc_sync_holder *holders,
                                       size_t cap);

/**
 * The threads that sleep at the object, as far as there was room in it; of those who died they may be
 * stale. None are known in the pthread form.
 *
 * handle: a handle
 * tids:   gets up to cap numbers; may be NULL when cap is 0
 * cap:    how many there is room for
 *
 * Returns how many there are.
 * Errors:
 *   -EINVAL  handle is NULL, or tids is and cap is not 0
 * Since 0.1.
 */
ptrdiff_t unipc_sync_semaphore_waiters(const unipc_sync_semaphore *handle,
                                       uint32_t *tids,
                                       size_t cap);

/**
 * Opens or creates an event in shared memory.
 *
 * out:    where the handle goes; NULL on failure. Close it with unipc_event_close().
 * shm:    the memory, writable; it may be closed before the handle is
 * offset: where the object begins: a multiple of 64; it takes unipc_event_size()
 *         bytes from there, and data go behind them
 * how:    UNIPC_SYNC_OPEN, UNIPC_SYNC_CREATE or UNIPC_SYNC_OPEN_OR_CREATE
 * opts:   NULL for the defaults
 *
 * Returns 0.
 * Errors:
 *   -EEXIST      UNIPC_SYNC_CREATE, and there is one
 *   -EBUSY       the bytes are not zero and no object: fill them with zeros first
 *   -EPROTO      there is none, or another kind or version of object
 *   -EINVAL      the offset is no such multiple, an argument or an option is out of range; out or shm
 *                is NULL
 *   -ERANGE      it does not fit into the memory
 *   -EACCES      the memory is mapped read-only
 *   -EOPNOTSUPP  the memory is mapped copy-on-write, or the form does not have what was asked for
 *   -EINTR       a signal came while it waited for a creator
 * Since 0.1.
 */
UNIPC_CHECK
int unipc_event_open(unipc_event **out,
                     const unipc_shm *shm,
                     size_t offset,
                     int how,
                     const unipc_sync_opts *opts);

/**
 * Opens or creates an event under a name of its own, in a small segment for it alone.
 *
 * out:    where the handle goes; NULL on failure. Close it with unipc_event_close().
 * name:   as for unipc_shm_create(); it is removed with unipc_shm_unlink()
 * how:    UNIPC_SYNC_OPEN, UNIPC_SYNC_CREATE or UNIPC_SYNC_OPEN_OR_CREATE
 * opts:   NULL for the defaults
 *
 * Returns 0.
 * Errors: as unipc_event_open(), and as unipc_shm_create() and unipc_shm_open() of the name.
 * Since 0.1.
 */
UNIPC_CHECK
int unipc_event_open_named(unipc_event **out,
                           const char *name,
                           int how,
                           const unipc_sync_opts *opts);

/**
 * Closes the handle; the object stays. What the process holds of it, it goes on holding, until another
 * handle gives it back or the thread ends.
 *
 * handle: NULL is fine
 *
 * Since 0.1.
 */
void unipc_event_close(unipc_event *handle);

/**
 * How many bytes an event takes in the robust form. In the pthread form it is the C library's size.
 *
 * Since 0.1.
 */
size_t unipc_event_size(void);

/**
 * Sets the flag, and wakes whom it lets pass: all who wait, or with automatic reset one. Async-signal-safe
 * while it succeeds.
 *
 * handle: a handle
 *
 * Returns 0.
 * Errors:
 *   -EFAULT  the file behind the memory was truncated
 *   -EINVAL  handle is NULL
 * Since 0.1.
 */
int unipc_event_set(const unipc_event *handle);

/**
 * Takes the flag back.
 *
 * handle: a handle
 *
 * Returns 0.
 * Errors:
 *   -EFAULT  the file behind the memory was truncated
 *   -EINVAL  handle is NULL
 * Since 0.1.
 */
int unipc_event_reset(const unipc_event *handle);

/**
 * Waits until the flag is set. With automatic reset the one that passes takes it back.
 *
 * handle: a handle
 * timeout: how long to wait, on the monotonic clock; NULL for ever, {0, 0} not at all
 *
 * Returns 0.
 * Errors:
 *   -EAGAIN     the timeout is {0, 0}, and it cannot be done without waiting
 *   -ETIMEDOUT  the time is over
 *   -EINTR      a signal came
 *   -EFAULT     the file behind the memory was truncated
 *   -EINVAL     handle is NULL, or the timeout is none
 * Since 0.1.
 */
UNIPC_CHECK int unipc_event_wait(const unipc_event *handle, const struct timespec *timeout);

/**
 * Is it set at this moment?
 *
 * handle: a handle
 *
 * Returns 1 when it is, 0 when it is not.
 * Errors:
 *   -EINVAL  handle is NULL
 * Since 0.1.
 */
int unipc_event_is_set(const unipc_event *handle);

/**
 * The threads that sleep at the object, as far as there was room in it; of those who died they may be
 * stale.
 *
 * handle: a handle
 * tids:   gets up to cap numbers; may be NULL when cap is 0
 * cap:    how many there is room for
 *
 * Returns how many there are.
 * Errors:
 *   -EINVAL  handle is NULL, or tids is and cap is not 0
 * Since 0.1.
 */
ptrdiff_t unipc_event_waiters(const unipc_event *handle,
                              uint32_t *tids,
                              size_t cap);

/**
 * Opens or creates a once in shared memory.
 *
 * out:    where the handle goes; NULL on failure. Close it with unipc_once_close().
 * shm:    the memory, writable; it may be closed before the handle is
 * offset: where the object begins: a multiple of 64; it takes unipc_once_size()
 *         bytes from there, and data go behind them
 * how:    UNIPC_SYNC_OPEN, UNIPC_SYNC_CREATE or UNIPC_SYNC_OPEN_OR_CREATE
 * opts:   NULL for the defaults
 *
 * Returns 0.
 * Errors:
 *   -EEXIST      UNIPC_SYNC_CREATE, and there is one
 *   -EBUSY       the bytes are not zero and no object: fill them with zeros first
 *   -EPROTO      there is none, or another kind or version of object
 *   -EINVAL      the offset is no such multiple, an argument or an option is out of range; out or shm
 *                is NULL
 *   -ERANGE      it does not fit into the memory
 *   -EACCES      the memory is mapped read-only
 *   -EOPNOTSUPP  the memory is mapped copy-on-write, or the form does not have what was asked for
 *   -EINTR       a signal came while it waited for a creator
 * Since 0.1.
 */
UNIPC_CHECK
int unipc_once_open(unipc_once **out,
                    const unipc_shm *shm,
                    size_t offset,
                    int how,
                    const unipc_sync_opts *opts);

/**
 * Opens or creates a once under a name of its own, in a small segment for it alone.
 *
 * out:    where the handle goes; NULL on failure. Close it with unipc_once_close().
 * name:   as for unipc_shm_create(); it is removed with unipc_shm_unlink()
 * how:    UNIPC_SYNC_OPEN, UNIPC_SYNC_CREATE or UNIPC_SYNC_OPEN_OR_CREATE
 * opts:   NULL for the defaults
 *
 * Returns 0.
 * Errors: as unipc_once_open(), and as unipc_shm_create() and unipc_shm_open() of the name.
 * Since 0.1.
 */
UNIPC_CHECK
int unipc_once_open_named(unipc_once **out,
                          const char *name,
                          int how,
                          const unipc_sync_opts *opts);

/**
 * Closes the handle; the object stays. What the process holds of it, it goes on holding, until another
 * handle gives it back or the thread ends.
 *
 * handle: NULL is fine
 *
 * Since 0.1.
 */
void unipc_once_close(unipc_once *handle);

/**
 * How many bytes a once takes in the robust form. In the pthread form it is the C library's size.
 *
 * Since 0.1.
 */
size_t unipc_once_size(void);

/**
 * Is it done? If not, and nobody is doing it, it is the calling thread's to do, until it calls
 * unipc_once_complete() or unipc_once_abandon(). Whoever else begins waits for that. When the thread dies, the
 * next begins anew.
 *
 * Example:
 *
 *     if (unipc_once_begin(once, NULL) > 0) {
 *         build_table();
 *         unipc_once_complete(once);
 *     }
 *
 * handle: a handle
 * timeout: how long to wait, on the monotonic clock; NULL for ever, {0, 0} not at all
 *
 * Returns UNIPC_ONCE_DONE, UNIPC_ONCE_BEGIN or UNIPC_ONCE_BEGIN_AGAIN.
 * Errors:
 *   -EAGAIN     the timeout is {0, 0}, and it cannot be done without waiting
 *   -ETIMEDOUT  the time is over
 *   -EINTR      a signal came
 *   -EDEADLK    the calling thread is doing it
 *   -EFAULT     the file behind the memory was truncated
 *   -EINVAL     handle is NULL, or the timeout is none
 * Since 0.1.
 */
UNIPC_CHECK
int unipc_once_begin(const unipc_once *handle,
                     const struct timespec *timeout);

/**
 * Says that it is done.
 *
 * handle: a handle
 *
 * Returns 0.
 * Errors:
 *   -EPERM   the calling thread is not doing it
 *   -EINVAL  handle is NULL
 * Since 0.1.
 */
int unipc_once_complete(const unipc_once *handle);

/**
 * Leaves it to the next.
 *
 * handle: a handle
 *
 * Returns 0.
 * Errors:
 *   -EPERM   the calling thread is not doing it
 *   -EINVAL  handle is NULL
 * Since 0.1.
 */
int unipc_once_abandon(const unipc_once *handle);

/**
 * Is it done?
 *
 * handle: a handle
 *
 * Returns 1 when it is, 0 when it is not.
 * Errors:
 *   -EINVAL  handle is NULL
 * Since 0.1.
 */
int unipc_once_is_done(const unipc_once *handle);

/**
 * Who is doing it.
 *
 * handle: a handle
 * holder: gets the thread
 *
 * Returns 1, or 0 when nobody is, and holder is not written.
 * Errors:
 *   -EINVAL  a pointer is NULL
 * Since 0.1.
 */
int unipc_once_holder(const unipc_once *handle, unipc_sync_holder *holder);

/**
 * The threads that sleep at the object, as far as there was room in it; of those who died they may be
 * stale.
 *
 * handle: a handle
 * tids:   gets up to cap numbers; may be NULL when cap is 0
 * cap:    how many there is room for
 *
 * Returns how many there are.
 * Errors:
 *   -EINVAL  handle is NULL, or tids is and cap is not 0
 * Since 0.1.
 */
ptrdiff_t unipc_once_waiters(const unipc_once *handle,
                             uint32_t *tids,
                             size_t cap);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* UNIPC_SYNC_H */
