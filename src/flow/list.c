/* SPDX-License-Identifier: Apache-2.0 */
/* list.c - the lists of the library for people to read */
#include <pare/data.h>
#include <pare/list.h>
#include <pare/loader.h>
#include <pare/models.h>

#include <stdio.h>
#include <string.h>

#include "autograd/optimizer.h"
#include "autograd/schedule.h"
#include "base/map.h"
#include "flow/kernel_list.h"
#include "io/format.h"
#include "ops/op.h"
#include "passes/pass.h"
#include "quant/backend.h"
#include "quant/observer.h"

static const char *how_quantized(const pare_qrule *rule)
{
    if (!rule)
        return "";
    return rule->can_static && rule->can_dynamic ? "; quantized static and dynamic"
           : rule->can_static                    ? "; quantized static"
                                                 : "; quantized dynamic";
}

static const char *op_at(int index, char *about, size_t size)
{
    const pare_op *const op = pare_op_at(index);

    if (!op)
        return NULL;
    if (op->onnx)
        snprintf(about, size, "ONNX %s%s", op->onnx, how_quantized(pare_backend_rule(op->name)));
    else
        snprintf(about, size, "%s", op->traits & PARE_INTEGER ? "on quantized integers; made by lowering" : "internal");
    return op->name;
}

static const char *observer_at(int index, char *about, size_t size)
{
    const pare_observer *const o = pare_observer_at(index);

    if (!o)
        return NULL;
    snprintf(about, size, "%s%s", o->doc, index == 0 ? " (default)" : "");
    return o->name;
}

static const char *pass_at(int index, char *about, size_t size)
{
    const pare_pass *const p = pare_pass_at(index);

    if (!p)
        return NULL;
    snprintf(about, size, "%s", p->doc);
    return p->name;
}

static const char *preset_at(int index, char *about, size_t size)
{
    if (!pare_data_preset_name(index))
        return NULL;
    snprintf(about, size, "%s", pare_data_preset_about(index));
    return pare_data_preset_name(index);
}

static const char *module_at(int index, char *about, size_t size)
{
    const pare_module_kind *const kind = pare_module_kind_at(index);

    if (!kind)
        return NULL;
    snprintf(about, size, "%s%s%s", kind->about, kind->settings ? "; " : "", kind->settings ? kind->settings : "");
    return kind->name;
}

static const char *arch_at(int index, char *about, size_t size)
{
    if (!pare_model_name(index))
        return NULL;
    snprintf(about, size, "%s", pare_model_about(index));
    return pare_model_name(index);
}

static const char *optimizer_at(int index, char *about, size_t size)
{
    const pare_optimizer *const o = pare_optimizer_at(index);

    if (!o)
        return NULL;
    snprintf(about, size, "%s%s", o->about, index == 0 ? " (default)" : "");
    return o->name;
}

static const char *schedule_at(int index, char *about, size_t size)
{
    if (!pare_schedule_name(index))
        return NULL;
    snprintf(about, size, "%s", pare_schedule_about(index));
    return pare_schedule_name(index);
}

static const char *augmentation_at(int index, char *about, size_t size)
{
    if (!pare_augment_name(index))
        return NULL;
    snprintf(about, size, "%s", pare_augment_about(index));
    return pare_augment_name(index);
}

static const struct {
    const char *name;
    const char *(*at)(int index, char *about, size_t size); /* NULL past the end */
} lists[] = {
    { "ops", op_at },
    { "kernels", pare_kernel_list_at },
    { "observers", observer_at },
    { "presets", preset_at },
    { "passes", pass_at },
    { "modules", module_at },
    { "archs", arch_at },
    { "optimizers", optimizer_at },
    { "schedules", schedule_at },
    { "augmentations", augmentation_at },
};

enum { N_LISTS = sizeof(lists) / sizeof(lists[0]) };

const char *pare_list_name(int index)
{
    return index >= 0 && index < N_LISTS ? lists[index].name : NULL;
}

const char *pare_nearest(const char *word, const char *const *words, int n)
{
    return pare_nearest_name(word, words, n);
}

bool pare_list_at(const char *list, int index, pare_list_entry *entry)
{
    for (int i = 0; i < N_LISTS; i++)
        if (strcmp(lists[i].name, list) == 0)
            return (entry->name = lists[i].at(index, entry->about, sizeof(entry->about))) != NULL;
    return false;
}
