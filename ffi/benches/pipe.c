/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Pipes, FIFOs and pairs in C against the plain calls. The same rows exist in Rust and in Python.
 */
#define _GNU_SOURCE /* pipe2 */

#include "harness.h"

#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unipc.h>
#include <unistd.h>

#define LARGEST ((size_t)64 << 10)

/* What the sides work on, set before each comparison. */
static unipc_pipe *reader, *writer, *echo_reader, *echo_writer;
static unipc_frame_reader *frame_reader;
static unipc_frame_writer *frame_writer;
static size_t size;
static unsigned char bytes[LARGEST], room[LARGEST];
static const struct timespec second = {1, 0}, try_only = {0, 0};

/* RWF_NOSIGNAL of pwritev2(), or 0 where the kernel does not know it (before Linux 6.18). */
static int no_signal = 0x100;

static void check(ssize_t result)
{
    if (result >= 0)
        return;
    fprintf(stderr, "%s\n", unipc_last_error());
    exit(1);
}

static void plain_write(int fd)
{
    succeeded(write(fd, bytes, size) == (ssize_t)size ? 0 : -1);
}

static void plain_read(int fd)
{
    for (size_t have = 0; have < size;) {
        ssize_t more = read(fd, room + have, size - have);
        succeeded(more > 0 ? 0 : -1);
        have += (size_t)more;
    }
}

/* Inlined everywhere, as the plain calls are: a return after a system call takes its time. */
__attribute__((always_inline)) static inline void ours(const struct timespec *timeout)
{
    check(unipc_pipe_write_all(writer, bytes, size, timeout, NULL));
    check(unipc_pipe_read_exact(reader, room, size, timeout, NULL));
}

static void plain(void)
{
    plain_write(unipc_pipe_fd(writer));
    plain_read(unipc_pipe_fd(reader));
}

/* What a program that must not change the process's signals has to do, as long as the kernel can. */
static void flagged(void)
{
    struct iovec part = {bytes, size};
    ssize_t written = pwritev2(unipc_pipe_fd(writer), &part, 1, -1, no_signal);
    succeeded(written == (ssize_t)size ? 0 : -1);
    plain_read(unipc_pipe_fd(reader));
}

/* And where it cannot. */
static void masked(void)
{
    sigset_t only, before;
    sigemptyset(&only);
    sigaddset(&only, SIGPIPE);
    succeeded(pthread_sigmask(SIG_BLOCK, &only, &before));
    plain_write(unipc_pipe_fd(writer));
    succeeded(pthread_sigmask(SIG_SETMASK, &before, NULL));
    plain_read(unipc_pipe_fd(reader));
}

static void plain_frame(void)
{
    const uint32_t length = (uint32_t)size;
    uint32_t told;
    memcpy(bytes, &length, sizeof length);
    succeeded(write(unipc_pipe_fd(writer), bytes, size) < 0 ? -1 : 0);
    succeeded(read(unipc_pipe_fd(reader), &told, sizeof told) == sizeof told ? 0 : -1);
    succeeded(read(unipc_pipe_fd(reader), room, size - sizeof told) < 0 ? -1 : 0);
}

static void our_frame(void)
{
    const void *data;
    size_t length;
    check(unipc_frame_write(frame_writer, bytes, size - 4, NULL));
    check(unipc_frame_read(frame_reader, &data, &length, NULL));
}

static void our_echo(void)
{
    check(unipc_pipe_write_all(writer, bytes, size, NULL, NULL));
    check(unipc_pipe_read_exact(echo_reader, room, size, NULL, NULL));
}

static void plain_echo(void)
{
    plain_write(unipc_pipe_fd(writer));
    plain_read(unipc_pipe_fd(echo_reader));
}

SIDE(unipc_pair, ours(NULL))
SIDE(unipc_timed, ours(&second))
SIDE(unipc_try, ours(&try_only))
SIDE(plain_pair, plain())
SIDE(flagged_pair, flagged())
SIDE(masked_pair, masked())
SIDE(unipc_frames, our_frame())
SIDE(plain_frames, plain_frame())
SIDE(unipc_round, our_echo())
SIDE(plain_round, plain_echo())

static void close_both(void)
{
    unipc_pipe_close(reader);
    unipc_pipe_close(writer);
}

static const char *title(const char *what)
{
    static char text[160];
    snprintf(text, sizeof text, "%s, %zu bytes (expected: at most 1.03 x)", what, size);
    return text;
}

static void pairs(const char *what)
{
    const char *safe = no_signal ? "pwritev2 with RWF_NOSIGNAL, read" : "pwritev2, read";
    COMPARE(title(what), {"unipc write_all, read_exact", unipc_pair}, {safe, flagged_pair},
            {"write read, SIGPIPE ignored by the whole process", plain_pair},
            {"write read, SIGPIPE blocked around the write", masked_pair});
    check(unipc_pipe_set_sigpipe(writer, 1));
    COMPARE(title(what), {"unipc, SIGPIPE allowed by set_sigpipe", unipc_pair},
            {"write read, SIGPIPE ignored by the whole process", plain_pair});
    check(unipc_pipe_set_sigpipe(writer, 0));
}

/* Does the kernel know the flag? */
static void ask_for_no_signal(void)
{
    struct iovec part = {bytes, 1};
    check(unipc_pipe_create(&reader, &writer, 0, NULL));
    if (pwritev2(unipc_pipe_fd(writer), &part, 1, -1, no_signal) != 1)
        no_signal = 0;
    close_both();
}

static void limits(const char *what)
{
    COMPARE(title(what), {"unipc with a timeout of 1 s", unipc_timed},
            {"unipc as a try", unipc_try}, {"write read", plain_pair});
}

static void open_fifo(void)
{
    char name[64];
    snprintf(name, sizeof name, "file:/tmp/unipc-bench-%d", (int)getpid());
    check(unipc_fifo_create(name, 0, 0));
    check(unipc_fifo_reader(&reader, name, &try_only));
    check(unipc_fifo_writer(&writer, name, NULL));
    check(unipc_fifo_unlink(name));
}

static void frames(void)
{
    check(unipc_frame_reader_open(&frame_reader, unipc_pipe_fd(reader), 0));
    check(unipc_frame_writer_open(&frame_writer, unipc_pipe_fd(writer), 0, 0));
    COMPARE(title("a frame written and read, its length of 4 bytes included"),
            {"unipc frame_write, frame_read", unipc_frames}, {"write read read", plain_frames});
    unipc_frame_writer_close(frame_writer);
    const unsigned flags = UNIPC_FRAME_SIGPIPE;
    check(unipc_frame_writer_open(&frame_writer, unipc_pipe_fd(writer), flags, 0));
    COMPARE(title("a frame, SIGPIPE allowed"), {"unipc frame_write, frame_read", unipc_frames},
            {"write read read", plain_frames});
    unipc_frame_reader_close(frame_reader);
    unipc_frame_writer_close(frame_writer);
}

/* A process that sends back what it gets. */
static pid_t start_echo(void)
{
    check(unipc_pipe_create(&reader, &writer, 0, NULL));
    check(unipc_pipe_create(&echo_reader, &echo_writer, 0, NULL));
    pid_t child = fork();
    succeeded(child);
    if (child == 0) {
        unipc_pipe_close(writer);
        for (ssize_t count; (count = read(unipc_pipe_fd(reader), room, size)) > 0;)
            if (write(unipc_pipe_fd(echo_writer), room, (size_t)count) != count)
                _exit(1);
        _exit(0);
    }
    return child;
}

static void round_trips(void)
{
    pid_t child = start_echo();
    COMPARE(title("round trip through two pipes and another process"),
            {"unipc write_all, read_exact", unipc_round}, {"write read", plain_round});
    close_both();
    unipc_pipe_close(echo_reader);
    unipc_pipe_close(echo_writer);
    succeeded(waitpid(child, NULL, 0));
}

int main(void)
{
    static const size_t sizes[] = {8, 64, 1024, LARGEST};
    print_head(unipc_version_string());
    share_a_processor();
    /* What the plain calls need for a broken pipe to be an error. */
    signal(SIGPIPE, SIG_IGN);
    ask_for_no_signal();
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        size = sizes[i];
        check(unipc_pipe_create(&reader, &writer, 0, NULL));
        pairs("pipe: written and read");
        limits("pipe: written and read within a time");
        frames();
        close_both();
        open_fifo();
        pairs("FIFO: written and read");
        close_both();
        check(unipc_pipe_duplex(&reader, &writer));
        pairs("duplex: written and read");
        close_both();
        round_trips();
    }
    return 0;
}
