/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Queues of unipc, used in each of their ways.
 */
#include "transports.h"

#include <unistd.h>

static unipc_queue *queues[2];
static int memory[2];
static unsigned flags;

static size_t ring_size(void)
{
    return size <= 1024 ? 1 << 20 : size * 64;
}

static void make(uint32_t message_size)
{
    for (int i = 0; i < 2; i++) {
        unipc_queue *queue;
        check(unipc_queue_create(&queue, "memfd:bench", ring_size(), flags,
                                 &UNIPC_CHANNEL_OPTS(.message_size = message_size)));
        memory[i] = dup(unipc_queue_memory_fd(queue));
        unipc_queue_close(queue);
    }
}

static void attach(enum role role)
{
    (void)role;
    for (int i = 0; i < 2; i++)
        check(unipc_queue_from_fd(&queues[i], memory[i], flags));
}

static void open_spinning(size_t bytes)
{
    flags = UNIPC_CHANNEL_SPIN;
    make((uint32_t)bytes);
}

static inline void send_one(enum role direction)
{
    check(unipc_queue_send(queues[direction], message(direction), size, NULL));
}

static inline void receive_one(enum role direction)
{
    check(unipc_queue_recv(queues[direction], inbox, size, NULL));
    arrived(direction, first_word(inbox));
}

static inline void flush_nothing(enum role direction)
{
    (void)direction;
}

#define queue_spinning_open open_spinning
#define queue_spinning_attach attach
#define queue_spinning_send send_one
#define queue_spinning_receive receive_one
#define queue_spinning_flush flush_nothing
TRANSPORT(queue_spinning, "queue")

static void queue_waiting_open(size_t bytes)
{
    flags = 0;
    make((uint32_t)bytes);
}
#define queue_waiting_attach attach
#define queue_waiting_send send_one
#define queue_waiting_receive receive_one
#define queue_waiting_flush flush_nothing
TRANSPORT(queue_waiting, "queue, default waiting")

static void queue_any_size_open(size_t bytes)
{
    (void)bytes;
    flags = UNIPC_CHANNEL_SPIN;
    make(0);
}
#define queue_any_size_attach attach
#define queue_any_size_send send_one
#define queue_any_size_receive receive_one
#define queue_any_size_flush flush_nothing
TRANSPORT(queue_any_size, "queue, messages of any size")

/* --- rows of messages, each row by one call --- */

static char *row_out, *row_in;
static size_t row_filled, row_at, row_end;

static void queue_in_rows_open(size_t bytes)
{
    open_spinning(bytes);
    row_out = malloc(bytes * ROW);
    row_in = malloc(bytes * ROW);
    row_filled = row_at = row_end = 0;
}

static void queue_in_rows_flush(enum role direction)
{
    for (size_t sent = 0; sent < row_filled;) {
        ssize_t done = unipc_queue_send_many(queues[direction], row_out + sent * size, size,
                                             row_filled - sent, NULL);
        check(done);
        sent += (size_t)done;
    }
    row_filled = 0;
}

static inline void queue_in_rows_send(enum role direction)
{
    memcpy(row_out + row_filled * size, message(direction), size);
    if (++row_filled == ROW)
        queue_in_rows_flush(direction);
}

static inline void queue_in_rows_receive(enum role direction)
{
    if (row_at == row_end) {
        ssize_t got = unipc_queue_recv_many(queues[direction], row_in, size, ROW, NULL);
        check(got);
        row_at = 0;
        row_end = (size_t)got;
    }
    const char *next = row_in + row_at++ * size;
    read_all(next, size);
    arrived(direction, first_word(next));
}

#define queue_in_rows_attach attach
TRANSPORT_IN_PLACE(queue_in_rows, "queue, rows of 32")

/* --- where they lie --- */

static inline void look(enum role direction, int touch)
{
    const void *lent;
    size_t length;
    check(unipc_queue_peek(queues[direction], &lent, &length, NULL));
    if (touch)
        read_all(lent, length);
    uint64_t word = first_word(lent);
    check(unipc_queue_release(queues[direction]));
    arrived(direction, word);
}

static inline void queue_in_place_receive(enum role direction)
{
    look(direction, 1);
}
#define queue_in_place_open open_spinning
#define queue_in_place_attach attach
#define queue_in_place_send send_one
#define queue_in_place_flush flush_nothing
TRANSPORT_IN_PLACE(queue_in_place, "queue, read in place")

/* Only the first word is written and read: what handing over memory costs whatever its size. */
static inline void queue_untouched_send(enum role direction)
{
    void *room;
    check(unipc_queue_reserve(queues[direction], size, &room, NULL));
    memcpy(room, message(direction), sizeof(uint64_t));
    check(unipc_queue_commit(queues[direction], size));
}

static inline void queue_untouched_receive(enum role direction)
{
    look(direction, 0);
}
#define queue_untouched_open open_spinning
#define queue_untouched_attach attach
#define queue_untouched_flush flush_nothing
TRANSPORT_IN_PLACE(queue_untouched, "queue, in place and untouched")

/* --- with two more who send and two who receive, in each direction: each has done so once, and then looks on --- */

static void attach_several(enum role role)
{
    attach(role);
    for (int i = 0; i < 2; i++) {
        unipc_queue *onlooker;
        check(unipc_queue_from_fd(&onlooker, memory[i], flags));
        check(unipc_queue_send(onlooker, inbox, size, NULL));
        check(unipc_queue_recv(onlooker, inbox, size, NULL));
    }
}

#define queue_several_open open_spinning
#define queue_several_attach attach_several
#define queue_several_send send_one
#define queue_several_receive receive_one
#define queue_several_flush flush_nothing
TRANSPORT(queue_several, "queue, several senders and receivers")

#define queue_several_in_rows_open queue_in_rows_open
#define queue_several_in_rows_attach attach_several
#define queue_several_in_rows_send queue_in_rows_send
#define queue_several_in_rows_receive queue_in_rows_receive
#define queue_several_in_rows_flush queue_in_rows_flush
TRANSPORT_IN_PLACE(queue_several_in_rows, "queue, several senders and receivers, rows of 32")
