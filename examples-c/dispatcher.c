/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Gives jobs to workers, several at a time, and shows the results; a job whose worker died is given to another. Then it
 * removes the service.
 *
 * Run `worker NAME` in any languages, as many as you like, and `dispatcher NAME TEXT...`.
 */
#include "common.h"

#include <string.h>

enum { AT_ONCE = 8 };

struct job {
    const char *text;
    int call;
};

static struct job begin(unipc_client *client, const char *text)
{
    struct job job = {text, unipc_client_begin(client, text, strlen(text), NULL)};
    check(job.call);
    return job;
}

int main(int argc, char **argv)
{
    usage(argc < 3, "dispatcher NAME TEXT...");
    unipc_client *client;
    check(unipc_client_open(&client, argv[1], 0));
    struct job jobs[AT_ONCE];
    int given = 2;
    for (unsigned first = 0, open = 0; open > 0 || given < argc;) {
        while (open < AT_ONCE && given < argc)
            jobs[(first + open++) % AT_ONCE] = begin(client, argv[given++]);
        struct job job = jobs[first++ % AT_ONCE];
        open--;
        char result[256];
        ssize_t length = unipc_client_wait(client, job.call, result, sizeof result, NULL, NULL);
        if (length == -EPIPE) {
            printf("%s: its worker died, another gets it\n", job.text);
            unipc_client_cancel(client, job.call);
            jobs[(first + open++) % AT_ONCE] = begin(client, job.text);
        } else {
            check((int)length);
            printf("%s: %.*s\n", job.text, (int)length, result);
        }
    }
    unipc_client_close(client);
    check(unipc_service_unlink(argv[1]));
    return 0;
}
