/* SPDX-License-Identifier: Apache-2.0 */
/* data_args.c - data options in words, put into pare_data_options */
#include "data_args.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pare/list.h>

#include "say.h"

#define AT(field) offsetof(pare_data_args, field)

const pare_option pare_data_args_options[] = {
    { "preset", 0, PARE_OPTION_TEXT, AT(preset), "NAME", "a convention; `pare list presets` says which there are", 0, 0,
      false },
    { "size", 0, PARE_OPTION_TEXT, AT(size), "W[xH]", "size of a picture (the preset's, else the first picture's)", 0,
      0, false },
    { "crop", 0, PARE_OPTION_FLAG, AT(crop), NULL,
      "resize the shorter side, then cut out the middle (when --size is given)", 0, 0, false },
    { "squash", 0, PARE_OPTION_FLAG, AT(squash), NULL, "resize to W x H, whatever the aspect ratio", 0, 0, false },
    { "resize", 0, PARE_OPTION_INT, AT(resize), "N", "length of the shorter side before cropping (size * 256 / 224)", 1,
      32768, false },
    { "filter", 0, PARE_OPTION_WORD, AT(filter), "bilinear", "how pictures are resized (bilinear)", 0, 0, false },
    { "bgr", 0, PARE_OPTION_FLAG, AT(bgr), NULL, "channels in the order blue, green, red", 0, 0, false },
    { "scale", 0, PARE_OPTION_TEXT, AT(scale), "S", "value = (byte * S - mean) / std; 1/255 is fine (1)", 0, 0, false },
    { "mean", 0, PARE_OPTION_TEXT, AT(mean), "A[,B,C]", "one number, or one per channel (0)", 0, 0, false },
    { "std", 0, PARE_OPTION_TEXT, AT(std), "A[,B,C]", "one number, or one per channel (1)", 0, 0, false },
    { "labels", 0, PARE_OPTION_TEXT, AT(labels), "FILE",
      "labels: .tsv, .npy or raw int32 (beside the data, or its folders)", 0, 0, false },
    { "label-rule", 0, PARE_OPTION_WORD, AT(label_rule), "class|vww|none", "what of a .tsv is the label (class)", 0, 0,
      false },
    { "split", 0, PARE_OPTION_TEXT, AT(split), "WORD", "only rows of the .tsv with this word in its column `split`", 0,
      0, false },
    { "slice", 0, PARE_OPTION_TEXT, AT(slice), "A:B:STEP", "only these samples, as in Python (all)", 0, 0, false },
    { "without", 0, PARE_OPTION_TEXT, AT(without), "A:B:STEP", "leave out these samples, before slicing (none)", 0, 0,
      false },
    { "item", 0, PARE_OPTION_TEXT, AT(item), "A,B,...", ".f32: shape of one sample, without the batch", 0, 0, false },
    { "window", 0, PARE_OPTION_INT, AT(window), "N", ".u16: tokens in a window (256)", 1, 1 << 20, false },
    { 0 },
};

/* A number, or a fraction such as 1/255. */
static bool parse_number(const char *text, char **end, double *number)
{
    *number = strtod(text, end);
    if (*end == text)
        return false;
    if (**end == '/') {
        const char *const below = *end + 1;
        const double      d = strtod(below, end);

        if (*end == below)
            return false;
        *number /= d;
    }
    return isfinite(*number);
}

/* One number for all channels, or three. */
static int parse_channels(const char *name, const char *text, float out[3])
{
    int n = 0;

    for (const char *at = text; text;) {
        char  *end;
        double number;

        if (n == 3 || !parse_number(at, &end, &number) || (*end && *end != ','))
            break;
        out[n++] = (float)number;
        if (!*end) {
            if (n == 1)
                out[1] = out[2] = out[0];
            return n == 2 ? pare_say_usage("--%s takes one number or three, not two", name) : 0;
        }
        at = end + 1;
    }
    return text ? pare_say_usage("--%s must be A or A,B,C, not '%s'", name, text) : 0;
}

static int parse_size(const char *text, pare_data_options *o)
{
    char tail;

    if (!text || sscanf(text, "%dx%d%c", &o->width, &o->height, &tail) == 2)
        return !text || (o->width > 0 && o->height > 0) ? 0 : pare_say_usage("--size must be positive, not '%s'", text);
    o->height = 0;
    if (sscanf(text, "%d%c", &o->width, &tail) == 1 && o->width > 0)
        return 0;
    return pare_say_usage("--size must be W or WxH, not '%s'", text);
}

static int parse_item(const char *text, pare_shape *shape)
{
    for (const char *at = text; text;) {
        char           *end;
        const long long dim = strtoll(at, &end, 10);

        if (end == at || dim < 1 || shape->rank == PARE_MAX_RANK || (*end && *end != ',' && *end != 'x'))
            return pare_say_usage("--item must be numbers such as 1,49,10, not '%s'", text);
        shape->dim[shape->rank++] = dim;
        if (!*end)
            return 0;
        at = end + 1;
    }
    return 0;
}

static int check_preset(const char *preset)
{
    const char *names[64], *name;
    int         n = 0;

    for (; n < 64 && (name = pare_data_preset_name(n)); n++) {
        if (preset && strcmp(preset, name) == 0)
            return 0;
        names[n] = name;
    }
    if (!preset)
        return 0;
    name = pare_nearest(preset, names, n);
    return pare_say_usage("there is no preset '%s'%s%s%s; `pare list presets` says which there are", preset,
                          name ? "; did you mean '" : "", name ? name : "", name ? "'?" : "");
}

int pare_data_args_open(const pare_data_args *args, const char *path, bool need_labels, pare_dataset **out)
{
    pare_data_options o = { .preset = args->preset,
                            .resize = args->resize,
                            .bgr = args->bgr,
                            .window = args->window,
                            .labels = args->labels,
                            .label_rule = args->label_rule,
                            .split = args->split,
                            .slice = args->slice,
                            .without = args->without,
                            .need_labels = need_labels };
    char             *end;
    double            scale = 1;

    if (args->crop && args->squash)
        return pare_say_usage("--crop and --squash exclude each other");
    o.fit = args->crop ? PARE_FIT_CROP : args->squash ? PARE_FIT_SQUASH : PARE_FIT_DEFAULT;
    if (args->scale && (!parse_number(args->scale, &end, &scale) || *end || scale <= 0))
        return pare_say_usage("--scale must be a positive number, not '%s'", args->scale);
    if (args->scale)
        o.divisor = (float)(1 / scale);
    if (check_preset(args->preset) || parse_channels("mean", args->mean, o.mean) ||
        parse_channels("std", args->std, o.std) || parse_size(args->size, &o) || parse_item(args->item, &o.item))
        return PARE_EXIT_USAGE;
    return pare_say_status(pare_dataset_open(path, &o, out));
}
