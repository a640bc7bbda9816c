/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_accuracy.c - what quantization may cost on real models and data (needs PARE_DATA)
 *
 * Each row is a promise of the README: calibrate on one part of the data, evaluate on another, compare with the float
 * model. File sizes are checked beside it.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <pare/pare.h>

#include "graph/graph.h"

typedef struct row {
    const char       *model;
    pare_qmode        mode;
    const char       *calib; /* data set under sets/ */
    pare_data_options calib_options;
    int               samples; /* for calibration      */
    const char       *eval;
    pare_data_options eval_options;
    double            drop;  /* of top-1, as a share */
    double            equal; /* predictions, at least */
    double            loss;  /* relative rise of nll (token models) or of the reconstruction error; 0: not asked */
    double            size;  /* of the float file, at most; 0: the rule of allowed_bytes */
} row;

#define ITEM(...)                                                                            \
    {                                                                                        \
        .rank = sizeof((int64_t[]){ __VA_ARGS__ }) / sizeof(int64_t), .dim = { __VA_ARGS__ } \
    }

static const row rows[] = {
    { "mobilenetv2_imagenet",
      PARE_QMODE_AUTO,
      "imagenet_sample.tar",
      { .preset = "imagenet-tf", .slice = "0::5" },
      100,
      "imagenet_sample.tar",
      { .preset = "imagenet-tf", .without = "0::5" },
      0.01,
      0.95,
      0,
      0.28 },
    { "squeezenet1_0_imagenet",
      PARE_QMODE_AUTO,
      "imagenet_sample.tar",
      { .preset = "imagenet-caffe", .slice = "0::5" },
      100,
      "imagenet_sample.tar",
      { .preset = "imagenet-caffe", .without = "0::5" },
      0.01,
      0,
      0,
      0.28 },
    { "resnet8_cifar10",
      PARE_QMODE_AUTO,
      "cifar10_train.tar",
      { .preset = "cifar", .slice = "0::100" },
      500,
      "cifar10_test.tar",
      { .preset = "cifar" },
      0.005,
      0,
      0,
      0 },
    { "resnet8_cifar10_bn",
      PARE_QMODE_AUTO,
      "cifar10_train.tar",
      { .preset = "cifar", .slice = "0::100" },
      500,
      "cifar10_test.tar",
      { .preset = "cifar" },
      0.005,
      0,
      0,
      0 },
    { "resnet20_cifar10",
      PARE_QMODE_AUTO,
      "cifar10_train.tar",
      { .preset = "cifar-torch", .slice = "0::100" },
      500,
      "cifar10_test.tar",
      { .preset = "cifar-torch" },
      0.005,
      0,
      0,
      0.28 },
    { "vww_mobilenetv1_025",
      PARE_QMODE_AUTO,
      "coco128_train.tar",
      { .preset = "vww" },
      128,
      "coco128_val.tar",
      { .preset = "vww", .label_rule = "vww" },
      2.0 / 64,
      0,
      0,
      0 },
    { "vww_mobilenetv1_025_bn",
      PARE_QMODE_AUTO,
      "coco128_train.tar",
      { .preset = "vww" },
      128,
      "coco128_val.tar",
      { .preset = "vww", .label_rule = "vww" },
      2.0 / 64,
      0,
      0,
      0 },
    { "kws_dscnn",
      PARE_QMODE_AUTO,
      "kws_mfcc.f32",
      { .item = ITEM(1, 49, 10), .slice = "0::4" },
      0,
      "kws_mfcc.f32",
      { .item = ITEM(1, 49, 10), .without = "0::4" },
      2.0 / 141,
      0,
      0,
      0 },
    { "ad_autoencoder",
      PARE_QMODE_DYNAMIC,
      NULL,
      { 0 },
      0,
      "ad_toycar_normal.f32",
      { .item = ITEM(640) },
      1,
      0,
      0.01,
      0 },
    { "ad_autoencoder",
      PARE_QMODE_STATIC,
      "ad_toycar_normal.f32",
      { .item = ITEM(640), .slice = "0::4" },
      0,
      "ad_toycar_normal.f32",
      { .item = ITEM(640), .without = "0::4" },
      1,
      0,
      0.01,
      0 },
    { "stories260K",
      PARE_QMODE_AUTO,
      NULL,
      { 0 },
      0,
      "tinystories_sample.u16",
      { .slice = "0:256" },
      1,
      0,
      0.01,
      0.49 },
};

static const char *under(const char *folder, const char *name, const char *ending)
{
    static char text[3][512];
    static int  turn;

    turn = (turn + 1) % 3;
    snprintf(text[turn], sizeof(text[turn]), "%s/%s/%s%s", getenv("PARE_DATA"), folder, name, ending);
    return text[turn];
}

static void ok(pare_status status)
{
    if (status != PARE_OK)
        fail_msg("%s", pare_error());
}

/* One byte a weight, 12 a channel (scale, bias, its scale), 120 a node. */
static double allowed_bytes(const pare_graph *g)
{
    double bytes = 0;

    for (const pare_node *n = g->first; n; n = n->next) {
        bytes += 120;
        if (strcmp(n->op->name, "dequantize_linear") == 0 && n->in[0]->t.data && n->in[0]->t.dtype == PARE_s8)
            bytes += (double)pare_shape_count(&n->in[0]->t.shape) + 12 * (double)pare_shape_count(&n->in[1]->t.shape);
    }
    return bytes;
}

static double file_size(const char *path)
{
    struct stat s;

    assert_int_equal(stat(path, &s), 0);
    return (double)s.st_size;
}

/* Quantizes, goes through a file, and loads what a user would load. */
static pare_graph *quantized(const row *r, const pare_graph *model, double *bytes)
{
    const pare_rule rule = { .kind = PARE_RULE_GLOBAL, .config = { .mode = r->mode } };
    pare_dataset   *calib = NULL;
    pare_graph     *g, *loaded;
    char            path[] = "/tmp/pare_accuracy_XXXXXX.onnx";
    const int       fd = mkstemps(path, 5);

    assert_true(fd >= 0);
    close(fd);
    if (r->calib)
        ok(pare_dataset_open(under("sets", r->calib, ""), &r->calib_options, &calib));
    ok(pare_quantize(model,
                     &(pare_quantize_options){ .mapping = { &rule, 1 }, .calibration = calib, .samples = r->samples },
                     &g, NULL));
    ok(pare_graph_save(g, path, NULL));
    ok(pare_graph_load(path, &loaded));
    *bytes = file_size(path);
    remove(path);
    pare_graph_destroy(g);
    pare_dataset_close(calib);
    return loaded;
}

static void check(const row *r)
{
    pare_graph     *models[2];
    pare_dataset   *data;
    pare_evaluation e[2];
    pare_pool      *pool;
    double          equal, bytes;

    ok(pare_graph_load(under("models", r->model, ".onnx"), &models[0]));
    models[1] = quantized(r, models[0], &bytes);
    ok(pare_dataset_open(under("sets", r->eval, ""), &r->eval_options, &data));
    ok(pare_pool_create(0, &pool));
    ok(pare_evaluate((const pare_graph *const *)models, 2, data, &(pare_evaluate_options){ .pool = pool }, e, &equal));

    const double share = bytes / file_size(under("models", r->model, ".onnx"));

    print_message("%-24s top-1 %6.2f -> %6.2f %%  equal %6.2f %%  nll %.4f -> %.4f  mse %.4f -> %.4f  size %.3f\n",
                  r->model, 100 * e[0].top1, 100 * e[1].top1, 100 * equal, e[0].nll, e[1].nll, e[0].reconstruction_mse,
                  e[1].reconstruction_mse, share);
    if (!r->loss)
        assert_true(e[1].top1 >= e[0].top1 - r->drop - 1e-9);
    assert_true(r->equal == 0 || equal >= r->equal);
    if (r->loss && !isnan(e[0].reconstruction_mse))
        assert_true(e[1].reconstruction_mse <= e[0].reconstruction_mse * (1 + r->loss));
    else if (r->loss)
        assert_true(e[1].nll <= e[0].nll * (1 + r->loss));
    assert_true(r->size > 0 ? share <= r->size : bytes <= allowed_bytes(models[1]));
    pare_pool_destroy(pool);
    pare_dataset_close(data);
    pare_graph_destroy(models[0]);
    pare_graph_destroy(models[1]);
}

static void accuracy(void **state)
{
    (void)state;
    if (!getenv("PARE_DATA")) {
        print_message("PARE_DATA is not set: accuracy on real data is not tested\n");
        skip();
    }
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        check(&rows[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(accuracy) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
