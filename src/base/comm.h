/* SPDX-License-Identifier: Apache-2.0 */
/* comm.h - sums over processes, in an order that does not depend on how many there are */
#ifndef PARE_BASE_COMM_H
#define PARE_BASE_COMM_H

#include <pare/comm.h>

int pare_comm_rank(const pare_comm *comm); /* NULL: 0 */
int pare_comm_size(const pare_comm *comm); /* NULL: 1 */

/*
 * x[n] becomes the sum over all processes, the same bits everywhere: by the binary tree whose leaves are the processes
 * in order. `spare` has room for n. The size must be a power of two.
 */
pare_status pare_comm_sum(const pare_comm *comm, float *x, float *spare, int64_t n);
pare_status pare_comm_broadcast(const pare_comm *comm, int root, void *bytes, size_t n);
pare_status pare_comm_barrier(const pare_comm *comm);

/* The worst status of all processes, with the sentence of the first that has it: so that all end together. */
pare_status pare_comm_agree(const pare_comm *comm, pare_status status);

#endif
