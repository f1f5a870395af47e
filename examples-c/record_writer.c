/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Writes samples into an array that tells what they consist of, and the latest one into a cell.
 *
 * `record_writer NAME COUNT`, NAME being such as /frames; then any record_reader, in any language. The cell is called
 * NAME.latest. Remove both with rm /dev/shm/NAME, or unipc_shm_unlink().
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
    usage(argc != 3, "record_writer NAME COUNT");
    size_t count = (size_t)atol(argv[2]);
    char latest[256];
    snprintf(latest, sizeof latest, "%s.latest", argv[1]);
    unipc_array *frames;
    unipc_cell *cell;
    check(
        unipc_array_open_named(&frames, argv[1], UNIPC_RECORD_OPEN_OR_CREATE, SAMPLE, count, NULL));
    check(unipc_cell_open_named(&cell, latest, UNIPC_RECORD_OPEN_OR_CREATE, SAMPLE, NULL));
    struct sample *samples = unipc_array_data(frames);
    for (size_t i = 0; i < count; i++) {
        samples[i] = (struct sample){.t_ns = 1000 * i, .kind = (uint16_t)(i % 3), .source = "adc"};
        for (size_t channel = 0; channel < 4; channel++)
            samples[i].channels[channel] = (float)i + 0.25f * (float)channel;
        check(unipc_cell_write(cell, &samples[i], sizeof samples[i], NULL));
    }
    printf("%zu written\n", count);
    unipc_cell_close(cell);
    unipc_array_close(frames);
    return 0;
}
