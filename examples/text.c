/* SPDX-License-Identifier: Apache-2.0 */
/*
 * text.c - sentences and their classes: word pieces and a network are trained, then quantized without any data
 *
 *     cc text.c $(pkg-config --cflags --libs pare) -o text && ./text train.tsv test.tsv [lstm_classifier] [epochs]
 *
 * The files' first line is "sentence<TAB>label". The other network that fits is transformer_classifier.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <pare/pare.h>

enum { LENGTH = 32, PIECES = 8000, RUNS = 300 };

#define TRY(call)              \
    do {                       \
        if ((status = (call))) \
            goto out;          \
    } while (0)

static void show_epoch(void *user, const pare_train_epoch *e)
{
    (void)user;
    printf("epoch %d: loss %.4f, test accuracy %.2f %%, %.0f s\n", e->epoch + 1, e->loss, 100 * e->test_accuracy,
           e->seconds);
    fflush(stdout);
}

static pare_status open_texts(const char *path, const pare_tokenizer *pieces, pare_dataset **out)
{
    pare_texts *texts;
    pare_status status = pare_texts_load(path, &texts);

    if (status != PARE_OK)
        return status;
    status = pare_texts_dataset(texts, pieces, LENGTH, out);
    pare_texts_destroy(texts);
    return status;
}

static pare_status learn_pieces(const char *path, pare_tokenizer **out)
{
    pare_texts *texts;
    pare_status status = pare_texts_load(path, &texts);

    if (status != PARE_OK)
        return status;
    status = pare_tokenizer_train_texts(texts, &(pare_tokenizer_options){ .vocabulary = PIECES }, out);
    pare_texts_destroy(texts);
    return status;
}

static pare_status build(const char *arch, pare_graph **out)
{
    const pare_trace_input in = { "ids", PARE_s64, { 2, { PARE_DIM_ANY, LENGTH } } };
    char                   settings[64];
    pare_module           *m;

    snprintf(settings, sizeof(settings), "vocabulary=%d", PIECES);
    pare_status status = pare_model_build(arch, &(pare_model_options){ .classes = 2, .settings = settings }, &m);

    if (status != PARE_OK)
        return status;
    status = pare_trace(m, 1, &in, false, out);
    pare_module_destroy(m);
    return status;
}

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

/* Milliseconds of the fastest of many runs on one sentence, one thread. */
static pare_status time_one(const pare_graph *g, const pare_dataset *data, double *ms)
{
    int64_t            ids[LENGTH];
    const pare_tensor  x = { .dtype = PARE_s64, .shape = { 2, { 1, LENGTH } }, .stride = { LENGTH, 1 }, .data = ids };
    const pare_tensor *in[] = { &x };
    pare_plan         *plan = NULL;
    pare_context      *ctx = NULL;
    pare_status        status;

    *ms = 1e9;
    TRY(pare_dataset_read(data, 0, ids, NULL));
    TRY(pare_compile(g, NULL, &plan));
    TRY(pare_context_create(plan, &ctx));
    for (int i = 0; i < RUNS; i++) {
        const double begin = now();

        TRY(pare_context_run(ctx, NULL, in, NULL, 0));
        *ms = now() - begin < *ms ? now() - begin : *ms;
    }
out:
    pare_context_destroy(ctx);
    pare_plan_destroy(plan);
    return status;
}

static pare_status compare(const pare_graph *in_float, const pare_graph *in_int8, const pare_dataset *test)
{
    const pare_graph *const models[] = { in_float, in_int8 };
    pare_evaluation         e[2];
    double                  equal, ms[2];
    pare_status             status = pare_evaluate(models, 2, test, NULL, e, &equal);

    for (int i = 0; i < 2 && status == PARE_OK; i++)
        status = time_one(models[i], test, &ms[i]);
    if (status == PARE_OK)
        printf("float %.2f %%, %.3f ms; int8 dynamic %.2f %%, %.3f ms; equal answers %.2f %%\n", 100 * e[0].top1, ms[0],
               100 * e[1].top1, ms[1], 100 * equal);
    return status;
}

int main(int argc, char **argv)
{
    pare_tokenizer *pieces = NULL;
    pare_dataset   *data = NULL, *test = NULL;
    pare_graph     *model = NULL, *trained = NULL, *int8 = NULL;
    pare_pool      *pool = NULL;
    pare_status     status;

    if (argc < 3) {
        fprintf(stderr, "usage: text TRAIN.tsv TEST.tsv [NETWORK] [EPOCHS]\n");
        return 2;
    }
    TRY(learn_pieces(argv[1], &pieces));
    TRY(open_texts(argv[1], pieces, &data));
    TRY(open_texts(argv[2], pieces, &test));
    TRY(build(argc > 3 ? argv[3] : "lstm_classifier", &model));
    TRY(pare_pool_create(0, &pool));
    const pare_train_options o = { .trainer = { .batch = 64, .pool = pool, .optimizer = { .name = "adamw" } },
                                   .schedule = { .name = "one-cycle", .lr = 2e-3 },
                                   .epochs = argc > 4 ? atoi(argv[4]) : 2,
                                   .epoch_done = show_epoch };

    TRY(pare_train(model, data, test, &o, &trained));
    TRY(pare_quantize(trained, NULL, &int8, NULL));
    status = compare(trained, int8, test);
out:
    if (status != PARE_OK)
        fprintf(stderr, "%s\n", pare_error());
    pare_graph_destroy(int8);
    pare_graph_destroy(trained);
    pare_graph_destroy(model);
    pare_pool_destroy(pool);
    pare_dataset_close(data);
    pare_dataset_close(test);
    pare_tokenizer_destroy(pieces);
    return status != PARE_OK;
}
