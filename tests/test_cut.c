/* SPDX-License-Identifier: Apache-2.0 */
/* test_cut.c - cheapest cuts, against all that there are */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/rng.h"
#include "base/status.h"
#include "flow/cut.h"

#define OK(call)                                                     \
    do {                                                             \
        if ((call) != PARE_OK)                                       \
            fail_msg("%s:%d: %s", __FILE__, __LINE__, pare_error()); \
    } while (0)

typedef struct priced {
    int     from, to;
    int64_t cost;
} priced;

static int64_t price(const priced *edges, int n, unsigned at_sink)
{
    int64_t sum = 0;

    for (int i = 0; i < n; i++)
        sum += !(at_sink >> edges[i].from & 1) && (at_sink >> edges[i].to & 1) ? edges[i].cost : 0;
    return sum;
}

/* Against all ways to part up to 8 free points; of equal prices the one with the most points at the source. */
static void cut_is_the_cheapest(void **state)
{
    enum { POINTS = PARE_CUT_FIRST + 8, EDGES = 40 };
    pare_rng rng = pare_rng_seed(11);

    (void)state;
    for (int round = 0; round < 300; round++) {
        const int points = PARE_CUT_FIRST + (int)pare_rng_below(&rng, 9), n = (int)pare_rng_below(&rng, EDGES);
        priced    edges[EDGES];
        bool      at_sink[POINTS];
        pare_cut *cut;
        int64_t   best = INT64_MAX;
        unsigned  got = 0, largest = 0;

        OK(pare_cut_create(points, &cut));
        for (int i = 0; i < n; i++) {
            edges[i] = (priced){ (int)pare_rng_below(&rng, (unsigned)points),
                                 (int)pare_rng_below(&rng, (unsigned)points), (int64_t)pare_rng_below(&rng, 5) };
            OK(pare_cut_edge(cut, edges[i].from, edges[i].to, edges[i].cost));
        }
        OK(pare_cut_find(cut, at_sink));
        for (int i = 0; i < points; i++)
            got |= (unsigned)at_sink[i] << i;
        for (unsigned side = 0; side < 1u << points; side++)
            if (!(side >> PARE_CUT_SOURCE & 1) && side >> PARE_CUT_SINK & 1) {
                const int64_t p = price(edges, n, side);

                if (p < best || (p == best && __builtin_popcount(side) < __builtin_popcount(largest)))
                    largest = side;
                best = p < best ? p : best;
            }
        assert_int_equal(price(edges, n, got), best);
        assert_int_equal(got, largest);
        pare_cut_destroy(cut);
    }
}

static void impossible_cut_is_refused(void **state)
{
    bool      at_sink[2];
    pare_cut *cut;

    (void)state;
    OK(pare_cut_create(2, &cut));
    OK(pare_cut_edge(cut, PARE_CUT_SOURCE, PARE_CUT_SINK, PARE_CUT_NEVER));
    assert_int_equal(pare_cut_find(cut, at_sink), PARE_ERR_ARG);
    pare_cut_destroy(cut);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cut_is_the_cheapest),
        cmocka_unit_test(impossible_cut_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
