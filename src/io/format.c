/* SPDX-License-Identifier: Apache-2.0 */
/* format.c - loading and saving models: finds the format, hands over */
#include "io/format.h"

#include <string.h>

#include "base/alloc.h"
#include "base/status.h"

#define PARE_MODEL_FORMAT(name) extern const pare_model_format pare_model_format_##name;
#include "io/formats.def"
#undef PARE_MODEL_FORMAT

static const pare_model_format *const formats[] = {
#define PARE_MODEL_FORMAT(name) &pare_model_format_##name,
#include "io/formats.def"
#undef PARE_MODEL_FORMAT
};
enum { N_FORMATS = sizeof(formats) / sizeof(*formats) };

static const pare_model_format *by_ending(const char *name)
{
    const size_t n = strlen(name);

    for (int i = 0; i < N_FORMATS; i++) {
        const size_t k = strlen(formats[i]->ending);
        if (n > k && strcmp(name + n - k, formats[i]->ending) == 0)
            return formats[i];
    }
    return NULL;
}

static pare_status load(const pare_source *source, pare_graph **out)
{
    const uint8_t *const bytes = pare_buf_bytes(source->bytes);
    const size_t         size = pare_buf_size(source->bytes);

    if (size == 0)
        return pare_fail(PARE_ERR_DATA, "%s: the file is empty", source->name);
    for (int i = 0; i < N_FORMATS; i++)
        if (formats[i]->detect(bytes, size))
            return formats[i]->read(source, out);

    const pare_model_format *const format = by_ending(source->name);
    if (format)
        return format->read(source, out);
    return pare_fail(PARE_ERR_DATA, "%s: not a model file this library knows; it reads ONNX", source->name);
}

pare_status pare_graph_load(const char *path, pare_graph **out)
{
    const char *const slash = strrchr(path, '/');
    pare_source       source = { .name = path };
    pare_status       status;
    char             *folder = pare_strdup(slash ? path : ".");

    *out = NULL;
    if (!folder)
        return pare_fail_memory(strlen(path) + 1, "a file name");
    if (slash)
        folder[slash == path ? 1 : slash - path] = '\0';
    source.folder = folder;

    PARE_GOTO(pare_buf_map(path, &source.bytes));
    status = load(&source, out);
out:
    pare_buf_unref(source.bytes);
    pare_free(folder);
    return status;
}

pare_status pare_graph_load_memory(const void *bytes, size_t size, const char *name, pare_graph **out)
{
    pare_source source = { .name = name ? name : "model in memory" };

    *out = NULL;
    PARE_TRY(pare_buf_alloc(size, &source.bytes));
    if (size > 0)
        memcpy(pare_buf_bytes(source.bytes), bytes, size);
    const pare_status status = load(&source, out);
    pare_buf_unref(source.bytes);
    return status;
}

pare_status pare_graph_save(const pare_graph *g, const char *path, const pare_save_options *options)
{
    const pare_model_format *const format = by_ending(path);
    const pare_save_options        usual = { 0 };

    if (!format || !format->write)
        return pare_fail(PARE_ERR_ARG, "%s: the name does not end like a model file this library writes (.onnx)", path);
    return format->write(g, path, options ? options : &usual);
}
