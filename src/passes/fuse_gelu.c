/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuse_gelu.c - x (1 + erf(x / sqrt 2)) / 2, as exporters spell it, becomes gelu
 *
 * The division may be a product, and the half may stand anywhere among the factors.
 */
#include "passes/match.h"
#include "passes/pass.h"

extern const pare_op pare_op_erf, pare_op_gelu, pare_op_add, pare_op_mul, pare_op_div;

/* The x of an erf whose argument is x / sqrt 2. */
static pare_value *argument(const pare_node *erf)
{
    const float            root = 1.41421356f;
    const pare_node *const div = pare_match_maker(erf->in[0], &pare_op_div, erf->graph);
    const pare_node *const mul = pare_match_maker(erf->in[0], &pare_op_mul, erf->graph);

    if (div)
        return pare_match_number(div->in[1], root) ? div->in[0] : NULL;
    for (int i = 0; mul && i < 2; i++)
        if (pare_match_number(mul->in[i], 1 / root))
            return mul->in[1 - i];
    return NULL;
}

/* Whether v is x / 2. */
static bool is_half_of(const pare_value *v, const pare_value *x, const pare_graph *g)
{
    const pare_node *const mul = pare_match_maker(v, &pare_op_mul, g);

    return mul && (mul->in[0] == x || mul->in[1] == x) && pare_match_number(pare_match_other(mul, x), 0.5f);
}

/* The last product of the chain that begins with this erf. */
static pare_node *last_of(const pare_node *erf, const pare_value *x)
{
    pare_node *const add = pare_match_reader(erf, &pare_op_add);
    pare_node *const mul = add ? pare_match_reader(add, &pare_op_mul) : NULL;
    pare_node *const next = mul ? pare_match_reader(mul, &pare_op_mul) : NULL;

    if (!mul || !pare_match_number(pare_match_other(add, erf->out[0]), 1))
        return NULL;
    const pare_value *const factor = pare_match_other(mul, add->out[0]);

    if (is_half_of(factor, x, erf->graph))
        return mul;
    const pare_value *const second = next ? pare_match_other(next, mul->out[0]) : NULL;

    if ((factor == x && second && pare_match_number(second, 0.5f)) || (pare_match_number(factor, 0.5f) && second == x))
        return next;
    return NULL;
}

static pare_status rewrite(pare_graph *g, pare_node *n, bool *changed)
{
    pare_value *const x = n->op == &pare_op_erf ? argument(n) : NULL;
    pare_node *const  last = x ? last_of(n, x) : NULL;
    pare_node        *made;

    if (!last || x->t.dtype != PARE_f32)
        return PARE_OK;
    pare_value *const y = last->out[0];
    pare_node *const  after = last->next;
    const char *const name = last->name;

    *changed = true;
    pare_graph_remove_node(last);
    return pare_graph_add_node(g, &pare_op_gelu, name, 1, (pare_value *[]){ x }, 1, (pare_value *[]){ y }, after,
                               &made);
}

const pare_pass pare_pass_fuse_gelu = {
    .name = "fuse_gelu",
    .doc = "x (1 + erf(x / sqrt 2)) / 2 becomes gelu",
    .rewrite = rewrite,
};
