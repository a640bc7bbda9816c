/* SPDX-License-Identifier: Apache-2.0 */
/* fingerprint.c - a graph in one number: everything that decides what is computed goes through one hash */
#include "flow/fingerprint.h"

#include <string.h>
#include <sys/stat.h>

#include "base/hash.h"
#include "base/pages.h"

enum { WHOLE = 4 << 10, SAMPLES = 8, SAMPLE = 256 };

typedef struct walk {
    uint64_t hash;
    bool     left_out;
} walk;

static void add(walk *w, const void *bytes, size_t n)
{
    w->hash = pare_hash(w->hash, bytes, n);
}

static void add_number(walk *w, int64_t n)
{
    add(w, &n, sizeof(n));
}

/* NULL is not "". */
static void add_text(walk *w, const char *text)
{
    add(w, text ? text : "", text ? strlen(text) + 1 : 0);
}

/* The begin, the end, and pieces at equal distances between them. */
static void add_samples(walk *w, const char *bytes, size_t n)
{
    for (size_t i = 0; i < SAMPLES; i++)
        add(w, bytes + (n - SAMPLE) / (SAMPLES - 1) * i, SAMPLE);
    add(w, bytes + n - SAMPLE, SAMPLE);
    w->left_out = true;
}

static void add_tensor(walk *w, const pare_tensor *t)
{
    add_number(w, t->dtype);
    add_number(w, t->shape.rank);
    add(w, t->shape.dim, sizeof(t->shape.dim[0]) * (size_t)t->shape.rank);
    add_number(w, t->q != NULL);
    if (t->q) {
        add_number(w, t->q->n);
        add_number(w, t->q->axis);
        add_number(w, t->q->block);
        add(w, t->q->scale, sizeof(*t->q->scale) * (size_t)t->q->n);
        add(w, t->q->zero, t->q->zero ? sizeof(*t->q->zero) * (size_t)t->q->n : 0);
    }
    add_number(w, t->data != NULL);
    if (!t->data)
        return;
    const size_t bytes = (size_t)pare_tensor_bytes(t);

    if (bytes <= WHOLE)
        add(w, t->data, bytes);
    else
        add_samples(w, t->data, bytes);
}

static void add_graph(walk *w, const pare_graph *g);

static void add_attr(walk *w, const pare_attr *a, const void *at)
{
    add_text(w, a->name);
    switch (a->type) {
    case PARE_ATTR_INT:
        add(w, at, sizeof(int64_t));
        break;
    case PARE_ATTR_FLOAT:
        add(w, at, sizeof(float));
        break;
    case PARE_ATTR_STRING:
    case PARE_ATTR_STRINGS:
        add_text(w, *(const char *const *)at);
        break;
    case PARE_ATTR_INTS: {
        const pare_ints *const list = at;

        add(w, list->v, sizeof(list->v[0]) * (size_t)list->n);
        break;
    }
    case PARE_ATTR_FLOATS: {
        const pare_floats *const list = at;

        add(w, list->v, sizeof(list->v[0]) * (size_t)list->n);
        break;
    }
    case PARE_ATTR_DTYPE:
        add_number(w, *(const pare_dtype *)at);
        break;
    case PARE_ATTR_TENSOR:
        add_number(w, *(const pare_tensor *const *)at != NULL);
        if (*(const pare_tensor *const *)at)
            add_tensor(w, *(const pare_tensor *const *)at);
        break;
    case PARE_ATTR_GRAPH:
        add_number(w, *(const pare_graph *const *)at != NULL);
        if (*(const pare_graph *const *)at)
            add_graph(w, *(const pare_graph *const *)at);
        break;
    }
}

static void add_values(walk *w, pare_value *const *values, int n)
{
    add_number(w, n);
    for (int i = 0; i < n; i++)
        add_text(w, values[i] ? values[i]->name : NULL);
}

static void add_graph(walk *w, const pare_graph *g)
{
    for (const pare_value *v = g->values; v; v = v->next) {
        add_text(w, v->name);
        add_tensor(w, &v->t);
        /* The pages that were looked at brought their neighbours with them. */
        if (v->t.data && v->t.buf)
            pare_buf_forget(v->t.buf);
    }
    for (const pare_node *n = g->first; n; n = n->next) {
        add_text(w, n->op->name);
        for (const pare_attr *a = n->op->attrs; a && a->name; a++)
            add_attr(w, a, (const char *)n->attrs + a->offset);
        add_values(w, n->in, n->n_in);
        add_values(w, n->out, n->n_out);
    }
    add_values(w, g->inputs, g->n_inputs);
    add_values(w, g->outputs, g->n_outputs);
}

uint64_t pare_fingerprint(const pare_graph *g, bool *left_out)
{
    walk w = { 0 };

    add_graph(&w, g);
    *left_out = w.left_out;
    return w.hash;
}

static void add_constants(walk *w, const pare_graph *g)
{
    for (const pare_value *v = g->values; v; v = v->next)
        if (v->t.data) {
            add(w, v->t.data, (size_t)pare_tensor_bytes(&v->t));
            if (v->t.buf)
                pare_buf_forget(v->t.buf);
        }
}

uint64_t pare_fingerprint_constants(const pare_graph *g)
{
    walk w = { 0 };

    add_constants(&w, g);
    for (const pare_graph *body = g->bodies; body; body = body->next_body)
        add_constants(&w, body);
    return w.hash;
}

uint64_t pare_fingerprint_file(const pare_graph *g)
{
    struct stat info;

    if (!g->file || stat(g->file, &info))
        return 0;
    const int64_t about[] = { info.st_size, info.st_mtim.tv_sec, info.st_mtim.tv_nsec };

    return pare_hash(0, about, sizeof(about));
}
