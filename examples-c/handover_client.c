/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Takes the memory that the server hands over, shows the record in each, and makes it a year older.
 *
 * Run `handover_server NAME` in any language, then `handover_client NAME`.
 */
#include "common.h"

#include <unistd.h>

static void use(const char *what, unipc_shm *shm)
{
    struct people people;
    check(unipc_shm_read_at(shm, 0, &people, sizeof people));
    printf("%s: name %.4s age %d\n", what, people.name, people.age);
    people.age++;
    check(unipc_shm_write_at(shm, 0, &people, sizeof people));
    unipc_shm_close(shm);
}

int main(int argc, char **argv)
{
    usage(argc != 2, "handover_client NAME");
    const struct timespec patience = {10, 0};
    const unipc_socket_opts packets = UNIPC_SOCKET_OPTS(.kind = UNIPC_SOCKET_SEQPACKET);
    /* It must be memory, as large as we think, that nobody can cut short under us. */
    const unipc_fd_opts expect =
        UNIPC_FD_OPTS(.least = 1, .kind = UNIPC_FD_MEMFD, .size = 4096, .seals = UNIPC_SEAL_SHRINK);
    unipc_socket *server;
    unipc_shm *shm;
    char id[64];
    int fd;
    check(unipc_socket_connect(&server, argv[1], UNIPC_SOCKET_OWN_ONLY, &packets, &patience));
    ssize_t length =
        unipc_socket_recv_message(server, id, sizeof id - 1, &fd, 1, &expect, NULL, &patience);
    check(length < 0 ? -1 : 0);
    id[length] = 0;
    check(unipc_shm_open(&shm, id, 0, NULL));
    use("segment", shm);
    check(unipc_shm_from_fd(&shm, fd, 0, NULL));
    close(fd);
    use("memfd", shm);
    check(unipc_socket_send(server, "done", 4, &patience) < 0 ? -1 : 0);
    unipc_socket_close(server);
    return 0;
}
