/* SPDX-License-Identifier: Apache-2.0 */
/* cli_helpers.h - running the command `pare` from a test, in a folder of its own; comes after cmocka.h */
#ifndef PARE_TESTS_CLI_HELPERS_H
#define PARE_TESTS_CLI_HELPERS_H

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { TEXT = 1 << 20, MAX_ARGS = 32 };

static char folder[] = "/tmp/pare_cli_XXXXXX";
static char command[4096];           /* the program under test           */
static char said[TEXT], wrote[TEXT]; /* stderr and stdout of the last run */

/* What a run is limited to or disturbed by. */
typedef struct conditions {
    long        file_bytes;   /* files cannot grow beyond; 0: they can */
    int         interrupt_ms; /* Ctrl-C after so long; 0: never        */
    const char *out;          /* where stdout goes; NULL: into `wrote` */
} conditions;

static inline void read_back(const char *name, char *text)
{
    char   path[512];
    size_t n = 0;

    snprintf(path, sizeof(path), "%s/.%s", folder, name);
    FILE *f = fopen(path, "rb");
    if (f) {
        n = fread(text, 1, TEXT - 1, f);
        fclose(f);
    }
    text[n] = '\0';
    remove(path);
}

static inline void become(char **argv, const conditions *c)
{
    const struct rlimit limit = { (rlim_t)c->file_bytes, (rlim_t)c->file_bytes };

    if (chdir(folder) != 0 || !freopen(".err", "wb", stderr) || !freopen(c->out ? c->out : ".out", "wb", stdout))
        _exit(99);
    signal(SIGXFSZ, SIG_IGN);
    if (c->file_bytes && setrlimit(RLIMIT_FSIZE, &limit) != 0)
        _exit(99);
    execv(command, argv);
    _exit(98);
}

/* Runs `pare` with words separated by spaces. The exit code; 128 + n after signal n. */
static inline int pare_under(const char *words, conditions c)
{
    char text[4096], *argv[MAX_ARGS] = { command };
    int  n = 1, status = 0;

    snprintf(text, sizeof(text), "%s", words);
    for (char *word = strtok(text, " "); word && n < MAX_ARGS - 1; word = strtok(NULL, " "))
        argv[n++] = word;
    fflush(NULL);
    const pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0)
        become(argv, &c);
    if (c.interrupt_ms) {
        nanosleep(&(struct timespec){ c.interrupt_ms / 1000, c.interrupt_ms % 1000 * 1000000L }, NULL);
        kill(child, SIGINT);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    read_back("err", said);
    read_back("out", wrote);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static inline int pare(const char *words)
{
    return pare_under(words, (conditions){ 0 });
}

/* The run ends with this code, and stderr has all the parts (separated by '|') in it. */
static inline void expect(const char *words, int code, const char *parts)
{
    const int got = pare(words);
    char      list[512];

    if (got != code)
        fail_msg("pare %s: exit code %d, not %d: %s", words, got, code, said);
    if (code && strncmp(said, "pare: ", 6) != 0)
        fail_msg("pare %s: says \"%s\"", words, said);
    snprintf(list, sizeof(list), "%s", parts);
    for (char *part = strtok(list, "|"); part; part = strtok(NULL, "|"))
        if (!strstr(said, part))
            fail_msg("pare %s: '%s' is not in: %s", words, part, said);
}

/* Entries of the test's folder, hidden ones included. */
static inline int count_files(void)
{
    DIR *const           dir = opendir(folder);
    const struct dirent *entry;
    int                  n = 0;

    assert_non_null(dir);
    while ((entry = readdir(dir)))
        n += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    closedir(dir);
    return n;
}

static inline void write_bytes(const char *name, const void *bytes, size_t n)
{
    char path[512];

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_true(n == 0 || fwrite(bytes, n, 1, f) == 1);
    assert_int_equal(fclose(f), 0);
}

static inline void write_text(const char *name, const char *text)
{
    write_bytes(name, text, strlen(text));
}

static inline void make_subfolder(const char *name)
{
    char path[512];

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    assert_int_equal(mkdir(path, 0777), 0);
}

static inline int remove_entry(const char *path, const struct stat *st, int type, struct FTW *where)
{
    (void)st;
    (void)type;
    (void)where;
    return remove(path);
}

/* The program lies one folder above this test: BUILD/pare, BUILD/tests/test_cli. */
static inline int make_folder(void **state)
{
    ssize_t n = readlink("/proc/self/exe", command, sizeof(command) - 8);

    (void)state;
    for (int up = 0; n > 0 && up < 2; up++)
        while (n > 0 && command[--n] != '/')
            ;
    strcpy(command + n, "/pare");
    if (access(command, X_OK) != 0) {
        print_error("%s is not built\n", command);
        return -1;
    }
    return mkdtemp(folder) ? 0 : -1;
}

static inline int remove_folder(void **state)
{
    (void)state;
    return nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

static inline int empty_folder(void **state)
{
    return remove_folder(state) || mkdir(folder, 0700);
}

#endif
