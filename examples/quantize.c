/* SPDX-License-Identifier: Apache-2.0 */
/*
 * quantize.c - the whole of Pare in one page: load a float model, quantize it with calibration data, save it, run it
 *
 *     cc quantize.c $(pkg-config --cflags --libs pare) -o quantize && ./quantize demo.onnx demo.int8.onnx
 */
#include <stdio.h>

#include <pare/pare.h>

/* Runs the model on one sample and prints the class with the highest score. */
static pare_status classify(const pare_graph *model, const pare_dataset *data, int64_t sample)
{
    pare_plan         *plan;
    pare_context      *ctx = NULL;
    const pare_tensor *shape;
    int                label, best = 0;
    pare_status        status = pare_compile(model, NULL, &plan);

    if (status != PARE_OK)
        return status;
    pare_plan_input(plan, 0, &shape);
    pare_tensor              x = pare_tensor_of(shape->dtype, shape->shape);
    const pare_tensor *const in[1] = { &x };

    status = pare_tensor_alloc(&x);
    if (status == PARE_OK)
        status = pare_context_create(plan, &ctx);
    if (status == PARE_OK)
        status = pare_dataset_read(data, sample, x.data, &label);
    if (status == PARE_OK)
        status = pare_context_run(ctx, NULL, in, NULL, 0);
    if (status == PARE_OK) {
        const pare_tensor *y = pare_context_output(ctx, 0);
        const float       *score = y->data;

        for (int i = 1; i < (int)pare_shape_count(&y->shape); i++)
            best = score[i] > score[best] ? i : best;
        printf("sample %lld: class %d, label %d\n", (long long)sample, best, label);
    }
    pare_context_destroy(ctx);
    pare_tensor_release(&x);
    pare_plan_destroy(plan);
    return status;
}

int main(int argc, char **argv)
{
    pare_graph   *model = NULL, *quantized = NULL;
    pare_dataset *train = NULL, *test = NULL;
    pare_status   status;

    if (argc != 3) {
        fprintf(stderr, "usage: %s FLOAT.onnx INT8.onnx\n", argv[0]);
        return 2;
    }
    status = pare_graph_load(argv[1], &model);
    if (status == PARE_OK)
        status = pare_dataset_open("demo:train", NULL, &train);
    if (status == PARE_OK)
        status = pare_dataset_open("demo:test", NULL, &test);
    if (status == PARE_OK)
        status =
            pare_quantize(model, &(pare_quantize_options){ .calibration = train, .samples = 100 }, &quantized, NULL);
    if (status == PARE_OK)
        status = pare_graph_save(quantized, argv[2], NULL);
    for (int i = 0; i < 5 && status == PARE_OK; i++)
        status = classify(quantized, test, i);
    if (status != PARE_OK)
        fprintf(stderr, "%s\n", pare_error());
    pare_graph_destroy(model);
    pare_graph_destroy(quantized);
    pare_dataset_close(train);
    pare_dataset_close(test);
    return status == PARE_OK ? 0 : 1;
}
