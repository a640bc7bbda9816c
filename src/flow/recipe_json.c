/* SPDX-License-Identifier: Apache-2.0 */
/* recipe_json.c - recipes as JSON text: every key is checked, nothing is silently ignored */
#include "flow/recipe.h"

#include <string.h>

#include "base/status.h"

#if PARE_HAVE_JANSSON

#include <jansson.h>

static const char *const targets[] = { "onnx", "onnxruntime" };

enum { N_TARGETS = sizeof(targets) / sizeof(targets[0]) };

/* The keys of a recipe and of one of its layers. */
static const char *const recipe_keys[] = {
    "mode", "observer", "weight_bits", "activation_bits", "per_tensor", "samples", "target", "layers",
};
static const char *const layer_keys[] = {
    "mode", "observer", "weight_bits", "activation_bits", "per_tensor", "name", "op", "glob", "reason",
};

enum {
    N_RECIPE_KEYS = sizeof(recipe_keys) / sizeof(recipe_keys[0]),
    N_LAYER_KEYS = sizeof(layer_keys) / sizeof(layer_keys[0])
};

static pare_status check_keys(json_t *object, const char *what, const char *const *keys, int n)
{
    const char *key;
    json_t     *value;

    if (!json_is_object(object))
        return pare_fail(PARE_ERR_DATA, "%s must be an object: {...}", what);
    json_object_foreach(object, key, value)
    {
        bool known = false;

        for (int i = 0; i < n; i++)
            known |= strcmp(key, keys[i]) == 0;
        if (!known)
            return pare_recipe_unknown("key", key, keys, n);
    }
    return PARE_OK;
}

/* *text stays what it is when the key is not there. */
static pare_status get_text(json_t *object, const char *key, const char **text)
{
    json_t *const value = json_object_get(object, key);

    if (value && !json_is_string(value))
        return pare_fail(PARE_ERR_DATA, "\"%s\" must be a text", key);
    *text = value ? json_string_value(value) : *text;
    return PARE_OK;
}

static pare_status get_int(json_t *object, const char *key, int lo, int hi, int *number)
{
    json_t *const value = json_object_get(object, key);

    if (!value)
        return PARE_OK;
    if (!json_is_integer(value) || json_integer_value(value) < lo || json_integer_value(value) > hi)
        return pare_fail(PARE_ERR_DATA, "\"%s\" must be a whole number from %d to %d", key, lo, hi);
    *number = (int)json_integer_value(value);
    return PARE_OK;
}

static pare_status get_config(json_t *object, pare_qconfig *c)
{
    json_t *const per_tensor = json_object_get(object, "per_tensor");
    const char   *mode = NULL;

    PARE_TRY(get_text(object, "mode", &mode));
    if (mode)
        PARE_TRY(pare_recipe_mode(mode, &c->mode));
    PARE_TRY(get_text(object, "observer", &c->observer));
    PARE_TRY(get_int(object, "weight_bits", 2, 8, &c->weight_bits));
    PARE_TRY(get_int(object, "activation_bits", 2, 8, &c->activation_bits));
    if (per_tensor && !json_is_boolean(per_tensor))
        return pare_fail(PARE_ERR_DATA, "\"per_tensor\" must be true or false");
    c->granularity = !per_tensor                ? PARE_GRANULARITY_DEFAULT
                     : json_is_true(per_tensor) ? PARE_PER_TENSOR
                                                : PARE_PER_CHANNEL;
    return PARE_OK;
}

static pare_status add_layer(pare_recipe *r, json_t *layer)
{
    static const struct {
        const char    *key;
        pare_rule_kind kind;
    } kinds[] = { { "name", PARE_RULE_NAME }, { "op", PARE_RULE_OP }, { "glob", PARE_RULE_GLOB } };
    pare_rule rule = { 0 };

    PARE_TRY(check_keys(layer, "a layer", layer_keys, N_LAYER_KEYS));
    for (int i = 0; i < 3; i++) {
        const char *pattern = NULL;

        PARE_TRY(get_text(layer, kinds[i].key, &pattern));
        if (pattern && rule.pattern)
            return pare_fail(PARE_ERR_DATA, "a layer has one of \"name\", \"op\" and \"glob\", not two");
        if (pattern)
            rule = (pare_rule){ kinds[i].kind, pattern, { 0 } };
    }
    if (!rule.pattern)
        return pare_fail(PARE_ERR_DATA, "a layer needs a \"name\", an \"op\" or a \"glob\"");
    PARE_TRY(get_config(layer, &rule.config));
    PARE_TRY(get_text(layer, "reason", &rule.config.reason));
    return pare_recipe_add(r, &rule);
}

static pare_status add_layers(pare_recipe *r, json_t *layers)
{
    size_t  i;
    json_t *layer;

    if (layers && !json_is_array(layers))
        return pare_fail(PARE_ERR_DATA, "\"layers\" must be a list: [...]");
    json_array_foreach(layers, i, layer)
    {
        const pare_status status = add_layer(r, layer);

        if (status != PARE_OK)
            return pare_fail_in(status, "layer %zu", i + 1);
    }
    return PARE_OK;
}

static pare_status get_target(pare_recipe *r, json_t *root)
{
    const char *target = NULL;

    PARE_TRY(get_text(root, "target", &target));
    for (int i = 0; target && i < N_TARGETS; i++)
        if (strcmp(target, targets[i]) == 0) {
            r->target = targets[i];
            return PARE_OK;
        }
    return target ? pare_recipe_unknown("target", target, targets, N_TARGETS) : PARE_OK;
}

static pare_status add_all(pare_recipe *r, json_t *root)
{
    pare_rule global = { .kind = PARE_RULE_GLOBAL };

    PARE_TRY(check_keys(root, "a recipe", recipe_keys, N_RECIPE_KEYS));
    PARE_TRY(get_config(root, &global.config));
    PARE_TRY(get_int(root, "samples", 1, 1 << 30, &r->samples));
    PARE_TRY(get_target(r, root));
    PARE_TRY(pare_recipe_add(r, &global));
    return add_layers(r, json_object_get(root, "layers"));
}

static pare_status parse(pare_recipe *r, const char *text, size_t size, const char *name)
{
    json_error_t  error;
    json_t *const root = json_loadb(text, size, JSON_REJECT_DUPLICATES, &error);

    if (!root)
        return pare_fail(PARE_ERR_DATA, "%s:%d: %s", name, error.line, error.text);
    pare_status status = add_all(r, root);

    if (status != PARE_OK)
        status = pare_fail_in(status, "%s", name);
    json_decref(root);
    return status;
}

#else

static pare_status parse(pare_recipe *r, const char *text, size_t size, const char *name)
{
    (void)r;
    (void)text;
    (void)size;
    return pare_fail(PARE_ERR_UNSUPPORTED, "%s: this Pare was built without jansson, which reads recipes", name);
}

#endif

pare_status pare_recipe_parse(pare_recipe *r, const char *text, const char *name)
{
    return parse(r, text, strlen(text), name);
}

pare_status pare_recipe_read(pare_recipe *r, const char *path)
{
    pare_buf *file;

    PARE_TRY(pare_buf_map(path, &file));
    const pare_status status = parse(r, (const char *)pare_buf_bytes(file), pare_buf_size(file), path);

    pare_buf_unref(file);
    return status;
}
