/* SPDX-License-Identifier: Apache-2.0 */
/* comm.c - the other processes of `mpirun -n N pare ...`, through a module that is loaded only then */
#include "comm.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "mpi_module.h"
#include "say.h"

static const pare_mpi_module *module;
static FILE                  *held;
static int                    real_stderr = -1;

/* What mpirun tells the processes it starts: Open MPI, MPICH and its family, Slurm's own launcher. */
static bool is_one_of_many(void)
{
    static const char *const names[] = { "OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "PMIX_RANK" };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (getenv(names[i]))
            return true;
    return false;
}

/*
 * What others than the first process have to say waits in a file: usually all fail alike, and the first one's sentence,
 * which ends all of them, is enough.
 */
static void hold_back(void)
{
    held = tmpfile();
    real_stderr = dup(STDERR_FILENO);
    if (held && real_stderr >= 0)
        dup2(fileno(held), STDERR_FILENO);
}

static void let_out(void)
{
    char   text[4096];
    size_t n;

    if (!held || real_stderr < 0)
        return;
    sleep(1); /* the first process would have ended us by now */
    fflush(stderr);
    dup2(real_stderr, STDERR_FILENO);
    rewind(held);
    while ((n = fread(text, 1, sizeof(text), held)) > 0)
        fwrite(text, 1, n, stderr);
}

int pare_comm_open(const pare_comm **comm)
{
    *comm = NULL;
    if (!is_one_of_many())
        return 0;
    void *const library = dlopen("libpare_mpi.so", RTLD_NOW | RTLD_GLOBAL);

    module = library ? dlsym(library, "pare_mpi") : NULL;
    if (!module)
        return pare_say_failed("started by mpirun, but built without MPI (%s); install libopenmpi-dev and build again",
                               dlerror());
    *comm = module->open();
    if (!*comm)
        return pare_say_failed("MPI did not start");
    if ((*comm)->rank > 0)
        hold_back();
    return 0;
}

void pare_comm_close(const pare_comm *comm, int code)
{
    if (comm && code && comm->rank > 0)
        let_out();
    fflush(NULL);
    if (comm)
        module->close(code);
}
