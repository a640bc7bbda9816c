/* SPDX-License-Identifier: Apache-2.0 */
/* demo_source.c - the computed pictures as a data set */
#include "data/dataset.h"

#include <string.h>

#include "base/status.h"

static const char prefix[] = "demo:";

static bool claims(const char *path)
{
    return strncmp(path, prefix, sizeof(prefix) - 1) == 0;
}

static pare_status open_demo(pare_dataset *ds, const pare_data_options *options)
{
    if (options->labels || options->label_rule || options->split)
        return pare_fail(PARE_ERR_ARG, "%s: has its own labels; labels, label rule and split are for files", ds->path);
    ds->demo = pare_demo_find(ds->path + sizeof(prefix) - 1);
    if (!ds->demo)
        return pare_fail(PARE_ERR_ARG, "%s: only demo:train and demo:test exist", ds->path);
    ds->total = ds->demo->count;
    return PARE_OK;
}

static pare_status picture(const pare_dataset *ds, int64_t sample, pare_image *out)
{
    PARE_TRY(pare_image_alloc(PARE_DEMO_SIDE, PARE_DEMO_SIDE, out));
    pare_demo_draw(ds->demo, (int)sample, out->rgb);
    return PARE_OK;
}

const pare_source pare_source_demo = {
    .name = "demo",
    .preset = "demo",
    .claims = claims,
    .open = open_demo,
    .picture = picture,
};
