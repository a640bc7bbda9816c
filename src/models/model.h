/* SPDX-License-Identifier: Apache-2.0 */
/* model.h - what the families share: parts that most of them have, and first weights */
#ifndef PARE_MODELS_MODEL_H
#define PARE_MODELS_MODEL_H

#include <pare/models.h>

/* The families: a kind each, pare_family_NAME. */
#define PARE_FAMILY(name_) extern const pare_module_kind pare_family_##name_;
#include "models/families.def"
#undef PARE_FAMILY

/*
 * A sequential of conv2d ("0"), batch_norm ("1") and `act` ("2"; NULL: none), as torchvision's Conv2dNormActivation;
 * settings of the convolution by printf ("bias=0" is added). `eps`: of the normalization.
 */
pare_module *pare_add_conv_norm(pare_module *parent, const char *name, const char *act, double eps,
                                const char *settings, ...) PARE_SETTINGS(5, 6);

/* The same with parts "conv", "bn" and "relu" and eps 0.001: BasicConv2d. */
pare_module *pare_add_basic_conv(pare_module *parent, const char *name, const char *settings, ...) PARE_SETTINGS(3, 4);

/* What weights below m start as, by kind of module; a NULL rule leaves PyTorch's default. */
typedef pare_init pare_init_rule(const pare_module *m, const pare_shape *weight);
void              pare_init_weights(pare_module *m, pare_init_rule *conv, pare_init_rule *linear);

/* Kaiming's: normal with variance 2 / fan out, uniform with variance 2 / fan in; and normal with deviation 0.01. */
pare_init pare_init_fan_out(const pare_module *m, const pare_shape *weight);
pare_init pare_init_fan_in(const pare_module *m, const pare_shape *weight);
pare_init pare_init_normal_001(const pare_module *m, const pare_shape *weight);

/* channels rounded to a multiple of 8, not below 90 %. */
int pare_make_divisible(double channels);

#endif
