/* SPDX-License-Identifier: Apache-2.0 */
/* examine.h - loss and accuracy of a model between epochs, in batches */
#ifndef PARE_FLOW_EXAMINE_H
#define PARE_FLOW_EXAMINE_H

#include <pare/comm.h>
#include <pare/graph.h>
#include <pare/loader.h>
#include <pare/pool.h>

typedef struct pare_examination {
    const pare_dataset *data;
    pare_loader        *loader; /* whole epochs of `data`, in order */
    int                 batch;  /* of this process                  */
    pare_pool          *pool;
    const pare_comm    *comm;
} pare_examination;

/* Mean loss (-log p of the label, or the squared difference to the input) and share of right labels, NaN: none. */
pare_status pare_examine(const pare_examination *e, const pare_graph *model, double *loss, double *accuracy);

#endif
