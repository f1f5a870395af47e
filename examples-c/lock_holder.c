/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Locks one record of a file, writes it, and keeps it locked until Enter.
 *
 * Run `lock_holder PATH NUMBER`, then `lock_waiter` with the same PATH and NUMBER in another terminal,
 * in any language: it waits. With another NUMBER it does not.
 */
#include "common.h"

#include <unistd.h>

int main(int argc, char **argv)
{
    usage(argc != 3, "lock_holder PATH NUMBER");
    size_t number = strtoul(argv[2], NULL, 10);
    uint64_t start = number * sizeof(struct people);
    struct people people = people_number(number);
    unipc_lock *lock;

    setvbuf(stdout, NULL, _IOLBF, 0);
    check(unipc_lock_open_or_create(&lock, file_name(argv[1]), 0, NULL));
    check(unipc_lock_acquire(lock, UNIPC_LOCK_EXCLUSIVE, start, sizeof people, NULL));
    if (pwrite(unipc_lock_fd(lock), &people, sizeof people, (off_t)start) != sizeof people)
        return perror(argv[1]), 1;
    printf("record %zu is locked; Enter unlocks it\n", number);
    getchar();
    puts("unlocked");
    unipc_lock_close(lock);
}
