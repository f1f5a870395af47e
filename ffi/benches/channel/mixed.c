/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Several processes that all send to and receive from one queue: ours, and the peers that allow it.
 */
#include "mixed.h"

#include "measure.h"
#include "transports.h"

#include <sched.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TURNS = 50000, MOST = 8, CONTENDERS = 16 };

/* What the processes of a round share. */
static struct board {
    _Atomic int present;
    _Atomic uint64_t sum; /* of the words that were received */
    uint64_t begin[MOST], end[MOST];
} *board;

static int memory; /* of our queue */
static unipc_queue *queue;

static void send_ours(int direction, const void *bytes, size_t length)
{
    (void)direction;
    check(unipc_queue_send(queue, bytes, length, NULL));
}

static void receive_ours(int direction, void *bytes, size_t length)
{
    (void)direction;
    check(unipc_queue_recv(queue, bytes, length, NULL));
}

static void open_ours(size_t bytes)
{
    unipc_queue *made;
    check(unipc_queue_create(&made, "memfd:bench", 1 << 20, 0,
                             &UNIPC_CHANNEL_OPTS(.message_size = (uint32_t)bytes)));
    memory = dup(unipc_queue_memory_fd(made));
    unipc_queue_close(made);
}

static void attach_ours(int role)
{
    (void)role;
    check(unipc_queue_from_fd(&queue, memory, 0));
}

static void detach_ours(int role)
{
    (void)role;
    unipc_queue_close(queue);
}

static const struct peer ours = {"queue",     PEER_MIXED,  NULL,      open_ours,
                                 attach_ours, detach_ours, send_ours, receive_ours};

static void meet(int processes)
{
    atomic_fetch_add(&board->present, 1);
    while (atomic_load(&board->present) < processes)
        sched_yield();
}

/* Who of many receives sees what each of them sent in its order. */
static void check_order(uint64_t *last, uint64_t word)
{
    uint64_t from = (word - 1) / TURNS;
    if (from >= MOST || word <= last[from])
        fail("a message of several processes is out of order");
    last[from] = word;
}

static void take_part(const struct peer *peer, int number, int processes)
{
    _Alignas(LINE) uint64_t line[LINE / 8] = {0};
    uint64_t sum = 0, last[MOST] = {0};
    pin(number % 2 == 0 ? COMMANDER : SERVER);
    peer->attach(number % 2);
    meet(processes);
    board->begin[number] = ticks();
    for (uint64_t i = 1; i <= TURNS; i++) {
        line[0] = (uint64_t)number * TURNS + i;
        peer->send(0, line, sizeof line);
        peer->receive(0, line, sizeof line);
        check_order(last, line[0]);
        sum += line[0];
    }
    board->end[number] = ticks();
    atomic_fetch_add(&board->sum, sum);
    if (peer->detach)
        peer->detach(number % 2);
}

/* Nanoseconds of one sending and one receiving, of all processes together. */
static double round_of(const struct peer *peer, int processes)
{
    memset(board, 0, sizeof *board);
    peer->open(size);
    for (int i = 0; i < processes; i++) {
        if (fork() == 0) {
            alarm(60);
            take_part(peer, i, processes);
            _exit(0);
        }
    }
    int bad = 0, status;
    while (wait(&status) > 0)
        bad |= status;
    uint64_t count = (uint64_t)processes * TURNS;
    if (bad || board->sum != count * (count + 1) / 2)
        fail("a queue of several processes lost or doubled messages");
    uint64_t begin = board->begin[0], end = board->end[0];
    for (int i = 1; i < processes; i++) {
        begin = board->begin[i] < begin ? board->begin[i] : begin;
        end = board->end[i] > end ? board->end[i] : end;
    }
    return nanoseconds((double)(end - begin)) / (double)count;
}

static void print_mixed(const struct peer *peer, int processes, struct outcome *outcome)
{
    char name[128];
    snprintf(name, sizeof name, "%s, %d processes send and receive", peer->name, processes);
    print_outcome(name, "mixed", outcome, REPETITIONS);
}

void mixed(void)
{
    static struct outcome two[CONTENDERS], eight;
    const struct peer *contenders[CONTENDERS] = {&ours};
    int count = 1;
    board = shared(sizeof *board);
    for (int i = 0; foreign_peer(i) && count < CONTENDERS; i++)
        if (foreign_peer(i)->traits & PEER_MIXED)
            contenders[count++] = foreign_peer(i);
    /* One after the other in each repetition, so that all see the same minutes of the machine. */
    for (int i = 0; i < REPETITIONS; i++) {
        for (int k = 0; k < count; k++) {
            two[k].limits[i] = round_of(contenders[k], 1);
            two[k].times[i] = round_of(contenders[k], 2);
        }
        eight.limits[i] = two[0].times[i];
        eight.times[i] = round_of(&ours, 8);
    }
    print_mixed(&ours, 8, &eight);
    for (int k = 0; k < count; k++)
        print_mixed(contenders[k], 2, &two[k]);
}
