/* SPDX-License-Identifier: Apache-2.0 */
/* curve.c - the course of training as an SVG file: loss on the left axis, accuracy on the right */
#include "flow/curve.h"

#include <math.h>

#include "base/outfile.h"
#include "base/status.h"

enum { WIDTH = 720, HEIGHT = 400, LEFT = 60, RIGHT = 60, TOP = 30, BOTTOM = 40, POINTS = 400, TICKS = 5 };

typedef struct curve {
    pare_outfile         *file;
    const pare_run_state *s;
    int64_t               per_epoch, total;
    double                highest; /* loss at the top */
} curve;

static double x_of(const curve *c, double step)
{
    return LEFT + (WIDTH - LEFT - RIGHT) * step / (double)c->total;
}

static double y_of(double share)
{
    return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (share < 0 ? 0 : share > 1 ? 1 : share);
}

static double highest_loss(const pare_run_state *s)
{
    double top = 0;

    for (int64_t i = 0; i < s->n_losses; i++)
        top = (double)s->losses[i] > top ? (double)s->losses[i] : top;
    for (int64_t i = 0; i < s->n_history; i++)
        top = s->history[i].test_loss > top ? s->history[i].test_loss : top;
    return top > 0 ? top : 1;
}

static pare_status write_axes(const curve *c)
{
    PARE_TRY(pare_outfile_printf(c->file,
                                 "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" "
                                 "font-family=\"sans-serif\" font-size=\"12\">\n"
                                 "<rect width=\"%d\" height=\"%d\" fill=\"white\"/>\n",
                                 WIDTH, HEIGHT, WIDTH, HEIGHT));
    for (int i = 0; i <= TICKS; i++) {
        const double share = (double)i / TICKS, y = y_of(share);

        PARE_TRY(pare_outfile_printf(c->file,
                                     "<path d=\"M%d %.1fH%d\" stroke=\"#ddd\"/>\n"
                                     "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%.3g</text>\n"
                                     "<text x=\"%d\" y=\"%.1f\">%d %%</text>\n"
                                     "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%.4g</text>\n",
                                     LEFT, y, WIDTH - RIGHT, LEFT - 6, y + 4, share * c->highest, WIDTH - RIGHT + 6,
                                     y + 4, 100 * i / TICKS, x_of(c, share * (double)c->total), HEIGHT - BOTTOM + 16,
                                     share * (double)c->total / (double)c->per_epoch));
    }
    return pare_outfile_printf(c->file,
                               "<text x=\"%d\" y=\"18\" fill=\"#888\">loss of the steps</text>\n"
                               "<text x=\"%d\" y=\"18\" fill=\"#c33\">loss of the test set</text>\n"
                               "<text x=\"%d\" y=\"18\" fill=\"#36c\">its accuracy</text>\n"
                               "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">epoch</text>\n",
                               LEFT, LEFT + 130, LEFT + 270, WIDTH / 2, HEIGHT - 6);
}

/* Means of neighbouring steps, so that the file stays small. */
static pare_status write_steps(const curve *c)
{
    const int64_t n = c->s->n_losses, each = (n + POINTS - 1) / POINTS;

    PARE_TRY(pare_outfile_printf(c->file, "<polyline fill=\"none\" stroke=\"#888\" points=\""));
    for (int64_t at = 0; at < n; at += each) {
        const int64_t end = at + each < n ? at + each : n;
        double        sum = 0;

        for (int64_t i = at; i < end; i++)
            sum += (double)c->s->losses[i];
        PARE_TRY(pare_outfile_printf(c->file, "%.1f,%.1f ", x_of(c, (double)(at + end) / 2),
                                     y_of(sum / (double)(end - at) / c->highest)));
    }
    return pare_outfile_printf(c->file, "\"/>\n");
}

/* The line of one number per epoch; nothing where it was not measured. */
static pare_status write_epochs(const curve *c, const char *colour, size_t field, double highest)
{
    PARE_TRY(
        pare_outfile_printf(c->file, "<polyline fill=\"none\" stroke=\"%s\" stroke-width=\"2\" points=\"", colour));
    for (int64_t i = 0; i < c->s->n_history; i++) {
        const double value = *(const double *)(const void *)((const char *)&c->s->history[i] + field);

        if (isfinite(value))
            PARE_TRY(pare_outfile_printf(c->file, "%.1f,%.1f ", x_of(c, (double)((i + 1) * c->per_epoch)),
                                         y_of(value / highest)));
    }
    return pare_outfile_printf(c->file, "\"/>\n");
}

static pare_status write_all(const curve *c)
{
    PARE_TRY(write_axes(c));
    PARE_TRY(write_steps(c));
    PARE_TRY(write_epochs(c, "#c33", offsetof(pare_train_epoch, test_loss), c->highest));
    PARE_TRY(write_epochs(c, "#36c", offsetof(pare_train_epoch, test_accuracy), 1));
    return pare_outfile_printf(c->file, "</svg>\n");
}

pare_status pare_curve_write(const char *path, const pare_run_state *state, int64_t steps_per_epoch, int64_t total)
{
    curve c = { .s = state, .per_epoch = steps_per_epoch, .total = total, .highest = highest_loss(state) };

    PARE_TRY(pare_outfile_open(path, &c.file));
    const pare_status status = write_all(&c);

    if (status == PARE_OK)
        return pare_outfile_commit(c.file);
    pare_outfile_discard(c.file);
    return status;
}
