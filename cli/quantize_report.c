/* SPDX-License-Identifier: Apache-2.0 */
/* quantize_report.c - what pare quantize has done, printed */
#include "quantize_report.h"

#include <stdio.h>

#include "json.h"
#include "model_file.h"
#include "table.h"

static const char *mode_name(pare_qmode mode)
{
    return mode == PARE_QMODE_STATIC ? "static" : mode == PARE_QMODE_DYNAMIC ? "dynamic" : "float";
}

static void print_layers(const pare_quantize_result *r)
{
    pare_table *const t = pare_table_create("llll");
    const char *const head[] = { "layer", "op", "done", "weights" };

    for (int i = 0; i < 4; i++)
        pare_table_add(t, "%s", head[i]);
    for (int i = 0; i < pare_quantize_result_layers(r); i++) {
        const pare_layer_report *const l = pare_quantize_result_layer(r, i);

        if (l->mode == PARE_QMODE_FLOAT)
            continue;
        pare_table_add(t, "%s", l->name);
        pare_table_add(t, "%s", l->op);
        pare_table_add(t, "%s", mode_name(l->mode));
        if (l->weight_bits)
            pare_table_add(t, "%d bits, one scale per %s", l->weight_bits, l->per_channel ? "channel" : "tensor");
        else
            pare_table_add(t, "-");
    }
    pare_table_print(t, 0);
}

static int print_islands(const pare_quantize_result *r)
{
    pare_table *const t = pare_table_create("lll");
    int               n = 0;

    for (int i = 0; i < pare_quantize_result_layers(r); i++) {
        const pare_layer_report *const l = pare_quantize_result_layer(r, i);

        if (l->mode != PARE_QMODE_FLOAT)
            continue;
        pare_table_add(t, "%s", l->name);
        pare_table_add(t, "%s", l->op);
        pare_table_add(t, "%s", l->reason);
        n++;
    }
    printf(n ? "\nleft in float:\n" : "\nnothing is left in float\n");
    pare_table_print(t, 2);
    return n;
}

static void print_times(const pare_layer_times *times)
{
    static const char *const head[] = { "layer", "op", "float ms", "int8 ms", "done" };
    pare_table *const        t = pare_table_create("llrrl");

    for (int i = 0; i < 5; i++)
        pare_table_add(t, "%s", head[i]);
    for (int i = 0; i < times->n; i++) {
        const pare_layer_time *const l = &times->layers[i];

        pare_table_add(t, "%s", l->name);
        pare_table_add(t, "%s", l->op);
        pare_table_add(t, "%.4f", l->float_ms);
        pare_table_add(t, "%.4f", l->int8_ms);
        pare_table_add(t, "%s", l->in_float ? "float: integers do not pay" : "integers");
    }
    printf("\nmeasured on this machine, one thread:\n");
    pare_table_print(t, 2);
    printf("  the whole: %.4g ms in float, %.4g ms in integers", times->float_ms, times->int8_ms);
    if (times->mixed_ms > 0)
        printf(", %.4g ms as decided", times->mixed_ms);
    printf("\n");
}

void pare_quantize_text(const char *from, const char *to, const pare_quantize_result *r, const pare_layer_times *times)
{
    const double before = (double)pare_model_file_size(from), after = (double)pare_model_file_size(to);
    char         a[PARE_WORD], b[PARE_WORD];

    print_layers(r);
    print_islands(r);
    if (times)
        print_times(times);
    printf("\n%s: %s\n", pare_quantize_result_mode(r), pare_quantize_result_reason(r));
    printf("%s: %s -> %s: %s, %.2f of it\n", from, pare_table_bytes(before, a), to, pare_table_bytes(after, b),
           after / before);
}

static void json_times(const pare_layer_times *times)
{
    pare_json_open("measured", '{');
    pare_json_real("float_ms", times->float_ms);
    pare_json_real("int8_ms", times->int8_ms);
    pare_json_real("mixed_ms", times->mixed_ms > 0 ? times->mixed_ms : times->int8_ms);
    pare_json_open("layers", '[');
    for (int i = 0; i < times->n; i++) {
        pare_json_open(NULL, '{');
        pare_json_text("name", times->layers[i].name);
        pare_json_real("float_ms", times->layers[i].float_ms);
        pare_json_real("int8_ms", times->layers[i].int8_ms);
        pare_json_bool("in_float", times->layers[i].in_float);
        pare_json_close('}');
    }
    pare_json_close(']');
    pare_json_close('}');
}

void pare_quantize_json(const char *from, const char *to, const pare_quantize_result *r, const pare_layer_times *times)
{

    pare_json_open(NULL, '{');
    pare_json_text("file", from);
    pare_json_text("output", to);
    pare_json_text("mode", pare_quantize_result_mode(r));
    pare_json_text("reason", pare_quantize_result_reason(r));
    pare_json_int("bytes_before", pare_model_file_size(from));
    pare_json_int("bytes_after", pare_model_file_size(to));
    pare_json_open("layers", '[');
    for (int i = 0; i < pare_quantize_result_layers(r); i++) {
        const pare_layer_report *const l = pare_quantize_result_layer(r, i);

        pare_json_open(NULL, '{');
        pare_json_text("name", l->name);
        pare_json_text("op", l->op);
        pare_json_text("mode", mode_name(l->mode));
        pare_json_text("reason", l->reason);
        pare_json_int("weight_bits", l->weight_bits);
        pare_json_bool("per_channel", l->per_channel);
        pare_json_close('}');
    }
    pare_json_close(']');
    if (times)
        json_times(times);
    pare_json_close('}');
}
