/* SPDX-License-Identifier: Apache-2.0 */
/* test_checkpoint.c - runs that are stopped, killed or short of disk, and what they go on from */
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "train_helpers.h"

static const char samples[] = "0:150";

/* Everything that a step may depend on: averages, momentum, mixing, a schedule, chunks. Four steps in an epoch. */
static pare_train_options usual(const char *optimizer, const char *checkpoint)
{
    return (pare_train_options){ .trainer = { .batch = 32,
                                              .chunks = 2,
                                              .targets = true,
                                              .average = 0.8,
                                              .optimizer = { .name = optimizer,
                                                             .momentum = optimizer[0] == 's' ? 0.9 : 0,
                                                             .weight_decay = 0.01,
                                                             .clip = 5 } },
                                 .schedule = { .name = "one-cycle", .lr = 0.01, .warmup = 2 },
                                 .epochs = 3,
                                 .seed = 11,
                                 .augment = "crop=2,flip,mixup=0.4",
                                 .checkpoint = checkpoint };
}

typedef struct stopper {
    long        at; /* step before which the run is stopped */
    pare_status status;
} stopper;

static bool stop_at(void *user, const char *what, long done, long total)
{
    assert_non_null(strstr(what, "epoch"));
    assert_int_equal(total, 12);
    return done < ((const stopper *)user)->at;
}

/* Stopped before any step and going on, the run ends with the bits of one that was never stopped. */
static void test_resume(void **state)
{
    static const char *const optimizers[] = { "sgd", "adamw" };
    const char *const        path = in_folder("resume.checkpoint");

    (void)state;
    for (int k = 0; k < 2; k++) {
        const pare_train_options whole = usual(optimizers[k], NULL);
        const uint64_t           want = train_small(samples, &whole, NULL);

        for (long at = 0; at < 12; at += 1 + k) {
            stopper             s = { .at = at };
            const pare_progress progress = { stop_at, &s };
            pare_train_options  o = usual(optimizers[k], path);
            pare_status         status;

            remove(path);
            o.progress = &progress;
            assert_true(train_small(samples, &o, &status) == 0);
            assert_int_equal(status, PARE_ERR_CANCELLED);
            assert_non_null(strstr(pare_error(), path));
            s.at = at + 3 < 12 ? at + 3 : 13; /* and once more, three steps on */
            o.resume = true;
            train_small(samples, &o, &status);
            o.progress = NULL;
            if (train_small(samples, &o, NULL) != want)
                fail_msg("%s: stopped before step %ld it ends with other weights", optimizers[k], at);
        }
    }
}

/* A run that is over gives its model again; one without a file begins. */
static void test_finished(void **state)
{
    pare_train_options o = usual("sgd", in_folder("finished.checkpoint"));

    (void)state;
    o.resume = true;
    const uint64_t want = train_small(samples, &o, NULL);

    assert_true(train_small(samples, &o, NULL) == want);
}

static void refused(const pare_train_options *o, pare_status want, const char *word)
{
    pare_status status;

    assert_true(train_small(samples, o, &status) == 0);
    if (status != want || !strstr(pare_error(), word) || !strstr(pare_error(), o->checkpoint))
        fail_msg("status %d, not %d; '%s' is not in: %s", status, want, word, pare_error());
}

static void test_other_run(void **state)
{
    const char *const        path = in_folder("other.checkpoint");
    const pare_train_options o = usual("sgd", path);
    pare_train_options       other[6];
    pare_graph              *g, *trained;
    pare_dataset            *ds;

    (void)state;
    train_small(samples, &o, NULL);
    for (int i = 0; i < 6; i++) {
        other[i] = o;
        other[i].resume = true;
    }
    other[0].epochs = 4;
    other[1].seed = 12;
    other[2].trainer.optimizer.name = "adam";
    other[3].trainer.optimizer.momentum = 0.8;
    other[4].augment = "flip,mixup=0.4";
    other[5].trainer.average = 0;
    for (int i = 0; i < 6; i++)
        refused(&other[i], PARE_ERR_ARG, "other options");

    g = graph_of("graph other\n%x = input f32[N,3,32,32]\n@w = const f32[3072,10] seed=1\n"
                 "%1 = flatten(%x)\n%y = matmul(%1, @w)\nreturn %y\n");
    ds = open_ok("demo:train", &(pare_data_options){ .slice = samples });
    other[0].epochs = 3;
    assert_int_equal(pare_train(g, ds, NULL, &other[0], &trained), PARE_ERR_ARG);
    assert_non_null(strstr(pare_error(), "another model"));
    pare_graph_destroy(g);
    pare_dataset_close(ds);
}

static size_t read_file(const char *path, uint8_t *to, size_t room)
{
    FILE *const f = fopen(path, "rb");

    assert_non_null(f);
    const size_t n = fread(to, 1, room, f);
    fclose(f);
    assert_true(n < room);
    return n;
}

/* A byte changed anywhere, the file cut anywhere, or longer: refused, and nothing leaks. */
static void test_damaged(void **state)
{
    enum { ROOM = 1 << 20 };
    const char *const  path = in_folder("damaged.checkpoint");
    pare_train_options o = usual("sgd", path);
    uint8_t *const     content = malloc(ROOM);

    (void)state;
    assert_non_null(content);
    train_small(samples, &o, NULL);
    const size_t n = read_file(path, content, ROOM);
    const long   live = pare_alloc_live();

    o.resume = true;
    for (size_t at = 0; at < n; at += at < 100 ? 1 : n / 17) {
        pare_status status;

        content[at] ^= 0x40;
        write_file("damaged.checkpoint", content, n);
        train_small(samples, &o, &status);
        if (status != PARE_ERR_DATA && status != PARE_ERR_ARG)
            fail_msg("byte %zu changed: status %d", at, status);
        content[at] ^= 0x40;
        assert_int_equal(pare_alloc_live(), live);
    }
    for (size_t size = 0; size < n; size += size < 200 ? 7 : n / 13) {
        write_file("damaged.checkpoint", content, size);
        refused(&o, PARE_ERR_DATA, "checkpoint");
    }
    content[n] = 0;
    write_file("damaged.checkpoint", content, n + 1);
    refused(&o, PARE_ERR_DATA, "damaged");
    assert_int_equal(pare_alloc_live(), live);
    free(content);
}

/* Killed at any moment: the last checkpoint is whole, or none is there yet. */
static void test_killed(void **state)
{
    const char *const        path = in_folder("killed.checkpoint");
    const pare_train_options whole = usual("sgd", NULL);
    const uint64_t           want = train_small(samples, &whole, NULL);
    pare_train_options       o = usual("sgd", path);

    (void)state;
    o.resume = true;
    for (int k = 0; k < 12; k++) {
        fflush(NULL);
        const pid_t child = fork();

        assert_true(child >= 0);
        if (child == 0) {
            for (;;) {
                remove(path);
                train_small(samples, &o, NULL);
            }
        }
        usleep(2000 + 7000 * (unsigned)k);
        kill(child, SIGKILL);
        assert_int_equal(waitpid(child, NULL, 0), child);
        assert_true(train_small(samples, &o, NULL) == want);
    }
}

/* A disk that is full while the file is written: the old one stays. */
static void test_full_disk(void **state)
{
    enum { ROOM = 1 << 20 };
    const char *const  path = in_folder("full.checkpoint");
    pare_train_options o = usual("sgd", path);
    uint8_t *const before = malloc(ROOM), *const after = malloc(ROOM);
    struct rlimit old, small;
    pare_status   status;

    (void)state;
    assert_true(before && after);
    train_small(samples, &o, NULL);
    const size_t n = read_file(path, before, ROOM);

    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    small = old;
    small.rlim_cur = n / 2;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    o.seed++;
    train_small(samples, &o, &status);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_int_equal(status, PARE_ERR_IO);
    assert_int_equal(read_file(path, after, ROOM), n);
    assert_memory_equal(before, after, n);
    free(before);
    free(after);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_resume),  cmocka_unit_test(test_finished), cmocka_unit_test(test_other_run),
        cmocka_unit_test(test_damaged), cmocka_unit_test(test_killed),   cmocka_unit_test(test_full_disk),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
