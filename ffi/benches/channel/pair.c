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
    memset(pool.bytes, 1, bytes * messages);
    for (uint64_t i = 0; i < messages; i++)
        memcpy(pool.bytes + i * bytes, &(uint64_t){i + 1}, sizeof(uint64_t));
}

/* The server uses the last processor, the commander the first one that this program may use. */
static void pin(enum role role)
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

static void serve(void)
{
    for (uint64_t next = 1;; next++) {
        while (atomic_load_explicit(&page->command, memory_order_acquire) != next)
            relax();
        void (*loop)(uint64_t) = page->loop;
        uint64_t n = page->n;
        atomic_store_explicit(&page->ready, next, memory_order_release);
        if (!loop)
            _exit(0);
        loop(n);
        page->end = ticks();
        atomic_store_explicit(&page->done, next, memory_order_release);
    }
}

void pair_start(const struct transport *transport)
{
    page = shared(4096);
    commands = 0;
    fflush(stdout);
    pid_t commander = getpid();
    server = fork();
    if (server < 0)
        fail("fork");
    if (server == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != commander)
            _exit(1);
        pin(SERVER);
        transport->attach(SERVER);
        serve();
    }
    pin(COMMANDER);
    transport->attach(COMMANDER);
}

static void command(void (*loop)(uint64_t), uint64_t n)
{
    page->loop = loop;
    page->n = n;
    atomic_store_explicit(&page->command, ++commands, memory_order_release);
    while (atomic_load_explicit(&page->ready, memory_order_acquire) != commands)
        relax();
}

double pair_run(void (*mine)(uint64_t), void (*others)(uint64_t), uint64_t n)
{
    command(others, n);
    uint64_t start = ticks();
    mine(n);
    uint64_t end = ticks();
    while (atomic_load_explicit(&page->done, memory_order_acquire) != commands)
        relax();
    return nanoseconds((double)((page->end > end ? page->end : end) - start));
}

void pair_end(void)
{
    command(NULL, 0);
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
