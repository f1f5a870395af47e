/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * The peers of peers/: shared objects that are there or not.
 */
#ifndef UNIPC_BENCH_FOREIGN_H
#define UNIPC_BENCH_FOREIGN_H

#include "pair.h"
#include "peers/peer.h"

/* Loads each NAME.so in a directory; returns how many peers there are. */
int foreign_load(const char *directory);

/* One of them, or NULL behind the last one. */
const struct peer *foreign_peer(int index);
int foreign_has_size(const struct peer *peer, size_t bytes);

/* The peer as a transport, until another one is asked for. */
const struct transport *foreign_transport(const struct peer *peer);

#endif
