/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Topics and services of unipc.
 */
#include "transports.h"

#include <unistd.h>

static unipc_topic *topic;
static unipc_subscriber *subscriber;
static int memory[2];

static void topic_spinning_open(size_t bytes)
{
    for (int i = 0; i < 2; i++) {
        unipc_topic *made;
        check(unipc_topic_create(&made, "memfd:bench", bytes <= 1024 ? 1 << 20 : bytes * 64,
                                 UNIPC_CHANNEL_RELIABLE,
                                 &UNIPC_CHANNEL_OPTS(.message_size = (uint32_t)bytes)));
        memory[i] = dup(unipc_topic_memory_fd(made));
        unipc_topic_close(made);
    }
}

/* Each publishes one topic and subscribes to the other one. */
static void topic_spinning_attach(enum role role)
{
    check(unipc_topic_from_fd(&topic, memory[role], UNIPC_CHANNEL_SPIN));
    check(unipc_subscriber_from_fd(&subscriber, memory[1 - role],
                                   UNIPC_CHANNEL_SPIN | UNIPC_CHANNEL_OLDEST));
}

static inline void publish(enum role direction)
{
    check(unipc_topic_publish(topic, message(direction), size, NULL));
}

/* What a topic overwrote before this process had a turn counts as received: so many calls return at once. */
static inline void subscribe(enum role direction)
{
    static uint64_t missed;
    if (missed > 0) {
        missed--;
        return;
    }
    check(unipc_subscriber_recv(subscriber, inbox, size, &missed, NULL));
    pool.received[direction] += missed;
    arrived(direction, first_word(inbox));
}

static inline void flush_nothing(enum role direction)
{
    (void)direction;
}

#define topic_spinning_send publish
#define topic_spinning_receive subscribe
#define topic_spinning_flush flush_nothing
TRANSPORT(topic_spinning, "topic")

/* Eight more who subscribe and sleep, in a process of their own which the benchmark's end ends. */
static void topic_watched_attach(enum role role)
{
    topic_spinning_attach(role);
    for (int i = 0; role == SERVER && i < 8; i++) {
        unipc_subscriber *idle;
        check(unipc_subscriber_from_fd(&idle, memory[COMMANDER], 0));
    }
}

static void topic_watched_open(size_t bytes)
{
    unipc_topic *made;
    for (int i = 0; i < 2; i++) {
        /* Not reliable: who does not read must not stand in the way. */
        check(unipc_topic_create(&made, "memfd:bench", 1 << 24, 0,
                                 &UNIPC_CHANNEL_OPTS(.message_size = (uint32_t)bytes)));
        memory[i] = dup(unipc_topic_memory_fd(made));
        unipc_topic_close(made);
    }
}
#define topic_watched_send publish
#define topic_watched_receive subscribe
#define topic_watched_flush flush_nothing
#define topic_alone_open topic_watched_open
#define topic_alone_attach topic_spinning_attach
#define topic_alone_send publish
#define topic_alone_receive subscribe
#define topic_alone_flush flush_nothing
TRANSPORT(topic_alone, "topic that overwrites")
TRANSPORT(topic_watched, "topic, eight more subscribers that do not read")

/* --- question and answer --- */

static unipc_service *service;
static unipc_client *client;
static unipc_question *question;
static int call;

static void service_spinning_open(size_t bytes)
{
    (void)bytes;
    unipc_service *made;
    check(unipc_service_create(&made, "memfd:bench", 1 << 20, 0, NULL));
    memory[0] = dup(unipc_service_memory_fd(made));
    unipc_service_close(made);
}

static void service_spinning_attach(enum role role)
{
    if (role == SERVER)
        check(unipc_service_from_fd(&service, memory[0], UNIPC_CHANNEL_SPIN));
    else
        check(unipc_client_from_fd(&client, memory[0], UNIPC_CHANNEL_SPIN));
}

static inline void service_spinning_send(enum role direction)
{
    if (direction == COMMANDER) {
        call = unipc_client_begin(client, message(direction), size, NULL);
        check(call);
    } else {
        check(unipc_service_reply(service, question, message(direction), size, NULL));
        unipc_question_close(question);
    }
}

static inline void service_spinning_receive(enum role direction)
{
    int more;
    if (direction == COMMANDER) {
        check(unipc_service_recv(service, &question, NULL));
        memcpy(inbox, unipc_question_data(question), size);
    } else {
        check(unipc_client_wait(client, call, inbox, size, &more, NULL));
    }
    arrived(direction, first_word(inbox));
}

#define service_spinning_flush flush_nothing
TRANSPORT(service_spinning, "service")
