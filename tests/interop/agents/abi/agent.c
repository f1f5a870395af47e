/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Party C: a C program on the library's C functions. */
#include "abi.h"

int main(int argc, char **argv)
{
    const struct verb *const rooms[] = {
        sem_verbs,    shm_verbs,     mq_verbs,   lock_verbs,    socket_verbs, pipe_verbs,
        signal_verbs, process_verbs, sync_verbs, channel_verbs, record_verbs, NULL,
    };
    return serve(argc, argv, rooms);
}
