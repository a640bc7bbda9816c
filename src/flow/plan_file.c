/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plan_file.c - the packed constants and kernel choices of a plan, kept for the next start
 *
 *     header | uint64 size of each piece | one byte per step, its choice | 0s up to a page | pieces, each at 64 | 64 0s
 */
#include "flow/plan_file.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "base/outfile.h"
#include "base/status.h"
#include "cpu/cpu.h"
#include "flow/fingerprint.h"

enum { FORMAT = 1, PAGE = 4096, ALIGN = 64, CHECKED = 16 << 10 };

static const char MAGIC[8] = { 'p', 'a', 'r', 'e', 'P', 'L', 'A', 'N' };

typedef struct header {
    char     magic[8];
    uint32_t format, cpu;
    uint64_t build;
    uint64_t graph;      /* fingerprint of what is planned                                    */
    uint64_t constants;  /* of all bytes of its constants                                     */
    uint64_t model_file; /* of size and time of the model file; 0: not known                  */
    uint64_t bytes;      /* of the whole plan file                                            */
    uint32_t n_steps, n_pieces, tuned, spare;
    uint64_t content; /* fingerprint of sizes, choices and small pieces                    */
    uint64_t self;    /* of the header up to here                                          */
} header;

_Static_assert(sizeof(header) == 88, "the header has no gaps");

static size_t round_up(size_t n, size_t to)
{
    return (n + to - 1) / to * to;
}

static size_t first_piece(const header *h)
{
    return round_up(sizeof(*h) + sizeof(uint64_t) * h->n_pieces + h->n_steps, PAGE);
}

static uint64_t hash_of_header(const header *h)
{
    return pare_hash(FORMAT, h, offsetof(header, self));
}

pare_plan_key pare_plan_key_of(const pare_graph *model, const pare_graph *fixed, bool tuned)
{
    pare_plan_key key = { .model = model, .tuned = tuned };

    key.graph = pare_fingerprint(fixed, &key.left_out);
    return key;
}

/* ------------------------------------------------------------------------------------------------------------- read */

typedef struct view {
    const uint8_t  *bytes;
    size_t          size;
    header          h;
    const uint64_t *sizes;   /* [n_pieces] */
    const uint8_t  *choices; /* [n_steps]  */
} view;

/* Whether the pieces lie inside of the file, and small ones are what was written. */
static bool check_pieces(const view *v)
{
    size_t   at = first_piece(&v->h);
    uint64_t hash = pare_hash(0, v->sizes, sizeof(*v->sizes) * v->h.n_pieces);

    hash = pare_hash(hash, v->choices, v->h.n_steps);
    for (uint32_t i = 0; i < v->h.n_pieces; i++) {
        if (at > v->size || v->sizes[i] > v->size - at)
            return false;
        if (v->sizes[i] <= CHECKED)
            hash = pare_hash(hash, v->bytes + at, (size_t)v->sizes[i]);
        at += round_up((size_t)v->sizes[i], ALIGN);
    }
    return hash == v->h.content && at <= v->size && v->size - at == ALIGN;
}

/* False: not what pare_plan_file_write wrote. */
static bool open_view(const pare_buf *file, view *v)
{
    *v = (view){ .bytes = pare_buf_bytes(file), .size = pare_buf_size(file) };
    if (v->size < sizeof(v->h))
        return false;
    memcpy(&v->h, v->bytes, sizeof(v->h));
    if (memcmp(v->h.magic, MAGIC, sizeof(MAGIC)) != 0)
        return false;
    /* Other versions may continue in another way. */
    if (v->h.format != FORMAT)
        return true;
    if (v->h.self != hash_of_header(&v->h) || v->h.bytes != v->size || first_piece(&v->h) > v->size ||
        v->h.n_pieces > INT_MAX || v->h.n_steps > INT_MAX)
        return false;
    v->sizes = (const uint64_t *)(const void *)(v->bytes + sizeof(v->h));
    v->choices = (const uint8_t *)(v->sizes + v->h.n_pieces);
    return check_pieces(v);
}

/* What is wrong with it, or NULL. */
static const char *misfit_of(const header *h, const pare_plan_key *key)
{
    if (h->format != FORMAT || h->build != pare_hash_build())
        return "it was written by another version of Pare";
    if (h->cpu != pare_cpu_features())
        return "it is for another CPU, or another level of PARE_CPU";
    if (h->graph != key->graph)
        return "it is for another model, or other shapes";
    if (key->tuned && !h->tuned)
        return "its kernels were not timed";
    if (key->left_out && (h->model_file == 0 || h->model_file != pare_fingerprint_file(key->model)) &&
        h->constants != pare_fingerprint_constants(key->model))
        return "it is for other weights";
    return NULL;
}

static pare_status use(const view *v, pare_buf *file, pare_plan_options *o)
{
    const size_t at = first_piece(&v->h);
    pare_buf    *pieces;

    PARE_TRY(pare_buf_slice(file, at, v->size - at, &pieces));
    const pare_status status = pare_store_open(pieces, v->sizes, (int)v->h.n_pieces, &o->packed);

    pare_buf_unref(pieces);
    o->choices = v->choices;
    o->n_choices = (int)v->h.n_steps;
    return status;
}

pare_status pare_plan_file_read(const char *path, const pare_plan_key *key, pare_plan_options *o, pare_buf **file,
                                const char **misfit)
{
    pare_status status = PARE_OK;
    view        v;

    *file = NULL;
    *misfit = "there was none";
    if (access(path, F_OK) != 0)
        return PARE_OK;
    PARE_TRY(pare_buf_map(path, file));
    if (!open_view(*file, &v))
        status = pare_fail(PARE_ERR_DATA, "%s: this is no plan file, or it is damaged; remove it or give another name",
                           path);
    else if (!(*misfit = misfit_of(&v.h, key)))
        status = use(&v, *file, o);
    if (status != PARE_OK || *misfit) {
        pare_buf_unref(*file);
        *file = NULL;
    }
    return status;
}

/* ------------------------------------------------------------------------------------------------------------ write */

static pare_status write_zeros(pare_outfile *to, size_t n)
{
    static const char zeros[PAGE];

    return pare_outfile_write(to, zeros, n);
}

static pare_status write_pieces(pare_outfile *to, const pare_store *store)
{
    for (int i = 0; i < pare_store_n(store); i++) {
        size_t            size;
        const void *const piece = pare_store_piece(store, i, &size);

        PARE_TRY(pare_outfile_write(to, piece, size));
        PARE_TRY(write_zeros(to, round_up(size, ALIGN) - size));
    }
    return write_zeros(to, ALIGN);
}

static header header_of(const pare_plan_key *key, const pare_plan *p, const uint8_t *choices, const uint64_t *sizes)
{
    header h = { .format = FORMAT,
                 .cpu = pare_cpu_features(),
                 .build = pare_hash_build(),
                 .graph = key->graph,
                 .constants = pare_fingerprint_constants(key->model),
                 .model_file = pare_fingerprint_file(key->model),
                 .n_steps = (uint32_t)p->n_steps,
                 .n_pieces = (uint32_t)pare_store_n(p->store),
                 .tuned = key->tuned };

    memcpy(h.magic, MAGIC, sizeof(MAGIC));
    h.bytes = first_piece(&h) + ALIGN;
    h.content = pare_hash(pare_hash(0, sizes, sizeof(*sizes) * h.n_pieces), choices, h.n_steps);
    for (int i = 0; i < pare_store_n(p->store); i++) {
        size_t            size;
        const void *const piece = pare_store_piece(p->store, i, &size);

        h.bytes += round_up(size, ALIGN);
        if (size <= CHECKED)
            h.content = pare_hash(h.content, piece, size);
    }
    h.self = hash_of_header(&h);
    return h;
}

pare_status pare_plan_file_write(const char *path, const pare_plan_key *key, const pare_plan *p)
{
    const int     n = pare_store_n(p->store);
    uint64_t     *sizes = pare_calloc((size_t)n + 1, sizeof(*sizes));
    uint8_t      *choices = pare_calloc((size_t)p->n_steps + 1, 1);
    pare_outfile *to = NULL;
    pare_status   status = PARE_OK;

    if (!sizes || !choices)
        PARE_GOTO(pare_fail_memory(sizeof(*sizes) * (size_t)n, "a plan file"));
    for (int i = 0; i < n; i++) {
        size_t size;

        pare_store_piece(p->store, i, &size);
        sizes[i] = size;
    }
    for (int i = 0; i < p->n_steps; i++)
        choices[i] = (uint8_t)p->steps[i].step.choice;
    const header h = header_of(key, p, choices, sizes);
    const size_t table = sizeof(h) + sizeof(*sizes) * h.n_pieces + h.n_steps;

    PARE_GOTO(pare_outfile_open(path, &to));
    PARE_GOTO(pare_outfile_write(to, &h, sizeof(h)));
    PARE_GOTO(pare_outfile_write(to, sizes, sizeof(*sizes) * h.n_pieces));
    PARE_GOTO(pare_outfile_write(to, choices, h.n_steps));
    PARE_GOTO(write_zeros(to, first_piece(&h) - table));
    PARE_GOTO(write_pieces(to, p->store));
    status = pare_outfile_commit(to);
    to = NULL;
out:
    pare_outfile_discard(to);
    pare_free(sizes);
    pare_free(choices);
    return status;
}
