/* SPDX-License-Identifier: Apache-2.0 */
/* hash.h - 64-bit fingerprints of bytes: fast, and no defence against somebody who wants two things to look equal */
#ifndef PARE_BASE_HASH_H
#define PARE_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

/* The fingerprint of `n` bytes that follow what `seed` is the fingerprint of; 0 to begin. Of this kind of machine only:
 * numbers are taken as they lie in memory. */
uint64_t pare_hash(uint64_t seed, const void *bytes, size_t n);

/* Of the program or library that this code was linked into: its build id, or the version where it has none. */
uint64_t pare_hash_build(void);

#endif
