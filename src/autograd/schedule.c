/* SPDX-License-Identifier: Apache-2.0 */
/* schedule.c - the learning rate of every step, by PyTorch's formulas, in double without libm */
#include "autograd/schedule.h"

#include <math.h>
#include <string.h>

#include "autograd/optimizer.h"
#include "base/map.h"
#include "base/status.h"

/* cos(pi x) for 0 <= x <= 1, within 2^-50: the Taylor series of sine on [-pi/2, pi/2], cos(pi x) = sin(pi (1/2 - x)). */
static double cos_pi(double x)
{
    const double r = 0x1.921fb54442d18p+1 * (0.5 - x), z = r * r;
    double       p = 0;

    /* The first term left out is (pi/2)^25 / 25!, below 2^-67. */
    for (int k = 23; k >= 3; k -= 2)
        p = (1 + p) * z / -(k * (k - 1.0));
    return r + r * p;
}

static double constant(const pare_schedule_options *o, double t, double n)
{
    (void)t, (void)n;
    return o->lr;
}

/* CosineAnnealingLR, closed form. */
static double cosine(const pare_schedule_options *o, double t, double n)
{
    return o->lowest + (o->lr - o->lowest) * (1 + cos_pi(t / n)) / 2;
}

/* StepLR. */
static double drops(const pare_schedule_options *o, double t, double n)
{
    double lr = o->lr;

    (void)n;
    for (int64_t left = (int64_t)t / o->step_every; left > 0 && lr != 0; left--)
        lr *= o->step_factor;
    return lr;
}

static double between(double from, double to, double share)
{
    return to + (from - to) / 2 * (cos_pi(share < 0 ? 0 : share > 1 ? 1 : share) + 1);
}

/* OneCycleLR, two phases, cosine. */
static double one_cycle(const pare_schedule_options *o, double t, double n)
{
    const double first = o->lr / o->divisor, top = o->rise * n - 1, last = n - 1;

    if (t <= top)
        return top > 0 ? between(first, o->lr, t / top) : o->lr;
    return last > top ? between(o->lr, first / o->last_divisor, (t - top) / (last - top)) : o->lr;
}

static const struct {
    const char *name, *about;
    double (*lr)(const pare_schedule_options *o, double t, double n); /* step t of n, both after the warm-up */
} schedules[] = {
#define PARE_SCHEDULE(name, about, function) { name, about, function },
#include "autograd/schedules.def"
#undef PARE_SCHEDULE
};

enum { N_SCHEDULES = sizeof(schedules) / sizeof(schedules[0]) };

const char *pare_schedule_name(int index)
{
    return index >= 0 && index < N_SCHEDULES ? schedules[index].name : NULL;
}

const char *pare_schedule_about(int index)
{
    return index >= 0 && index < N_SCHEDULES ? schedules[index].about : NULL;
}

static pare_status find(const char *name, int *out)
{
    const char *names[N_SCHEDULES], *near;

    for (*out = 0; *out < N_SCHEDULES; ++*out) {
        names[*out] = schedules[*out].name;
        if (!name || strcmp(name, names[*out]) == 0)
            return PARE_OK;
    }
    near = pare_nearest_name(name, names, N_SCHEDULES);
    return pare_fail(PARE_ERR_ARG, "unknown schedule '%s'%s%s%s", name, near ? "; did you mean '" : "",
                     near ? near : "", near ? "'?" : "");
}

/* LinearLR in the warm-up, then the schedule from its beginning. */
double pare_schedule_lr(const pare_schedule_options *o, int64_t step, int64_t total)
{
    int index = 0;

    (void)find(o->name, &index);
    if (step < o->warmup)
        return o->lr * (o->warmup_from + (1 - o->warmup_from) * (double)step / (double)o->warmup);
    return schedules[index].lr(o, (double)(step - o->warmup), (double)(total - o->warmup));
}

static void set_default(double *value, double otherwise)
{
    *value = *value != 0 ? *value : otherwise;
}

pare_status pare_schedule_check(pare_schedule_options *o, const char *optimizer, int64_t total)
{
    const pare_optimizer *rule;
    int                   index;

    PARE_TRY(pare_optimizer_find(optimizer, &rule));
    PARE_TRY(find(o->name, &index));
    o->name = schedules[index].name;
    set_default(&o->lr, rule->lr);
    set_default(&o->warmup_from, 0.01);
    set_default(&o->step_factor, 0.1);
    set_default(&o->rise, 0.3);
    set_default(&o->divisor, 25);
    set_default(&o->last_divisor, 1e4);
    if (o->step_every == 0)
        o->step_every = total / 3 > 0 ? total / 3 : 1;

    const double sizes[] = { o->lr, o->warmup_from, o->step_factor, o->rise, o->divisor, o->last_divisor };

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
        if (!(sizes[i] > 0 && sizes[i] < INFINITY))
            return pare_fail(PARE_ERR_ARG, "schedule %s: %g must be positive and finite", o->name, sizes[i]);
    if (!(o->lowest >= 0 && o->lowest <= o->lr) || o->rise >= 1 || o->step_every < 1)
        return pare_fail(PARE_ERR_ARG, "schedule %s: the lowest rate must be 0 to the highest, the rise below 1",
                         o->name);
    if (o->warmup < 0 || o->warmup >= total)
        return pare_fail(PARE_ERR_ARG, "schedule %s: a warm-up of %lld steps does not fit into %lld", o->name,
                         (long long)o->warmup, (long long)total);
    return PARE_OK;
}
