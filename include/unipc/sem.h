/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Generated from ffi/src by `make bless`: change it there. */

#ifndef UNIPC_SEM_H
#define UNIPC_SEM_H

/*
 * Semaphores: units that processes and threads take and give back, and wait for. POSIX ones by name
 * or in shared memory, and System V, one by one or as a set that one call changes together.
 *
 * Value, acquire, release, timeout and try mean the same for all of them. Programs that never heard of
 * this library use the same objects.
 */
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>
#include <unipc/base.h>
#include <unipc/shm.h>

/* Where a program asks for ISO C alone (-std=c99), time.h does not declare it. */
struct timespec;

/* Of <sys/sem.h>, which defines it for those who make operations. */
struct sembuf;

/*
 * Options in one expression, for C: &UNIPC_SEM_OPTS(.mode = 0660). They live until the end of the
 * block.
 */
#ifndef __cplusplus
#define UNIPC_SEM_OPTS(...) ((unipc_sem_opts){.sz = sizeof(unipc_sem_opts), __VA_ARGS__})
#endif

/* Options to start from, in C++ and C: unipc_sem_opts o = UNIPC_SEM_OPTS_INIT; o.mode = 0660; */
#define UNIPC_SEM_OPTS_INIT {sizeof(unipc_sem_opts), 0, 0, NULL}

/** Flags for creating and opening semaphores and sets. */
typedef enum unipc_sem_flag {
    /**
     * When creating: remove an object that has the name. Others keep an old POSIX semaphore; who
     * waits for an old System V set is told -EIDRM.
     */
    UNIPC_SEM_REPLACE = (1 << 0),
    /** Remove the object when this handle is closed (not by a child of fork()). */
    UNIPC_SEM_REMOVE_ON_CLOSE = (1 << 1),
    /** Refuse an existing object that belongs to neither this user nor root: -EPERM. */
    UNIPC_SEM_OWN_ONLY = (1 << 2),
    /**
     * A binary semaphore: unipc_sem_release() is -EOVERFLOW when the value is 1 or more already.
     * Each handle for itself. Not for sets.
     */
    UNIPC_SEM_BINARY = (1 << 3),
    /**
     * System V: the kernel undoes what is acquired and released through this handle when the
     * process ends, however it ends (SEM_UNDO). For what one process takes and gives back itself,
     * such as a lock. Not for sets, where each operation says it.
     */
    UNIPC_SEM_UNDO = (1 << 4),
} unipc_sem_flag;

/** What a semaphore is, see unipc_sem_backing(). */
typedef enum unipc_sem_kind {
    /** One of a System V set: semget(). */
    UNIPC_SEM_SYSTEM_V = 1,
    /** A POSIX semaphore with a name: sem_open(). */
    UNIPC_SEM_POSIX = 2,
    /** A POSIX semaphore in shared memory: sem_init(). */
    UNIPC_SEM_MEMORY = 3,
} unipc_sem_kind;

/** A semaphore. A handle belongs to the process; a child of fork() has its own copy. */
typedef struct unipc_sem unipc_sem;

/** A System V set of semaphores. A handle belongs to the process; a child of fork() has its own copy. */
typedef struct unipc_semset unipc_semset;

/**
 * How to create or open, where the defaults do not do. A field that is zero has its default.
 *
 * Make it with UNIPC_SEM_OPTS() or UNIPC_SEM_OPTS_INIT, which set sz. Later versions add fields.
 */
typedef struct unipc_sem_opts {
    /** sizeof(unipc_sem_opts). */
    size_t sz;
    /** When creating: permission bits, exact whatever the umask. 0: 0600. UNIPC_MODE_NONE: none. */
    uint32_t mode;
    /** When opening a System V name as one semaphore: which of its set. */
    uint32_t index;
    /**
     * How long opening may wait for the living creator of a System V set to finish it. NULL: 5
     * seconds. {0, 0}: not at all. A dead creator is noticed at once.
     */
    const struct timespec *creator_timeout;
} unipc_sem_opts;

/** What the kernel knows of one semaphore of a set. */
typedef struct unipc_sem_information {
    /** Its value (semval, GETVAL). */
    uint32_t value;
    /** Who changed it last; 0: nobody, or a process of another PID namespace (sempid, GETPID). */
    int32_t last_pid;
    /** How many wait for the value to increase (semncnt, GETNCNT). */
    uint32_t waiting_increase;
    /** How many wait for the value to become 0 (semzcnt, GETZCNT). */
    uint32_t waiting_zero;
    /** Not used: 0. */
    uint32_t reserved[4];
} unipc_sem_information;

/** What the kernel knows of a System V set: all of struct semid_ds and its struct ipc_perm. */
typedef struct unipc_semset_status {
    /** The identifier. */
    int32_t id;
    /** The key; 0 for a private set. */
    int32_t key;
    /** Owner's user. */
    uint32_t uid;
    /** Owner's group. */
    uint32_t gid;
    /** Creator's user. */
    uint32_t cuid;
    /** Creator's group. */
    uint32_t cgid;
    /** The nine permission bits. */
    uint32_t mode;
    /** How often the kernel has reused the slot; part of the identifier (__seq). */
    uint32_t sequence;
    /** How many semaphores it has (sem_nsems). */
    uint64_t count;
    /** When it was last operated on, in seconds since 1970; 0: never (sem_otime). */
    int64_t operation_time;
    /** When it was created or last changed, by unipc_semset_set() or by setting values (sem_ctime). */
    int64_t change_time;
    /** Not used: 0. */
    uint64_t reserved[4];
} unipc_semset_status;

/** The limits of System V semaphores, as ipcs -l and /proc/sys/kernel/sem have them. */
typedef struct unipc_sem_limit_values {
    /** SEMMSL: how many semaphores a set may have. */
    uint64_t semmsl;
    /** SEMMNS: how many semaphores all sets together may have. */
    uint64_t semmns;
    /** SEMOPM: how many operations one call may have. */
    uint64_t semopm;
    /** SEMMNI: how many sets there may be. */
    uint64_t semmni;
    /** SEMVMX: the highest value. */
    uint64_t semvmx;
    /** Not used: 0. */
    uint64_t reserved[4];
} unipc_sem_limit_values;

/** What System V semaphores use, as ipcs -u has it (SEM_INFO). */
typedef struct unipc_sem_usage_values {
    /** How many sets exist. */
    uint64_t sets;
    /** How many semaphores they have together. */
    uint64_t semaphores;
    /** Not used: 0. */
    uint64_t reserved[4];
} unipc_sem_usage_values;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * Creates a semaphore.
 *
 * out:   where the handle goes; NULL on failure. Close it with unipc_sem_close().
 * name:  "/demo": POSIX; "sysv:PATH,PROJ", "sysv:0x1234", "sysv:private": a System V set of one;
 *        see unipc/name.h
 * value: how many units it begins with
 * flags: UNIPC_SEM_ flags, or 0
 * opts:  NULL for the defaults
 *
 * The semaphore appears under its name only when it is complete: nobody ever sees another value
 * than this one first, even if the creator dies meanwhile. It stays when the handle is closed, until
 * it is unlinked. Using it needs permission to read and to write.
 *
 * A holder that dies keeps what he has acquired, and whoever waits for it waits on. Of System V
 * semaphores the kernel gives it back, if UNIPC_SEM_UNDO is set. Nobody knows who holds a POSIX
 * semaphore: what must survive its holder belongs on System V.
 *
 * Example:
 *
 *     unipc_sem *sem;
 *     if (unipc_sem_open_or_create(&sem, "sysv:/etc/hosts,7", 1, UNIPC_SEM_UNDO, NULL) < 0 ||
 *         unipc_sem_acquire(sem, NULL) < 0) {
 *         fprintf(stderr, "%s\n", unipc_last_error());
 *         return 1;
 *     }
 *     puts("one at a time");
 *     unipc_sem_release(sem);
 *     unipc_sem_close(sem);
 *
 * Returns 0.
 * Errors:
 *   -EEXIST        the name is taken
 *   -EINVAL        no name, unknown flags, contradicting options, a name that cannot be created
 *                  (sysv:id=42), a value above SEM_VALUE_MAX (2147483647) or, for System V, SEMVMX
 *                  (32767); out or name is NULL
 *   -ENOSPC        SEMMNI or SEMMNS is reached; no room in /dev/shm
 *   -EACCES        /dev/shm may not be written
 *   -ENAMETOOLONG  a POSIX name has at most 251 bytes after its slash
 *   -EOPNOTSUPP    another kind of name; UNIPC_SEM_UNDO for a POSIX name
 *   -EINTR         a signal handler ran
 *   -E2BIG         opts uses fields that this version of the library does not know
 * Since 0.1. See sem_open(3), semget(2).
 */
UNIPC_CHECK
int unipc_sem_create(unipc_sem **out,
                     const char *name,
                     unsigned int value,
                     unsigned int flags,
                     const unipc_sem_opts *opts);

/**
 * Opens a semaphore that exists, whoever made it: this library, sem_open(), semget(), ipcmk.
 *
 * out:   where the handle goes; NULL on failure. Close it with unipc_sem_close().
 * name:  as for unipc_sem_create(), and "sysv:id=42"
 * flags: UNIPC_SEM_ flags, or 0
 * opts:  NULL for the defaults; opts.index says which of a System V set
 *
 * A System V set that this library's creator has not finished is waited for, see
 * opts.creator_timeout; a set that another program makes is waited for while it is new and untouched,
 * for a second at most.
 *
 * Returns 0.
 * Errors:
 *   -ENOENT      there is none
 *   -EACCES      its mode does not let this user in; a System V set tells that only to who operates
 *                on it
 *   -EPROTO      the file under the name is too short for a semaphore
 *   -ETIMEDOUT   the set's creator is alive and does not finish (-EAGAIN for {0, 0})
 *   -EPERM       it belongs to another user, and UNIPC_SEM_OWN_ONLY is set; or it was left behind
 *                unfinished by another user
 *   -EMEDIUMTYPE a directory, FIFO, socket, link or device lies under the name
 *   -EINVAL      no name, unknown flags, no set has this identifier, the set has no such index; out
 *                or name is NULL
 *   -EOPNOTSUPP  another kind of name; UNIPC_SEM_UNDO for a POSIX name
 *   -EINTR       a signal handler ran
 *   -E2BIG       opts uses fields that this version of the library does not know
 * Since 0.1. See sem_open(3), semget(2).
 */
UNIPC_CHECK
int unipc_sem_open(unipc_sem **out,
                   const char *name,
                   unsigned int flags,
                   const unipc_sem_opts *opts);

/**
 * Opens a semaphore, or creates it with this value when there is none.
 *
 * out:   where the handle goes; NULL on failure. Close it with unipc_sem_close().
 * name:  as for unipc_sem_create()
 * value: how many units a new one begins with
 * flags: UNIPC_SEM_ flags, or 0
 * opts:  NULL for the defaults
 *
 * Returns 0.
 * Errors: as unipc_sem_create() without -EEXIST, as unipc_sem_open() without -ENOENT, and
 *   -EBUSY  others create and remove it all the time
 * Since 0.1.
 */
UNIPC_CHECK
int unipc_sem_open_or_create(unipc_sem **out,
                             const char *name,
                             unsigned int value,
                             unsigned int flags,
                             const unipc_sem_opts *opts);

/**
 * Makes a semaphore in shared memory, as sem_init(3) does: a sem_t of this C library, which
 * programs that do not know this library use by its address.
 *
 * out:    where the handle goes; NULL on failure. Close it with unipc_sem_close().
 * shm:    writable shared memory, which must stay open and keep its size until the semaphore is
 *         closed
 * offset: of unipc_sem_size() bytes in it; the address must be a multiple of 8
 * value:  how many units it begins with
 * flags:  UNIPC_SEM_BINARY, or 0
 *
 * Once, before anybody uses it, who must find out about that by other means: a second call resets
 * it. A holder that dies keeps what he has acquired. The semaphore goes with the memory.
 *
 * Returns 0.
 * Errors:
 *   -EINVAL      the address is not aligned, a value above SEM_VALUE_MAX, unknown flags; out or shm
 *                is NULL
 *   -ERANGE      the bytes are not all inside
 *   -EACCES      the mapping is read-only
 *   -EOPNOTSUPP  UNIPC_SEM_UNDO
 * Since 0.1. See sem_init(3).
 */
UNIPC_CHECK
int unipc_sem_create_at(unipc_sem **out,
                        const unipc_shm *shm,
                        size_t offset,
                        unsigned int value,
                        unsigned int flags);

/**
 * Uses a semaphore that somebody made in shared memory, with sem_init(3) or unipc_sem_create_at().
 *
 * out:    where the handle goes; NULL on failure. Close it with unipc_sem_close().
 * shm:    as for unipc_sem_create_at()
 * offset: as for unipc_sem_create_at()
 * flags:  UNIPC_SEM_BINARY, or 0
 *
 * Returns 0.
 * Errors: as unipc_sem_create_at()
 * Since 0.1.
 */
UNIPC_CHECK
int unipc_sem_open_at(unipc_sem **out,
                      const unipc_shm *shm,
                      size_t offset,
                      unsigned int flags);

/**
 * How many bytes a semaphore takes in shared memory: sizeof(sem_t).
 *
 * Returns the size. Async-signal-safe. Since 0.1.
 */
size_t unipc_sem_size(void);

/**
 * Closes the handle. The semaphore itself stays, with what was acquired; see unipc_sem_unlink().
 *
 * sem: a handle, gone afterwards with its name; NULL is fine
 *
 * Nobody may be in a call on it. A child of fork() that closes its copy does not affect its parent.
 * Since 0.1. See sem_close(3).
 */
void unipc_sem_close(unipc_sem *sem);

/**
 * Takes one unit, waiting until there is one.
 *
 * sem:     a handle
 * timeout: how long to wait, by the monotonic clock; NULL: for ever; {0, 0}: not at all
 *
 * Returns 0: the unit is the caller's. Or
 *   -EAGAIN     there is none, and the timeout is {0, 0}
 *   -ETIMEDOUT  there was none in time
 *   -EINTR      a signal handler ran; nothing was taken
 *   -EIDRM      the System V set was removed, before or meanwhile
 *   -EACCES     its mode does not let this user change it (System V)
 *   -ENOSPC     UNIPC_SEM_UNDO, and the kernel has no room for another record of what to undo
 *   -EINVAL     no such time; sem is NULL
 * Any number of threads may wait. Since 0.1. See sem_wait(3), sem_clockwait(3), semtimedop(2).
 */
UNIPC_CHECK int unipc_sem_acquire(const unipc_sem *sem, const struct timespec *timeout);

/**
 * Gives one unit, and wakes one who waits. Any process may, whoever has acquired.
 *
 * sem: a handle
 *
 * Returns 0. Or
 *   -EOVERFLOW  the value is the highest already: POSIX 2147483647, System V 32767, binary 1
 *   -EIDRM      the System V set was removed
 *   -EACCES     its mode does not let this user change it (System V)
 *   -EINVAL     sem is NULL
 * Async-signal-safe while it succeeds. Since 0.1. See sem_post(3), semop(2).
 */
int unipc_sem_release(const unipc_sem *sem);

/**
 * The value now, 0 or more; it may be another by the time it is looked at.
 *
 * sem:   a handle
 * value: where it goes
 *
 * Returns 0. Or
 *   -EIDRM   the System V set was removed
 *   -EACCES  its mode does not let this user read it (System V)
 *   -EINVAL  sem or value is NULL
 * Since 0.1. See sem_getvalue(3), semctl(2) GETVAL.
 */
int unipc_sem_value(const unipc_sem *sem, unsigned int *value);

/**
 * Sets the value of a System V semaphore. Forgets what processes have to undo for it: a holder that
 * dies afterwards gives nothing back.
 *
 * sem:   a handle
 * value: 0 to 32767
 *
 * Returns 0. Or
 *   -ERANGE      above SEMVMX, 32767
 *   -EIDRM       the set was removed
 *   -EACCES      its mode does not let this user change it
 *   -EOPNOTSUPP  a POSIX semaphore's value moves by acquiring and releasing alone
 *   -EINVAL      sem is NULL
 * Since 0.1. See semctl(2) SETVAL.
 */
int unipc_sem_set_value(const unipc_sem *sem, uint16_t value);

/**
 * Removes the semaphore, or the System V set, of a name. Who has a POSIX semaphore open keeps it; a
 * set goes at once, and who waits for it is told -EIDRM.
 *
 * name: a POSIX or System V name
 *
 * Returns 0.
 * Errors:
 *   -ENOENT         there is none
 *   -EINVAL         no name, NULL, sysv:private; no set has this identifier
 *   -EACCES, -EPERM it is somebody else's
 *   -EOPNOTSUPP     another kind of name
 * Since 0.1. See sem_unlink(3), semctl(2) IPC_RMID.
 */
int unipc_sem_unlink(const char *name);

/**
 * Removes this very semaphore, not another one that has taken its name; of System V its whole set.
 *
 * sem: a handle
 *
 * Returns 0.
 * Errors:
 *   -ESTALE         the name belongs to another semaphore now, which stays
 *   -ENOENT         it is gone already (-EIDRM for System V)
 *   -EACCES, -EPERM it is somebody else's
 *   -EOPNOTSUPP     a semaphore in shared memory goes with its memory
 *   -EINVAL         sem is NULL
 * Since 0.1.
 */
int unipc_sem_remove(const unipc_sem *sem);

/**
 * The name in its one spelling; of a private set "sysv:id=NUMBER", in shared memory the memory's.
 *
 * sem: a handle
 *
 * Returns a string that lives until unipc_sem_close(); NULL when sem is NULL. Since 0.1.
 */
const char *unipc_sem_name(const unipc_sem *sem);

/**
 * What the semaphore is.
 *
 * sem: a handle
 *
 * Returns UNIPC_SEM_SYSTEM_V, UNIPC_SEM_POSIX or UNIPC_SEM_MEMORY; -EINVAL when sem is NULL. Since 0.1.
 */
int unipc_sem_backing(const unipc_sem *sem);

/**
 * The identifier of the System V set, as ipcs -s shows it.
 *
 * sem: a handle
 *
 * Returns the identifier. Or
 *   -EOPNOTSUPP  a POSIX semaphore has none
 *   -EINVAL      sem is NULL
 * Since 0.1.
 */
int unipc_sem_id(const unipc_sem *sem);

/**
 * Which of its System V set the semaphore is.
 *
 * sem: a handle
 *
 * Returns the index; 0 for POSIX; -EINVAL when sem is NULL. Since 0.1.
 */
int unipc_sem_index(const unipc_sem *sem);

/**
 * Creates a System V set.
 *
 * out:    where the handle goes; NULL on failure. Close it with unipc_semset_close().
 * name:   "sysv:PATH,PROJ", "sysv:0x1234", "sysv:private"
 * values: what its semaphores begin with
 * count:  how many they are, at least 1
 * flags:  UNIPC_SEM_REPLACE, UNIPC_SEM_REMOVE_ON_CLOSE, UNIPC_SEM_OWN_ONLY, or 0
 * opts:   NULL for the defaults
 *
 * Nobody gets to see the set before it has its values, even if the creator dies meanwhile.
 *
 * Returns 0.
 * Errors:
 *   -EEXIST      the key is taken
 *   -EINVAL      no name, count is 0 or above SEMMSL, unknown flags, a name that cannot be created,
 *                mode 0611; out, name or values is NULL
 *   -ERANGE      a value above SEMVMX, 32767
 *   -ENOSPC      SEMMNI or SEMMNS is reached
 *   -EOPNOTSUPP  not a System V name
 *   -EINTR       a signal handler ran
 *   -E2BIG       opts uses fields that this version of the library does not know
 * Since 0.1. See semget(2).
 */
UNIPC_CHECK
int unipc_semset_create(unipc_semset **out,
                        const char *name,
                        const uint16_t *values,
                        size_t count,
                        unsigned int flags,
                        const unipc_sem_opts *opts);

/**
 * Opens a System V set that exists, whoever made it.
 *
 * out:   where the handle goes; NULL on failure. Close it with unipc_semset_close().
 * name:  as for unipc_semset_create(), and "sysv:id=42"
 * flags: as for unipc_semset_create()
 * opts:  NULL for the defaults
 *
 * Returns 0.
 * Errors:
 *   -ENOENT      no set has this key
 *   -EINVAL      no name, unknown flags, no set has this identifier; out or name is NULL
 *   -ETIMEDOUT   its creator is alive and does not finish (-EAGAIN for {0, 0})
 *   -EPERM       it belongs to another user, and UNIPC_SEM_OWN_ONLY is set; or it was left behind
 *                unfinished by another user
 *   -EOPNOTSUPP  not a System V name
 *   -EINTR       a signal handler ran
 *   -E2BIG       opts uses fields that this version of the library does not know
 * Since 0.1. See semget(2).
 */
UNIPC_CHECK
int unipc_semset_open(unipc_semset **out,
                      const char *name,
                      unsigned int flags,
                      const unipc_sem_opts *opts);

/**
 * Opens a System V set, or creates it with these values when there is none.
 *
 * out:    where the handle goes; NULL on failure. Close it with unipc_semset_close().
 * name:   as for unipc_semset_create()
 * values: what the semaphores of a new set begin with
 * count:  how many they are; a set that exists must have at least so many
 * flags:  as for unipc_semset_create()
 * opts:   NULL for the defaults
 *
 * Returns 0.
 * Errors: as unipc_semset_create() without -EEXIST, as unipc_semset_open() without -ENOENT, and
 *   -EINVAL  the set exists and has fewer semaphores
 *   -EBUSY   others create and remove it all the time
 * Since 0.1.
 */
UNIPC_CHECK
int unipc_semset_open_or_create(unipc_semset **out,
                                const char *name,
                                const uint16_t *values,
                                size_t count,
                                unsigned int flags,
                                const unipc_sem_opts *opts);

/**
 * Closes the handle. The set itself stays; see unipc_sem_unlink() and unipc_semset_remove().
 *
 * set: a handle, gone afterwards with its name; NULL is fine
 *
 * What was operated on with SEM_UNDO is undone when the process ends, not here.
 * Since 0.1.
 */
void unipc_semset_close(unipc_semset *set);

/**
 * Does all of the operations in one step, or none, waiting until all can be done.
 *
 * set:        a handle
 * operations: as semop(2) takes them: struct sembuf of <sys/sem.h>, with the flags IPC_NOWAIT and
 *             SEM_UNDO
 * count:      how many
 * timeout:    how long to wait, by the monotonic clock; NULL: for ever; {0, 0}: not at all
 *
 * A positive sem_op gives, a negative one takes and waits until it can, 0 waits until the value is 0.
 *
 * Example:
 *
 *     struct sembuf both[] = {{0, -1, SEM_UNDO}, {2, -2, SEM_UNDO}};
 *     if (unipc_semset_operate(set, both, 2, &(struct timespec){1, 0}) < 0)
 *         fprintf(stderr, "%s\n", unipc_last_error());
 *
 * Returns 0. Or, with nothing done,
 *   -EAGAIN     it would have to wait, and the timeout is {0, 0} or an operation says IPC_NOWAIT
 *   -ETIMEDOUT  it could not be done in time
 *   -EINTR      a signal handler ran
 *   -EIDRM      the set was removed, before or meanwhile
 *   -E2BIG      more operations than SEMOPM
 *   -EFBIG      the set has no semaphore of this number
 *   -ERANGE     a value, or what is to be undone, would pass SEMVMX, 32767
 *   -ENOSPC     no room for another record of what to undo
 *   -EACCES     the set's mode does not let this user in
 *   -EINVAL     no such time; count is 0; set or operations is NULL
 * Any number of threads may wait. Since 0.1. See semop(2), semtimedop(2).
 */
UNIPC_CHECK
int unipc_semset_operate(const unipc_semset *set,
                         const struct sembuf *operations,
                         size_t count,
                         const struct timespec *timeout);

/**
 * Takes units of one semaphore, waiting until there are as many. Nothing is undone at the process's
 * end; unipc_semset_operate() does that.
 *
 * set:     a handle
 * index:   which semaphore
 * amount:  how many units, 1 to 32767
 * timeout: as for unipc_semset_operate()
 *
 * Returns 0. Errors: as unipc_semset_operate(). Since 0.1.
 */
UNIPC_CHECK
int unipc_semset_acquire(const unipc_semset *set,
                         uint16_t index,
                         uint16_t amount,
                         const struct timespec *timeout);

/**
 * Gives units to one semaphore.
 *
 * set:    a handle
 * index:  which semaphore
 * amount: how many units, 1 to 32767
 *
 * Returns 0. Errors: as unipc_semset_operate(). Since 0.1.
 */
int unipc_semset_release(const unipc_semset *set, uint16_t index, uint16_t amount);

/**
 * Waits until the value of one semaphore is 0.
 *
 * set:     a handle
 * index:   which semaphore
 * timeout: as for unipc_semset_operate()
 *
 * Returns 0. Errors: as unipc_semset_operate(). Since 0.1.
 */
UNIPC_CHECK
int unipc_semset_wait_zero(const unipc_semset *set,
                           uint16_t index,
                           const struct timespec *timeout);

/**
 * The name in its one spelling; of a private set "sysv:id=NUMBER".
 *
 * set: a handle
 *
 * Returns a string that lives until unipc_semset_close(); NULL when set is NULL. Since 0.1.
 */
const char *unipc_semset_name(const unipc_semset *set);

/**
 * The identifier, as ipcs -s shows it.
 *
 * set: a handle
 *
 * Returns the identifier; -EINVAL when set is NULL. Since 0.1.
 */
int unipc_semset_id(const unipc_semset *set);

/**
 * How many semaphores the set has.
 *
 * set: a handle
 *
 * Returns the number; 0 when set is NULL. Since 0.1.
 */
size_t unipc_semset_count(const unipc_semset *set);

/**
 * The value of one semaphore.
 *
 * set:   a handle
 * index: which semaphore
 *
 * Returns the value, 0 to 32767. Or
 *   -EINVAL  the set has no such semaphore; set is NULL
 *   -EIDRM   the set was removed
 *   -EACCES  its mode does not let this user read it
 * Since 0.1. See semctl(2) GETVAL.
 */
int unipc_semset_value(const unipc_semset *set, uint16_t index);

/**
 * Sets one semaphore, and wakes those whose turn comes by it. Forgets what processes have to undo for
 * it: a holder that dies afterwards gives nothing back. Set values while nobody holds any.
 *
 * set:   a handle
 * index: which semaphore
 * value: 0 to 32767
 *
 * Returns 0. Or
 *   -ERANGE  above SEMVMX, 32767
 *   -EINVAL  the set has no such semaphore; set is NULL
 *   -EIDRM   the set was removed
 *   -EACCES  its mode does not let this user change it
 * Since 0.1. See semctl(2) SETVAL.
 */
int unipc_semset_set_value(const unipc_semset *set,
                           uint16_t index,
                           uint16_t value);

/**
 * All values, read in one step.
 *
 * set:    a handle
 * values: where they go; may be NULL when cap is 0
 * cap:    for how many there is room
 *
 * Returns how many semaphores there are, of which values holds the first cap. Or
 *   -EIDRM   the set was removed
 *   -EACCES  its mode does not let this user read it
 *   -EINVAL  set or values is NULL
 * Since 0.1. See semctl(2) GETALL.
 */
ssize_t unipc_semset_values(const unipc_semset *set, uint16_t *values, size_t cap);

/**
 * Sets all values in one step. Forgets what processes have to undo, as unipc_semset_set_value() does.
 *
 * set:    a handle
 * values: one for each semaphore
 * count:  how many
 *
 * Returns 0. Or
 *   -ERANGE  one is above SEMVMX, 32767; then none is set
 *   -EINVAL  the set has another number of semaphores; set or values is NULL
 *   -EIDRM   the set was removed
 *   -EACCES  its mode does not let this user change it
 * Since 0.1. See semctl(2) SETALL.
 */
int unipc_semset_set_values(const unipc_semset *set,
                            const uint16_t *values,
                            size_t count);

/**
 * Value, last process and waiters of one semaphore.
 *
 * set:   a handle
 * index: which semaphore
 * out:   where that goes
 *
 * Returns 0.
 * Errors: as unipc_semset_value()
 * Since 0.1. See semctl(2) GETVAL, GETPID, GETNCNT, GETZCNT: four calls, between which things may change.
 */
int unipc_semset_info(const unipc_semset *set,
                      uint16_t index,
                      unipc_sem_information *out);

/**
 * What the kernel knows of the set.
 *
 * set: a handle
 * out: where that goes
 *
 * Returns 0.
 * Errors:
 *   -EIDRM   the set was removed
 *   -EACCES  its mode does not let this user read it
 *   -EINVAL  set or out is NULL
 * Since 0.1. See semctl(2) IPC_STAT.
 */
int unipc_semset_stat(const unipc_semset *set, unipc_semset_status *out);

/**
 * Changes owner, group or mode of the set.
 *
 * set:  a handle
 * uid:  the new owner; UINT32_MAX: unchanged
 * gid:  the new group; UINT32_MAX: unchanged
 * mode: the new permission bits; UINT32_MAX: unchanged
 *
 * Returns 0.
 * Errors:
 *   -EPERM   the caller is neither owner nor creator nor privileged
 *   -EIDRM   the set was removed
 *   -EINVAL  a mode beyond 0777, or 0611, which marks a set that is being made; set is NULL
 * Since 0.1. See semctl(2) IPC_SET.
 */
int unipc_semset_set(const unipc_semset *set, uint32_t uid, uint32_t gid, uint32_t mode);

/**
 * Removes the set at once. Who waits for it is told -EIDRM, and who uses it later, too.
 *
 * set: a handle
 *
 * Returns 0.
 * Errors:
 *   -EPERM   the caller is neither owner nor creator nor privileged
 *   -EIDRM   it is gone already
 *   -EINVAL  set is NULL
 * Since 0.1. See semctl(2) IPC_RMID.
 */
int unipc_semset_remove(const unipc_semset *set);

/**
 * All System V sets of this IPC namespace, those of other users too, as ipcs -s lists them.
 *
 * out: where they go; may be NULL when cap is 0
 * cap: for how many there is room
 *
 * Returns how many there are, of which out holds the first cap. Sets come and go meanwhile:
 * with room to spare, the answer says how many were filled.
 * Errors:
 *   -EINVAL  out is NULL
 * Since 0.1. See semctl(2) SEM_STAT_ANY (Linux 4.17).
 */
ssize_t unipc_semset_list(unipc_semset_status *out, size_t cap);

/**
 * The limits of System V semaphores in this IPC namespace.
 *
 * out: where they go
 *
 * Returns 0.
 * Errors:
 *   -EINVAL  out is NULL
 *   -ENOSYS  this kernel has no System V IPC
 * Since 0.1. See semctl(2) IPC_INFO.
 */
int unipc_sem_limits(unipc_sem_limit_values *out);

/**
 * What System V semaphores use in this IPC namespace.
 *
 * out: where that goes
 *
 * Returns 0.
 * Errors: as unipc_sem_limits()
 * Since 0.1. See semctl(2) SEM_INFO.
 */
int unipc_sem_usage(unipc_sem_usage_values *out);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* UNIPC_SEM_H */
