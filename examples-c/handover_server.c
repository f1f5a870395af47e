/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Hands memory over to one client: a System V segment without a key by its identifier, and a memfd
 * by its descriptor. Nobody else can find either of them. The client changes both.
 *
 * Run `handover_server NAME`, then `handover_client NAME` in any language. NAME is unix:PATH or
 * unix:@NAME; unix:@ takes a name that is free, which is printed.
 */
#include "common.h"

#include <string.h>

/* The record at the beginning, and whether the client has made it a year older. */
static void show(const char *what, const unipc_shm *shm)
{
    struct people people;
    check(unipc_shm_read_at(shm, 0, &people, sizeof people));
    printf("%s: name %.4s age %d\n", what, people.name, people.age);
}

int main(int argc, char **argv)
{
    usage(argc != 2, "handover_server NAME");
    const unipc_socket_opts packets = UNIPC_SOCKET_OPTS(.kind = UNIPC_SOCKET_SEQPACKET);
    unipc_shm *segment, *memory;
    struct people people = people_number(0);
    check(unipc_shm_create(&segment, "sysv:private", 4096, UNIPC_SHM_REMOVE_ON_CLOSE, NULL));
    check(unipc_shm_create(&memory, "memfd:handover", 4096, 0, NULL));
    check(unipc_shm_write_at(segment, 0, &people, sizeof people));
    people = people_number(1);
    check(unipc_shm_write_at(memory, 0, &people, sizeof people));

    unipc_listener *listener;
    unipc_socket *client;
    char name[UNIPC_SOCKET_NAME_SIZE], done[8];
    check(unipc_listener_bind(&listener, argv[1], UNIPC_SOCKET_REMOVE_ON_CLOSE, &packets));
    check(unipc_listener_name(listener, name, sizeof name));
    printf("listening at %s\n", name);
    fflush(stdout);
    check(unipc_listener_accept(&client, listener, NULL));

    /* "sysv:id=42" in the message, the descriptor beside it. */
    const char *id = unipc_shm_name(segment);
    const int fd = unipc_shm_fd(memory);
    check(unipc_socket_send_message(client, id, strlen(id), &fd, 1, NULL, NULL) < 0 ? -1 : 0);
    ssize_t length = unipc_socket_recv(client, done, sizeof done, NULL);
    check(length < 0 ? -1 : 0);
    show("segment", segment);
    show("memfd", memory);
    unipc_socket_close(client);
    unipc_listener_close(listener);
    unipc_shm_close(memory);
    unipc_shm_close(segment);
    return length == 4 ? 0 : 1;
}
