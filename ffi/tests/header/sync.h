/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Locks placed in shared memory that survive a kill -9: mutex, condition variable, read-write lock,
 * barrier, semaphore, event and once.
 *
 * An object lies at an offset of any shared memory, where there were zeros, or under a name of its
 * own. It is opened by each process, from C, Python and Rust alike, and used by any thread.
 *
 * Death. Whoever holds something may be killed at any instruction: the next one gets in, and is
 * told so by UNIPC_OWNER_DIED. A stopped process is not dead. So that this works, the kernel and
 * the C library keep a list of what each thread holds; programs that use these objects need
 * nothing for it.
 *
 * Two forms. The robust form (the default) is this library's own. In the pthread form the bytes
 * are the C library's own object, for programs that know only that.
 *
 * A program that counts its runs, with any number of others at once:
 *
 *     #include <stdint.h>
 *     #include <stdio.h>
 *     #include <unipc.h>
 *
 *     int main(void)
 *     {
 *         struct { uint64_t begun, done; } *runs;
 *         unipc_shm *shm;
 *         unipc_mutex *mutex;
 *         int rc;
 *
 *         if (unipc_shm_open_or_create(&shm, "/counter", 4096, 0, NULL) < 0 ||
 *             unipc_mutex_open(&mutex, shm, 0, UNIPC_SYNC_OPEN_OR_CREATE, NULL) < 0 ||
 *             (rc = unipc_mutex_lock(mutex, NULL)) < 0) {
 *             fprintf(stderr, "%s\n", unipc_last_error());
 *             return 1;
 *         }
 *         // The mutex takes the first unipc_mutex_size() bytes, 256: data go behind them.
 *         runs = unipc_shm_at(shm, 1024, sizeof(*runs));
 *         if (rc == UNIPC_OWNER_DIED) { // it is held, and the last holder was killed
 *             runs->begun = runs->done;
 *             unipc_mutex_recovered(mutex);
 *         }
 *         runs->begun++;
 *         runs->done++;
 *         printf("run %llu\n", (unsigned long long)runs->done);
 *         unipc_mutex_unlock(mutex);
 *         unipc_mutex_close(mutex);
 *         unipc_shm_close(shm);
 *         return 0;
 *     }
 *
 * A timeout is relative, on the monotonic clock; NULL is for ever, {0, 0} a try.
 */
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>
#include <unipc/base.h>
#include <unipc/shm.h>

/* Where a program asks for ISO C alone (-std=c99), time.h does not declare it. */
struct timespec;

/* Options in one expression, for C: &UNIPC_SYNC_OPTS(.form = UNIPC_SYNC_PTHREAD). */
#ifndef __cplusplus
#define UNIPC_SYNC_OPTS(...) ((unipc_sync_opts){.sz = sizeof(unipc_sync_opts), __VA_ARGS__})
#endif

/* Options to start from, in C++ and C: unipc_sync_opts o = UNIPC_SYNC_OPTS_INIT; o.max = 10; */
#define UNIPC_SYNC_OPTS_INIT {sizeof(unipc_sync_opts), 0, 0, 0, 0, 0, 0}
