/* SPDX-License-Identifier: Apache-2.0 */
/* train_helpers.h - small networks to train, and what their weights are afterwards; comes after cmocka.h */
#ifndef PARE_TESTS_TRAIN_HELPERS_H
#define PARE_TESTS_TRAIN_HELPERS_H

#include <string.h>

#include <pare/train.h>

#include "base/hash.h"
#include "data_helpers.h"
#include "graph/graph.h"

#define OK(call)                                                     \
    do {                                                             \
        if ((call) != PARE_OK)                                       \
            fail_msg("%s:%d: %s", __FILE__, __LINE__, pare_error()); \
    } while (0)

/* For the computed pictures: convolution, batch normalization, a layer of classes. */
static const char small_net[] = "graph small\n"
                                "%x = input f32[N,3,32,32]\n"
                                "@w = const f32[8,3,3,3] seed=1\n@g = const f32[8] seed=2\n@b = const f32[8] seed=3\n"
                                "@m = const f32[8] seed=4\n@v = const f32 [8] {1,1,1,1,1,1,1,1}\n"
                                "@fw = const f32[10,512] seed=5\n@fb = const f32[10] seed=6\n"
                                "%1 = conv(%x, @w) strides=[4,4] pads=[1,1,1,1]\n"
                                "%2 = batch_normalization(%1, @g, @b, @m, @v)\n"
                                "%3 = relu(%2)\n"
                                "%5 = flatten(%3)\n"
                                "%y = gemm(%5, @fw, @fb) transB=1\n"
                                "return %y\n";

static inline pare_graph *graph_of(const char *text)
{
    pare_graph *g;

    OK(pare_graph_parse(text, &g));
    return g;
}

/* A fingerprint of all constants, by name. */
static inline uint64_t hash_of(const pare_graph *g)
{
    uint64_t h = 0;

    for (const pare_value *v = g->values; v; v = v->next)
        if (pare_value_is_const(v)) {
            h = pare_hash(h, v->name, strlen(v->name));
            h = pare_hash(h, v->t.data, (size_t)pare_tensor_bytes(&v->t));
        }
    return h;
}

/* Trains small_net on the first `samples` computed pictures; *status may be NULL: then it must work. */
static inline uint64_t train_small(const char *samples, const pare_train_options *o, pare_status *status)
{
    pare_graph *const   g = graph_of(small_net);
    pare_dataset *const ds = open_ok("demo:train", &(pare_data_options){ .slice = samples });
    pare_graph         *trained;
    const pare_status   got = pare_train(g, ds, NULL, o, &trained);
    uint64_t            h = 0;

    if (status)
        *status = got;
    else
        OK(got);
    if (trained)
        h = hash_of(trained);
    pare_graph_destroy(trained);
    pare_dataset_close(ds);
    pare_graph_destroy(g);
    return h;
}

#endif
