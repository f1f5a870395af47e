/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Holds a semaphore until its standard input ends (Ctrl-D), as one holds a lock.
 *
 * Run `sem_holder NAME`, and `sem_waiter NAME` in any language beside it. /NAME is a POSIX semaphore,
 * sysv:0x1234 or sysv:PATH,1 a System V one. End the holder by `kill -9`: of the System V semaphore
 * the kernel gives back what it held; the POSIX one stays taken.
 */
#include "common.h"

#include <string.h>

int main(int argc, char **argv)
{
    usage(argc != 2, "sem_holder NAME");
    /* Only System V has a record of what is to be undone. */
    unsigned undo = strncmp(argv[1], "sysv:", 5) == 0 ? UNIPC_SEM_UNDO : 0;
    unipc_sem *sem;
    check(unipc_sem_open_or_create(&sem, argv[1], 1, undo, NULL));
    check(unipc_sem_acquire(sem, NULL));
    unsigned value;
    check(unipc_sem_value(sem, &value));
    printf("holding %s, value %u\n", unipc_sem_name(sem), value);
    fflush(stdout);
    while (getchar() != EOF)
        ;
    check(unipc_sem_release(sem));
    puts("given back");
    unipc_sem_close(sem);
    return 0;
}
