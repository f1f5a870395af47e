/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Pipes and what is made of them: bytes in order from one end to the other, each read once. FIFOs are
 * pipes with a name in the file system; a turnstile says whose turn it is, between parent and child.
 *
 * Every call takes a timeout, whatever O_NONBLOCK says, and none changes that flag, which belongs to
 * everybody who has the same open file. No call raises SIGPIPE, unless unipc_pipe_set_sigpipe() allows it:
 * -EPIPE says that nobody reads any more.
 *
 * Programs are started by argv (no shell looks at the words) or by a line of the shell, and are known by a
 * descriptor, not by a number that another process could get: unipc_process_. One at the other end of a
 * pipe is unipc_shell_ (popen() and pclose()), a filter at the other end of two unipc_coprocess_, one on a
 * terminal of its own unipc_pty_. No SIGCHLD handler is needed, and no zombie remains.
 *
 * Threads may use one end at once: each byte is read once, and writes of up to UNIPC_PIPE_BUF bytes
 * stay together. Records of any length are in unipc/frame.h.
 */
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>
#include <unipc/base.h>

/* C99 without POSIX knows no timespec: it is enough to know that there is one. */
struct timespec;

/*
 * Options in one expression, for C: &UNIPC_PIPE_OPTS(.capacity = 1 << 20).
 * They live until the end of the block.
 */
#ifndef __cplusplus
#define UNIPC_PIPE_OPTS(...) ((unipc_pipe_opts){.sz = sizeof(unipc_pipe_opts), __VA_ARGS__})
#endif

/* Options to start from, in C++ and C: unipc_pipe_opts o = UNIPC_PIPE_OPTS_INIT; o.capacity = 4096; */
#define UNIPC_PIPE_OPTS_INIT {sizeof(unipc_pipe_opts), 0}

/* The same for programs: &UNIPC_PROCESS_OPTS(.directory = "/") */
#ifndef __cplusplus
#define UNIPC_PROCESS_OPTS(...) ((unipc_process_opts){.sz = sizeof(unipc_process_opts), __VA_ARGS__})
#endif
#define UNIPC_PROCESS_OPTS_INIT {sizeof(unipc_process_opts), NULL, NULL, NULL, 0, 0}

/*
 * The names that textbooks use, for one turnstile of one source file: define UNIPC_TELL_WAIT before
 * this header is included. All return 0 or -errno, which the textbooks' do not.
 */
#ifdef UNIPC_TELL_WAIT
static struct unipc_turnstile *unipc_tell_wait;
#define TELL_WAIT() unipc_turnstile_create(&unipc_tell_wait)
#define TELL_PARENT(pid) ((void)(pid), unipc_turnstile_tell_parent(unipc_tell_wait))
#define WAIT_PARENT() unipc_turnstile_wait_parent(unipc_tell_wait, NULL)
#define TELL_CHILD(pid) ((void)(pid), unipc_turnstile_tell_child(unipc_tell_wait))
#define WAIT_CHILD() unipc_turnstile_wait_child(unipc_tell_wait, NULL)
#endif
