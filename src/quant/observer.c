/* SPDX-License-Identifier: Apache-2.0 */
/* observer.c - the list of observers */
#include "quant/observer.h"

#include <string.h>

#define PARE_OBSERVER(name) extern const pare_observer pare_observer_##name;
#include "quant/observers.def"
#undef PARE_OBSERVER

static const pare_observer *const observers[] = {
#define PARE_OBSERVER(name) &pare_observer_##name,
#include "quant/observers.def"
#undef PARE_OBSERVER
};

enum { N_OBSERVERS = sizeof(observers) / sizeof(observers[0]) };

const pare_observer *pare_observer_at(int index)
{
    return index >= 0 && index < N_OBSERVERS ? observers[index] : NULL;
}

const pare_observer *pare_observer_find(const char *name)
{
    for (int i = 0; i < N_OBSERVERS; i++)
        if (strcmp(observers[i]->name, name) == 0)
            return observers[i];
    return NULL;
}
