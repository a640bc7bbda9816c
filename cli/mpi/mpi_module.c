/* SPDX-License-Identifier: Apache-2.0 */
/* mpi_module.c - pare_comm by MPI: a small library of its own, so that nothing else links MPI */
#include "mpi_module.h"

#include <limits.h>
#include <mpi.h>
#include <stdio.h>

enum { PIECE = 1 << 28 /* numbers in one message: MPI counts with int */ };

static pare_comm world;

/* MPI ends the job itself when a message cannot be delivered (MPI_ERRORS_ARE_FATAL): nothing is left to report. */
static pare_status exchange(void *user, int peer, const float *send, float *receive, int64_t n)
{
    (void)user;
    for (int64_t at = 0; at < n; at += PIECE) {
        const int count = (int)(n - at < PIECE ? n - at : PIECE);

        MPI_Sendrecv(send + at, count, MPI_FLOAT, peer, 0, receive + at, count, MPI_FLOAT, peer, 0, MPI_COMM_WORLD,
                     MPI_STATUS_IGNORE);
    }
    return PARE_OK;
}

static pare_status broadcast(void *user, int root, void *bytes, size_t n)
{
    (void)user;
    for (size_t at = 0; at < n; at += PIECE)
        MPI_Bcast((char *)bytes + at, (int)(n - at < PIECE ? n - at : PIECE), MPI_BYTE, root, MPI_COMM_WORLD);
    return PARE_OK;
}

static pare_status barrier(void *user)
{
    (void)user;
    MPI_Barrier(MPI_COMM_WORLD);
    return PARE_OK;
}

/* Threads that compute and threads that load run beside the one that calls MPI. */
static const pare_comm *open_world(void)
{
    int provided;

    if (MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &provided) != MPI_SUCCESS || provided < MPI_THREAD_FUNNELED)
        return NULL;
    MPI_Comm_rank(MPI_COMM_WORLD, &world.rank);
    MPI_Comm_size(MPI_COMM_WORLD, &world.size);
    world.exchange = exchange;
    world.broadcast = broadcast;
    world.barrier = barrier;
    return &world;
}

static void close_world(int code)
{
    if (code != 0)
        MPI_Abort(MPI_COMM_WORLD, code);
    MPI_Finalize();
}

const pare_mpi_module pare_mpi = { open_world, close_world };
