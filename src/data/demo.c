/* SPDX-License-Identifier: Apache-2.0 */
/*
 * demo.c - pictures of ten shapes in noise and clutter, a pure function of split and number.
 *
 * A shape is a signed distance: negative inside, in units of its radius. It is turned, moved, coloured at random with
 * little contrast, and partly covered, so that a small network reaches well over 90 percent and none reaches 100: what
 * quantization costs can then be seen. Only + - * / sqrtf and comparisons are used, so every machine draws the same.
 */
#include "data/demo.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#include "base/rng.h"

static float larger(float a, float b)
{
    return a > b ? a : b;
}

static float smaller(float a, float b)
{
    return a < b ? a : b;
}

static float disc(float u, float v)
{
    return sqrtf(u * u + v * v) - 0.9f;
}

static float ring(float u, float v)
{
    return fabsf(sqrtf(u * u + v * v) - 0.7f) - 0.22f;
}

static float square(float u, float v)
{
    return larger(fabsf(u), fabsf(v)) - 0.8f;
}

static float frame(float u, float v)
{
    return fabsf(larger(fabsf(u), fabsf(v)) - 0.62f) - 0.2f;
}

/* Equilateral: the normals of its sides are 120 degrees apart, (0, 1) and (+-sqrt(3)/2, -1/2). */
static float triangle(float u, float v)
{
    return larger(v, larger(0.8660254f * u, -0.8660254f * u) - 0.5f * v) - 0.5f;
}

static float plus(float u, float v)
{
    return smaller(larger(fabsf(u) - 1.0f, fabsf(v) - 0.3f), larger(fabsf(u) - 0.3f, fabsf(v) - 1.0f));
}

static float bar(float u, float v)
{
    return larger(fabsf(u) - 1.1f, fabsf(v) - 0.34f);
}

static float crescent(float u, float v)
{
    return larger(disc(u, v), 0.75f - sqrtf((u - 0.55f) * (u - 0.55f) + v * v));
}

static float half_disc(float u, float v)
{
    return larger(disc(u, v + 0.35f), -0.35f - v);
}

static float two_dots(float u, float v)
{
    return sqrtf((fabsf(u) - 0.62f) * (fabsf(u) - 0.62f) + v * v) - 0.46f;
}

static const struct {
    const char *name;
    float (*distance)(float u, float v);
} classes[PARE_DEMO_CLASSES] = {
    { "disc", disc }, { "ring", ring }, { "square", square },     { "frame", frame },         { "triangle", triangle },
    { "plus", plus }, { "bar", bar },   { "crescent", crescent }, { "half-disc", half_disc }, { "two-dots", two_dots },
};

static const pare_demo_split splits[] = {
    { "train", 4000, 0x7261696eu },
    { "test", 1000, 0x74657374u },
};

const pare_demo_split *pare_demo_find(const char *name)
{
    for (size_t i = 0; i < sizeof(splits) / sizeof(splits[0]); i++)
        if (strcmp(splits[i].name, name) == 0)
            return &splits[i];
    return NULL;
}

const char *pare_demo_class(int label)
{
    return label >= 0 && label < PARE_DEMO_CLASSES ? classes[label].name : NULL;
}

/* A shape on the canvas. */
typedef struct placed {
    float (*distance)(float u, float v);
    float x, y;     /* centre, pixels            */
    float cos, sin; /* how it is turned          */
    float radius;   /* pixels                    */
    float color[3]; /* 0..255                    */
} placed;

/* A random direction without sin and cos: a point in the disc, brought to length 1. */
static void choose_turn(pare_rng *rng, placed *p)
{
    for (;;) {
        const float a = pare_rng_uniform(rng, -1, 1);
        const float b = pare_rng_uniform(rng, -1, 1);
        const float r = sqrtf(a * a + b * b);

        if (r > 0.1f && r <= 1.0f) {
            p->cos = a / r;
            p->sin = b / r;
            return;
        }
    }
}

static void choose_color(pare_rng *rng, float color[3])
{
    for (int c = 0; c < 3; c++)
        color[c] = pare_rng_uniform(rng, 20, 235);
}

/* A colour that differs from the background at least by CONTRAST, summed over the channels. */
static void choose_visible_color(pare_rng *rng, const float background[3], float color[3])
{
    enum { CONTRAST = 110 };
    float difference = 0;

    do {
        choose_color(rng, color);
        difference = 0;
        for (int c = 0; c < 3; c++)
            difference += fabsf(color[c] - background[c]);
    } while (difference < CONTRAST);
}

static placed choose_clutter(pare_rng *rng, const float background[3])
{
    placed p = { .distance = pare_rng_below(rng, 2) ? bar : disc };

    p.x = pare_rng_uniform(rng, 0, PARE_DEMO_SIDE);
    p.y = pare_rng_uniform(rng, 0, PARE_DEMO_SIDE);
    p.radius = pare_rng_uniform(rng, 1.5f, 4.0f);
    choose_turn(rng, &p);
    choose_color(rng, p.color);
    for (int c = 0; c < 3; c++) /* half way to the background: clutter is paler than what counts */
        p.color[c] = 0.5f * (p.color[c] + background[c]);
    return p;
}

/* Blends the shape into canvas [32][32][3]; its edge is one pixel soft. */
static void paint(float *canvas, const placed *p)
{
    for (int y = 0; y < PARE_DEMO_SIDE; y++)
        for (int x = 0; x < PARE_DEMO_SIDE; x++) {
            const float dx = ((float)x + 0.5f - p->x) / p->radius;
            const float dy = ((float)y + 0.5f - p->y) / p->radius;
            const float edge = p->distance(p->cos * dx + p->sin * dy, p->cos * dy - p->sin * dx) * p->radius;
            const float cover = larger(0, smaller(1, 0.5f - edge));
            float      *pixel = canvas + (y * PARE_DEMO_SIDE + x) * 3;

            for (int c = 0; c < 3; c++)
                pixel[c] = pixel[c] + cover * (p->color[c] - pixel[c]);
        }
}

/* From one colour at the top to a near one at the bottom. */
static void paint_background(pare_rng *rng, float *canvas, const float color[3])
{
    float slope[3];

    for (int c = 0; c < 3; c++)
        slope[c] = pare_rng_uniform(rng, -1.5f, 1.5f);
    for (int y = 0; y < PARE_DEMO_SIDE; y++)
        for (int x = 0; x < PARE_DEMO_SIDE; x++)
            for (int c = 0; c < 3; c++)
                canvas[(y * PARE_DEMO_SIDE + x) * 3 + c] = color[c] + slope[c] * ((float)y - PARE_DEMO_SIDE / 2);
}

int pare_demo_draw(const pare_demo_split *split, int index, uint8_t *rgb)
{
    /* The seed goes through the generator once, or the streams of neighbours would be shifts of each other. */
    pare_rng  start = pare_rng_seed(split->seed + ((uint64_t)index << 32));
    pare_rng  rng = pare_rng_seed(pare_rng_u64(&start));
    const int label = (int)pare_rng_below(&rng, PARE_DEMO_CLASSES);

    if (!rgb)
        return label;

    float  canvas[PARE_DEMO_SIDE * PARE_DEMO_SIDE * 3], background[3];
    placed shape = { .distance = classes[label].distance };

    choose_color(&rng, background);
    paint_background(&rng, canvas, background);
    for (int i = 0; i < 3; i++) {
        const placed clutter = choose_clutter(&rng, background);
        paint(canvas, &clutter);
    }

    shape.radius = pare_rng_uniform(&rng, 6.0f, 12.0f);
    shape.x = pare_rng_uniform(&rng, shape.radius, PARE_DEMO_SIDE - shape.radius);
    shape.y = pare_rng_uniform(&rng, shape.radius, PARE_DEMO_SIDE - shape.radius);
    choose_turn(&rng, &shape);
    choose_visible_color(&rng, background, shape.color);
    paint(canvas, &shape);

    const placed cover = choose_clutter(&rng, background);
    paint(canvas, &cover);

    const float noise = pare_rng_uniform(&rng, 6, 28);
    for (int i = 0; i < PARE_DEMO_SIDE * PARE_DEMO_SIDE * 3; i++) {
        const float value = canvas[i] + noise * pare_rng_normal(&rng);

        rgb[i] = (uint8_t)(larger(0, smaller(255, value)) + 0.5f);
    }
    return label;
}
