/* SPDX-License-Identifier: Apache-2.0 */
/* test_onnx_upgrade.c - older forms of an op must mean what the newest form means, bit for bit */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "onnx_run.h"

typedef struct pair {
    int         opset;
    const char *old, *now; /* now: operator set 21 */
    const char *inputs;    /* NULL: x f32[2,3,4]   */
} pair;

static const pair pairs[] = {
    { 10, "y = Clip(x) min=-0.5 max=0.75", "y = Clip(x, f32:-0.5, f32:0.75)", NULL },
    { 7, "y = Clip(x) max=0.75", "y = Clip(x, , f32:0.75)", NULL },
    { 7, "y = Clip(x)", "y = Clip(x)", NULL },
    { 9, "y = Dropout(x) ratio=0.5", "y = Dropout(x)", NULL },
    { 7, "y, unread = Dropout(x) ratio=0.5", "y = Identity(x)", NULL },
    { 12, "y = Dropout(x, f32:0.5, bool:0) seed=3", "y = Identity(x)", NULL },
    { 13, "y = Dropout(x, f32:0, bool:1)", "y = Identity(x)", NULL },
    { 11, "y = ReduceMean(x) axes=[1,-1] keepdims=0", "y = ReduceMean(x, s64{1,-1}) keepdims=0", NULL },
    { 17, "y = ReduceMax(x) axes=[0]", "y = ReduceMax(x, s64{0})", NULL },
    { 13, "y = ReduceMin(x)", "y = ReduceMin(x)", NULL },
    { 11, "y = ReduceSum(x) axes=[2]", "y = ReduceSum(x, s64{2})", NULL },
    { 13, "y = ReduceProd(x) axes=[2]", "y = ReduceProd(x, s64{2})", NULL },
    { 13, "y = ReduceL2(x) axes=[2]", "y = ReduceL2(x, s64{2})", NULL },
    { 9, "y = Slice(x) starts=[1,0] ends=[3,9] axes=[1,2]", "y = Slice(x, s64{1,0}, s64{3,9}, s64{1,2})", NULL },
    { 7, "y = Slice(x) starts=[0,-2] ends=[1,-1]", "y = Slice(x, s64{0,-2}, s64{1,-1})", NULL },
    { 11, "y, z = Split(x) axis=2 split=[1,3]", "y, z = Split(x, s64{1,3}) axis=2", NULL },
    { 7, "y, z = Split(x) axis=2", "y, z = Split(x) axis=2 num_outputs=2", NULL },
    { 11, "y = Squeeze(x) axes=[0]", "y = Squeeze(x, s64{0})", "x f32[1,3,1]" },
    { 7, "y = Squeeze(x)", "y = Squeeze(x)", "x f32[1,3,1]" },
    { 12, "y = Unsqueeze(x) axes=[0,-1]", "y = Unsqueeze(x, s64{0,-1})", NULL },
    { 9, "y, z = TopK(x) k=2 axis=1", "y, z = TopK(x, s64{2}) axis=1", NULL },
    { 10, "y, z = TopK(x, s64{2}) axis=1", "y, z = TopK(x, s64{2}) axis=1", NULL },
    { 10, "y = Pad(x) pads=[0,1,0,0,0,2] value=1.5", "y = Pad(x, s64{0,1,0,0,0,2}, f32:1.5)", NULL },
    { 7, "y = Pad(x) pads=[0,1,0,0,0,2] mode=\"reflect\"", "y = Pad(x, s64{0,1,0,0,0,2}) mode=\"reflect\"", NULL },
    { 7, "y = Upsample(x) scales=[1.0,1.0,2.0,3.0]",
      "y = Resize(x, , f32{1,1,2,3}) coordinate_transformation_mode=\"asymmetric\" nearest_mode=\"floor\"",
      "x f32[1,2,3,3]" },
    { 9, "y = Upsample(x, f32{1,1,2,2}) mode=\"linear\"",
      "y = Resize(x, , f32{1,1,2,2}) mode=\"linear\" coordinate_transformation_mode=\"asymmetric\"", "x f32[1,2,3,3]" },
    { 10, "y = Resize(x, f32{1,1,2,2}) mode=\"linear\"",
      "y = Resize(x, , f32{1,1,2,2}) mode=\"linear\" coordinate_transformation_mode=\"asymmetric\"", "x f32[1,2,3,3]" },
    { 11, "y = Resize(x, f32{}, f32{}, s64{1,2,6,5}) mode=\"linear\"",
      "y = Resize(x, , , s64{1,2,6,5}) mode=\"linear\"", "x f32[1,2,3,3]" },
    { 11, "y = Softmax(x) axis=2", "y = Softmax(x)", NULL },
    { 11, "y = Softmax(x) axis=-1", "y = Softmax(x) axis=-1", NULL },
    { 11, "y = Softmax(x)", "f = Reshape(x, s64{2,12}); s = Softmax(f); y = Reshape(s, s64{2,3,4})", NULL },
    { 7, "y = Softmax(x) axis=0", "f = Reshape(x, s64{1,24}); s = Softmax(f); y = Reshape(s, s64{2,3,4})", NULL },
    { 12, "y = LogSoftmax(x)", "f = Reshape(x, s64{2,12}); s = LogSoftmax(f); y = Reshape(s, s64{2,3,4})", NULL },
    { 11, "y = Softmax(x)", "y = Softmax(x)", "x f32[2,5]" },
    { 7, "y, mean, var, m2, v2 = BatchNormalization(x, f32[3], f32[3], f32[3], f32{1,2,3}) spatial=1 momentum=0.5",
      "y = BatchNormalization(x, f32[3], f32[3], f32[3], f32{1,2,3})", NULL },
    { 9, "y = Scatter(x, i, u) axis=1", "y = ScatterElements(x, i, u) axis=1", "x f32[2,5]; i s64[2,2]; u f32[2,2]" },
    { 8, "y = Flatten(x)", "y = Flatten(x)", NULL },
    { 10, "y = DepthToSpace(x) blocksize=2", "y = DepthToSpace(x) blocksize=2", "x f32[1,8,2,2]" },
};

static void means_the_same(void **state)
{
    int failed = 0, skipped = 0;

    (void)state;
    for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++) {
        const pair *const p = &pairs[i];
        const char *const inputs = p->inputs ? p->inputs : "x f32[2,3,4]";
        const char *const outputs = p->now[1] == ',' ? "y;z" : "y";
        pare_graph       *old = NULL, *now = NULL;

        if (make_and_load(21, inputs, p->now, outputs, &now) != PARE_OK) {
            printf("not claimed: %s\n", pare_error());
            skipped += strstr(pare_error(), "op is not supported") != NULL;
            failed += strstr(pare_error(), "op is not supported") == NULL;
        } else if (make_and_load(p->opset, inputs, p->old, outputs, &old) != PARE_OK) {
            printf("opset %d, %s: %s\n", p->opset, p->old, pare_error());
            failed++;
        } else {
            failed += !same_results(old, now, p->old);
        }
        pare_graph_destroy(old);
        pare_graph_destroy(now);
    }
    printf("%zu old forms, %d of them of ops that are not there\n", sizeof(pairs) / sizeof(*pairs), skipped);
    assert_int_equal(failed, 0);
}

/* What has no meaning outside of training, or another one than today, is refused by name. */
static void refuses(void **state)
{
    static const struct {
        int         opset;
        const char *nodes, *outputs, *sentence;
    } cases[] = {
        { 7, "y = BatchNormalization(x, f32[3], f32[3], f32[3], f32{1,2,3}) spatial=0", "y", "'spatial' = 0" },
        { 8, "y, m = BatchNormalization(x, f32[3], f32[3], f32[3], f32{1,2,3})", "y; m", "only in training" },
        { 8, "y, m = BatchNormalization(x, f32[3], f32[3], f32[3], f32{1,2,3}); z = Relu(m)", "z", "only in training" },
        { 7, "y, m = Dropout(x); z = Relu(m)", "y; z", "only in training" },
        { 12, "y = Dropout(x, f32:0.5, bool:1)", "y", "training_mode" },
        { 10, "y = Clip(x, f32:0) min=0.5", "y", "both as attribute and as input" },
        { 9, "y = Slice(x) starts=[0] ends=\"1\"", "y", "wrong type" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        pare_graph       *g;
        const pare_status status = make_and_load(cases[i].opset, "x f32[2,3,4]", cases[i].nodes, cases[i].outputs, &g);
        assert_int_not_equal(status, PARE_OK);
        assert_null(g);
        if (!strstr(pare_error(), cases[i].sentence) || strncmp(pare_error(), "made.onnx: ", 11) != 0)
            fail_msg("%s: %s", cases[i].nodes, pare_error());
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(means_the_same),
        cmocka_unit_test(refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
