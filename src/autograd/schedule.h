/* SPDX-License-Identifier: Apache-2.0 */
/* schedule.h - the list of schedules */
#ifndef PARE_AUTOGRAD_SCHEDULE_H
#define PARE_AUTOGRAD_SCHEDULE_H

#include <pare/optimizer.h>

/* Entry `index` of schedules.def; NULL past the end. */
const char *pare_schedule_name(int index);
const char *pare_schedule_about(int index);

#endif
