/* SPDX-License-Identifier: Apache-2.0 */
/* weights.h - what is in a file of weights */
#ifndef PARE_CLI_WEIGHTS_H
#define PARE_CLI_WEIGHTS_H

#include <stdbool.h>

/* Prints names, types and shapes: the exit code. */
int pare_weights_print(const char *path, bool json);

#endif
