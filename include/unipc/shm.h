/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Generated from ffi/src by `make bless`: change it there. */

#ifndef UNIPC_SHM_H
#define UNIPC_SHM_H

/*
 * Shared memory of every kind that Linux has: create or open it by name, use its bytes, close it.
 *
 * The bytes are raw: exactly those that were asked for, without a header, so that a program that
 * never heard of this library can share them. Shared memory brings no synchronisation; the atomics
 * here are enough for counters and flags.
 */
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <unipc/base.h>

/*
 * Options in one expression, for C: &UNIPC_SHM_OPTS(.mode = 0640, .size = 4096).
 * They live until the end of the block.
 */
#ifndef __cplusplus
#define UNIPC_SHM_OPTS(...) ((unipc_shm_opts){.sz = sizeof(unipc_shm_opts), __VA_ARGS__})
#endif

/* Options to start from, in C++ and C: unipc_shm_opts o = UNIPC_SHM_OPTS_INIT; o.mode = 0640; */
#define UNIPC_SHM_OPTS_INIT {sizeof(unipc_shm_opts), 0, 0, 0, 0, 0, 0, 0, NULL}

/** Flags for creating, opening and removing. */
typedef enum unipc_shm_flag {
    /** Map for reading only; opening needs no write permission (SHM_RDONLY). Not for create. */
    UNIPC_SHM_READ_ONLY = (1 << 0),
    /** Copy-on-write (MAP_PRIVATE): changes stay with this mapping. Not for System V and anon:. */
    UNIPC_SHM_PRIVATE = (1 << 1),
    /** Fault in every page now, so that none costs time later (Linux 5.14). */
    UNIPC_SHM_POPULATE = (1 << 2),
    /**
     * Let the size reach to the end of the last page. Those bytes are shared between mappings, but
     * a file never gets them.
     */
    UNIPC_SHM_SLACK = (1 << 3),
    /**
     * Put an inaccessible page before and after the mapping's pages, so that an overrun is SIGSEGV at
     * once. The rest of the last page is not guarded.
     */
    UNIPC_SHM_GUARD_PAGES = (1 << 4),
    /** Allow execution (PROT_EXEC, SHM_EXEC). A System V segment needs a mode that allows it, 0700. */
    UNIPC_SHM_EXECUTABLE = (1 << 5),
    /** When creating: remove an object that has the name, then create. Others keep the old one. */
    UNIPC_SHM_REPLACE = (1 << 6),
    /** Remove the object when this handle is closed (not by a child of fork()). */
    UNIPC_SHM_REMOVE_ON_CLOSE = (1 << 7),
    /** Open a System V segment by identifier even when it is marked for removal. */
    UNIPC_SHM_ALLOW_REMOVED = (1 << 8),
    /** Refuse an existing object that belongs to neither this user nor root: -EPERM. */
    UNIPC_SHM_OWN_ONLY = (1 << 9),
    /** Lock the mapping in memory from the start, as unipc_shm_lock() does. */
    UNIPC_SHM_LOCKED = (1 << 10),
    /** Round opts.address down to a page boundary instead of refusing it (SHM_RND). */
    UNIPC_SHM_ADDRESS_ROUND = (1 << 11),
    /** Replace what is mapped at opts.address (MAP_FIXED, SHM_REMAP): it must be yours, unused. */
    UNIPC_SHM_ADDRESS_REPLACE = (1 << 12),
    /** For unipc_shm_remove(): only if nobody else is attached. System V alone counts who is. */
    UNIPC_SHM_IF_UNUSED = (1 << 13),
} unipc_shm_flag;

/** What nobody can do to a memfd any more: the kernel's F_SEAL_ numbers. */
typedef enum unipc_seal {
    /** Add further seals. */
    UNIPC_SEAL_SEAL = (1 << 0),
    /** Make it smaller, so that no mapping ever loses its pages. The default of a new memfd. */
    UNIPC_SEAL_SHRINK = (1 << 1),
    /** Make it larger. */
    UNIPC_SEAL_GROW = (1 << 2),
    /** Write to it. */
    UNIPC_SEAL_WRITE = (1 << 3),
    /** Write to it but through mappings that exist already (Linux 5.1). */
    UNIPC_SEAL_FUTURE_WRITE = (1 << 4),
    /** Allow or forbid its execution (Linux 6.3). What is created here is forbidden for good. */
    UNIPC_SEAL_EXEC = (1 << 5),
    /** In opts.seals, where 0 is the default: none of the seals above but UNIPC_SEAL_EXEC. */
    UNIPC_SEAL_NONE = (1 << 30),
} unipc_seal;

/** Flags of unipc_shm_flush(). */
typedef enum unipc_flush_flag {
    /** Do not wait for the disk (MS_ASYNC). */
    UNIPC_FLUSH_ASYNC = (1 << 0),
    /** Invalidate other mappings of the file (MS_INVALIDATE). */
    UNIPC_FLUSH_INVALIDATE = (1 << 1),
} unipc_flush_flag;

/** What to expect of a range of pages, for unipc_shm_advise(): the kernel's MADV_ numbers. */
typedef enum unipc_advice {
    /** No special treatment. */
    UNIPC_ADVICE_NORMAL = 0,
    /** Touched in no order: no read-ahead. */
    UNIPC_ADVICE_RANDOM = 1,
    /** Touched in order: much read-ahead. */
    UNIPC_ADVICE_SEQUENTIAL = 2,
    /** Needed soon: read it in. */
    UNIPC_ADVICE_WILL_NEED = 3,
    /** Not needed soon by this process; shared bytes stay, changes of a private mapping go. */
    UNIPC_ADVICE_DONT_NEED = 4,
    /** Not for children of fork(). */
    UNIPC_ADVICE_DONT_FORK = 10,
    /** Undo UNIPC_ADVICE_DONT_FORK. */
    UNIPC_ADVICE_DO_FORK = 11,
    /** Use transparent huge pages where the system allows them. */
    UNIPC_ADVICE_HUGE_PAGE = 14,
    /** Do not use transparent huge pages. */
    UNIPC_ADVICE_NO_HUGE_PAGE = 15,
    /** Leave it out of core dumps. */
    UNIPC_ADVICE_DONT_DUMP = 16,
    /** Undo UNIPC_ADVICE_DONT_DUMP. */
    UNIPC_ADVICE_DO_DUMP = 17,
    /** Reclaim these pages first (Linux 5.4). */
    UNIPC_ADVICE_COLD = 20,
    /** Reclaim these pages now (Linux 5.4). */
    UNIPC_ADVICE_PAGE_OUT = 21,
    /** Fault the pages in for reading (Linux 5.14). */
    UNIPC_ADVICE_POPULATE_READ = 22,
    /** Fault the pages in for writing (Linux 5.14). */
    UNIPC_ADVICE_POPULATE_WRITE = 23,
} unipc_advice;

/** Mapped shared memory. A handle belongs to the process; a child of fork() has its own copy. */
typedef struct unipc_shm unipc_shm;

/**
 * How to create or open, where the defaults do not do. A field that is zero has its default.
 *
 * Make it with UNIPC_SHM_OPTS() or UNIPC_SHM_OPTS_INIT, which set sz. Later versions add fields.
 */
typedef struct unipc_shm_opts {
    /** sizeof(unipc_shm_opts). */
    size_t sz;
    /**
     * When opening: how many bytes to map, cut at the object's end. 0: all from the offset on. A
     * System V segment that is opened by its key need not be asked about then, a call less.
     */
    size_t size;
    /**
     * Begin at this byte of the object; it need not be on a page boundary. When creating, the size
     * counts from the object's first byte.
     */
    uint64_t offset;
    /** When creating: permission bits, exact whatever the umask. 0: 0600. UNIPC_MODE_NONE: none. */
    uint32_t mode;
    /** When creating a memfd: its UNIPC_SEAL_ bits. 0: UNIPC_SEAL_SHRINK. UNIPC_SEAL_NONE: none. */
    uint32_t seals;
    /** For unipc_shm_from_fd(): UNIPC_SEAL_ bits that the descriptor must have, else -EPERM. */
    uint32_t required_seals;
    /** Not used: 0. */
    uint32_t reserved;
    /**
     * When creating System V, memfd or anonymous memory: pages of this size in bytes, which the
     * system must have (/sys/kernel/mm/hugepages), of which the object's size is a multiple.
     * 0: ordinary pages.
     */
    size_t huge_page_size;
    /**
     * Map exactly here, a System V segment with its whole size. The range must be free (-EEXIST,
     * System V -EINVAL) and left alone by all else in the process. NULL, which is what nearly
     * every program wants: the kernel chooses.
     */
    void *address;
} unipc_shm_opts;

/** What the kernel knows of a System V segment: all of struct shmid_ds and its struct ipc_perm. */
typedef struct unipc_shm_sysv_status {
    /** The identifier. */
    int32_t id;
    /** The key; 0 for a private segment and for one that is marked for removal. */
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
    /** Size in bytes, as asked for (shm_segsz). */
    uint64_t size;
    /** How many attachments there are (shm_nattch). */
    uint64_t attached;
    /** When it was last attached, in seconds since 1970; 0: never (shm_atime). */
    int64_t attach_time;
    /** When it was last detached; 0: never (shm_dtime). */
    int64_t detach_time;
    /** When it was created or last changed by unipc_shm_sysv_set() (shm_ctime). */
    int64_t change_time;
    /** Who created it (shm_cpid). */
    int32_t creator_pid;
    /** Who attached or detached last (shm_lpid). */
    int32_t last_pid;
    /** 1: marked for removal, it goes with its last attachment (SHM_DEST). 0: not. */
    uint32_t removed;
    /** 1: locked in memory (SHM_LOCKED). 0: not. */
    uint32_t locked;
    /** Not used: 0. */
    uint64_t reserved[4];
} unipc_shm_sysv_status;

/** The limits of System V shared memory, as ipcs -l and /proc/sys/kernel/shm* have them. */
typedef struct unipc_shm_limit_values {
    /** SHMMAX: the largest segment, in bytes. */
    uint64_t shmmax;
    /** SHMMIN: the smallest segment, in bytes. */
    uint64_t shmmin;
    /** SHMMNI: how many segments there may be. */
    uint64_t shmmni;
    /** SHMALL: how many pages all segments together may have. */
    uint64_t shmall;
    /** Not used: 0. */
    uint64_t reserved[4];
} unipc_shm_limit_values;

/** What System V shared memory uses, as ipcs -u has it (SHM_INFO). */
typedef struct unipc_shm_usage_values {
    /** How many segments exist. */
    uint64_t segments;
    /** Pages of all segments. */
    uint64_t pages;
    /** Pages of them in memory. */
    uint64_t resident;
    /** Pages of them swapped out. */
    uint64_t swapped;
    /** Not used: 0. */
    uint64_t reserved[4];
} unipc_shm_usage_values;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * Creates an object and maps it for reading and writing.
 *
 * out:   where the handle goes; NULL on failure. Close it with unipc_shm_close().
 * name:  "/demo", "sysv:PATH,PROJ", "sysv:0x1234", "sysv:private", "file:PATH", "memfd:LABEL",
 *        "anon:"; see unipc/name.h
 * size:  in bytes, more than 0; the object has exactly so many, all zero
 * flags: UNIPC_SHM_ flags, or 0
 * opts:  NULL for the defaults
 *
 * The memory is taken at once, so that using it never runs out of it. The object appears under its
 * name only when it is complete. It stays when the handle is closed, until it is unlinked.
 *
 * Example:
 *
 *     unipc_shm *shm;
 *     if (unipc_shm_create(&shm, "/demo", 4096, 0, NULL) < 0) {
 *         fprintf(stderr, "%s\n", unipc_last_error());
 *         return 1;
 *     }
 *     strcpy(unipc_shm_data(shm), "hello");
 *     unipc_shm_close(shm);
 *
 * Returns 0.
 * Errors:
 *   -EEXIST      the name is taken
 *   -EINVAL      no name, size 0, unknown flags, contradicting options, a name that cannot be
 *                created (sysv:id=42), a size beyond SHMMAX; out or name is NULL
 *   -ENOSPC      no room in the file system; SHMMNI or SHMALL is reached
 *   -ENOMEM      no memory, no free huge pages, or the lock limit is reached
 *   -EACCES      the directory may not be written
 *   -EOPNOTSUPP  this kind of object does not have what was asked for
 *   -EFBIG       the file would be larger than RLIMIT_FSIZE
 *   -E2BIG       opts uses fields that this version of the library does not know
 *   and what open(2), shmget(2), memfd_create(2) and mmap(2) give besides
 * Since 0.1.
 */
UNIPC_CHECK
int unipc_shm_create(unipc_shm **out,
                     const char *name,
                     size_t size,
                     unsigned int flags,
                     const unipc_shm_opts *opts);

/**
 * Opens an object that exists and maps it, as large as it is.
 *
 * out:   where the handle goes; NULL on failure. Close it with unipc_shm_close().
 * name:  as for unipc_shm_create(), and "sysv:id=42"
 * flags: UNIPC_SHM_ flags, or 0
 * opts:  NULL for the defaults
 *
 * Example:
 *
 *     unipc_shm *shm;
 *     if (unipc_shm_open(&shm, "/demo", UNIPC_SHM_READ_ONLY, &UNIPC_SHM_OPTS(.size = 64)) < 0) {
 *         fprintf(stderr, "%s\n", unipc_last_error());
 *         return 1;
 *     }
 *     printf("%.64s\n", (const char *)unipc_shm_data(shm));
 *     unipc_shm_close(shm);
 *
 * Returns 0.
 * Errors:
 *   -ENOENT       there is none
 *   -EACCES       its mode does not let this user in
 *   -ENODATA      it is empty: its creator has not sized it yet
 *   -EIDRM        the segment is marked for removal, and UNIPC_SHM_ALLOW_REMOVED is not set
 *   -EPERM        it belongs to another user, and UNIPC_SHM_OWN_ONLY is set
 *   -EMEDIUMTYPE  a directory, FIFO, socket or device lies under the name; a disk's in /dev/shm is mapped
 *   -EOPNOTSUPP   memfd: and anon: have no name that could be opened
 *   -EINVAL       no name, unknown flags, contradicting options, the offset lies behind the end,
 *                 no segment has this identifier; out or name is NULL
 *   -ENOMEM       no memory, or the lock limit is reached
 *   -E2BIG        opts uses fields that this version of the library does not know
 *   and what open(2), shmget(2), shmat(2) and mmap(2) give besides
 * Since 0.1.
 */
UNIPC_CHECK
int unipc_shm_open(unipc_shm **out,
                   const char *name,
                   unsigned int flags,
                   const unipc_shm_opts *opts);

/**
 * Opens an object, or creates it when there is none. What exists is never emptied or changed.
 *
 * out:   where the handle goes; NULL on failure. Close it with unipc_shm_close().
 * name:  as for unipc_shm_create()
 * size:  in bytes, more than 0; an object that exists must have at least so many, of which the first are mapped
 * flags: UNIPC_SHM_ flags, or 0
 * opts:  NULL for the defaults
 *
 * Returns 0.
 * Errors: as unipc_shm_create() without -EEXIST, as unipc_shm_open() without -ENOENT, and
 *   -EINVAL  the object exists and is smaller than size
 *   -EBUSY   others create and remove it all the time
 * Since 0.1.
 */
UNIPC_CHECK
int unipc_shm_open_or_create(unipc_shm **out,
                             const char *name,
                             size_t size,
                             unsigned int flags,
                             const unipc_shm_opts *opts);

/**
 * Maps what a descriptor refers to: a memfd that was received or inherited, an open file.
 *
 * out:   where the handle goes; NULL on failure. Close it with unipc_shm_close().
 * fd:    is duplicated; it stays yours, and may be closed afterwards
 * flags: UNIPC_SHM_ flags, or 0
 * opts:  NULL for the defaults; required_seals says what a memfd of a stranger must be sealed
 *        against
 *
 * Returns 0.
 * Errors:
 *   -EBADF        fd is not open
 *   -EACCES       it was not opened for reading, or for writing without UNIPC_SHM_READ_ONLY
 *   -EPERM        a required seal is missing; it is somebody else's, and UNIPC_SHM_OWN_ONLY is set
 *   -EMEDIUMTYPE  it is not a regular file
 *   -ENODATA      it is empty
 *   -EINVAL       unknown flags, contradicting options, the offset lies behind the end; out is NULL
 *   -EMFILE       too many descriptors are open
 *   -ENOMEM       no memory, or the lock limit is reached
 *   -E2BIG        opts uses fields that this version of the library does not know
 * Since 0.1.
 */
UNIPC_CHECK
int unipc_shm_from_fd(unipc_shm **out,
                      int fd,
                      unsigned int flags,
                      const unipc_shm_opts *opts);

/**
 * Unmaps the memory and closes the handle. The object itself stays; see unipc_shm_unlink().
 *
 * shm: a handle, gone afterwards with its address, descriptor and name; NULL is fine
 *
 * A child of fork() that closes its copy does not affect its parent.
 * Since 0.1.
 */
void unipc_shm_close(unipc_shm *shm);

/**
 * The first byte. Valid until the handle is closed, resized or refreshed.
 *
 * shm: a handle
 *
 * The bytes are shared with everybody who maps them: what others read meanwhile must be written by
 * atomics or under a lock. If the object is a file that others may truncate, touch it between
 * unipc_shm_begin_access() and unipc_shm_end_access(), or a lost page is SIGBUS.
 *
 * Returns the address; NULL for NULL. Async-signal-safe. Since 0.1.
 */
void *unipc_shm_data(const unipc_shm *shm);

/**
 * How many bytes may be touched: those asked for, cut at the end of the object.
 *
 * shm: a handle
 *
 * Returns the size in bytes; 0 for NULL. Async-signal-safe. Since 0.1.
 */
size_t unipc_shm_size(const unipc_shm *shm);

/**
 * How much of the address space the mapping takes: whole pages.
 *
 * shm: a handle
 *
 * Returns the size in bytes; 0 for NULL. Async-signal-safe. Since 0.1.
 */
size_t unipc_shm_mapped_size(const unipc_shm *shm);

/**
 * The address of a range, if all of it may be touched; see unipc_shm_data().
 *
 * shm:    a handle
 * offset: first byte
 * len:    how many bytes
 *
 * Returns the address; NULL with errno ERANGE when the range is not inside, EINVAL for NULL.
 * Since 0.1.
 */
void *unipc_shm_at(const unipc_shm *shm, size_t offset, size_t len);

/**
 * The name in its one spelling. sysv:private has become sysv:id=NUMBER; a descriptor has the name
 * that the kernel gives it.
 *
 * shm: a handle
 *
 * Returns a string that lives as long as the handle; NULL for NULL. Async-signal-safe. Since 0.1.
 */
const char *unipc_shm_name(const unipc_shm *shm);

/**
 * What the memory consists of.
 *
 * shm: a handle
 *
 * Returns a UNIPC_BACKING_ constant, or
 *   -EINVAL  shm is NULL
 * Async-signal-safe. Since 0.1.
 */
int unipc_shm_backing(const unipc_shm *shm);

/**
 * Is the mapping read-only?
 *
 * shm: a handle
 *
 * Returns 1 if it is, 0 if not, or
 *   -EINVAL  shm is NULL
 * Async-signal-safe. Since 0.1.
 */
int unipc_shm_is_read_only(const unipc_shm *shm);

/**
 * The descriptor behind POSIX, file and memfd memory, to be passed on or asked about. Of a POSIX
 * object, the first call after opening puts the position at the first byte, also that of a duplicate.
 *
 * shm: a handle
 *
 * Returns a descriptor that belongs to the handle: close-on-exec, not to be closed. Or
 *   -EOPNOTSUPP  System V and anonymous memory have none
 *   -EINVAL      shm is NULL
 * Since 0.1.
 */
int unipc_shm_fd(const unipc_shm *shm);

/**
 * The identifier of a System V segment, for unipc_shm_sysv_stat() and its kin.
 *
 * shm: a handle
 *
 * Returns the identifier, or
 *   -EOPNOTSUPP  other memory has none
 *   -EINVAL      shm is NULL
 * Since 0.1.
 */
int unipc_shm_id(const unipc_shm *shm);

/**
 * Copies bytes out. A file that another process has truncated is an error here, not SIGBUS.
 *
 * shm:    a handle
 * offset: first byte of the memory
 * buf:    where they go; may be NULL when len is 0
 * len:    how many bytes
 *
 * The copy is not atomic: a writer at work at the same time may be seen half-way.
 *
 * Returns 0.
 * Errors:
 *   -ERANGE  the range is not inside; nothing was copied
 *   -EFAULT  the file was truncated, or its file system is full: what buf holds is void
 *   -EINVAL  shm or buf is NULL
 * Since 0.1.
 */
int unipc_shm_read_at(const unipc_shm *shm, size_t offset, void *buf, size_t len);

/**
 * Copies bytes in. A file that another process has truncated is an error here, not SIGBUS.
 *
 * shm:    a handle
 * offset: first byte of the memory
 * buf:    where they come from; may be NULL when len is 0
 * len:    how many bytes
 *
 * Returns 0.
 * Errors:
 *   -ERANGE  the range is not inside; nothing was copied
 *   -EACCES  the mapping is read-only
 *   -EFAULT  the file was truncated, or its file system is full: what was copied may be lost
 *   -EINVAL  shm or buf is NULL
 * Since 0.1.
 */
int unipc_shm_write_at(const unipc_shm *shm, size_t offset, const void *buf, size_t len);

/**
 * Sets bytes, as memset() does.
 *
 * shm:    a handle
 * offset: first byte
 * len:    how many bytes
 * byte:   what each becomes
 *
 * Returns 0.
 * Errors: as unipc_shm_write_at()
 * Since 0.1.
 */
int unipc_shm_fill(const unipc_shm *shm, size_t offset, size_t len, unsigned char byte);

/**
 * Compares bytes, as memcmp() does.
 *
 * shm:    a handle
 * offset: first byte of the memory
 * buf:    what it is compared with; may be NULL when len is 0
 * len:    how many bytes
 * order:  gets -1, 0 or 1: the memory is less than buf, equal, greater
 *
 * Returns 0, which says nothing about the order.
 * Errors: as unipc_shm_read_at()
 * Since 0.1.
 */
int unipc_shm_compare(const unipc_shm *shm,
                      size_t offset,
                      const void *buf,
                      size_t len,
                      int *order);

/**
 * Begins a stretch in which the memory may be touched by its address although its file may shrink.
 *
 * shm: a handle
 *
 * Until unipc_shm_end_access() a page that the file has lost reads as zeros instead of killing the
 * process by SIGBUS. Covers all threads; stretches may nest and overlap. SIGBUS for other addresses
 * goes to the handler that was there before; a handler that is installed later must pass on what it
 * does not know. A thread that touches the memory must not block SIGBUS: the kernel ends a process
 * that faults while it is blocked, also in an array, a lock or a channel. Not needed for the functions
 * that copy, nor where nothing can shrink: System V, anonymous memory, a memfd with UNIPC_SEAL_SHRINK.
 * unipc_shm_resize() and unipc_shm_refresh() end all stretches.
 *
 * Example:
 *
 *     unipc_shm *shm;
 *     char first = 0;
 *     if (unipc_shm_open(&shm, "file:/tmp/records", UNIPC_SHM_READ_ONLY, NULL) < 0)
 *         return 1;
 *     if (unipc_shm_begin_access(shm) < 0)
 *         return 1;
 *     first = *(const char *)unipc_shm_data(shm);
 *     if (unipc_shm_end_access(shm) < 0)
 *         fprintf(stderr, "%s\n", unipc_last_error());
 *     else
 *         printf("%c\n", first);
 *     unipc_shm_close(shm);
 *
 * Returns 0.
 * Errors:
 *   -EINVAL  shm is NULL
 * Since 0.1.
 */
int unipc_shm_begin_access(const unipc_shm *shm);

/**
 * Ends what unipc_shm_begin_access() began, from any thread.
 *
 * shm: a handle
 *
 * Returns 0.
 * Errors:
 *   -EFAULT  the file lost pages meanwhile: what was read or written since the beginning is void
 *   -EINVAL  shm is NULL; nothing was begun (noticed only where the file can shrink)
 * Since 0.1.
 */
UNIPC_CHECK int unipc_shm_end_access(const unipc_shm *shm);

/**
 * Reads an integer atomically, sequentially consistent; so are all of its kin.
 *
 * shm:    a handle
 * offset: a multiple of 4, as the integer's address must be
 * value:  where the integer goes
 *
 * Returns 0.
 * Errors:
 *   -ERANGE  the integer is not inside
 *   -EINVAL  it is not aligned; a pointer is NULL
 *   -EFAULT  the file was truncated
 * Since 0.1.
 */
int unipc_shm_load_u32(const unipc_shm *shm, size_t offset, uint32_t *value);

/**
 * Writes an integer atomically.
 *
 * shm:    a handle
 * offset: a multiple of 4
 * value:  the integer
 *
 * Returns 0.
 * Errors: as unipc_shm_load_u32(), and
 *   -EACCES  the mapping is read-only
 * Since 0.1.
 */
int unipc_shm_store_u32(const unipc_shm *shm, size_t offset, uint32_t value);

/**
 * Adds to an integer atomically, wrapping around.
 *
 * shm:      a handle
 * offset:   a multiple of 4
 * addend:   what is added
 * previous: gets the integer as it was before; may be NULL
 *
 * Returns 0.
 * Errors: as unipc_shm_store_u32()
 * Since 0.1.
 */
int unipc_shm_add_u32(const unipc_shm *shm,
                      size_t offset,
                      uint32_t addend,
                      uint32_t *previous);

/**
 * Stores an integer atomically if it has the value that is expected.
 *
 * shm:      a handle
 * offset:   a multiple of 4
 * expected: what the integer must be
 * desired:  what it becomes
 * previous: gets the integer as it was before, in both cases; may be NULL
 *
 * Returns 1 when it was stored, 0 when it was not.
 * Errors: as unipc_shm_store_u32()
 * Since 0.1.
 */
UNIPC_CHECK
int unipc_shm_compare_exchange_u32(const unipc_shm *shm,
                                   size_t offset,
                                   uint32_t expected,
                                   uint32_t desired,
                                   uint32_t *previous);

/**
 * Reads a 64-bit integer atomically.
 *
 * shm:    a handle
 * offset: a multiple of 8, as the integer's address must be
 * value:  where the integer goes
 *
 * Returns 0.
 * Errors: as unipc_shm_load_u32()
 * Since 0.1.
 */
int unipc_shm_load_u64(const unipc_shm *shm, size_t offset, uint64_t *value);

/**
 * Writes a 64-bit integer atomically.
 *
 * shm:    a handle
 * offset: a multiple of 8
 * value:  the integer
 *
 * Returns 0.
 * Errors: as unipc_shm_store_u32()
 * Since 0.1.
 */
int unipc_shm_store_u64(const unipc_shm *shm, size_t offset, uint64_t value);

/**
 * Adds to a 64-bit integer atomically, wrapping around.
 *
 * shm:      a handle
 * offset:   a multiple of 8
 * addend:   what is added
 * previous: gets the integer as it was before; may be NULL
 *
 * Returns 0.
 * Errors: as unipc_shm_store_u32()
 * Since 0.1.
 */
int unipc_shm_add_u64(const unipc_shm *shm,
                      size_t offset,
                      uint64_t addend,
                      uint64_t *previous);

/**
 * Stores a 64-bit integer atomically if it has the value that is expected.
 *
 * shm:      a handle
 * offset:   a multiple of 8
 * expected: what the integer must be
 * desired:  what it becomes
 * previous: gets the integer as it was before, in both cases; may be NULL
 *
 * Returns 1 when it was stored, 0 when it was not.
 * Errors: as unipc_shm_store_u32()
 * Since 0.1.
 */
UNIPC_CHECK
int unipc_shm_compare_exchange_u64(const unipc_shm *shm,
                                   size_t offset,
                                   uint64_t expected,
                                   uint64_t desired,
                                   uint64_t *previous);

/**
 * Removes the object of a name. Who has it open keeps it until he leaves.
 *
 * name: any name but memfd: and anon:
 *
 * Returns 0.
 * Errors:
 *   -ENOENT         there is none
 *   -EINVAL         no name, NULL, sysv:private; no segment has this identifier
 *   -EACCES, -EPERM it is somebody else's
 *   -EOPNOTSUPP     memfd: and anon: have no name to remove; they go with their last user
 * Since 0.1. See shm_unlink(3), shmctl(2) IPC_RMID, unlink(2).
 */
int unipc_shm_unlink(const char *name);

/**
 * Removes this very object, not another one that has taken its name before the call. It stays usable here
 * and for all who have it open.
 *
 * shm:   a handle
 * flags: UNIPC_SHM_IF_UNUSED, or 0
 *
 * Returns 0.
 * Errors:
 *   -ESTALE         the name belongs to another object now, which stays
 *   -ENOENT         it is gone already (-EINVAL for System V)
 *   -EMEDIUMTYPE    the name is a symbolic link that leads to the file
 *   -EBUSY          others are attached, and UNIPC_SHM_IF_UNUSED is set
 *   -EACCES, -EPERM it is somebody else's
 *   -EOPNOTSUPP     memfd: and anon: have no name to remove; only System V counts who is attached
 *   -EINVAL         unknown flags; shm is NULL
 * Since 0.1.
 */
int unipc_shm_remove(const unipc_shm *shm,
                     unsigned int flags);

/**
 * Makes the object so large and maps all of it from this mapping's offset on.
 *
 * shm:  a handle that no other thread is using
 * size: of the object, in bytes
 *
 * New bytes are zero, and their memory is taken at once. Addresses from before are void. Other
 * processes keep their view until unipc_shm_refresh(); what is cut off is gone for them too.
 *
 * Returns 0.
 * Errors:
 *   -EOPNOTSUPP  System V and anonymous memory keep their size; a mapping at opts.address or
 *                between guard pages cannot grow
 *   -EACCES      the mapping is read-only
 *   -EPERM       a seal of the memfd forbids it
 *   -ENODATA     size is 0
 *   -EINVAL      nothing would remain behind the offset; shm is NULL
 *   -ENOSPC, -ENOMEM, -EFBIG  there is no room; the size is as before
 * Since 0.1. See ftruncate(2), mremap(2).
 */
int unipc_shm_resize(unipc_shm *shm, size_t size);

/**
 * Maps the object as large as it is now, after another process has changed its size.
 *
 * shm: a handle that no other thread is using
 *
 * Addresses from before are void.
 *
 * Returns 0.
 * Errors:
 *   -ENODATA  it is empty now
 *   -EINVAL   this mapping's offset lies behind its end; shm is NULL
 *   -ENOMEM   no room in the address space
 * Since 0.1.
 */
int unipc_shm_refresh(unipc_shm *shm);

/**
 * Writes changed pages of a file to its disk and waits for it. Other processes see them without.
 *
 * shm:    a handle
 * offset: first byte
 * len:    how many bytes; 0: all to the end
 * flags:  UNIPC_FLUSH_ flags, or 0
 *
 * Returns 0.
 * Errors:
 *   -ERANGE  the range is not inside
 *   -EIO     the disk failed
 *   -EBUSY   UNIPC_FLUSH_INVALIDATE, and pages are locked in memory
 *   -EINVAL  unknown flags; shm is NULL
 * Since 0.1. See msync(2).
 */
int unipc_shm_flush(const unipc_shm *shm, size_t offset, size_t len, unsigned int flags);

/**
 * Tells the kernel what to expect of the pages of a range.
 *
 * shm:    a handle
 * offset: first byte
 * len:    how many bytes; 0: all to the end
 * advice: a UNIPC_ADVICE_ constant
 *
 * Returns 0.
 * Errors:
 *   -ERANGE  the range is not inside
 *   -EINVAL  unknown advice, or not for this kind of memory; shm is NULL
 *   and what madvise(2) gives besides
 * Since 0.1. See madvise(2).
 */
int unipc_shm_advise(const unipc_shm *shm, size_t offset, size_t len, int advice);

/**
 * Keeps this mapping's pages in memory until unipc_shm_unlock() or the handle is closed. Not
 * inherited by fork(). See unipc_shm_sysv_lock() for a whole segment.
 *
 * shm: a handle
 *
 * Returns 0.
 * Errors:
 *   -ENOMEM, -EPERM, -EAGAIN  RLIMIT_MEMLOCK does not allow it
 *   -EINVAL  shm is NULL
 * Since 0.1. See mlock(2).
 */
int unipc_shm_lock(const unipc_shm *shm);

/**
 * Undoes unipc_shm_lock().
 *
 * shm: a handle
 *
 * Returns 0.
 * Errors:
 *   -EINVAL  shm is NULL
 * Since 0.1. See munlock(2).
 */
int unipc_shm_unlock(const unipc_shm *shm);

/**
 * The seals of a memfd: what nobody can do to it any more.
 *
 * shm: a handle
 *
 * Returns UNIPC_SEAL_ bits, or
 *   -EOPNOTSUPP  it is not a memfd
 *   -EINVAL      shm is NULL
 * Since 0.1. See fcntl(2) F_GET_SEALS.
 */
int unipc_shm_seals(const unipc_shm *shm);

/**
 * Seals a memfd, for everybody and for good. Sealing twice is fine.
 *
 * shm:   a handle
 * seals: UNIPC_SEAL_ bits
 *
 * Returns 0.
 * Errors:
 *   -EPERM       it is sealed against sealing
 *   -EBUSY       UNIPC_SEAL_WRITE while a writable mapping exists, this one included
 *   -EOPNOTSUPP  it is not a memfd
 *   -EINVAL      unknown seals; shm is NULL
 * Since 0.1. See fcntl(2) F_ADD_SEALS.
 */
int unipc_shm_add_seals(const unipc_shm *shm, unsigned int seals);

/**
 * A new descriptor of a memfd that nobody can write through, for a peer that must only read.
 *
 * shm: a handle
 *
 * The memfd is sealed against future writing, shrinking and growing first: a descriptor that is
 * merely opened read-only could be opened for writing again by a peer of the same user. Mappings
 * that exist stay writable, this one too.
 *
 * Returns a descriptor, close-on-exec, which is the caller's to close. Or
 *   -EPERM       it is sealed against sealing and lacks these seals
 *   -EOPNOTSUPP  it is not a memfd
 *   -EMFILE      too many descriptors are open
 *   -EINVAL      shm is NULL
 * Since 0.1.
 */
UNIPC_CHECK int unipc_shm_read_only_fd(const unipc_shm *shm);

/**
 * What the kernel knows of a System V segment.
 *
 * id:  its identifier, from unipc_shm_id() or ipcs -m
 * out: where that goes
 *
 * Returns 0.
 * Errors:
 *   -EINVAL  no segment has this identifier; out is NULL
 *   -EACCES  no permission to read
 * Since 0.1. See shmctl(2) IPC_STAT.
 */
int unipc_shm_sysv_stat(int id, unipc_shm_sysv_status *out);

/**
 * Changes owner, group or mode of a System V segment.
 *
 * id:   its identifier
 * uid:  the new owner; UINT32_MAX: unchanged
 * gid:  the new group; UINT32_MAX: unchanged
 * mode: the new permission bits; UINT32_MAX: unchanged
 *
 * Returns 0.
 * Errors:
 *   -EPERM   the caller is neither owner nor creator nor privileged
 *   -EINVAL  no segment has this identifier; a mode beyond 0777
 *   -EACCES  no permission to read
 * Since 0.1. See shmctl(2) IPC_SET.
 */
int unipc_shm_sysv_set(int id, uint32_t uid, uint32_t gid, uint32_t mode);

/**
 * Removes a System V segment: its key is free at once, the segment goes with its last attachment.
 *
 * id: its identifier
 *
 * Returns 0.
 * Errors:
 *   -EPERM   the caller is neither owner nor creator nor privileged
 *   -EINVAL  no segment has this identifier
 * Since 0.1. See shmctl(2) IPC_RMID.
 */
int unipc_shm_sysv_remove(int id);

/**
 * Keeps a System V segment in memory, for all who attach it.
 *
 * id: its identifier
 *
 * Returns 0.
 * Errors:
 *   -EPERM, -ENOMEM  the caller may not, or RLIMIT_MEMLOCK does not allow it
 *   -EINVAL  no segment has this identifier
 * Since 0.1. See shmctl(2) SHM_LOCK.
 */
int unipc_shm_sysv_lock(int id);

/**
 * Undoes unipc_shm_sysv_lock().
 *
 * id: its identifier
 *
 * Returns 0.
 * Errors: as unipc_shm_sysv_lock()
 * Since 0.1. See shmctl(2) SHM_UNLOCK.
 */
int unipc_shm_sysv_unlock(int id);

/**
 * All System V segments of this IPC namespace, those of other users too, as ipcs -m lists them.
 *
 * out: where they go; may be NULL when cap is 0
 * cap: for how many there is room
 *
 * Returns how many there are, of which out holds the first cap. Segments come and go meanwhile:
 * with room to spare, the answer says how many were filled.
 * Errors:
 *   -EINVAL  out is NULL
 * Since 0.1. See shmctl(2) SHM_STAT_ANY (Linux 4.17).
 */
ssize_t unipc_shm_sysv_list(unipc_shm_sysv_status *out, size_t cap);

/**
 * The limits of System V shared memory in this IPC namespace.
 *
 * out: where they go
 *
 * Returns 0.
 * Errors:
 *   -EINVAL  out is NULL
 *   -ENOSYS  this kernel has no System V IPC
 * Since 0.1. See shmctl(2) IPC_INFO.
 */
int unipc_shm_limits(unipc_shm_limit_values *out);

/**
 * What System V shared memory uses in this IPC namespace.
 *
 * out: where that goes
 *
 * Returns 0.
 * Errors: as unipc_shm_limits()
 * Since 0.1. See shmctl(2) SHM_INFO.
 */
int unipc_shm_usage(unipc_shm_usage_values *out);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* UNIPC_SHM_H */
