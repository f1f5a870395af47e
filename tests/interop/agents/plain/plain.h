/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The verbs of the plain libc agent, one table a room. No library header is included here. */
#ifndef INTEROP_PLAIN_H
#define INTEROP_PLAIN_H

#include "../protocol.h"

extern const struct verb sem_verbs[];
extern const struct verb shm_verbs[];
extern const struct verb process_verbs[];
extern const struct verb mq_verbs[];
extern const struct verb socket_verbs[];
extern const struct verb lock_verbs[];
extern const struct verb pipe_verbs[];
extern const struct verb signal_verbs[];
extern const struct verb sync_verbs[];

#endif
