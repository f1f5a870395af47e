/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * ZeroMQ over ipc://, a PAIR socket in each process. The library is the one inside pyzmq's wheel (LIBZMQ tells where),
 * which comes without a header: the few functions and constants that are needed are those of zmq.h.
 */
#define _GNU_SOURCE /* sched_setaffinity */

#include "peer.h"

#include <dlfcn.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { ZMQ_PAIR = 0 };

static const size_t sizes[] = {8, 64, 1024, 65536, 0};
static void *(*zmq_ctx_new)(void);
static void *(*zmq_socket)(void *, int);
static int (*zmq_bind)(void *, const char *);
static int (*zmq_connect)(void *, const char *);
static int (*zmq_send)(void *, const void *, size_t, int);
static int (*zmq_recv)(void *, void *, size_t, int);
static char address[64];
static void *handle, *socket_here;

static void fail(const char *what)
{
    fprintf(stderr, "peer: %s: %s\n", what, strerror(errno));
    _exit(3);
}

static void *symbol(const char *name)
{
    void *found = dlsym(handle, name);
    if (!found)
        fail(name);
    return found;
}

static void open_library(size_t size)
{
    (void)size;
    handle = dlopen(LIBZMQ, RTLD_NOW);
    if (!handle)
        fail(dlerror());
    *(void **)&zmq_ctx_new = symbol("zmq_ctx_new");
    *(void **)&zmq_socket = symbol("zmq_socket");
    *(void **)&zmq_bind = symbol("zmq_bind");
    *(void **)&zmq_connect = symbol("zmq_connect");
    *(void **)&zmq_send = symbol("zmq_send");
    *(void **)&zmq_recv = symbol("zmq_recv");
    snprintf(address, sizeof address, "ipc://@unipc-bench-%d", (int)getpid());
}

/* The library's own threads are made here, and may run on either processor. */
static void attach(int role)
{
    cpu_set_t here, anywhere;
    sched_getaffinity(0, sizeof here, &here);
    memset(&anywhere, 0xff, sizeof anywhere);
    sched_setaffinity(0, sizeof anywhere, &anywhere);
    void *context = zmq_ctx_new();
    socket_here = context ? zmq_socket(context, ZMQ_PAIR) : NULL;
    if (!socket_here)
        fail("zmq_socket");
    if ((role == 0 ? zmq_bind : zmq_connect)(socket_here, address))
        fail(address);
    sched_setaffinity(0, sizeof here, &here);
}

static void send_message(int direction, const void *bytes, size_t size)
{
    (void)direction;
    if (zmq_send(socket_here, bytes, size, 0) != (int)size)
        fail("zmq_send");
}

static void receive_message(int direction, void *bytes, size_t size)
{
    (void)direction;
    if (zmq_recv(socket_here, bytes, size, 0) != (int)size)
        fail("zmq_recv");
}

static const struct peer pair = {"ZeroMQ ipc", PEER_ROUND_TRIP | PEER_ONE_WAY | PEER_COPIES_OUT,
                                 sizes,        open_library,
                                 attach,       NULL,
                                 send_message, receive_message};

const struct peer *const unipc_bench_peers[] = {&pair, NULL};
