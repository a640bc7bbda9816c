/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_graph_text.c - graphs as text: what is read and holds together is printed, and the print is read again */
#include "fuzz.h"
#include "graph/graph.h"

/* The text of a graph says all about it, unless constants or scales were too many to be written out. */
static void read_again(fuzz_watch *w, const char *text)
{
    pare_graph *g;
    char       *again;

    if (strstr(text, "hash=0x"))
        return;
    if (!fuzz_ok(w, pare_graph_parse(text, &g))) {
        fprintf(stderr, "%s: of its own print\n%s", pare_error(), text);
        abort();
    }
    if (fuzz_ok(w, pare_graph_print(g, &again)) && strcmp(text, again) != 0) {
        fprintf(stderr, "printed\n%s\nand then\n%s", text, again);
        abort();
    }
    pare_free(again);
    pare_graph_destroy(g);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    fuzz_watch  w = fuzz_begin();
    char *const text = fuzz_text(bytes, size);
    char       *print;
    pare_graph *g;

    if (fuzz_ok(&w, pare_graph_parse(text, &g))) {
        if (fuzz_ok(&w, pare_graph_verify(g))) {
            assert(fuzz_ok(&w, pare_graph_print(g, &print)));
            read_again(&w, print);
            pare_free(print);
        }
        pare_graph_destroy(g);
    } else {
        assert(!g);
    }
    free(text);
    fuzz_end(&w);
    return 0;
}
