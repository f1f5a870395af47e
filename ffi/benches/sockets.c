/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Sockets in C against the plain calls. The same rows exist in Rust and in Python.
 */
#define _GNU_SOURCE

#include "harness.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unipc.h>
#include <unistd.h>

enum { LARGEST = 65536, LARGEST_UDP = 32768 };

/* Two connected ends; both sides of a comparison use the same sockets. */
static unipc_socket *near_end, *far_end;
static int near_fd, far_fd;
static int stream;
static size_t size;
static char data[LARGEST];

static void check(ssize_t result)
{
    if (result >= 0)
        return;
    fprintf(stderr, "%s\n", unipc_last_error());
    exit(1);
}

static void plain_send(int fd)
{
    succeeded(send(fd, data, size, MSG_NOSIGNAL) < 0 ? -1 : 0);
}

static size_t plain_recv(int fd)
{
    size_t done = 0;
    do {
        ssize_t got = recv(fd, data + done, stream ? size - done : LARGEST, 0);
        succeeded(got < 0 ? -1 : 0);
        done += (size_t)got;
    } while (stream && done < size);
    return done;
}

static void unipc_recv(unipc_socket *socket)
{
    if (stream)
        check(unipc_socket_recv_exact(socket, data, size, NULL, NULL));
    else
        check(unipc_socket_recv(socket, data, LARGEST, NULL));
}

/* One way: in and out again in one process, so that nobody waits. Round trip: to another process that
 * sends it back by the plain calls, and this one sleeps. */
SIDE(unipc_one_way, check(unipc_socket_send(near_end, data, size, NULL)); unipc_recv(far_end))
SIDE(plain_one_way, plain_send(near_fd); plain_recv(far_fd))
SIDE(unipc_round_trip, check(unipc_socket_send(near_end, data, size, NULL)); unipc_recv(near_end))
SIDE(plain_round_trip, plain_send(near_fd); plain_recv(near_fd))

static void compare(const char *kind)
{
    char title[160];
    snprintf(title, sizeof title, "%s: one way, %zu bytes (expected: at most 1.03 x)", kind, size);
    COMPARE(title, {"unipc send, recv", unipc_one_way}, {"send, recv", plain_one_way});
    pid_t child = succeeded(fork());
    while (child == 0) {
        plain_recv(far_fd);
        plain_send(far_fd);
    }
    snprintf(title, sizeof title,
             "%s: round trip, %zu bytes, time of this side (expected: at most 1.03 x)", kind, size);
    COMPARE(title, {"unipc send, recv", unipc_round_trip}, {"send, recv", plain_round_trip});
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
}

static void sizes(const char *kind, int is_stream, size_t largest)
{
    const size_t all[] = {8, 64, 1024, largest};
    stream = is_stream;
    near_fd = unipc_socket_fd(near_end);
    far_fd = unipc_socket_fd(far_end);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        size = all[i];
        compare(kind);
    }
    unipc_socket_close(near_end);
    unipc_socket_close(far_end);
}

static void tcp(void)
{
    unipc_listener *listener;
    char name[UNIPC_SOCKET_NAME_SIZE];
    check(unipc_listener_bind(&listener, "tcp:127.0.0.1:0", 0, NULL));
    check(unipc_listener_name(listener, name, sizeof name));
    check(unipc_socket_connect(&near_end, name, 0, NULL, NULL));
    check(unipc_listener_accept(&far_end, listener, NULL));
    unipc_listener_close(listener);
}

static void udp(void)
{
    struct sockaddr_storage address;
    socklen_t length = sizeof address;
    char name[UNIPC_SOCKET_NAME_SIZE];
    check(unipc_socket_bind(&far_end, "udp:127.0.0.1:0", 0, NULL));
    check(unipc_socket_local_name(far_end, name, sizeof name));
    check(unipc_socket_connect(&near_end, name, 0, NULL, NULL));
    /* So that the far end can send back without naming the near one each time. */
    succeeded(getsockname(unipc_socket_fd(near_end), (struct sockaddr *)&address, &length));
    succeeded(connect(unipc_socket_fd(far_end), (struct sockaddr *)&address, length));
}

int main(void)
{
    print_head(unipc_version_string());
    share_a_processor();
    check(unipc_socket_pair(&near_end, &far_end, UNIPC_SOCKET_STREAM, 0));
    sizes("UNIX stream", 1, LARGEST);
    check(unipc_socket_pair(&near_end, &far_end, UNIPC_SOCKET_DATAGRAM, 0));
    sizes("UNIX datagram", 0, LARGEST);
    check(unipc_socket_pair(&near_end, &far_end, UNIPC_SOCKET_SEQPACKET, 0));
    sizes("UNIX seqpacket", 0, LARGEST);
    tcp();
    sizes("TCP", 1, LARGEST);
    udp();
    sizes("UDP", 0, LARGEST_UDP);
    return 0;
}
