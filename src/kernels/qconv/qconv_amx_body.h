/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qconv_amx_body.h - the text of the forms: the loop of qconv_amx_loop.h for each kind of output
 *
 * FORM is the name of the form, COLUMN_TILES how many column tiles it multiplies at a time.
 */
#include "cpu/cpu.h"

#if PARE_X86
#include "kernels/qconv/qconv_amx_loop.h"

#define RUN(kind, steps)                                                                                  \
    __attribute__((target(PARE_AMX_TARGET))) static void run_##kind##_##steps(const pare_qconv_blocks *b) \
    {                                                                                                     \
        amx_run(b, COLUMN_TILES, kind, steps);                                                            \
    }
/* clang-format off */
RUN(AMX_BARE, 0) RUN(AMX_BARE, 1) RUN(AMX_BARE, 2) RUN(AMX_BARE, 3) RUN(AMX_BARE, 4)
RUN(AMX_ZERO, 0) RUN(AMX_ZERO, 1) RUN(AMX_ZERO, 2) RUN(AMX_ZERO, 3) RUN(AMX_ZERO, 4)
RUN(AMX_ADD, 0) RUN(AMX_ADD, 1) RUN(AMX_ADD, 2) RUN(AMX_ADD, 3) RUN(AMX_ADD, 4)
RUN(AMX_BOUNDS, 0)
RUN(AMX_TABLE, 0)
RUN(AMX_F32, 0)

/* By kind of output, and by the number of k-steps where they are unrolled; else 0. */
static void (*const runs[AMX_KINDS][5])(const pare_qconv_blocks *b) = {
    [AMX_BARE] = { run_AMX_BARE_0, run_AMX_BARE_1, run_AMX_BARE_2, run_AMX_BARE_3, run_AMX_BARE_4 },
    [AMX_ZERO] = { run_AMX_ZERO_0, run_AMX_ZERO_1, run_AMX_ZERO_2, run_AMX_ZERO_3, run_AMX_ZERO_4 },
    [AMX_ADD] = { run_AMX_ADD_0, run_AMX_ADD_1, run_AMX_ADD_2, run_AMX_ADD_3, run_AMX_ADD_4 },
    [AMX_BOUNDS] = { run_AMX_BOUNDS_0, run_AMX_BOUNDS_0, run_AMX_BOUNDS_0, run_AMX_BOUNDS_0, run_AMX_BOUNDS_0 },
    [AMX_TABLE] = { run_AMX_TABLE_0, run_AMX_TABLE_0, run_AMX_TABLE_0, run_AMX_TABLE_0, run_AMX_TABLE_0 },
    [AMX_F32] = { run_AMX_F32_0, run_AMX_F32_0, run_AMX_F32_0, run_AMX_F32_0, run_AMX_F32_0 },
};
/* clang-format on */

void FORM(const pare_qconv_blocks *b)
{
    const int n = b->plan->tiles.n_steps;

    runs[amx_kind_of(&b->plan->epilogue)][n <= 4 ? n : 0](b);
}
#else
typedef int not_x86;
#endif
