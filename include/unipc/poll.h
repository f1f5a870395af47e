/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Generated from ffi/src by `make bless`: change it there. */

#ifndef UNIPC_POLL_H
#define UNIPC_POLL_H

/*
 * Waiting for any of several things: channels, locks, queues, semaphores, and whatever has a descriptor.
 *
 *   what                                    is told
 *   channels, locks, events of sync.h       at once; a semaphore's dead holder within 0.1 s
 *   System V queues; semaphores of sem.h    within 10 ms: they have nothing to sleep on, and are looked at
 *   descriptors                             at once
 *
 * Waiting takes nothing. What is removed, damaged or has lost its memory is ready as well: the call that
 * takes says what became of it.
 *
 * At once means: by a thread of this library that sleeps for all of the process that polls. It takes no
 * signals, exists only while something without a descriptor is waited for, and up to a second longer. It
 * wakes who polls, so that takes up to twice as long as to wake somebody who sleeps in the
 * object's own call. The ends of channels have a descriptor of their own: unipc_queue_fd() and its kin.
 */
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>
#include <unipc/base.h>
#include <unipc/channel.h>
#include <unipc/mq.h>
#include <unipc/sem.h>
#include <unipc/sync.h>

/* A strict C99 leaves it out of <time.h>. */
struct timespec;

/** What a descriptor is waited for. */
typedef enum unipc_wait_for {
    /** It can be read, is at its end, or in error. */
    UNIPC_WAIT_READ = (1 << 0),
    /** It can be written, or is in error. */
    UNIPC_WAIT_WRITE = (1 << 1),
} unipc_wait_for;

/** A descriptor for one thing that has none. */
typedef struct unipc_doorbell unipc_doorbell;

/** One descriptor for all that an event loop waits for and that has none. A handle serves one thread at a time. */
typedef struct unipc_loop_bell unipc_loop_bell;

/** What is waited for again and again. A poller serves one thread at a time. */
typedef struct unipc_poller unipc_poller;

/** One thing to wait for, made by the functions below; what is in it is the library's. */
typedef struct unipc_waitable {
    /** The handle. */
    const void *object;
    /** What it is. */
    int kind;
    /** The descriptor. */
    int fd;
    /** Of the descriptor what, of the set which. */
    unsigned int which;
    /** Not used. */
    unsigned int reserved;
} unipc_waitable;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * A descriptor of whatever sort: UNIPC_WAIT_READ, UNIPC_WAIT_WRITE, or both. Pipes, sockets, streams of
 * signals, processes and terminals have a function that gives it (unipc_pipe_fd() and its kin). Since 0.1.
 */
unipc_waitable unipc_wait_fd(int fd,
                             unsigned int events);

/** A queue: there is a message. Since 0.1. */
unipc_waitable unipc_wait_queue(const unipc_queue *queue);

/**
 * A queue, to send: there is room for the message for which there was none the last time. Since
 * 0.1.
 */
unipc_waitable unipc_wait_queue_room(const unipc_queue *queue);

/**
 * A topic, to publish: there is room for the message for which there was none the last time. Since
 * 0.1.
 */
unipc_waitable unipc_wait_topic(const unipc_topic *topic);

/** A subscriber: there is a message. Since 0.1. */
unipc_waitable unipc_wait_subscriber(const unipc_subscriber *subscriber);

/** A service: there is a question. Since 0.1. */
unipc_waitable unipc_wait_service(const unipc_service *service);

/** A client: there is an answer to one of its open calls, or the server of one has died. Since 0.1. */
unipc_waitable unipc_wait_client(const unipc_client *client);

/**
 * One call of a client, what unipc_client_begin() returned: there is an answer, or will be none. One to
 * another call of the client can be told as well, once. Since 0.1.
 */
unipc_waitable unipc_wait_call(const unipc_client *client,
                               int call);

/**
 * A client, to ask: the service takes the question for which there was no room the last time. Since
 * 0.1.
 */
unipc_waitable unipc_wait_client_room(const unipc_client *client);

/** A mutex: nobody holds it, or it is retired. Since 0.1. */
unipc_waitable unipc_wait_mutex(const unipc_mutex *mutex);

/** A read-write lock, to read: nobody writes, and a line for a reader is free. Since 0.1. */
unipc_waitable unipc_wait_rwlock_read(const unipc_rwlock *lock);

/** A read-write lock, to write: nobody reads or writes. Since 0.1. */
unipc_waitable unipc_wait_rwlock_write(const unipc_rwlock *lock);

/** A semaphore of sync.h: a permit is free. Since 0.1. */
unipc_waitable unipc_wait_sync_semaphore(const unipc_sync_semaphore *semaphore);

/** An event: it is set. Since 0.1. */
unipc_waitable unipc_wait_event(const unipc_event *event);

/** A once: it is done, or nobody does it. Since 0.1. */
unipc_waitable unipc_wait_once(const unipc_once *once);

/** A message queue: there is a message. Of System V it is looked at every 10 ms. Since 0.1. */
unipc_waitable unipc_wait_mq(const unipc_mq *mq);

/** A semaphore of sem.h: its value is more than 0. It is looked at every 10 ms. Since 0.1. */
unipc_waitable unipc_wait_sem(const unipc_sem *sem);

/** One semaphore of a set: its value is more than 0. It is looked at every 10 ms. Since 0.1. */
unipc_waitable unipc_wait_semset(const unipc_semset *set, unsigned int index);

/**
 * Waits until one of several things is ready. Nothing is taken: the call that takes should be a try,
 * since somebody else may be faster.
 *
 * things:  what to wait for
 * n:       how many there are
 * timeout: how long; NULL for ever, {0, 0} not at all
 *
 * Example:
 *
 *     static const struct timespec now = {0, 0};
 *     unipc_waitable things[3];
 *     char text[64];
 *     things[0] = unipc_wait_queue(jobs);
 *     things[1] = unipc_wait_mq(orders);
 *     things[2] = unipc_wait_fd(0, UNIPC_WAIT_READ);
 *     if (unipc_wait_any(things, 3, NULL) == 0)
 *         unipc_queue_recv(jobs, text, sizeof text, &now);
 *
 * Returns the index of the first thing that is ready.
 * Errors:
 *   -EAGAIN, -ETIMEDOUT  none is
 *   -EINTR       a signal came
 *   -EINVAL      there is nothing to wait for, a handle or things is NULL; a thing without a descriptor
 *                in a child of fork() that waits with its parent's poller
 *   -EBADF       a descriptor is not open
 *   -EOPNOTSUPP  a lock in the pthread form, which has no word for those who wait for several things
 *   -EACCES      a System V object may not be looked at
 *   -EMFILE, -ENFILE  there are no more descriptors
 *   -EBUSY       no more threads may be started
 * Since 0.1. See poll(2).
 */
UNIPC_CHECK
int unipc_wait_any(const unipc_waitable *things,
                   size_t n,
                   const struct timespec *timeout);

/**
 * Makes a poller, for many waits for the same things. Close it with unipc_poller_close().
 *
 * out: where the handle goes; NULL on failure
 *
 * Returns 0, or -EINVAL when out is NULL. Since 0.1.
 */
UNIPC_CHECK int unipc_poller_open(unipc_poller **out);

/**
 * Waits for one more thing. Remove it before its handle or descriptor is closed.
 *
 * poller: a handle that no other thread is using
 * thing:  what to wait for
 * key:    what unipc_poller_wait() calls it
 *
 * Returns 0.
 * Errors: -EEXIST when there is one with this key; as unipc_wait_any(). Since 0.1.
 */
int unipc_poller_add(unipc_poller *poller, unipc_waitable thing, uint64_t key);

/**
 * No longer waits for the thing with this key. Since 0.1.
 *
 * Returns 0, or -ENOENT when there is none.
 */
int unipc_poller_remove(unipc_poller *poller, uint64_t key);

/**
 * Waits until something is ready.
 *
 * poller:  a handle that no other thread is using
 * keys:    where the keys of what is ready go, in the order in which they were added
 * cap:     how many fit, at least one; what does not fit is told the next time
 * timeout: how long; NULL for ever, {0, 0} not at all
 *
 * Returns how many keys there are, at least one.
 * Errors: as unipc_wait_any(). Since 0.1.
 */
UNIPC_CHECK
ssize_t unipc_poller_wait(unipc_poller *poller,
                          uint64_t *keys,
                          size_t cap,
                          const struct timespec *timeout);

/** Closes the handle; NULL is nothing. What it waited for stays. Since 0.1. */
void unipc_poller_close(unipc_poller *poller);

/**
 * Makes a descriptor that is readable while a thing is ready that has none itself (a lock, an event, a
 * System V queue), for an event loop. Close it with unipc_doorbell_close(), before the thing's handle.
 *
 * out:   where the handle goes; NULL on failure
 * thing: what to wait for
 *
 * Returns 0.
 * Errors: as unipc_wait_any(); -EINVAL for a descriptor. Since 0.1.
 */
UNIPC_CHECK
int unipc_doorbell_open(unipc_doorbell **out,
                        unipc_waitable thing);

/**
 * The descriptor, valid until the doorbell is closed; close-on-exec.
 *
 * Returns it, or -EINVAL when the handle is NULL. Since 0.1.
 */
int unipc_doorbell_fd(const unipc_doorbell *doorbell);

/**
 * To be called when the thing could not be taken: makes the descriptor unreadable until it is ready.
 *
 * Returns 0; -EINVAL in a child of fork(), -EBUSY when no more threads may be started. Since 0.1.
 */
int unipc_doorbell_arm(const unipc_doorbell *doorbell);

/** Closes the handle; NULL is nothing. Since 0.1. */
void unipc_doorbell_close(unipc_doorbell *doorbell);

/**
 * Makes one descriptor for all that an event loop waits for and that has none itself. It is readable when
 * one of them is ready, and unipc_loop_bell_rung() tells which. By io_uring (Linux 6.7, where it is
 * allowed) it wakes the loop as fast as an eventfd; elsewhere as a doorbell does. A handle serves one thread
 * at a time, that of the loop. Close it with unipc_loop_bell_close().
 *
 * out: where the handle goes; NULL on failure
 *
 * Returns 0.
 * Errors: -EINVAL when out is NULL; -EMFILE, -ENFILE, -ENOMEM. Since 0.1.
 */
UNIPC_CHECK
int unipc_loop_bell_open(unipc_loop_bell **out);

/**
 * The descriptor, valid until the handle is closed; close-on-exec.
 *
 * Returns it, or -EINVAL when the handle is NULL. Since 0.1.
 */
int unipc_loop_bell_fd(const unipc_loop_bell *bell);

/**
 * Waits for a thing until it was told once, when it could not be taken.
 *
 * bell:   a handle that no other thread is using
 * thing:  what to wait for; disarm it before its handle is closed
 * number: how it is told; no other one gets it
 *
 * Returns 1; 0 when it is ready now, and is not waited for.
 * Errors: as unipc_wait_any(); -EINVAL for a descriptor. Since 0.1.
 */
UNIPC_CHECK
int unipc_loop_bell_arm(unipc_loop_bell *bell,
                        unipc_waitable thing,
                        uint64_t *number);

/**
 * No longer waits for what has this number; nothing when it was told already.
 *
 * Returns 0, or -EINVAL when the handle is NULL. Since 0.1.
 */
int unipc_loop_bell_disarm(unipc_loop_bell *bell, uint64_t number);

/**
 * Tells which are ready, none of which is waited for any more. To be called when the descriptor is readable,
 * until it tells of fewer than fit.
 *
 * bell:    a handle that no other thread is using
 * numbers: where their numbers go
 * cap:     how many fit, at least one
 *
 * Returns how many there are; may be 0.
 * Errors: -EINVAL, also in a child of fork(). Since 0.1.
 */
UNIPC_CHECK
ssize_t unipc_loop_bell_rung(unipc_loop_bell *bell,
                             uint64_t *numbers,
                             size_t cap);

/** Closes the handle; NULL is nothing. What it waited for stays. Since 0.1. */
void unipc_loop_bell_close(unipc_loop_bell *bell);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* UNIPC_POLL_H */
