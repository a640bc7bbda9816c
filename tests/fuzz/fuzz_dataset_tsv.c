/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_dataset_tsv.c - tables of labels, under every label rule and with a split */
#include "data/labels.h"
#include "fuzz.h"

static void read_table(fuzz_watch *w, const char *text, size_t size, const pare_data_options *options)
{
    pare_arena *const arena = pare_arena_create();
    pare_label_table  table;

    if (!arena)
        abort();
    if (fuzz_ok(w, pare_label_table_parse(text, size, "a.tsv", options, arena, &table))) {
        assert(table.n > 0);
        for (int i = 0; i < table.n; i++)
            assert(table.rows[i].label >= -1 && (!table.rows[i].file || strlen(table.rows[i].file) <= size));
    }
    pare_label_table_free(&table);
    pare_arena_destroy(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const pare_data_options options[] = {
        { 0 }, { .label_rule = "vww" }, { .label_rule = "none" }, { .label_rule = "vww", .split = "test" }
    };
    fuzz_watch w = fuzz_begin();

    for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++)
        read_table(&w, (const char *)bytes, size, &options[i]);
    fuzz_end(&w);
    return 0;
}
