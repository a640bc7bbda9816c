/* SPDX-License-Identifier: Apache-2.0 */
/* comm.c - sums over processes, in an order that does not depend on how many there are */
#include "base/comm.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/status.h"

int pare_comm_rank(const pare_comm *comm)
{
    return comm ? comm->rank : 0;
}

int pare_comm_size(const pare_comm *comm)
{
    return comm ? comm->size : 1;
}

/*
 * Recursive doubling: neighbours exchange and add, then pairs of neighbours, and so on. Both partners add the same two
 * numbers, and addition commutes, so that all have equal bits.
 */
pare_status pare_comm_sum(const pare_comm *comm, float *x, float *spare, int64_t n)
{
    const int size = pare_comm_size(comm);

    assert((size & (size - 1)) == 0);
    for (int step = 1; step < size; step *= 2) {
        PARE_TRY(comm->exchange(comm->user, comm->rank ^ step, x, spare, n));
        for (int64_t i = 0; i < n; i++)
            x[i] += spare[i];
    }
    return PARE_OK;
}

pare_status pare_comm_broadcast(const pare_comm *comm, int root, void *bytes, size_t n)
{
    return pare_comm_size(comm) > 1 ? comm->broadcast(comm->user, root, bytes, n) : PARE_OK;
}

pare_status pare_comm_barrier(const pare_comm *comm)
{
    return pare_comm_size(comm) > 1 ? comm->barrier(comm->user) : PARE_OK;
}

pare_status pare_comm_agree(const pare_comm *comm, pare_status status)
{
    const int size = pare_comm_size(comm);
    float     failed = status != PARE_OK, spare;
    char      sentence[PARE_SENTENCE_SIZE] = "";
    int       code = PARE_OK;

    if (size == 1)
        return status;
    PARE_TRY(pare_comm_sum(comm, &failed, &spare, 1));
    for (int rank = 0; rank < size && failed > 0 && code == PARE_OK; rank++) {
        if (rank == comm->rank && status != PARE_OK) {
            code = status;
            snprintf(sentence, sizeof(sentence), "%s", pare_error());
        }
        PARE_TRY(pare_comm_broadcast(comm, rank, &code, sizeof(code)));
        PARE_TRY(pare_comm_broadcast(comm, rank, sentence, sizeof(sentence)));
    }
    if (code != PARE_OK)
        pare_error_set(sentence);
    return (pare_status)code;
}
