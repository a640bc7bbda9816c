/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_build.c - pare build: a network of the library by its name, as a model file or as a tree */
#include <stdio.h>
#include <string.h>

#include <pare/io.h>
#include <pare/models.h>

#include "command.h"
#include "json.h"
#include "model_file.h"

typedef struct build_args {
    const char *output, *weights, *except, *settings;
    int         classes, seed, size;
    bool        tree;
} build_args;

#define AT(field) offsetof(build_args, field)

static const pare_option options[] = {
    { "output", 'o', PARE_OPTION_TEXT, AT(output), "FILE", "the model to write (none)", 0, 0, false },
    { "weights", 'w', PARE_OPTION_TEXT, AT(weights), "FILE",
      "state dict with PyTorch's names: .pth, .safetensors, .npz\n(random, as the original begins)", 0, 0, false },
    { "except", 0, PARE_OPTION_TEXT, AT(except), "GLOB", "names that are not taken from it, like 'fc.*' (none)", 0, 0,
      false },
    { "classes", 0, PARE_OPTION_INT, AT(classes), "N", "outputs (as the original)", 1, 1 << 20, false },
    { "size", 0, PARE_OPTION_INT, AT(size), "N", "height and width of pictures, or tokens (as the original)", 1,
      1 << 14, false },
    { "settings", 0, PARE_OPTION_TEXT, AT(settings), "TEXT", "more of the family, like 'width=0.5' (none)", 0, 0,
      false },
    { "seed", 0, PARE_OPTION_INT, AT(seed), "N", "of random weights (0)", 0, 1 << 30, false },
    { "tree", 0, PARE_OPTION_FLAG, AT(tree), NULL, "print the network's parts", 0, 0, false },
    { 0 },
};

static pare_status load(pare_module *m, const build_args *args)
{
    pare_state *state;
    pare_status status = pare_state_load(args->weights, &state);

    if (status != PARE_OK)
        return status;
    status = pare_module_load(m, state, &(pare_load_options){ .except = args->except });
    pare_state_destroy(state);
    return status;
}

/* Pictures are [N,C,H,W], tokens [N,T]. */
static pare_status trace(const char *name, const pare_module *m, const build_args *args, pare_graph **out)
{
    pare_trace_input in[4];
    int              n;
    pare_status      status = pare_model_inputs(name, in, &n);

    for (int i = in[0].shape.rank == 2 ? 1 : 2; status == PARE_OK && args->size && i < in[0].shape.rank; i++)
        in[0].shape.dim[i] = args->size;
    return status == PARE_OK ? pare_trace(m, n, in, false, out) : status;
}

static void print_line(void *user, const char *text)
{
    (void)user;
    printf("%s\n", text);
}

static void print_line_json(void *user, const char *text)
{
    (void)user;
    pare_json_text(NULL, text);
}

static void print(const pare_invocation *v, const pare_module *m, const pare_graph *g)
{
    const build_args *const args = v->args;
    pare_graph_facts        facts;

    pare_graph_describe(g, &facts);
    if (v->common->json) {
        pare_json_open(NULL, '{');
        pare_json_text("network", v->words[0]);
        pare_json_int("parameters", pare_module_parameters(m));
        pare_json_int("nodes", facts.nodes);
        if (args->output) {
            pare_json_text("file", args->output);
            pare_json_int("bytes", pare_model_file_size(args->output));
        }
        if (args->tree) {
            pare_json_open("tree", '[');
            pare_module_print(m, print_line_json, NULL);
            pare_json_close(']');
        }
        pare_json_close('}');
        return;
    }
    if (args->tree)
        pare_module_print(m, print_line, NULL);
    printf("%s: %lld parameters, %d nodes%s%s\n", v->words[0], (long long)pare_module_parameters(m), facts.nodes,
           args->output ? ", written to " : "", args->output ? args->output : "");
}

static int run(const pare_invocation *v)
{
    const build_args *const  args = v->args;
    const pare_model_options o = { .classes = args->classes,
                                   .seed = (uint64_t)args->seed,
                                   .zeros = args->weights != NULL,
                                   .settings = args->settings };
    pare_module             *m = NULL;
    pare_graph              *g = NULL;
    int                      code = 0;

    if (args->except && !args->weights)
        return pare_say_usage("--except is about --weights; give a file of weights, too");
    if (args->output)
        code = pare_model_file_check_output(args->output, args->weights ? args->weights : "");
    if (code == 0)
        code = pare_say_status(pare_model_build(v->words[0], &o, &m));
    if (code == 0 && args->weights)
        code = pare_say_status(load(m, args));
    if (code == 0)
        code = pare_say_status(trace(v->words[0], m, args, &g));
    if (code == 0 && args->output)
        code = pare_say_status(pare_graph_save(g, args->output, NULL));
    if (code == 0)
        print(v, m, g);
    pare_graph_destroy(g);
    pare_module_destroy(m);
    return code;
}

const pare_command pare_command_build = {
    .name = "build",
    .about = "build a network by its name, with random or given weights",
    .usage = "NETWORK [-o FILE] [options]",
    .details = "`pare list archs` names the networks.\n",
    .examples = "  pare build resnet18 -o resnet18.onnx --weights resnet18.pth\n"
                "  pare build resnet20 --classes 100 --tree\n",
    .min_words = 1,
    .max_words = 1,
    .options = options,
    .args_size = sizeof(build_args),
    .run = run,
};
