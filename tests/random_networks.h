/* SPDX-License-Identifier: Apache-2.0 */
/* random_networks.h - networks for tests of threads: quantized pictures, float pictures, rows of numbers */
#ifndef PARE_TESTS_RANDOM_NETWORKS_H
#define PARE_TESTS_RANDOM_NETWORKS_H

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <pare/compile.h>

#include "base/rng.h"

#define OK(call)                                                     \
    do {                                                             \
        if ((call) != PARE_OK)                                       \
            fail_msg("%s:%d: %s", __FILE__, __LINE__, pare_error()); \
    } while (0)

enum { MAX_STEPS = 64, TEXT = 1 << 14 };

typedef struct network {
    pare_rng rng;
    char     text[TEXT];
    size_t   length;
    int      n;                                        /* values so far: %v0 .. */
    int      c[MAX_STEPS], h[MAX_STEPS], w[MAX_STEPS]; /* [n]                   */
} network;

static void __attribute__((format(printf, 2, 3))) say(network *net, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    net->length += (size_t)vsnprintf(net->text + net->length, TEXT - net->length, format, args);
    va_end(args);
    assert_true(net->length < TEXT);
}

static int below(network *net, int n)
{
    return (int)pare_rng_below(&net->rng, (uint32_t)n);
}

static void add_value(network *net, int c, int h, int w)
{
    net->c[net->n] = c;
    net->h[net->n] = h;
    net->w[net->n++] = w;
}

static void add_conv(network *net, int from, bool depthwise)
{
    static const int channels[] = { 3, 16, 20, 32, 40, 64 };
    const int        k = below(net, 2) ? 3 : 1, stride = 1 + (below(net, 3) == 0), i = net->n;
    const int        out = depthwise ? net->c[from] : channels[below(net, 6)];

    say(net, "@w%d = const s8[%d,%d,%d,%d] seed=%d q(0.01, 0)\n", i, out, depthwise ? 1 : net->c[from], k, k, i + 1);
    say(net, "%%v%d : u8 q(0.4, 117) = qconv(%%v%d, @w%d) group=%d strides=[%d,%d] pads=[%d,%d,%d,%d]\n", i, from, i,
        depthwise ? net->c[from] : 1, stride, stride, k / 2, k / 2, k / 2, k / 2);
    add_value(net, out, (net->h[from] - 1) / stride + 1, (net->w[from] - 1) / stride + 1);
}

static void add_pool(network *net, int from)
{
    const int stride = 1 + below(net, 2);

    say(net, "%%v%d : u8 q(0.4, 117) = max_pool(%%v%d) kernel_shape=[3,3] strides=[%d,%d] pads=[1,1,1,1]\n", net->n,
        from, stride, stride);
    add_value(net, net->c[from], (net->h[from] - 1) / stride + 1, (net->w[from] - 1) / stride + 1);
}

/* Adds, multiplies or shuffles in an earlier value of the same shape, or joins one of the same size, if there is one. */
static bool add_join(network *net, int from, bool concat)
{
    static const char *const ops[] = { "qadd", "qmul", "interleave" };

    for (int k = below(net, from + 1), left = from + 1; left > 0; left--, k = (k + 1) % (from + 1)) {
        if (net->h[k] != net->h[from] || net->w[k] != net->w[from] || (!concat && net->c[k] != net->c[from]))
            continue;
        const int op = concat ? 0 : below(net, net->c[from] < 100 ? 3 : 2);

        if (concat)
            say(net, "%%v%d : u8 q(0.4, 117) = concat(%%v%d, %%v%d) axis=1\n", net->n, k, from);
        else
            say(net, "%%v%d : u8 q(0.4, 117) = %s(%%v%d, %%v%d)\n", net->n, ops[op], k, from);
        add_value(net, concat || op == 2 ? net->c[k] + net->c[from] : net->c[from], net->h[from], net->w[from]);
        return true;
    }
    return false;
}

/* Squeeze and excite: every element is multiplied by a function of all pixels. */
static void add_squeeze(network *net, int from)
{
    say(net, "%%s%d : u8 q(0.4, 117) = qglobal_average_pool(%%v%d)\n", net->n, from);
    say(net, "%%v%d : u8 q(0.4, 117) = qmul(%%v%d, %%s%d)\n", net->n, from, net->n);
    add_value(net, net->c[from], net->h[from], net->w[from]);
}

/* Pictures of codes. */
static void make_integers(network *net)
{
    const int c = 1 + below(net, 20), h = 1 + below(net, 24),
              w = below(net, 2) ? 8 * (1 + below(net, 3)) : 1 + below(net, 24);

    say(net, "graph net\n%%x = input f32[N,%d,%d,%d]\n@s = const f32 {0.4}\n@z = const u8 {117}\n", c, h, w);
    say(net, "@t = const u8[256] seed=9\n%%v0 : u8 q(0.4, 117) = quantize_linear(%%x, @s, @z)\n");
    add_value(net, c, h, w);
    for (int left = 4 + below(net, 20); left > 0; left--) {
        const int from = below(net, 4) ? net->n - 1 : below(net, net->n), roll = below(net, 10);

        if (roll < 2) {
            add_conv(net, from, true);
        } else if (roll == 2) {
            add_pool(net, from);
        } else if (roll == 3) {
            say(net, "%%v%d : u8 q(0.4, 117) = lut(%%v%d, @t)\n", net->n, from);
            add_value(net, net->c[from], net->h[from], net->w[from]);
        } else if (roll == 4) {
            add_squeeze(net, from);
        } else if (roll > 7 || !add_join(net, from, roll == 5 && net->c[from] < 200)) {
            add_conv(net, from, false);
        }
    }
    say(net, "%%y = dequantize_linear(%%v%d, @s, @z)\n", net->n - 1);
    say(net, "%%e = dequantize_linear(%%v%d, @s, @z)\nreturn %%y, %%e\n", net->n / 2);
}

/* Pictures of floats: their convolutions, and sums and products with an earlier one. */
static void make_floats(network *net)
{
    static const int channels[] = { 3, 16, 20, 32, 40, 100 };
    const int        c = 1 + below(net, 20);

    add_value(net, c, 1 + below(net, 24), 1 + below(net, 24));
    say(net, "graph net\n%%v0 = input f32[N,%d,%d,%d]\n", c, net->h[0], net->w[0]);
    for (int left = 4 + below(net, 16), i = 1; left > 0; left--, i++) {
        const int  from = below(net, 4) ? i - 1 : below(net, i), k = below(net, 2) ? 3 : 1, roll = below(net, 6);
        const int  stride = 1 + (below(net, 4) == 0), earlier = below(net, i);
        const bool alone = roll == 0, same = net->c[earlier] == net->c[from] && net->h[earlier] == net->h[from] &&
                                             net->w[earlier] == net->w[from];
        const int out = alone ? net->c[from] : channels[below(net, 6)];

        if (roll > 3 && same) {
            say(net, "%%v%d = %s(%%v%d, %%v%d)\n", i, roll == 4 ? "add" : "mul", from, earlier);
            add_value(net, net->c[from], net->h[from], net->w[from]);
            continue;
        }
        say(net, "@w%d = const f32[%d,%d,%d,%d] seed=%d\n", i, out, alone ? 1 : net->c[from], k, k, i + 1);
        say(net, "%%v%d = conv(%%v%d, @w%d) group=%d strides=[%d,%d] pads=[%d,%d,%d,%d] clamp_lo=0\n", i, from, i,
            alone ? net->c[from] : 1, stride, stride, k / 2, k / 2, k / 2, k / 2);
        add_value(net, out, (net->h[from] - 1) / stride + 1, (net->w[from] - 1) / stride + 1);
    }
    say(net, "%%y = sigmoid(%%v%d)\n%%e = relu(%%v%d)\nreturn %%y, %%e\n", net->n - 1, net->n / 2);
}

/* One of the ops that encoders have, from value `from` to value i; all have the same shape. */
static void add_rows(network *net, int i, int from, int c, int kind)
{
    const int earlier = below(net, i);

    if (kind < 2)
        say(net, "@w%d = const f32[%d,%d] seed=%d\n%%m%d = matmul(%%v%d, @w%d)\n%%v%d = add(%%m%d, @b)\n", i, c, c, i,
            i, from, i, i, i);
    else if (kind == 2)
        say(net,
            "@w%d = const s8[%d,%d] seed=%d q(0.01)\n%%c%d : u8 q(1, 128), %%s%d = quantize_rows(%%v%d)\n"
            "%%v%d = qgemm(%%c%d, @w%d, ?, ?, %%s%d)\n",
            i, c, c, i, i, i, from, i, i, i, i);
    else if (kind == 3)
        say(net,
            "@w%d = const s8[%d,%d] seed=%d q(0.01)\n%%c%d : u8 q(1, 128), %%s%d, %%n%d, ? = norm_rows(%%v%d, @b, "
            "@b, %%v%d)\n%%g%d = qgemm(%%c%d, @w%d, ?, ?, %%s%d)\n%%v%d = add(%%g%d, %%n%d)\n",
            i, c, c, i, i, i, i, from, earlier, i, i, i, i, i, i, i);
    else if (kind == 4)
        say(net, "%%v%d = softmax(%%v%d) axis=%d\n", i, from, below(net, 3) ? -1 : 1);
    else if (kind == 5)
        say(net, "%%v%d = layer_normalization(%%v%d, @b, @b)\n", i, from);
    else if (kind == 6)
        say(net, "%%v%d = attention(%%v%d, %%v%d, %%v%d) perm_k=[0,2,1] factor=3 divides=1\n", i, from, earlier, from);
    else
        say(net, "%%t%d = transpose(%%v%d) perm=[0,2,1]\n%%p%d = matmul(%%v%d, %%t%d)\n%%v%d = matmul(%%p%d, %%v%d)\n",
            i, earlier, i, from, i, i, i, from);
}

/* [N,T,C] as in encoders. */
static void make_rows(network *net)
{
    const int t = 1 + below(net, 150), c = 1 + below(net, 80);

    say(net, "graph net\n%%v0 = input f32[N,%d,%d]\n@b = const f32[%d] seed=77\n", t, c, c);
    const int n = 4 + below(net, 12);

    for (int i = 1; i <= n; i++)
        add_rows(net, i, below(net, 4) ? i - 1 : below(net, i), c, below(net, 8));
    say(net, "%%y = tanh(%%v%d)\n%%e = relu(%%v%d)\nreturn %%y, %%e\n", n, n / 2);
}

/* slab 0: by rule. */
static __attribute__((unused)) pare_plan *make_batch(uint64_t seed, int batch, int slab)
{
    static network net;
    pare_graph    *g;
    pare_plan     *plan;

    memset(&net, 0, sizeof(net));
    net.rng = pare_rng_seed(seed);
    (seed % 5 == 3 ? make_floats : seed % 5 == 4 ? make_rows : make_integers)(&net);
    OK(pare_graph_parse(net.text, &g));
    OK(pare_graph_infer(g, false));
    OK(pare_compile(g, &(pare_compile_options){ .batch = batch, .slab = slab }, &plan));
    pare_graph_destroy(g);
    return plan;
}

static pare_tensor make_input(const pare_plan *plan, uint64_t seed)
{
    pare_rng           rng = pare_rng_seed(seed);
    const pare_tensor *shape;
    pare_tensor        x;

    pare_plan_input(plan, 0, &shape);
    x = pare_tensor_of(shape->dtype, shape->shape);
    OK(pare_tensor_alloc(&x));
    for (int64_t i = 0; i < pare_shape_count(&x.shape); i++)
        ((float *)x.data)[i] = 20 * pare_rng_normal(&rng);
    return x;
}

#endif
