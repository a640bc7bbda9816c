/* SPDX-License-Identifier: Apache-2.0 */
/* pool.h - worker threads, owned by the caller, one job at a time */
#ifndef PARE_POOL_H
#define PARE_POOL_H

#include <pare/status.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct pare_pool pare_pool;

/* `threads` workers including the calling thread; 0 = one per core. Results never depend on it. */
PARE_API pare_status pare_pool_create(int threads, pare_pool **out);
PARE_API void        pare_pool_destroy(pare_pool *pool);       /* NULL is fine */
PARE_API int         pare_pool_threads(const pare_pool *pool); /* NULL pool: 1 */

#ifdef __cplusplus
}
#endif
#endif
