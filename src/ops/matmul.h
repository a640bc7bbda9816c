/* SPDX-License-Identifier: Apache-2.0 */
/* matmul.h - the batched matrix product's shapes, for the float and the integer forms */
#ifndef PARE_OPS_MATMUL_H
#define PARE_OPS_MATMUL_H

#include "ops/op.h"

/*
 * Operands seen as matrices: 1-D ones get a dimension of 1, batch dimensions are broadcast against each other (stride 0
 * where repeated). All three tensors have rank `batch` + 2.
 */
typedef struct pare_matmul {
    pare_tensor a, b, y;
    int         batch;   /* batch dimensions           */
    int64_t     batches; /* their product              */
    int64_t     m, n, k;
} pare_matmul;

/* The result's shape. */
pare_status pare_matmul_shape(const pare_shape *a, const pare_shape *b, pare_shape *y);

/* Views for a call whose shapes fit. */
pare_matmul pare_matmul_of(const pare_tensor *a, const pare_tensor *b, const pare_tensor *y);

/* Element offset of batch number i in a view of pare_matmul_of. */
int64_t pare_matmul_offset(const pare_matmul *g, const pare_tensor *t, int64_t i);

#endif
