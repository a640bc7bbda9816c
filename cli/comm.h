/* SPDX-License-Identifier: Apache-2.0 */
/* comm.h - the other processes of `mpirun -n N pare ...` */
#ifndef PARE_CLI_COMM_H
#define PARE_CLI_COMM_H

#include <pare/comm.h>

/*
 * *comm: the processes that were started together; NULL where this one is alone. MPI is a module of its own, which is
 * loaded only under mpirun. 0, or the exit code after saying that it is not there.
 */
int pare_comm_open(const pare_comm **comm);

/* The end of the work with `code`. Other than 0 ends all processes at once, and does not return. */
void pare_comm_close(const pare_comm *comm, int code);

#endif
