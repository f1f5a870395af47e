/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Calls the functions of channels once, and expects what their comments in the headers promise. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>
#include <unipc.h>

#include "expect.h"

/* The name of the program's channels of this kind; nobody else has it. */
static const char *channel_name(const char *kind)
{
    static char name[64];
    snprintf(name, sizeof name, "/unipc-program-%s-%ld", kind, (long)getpid());
    return name;
}

static void channel_queue(void)
{
    const struct timespec now = {0, 0}, soon = {0, 1000000};
    const unipc_channel_opts eight = UNIPC_CHANNEL_OPTS(.message_size = 8);
    const char *name = channel_name("queue");
    unipc_queue *queue, *other;
    const void *lent;
    void *room;
    char text[32];
    size_t length;

    EXPECT(unipc_queue_open_or_create(&queue, name, 4096, 0, NULL) == 0);
    EXPECT(unipc_queue_create(&other, name, 4096, 0, NULL) == -EEXIST && other == NULL);
    EXPECT(unipc_queue_open(&other, name, UNIPC_CHANNEL_SPIN) == 0);
    EXPECT(strcmp(unipc_queue_name(other), name) == 0);
    EXPECT(unipc_queue_recv(other, text, sizeof text, &now) == -EAGAIN);
    EXPECT(unipc_queue_recv(other, text, sizeof text, &soon) == -ETIMEDOUT);
    EXPECT(unipc_queue_send(queue, "hello", 5, NULL) == 0);
    EXPECT(unipc_queue_recv(other, text, 4, NULL) == -EMSGSIZE);
    EXPECT(strstr(unipc_last_error(), "the message has 5 bytes, the buffer 4") != NULL);
    EXPECT(unipc_queue_recv(other, text, sizeof text, NULL) == 5 && !memcmp(text, "hello", 5));
    EXPECT(unipc_queue_reserve(queue, 8, &room, NULL) == 0 && unipc_queue_abort(queue) == 0);
    EXPECT(unipc_queue_reserve(queue, 8, &room, NULL) == 0);
    memcpy(room, "place", 5);
    EXPECT(unipc_queue_commit(queue, 5) == 0 && unipc_queue_commit(queue, 5) == -EINVAL);
    EXPECT(unipc_queue_peek(other, &lent, &length, NULL) == 0 && length == 5);
    EXPECT(memcmp(lent, "place", 5) == 0 && unipc_queue_leave(other) == 0);
    EXPECT(unipc_queue_peek(other, &lent, &length, NULL) == 0 && unipc_queue_release(other) == 0);
    EXPECT(unipc_queue_recv(other, text, sizeof text, &now) == -EAGAIN);
    unipc_queue_close(other);
    unipc_queue_close(queue);
    EXPECT(unipc_queue_unlink(name) == 0 && unipc_queue_open(&queue, name, 0) == -ENOENT);
    EXPECT(unipc_queue_create(&queue, "memfd:program", 4096, 0, &eight) == 0);
    EXPECT(unipc_queue_from_fd(&other, unipc_queue_memory_fd(queue), 0) == 0);
    EXPECT(unipc_queue_send_many(other, "12345678abcdefgh", 8, 2, NULL) == 2);
    EXPECT(unipc_queue_recv_many(queue, text, 8, 4, NULL) == 2);
    EXPECT(memcmp(text, "12345678abcdefgh", 16) == 0);
    unipc_queue_close(other);
    unipc_queue_close(queue);
}

static void channel_each(void)
{
    char texts[] = "a message and one that is longer than the room";
    struct iovec out[] = {{texts, 9}, {NULL, 0}, {texts + 14, 32}}, in[4];
    const struct timespec now = {0, 0};
    unipc_queue *queue;
    unipc_topic *topic;
    unipc_subscriber *subscriber;
    char room[24];
    uint64_t lost;

    EXPECT(unipc_queue_create(&queue, "memfd:each", 4096, 0, NULL) == 0);
    EXPECT(unipc_queue_send_each(queue, out, 0, &now) == 0);
    EXPECT(unipc_queue_recv_each(queue, room, sizeof room, in, 4, &now) == -EAGAIN);
    EXPECT(unipc_queue_recv_each(queue, room, sizeof room, in, 0, &now) == -EINVAL);
    EXPECT(unipc_queue_send_each(queue, out, 3, &now) == 3);
    EXPECT(unipc_queue_recv_each(queue, room, sizeof room, in, 1, NULL) == 1);
    EXPECT(in[0].iov_base == room && in[0].iov_len == 9 && !memcmp(room, texts, 9));
    EXPECT(unipc_queue_recv_each(queue, room, sizeof room, in, 4, NULL) == 1 && !in[0].iov_len);
    EXPECT(unipc_queue_recv_each(queue, room, sizeof room, in, 4, NULL) == -EMSGSIZE);
    EXPECT(strstr(unipc_last_error(), "recv_each") != NULL);
    EXPECT(strstr(unipc_last_error(), "the message has 32 bytes, the buffer 24") != NULL);
    EXPECT(unipc_queue_send_each(queue, out, 2, &now) == 2);
    EXPECT(unipc_queue_recv(queue, texts, sizeof texts, &now) == 32);
    EXPECT(unipc_queue_recv_each(queue, room, sizeof room, in, 4, NULL) == 2);
    EXPECT(in[1].iov_base == room + 16 && in[1].iov_len == 0);
    out[1].iov_len = 5000;
    out[1].iov_base = calloc(1, 5000);
    EXPECT(unipc_queue_send_each(queue, out, 3, &now) == 1);
    EXPECT(unipc_queue_send_each(queue, out + 1, 2, &now) == -EMSGSIZE);
    free(out[1].iov_base);
    unipc_queue_close(queue);

    EXPECT(unipc_topic_create(&topic, "memfd:each", 4096, 0, NULL) == 0);
    EXPECT(unipc_topic_subscribe(&subscriber, topic, 0) == 0);
    out[1] = out[2];
    EXPECT(unipc_topic_publish_each(topic, out, 2, &now) == 2);
    EXPECT(unipc_subscriber_recv(subscriber, room, sizeof room, &lost, &now) == 9 && lost == 0);
    EXPECT(unipc_subscriber_recv(subscriber, texts, sizeof texts, &lost, &now) == 32);
    unipc_subscriber_close(subscriber);
    unipc_topic_close(topic);
}

/* Is the descriptor readable, or about to be? */
static int tells(int fd, int milliseconds)
{
    struct pollfd polled = {fd, POLLIN, 0};

    EXPECT(fd >= 0);
    return poll(&polled, 1, milliseconds);
}

static void channel_descriptors(void)
{
    const struct timespec now = {0, 0};
    unipc_queue *queue;
    unipc_topic *topic;
    unipc_subscriber *subscriber;
    unipc_service *service;
    unipc_client *client;
    unipc_question *question;
    char text[32];
    int call;

    EXPECT(unipc_queue_create(&queue, "memfd:program", 4096, 0, NULL) == 0);
    EXPECT(tells(unipc_queue_fd(queue), 0) == 0 && tells(unipc_queue_send_fd(queue), 0) == 1);
    EXPECT(unipc_queue_send(queue, "hello", 5, NULL) == 0);
    EXPECT(tells(unipc_queue_fd(queue), 30000) == 1);
    EXPECT(unipc_queue_recv(queue, text, sizeof text, &now) == 5);
    EXPECT(unipc_queue_recv(queue, text, sizeof text, &now) == -EAGAIN);
    EXPECT(tells(unipc_queue_fd(queue), 0) == 0);
    unipc_queue_close(queue);
    EXPECT(unipc_topic_create(&topic, "memfd:program", 4096, 0, NULL) == 0);
    EXPECT(unipc_subscriber_from_fd(&subscriber, unipc_topic_memory_fd(topic), 0) == 0);
    EXPECT(tells(unipc_topic_fd(topic), 0) == 1 && tells(unipc_subscriber_fd(subscriber), 0) == 0);
    EXPECT(unipc_topic_publish(topic, "hello", 5, NULL) == 0);
    EXPECT(tells(unipc_subscriber_fd(subscriber), 30000) == 1);
    unipc_subscriber_close(subscriber);
    unipc_topic_close(topic);
    EXPECT(unipc_service_create(&service, "memfd:program", 4096, 0, NULL) == 0);
    EXPECT(unipc_client_from_fd(&client, unipc_service_memory_fd(service), 0) == 0);
    EXPECT(tells(unipc_service_fd(service), 0) == 0 && tells(unipc_client_fd(client), 0) == 0);
    call = unipc_client_begin(client, "?", 1, NULL);
    EXPECT(call >= 0 && tells(unipc_service_fd(service), 30000) == 1);
    EXPECT(unipc_service_recv(service, &question, &now) == 0);
    EXPECT(unipc_service_reply(service, question, "!", 1, NULL) == 0);
    EXPECT(tells(unipc_client_fd(client), 30000) == 1);
    unipc_question_close(question);
    unipc_client_close(client);
    unipc_service_close(service);
}

static void channel_topic(void)
{
    const struct timespec now = {0, 0};
    const char *name = channel_name("topic");
    unipc_topic *topic, *other;
    unipc_subscriber *subscriber, *late;
    const void *lent;
    uint64_t lost = 9;
    void *room;
    char text[32];
    size_t length;

    EXPECT(unipc_topic_open_or_create(&topic, name, 4096, UNIPC_CHANNEL_RELIABLE, NULL) == 0);
    EXPECT(unipc_topic_open(&other, name, 0) == 0 && !strcmp(unipc_topic_name(other), name));
    EXPECT(unipc_subscriber_open(&subscriber, name, 0) == 0);
    EXPECT(strcmp(unipc_subscriber_name(subscriber), name) == 0);
    EXPECT(unipc_topic_publish(topic, "hello", 5, NULL) == 0);
    EXPECT(unipc_subscriber_open(&late, name, UNIPC_CHANNEL_OLDEST) == 0);
    EXPECT(unipc_subscriber_recv(subscriber, text, 4, &lost, NULL) == -EMSGSIZE);
    EXPECT(strstr(unipc_last_error(), "the message has 5 bytes, the buffer 4") != NULL);
    EXPECT(unipc_subscriber_recv(subscriber, text, sizeof text, &lost, NULL) == 5 && lost == 0);
    EXPECT(unipc_subscriber_recv(late, text, sizeof text, NULL, NULL) == 5);
    EXPECT(memcmp(text, "hello", 5) == 0);
    EXPECT(unipc_topic_reserve(other, 8, &room, NULL) == 0 && unipc_topic_abort(other) == 0);
    EXPECT(unipc_topic_reserve(other, 8, &room, NULL) == 0);
    memcpy(room, "place", 5);
    EXPECT(unipc_topic_commit(other, 5) == 0);
    EXPECT(unipc_subscriber_peek(subscriber, &lent, &length, NULL) == 0 && length == 5);
    EXPECT(memcmp(lent, "place", 5) == 0 && unipc_subscriber_leave(subscriber) == 0);
    EXPECT(unipc_subscriber_peek(subscriber, &lent, &length, NULL) == 0);
    EXPECT(unipc_subscriber_release(subscriber, &lost) == 0 && lost == 0);
    EXPECT(unipc_subscriber_recv(subscriber, text, sizeof text, &lost, &now) == -EAGAIN);
    unipc_subscriber_close(late);
    unipc_subscriber_close(subscriber);
    unipc_topic_close(other);
    unipc_topic_close(topic);
    EXPECT(unipc_topic_unlink(name) == 0);
    EXPECT(unipc_topic_create(&topic, "memfd:program", 4096, 0, NULL) == 0);
    EXPECT(unipc_topic_from_fd(&other, unipc_topic_memory_fd(topic), 0) == 0);
    EXPECT(unipc_subscriber_from_fd(&subscriber, unipc_topic_memory_fd(topic), 0) == 0);
    EXPECT(unipc_topic_publish_many(other, "1234abcd", 4, 2, NULL) == 2);
    EXPECT(unipc_subscriber_recv_many(subscriber, text, 4, 4, &lost, NULL) == 2 && lost == 0);
    EXPECT(memcmp(text, "1234abcd", 8) == 0);
    unipc_subscriber_close(subscriber);
    unipc_topic_close(other);
    unipc_topic_close(topic);
}

static void channel_service(void)
{
    const struct timespec now = {0, 0}, soon = {10, 0};
    const char *name = channel_name("service");
    unipc_service *service, *second;
    unipc_client *client, *other;
    unipc_question *question;
    char text[32];
    int call, more;

    EXPECT(unipc_service_open_or_create(&service, name, 4096, 0, NULL) == 0);
    EXPECT(unipc_service_open(&second, name, 0) == 0);
    EXPECT(strcmp(unipc_service_name(second), name) == 0);
    EXPECT(unipc_client_open(&client, name, 0) == 0 && !strcmp(unipc_client_name(client), name));
    EXPECT(unipc_service_recv(service, &question, &now) == -EAGAIN);
    EXPECT((call = unipc_client_begin(client, "1 2", 3, &soon)) >= 0);
    EXPECT(unipc_client_wait(client, call, text, sizeof text, &more, &now) == -EAGAIN);
    EXPECT(unipc_service_recv(service, &question, NULL) == 0);
    EXPECT(unipc_question_size(question) == 3 && !unipc_question_has_expired(question));
    EXPECT(memcmp(unipc_question_data(question), "1 2", 3) == 0);
    EXPECT(unipc_service_reply_part(service, question, "three", 5, NULL) == 0);
    EXPECT(unipc_service_reply(service, question, "3", 1, NULL) == 0);
    unipc_question_close(question);
    EXPECT(unipc_client_wait(client, call, text, sizeof text, &more, NULL) == 5 && more == 1);
    EXPECT(unipc_client_wait(client, call, text, sizeof text, &more, NULL) == 1 && more == 0);
    EXPECT(unipc_client_wait(client, call, text, sizeof text, &more, NULL) == -EINVAL);
    EXPECT((call = unipc_client_begin(client, "1 0", 3, NULL)) >= 0);
    EXPECT(unipc_service_recv(second, &question, NULL) == 0);
    EXPECT(unipc_service_fail(second, question, EDOM, "division by zero", NULL) == 0);
    unipc_question_close(question);
    EXPECT(unipc_client_wait(client, call, text, sizeof text, &more, NULL) == -EDOM);
    EXPECT(strstr(unipc_last_error(), "division by zero"));
    EXPECT(!unipc_client_is_pending(client, call));
    EXPECT((call = unipc_client_begin_until(client, "?", 1, &now, NULL)) >= 0);
    EXPECT(unipc_client_is_pending(client, call) == 1);
    EXPECT(unipc_client_cancel(client, call) == 0);
    EXPECT(!unipc_client_is_pending(client, call));
    EXPECT(unipc_client_call(client, "?", 1, text, sizeof text, &now) < 0);
    unipc_client_close(client);
    unipc_service_close(second);
    unipc_service_close(service);
    EXPECT(unipc_service_unlink(name) == 0);
    EXPECT(unipc_service_create(&service, "memfd:program", 4096, 0, NULL) == 0);
    EXPECT(unipc_service_from_fd(&second, unipc_service_memory_fd(service), 0) == 0);
    EXPECT(unipc_client_from_fd(&other, unipc_service_memory_fd(service), 0) == 0);
    unipc_client_close(other);
    unipc_service_close(second);
    unipc_service_close(service);
}

int main(void)
{
    channel_queue();
    channel_each();
    channel_descriptors();
    channel_topic();
    channel_service();
    puts("all as promised");
    return 0;
}
