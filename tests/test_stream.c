/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_stream.c - a recurrent model fed step by step: Silero VAD over a minute of speech (needs PARE_DATA)
 *
 * The state goes from each window's output into the next one's input, so errors of a quantized LSTM could grow; asked is a
 * mean absolute difference of the probabilities under 0.02.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <pare/pare.h>

enum { NEW = 512, CONTEXT = 64, WINDOW = NEW + CONTEXT, STATE = 2 * 128, WINDOWS = 1875, WAV_HEADER = 44 };

static void ok(pare_status status)
{
    if (status != PARE_OK)
        fail_msg("%s", pare_error());
}

static void *read_file(const char *name, size_t want)
{
    char  path[512];
    void *bytes = malloc(want);

    snprintf(path, sizeof(path), "%s/%s", getenv("PARE_DATA"), name);
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    assert_non_null(bytes);
    assert_int_equal(fread(bytes, 1, want, f), want);
    fclose(f);
    return bytes;
}

/* Probabilities of all windows; the first one has silence for context. */
static void stream(const pare_graph *model, const int16_t *pcm, float *probability)
{
    const pare_tensor *shape;
    pare_plan         *plan;
    pare_context      *ctx;

    ok(pare_compile(model, NULL, &plan));
    ok(pare_context_create(plan, &ctx));
    pare_plan_input(plan, 0, &shape);
    pare_tensor x = pare_tensor_of(PARE_f32, shape->shape);
    pare_plan_input(plan, 1, &shape);
    pare_tensor              state = pare_tensor_of(PARE_f32, shape->shape);
    const pare_tensor *const in[] = { &x, &state };

    ok(pare_tensor_alloc(&x));
    ok(pare_tensor_alloc(&state));
    for (int w = 0; w < WINDOWS; w++) {
        for (int i = 0; i < WINDOW; i++) {
            const int at = w * NEW + i - CONTEXT;

            ((float *)x.data)[i] = at < 0 ? 0 : (float)pcm[at] / 32768;
        }
        ok(pare_context_run(ctx, NULL, in, NULL, 0));
        probability[w] = *(const float *)pare_context_output(ctx, 0)->data;
        memcpy(state.data, pare_context_output(ctx, 1)->data, STATE * sizeof(float));
    }
    pare_tensor_release(&x);
    pare_tensor_release(&state);
    pare_context_destroy(ctx);
    pare_plan_destroy(plan);
}

static double mean_difference(const float *a, const float *b)
{
    double sum = 0;

    for (int w = 0; w < WINDOWS; w++)
        sum += fabs((double)a[w] - (double)b[w]);
    return sum / WINDOWS;
}

static void silero(void **unused)
{
    static float    real[WINDOWS], small[WINDOWS];
    const pare_rule rule = { .kind = PARE_RULE_GLOBAL, .config = { .mode = PARE_QMODE_DYNAMIC } };
    char            path[512];
    pare_graph     *g, *q;

    (void)unused;
    if (!getenv("PARE_DATA")) {
        print_message("PARE_DATA is not set: the streamed model is not tested\n");
        skip();
    }
    char *const  wav = read_file("sets/silero_test.wav", WAV_HEADER + sizeof(int16_t) * WINDOWS * NEW);
    float *const want = read_file("sets/silero_test_probs.f32", sizeof(float) * WINDOWS);

    snprintf(path, sizeof(path), "%s/models/silero_vad_16k_static.onnx", getenv("PARE_DATA"));
    ok(pare_graph_load(path, &g));
    ok(pare_quantize(g, &(pare_quantize_options){ .mapping = { &rule, 1 } }, &q, NULL));
    stream(g, (const int16_t *)(const void *)(wav + WAV_HEADER), real);
    stream(q, (const int16_t *)(const void *)(wav + WAV_HEADER), small);
    print_message("float against ONNX Runtime: %.2g, dynamic against float: %.4f\n", mean_difference(real, want),
                  mean_difference(small, real));
    assert_true(mean_difference(real, want) < 1e-4);
    assert_true(mean_difference(small, real) < 0.02);
    assert_true(mean_difference(small, real) > 0); /* it is another model */
    pare_graph_destroy(g);
    pare_graph_destroy(q);
    free(wav);
    free(want);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(silero) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
