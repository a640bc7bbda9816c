/* SPDX-License-Identifier: Apache-2.0 */
/*
 * modules.c - a network written by hand: run at once, traced, quantized part by part, saved
 *
 *     cc modules.c $(pkg-config --cflags --libs pare) -o modules && ./modules small.int8.onnx
 */
#include <stdio.h>

#include <pare/pare.h>

/* A kind of one's own: two convolutions, and a shortcut around them. */
static void build_block(pare_module *m)
{
    const int channels = (int)pare_module_int(m, "channels");

    pare_module_add(m, "conv1", "conv2d", "in=%d out=%d kernel=3 padding=1", channels, channels);
    pare_module_add(m, "conv2", "conv2d", "in=%d out=%d kernel=3 padding=1", channels, channels);
}

static void forward_block(const pare_module *m, pare_record *r, int n_in, pare_var *const in[], int n_out,
                          pare_var *out[])
{
    pare_var *y = pare_relu(r, pare_forward_child(m, r, "conv1", in[0]));

    (void)n_in, (void)n_out;
    y = pare_forward_child(m, r, "conv2", y);
    out[0] = pare_relu(r, pare_add(r, y, in[0]));
}

static const pare_module_kind block = {
    .name = "block",
    .about = "two convolutions with a shortcut",
    .settings = "channels=",
    .build = build_block,
    .forward = forward_block,
};

/* The tree keeps its first failure, so one look at the end is enough. */
static pare_status build(pare_module **out)
{
    pare_module *net;
    pare_status  status = pare_module_create("sequential", &net, NULL);

    *out = net;
    pare_module_add(net, "stem", "conv2d", "in=3 out=16 kernel=3 stride=2 padding=1");
    pare_module_add(net, "act", "relu", NULL);
    pare_module_add_of(net, "block1", &block, "channels=16");
    pare_module_add_of(net, "block2", &block, "channels=16");
    pare_module_add(net, "pool", "global_average_pool", NULL);
    pare_module_add(net, "flatten", "flatten", NULL);
    pare_module_add(net, "head", "linear", "in=16 out=10");
    if (status == PARE_OK)
        status = pare_module_status(net);
    return status == PARE_OK ? pare_module_init(net, 1) : status;
}

static void print_line(void *user, const char *text)
{
    (void)user;
    printf("    %s\n", text);
}

/* One picture through the network as it is now: float or quantized, the call is the same. */
static pare_status run(const pare_module *net, const pare_dataset *data)
{
    pare_tensor  x = pare_tensor_of(PARE_f32, pare_shape_of(4, (int64_t[]){ 1, 3, 32, 32 }));
    pare_record *r = NULL;
    pare_status  status = pare_tensor_alloc(&x);

    if (status == PARE_OK)
        status = pare_dataset_read(data, 0, x.data, NULL);
    if (status == PARE_OK)
        status = pare_record_create(NULL, &r);
    if (status == PARE_OK) {
        pare_var *const y = pare_forward(net, r, pare_record_input(r, "x", &x));

        status = pare_record_status(r);
        for (int i = 0; i < 4 && status == PARE_OK; i++)
            printf(" %9.5f", (double)((const float *)pare_var_tensor(y)->data)[i]);
        printf("  (%s)\n", pare_form_name(pare_module_form(net)));
    }
    pare_record_destroy(r);
    pare_tensor_release(&x);
    return status;
}

static pare_status quantize(pare_module *net, const pare_dataset *data, const char *path)
{
    const pare_trace_input in = { .dtype = PARE_f32, .shape = { .rank = 4, .dim = { PARE_DIM_ANY, 3, 32, 32 } } };
    const pare_qconfig     in_float = { .mode = PARE_QMODE_FLOAT, .reason = "the last layer stays as it is" };
    pare_status            status = pare_module_set_qconfig(pare_module_find(net, "head"), &in_float);

    if (status == PARE_OK)
        status = pare_module_prepare(net, 1, &in, NULL);
    if (status == PARE_OK)
        status = pare_module_calibrate(net, &(pare_quantize_options){ .calibration = data, .samples = 50 });
    if (status == PARE_OK)
        status = pare_module_convert(net, NULL);
    return status == PARE_OK ? pare_graph_save(pare_module_graph(net), path, NULL) : status;
}

int main(int argc, char **argv)
{
    pare_module  *net;
    pare_dataset *data = NULL;
    pare_status   status;

    if (argc != 2) {
        fprintf(stderr, "usage: %s INT8.onnx\n", argv[0]);
        return 2;
    }
    status = build(&net);
    if (status == PARE_OK)
        status = pare_dataset_open("demo:train", NULL, &data);
    if (status == PARE_OK) {
        pare_module_print(net, print_line, NULL);
        status = run(net, data);
    }
    if (status == PARE_OK)
        status = quantize(net, data, argv[1]);
    if (status == PARE_OK)
        status = run(net, data);
    if (status != PARE_OK)
        fprintf(stderr, "%s\n", pare_error());
    pare_dataset_close(data);
    pare_module_destroy(net);
    return status == PARE_OK ? 0 : 1;
}
