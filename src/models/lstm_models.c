/* SPDX-License-Identifier: Apache-2.0 */
/* lstm_models.c - networks over tokens around an LSTM: a classifier of whole texts, and a language model */
#include "models/model.h"
#include "nn/module.h"

static void build_classifier(pare_module *m)
{
    const int  hidden = (int)pare_module_int(m, "hidden");
    const bool both = pare_module_int(m, "bidirectional") != 0;

    pare_module_add(m, "embedding", "embedding", "rows=%d width=%d", (int)pare_module_int(m, "vocabulary"),
                    (int)pare_module_int(m, "width"));
    pare_module_add(m, "lstm", "lstm", "in=%d hidden=%d layers=%d batch_first=1 bidirectional=%d",
                    (int)pare_module_int(m, "width"), hidden, (int)pare_module_int(m, "layers"), both);
    pare_module_add(m, "dropout", "dropout", "p=%s", pare_module_word(m, "dropout"));
    pare_module_add(m, "fc", "linear", "in=%d out=%d", both ? 2 * hidden : hidden, (int)pare_module_int(m, "classes"));
}

/* in: ids [B,T]; out: logits [B,classes] from the mean over time. */
static void forward_classifier(const pare_module *m, pare_record *r, int n_in, pare_var *const in[], int n_out,
                               pare_var *out[])
{
    pare_var *x = pare_forward_child(m, r, "embedding", in[0]);

    (void)n_in, (void)n_out;
    x = pare_forward_child(m, r, "lstm", x);
    x = pare_mean(r, x, 1, (const int64_t[]){ 1 }, false);
    out[0] = pare_forward_child(m, r, "fc", pare_forward_child(m, r, "dropout", x));
}

const pare_module_kind pare_family_lstm_classifier = {
    .name = "lstm_classifier",
    .about = "embedding, LSTM, mean over time, linear",
    .settings = "vocabulary=8192 width=128 hidden=256 layers=1 bidirectional=0 dropout=0.5 classes=2",
    .build = build_classifier,
    .forward = forward_classifier,
};

/* Names of the usual PyTorch example: encoder, rnn, decoder. */
static void build_lm(pare_module *m)
{
    const int classes = (int)pare_module_int(m, "classes"), words = (int)pare_module_int(m, "vocabulary");

    pare_module_add(m, "drop", "dropout", "p=%s", pare_module_word(m, "dropout"));
    pare_module_add(m, "encoder", "embedding", "rows=%d width=%d", words, (int)pare_module_int(m, "width"));
    pare_module_add(m, "rnn", "lstm", "in=%d hidden=%d layers=%d dropout=%s batch_first=1",
                    (int)pare_module_int(m, "width"), (int)pare_module_int(m, "hidden"),
                    (int)pare_module_int(m, "layers"), pare_module_word(m, "dropout"));
    pare_module_add(m, "decoder", "linear", "in=%d out=%d", (int)pare_module_int(m, "hidden"),
                    classes ? classes : words);
}

/* in: ids [B,T], h, c [layers,B,hidden] or NULL; out: logits [B,T,vocabulary], h, c. */
static void forward_lm(const pare_module *m, pare_record *r, int n_in, pare_var *const in[], int n_out, pare_var *out[])
{
    pare_var *const x = pare_forward_child(m, r, "drop", pare_forward_child(m, r, "encoder", in[0]));
    pare_var *const all[] = { x, n_in > 1 ? in[1] : NULL, n_in > 2 ? in[2] : NULL };

    pare_forward_all(pare_module_find(m, "rnn"), r, 3, all, n_out, out);
    out[0] = pare_forward_child(m, r, "decoder", pare_forward_child(m, r, "drop", out[0]));
}

const pare_module_kind pare_family_lstm_lm = {
    .name = "lstm_lm",
    .about = "LSTM language model; in: ids, h, c, out: logits, h, c",
    .settings = "vocabulary=10000 width=512 hidden=512 layers=2 dropout=0.2 classes=0",
    .max_in = 3,
    .max_out = 3,
    .build = build_lm,
    .forward = forward_lm,
};
