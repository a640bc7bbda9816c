/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_pickle.c - pickles, as plain values and as dicts of tensors over storages that are there whatever they are called */
#include "files/torch.h"
#include "fuzz.h"

enum { MOST_STORAGE = 1 << 12 };

static pare_status fetch(void *context, const pare_torch_storage *storage, pare_buf **out)
{
    (void)context;
    assert(storage->key && storage->bytes >= 0);
    return pare_buf_alloc(storage->bytes < MOST_STORAGE ? (size_t)storage->bytes : MOST_STORAGE, out);
}

static void touch(const pare_state *s)
{
    for (int i = 0; i < pare_state_count(s); i++) {
        const pare_tensor *const t = pare_state_tensor(s, i);
        const int64_t            n = pare_tensor_bytes(t);
        uint8_t                  sum = 0;

        assert(n >= 0 && pare_tensor_is_dense(t) && pare_state_name(s, i)[0]);
        for (int64_t k = 0; k < n; k++)
            sum |= ((const uint8_t *)t->data)[k];
        assert(sum == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    fuzz_watch              w = fuzz_begin();
    pare_arena *const       arena = pare_arena_create();
    const pare_torch_source source = { fetch, NULL, size };
    pare_state             *s;
    pare_pickle             p;

    if (!arena || pare_state_create(&s) != PARE_OK)
        abort();
    if (fuzz_ok(&w, pare_pickle_read(bytes, size, &pare_torch_rules, arena, &p))) {
        assert(p.used <= size && p.root);
        if (fuzz_ok(&w, pare_torch_take(p.root, &source, arena, s)))
            touch(s);
    }
    pare_state_destroy(s);
    pare_arena_destroy(arena);
    fuzz_end(&w);
    return 0;
}
