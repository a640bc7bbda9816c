/* SPDX-License-Identifier: Apache-2.0 */
/* model_file.h - what the commands need to know about files */
#ifndef PARE_CLI_MODEL_FILE_H
#define PARE_CLI_MODEL_FILE_H

#include <stdint.h>

/* Bytes of a file, and of its external data FILE.data where there is some; -1: it is not there. */
int64_t pare_model_file_size(const char *path);

/*
 * 0, or the exit code after saying that nothing can or should be written there (it is `from`, the float model): known
 * before an hour of work, not after.
 */
int pare_model_file_check_output(const char *path, const char *from);

#endif
