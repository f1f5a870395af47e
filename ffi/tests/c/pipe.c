/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Calls every function of pipes, FIFOs, turnstiles and frames, and expects what the headers promise. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <unipc.h>

#include "expect.h"

static const struct timespec now = {0, 0}, soon = {0, 5000000}, enough = {30, 0};

/* More than a pipe holds. */
static char large[100000];

static void made_and_refused(void)
{
    const struct timespec bad = {-1, 0};
    unipc_pipe *reader, *writer;
    char byte;

    EXPECT(unipc_pipe_create(&reader, &writer, 8, NULL) == -EINVAL);
    EXPECT(reader == NULL && writer == NULL);
    EXPECT(unipc_pipe_create(NULL, &writer, 0, NULL) == -EINVAL);
    EXPECT(unipc_pipe_create(&reader, &writer, 0, NULL) == 0);
    EXPECT(fcntl(unipc_pipe_fd(reader), F_GETFD) == FD_CLOEXEC);
    EXPECT(fcntl(unipc_pipe_fd(writer), F_GETFD) == FD_CLOEXEC);
    EXPECT(unipc_pipe_fd(NULL) == -EINVAL && unipc_pipe_name(NULL) == NULL);
    EXPECT(unipc_pipe_read(reader, &byte, 1, &now) == -EAGAIN);
    EXPECT(unipc_pipe_read(reader, &byte, 1, &soon) == -ETIMEDOUT);
    EXPECT(unipc_pipe_read(reader, &byte, 1, &bad) == -EINVAL);
    EXPECT(unipc_pipe_read(reader, NULL, 1, &now) == -EINVAL);
    EXPECT(unipc_pipe_read(writer, &byte, 1, &now) == -EBADF);
    EXPECT(unipc_pipe_write(reader, "x", 1, &now) == -EBADF);
    EXPECT(unipc_pipe_write(writer, "x", 1, &bad) == -EINVAL);
    EXPECT(unipc_pipe_write(writer, NULL, 0, &now) == 0);
    EXPECT(unipc_pipe_finish_writing(writer) == -ENOTSOCK);
    EXPECT(unipc_pipe_waiting(NULL) == -EINVAL && unipc_pipe_capacity(NULL) == -EINVAL);
    unipc_pipe_close(reader);
    unipc_pipe_close(writer);
    unipc_pipe_close(NULL);
}

static void bytes(void)
{
    unipc_pipe *reader, *writer, *copy;
    char word[8] = "";
    size_t done = 7;

    EXPECT(unipc_pipe_create(&reader, &writer, 0, NULL) == 0);
    EXPECT(unipc_pipe_clone(&copy, writer) == 0);
    EXPECT(unipc_pipe_fd(copy) != unipc_pipe_fd(writer));
    EXPECT(unipc_pipe_clone(NULL, writer) == -EINVAL);
    EXPECT(unipc_pipe_write(writer, "hello", 5, &enough) == 5);
    EXPECT(unipc_pipe_waiting(reader) == 5 && unipc_pipe_waiting(writer) == 5);
    EXPECT(unipc_pipe_read(reader, word, sizeof word, &enough) == 5);
    EXPECT(memcmp(word, "hello", 5) == 0);

    EXPECT(unipc_pipe_write_all(copy, "help", 4, &now, &done) == 0 && done == 4);
    EXPECT(unipc_pipe_read_exact(reader, word, 3, &now, &done) == 0 && done == 3);
    EXPECT(unipc_pipe_read_exact(reader, word, 3, &now, &done) == -EAGAIN);
    EXPECT(done == 1 && word[0] == 'p');
    EXPECT(unipc_pipe_read_exact(reader, word, 3, &soon, NULL) == -ETIMEDOUT);

    unipc_pipe_close(writer);
    EXPECT(unipc_pipe_read(reader, word, sizeof word, &now) == -EAGAIN);
    EXPECT(unipc_pipe_write_atomic(copy, "ab", 2, &enough) == 0);
    unipc_pipe_close(copy);
    EXPECT(unipc_pipe_read_exact(reader, word, 3, &enough, &done) == -EBADMSG);
    EXPECT(done == 2 && memcmp(word, "ab", 2) == 0);
    EXPECT(unipc_pipe_read_exact(reader, word, 3, &enough, &done) == -ENODATA && done == 0);
    EXPECT(unipc_pipe_read(reader, word, sizeof word, &enough) == 0);
    unipc_pipe_close(reader);
}

static void room(void)
{
    unipc_pipe *reader, *writer;
    size_t done;

    EXPECT(unipc_pipe_create(&reader, &writer, 0, NULL) == 0);
    EXPECT(unipc_pipe_capacity(reader) == 65536 && unipc_pipe_capacity(writer) == 65536);
    EXPECT(unipc_pipe_write(writer, large, sizeof large, &enough) == 65536);
    EXPECT(unipc_pipe_write(writer, large, 1, &now) == -EAGAIN);
    EXPECT(unipc_pipe_write(writer, large, 1, &soon) == -ETIMEDOUT);
    EXPECT(unipc_pipe_write_atomic(writer, large, 1, &now) == -EAGAIN);
    EXPECT(unipc_pipe_write_atomic(writer, large, UNIPC_PIPE_BUF + 1, &now) == -EMSGSIZE);
    EXPECT(unipc_pipe_write_all(writer, large, 1, &soon, &done) == -ETIMEDOUT && done == 0);
    EXPECT(unipc_pipe_set_capacity(reader, 4096) == -EBUSY);
    EXPECT(unipc_pipe_read_exact(reader, large, 65536, &enough, NULL) == 0);
    EXPECT(unipc_pipe_write_all(writer, large, sizeof large, &now, &done) == -EAGAIN);
    EXPECT(done == 65536);
    unipc_pipe_close(reader);
    EXPECT(unipc_pipe_write(writer, "x", 1, &enough) == -EPIPE);
    EXPECT(unipc_pipe_write_all(writer, "x", 1, &enough, NULL) == -EPIPE);
    EXPECT(unipc_pipe_write_atomic(writer, "x", 1, &enough) == -EPIPE);
    unipc_pipe_close(writer);
}

/* How a child ends that writes where nobody reads, with the default action of SIGPIPE. */
static int ends_with(int allowed, const struct timespec *timeout)
{
    unipc_pipe *reader, *writer;
    int status;

    EXPECT(unipc_pipe_create(&reader, &writer, 0, NULL) == 0);
    EXPECT(unipc_pipe_set_sigpipe(writer, allowed) == 0);
    EXPECT(unipc_pipe_sigpipe(writer) == allowed);
    unipc_pipe_close(reader);
    pid_t child = fork();
    EXPECT(child >= 0);
    if (child == 0) {
        signal(SIGPIPE, SIG_DFL);
        _exit(unipc_pipe_write(writer, "x", 1, timeout) == -EPIPE ? 0 : 1);
    }
    unipc_pipe_close(writer);
    EXPECT(waitpid(child, &status, 0) == child);
    return WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
}

static void sigpipe(void)
{
    EXPECT(ends_with(0, NULL) == 0 && ends_with(0, &enough) == 0);
    EXPECT(ends_with(1, NULL) == SIGPIPE && ends_with(1, &enough) == 0);
    EXPECT(unipc_pipe_set_sigpipe(NULL, 1) == -EINVAL && unipc_pipe_sigpipe(NULL) == -EINVAL);
}

static void packets(void)
{
    unipc_pipe_opts unset = UNIPC_PIPE_OPTS_INIT;
    unipc_pipe *reader, *writer;
    char word[8];

    EXPECT(unipc_pipe_capacity_limit() >= 4096);
    EXPECT(unipc_pipe_create(&reader, &writer, UNIPC_PIPE_PACKETS,
                             &UNIPC_PIPE_OPTS(.capacity = 1 << 17)) == 0);
    EXPECT(unipc_pipe_capacity(reader) == 1 << 17);
    EXPECT(unipc_pipe_set_capacity(writer, 70000) == 1 << 17);
    EXPECT(unipc_pipe_set_capacity(writer, 1) == (ptrdiff_t)unipc_page_size());
    EXPECT(unipc_pipe_set_capacity(NULL, 1) == -EINVAL);
    EXPECT(unipc_pipe_set_capacity(writer, 1 << 17) == 1 << 17);
    EXPECT(unipc_pipe_write(writer, "abcd", 4, &enough) == 4);
    EXPECT(unipc_pipe_write(writer, "e", 1, &enough) == 1);
    EXPECT(unipc_pipe_read(reader, word, 2, &enough) == 2 && memcmp(word, "ab", 2) == 0);
    EXPECT(unipc_pipe_read(reader, word, sizeof word, &enough) == 1 && word[0] == 'e');
    unipc_pipe_close(reader);
    unipc_pipe_close(writer);

    unset.sz = 0;
    EXPECT(unipc_pipe_create(&reader, &writer, 0, &unset) == -EINVAL);
}

static void duplex(void)
{
    unipc_pipe *one, *other, *copy;
    char name[32], word[8];
    int fd;

    EXPECT(unipc_pipe_duplex(&one, NULL) == -EINVAL);
    EXPECT(unipc_pipe_duplex(&one, &other) == 0);
    fd = unipc_pipe_fd(one);
    snprintf(name, sizeof name, "pipe fd %d", fd);
    EXPECT(strcmp(unipc_pipe_name(one), name) == 0);
    EXPECT(fcntl(fd, F_GETFD) == FD_CLOEXEC);
    EXPECT(unipc_pipe_set_inheritable(one, 1) == 0 && fcntl(fd, F_GETFD) == 0);
    EXPECT(unipc_pipe_set_inheritable(one, 0) == 0 && fcntl(fd, F_GETFD) == FD_CLOEXEC);
    EXPECT(unipc_pipe_set_inheritable(NULL, 0) == -EINVAL);
    EXPECT(unipc_pipe_keep_open(one) == -ENXIO);
    EXPECT(unipc_pipe_capacity(one) == -EBADF && unipc_pipe_set_capacity(one, 1) == -EBADF);
    EXPECT(unipc_pipe_write_atomic(one, "x", 1, &enough) == -EOPNOTSUPP);

    EXPECT(unipc_pipe_from_fd(&copy, fd) == 0);
    EXPECT(unipc_pipe_write(copy, "x", 1, &enough) == 1);
    EXPECT(unipc_pipe_finish_writing(one) == 0);
    EXPECT(unipc_pipe_read(other, word, sizeof word, &enough) == 1 && word[0] == 'x');
    EXPECT(unipc_pipe_read(other, word, sizeof word, &enough) == 0);
    EXPECT(unipc_pipe_write(other, "yz", 2, &enough) == 2);
    EXPECT(unipc_pipe_waiting(one) == 2);
    EXPECT(unipc_pipe_read(one, word, sizeof word, &enough) == 2);
    EXPECT(unipc_pipe_write(one, "x", 1, &enough) == -EPIPE);
    unipc_pipe_close(copy);
    unipc_pipe_close(other);
    unipc_pipe_close(one);

    EXPECT(unipc_pipe_from_fd(&copy, -1) == -EBADF && copy == NULL);
    EXPECT((fd = open("/", O_RDONLY)) >= 0);
    EXPECT(unipc_pipe_from_fd(&copy, fd) == -EOPNOTSUPP);
    EXPECT(close(fd) == 0);
}

static void fifo_names(const char *directory)
{
    char name[96], other[96];
    struct stat status;
    mode_t mask;

    snprintf(name, sizeof name, "file:%s/fifo", directory);
    snprintf(other, sizeof other, "file:%s/other", directory);
    mask = umask(077);
    EXPECT(unipc_fifo_create(name, 0, 0646) == 0);
    umask(mask);
    EXPECT(stat(name + 5, &status) == 0 && S_ISFIFO(status.st_mode));
    EXPECT((status.st_mode & 07777) == 0646);
    EXPECT(unipc_fifo_create(name, 0, 0) == -EEXIST);
    EXPECT(unipc_fifo_create(name, UNIPC_FIFO_EXIST_OK, 0) == 0);
    EXPECT(unipc_fifo_create(other, 2, 0) == -EINVAL);
    EXPECT(unipc_fifo_create(other, 0, 010000) == -EINVAL);
    EXPECT(unipc_fifo_create(NULL, 0, 0) == -EINVAL);
    EXPECT(unipc_fifo_create("/posix", 0, 0) == -EOPNOTSUPP);
    EXPECT(unipc_fifo_create("file:/nowhere/at/all", 0, 0) == -ENOENT);
    EXPECT(unipc_fifo_unlink(name) == 0);
    EXPECT(unipc_fifo_unlink(name) == -ENOENT);
    EXPECT(unipc_fifo_unlink("/posix") == -EOPNOTSUPP);

    EXPECT(symlink(name + 5, other + 5) == 0);
    EXPECT(unipc_fifo_create(other, 0, 0) == -EEXIST);
    EXPECT(stat(name + 5, &status) == -1 && errno == ENOENT);
    EXPECT(unlink(other + 5) == 0);
    EXPECT(unipc_fifo_create(other, 0, 0) == 0);
    EXPECT(stat(other + 5, &status) == 0 && (status.st_mode & 07777) == 0600);
    EXPECT(unipc_fifo_unlink(other) == 0);
}

static void no_fifo(const char *directory)
{
    char name[96];
    unipc_pipe *end;
    int fd;

    snprintf(name, sizeof name, "file:%s/file", directory);
    EXPECT(unipc_fifo_reader(&end, name, &now) == -ENOENT && end == NULL);
    EXPECT(unipc_fifo_writer(&end, name, &now) == -ENOENT && end == NULL);
    EXPECT((fd = open(name + 5, O_CREAT | O_WRONLY, 0600)) >= 0 && close(fd) == 0);
    EXPECT(unipc_fifo_create(name, UNIPC_FIFO_EXIST_OK, 0) == -EMEDIUMTYPE);
    EXPECT(unipc_fifo_reader(&end, name, &enough) == -EMEDIUMTYPE);
    EXPECT(unipc_fifo_writer(&end, name, &enough) == -EMEDIUMTYPE);
    EXPECT(unipc_fifo_unlink(name) == -EMEDIUMTYPE);
    EXPECT(unlink(name + 5) == 0);
    EXPECT(unipc_fifo_reader(&end, "/posix", &now) == -EOPNOTSUPP);
    EXPECT(unipc_fifo_writer(NULL, name, &now) == -EINVAL);
}

static void ended_well(pid_t child)
{
    int status;

    EXPECT(waitpid(child, &status, 0) == child && status == 0);
}

static void fifo_ends(const char *directory)
{
    unipc_pipe *reader, *writer;
    char name[96], word[8];
    pid_t child;

    snprintf(name, sizeof name, "file:%s/ends", directory);
    EXPECT(unipc_fifo_create(name, 0, 0) == 0);
    EXPECT(unipc_fifo_writer(&writer, name, &now) == -ENXIO);
    EXPECT(unipc_fifo_writer(&writer, name, &soon) == -ETIMEDOUT);
    EXPECT(unipc_fifo_reader(&reader, name, &soon) == -ETIMEDOUT);
    EXPECT((child = fork()) >= 0);
    if (child == 0) {
        EXPECT(unipc_fifo_writer(&writer, name, &enough) == 0);
        EXPECT(unipc_pipe_write(writer, "child", 5, &enough) == 5);
        unipc_pipe_close(writer);
        _exit(0);
    }
    EXPECT(unipc_fifo_reader(&reader, name, &enough) == 0);
    EXPECT(unipc_pipe_read_exact(reader, word, 5, &enough, NULL) == 0);
    EXPECT(memcmp(word, "child", 5) == 0);
    EXPECT(unipc_pipe_read(reader, word, sizeof word, &enough) == 0);
    ended_well(child);
    unipc_pipe_close(reader);

    EXPECT(unipc_fifo_reader(&reader, name, &now) == 0);
    EXPECT(strcmp(unipc_pipe_name(reader), name) == 0);
    EXPECT(unipc_pipe_read(reader, word, sizeof word, &now) == -EAGAIN);
    EXPECT(unipc_fifo_writer(&writer, name, &now) == 0);
    EXPECT(unipc_pipe_keep_open(reader) == 0 && unipc_pipe_keep_open(NULL) == -EINVAL);
    EXPECT(unipc_fifo_unlink(name) == 0);
    EXPECT(unipc_pipe_write(writer, "x", 1, &enough) == 1);
    unipc_pipe_close(writer);
    EXPECT(unipc_pipe_read(reader, word, sizeof word, &enough) == 1);
    EXPECT(unipc_pipe_read(reader, word, sizeof word, &soon) == -ETIMEDOUT);
    unipc_pipe_close(reader);
}

static void turnstile_sides(void)
{
    unipc_turnstile *parent, *child;
    int hear, tell;

    EXPECT(unipc_turnstile_create(NULL) == -EINVAL);
    EXPECT(unipc_turnstile_create(&parent) == 0);
    EXPECT(unipc_turnstile_fds(parent, 3, &hear, &tell) == -EINVAL);
    EXPECT(unipc_turnstile_fds(parent, UNIPC_SIDE_CHILD, &hear, &tell) == 0);
    EXPECT(fcntl(hear, F_GETFD) == FD_CLOEXEC && fcntl(tell, F_GETFD) == FD_CLOEXEC);
    EXPECT(unipc_turnstile_from_fds(&child, 3, hear, tell) == -EINVAL && child == NULL);
    EXPECT(unipc_turnstile_from_fds(&child, UNIPC_SIDE_CHILD, -1, tell) == -EBADF);
    EXPECT(unipc_turnstile_from_fds(&child, UNIPC_SIDE_CHILD, tell, hear) == -EBADF);
    EXPECT(unipc_turnstile_from_fds(&child, UNIPC_SIDE_CHILD, hear, tell) == 0);
    EXPECT(unipc_turnstile_choose(parent, 3) == -EINVAL);
    EXPECT(unipc_turnstile_choose(parent, UNIPC_SIDE_PARENT) == 0);
    EXPECT(unipc_turnstile_choose(parent, UNIPC_SIDE_CHILD) == -EINVAL);
    EXPECT(unipc_turnstile_fds(parent, UNIPC_SIDE_CHILD, &hear, &tell) == -EBADF);

    EXPECT(unipc_turnstile_tell_parent(parent) == -EINVAL);
    EXPECT(unipc_turnstile_wait_parent(parent, &now) == -EINVAL);
    EXPECT(unipc_turnstile_tell_child(child) == -EINVAL);
    EXPECT(unipc_turnstile_wait_child(child, &now) == -EINVAL);
    EXPECT(unipc_turnstile_wait_child(parent, &now) == -EAGAIN);
    EXPECT(unipc_turnstile_wait_parent(child, &soon) == -ETIMEDOUT);
    EXPECT(unipc_turnstile_tell_child(parent) == 0 && unipc_turnstile_tell_child(parent) == 0);
    EXPECT(unipc_turnstile_wait_parent(child, &enough) == 0);
    EXPECT(unipc_turnstile_wait_parent(child, &enough) == 0);
    EXPECT(unipc_turnstile_wait_parent(child, &now) == -EAGAIN);
    unipc_turnstile_close(parent);
    EXPECT(unipc_turnstile_wait_parent(child, &enough) == -EPIPE);
    EXPECT(unipc_turnstile_tell_parent(child) == -EPIPE);
    unipc_turnstile_close(child);
    unipc_turnstile_close(NULL);
}

static void turnstile_fork(void)
{
    unipc_turnstile *turnstile;
    pid_t child;

    EXPECT(unipc_turnstile_create(&turnstile) == 0);
    EXPECT((child = fork()) >= 0);
    if (child == 0) {
        EXPECT(unipc_turnstile_wait_parent(turnstile, &enough) == 0);
        EXPECT(unipc_turnstile_tell_parent(turnstile) == 0);
        unipc_turnstile_close(turnstile);
        _exit(0);
    }
    EXPECT(unipc_turnstile_wait_child(turnstile, &now) == -EAGAIN);
    EXPECT(unipc_turnstile_tell_child(turnstile) == 0);
    EXPECT(unipc_turnstile_wait_child(turnstile, &enough) == 0);
    EXPECT(unipc_turnstile_wait_child(turnstile, &enough) == -EPIPE);
    EXPECT(unipc_turnstile_tell_child(turnstile) == -EPIPE);
    ended_well(child);
    unipc_turnstile_close(turnstile);
}

static void frames(void)
{
    unipc_pipe *reader, *writer;
    unipc_frame_reader *from;
    unipc_frame_writer *to;
    const void *data = NULL;
    char wire[8];
    size_t len = 7;

    EXPECT(unipc_pipe_create(&reader, &writer, 0, NULL) == 0);
    EXPECT(unipc_frame_reader_open(&from, -1, 0) == -EBADF && from == NULL);
    EXPECT(unipc_frame_writer_open(&to, -1, 0, 0) == -EBADF && to == NULL);
    EXPECT(unipc_frame_writer_open(&to, unipc_pipe_fd(writer), 4, 0) == -EINVAL);
    EXPECT(unipc_frame_reader_open(&from, unipc_pipe_fd(reader), 0) == 0);
    EXPECT(unipc_frame_writer_open(&to, unipc_pipe_fd(writer), UNIPC_FRAME_EXCLUSIVE, 0) == 0);
    unipc_pipe_close(writer);

    EXPECT(unipc_frame_write(to, "abc", 3, &enough) == 0);
    EXPECT(unipc_pipe_read(reader, wire, sizeof wire, &enough) == 7);
    EXPECT(memcmp(wire, "\3\0\0\0abc", 7) == 0);
    EXPECT(unipc_frame_read(from, &data, &len, &now) == -EAGAIN && len == 7 && data == NULL);
    EXPECT(unipc_frame_read(from, &data, &len, &soon) == -ETIMEDOUT);
    EXPECT(unipc_frame_read(from, NULL, &len, &now) == -EINVAL);
    EXPECT(unipc_frame_write(to, "abc", 3, &enough) == 0);
    EXPECT(unipc_frame_write(to, NULL, 0, &enough) == 0);
    EXPECT(unipc_frame_read(from, &data, &len, &enough) == 1);
    EXPECT(len == 3 && memcmp(data, "abc", 3) == 0);
    EXPECT(unipc_frame_read(from, &data, &len, &enough) == 1 && len == 0);
    unipc_frame_writer_close(to);
    len = 7;
    EXPECT(unipc_frame_read(from, &data, &len, &enough) == 0 && len == 7);
    unipc_frame_reader_close(from);
    unipc_pipe_close(reader);
    unipc_frame_writer_close(NULL);
    unipc_frame_reader_close(NULL);
}

/* Who allows SIGPIPE gets it, and each size goes: together with its length, and behind it. */
static void frames_with_sigpipe(void)
{
    unipc_pipe *reader, *writer;
    unipc_frame_reader *from;
    unipc_frame_writer *to;
    const void *data;
    size_t len;
    int status;

    EXPECT(unipc_pipe_create(&reader, &writer, 0, NULL) == 0);
    EXPECT(unipc_frame_reader_open(&from, unipc_pipe_fd(reader), 0) == 0);
    EXPECT(unipc_frame_writer_open(&to, unipc_pipe_fd(writer), UNIPC_FRAME_SIGPIPE, 0) == 0);
    unipc_pipe_close(reader);
    memset(large, 's', sizeof large);
    for (size_t size = 200; size < 300; size++) {
        EXPECT(unipc_frame_write(to, large, size, NULL) == 0);
        EXPECT(unipc_frame_read(from, &data, &len, NULL) == 1);
        EXPECT(len == size && memcmp(data, large, len) == 0);
    }
    unipc_frame_reader_close(from);
    for (int sized = 0; sized < 2; sized++) {
        pid_t child = fork();
        EXPECT(child >= 0);
        if (child == 0) {
            signal(SIGPIPE, SIG_DFL);
            _exit(unipc_frame_write(to, large, sized ? 300 : 3, NULL) == -EPIPE ? 0 : 1);
        }
        EXPECT(waitpid(child, &status, 0) == child);
        EXPECT(WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE);
    }
    signal(SIGPIPE, SIG_DFL);
    EXPECT(unipc_frame_write(to, "abc", 3, &enough) == -EPIPE);
    unipc_frame_writer_close(to);
    unipc_pipe_close(writer);
}

/* Frames that go in parts. */
static void long_frames(void)
{
    unipc_pipe *reader, *writer;
    unipc_frame_reader *from;
    unipc_frame_writer *to;
    const void *data;
    size_t len;

    EXPECT(unipc_pipe_create(&reader, &writer, 0, NULL) == 0);
    EXPECT(unipc_frame_reader_open(&from, unipc_pipe_fd(reader), sizeof large) == 0);
    EXPECT(unipc_frame_writer_open(&to, unipc_pipe_fd(writer), 0, sizeof large) == 0);
    unipc_pipe_close(reader);
    unipc_pipe_close(writer);
    memset(large, 'l', sizeof large);
    EXPECT(unipc_frame_write(to, large, sizeof large + 1, &now) == -EMSGSIZE);
    EXPECT(unipc_frame_unfinished(to) == 0 && unipc_frame_finish(to, &now) == 0);
    EXPECT(unipc_frame_unfinished(NULL) == -EINVAL);
    EXPECT(unipc_frame_write(to, large, sizeof large, &now) == -EAGAIN);
    EXPECT(unipc_frame_unfinished(to) == 1);
    EXPECT(unipc_frame_finish(to, &soon) == -ETIMEDOUT);
    EXPECT(unipc_frame_read(from, &data, &len, &now) == -EAGAIN);
    EXPECT(unipc_frame_finish(to, &enough) == 0 && unipc_frame_unfinished(to) == 0);
    EXPECT(unipc_frame_read(from, &data, &len, &enough) == 1 && len == sizeof large);
    EXPECT(memcmp(data, large, sizeof large) == 0);

    EXPECT(unipc_frame_write(to, large, sizeof large, &now) == -EAGAIN);
    unipc_frame_writer_close(to);
    EXPECT(unipc_frame_read(from, &data, &len, &enough) == -EBADMSG);
    unipc_frame_reader_close(from);
}

static void refused_frames(void)
{
    unipc_pipe *reader, *writer;
    unipc_frame_reader *from;
    unipc_frame_writer *to;
    const void *data;
    size_t len;

    EXPECT(unipc_pipe_create(&reader, &writer, 0, NULL) == 0);
    EXPECT(unipc_frame_reader_open(&from, unipc_pipe_fd(reader), 3) == 0);
    EXPECT(unipc_frame_writer_open(&to, unipc_pipe_fd(writer), 0, 0) == 0);
    EXPECT(unipc_frame_write(to, "four", 4, &enough) == 0);
    EXPECT(unipc_frame_read(from, &data, &len, &enough) == -EMSGSIZE);
    unipc_frame_reader_close(from);
    unipc_pipe_close(reader);
    EXPECT(unipc_frame_write(to, "four", 4, &enough) == -EPIPE);
    unipc_frame_writer_close(to);
    unipc_pipe_close(writer);
}

int main(void)
{
    char directory[] = "/tmp/unipc-pipe-XXXXXX";

    made_and_refused();
    bytes();
    room();
    sigpipe();
    packets();
    duplex();
    EXPECT(mkdtemp(directory) != NULL);
    fifo_names(directory);
    no_fifo(directory);
    fifo_ends(directory);
    EXPECT(rmdir(directory) == 0);
    turnstile_sides();
    turnstile_fork();
    frames();
    frames_with_sigpipe();
    long_frames();
    refused_frames();
    puts("all as promised");
    return 0;
}
