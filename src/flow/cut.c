/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cut.c - the cheapest cut between two points: what flows through the shortest paths that have room, until none has
 * (Edmonds and Karp). The points that still reach the sink then are its side.
 */
#include "flow/cut.h"

#include <string.h>

#include "base/alloc.h"
#include "base/status.h"

/* Edges are pairs: edge i leads back along edge i ^ 1. */
typedef struct edge {
    int     to, next; /* next: of the same point, -1 ends */
    int64_t room;
} edge;

struct pare_cut {
    edge *edges;
    int   n, cap;
    int  *first; /* [points] first edge of a point, -1: none                   */
    int  *from;  /* [points] edge that a search came by                        */
    int  *queue; /* [points]                                                   */
    int   points;
};

pare_status pare_cut_create(int points, pare_cut **out)
{
    pare_cut *const cut = pare_calloc(1, sizeof(*cut));
    const size_t    bytes = sizeof(int) * (size_t)points;

    if (!cut)
        return pare_fail_memory(sizeof(*cut), "a cut");
    cut->points = points;
    cut->first = pare_malloc(bytes);
    cut->from = pare_malloc(bytes);
    cut->queue = pare_malloc(bytes);
    if (!cut->first || !cut->from || !cut->queue) {
        pare_cut_destroy(cut);
        return pare_fail_memory(bytes, "a cut");
    }
    memset(cut->first, -1, bytes);
    *out = cut;
    return PARE_OK;
}

void pare_cut_destroy(pare_cut *cut)
{
    if (!cut)
        return;
    pare_free(cut->edges);
    pare_free(cut->first);
    pare_free(cut->from);
    pare_free(cut->queue);
    pare_free(cut);
}

static void add(pare_cut *cut, int from, int to, int64_t room)
{
    cut->edges[cut->n] = (edge){ to, cut->first[from], room };
    cut->first[from] = cut->n++;
}

pare_status pare_cut_edge(pare_cut *cut, int from, int to, int64_t cost)
{
    if (!pare_grow(&cut->edges, &cut->cap, cut->n + 2, sizeof(*cut->edges)))
        return pare_fail_memory(sizeof(*cut->edges) * ((size_t)cut->n + 2), "a cut");
    add(cut, from, to, cost);
    add(cut, to, from, 0);
    return PARE_OK;
}

/*
 * Visits what can be reached from a point, along edges with room, or against them. from[] are the edges that led there,
 * -1 where nothing did, -2 at the start.
 */
static void search(pare_cut *cut, int start, bool against)
{
    int begin = 0, end = 0;

    memset(cut->from, -1, sizeof(int) * (size_t)cut->points);
    cut->from[start] = -2;
    cut->queue[end++] = start;
    while (begin < end)
        for (int at = cut->queue[begin++], i = cut->first[at]; i >= 0; i = cut->edges[i].next)
            if (cut->from[cut->edges[i].to] == -1 && cut->edges[against ? i ^ 1 : i].room > 0) {
                cut->from[cut->edges[i].to] = i;
                cut->queue[end++] = cut->edges[i].to;
            }
}

pare_status pare_cut_find(pare_cut *cut, bool *at_sink)
{
    for (;;) {
        int64_t room = PARE_CUT_NEVER;

        search(cut, PARE_CUT_SOURCE, false);
        if (cut->from[PARE_CUT_SINK] == -1)
            break;
        for (int at = PARE_CUT_SINK; at != PARE_CUT_SOURCE; at = cut->edges[cut->from[at] ^ 1].to)
            room = cut->edges[cut->from[at]].room < room ? cut->edges[cut->from[at]].room : room;
        if (room >= PARE_CUT_NEVER)
            return pare_fail(PARE_ERR_ARG, "a cut: the two sides must not be parted");
        for (int at = PARE_CUT_SINK; at != PARE_CUT_SOURCE; at = cut->edges[cut->from[at] ^ 1].to) {
            cut->edges[cut->from[at]].room -= room;
            cut->edges[cut->from[at] ^ 1].room += room;
        }
    }
    search(cut, PARE_CUT_SINK, true);
    for (int i = 0; i < cut->points; i++)
        at_sink[i] = cut->from[i] != -1;
    return PARE_OK;
}
