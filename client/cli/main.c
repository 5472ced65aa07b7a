/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "client/cli/cli.h"

static const char *get_environment(void *data, const char *name)
{
    (void)data;
    return getenv(name);
}

int main(int argc, char **argv) { return kz_cli_main(argc, argv, get_environment, NULL); }
