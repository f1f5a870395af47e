/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Records on a stream of bytes: each goes with its length before it.
 *
 * On the wire a frame is its length, a 32-bit number, lowest byte first, and then so many bytes. A
 * length of 0 is a frame. A length above the limit is refused when it is read, before memory is taken
 * for it; memory grows with what has really come.
 *
 * A frame of up to UNIPC_FRAME_ATOMIC bytes is one write of at most PIPE_BUF, which a pipe or FIFO takes
 * together: any number of processes may write such frames into one. Longer frames of several writers
 * would mix, unless each of them has UNIPC_FRAME_EXCLUSIVE.
 */
#include <stddef.h>
#include <stdint.h>
#include <time.h>
#include <unipc/base.h>

/* C99 without POSIX knows no timespec: it is enough to know that there is one. */
struct timespec;
