/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "foreign.h"

#include <dlfcn.h>
#include <glob.h>

static const struct peer *peers[32];
static int loaded;

static const struct peer *current;

static void foreign_open(size_t bytes)
{
    current->open(bytes);
}

static void foreign_attach(enum role role)
{
    current->attach((int)role);
}

static void foreign_detach(enum role role)
{
    if (current->detach)
        current->detach((int)role);
}

static inline void foreign_send(enum role direction)
{
    current->send((int)direction, message(direction), size);
}

static inline void foreign_receive(enum role direction)
{
    current->receive((int)direction, inbox, size);
    arrived(direction, first_word(inbox));
}

static inline void foreign_flush(enum role direction)
{
    (void)direction;
}

TRANSPORT(foreign, "")

const struct transport *foreign_transport(const struct peer *peer)
{
    static struct transport transport;
    current = peer;
    transport = foreign;
    transport.name = peer->name;
    transport.detach = foreign_detach;
    transport.copies_out = (peer->traits & PEER_COPIES_OUT) != 0;
    return &transport;
}

static void load(const char *path)
{
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    const struct peer *const *list = library ? dlsym(library, "unipc_bench_peers") : NULL;
    if (!list) {
        fprintf(stderr, "%s\n", dlerror());
        exit(1);
    }
    for (; *list && loaded < (int)(sizeof peers / sizeof *peers) - 1; list++)
        peers[loaded++] = *list;
}

int foreign_load(const char *directory)
{
    char pattern[4096];
    glob_t found;
    snprintf(pattern, sizeof pattern, "%s/*.so", directory);
    if (glob(pattern, 0, NULL, &found) == 0)
        for (size_t i = 0; i < found.gl_pathc; i++)
            load(found.gl_pathv[i]);
    globfree(&found);
    return loaded;
}

const struct peer *foreign_peer(int index)
{
    return index < loaded ? peers[index] : NULL;
}

int foreign_has_size(const struct peer *peer, size_t bytes)
{
    for (const size_t *next = peer->sizes; *next; next++)
        if (*next == bytes)
            return 1;
    return 0;
}
