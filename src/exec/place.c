/* SPDX-License-Identifier: Apache-2.0 */
/* place.c - one block of memory for all activations: largest first, each at the lowest offset that is free */
#include <stdlib.h>

#include "base/alloc.h"
#include "exec/plan.h"

enum { LINE = 64 };

static int by_size(const void *a, const void *b)
{
    const pare_place *const x = *(const pare_place *const *)a, *const y = *(const pare_place *const *)b;

    if (x->bytes != y->bytes)
        return x->bytes < y->bytes ? 1 : -1;
    return x->first - y->first;
}

static bool together(const pare_place *a, const pare_place *b)
{
    return a->first <= b->last && b->first <= a->last;
}

/* The lowest offset where p overlaps none of the n already placed ones that live at the same time. */
static size_t lowest_free(const pare_place *p, pare_place *const placed[], int n)
{
    size_t at = 0;

    for (bool moved = true; moved;) {
        moved = false;
        for (int i = 0; i < n; i++) {
            const pare_place *const q = placed[i];

            if (together(p, q) && at < q->offset + q->bytes && q->offset < at + p->bytes) {
                at = q->offset + q->bytes;
                moved = true;
            }
        }
    }
    return at;
}

size_t pare_place_all(pare_place *places, int n)
{
    pare_place **const order = pare_malloc(sizeof(*order) * ((size_t)n + 1));
    int                m = 0;
    size_t             end = 0;

    if (!order)
        return SIZE_MAX;
    for (int i = 0; i < n; i++)
        if (places[i].kind == PARE_PLACE_BLOCK) {
            /* An odd number of lines: buffers of equal power-of-two size do not alias in L1. */
            const size_t lines = (places[i].bytes + LINE - 1) / LINE;

            places[i].bytes = (lines | 1) * LINE;
            order[m++] = &places[i];
        }
    qsort(order, (size_t)m, sizeof(pare_place *), by_size);
    for (int i = 0; i < m; i++) {
        order[i]->offset = lowest_free(order[i], order, i);
        if (end < order[i]->offset + order[i]->bytes)
            end = order[i]->offset + order[i]->bytes;
    }
    pare_free(order);
    return end;
}
