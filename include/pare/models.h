/* SPDX-License-Identifier: Apache-2.0 */
/* models.h - the network families, built from modules; names of parameters are torchvision's (BERT: transformers') */
#ifndef PARE_MODELS_H
#define PARE_MODELS_H

#include <pare/module.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Zero means default. */
typedef struct pare_model_options {
    int         classes;  /* outputs; 0 = as the original                                                       */
    uint64_t    seed;     /* of the first weights                                                                */
    bool        zeros;    /* weights stay zero: they will be loaded; false: filled as the original's constructor */
    const char *settings; /* more settings of the family, "width=0.5 aux=0" (pare_module_kind_of tells); NULL: none */
} pare_model_options;

/* "resnet18", "bert_base" ...: `pare list archs`. Options may be NULL. Release with pare_module_destroy. */
PARE_API pare_status pare_model_build(const char *name, const pare_model_options *options, pare_module **out);

/* What a built network is traced with: its inputs as the original has them, for any batch; *n of at most 4. */
PARE_API pare_status pare_model_inputs(const char *name, pare_trace_input in[4], int *n);

/* The list; NULL past the end. */
PARE_API const char *pare_model_name(int index);
PARE_API const char *pare_model_about(int index);

#ifdef __cplusplus
}
#endif
#endif
