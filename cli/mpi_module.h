/* SPDX-License-Identifier: Apache-2.0 */
/* mpi_module.h - what libpare_mpi.so has for the command */
#ifndef PARE_CLI_MPI_MODULE_H
#define PARE_CLI_MPI_MODULE_H

#include <pare/comm.h>

typedef struct pare_mpi_module {
    const pare_comm *(*open)(void); /* NULL: MPI did not start                                        */
    void (*close)(int code);        /* 0: waits for the others; else it ends all of them at once      */
} pare_mpi_module;

extern PARE_API const pare_mpi_module pare_mpi;

#endif
