/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#define _GNU_SOURCE /* RUSAGE_THREAD, REG_RAX */

#include "waiting.h"

#include "transports.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <ucontext.h>

enum { SENDS = 1000, SECONDS = 2, ROUNDS = 10000 };

static int *sleeps; /* how often the server lay down, of each repetition */
static uint64_t repetition;

static void print_value(const char *metric, double value, double most)
{
    printf(
        "{\"name\": \"%s\", \"metric\": \"%s\", \"size\": %zu, \"value\": %.4g, \"most\": %.4g}\n",
        queue_waiting.name, metric, size, value, most);
}

static long voluntary_switches(void)
{
    struct rusage usage;
    getrusage(RUSAGE_THREAD, &usage);
    return usage.ru_nvcsw;
}

static void drink_and_count(uint64_t n)
{
    long before = voluntary_switches();
    queue_waiting.drink(n);
    sleeps[repetition++] = (int)(voluntary_switches() - before);
}

/* The server has lain down long before the first one is sent. */
static void pour_late(uint64_t n)
{
    struct timespec pause = {.tv_nsec = 5000000};
    nanosleep(&pause, NULL);
    queue_waiting.pour(n);
}

static int by_number(const void *one, const void *other)
{
    return *(const int *)one - *(const int *)other;
}

void wake_ups(void)
{
    sleeps = shared(4096);
    queue_waiting.open(size);
    pair_start(&queue_waiting);
    for (int i = 0; i < REPETITIONS; i++)
        pair_run(pour_late, drink_and_count, SENDS);
    pair_end();
    qsort(sleeps, REPETITIONS, sizeof *sleeps, by_number);
    print_value("wake-ups for 1,000 sends", sleeps[REPETITIONS / 2], sleeps[REPETITIONS - 1]);
}

/* --- system calls: from some time on, each of them is a signal that counts it and answers 0 --- */

#if defined(__x86_64__)
static _Atomic int *calls; /* of both sides, in this repetition */
static int counting;

static void on_call(int number, siginfo_t *info, void *context)
{
    (void)number;
    (void)info;
    *calls += counting;
    ((ucontext_t *)context)->uc_mcontext.gregs[REG_RAX] = 0;
}

static void trap_calls(uint64_t n)
{
    (void)n;
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_rt_sigreturn, 3, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 2, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_write, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = sizeof filter / sizeof *filter, .filter = filter};
    struct sigaction action = {.sa_sigaction = on_call, .sa_flags = SA_SIGINFO};
    if (sigaction(SIGSYS, &action, NULL) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
        fail("seccomp");
}

static void ask_counted(uint64_t n)
{
    counting = 1;
    queue_waiting.ask(n);
    counting = 0;
}

static void answer_counted(uint64_t n)
{
    counting = 1;
    queue_waiting.answer(n);
    counting = 0;
}

void system_calls(void)
{
    int counts[REPETITIONS];
    calls = shared(4096);
    queue_waiting.open(size);
    pair_start(&queue_waiting);
    pair_run(queue_waiting.ask, queue_waiting.answer, ROUNDS);
    pair_run(trap_calls, trap_calls, 1);
    for (int i = 0; i < REPETITIONS; i++) {
        *calls = 0;
        pair_run(ask_counted, answer_counted, ROUNDS);
        counts[i] = *calls;
    }
    pair_end();
    qsort(counts, REPETITIONS, sizeof *counts, by_number);
    print_value("system calls in 10,000 round trips", counts[REPETITIONS / 2],
                counts[REPETITIONS - 1]);
}
#else
void system_calls(void)
{
    printf("{\"name\": \"%s\", \"metric\": \"system calls in 10,000 round trips\", \"size\": %zu, "
           "\"skipped\": \"only on x86-64\"}\n",
           queue_waiting.name, size);
}
#endif

static double used_seconds(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6;
}

void idle(void)
{
    unipc_queue *queue;
    check(unipc_queue_create(&queue, "memfd:bench", 1 << 20, 0,
                             &UNIPC_CHANNEL_OPTS(.message_size = (uint32_t)size)));
    double before = used_seconds();
    if (unipc_queue_recv(queue, inbox, size, &(struct timespec){.tv_sec = SECONDS}) >= 0)
        fail("a message that nobody sent");
    double percent = (used_seconds() - before) / SECONDS * 100;
    unipc_queue_close(queue);
    print_value("percent of a processor while idle", percent, percent);
}
