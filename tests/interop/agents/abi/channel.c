/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Channels by the library. */
#include "abi.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unipc.h>

enum { ROOM = 4 << 20, PLACES = 16, SENDERS = 10 };

/* One handle of each kind, and the questions that were not answered yet. */
static unipc_queue *queue;
static unipc_topic *topic;
static unipc_subscriber *subscriber;
static unipc_service *service;
static unipc_client *client;
static unipc_question *questions[PLACES];
static size_t question_count;
static int calls[PLACES];
static size_t call_count;
static unsigned char buffer[ROOM];

static int done(ssize_t result, const char *word)
{
    return result < 0 ? answer_error(unipc_errname((int)result)) : answer("%s", word);
}

/* Makes what has a capacity, opens what has none. */
#define KEEP(kind)                                                                                 \
    static int keep_##kind(const struct request *request)                                          \
    {                                                                                              \
        unipc_channel_opts opts =                                                                  \
            UNIPC_CHANNEL_OPTS(.message_size = (uint32_t)number(request, "message_size", 0));      \
        unsigned flags = number(request, "reliable", 0) ? UNIPC_CHANNEL_RELIABLE : 0;              \
        size_t capacity = number(request, "capacity", 0);                                          \
        const char *name = text(request, "name");                                                  \
        return done(capacity ? unipc_##kind##_create(&kind, name, capacity, flags, &opts)          \
                             : unipc_##kind##_open(&kind, name, 0),                                \
                    "open");                                                                       \
    }
KEEP(queue)
KEEP(topic)
KEEP(service)

static int keep_subscriber(const struct request *request)
{
    unsigned flags = text(request, "oldest") ? UNIPC_CHANNEL_OLDEST : 0;
    return done(unipc_subscriber_open(&subscriber, text(request, "name"), flags), "open");
}

static int keep_client(const struct request *request)
{
    return done(unipc_client_open(&client, text(request, "name"), 0), "open");
}

/* `timeout` is in milliseconds; without it the call waits for ever. All but a try say WAIT. */
static const struct timespec *limit(const struct request *request)
{
    static struct timespec limit;
    size_t ms = number(request, "timeout", 0);
    if (!text(request, "timeout")) {
        waiting();
        return NULL;
    }
    if (ms > 0)
        waiting();
    limit = (struct timespec){(time_t)(ms / 1000), (long)(ms % 1000) * 1000000};
    return &limit;
}

/* `hex`, repeated to `size` bytes if that is given. */
static const unsigned char *content(const struct request *request, size_t *size)
{
    const unsigned char *block = bytes(request, "hex", size);
    if (!text(request, "size"))
        return block;
    size_t length = *size;
    *size = number(request, "size", 0);
    fill(buffer, *size, block, length);
    return buffer;
}

/* A message as the runner compares it: its length, its checksum (Adler-32), how it begins. */
static int told(ssize_t length, const void *message, const char *more)
{
    const unsigned char *data = message;
    uint32_t a = 1, b = 0;
    if (length < 0)
        return answer_error(unipc_errname((int)length));
    for (ssize_t i = 0; i < length; i++) {
        a = (a + data[i]) % 65521;
        b = (b + a) % 65521;
    }
    printf("OK len=%zd sum=%u hex=", length, (unsigned)(b << 16 | a));
    for (ssize_t i = 0; i < length && i < 16; i++)
        printf("%02x", data[i]);
    puts(more);
    fflush(stdout);
    return 0;
}

static int send_message(const struct request *request)
{
    size_t size;
    const unsigned char *data = content(request, &size);
    return done(unipc_queue_send(queue, data, size, limit(request)), "sent");
}

static int publish(const struct request *request)
{
    size_t size;
    const unsigned char *data = content(request, &size);
    return done(unipc_topic_publish(topic, data, size, limit(request)), "sent");
}

static int receive(const struct request *request)
{
    return told(unipc_queue_recv(queue, buffer, ROOM, limit(request)), buffer, "");
}

static int read_next(const struct request *request)
{
    uint64_t lost = 0;
    char more[40];
    ssize_t length = unipc_subscriber_recv(subscriber, buffer, ROOM, &lost, limit(request));
    snprintf(more, sizeof more, " lost=%ju", (uintmax_t)lost);
    return told(length, buffer, more);
}

/* Messages that begin with who sent them and a number, of many sizes. */
static int flood(const struct request *request)
{
    size_t count = number(request, "count", 0);
    unsigned char message[105];
    int result = 0;
    memset(message, (int)number(request, "me", 0), sizeof message);
    for (uint32_t i = 0; i < count && result == 0; i++) {
        for (unsigned byte = 0; byte < 4; byte++)
            message[1 + byte] = (unsigned char)(i >> 8 * byte);
        result = unipc_queue_send(queue, message, 5 + i % 100, NULL);
    }
    return done(result, "sent");
}

/* Takes messages until an empty one: how many of each sender, and whether each sender's came in
 * order and whole. */
static int drain(const struct request *request)
{
    unsigned seen[SENDERS] = {0};
    int64_t last[SENDERS], good = 1;
    unsigned char message[256];
    ssize_t length;
    (void)request;
    for (int i = 0; i < SENDERS; i++)
        last[i] = -1;
    while ((length = unipc_queue_recv(queue, message, sizeof message, NULL)) > 0) {
        unsigned me = message[0] % SENDERS;
        int64_t count = message[1] | message[2] << 8 | message[3] << 16 | (int64_t)message[4] << 24;
        good = good && length == 5 + count % 100 && count > last[me];
        for (ssize_t i = 5; i < length; i++)
            good = good && message[i] == message[0];
        last[me] = count;
        seen[me]++;
    }
    if (length < 0)
        return answer_error(unipc_errname((int)length));
    printf("OK good=%d seen=", (int)good);
    for (int i = 0; i < SENDERS; i++)
        printf("%s%u", i ? "," : "", seen[i]);
    putchar('\n');
    fflush(stdout);
    return 0;
}

static int next_question(const struct request *request)
{
    unipc_question *question;
    if (question_count == PLACES)
        return answer_error("ENOSPC");
    int result = unipc_service_recv(service, &question, limit(request));
    if (result < 0)
        return answer_error(unipc_errname(result));
    questions[question_count++] = question;
    return told((ssize_t)unipc_question_size(question), unipc_question_data(question), "");
}

static const unipc_question *asked(const struct request *request)
{
    return questions[number(request, "at", 0) % PLACES];
}

static int reply(const struct request *request)
{
    size_t size;
    const unsigned char *data = content(request, &size);
    return done(unipc_service_reply(service, asked(request), data, size, NULL), "replied");
}

static int part(const struct request *request)
{
    size_t size;
    const unsigned char *data = content(request, &size);
    return done(unipc_service_reply_part(service, asked(request), data, size, NULL), "replied");
}

static int fail(const struct request *request)
{
    int number_ = (int)number(request, "errno", 0);
    return done(unipc_service_fail(service, asked(request), number_, text(request, "why"), NULL),
                "replied");
}

static int expired(const struct request *request)
{
    return answer("%d", unipc_question_has_expired(asked(request)));
}

static int call(const struct request *request)
{
    static unsigned char question[1 << 16];
    size_t size;
    const unsigned char *data = content(request, &size);
    if (size > sizeof question)
        return answer_error("EMSGSIZE");
    memcpy(question, data, size);
    return told(unipc_client_call(client, question, size, buffer, ROOM, limit(request)), buffer,
                "");
}

static int begin(const struct request *request)
{
    size_t size;
    const unsigned char *data = content(request, &size);
    int result = unipc_client_begin(client, data, size, NULL);
    if (result < 0)
        return answer_error(unipc_errname(result));
    calls[call_count % PLACES] = result;
    return answer("%zu", call_count++);
}

static int wait_for(const struct request *request)
{
    int more = 0, which = calls[number(request, "call", 0) % PLACES];
    ssize_t length = unipc_client_wait(client, which, buffer, ROOM, &more, limit(request));
    return told(length, buffer, more ? " more=1" : " more=0");
}

static int close_all(const struct request *request)
{
    (void)request;
    while (question_count > 0)
        unipc_question_close(questions[--question_count]);
    call_count = 0;
    unipc_client_close(client);
    unipc_service_close(service);
    unipc_subscriber_close(subscriber);
    unipc_topic_close(topic);
    unipc_queue_close(queue);
    client = NULL, service = NULL, subscriber = NULL, topic = NULL, queue = NULL;
    return answer("closed");
}

static int unlink_name(const struct request *request)
{
    return done(unipc_queue_unlink(text(request, "name")), "removed");
}

const struct verb channel_verbs[] = {
    {"channel.queue", keep_queue},
    {"channel.topic", keep_topic},
    {"channel.subscriber", keep_subscriber},
    {"channel.service", keep_service},
    {"channel.client", keep_client},
    {"channel.send", send_message},
    {"channel.publish", publish},
    {"channel.recv", receive},
    {"channel.read", read_next},
    {"channel.flood", flood},
    {"channel.drain", drain},
    {"channel.question", next_question},
    {"channel.reply", reply},
    {"channel.part", part},
    {"channel.fail", fail},
    {"channel.expired", expired},
    {"channel.call", call},
    {"channel.begin", begin},
    {"channel.wait", wait_for},
    {"channel.close", close_all},
    {"channel.unlink", unlink_name},
    {NULL, NULL},
};
