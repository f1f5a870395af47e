/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Takes the numbers that sync_producer puts into a box, and prints their sum.
 *
 * Run `sync_producer NAME COUNT` and `sync_consumer NAME COUNT`, in any languages and any order.
 */
#include "common.h"

int main(int argc, char **argv)
{
    usage(argc != 3, "sync_consumer NAME COUNT");
    unipc_shm *shm;
    unipc_mutex *mutex;
    check(unipc_shm_open_or_create(&shm, argv[1], 4096, 0, NULL));
    check(unipc_mutex_open(&mutex, shm, 0, UNIPC_SYNC_OPEN_OR_CREATE, NULL));
    unipc_condvar *changed;
    check(unipc_condvar_open(&changed, shm, 1024, UNIPC_SYNC_OPEN_OR_CREATE, NULL));
    volatile uint32_t *box = unipc_shm_at(shm, 2048, sizeof *box);
    uint32_t sum = 0;
    uint32_t count = (uint32_t)atol(argv[2]);
    for (uint32_t number = 1; number <= count; number++) {
        check(unipc_mutex_lock(mutex, NULL));
        while (*box == 0)
            check(unipc_condvar_wait(changed, mutex, NULL));
        sum += *box;
        *box = 0;
        check(unipc_condvar_notify_all(changed));
        check(unipc_mutex_unlock(mutex));
    }
    printf("%u\n", (unsigned)sum);
    unipc_condvar_close(changed);
    unipc_mutex_close(mutex);
    unipc_shm_close(shm);
    return 0;
}
