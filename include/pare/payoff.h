/* SPDX-License-Identifier: Apache-2.0 */
/* payoff.h - which layers are faster in integers on this machine, and which are not */
#ifndef PARE_PAYOFF_H
#define PARE_PAYOFF_H

#include <pare/recipe.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What one layer takes, in ms of an inference. */
typedef struct pare_layer_time {
    const char *name, *op; /* of the node                                  */
    double      float_ms;
    double      int8_ms;
    bool        in_float; /* decided: integers do not pay here           */
} pare_layer_time;

typedef struct pare_layer_times {
    pare_layer_time *layers; /* [n] those that would be quantized, in execution order            */
    int              n;
    double           quantize_ns, dequantize_ns; /* of one number, where a value changes sides     */
    double           float_ms, int8_ms;          /* whole models: as it is, and all in integers    */
    double           mixed_ms;                   /* as decided; 0: all is in integers              */
} pare_layer_times;

/* Times the model in float and in integers, step by step, on one thread. Ranges come from one sample. */
PARE_API pare_status pare_layer_times_measure(const pare_graph *graph, const pare_quantize_options *options,
                                              pare_layer_times **out);
PARE_API void        pare_layer_times_destroy(pare_layer_times *times); /* NULL is fine */

/*
 * Sets in_float of all layers so that the whole takes the least time: layers, and the conversions between those in float
 * and those in integers. Depends on nothing but the times. Layers that are not in the table stay in integers.
 */
PARE_API pare_status pare_layer_times_decide(const pare_graph *graph, const pare_quantize_options *options,
                                             pare_layer_times *times);

/* Adds a rule for every layer that is left in float, with the times as the reason. */
PARE_API pare_status pare_recipe_add_times(pare_recipe *recipe, const pare_layer_times *times);

/* All of it: measures, decides, times what was decided, and takes it back where the whole is no faster. */
PARE_API pare_status pare_recipe_measure(pare_recipe *recipe, const pare_quantize_options *options,
                                         pare_layer_times **out);

#ifdef __cplusplus
}
#endif
#endif
