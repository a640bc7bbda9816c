/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_onnx.c - libFuzzer entry of the ONNX reader: whatever the bytes are, a graph that verifies or a sentence */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include <pare/io.h>

#include "base/alloc.h"
#include "graph/graph.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    const long  live = pare_alloc_live();
    pare_graph *g;

    if (pare_graph_load_memory(bytes, size, "fuzz.onnx", &g) == PARE_OK) {
        assert(pare_graph_verify(g) == PARE_OK);
        pare_graph_destroy(g);
    } else {
        assert(!g && pare_error()[0]);
    }
    assert(pare_alloc_live() == live);
    return 0;
}
