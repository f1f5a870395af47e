/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#define _GNU_SOURCE /* sched_setaffinity */

#include "pair.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

size_t size;
uint32_t samples[SAMPLES];
char *inbox;
struct pool pool;

/* The page on which the commander tells what to do. The functions have the same address in both. */
static struct {
    _Alignas(LINE) _Atomic uint64_t command;
    void (*loop)(uint64_t);
    uint64_t n;
    _Alignas(LINE) _Atomic uint64_t ready;
    _Alignas(LINE) _Atomic uint64_t done;
    uint64_t end;
} *page;

static pid_t server;
static const struct transport *used;
static uint64_t commands;
static double ticks_per_nanosecond;

void fail(const char *what)
{
    fprintf(stderr, "%s%s%s\n", what, errno ? ": " : "", errno ? strerror(errno) : "");
    exit(1);
}

void *shared(size_t bytes)
{
    void *memory =
        mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (memory == MAP_FAILED)
        fail("mmap");
    return memory;
}

static double monotonic(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static void calibrate_ticks(void)
{
    double start = monotonic();
    uint64_t first = ticks();
    while (monotonic() < start + 5e7)
        relax();
    ticks_per_nanosecond = (double)(ticks() - first) / (monotonic() - start);
}

double nanoseconds(double tick_count)
{
    return tick_count / ticks_per_nanosecond;
}

void prepare(size_t bytes)
{
    if (ticks_per_nanosecond == 0)
        calibrate_ticks();
    size = bytes;
    uint64_t messages = bytes <= LINE ? 256 : bytes <= 1024 ? 32 : 4;
    pool = (struct pool){.mask = messages - 1};
    if (posix_memalign((void **)&pool.bytes, LINE, bytes * messages + LINE) ||
        posix_memalign((void **)&inbox, LINE, bytes + LINE))
        fail("no memory");
    for (uint64_t i = 0; i < messages; i++) {
        memset(pool.bytes + i * bytes, (int)i + 1, bytes);
        memcpy(pool.bytes + i * bytes, &(uint64_t){i + 1}, sizeof(uint64_t));
    }
}

int come_first(void)
{
    /* In turns: whoever spins must not keep one of its own kind from its processor for ever. */
    return sched_setscheduler(0, SCHED_RR, &(struct sched_param){.sched_priority = 50}) == 0;
}

void pin(enum role role)
{
    cpu_set_t allowed, one;
    sched_getaffinity(0, sizeof allowed, &allowed);
    int chosen = -1;
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET(cpu, &allowed) && (chosen < 0 || role == SERVER))
            chosen = cpu;
    if (CPU_COUNT(&allowed) < 2)
        fail("two processes that spin need two processors");
    CPU_ZERO(&one);
    CPU_SET(chosen, &one);
    if (sched_setaffinity(0, sizeof one, &one))
        fail("sched_setaffinity");
}

/* The last message that came, byte by byte; the first word of each was looked at before. */
static void check_contents(const struct transport *transport, enum role direction)
{
    uint64_t received = pool.received[direction];
    if (!transport->copies_out || received == 0)
        return;
    if (memcmp(inbox, pool.bytes + ((received - 1) & pool.mask) * size, size) != 0)
        fail("a message's bytes are not those that were sent");
}

static void leave(const struct transport *transport, enum role role)
{
    if (transport->detach)
        transport->detach(role);
}

/* Outside of what is measured. A transport may have a thread of its own that still needs this processor. */
static void await_turn(const _Atomic uint64_t *number, uint64_t wanted)
{
    while (atomic_load_explicit(number, memory_order_acquire) != wanted)
        sched_yield();
}

_Noreturn void pair_serve(const struct transport *transport, int commander)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != commander)
        _exit(1);
    pin(SERVER);
    transport->attach(SERVER);
    for (uint64_t next = 1;; next++) {
        await_turn(&page->command, next);
        void (*loop)(uint64_t) = page->loop;
        uint64_t n = page->n;
        atomic_store_explicit(&page->ready, next, memory_order_release);
        if (!loop)
            break;
        loop(n);
        page->end = ticks();
        check_contents(transport, COMMANDER);
        atomic_store_explicit(&page->done, next, memory_order_release);
    }
    leave(transport, SERVER);
    _exit(0);
}

void pair_open(void)
{
    page = shared(4096);
    commands = 0;
    fflush(stdout);
}

void pair_command(const struct transport *transport, int child)
{
    server = child;
    used = transport;
    pin(COMMANDER);
    transport->attach(COMMANDER);
}

void pair_start(const struct transport *transport)
{
    pair_open();
    pid_t commander = getpid();
    pid_t child = fork();
    if (child < 0)
        fail("fork");
    if (child == 0)
        pair_serve(transport, commander);
    pair_command(transport, child);
}

static void command(void (*loop)(uint64_t), uint64_t n)
{
    page->loop = loop;
    page->n = n;
    atomic_store_explicit(&page->command, ++commands, memory_order_release);
    await_turn(&page->ready, commands);
}

double pair_run(void (*mine)(uint64_t), void (*others)(uint64_t), uint64_t n)
{
    command(others, n);
    uint64_t start = ticks();
    mine(n);
    uint64_t end = ticks();
    await_turn(&page->done, commands);
    check_contents(used, SERVER);
    return nanoseconds((double)((page->end > end ? page->end : end) - start));
}

void pair_end(void)
{
    command(NULL, 0);
    leave(used, COMMANDER);
    waitpid(server, NULL, 0);
}

uint64_t calibrated(void (*mine)(uint64_t), void (*others)(uint64_t))
{
    const double wanted = 1e7;
    uint64_t n = 64;
    for (;;) {
        double took = pair_run(mine, others, n);
        if (took > wanted / 8 || n > 1u << 28)
            return (uint64_t)((double)n * wanted / took) + 64;
        n *= 4;
    }
}
