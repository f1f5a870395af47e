/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Generated from ffi/src by `make bless`: change it there. */

#ifndef UNIPC_MQ_H
#define UNIPC_MQ_H

/*
 * Message queues, System V and POSIX, behind one type.
 *
 *                        "/demo": POSIX                        "sysv:...": System V
 *   a message's tag      priority, 0 to 32767                  type, 1 or more
 *   who comes first      highest priority, then the oldest     the oldest, or as want says
 *   how much there is    messages, and bytes of one: for ever  bytes of all, unipc_mq_sysv_set()
 *   poll()               unipc_mq_fd()                         no
 *   of its own           unipc_mq_notify_*()                   types, unipc_mq_peek(), *_msgbuf()
 *
 * Both keep the boundaries of messages. What was sent stays, whoever ends, until it is received, or
 * the queue removed, or the machine rebooted. Each message goes to one receiver.
 *
 * Time limits. A wait with a limit loses no message and burns no time. System V has none of its own:
 * the call is made without waiting, and then again, waiting, with a timer that interrupts it by a
 * real-time signal; a msgsnd() or msgrcv() that is interrupted has sent or taken nothing. For POSIX
 * the descriptor is polled on the monotonic clock and the call made again when it is ready; who waits
 * for ever stands in the kernel's own line instead, and is served before those who poll.
 */
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>
#include <unipc/base.h>

/* A strict C99 leaves it out of <time.h>. */
struct timespec;

/*
 * Options in one expression, for C: &UNIPC_MQ_OPTS(.max_messages = 4, .max_size = 256).
 * They live until the end of the block.
 */
#ifndef __cplusplus
#define UNIPC_MQ_OPTS(...) ((unipc_mq_opts){.sz = sizeof(unipc_mq_opts), __VA_ARGS__})
#endif

/* Options to start from, in C++ and C: unipc_mq_opts o = UNIPC_MQ_OPTS_INIT; o.max_size = 256; */
#define UNIPC_MQ_OPTS_INIT {sizeof(unipc_mq_opts), 0, 0, 0, 0}

/** Flags for creating, opening and receiving. */
typedef enum unipc_mq_flag {
    /** Open for sending alone (O_WRONLY), which needs write permission alone. */
    UNIPC_MQ_SEND_ONLY = (1 << 0),
    /** Open for receiving alone (O_RDONLY), which needs read permission alone. */
    UNIPC_MQ_RECEIVE_ONLY = (1 << 1),
    /**
     * When creating: remove a queue that has the name, then create. Who has the old POSIX queue open
     * keeps it; who waits at the old System V queue gets -EIDRM.
     */
    UNIPC_MQ_REPLACE = (1 << 2),
    /** Remove the queue when this handle is closed (not by a child of fork()). */
    UNIPC_MQ_REMOVE_ON_CLOSE = (1 << 3),
    /** Refuse an existing queue that belongs to neither this user nor root: -EPERM. */
    UNIPC_MQ_OWN_ONLY = (1 << 4),
    /** For unipc_mq_receive() and unipc_mq_receive_msgbuf(): cut a message that is longer than the buffer (MSG_NOERROR). */
    UNIPC_MQ_TRUNCATE = (1 << 5),
    /** For the same, System V: any type but want, which is more than 0 (MSG_EXCEPT). */
    UNIPC_MQ_EXCEPT = (1 << 6),
} unipc_mq_flag;

/** An open message queue. A handle belongs to the process; a child of fork() has its own copy. */
typedef struct unipc_mq unipc_mq;

/**
 * How to create or open, where the defaults do not do. A field that is zero has its default.
 *
 * Make it with UNIPC_MQ_OPTS() or UNIPC_MQ_OPTS_INIT, which set sz. Later versions add fields.
 */
typedef struct unipc_mq_opts {
    /** sizeof(unipc_mq_opts). */
    size_t sz;
    /** When creating a POSIX queue: how many messages may wait in it. 0: msg_default, usually 10. */
    size_t max_messages;
    /** When creating a POSIX queue: the largest message in bytes. 0: msgsize_default, usually 8192. */
    size_t max_size;
    /** When creating: permission bits, exact whatever the umask. 0: 0600. UNIPC_MODE_NONE: none. */
    uint32_t mode;
    /** Not used: 0. */
    uint32_t reserved;
} unipc_mq_opts;

/** What is known of a POSIX queue: struct mq_attr, and what its file in /dev/mqueue says. */
typedef struct unipc_mq_posix_status {
    /** How many messages it can hold (mq_maxmsg). */
    uint64_t max_messages;
    /** The largest message in bytes (mq_msgsize). */
    uint64_t max_size;
    /** How many messages wait in it (mq_curmsgs). */
    uint64_t messages;
    /** Bytes of these messages (QSIZE); UINT64_MAX: unknown, the handle is for sending alone. */
    uint64_t bytes;
    /** 1: the open file description is non-blocking (mq_flags), which the functions here ignore. */
    uint32_t non_blocking;
    /** Owner's user. */
    uint32_t uid;
    /** Owner's group. */
    uint32_t gid;
    /** The nine permission bits. */
    uint32_t mode;
    /** Which process has asked to be notified; 0: none, or the handle is for sending alone. */
    int32_t notify_pid;
    /** How it is notified: SIGEV_SIGNAL, SIGEV_NONE or SIGEV_THREAD. */
    int32_t notify_method;
    /** By which signal; 0: by none. */
    int32_t notify_signal;
    /** Not used: 0. */
    uint32_t unused;
    /** When a message was last received or the file read, in seconds since 1970. */
    int64_t access_time;
    /** When it was created, or a message last sent or received. */
    int64_t change_time;
    /** Not used: 0. */
    uint64_t reserved[4];
} unipc_mq_posix_status;

/** What the kernel knows of a System V queue: all of struct msqid_ds and its struct ipc_perm. */
typedef struct unipc_mq_sysv_status {
    /** The identifier. */
    int32_t id;
    /** The key; 0 for a private queue. */
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
    /** When a message was last sent, in seconds since 1970; 0: never (msg_stime). */
    int64_t send_time;
    /** When a message was last received; 0: never (msg_rtime). */
    int64_t receive_time;
    /** When it was created or last changed by unipc_mq_sysv_set() (msg_ctime). */
    int64_t change_time;
    /** Bytes of the messages that wait in it (msg_cbytes). */
    uint64_t bytes;
    /** How many messages wait in it (msg_qnum). */
    uint64_t messages;
    /** How many bytes all of them together may have, and how many there may be (msg_qbytes). */
    uint64_t max_bytes;
    /** Who sent last; 0: nobody (msg_lspid). */
    int32_t last_send_pid;
    /** Who received last; 0: nobody (msg_lrpid). */
    int32_t last_receive_pid;
    /** Not used: 0. */
    uint64_t reserved[4];
} unipc_mq_sysv_status;

/** The limits of message queues, as ipcs -l, /proc/sys/kernel/msg* and /proc/sys/fs/mqueue have them. */
typedef struct unipc_mq_limit_values {
    /** MSGMAX: the largest System V message, in bytes. */
    uint64_t msgmax;
    /** MSGMNB: the bytes of a new System V queue; more than that only the privileged may set. */
    uint64_t msgmnb;
    /** MSGMNI: how many System V queues there may be. */
    uint64_t msgmni;
    /**
     * How many messages an unprivileged user's POSIX queue may hold. 0, as in all that follow: the
     * system does not tell.
     */
    uint64_t msg_max;
    /** The largest message of an unprivileged user's POSIX queue, in bytes. */
    uint64_t msgsize_max;
    /** How many POSIX queues there may be. */
    uint64_t queues_max;
    /** How many messages a POSIX queue holds unless its creator says otherwise. */
    uint64_t msg_default;
    /** The largest message of a POSIX queue unless its creator says otherwise. */
    uint64_t msgsize_default;
    /** RLIMIT_MSGQUEUE: how many bytes all POSIX queues of this user may take; UINT64_MAX: no limit. */
    uint64_t rlimit_msgqueue;
    /** MQ_PRIO_MAX: how many priorities there are. */
    uint64_t prio_max;
    /** Not used: 0. */
    uint64_t reserved[4];
} unipc_mq_limit_values;

/** What System V queues use, as ipcs -u has it (MSG_INFO). */
typedef struct unipc_mq_usage_values {
    /** How many queues exist. */
    uint64_t queues;
    /** How many messages wait in all of them. */
    uint64_t messages;
    /** Bytes of those messages. */
    uint64_t bytes;
    /** Not used: 0. */
    uint64_t reserved[4];
} unipc_mq_usage_values;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * Creates a message queue, empty.
 *
 * out:   where the handle goes; NULL on failure. Close it with unipc_mq_close().
 * name:  "/demo", "sysv:PATH,PROJ", "sysv:0x1234", "sysv:private"; see unipc/name.h
 * flags: UNIPC_MQ_ flags, or 0
 * opts:  NULL for the defaults
 *
 * It has its mode from the first moment on. It stays when the handle is closed, with its messages,
 * until it is unlinked.
 *
 * Example:
 *
 *     unipc_mq *mq;
 *     if (unipc_mq_create(&mq, "/demo", 0, NULL) < 0 ||
 *         unipc_mq_send(mq, 1, "hello", 5, NULL) < 0) {
 *         fprintf(stderr, "%s\n", unipc_last_error());
 *         return 1;
 *     }
 *     unipc_mq_close(mq);
 *
 * Returns 0.
 * Errors:
 *   -EEXIST      the name is taken
 *   -EINVAL      no name, unknown flags, contradicting options, a name that cannot be created; a
 *                POSIX queue that is larger than the system allows; out or name is NULL
 *   -ENOENT      sysv:PATH,PROJ and there is no such path
 *   -ENOSPC      there are too many queues (MSGMNI, queues_max)
 *   -EMFILE      RLIMIT_MSGQUEUE does not allow it, or too many descriptors are open
 *   -EOPNOTSUPP  only POSIX and System V names stand for queues; max_messages and max_size are of
 *                POSIX queues
 *   -E2BIG       opts uses fields that this version of the library does not know
 *   and what mq_open(3) and msgget(2) give besides
 * Since 0.1.
 */
UNIPC_CHECK
int unipc_mq_create(unipc_mq **out,
                    const char *name,
                    unsigned int flags,
                    const unipc_mq_opts *opts);

/**
 * Opens a message queue that exists.
 *
 * out:   where the handle goes; NULL on failure. Close it with unipc_mq_close().
 * name:  as for unipc_mq_create(), and "sysv:id=42"
 * flags: UNIPC_MQ_ flags, or 0
 * opts:  NULL for the defaults
 *
 * Returns 0.
 * Errors:
 *   -ENOENT      there is none (-EINVAL for an identifier)
 *   -EACCES      its mode does not let this user both send and receive; UNIPC_MQ_SEND_ONLY and
 *                UNIPC_MQ_RECEIVE_ONLY need less; by an identifier only reading is checked here
 *   -EPERM       it belongs to another user, and UNIPC_MQ_OWN_ONLY is set
 *   -EINVAL      no name, unknown flags, contradicting options; out or name is NULL
 *   -EMFILE      too many descriptors are open
 *   -EOPNOTSUPP  only POSIX and System V names stand for queues
 *   -E2BIG       opts uses fields that this version of the library does not know
 * Since 0.1. See mq_open(3), msgget(2).
 */
UNIPC_CHECK
int unipc_mq_open(unipc_mq **out,
                  const char *name,
                  unsigned int flags,
                  const unipc_mq_opts *opts);

/**
 * Opens a message queue, or creates it when there is none.
 *
 * out:   where the handle goes; NULL on failure. Close it with unipc_mq_close().
 * name:  as for unipc_mq_create()
 * flags: UNIPC_MQ_ flags, or 0
 * opts:  NULL for the defaults
 *
 * Returns 0.
 * Errors: as unipc_mq_create() without -EEXIST, as unipc_mq_open() without -ENOENT, and
 *   -EINVAL  the POSIX queue exists and holds less than opts asks for
 *   -EBUSY   others create and remove it all the time
 * Since 0.1.
 */
UNIPC_CHECK
int unipc_mq_open_or_create(unipc_mq **out,
                            const char *name,
                            unsigned int flags,
                            const unipc_mq_opts *opts);

/**
 * Closes the handle. The queue itself stays, with its messages; see unipc_mq_unlink().
 *
 * mq: a handle, gone afterwards with its descriptor and name; NULL is fine
 *
 * A child of fork() that closes its copy does not affect its parent. Closing any handle of a POSIX
 * queue ends a notification that this process has asked for, which is the kernel's rule.
 * Since 0.1.
 */
void unipc_mq_close(unipc_mq *mq);

/**
 * Sends a message. Waits while the queue is full.
 *
 * mq:      a handle
 * tag:     System V: its type, 1 or more. POSIX: its priority, 0 to 32767; the highest comes first
 * msg:     its bytes; may be NULL when len is 0
 * len:     how many; 0 is fine
 * timeout: how long to wait at most, on the monotonic clock; NULL: for ever, {0, 0}: not at all
 *
 * Nobody need be waiting for it, and it outlives this process. Nothing was sent when it failed.
 *
 * Returns 0.
 * Errors:
 *   -EAGAIN     the queue is full, and timeout is {0, 0}
 *   -ETIMEDOUT  the queue was full all the time
 *   -EINTR      a signal came
 *   -EIDRM      the System V queue was removed
 *   -EINVAL     a tag that cannot be; a System V message that is longer than MSGMAX or than all the
 *               queue; a timeout that cannot be; mq is NULL
 *   -EMSGSIZE   a POSIX message that is longer than unipc_mq_max_size()
 *   -EACCES     no permission to write (System V)
 *   -EBADF      the handle is for receiving alone
 *   -ENOMEM     no memory
 * Since 0.1. See msgsnd(2), mq_send(3).
 */
int unipc_mq_send(const unipc_mq *mq,
                  long tag,
                  const void *msg,
                  size_t len,
                  const struct timespec *timeout);

/**
 * Receives a message. Waits while none is there that is wanted.
 *
 * mq:      a handle
 * want:    0: any, the oldest; POSIX: the oldest of the highest priority. System V also: more than 0:
 *          the oldest of this type; less than 0: the oldest of the lowest type up to -want
 * flags:   UNIPC_MQ_TRUNCATE, UNIPC_MQ_EXCEPT, or 0
 * buf:     where its bytes go; may be NULL when cap is 0
 * cap:     for how many there is room. A POSIX queue wants unipc_mq_max_size(), unless the message
 *          may be truncated
 * tag:     where its type or priority goes; may be NULL
 * timeout: how long to wait at most, on the monotonic clock; NULL: for ever, {0, 0}: not at all
 *
 * No message was taken when it failed.
 *
 * Returns how many bytes the message has, 0 or more. That is more than cap only when it was truncated:
 * then buf has the first cap bytes, and the others are lost.
 * Errors:
 *   -EAGAIN      there is none, and timeout is {0, 0}
 *   -ETIMEDOUT   none came in time
 *   -EINTR       a signal came
 *   -E2BIG       the System V message is longer than cap; it stays in the queue
 *   -EMSGSIZE    cap is less than the longest message of the POSIX queue
 *   -EIDRM       the System V queue was removed
 *   -EINVAL      unknown flags; UNIPC_MQ_EXCEPT without a type; a timeout that cannot be; mq is NULL
 *   -EOPNOTSUPP  a POSIX queue knows no want but 0
 *   -EACCES      no permission to read (System V)
 *   -EBADF       the handle is for sending alone
 * Since 0.1. See msgrcv(2), mq_receive(3).
 */
ssize_t unipc_mq_receive(const unipc_mq *mq,
                         long want,
                         unsigned int flags,
                         void *buf,
                         size_t cap,
                         long *tag,
                         const struct timespec *timeout);

/**
 * Copies a message of a System V queue and leaves it there (MSG_COPY). Never waits.
 *
 * mq:    a handle
 * index: 0: the oldest, 1: the next, and so on
 * buf:   where its bytes go; may be NULL when cap is 0
 * cap:   for how many there is room; of a longer message the first cap bytes are copied
 * tag:   where its type goes; may be NULL
 *
 * Returns how many bytes the message has, perhaps more than cap.
 * Errors:
 *   -ENOMSG      there are not so many messages
 *   -EOPNOTSUPP  it is a POSIX queue; the kernel was built without CONFIG_CHECKPOINT_RESTORE
 *   -EIDRM       the queue was removed
 *   -EACCES      no permission to read
 *   -EBADF       the handle is for sending alone
 *   -EINVAL      mq is NULL
 * Since 0.1. See msgrcv(2).
 */
ssize_t unipc_mq_peek(const unipc_mq *mq, size_t index, void *buf, size_t cap, long *tag);

/**
 * Sends a message that lies in memory as msgsnd() wants it. Waits while the queue is full.
 *
 * mq:      a handle of a System V queue
 * msgp:    a struct msgbuf, or any struct that begins with the type: a long, 1 or more, and behind it
 *          the bytes
 * msgsz:   how many bytes there are behind the type; 0 is fine
 * timeout: how long to wait at most, on the monotonic clock; NULL: for ever, {0, 0}: not at all
 *
 * unipc_mq_send() copies the bytes behind a type of its own first; large messages are sent faster so.
 * Whoever receives it sees no difference. Nothing was sent when it failed.
 *
 *     struct { long type; char text[4096]; } message = {.type = 7};
 *     fill(message.text);
 *     unipc_mq_send_msgbuf(mq, &message, sizeof message.text, NULL);
 *
 * Returns 0.
 * Errors: as unipc_mq_send(), and
 *   -EINVAL      a type below 1; msgp is NULL
 *   -EOPNOTSUPP  a POSIX queue
 * Since 0.1. See msgsnd(2).
 */
int unipc_mq_send_msgbuf(const unipc_mq *mq,
                         const void *msgp,
                         size_t msgsz,
                         const struct timespec *timeout);

/**
 * Receives a message into memory as msgrcv() fills it. Waits while none is there that is wanted.
 *
 * mq:      a handle of a System V queue
 * want:    0: the oldest; more than 0: the oldest of this type; less than 0: the oldest of the lowest
 *          type up to -want
 * flags:   UNIPC_MQ_TRUNCATE, UNIPC_MQ_EXCEPT, or 0
 * msgp:    a struct msgbuf, or any struct that begins with a long, where the type goes, and has room
 *          for the bytes behind it
 * msgsz:   for how many bytes there is room behind the type
 * timeout: how long to wait at most, on the monotonic clock; NULL: for ever, {0, 0}: not at all
 *
 * unipc_mq_receive() copies the bytes from such memory to their place; large messages are received
 * faster so. No message was taken when it failed.
 *
 * Returns how many bytes the message has, 0 or more, and never more than msgsz: whether a part of it
 * was cut, the kernel does not tell.
 * Errors: as unipc_mq_receive(), and
 *   -E2BIG       the message is longer than msgsz; it stays in the queue
 *   -EINVAL      msgp is NULL
 *   -EOPNOTSUPP  a POSIX queue
 * Since 0.1. See msgrcv(2).
 */
ssize_t unipc_mq_receive_msgbuf(const unipc_mq *mq,
                                long want,
                                unsigned int flags,
                                void *msgp,
                                size_t msgsz,
                                const struct timespec *timeout);

/**
 * Copies a message of a System V queue and leaves it there (MSG_COPY). Never waits.
 *
 * mq:    a handle of a System V queue
 * index: 0: the oldest, 1: the next, and so on
 * msgp:  as for unipc_mq_receive_msgbuf()
 * msgsz: for how many bytes there is room behind the type
 *
 * Returns how many bytes the message has.
 * Errors: as unipc_mq_peek(), and
 *   -E2BIG   the message is longer than msgsz
 *   -EINVAL  msgp is NULL
 * Since 0.1. See msgrcv(2).
 */
ssize_t unipc_mq_peek_msgbuf(const unipc_mq *mq, size_t index, void *msgp, size_t msgsz);

/**
 * The name: of a private System V queue "sysv:id=NUMBER".
 *
 * mq: a handle
 *
 * Returns a string that lives as long as the handle; NULL if mq is NULL. Since 0.1.
 */
const char *unipc_mq_name(const unipc_mq *mq);

/**
 * What the queue is to the kernel.
 *
 * mq: a handle
 *
 * Returns UNIPC_BACKING_SYSTEM_V or UNIPC_BACKING_POSIX; -EINVAL if mq is NULL. Since 0.1.
 */
int unipc_mq_backing(const unipc_mq *mq);

/**
 * The descriptor of a POSIX queue, for poll(), select() and epoll: readable when there is a message,
 * writable when there is room for one.
 *
 * mq: a handle
 *
 * It may be ready and the call still have to wait, when somebody else was faster: use a timeout of
 * {0, 0}.
 *
 * Returns the descriptor, close-on-exec, which belongs to the handle and is valid until it is closed. Or
 *   -EOPNOTSUPP  a System V queue has none
 *   -EINVAL      mq is NULL
 * Since 0.1.
 */
int unipc_mq_fd(const unipc_mq *mq);

/**
 * The identifier of a System V queue, as ipcs -q shows it.
 *
 * mq: a handle
 *
 * Returns the identifier, or
 *   -EOPNOTSUPP  a POSIX queue has none
 *   -EINVAL      mq is NULL
 * Since 0.1.
 */
int unipc_mq_id(const unipc_mq *mq);

/**
 * The largest message that can be sent, in bytes: of a POSIX queue for ever the same, of all System V
 * queues MSGMAX.
 *
 * mq: a handle
 *
 * Returns that; 0 if mq is NULL. Since 0.1.
 */
size_t unipc_mq_max_size(const unipc_mq *mq);

/**
 * How many messages wait to be received.
 *
 * mq:  a handle
 * out: where the number goes
 *
 * Returns 0.
 * Errors:
 *   -EIDRM   the System V queue was removed
 *   -EACCES  no permission to read (System V)
 *   -EINVAL  mq or out is NULL
 * Since 0.1.
 */
int unipc_mq_messages(const unipc_mq *mq, uint64_t *out);

/**
 * All that is known of a POSIX queue. Of a System V queue see unipc_mq_sysv_stat().
 *
 * mq:  a handle
 * out: where that goes
 *
 * Returns 0.
 * Errors:
 *   -EOPNOTSUPP  it is a System V queue
 *   -EINVAL      mq or out is NULL
 * Since 0.1. See mq_getattr(3).
 */
int unipc_mq_posix_stat(const unipc_mq *mq, unipc_mq_posix_status *out);

/**
 * Asks for a signal when a message comes to the POSIX queue while it is empty and nobody waits at it.
 *
 * mq:     a handle
 * signal: which
 * value:  comes with it, as si_value.sival_int; si_pid is the sender's
 *
 * It comes once. Then ask again, and after that receive, with a timeout of {0, 0}, until the queue is
 * empty: the other way round a message could come in between, unnoticed. unipc_mq_fd() needs none of
 * this. Closing any handle of the queue ends it.
 *
 * Returns 0.
 * Errors:
 *   -EBUSY       this or another process has asked already
 *   -EINVAL      no such signal; mq is NULL
 *   -EOPNOTSUPP  it is a System V queue
 * Since 0.1. See mq_notify(3) SIGEV_SIGNAL.
 */
int unipc_mq_notify_signal(const unipc_mq *mq,
                           int signal,
                           int value);

/**
 * Has a function called when a message comes to the POSIX queue while it is empty and nobody waits at
 * it, once, on a thread of its own that has all signals blocked.
 *
 * mq:       a handle
 * function: what to call; it must not unwind or leave by longjmp()
 * argument: what it is given; must be usable by another thread until the function has returned
 *
 * It is never called when the notification is cancelled or a handle of the queue closed before.
 *
 * Returns 0.
 * Errors:
 *   -EBUSY       this or another process has asked already
 *   -EAGAIN      there can be no more threads
 *   -EMFILE      too many descriptors are open
 *   -EINVAL      mq or function is NULL
 *   -EOPNOTSUPP  it is a System V queue
 * Since 0.1. See mq_notify(3) SIGEV_THREAD.
 */
int unipc_mq_notify_thread(const unipc_mq *mq,
                           void (*function)(void *argument),
                           void *argument);

/**
 * Ends the notification of a POSIX queue that this process has asked for; fine if it has not.
 *
 * mq: a handle
 *
 * Returns 0.
 * Errors:
 *   -EOPNOTSUPP  it is a System V queue
 *   -EINVAL      mq is NULL
 * Since 0.1. See mq_notify(3).
 */
int unipc_mq_cancel_notification(const unipc_mq *mq);

/**
 * Removes the queue of a name. A System V queue is gone at once, and who waits at it gets -EIDRM; who
 * has a POSIX queue open keeps it, with its messages, until he leaves.
 *
 * name: any name of a queue
 *
 * Returns 0.
 * Errors:
 *   -ENOENT          there is none
 *   -EINVAL          no name, NULL, sysv:private; no queue has this identifier
 *   -EACCES, -EPERM  it is somebody else's
 *   -EOPNOTSUPP      only POSIX and System V names stand for queues
 * Since 0.1. See mq_unlink(3), msgctl(2) IPC_RMID.
 */
int unipc_mq_unlink(const char *name);

/**
 * Removes this very queue, not another one that has taken its name before the call.
 *
 * mq: a handle
 *
 * Returns 0.
 * Errors:
 *   -ESTALE          the name belongs to another POSIX queue now, which stays
 *   -ENOENT          it is gone already (-EINVAL for System V)
 *   -EACCES, -EPERM  it is somebody else's
 *   -EINVAL          mq is NULL
 * Since 0.1.
 */
int unipc_mq_remove(const unipc_mq *mq);

/**
 * What the kernel knows of a System V queue.
 *
 * id:  its identifier, from unipc_mq_id() or ipcs -q
 * out: where that goes
 *
 * Returns 0.
 * Errors:
 *   -EINVAL  no queue has this identifier; out is NULL
 *   -EACCES  no permission to read
 * Since 0.1. See msgctl(2) IPC_STAT.
 */
int unipc_mq_sysv_stat(int id, unipc_mq_sysv_status *out);

/**
 * Changes owner, group, mode or capacity of a System V queue.
 *
 * id:        its identifier
 * uid:       the new owner; UINT32_MAX: unchanged
 * gid:       the new group; UINT32_MAX: unchanged
 * mode:      the new permission bits; UINT32_MAX: unchanged
 * max_bytes: how many bytes all messages together may have (msg_qbytes); UINT64_MAX: unchanged.
 *            A lower number than there are keeps the messages; nothing can be sent until enough were
 *            received
 *
 * Returns 0.
 * Errors:
 *   -EPERM   the caller is neither owner nor creator nor privileged; more than MSGMNB and he is not
 *            privileged
 *   -EINVAL  no queue has this identifier; a mode beyond 0777
 *   -ERANGE  more than INT_MAX bytes
 *   -EACCES  the queue cannot be looked at
 * Since 0.1. See msgctl(2) IPC_SET.
 */
int unipc_mq_sysv_set(int id,
                      uint32_t uid,
                      uint32_t gid,
                      uint32_t mode,
                      uint64_t max_bytes);

/**
 * Removes a System V queue at once, with its messages. Who waits at it gets -EIDRM.
 *
 * id: its identifier
 *
 * Returns 0.
 * Errors:
 *   -EPERM   the caller is neither owner nor creator nor privileged
 *   -EINVAL  no queue has this identifier
 * Since 0.1. See msgctl(2) IPC_RMID.
 */
int unipc_mq_sysv_remove(int id);

/**
 * All System V queues of this IPC namespace, those of other users too, as ipcs -q lists them.
 *
 * out: where they go; may be NULL when cap is 0
 * cap: for how many there is room
 *
 * Returns how many there are, of which out holds the first cap. Queues come and go meanwhile: with
 * room to spare, the answer says how many were filled.
 * Errors:
 *   -EINVAL  out is NULL
 * Since 0.1. See msgctl(2) MSG_STAT_ANY (Linux 4.17).
 */
ssize_t unipc_mq_sysv_list(unipc_mq_sysv_status *out, size_t cap);

/**
 * The limits of message queues in this IPC namespace.
 *
 * out: where they go
 *
 * Returns 0.
 * Errors:
 *   -EINVAL  out is NULL
 *   -ENOSYS  this kernel has no System V IPC
 * Since 0.1. See msgctl(2) IPC_INFO, mq_overview(7).
 */
int unipc_mq_limits(unipc_mq_limit_values *out);

/**
 * What System V queues use in this IPC namespace.
 *
 * out: where that goes
 *
 * Returns 0.
 * Errors: as unipc_mq_limits()
 * Since 0.1. See msgctl(2) MSG_INFO.
 */
int unipc_mq_usage(unipc_mq_usage_values *out);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* UNIPC_MQ_H */
