/* SPDX-License-Identifier: Apache-2.0 */
/* backend.c - looking up a target's rules */
#include "quant/backend.h"

#include <stddef.h>
#include <string.h>

static const pare_qrule onnx[] = {
#define PARE_QRULE(op, role, s, d, scale, zero) { #op, PARE_QROLE_##role, s, d, scale, zero },
#include "quant/backend_onnx.def"
#undef PARE_QRULE
};

const pare_qrule *pare_backend_rule(const char *op)
{
    for (size_t i = 0; i < sizeof(onnx) / sizeof(onnx[0]); i++)
        if (strcmp(onnx[i].op, op) == 0)
            return &onnx[i];
    return NULL;
}
