/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Adds to a counter that others add to as well, under a mutex: no addition is lost.
 *
 * Run several at once, in any languages: `sync_counter NAME ROUNDS`, NAME being such as /counter. Remove it with
 * rm /dev/shm/NAME, or unipc_shm_unlink().
 */
#include "common.h"

int main(int argc, char **argv)
{
    usage(argc != 3, "sync_counter NAME ROUNDS");
    unipc_shm *shm;
    unipc_mutex *mutex;
    check(unipc_shm_open_or_create(&shm, argv[1], 4096, 0, NULL));
    check(unipc_mutex_open(&mutex, shm, 0, UNIPC_SYNC_OPEN_OR_CREATE, NULL));
    volatile uint32_t *count = unipc_shm_at(shm, 1024, sizeof *count);
    for (long rounds = atol(argv[2]); rounds > 0; rounds--) {
        check(unipc_mutex_lock(mutex, NULL));
        *count = *count + 1;
        check(unipc_mutex_unlock(mutex));
    }
    printf("%u\n", (unsigned)*count);
    unipc_mutex_close(mutex);
    unipc_shm_close(shm);
    return 0;
}
