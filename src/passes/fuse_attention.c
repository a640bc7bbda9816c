/* SPDX-License-Identifier: Apache-2.0 */
/* fuse_attention.c - matmul, scale, mask, softmax, matmul and the transposes around them become attention: same bits */
#include "base/status.h"
#include "passes/lower.h"
#include "passes/match.h"
#include "passes/pass.h"

extern const pare_op pare_op_attention, pare_op_softmax, pare_op_transpose, pare_op_mul, pare_op_div;

typedef struct found {
    pare_node  *qk, *softmax, *sv;
    pare_value *mask;
    float       factor; /* 0: none */
    bool        divides;
} found;

/* The maker of v, of this op, when nobody else reads v and no clamp stands between. */
static pare_node *inner(const pare_value *v, const pare_op *op, const pare_node *reader)
{
    pare_node *const n = pare_match_maker(v, op, reader->graph);
    float            lo, hi;

    if (!n || pare_value_only_user(v) != reader)
        return NULL;
    pare_lower_clamp_of(n, &lo, &hi);
    return isinf(lo) && isinf(hi) ? n : NULL;
}

/* The product that makes v, perhaps scaled by a constant. */
static bool find_product(const pare_value *v, const pare_node *reader, found *f)
{
    const pare_node *const mul = inner(v, &pare_op_mul, reader), *const div = inner(v, &pare_op_div, reader);
    const pare_node *const scale = mul ? mul : div;

    f->qk = inner(v, &pare_op_matmul, reader);
    for (int i = 0; !f->qk && scale && i < (mul ? 2 : 1); i++)
        if (pare_match_scalar(scale->in[1 - i], &f->factor) && f->factor != 0) {
            f->qk = inner(scale->in[i], &pare_op_matmul, scale);
            f->divides = div != NULL;
        }
    return f->qk != NULL && f->qk->out[0]->t.dtype == PARE_f32;
}

static bool find_scores(found *f)
{
    const pare_value *const x = f->softmax->in[0];
    const pare_node *const  add = inner(x, &pare_op_add, f->softmax);

    if (find_product(x, f->softmax, f))
        return true;
    for (int i = 0; add && i < 2; i++) {
        *f = (found){ .softmax = f->softmax, .sv = f->sv, .mask = add->in[1 - i] };
        if (add->in[0] != add->in[1] && find_product(add->in[i], add, f))
            return pare_shape_equal(&x->t.shape, &f->qk->out[0]->t.shape);
    }
    return false;
}

/* Walks up over transposes; perm [rank] is what they do together. */
static pare_value *before_transposes(pare_value *v, const pare_graph *g, int64_t *perm)
{
    const int rank = v->t.shape.rank;

    for (int i = 0; i < rank; i++)
        perm[i] = i;
    for (pare_node *n; (n = pare_match_maker(v, &pare_op_transpose, g)) != NULL; v = n->in[0]) {
        const pare_ints *const own = pare_node_ints(n, "perm");

        for (int i = 0; i < rank; i++)
            perm[i] = own->n ? own->v[perm[i]] : rank - 1 - perm[i];
    }
    return v;
}

/* The value that the last product, or a transpose behind it, makes; its name and place stay. */
static pare_node *last_of(const found *f, int64_t *perm)
{
    pare_node *const turn = pare_match_reader(f->sv, &pare_op_transpose);
    const int        rank = f->sv->out[0]->t.shape.rank;

    if (turn)
        for (int i = 0; i < rank; i++) {
            const pare_ints *const own = pare_node_ints(turn, "perm");
            perm[i] = own->n ? own->v[i] : rank - 1 - i;
        }
    return turn ? turn : f->sv;
}

static pare_status replace(pare_graph *g, const found *f)
{
    int64_t           perm[4][PARE_MAX_RANK];
    pare_value *const q = before_transposes(f->qk->in[0], g, perm[0]);
    pare_value *const k = before_transposes(f->qk->in[1], g, perm[1]);
    pare_value *const v = before_transposes(f->sv->in[1], g, perm[2]);
    pare_node *const last = last_of(f, perm[3]), *const after = last->next;
    pare_value *const in[4] = { q, k, v, f->mask }, *const y = last->out[0];
    const char *const name = last->name;
    pare_node        *made;

    pare_graph_remove_node(last);
    PARE_TRY(pare_graph_add_node(g, &pare_op_attention, name, f->mask ? 4 : 3, in, 1, &y, after, &made));
    pare_node_set_ints(made, "perm_q", q->t.shape.rank, perm[0]);
    pare_node_set_ints(made, "perm_k", k->t.shape.rank, perm[1]);
    pare_node_set_ints(made, "perm_v", v->t.shape.rank, perm[2]);
    if (last != f->sv)
        pare_node_set_ints(made, "perm_y", y->t.shape.rank, perm[3]);
    pare_node_set_f(made, "factor", f->factor);
    pare_node_set_i(made, "divides", f->divides);
    return PARE_OK;
}

static pare_status rewrite(pare_graph *g, pare_node *n, bool *changed)
{
    if (n->op != &pare_op_softmax || !n->in[0]->has_shape || n->in[0]->t.shape.rank < 2)
        return PARE_OK;
    const int64_t    axis = pare_node_i(n, "axis");
    const int        rank = n->in[0]->t.shape.rank;
    pare_node *const sv = pare_match_reader(n, &pare_op_matmul);
    found            f = { .softmax = n, .sv = sv };

    if ((axis != -1 && axis != rank - 1) || !sv || sv->in[0] != n->out[0] || sv->in[0] == sv->in[1] ||
        sv->in[1]->t.shape.rank < 2 || sv->out[0]->t.shape.rank != rank || !find_scores(&f) ||
        f.qk->in[0]->t.shape.rank < 2 || f.qk->in[1]->t.shape.rank < 2)
        return PARE_OK;
    for (int i = 0; i < rank - 1; i++)
        if (sv->out[0]->t.shape.dim[i] != n->in[0]->t.shape.dim[i])
            return PARE_OK;
    *changed = true;
    return replace(g, &f);
}

const pare_pass pare_pass_fuse_attention = {
    .name = "fuse_attention",
    .doc = "matmul, scale, mask, softmax, matmul and transposes around them become attention",
    .rewrite = rewrite,
};
