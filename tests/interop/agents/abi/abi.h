/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The verbs of the C agent on the library, one table a room. */
#ifndef INTEROP_ABI_H
#define INTEROP_ABI_H

#include "../protocol.h"

extern const struct verb channel_verbs[];
extern const struct verb sem_verbs[];
extern const struct verb shm_verbs[];
extern const struct verb process_verbs[];
extern const struct verb mq_verbs[];
extern const struct verb socket_verbs[];
extern const struct verb lock_verbs[];
extern const struct verb pipe_verbs[];
extern const struct verb signal_verbs[];
extern const struct verb sync_verbs[];
extern const struct verb record_verbs[];

int fork_with_memory(const struct request *); /* fork.c */

/* plain.c, which does not know the library: an anonymous mapping, or NULL with errno set, and its
 * end. */
unsigned char *plain_map(size_t size);
void plain_unmap(unsigned char *memory, size_t size);
/* plain.c: the descriptor of a plain mapping, which only root may have; -1 with errno set. */
int plain_descriptor(const unsigned char *memory, size_t size);

#endif
