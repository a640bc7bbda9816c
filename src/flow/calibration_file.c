/* SPDX-License-Identifier: Apache-2.0 */
/*
 * calibration_file.c - ranges in a text file, one value a line
 *
 *     pare-calibration 1 MODEL-FINGERPRINT DATA-FINGERPRINT SAMPLES
 *     OBSERVER MIN MAX NAME
 */
#include "flow/calibration_file.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/outfile.h"
#include "base/status.h"

static const uint64_t START = 0xcbf29ce484222325u;

/* FNV-1a, 64 bits. */
static uint64_t mix(uint64_t h, const void *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        h = (h ^ ((const uint8_t *)bytes)[i]) * 0x100000001b3u;
    return h;
}

/* Of the graph as text, which has its attributes and either the numbers of a constant or a hash of them. */
static pare_status model_fingerprint(const pare_graph *g, uint64_t *h)
{
    char *text;

    PARE_TRY(pare_graph_print(g, &text));
    *h = mix(START, text, strlen(text));
    pare_free(text);
    return PARE_OK;
}

/* Of the names of the samples, and of the first one's numbers, which show how pictures are prepared. */
static pare_status data_fingerprint(const pare_dataset *data, int64_t samples, uint64_t *h)
{
    pare_tensor first = pare_tensor_of(pare_dataset_dtype(data), pare_dataset_item(data));
    char        name[256];
    pare_status status;

    *h = START;
    for (int64_t i = 0; i < samples; i++) {
        pare_dataset_name(data, i, name, sizeof(name));
        *h = mix(*h, name, strlen(name) + 1);
    }
    PARE_GOTO(pare_tensor_alloc(&first));
    PARE_GOTO(pare_dataset_read(data, 0, first.data, NULL));
    *h = mix(*h, first.data, (size_t)pare_tensor_bytes(&first));
out:
    pare_tensor_release(&first);
    return status;
}

static pare_value *observed(const pare_quantization *q, const char *name)
{
    pare_value *v = pare_graph_find(q->g, name);

    return v && v->graph == q->g && v->id < q->n_values && q->values[v->id].observed ? v : NULL;
}

/* One line into the plan of its value. False: damaged. */
static bool read_line(pare_quantization *q, char *line)
{
    char  observer[64];
    float min, max;
    int   at = 0;

    if (sscanf(line, "%63s %f %f %n", observer, &min, &max, &at) != 3 || !at || !isfinite(min) || !isfinite(max) ||
        min > max)
        return false;
    line[strcspn(line, "\n")] = 0;
    pare_value *const v = observed(q, line + at);

    if (v && strcmp(q->values[v->id].observer, observer) == 0) {
        q->values[v->id].min = min;
        q->values[v->id].max = max;
    }
    return true;
}

/* Before reading no range is known, which NaN says; afterwards all must be, or none is taken. */
static void forget_ranges(pare_quantization *q, float value)
{
    for (int i = 0; i < q->n_values; i++)
        if (q->values[i].observed)
            q->values[i].min = q->values[i].max = value;
}

static bool all_known(const pare_quantization *q)
{
    for (int i = 0; i < q->n_values; i++)
        if (q->values[i].observed && isnan(q->values[i].min))
            return false;
    return true;
}

static pare_status read_ranges(FILE *f, const char *path, pare_quantization *q, const pare_dataset *data,
                               int64_t samples, bool *fits)
{
    char     line[4096];
    uint64_t model, seen, own_model, own_data = 0;
    int64_t  count;

    PARE_TRY(model_fingerprint(q->g, &own_model));
    if (samples)
        PARE_TRY(data_fingerprint(data, samples, &own_data));
    if (!fgets(line, sizeof(line), f) ||
        sscanf(line, "pare-calibration 1 %" SCNx64 " %" SCNx64 " %" SCNd64, &model, &seen, &count) != 3)
        return pare_fail(PARE_ERR_DATA, "%s: this is not a calibration file; remove it or give another name", path);
    if (model != own_model || (samples && (count != samples || seen != own_data)))
        return PARE_OK;
    for (int number = 2; fgets(line, sizeof(line), f); number++)
        if (!read_line(q, line))
            return pare_fail(PARE_ERR_DATA, "%s: line %d is damaged; remove the file to calibrate again", path, number);
    *fits = all_known(q);
    return PARE_OK;
}

pare_status pare_calibration_read(const char *path, pare_quantization *q, const pare_dataset *data, int64_t samples,
                                  bool *fits)
{
    *fits = false;
    if (access(path, F_OK) != 0)
        return PARE_OK;
    FILE *const f = fopen(path, "r");

    if (!f)
        return pare_fail(PARE_ERR_IO, "%s: cannot be opened", path);
    forget_ranges(q, NAN);
    const pare_status status = read_ranges(f, path, q, data, samples, fits);

    fclose(f);
    if (!*fits)
        forget_ranges(q, 0);
    return status;
}

pare_status pare_calibration_write(const char *path, const pare_quantization *q, const pare_dataset *data,
                                   int64_t samples)
{
    pare_outfile *f;
    pare_status   status;
    uint64_t      model, seen;

    PARE_TRY(model_fingerprint(q->g, &model));
    PARE_TRY(data_fingerprint(data, samples, &seen));
    PARE_TRY(pare_outfile_open(path, &f));
    PARE_GOTO(
        pare_outfile_printf(f, "pare-calibration 1 %016" PRIx64 " %016" PRIx64 " %" PRId64 "\n", model, seen, samples));
    const pare_value *v = q->g->values;

    for (int i = 0; v && i < q->n_values; i++, v = v->next) {
        const pare_value_plan *const p = &q->values[v->id];

        if (p->observed)
            PARE_GOTO(
                pare_outfile_printf(f, "%s %.9g %.9g %s\n", p->observer, (double)p->min, (double)p->max, v->name));
    }
    return pare_outfile_commit(f);
out:
    pare_outfile_discard(f);
    return status;
}
