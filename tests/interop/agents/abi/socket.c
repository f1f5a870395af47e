/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Sockets by the library: the same verbs as in ../plain/socket.c. */
#include "abi.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unipc.h>
#include <unistd.h>

enum { ROOM = 1 << 17, BLOCK = 1000, MOST = 8 };

/* The one listener and the one socket that this process has, and what came through it. */
static unipc_listener *listener;
static unipc_socket *sock;
static int came[MOST];
static size_t arrived;
static unsigned char data[ROOM];
static const struct timespec at_once = {0, 0};

static int failed(ssize_t result)
{
    return answer_error(unipc_errname((int)result));
}

static int told(int result)
{
    char name[UNIPC_SOCKET_NAME_SIZE];
    if (result >= 0)
        result = unipc_socket_local_name(sock, name, sizeof name);
    return result < 0 ? failed(result) : answer("name=%s", result ? name : "-");
}

static unipc_socket_opts options(const struct request *request)
{
    const char *kind = text(request, "kind");
    unipc_socket_opts opts = UNIPC_SOCKET_OPTS(.local = text(request, "local"));
    if (kind && strcmp(kind, "datagram") == 0)
        opts.kind = UNIPC_SOCKET_DATAGRAM;
    if (kind && strcmp(kind, "seqpacket") == 0)
        opts.kind = UNIPC_SOCKET_SEQPACKET;
    return opts;
}

static int listen_at(const struct request *request)
{
    char name[UNIPC_SOCKET_NAME_SIZE];
    unipc_socket_opts opts = options(request);
    int result = unipc_listener_bind(&listener, text(request, "name"), 0, &opts);
    if (result >= 0)
        result = unipc_listener_name(listener, name, sizeof name);
    return result < 0 ? failed(result) : answer("name=%s", name);
}

static int bind_to(const struct request *request)
{
    unipc_socket_opts opts = options(request);
    return told(unipc_socket_bind(&sock, text(request, "name"), 0, &opts));
}

static int connect_to(const struct request *request)
{
    unipc_socket_opts opts = options(request);
    return told(unipc_socket_connect(&sock, text(request, "name"), 0, &opts, NULL));
}

/* `timeout` is in milliseconds; without it the call waits for ever. All but a try say WAIT. */
static const struct timespec *limit(const struct request *request)
{
    static struct timespec limit;
    size_t ms = number(request, "timeout", 0);
    if (!text(request, "timeout")) {
        waiting();
        return NULL;
    }
    if (ms > 0)
        waiting();
    limit = (struct timespec){(time_t)(ms / 1000), (long)(ms % 1000) * 1000000};
    return &limit;
}

static int accept_one(const struct request *request)
{
    return told(unipc_listener_accept(&sock, listener, limit(request)));
}

static int send_bytes(const struct request *request)
{
    size_t size;
    const unsigned char *all = bytes(request, "hex", &size);
    const char *name = text(request, "name");
    ssize_t result = name ? unipc_socket_send_to(sock, all, size, name, limit(request))
                          : unipc_socket_send_all(sock, all, size, limit(request), NULL);
    return result < 0 ? failed(result) : answer("sent=%zu", size);
}

static int receive(const struct request *request)
{
    size_t cap = number(request, "cap", ROOM), exact = number(request, "exact", 0);
    char name[UNIPC_SOCKET_NAME_SIZE] = "";
    ssize_t got;
    if (exact)
        got = unipc_socket_recv_exact(sock, data, exact, limit(request), &exact);
    else
        got = unipc_socket_recv_from(sock, data, cap, name, sizeof name, limit(request));
    if (exact && got == 0)
        got = (ssize_t)exact;
    if (got < 0)
        return failed(got);
    printf("OK from=%s len=%zd hex=", name[0] ? name : "-", got);
    for (ssize_t i = 0; i < got; i++)
        printf("%02x", data[i]);
    putchar('\n');
    fflush(stdout);
    return 0;
}

static int fill_up(const struct request *request)
{
    static const unsigned char block[BLOCK];
    size_t all = 0;
    ssize_t sent;
    (void)request;
    while ((sent = unipc_socket_send(sock, block, sizeof block, &at_once)) > 0)
        all += (size_t)sent;
    return sent == -EAGAIN ? answer("bytes=%zu", all) : failed(sent);
}

static int drain(const struct request *request)
{
    size_t all = 0;
    ssize_t got;
    (void)request;
    while ((got = unipc_socket_recv(sock, data, sizeof data, &at_once)) > 0)
        all += (size_t)got;
    return got == 0 || got == -EAGAIN ? answer("bytes=%zu", all) : failed(got);
}

static int shut_down(const struct request *request)
{
    const char *how = text(request, "how");
    int result = unipc_socket_shutdown(sock, strcmp(how, "send") == 0 ? UNIPC_SHUTDOWN_SEND
                                                                      : UNIPC_SHUTDOWN_RECEIVE);
    return result < 0 ? failed(result) : answer("done");
}

static int who(const unipc_credentials *credentials, ssize_t length, size_t fds)
{
    return answer("len=%zd fds=%zu pid=%d uid=%u gid=%u", length, fds, credentials->pid,
                  credentials->uid, credentials->gid);
}

static int peer(const struct request *request)
{
    unipc_credentials credentials;
    int result = unipc_socket_peer_credentials(sock, &credentials);
    (void)request;
    return result < 0 ? failed(result) : who(&credentials, 0, 0);
}

static int credentials(const struct request *request)
{
    int result = unipc_socket_pass_credentials(sock, (int)number(request, "on", 1));
    return result < 0 ? failed(result) : answer("done");
}

static int receive_message(const struct request *request)
{
    const char *kind = text(request, "fd_kind");
    size_t most = number(request, "max_fds", MOST);
    unipc_fd_opts expect = UNIPC_FD_OPTS(.kind = kind ? UNIPC_FD_MEMFD : UNIPC_FD_ANY);
    unipc_received received;
    ssize_t got = unipc_socket_recv_message(sock, data, sizeof data, came, most, &expect, &received,
                                            limit(request));
    if (got < 0)
        return failed(got);
    arrived = received.fds;
    return who(&received.credentials, got, arrived);
}

static int send_descriptors(const struct request *request)
{
    size_t size;
    const unsigned char *all = bytes(request, "hex", &size);
    unipc_shm *shm;
    int fds[2], ends[2];
    int result = unipc_shm_create(&shm, "memfd:interop", size, 0, NULL);
    if (result < 0 || (result = unipc_shm_write_at(shm, 0, all, size)) < 0)
        return failed(result);
    if (pipe(ends) < 0 || write(ends[1], all, size) != (ssize_t)size)
        return answer_error("EPIPE");
    close(ends[1]);
    fds[0] = ends[0];
    fds[1] = unipc_shm_fd(shm);
    ssize_t sent = unipc_socket_send_message(sock, "!", 1, fds, 2, NULL, NULL);
    close(ends[0]);
    unipc_shm_close(shm);
    return sent < 0 ? failed(sent) : answer("sent=%zd", sent);
}

static int read_descriptors(const struct request *request)
{
    ssize_t length = 0, got;
    int closing = 1, order = 1;
    unipc_shm *shm;
    (void)request;
    for (size_t i = 0; i < arrived; i++)
        closing &= fcntl(came[i], F_GETFD) & FD_CLOEXEC ? 1 : 0;
    while ((got = read(came[0], data + length, sizeof data - (size_t)length)) > 0)
        length += got;
    int result = unipc_shm_from_fd(&shm, came[1], UNIPC_SHM_READ_ONLY, NULL);
    if (result < 0)
        return failed(result);
    if (unipc_shm_size(shm) == (size_t)length)
        result = unipc_shm_compare(shm, 0, data, (size_t)length, &order);
    unipc_shm_close(shm);
    printf("OK cloexec=%d same=%d hex=", closing, result >= 0 && order == 0);
    for (ssize_t i = 0; i < length; i++)
        printf("%02x", data[i]);
    putchar('\n');
    fflush(stdout);
    while (arrived > 0)
        close(came[--arrived]);
    return 0;
}

static int close_all(const struct request *request)
{
    if (text(request, "listener")) {
        unipc_listener_close(listener);
        listener = NULL;
    }
    unipc_socket_close(sock);
    sock = NULL;
    return answer("closed");
}

static int removed(const struct request *request)
{
    int result = unipc_socket_unlink(text(request, "name"));
    return result < 0 ? failed(result) : answer("removed");
}

const struct verb socket_verbs[] = {
    {"socket.listen", listen_at},
    {"socket.bind", bind_to},
    {"socket.connect", connect_to},
    {"socket.accept", accept_one},
    {"socket.send", send_bytes},
    {"socket.recv", receive},
    {"socket.fill", fill_up},
    {"socket.drain", drain},
    {"socket.shutdown", shut_down},
    {"socket.peer", peer},
    {"socket.credentials", credentials},
    {"socket.recv_message", receive_message},
    {"socket.send_fds", send_descriptors},
    {"socket.read_fds", read_descriptors},
    {"socket.close", close_all},
    {"socket.remove", removed},
    {NULL, NULL},
};
