/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Generated from ffi/src by `make bless`: change it there. */

#ifndef UNIPC_CHANNEL_H
#define UNIPC_CHANNEL_H

/*
 * Channels: one ring in shared memory, three uses.
 *
 *   a queue    each message goes to exactly one of those who receive
 *   a topic    each message goes to all subscribers; reliable, or keeping the latest
 *   a service  questions and answers
 *
 * No call is made into the kernel while nobody sleeps. A full queue makes senders wait; nothing is
 * lost silently. A participant that is killed, at any moment, loses what it had not committed; what it
 * had not taken stays for the others, and nobody waits for it.
 *
 * A queue or topic created with opts.layout carries records: the layout is stored in it, told by
 * unipc_queue_layout(), and compared by unipc_queue_open_layout(). In Python they come as numpy arrays.
 *
 * What is received is as trustworthy as those who may write to the channel (its mode says who):
 * lengths are checked, contents are not.
 */
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h> /* struct iovec */
#include <time.h>
#include <unipc/base.h>
#include <unipc/shm.h>

/* A strict C99 leaves it out of <time.h>. */
struct timespec;

/*
 * Options in one expression, for C: &UNIPC_CHANNEL_OPTS(.message_size = 64).
 * They live until the end of the block.
 */
#ifndef __cplusplus
#define UNIPC_CHANNEL_OPTS(...) ((unipc_channel_opts){.sz = sizeof(unipc_channel_opts), __VA_ARGS__})
#endif

/* Options to start from, in C++ and C: unipc_channel_opts o = UNIPC_CHANNEL_OPTS_INIT; */
#define UNIPC_CHANNEL_OPTS_INIT {sizeof(unipc_channel_opts), 0, 0, 0, 0, 0, NULL, 0}

/** Flags for creating and opening channels. */
typedef enum unipc_channel_flag {
    /**
     * Never sleep: waiting takes a processor, and the least time. Without it a wait spins for some
     * microseconds and then sleeps.
     */
    UNIPC_CHANNEL_SPIN = (1 << 0),
    /**
     * When creating a topic: publishers wait for the slowest living subscriber, so that nobody loses
     * a message. Without it they never wait, and a subscriber is told how many messages it lost.
     */
    UNIPC_CHANNEL_RELIABLE = (1 << 1),
    /**
     * For unipc_subscriber_open(): begin with the oldest message that is still there, not with the
     * next one.
     */
    UNIPC_CHANNEL_OLDEST = (1 << 2),
} unipc_channel_flag;

/** What the functions whose names end in _at do when there is a channel, and when there is none. */
typedef enum unipc_channel_how {
    /** Open the one that is there. Where the bytes are zero, wait for up to a second for a creator. */
    UNIPC_CHANNEL_OPEN = 0,
    /** Create it where there are zeros. */
    UNIPC_CHANNEL_CREATE = 1,
    /** Open it, or create it when there is none. */
    UNIPC_CHANNEL_OPEN_OR_CREATE = 2,
} unipc_channel_how;

/** One who asks questions. Threads and fork() as a queue. */
typedef struct unipc_client unipc_client;

/** A question that a service has received. */
typedef struct unipc_question unipc_question;

/**
 * A queue: each message goes to exactly one of those who receive. A handle serves one thread at a
 * time; a child of fork() opens its own.
 */
typedef struct unipc_queue unipc_queue;

/** One who answers questions. Threads and fork() as a queue. */
typedef struct unipc_service unipc_service;

/** A subscriber of a topic, with a position of its own. Threads and fork() as a queue. */
typedef struct unipc_subscriber unipc_subscriber;

/** A topic, to publish on: each message goes to all subscribers. Threads and fork() as a queue. */
typedef struct unipc_topic unipc_topic;

/** Options of channels, made by UNIPC_CHANNEL_OPTS(); a field that is zero has its default. */
typedef struct unipc_channel_opts {
    /** The size of this struct, for versions to come; the OPTS macro sets it. */
    size_t sz;
    /**
     * When creating a service: the least size in bytes of the ring of answers that each
     * participant has. 0: 16384.
     */
    size_t reply_capacity;
    /** When creating: permission bits, exact whatever the umask. 0: 0600. */
    uint32_t mode;
    /**
     * When creating a queue or topic: every message has this size in bytes, which saves the
     * lengths and is fastest. 0: messages of any size.
     */
    uint32_t message_size;
    /** When creating: how many handles there can be at a time, in all processes together. 0: 64. */
    uint32_t participants;
    /** Not used: 0. */
    uint32_t reserved;
    /**
     * Of a queue or topic: what every message consists of, which message_size follows then:
     * UNIPC_LAYOUT() of unipc/record.h, or a PEP 3118 format. It is stored in the channel; where one is
     * there already, it must be this one. NULL: messages are bytes.
     */
    const char *layout;
    /**
     * When creating a memfd or a file on hugetlbfs: it lies in huge pages of this size in bytes, two at
     * least, or fails with -ENOSPC where there are none. 0: ordinary pages.
     */
    size_t huge_page_size;
} unipc_channel_opts;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * Creates a queue. It appears under its name only when it is complete, and stays when the handle is
 * closed, until it is unlinked.
 *
 * out:      where the handle goes; NULL on failure. Close it with unipc_queue_close().
 * name:     "/demo", "file:PATH", or "memfd:LABEL" for one without a name: hand its descriptor on
 * capacity: the least size of its ring in bytes: what can be under way at a time
 * flags:    UNIPC_CHANNEL_ flags, or 0
 * opts:     NULL for the defaults
 *
 * Example:
 *
 *     unipc_queue *jobs;
 *     if (unipc_queue_open_or_create(&jobs, "/jobs", 1 << 20, 0, NULL) < 0 ||
 *         unipc_queue_send(jobs, "hello", 5, NULL) < 0) {
 *         fprintf(stderr, "%s\n", unipc_last_error());
 *         return 1;
 *     }
 *     unipc_queue_close(jobs);
 *
 * Returns 0.
 * Errors:
 *   -EEXIST      the name is taken
 *   -ENOSPC, -ENOMEM  there is no memory
 *   -EINVAL      no name, unknown flags, a message_size that the ring cannot hold; out or name is NULL
 *   -EACCES      the directory may not be written
 *   -EOPNOTSUPP  not a POSIX object, a file or a memfd: System V and anonymous memory cannot be channels
 * Since 0.1.
 */
UNIPC_CHECK
int unipc_queue_create(unipc_queue **out,
                       const char *name,
                       size_t capacity,
                       unsigned int flags,
                       const unipc_channel_opts *opts);

/**
 * Opens a queue, or creates it when there is none.
 *
 * The arguments are those of unipc_queue_create(); opts matters when it creates, and opts.layout always.
 *
 * Returns 0.
 * Errors: those of unipc_queue_create() and unipc_queue_open().
 * Since 0.1.
 */
UNIPC_CHECK
int unipc_queue_open_or_create(unipc_queue **out,
                               const char *name,
                               size_t capacity,
                               unsigned int flags,
                               const unipc_channel_opts *opts);

/**
 * Opens a queue.
 *
 * out:   where the handle goes; NULL on failure. Close it with unipc_queue_close().
 * name:  its name
 * flags: UNIPC_CHANNEL_ flags, or 0
 *
 * Returns 0.
 * Errors:
 *   -ENOENT      there is none
 *   -EACCES      its mode does not let this user in
 *   -EPROTO      it is no queue, one of another version, or damaged
 *   -EBUSY       all places for participants are taken
 *   -EINVAL      no name, unknown flags; out or name is NULL
 * Since 0.1.
 */
UNIPC_CHECK int unipc_queue_open(unipc_queue **out, const char *name, unsigned int flags);

/**
 * As unipc_queue_open(), if its messages have this layout. The records that come need no check
 * then: their fields are what this program's compiler says.
 *
 * out, name, flags: as in unipc_queue_open()
 * layout:           UNIPC_LAYOUT() of unipc/record.h, or a PEP 3118 format
 *
 * Returns 0.
 * Errors: as unipc_queue_open();
 *   -EPROTO      its messages have another layout, or none: unipc_last_error() names the first field
 *                that differs, with both offsets and both types
 *   -EINVAL      the layout does not parse, or is NULL
 * Since 0.1.
 */
UNIPC_CHECK
int unipc_queue_open_layout(unipc_queue **out,
                            const char *name,
                            const char *layout,
                            unsigned int flags);

/**
 * Creates or opens a queue in memory that holds other things as well.
 *
 * out:      where the handle goes; NULL on failure. Close it with unipc_queue_close().
 * shm:      a POSIX object, a file or a memfd, which may be closed afterwards
 * offset:   where it begins: on a page, as unipc_directory_place_on_page() finds one
 * how:      UNIPC_CHANNEL_OPEN, UNIPC_CHANNEL_CREATE or UNIPC_CHANNEL_OPEN_OR_CREATE
 * capacity: the least size of its ring in bytes, when creating
 * flags:    UNIPC_CHANNEL_ flags, or 0
 * opts:     NULL for the defaults; mode and huge_page_size are the memory's own
 *
 * Returns 0.
 * Errors:
 *   -EEXIST      there is one, and it was to be created
 *   -ERANGE      it does not fit there, see unipc_queue_size()
 *   -EBUSY       the bytes of its first page are not zero and no object
 *   -EPROTO      what is there is none, one of another version, has another layout than opts.layout, or is
 *                damaged; or nothing came within a second
 *   -EINVAL      the offset begins no page, flags or numbers are unknown; out or shm is NULL
 *   -EOPNOTSUPP  the memory has no descriptor: System V and anonymous memory cannot hold channels
 *   -EACCES      the memory is mapped read-only
 *   -EBUSY       all places for participants are taken
 *   -EINTR       a signal came while it waited for a creator
 * Since 0.1.
 */
UNIPC_CHECK
int unipc_queue_at(unipc_queue **out,
                   const unipc_shm *shm,
                   size_t offset,
                   int how,
                   size_t capacity,
                   unsigned int flags,
                   const unipc_channel_opts *opts);

/**
 * How many bytes a place for a queue takes, for unipc_queue_at(). It must begin on a page.
 *
 * capacity: the least size of its ring in bytes
 * opts:     NULL for the defaults
 *
 * Returns the size, or
 *   -EINVAL  such a queue cannot be
 * Since 0.1.
 */
UNIPC_CHECK ssize_t unipc_queue_size(size_t capacity, const unipc_channel_opts *opts);

/**
 * As unipc_queue_open(), from a descriptor: a memfd that was inherited or received. The
 * descriptor is duplicated, the caller still owns it.
 *
 * Returns 0.
 * Errors: as unipc_queue_open(); -EBADF. Since 0.1.
 */
UNIPC_CHECK int unipc_queue_from_fd(unipc_queue **out, int fd, unsigned int flags);

/**
 * The name.
 *
 * Returns a string that lives as long as the handle; NULL for NULL. Since 0.1.
 */
const char *unipc_queue_name(const unipc_queue *queue);

/**
 * What every message consists of, if whoever created the queue said so: a PEP 3118 format.
 *
 * Returns a string that lives as long as the handle; NULL for messages of bytes, and for NULL. Since 0.1.
 */
const char *unipc_queue_layout(const unipc_queue *queue);

/**
 * A descriptor that is readable while there is a message: for poll(), select(), epoll or an event
 * loop. It is close-on-exec, made by the first call, and valid until the handle is closed.
 *
 * Use it as one that does not block: when it is readable, receive with {0, 0} until that is -EAGAIN,
 * which lets it tell of the next. Until it is asked for, and while it is readable, the other side
 * pays nothing for it; otherwise one wake-up. A thread of this library's sleeps for all such
 * descriptors of the process; it takes no signals, and ends soon after the last of them is closed.
 *
 * Returns it.
 * Errors:
 *   -EMFILE, -ENFILE  there are no more descriptors
 *   -EBUSY       no more threads may be started
 *   -EINVAL      the handle is the parent's, or NULL
 * Since 0.1.
 */
int unipc_queue_fd(unipc_queue *queue);

/**
 * A descriptor that is readable while there is room: for poll(), select(), epoll or an event
 * loop. It is close-on-exec, made by the first call, and valid until the handle is closed.
 *
 * Use it as one that does not block: when it is readable, send with {0, 0} until that is -EAGAIN,
 * which lets it tell of the next. Until it is asked for, and while it is readable, the other side
 * pays nothing for it; otherwise one wake-up. A thread of this library's sleeps for all such
 * descriptors of the process; it takes no signals, and ends soon after the last of them is closed.
 * Room: for the message for which there was none the last time.
 *
 * Returns it.
 * Errors:
 *   -EMFILE, -ENFILE  there are no more descriptors
 *   -EBUSY       no more threads may be started
 *   -EINVAL      the handle is the parent's, or NULL
 * Since 0.1.
 */
int unipc_queue_send_fd(unipc_queue *queue);

/**
 * The descriptor of the memory, to be handed on (fork, exec, SCM_RIGHTS) and opened with
 * from_fd. It is close-on-exec and valid until the handle is closed.
 *
 * Returns it, or -EINVAL when the handle is NULL. Since 0.1.
 */
int unipc_queue_memory_fd(const unipc_queue *queue);

/**
 * Removes the queue of this name. Who has it open keeps it.
 *
 * Returns 0.
 * Errors: as unipc_shm_unlink(). Since 0.1.
 */
int unipc_queue_unlink(const char *name);

/**
 * Closes the handle; NULL is nothing. The queue stays. In a child of fork() it gives up the copy.
 * Since 0.1.
 */
void unipc_queue_close(unipc_queue *queue);

/**
 * Sends a message.
 *
 * queue:   a handle that no other thread is using
 * msg:     its bytes; NULL is fine for none
 * len:     how many; 0 is a message too
 * timeout: how long to wait for room; NULL for ever, {0, 0} not at all
 *
 * Returns 0.
 * Errors:
 *   -EMSGSIZE   longer than the ring can hold, or not of the one size
 *   -EAGAIN, -ETIMEDOUT  the queue is full
 *   -EINTR      a signal came; nothing was sent
 *   -EFAULT     the file was truncated
 *   -EINVAL     the handle is the parent's; a pointer is NULL
 * Since 0.1.
 */
UNIPC_CHECK
int unipc_queue_send(unipc_queue *queue,
                     const void *msg,
                     size_t len,
                     const struct timespec *timeout);

/**
 * Sends messages of one size that lie in a row, with one wake-up.
 *
 * queue:   a handle that no other thread is using
 * msgs:    len * count bytes
 * len:     the size of each, more than 0
 * count:   how many
 * timeout: how long to wait for room for the first
 *
 * Returns how many were sent: as many as there was room for, at least one.
 * Errors: as unipc_queue_send(). Since 0.1.
 */
UNIPC_CHECK
ssize_t unipc_queue_send_many(unipc_queue *queue,
                              const void *msgs,
                              size_t len,
                              size_t count,
                              const struct timespec *timeout);

/**
 * Makes room for a message in the ring itself, to be written there and then committed or aborted.
 * Others who send wait meanwhile. Nobody sees the message before it is committed.
 *
 * queue:   a handle that no other thread is using
 * len:     how many bytes at most
 * room:    where their address goes
 * timeout: as in unipc_queue_send()
 *
 * Returns 0.
 * Errors: as unipc_queue_send(); -EINVAL while something is reserved. Since 0.1.
 */
UNIPC_CHECK
int unipc_queue_reserve(unipc_queue *queue,
                        size_t len,
                        void **room,
                        const struct timespec *timeout);

/**
 * Sends the first len bytes of what was reserved. Since 0.1.
 *
 * Returns 0; -EMSGSIZE for more than were reserved, -EINVAL when nothing is.
 */
int unipc_queue_commit(unipc_queue *queue, size_t len);

/**
 * Gives up what was reserved. Since 0.1.
 *
 * Returns 0; -EINVAL when nothing is reserved.
 */
int unipc_queue_abort(unipc_queue *queue);

/**
 * Receives a message.
 *
 * queue:   a handle that no other thread is using
 * buf:     where its bytes go
 * cap:     how many bytes fit
 * timeout: how long to wait for one; NULL for ever, {0, 0} not at all
 *
 * Returns its length.
 * Errors:
 *   -EMSGSIZE   it does not fit: it stays in the queue
 *   -EAGAIN, -ETIMEDOUT  there is none
 *   -EINTR      a signal came; nothing was received
 *   -EPROTO     the ring is damaged
 *   -EFAULT     the file was truncated
 *   -EINVAL     the handle is the parent's; a pointer is NULL
 * Since 0.1.
 */
UNIPC_CHECK
ssize_t unipc_queue_recv(unipc_queue *queue,
                         void *buf,
                         size_t cap,
                         const struct timespec *timeout);

/**
 * Receives messages of one size into a row.
 *
 * queue:   a handle that no other thread is using
 * buf:     room for len * count bytes
 * len:     the size of each, more than 0
 * count:   how many at most, more than 0
 * timeout: how long to wait for the first
 *
 * Returns how many: as many as were there, at least one.
 * Errors: as unipc_queue_recv(); -EMSGSIZE when the next message is not of this size. Since 0.1.
 */
UNIPC_CHECK
ssize_t unipc_queue_recv_many(unipc_queue *queue,
                              void *buf,
                              size_t len,
                              size_t count,
                              const struct timespec *timeout);

/**
 * Lends the next message where it lies. Others who receive wait until it is released or left;
 * should this process die before that, it is the next one's.
 *
 * queue:   a handle that no other thread is using
 * msg:     where its address goes
 * len:     where its length goes
 * timeout: as in unipc_queue_recv()
 *
 * Returns 0.
 * Errors: as unipc_queue_recv(); -EINVAL while something is lent. Since 0.1.
 */
UNIPC_CHECK
int unipc_queue_peek(unipc_queue *queue,
                     const void **msg,
                     size_t *len,
                     const struct timespec *timeout);

/**
 * Takes the message that was lent out of the queue; its bytes must not be touched any more.
 *
 * Returns 0; -EINVAL when nothing is lent. Since 0.1.
 */
int unipc_queue_release(unipc_queue *queue);

/**
 * Leaves the message that was lent in the queue, for the next one to receive.
 *
 * Returns 0; -EINVAL when nothing is lent. Since 0.1.
 */
int unipc_queue_leave(unipc_queue *queue);

/**
 * Creates a topic. It appears under its name only when it is complete, and stays when the handle is
 * closed, until it is unlinked.
 *
 * out:      where the handle goes; NULL on failure. Close it with unipc_topic_close().
 * name:     "/demo", "file:PATH", or "memfd:LABEL" for one without a name: hand its descriptor on
 * capacity: the least size of its ring in bytes: what a subscriber can be behind
 * flags:    UNIPC_CHANNEL_ flags, or 0
 * opts:     NULL for the defaults
 *
 * Returns 0.
 * Errors:
 *   -EEXIST      the name is taken
 *   -ENOSPC, -ENOMEM  there is no memory
 *   -EINVAL      no name, unknown flags, a message_size that the ring cannot hold; out or name is NULL
 *   -EACCES      the directory may not be written
 *   -EOPNOTSUPP  not a POSIX object, a file or a memfd: System V and anonymous memory cannot be channels
 * Since 0.1.
 */
UNIPC_CHECK
int unipc_topic_create(unipc_topic **out,
                       const char *name,
                       size_t capacity,
                       unsigned int flags,
                       const unipc_channel_opts *opts);

/**
 * Opens a topic, or creates it when there is none.
 *
 * The arguments are those of unipc_topic_create(); opts matters when it creates, and opts.layout always.
 *
 * Returns 0.
 * Errors: those of unipc_topic_create() and unipc_topic_open().
 * Since 0.1.
 */
UNIPC_CHECK
int unipc_topic_open_or_create(unipc_topic **out,
                               const char *name,
                               size_t capacity,
                               unsigned int flags,
                               const unipc_channel_opts *opts);

/**
 * Opens a topic to publish on it.
 *
 * out:   where the handle goes; NULL on failure. Close it with unipc_topic_close().
 * name:  its name
 * flags: UNIPC_CHANNEL_ flags, or 0
 *
 * Returns 0.
 * Errors:
 *   -ENOENT      there is none
 *   -EACCES      its mode does not let this user in
 *   -EPROTO      it is no topic, one of another version, or damaged
 *   -EBUSY       all places for participants are taken
 *   -EINVAL      no name, unknown flags; out or name is NULL
 * Since 0.1.
 */
UNIPC_CHECK int unipc_topic_open(unipc_topic **out, const char *name, unsigned int flags);

/**
 * As unipc_topic_open(), if its messages have this layout. The records that come need no check
 * then: their fields are what this program's compiler says.
 *
 * out, name, flags: as in unipc_topic_open()
 * layout:           UNIPC_LAYOUT() of unipc/record.h, or a PEP 3118 format
 *
 * Returns 0.
 * Errors: as unipc_topic_open();
 *   -EPROTO      its messages have another layout, or none: unipc_last_error() names the first field
 *                that differs, with both offsets and both types
 *   -EINVAL      the layout does not parse, or is NULL
 * Since 0.1.
 */
UNIPC_CHECK
int unipc_topic_open_layout(unipc_topic **out,
                            const char *name,
                            const char *layout,
                            unsigned int flags);

/**
 * Creates or opens a topic in memory that holds other things as well.
 *
 * out:      where the handle goes; NULL on failure. Close it with unipc_topic_close().
 * shm:      a POSIX object, a file or a memfd, which may be closed afterwards
 * offset:   where it begins: on a page, as unipc_directory_place_on_page() finds one
 * how:      UNIPC_CHANNEL_OPEN, UNIPC_CHANNEL_CREATE or UNIPC_CHANNEL_OPEN_OR_CREATE
 * capacity: the least size of its ring in bytes, when creating
 * flags:    UNIPC_CHANNEL_ flags, or 0
 * opts:     NULL for the defaults; mode and huge_page_size are the memory's own
 *
 * Returns 0.
 * Errors:
 *   -EEXIST      there is one, and it was to be created
 *   -ERANGE      it does not fit there, see unipc_topic_size()
 *   -EBUSY       the bytes of its first page are not zero and no object
 *   -EPROTO      what is there is none, one of another version, has another layout than opts.layout, or is
 *                damaged; or nothing came within a second
 *   -EINVAL      the offset begins no page, flags or numbers are unknown; out or shm is NULL
 *   -EOPNOTSUPP  the memory has no descriptor: System V and anonymous memory cannot hold channels
 *   -EACCES      the memory is mapped read-only
 *   -EBUSY       all places for participants are taken
 *   -EINTR       a signal came while it waited for a creator
 * Since 0.1.
 */
UNIPC_CHECK
int unipc_topic_at(unipc_topic **out,
                   const unipc_shm *shm,
                   size_t offset,
                   int how,
                   size_t capacity,
                   unsigned int flags,
                   const unipc_channel_opts *opts);

/**
 * How many bytes a place for a topic takes, for unipc_topic_at(). It must begin on a page.
 *
 * capacity: the least size of its ring in bytes
 * opts:     NULL for the defaults
 *
 * Returns the size, or
 *   -EINVAL  such a topic cannot be
 * Since 0.1.
 */
UNIPC_CHECK ssize_t unipc_topic_size(size_t capacity, const unipc_channel_opts *opts);

/**
 * Subscribes to a topic that is open here, wherever it lies.
 *
 * out:   where the handle goes; NULL on failure. Close it with unipc_subscriber_close().
 * topic: a handle that no other thread is using
 * flags: UNIPC_CHANNEL_ flags, or 0
 *
 * Returns 0.
 * Errors:
 *   -EBUSY       all places for participants are taken
 *   -EINVAL      unknown flags, the handle is the parent's; out or topic is NULL
 * Since 0.1.
 */
UNIPC_CHECK
int unipc_topic_subscribe(unipc_subscriber **out,
                          const unipc_topic *topic,
                          unsigned int flags);

/**
 * As unipc_topic_open(), from a descriptor: a memfd that was inherited or received. The
 * descriptor is duplicated, the caller still owns it.
 *
 * Returns 0.
 * Errors: as unipc_topic_open(); -EBADF. Since 0.1.
 */
UNIPC_CHECK int unipc_topic_from_fd(unipc_topic **out, int fd, unsigned int flags);

/**
 * Publishs a message.
 *
 * topic:   a handle that no other thread is using
 * msg:     its bytes; NULL is fine for none
 * len:     how many; 0 is a message too
 * timeout: how long to wait for room; NULL for ever, {0, 0} not at all
 *
 * Returns 0.
 * Errors:
 *   -EMSGSIZE   longer than the ring can hold, or not of the one size
 *   -EAGAIN, -ETIMEDOUT  a subscriber of a reliable topic has not made room
 *   -EINTR      a signal came; nothing was sent
 *   -EFAULT     the file was truncated
 *   -EINVAL     the handle is the parent's; a pointer is NULL
 * Since 0.1.
 */
UNIPC_CHECK
int unipc_topic_publish(unipc_topic *topic,
                        const void *msg,
                        size_t len,
                        const struct timespec *timeout);

/**
 * Publishs messages of one size that lie in a row, with one wake-up.
 *
 * topic:   a handle that no other thread is using
 * msgs:    len * count bytes
 * len:     the size of each, more than 0
 * count:   how many
 * timeout: how long to wait for room for the first
 *
 * Returns how many were sent: as many as there was room for, at least one.
 * Errors: as unipc_topic_publish(). Since 0.1.
 */
UNIPC_CHECK
ssize_t unipc_topic_publish_many(unipc_topic *topic,
                                 const void *msgs,
                                 size_t len,
                                 size_t count,
                                 const struct timespec *timeout);

/**
 * Makes room for a message in the ring itself, to be written there and then committed or aborted.
 * Others who publish wait meanwhile. Nobody sees the message before it is committed.
 *
 * topic:   a handle that no other thread is using
 * len:     how many bytes at most
 * room:    where their address goes
 * timeout: as in unipc_topic_publish()
 *
 * Returns 0.
 * Errors: as unipc_topic_publish(); -EINVAL while something is reserved. Since 0.1.
 */
UNIPC_CHECK
int unipc_topic_reserve(unipc_topic *topic,
                        size_t len,
                        void **room,
                        const struct timespec *timeout);

/**
 * Sends the first len bytes of what was reserved. Since 0.1.
 *
 * Returns 0; -EMSGSIZE for more than were reserved, -EINVAL when nothing is.
 */
int unipc_topic_commit(unipc_topic *topic, size_t len);

/**
 * Gives up what was reserved. Since 0.1.
 *
 * Returns 0; -EINVAL when nothing is reserved.
 */
int unipc_topic_abort(unipc_topic *topic);

/**
 * The name.
 *
 * Returns a string that lives as long as the handle; NULL for NULL. Since 0.1.
 */
const char *unipc_topic_name(const unipc_topic *topic);

/**
 * What every message consists of, if whoever created the topic said so: a PEP 3118 format.
 *
 * Returns a string that lives as long as the handle; NULL for messages of bytes, and for NULL. Since 0.1.
 */
const char *unipc_topic_layout(const unipc_topic *topic);

/**
 * A descriptor that is readable while there is room: for poll(), select(), epoll or an event
 * loop. It is close-on-exec, made by the first call, and valid until the handle is closed.
 *
 * Use it as one that does not block: when it is readable, publish with {0, 0} until that is -EAGAIN,
 * which lets it tell of the next. Until it is asked for, and while it is readable, the other side
 * pays nothing for it; otherwise one wake-up. A thread of this library's sleeps for all such
 * descriptors of the process; it takes no signals, and ends soon after the last of them is closed.
 * Room: for the message for which there was none the last time; in a topic that keeps the latest
 * messages there always is.
 *
 * Returns it.
 * Errors:
 *   -EMFILE, -ENFILE  there are no more descriptors
 *   -EBUSY       no more threads may be started
 *   -EINVAL      the handle is the parent's, or NULL
 * Since 0.1.
 */
int unipc_topic_fd(unipc_topic *topic);

/**
 * The descriptor of the memory, to be handed on (fork, exec, SCM_RIGHTS) and opened with
 * from_fd. It is close-on-exec and valid until the handle is closed.
 *
 * Returns it, or -EINVAL when the handle is NULL. Since 0.1.
 */
int unipc_topic_memory_fd(const unipc_topic *topic);

/**
 * Removes the topic of this name. Who has it open keeps it.
 *
 * Returns 0.
 * Errors: as unipc_shm_unlink(). Since 0.1.
 */
int unipc_topic_unlink(const char *name);

/**
 * Closes the handle; NULL is nothing. The topic stays. In a child of fork() it gives up the copy.
 * Since 0.1.
 */
void unipc_topic_close(unipc_topic *topic);

/**
 * Sends messages that lie anywhere, with one wake-up.
 *
 * queue:   a handle that no other thread is using
 * msgs:    where each lies and how long it is, as writev(2) has it; nothing there is changed
 * count:   how many
 * timeout: how long to wait for room for the first
 *
 * Returns how many were sent: as many as there was room for, at least one; 0 if count is 0.
 * Errors: as unipc_queue_send(), of the first; one behind it that is too long is not sent, nor what
 * comes after it. Since 0.1.
 */
UNIPC_CHECK
ssize_t unipc_queue_send_each(unipc_queue *queue,
                              const struct iovec *msgs,
                              size_t count,
                              const struct timespec *timeout);

/**
 * Publishes messages that lie anywhere, with one wake-up.
 *
 * topic:   a handle that no other thread is using
 * msgs:    where each lies and how long it is, as writev(2) has it; nothing there is changed
 * count:   how many
 * timeout: how long to wait for room for the first
 *
 * Returns how many were published: as many as there was room for, at least one; 0 if count is 0.
 * Errors: as unipc_topic_publish(), of the first; one behind it that is too long is not published,
 * nor what comes after it. Since 0.1.
 */
UNIPC_CHECK
ssize_t unipc_topic_publish_each(unipc_topic *topic,
                                 const struct iovec *msgs,
                                 size_t count,
                                 const struct timespec *timeout);

/**
 * Receives the messages that are there, of any lengths, one behind the other.
 *
 * queue:   a handle that no other thread is using
 * buf:     where they go, each to the next multiple of 8 bytes from here on
 * cap:     how many bytes fit
 * msgs:    room for count entries, which tell where each lies in buf, and how long it is
 * count:   how many at most, more than 0
 * timeout: how long to wait for the first
 *
 * Returns how many: as many as were there and fit, at least one. The others stay in the queue.
 * Errors: as unipc_queue_recv(); -EMSGSIZE when the first does not fit. Since 0.1.
 */
UNIPC_CHECK
ssize_t unipc_queue_recv_each(unipc_queue *queue,
                              void *buf,
                              size_t cap,
                              struct iovec *msgs,
                              size_t count,
                              const struct timespec *timeout);

/**
 * Subscribes to a topic.
 *
 * out:   where the handle goes; NULL on failure. Close it with unipc_subscriber_close().
 * name:  its name
 * flags: UNIPC_CHANNEL_ flags, or 0
 *
 * Returns 0.
 * Errors:
 *   -ENOENT      there is none
 *   -EACCES      its mode does not let this user in
 *   -EPROTO      it is no topic, one of another version, or damaged
 *   -EBUSY       all places for participants are taken
 *   -EINVAL      no name, unknown flags; out or name is NULL
 * Since 0.1.
 */
UNIPC_CHECK
int unipc_subscriber_open(unipc_subscriber **out,
                          const char *name,
                          unsigned int flags);

/**
 * As unipc_subscriber_open(), if its messages have this layout. The records that come need no check
 * then: their fields are what this program's compiler says.
 *
 * out, name, flags: as in unipc_subscriber_open()
 * layout:           UNIPC_LAYOUT() of unipc/record.h, or a PEP 3118 format
 *
 * Returns 0.
 * Errors: as unipc_subscriber_open();
 *   -EPROTO      its messages have another layout, or none: unipc_last_error() names the first field
 *                that differs, with both offsets and both types
 *   -EINVAL      the layout does not parse, or is NULL
 * Since 0.1.
 */
UNIPC_CHECK
int unipc_subscriber_open_layout(unipc_subscriber **out,
                                 const char *name,
                                 const char *layout,
                                 unsigned int flags);

/**
 * Subscribes to a topic that lies in memory that holds other things as well.
 *
 * out:      where the handle goes; NULL on failure. Close it with unipc_subscriber_close().
 * shm:      a POSIX object, a file or a memfd, which may be closed afterwards
 * offset:   where it begins: on a page, as unipc_directory_place_on_page() finds one
 * flags:    UNIPC_CHANNEL_ flags, or 0
 * opts:     NULL for the defaults; mode and huge_page_size are the memory's own
 *
 * Returns 0.
 * Errors:
 *   -EPROTO      what is there is none, one of another version, has another layout than opts.layout, or is
 *                damaged; or nothing came within a second
 *   -EINVAL      the offset begins no page, flags or numbers are unknown; out or shm is NULL
 *   -EOPNOTSUPP  the memory has no descriptor: System V and anonymous memory cannot hold channels
 *   -EACCES      the memory is mapped read-only
 *   -EBUSY       all places for participants are taken
 *   -EINTR       a signal came while it waited for a creator
 * Since 0.1.
 */
UNIPC_CHECK
int unipc_subscriber_at(unipc_subscriber **out,
                        const unipc_shm *shm,
                        size_t offset,
                        unsigned int flags,
                        const unipc_channel_opts *opts);

/**
 * As unipc_subscriber_open(), from a descriptor: a memfd that was inherited or received. The
 * descriptor is duplicated, the caller still owns it.
 *
 * Returns 0.
 * Errors: as unipc_subscriber_open(); -EBADF. Since 0.1.
 */
UNIPC_CHECK int unipc_subscriber_from_fd(unipc_subscriber **out, int fd, unsigned int flags);

/**
 * Receives the next message.
 *
 * subscriber: a handle that no other thread is using
 * buf:        where its bytes go
 * cap:        how many bytes fit
 * lost:       where it goes how many messages were lost just before it, overwritten before this
 *             subscriber came to read them; NULL is fine. 0 in a reliable topic.
 * timeout:    how long to wait for one; NULL for ever, {0, 0} not at all
 *
 * Returns its length.
 * Errors:
 *   -EMSGSIZE   it does not fit: it can be received again
 *   -EAGAIN, -ETIMEDOUT  there is none
 *   -EINTR      a signal came; nothing was received
 *   -EPROTO     the ring is damaged
 *   -EFAULT     the file was truncated
 *   -EINVAL     the handle is the parent's; a pointer is NULL
 * Since 0.1.
 */
UNIPC_CHECK
ssize_t unipc_subscriber_recv(unipc_subscriber *subscriber,
                              void *buf,
                              size_t cap,
                              uint64_t *lost,
                              const struct timespec *timeout);

/**
 * Receives messages of one size into a row.
 *
 * subscriber: a handle that no other thread is using
 * buf:        room for len * count bytes
 * len:        the size of each, more than 0
 * count:      how many at most, more than 0
 * lost:       where it goes how many were lost before the first of them; NULL is fine
 * timeout:    how long to wait for the first
 *
 * Returns how many: as many as were there, at least one.
 * Errors: as unipc_subscriber_recv(); -EMSGSIZE when the next message is not of this size. Since 0.1.
 */
UNIPC_CHECK
ssize_t unipc_subscriber_recv_many(unipc_subscriber *subscriber,
                                   void *buf,
                                   size_t len,
                                   size_t count,
                                   uint64_t *lost,
                                   const struct timespec *timeout);

/**
 * Lends the next message where it lies. A publisher of a topic that keeps the latest does not wait
 * for it: unipc_subscriber_release() tells whether it stayed whole.
 *
 * subscriber: a handle that no other thread is using
 * msg:        where its address goes
 * len:        where its length goes
 * timeout:    as in unipc_subscriber_recv()
 *
 * Returns 0.
 * Errors: as unipc_subscriber_recv(); -EINVAL while something is lent. Since 0.1.
 */
UNIPC_CHECK
int unipc_subscriber_peek(unipc_subscriber *subscriber,
                          const void **msg,
                          size_t *len,
                          const struct timespec *timeout);

/**
 * Goes on behind the message that was lent; its bytes must not be touched any more.
 *
 * lost: as in unipc_subscriber_recv()
 *
 * Returns 0, or
 *   -EOVERFLOW  it was overwritten meanwhile: what was read of it means nothing
 *   -EINVAL     nothing is lent
 * Since 0.1.
 */
int unipc_subscriber_release(unipc_subscriber *subscriber, uint64_t *lost);

/**
 * Does not go on: the message that was lent can be received again.
 *
 * Returns 0; -EINVAL when nothing is lent. Since 0.1.
 */
int unipc_subscriber_leave(unipc_subscriber *subscriber);

/**
 * A descriptor that is readable while there is a message: for poll(), select(), epoll or an event
 * loop. It is close-on-exec, made by the first call, and valid until the handle is closed.
 *
 * Use it as one that does not block: when it is readable, receive with {0, 0} until that is -EAGAIN,
 * which lets it tell of the next. Until it is asked for, and while it is readable, the other side
 * pays nothing for it; otherwise one wake-up. A thread of this library's sleeps for all such
 * descriptors of the process; it takes no signals, and ends soon after the last of them is closed.
 *
 * Returns it.
 * Errors:
 *   -EMFILE, -ENFILE  there are no more descriptors
 *   -EBUSY       no more threads may be started
 *   -EINVAL      the handle is the parent's, or NULL
 * Since 0.1.
 */
int unipc_subscriber_fd(unipc_subscriber *subscriber);

/**
 * The name.
 *
 * Returns a string that lives as long as the handle; NULL for NULL. Since 0.1.
 */
const char *unipc_subscriber_name(const unipc_subscriber *subscriber);

/**
 * What every message consists of, if whoever created the topic said so: a PEP 3118 format.
 *
 * Returns a string that lives as long as the handle; NULL for messages of bytes, and for NULL. Since 0.1.
 */
const char *unipc_subscriber_layout(const unipc_subscriber *subscriber);

/**
 * Closes the handle; NULL is nothing. The topic stays. In a child of fork() it gives up the copy.
 * Since 0.1.
 */
void unipc_subscriber_close(unipc_subscriber *subscriber);

/**
 * Creates a service. It appears under its name only when it is complete, and stays when the handle is
 * closed, until it is unlinked.
 *
 * out:      where the handle goes; NULL on failure. Close it with unipc_service_close().
 * name:     "/demo", "file:PATH", or "memfd:LABEL" for one without a name: hand its descriptor on
 * capacity: the least size in bytes of the ring of questions
 * flags:    UNIPC_CHANNEL_ flags, or 0
 * opts:     NULL for the defaults
 *
 * Returns 0.
 * Errors:
 *   -EEXIST      the name is taken
 *   -ENOSPC, -ENOMEM  there is no memory
 *   -EINVAL      no name, unknown flags, a message_size that the ring cannot hold; out or name is NULL
 *   -EACCES      the directory may not be written
 *   -EOPNOTSUPP  not a POSIX object, a file or a memfd: System V and anonymous memory cannot be channels
 * Since 0.1.
 */
UNIPC_CHECK
int unipc_service_create(unipc_service **out,
                         const char *name,
                         size_t capacity,
                         unsigned int flags,
                         const unipc_channel_opts *opts);

/**
 * Opens a service, or creates it when there is none.
 *
 * The arguments are those of unipc_service_create(); opts matters only when it creates.
 *
 * Returns 0.
 * Errors: those of unipc_service_create() and unipc_service_open().
 * Since 0.1.
 */
UNIPC_CHECK
int unipc_service_open_or_create(unipc_service **out,
                                 const char *name,
                                 size_t capacity,
                                 unsigned int flags,
                                 const unipc_channel_opts *opts);

/**
 * Opens a service as one more server: each question goes to one of them.
 *
 * out:   where the handle goes; NULL on failure. Close it with unipc_service_close().
 * name:  its name
 * flags: UNIPC_CHANNEL_ flags, or 0
 *
 * Returns 0.
 * Errors:
 *   -ENOENT      there is none
 *   -EACCES      its mode does not let this user in
 *   -EPROTO      it is no service, one of another version, or damaged
 *   -EBUSY       all places for participants are taken
 *   -EINVAL      no name, unknown flags; out or name is NULL
 * Since 0.1.
 */
UNIPC_CHECK
int unipc_service_open(unipc_service **out,
                       const char *name,
                       unsigned int flags);

/**
 * Creates or opens a service in memory that holds other things as well.
 *
 * out:      where the handle goes; NULL on failure. Close it with unipc_service_close().
 * shm:      a POSIX object, a file or a memfd, which may be closed afterwards
 * offset:   where it begins: on a page, as unipc_directory_place_on_page() finds one
 * how:      UNIPC_CHANNEL_OPEN, UNIPC_CHANNEL_CREATE or UNIPC_CHANNEL_OPEN_OR_CREATE
 * capacity: the least size of its ring in bytes, when creating
 * flags:    UNIPC_CHANNEL_ flags, or 0
 * opts:     NULL for the defaults; mode and huge_page_size are the memory's own
 *
 * Returns 0.
 * Errors:
 *   -EEXIST      there is one, and it was to be created
 *   -ERANGE      it does not fit there, see unipc_service_size()
 *   -EBUSY       the bytes of its first page are not zero and no object
 *   -EPROTO      what is there is none, one of another version, has another layout than opts.layout, or is
 *                damaged; or nothing came within a second
 *   -EINVAL      the offset begins no page, flags or numbers are unknown; out or shm is NULL
 *   -EOPNOTSUPP  the memory has no descriptor: System V and anonymous memory cannot hold channels
 *   -EACCES      the memory is mapped read-only
 *   -EBUSY       all places for participants are taken
 *   -EINTR       a signal came while it waited for a creator
 * Since 0.1.
 */
UNIPC_CHECK
int unipc_service_at(unipc_service **out,
                     const unipc_shm *shm,
                     size_t offset,
                     int how,
                     size_t capacity,
                     unsigned int flags,
                     const unipc_channel_opts *opts);

/**
 * How many bytes a place for a service takes, for unipc_service_at(). It must begin on a page.
 *
 * capacity: the least size of its ring in bytes
 * opts:     NULL for the defaults
 *
 * Returns the size, or
 *   -EINVAL  such a service cannot be
 * Since 0.1.
 */
UNIPC_CHECK ssize_t unipc_service_size(size_t capacity, const unipc_channel_opts *opts);

/**
 * As unipc_service_open(), from a descriptor: a memfd that was inherited or received. The
 * descriptor is duplicated, the caller still owns it.
 *
 * Returns 0.
 * Errors: as unipc_service_open(); -EBADF. Since 0.1.
 */
UNIPC_CHECK int unipc_service_from_fd(unipc_service **out, int fd, unsigned int flags);

/**
 * Receives a question.
 *
 * service:  a handle that no other thread is using
 * question: where it goes; NULL on failure. Close it with unipc_question_close().
 * timeout:  how long to wait for one; NULL for ever, {0, 0} not at all
 *
 * Returns 0.
 * Errors:
 *   -EAGAIN, -ETIMEDOUT  there is none
 *   -EINTR      a signal came; nothing was received
 *   -EPROTO     it is damaged
 *   -EINVAL     the handle is the parent's; a pointer is NULL
 * Since 0.1.
 */
UNIPC_CHECK
int unipc_service_recv(unipc_service *service,
                       unipc_question **question,
                       const struct timespec *timeout);

/**
 * The bytes of a question.
 *
 * Returns their address, which is valid until the question is closed; NULL for NULL. Since 0.1.
 */
const void *unipc_question_data(const unipc_question *question);

/**
 * How many bytes a question has.
 *
 * Returns the number; 0 for NULL. Since 0.1.
 */
size_t unipc_question_size(const unipc_question *question);

/**
 * Has the time passed that the client gave? Then nobody waits for the answer.
 *
 * Returns 1 or 0; -EINVAL for NULL. Since 0.1.
 */
int unipc_question_has_expired(const unipc_question *question);

/** Closes a question; NULL is nothing. Since 0.1. */
void unipc_question_close(unipc_question *question);

/**
 * Answers a question, for the last time. The question is still to be closed.
 *
 * service:  a handle that no other thread is using
 * question: what unipc_service_recv() gave
 * msg:      the answer; NULL is fine for none
 * len:      how many bytes
 * timeout:  how long to wait for room in the client's ring
 *
 * Returns 0.
 * Errors:
 *   -EPIPE      the client is gone
 *   -EMSGSIZE   longer than the client's ring can hold
 *   -EAGAIN, -ETIMEDOUT  the client has not made room
 *   -EINTR      a signal came; nothing was sent
 *   -EINVAL     the handle is the parent's; a pointer is NULL
 * Since 0.1.
 */
UNIPC_CHECK
int unipc_service_reply(unipc_service *service,
                        const unipc_question *question,
                        const void *msg,
                        size_t len,
                        const struct timespec *timeout);

/**
 * Answers a part of a question; more parts, and a last reply, will follow.
 *
 * The arguments, results and errors are those of unipc_service_reply(). Since 0.1.
 */
UNIPC_CHECK
int unipc_service_reply_part(unipc_service *service,
                             const unipc_question *question,
                             const void *msg,
                             size_t len,
                             const struct timespec *timeout);

/**
 * Answers that it could not be done: the client's call fails with this errno, and these words.
 *
 * service:  a handle that no other thread is using
 * question: what unipc_service_recv() gave
 * errno_:   an errno, more than 0
 * why:      words for people, or NULL
 * timeout:  as in unipc_service_reply()
 *
 * Returns 0.
 * Errors: as unipc_service_reply(). Since 0.1.
 */
UNIPC_CHECK
int unipc_service_fail(unipc_service *service,
                       const unipc_question *question,
                       int errno_,
                       const char *why,
                       const struct timespec *timeout);

/**
 * The name.
 *
 * Returns a string that lives as long as the handle; NULL for NULL. Since 0.1.
 */
const char *unipc_service_name(const unipc_service *service);

/**
 * A descriptor that is readable while there is a question: for poll(), select(), epoll or an event
 * loop. It is close-on-exec, made by the first call, and valid until the handle is closed.
 *
 * Use it as one that does not block: when it is readable, receive with {0, 0} until that is -EAGAIN,
 * which lets it tell of the next. Until it is asked for, and while it is readable, the other side
 * pays nothing for it; otherwise one wake-up. A thread of this library's sleeps for all such
 * descriptors of the process; it takes no signals, and ends soon after the last of them is closed.
 *
 * Returns it.
 * Errors:
 *   -EMFILE, -ENFILE  there are no more descriptors
 *   -EBUSY       no more threads may be started
 *   -EINVAL      the handle is the parent's, or NULL
 * Since 0.1.
 */
int unipc_service_fd(unipc_service *service);

/**
 * The descriptor of the memory, to be handed on (fork, exec, SCM_RIGHTS) and opened with
 * from_fd. It is close-on-exec and valid until the handle is closed.
 *
 * Returns it, or -EINVAL when the handle is NULL. Since 0.1.
 */
int unipc_service_memory_fd(const unipc_service *service);

/**
 * Removes the service of this name. Who has it open keeps it.
 *
 * Returns 0.
 * Errors: as unipc_shm_unlink(). Since 0.1.
 */
int unipc_service_unlink(const char *name);

/**
 * Closes the handle; NULL is nothing. The service stays. In a child of fork() it gives up the copy.
 * Since 0.1.
 */
void unipc_service_close(unipc_service *service);

/**
 * Opens a service to ask it.
 *
 * out:   where the handle goes; NULL on failure. Close it with unipc_client_close().
 * name:  its name
 * flags: UNIPC_CHANNEL_ flags, or 0
 *
 * Returns 0.
 * Errors:
 *   -ENOENT      there is none
 *   -EACCES      its mode does not let this user in
 *   -EPROTO      it is no service, one of another version, or damaged
 *   -EBUSY       all places for participants are taken
 *   -EINVAL      no name, unknown flags; out or name is NULL
 * Since 0.1.
 */
UNIPC_CHECK int unipc_client_open(unipc_client **out, const char *name, unsigned int flags);

/**
 * Opens a service that lies in memory that holds other things as well, to ask it.
 *
 * out:      where the handle goes; NULL on failure. Close it with unipc_client_close().
 * shm:      a POSIX object, a file or a memfd, which may be closed afterwards
 * offset:   where it begins: on a page, as unipc_directory_place_on_page() finds one
 * flags:    UNIPC_CHANNEL_ flags, or 0
 * opts:     NULL for the defaults; mode and huge_page_size are the memory's own
 *
 * Returns 0.
 * Errors:
 *   -EPROTO      what is there is none, one of another version, has another layout than opts.layout, or is
 *                damaged; or nothing came within a second
 *   -EINVAL      the offset begins no page, flags or numbers are unknown; out or shm is NULL
 *   -EOPNOTSUPP  the memory has no descriptor: System V and anonymous memory cannot hold channels
 *   -EACCES      the memory is mapped read-only
 *   -EBUSY       all places for participants are taken
 *   -EINTR       a signal came while it waited for a creator
 * Since 0.1.
 */
UNIPC_CHECK
int unipc_client_at(unipc_client **out,
                    const unipc_shm *shm,
                    size_t offset,
                    unsigned int flags,
                    const unipc_channel_opts *opts);

/**
 * As unipc_client_open(), from a descriptor: a memfd that was inherited or received. The
 * descriptor is duplicated, the caller still owns it.
 *
 * Returns 0.
 * Errors: as unipc_client_open(); -EBADF. Since 0.1.
 */
UNIPC_CHECK int unipc_client_from_fd(unipc_client **out, int fd, unsigned int flags);

/**
 * Asks, and waits for the answer; one in parts comes whole.
 *
 * client:   a handle that no other thread is using
 * question: its bytes; NULL is fine for none
 * len:      how many
 * buf:      where the answer goes
 * cap:      how many bytes fit
 * timeout:  how long to wait, for all of it; NULL for ever
 *
 * Returns the answer's length.
 * Errors:
 *   -EPIPE      the server that had taken the question died
 *   -ETIMEDOUT, -EAGAIN  no answer in time; a late one is thrown away
 *   -EMSGSIZE   the question is longer than the ring can hold; the answer does not fit and is
 *               thrown away
 *   -EBUSY      8 calls are open
 *   -EINTR      a signal came; the answer is thrown away
 *   -EINVAL     the handle is the parent's; a pointer is NULL
 *   and whatever the server gave to unipc_service_fail(), whose words are in unipc_last_error()
 * Since 0.1.
 */
UNIPC_CHECK
ssize_t unipc_client_call(unipc_client *client,
                          const void *question,
                          size_t len,
                          void *buf,
                          size_t cap,
                          const struct timespec *timeout);

/**
 * Asks, and does not wait for the answer: unipc_client_wait() does.
 *
 * client:   a handle that no other thread is using
 * question: its bytes; NULL is fine for none
 * len:      how many
 * timeout:  how long to wait for room, and for the answer; NULL for ever
 *
 * Returns the call's number, 0 to 65535.
 * Errors: as unipc_client_call(). Since 0.1.
 */
UNIPC_CHECK
int unipc_client_begin(unipc_client *client,
                       const void *question,
                       size_t len,
                       const struct timespec *timeout);

/**
 * As unipc_client_begin(), with one time for sending the question and another, from now on too, for
 * having the answer.
 *
 * client:   a handle that no other thread is using
 * question: its bytes; NULL is fine for none
 * len:      how many
 * timeout:  how long to wait for room; NULL for ever, {0, 0} not at all
 * answer:   how long somebody will wait for the answer; NULL for ever
 *
 * Returns the call's number, 0 to 65535.
 * Errors: as unipc_client_call(). Since 0.1.
 */
UNIPC_CHECK
int unipc_client_begin_until(unipc_client *client,
                             const void *question,
                             size_t len,
                             const struct timespec *timeout,
                             const struct timespec *answer);

/**
 * Waits for the answer to a call, or for the next part of it.
 *
 * client:  a handle that no other thread is using
 * call:    what unipc_client_begin() returned
 * buf:     where the answer goes
 * cap:     how many bytes fit
 * more:    where it goes whether more parts will follow, 1 or 0; NULL is fine
 * timeout: how long to wait; NULL for ever, {0, 0} not at all
 *
 * Returns the answer's length.
 * Errors: as unipc_client_call(); -EINVAL when the call is over, as it is after -EPIPE and what the
 * server said. Since 0.1.
 */
UNIPC_CHECK
ssize_t unipc_client_wait(unipc_client *client,
                          int call,
                          void *buf,
                          size_t cap,
                          int *more,
                          const struct timespec *timeout);

/**
 * Is there an answer still to be waited for?
 *
 * Returns 1 or 0; -EINVAL for a number that no call has, or NULL. Since 0.1.
 */
int unipc_client_is_pending(const unipc_client *client, int call);

/**
 * No longer waits for the answer to a call; it is thrown away when it comes.
 *
 * Returns 0; -EINVAL for a number that no call has, or NULL. Since 0.1.
 */
int unipc_client_cancel(unipc_client *client, int call);

/**
 * A descriptor that is readable while there is an answer: for poll(), select(), epoll or an event
 * loop. It is close-on-exec, made by the first call, and valid until the handle is closed.
 *
 * Use it as one that does not block: when it is readable, wait with {0, 0} for each of the open
 * calls until that is -EAGAIN, which lets it tell of the next. Until it is asked for, and while it is readable, the other side
 * pays nothing for it; otherwise one wake-up. A thread of this library's sleeps for all such
 * descriptors of the process; it takes no signals, and ends soon after the last of them is closed.
 * The death of a server is told within 0.1 s.
 *
 * Returns it.
 * Errors:
 *   -EMFILE, -ENFILE  there are no more descriptors
 *   -EBUSY       no more threads may be started
 *   -EINVAL      the handle is the parent's, or NULL
 * Since 0.1.
 */
int unipc_client_fd(unipc_client *client);

/**
 * The name.
 *
 * Returns a string that lives as long as the handle; NULL for NULL. Since 0.1.
 */
const char *unipc_client_name(const unipc_client *client);

/**
 * Closes the handle; NULL is nothing. The service stays. In a child of fork() it gives up the copy.
 * Since 0.1.
 */
void unipc_client_close(unipc_client *client);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* UNIPC_CHANNEL_H */
