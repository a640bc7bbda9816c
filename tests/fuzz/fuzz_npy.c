/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_npy.c - .npy files, as arrays in memory and as data sets */
#include <pare/data.h>

#include "files/npy.h"
#include "fuzz.h"

enum { MOST_SAMPLES = 64 };

static void read_samples(fuzz_watch *w, const pare_dataset *ds)
{
    const pare_shape item = pare_dataset_item(ds);
    const size_t     count = (size_t)pare_shape_count(&item);
    void *const      out = malloc(count * (pare_dataset_dtype(ds) == PARE_s64 ? 8 : 4));
    const int64_t    total = pare_dataset_count(ds);

    for (int64_t i = 0; out && i < total && i < MOST_SAMPLES; i++) {
        assert(fuzz_ok(w, pare_dataset_read(ds, i, out, NULL)));
        assert(fuzz_ok(w, pare_dataset_read(ds, total - 1 - i, out, NULL)));
    }
    free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    fuzz_watch    w = fuzz_begin();
    pare_npy      array;
    pare_dataset *ds;

    if (fuzz_ok(&w, pare_npy_read(bytes, size, &array))) {
        const int64_t  n = pare_shape_count(&array.shape) * (pare_dtype_bits(array.dtype) / 8);
        const uint8_t *at = array.data;

        assert(n >= 0 && at >= bytes && n <= bytes + size - at);
        if (fuzz_ok(&w, pare_dataset_open(fuzz_file("a.npy", bytes, size), NULL, &ds)))
            read_samples(&w, ds);
        pare_dataset_close(ds);
    }
    fuzz_end(&w);
    return 0;
}
