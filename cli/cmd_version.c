/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_version.c - pare version */
#include <stdio.h>

#include <pare/cpu.h>

#include "command.h"
#include "json.h"

static int run(const pare_invocation *v)
{
    if (!v->common->json) {
        printf("pare %s, %s\n", pare_version(), pare_cpu_describe());
        return 0;
    }
    pare_json_open(NULL, '{');
    pare_json_text("version", pare_version());
    pare_json_text("cpu", pare_cpu_name());
    pare_json_close('}');
    return 0;
}

const pare_command pare_command_version = {
    .name = "version",
    .about = "which version this is, and which instructions it uses here",
    .usage = "[options]",
    .details = "The instructions are the best that this processor has; PARE_CPU=c, avx2 ... in the environment takes\n"
               "lesser ones. Results do not depend on them.\n",
    .examples = "  pare version\n  PARE_CPU=avx2 pare version --json\n",
    .run = run,
};
