/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Takes the mutex that sync_holder left, and mends the record if the holder was killed in the middle.
 *
 * Run `sync_repair NAME` after `sync_holder NAME`, in any language.
 */
#include "common.h"

int main(int argc, char **argv)
{
    usage(argc != 2, "sync_repair NAME");
    unipc_shm *shm;
    unipc_mutex *mutex;
    check(unipc_shm_open_or_create(&shm, argv[1], 4096, 0, NULL));
    check(unipc_mutex_open(&mutex, shm, 0, UNIPC_SYNC_OPEN_OR_CREATE, NULL));
    volatile uint32_t *pair = unipc_shm_at(shm, 1024, 2 * sizeof *pair);
    int news = unipc_mutex_lock(mutex, NULL);
    check(news);
    if (news == UNIPC_OWNER_DIED) {
        printf("the holder died: %u and %u\n", (unsigned)pair[0], (unsigned)pair[1]);
        pair[1] = pair[0];
        check(unipc_mutex_recovered(mutex));
    }
    printf("whole: %u and %u\n", (unsigned)pair[0], (unsigned)pair[1]);
    check(unipc_mutex_unlock(mutex));
    unipc_mutex_close(mutex);
    unipc_shm_close(shm);
    return 0;
}
