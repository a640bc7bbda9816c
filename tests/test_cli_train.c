/* SPDX-License-Identifier: Apache-2.0 */
/* test_cli_train.c - training on the command line: alone and with mpirun, stopped and gone on, misused */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "cli_helpers.h"

#define SMALL "--arch resnet8 --data demo:train --slice 0:256 --batch 64 --augment crop,flip "

/* The two files hold the same bytes. */
static void same_files(const char *a, const char *b)
{
    char  path[512];
    FILE *f[2];
    int   c[2];

    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof(path), "%s/%s", folder, i ? b : a);
        f[i] = fopen(path, "rb");
        if (!f[i])
            fail_msg("%s is not there", path);
    }
    do {
        c[0] = fgetc(f[0]);
        c[1] = fgetc(f[1]);
        if (c[0] != c[1])
            fail_msg("%s and %s differ", a, b);
    } while (c[0] != EOF);
    fclose(f[0]);
    fclose(f[1]);
}

/* A model comes out that evaluates as the last line says, the same on any number of threads. */
static void test_trained(void **state)
{
    char accuracy[32];

    (void)state;
    expect("train " SMALL "--test demo:test --epochs 2 --curve loss.svg -o one.onnx --threads 1", 0, "");
    assert_non_null(strstr(wrote, "test loss"));
    assert_non_null(strstr(wrote, "one.onnx: written"));
    const char *const line = strstr(wrote, "\n    2 ");
    assert_non_null(line);
    assert_int_equal(sscanf(line, "%*d %*f %*f %*f%% %*f %31[0-9.]", accuracy), 1);
    expect("eval one.onnx --data demo:test", 0, "");
    if (!strstr(wrote, accuracy))
        fail_msg("%s %% is not in: %s", accuracy, wrote);
    expect("train " SMALL "--epochs 2 -o two.onnx --threads 3 --loaders 2 --json", 0, "");
    assert_non_null(strstr(wrote, "\"loss\""));
    same_files("one.onnx", "two.onnx");
    expect("train one.onnx --data demo:train --slice 0:64 --batch 32 --epochs 1 --optimizer adamw -o more.onnx", 0, "");
}

/* Ctrl-C leaves a checkpoint; going on ends as if nothing had happened. */
static void test_interrupted(void **state)
{
    const conditions soon = { .interrupt_ms = 700 };
    int              code;

    (void)state;
    expect("train " SMALL "--epochs 6 -o whole.onnx", 0, "");
    code = pare_under("train " SMALL "--epochs 6 -c run.checkpoint -o part.onnx", soon);
    if (code != 0) { /* a fast machine may be done by then */
        assert_int_equal(code, 130);
        assert_non_null(strstr(said, "run.checkpoint"));
    }
    expect("train " SMALL "--epochs 6 -c run.checkpoint --resume -o part.onnx", 0, "");
    same_files("whole.onnx", "part.onnx");
    expect("train " SMALL "--epochs 6 --lr 0.05 -c run.checkpoint --resume -o part.onnx", 2, "other options");
    expect("train --arch resnet20 --data demo:train --slice 0:256 --batch 64 --augment crop,flip --epochs 6 "
           "-c run.checkpoint --resume -o part.onnx",
           2, "another model");
}

static void test_misuse(void **state)
{
    (void)state;
    expect("train --data demo:train -o a.onnx", 2, "--arch");
    expect("train x.onnx --arch resnet8 --data demo:train -o a.onnx", 2, "either");
    expect("train x.onnx --weights w.pth --data demo:train -o a.onnx", 2, "--arch");
    expect("train x.onnx -o a.onnx", 2, "--data");
    expect("train x.onnx --data demo:train", 2, "--output");
    expect("train " SMALL "-o a.onnx --lr -1", 2, "--lr");
    expect("train " SMALL "-o a.onnx --momentum 1", 2, "--momentum");
    expect("train " SMALL "-o a.onnx --resume", 2, "--checkpoint");
    expect("train " SMALL "-o a.onnx --chunks 3", 2, "power of two");
    expect("train " SMALL "-o a.onnx --augment crp", 2, "did you mean 'crop'");
    expect("train " SMALL "-o no/such/a.onnx", 1, "cannot be written");
    expect("train " SMALL "-o a.onnx --lr 1e8 --epochs 3 --schedule constant", 1, "not finite|learning rate");
}

/* Under mpirun, in the folder of the test; the exit code. */
static int mpirun(int processes, const char *words)
{
    char text[8192];

    snprintf(text, sizeof(text), "cd %s && mpirun --oversubscribe -n %d %s %s > .out 2> .err", folder, processes,
             command, words);
    const int status = system(text);

    read_back("err", said);
    read_back("out", wrote);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void test_processes(void **state)
{
    char words[512];

    (void)state;
    setenv("OMPI_ALLOW_RUN_AS_ROOT", "1", 1);
    setenv("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1", 1);
    if (system("command -v mpirun > /dev/null") != 0 || mpirun(1, "version") != 0)
        skip();
    expect("train " SMALL "--test demo:test --chunks 4 --epochs 1 --threads 1 -o p1.onnx", 0, "");
    for (int n = 2; n <= 4; n *= 2) {
        snprintf(words, sizeof(words), "train " SMALL "--test demo:test --chunks 4 --epochs 1 --threads 1 -o p%d.onnx",
                 n);
        const int code = mpirun(n, words);

        if (code != 0 && strstr(said, "built without MPI"))
            skip();
        if (code != 0)
            fail_msg("%d processes: exit code %d: %s", n, code, said);
        snprintf(words, sizeof(words), "p%d.onnx", n);
        same_files("p1.onnx", words);
    }
    /* One that cannot write ends all, and says why once. */
    assert_int_not_equal(mpirun(2, "train " SMALL "--epochs 1 -c no/such/checkpoint -o q.onnx"), 0);
    const char *const sentence = strstr(said, "pare: no/such/checkpoint");

    assert_non_null(sentence);
    assert_null(strstr(sentence + 1, "pare: no/such/checkpoint"));
}

#define KILLED "train " SMALL "--chunks 2 --epochs 5 --threads 1 -c killed.checkpoint "

/* One of the processes that mpirun started; 0: there is none (yet). */
static pid_t child_of(pid_t parent)
{
    char  path[64];
    pid_t child = 0;

    snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)parent, (int)parent);
    FILE *const f = fopen(path, "r");

    if (f) {
        if (fscanf(f, "%d", &child) != 1)
            child = 0;
        fclose(f);
    }
    return child;
}

/* A process that dies ends the others, and what was saved goes on in one process as if nothing had happened. */
static void test_process_dies(void **state)
{
    char text[8192], path[512];
    int  status = 0;

    (void)state;
    setenv("OMPI_ALLOW_RUN_AS_ROOT", "1", 1);
    setenv("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1", 1);
    if (system("command -v mpirun > /dev/null") != 0 ||
        (mpirun(1, "train " SMALL "--epochs 1 -o p.onnx") != 0 && strstr(said, "built without MPI")))
        skip();
    snprintf(path, sizeof(path), "%s/killed.checkpoint", folder);
    snprintf(text, sizeof(text), "cd %s && exec mpirun --oversubscribe -n 2 %s %s -o none.onnx > .out 2> .err", folder,
             command, KILLED);
    fflush(NULL);
    const pid_t job = fork();

    assert_true(job >= 0);
    if (job == 0) {
        execl("/bin/sh", "sh", "-c", text, (char *)NULL);
        _exit(99);
    }
    for (int i = 0; i < 6000 && (access(path, F_OK) != 0 || !child_of(job)); i++)
        usleep(10000);
    const pid_t victim = child_of(job);

    assert_true(victim > 0 && kill(victim, SIGKILL) == 0);
    assert_int_equal(waitpid(job, &status, 0), job);
    assert_false(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    read_back("err", said);
    read_back("out", wrote);
    expect(KILLED "--resume -o resumed.onnx", 0, "");
    expect("train " SMALL "--chunks 2 --epochs 5 -o alone.onnx", 0, "");
    same_files("alone.onnx", "resumed.onnx");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_trained),   cmocka_unit_test(test_interrupted),  cmocka_unit_test(test_misuse),
        cmocka_unit_test(test_processes), cmocka_unit_test(test_process_dies),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
