/* SPDX-License-Identifier: Apache-2.0 */
/* backend.h - which ops a target runs on integers, and how: tables, ops known by name only */
#ifndef PARE_QUANT_BACKEND_H
#define PARE_QUANT_BACKEND_H

#include <stdbool.h>
#include <stdint.h>

typedef enum pare_qrole {
    PARE_QROLE_WEIGHTED,  /* constant weights in in[1], bias in in[2]                                   */
    PARE_QROLE_RECURRENT, /* weights in in[1] and in[2]                                                 */
    PARE_QROLE_BINARY,    /* two operands with scales of their own                                      */
    PARE_QROLE_POOL,      /* averages: the output has a scale of its own                                */
    PARE_QROLE_TABLE,     /* a function of one 8-bit number                                             */
    PARE_QROLE_MOVES,     /* chooses or moves elements: outputs share the inputs' scale and zero point  */
} pare_qrole;

typedef struct pare_qrule {
    const char *op;
    pare_qrole  role;
    bool        can_static, can_dynamic;
    float       fixed_scale; /* > 0: the output's qparams are not observed */
    int32_t     fixed_zero;
} pare_qrule;

/* NULL: the target keeps this op in float. */
const pare_qrule *pare_backend_rule(const char *op);

#endif
