/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pare_peer.c - Pare's side of the comparisons with other engines, for the scripts beside it
 *
 *   pare_peer samples DATA OUT [KEY=VALUE ...]          prepared samples, raw; prints dtype, dims, count, labels
 *                                                       keys: preset, slice, without, item (A,B,C), window
 *   pare_peer run MODEL SAMPLES OUT [FOLDER N]          outputs, raw; the integers of the first N samples into FOLDER,
 *                                                       and what they are to stdout, a line each
 *   pare_peer serve MODEL THREADS BATCH cpu|wall FILE ...   one FILE of raw samples per input, repeated as needed; says
 *                                                       "ready", then reads a number of runs from each line of
 *                                                       stdin and answers with their milliseconds
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <pare/compile.h>
#include <pare/data.h>
#include <pare/io.h>

enum { MAX_TAPS = 512 };

static void need(pare_status status)
{
    if (status == PARE_OK)
        return;
    fprintf(stderr, "pare_peer: %s\n", pare_error());
    exit(1);
}

static FILE *need_file(const char *path, const char *mode)
{
    FILE *f = fopen(path, mode);

    if (!f) {
        perror(path);
        exit(1);
    }
    return f;
}

/* The value of "key=" among the arguments, or NULL. */
static const char *option(char **args, const char *key)
{
    const size_t n = strlen(key);

    for (; *args; args++)
        if (strncmp(*args, key, n) == 0 && (*args)[n] == '=')
            return *args + n + 1;
    return NULL;
}

static pare_dataset *open_data(const char *path, char **args)
{
    pare_data_options o = { .preset = option(args, "preset"),
                            .slice = option(args, "slice"),
                            .without = option(args, "without") };
    const char       *item = option(args, "item"), *window = option(args, "window");
    pare_dataset     *data;

    if (window)
        o.window = atoi(window);
    for (char *end; item && *item; item = *end ? end + 1 : end)
        o.item.dim[o.item.rank++] = strtol(item, &end, 10);
    need(pare_dataset_open(path, &o, &data));
    return data;
}

static int samples(char **args)
{
    pare_dataset *const data = open_data(args[0], args);
    pare_tensor         t = pare_tensor_of(pare_dataset_dtype(data), pare_dataset_item(data));
    FILE *const         f = need_file(args[1], "wb");
    const int64_t       n = pare_dataset_count(data);

    need(pare_tensor_alloc(&t));
    printf("{\"dtype\": \"%s\", \"dims\": [1", pare_dtype_name(t.dtype));
    for (int i = 0; i < t.shape.rank; i++)
        printf(", %lld", (long long)t.shape.dim[i]);
    printf("], \"count\": %lld, \"labels\": [", (long long)n);
    for (int64_t i = 0; i < n; i++) {
        int label;

        need(pare_dataset_read(data, i, t.data, &label));
        fwrite(t.data, 1, (size_t)pare_tensor_bytes(&t), f);
        printf("%s%d", i ? "," : "", label);
    }
    printf("]}\n");
    pare_tensor_release(&t);
    pare_dataset_close(data);
    return fclose(f) != 0;
}

/* A model made ready to run, and its input. */
typedef struct engine {
    pare_plan         *plan;
    pare_context      *context;
    pare_tensor        input;
    const pare_tensor *in[1];
    FILE              *samples;
} engine;

static void engine_open(engine *e, const char *model, const char *sample_file)
{
    const pare_tensor *shape;
    pare_graph        *g;

    need(pare_graph_load(model, &g));
    need(pare_compile(g, NULL, &e->plan));
    need(pare_context_create(e->plan, &e->context));
    pare_graph_destroy(g);
    pare_plan_input(e->plan, 0, &shape);
    e->input = pare_tensor_of(shape->dtype, shape->shape);
    need(pare_tensor_alloc(&e->input));
    e->in[0] = &e->input;
    e->samples = need_file(sample_file, "rb");
}

static bool engine_next(engine *e)
{
    return fread(e->input.data, (size_t)pare_tensor_bytes(&e->input), 1, e->samples) == 1;
}

/* Appends a tensor's elements in logical order. */
static void write_dense(const pare_tensor *t, FILE *f)
{
    pare_tensor dense = pare_tensor_of(t->dtype, t->shape);

    need(pare_tensor_alloc(&dense));
    pare_tensor_copy(&dense, t);
    fwrite(dense.data, 1, (size_t)pare_tensor_bytes(&dense), f);
    pare_tensor_release(&dense);
}

static pare_status see(void *user, const pare_tensor *t)
{
    write_dense(t, user);
    return PARE_OK;
}

/* A tap on every u8 value, and every real one that an integer layer makes, each with a file of its own. */
static int make_taps(const engine *e, const char *folder, pare_tap *taps)
{
    char path[4096];
    int  n = 0;

    for (int i = 0; i < pare_plan_n_steps(e->plan) && n < MAX_TAPS; i++) {
        pare_step_info s;

        pare_plan_describe(e->plan, i, &s);
        if (s.dtype != PARE_u8 && !(s.dtype == PARE_f32 && s.op[0] == 'q'))
            continue;
        snprintf(path, sizeof(path), "%s/%d.raw", folder, n);
        taps[n++] = (pare_tap){ s.output, see, need_file(path, "wb") };
        printf("%s %s %lld %s %s\n", s.output, pare_dtype_name(s.dtype), (long long)pare_shape_count(&s.shape), s.op,
               s.kernel);
    }
    return n;
}

static int run(char **args)
{
    engine      e;
    FILE *const out = need_file(args[2], "wb");
    const int   seen = args[3] ? atoi(args[4]) : 0;
    pare_tap    taps[MAX_TAPS];

    engine_open(&e, args[0], args[1]);
    const int n = seen ? make_taps(&e, args[3], taps) : 0;

    for (int i = 0; engine_next(&e); i++) {
        need(pare_context_run(e.context, NULL, e.in, taps, i < seen ? n : 0));
        write_dense(pare_context_output(e.context, 0), out);
    }
    for (int i = 0; i < n; i++)
        fclose(taps[i].user);
    return fclose(out) != 0;
}

/* Runs as often as asked, on inputs that stay the same. */
typedef struct server {
    pare_plan          *plan;
    pare_context       *context;
    pare_pool          *pool;
    pare_tensor        *input; /* [inputs of the plan] */
    const pare_tensor **in;    /* their addresses      */
    clockid_t           clock;
} server;

/* As many bytes as the tensor has; from the start again where the file ends. */
static void fill(pare_tensor *t, const char *path)
{
    FILE *const  f = need_file(path, "rb");
    const size_t bytes = (size_t)pare_tensor_bytes(t);

    for (size_t n = 0, got; n < bytes; n += got) {
        got = fread((char *)t->data + n, 1, bytes - n, f);
        if (got == 0) {
            if (ftell(f) == 0) {
                fprintf(stderr, "pare_peer: %s is empty\n", path);
                exit(1);
            }
            rewind(f);
        }
    }
    fclose(f);
}

static void server_open(server *s, const char *model, int threads, int batch, char **files)
{
    pare_graph *g;

    need(pare_graph_load(model, &g));
    need(pare_compile(g, &(pare_compile_options){ .batch = batch, .tune = true }, &s->plan));
    need(pare_context_create(s->plan, &s->context));
    pare_graph_destroy(g);
    if (threads > 1)
        need(pare_pool_create(threads, &s->pool));
    const int n = pare_plan_n_inputs(s->plan);

    s->input = calloc((size_t)n + 1, sizeof(*s->input));
    s->in = calloc((size_t)n + 1, sizeof(*s->in));
    if (!s->input || !s->in)
        exit(1);
    for (int i = 0; i < n; i++) {
        const pare_tensor *shape;

        if (!files[i]) {
            fprintf(stderr, "pare_peer: %s has %d inputs\n", model, n);
            exit(1);
        }
        pare_plan_input(s->plan, i, &shape);
        s->input[i] = pare_tensor_of(shape->dtype, shape->shape);
        s->in[i] = &s->input[i];
        need(pare_tensor_alloc(&s->input[i]));
        fill(&s->input[i], files[i]);
    }
}

static double timed_run(server *s)
{
    struct timespec a, b;

    clock_gettime(s->clock, &a);
    need(pare_context_run(s->context, s->pool, s->in, NULL, 0));
    clock_gettime(s->clock, &b);
    return (double)(b.tv_sec - a.tv_sec) * 1e3 + (double)(b.tv_nsec - a.tv_nsec) * 1e-6;
}

static int serve(char **args)
{
    server s = { .clock = strcmp(args[3], "cpu") == 0 ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC };
    int    n;

    server_open(&s, args[0], atoi(args[1]), atoi(args[2]), args + 4);
    printf("ready\n");
    fflush(stdout);
    while (scanf("%d", &n) == 1) {
        for (int i = 0; i < n; i++)
            printf("%s%.6f", i ? " " : "", timed_run(&s));
        printf("\n");
        fflush(stdout);
    }
    return 0;
}

static const struct command {
    const char *name;
    int         n_args;
    int (*run)(char **args);
} commands[] = {
    { "samples", 2, samples },
    { "run", 3, run },
    { "serve", 5, serve },
};

int main(int argc, char **argv)
{
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        if (argc >= 2 + commands[i].n_args && strcmp(argv[1], commands[i].name) == 0)
            return commands[i].run(argv + 2);
    fprintf(stderr, "pare_peer: see the head of pare_peer.c\n");
    return 2;
}
