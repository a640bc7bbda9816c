/* SPDX-License-Identifier: Apache-2.0 */
/* test_choices.c - every kernel that a step could use gives the same bits, timed or not, and packs its constants once */
#include "plan_helpers.h"

#include "base/alloc.h"
#include "flow/pipelines.h"

/* The steps of pare_compile, with the choices given. */
static pare_plan *plan_with(const pare_graph *model, const uint8_t *choices, int n)
{
    pare_graph *g;
    pare_plan  *plan;

    OK(pare_graph_clone(model, &g));
    g->inputs[0]->t.shape.dim[0] = 1;
    pare_tensor_set_dense(&g->inputs[0]->t);
    OK(pare_graph_infer(g, true));
    OK(pare_passes_run(g, pare_simplify_passes, NULL));
    OK(pare_passes_run(g, pare_unify_passes, NULL));
    OK(pare_passes_run(g, pare_lower_passes, NULL));
    OK(pare_graph_infer(g, true));
    OK(pare_passes_run(g, pare_speed_passes, NULL));
    OK(pare_plan_create(g, &(pare_plan_options){ .choices = choices, .n_choices = n }, &plan));
    return plan;
}

static bool is_same_kernel(const pare_plan_step *a, const pare_plan_step *b)
{
    return strcmp(a->step.kernel ? a->step.kernel : "", b->step.kernel ? b->step.kernel : "") == 0;
}

static void every_choice_gives_equal_bits(void **state)
{
    const long       before = pare_alloc_live();
    pare_graph      *g = parse(zoo);
    results          want = expected(g, 1);
    pare_plan *const plan = plan_with(g, NULL, 0);
    uint8_t         *choices = pare_calloc((size_t)plan->n_steps, 1);
    int              most = 1, choosing = 0;

    (void)state;
    for (int i = 0; i < plan->n_steps; i++) {
        const int n = plan->steps[i].step.n_choices;

        most = n > most ? n : most;
        choosing += n > 0;
    }
    assert_int_equal(choosing, PACKING_STEPS);
    check_plan(plan, &want, "by rule");
    for (int choice = 0; choice <= most; choice++) { /* one more than there are: it stands for the last */
        memset(choices, choice, (size_t)plan->n_steps);
        pare_plan *const p = plan_with(g, choices, plan->n_steps);

        check_plan(p, &want, "a choice");
        for (int i = 0; i < p->n_steps; i++)
            assert_int_equal(is_same_kernel(&p->steps[i], &plan->steps[i]),
                             choice == 0 || plan->steps[i].step.n_choices < 2);
        pare_plan_destroy(p);
    }
    pare_free(choices);
    pare_plan_destroy(plan);
    drop(&want);
    pare_graph_destroy(g);
    assert_int_equal(pare_alloc_live(), before);
}

static void tuning_changes_no_bits(void **state)
{
    const long       before = pare_alloc_live();
    pare_graph      *g = parse(zoo);
    results          want = expected(g, 2);
    pare_plan *const plan = compile(g, (pare_compile_options){ .tune = true, .batch = 2 });

    (void)state;
    check_plan(plan, &want, "tuned");
    for (int i = 0; i < plan->n_steps; i++)
        assert_true(plan->steps[i].step.choice == 0 || plan->steps[i].step.choice < plan->steps[i].step.n_choices);
    pare_plan_destroy(plan);
    drop(&want);
    pare_graph_destroy(g);
    assert_int_equal(pare_alloc_live(), before);
}

/* What kernels have packed is there once. */
static void packed_constants_are_dropped(void **state)
{
    pare_graph      *g = parse(zoo);
    pare_plan *const plan = compile(g, (pare_compile_options){ 0 });

    (void)state;
    assert_true(pare_store_n(plan->store) > PACKING_STEPS);
    for (const pare_value *v = plan->g->values; v; v = v->next)
        if (v->t.data && pare_shape_count(&v->t.shape) > 100)
            fail_msg("'%s' is still there", v->name);
    pare_plan_destroy(plan);
    pare_graph_destroy(g);
}

/* Choices of another graph are refused, not guessed at. */
static void wrong_number_of_choices_is_refused(void **state)
{
    const uint8_t choices[2] = { 0, 0 };
    pare_graph   *g = parse("%x = input f32[1,4]\n@w = const f32[4,4] seed=1\n%y = matmul(%x, @w)\nreturn %y\n");
    pare_plan    *plan;

    (void)state;
    assert_int_equal(pare_plan_create(g, &(pare_plan_options){ .choices = choices, .n_choices = 2 }, &plan),
                     PARE_ERR_DATA);
    assert_non_null(strstr(pare_error(), "1 steps, the choices are for 2"));
    pare_graph_destroy(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_choice_gives_equal_bits),
        cmocka_unit_test(tuning_changes_no_bits),
        cmocka_unit_test(packed_constants_are_dropped),
        cmocka_unit_test(wrong_number_of_choices_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
