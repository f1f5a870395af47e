/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Adds two numbers for whoever asks, so many times, and removes the service.
 *
 * Run `calculator_server NAME COUNT`, then `calculator_client NAME 'A B'...`, in any languages.
 */
#include "common.h"

int main(int argc, char **argv)
{
    usage(argc != 3, "calculator_server NAME COUNT");
    unipc_service *service;
    check(unipc_service_create(&service, argv[1], 1 << 16, 0, NULL));
    printf("ready\n");
    fflush(stdout);
    for (int left = atoi(argv[2]); left > 0; left--) {
        unipc_question *question;
        check(unipc_service_recv(service, &question, NULL));
        char text[64];
        long a, b;
        snprintf(text, sizeof text, "%.*s", (int)unipc_question_size(question),
                 (const char *)unipc_question_data(question));
        if (sscanf(text, "%ld %ld", &a, &b) == 2) {
            int length = snprintf(text, sizeof text, "%ld", a + b);
            check(unipc_service_reply(service, question, text, (size_t)length, NULL));
        } else {
            check(unipc_service_fail(service, question, EINVAL, "ask with two numbers", NULL));
        }
        unipc_question_close(question);
    }
    check(unipc_service_unlink(argv[1]));
    unipc_service_close(service);
    return 0;
}
