/* SPDX-License-Identifier: Apache-2.0 */
/*
 * calibration_file.c - ranges in a text file, one value a line
 *
 *     pare-calibration 1 MODEL-FINGERPRINT SAMPLES
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

/* FNV-1a, 64 bits. */
static uint64_t mix(uint64_t h, const void *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        h = (h ^ ((const uint8_t *)bytes)[i]) * 0x100000001b3u;
    return h;
}

static uint64_t fingerprint(const pare_graph *g)
{
    uint64_t h = 0xcbf29ce484222325u;

    for (const pare_node *n = g->first; n; n = n->next)
        h = mix(mix(h, n->op->name, strlen(n->op->name)), n->name, strlen(n->name));
    for (const pare_value *v = g->values; v; v = v->next)
        if (v->t.data && pare_tensor_bytes(&v->t) > 0)
            h = mix(h, v->t.data, (size_t)pare_tensor_bytes(&v->t));
    return h;
}

static pare_value *observed(const pare_quantization *q, const char *name)
{
    pare_value *v = pare_graph_find(q->g, name);

    return v && v->graph == q->g && v->id < q->n_values && q->values[v->id].observed ? v : NULL;
}

/* One line into the plan of its value. False: damaged. */
static bool read_line(pare_quantization *q, char *line, int *filled)
{
    char  observer[64];
    float min, max;
    int   at = 0;

    if (sscanf(line, "%63s %f %f %n", observer, &min, &max, &at) != 3 || !at || !isfinite(min) || !isfinite(max) || min > max)
        return false;
    line[strcspn(line, "\n")] = 0;
    pare_value *const v = observed(q, line + at);

    if (v && strcmp(q->values[v->id].observer, observer) == 0) {
        q->values[v->id].min = min;
        q->values[v->id].max = max;
        (*filled)++;
    }
    return true;
}

static int n_observed(const pare_quantization *q)
{
    int n = 0;

    for (int i = 0; i < q->n_values; i++)
        n += q->values[i].observed;
    return n;
}

pare_status pare_calibration_read(const char *path, pare_quantization *q, int64_t samples, bool *fits)
{
    char        line[4096];
    uint64_t    model;
    int64_t     count;
    int         filled = 0, number = 1;
    pare_status status = PARE_OK;

    *fits = false;
    if (access(path, F_OK) != 0)
        return PARE_OK;
    FILE *const f = fopen(path, "r");

    if (!f)
        return pare_fail(PARE_ERR_IO, "%s: cannot be opened", path);
    if (!fgets(line, sizeof(line), f) || sscanf(line, "pare-calibration 1 %" SCNx64 " %" SCNd64, &model, &count) != 2)
        status = pare_fail(PARE_ERR_DATA, "%s: this is not a calibration file; remove it or give another name", path);
    while (status == PARE_OK && model == fingerprint(q->g) && count == samples && fgets(line, sizeof(line), f)) {
        number++;
        if (!read_line(q, line, &filled))
            status = pare_fail(PARE_ERR_DATA, "%s: line %d is damaged; remove the file to calibrate again", path, number);
    }
    fclose(f);
    *fits = status == PARE_OK && filled == n_observed(q);
    return status;
}

pare_status pare_calibration_write(const char *path, const pare_quantization *q, int64_t samples)
{
    pare_outfile *f;
    pare_status   status;

    PARE_TRY(pare_outfile_open(path, &f));
    PARE_GOTO(pare_outfile_printf(f, "pare-calibration 1 %016" PRIx64 " %" PRId64 "\n", fingerprint(q->g), samples));
    const pare_value *v = q->g->values;

    for (int i = 0; v && i < q->n_values; i++, v = v->next)
        if (q->values[v->id].observed)
            PARE_GOTO(pare_outfile_printf(f, "%s %.9g %.9g %s\n", q->values[v->id].observer, (double)q->values[v->id].min,
                                          (double)q->values[v->id].max, v->name));
    return pare_outfile_commit(f);
out:
    pare_outfile_discard(f);
    return status;
}
