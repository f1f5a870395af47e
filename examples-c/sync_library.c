/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Readers and writers: two numbers that a writer changes together, and that readers must find equal.
 *
 * Run several of `sync_library NAME reader ROUNDS` and `sync_library NAME writer ROUNDS`, in any languages.
 */
#include "common.h"

#include <string.h>

int main(int argc, char **argv)
{
    usage(argc != 4, "sync_library NAME reader|writer ROUNDS");
    int writes = strcmp(argv[2], "writer") == 0;
    unipc_shm *shm;
    unipc_rwlock *lock;
    check(unipc_shm_open_or_create(&shm, argv[1], 8192, 0, NULL));
    check(unipc_rwlock_open(&lock, shm, 0, UNIPC_SYNC_OPEN_OR_CREATE, NULL));
    volatile uint32_t *pair = unipc_shm_at(shm, 6144, 2 * sizeof *pair);
    long different = 0;
    for (long rounds = atol(argv[3]); rounds > 0; rounds--) {
        check(writes ? unipc_rwlock_write(lock, NULL) : unipc_rwlock_read(lock, NULL));
        if (writes) {
            pair[0] = pair[0] + 1;
            pair[1] = pair[1] + 1;
        }
        different += pair[0] != pair[1];
        check(unipc_rwlock_unlock(lock));
    }
    printf("%ld times different\n", different);
    unipc_rwlock_close(lock);
    unipc_shm_close(shm);
    return 0;
}
