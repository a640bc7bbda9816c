/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_safetensors.c - safetensors and their index: what is read is written, and the file is read again */
#include <pare/state.h>

#include "fuzz.h"

static void read_again(fuzz_watch *w, const pare_state *s)
{
    static char path[sizeof(fuzz_folder) + 24];
    pare_state *back;

    snprintf(path, sizeof(path), "%s/b.safetensors", fuzz_folder);
    if (!fuzz_ok(w, pare_state_save(s, path, NULL)))
        return; /* an empty name, say */
    assert(fuzz_ok(w, pare_state_load(path, &back)));
    assert(pare_state_count(s) == pare_state_count(back));
    for (int i = 0; i < pare_state_count(s); i++) {
        const pare_tensor *const a = pare_state_tensor(s, i), *const b = pare_state_tensor(back, i);

        assert(strcmp(pare_state_name(s, i), pare_state_name(back, i)) == 0 && a->dtype == b->dtype);
        assert(pare_shape_equal(&a->shape, &b->shape));
        assert(memcmp(a->data, b->data, (size_t)pare_tensor_bytes(a)) == 0);
    }
    pare_state_destroy(back);
    unlink(path);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    fuzz_watch  w = fuzz_begin();
    pare_state *s;

    if (fuzz_ok(&w, pare_state_load(fuzz_file("a.safetensors", bytes, size), &s)))
        read_again(&w, s);
    else
        assert(!s);
    pare_state_destroy(s);
    fuzz_end(&w);
    return 0;
}
