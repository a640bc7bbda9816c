/* SPDX-License-Identifier: Apache-2.0 */
/* slice.c - START:STOP:STEP, as in Python */
#include "data/slice.h"

#include "base/status.h"

/* Reads an optional signed number. False when there is something that is neither a number nor its end. */
static bool parse_part(const char **at, int64_t *value, bool *given)
{
    const char *p = *at;
    const bool  negative = *p == '-';
    int64_t     number = 0;
    int         digits = 0;

    p += negative;
    for (; *p >= '0' && *p <= '9' && digits < 18; p++, digits++)
        number = number * 10 + (*p - '0');
    if (*p != ':' && *p != '\0')
        return false;
    if (negative && digits == 0)
        return false;
    *given = digits > 0;
    if (*given)
        *value = negative ? -number : number;
    *at = p;
    return true;
}

static int64_t clamp_part(int64_t value, int64_t n)
{
    if (value < 0)
        value += n;
    return value < 0 ? 0 : value > n ? n : value;
}

pare_status pare_slice_parse(const char *what, const char *text, int64_t n, pare_slice *out)
{
    int64_t     value[3] = { 0, n, 1 };
    bool        given[3] = { false };
    const char *at = text;
    int         parts = 0;
    bool        good = true;

    while (good && parts < 3) {
        good = parse_part(&at, &value[parts], &given[parts]);
        parts++;
        if (*at != ':')
            break;
        at++;
    }
    if (!good || *at || parts < 2)
        return pare_fail(PARE_ERR_ARG, "%s '%s' is not START:STOP:STEP (like 0:500, ::10 or -100:)", what, text);
    if (value[2] < 1)
        return pare_fail(PARE_ERR_ARG, "%s '%s': the step must be 1 or more", what, text);

    *out = (pare_slice){ .start = clamp_part(value[0], n), .stop = clamp_part(value[1], n), .step = value[2] };
    return PARE_OK;
}

bool pare_slice_has(const pare_slice *slice, int64_t index)
{
    return index >= slice->start && index < slice->stop && (index - slice->start) % slice->step == 0;
}
