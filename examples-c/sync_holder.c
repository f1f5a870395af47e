/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Changes a record of two numbers that must be equal, under a mutex, and stops in the middle.
 *
 * Run `sync_holder NAME`, end it by `kill -9`, and run `sync_repair NAME` in any language: it is told that the holder died, and
 * mends the record. If instead its standard input ends (Ctrl-D), the holder finishes its work.
 */
#include "common.h"

int main(int argc, char **argv)
{
    usage(argc != 2, "sync_holder NAME");
    unipc_shm *shm;
    unipc_mutex *mutex;
    check(unipc_shm_open_or_create(&shm, argv[1], 4096, 0, NULL));
    check(unipc_mutex_open(&mutex, shm, 0, UNIPC_SYNC_OPEN_OR_CREATE, NULL));
    volatile uint32_t *pair = unipc_shm_at(shm, 1024, 2 * sizeof *pair);
    check(unipc_mutex_lock(mutex, NULL));
    pair[0] = pair[0] + 1;
    printf("holding: %u and %u\n", (unsigned)pair[0], (unsigned)pair[1]);
    fflush(stdout);
    while (getchar() != EOF)
        ;
    pair[1] = pair[0];
    check(unipc_mutex_unlock(mutex));
    printf("done: %u and %u\n", (unsigned)pair[0], (unsigned)pair[1]);
    unipc_mutex_close(mutex);
    unipc_shm_close(shm);
    return 0;
}
