/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_train.c - pare train: a network and pictures in, a trained model out */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <pare/io.h>
#include <pare/models.h>
#include <pare/train.h>

#include "comm.h"
#include "command.h"
#include "json.h"
#include "model_file.h"
#include "progress.h"
#include "train_args.h"

typedef struct work {
    pare_graph      *model, *trained;
    pare_dataset    *data, *test;
    pare_pool       *pool;
    const pare_comm *comm;
    bool             json;
    bool             any; /* epochs were shown */
} work;

static bool leads(const work *w)
{
    return !w->comm || w->comm->rank == 0;
}

/* The greatest label and one more. */
static int count_classes(const pare_dataset *data)
{
    int most = -1;

    for (int64_t i = 0; i < pare_dataset_count(data); i++) {
        const int label = pare_dataset_label(data, i);

        most = label > most ? label : most;
    }
    return most + 1;
}

static pare_status load_weights(pare_module *m, const pare_train_args *args)
{
    pare_state *state;
    pare_status status = pare_state_load(args->weights, &state);

    if (status != PARE_OK)
        return status;
    status = pare_module_load(m, state, &(pare_load_options){ .except = args->except });
    pare_state_destroy(state);
    return status;
}

/* A network of the library for samples of the data. */
static pare_status build(const pare_train_args *args, const pare_dataset *data, pare_graph **out)
{
    const pare_model_options o = { .classes = args->classes ? args->classes : count_classes(data),
                                   .seed = (uint64_t)args->seed,
                                   .settings = args->settings };
    const pare_shape         item = pare_dataset_item(data);
    pare_trace_input         in[4];
    pare_module             *m;
    int                      n;
    pare_status              status = pare_model_build(args->arch, &o, &m);

    if (status != PARE_OK)
        return status;
    if (args->weights)
        status = load_weights(m, args);
    if (status == PARE_OK)
        status = pare_model_inputs(args->arch, in, &n);
    for (int i = 0; status == PARE_OK && i < item.rank && item.rank + 1 == in[0].shape.rank; i++)
        in[0].shape.dim[i + 1] = item.dim[i];
    if (status == PARE_OK)
        status = pare_trace(m, n, in, false, out);
    pare_module_destroy(m);
    return status;
}

static pare_status load_model(const pare_invocation *v, work *w)
{
    const pare_train_args *const args = v->args;
    pare_graph                  *g;
    pare_status                  status = args->arch ? build(args, w->data, &g) : pare_graph_load(v->words[0], &g);

    if (status != PARE_OK)
        return status;
    status = pare_train_tidy(g, &w->model);
    pare_graph_destroy(g);
    return status;
}

static int open_data(const pare_invocation *v, work *w)
{
    const pare_train_args *const args = v->args;
    const bool                   labels = !args->loss || strcmp(args->loss, "mse") != 0;
    pare_data_args               test = *v->data;
    int                          code = pare_data_args_open(v->data, args->data, labels, &w->data);

    if (code || !args->test)
        return code;
    test.split = args->test_split ? args->test_split : v->data->split;
    test.slice = test.without = NULL;
    return pare_data_args_open(&test, args->test, labels, &w->test);
}

static void print_number(double value, bool percent)
{
    if (isnan(value))
        printf("  %8s", "-");
    else
        printf(percent ? "  %7.2f%%" : "  %8.4f", percent ? 100 * value : value);
}

static void show_text(const pare_train_epoch *e, bool first)
{
    if (first)
        printf("epoch        lr      loss  accuracy  test loss  accuracy  seconds\n");
    printf("%5d  %8.3g", e->epoch + 1, e->lr);
    print_number(e->loss, false);
    print_number(e->accuracy, true);
    printf(" ");
    print_number(e->test_loss, false);
    print_number(e->test_accuracy, true);
    printf("  %7.1f\n", e->seconds);
    fflush(stdout);
}

static void show_json(const pare_train_epoch *e, bool first)
{
    if (first) {
        pare_json_open(NULL, '{');
        pare_json_open("epochs", '[');
    }
    pare_json_open(NULL, '{');
    pare_json_int("epoch", e->epoch + 1);
    pare_json_real("lr", e->lr);
    pare_json_real("loss", e->loss);
    pare_json_real("accuracy", e->accuracy);
    pare_json_real("test_loss", e->test_loss);
    pare_json_real("test_accuracy", e->test_accuracy);
    pare_json_real("seconds", e->seconds);
    pare_json_close('}');
}

static void show_epoch(void *user, const pare_train_epoch *e)
{
    work *const w = user;

    (w->json ? show_json : show_text)(e, !w->any);
    w->any = true;
}

/* First ranges come from pictures of the training data, as they are. */
static pare_status train_quantized(const pare_train_args *args, work *w, const pare_train_options *o)
{
    pare_qat_options q = { .quantize = { .calibration = w->data, .pool = w->pool, .progress = o->progress } };
    pare_recipe     *recipe;
    pare_qat        *qat = NULL;
    pare_status      status = pare_recipe_create(w->model, &recipe);

    if (status != PARE_OK)
        return status;
    status = pare_train_args_qat(args, w->model, recipe, &q);
    q.quantize.calibration = w->data;
    if (status == PARE_OK)
        status = pare_qat_create(w->model, &q, &qat);
    if (status == PARE_OK)
        status = pare_qat_train(qat, w->data, w->test, o, args->frozen, &w->trained, NULL);
    pare_qat_destroy(qat);
    pare_recipe_destroy(recipe);
    return status;
}

static int train(const pare_invocation *v, work *w)
{
    pare_train_options o = { .progress = pare_progress_bar(), .epoch_done = show_epoch, .user = w };
    int                code = pare_train_args_fill(v->args, pare_dataset_count(w->data), &o);

    if (code == 0)
        code = pare_say_status(pare_command_pool(v, &w->pool));
    if (code)
        return code;
    o.trainer.pool = w->pool;
    o.trainer.comm = w->comm;
    return pare_say_status(((const pare_train_args *)v->args)->qat
                               ? train_quantized(v->args, w, &o)
                               : pare_train(w->model, w->data, w->test, &o, &w->trained));
}

static int run_alone(const pare_invocation *v, work *w)
{
    const pare_train_args *const args = v->args;
    int                          code = 0;

    if ((v->n_words > 0) == (args->arch != NULL))
        return pare_say_usage("give either a MODEL or --arch NAME");
    if (!args->arch && (args->weights || args->settings || args->classes))
        return pare_say_usage("--weights, --settings and --classes are for --arch NAME");
    if (!args->qat &&
        (args->weight_bits || args->activation_bits || args->scales || args->frozen || args->samples || args->recipe))
        return pare_say_usage(
            "--weight-bits, --activation-bits, --scales, --frozen, --samples and --recipe are for --qat");
    code = pare_model_file_check_output(args->output, v->n_words ? v->words[0] : args->data);
    if (code == 0)
        code = open_data(v, w);
    if (code == 0)
        code = pare_say_status(load_model(v, w));
    if (code == 0)
        code = train(v, w);
    if (code == 0 && leads(w))
        code = pare_say_status(pare_graph_save(w->trained, args->output, NULL));
    return code;
}

static void release(work *w)
{
    pare_graph_destroy(w->trained);
    pare_graph_destroy(w->model);
    pare_dataset_close(w->data);
    pare_dataset_close(w->test);
    pare_pool_destroy(w->pool);
}

static int run(const pare_invocation *v)
{
    const pare_train_args *const args = v->args;
    work                         w = { .json = v->common->json };
    int                          code = pare_comm_open(&w.comm);

    if (code)
        return code;
    code = run_alone(v, &w);
    if (w.json && w.any) {
        pare_json_close(']');
        pare_json_text("file", code == 0 ? args->output : NULL);
        pare_json_close('}');
    } else if (code == 0 && leads(&w)) {
        printf("%s: written\n", args->output);
    }
    release(&w);
    pare_comm_close(w.comm, code);
    return code;
}

const pare_command pare_command_train = {
    .name = "train",
    .about = "train a network on pictures or numbers",
    .usage = "MODEL --data DATA -o FILE [options]  (or --arch NAME instead of MODEL)",
    .details = "Results depend on the seed only, not on threads. Ctrl-C writes the checkpoint; --resume goes on from "
               "it, with\n"
               "the same result as a run that was never stopped. `mpirun -n N pare train ...` shares the work among "
               "processes.\n",
    .examples =
        "  pare train --arch resnet20 --data cifar10_train.tar --test cifar10_test.tar --preset cifar-torch \\\n"
        "      --augment crop=4,flip --epochs 15 --lr 0.2 -c run.checkpoint --curve loss.svg -o resnet20.onnx\n"
        "  pare train net.onnx --data photos/ --test more/ --lr 0.001 --schedule cosine -o tuned.onnx\n"
        "  pare train --qat resnet20.onnx --data cifar10_train.tar --test cifar10_test.tar --preset cifar-torch \\\n"
        "      --weight-bits 4 --activation-bits 4 --epochs 10 --lr 0.01 --schedule cosine -o resnet20.w4a4.onnx\n",
    .max_words = 1,
    .options = pare_train_args_options,
    .args_size = sizeof(pare_train_args),
    .takes_data = true,
    .run = run,
};
