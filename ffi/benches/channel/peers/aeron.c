/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Aeron over aeron:ipc. Its media driver is a process of its own, beside the two that are measured and ahead of them:
 * on a machine with two processors it has to take them from somebody.
 */
#define _GNU_SOURCE /* sched_setaffinity */

#include "peer.h"

#include <aeronc.h>
#include <aeronmd.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STREAM = 1000, SMALL = 1024, HELD = 32 };

static const size_t sizes[] = {8, 64, 1024, 65536, 0};
static const char channel[] = "aeron:ipc?term-length=16m";
static char directory[64];
static pid_t driver_process;
static volatile sig_atomic_t ended;

static aeron_context_t *context;
static aeron_t *client;
static aeron_exclusive_publication_t *publication;
static aeron_subscription_t *subscription;
static aeron_fragment_assembler_t *assembler;

/* Small messages are polled several at once, as Aeron likes it, and handed out one by one. */
static char held[HELD][SMALL];
static size_t held_first, held_end;
static void *large; /* where a large one goes */
static int large_came;

static void fail(const char *what)
{
    fprintf(stderr, "peer: %s: %s\n", what, aeron_errmsg());
    _exit(3);
}

static void good(int result, const char *what)
{
    if (result < 0)
        fail(what);
}

static void end_driver(int signal_number)
{
    (void)signal_number;
    ended = 1;
}

static void run_driver(pid_t parent)
{
    aeron_driver_context_t *options;
    aeron_driver_t *driver;
    signal(SIGTERM, end_driver);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    sched_setscheduler(0, SCHED_RR, &(struct sched_param){.sched_priority = 60});
    good(aeron_driver_context_init(&options), "the driver's context");
    aeron_driver_context_set_dir(options, directory);
    aeron_driver_context_set_dir_delete_on_start(options, true);
    aeron_driver_context_set_dir_delete_on_shutdown(options, true);
    aeron_driver_context_set_threading_mode(options, AERON_THREADING_MODE_SHARED);
    aeron_driver_context_set_ipc_mtu_length(options, 65504);
    good(aeron_driver_init(&driver, options), "the driver");
    good(aeron_driver_start(driver, true), "the driver's start");
    while (!ended && getppid() == parent)
        aeron_driver_main_idle_strategy(driver, aeron_driver_main_do_work(driver));
    aeron_driver_close(driver);
    aeron_driver_context_close(options);
    _exit(0);
}

static void start_driver(size_t size)
{
    (void)size;
    snprintf(directory, sizeof directory, "/dev/shm/unipc-bench-%d-aeron", (int)getpid());
    pid_t parent = getpid();
    driver_process = fork();
    if (driver_process == 0)
        run_driver(parent);
}

static void take_message(void *unused, const uint8_t *bytes, size_t length, aeron_header_t *header)
{
    (void)unused;
    (void)header;
    if (length <= SMALL) {
        memcpy(held[held_end++], bytes, length);
    } else {
        memcpy(large, bytes, length);
        large_came = 1;
    }
}

static void open_ends(int role)
{
    aeron_async_add_exclusive_publication_t *publishing;
    aeron_async_add_subscription_t *subscribing;
    good(aeron_async_add_exclusive_publication(&publishing, client, channel, STREAM + role),
         "a publication");
    good(aeron_async_add_subscription(&subscribing, client, channel, STREAM + 1 - role, NULL, NULL,
                                      NULL, NULL),
         "a subscription");
    while (!publication)
        good(aeron_async_add_exclusive_publication_poll(&publication, publishing), "a publication");
    while (!subscription)
        good(aeron_async_add_subscription_poll(&subscription, subscribing), "a subscription");
    while (!aeron_exclusive_publication_is_connected(publication) ||
           !aeron_subscription_is_connected(subscription))
        sched_yield();
}

/* The library's own thread is made here, and may run on either processor. */
static void attach(int role)
{
    cpu_set_t here, anywhere;
    sched_getaffinity(0, sizeof here, &here);
    memset(&anywhere, 0xff, sizeof anywhere);
    sched_setaffinity(0, sizeof anywhere, &anywhere);
    good(aeron_context_init(&context), "a context");
    aeron_context_set_dir(context, directory);
    good(aeron_init(&client, context), "a client");
    good(aeron_start(client), "a client's start");
    sched_setaffinity(0, sizeof here, &here);
    good(aeron_fragment_assembler_create(&assembler, take_message, NULL), "an assembler");
    open_ends(role);
}

static void detach(int role)
{
    aeron_close(client);
    aeron_context_close(context);
    if (role == 0) {
        kill(driver_process, SIGTERM);
        waitpid(driver_process, NULL, 0);
    }
}

static void send_message(int direction, const void *bytes, size_t size)
{
    (void)direction;
    int64_t result;
    while ((result = aeron_exclusive_publication_offer(publication, bytes, size, NULL, NULL)) < 0)
        if (result != AERON_PUBLICATION_BACK_PRESSURED && result != AERON_PUBLICATION_ADMIN_ACTION)
            fail("an offer");
}

static void poll_until(const int *came, const size_t *end, size_t most)
{
    while (!*came && *end == 0)
        good(aeron_subscription_poll(subscription, aeron_fragment_assembler_handler, assembler,
                                     most),
             "a poll");
}

static void receive_message(int direction, void *bytes, size_t size)
{
    (void)direction;
    if (size > SMALL) {
        large = bytes;
        large_came = 0;
        poll_until(&large_came, &held_end, 1);
        return;
    }
    if (held_first == held_end) {
        held_first = held_end = 0;
        poll_until(&large_came, &held_end, HELD);
    }
    memcpy(bytes, held[held_first++], size);
}

static const struct peer ipc = {"Aeron ipc",  PEER_ROUND_TRIP | PEER_ONE_WAY | PEER_COPIES_OUT,
                                sizes,        start_driver,
                                attach,       detach,
                                send_message, receive_message};

const struct peer *const unipc_bench_peers[] = {&ipc, NULL};
