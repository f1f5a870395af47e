/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Generated from ffi/src by `make bless`: change it there. */

#ifndef UNIPC_FRAME_H
#define UNIPC_FRAME_H

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

/** Numbers. */
typedef enum unipc_frame_constant {
    /** The longest frame that several writers of one pipe may write without mixing. */
    UNIPC_FRAME_ATOMIC = 4092,
    /** How long a frame may be unless said otherwise: 16 MiB. */
    UNIPC_FRAME_LIMIT = (1 << 24),
} unipc_frame_constant;

/** Flags of unipc_frame_writer_open(). */
typedef enum unipc_frame_flag {
    /**
     * Hold a record lock on the pipe or FIFO while a frame is written (F_SETLKW), so that frames of any
     * length from several processes do not mix: if all of them do so. The lock belongs to the process:
     * threads share one writer. It is lost when the process closes any descriptor of the same pipe
     * meanwhile, and a writer that is killed inside a long frame spoils the stream for all.
     */
    UNIPC_FRAME_EXCLUSIVE = (1 << 0),
    /**
     * Let a write without a time limit raise SIGPIPE when nobody reads any more, which is faster: for
     * programs that ignore the signal for good, see unipc_pipe_set_sigpipe().
     */
    UNIPC_FRAME_SIGPIPE = (1 << 1),
} unipc_frame_flag;

/** Reads frames from a descriptor. */
typedef struct unipc_frame_reader unipc_frame_reader;

/** Writes frames to a descriptor. */
typedef struct unipc_frame_writer unipc_frame_writer;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * Reads frames from a descriptor: of a pipe, a FIFO, a stream socket, a terminal.
 *
 * out:       gets the handle
 * fd:        is duplicated, and stays the caller's
 * max_frame: refuse frames of more bytes; 0: UNIPC_FRAME_LIMIT
 *
 * Only one reader may read a stream of frames at a time. Nothing is read ahead.
 *
 * Returns 0.
 * Errors:
 *   -EBADF   fd is not open
 *   -EMFILE  no descriptors are left
 *   -EINVAL  out is NULL
 * Since 0.1.
 */
int unipc_frame_reader_open(unipc_frame_reader **out, int fd, uint32_t max_frame);

/**
 * Reads the next frame.
 *
 * reader:  a handle that no other thread is using
 * data:    gets the address of the frame's bytes, valid until the next call with this handle
 * len:     gets their number, which may be 0
 * timeout: for all of it; NULL: for ever; {0, 0}: not at all
 *
 * Returns 1 with a frame, and 0 at the end of the stream, where data and len are left alone.
 * Errors:
 *   -EAGAIN, -ETIMEDOUT, -EINTR  what came of a frame is kept: the next call goes on
 *   -EMSGSIZE  a frame is too long; the stream is of no use any more
 *   -EBADMSG   the stream ended inside a frame
 *   -EINVAL    no timeout; a pointer is NULL
 * Since 0.1.
 */
int unipc_frame_read(unipc_frame_reader *reader,
                     const void **data,
                     size_t *len,
                     const struct timespec *timeout);

/**
 * Closes a reader and its copy of the descriptor; NULL is fine.
 *
 * reader: a handle, not used after this
 *
 * Since 0.1.
 */
void unipc_frame_reader_close(unipc_frame_reader *reader);

/**
 * Writes frames to a descriptor: of a pipe, a FIFO, a stream socket, a terminal.
 *
 * out:       gets the handle
 * fd:        is duplicated, and stays the caller's; readers see the end when both are closed
 * flags:     UNIPC_FRAME_EXCLUSIVE, UNIPC_FRAME_SIGPIPE, both or 0
 * max_frame: refuse frames of more bytes; 0: UNIPC_FRAME_LIMIT
 *
 * Returns 0.
 * Errors:
 *   -EBADF   fd is not open
 *   -EMFILE  no descriptors are left
 *   -EINVAL  unknown flags; out is NULL
 * Since 0.1.
 */
int unipc_frame_writer_open(unipc_frame_writer **out,
                            int fd,
                            unsigned int flags,
                            uint32_t max_frame);

/**
 * Writes a frame.
 *
 * writer:  a handle that no other thread is using
 * buf:     the bytes
 * len:     how many; 0 is a frame
 * timeout: for all of it; NULL: for ever; {0, 0}: not at all
 *
 * A frame of which only a part could be written has begun: unipc_frame_unfinished() says so. Do not
 * write it again; the next call, or unipc_frame_finish(), writes its rest.
 *
 * Returns 0.
 * Errors:
 *   -EAGAIN, -ETIMEDOUT, -EINTR  nothing was written, unless unipc_frame_unfinished()
 *   -EMSGSIZE  above the limit
 *   -EPIPE     nobody can read any more; there is no SIGPIPE, see UNIPC_FRAME_SIGPIPE
 *   -EINVAL    no timeout; writer, or buf of more than 0 bytes, is NULL
 * Since 0.1.
 */
int unipc_frame_write(unipc_frame_writer *writer,
                      const void *buf,
                      size_t len,
                      const struct timespec *timeout);

/**
 * Writes the rest of a frame that has begun; nothing where there is none.
 *
 * writer:  a handle that no other thread is using
 * timeout: for all of it; NULL: for ever; {0, 0}: not at all
 *
 * Returns 0.
 * Errors:
 *   as unipc_frame_write()
 * Since 0.1.
 */
int unipc_frame_finish(unipc_frame_writer *writer, const struct timespec *timeout);

/**
 * Is there a frame that has begun and is not finished?
 *
 * writer: a handle
 *
 * Returns 1 or 0.
 * Errors:
 *   -EINVAL  writer is NULL
 * Since 0.1.
 */
int unipc_frame_unfinished(const unipc_frame_writer *writer);

/**
 * Closes a writer and its copy of the descriptor; NULL is fine. The rest of a frame that has begun is lost.
 *
 * writer: a handle, not used after this
 *
 * Since 0.1.
 */
void unipc_frame_writer_close(unipc_frame_writer *writer);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* UNIPC_FRAME_H */
