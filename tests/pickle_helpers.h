/* SPDX-License-Identifier: Apache-2.0 */
/* pickle_helpers.h - pickles that ask for a function to be called, in every way there is; for the tests of readers */
#ifndef PARE_TESTS_PICKLE_HELPERS_H
#define PARE_TESTS_PICKLE_HELPERS_H

#include "files_helpers.h"

/* Functions that real exploits call; every one takes one text. */
static const char *const exploit_calls[][2] = {
    { "os", "system" },          { "posix", "system" },
    { "nt", "system" },          { "builtins", "eval" },
    { "builtins", "exec" },      { "__builtin__", "eval" },
    { "builtins", "getattr" },   { "builtins", "__import__" },
    { "subprocess", "Popen" },   { "subprocess", "check_output" },
    { "pty", "spawn" },          { "importlib", "import_module" },
    { "runpy", "run_path" },     { "webbrowser", "open" },
    { "code", "interact" },      { "torch", "load" },
    { "torch.jit", "load" },     { "torch.hub", "load" },
    { "numpy", "load" },         { "operator", "attrgetter" },
    { "copyreg", "__newobj__" }, { "torch", "FloatTensor" },
    { "collections", "deque" },  { "collections.OrderedDict", "fromkeys" },
};

enum { N_EXPLOIT_CALLS = sizeof(exploit_calls) / sizeof(exploit_calls[0]), N_PROTOCOLS = 6 };

static inline void put_text(bytes *b, const char *text)
{
    put(b, text, strlen(text));
}

/* Pushes a text as the protocol writes it. */
static inline void put_pickled(bytes *b, int protocol, const char *text)
{
    const uint8_t n = (uint8_t)strlen(text);

    if (protocol == 0) {
        put_text(b, "S'");
        put_text(b, text);
        put_text(b, "'\n");
    } else {
        put(b, protocol < 4 ? "X" : "\x8c", 1);
        put(b, &n, 1);
        put(b, "\0\0\0", protocol < 4 ? 3 : 0);
        put_text(b, text);
    }
}

/* Pushes the result of MODULE.NAME(argument), between what pickle.dumps puts in front and behind when `whole`. */
static inline void put_call(bytes *b, int protocol, const char *module, const char *name, const char *argument)
{
    if (protocol < 4) {
        put_text(b, "c");
        put_text(b, module);
        put_text(b, "\n");
        put_text(b, name);
        put_text(b, "\n");
    } else {
        put_pickled(b, protocol, module);
        put_pickled(b, protocol, name);
        put(b, "\x93", 1);
    }
    if (protocol < 2)
        put_text(b, "(");
    put_pickled(b, protocol, argument);
    put_text(b, protocol < 2 ? "tR" : "\x85R");
}

static inline void put_protocol(bytes *b, int protocol)
{
    if (protocol >= 2)
        put(b, (uint8_t[]){ 0x80, (uint8_t)protocol }, 2);
    if (protocol >= 4)
        put(b, "\x95\x40\0\0\0\0\0\0\0", 9);
}

#endif
