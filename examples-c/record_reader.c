/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Reads the samples of a record_writer, in whatever language that was written.
 *
 * `record_reader NAME`
 */
#include "common.h"

struct sample {
    uint64_t t_ns;
    uint16_t kind;
    float channels[4];
    char source[6];
};

#define SAMPLE UNIPC_LAYOUT(struct sample, t_ns, kind, channels, source)

int main(int argc, char **argv)
{
    usage(argc != 2, "record_reader NAME");
    char latest[256];
    snprintf(latest, sizeof latest, "%s.latest", argv[1]);
    unipc_array *frames;
    unipc_cell *cell;
    check(unipc_array_open_named(&frames, argv[1], UNIPC_RECORD_OPEN, SAMPLE, 0, NULL));
    check(unipc_cell_open_named(&cell, latest, UNIPC_RECORD_OPEN, SAMPLE, NULL));
    const struct sample *samples = unipc_array_data(frames);
    size_t count = unipc_array_length(frames);
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += samples[i].channels[3];
    struct sample last;
    check(unipc_cell_read(cell, &last, sizeof last, NULL));
    printf("%zu samples of %zu bytes from %s, channel 3: %.2f\n", count,
           unipc_array_record_size(frames), samples[0].source, sum);
    printf("the latest: %u ns, kind %u\n", (unsigned)last.t_ns, (unsigned)last.kind);
    unipc_cell_close(cell);
    unipc_array_close(frames);
    return 0;
}
