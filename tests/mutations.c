/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mutations.c - runs a fuzz target without libFuzzer: its seeds (tests/fuzz/corpus/NAME), then seeds changed at random
 *
 * Built once with every tests/fuzz/fuzz_NAME.c as the test mutations_NAME. PARE_MUTATIONS=COUNT[:SEED] runs more than
 * the usual number, with another seed. What makes a target fail is kept in mutations_NAME.found in the working folder.
 */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>

#include "base/rng.h"
#include "fuzz/fuzz.h"

enum { CASES = 500, LIMIT = 10, MOST_SEEDS = 64, MOST_BYTES = 1 << 14, MOST_MEMORY = 1 << 30 };

/* Sanitizers, which look this up by name, give NULL for what is too large, as malloc does under the limit in watch. */
const char *__asan_default_options(void) __attribute__((visibility("default")));
const char *__asan_default_options(void)
{
    return "allocator_may_return_null=1:max_allocation_size_mb=1024";
}

void __sanitizer_set_death_callback(void (*callback)(void)) __attribute__((weak));

typedef struct sample {
    uint8_t bytes[MOST_BYTES];
    size_t  n;
} sample;

static sample seeds[MOST_SEEDS];
static sample now; /* what the target gets */
static int    n_seeds;

/* ------------------------------------------------------------------------------------------------------- findings */

static void keep_finding(void)
{
    const int fd = open("mutations_" PARE_FUZZ_NAME ".found", O_WRONLY | O_CREAT | O_TRUNC, 0666);

    if (fd < 0 || write(fd, now.bytes, now.n) != (ssize_t)now.n)
        return;
    close(fd);
}

static void on_signal(int number)
{
    static const char text[] = "kept in mutations_" PARE_FUZZ_NAME ".found\n";

    keep_finding();
    if (write(2, text, sizeof(text) - 1) < 0)
        _exit(1);
    signal(number, SIG_DFL);
    raise(number);
}

static void watch(void)
{
    signal(SIGABRT, on_signal);
    signal(SIGALRM, on_signal);
    if (__sanitizer_set_death_callback)
        __sanitizer_set_death_callback(keep_finding);
    else
        signal(SIGSEGV, on_signal);
#if !defined(__SANITIZE_ADDRESS__)
    setrlimit(RLIMIT_AS, &(struct rlimit){ MOST_MEMORY, MOST_MEMORY });
#endif
}

/* -------------------------------------------------------------------------------------------------------- changes */

static size_t below(pare_rng *rng, size_t n)
{
    return pare_rng_below(rng, (uint32_t)n);
}

/* `n` bytes at `from`, not of `now`, in place of `gone` bytes at `at`; nothing when the result would be too long. */
static void replace(size_t at, size_t gone, const void *from, size_t n)
{
    if (now.n - gone + n > MOST_BYTES)
        return;
    memmove(now.bytes + at + n, now.bytes + at + gone, now.n - at - gone);
    memcpy(now.bytes + at, from, n);
    now.n += n - gone;
}

/* Puts an extreme number where digits stand, at or behind `at`. */
static void change_number(size_t at, pare_rng *rng)
{
    static const char *const extremes[] = {
        "0",
        "1",
        "2",
        "7",
        "-1",
        "64",
        "65535",
        "2147483647",
        "-2147483648",
        "4294967296",
        "9223372036854775807",
        "18446744073709551616",
        "1e39",
        "-1e-46",
        "nan",
        "inf",
        "00000000000000000000000000000001",
        "",
    };
    const char *const number = extremes[below(rng, sizeof(extremes) / sizeof(*extremes))];
    size_t            end;

    while (at < now.n && (now.bytes[at] < '0' || now.bytes[at] > '9'))
        at++;
    for (end = at; end < now.n && now.bytes[end] >= '0' && now.bytes[end] <= '9';)
        end++;
    if (end > at)
        replace(at, end - at, number, strlen(number));
}

static void change(pare_rng *rng)
{
    static const uint8_t extremes[] = { 0, 1, 0x7f, 0x80, 0xff, ' ', '\n', '\t', '"', '}' };
    const size_t         at = below(rng, now.n + 1);
    const size_t         left = now.n - at;
    const sample *const  other = &seeds[below(rng, (size_t)n_seeds)];
    const size_t         from = below(rng, other->n + 1);
    const size_t         n = below(rng, (other->n - from < 64 ? other->n - from : 64) + 1);
    const uint8_t        byte = (uint8_t)below(rng, 256);
    const uint8_t        extreme = extremes[below(rng, sizeof(extremes))];

    switch (below(rng, 8)) {
    case 0:
        if (left)
            now.bytes[at] ^= (uint8_t)(1u << below(rng, 8));
        break;
    case 1:
        replace(at, left > 0, &byte, 1);
        break;
    case 2:
        replace(at, left > 0, &extreme, 1);
        break;
    case 3:
        replace(at, 0, below(rng, 2) ? &byte : &extreme, 1);
        break;
    case 4:
        replace(at, below(rng, (left < 64 ? left : 64) + 1), "", 0);
        break;
    case 5:
        replace(at, below(rng, 2) && n <= left ? n : 0, other->bytes + from, n);
        break;
    case 6:
        change_number(at, rng);
        break;
    default:
        if (below(rng, 4) == 0)
            now.n = at;
    }
}

/* ---------------------------------------------------------------------------------------------------------- cases */

/* In the order of their names, so that equal numbers give equal cases everywhere. */
static void read_seeds(const char *folder)
{
    struct dirent **entries;
    const int       n = scandir(folder, &entries, NULL, alphasort);
    char            path[1024];

    for (int i = 0; i < n; i++) {
        const char *const name = entries[i]->d_name;

        snprintf(path, sizeof(path), "%s/%s", folder, name);
        FILE *const f = name[0] == '.' ? NULL : fopen(path, "rb");
        if (f && n_seeds < MOST_SEEDS) {
            seeds[n_seeds].n = fread(seeds[n_seeds].bytes, 1, MOST_BYTES, f);
            n_seeds++;
        }
        if (f)
            fclose(f);
        free(entries[i]);
    }
    if (n >= 0)
        free(entries);
}

/* True when the target refused nothing. It gets a copy of exactly its size, so that reads behind it are seen. */
static bool run(void)
{
    const unsigned long sentences = pare_error_count();
    uint8_t *const      copy = malloc(now.n ? now.n : 1);

    if (!copy)
        abort();
    memcpy(copy, now.bytes, now.n);
    alarm(LIMIT);
    LLVMFuzzerTestOneInput(now.n ? copy : NULL, now.n);
    alarm(0);
    free(copy);
    return pare_error_count() == sentences;
}

int main(void)
{
    const char *const more = getenv("PARE_MUTATIONS");
    const int         count = more ? atoi(more) : CASES;
    const uint64_t    first = more && strchr(more, ':') ? strtoull(strchr(more, ':') + 1, NULL, 10) : 1;
    int               good = 0, passed = 0;

    watch();
    read_seeds(PARE_FUZZ_CORPUS);
    for (int i = 0; i < n_seeds; i++) {
        now = seeds[i];
        good += run();
    }
    for (int i = 0; i < count && n_seeds; i++) {
        pare_rng rng = pare_rng_seed(first + (uint64_t)i);

        now = seeds[below(&rng, (size_t)n_seeds)];
        for (size_t changes = 1 + below(&rng, 4); changes > 0; changes--)
            change(&rng);
        passed += run();
    }
    printf("%s: %d of %d seeds and %d of %d changed ones passed without a refusal\n", PARE_FUZZ_NAME, good, n_seeds,
           passed, count);
    return good ? 0 : 1; /* seeds that are all refused lead nowhere */
}
