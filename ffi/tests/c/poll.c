/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Calls each function that waits for any of several things: every kind at once, each alone is ready. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <unipc.h>

#include "expect.h"

#define THINGS 20

static const struct timespec now = {0, 0}, soon = {0, 5000000}, late = {60, 0};

static unipc_waitable things[THINGS];

/* Just this one is ready, and is told by one who sleeps before: the others come first. */
static void is_told(int which)
{
    unipc_waitable turned[THINGS];
    int at;

    for (at = 0; at < THINGS; at++)
        turned[at] = things[(which + 1 + at) % THINGS];
    EXPECT(unipc_wait_any(turned, THINGS, &late) == THINGS - 1);
    EXPECT(unipc_wait_any(things, THINGS, &now) == which);
}

static void nothing_is_told(void)
{
    EXPECT(unipc_wait_any(things, THINGS, &now) == -EAGAIN);
}

/* Another process that holds the mutex, the lock and the once until it is told, or killed. */
static pid_t holder(const unipc_shm *shm, int *tell)
{
    int told[2], ready[2];
    char byte;
    pid_t child;

    EXPECT(pipe(told) == 0 && pipe(ready) == 0);
    child = fork();
    EXPECT(child >= 0);
    if (child == 0) {
        unipc_mutex *mutex;
        unipc_rwlock *lock;
        unipc_once *once;

        EXPECT(unipc_mutex_open(&mutex, shm, 0, UNIPC_SYNC_OPEN, NULL) == 0);
        EXPECT(unipc_rwlock_open(&lock, shm, 4096, UNIPC_SYNC_OPEN, NULL) == 0);
        EXPECT(unipc_once_open(&once, shm, 8192, UNIPC_SYNC_OPEN, NULL) == 0);
        EXPECT(unipc_mutex_lock(mutex, NULL) == 0 && unipc_rwlock_write(lock, NULL) == 0);
        EXPECT(unipc_once_begin(once, NULL) == UNIPC_ONCE_BEGIN);
        EXPECT(write(ready[1], "", 1) == 1 && close(told[1]) == 0 && read(told[0], &byte, 1) == 1);
        EXPECT(unipc_mutex_unlock(mutex) == 0);
        _exit(read(told[0], &byte, 1) != 1);
    }
    close(told[0]);
    EXPECT(read(ready[0], &byte, 1) == 1);
    close(ready[0]);
    close(ready[1]);
    *tell = told[1];
    return child;
}

static void every_kind(void)
{
    unipc_shm *shm;
    unipc_mutex *mutex;
    unipc_rwlock *lock;
    unipc_once *once;
    unipc_event *event;
    unipc_sync_semaphore *permits;
    unipc_queue *jobs, *full;
    unipc_topic *topic, *quiet;
    unipc_subscriber *subscriber, *slow;
    unipc_service *service;
    unipc_client *client, *asker;
    unipc_question *question;
    unipc_mq *orders, *posix;
    unipc_sem *semaphore;
    unipc_semset *set;
    const uint16_t zeros[2] = {0, 0};
    unipc_waitable ask;
    int ends[2], tell, status, call, process;
    char text[64], name[64];
    pid_t child;

    EXPECT(unipc_shm_create(&shm, "memfd:poll", 65536, 0, NULL) == 0);
    EXPECT(unipc_mutex_open(&mutex, shm, 0, UNIPC_SYNC_CREATE, NULL) == 0);
    EXPECT(unipc_rwlock_open(&lock, shm, 4096, UNIPC_SYNC_CREATE, NULL) == 0);
    EXPECT(unipc_once_open(&once, shm, 8192, UNIPC_SYNC_CREATE, NULL) == 0);
    EXPECT(unipc_event_open(&event, shm, 12288, UNIPC_SYNC_CREATE, NULL) == 0);
    EXPECT(unipc_sync_semaphore_open(&permits, shm, 16384, UNIPC_SYNC_CREATE, 0, NULL) == 0);
    child = holder(shm, &tell);
    EXPECT(unipc_queue_create(&jobs, "memfd:poll", 4096, 0, NULL) == 0);
    EXPECT(unipc_queue_create(&full, "memfd:poll", 4096, 0, NULL) == 0);
    while (unipc_queue_send(full, text, 64, &now) == 0)
        ;
    EXPECT(unipc_topic_create(&topic, "memfd:poll", 4096, UNIPC_CHANNEL_RELIABLE, NULL) == 0);
    EXPECT(unipc_subscriber_from_fd(&slow, unipc_topic_memory_fd(topic), 0) == 0);
    while (unipc_topic_publish(topic, text, 64, &now) == 0)
        ;
    EXPECT(unipc_topic_create(&quiet, "memfd:poll", 4096, 0, NULL) == 0);
    EXPECT(unipc_subscriber_from_fd(&subscriber, unipc_topic_memory_fd(quiet), 0) == 0);
    EXPECT(unipc_service_create(&service, "memfd:poll", 4096, 0, NULL) == 0);
    EXPECT(unipc_client_from_fd(&client, unipc_service_memory_fd(service), 0) == 0);
    EXPECT(unipc_client_from_fd(&asker, unipc_service_memory_fd(service), 0) == 0);
    EXPECT(unipc_mq_create(&orders, "sysv:private", UNIPC_MQ_REMOVE_ON_CLOSE, NULL) == 0);
    snprintf(name, sizeof name, "/unipc-program-poll-%ld", (long)getpid());
    EXPECT(unipc_mq_create(&posix, name, UNIPC_MQ_REMOVE_ON_CLOSE,
                           &UNIPC_MQ_OPTS(.max_messages = 2, .max_size = 64)) == 0);
    EXPECT(unipc_sem_create(&semaphore, "sysv:private", 0, UNIPC_SEM_REMOVE_ON_CLOSE, NULL) == 0);
    EXPECT(unipc_semset_create(&set, "sysv:private", zeros, 2, UNIPC_SEM_REMOVE_ON_CLOSE, NULL) ==
           0);
    EXPECT(pipe(ends) == 0);
    things[0] = unipc_wait_queue(jobs);
    things[1] = unipc_wait_queue_room(full);
    things[2] = unipc_wait_topic(topic);
    things[3] = unipc_wait_subscriber(subscriber);
    things[4] = unipc_wait_service(service);
    things[5] = unipc_wait_client(client);
    things[6] = unipc_wait_mutex(mutex);
    things[7] = unipc_wait_rwlock_read(lock);
    things[8] = unipc_wait_rwlock_write(lock);
    things[9] = unipc_wait_sync_semaphore(permits);
    things[10] = unipc_wait_event(event);
    things[11] = unipc_wait_once(once);
    things[12] = unipc_wait_mq(orders);
    things[13] = unipc_wait_sem(semaphore);
    things[14] = unipc_wait_semset(set, 1);
    things[15] = unipc_wait_fd(ends[0], UNIPC_WAIT_READ);
    /* valgrind 3.19 does not know the call. */
    process = unipc_signal_pidfd_open(child);
    EXPECT(process >= 0 || process == -ENOSYS);
    things[16] = unipc_wait_fd(process < 0 ? ends[0] : process, UNIPC_WAIT_READ);
    things[17] = unipc_wait_queue(full);
    things[18] = unipc_wait_fd(ends[0], UNIPC_WAIT_READ | UNIPC_WAIT_WRITE);
    things[19] = unipc_wait_mq(posix);
    while (unipc_queue_recv(full, text, sizeof text, &now) >= 0)
        ;
    EXPECT(unipc_wait_any(things, THINGS, &now) == 1);
    while (unipc_queue_send(full, text, 64, &now) == 0)
        ;
    things[17] = things[18];
    nothing_is_told();
    EXPECT(unipc_wait_any(things, THINGS, &soon) == -ETIMEDOUT);

    EXPECT(unipc_queue_send(jobs, "job", 3, NULL) == 0);
    is_told(0);
    EXPECT(unipc_queue_recv(jobs, text, sizeof text, &now) == 3);
    EXPECT(unipc_queue_recv(full, text, sizeof text, &now) == 64);
    is_told(1);
    EXPECT(unipc_queue_send(full, text, 64, &now) == 0);
    EXPECT(unipc_queue_send(full, text, 64, &now) == -EAGAIN);
    EXPECT(unipc_subscriber_recv(slow, text, sizeof text, NULL, &now) == 64);
    is_told(2);
    while (unipc_topic_publish(topic, text, 64, &now) == 0)
        ;
    EXPECT(unipc_topic_publish(quiet, "news", 4, NULL) == 0);
    is_told(3);
    EXPECT(unipc_subscriber_recv(subscriber, text, sizeof text, NULL, &now) == 4);
    call = unipc_client_begin(client, "?", 1, NULL);
    EXPECT(call >= 0);
    is_told(4);
    EXPECT(unipc_service_recv(service, &question, &now) == 0);
    nothing_is_told();
    EXPECT(unipc_service_reply(service, question, "!", 1, NULL) == 0);
    unipc_question_close(question);
    is_told(5);
    ask = unipc_wait_call(client, call);
    EXPECT(unipc_wait_any(&ask, 1, &late) == 0);
    EXPECT(unipc_client_wait(client, call, text, sizeof text, NULL, &now) == 1);
    call = unipc_client_begin(client, "?", 1, NULL);
    ask = unipc_wait_call(client, call);
    EXPECT(unipc_wait_any(&ask, 1, &soon) == -ETIMEDOUT);
    EXPECT(unipc_client_cancel(client, call) == 0 && unipc_wait_any(&ask, 1, &late) == 0);
    ask = unipc_wait_call(client, -1);
    EXPECT(unipc_wait_any(&ask, 1, &now) == -EINVAL);
    while ((call = unipc_client_begin_until(client, text, sizeof text, &now, NULL)) >= 0)
        EXPECT(unipc_client_cancel(client, call) == 0);
    ask = unipc_wait_client_room(client);
    EXPECT(call == -EAGAIN && unipc_wait_any(&ask, 1, &now) == -EAGAIN);
    while (unipc_service_recv(service, &question, &now) == 0)
        unipc_question_close(question);
    EXPECT(unipc_wait_any(&ask, 1, &late) == 0);
    EXPECT(write(tell, "", 1) == 1);
    is_told(6);
    EXPECT(unipc_mutex_lock(mutex, &now) == 0);
    things[6] = things[18];
    EXPECT(unipc_sync_semaphore_post(permits) == 0);
    is_told(9);
    EXPECT(unipc_sync_semaphore_wait(permits, &now) == 0 && unipc_event_set(event) == 0);
    is_told(10);
    EXPECT(unipc_event_reset(event) == 0 && unipc_mq_send(orders, 7, "order", 5, NULL) == 0);
    is_told(12);
    EXPECT(unipc_mq_receive(orders, 0, 0, text, sizeof text, NULL, &now) == 5);
    EXPECT(unipc_mq_send(posix, 7, "order", 5, NULL) == 0);
    is_told(19);
    EXPECT(unipc_mq_receive(posix, 0, 0, text, sizeof text, NULL, &now) == 5);
    EXPECT(unipc_sem_release(semaphore) == 0);
    is_told(13);
    EXPECT(unipc_sem_acquire(semaphore, &now) == 0 && unipc_semset_release(set, 1, 1) == 0);
    is_told(14);
    EXPECT(unipc_semset_set_value(set, 1, 0) == 0);
    nothing_is_told();
    EXPECT(kill(child, SIGKILL) == 0);
    EXPECT(waitpid(child, &status, 0) == child);
    /* Whatever of it comes first: it has held the lock and the once. */
    EXPECT(unipc_wait_any(things, THINGS, &late) >= 7);
    EXPECT(unipc_wait_any(things + 7, 1, &late) == 0 && unipc_wait_any(things + 8, 1, &late) == 0);
    EXPECT(unipc_wait_any(things + 11, 1, &late) == 0);
    EXPECT(process < 0 || unipc_wait_any(things + 16, 1, &late) == 0);
    EXPECT(write(ends[1], "x", 1) == 1 && unipc_wait_any(things + 15, 1, &late) == 0);

    EXPECT((process < 0 || close(process) == 0) && close(tell) == 0);
    EXPECT(close(ends[0]) == 0 && close(ends[1]) == 0);
    unipc_semset_close(set);
    unipc_sem_close(semaphore);
    unipc_mq_close(posix);
    unipc_mq_close(orders);
    unipc_client_close(asker);
    unipc_client_close(client);
    unipc_service_close(service);
    unipc_subscriber_close(subscriber);
    unipc_topic_close(quiet);
    unipc_subscriber_close(slow);
    unipc_topic_close(topic);
    unipc_queue_close(full);
    unipc_queue_close(jobs);
    EXPECT(unipc_mutex_unlock(mutex) == 0);
    unipc_mutex_close(mutex);
    unipc_rwlock_close(lock);
    unipc_once_close(once);
    unipc_event_close(event);
    unipc_sync_semaphore_close(permits);
    unipc_shm_close(shm);
}

static void poller(void)
{
    unipc_poller *poller;
    unipc_queue *jobs;
    unipc_event *event;
    unipc_shm *shm;
    uint64_t keys[4] = {0};
    int ends[2];
    char text[8];

    EXPECT(unipc_shm_create(&shm, "memfd:poll", 4096, 0, NULL) == 0);
    EXPECT(unipc_event_open(&event, shm, 0, UNIPC_SYNC_CREATE, NULL) == 0);
    EXPECT(unipc_queue_create(&jobs, "memfd:poll", 4096, 0, NULL) == 0);
    EXPECT(pipe(ends) == 0 && unipc_poller_open(&poller) == 0);
    EXPECT(unipc_poller_wait(poller, keys, 4, &late) == -EINVAL);
    EXPECT(unipc_poller_add(poller, unipc_wait_queue(jobs), 10) == 0);
    EXPECT(unipc_poller_add(poller, unipc_wait_event(event), 20) == 0);
    EXPECT(unipc_poller_add(poller, unipc_wait_fd(ends[0], UNIPC_WAIT_READ), 30) == 0);
    EXPECT(unipc_poller_add(poller, unipc_wait_event(event), 30) == -EEXIST);
    EXPECT(unipc_poller_wait(poller, keys, 4, &now) == -EAGAIN);
    EXPECT(unipc_poller_wait(poller, keys, 4, &soon) == -ETIMEDOUT);
    EXPECT(unipc_poller_wait(poller, keys, 0, &late) == -EINVAL);
    EXPECT(unipc_event_set(event) == 0 && write(ends[1], "x", 1) == 1);
    EXPECT(unipc_poller_wait(poller, keys, 4, &late) == 2 && keys[0] == 20 && keys[1] == 30);
    EXPECT(unipc_queue_send(jobs, "job", 3, NULL) == 0);
    EXPECT(unipc_poller_wait(poller, keys, 2, &late) == 2 && keys[0] == 10 && keys[1] == 20);
    EXPECT(unipc_poller_remove(poller, 20) == 0 && unipc_poller_remove(poller, 20) == -ENOENT);
    EXPECT(read(ends[0], text, 1) == 1);
    EXPECT(unipc_poller_wait(poller, keys, 4, NULL) == 1 && keys[0] == 10);
    unipc_poller_close(poller);
    close(ends[0]);
    close(ends[1]);
    unipc_queue_close(jobs);
    unipc_event_close(event);
    unipc_shm_close(shm);
}

static void doorbell(void)
{
    unipc_doorbell *bell;
    unipc_event *event;
    unipc_shm *shm;
    struct pollfd polled;

    EXPECT(unipc_shm_create(&shm, "memfd:poll", 4096, 0, NULL) == 0);
    EXPECT(unipc_event_open(&event, shm, 0, UNIPC_SYNC_CREATE, NULL) == 0);
    EXPECT(unipc_doorbell_open(&bell, unipc_wait_fd(0, UNIPC_WAIT_READ)) == -EINVAL && !bell);
    EXPECT(unipc_doorbell_open(&bell, unipc_wait_event(event)) == 0);
    polled.fd = unipc_doorbell_fd(bell);
    polled.events = POLLIN;
    EXPECT(fcntl(polled.fd, F_GETFD) == FD_CLOEXEC && poll(&polled, 1, 0) == 0);
    EXPECT(unipc_event_set(event) == 0 && poll(&polled, 1, 60000) == 1);
    EXPECT(unipc_doorbell_arm(bell) == 0 && poll(&polled, 1, 0) == 1);
    EXPECT(unipc_event_reset(event) == 0);
    EXPECT(unipc_doorbell_arm(bell) == 0 && poll(&polled, 1, 0) == 0);
    unipc_doorbell_close(bell);
    unipc_event_close(event);
    unipc_shm_close(shm);
}

static void loop_bell(void)
{
    unipc_loop_bell *bell;
    unipc_event *event;
    unipc_shm *shm;
    struct pollfd polled;
    uint64_t number[3], told[2];

    EXPECT(unipc_shm_create(&shm, "memfd:poll", 4096, 0, NULL) == 0);
    EXPECT(unipc_event_open(&event, shm, 0, UNIPC_SYNC_CREATE, NULL) == 0);
    EXPECT(unipc_loop_bell_open(NULL) == -EINVAL);
    EXPECT(unipc_loop_bell_open(&bell) == 0);
    EXPECT(unipc_loop_bell_arm(bell, unipc_wait_fd(0, UNIPC_WAIT_READ), number) == -EINVAL);
    EXPECT(unipc_loop_bell_arm(bell, unipc_wait_event(event), NULL) == -EINVAL);
    for (int i = 0; i < 3; i++)
        EXPECT(unipc_loop_bell_arm(bell, unipc_wait_event(event), &number[i]) == 1);
    EXPECT(unipc_loop_bell_disarm(bell, number[1]) == 0);
    polled.fd = unipc_loop_bell_fd(bell);
    polled.events = POLLIN;
    EXPECT(fcntl(polled.fd, F_GETFD) == FD_CLOEXEC);
    EXPECT(unipc_loop_bell_rung(bell, told, 0) == -EINVAL);
    /* It may ring for nobody, when it is time for a look at everything. */
    do
        EXPECT(unipc_loop_bell_rung(bell, told, 1) == 0);
    while (poll(&polled, 1, 0) == 1);
    EXPECT(unipc_event_set(event) == 0);
    /* Two of them, in whichever order, and one at a time. */
    for (int seen = 0; seen < 2;) {
        EXPECT(poll(&polled, 1, 60000) == 1);
        while (unipc_loop_bell_rung(bell, &told[seen], 1) == 1)
            seen++;
    }
    EXPECT(told[0] + told[1] == number[0] + number[2] && told[0] != told[1]);
    EXPECT(unipc_loop_bell_arm(bell, unipc_wait_event(event), number) == 0);
    unipc_loop_bell_close(bell);
    unipc_event_close(event);
    unipc_shm_close(shm);
}

static void refusals(void)
{
    unipc_waitable thing = unipc_wait_fd(0, 4);

    EXPECT(unipc_wait_any(NULL, 0, &now) == -EINVAL);
    EXPECT(unipc_wait_any(&thing, 1, &now) == -EINVAL);
    thing = unipc_wait_fd(0, 0);
    EXPECT(unipc_wait_any(&thing, 1, &now) == -EINVAL);
    thing = unipc_wait_fd(-1, UNIPC_WAIT_READ);
    EXPECT(unipc_wait_any(&thing, 1, &now) == -EBADF);
    thing = unipc_wait_fd(1000000, UNIPC_WAIT_READ);
    EXPECT(unipc_wait_any(&thing, 1, &now) == -EBADF && strstr(unipc_last_error(), "1000000"));
    memset(&thing, 0, sizeof thing);
    EXPECT(unipc_wait_any(&thing, 1, &now) == -EINVAL);
}

int main(void)
{
    every_kind();
    poller();
    doorbell();
    loop_bell();
    refusals();
    puts("all as promised");
    return 0;
}
