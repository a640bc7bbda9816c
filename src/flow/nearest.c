/* SPDX-License-Identifier: Apache-2.0 */
/* nearest.c - what a misspelt word was meant to be */
#include <pare/list.h>

#include <string.h>

enum { LONGEST = 63 };

static int least(int a, int b)
{
    return a < b ? a : b;
}

/* Damerau and Levenshtein's distance by three rows of the table; longer words are cut. */
static int distance(const char *a, const char *b)
{
    const int n = (int)strnlen(a, LONGEST), m = (int)strnlen(b, LONGEST);
    int       rows[3][LONGEST + 1];

    for (int j = 0; j <= m; j++)
        rows[0][j] = j;
    for (int i = 1; i <= n; i++) {
        int *const       row = rows[i % 3];
        const int *const up = rows[(i + 2) % 3], *const up2 = rows[(i + 1) % 3];

        row[0] = i;
        for (int j = 1; j <= m; j++) {
            row[j] = least(up[j - 1] + (a[i - 1] != b[j - 1]), least(up[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = least(row[j], up2[j - 2] + 1);
        }
    }
    return rows[n % 3][m];
}

const char *pare_nearest(const char *word, const char *const *words, int n)
{
    const int   length = (int)strnlen(word, LONGEST);
    const char *best   = NULL;
    int         least_so_far = length / 3 + 2; /* two thirds of a word must be right, and more of a short one */

    for (int i = 0; i < n; i++) {
        const int d = distance(word, words[i]);

        if (d < least_so_far && d < length) {
            least_so_far = d;
            best         = words[i];
        }
    }
    /* A word that was only begun: "samp" is nearer to "samples" than to "size". */
    for (int i = 0; i < n && !best; i++)
        if (length >= 3 && strncmp(word, words[i], (size_t)length) == 0)
            best = words[i];
    return best;
}
