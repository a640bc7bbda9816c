/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loader.c - threads that prepare batches ahead of the reader, in a ring of slots.
 *
 * Batch b goes into slot b modulo the number of slots. A thread takes the next number that nobody has, once the reader
 * has given back the batch whose slot it needs. One lock guards the numbers; the work itself holds none.
 */
#include <pare/loader.h>

#include <pthread.h>
#include <string.h>

#include "base/alloc.h"
#include "base/status.h"
#include "data/batch.h"

typedef struct slot {
    pare_batch_memory memory;
    pare_batch        batch;
    bool              ready;
    pare_status       status;
    char              sentence[PARE_SENTENCE_SIZE];
} slot;

struct pare_loader {
    pare_batch_maker maker;
    int64_t          batches;
    int32_t         *order; /* [samples] of this epoch */
    slot            *slots; /* [n_slots]               */
    int              n_slots;
    pthread_t       *threads; /* [started] */
    int              started;
    pthread_mutex_t  lock;
    pthread_cond_t   changed;
    bool             stop;
    int64_t          epoch;
    int64_t          next, taken, end; /* to be prepared; handed to the reader; past the last */
    bool             held;             /* the reader has batch taken - 1 */
    int              busy;             /* threads that prepare something */
};

static bool can_prepare(const pare_loader *l)
{
    return l->next < l->end && l->next < l->taken - l->held + l->n_slots;
}

static void *work(void *arg)
{
    pare_loader *const l = arg;

    pthread_mutex_lock(&l->lock);
    for (;;) {
        while (!l->stop && !can_prepare(l))
            pthread_cond_wait(&l->changed, &l->lock);
        if (l->stop)
            break;

        const int64_t index = l->next++, epoch = l->epoch;
        slot *const   s = &l->slots[index % l->n_slots];

        l->busy++;
        pthread_mutex_unlock(&l->lock);
        s->status = pare_batch_make(&l->maker, epoch, index, l->order, &s->memory, &s->batch);
        if (s->status != PARE_OK)
            strcpy(s->sentence, pare_error());
        pthread_mutex_lock(&l->lock);
        l->busy--;
        s->ready = true;
        pthread_cond_broadcast(&l->changed);
    }
    pthread_mutex_unlock(&l->lock);
    return NULL;
}

static pare_status allocate(pare_loader *l)
{
    const size_t samples = (size_t)pare_dataset_count(l->maker.ds);

    l->n_slots = l->maker.o.threads + 2; /* the reader's, one that is ready, one per thread */
    l->slots = pare_calloc((size_t)l->n_slots, sizeof(*l->slots));
    l->order = pare_calloc(samples, sizeof(*l->order));
    l->threads = pare_calloc((size_t)l->maker.o.threads, sizeof(*l->threads));
    if (!l->slots || !l->order || !l->threads)
        return pare_fail_memory(samples * sizeof(*l->order), "the order of the samples");
    for (int i = 0; i < l->n_slots; i++)
        PARE_TRY(pare_batch_memory_alloc(&l->maker, &l->slots[i].memory));
    for (; l->started < l->maker.o.threads; l->started++)
        if (pthread_create(&l->threads[l->started], NULL, work, l) != 0)
            return pare_fail(PARE_ERR_MEMORY, "a thread that prepares batches cannot be started; ask for fewer");
    return PARE_OK;
}

pare_status pare_loader_create(const pare_dataset *data, const pare_loader_options *options, pare_loader **out)
{
    pare_loader *const l = pare_calloc(1, sizeof(*l));

    *out = NULL;
    if (!l)
        return pare_fail_memory(sizeof(*l), "a loader");
    pthread_mutex_init(&l->lock, NULL);
    pthread_cond_init(&l->changed, NULL);
    pare_status status = pare_batch_maker_init(data, options, &l->maker);

    if (status == PARE_OK) {
        const int64_t n = pare_dataset_count(data), size = l->maker.o.batch;

        l->batches = l->maker.o.whole ? (n + size - 1) / size : n / size;
        status = allocate(l);
    }
    if (status == PARE_OK)
        *out = l;
    else
        pare_loader_destroy(l);
    return status;
}

void pare_loader_destroy(pare_loader *l)
{
    if (!l)
        return;
    pthread_mutex_lock(&l->lock);
    l->stop = true;
    pthread_cond_broadcast(&l->changed);
    pthread_mutex_unlock(&l->lock);
    for (int i = 0; i < l->started; i++)
        pthread_join(l->threads[i], NULL);
    for (int i = 0; l->slots && i < l->n_slots; i++)
        pare_batch_memory_free(&l->slots[i].memory);
    pare_batch_maker_clear(&l->maker);
    pthread_cond_destroy(&l->changed);
    pthread_mutex_destroy(&l->lock);
    pare_free(l->slots);
    pare_free(l->order);
    pare_free(l->threads);
    pare_free(l);
}

int64_t pare_loader_batches(const pare_loader *l)
{
    return l->batches;
}

/* Fisher and Yates, with a generator of the epoch's own. */
static void put_in_order(pare_loader *l)
{
    const int64_t n = pare_dataset_count(l->maker.ds);
    pare_rng      rng = pare_batch_rng(l->maker.o.seed, PARE_RNG_ORDER, (uint64_t)l->epoch, 0);

    for (int64_t i = 0; i < n; i++)
        l->order[i] = (int32_t)i;
    for (int64_t i = n - 1; i > 0 && l->maker.o.shuffle; i--) {
        const int64_t k = pare_rng_below(&rng, (uint32_t)(i + 1));
        const int32_t other = l->order[k];

        l->order[k] = l->order[i];
        l->order[i] = other;
    }
}

void pare_loader_start(pare_loader *l, int64_t epoch, int64_t first)
{
    pthread_mutex_lock(&l->lock);
    l->end = 0; /* nobody takes another one */
    while (l->busy > 0)
        pthread_cond_wait(&l->changed, &l->lock);
    l->epoch = epoch;
    put_in_order(l);
    for (int i = 0; i < l->n_slots; i++)
        l->slots[i].ready = false;
    l->next = l->taken = first;
    l->end = l->batches;
    l->held = false;
    pthread_cond_broadcast(&l->changed);
    pthread_mutex_unlock(&l->lock);
}

pare_status pare_loader_next(pare_loader *l, const pare_batch **out)
{
    pare_status status = PARE_OK;

    *out = NULL;
    pthread_mutex_lock(&l->lock);
    if (l->held) {
        l->slots[(l->taken - 1) % l->n_slots].ready = false;
        l->held = false;
        pthread_cond_broadcast(&l->changed);
    }
    if (l->taken < l->end) {
        slot *const s = &l->slots[l->taken % l->n_slots];

        while (!s->ready)
            pthread_cond_wait(&l->changed, &l->lock);
        l->taken++;
        l->held = true;
        status = s->status;
        if (status == PARE_OK)
            *out = &s->batch;
        else
            pare_error_set(s->sentence);
    }
    pthread_mutex_unlock(&l->lock);
    return status;
}

const char *pare_augment_name(int index)
{
    const pare_augmentation *const a = pare_augmentation_at(index);

    return a ? a->name : NULL;
}

const char *pare_augment_about(int index)
{
    const pare_augmentation *const a = pare_augmentation_at(index);

    return a ? a->about : NULL;
}
