/* SPDX-License-Identifier: Apache-2.0 */
/* rules.h - declares the rules of rules.def, for the files that define them */
#ifndef PARE_AUTOGRAD_RULES_H
#define PARE_AUTOGRAD_RULES_H

#include "autograd/autograd.h"
#include "base/status.h"

#define PARE_GRAD(op)          PARE_GRAD_BY(op, op)
#define PARE_GRAD_BY(op, rule) pare_grad_rule pare_grad_##rule;
#define PARE_GRAD_ZERO(op)
#include "autograd/rules.def"
#undef PARE_GRAD
#undef PARE_GRAD_BY
#undef PARE_GRAD_ZERO

#endif
