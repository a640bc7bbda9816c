/* SPDX-License-Identifier: Apache-2.0 */
/*
 * onnx_make.h - ONNX files from a line of text, in any operator set, for tests.
 *
 *     make_model(&w, 11, "x f32[2,3]", "y = ReduceMean(x) axes=[1] keepdims=0; z = Add(y, f32:0.5)", "z");
 *
 * Arguments: a name, nothing (left out), a constant list "s64{1,2}", a constant scalar "s64:5", or a constant ramp
 * "f32[4,3]" of small numbers. Attributes: 3, 0.5, "text", [1,2], [0.5,2.0]. Inputs: "x f32[2,N,3]; c bool[]".
 */
#ifndef PARE_TESTS_ONNX_MAKE_H
#define PARE_TESTS_ONNX_MAKE_H

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/onnx.h"
#include "tensor/tensor.h"

typedef struct maker {
    pare_wire  *w;
    const char *at;
    int         consts;
} maker;

static bool make_eat(maker *m, const char *what)
{
    while (*m->at == ' ')
        m->at++;
    const size_t n = strlen(what);
    if (strncmp(m->at, what, n) != 0)
        return false;
    m->at += n;
    return true;
}

static void make_word(maker *m, char word[64])
{
    int n = 0;

    while (*m->at == ' ')
        m->at++;
    while ((isalnum((unsigned char)*m->at) || strchr("_./#", *m->at)) && *m->at && n < 63)
        word[n++] = *m->at++;
    word[n] = '\0';
}

/* A list of numbers up to `end`; text between commas that is no number is a symbolic size. */
static int make_numbers(maker *m, const char *end, double number[16], char symbol[16][16])
{
    int n = 0;

    while (!make_eat(m, end)) {
        char *stop;
        assert(n < 16);
        number[n] = strtod(m->at, &stop);
        symbol[n][0] = '\0';
        if (stop == m->at) {
            const size_t length = strcspn(m->at, ",]} ");
            snprintf(symbol[n], 16, "%.*s", (int)length, m->at);
            number[n] = -1;
            stop = (char *)(uintptr_t)m->at + length;
        }
        m->at = stop;
        n++;
        make_eat(m, ",");
    }
    return n;
}

/* A TensorProto of `count` elements; value(i) is number[i], or a ramp when number is NULL. */
static void make_tensor(pare_wire *w, int field, const char *name, const pare_tensor *t)
{
    pare_wire_begin(w, field);
    for (int i = 0; i < t->shape.rank; i++)
        pare_wire_int(w, ONNX_TENSOR_DIMS, t->shape.dim[i]);
    pare_wire_int(w, ONNX_TENSOR_TYPE, pare_dtype_to_onnx(t->dtype));
    pare_wire_text(w, ONNX_TENSOR_NAME, name);
    pare_wire_bytes(w, ONNX_TENSOR_RAW, t->data, (size_t)pare_tensor_bytes(t));
    pare_wire_end(w);
}

static void make_ramp(pare_tensor *t, const double *number)
{
    const int64_t count = pare_shape_count(&t->shape);

    assert(pare_tensor_alloc(t) == PARE_OK);
    for (int64_t i = 0; i < count; i++)
        pare_tensor_set_real(t, i,
                             number                                         ? number[i]
                             : pare_dtype_kind(t->dtype) == PARE_KIND_FLOAT ? (double)(i * 7 % 23 - 11) / 8
                                                                            : (double)(i % 5));
}

/* "s64{1,2}", "f32:0.5", "f32[3,4]" as an initializer; its name into `word`. */
static void make_const(maker *m, char word[64])
{
    const pare_dtype dtype = pare_dtype_parse(word);
    double           number[16];
    char             symbol[16][16];
    int64_t          dim[16];
    pare_tensor      t;

    assert(dtype != PARE_NO_DTYPE);
    if (make_eat(m, "{")) {
        const int64_t n = make_numbers(m, "}", number, symbol);
        t = pare_tensor_of(dtype, pare_shape_of(1, &n));
        make_ramp(&t, number);
    } else if (make_eat(m, ":")) {
        char *stop;
        number[0] = strtod(m->at, &stop);
        m->at = stop;
        t = pare_tensor_of(dtype, pare_shape_of(0, NULL));
        make_ramp(&t, number);
    } else {
        assert(make_eat(m, "["));
        const int rank = make_numbers(m, "]", number, symbol);
        for (int i = 0; i < rank; i++)
            dim[i] = (int64_t)number[i];
        t = pare_tensor_of(dtype, pare_shape_of(rank, dim));
        make_ramp(&t, NULL);
    }
    snprintf(word, 64, "const_%d", m->consts++);
    make_tensor(m->w, ONNX_GRAPH_INITIALIZER, word, &t);
    pare_tensor_release(&t);
}

static void make_attr_type(pare_wire *w, pare_onnx_kind kind)
{
    pare_wire_int(w, ONNX_ATTR_TYPE, kind);
    pare_wire_end(w);
}

static void make_attr(maker *m, const char *name)
{
    double     number[16];
    char       symbol[16][16];
    pare_wire *w = m->w;

    pare_wire_begin(w, ONNX_NODE_ATTRIBUTE);
    pare_wire_text(w, ONNX_ATTR_NAME, name);
    if (make_eat(m, "\"")) {
        const size_t length = strcspn(m->at, "\"");
        pare_wire_bytes(w, ONNX_ATTR_S, m->at, length);
        m->at += length + 1;
        make_attr_type(w, ONNX_KIND_STRING);
    } else if (make_eat(m, "[")) {
        const bool real = memchr(m->at, '.', strcspn(m->at, "]")) != NULL;
        const int  n = make_numbers(m, "]", number, symbol);
        for (int i = 0; i < n; i++) {
            if (real)
                pare_wire_float(w, ONNX_ATTR_FLOATS, (float)number[i]);
            else
                pare_wire_int(w, ONNX_ATTR_INTS, (int64_t)number[i]);
        }
        make_attr_type(w, real ? ONNX_KIND_FLOATS : ONNX_KIND_INTS);
    } else {
        char        *stop;
        const double value = strtod(m->at, &stop);
        const bool   real = memchr(m->at, '.', (size_t)(stop - m->at)) != NULL;
        m->at = stop;
        if (real)
            pare_wire_float(w, ONNX_ATTR_F, (float)value);
        else
            pare_wire_int(w, ONNX_ATTR_I, (int64_t)value);
        make_attr_type(w, real ? ONNX_KIND_FLOAT : ONNX_KIND_INT);
    }
}

/* "a, b = Split(x, s64{1,2}) axis=1" */
static void make_node(maker *m)
{
    char out[8][64], in[12][64], type[64], word[64];
    int  n_out = 0, n_in = 0;

    do
        make_word(m, out[n_out++]);
    while (make_eat(m, ","));
    assert(make_eat(m, "="));
    make_word(m, type);
    assert(make_eat(m, "("));
    while (!make_eat(m, ")")) {
        make_word(m, in[n_in]);
        if (*m->at == '{' || *m->at == '[' || *m->at == ':')
            make_const(m, in[n_in]);
        n_in++;
        make_eat(m, ",");
    }
    pare_wire_begin(m->w, ONNX_GRAPH_NODE);
    for (int i = 0; i < n_in; i++)
        pare_wire_text(m->w, ONNX_NODE_INPUT, in[i]);
    for (int i = 0; i < n_out; i++)
        pare_wire_text(m->w, ONNX_NODE_OUTPUT, out[i]);
    char *const dot = strrchr(type, '.'); /* "com.microsoft.Gelu" */
    pare_wire_text(m->w, ONNX_NODE_TYPE, dot ? dot + 1 : type);
    if (dot)
        pare_wire_bytes(m->w, ONNX_NODE_DOMAIN, type, (size_t)(dot - type));
    for (make_word(m, word); word[0]; make_word(m, word)) {
        assert(make_eat(m, "="));
        make_attr(m, word);
    }
    pare_wire_end(m->w);
}

static void make_info(maker *m, int field)
{
    char   name[64], type[64], symbol[16][16];
    double number[16];

    make_word(m, name);
    make_word(m, type);
    pare_wire_begin(m->w, field);
    pare_wire_text(m->w, ONNX_VALUE_NAME, name);
    if (type[0]) {
        assert(make_eat(m, "["));
        const int rank = make_numbers(m, "]", number, symbol);
        pare_wire_begin(m->w, ONNX_VALUE_TYPE);
        pare_wire_begin(m->w, ONNX_TYPE_TENSOR);
        pare_wire_int(m->w, ONNX_TENSOR_TYPE_ELEM, pare_dtype_to_onnx(pare_dtype_parse(type)));
        pare_wire_begin(m->w, ONNX_TENSOR_TYPE_SHAPE);
        for (int i = 0; i < rank; i++) {
            pare_wire_begin(m->w, ONNX_SHAPE_DIM);
            if (symbol[i][0])
                pare_wire_text(m->w, ONNX_DIM_PARAM, symbol[i]);
            else
                pare_wire_int(m->w, ONNX_DIM_VALUE, (int64_t)number[i]);
            pare_wire_end(m->w);
        }
        pare_wire_end(m->w);
        pare_wire_end(m->w);
        pare_wire_end(m->w);
    }
    pare_wire_end(m->w);
}

/* The fields of a GraphProto. */
static void make_graph(pare_wire *w, const char *inputs, const char *nodes, const char *outputs)
{
    maker m = { .w = w, .at = inputs };

    while (*m.at) {
        make_info(&m, ONNX_GRAPH_INPUT);
        make_eat(&m, ";");
    }
    m.at = nodes;
    while (*m.at) {
        make_node(&m);
        if (!make_eat(&m, ";"))
            assert(*m.at == '\0');
    }
    m.at = outputs;
    while (*m.at) {
        make_info(&m, ONNX_GRAPH_OUTPUT);
        make_eat(&m, ";");
    }
    pare_wire_text(w, ONNX_GRAPH_NAME, "made");
}

static void make_opset(pare_wire *w, int opset)
{
    pare_wire_begin(w, ONNX_MODEL_OPSET);
    pare_wire_text(w, ONNX_OPSET_DOMAIN, "");
    pare_wire_int(w, ONNX_OPSET_VERSION, opset);
    pare_wire_end(w);
}

static void make_model(pare_wire *w, int opset, const char *inputs, const char *nodes, const char *outputs)
{
    *w = (pare_wire){ 0 };
    pare_wire_int(w, ONNX_MODEL_IR_VERSION, 8);
    pare_wire_begin(w, ONNX_MODEL_GRAPH);
    make_graph(w, inputs, nodes, outputs);
    pare_wire_end(w);
    make_opset(w, opset);
    assert(!w->failed && w->n_blobs == 0);
}

/* The status of loading it; *g is NULL unless PARE_OK. */
static inline pare_status make_and_load(int opset, const char *inputs, const char *nodes, const char *outputs,
                                        pare_graph **g)
{
    pare_wire w;

    make_model(&w, opset, inputs, nodes, outputs);
    const pare_status status = pare_graph_load_memory(w.bytes, (size_t)w.size, "made.onnx", g);
    pare_wire_free(&w);
    return status;
}

#endif
