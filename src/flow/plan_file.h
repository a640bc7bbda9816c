/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plan_file.h - the packed constants and kernel choices of a plan, kept for the next start
 *
 * The file is mapped, not read: pages come as they are used, and all processes share them. What proves that it belongs:
 *
 *   the build of Pare and the CPU features, which decide how constants are packed: equal numbers in the header;
 *   the graph with the shapes it is planned for: a fingerprint that reads samples of large constants;
 *   all bytes of the constants: taken on trust while the model file has the size and time of change that it had when
 *   the plan was written; else they are read once, and compared by a fingerprint.
 *
 * The header, the choices and the pieces up to 16 KB (biases, scales, tables) are checked by fingerprints on each start;
 * larger pieces, which would have to be read from the disk for that, are not. A file that somebody changed on purpose
 * can give wrong numbers, as a changed model can, but reaches no memory outside of it.
 */
#ifndef PARE_FLOW_PLAN_FILE_H
#define PARE_FLOW_PLAN_FILE_H

#include "exec/plan.h"

/* What a plan is made for. */
typedef struct pare_plan_key {
    const pare_graph *model;    /* as it was loaded; borrowed                           */
    uint64_t          graph;    /* fingerprint with the shapes that it is planned for   */
    bool              left_out; /* and whether it left bytes of constants out           */
    bool              tuned;    /* only choices that were measured will do              */
} pare_plan_key;

/* `fixed`: the copy of the model whose shapes are set. */
pare_plan_key pare_plan_key_of(const pare_graph *model, const pare_graph *fixed, bool tuned);

/*
 * Fills choices, n_choices and packed of *o where the file fits; else *misfit says what is wrong ("it is for another
 * CPU"). A missing file does not fit; one that is damaged, or no plan file at all, is PARE_ERR_DATA. The caller destroys
 * o->packed, where no plan took it over; *file keeps the choices alive: pare_buf_unref.
 */
pare_status pare_plan_file_read(const char *path, const pare_plan_key *key, pare_plan_options *o, pare_buf **file,
                                const char **misfit);

/* Written whole or not at all. */
pare_status pare_plan_file_write(const char *path, const pare_plan_key *key, const pare_plan *plan);

#endif
