/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Shows a file in the user's pager, through a pipe that is its standard input.
 *
 * Run pager_pipe FILE. PAGER names the program (default /bin/more); no shell looks at it, so it may
 * not have arguments. pager_popen allows them. A user who leaves the pager early ends it, no error.
 */
#include "common.h"

#include <string.h>

int main(int argc, char **argv)
{
    usage(argc != 2, "pager_pipe FILE");
    FILE *file = fopen(argv[1], "r");
    if (!file)
        return perror(argv[1]), 1;
    const char *pager = getenv("PAGER");
    if (!pager)
        pager = "/bin/more";

    unipc_pipe *reader, *writer;
    check(unipc_pipe_create(&reader, &writer, 0, NULL));
    const unipc_process_descriptor input = {unipc_pipe_fd(reader), 0};
    unipc_process *process;
    check(unipc_process_spawn(&process, (const char *[]){pager, NULL}, 0,
                              &UNIPC_PROCESS_OPTS(.descriptors = &input, .descriptor_count = 1)));
    /* The pager has its own; with this one open it could not end before we do. */
    unipc_pipe_close(reader);

    char line[4096];
    int result = 0;
    while (result == 0 && fgets(line, sizeof line, file))
        result = unipc_pipe_write_all(writer, line, strlen(line), NULL, NULL);
    if (result != -EPIPE)
        check(result);
    unipc_pipe_close(writer);
    check(unipc_process_wait(process, NULL, NULL));
    unipc_process_close(process);
    fclose(file);
    return 0;
}
