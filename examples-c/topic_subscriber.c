/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Reads frames until the one without a size, beginning with the oldest: number, size, sum of all pixels, and how
 * many were lost. Then it writes the last one as a picture (PGM), where one is wanted, and removes the name,
 * if no other subscriber has.
 *
 * Run `topic_subscriber NAME [PICTURE]` in any language, as many as you like, and `topic_publisher NAME COUNT`.
 */
#include "common.h"

struct frame {
    uint32_t number, width, height;
    uint8_t pixels[48][64];
};

#define FRAME                                                                                      \
    UNIPC_LAYOUT_OF(struct frame, UNIPC_MEMBER(struct frame, number),                              \
                    UNIPC_MEMBER(struct frame, width), UNIPC_MEMBER(struct frame, height),         \
                    UNIPC_MATRIX_MEMBER(struct frame, pixels))

static void write_picture(const char *path, const struct frame *frame)
{
    FILE *file = fopen(path, "wb");
    if (!file || fprintf(file, "P5 64 48 255\n") < 0 ||
        fwrite(frame->pixels, sizeof frame->pixels, 1, file) != 1 || fclose(file) != 0) {
        perror(path);
        exit(1);
    }
}

int main(int argc, char **argv)
{
    usage(argc != 2 && argc != 3, "topic_subscriber NAME [PICTURE]");
    const unipc_channel_opts opts = UNIPC_CHANNEL_OPTS(.layout = FRAME);
    unipc_topic *topic;
    unipc_subscriber *subscriber;
    check(unipc_topic_open_or_create(&topic, argv[1], 1 << 20, UNIPC_CHANNEL_RELIABLE, &opts));
    check(unipc_subscriber_open(&subscriber, argv[1], UNIPC_CHANNEL_OLDEST));
    unipc_topic_close(topic);
    printf("subscribed\n");
    fflush(stdout);
    for (struct frame frame, last = {0};; last = frame) {
        uint64_t lost;
        check((int)unipc_subscriber_recv(subscriber, &frame, sizeof frame, &lost, NULL));
        if (frame.width == 0) {
            if (argc == 3)
                write_picture(argv[2], &last);
            break;
        }
        unsigned sum = 0;
        for (int y = 0; y < 48; y++)
            for (int x = 0; x < 64; x++)
                sum += frame.pixels[y][x];
        printf("frame %u: %ux%u, sum %u, lost %u\n", frame.number, frame.width, frame.height, sum,
               (unsigned)lost);
    }
    int removed = unipc_topic_unlink(argv[1]);
    if (removed != -ENOENT)
        check(removed);
    unipc_subscriber_close(subscriber);
    return 0;
}
