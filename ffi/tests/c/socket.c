/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Calls the functions of sockets once, and expects what their comments in the headers promise. */
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <unipc.h>

#include "expect.h"

/* What two ends of a stream say to each other. */
static void stream(unipc_socket *one, unipc_socket *other)
{
    const struct timespec now = {0, 0}, soon = {10, 0};
    char text[16], name[UNIPC_SOCKET_NAME_SIZE];
    size_t done = 9;

    EXPECT(unipc_socket_kind_of(one) == UNIPC_SOCKET_STREAM);
    EXPECT(unipc_socket_fd(one) >= 0);
    EXPECT(unipc_socket_recv(other, text, sizeof text, &now) == -EAGAIN);
    EXPECT(unipc_socket_send(one, "hel", 3, &soon) == 3);
    EXPECT(unipc_socket_send_all(one, "lo", 2, NULL, &done) == 0 && done == 2);
    EXPECT(unipc_socket_waiting(other) == 5 && unipc_socket_unsent(one) >= 0);
    EXPECT(unipc_socket_next_size(other, &soon) == 5);
    EXPECT(unipc_socket_recv_exact(other, text, 4, &soon, &done) == 0 && done == 4);
    EXPECT(unipc_socket_recv(other, text + 4, 1, NULL) == 1);
    EXPECT(memcmp(text, "hello", 5) == 0);
    EXPECT(unipc_socket_local_name(one, name, sizeof name) >= 0);
    EXPECT(unipc_socket_peer_name(one, name, sizeof name) >= 0);
    EXPECT(unipc_socket_set_send_buffer(one, 10000) == 20000);
    EXPECT(unipc_socket_send_buffer(one) == 20000);
    EXPECT(unipc_socket_set_receive_buffer(one, 10000) == 20000);
    EXPECT(unipc_socket_receive_buffer(one) == 20000);
    EXPECT(unipc_socket_send(one, "xyz", 3, NULL) == 3);
    EXPECT(unipc_socket_shutdown(one, UNIPC_SHUTDOWN_SEND) == 0);
    EXPECT(unipc_socket_send(one, "x", 1, NULL) == -EPIPE);
    EXPECT(unipc_socket_recv_exact(other, text, 4, &soon, &done) == -EBADMSG && done == 3);
    EXPECT(unipc_socket_recv(other, text, sizeof text, NULL) == 0);
}

static void unix_sockets(void)
{
    const struct timespec soon = {10, 0};
    char name[64];
    unipc_listener *listener, *again;
    unipc_socket *client, *server;
    unipc_credentials peer;

    snprintf(name, sizeof name, "unix:/tmp/unipc-%ld.socket", (long)getpid());
    EXPECT(unipc_listener_bind(&listener, name, 0, &UNIPC_SOCKET_OPTS(.mode = 0660)) == 0);
    EXPECT(unipc_listener_kind_of(listener) == UNIPC_SOCKET_STREAM);
    EXPECT(unipc_listener_fd(listener) >= 0);
    EXPECT(unipc_listener_bind(&again, name, 0, NULL) == -EADDRINUSE && again == NULL);
    EXPECT(unipc_socket_connect(&client, name, UNIPC_SOCKET_OWN_ONLY, NULL, &soon) == 0);
    EXPECT(unipc_listener_accept(&server, listener, &soon) == 0);
    EXPECT(unipc_socket_peer_credentials(server, &peer) == 0 && peer.pid == getpid());
    stream(client, server);
    unipc_socket_close(client);
    unipc_socket_close(server);
    EXPECT(unipc_listener_from_fd(&again, unipc_listener_fd(listener)) == 0);
    unipc_listener_close(again);
    EXPECT(unipc_listener_remove(listener) == 0);
    EXPECT(unipc_socket_unlink(name) == -ENOENT);
    unipc_listener_close(listener);
    EXPECT(unipc_socket_bind(&server, name, 0, NULL) == 0);
    EXPECT(unipc_socket_remove(server) == 0);
    unipc_socket_close(server);
}

static void tcp_and_udp(void)
{
    const struct timespec soon = {10, 0};
    char name[UNIPC_SOCKET_NAME_SIZE], sender[UNIPC_SOCKET_NAME_SIZE], text[8];
    unipc_listener *listener;
    unipc_socket *client, *server;

    EXPECT(unipc_listener_bind(&listener, "tcp:127.0.0.1:0", 0, NULL) == 0);
    EXPECT(unipc_listener_name(listener, name, sizeof name) > 14);
    EXPECT(unipc_socket_connect(&client, name, 0, NULL, &soon) == 0);
    EXPECT(unipc_listener_accept(&server, listener, &soon) == 0);
    EXPECT(unipc_socket_delay(client) == 0 && unipc_socket_set_delay(client, 1) == 0);
    EXPECT(unipc_socket_delay(client) == 1);
    stream(client, server);
    unipc_socket_close(client);
    unipc_socket_close(server);
    unipc_listener_close(listener);
    EXPECT(unipc_socket_bind(&server, "udp:127.0.0.1:0", 0, NULL) == 0);
    EXPECT(unipc_socket_local_name(server, name, sizeof name) > 14);
    EXPECT(unipc_socket_connect(&client, name, 0, NULL, &soon) == 0);
    EXPECT(unipc_socket_send(client, "ping", 4, &soon) == 4);
    EXPECT(unipc_socket_recv_from(server, text, 8, sender, sizeof sender, &soon) == 4);
    EXPECT(unipc_socket_send_to(server, "pong", 4, sender, &soon) == 4);
    EXPECT(unipc_socket_recv(client, text, 8, &soon) == 4 && memcmp(text, "pong", 4) == 0);
    unipc_socket_close(client);
    unipc_socket_close(server);
}

static void descriptors(void)
{
    const struct timespec now = {0, 0};
    unipc_fd_opts memory = UNIPC_FD_OPTS_INIT;
    unipc_socket *one, *other, *again;
    unipc_received received;
    unipc_shm *shm;
    char text[8];
    int fds[2], fd;

    memory.kind = UNIPC_FD_MEMFD;
    memory.seals = UNIPC_SEAL_SHRINK;
    memory.size = 100;
    EXPECT(unipc_socket_pair(&one, &other, UNIPC_SOCKET_SEQPACKET, 0) == 0);
    EXPECT(unipc_socket_pass_credentials(other, 1) == 0);
    EXPECT(unipc_shm_create(&shm, "memfd:passed", 100, 0, NULL) == 0);
    fds[0] = unipc_shm_fd(shm);
    fds[1] = STDIN_FILENO;
    EXPECT(unipc_socket_send_message(one, "hi", 2, fds, 1, NULL, NULL) == 2);
    EXPECT(unipc_socket_recv_message(other, text, 8, &fd, 1, &memory, &received, NULL) == 2);
    EXPECT(received.fds == 1 && !received.ended && received.has_credentials);
    EXPECT(received.credentials.pid == getpid());
    close(fd);
    EXPECT(unipc_fd_send(unipc_socket_fd(one), fds, 2, NULL) == 0);
    EXPECT(unipc_fd_recv(unipc_socket_fd(other), &fd, 1, NULL, NULL) == -EPERM);
    EXPECT(unipc_fd_send(unipc_socket_fd(one), fds, 2, NULL) == 0);
    EXPECT(unipc_fd_recv(unipc_socket_fd(other), fds, 2, &UNIPC_FD_OPTS(.least = 2), NULL) == 2);
    close(fds[0]);
    close(fds[1]);
    EXPECT(unipc_fd_recv(unipc_socket_fd(other), fds, 2, NULL, &now) == -EAGAIN);
    EXPECT(unipc_socket_from_fd(&again, unipc_socket_fd(one)) == 0);
    unipc_socket_close(one);
    unipc_socket_close(again);
    EXPECT(unipc_socket_recv_message(other, text, 8, NULL, 0, NULL, &received, NULL) == 0);
    EXPECT(received.ended);
    unipc_shm_close(shm);
    unipc_socket_close(other);
}

int main(void)
{
    unix_sockets();
    tcp_and_udp();
    descriptors();
    puts("all as promised");
    return 0;
}
