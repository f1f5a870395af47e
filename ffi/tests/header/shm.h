/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Shared memory of every kind that Linux has: create or open it by name, use its bytes, close it.
 *
 * The bytes are raw: exactly those that were asked for, without a header, so that a program that
 * never heard of this library can share them. Shared memory brings no synchronisation; the atomics
 * here are enough for counters and flags.
 */
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <unipc/base.h>

/*
 * Options in one expression, for C: &UNIPC_SHM_OPTS(.mode = 0640, .size = 4096).
 * They live until the end of the block.
 */
#ifndef __cplusplus
#define UNIPC_SHM_OPTS(...) ((unipc_shm_opts){.sz = sizeof(unipc_shm_opts), __VA_ARGS__})
#endif

/* Options to start from, in C++ and C: unipc_shm_opts o = UNIPC_SHM_OPTS_INIT; o.mode = 0640; */
#define UNIPC_SHM_OPTS_INIT {sizeof(unipc_shm_opts), 0, 0, 0, 0, 0, 0, 0, NULL}
