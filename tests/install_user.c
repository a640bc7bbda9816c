/* SPDX-License-Identifier: Apache-2.0 */
/* install_user.c - the shortest stranger: finds the installed headers and library, and asks for the version */
#include <stdio.h>

#include <pare/status.h>

int main(void)
{
    return puts(pare_version()) < 0;
}
