/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Channels beside the machine's limits, the kernel's mechanisms and other people's libraries: a line of JSON a case.
 *
 *     channel PEERS [PART OF A CASE'S NAME]
 *
 * PEERS is the directory with the shared objects of peers/.
 */
#include "foreign.h"
#include "limits.h"
#include "measure.h"
#include "mixed.h"
#include "transports.h"
#include "waiting.h"

#include <sys/wait.h>
#include <unistd.h>

static const char *chosen = "";

/* What is measured of what. */
struct subject {
    const char *name, *metric;
    const struct transport *transport;
    const struct peer *peer; /* instead of a transport */
    void (*body)(const struct subject *subject);
};

static void on_pair(const struct subject *subject)
{
    const struct transport *transport =
        subject->peer ? foreign_transport(subject->peer) : subject->transport;
    limits_prepare();
    transport->open(size);
    pair_start(transport);
    if (strcmp(subject->metric, "round trip") == 0)
        measure_round_trip(transport);
    else if (strcmp(subject->metric, "one way") == 0)
        measure_one_way(transport);
    else
        measure_asleep(transport);
}

static void on_mixed(const struct subject *subject)
{
    (void)subject;
    mixed();
}

static void on_wake_ups(const struct subject *subject)
{
    (void)subject;
    wake_ups();
}

static void on_system_calls(const struct subject *subject)
{
    (void)subject;
    system_calls();
}

static void on_idle(const struct subject *subject)
{
    (void)subject;
    idle();
}

/* Runs a case in a process of its own: whatever it leaves goes with it. A peer may fail, we may not. */
static void alone(const struct subject *subject, size_t bytes)
{
    char title[256];
    snprintf(title, sizeof title, "%s/%s/%zu", subject->name, subject->metric, bytes);
    if (!strstr(title, chosen))
        return;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        alarm(60);
        prepare(bytes);
        subject->body(subject);
        fflush(stdout);
        _exit(0);
    }
    int status;
    waitpid(child, &status, 0);
    if (status == 0)
        return;
    fprintf(stderr, "%s: status %#x\n", title, (unsigned)status);
    if (!subject->peer)
        exit(1);
    printf("{\"name\": \"%s\", \"metric\": \"%s\", \"size\": %zu, \"skipped\": \"it ended with "
           "status %#x\"}\n",
           subject->name, subject->metric, bytes, (unsigned)status);
}

static void measure(const struct transport *transport, const char *metric, size_t bytes)
{
    alone(&(struct subject){transport->name, metric, transport, NULL, on_pair}, bytes);
}

static void both(const struct transport *transport, size_t bytes)
{
    measure(transport, "round trip", bytes);
    measure(transport, "one way", bytes);
}

/* What of ours is judged by a peer. */
static const struct transport *counterpart(const struct peer *peer)
{
    if (peer->traits & PEER_ASKS)
        return &service_spinning;
    return peer->traits & PEER_UNTOUCHED ? &queue_untouched : &queue_spinning;
}

/* All peers that have a size, each right behind ours: the next minute may be another one. */
static void beside_peers(const char *metric, unsigned trait, size_t bytes)
{
    for (int i = 0; foreign_peer(i); i++) {
        const struct peer *peer = foreign_peer(i);
        if (!(peer->traits & trait) || !foreign_has_size(peer, bytes))
            continue;
        measure(counterpart(peer), metric, bytes);
        alone(&(struct subject){peer->name, metric, NULL, peer, on_pair}, bytes);
    }
}

static void beside_kernel(const char *metric, size_t bytes)
{
    measure(&queue_spinning, metric, bytes);
    measure(&pipe_peer, metric, bytes);
    measure(&seqpacket_peer, metric, bytes);
    if (bytes <= 1024)
        measure(&mq_peer, metric, bytes);
}

static void beside_others(void)
{
    static const size_t sizes[] = {8, 64, 1024, 65536};
    for (int i = 0; i < 4; i++) {
        beside_peers("round trip", PEER_ROUND_TRIP, sizes[i]);
        beside_kernel("round trip", sizes[i]);
        beside_peers("one way", PEER_ONE_WAY, sizes[i]);
        beside_kernel("one way", sizes[i]);
    }
    beside_peers("round trip", PEER_ROUND_TRIP, 56);
}

/* Ours in its ways, those that are judged by each other together. */
static void beside_the_limits(void)
{
    measure(&queue_spinning, "round trip", 48);
    for (size_t bytes = 8; bytes <= 64; bytes *= 8) {
        measure(&queue_spinning, "round trip", bytes);
        measure(&queue_waiting, "round trip", bytes);
        measure(&queue_spinning, "one way", bytes);
        measure(&queue_waiting, "one way", bytes);
        both(&queue_any_size, bytes);
    }
    both(&queue_any_size, 1024);
    measure(&queue_in_rows, "one way", 8);
    measure(&queue_in_rows, "one way", 64);
    measure(&queue_in_rows, "one way", 1024);
    both(&queue_in_place, 65536);
    both(&queue_untouched, 65536);
    both(&queue_untouched, 1 << 20);
    measure(&queue_several, "round trip", 64);
    measure(&queue_several_in_rows, "one way", 64);
    both(&topic_spinning, 64);
    measure(&topic_alone, "one way", 64);
    measure(&topic_watched, "one way", 64);
    measure(&service_spinning, "round trip", 8);
    measure(&service_spinning, "round trip", 56);
    measure(&queue_spinning, "round trip", 1024);
    measure(&service_spinning, "round trip", 1024);
}

static void waiting(void)
{
    const char *name = queue_waiting.name;
    measure(&queue_waiting, "asleep", 64);
    alone(&(struct subject){name, "wake-ups", NULL, NULL, on_wake_ups}, 64);
    alone(&(struct subject){name, "system calls", NULL, NULL, on_system_calls}, 64);
    alone(&(struct subject){name, "idle", NULL, NULL, on_idle}, 64);
}

static void print_conditions(int first)
{
    double load = 0;
    FILE *file = fopen("/proc/loadavg", "r");
    if (!file || fscanf(file, "%lf", &load) != 1)
        fail("/proc/loadavg");
    fclose(file);
    printf("{\"conditions\": \"%ld processors, load %.1f at the beginning, %s\"}\n",
           sysconf(_SC_NPROCESSORS_ONLN), load,
           first ? "measured ahead of all ordinary processes" : "at ordinary priority");
}

int main(int count, char **arguments)
{
    if (count > 2)
        chosen = arguments[2];
    if (count > 1)
        foreign_load(arguments[1]);
    print_conditions(come_first());
    beside_others();
    beside_the_limits();
    waiting();
    alone(&(struct subject){"mixed", "mixed", NULL, NULL, on_mixed}, LINE);
    return 0;
}
