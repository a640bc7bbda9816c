/* SPDX-License-Identifier: Apache-2.0 */
/* cpu.h - which instruction set the kernels use */
#ifndef PARE_CPU_H
#define PARE_CPU_H

#include <stdbool.h>

#include <pare/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The level in use: "c", "avx2", "avxvnni", "avx512vnni", "amx", "neon", "neondot" or "i8mm". Results do not depend on it. */
PARE_API const char *pare_cpu_name(void);

/* The same and, when PARE_CPU could not be followed, why. */
PARE_API const char *pare_cpu_describe(void);

#ifdef __cplusplus
}
#endif
#endif
