/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Semaphores: units that processes and threads take and give back, and wait for. POSIX ones by name
 * or in shared memory, and System V, one by one or as a set that one call changes together.
 *
 * Value, acquire, release, timeout and try mean the same for all of them. Programs that never heard of
 * this library use the same objects.
 */
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>
#include <unipc/base.h>
#include <unipc/shm.h>

/* Where a program asks for ISO C alone (-std=c99), time.h does not declare it. */
struct timespec;

/* Of <sys/sem.h>, which defines it for those who make operations. */
struct sembuf;

/*
 * Options in one expression, for C: &UNIPC_SEM_OPTS(.mode = 0660). They live until the end of the
 * block.
 */
#ifndef __cplusplus
#define UNIPC_SEM_OPTS(...) ((unipc_sem_opts){.sz = sizeof(unipc_sem_opts), __VA_ARGS__})
#endif

/* Options to start from, in C++ and C: unipc_sem_opts o = UNIPC_SEM_OPTS_INIT; o.mode = 0660; */
#define UNIPC_SEM_OPTS_INIT {sizeof(unipc_sem_opts), 0, 0, NULL}
