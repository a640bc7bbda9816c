/* SPDX-License-Identifier: Apache-2.0 */
/* options.h - command lines by table: --name=value, --name value, -o value, words in between */
#ifndef PARE_CLI_OPTIONS_H
#define PARE_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

typedef enum pare_option_kind {
    PARE_OPTION_FLAG, /* bool                                    */
    PARE_OPTION_TEXT, /* const char *                            */
    PARE_OPTION_WORD, /* const char *: one of `words`            */
    PARE_OPTION_INT,  /* int from lo to hi                       */
    PARE_OPTION_LIST, /* pare_texts: may be given several times  */
} pare_option_kind;

enum { PARE_MAX_TEXTS = 64 };

typedef struct pare_texts {
    const char *items[PARE_MAX_TEXTS];
    int         n;
} pare_texts;

typedef struct pare_option {
    const char      *name;   /* without dashes; NULL ends a table                                  */
    char             letter; /* short form, 0: none                                                */
    pare_option_kind kind;
    size_t           offset; /* of the value in the struct that is filled                          */
    const char      *value;  /* how help calls the value; WORD: the words, separated by '|'        */
    const char      *about;  /* one line with the default in brackets; '\n' starts another         */
    int              lo, hi; /* of INT                                                             */
    bool             required;
} pare_option;

/* One table, and the struct that its offsets are in. Every value starts as zero: not given. */
typedef struct pare_option_set {
    const char        *title; /* over the table in the help                      */
    const pare_option *rows;  /* NULL: no options                                */
    void              *values;
} pare_option_set;

/*
 * Fills the sets' structs from argv[argc]; what is no option goes to words[*n_words] (room for argc). Returns 0, or 2
 * after saying on stderr what is wrong. "--" ends the options.
 */
int pare_options_parse(const pare_option_set *sets, int n_sets, int argc, char **argv, char **words, int *n_words);

/* Returns 0, or 2 after saying which required option is missing. Required ones are TEXT, WORD or LIST. */
int pare_options_check(const pare_option_set *sets, int n_sets);

/* The tables as help. */
void pare_options_print(const pare_option_set *sets, int n_sets);

#endif
