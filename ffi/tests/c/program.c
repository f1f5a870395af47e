/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Calls functions once, and expects what their comments in the headers promise. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <unipc.h>

#include "expect.h"

static void base(void)
{
    EXPECT(unipc_version() == UNIPC_VERSION_NUMBER);
    EXPECT(strcmp(unipc_version_string(), UNIPC_VERSION_STRING) == 0);
    EXPECT(unipc_page_size() == (size_t)sysconf(_SC_PAGESIZE));
}

static void mechanisms(void)
{
    unipc_mechanism row;

    EXPECT(unipc_mechanism_count() > 10);
    EXPECT(unipc_mechanism_at(0, &row) == 0);
    EXPECT(strcmp(row.name, "pipe") == 0 && row.flow_control == 1 && row.records == 0);
    EXPECT(unipc_mechanism_at(unipc_mechanism_count(), &row) == -EINVAL);
}

static void errors(void)
{
    unipc_shm *shm;

    EXPECT(strcmp(unipc_last_error(), "") == 0);
    errno = 0;
    EXPECT(unipc_shm_open(&shm, "file:/nowhere/at/all", 0, NULL) == -ENOENT);
    EXPECT(errno == ENOENT && shm == NULL);
    EXPECT(strstr(unipc_last_error(), "/nowhere/at/all") != NULL);
    EXPECT(strcmp(unipc_strerror(-EEXIST), "File exists") == 0);
    EXPECT(strcmp(unipc_errname(EEXIST), "EEXIST") == 0);
}

static void names(void)
{
    char spelling[8];
    int32_t key;

    EXPECT(unipc_name_check("/demo") == 0);
    EXPECT(unipc_name_check("demo") == -EINVAL);
    EXPECT(unipc_name_canonical("posix:/demonstration", spelling, sizeof spelling) == 14);
    EXPECT(strcmp(spelling, "/demons") == 0);
    EXPECT(unipc_ftok("/", 1, &key) == 0 && key >> 24 == 1);
}

/* What a handle of any backing can do. */
static void bytes(unipc_shm *shm)
{
    char word[6] = "";
    int order = 7;

    EXPECT(unipc_shm_size(shm) == 4097 && unipc_shm_mapped_size(shm) >= 4097);
    EXPECT(unipc_shm_at(shm, 1, 4096) == (char *)unipc_shm_data(shm) + 1);
    EXPECT(unipc_shm_at(shm, 1, 4097) == NULL && errno == ERANGE);
    EXPECT(unipc_shm_is_read_only(shm) == 0);
    EXPECT(unipc_shm_fill(shm, 0, 4097, 'x') == 0);
    EXPECT(unipc_shm_write_at(shm, 4091, "hello", 6) == 0);
    EXPECT(unipc_shm_read_at(shm, 4091, word, 6) == 0 && strcmp(word, "hello") == 0);
    EXPECT(unipc_shm_compare(shm, 4091, "help!", 6, &order) == 0 && order == -1);
    EXPECT(unipc_shm_begin_access(shm) == 0);
    EXPECT(*(char *)unipc_shm_data(shm) == 'x');
    EXPECT(unipc_shm_end_access(shm) == 0);
}

static void atomics(const unipc_shm *shm)
{
    uint32_t word = 1;
    uint64_t wide = 1;

    EXPECT(unipc_shm_store_u32(shm, 0, UINT32_MAX) == 0);
    EXPECT(unipc_shm_add_u32(shm, 0, 2, &word) == 0 && word == UINT32_MAX);
    EXPECT(unipc_shm_add_u32(shm, 0, 1, NULL) == 0);
    EXPECT(unipc_shm_load_u32(shm, 0, &word) == 0 && word == 2);
    EXPECT(unipc_shm_compare_exchange_u32(shm, 0, 2, 5, &word) == 1 && word == 2);
    EXPECT(unipc_shm_compare_exchange_u32(shm, 0, 2, 6, &word) == 0 && word == 5);
    EXPECT(unipc_shm_load_u32(shm, 2, &word) == -EINVAL && word == 5);

    EXPECT(unipc_shm_store_u64(shm, 8, UINT64_MAX) == 0);
    EXPECT(unipc_shm_add_u64(shm, 8, 2, &wide) == 0 && wide == UINT64_MAX);
    EXPECT(unipc_shm_load_u64(shm, 8, &wide) == 0 && wide == 1);
    EXPECT(unipc_shm_compare_exchange_u64(shm, 8, 1, 5, NULL) == 1);
    EXPECT(unipc_shm_compare_exchange_u64(shm, 8, 1, 6, &wide) == 0 && wide == 5);
}

static void posix(void)
{
    char name[64];
    unipc_shm *mine, *other;

    snprintf(name, sizeof name, "/ffi-program-%ld", (long)getpid());
    EXPECT(unipc_shm_create(&mine, name, 4097, 0, &UNIPC_SHM_OPTS(.mode = 0640)) == 0);
    EXPECT(strcmp(unipc_shm_name(mine), name) == 0);
    EXPECT(unipc_shm_backing(mine) == UNIPC_BACKING_POSIX);
    EXPECT(fcntl(unipc_shm_fd(mine), F_GETFD) == FD_CLOEXEC);
    EXPECT(unipc_shm_id(mine) == -EOPNOTSUPP);
    bytes(mine);
    atomics(mine);

    EXPECT(unipc_shm_open_or_create(&other, name, 4097, 0, NULL) == 0);
    EXPECT(unipc_shm_resize(mine, 10000) == 0 && unipc_shm_size(mine) == 10000);
    EXPECT(unipc_shm_refresh(other) == 0 && unipc_shm_size(other) == 10000);
    EXPECT(unipc_shm_flush(mine, 0, 0, UNIPC_FLUSH_ASYNC) == 0);
    EXPECT(unipc_shm_advise(mine, 0, 0, UNIPC_ADVICE_WILL_NEED) == 0);
    EXPECT(unipc_shm_lock(mine) == 0 && unipc_shm_unlock(mine) == 0);
    EXPECT(unipc_shm_unlink(name) == 0);
    EXPECT(unipc_shm_remove(other, 0) == -ENOENT);
    unipc_shm_close(other);
    unipc_shm_close(mine);
    unipc_shm_close(NULL);
}

static void memfd(void)
{
    unipc_shm *mine, *other;
    int fd;

    EXPECT(unipc_shm_create(&mine, "memfd:program", 4097, 0, NULL) == 0);
    bytes(mine);
    EXPECT((unipc_shm_seals(mine) & ~UNIPC_SEAL_EXEC) == UNIPC_SEAL_SHRINK);
    EXPECT(unipc_shm_add_seals(mine, UNIPC_SEAL_GROW) == 0);
    fd = unipc_shm_read_only_fd(mine);
    EXPECT(fd >= 0);
    EXPECT(unipc_shm_from_fd(&other, fd, 0, NULL) == -EACCES);
    EXPECT(unipc_shm_from_fd(&other, fd, UNIPC_SHM_READ_ONLY,
                             &UNIPC_SHM_OPTS(.required_seals = UNIPC_SEAL_FUTURE_WRITE)) == 0);
    EXPECT(close(fd) == 0);
    EXPECT(strcmp((char *)unipc_shm_data(other) + 4091, "hello") == 0);
    unipc_shm_close(other);
    unipc_shm_close(mine);
}

static void system_v(void)
{
    unipc_shm_sysv_status status, first;
    unipc_shm_limit_values limits;
    unipc_shm_usage_values usage;
    unipc_shm *shm;
    int id;

    EXPECT(unipc_shm_create(&shm, "sysv:private", 4097, 0, NULL) == 0);
    bytes(shm);
    id = unipc_shm_id(shm);
    EXPECT(id >= 0 && unipc_shm_fd(shm) == -EOPNOTSUPP);
    EXPECT(unipc_shm_sysv_set(id, UINT32_MAX, UINT32_MAX, 0640) == 0);
    EXPECT(unipc_shm_sysv_lock(id) == 0);
    EXPECT(unipc_shm_sysv_stat(id, &status) == 0);
    EXPECT(status.id == id && status.size == 4097 && status.mode == 0640 && status.attached == 1);
    EXPECT(status.uid == geteuid() && status.creator_pid == getpid() && status.locked);
    EXPECT(unipc_shm_sysv_unlock(id) == 0);
    EXPECT(unipc_shm_sysv_list(&first, 1) >= 1 && first.size > 0);
    EXPECT(unipc_shm_limits(&limits) == 0 && limits.shmmax >= 4097);
    EXPECT(unipc_shm_usage(&usage) == 0 && usage.segments >= 1);
    EXPECT(unipc_shm_sysv_remove(id) == 0);
    EXPECT(unipc_shm_sysv_stat(id, &status) == 0 && status.removed && status.key == 0);
    unipc_shm_close(shm);
}

static void called(void *argument)
{
    EXPECT(write(*(int *)argument, "!", 1) == 1);
}

/* What a queue of either kind can do. */
static void messages(unipc_mq *mq, int backing)
{
    const struct timespec now = {0, 0}, soon = {0, 1000000};
    char text[32];
    uint64_t count;
    long tag;

    EXPECT(unipc_mq_backing(mq) == backing && unipc_mq_max_size(mq) >= sizeof text);
    EXPECT(unipc_mq_receive(mq, 0, 0, text, sizeof text, &tag, &now) == -EAGAIN);
    EXPECT(unipc_mq_receive(mq, 0, 0, text, sizeof text, &tag, &soon) == -ETIMEDOUT);
    EXPECT(unipc_mq_send(mq, 3, "three", 5, NULL) == 0);
    EXPECT(unipc_mq_messages(mq, &count) == 0 && count == 1);
    EXPECT(unipc_mq_receive(mq, 0, 0, text, sizeof text, &tag, NULL) == 5);
    EXPECT(tag == 3 && memcmp(text, "three", 5) == 0);
}

static void posix_queue(void)
{
    const struct timespec now = {0, 0};
    unipc_mq_posix_status status;
    unipc_mq *mq, *other;
    char name[64], letter;
    int ends[2];

    snprintf(name, sizeof name, "/unipc-program-%ld", (long)getpid());
    EXPECT(unipc_mq_create(&mq, name, 0, &UNIPC_MQ_OPTS(.max_messages = 2, .max_size = 32)) == 0);
    EXPECT(strcmp(unipc_mq_name(mq), name) == 0);
    EXPECT(unipc_mq_open(&other, name, UNIPC_MQ_SEND_ONLY, NULL) == 0);
    messages(mq, UNIPC_BACKING_POSIX);
    EXPECT(unipc_mq_fd(mq) >= 0 && unipc_mq_id(mq) == -EOPNOTSUPP);
    EXPECT(unipc_mq_notify_signal(mq, SIGUSR1, 7) == 0);
    EXPECT(unipc_mq_posix_stat(mq, &status) == 0);
    EXPECT(status.max_messages == 2 && status.max_size == 32 && status.mode == 0600);
    EXPECT(status.notify_pid == getpid() && status.notify_signal == SIGUSR1);
    EXPECT(unipc_mq_cancel_notification(mq) == 0);
    EXPECT(pipe(ends) == 0 && unipc_mq_notify_thread(mq, called, &ends[1]) == 0);
    EXPECT(unipc_mq_send(other, 0, NULL, 0, &now) == 0);
    EXPECT(read(ends[0], &letter, 1) == 1 && letter == '!');
    close(ends[0]);
    close(ends[1]);
    unipc_mq_close(other);
    EXPECT(unipc_mq_unlink(name) == 0 && unipc_mq_remove(mq) == -ENOENT);
    unipc_mq_close(mq);
}

static void system_v_queue(void)
{
    unipc_mq_sysv_status status, first;
    unipc_mq_limit_values limits;
    unipc_mq_usage_values usage;
    unipc_mq *mq, *other;
    ssize_t peeked;
    long tag;
    int id;

    EXPECT(unipc_mq_open_or_create(&mq, "sysv:private", 0, NULL) == 0);
    messages(mq, UNIPC_BACKING_SYSTEM_V);
    id = unipc_mq_id(mq);
    EXPECT(id >= 0 && unipc_mq_fd(mq) == -EOPNOTSUPP);
    EXPECT(unipc_mq_open(&other, unipc_mq_name(mq), 0, NULL) == 0);
    EXPECT(unipc_mq_send(other, 9, "nine", 4, NULL) == 0);
    peeked = unipc_mq_peek(mq, 0, NULL, 0, &tag);
    EXPECT((peeked == 4 && tag == 9) || peeked == -EOPNOTSUPP);
    EXPECT(unipc_mq_sysv_set(id, UINT32_MAX, UINT32_MAX, 0640, 100) == 0);
    EXPECT(unipc_mq_sysv_stat(id, &status) == 0 && status.id == id && status.mode == 0640);
    EXPECT(status.messages == 1 && status.bytes == 4 && status.max_bytes == 100);
    EXPECT(status.last_send_pid == getpid() && status.last_receive_pid == getpid());
    EXPECT(unipc_mq_sysv_list(&first, 1) >= 1 && first.max_bytes > 0);
    EXPECT(unipc_mq_limits(&limits) == 0 && limits.msgmax > 0);
    EXPECT(unipc_mq_usage(&usage) == 0 && usage.queues >= 1);
    EXPECT(unipc_mq_sysv_remove(id) == 0);
    EXPECT(unipc_mq_send(mq, 1, NULL, 0, NULL) == -EIDRM);
    unipc_mq_close(other);
    unipc_mq_close(mq);
}

/* What two ends of a stream say to each other. */
static void stream(unipc_socket *one, unipc_socket *other)
{
    const struct timespec now = {0, 0}, soon = {10, 0};
    char text[16], name[UNIPC_SOCKET_NAME_SIZE];
    size_t done = 9;

    EXPECT(unipc_socket_kind_of(one) == UNIPC_SOCKET_STREAM);
    EXPECT(unipc_socket_fd(one) >= 0);
    EXPECT(unipc_socket_recv(other, text, sizeof text, &now) == -EAGAIN);
    EXPECT(unipc_socket_send(one, "hel", 3, &soon) == 3);
    EXPECT(unipc_socket_send_all(one, "lo", 2, NULL, &done) == 0 && done == 2);
    EXPECT(unipc_socket_waiting(other) == 5 && unipc_socket_unsent(one) >= 0);
    EXPECT(unipc_socket_next_size(other, &soon) == 5);
    EXPECT(unipc_socket_recv_exact(other, text, 4, &soon, &done) == 0 && done == 4);
    EXPECT(unipc_socket_recv(other, text + 4, 1, NULL) == 1);
    EXPECT(memcmp(text, "hello", 5) == 0);
    EXPECT(unipc_socket_local_name(one, name, sizeof name) >= 0);
    EXPECT(unipc_socket_peer_name(one, name, sizeof name) >= 0);
    EXPECT(unipc_socket_set_send_buffer(one, 10000) == 20000);
    EXPECT(unipc_socket_send_buffer(one) == 20000);
    EXPECT(unipc_socket_set_receive_buffer(one, 10000) == 20000);
    EXPECT(unipc_socket_receive_buffer(one) == 20000);
    EXPECT(unipc_socket_send(one, "xyz", 3, NULL) == 3);
    EXPECT(unipc_socket_shutdown(one, UNIPC_SHUTDOWN_SEND) == 0);
    EXPECT(unipc_socket_send(one, "x", 1, NULL) == -EPIPE);
    EXPECT(unipc_socket_recv_exact(other, text, 4, &soon, &done) == -EBADMSG && done == 3);
    EXPECT(unipc_socket_recv(other, text, sizeof text, NULL) == 0);
}

static void unix_sockets(void)
{
    const struct timespec soon = {10, 0};
    char name[64];
    unipc_listener *listener, *again;
    unipc_socket *client, *server;
    unipc_credentials peer;

    snprintf(name, sizeof name, "unix:/tmp/unipc-%ld.socket", (long)getpid());
    EXPECT(unipc_listener_bind(&listener, name, 0, &UNIPC_SOCKET_OPTS(.mode = 0660)) == 0);
    EXPECT(unipc_listener_kind_of(listener) == UNIPC_SOCKET_STREAM);
    EXPECT(unipc_listener_fd(listener) >= 0);
    EXPECT(unipc_listener_bind(&again, name, 0, NULL) == -EADDRINUSE && again == NULL);
    EXPECT(unipc_socket_connect(&client, name, UNIPC_SOCKET_OWN_ONLY, NULL, &soon) == 0);
    EXPECT(unipc_listener_accept(&server, listener, &soon) == 0);
    EXPECT(unipc_socket_peer_credentials(server, &peer) == 0 && peer.pid == getpid());
    stream(client, server);
    unipc_socket_close(client);
    unipc_socket_close(server);
    EXPECT(unipc_listener_from_fd(&again, unipc_listener_fd(listener)) == 0);
    unipc_listener_close(again);
    EXPECT(unipc_listener_remove(listener) == 0);
    EXPECT(unipc_socket_unlink(name) == -ENOENT);
    unipc_listener_close(listener);
    EXPECT(unipc_socket_bind(&server, name, 0, NULL) == 0);
    EXPECT(unipc_socket_remove(server) == 0);
    unipc_socket_close(server);
}

static void tcp_and_udp(void)
{
    const struct timespec soon = {10, 0};
    char name[UNIPC_SOCKET_NAME_SIZE], sender[UNIPC_SOCKET_NAME_SIZE], text[8];
    unipc_listener *listener;
    unipc_socket *client, *server;

    EXPECT(unipc_listener_bind(&listener, "tcp:127.0.0.1:0", 0, NULL) == 0);
    EXPECT(unipc_listener_name(listener, name, sizeof name) > 14);
    EXPECT(unipc_socket_connect(&client, name, 0, NULL, &soon) == 0);
    EXPECT(unipc_listener_accept(&server, listener, &soon) == 0);
    EXPECT(unipc_socket_delay(client) == 0 && unipc_socket_set_delay(client, 1) == 0);
    EXPECT(unipc_socket_delay(client) == 1);
    stream(client, server);
    unipc_socket_close(client);
    unipc_socket_close(server);
    unipc_listener_close(listener);
    EXPECT(unipc_socket_bind(&server, "udp:127.0.0.1:0", 0, NULL) == 0);
    EXPECT(unipc_socket_local_name(server, name, sizeof name) > 14);
    EXPECT(unipc_socket_connect(&client, name, 0, NULL, &soon) == 0);
    EXPECT(unipc_socket_send(client, "ping", 4, &soon) == 4);
    EXPECT(unipc_socket_recv_from(server, text, 8, sender, sizeof sender, &soon) == 4);
    EXPECT(unipc_socket_send_to(server, "pong", 4, sender, &soon) == 4);
    EXPECT(unipc_socket_recv(client, text, 8, &soon) == 4 && memcmp(text, "pong", 4) == 0);
    unipc_socket_close(client);
    unipc_socket_close(server);
}

static void descriptors(void)
{
    const struct timespec now = {0, 0};
    unipc_fd_opts memory = UNIPC_FD_OPTS_INIT;
    unipc_socket *one, *other, *again;
    unipc_received received;
    unipc_shm *shm;
    char text[8];
    int fds[2], fd;

    memory.kind = UNIPC_FD_MEMFD;
    memory.seals = UNIPC_SEAL_SHRINK;
    memory.size = 100;
    EXPECT(unipc_socket_pair(&one, &other, UNIPC_SOCKET_SEQPACKET, 0) == 0);
    EXPECT(unipc_socket_pass_credentials(other, 1) == 0);
    EXPECT(unipc_shm_create(&shm, "memfd:passed", 100, 0, NULL) == 0);
    fds[0] = unipc_shm_fd(shm);
    fds[1] = STDIN_FILENO;
    EXPECT(unipc_socket_send_message(one, "hi", 2, fds, 1, NULL, NULL) == 2);
    EXPECT(unipc_socket_recv_message(other, text, 8, &fd, 1, &memory, &received, NULL) == 2);
    EXPECT(received.fds == 1 && !received.ended && received.has_credentials);
    EXPECT(received.credentials.pid == getpid());
    close(fd);
    EXPECT(unipc_fd_send(unipc_socket_fd(one), fds, 2, NULL) == 0);
    EXPECT(unipc_fd_recv(unipc_socket_fd(other), &fd, 1, NULL, NULL) == -EPERM);
    EXPECT(unipc_fd_send(unipc_socket_fd(one), fds, 2, NULL) == 0);
    EXPECT(unipc_fd_recv(unipc_socket_fd(other), fds, 2, &UNIPC_FD_OPTS(.least = 2), NULL) == 2);
    close(fds[0]);
    close(fds[1]);
    EXPECT(unipc_fd_recv(unipc_socket_fd(other), fds, 2, NULL, &now) == -EAGAIN);
    EXPECT(unipc_socket_from_fd(&again, unipc_socket_fd(one)) == 0);
    unipc_socket_close(one);
    unipc_socket_close(again);
    EXPECT(unipc_socket_recv_message(other, text, 8, NULL, 0, NULL, &received, NULL) == 0);
    EXPECT(received.ended);
    unipc_shm_close(shm);
    unipc_socket_close(other);
}

static void signal_words(void)
{
    EXPECT(unipc_signal_number("SIGTERM") == SIGTERM);
    EXPECT(unipc_signal_number("nosuch") == -EINVAL);
    EXPECT(strcmp(unipc_signal_name(unipc_signal_realtime(3)), "SIGRTMIN+3") == 0);
    EXPECT(strcmp(unipc_signal_description(SIGINT), "Interrupt") == 0);
    EXPECT(unipc_signal_default_action(SIGCHLD) == UNIPC_SIGNAL_IS_IGNORED);
    EXPECT(strcmp(unipc_signal_cause(SIGCHLD, CLD_EXITED), "CLD_EXITED") == 0);
}

static void signals_taken(int data)
{
    const struct timespec try = {0, 0};
    sigset_t set, mask, told;
    unipc_signal_info infos[4];
    unipc_signal_stream *stream;

    sigemptyset(&set);
    sigaddset(&set, data);
    EXPECT(unipc_signal_block(&set, &mask) == 0);
    EXPECT(unipc_signal_mask(&told) == 0 && sigismember(&told, data));
    EXPECT(unipc_signal_wait(&set, NULL, &try) == -EAGAIN);
    EXPECT(unipc_signal_send(getpid(), data) == 0);
    EXPECT(unipc_signal_raise(data) == 0);
    EXPECT(unipc_signal_queue(getpid(), data, 7) == 0);
    EXPECT(unipc_signal_queue_pointer(getpid(), data, &set) == 0);
    EXPECT(unipc_signal_pending(&told) == 0 && sigismember(&told, data));
    EXPECT(unipc_signal_wait(&set, infos, NULL) == data);
    EXPECT(infos[0].code == SI_TKILL && infos[0].pid == getpid());
    EXPECT(unipc_signal_stream_open(&stream, &set, 0) == 0);
    EXPECT(unipc_signal_stream_read(stream, infos, NULL) == data && infos[0].code == SI_USER);
    EXPECT(unipc_signal_stream_read_many(stream, infos, 4, NULL) == 2);
    EXPECT(infos[0].value == 7 && infos[1].pointer == (uintptr_t)&set);
    EXPECT(infos[0].uid == getuid());
    EXPECT(unipc_signal_stream_set(stream, &told) == 0 && sigismember(&told, data));
    EXPECT(fcntl(unipc_signal_stream_fd(stream), F_GETFD) == FD_CLOEXEC);
    EXPECT(unipc_signal_stream_change(stream, &set) == 0);
    unipc_signal_stream_close(stream);
    EXPECT(unipc_signal_unblock(&set, NULL) == 0);
    EXPECT(unipc_signal_set_mask(&mask, NULL) == 0);
}

static void signals_counted(int data)
{
    sigset_t set, told;
    unipc_signal_counts counts;
    unipc_signal_counter *counter;
    unipc_signal_action_values action;

    sigemptyset(&set);
    sigaddset(&set, data);
    EXPECT(unipc_signal_counter_open(&counter, &set, 0, NULL) == 0);
    EXPECT(unipc_signal_action(data, &action) == 0 && action.disposition == UNIPC_SIGNAL_COUNTER);
    EXPECT(unipc_signal_ensure_unhandled(data) == -EBUSY);
    EXPECT(unipc_signal_raise(data) == 0 && unipc_signal_raise(data) == 0);
    EXPECT(unipc_signal_counter_wait(counter, &counts, NULL) == 1 && counts.of[data] == 2);
    EXPECT(unipc_signal_counter_take(counter, &counts) == 0 && counts.of[data] == 0);
    EXPECT(unipc_signal_counter_set(counter, &told) == 0 && sigismember(&told, data));
    EXPECT(fcntl(unipc_signal_counter_fd(counter), F_GETFD) == FD_CLOEXEC);
    unipc_signal_counter_close(counter);
    EXPECT(unipc_signal_ignore(data, &action) == 0 && action.disposition == UNIPC_SIGNAL_DEFAULT);
    EXPECT(unipc_signal_raise(data) == 0);
    EXPECT(unipc_signal_set_action(data, &action, NULL) == 0);
    EXPECT(unipc_signal_reset(data, NULL) == 0);
}

static void signals(void)
{
    const pid_t child = fork();
    uint64_t started;
    unipc_signal_status status;
    sigset_t reserved;

    if (child == 0) {
        alarm(60); /* should its parent fail */
        for (;;)
            pause();
    }
    EXPECT(unipc_signal_probe(child) == 0);
    EXPECT(unipc_signal_stat(child, &status) == 0 && status.queue_limit > 0);
    EXPECT(unipc_signal_start_time(child, &started) == 0 && started > 0);
    /* The queues have waited with a limit. */
    EXPECT(unipc_signal_reserved(&reserved) == 0);
    EXPECT(sigismember(&reserved, unipc_signal_timeout_signal()) == 1);
    EXPECT(unipc_signal_send_thread(child, child, SIGCONT) == 0);
    EXPECT(unipc_signal_queue_thread(child, child, SIGCONT, 1) == 0);
    EXPECT(unipc_signal_send_group(1, SIGTERM) == -EINVAL);
    /* valgrind does not know these calls of the kernel. */
    const int pidfd = unipc_signal_pidfd_open(child);
    EXPECT(pidfd >= 0 || pidfd == -ENOSYS);
    if (pidfd >= 0) {
        EXPECT(unipc_signal_pidfd_pid(pidfd) == child && unipc_signal_pidfd_is_alive(pidfd) == 1);
        EXPECT(unipc_signal_pidfd_open_started(child, started + 1) == -ESRCH);
        EXPECT(unipc_signal_pidfd_queue(pidfd, SIGCONT, 1) == 0);
        EXPECT(unipc_signal_pidfd_queue_pointer(pidfd, SIGCONT, NULL) == 0);
        EXPECT(unipc_signal_pidfd_send_group(pidfd, SIGTERM) < 0);
        EXPECT(unipc_signal_pidfd_send(pidfd, SIGTERM) == 0);
        close(pidfd);
    } else {
        EXPECT(unipc_signal_send(child, SIGTERM) == 0);
    }
    EXPECT(waitpid(child, NULL, 0) == child);
    signal_words();
    signals_taken(unipc_signal_realtime(1));
    signals_counted(unipc_signal_realtime(1));
}

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
    EXPECT((call = unipc_client_begin(client, "?", 1, NULL)) >= 0);
    EXPECT(unipc_client_cancel(client, call) == 0);
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
    base();
    errors();
    mechanisms();
    names();
    posix();
    memfd();
    system_v();
    posix_queue();
    system_v_queue();
    unix_sockets();
    tcp_and_udp();
    descriptors();
    signals();
    channel_queue();
    channel_descriptors();
    channel_topic();
    channel_service();
    puts("all as promised");
    return 0;
}
