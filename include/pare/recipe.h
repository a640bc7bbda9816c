/* SPDX-License-Identifier: Apache-2.0 */
/* recipe.h - what is to be done to which layer, read from a JSON file or put together rule by rule */
#ifndef PARE_RECIPE_H
#define PARE_RECIPE_H

#include <pare/graph.h>
#include <pare/quantize.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Rules that were checked against a model: each must match a node of it. As JSON:
 *
 *     {"mode": "static", "observer": "histogram", "samples": 200, "weight_bits": 8, "activation_bits": 8,
 *      "per_tensor": false, "target": "onnx",
 *      "layers": [{"op": "matmul", "mode": "dynamic"}, {"glob": "head*", "mode": "float"},
 *                 {"name": "conv1", "observer": "min_max", "weight_bits": 4}]}
 *
 * Every key may be left out. A layer has one of "name", "op" and "glob" (with * and ?), and any of "mode", "observer",
 * "weight_bits", "activation_bits" and "per_tensor"; and "reason", which the report repeats where the mode is "float".
 */
typedef struct pare_recipe pare_recipe;

/* An empty recipe for a model, which must live as long. */
PARE_API pare_status pare_recipe_create(const pare_graph *graph, pare_recipe **out);
PARE_API void        pare_recipe_destroy(pare_recipe *recipe); /* NULL is fine */

/* Adds what a JSON file or text says. Errors name the file and the key or node that was probably meant. */
PARE_API pare_status pare_recipe_read(pare_recipe *recipe, const char *path);
PARE_API pare_status pare_recipe_parse(pare_recipe *recipe, const char *text, const char *name);

/* Adds one rule; of equally exact rules the later one is stronger. The pattern is copied, strings of `config` too. */
PARE_API pare_status pare_recipe_add(pare_recipe *recipe, const pare_rule *rule);

/* Gives settings to every node whose name a glob matches, over all rules so far. */
PARE_API pare_status pare_recipe_force(pare_recipe *recipe, const char *glob, const pare_qconfig *config);

/*
 * Writes all rules, with the samples and the target of `options`, as JSON that pare_recipe_read understands: the same
 * model, data and recipe give the same quantized file on every machine.
 */
PARE_API pare_status pare_recipe_write(const pare_recipe *recipe, const pare_quantize_options *options,
                                       const char *path);

/* Sets mapping, and samples and target where the recipe says them; they point into the recipe. */
PARE_API void pare_recipe_apply(const pare_recipe *recipe, pare_quantize_options *options);

#ifdef __cplusplus
}
#endif
#endif
