/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_run.c - pare run: one inference, outputs to files */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <pare/tensor_io.h>

#include "command.h"
#include "json.h"
#include "progress.h"
#include "session.h"
#include "table.h"

typedef struct run_args {
    pare_texts  input;
    const char *output_dir, *fill, *plan_file;
    int         seed, batch;
    bool        keep_inputs;
} run_args;

#define AT(field) offsetof(run_args, field)

static const pare_option options[] = {
    { "input", 'i', PARE_OPTION_LIST, AT(input), "NAME=FILE",
      ".npy, or raw numbers of the input's type; may be repeated;\n"
      "FILE alone is for the first input",
      0, 0, false },
    { "output-dir", 'o', PARE_OPTION_TEXT, AT(output_dir), "FOLDER",
      "write every output there as NAME.npy (write none)", 0, 0, false },
    { "keep-inputs", 0, PARE_OPTION_FLAG, AT(keep_inputs), NULL, "write the inputs there too", 0, 0, false },
    { "fill", 0, PARE_OPTION_WORD, AT(fill), "random|zeros", "inputs without a file: floats from -1 to 1 (random)", 0,
      0, false },
    { "seed", 0, PARE_OPTION_INT, AT(seed), "N", "of the random numbers (0)", 0, 1 << 30, false },
    { "plan-file", 0, PARE_OPTION_TEXT, AT(plan_file), "FILE",
      "keep packed weights here, and use them when they fit (none)", 0, 0, false },
    { "batch", 0, PARE_OPTION_INT, AT(batch), "N", "where the model leaves it open (that of the files, else 1)", 1,
      1 << 20, false },
    { 0 },
};

typedef struct summary {
    double min, max, mean;
} summary;

/* NaN for types whose numbers mean nothing here. */
static summary sum_up(const pare_tensor *t)
{
    const int64_t n = pare_shape_count(&t->shape);
    summary       s = { NAN, NAN, NAN };
    double        sum = 0;

    if (t->dtype != PARE_f32 || !pare_tensor_is_dense(t))
        return s;
    for (int64_t i = 0; i < n; i++) {
        const double x = ((const float *)t->data)[i];

        s.min = i == 0 || x < s.min ? x : s.min;
        s.max = i == 0 || x > s.max ? x : s.max;
        sum += x;
    }
    s.mean = n > 0 ? sum / (double)n : NAN;
    return s;
}

/* FOLDER/NAME.npy; names of values may have slashes in them. */
static int path_of(const char *folder, const char *name, char *path, size_t size)
{
    const int n = snprintf(path, size, "%s/", folder);

    if (n < 0 || (size_t)n + strlen(name) + sizeof(".npy") > size)
        return pare_say_failed("%s: the path is too long", folder);
    for (size_t i = 0; i <= strlen(name); i++)
        path[(size_t)n + i] = name[i] == '/' ? '_' : name[i];
    strcat(path, ".npy");
    return 0;
}

static int save_tensor(const pare_tensor *t, const char *folder, const char *name)
{
    char      path[4096];
    const int code = path_of(folder, name, path, sizeof(path));

    return code ? code : pare_say_status(pare_tensor_save(t, path));
}

static int save(const pare_session *s, const run_args *args)
{
    const char *name;
    int         code = 0;

    if (mkdir(args->output_dir, 0777) != 0 && errno != EEXIST)
        return pare_say_failed("%s: cannot be made: %s", args->output_dir, strerror(errno));
    for (int i = 0; i < s->n_outputs && code == 0; i++) {
        const pare_tensor *const t = pare_session_output(s, i, &name);

        code = save_tensor(t, args->output_dir, name);
    }
    for (int i = 0; args->keep_inputs && i < s->n_inputs && code == 0; i++) {
        name = pare_graph_input(s->graph, i, &(pare_dtype){ 0 }, &(pare_shape){ 0 });
        code = save_tensor(&s->inputs[i], args->output_dir, name);
    }
    return code;
}

static void print_json(const pare_session *s, const char *folder)
{
    pare_json_open(NULL, '{');
    pare_json_open("outputs", '[');
    for (int i = 0; i < s->n_outputs; i++) {
        char                     path[4096];
        const char              *name;
        const pare_tensor *const t = pare_session_output(s, i, &name);
        const summary            sum = sum_up(t);

        pare_json_open(NULL, '{');
        pare_json_text("name", name);
        pare_json_text("dtype", pare_dtype_name(t->dtype));
        pare_json_shape("shape", &t->shape);
        pare_json_real("min", sum.min);
        pare_json_real("max", sum.max);
        pare_json_real("mean", sum.mean);
        pare_json_text("file", folder && path_of(folder, name, path, sizeof(path)) == 0 ? path : NULL);
        pare_json_close('}');
    }
    pare_json_close(']');
    pare_json_bool("planned", s->plan != NULL);
    pare_json_close('}');
}

static void print_text(const pare_session *s)
{
    pare_table *const t = pare_table_create("lllrrr");
    const char *const head[] = { "output", "type", "shape", "min", "max", "mean" };

    for (int i = 0; i < 6; i++)
        pare_table_add(t, "%s", head[i]);
    for (int i = 0; i < s->n_outputs; i++) {
        char                     text[PARE_WORD];
        const char              *name;
        const pare_tensor *const out = pare_session_output(s, i, &name);
        const summary            sum = sum_up(out);

        pare_table_add(t, "%s", name);
        pare_table_add(t, "%s", pare_dtype_name(out->dtype));
        pare_table_add(t, "%s", pare_table_shape(&out->shape, text));
        pare_table_add(t, "%.6g", sum.min);
        pare_table_add(t, "%.6g", sum.max);
        pare_table_add(t, "%.6g", sum.mean);
    }
    pare_table_print(t, 0);
}

static int run(const pare_invocation *v)
{
    const run_args *const      args = v->args;
    const pare_session_options o = { .files = &args->input,
                                     .batch = args->batch,
                                     .seed = (uint64_t)args->seed,
                                     .plan_file = args->plan_file,
                                     .zeros = args->fill && strcmp(args->fill, "zeros") == 0 };
    pare_session               s;
    pare_pool                 *pool = NULL;
    int                        code = pare_session_open(&s, v->words[0], &o);

    if (code == 0)
        code = pare_say_status(pare_command_pool(v, &pool));
    if (code == 0)
        code = pare_say_status(pare_session_run(&s, pool));
    if (code == 0 && pare_progress_interrupted())
        code = PARE_EXIT_INTERRUPTED;
    if (code == 0 && args->output_dir)
        code = save(&s, args);
    if (code == 0 && v->common->json)
        print_json(&s, args->output_dir);
    else if (code == 0)
        print_text(&s);
    pare_session_close(&s);
    pare_pool_destroy(pool);
    return code;
}

const pare_command pare_command_run = {
    .name = "run",
    .about = "run a model once, and write its outputs",
    .usage = "MODEL [--input NAME=FILE]... [options]",
    .details = "Models whose shapes depend on values run node by node, slowly.\n",
    .examples = "  pare run model.onnx --input x.npy --output-dir out\n"
                "  pare run vad.onnx --input input=chunk.f32 --input state=state.npy --json\n",
    .min_words = 1,
    .max_words = 1,
    .options = options,
    .args_size = sizeof(run_args),
    .run = run,
};
