/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * A camera: publishes so many frames of 64 x 48 pixels, made where they lie, and one without a size at the end.
 *
 * Run `topic_subscriber NAME` in any language, as many as you like, and `topic_publisher NAME COUNT`.
 * Frames that nobody has seen yet stay, so that one subscriber may be late. What a frame consists of is
 * stored in the topic: `unipc.open(NAME).batches(100)` gives numpy arrays of them.
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

int main(int argc, char **argv)
{
    usage(argc != 3, "topic_publisher NAME COUNT");
    const unipc_channel_opts opts = UNIPC_CHANNEL_OPTS(.layout = FRAME);
    unipc_topic *topic;
    check(unipc_topic_open_or_create(&topic, argv[1], 1 << 20, UNIPC_CHANNEL_RELIABLE, &opts));
    uint32_t count = (uint32_t)atoi(argv[2]);
    for (uint32_t number = 0; number < count; number++) {
        void *room;
        check(unipc_topic_reserve(topic, sizeof(struct frame), &room, NULL));
        struct frame *frame = room;
        frame->number = number;
        frame->width = 64;
        frame->height = 48;
        for (uint32_t y = 0; y < 48; y++)
            for (uint32_t x = 0; x < 64; x++)
                frame->pixels[y][x] = (uint8_t)(x + y + number);
        check(unipc_topic_commit(topic, sizeof *frame));
    }
    const struct frame last = {0};
    check(unipc_topic_publish(topic, &last, sizeof last, NULL));
    unipc_topic_close(topic);
    return 0;
}
