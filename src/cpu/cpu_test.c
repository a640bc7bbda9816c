/* SPDX-License-Identifier: Apache-2.0 */
/* cpu_test.c - the feature word, its limits and its names */
#include "runner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cpu/cpu.h"

static const char *const names[] = { "c", "avx2", "avxvnni", "avx512vnni", "amx", "neon", "neondot", "i8mm" };

/*
 * What a process that starts with PARE_CPU=`limit` finds. The word is read once, so a forked child answers; this works
 * as long as the parent has not asked yet, which is why environment_limits is the first case.
 */
static unsigned child_features(const char *limit, char *text, size_t size)
{
    int      ends[2];
    unsigned word = 0;

    text[0] = 0;
    if (pipe(ends))
        exit(2);
    const pid_t child = fork();
    if (child == 0) {
        setenv("PARE_CPU", limit, 1);
        word = pare_cpu_features();
        dprintf(ends[1], "%x %s\n", word, pare_cpu_describe());
        _exit(0);
    }
    close(ends[1]);
    FILE *const out = fdopen(ends[0], "r");
    if (!fgets(text, (int)size, out) || sscanf(text, "%x", &word) != 1)
        snprintf(text, size, "the child said nothing");
    fclose(out);
    waitpid(child, NULL, 0);
    return word;
}

static void word_is_what_it_says(runner *r)
{
    const unsigned word = pare_cpu_features();

    CHECK(r, !(word & PARE_ISA_AVX512VNNI) || (word & PARE_ISA_AVX2), "AVX-512 without AVX2");
    CHECK(r, !(word & PARE_ISA_AMX_INT8) || (word & PARE_ISA_AVX512VNNI), "AMX without AVX-512");
    CHECK(r, PARE_X86 || !(word & 0xff), "x86 bits elsewhere");
    CHECK(r, PARE_ARM64 || !(word & 0xff00), "ARM bits elsewhere");
#if PARE_X86
    if (!getenv("PARE_CPU")) {
        CHECK(r, !!(word & PARE_ISA_AVX2) == !!(__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")),
              "the compiler thinks otherwise of avx2");
        CHECK(r, !!(word & PARE_ISA_AVX512VNNI) == !!__builtin_cpu_supports("avx512vnni"),
              "the compiler thinks otherwise of avx512vnni");
    }
#elif PARE_ARM64
    if (!getenv("PARE_CPU"))
        CHECK(r, word & PARE_ISA_NEON, "every aarch64 has neon");
#endif
}

static void levels_contain_those_below(runner *r)
{
    unsigned word, before = 0;

    CHECK(r, !pare_cpu_level("sse9", &word) && !pare_cpu_level("", &word), "levels that are none");
    for (int i = 0; i < 8; i++) {
        CHECK(r, pare_cpu_level(names[i], &word), "%s", names[i]);
        if (!strcmp(names[i], "neon"))
            before = 0;
        CHECK(r, (word & before) == before && (word != before || i == 0), "%s: %x does not contain %x", names[i], word,
              before);
        before = word;
    }
}

static void override_stays_inside_the_machine(runner *r)
{
    const unsigned all = pare_cpu_features();
    unsigned       word;

    for (int i = 0; i < 8; i++) {
        pare_cpu_level(names[i], &word);
        pare_cpu_override(word & all);
        CHECK(r, pare_cpu_features() == (word & all), "%s: %x", names[i], pare_cpu_features());
        if ((word & all) == word)
            CHECK(r, !strcmp(pare_cpu_name(), names[i]), "%s is called %s", names[i], pare_cpu_name());
    }
    pare_cpu_override(0);
    CHECK(r, pare_cpu_features() == 0 && !strcmp(pare_cpu_name(), "c"), "c");
    pare_cpu_override((unsigned)-1);
    CHECK(r, pare_cpu_features() == all, "restored %x", pare_cpu_features());
    pare_cpu_override(PARE_X86 ? 0xff00 : 0xff);
    CHECK(r, pare_cpu_features() == 0, "bits of another processor");
    pare_cpu_override((unsigned)-1);
}

/* Started with a level, the process has what the machine has of it; a word that is no level changes nothing. */
static void environment_limits(runner *r)
{
    char     text[300];
    unsigned word;

    const unsigned all = child_features("", text, sizeof(text));
    for (int i = 0; i < 8; i++) {
        pare_cpu_level(names[i], &word);
        CHECK(r, child_features(names[i], text, sizeof(text)) == (word & all), "PARE_CPU=%s: %s", names[i], text);
        CHECK(r, strstr(text, names[i]), "PARE_CPU=%s: %s", names[i], text);
    }
    CHECK(r, child_features("banana", text, sizeof(text)) == all && strstr(text, "banana"), "banana: %s", text);
}

int main(int argc, char **argv)
{
    static const runner_case cases[] = {
        { "environment_limits", environment_limits },
        { "word_is_what_it_says", word_is_what_it_says },
        { "levels_contain_those_below", levels_contain_those_below },
        { "override_stays_inside_the_machine", override_stays_inside_the_machine },
    };
    return runner_main(argc, argv, cases, sizeof(cases) / sizeof(cases[0]));
}
