/* SPDX-License-Identifier: Apache-2.0 */
/* kernel_list.h - the versions of all kernel families, for listings */
#ifndef PARE_FLOW_KERNEL_LIST_H
#define PARE_FLOW_KERNEL_LIST_H

#include <stddef.h>

/* "qconv_6x64_avx512vnni", and what it needs; NULL past the end. */
const char *pare_kernel_list_at(int index, char *about, size_t size);

#endif
