/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Behaves as a program on the textbook's TELL_WAIT: five rounds in which parent and child print in turn.
 *
 *   tellwait [parent|child]                  who prints first; the parent unless told otherwise
 *   tellwait FIRST parent|child HEAR TELL    one side, on descriptors that were inherited
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int down[2] = {-1, -1}, up[2] = {-1, -1};

static void quit(const char *words)
{
    fprintf(stderr, "%s\n", words);
    exit(1);
}

static void put(int fd, char word)
{
    if (write(fd, &word, 1) != 1)
        quit("write error");
}

static void get(int fd, char word)
{
    char c;
    if (read(fd, &c, 1) != 1)
        quit("read error");
    if (c != word)
        quit("incorrect data");
}

static void rounds(int is_parent, int goes_first)
{
    int hear = is_parent ? up[0] : down[0], tell = is_parent ? down[1] : up[1];
    for (int round = 1; round <= 5; round++) {
        if (!goes_first)
            get(hear, is_parent ? 'c' : 'p');
        printf("output from %s %d\n", is_parent ? "parent" : "child", round);
        fflush(stdout);
        put(tell, is_parent ? 'p' : 'c');
        if (goes_first)
            get(hear, is_parent ? 'c' : 'p');
    }
}

int main(int argc, char **argv)
{
    int parent_first = argc < 2 || strcmp(argv[1], "child") != 0;
    if (argc == 5) {
        int is_parent = strcmp(argv[2], "parent") == 0;
        *(is_parent ? &up[0] : &down[0]) = atoi(argv[3]);
        *(is_parent ? &down[1] : &up[1]) = atoi(argv[4]);
        rounds(is_parent, parent_first == is_parent);
        return 0;
    }
    if (pipe(down) < 0 || pipe(up) < 0)
        quit("pipe error");
    if (fork() == 0) {
        rounds(0, !parent_first);
        _exit(0);
    }
    rounds(1, parent_first);
    wait(NULL);
    return 0;
}
