/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Waits until it can lock one record of a file, and makes the age in it one more.
 *
 * Run it as `lock_waiter PATH NUMBER` after `lock_holder` with the same PATH, in any language.
 */
#include "common.h"

#include <unistd.h>

int main(int argc, char **argv)
{
    usage(argc != 3, "lock_waiter PATH NUMBER");
    uint64_t start = strtoul(argv[2], NULL, 10) * sizeof(struct people);
    struct people people = {{0}, 0};
    struct timespec at_once = {0, 0}, minute = {60, 0};
    unipc_lock *lock;
    unipc_lock_holder_info holder;

    setvbuf(stdout, NULL, _IOLBF, 0);
    check(unipc_lock_open_or_create(&lock, file_name(argv[1]), 0, NULL));
    int result = unipc_lock_acquire(lock, UNIPC_LOCK_EXCLUSIVE, start, sizeof people, &at_once);
    if (result == -EAGAIN) {
        if (unipc_lock_holder(lock, UNIPC_LOCK_EXCLUSIVE, start, sizeof people, &holder) == 1)
            printf("bytes %llu to %llu are locked\n", (unsigned long long)holder.start,
                   (unsigned long long)(holder.start + holder.length - 1));
        result = unipc_lock_acquire(lock, UNIPC_LOCK_EXCLUSIVE, start, sizeof people, &minute);
    }
    check(result);
    if (pread(unipc_lock_fd(lock), &people, sizeof people, (off_t)start) < 0)
        return perror(argv[1]), 1;
    people.age++;
    printf("name: %.4s age %d\n", people.name, people.age);
    if (pwrite(unipc_lock_fd(lock), &people, sizeof people, (off_t)start) != sizeof people)
        return perror(argv[1]), 1;
    unipc_lock_close(lock);
}
