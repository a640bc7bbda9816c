/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_zip.c - files of PyTorch, with a zip around them and without, and .npz: through the door that users take */
#include <pare/state.h>

#include "files/zip.h"
#include "fuzz.h"

enum { MOST_ENTRY = 1 << 20 };

/* Entries on their own: their sums refuse most changed ones before anybody above sees them. */
static void read_entries(fuzz_watch *w, const uint8_t *bytes, size_t size)
{
    pare_zip *zip;

    if (!fuzz_ok(w, pare_zip_open(bytes, size, &zip)))
        return;
    for (int i = 0; i < pare_zip_count(zip) && i < 64; i++) {
        pare_buf *entry;

        if (fuzz_ok(w, pare_zip_read(zip, i, MOST_ENTRY, &entry)))
            assert(pare_buf_size(entry) <= MOST_ENTRY);
        pare_buf_unref(entry);
        (void)pare_zip_find(zip, pare_zip_name(zip, i));
    }
    pare_zip_close(zip);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    fuzz_watch  w = fuzz_begin();
    pare_state *s;

    if (fuzz_ok(&w, pare_state_load(fuzz_file("a.pth", bytes, size), &s))) {
        for (int i = 0; i < pare_state_count(s); i++)
            assert(pare_tensor_bytes(pare_state_tensor(s, i)) >= 0);
    } else {
        assert(!s);
    }
    pare_state_destroy(s);
    read_entries(&w, bytes, size);
    fuzz_end(&w);
    return 0;
}
