/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * One of five philosophers at a round table, each of whom needs the forks on both sides to eat.
 *
 * Run five of `sync_philosophers NAME WHICH MEALS`, WHICH from 0 to 4, in any languages. Each fork is a mutex; who takes the
 * lower one first never closes a circle. Kill one: its forks come back to the others.
 */
#include "common.h"

enum { FORKS = 5 };

/* A fork of a philosopher who died is as good as any. */
static void take(unipc_mutex *fork)
{
    int news = unipc_mutex_lock(fork, NULL);
    check(news);
    if (news == UNIPC_OWNER_DIED)
        check(unipc_mutex_recovered(fork));
}

int main(int argc, char **argv)
{
    usage(argc != 4, "sync_philosophers NAME WHICH MEALS");
    unsigned which = (unsigned)atol(argv[2]) % FORKS, other = (which + 1) % FORKS;
    unipc_shm *shm;
    unipc_mutex *lower, *upper;
    size_t low = which < other ? which : other, high = which < other ? other : which;
    check(unipc_shm_open_or_create(&shm, argv[1], 4096, 0, NULL));
    check(unipc_mutex_open(&lower, shm, low * unipc_mutex_size(), UNIPC_SYNC_OPEN_OR_CREATE, NULL));
    check(
        unipc_mutex_open(&upper, shm, high * unipc_mutex_size(), UNIPC_SYNC_OPEN_OR_CREATE, NULL));
    for (long meals = atol(argv[3]); meals > 0; meals--) {
        take(lower);
        take(upper);
        check(unipc_shm_add_u32(shm, 2048, 1, NULL));
        check(unipc_mutex_unlock(upper));
        check(unipc_mutex_unlock(lower));
    }
    printf("philosopher %u has eaten\n", which);
    unipc_mutex_close(upper);
    unipc_mutex_close(lower);
    unipc_shm_close(shm);
    return 0;
}
