/* SPDX-License-Identifier: Apache-2.0 */
/* comm.h - several processes that work on one thing: what the library needs of MPI, or of anything like it */
#ifndef PARE_COMM_H
#define PARE_COMM_H

#include <stddef.h>
#include <stdint.h>

#include <pare/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Given by the caller; the library links no MPI. All processes make the same calls in the same order, from one thread at
 * a time. NULL instead of one of these, or size 1, is a process on its own.
 */
typedef struct pare_comm {
    int rank; /* 0 .. size - 1                              */
    int size; /* processes; sums need a power of two        */
    /* Sends send[n] to process `peer`, which does the same with ours, and waits for its numbers in receive[n]. */
    pare_status (*exchange)(void *user, int peer, const float *send, float *receive, int64_t n);
    /* Process `root`'s bytes come to all. */
    pare_status (*broadcast)(void *user, int root, void *bytes, size_t n);
    pare_status (*barrier)(void *user);
    void *user;
} pare_comm;

#ifdef __cplusplus
}
#endif
#endif
