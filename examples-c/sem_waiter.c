/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Waits at most so many seconds for a semaphore that another program holds; once it has it, it removes it.
 *
 * Run `sem_holder NAME` in any language, then `sem_waiter NAME SECONDS`.
 */
#include "common.h"

int main(int argc, char **argv)
{
    usage(argc != 3, "sem_waiter NAME SECONDS");
    struct timespec limit = {atoi(argv[2]), 0};
    unipc_sem *sem;
    check(unipc_sem_open(&sem, argv[1], 0, NULL));
    int result = unipc_sem_acquire(sem, &(struct timespec){0, 0});
    if (result == -EAGAIN) {
        puts("somebody holds it");
        fflush(stdout);
        result = unipc_sem_acquire(sem, &limit);
    }
    if (result == -ETIMEDOUT || result == -EAGAIN) {
        puts("not in time");
    } else {
        check(result);
        puts("taken");
        check(unipc_sem_remove(sem));
    }
    unipc_sem_close(sem);
    return 0;
}
