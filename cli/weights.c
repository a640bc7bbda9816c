/* SPDX-License-Identifier: Apache-2.0 */
/* weights.c - what is in a file of weights: as a table, or as JSON */
#include "weights.h"

#include <stdio.h>

#include <pare/state.h>

#include "json.h"
#include "model_file.h"
#include "say.h"
#include "table.h"

typedef struct totals {
    int64_t parameters, bytes;
} totals;

static totals sum_up(const pare_state *s)
{
    totals t = { 0, 0 };

    for (int i = 0; i < pare_state_count(s); i++) {
        t.parameters += pare_shape_count(&pare_state_tensor(s, i)->shape);
        t.bytes += pare_tensor_bytes(pare_state_tensor(s, i));
    }
    return t;
}

static void print_json(const char *path, const pare_state *s)
{
    const totals t = sum_up(s);
    const char  *key;

    pare_json_open(NULL, '{');
    pare_json_text("file", path);
    pare_json_int("bytes", pare_model_file_size(path));
    pare_json_int("parameters", t.parameters);
    pare_json_int("weight_bytes", t.bytes);
    pare_json_open("metadata", '{');
    for (int i = 0; (key = pare_state_meta_key(s, i)); i++)
        pare_json_text(key, pare_state_meta(s, key));
    pare_json_close('}');
    pare_json_open("tensors", '[');
    for (int i = 0; i < pare_state_count(s); i++) {
        pare_json_open(NULL, '{');
        pare_json_text("name", pare_state_name(s, i));
        pare_json_text("dtype", pare_dtype_name(pare_state_tensor(s, i)->dtype));
        pare_json_shape("shape", &pare_state_tensor(s, i)->shape);
        pare_json_close('}');
    }
    pare_json_close(']');
    pare_json_close('}');
}

static void print_text(const char *path, const pare_state *s)
{
    pare_table *const list = pare_table_create("lll");
    const totals      t = sum_up(s);
    char              a[PARE_WORD], b[PARE_WORD];
    const char       *key;

    printf("%s, %s: %d tensors, %s parameters\n", path, pare_table_bytes((double)pare_model_file_size(path), a),
           pare_state_count(s), pare_table_count((double)t.parameters, b));
    for (int i = 0; (key = pare_state_meta_key(s, i)); i++)
        printf("%s: %s\n", key, pare_state_meta(s, key));
    printf("\n");
    for (int i = 0; i < pare_state_count(s); i++) {
        const pare_tensor *const tensor = pare_state_tensor(s, i);

        pare_table_add(list, "%s", pare_state_name(s, i));
        pare_table_add(list, "%s", pare_dtype_name(tensor->dtype));
        pare_table_add(list, "%s", tensor->shape.rank ? pare_table_shape(&tensor->shape, a) : "scalar");
    }
    pare_table_print(list, 0);
}

int pare_weights_print(const char *path, bool json)
{
    pare_state *s;
    const int   code = pare_say_status(pare_state_load(path, &s));

    if (code)
        return code;
    if (json)
        print_json(path, s);
    else
        print_text(path, s);
    pare_state_destroy(s);
    return 0;
}
