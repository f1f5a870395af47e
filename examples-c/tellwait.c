/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Five rounds in which parent and child print in turn; if one of them ends, the other hears so.
 *
 *   tellwait [parent|child]                  who prints first; the parent unless told otherwise
 *   tellwait FIRST parent|child HEAR TELL    one side, on descriptors that were inherited
 */
#define UNIPC_TELL_WAIT /* the textbooks' names */
#include "common.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void output(const char *side, int round)
{
    printf("output from %s %d\n", side, round);
    fflush(stdout);
}

static void parent(int goes_first)
{
    for (int round = 1; round <= 5; round++) {
        if (!goes_first)
            check(WAIT_CHILD());
        output("parent", round);
        check(TELL_CHILD(0));
        if (goes_first)
            check(WAIT_CHILD());
    }
}

static void child(int goes_first)
{
    for (int round = 1; round <= 5; round++) {
        if (!goes_first)
            check(WAIT_PARENT());
        output("child", round);
        check(TELL_PARENT(0));
        if (goes_first)
            check(WAIT_PARENT());
    }
}

int main(int argc, char **argv)
{
    int parent_first = argc < 2 || strcmp(argv[1], "child") != 0;
    if (argc == 5) {
        int is_parent = strcmp(argv[2], "parent") == 0;
        int side = is_parent ? UNIPC_SIDE_PARENT : UNIPC_SIDE_CHILD;
        int hear = atoi(argv[3]), tell = atoi(argv[4]);
        check(unipc_turnstile_from_fds(&unipc_tell_wait, side, hear, tell));
        close(hear);
        close(tell);
        is_parent ? parent(parent_first) : child(!parent_first);
        return 0;
    }
    check(TELL_WAIT());
    if (fork() == 0) {
        child(!parent_first);
        _exit(0);
    }
    parent(parent_first);
    wait(NULL);
    return 0;
}
