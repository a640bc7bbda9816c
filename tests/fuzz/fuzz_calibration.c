/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_calibration.c - files of ranges; an input that begins with '=' gets the first line that fits the model in front,
 * whose fingerprint no mutation would hit
 */
#include <math.h>

#include "flow/calibration_file.h"
#include "fuzz.h"

static const char model_text[] = "%x = input f32[1,2,6,6]\n"
                                 "@w = const f32[4,2,3,3] seed=1\n"
                                 "%conv1 = conv(%x, @w) pads=[1,1,1,1]\n"
                                 "%pool = max_pool(%conv1) kernel_shape=[2,2]\n"
                                 "@v = const f32[4,4,3,3] seed=2\n"
                                 "%conv2 = conv(%pool, @v)\n"
                                 "return %conv2\n";

static pare_quantization q;
static char              header[128]; /* the first line of a file for this model, with its end */

static void make_model(void)
{
    static char   path[sizeof(fuzz_folder) + 8];
    pare_dataset *data;
    pare_graph   *g;
    FILE         *f;

    fuzz_file("fuzz", NULL, 0); /* makes the folder */
    snprintf(path, sizeof(path), "%s/ranges", fuzz_folder);
    if (pare_graph_parse(model_text, &g) != PARE_OK || pare_graph_infer(g, true) != PARE_OK ||
        pare_quantization_decide(g, &(pare_quantize_options){ 0 }, &q) != PARE_OK ||
        !pare_quantization_needs_data(&q) || pare_dataset_open("demo:test", NULL, &data) != PARE_OK ||
        pare_calibration_write(path, &q, data, 1) != PARE_OK || !(f = fopen(path, "r")) ||
        !fgets(header, sizeof(header), f))
        abort();
    pare_dataset_close(data);
    fclose(f);
    unlink(path);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    bool fits = true;

    if (!q.g)
        make_model();
    fuzz_watch     w = fuzz_begin();
    const bool     known = size && bytes[0] == '=';
    const size_t   n = known ? strlen(header) : 0;
    uint8_t *const whole = malloc(n + size + 1);

    if (!whole)
        abort();
    memcpy(whole, header, n);
    if (size)
        memcpy(whole + n, bytes + known, size - known);
    if (!fuzz_ok(&w, pare_calibration_read(fuzz_file("fuzz", whole, n + size - known), &q, NULL, 0, &fits)))
        assert(!fits);
    for (int i = 0; i < q.n_values; i++)
        assert(isfinite(q.values[i].min) && isfinite(q.values[i].max) && q.values[i].min <= q.values[i].max);
    free(whole);
    fuzz_end(&w);
    return 0;
}
