/* SPDX-License-Identifier: Apache-2.0 */
/* checkpoint.c - a run of training as a file: a head, the numbers, a fingerprint of all of it */
#include "flow/checkpoint.h"

#include <string.h>

#include <pare/buf.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "base/outfile.h"
#include "base/status.h"

static const char MAGIC[8] = "PARECKP1";

typedef struct head {
    char     magic[8];
    uint64_t model, run;
    int64_t  epoch, batch;
    double   seconds;
    int64_t  correct, steps;
    int64_t  n_weights, n_average, n_state, n_losses, n_history;
} head;

/* A piece of the file behind the head. */
typedef struct piece {
    void  *bytes;
    size_t size;
} piece;

enum { N_PIECES = 5 };

void pare_run_state_clear(pare_run_state *s)
{
    pare_free(s->losses);
    pare_free(s->history);
    *s = (pare_run_state){ 0 };
}

uint64_t pare_trainer_fingerprint(const pare_trainer *t)
{
    uint64_t h = 0;

    for (const pare_node *n = t->model->first; n; n = n->next)
        h = pare_hash(h, n->op->name, strlen(n->op->name) + 1);
    for (int i = 0; i < t->graph.params.n; i++) {
        const pare_param *const p = &t->graph.params.list[i];

        h = pare_hash(h, p->name, strlen(p->name) + 1);
        h = pare_hash(h, p->initial.shape.dim, (size_t)p->initial.shape.rank * sizeof(int64_t));
    }
    return h;
}

static head head_of(const pare_trainer *t, uint64_t run, const pare_run_state *s)
{
    head h = { .model = pare_trainer_fingerprint(t),
               .run = run,
               .epoch = s->epoch,
               .batch = s->batch,
               .seconds = s->seconds,
               .correct = s->correct,
               .steps = *pare_descent_steps(t->descent),
               .n_weights = t->n_weights,
               .n_average = t->average ? t->n_weights : 0,
               .n_losses = s->n_losses,
               .n_history = s->n_history };

    memcpy(h.magic, MAGIC, sizeof(h.magic));
    pare_descent_state(t->descent, &h.n_state);
    return h;
}

static void pieces_of(const pare_trainer *t, const head *h, const pare_run_state *s, piece out[N_PIECES])
{
    int64_t n;

    out[0] = (piece){ t->weights, (size_t)h->n_weights * sizeof(float) };
    out[1] = (piece){ t->average, (size_t)h->n_average * sizeof(float) };
    out[2] = (piece){ pare_descent_state(t->descent, &n), (size_t)h->n_state * sizeof(float) };
    out[3] = (piece){ s->losses, (size_t)h->n_losses * sizeof(float) };
    out[4] = (piece){ s->history, (size_t)h->n_history * sizeof(pare_train_epoch) };
}

static pare_status write_all(pare_outfile *file, const head *h, const piece *pieces)
{
    uint64_t hash = pare_hash(0, h, sizeof(*h));

    PARE_TRY(pare_outfile_write(file, h, sizeof(*h)));
    for (int i = 0; i < N_PIECES; i++) {
        hash = pare_hash(hash, pieces[i].bytes, pieces[i].size);
        PARE_TRY(pare_outfile_write(file, pieces[i].bytes, pieces[i].size));
    }
    return pare_outfile_write(file, &hash, sizeof(hash));
}

pare_status pare_checkpoint_write(const char *path, pare_trainer *t, uint64_t run, const pare_run_state *state)
{
    const head    h = head_of(t, run, state);
    piece         pieces[N_PIECES];
    pare_outfile *file;

    pieces_of(t, &h, state, pieces);
    PARE_TRY(pare_outfile_open(path, &file));
    const pare_status status = write_all(file, &h, pieces);

    if (status == PARE_OK)
        return pare_outfile_commit(file);
    pare_outfile_discard(file);
    return status;
}

/* The head belongs to this trainer and run, and the sizes that it gives are those of the file. */
static pare_status check_head(const char *path, const head *h, const head *want, size_t size)
{
    if (memcmp(h->magic, MAGIC, sizeof(h->magic)) != 0)
        return pare_fail(PARE_ERR_DATA, "%s: not a checkpoint of this version", path);
    if (h->model != want->model || h->n_weights != want->n_weights)
        return pare_fail(PARE_ERR_ARG, "%s: a checkpoint of another model; start anew or name its model", path);
    if (h->run != want->run || h->n_average != want->n_average || h->n_state != want->n_state)
        return pare_fail(PARE_ERR_ARG,
                         "%s: a checkpoint of a run with other options (epochs, batch, optimizer, schedule, seed, data "
                         "...); give the same ones or start anew",
                         path);
    /* The numbers of the other pieces are bounded by the file's size before they are multiplied. */
    const size_t fixed =
        sizeof(*h) + sizeof(uint64_t) + sizeof(float) * (size_t)(h->n_weights + h->n_average + h->n_state);

    if (h->n_losses < 0 || h->n_history < 0 || (uint64_t)h->n_losses > size || (uint64_t)h->n_history > size ||
        fixed + (size_t)h->n_losses * sizeof(float) + (size_t)h->n_history * sizeof(pare_train_epoch) != size)
        return pare_fail(PARE_ERR_DATA, "%s: damaged: its size is not what its head says", path);
    return PARE_OK;
}

static pare_status make_room(const head *h, pare_run_state *s)
{
    s->losses = pare_calloc((size_t)h->n_losses + 1, sizeof(*s->losses));
    s->history = pare_calloc((size_t)h->n_history + 1, sizeof(*s->history));
    if (!s->losses || !s->history)
        return pare_fail_memory((size_t)h->n_losses * sizeof(*s->losses), "a checkpoint");
    s->epoch = h->epoch;
    s->batch = h->batch;
    s->seconds = h->seconds;
    s->correct = h->correct;
    s->n_losses = h->n_losses;
    s->n_history = h->n_history;
    return PARE_OK;
}

static pare_status read_all(const char *path, const uint8_t *bytes, size_t size, pare_trainer *t, uint64_t run,
                            pare_run_state *s)
{
    const head     want = head_of(t, run, s);
    const uint8_t *at = bytes + sizeof(head);
    uint64_t       hash, said;
    piece          pieces[N_PIECES];
    head           h;

    if (size < sizeof(h) + sizeof(said))
        return pare_fail(PARE_ERR_DATA, "%s: not a checkpoint: too short", path);
    memcpy(&h, bytes, sizeof(h));
    memcpy(&said, bytes + size - sizeof(said), sizeof(said));
    PARE_TRY(check_head(path, &h, &want, size));
    PARE_TRY(make_room(&h, s));
    pieces_of(t, &h, s, pieces);
    hash = pare_hash(0, &h, sizeof(h));
    for (int i = 0; i < N_PIECES; i++) {
        hash = pare_hash(hash, at, pieces[i].size);
        at += pieces[i].size;
    }
    if (hash != said)
        return pare_fail(PARE_ERR_DATA, "%s: damaged: its content is not what was written", path);
    at = bytes + sizeof(head);
    for (int i = 0; i < N_PIECES; i++) {
        if (pieces[i].size)
            memcpy(pieces[i].bytes, at, pieces[i].size);
        at += pieces[i].size;
    }
    *pare_descent_steps(t->descent) = h.steps;
    return PARE_OK;
}

pare_status pare_checkpoint_read(const char *path, pare_trainer *t, uint64_t run, pare_run_state *state)
{
    pare_buf *file;

    *state = (pare_run_state){ 0 };
    PARE_TRY(pare_buf_map(path, &file));
    const pare_status status = read_all(path, pare_buf_bytes(file), pare_buf_size(file), t, run, state);

    pare_buf_unref(file);
    if (status != PARE_OK)
        pare_run_state_clear(state);
    return status;
}
