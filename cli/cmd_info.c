/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_info.c - pare info: what is in a model file or a file of weights */
#include <math.h>
#include <stdio.h>

#include <pare/compile.h>
#include <pare/graph.h>
#include <pare/io.h>
#include <pare/state.h>

#include "command.h"
#include "json.h"
#include "model_file.h"
#include "table.h"
#include "weights.h"

typedef struct info_args {
    bool nodes;
} info_args;

static const pare_option options[] = {
    { "nodes", 0, PARE_OPTION_FLAG, offsetof(info_args, nodes), NULL, "list every node: its name and its op", 0, 0,
      false },
    { 0 },
};

/* Multiply-adds of one sample; NaN when the shapes are not fixed before the model runs. */
static double macs_of(const pare_graph *g)
{
    pare_step_info step;
    pare_plan     *plan;
    double         macs = 0;

    if (pare_compile(g, NULL, &plan) != PARE_OK)
        return NAN;
    for (int i = 0; i < pare_plan_n_steps(plan); i++) {
        pare_plan_describe(plan, i, &step);
        macs += step.macs;
    }
    pare_plan_destroy(plan);
    return macs;
}

static void json_values(const char *key, const pare_graph *g, int n,
                        const char *(*at)(const pare_graph *, int, pare_dtype *, pare_shape *))
{
    pare_json_open(key, '[');
    for (int i = 0; i < n; i++) {
        pare_dtype dtype;
        pare_shape shape;

        pare_json_open(NULL, '{');
        pare_json_text("name", at(g, i, &dtype, &shape));
        pare_json_text("dtype", pare_dtype_name(dtype));
        pare_json_shape("shape", &shape);
        pare_json_close('}');
    }
    pare_json_close(']');
}

static void print_json(const char *path, const pare_graph *g, const info_args *args)
{
    pare_graph_facts facts;
    const char      *op, *name;
    int              count;

    pare_graph_describe(g, &facts);
    pare_json_open(NULL, '{');
    pare_json_text("file", path);
    pare_json_int("bytes", pare_model_file_size(path));
    pare_json_int("opset", facts.opset);
    pare_json_bool("quantized", facts.quantized);
    pare_json_int("parameters", facts.parameters);
    pare_json_int("weight_bytes", facts.weight_bytes);
    pare_json_real("macs", macs_of(g));
    pare_json_int("nodes", facts.nodes);
    json_values("inputs", g, pare_graph_n_inputs(g), pare_graph_input);
    json_values("outputs", g, pare_graph_n_outputs(g), pare_graph_output);
    pare_json_open("ops", '{');
    for (int i = 0; (op = pare_graph_op(g, i, &count)); i++)
        pare_json_int(op, count);
    pare_json_close('}');
    if (args->nodes) {
        pare_json_open("names", '[');
        for (int i = 0; (name = pare_graph_node(g, i, &op)); i++) {
            pare_json_open(NULL, '{');
            pare_json_text("name", name);
            pare_json_text("op", op);
            pare_json_close('}');
        }
        pare_json_close(']');
    }
    pare_json_close('}');
}

static void add_values(pare_table *t, const char *what, const pare_graph *g, int n,
                       const char *(*at)(const pare_graph *, int, pare_dtype *, pare_shape *))
{
    for (int i = 0; i < n; i++) {
        char        text[PARE_WORD];
        pare_dtype  dtype;
        pare_shape  shape;
        const char *name = at(g, i, &dtype, &shape);

        pare_table_add(t, "%s", what);
        pare_table_add(t, "%s  %s %s", name, pare_dtype_name(dtype), pare_table_shape(&shape, text));
    }
}

static void print_nodes(const pare_graph *g)
{
    pare_table *const t = pare_table_create("ll");
    const char       *name, *op;

    for (int i = 0; (name = pare_graph_node(g, i, &op)); i++) {
        pare_table_add(t, "%s", op);
        pare_table_add(t, "%s", name);
    }
    printf("\n");
    pare_table_print(t, 0);
}

static void print_text(const char *path, const pare_graph *g, const info_args *args)
{
    pare_table *const t = pare_table_create("ll");
    const double      macs = macs_of(g);
    pare_graph_facts  facts;
    char              a[PARE_WORD], b[PARE_WORD];
    const char       *op;
    int               count;

    pare_graph_describe(g, &facts);
    pare_table_add(t, "file");
    pare_table_add(t, "%s, %s", path, pare_table_bytes((double)pare_model_file_size(path), a));
    add_values(t, "input", g, pare_graph_n_inputs(g), pare_graph_input);
    add_values(t, "output", g, pare_graph_n_outputs(g), pare_graph_output);
    pare_table_add(t, "weights");
    pare_table_add(t, "%s parameters, %s%s", pare_table_count((double)facts.parameters, a),
                   pare_table_bytes((double)facts.weight_bytes, b), facts.quantized ? ", quantized" : ", float");
    pare_table_add(t, "work");
    pare_table_add(t, "%s%s",
                   isnan(macs) ? "not known before it runs: its shapes depend on values" : pare_table_count(macs, a),
                   isnan(macs) ? "" : " multiply-adds a sample");
    pare_table_add(t, "nodes");
    pare_table_add(t, "%d, ONNX operator set %d", facts.nodes, facts.opset);
    for (int i = 0; (op = pare_graph_op(g, i, &count)); i++) {
        pare_table_add(t, "%s", i == 0 ? "ops" : "");
        pare_table_add(t, "%4d %s", count, op);
    }
    pare_table_print(t, 0);
    if (args->nodes)
        print_nodes(g);
}

static int run(const pare_invocation *v)
{
    const char *const path = v->words[0];
    pare_graph       *g;

    if (pare_state_claims(path))
        return pare_weights_print(path, v->common->json);

    const int code = pare_say_status(pare_graph_load(path, &g));

    if (code)
        return code;
    if (v->common->json)
        print_json(path, g, v->args);
    else
        print_text(path, g, v->args);
    pare_graph_destroy(g);
    return 0;
}

const pare_command pare_command_info = {
    .name = "info",
    .about = "what is in a model (inputs, outputs, ops, work) or in a file of weights",
    .usage = "MODEL|WEIGHTS [options]",
    .details = "WEIGHTS are PyTorch's (.pth, .pt), .safetensors, model.safetensors.index.json or .npz: their names,\n"
               "types and shapes are listed. Nothing in such a file is executed.\n",
    .examples = "  pare info model.onnx\n  pare info model.onnx --nodes --json\n  pare info resnet18.pth\n",
    .min_words = 1,
    .max_words = 1,
    .options = options,
    .args_size = sizeof(info_args),
    .run = run,
};
