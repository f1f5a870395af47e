/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Does one job after the other, until it is ended: half a second's work, whose result is the text in capitals.
 *
 * Run `worker NAME` in any languages, as many as you like, and `dispatcher NAME TEXT...`. Kill one of them (kill -9)
 * after it has said that it took a job: another worker gets that job.
 */
#include "common.h"

#include <ctype.h>

int main(int argc, char **argv)
{
    usage(argc != 2, "worker NAME");
    unipc_service *service;
    check(unipc_service_open_or_create(&service, argv[1], 1 << 16, 0, NULL));
    setvbuf(stdout, NULL, _IOLBF, 0);
    printf("ready\n");
    for (;;) {
        unipc_question *job;
        check(unipc_service_recv(service, &job, NULL));
        char text[256];
        int length = snprintf(text, sizeof text, "%.*s", (int)unipc_question_size(job),
                              (const char *)unipc_question_data(job));
        printf("took %s\n", text);
        pause_for(0.5);
        for (char *letter = text; *letter; letter++)
            *letter = (char)toupper((unsigned char)*letter);
        check(unipc_service_reply(service, job, text, (size_t)length, NULL));
        unipc_question_close(job);
    }
}
