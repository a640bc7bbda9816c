/* SPDX-License-Identifier: Apache-2.0 */
/* pipelines.c - the lists of passes that the workflows share */
#include "flow/pipelines.h"

/* The arithmetic that this changes, it changes by rounding only (a folded batch normalization, norms and gelu). */
const pare_pass *const pare_simplify_passes[] = {
    &pare_pass_settle_shapes,   &pare_pass_fold_const,
    &pare_pass_inline_if,       &pare_pass_fold_const,
    &pare_pass_remove_identity, &pare_pass_fuse_pad,
    &pare_pass_use_global_pool, &pare_pass_fold_bn,
    &pare_pass_fuse_layer_norm, &pare_pass_fuse_gelu,
    &pare_pass_fuse_relu,       &pare_pass_fuse_clip,
    &pare_pass_remove_dead,     NULL,
};

const pare_pass *const pare_unify_passes[] = {
    &pare_pass_expand_qlinear,
    &pare_pass_unsign,
    NULL,
};

/*
 * Scales first: the others look for them. Then moves: they bring quantize and dequantize next to the ops between. What
 * integer ops no longer read goes before constants are folded: the float form of every weight would be computed.
 */
const pare_pass *const pare_lower_passes[] = {
    &pare_pass_mark_quantized,  &pare_pass_lower_moves,
    &pare_pass_lower_weighted,  &pare_pass_lower_dynamic,
    &pare_pass_fuse_bias,       &pare_pass_lower_recurrent,
    &pare_pass_lower_binary,    &pare_pass_lower_pool,
    &pare_pass_lower_table,     &pare_pass_remove_dead,
    &pare_pass_fold_dequantize, &pare_pass_fold_const,
    &pare_pass_remove_dead,     NULL,
};

const pare_pass *const pare_speed_passes[] = {
    &pare_pass_fuse_attention, &pare_pass_fuse_rows,      &pare_pass_fuse_pad,
    &pare_pass_fuse_shuffle,   &pare_pass_cut_shuffle,    &pare_pass_fuse_unshuffle,
    &pare_pass_merge_tables,   &pare_pass_remove_dead,    &pare_pass_fuse_table,
    &pare_pass_fuse_qadd,      &pare_pass_fuse_add,       &pare_pass_remove_dead,
    &pare_pass_choose_layout,  &pare_pass_share_channels, NULL,
};

const pare_pass *const pare_tapped_passes[] = {
    &pare_pass_fuse_pad,
    &pare_pass_choose_layout,
    &pare_pass_share_channels,
    NULL,
};

const pare_pass *const pare_onnxruntime_passes[] = {
    &pare_pass_mark_quantized,
    &pare_pass_spell_dynamic,
    &pare_pass_remove_dead,
    NULL,
};
