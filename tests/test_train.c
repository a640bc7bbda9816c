/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_train.c - steps and runs of training: PyTorch's numbers, equal bits on any threads and processes, and what happens
 * when things go wrong. Processes are threads here that exchange through shared memory.
 */
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <pare/evaluate.h>

#include "base/rng.h"
#include "train_helpers.h"

#include "golden/train.h"

/* The formula of tests/golden/train_make.py. */
static void numbers(float *x, int count, int salt, float scale)
{
    for (int i = 0; i < count; i++)
        x[i] = (float)((i * 37 + salt * 11) % 129 - 64) * (scale / 64);
}

static void fill(pare_graph *g, const char *name, int salt, float scale, float plus)
{
    pare_value *const v = pare_graph_find(g, name);

    assert_non_null(v);
    numbers(v->t.data, (int)pare_shape_count(&v->t.shape), salt, scale);
    for (int64_t i = 0; i < pare_shape_count(&v->t.shape); i++)
        ((float *)v->t.data)[i] += plus;
}

static pare_graph *golden_net(void)
{
    pare_graph *const g =
        graph_of("graph golden\n"
                 "%x = input f32[N,3,6,6]\n"
                 "@w = const f32[5,3,3,3] seed=1\n@g = const f32[5] seed=2\n@b = const f32[5] seed=3\n"
                 "@m = const f32 [5] {0,0,0,0,0}\n@v = const f32 [5] {1,1,1,1,1}\n"
                 "@fw = const f32[4,5] seed=5\n@fb = const f32[4] seed=6\n"
                 "%1 = conv(%x, @w) strides=[2,2] pads=[1,1,1,1]\n"
                 "%2 = batch_normalization(%1, @g, @b, @m, @v)\n"
                 "%3 = relu(%2)\n%4 = global_average_pool(%3)\n%5 = flatten(%4)\n"
                 "%y = gemm(%5, @fw, @fb) transB=1\n"
                 "return %y\n");

    fill(g, "w", 1, 0.5f, 0);
    fill(g, "g", 2, 0.25f, 1);
    fill(g, "b", 3, 0.25f, 0);
    fill(g, "fw", 4, 1, 0);
    fill(g, "fb", 5, 0.5f, 0);
    return g;
}

static void near_all(const char *what, const float *got, const double *want, int n, double tolerance)
{
    for (int i = 0; i < n; i++)
        if (!(fabs((double)got[i] - want[i]) <= tolerance))
            fail_msg("%s[%d]: %.9g, PyTorch %.9g", what, i, (double)got[i], want[i]);
}

/* Loss, gradient norm, weights and running statistics of six steps; sums are in another order than PyTorch's. */
static void test_golden(void **state)
{
    enum { ITEM = 3 * SIDE * SIDE };
    pare_graph *const g = golden_net();
    pare_graph       *trained;
    pare_trainer     *t;
    float             x[BATCH * ITEM];
    int64_t           labels[BATCH];

    (void)state;
    OK(pare_trainer_create(g,
                           &(pare_trainer_options){ .batch = BATCH,
                                                    .label_smoothing = 0.1f,
                                                    .optimizer = { .momentum = 0.9, .weight_decay = 0.01 } },
                           &t));
    assert_int_equal(pare_trainer_parameters(t), 5 * 27 + 5 + 5 + 20 + 4);
    for (int step = 0; step < STEPS; step++) {
        const pare_batch batch = { .x = x, .labels = labels, .count = BATCH };
        pare_train_step  r;

        numbers(x, BATCH * ITEM, 7 + step, 2);
        for (int i = 0; i < BATCH; i++)
            labels[i] = (i * 3 + step) % CLASSES;
        OK(pare_trainer_step(t, &batch, 0.1, &r));
        if (!(fabs(r.loss - golden_losses[step]) <= 1e-5) || !(fabs(r.norm - golden_norms[step]) <= 1e-4))
            fail_msg("step %d: loss %.9g norm %.9g, PyTorch %.9g %.9g", step, r.loss, r.norm, golden_losses[step],
                     golden_norms[step]);
    }
    OK(pare_trainer_model(t, false, &trained));
    near_all("mean", pare_graph_find(trained, "m")->t.data, golden_mean, WIDE, 1e-5);
    near_all("variance", pare_graph_find(trained, "v")->t.data, golden_variance, WIDE, 1e-5);
    near_all("bias", pare_graph_find(trained, "fb")->t.data, golden_bias, CLASSES, 2e-5);
    near_all("weight", pare_graph_find(trained, "w")->t.data, golden_weight, 20, 2e-5);
    pare_graph_destroy(trained);
    pare_trainer_destroy(t);
    pare_graph_destroy(g);
}

static const pare_train_options usual = {
    .trainer = { .batch = 32, .chunks = 4, .targets = true, .average = 0.9, .optimizer = { .momentum = 0.9 } },
    .schedule = { .name = "one-cycle", .lr = 0.2 },
    .epochs = 2,
    .seed = 3,
    .augment = "crop=4,flip,mixup=0.3",
};

static void test_threads(void **state)
{
    uint64_t want = 0;

    (void)state;
    for (int threads = 1; threads <= 3; threads++) {
        pare_train_options o = usual;

        o.loaders = threads;
        OK(pare_pool_create(threads, &o.trainer.pool));
        const uint64_t h = train_small("0:200", &o, NULL);

        want = threads == 1 ? h : want;
        assert_true(h == want);
        pare_pool_destroy(o.trainer.pool);
    }
    pare_train_options other = usual;

    other.seed++;
    assert_true(train_small("0:200", &other, NULL) != want);
}

/* ------------------------------------------------------------------------------------------------------- processes */

enum { MOST = 4 };

typedef struct world {
    pthread_barrier_t meet;
    const void       *shown[MOST];
} world;

typedef struct process {
    pare_comm          comm;
    world             *w;
    pare_train_options o;
    uint64_t           hash;
    pare_status        status;
    double             test_loss, test_accuracy;
} process;

static pare_status exchange(void *user, int peer, const float *send, float *receive, int64_t n)
{
    process *const p = user;

    p->w->shown[p->comm.rank] = send;
    pthread_barrier_wait(&p->w->meet);
    memcpy(receive, p->w->shown[peer], (size_t)n * sizeof(float));
    pthread_barrier_wait(&p->w->meet);
    return PARE_OK;
}

static pare_status broadcast(void *user, int root, void *what, size_t n)
{
    process *const p = user;

    p->w->shown[p->comm.rank] = what;
    pthread_barrier_wait(&p->w->meet);
    if (p->comm.rank != root)
        memcpy(what, p->w->shown[root], n);
    pthread_barrier_wait(&p->w->meet);
    return PARE_OK;
}

static pare_status barrier(void *user)
{
    pthread_barrier_wait(&((process *)user)->w->meet);
    return PARE_OK;
}

static void note_epoch(void *user, const pare_train_epoch *e)
{
    process *const p = user;

    p->test_loss = e->test_loss;
    p->test_accuracy = e->test_accuracy;
}

static void *run_process(void *arg)
{
    process *const p = arg;
    pare_graph    *g, *trained = NULL;
    pare_dataset  *ds, *test;

    if (pare_graph_parse(small_net, &g) != PARE_OK ||
        pare_dataset_open("demo:train", &(pare_data_options){ .slice = "0:160" }, &ds) != PARE_OK ||
        pare_dataset_open("demo:test", &(pare_data_options){ .slice = "0:45" }, &test) != PARE_OK)
        return NULL;
    p->status = pare_train(g, ds, test, &p->o, &trained);
    if (trained)
        p->hash = hash_of(trained);
    pare_graph_destroy(trained);
    pare_graph_destroy(g);
    pare_dataset_close(ds);
    pare_dataset_close(test);
    return NULL;
}

static void run_processes(int n, const pare_train_options *o, process all[MOST])
{
    world     w;
    pthread_t threads[MOST];

    pthread_barrier_init(&w.meet, NULL, (unsigned)n);
    for (int i = 0; i < n; i++) {
        all[i] = (process){ .comm = { i, n, exchange, broadcast, barrier, &all[i] }, .w = &w, .o = *o };
        all[i].status = PARE_ERR_IO;
        all[i].o.trainer.comm = &all[i].comm;
        all[i].o.epoch_done = note_epoch;
        all[i].o.user = &all[i];
        assert_int_equal(pthread_create(&threads[i], NULL, run_process, &all[i]), 0);
    }
    for (int i = 0; i < n; i++)
        pthread_join(threads[i], NULL);
    pthread_barrier_destroy(&w.meet);
}

/* 1, 2 and 4 processes end with the same weights and the same measures. */
static void test_processes(void **state)
{
    process all[MOST], one[MOST];

    (void)state;
    run_processes(1, &usual, one);
    assert_int_equal(one[0].status, PARE_OK);
    for (int n = 2; n <= MOST; n *= 2) {
        run_processes(n, &usual, all);
        for (int i = 0; i < n; i++) {
            assert_int_equal(all[i].status, PARE_OK);
            assert_true(all[i].hash == one[0].hash);
        }
        assert_true(all[0].test_loss == one[0].test_loss);
        assert_true(all[0].test_accuracy == one[0].test_accuracy);
    }
}

/* A process that cannot go on ends all of them. */
static void test_process_fails(void **state)
{
    pare_train_options o = usual;
    process            all[MOST];

    (void)state;
    o.checkpoint = in_folder("no/such/folder/checkpoint");
    run_processes(2, &o, all);
    assert_int_equal(all[0].status, PARE_ERR_IO);
    assert_int_equal(all[1].status, PARE_ERR_IO);
}

/* ------------------------------------------------------------------------------------------------------------ runs */

static const char bend_net[] = "graph bend\n%x = input f32[N,4]\n"
                               "@w = const f32[24,4] seed=1\n@b = const f32[24] seed=2\n"
                               "@v = const f32[3,24] seed=3\n@c = const f32[3] seed=4\n"
                               "%1 = gemm(%x, @w, @b) transB=1\n%2 = relu(%1)\n"
                               "%3 = gemm(%2, @v, @c) transB=1\n%y = softmax(%3)\nreturn %y\n";

/* Class 2 where two numbers have one sign, else 0 or 1 by the sign of a third: no straight line parts them. */
static void write_bends(const char *name, int n, uint64_t seed)
{
    float *const   x = malloc((size_t)n * 4 * sizeof(*x));
    int32_t *const labels = malloc((size_t)n * sizeof(*labels));
    pare_rng       rng = pare_rng_seed(seed);
    char           file[64];

    for (int i = 0; i < n; i++) {
        for (int k = 0; k < 4; k++)
            x[4 * i + k] = pare_rng_normal(&rng);
        labels[i] = x[4 * i] * x[4 * i + 1] > 0 ? 2 : x[4 * i + 2] > 0;
    }
    snprintf(file, sizeof(file), "%s.f32", name);
    write_file(file, x, (size_t)n * 4 * sizeof(*x));
    snprintf(file, sizeof(file), "%s.labels", name);
    write_file(file, labels, (size_t)n * sizeof(*labels));
    free(x);
    free(labels);
}

/* It learns, and the test between epochs is what pare_evaluate says of the model that comes out. */
static void test_learns(void **state)
{
    const pare_data_options item = { .item = { 1, { 4 } } };
    pare_graph *const       g = graph_of(bend_net);
    process                 seen;
    pare_graph             *trained;
    pare_evaluation         after;

    (void)state;
    write_bends("bends", 2000, 1);
    write_bends("others", 333, 2);
    pare_dataset *const ds = open_ok(in_folder("bends.f32"), &item), *const test =
                                                                         open_ok(in_folder("others.f32"), &item);
    const pare_train_options o = { .trainer = { .batch = 50, .optimizer = { .name = "adam" } },
                                   .schedule = { .name = "cosine", .lr = 0.02 },
                                   .epochs = 10,
                                   .curve = in_folder("curve.svg"),
                                   .epoch_done = note_epoch,
                                   .user = &seen };
    OK(pare_train(g, ds, test, &o, &trained));
    OK(pare_evaluate((const pare_graph *const *)&trained, 1, test, NULL, &after, NULL));
    if (!(after.top1 >= 0.9 && after.nll < 0.3))
        fail_msg("accuracy %g, loss %g", after.top1, after.nll);
    assert_true(fabs(seen.test_accuracy - after.top1) < 1e-9);
    assert_true(fabs(seen.test_loss - after.nll) < 1e-6);

    FILE *const svg = fopen(in_folder("curve.svg"), "r");
    char        text[64];
    assert_non_null(svg);
    assert_non_null(fgets(text, sizeof(text), svg));
    assert_true(strncmp(text, "<svg", 4) == 0);
    fclose(svg);
    pare_graph_destroy(trained);
    pare_graph_destroy(g);
    pare_dataset_close(ds);
    pare_dataset_close(test);
}

/* Reconstruction: no labels, the sample is the target. */
static void test_mse(void **state)
{
    float x[64];

    (void)state;
    numbers(x, 64, 3, 1);
    write_file("mse.f32", x, sizeof(x));
    pare_dataset *const ds = open_ok(in_folder("mse.f32"), &(pare_data_options){ .item = { 1, { 4 } } });
    pare_graph *const   g = graph_of("graph auto\n%x = input f32[N,4]\n@w = const f32[4,2] seed=1\n"
                                       "@v = const f32[2,4] seed=2\n%1 = matmul(%x, @w)\n%y = matmul(%1, @v)\nreturn %y\n");
    pare_graph         *trained;
    pare_evaluation     before, after;

    OK(pare_evaluate((const pare_graph *const *)&g, 1, ds, NULL, &before, NULL));
    OK(pare_train(g, ds, NULL,
                  &(pare_train_options){ .trainer = { .batch = 8, .loss = "mse", .optimizer = { .name = "adam" } },
                                         .schedule = { .lr = 0.01 },
                                         .epochs = 100 },
                  &trained));
    OK(pare_evaluate((const pare_graph *const *)&trained, 1, ds, NULL, &after, NULL));
    assert_true(after.reconstruction_mse < 0.7 * before.reconstruction_mse);
    pare_graph_destroy(trained);
    pare_graph_destroy(g);
    pare_dataset_close(ds);
}

static bool only_classes(void *user, const char *parameter)
{
    (void)user;
    return strcmp(parameter, "fw") == 0 || strcmp(parameter, "fb") == 0;
}

/* Parameters that are not trained, and frozen statistics, keep their bits. */
static void test_frozen(void **state)
{
    pare_graph *const   g = graph_of(small_net);
    pare_dataset *const ds = open_ok("demo:train", &(pare_data_options){ .slice = "0:64" });
    pare_graph         *trained;

    (void)state;
    OK(pare_train(
        g, ds, NULL,
        &(pare_train_options){ .trainer = { .batch = 32, .trains = only_classes, .freeze_statistics = true } },
        &trained));
    for (const pare_value *v = g->values; v; v = v->next)
        if (pare_value_is_const(v)) {
            const pare_value *const now = pare_graph_find(trained, v->name);
            const bool              same = memcmp(now->t.data, v->t.data, (size_t)pare_tensor_bytes(&v->t)) == 0;

            assert_int_equal(same, !only_classes(NULL, v->name));
        }
    pare_graph_destroy(trained);
    pare_graph_destroy(g);
    pare_dataset_close(ds);
}

/* --------------------------------------------------------------------------------------------------------- failures */

static void fails(const char *net, const char *data, pare_train_options o, pare_status want, const char *words)
{
    const pare_data_options numbers4 = { .item = { 1, { 4 } } }, pictures = { .slice = "0:64" };
    pare_graph *const       g = graph_of(net);
    pare_dataset *const     ds = open_ok(data, strstr(data, ".f32") ? &numbers4 : &pictures);
    const long              live = pare_alloc_live();
    char                    list[256];
    pare_graph             *trained;
    const pare_status       status = pare_train(g, ds, NULL, &o, &trained);

    if (status != want)
        fail_msg("status %d, not %d: %s", status, want, status ? pare_error() : "");
    assert_null(trained);
    assert_int_equal(pare_alloc_live(), live);
    snprintf(list, sizeof(list), "%s", words);
    for (char *word = strtok(list, "|"); word; word = strtok(NULL, "|"))
        if (!strstr(pare_error(), word))
            fail_msg("'%s' is not in: %s", word, pare_error());
    pare_graph_destroy(g);
    pare_dataset_close(ds);
}

static const char tiny_net[] = "graph tiny\n%x = input f32[N,4]\n@w = const f32[4,3] seed=1\n"
                               "%1 = matmul(%x, @w)\n%two = exp(%1)\n%y = mul(%two, %two)\nreturn %y\n";

static void test_not_finite(void **state)
{
    float   x[64];
    int32_t labels[16];

    (void)state;
    for (int i = 0; i < 16; i++)
        labels[i] = i % 3;
    numbers(x, 64, 1, 1);
    write_file("fine.f32", x, sizeof(x));
    write_file("fine.labels", labels, sizeof(labels));
    for (int i = 0; i < 64; i++)
        x[i] = 300;
    write_file("large.f32", x, sizeof(x));
    write_file("large.labels", labels, sizeof(labels));
    x[37] = NAN;
    write_file("nan.f32", x, sizeof(x));
    write_file("nan.labels", labels, sizeof(labels));

    const pare_train_options o = { .trainer = { .batch = 16 }, .epochs = 50 };
    pare_train_options       fast = o;

    fast.schedule.lr = 1e30;
    fails(tiny_net, in_folder("nan.f32"), o, PARE_ERR_NUMERIC, "'x' has|the data");
    fails(tiny_net, in_folder("large.f32"), o, PARE_ERR_NUMERIC, "(exp)|'two'|learning rate");
    fails(tiny_net, in_folder("fine.f32"), fast, PARE_ERR_NUMERIC, "not finite");
}

static void test_refused(void **state)
{
    const float   x[16] = { 0 };
    const int32_t labels[4] = { 0, 1, 2, 3 };

    (void)state;
    write_file("four.f32", x, sizeof(x));
    write_file("four.labels", labels, sizeof(labels));
    write_file("three.f32", x, sizeof(x));
    write_file("three.labels", (int32_t[]){ 0, 1, 2, 2 }, sizeof(labels));
    const char *const three = in_folder("three.f32");

    fails(tiny_net, in_folder("four.f32"), (pare_train_options){ .trainer = { .batch = 4 } }, PARE_ERR_DATA,
          "four.f32[3]|label 3|0 to 2");
    fails(tiny_net, three, (pare_train_options){ .trainer = { .batch = 8 } }, PARE_ERR_ARG, "less than one batch");
    fails(tiny_net, three, (pare_train_options){ .trainer = { .batch = 4, .chunks = 3 } }, PARE_ERR_ARG, "chunks");
    fails(tiny_net, three, (pare_train_options){ .trainer = { .batch = 4, .loss = "hinge" } }, PARE_ERR_ARG, "hinge");
    fails(tiny_net, three, (pare_train_options){ .trainer = { .batch = 4, .loss = "mse" } }, PARE_ERR_SHAPE, "mse");
    fails(tiny_net, three, (pare_train_options){ .trainer = { .batch = 4, .average = 1 } }, PARE_ERR_ARG, "average");
    fails(tiny_net, three, (pare_train_options){ .trainer = { .batch = 4 }, .epochs = -1 }, PARE_ERR_ARG, "epochs");
    fails(tiny_net, three, (pare_train_options){ .trainer = { .batch = 4 }, .augment = "flip" }, PARE_ERR_ARG,
          "for pictures");
    fails(tiny_net, three, (pare_train_options){ .trainer = { .batch = 4, .optimizer = { .name = "sgdd" } } },
          PARE_ERR_ARG, "sgd");
    fails(tiny_net, three, (pare_train_options){ .trainer = { .batch = 4 }, .schedule = { .warmup = 1 } }, PARE_ERR_ARG,
          "warm-up");
    fails(small_net, three, (pare_train_options){ .trainer = { .batch = 4 } }, PARE_ERR_SHAPE, "3,32,32");
    fails(small_net, "demo:train", (pare_train_options){ .trainer = { .batch = 32 }, .augment = "mixup" }, PARE_ERR_ARG,
          "shares of classes");
    fails("graph none\n%x = input f32[N,4]\n%y = relu(%x)\nreturn %y\n", three,
          (pare_train_options){ .trainer = { .batch = 4 } }, PARE_ERR_ARG, "nothing to train");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden),        cmocka_unit_test(test_threads),    cmocka_unit_test(test_processes),
        cmocka_unit_test(test_process_fails), cmocka_unit_test(test_learns),     cmocka_unit_test(test_mse),
        cmocka_unit_test(test_frozen),        cmocka_unit_test(test_not_finite), cmocka_unit_test(test_refused),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
