/* SPDX-License-Identifier: Apache-2.0 */
/* facts.c - what a model is made of: counts for people */
#include <string.h>

#include "graph/graph.h"

/* The constants of one graph. A value without readers is what an upgrade left behind. */
static void add_constants(const pare_graph *g, pare_graph_facts *facts)
{
    for (const pare_value *v = g->values; v; v = v->next) {
        if (!v->t.data || v->n_uses == 0)
            continue;
        const int64_t bytes = pare_tensor_bytes(&v->t);

        facts->weight_bytes += bytes > 0 ? bytes : 0;
        if (v->t.dtype != PARE_s64 && v->t.dtype != PARE_u64 && v->t.dtype != PARE_bool)
            facts->parameters += pare_shape_count(&v->t.shape);
    }
}

static bool is_quantizing(const pare_op *op)
{
    return op->traits & PARE_INTEGER || strstr(op->name, "quantize");
}

void pare_graph_describe(const pare_graph *g, pare_graph_facts *facts)
{
    pare_graph *body;

    *facts = (pare_graph_facts){ .opset = g->opset };
    add_constants(g, facts);
    for (const pare_node *n = g->first; n; n = n->next) {
        facts->nodes++;
        facts->quantized |= is_quantizing(n->op);
        for (int i = 0; (body = pare_node_body(n, i)); i++) {
            pare_graph_facts inner;

            pare_graph_describe(body, &inner);
            facts->nodes += inner.nodes;
            facts->parameters += inner.parameters;
            facts->weight_bytes += inner.weight_bytes;
            facts->quantized |= inner.quantized;
        }
    }
}

static int count_op(const pare_graph *g, const pare_op *op)
{
    pare_graph *body;
    int         count = 0;

    for (const pare_node *n = g->first; n; n = n->next) {
        count += n->op == op;
        for (int i = 0; (body = pare_node_body(n, i)); i++)
            count += count_op(body, op);
    }
    return count;
}

/* By falling count, then in the order of the list: an op comes before another one with the same count. */
const char *pare_graph_op(const pare_graph *g, int index, int *count)
{
    const pare_op *op;

    for (int i = 0; (op = pare_op_at(i)); i++) {
        const pare_op *other;
        const int      mine = count_op(g, op);
        int            before = 0;

        for (int j = 0; mine && before <= index && (other = pare_op_at(j)); j++) {
            const int theirs = count_op(g, other);

            before += theirs > mine || (theirs == mine && j < i);
        }
        if (mine && before == index) {
            *count = mine;
            return op->name;
        }
    }
    *count = 0;
    return NULL;
}

const char *pare_graph_node(const pare_graph *g, int index, const char **op)
{
    const pare_node *n = g->first;

    for (; n && index > 0; index--)
        n = n->next;
    *op = n ? n->op->name : NULL;
    return n ? n->name : NULL;
}
