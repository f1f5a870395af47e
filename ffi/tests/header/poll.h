/* SPDX-License-Identifier: MIT OR Apache-2.0 */
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
