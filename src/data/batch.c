/* SPDX-License-Identifier: Apache-2.0 */
/* batch.c - one batch made of samples: read, varied, mixed */
#include "data/batch.h"

#include <string.h>

#include "base/alloc.h"
#include "base/status.h"

enum { DEFAULT_BATCH = 128, MAX_BATCH = 1 << 20, MAX_THREADS = 64, CACHE_MB = 512 };

pare_rng pare_batch_rng(uint64_t seed, uint64_t what, uint64_t a, uint64_t b)
{
    const uint64_t keys[] = { what, a, b };
    pare_rng       rng = pare_rng_seed(seed);

    for (int i = 0; i < 3; i++)
        rng = pare_rng_seed(pare_rng_u64(&rng) + keys[i]);
    return pare_rng_seed(pare_rng_u64(&rng));
}

static pare_status check(const pare_batch_maker *m)
{
    const pare_loader_options *const o = &m->o;

    if (o->batch < 1 || o->batch > MAX_BATCH || o->threads < 1 || o->threads > MAX_THREADS || o->classes < 0)
        return pare_fail(PARE_ERR_ARG, "a loader takes batches of 1 to %d on 1 to %d threads", MAX_BATCH, MAX_THREADS);
    if (o->shares < 1 || o->share < 0 || o->share >= o->shares || o->group < 1 || o->batch % o->shares ||
        m->room % o->group)
        return pare_fail(PARE_ERR_ARG, "batches of %d cannot be cut into %d shares of groups of %d", o->batch,
                         o->shares, o->group);
    if (m->augment.n && !m->ds->source->picture)
        return pare_fail(PARE_ERR_ARG, "%s: augmentation is for pictures", m->ds->path);
    if (m->augment.mixes && o->classes == 0)
        return pare_fail(PARE_ERR_ARG, "mixup needs labels as shares of classes: say how many classes there are");
    if (pare_dataset_count(m->ds) > INT32_MAX)
        return pare_fail(PARE_ERR_UNSUPPORTED, "%s: too many samples to shuffle", m->ds->path);
    return PARE_OK;
}

pare_status pare_batch_maker_init(const pare_dataset *ds, const pare_loader_options *options, pare_batch_maker *m)
{
    const pare_shape shape = pare_dataset_item(ds);

    *m = (pare_batch_maker){ .ds = ds, .item = pare_shape_count(&shape) };
    if (options)
        m->o = *options;
    m->o.batch = m->o.batch ? m->o.batch : DEFAULT_BATCH;
    m->o.shares = m->o.shares ? m->o.shares : 1;
    m->room = m->o.shares > 0 ? m->o.batch / m->o.shares : 0;
    m->o.group = m->o.group ? m->o.group : m->room;
    m->o.threads = m->o.threads ? m->o.threads : 1;
    m->o.cache_bytes = m->o.cache_bytes ? m->o.cache_bytes : (size_t)CACHE_MB << 20;
    m->bytes = (size_t)m->item * (pare_dataset_dtype(ds) == PARE_s64 ? sizeof(int64_t) : sizeof(float));
    PARE_TRY(pare_augment_parse(m->o.augment, &m->augment));
    m->o.augment = NULL; /* the caller's text */
    PARE_TRY(check(m));
    return ds->source->picture ? pare_picture_cache_create(ds, !m->augment.from_original, m->o.cache_bytes, &m->cache)
                               : PARE_OK;
}

void pare_batch_maker_clear(pare_batch_maker *m)
{
    pare_picture_cache_destroy(m->cache);
    m->cache = NULL;
}

pare_status pare_batch_memory_alloc(const pare_batch_maker *m, pare_batch_memory *out)
{
    const size_t room = (size_t)m->room, classes = (size_t)m->o.classes;
    const size_t spare = (size_t)m->item > classes ? (size_t)m->item : classes;

    *out = (pare_batch_memory){ .x = pare_malloc_aligned(room * m->bytes + 1),
                                .labels = pare_malloc_aligned(room * sizeof(int64_t)),
                                .targets = classes ? pare_malloc_aligned(room * classes * sizeof(float)) : NULL,
                                .spare = m->augment.mixes ? pare_malloc(spare * sizeof(float) + 1) : NULL };
    if (out->x && out->labels && (out->targets || !classes) && (out->spare || !m->augment.mixes))
        return PARE_OK;
    pare_batch_memory_free(out);
    return pare_fail_memory(room * m->bytes, "a batch");
}

void pare_batch_memory_free(pare_batch_memory *memory)
{
    pare_free_aligned(memory->x);
    pare_free_aligned(memory->labels);
    pare_free_aligned(memory->targets);
    pare_free(memory->spare);
    *memory = (pare_batch_memory){ 0 };
}

static pare_status read_picture(const pare_batch_maker *m, int64_t sample, pare_rng *rng, float *out)
{
    const pare_shape shape = pare_dataset_item(m->ds);
    const pare_image wanted = { .width = (int)shape.dim[2], .height = (int)shape.dim[1] };
    pare_image       picture;

    PARE_TRY(pare_picture_cache_get(m->cache, sample, &picture));
    const pare_status status = pare_augment_picture(&m->augment, &picture, &wanted, rng);

    if (status == PARE_OK)
        pare_prepare_values(&m->ds->prepare, &picture, out);
    pare_image_free(&picture);
    return status;
}

/* Sample `sample` to place `i` of this share. */
static pare_status read_sample(const pare_batch_maker *m, int64_t epoch, int64_t sample, int i, pare_batch_memory *to)
{
    void *const x = (char *)to->x + (size_t)i * m->bytes;
    const int   classes = m->o.classes, label = pare_dataset_label(m->ds, sample);
    pare_rng    rng = pare_batch_rng(m->o.seed, PARE_RNG_SAMPLE, (uint64_t)epoch, (uint64_t)sample);

    to->labels[i] = label;
    if (classes && (label < 0 || label >= classes)) {
        char name[256];

        pare_dataset_name(m->ds, sample, name, sizeof(name));
        return pare_fail(PARE_ERR_DATA, "sample %s: label %d, the model has classes 0 to %d", name, label, classes - 1);
    }
    for (int c = 0; c < classes; c++)
        to->targets[(int64_t)i * classes + c] = c == label;
    return m->cache ? read_picture(m, sample, &rng, x) : pare_dataset_read(m->ds, sample, x, NULL);
}

static void mix(const pare_batch_maker *m, int64_t epoch, const pare_batch *batch, pare_batch_memory *memory)
{
    const int groups = m->room / m->o.group, classes = m->o.classes;

    for (int g = 0; g < groups && (g + 1) * m->o.group <= batch->count; g++) {
        const int64_t    first = (int64_t)g * m->o.group;
        const uint64_t   number = (uint64_t)((batch->index * m->o.shares + m->o.share) * groups + g);
        pare_rng         rng = pare_batch_rng(m->o.seed, PARE_RNG_MIX, (uint64_t)epoch, number);
        const pare_mixed mixed = { (float *)memory->x + first * m->item,
                                   memory->targets + first * classes,
                                   m->item,
                                   classes,
                                   m->o.group,
                                   memory->spare };

        pare_augment_batch(&m->augment, &mixed, &rng);
    }
}

pare_status pare_batch_make(const pare_batch_maker *m, int64_t epoch, int64_t index, const int32_t *order,
                            pare_batch_memory *memory, pare_batch *out)
{
    const int64_t first = index * m->o.batch + (int64_t)m->o.share * m->room;
    const int64_t left = pare_dataset_count(m->ds) - first;

    *out = (pare_batch){ .x = memory->x,
                         .labels = memory->labels,
                         .targets = memory->targets,
                         .count = left < 0         ? 0
                                  : left < m->room ? (int)left
                                                   : m->room,
                         .index = index };
    for (int i = 0; i < out->count; i++)
        PARE_TRY(read_sample(m, epoch, order[first + i], i, memory));
    for (int i = out->count; i < m->room; i++) {
        memset((char *)memory->x + (size_t)i * m->bytes, 0, m->bytes);
        memory->labels[i] = 0;
    }
    if (m->o.classes)
        memset(memory->targets + (int64_t)out->count * m->o.classes, 0,
               (size_t)(m->room - out->count) * (size_t)m->o.classes * sizeof(float));
    if (m->augment.mixes)
        mix(m, epoch, out, memory);
    return PARE_OK;
}
