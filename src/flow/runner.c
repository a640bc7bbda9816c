/* SPDX-License-Identifier: Apache-2.0 */
/* runner.c - any model made ready to run sample by sample */
#include "flow/runner.h"

#include "base/alloc.h"
#include "base/status.h"
#include "graph/graph.h"
#include "tensor/tensor.h"

pare_status pare_model_prepare(const pare_graph *graph, const pare_compile_options *options, pare_model *model)
{
    *model = (pare_model){ .graph = graph };

    const pare_status status = pare_compile(graph, options, &model->plan);
    return status == PARE_ERR_DYNAMIC ? PARE_OK : status;
}

void pare_model_clear(pare_model *model)
{
    pare_plan_destroy(model->plan);
    model->plan = NULL;
}

/* dtype and shape of an input; open dimensions become 1. */
static pare_tensor input_of(const pare_model *model, int index)
{
    const pare_tensor *planned;
    pare_dtype         dtype;
    pare_shape         shape;

    if (model->plan) {
        pare_plan_input(model->plan, index, &planned);
        return pare_tensor_of(planned->dtype, planned->shape);
    }
    pare_graph_input(model->graph, index, &dtype, &shape);
    for (int i = 0; i < shape.rank; i++)
        if (shape.dim[i] == PARE_DIM_ANY)
            shape.dim[i] = 1;
    return pare_tensor_of(dtype, shape);
}

pare_status pare_model_check_sample(const pare_model *model, const pare_dataset *data)
{
    const pare_graph *const g = model->graph;
    const pare_shape        item = pare_dataset_item(data);
    char                    got[PARE_SHAPE_TEXT], want[PARE_SHAPE_TEXT];

    if (g->n_inputs < 1 || g->n_outputs < 1)
        return pare_fail(PARE_ERR_UNSUPPORTED, "%s: a model without %s cannot be evaluated",
                         g->file ? g->file : g->name, g->n_inputs < 1 ? "inputs" : "outputs");
    const pare_tensor first = input_of(model, 0);

    if (pare_shape_count(&item) == pare_shape_count(&first.shape) && pare_dataset_dtype(data) == first.dtype)
        return PARE_OK;
    return pare_fail(PARE_ERR_SHAPE,
                     "%s: input '%s' is %s%s, a sample of the data is %s%s; check --preset, --size, "
                     "--item or --window",
                     g->file ? g->file : g->name, g->inputs[0]->name, pare_dtype_name(first.dtype),
                     pare_shape_text(&first.shape, want), pare_dtype_name(pare_dataset_dtype(data)),
                     pare_shape_text(&item, got));
}

pare_status pare_runner_create(const pare_model *model, pare_runner *r)
{
    *r = (pare_runner){ .model = model, .n_inputs = model->graph->n_inputs, .n_outputs = model->graph->n_outputs };
    r->inputs = pare_calloc((size_t)r->n_inputs + 1, sizeof(*r->inputs));
    r->pointers = pare_calloc((size_t)r->n_inputs + 1, sizeof(*r->pointers));
    r->outputs = pare_calloc((size_t)r->n_outputs + 1, sizeof(*r->outputs));
    if (!r->inputs || !r->pointers || !r->outputs)
        return pare_fail_memory(sizeof(*r->inputs) * (size_t)r->n_inputs, "inputs");
    for (int i = 0; i < r->n_inputs; i++) {
        r->inputs[i] = input_of(model, i);
        r->pointers[i] = &r->inputs[i];
        if (i > 0)
            PARE_TRY(pare_tensor_alloc(&r->inputs[i]));
    }
    /* A run of the definition numbers the values of the graph, so that every runner needs its own. */
    return model->plan ? pare_context_create(model->plan, &r->ctx) : pare_graph_clone(model->graph, &r->graph);
}

static void drop_outputs(pare_runner *r)
{
    for (int i = 0; r->outputs && i < r->n_outputs; i++)
        pare_tensor_release(&r->outputs[i]);
}

void pare_runner_clear(pare_runner *r)
{
    drop_outputs(r);
    for (int i = 1; r->inputs && i < r->n_inputs; i++)
        pare_tensor_release(&r->inputs[i]);
    pare_free(r->inputs);
    pare_free(r->pointers);
    pare_free(r->outputs);
    pare_context_destroy(r->ctx);
    pare_graph_destroy(r->graph);
    *r = (pare_runner){ 0 };
}

void pare_runner_set_sample(pare_runner *r, void *sample)
{
    r->inputs[0].data = sample;
}

pare_status pare_runner_run(pare_runner *r, pare_pool *pool)
{
    if (r->ctx)
        return pare_context_run(r->ctx, pool, r->pointers, NULL, 0);
    drop_outputs(r);
    return pare_graph_run(r->graph, r->pointers, r->outputs);
}

const pare_tensor *pare_runner_output(const pare_runner *r)
{
    return r->ctx ? pare_context_output(r->ctx, 0) : &r->outputs[0];
}
