/* SPDX-License-Identifier: Apache-2.0 */
/* Whole runs of the command line in this process, with certificates of their own authority and settings in place of
 * the environment. Everything here fails the test by itself when it does not succeed. One thread. */
#ifndef KZ_TEST_CLIENT_SHELL_H
#define KZ_TEST_CLIENT_SHELL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tools/ca.h"

#define TEXT_BYTES (64u << 10)

/* A folder for files, with the authority's, a node's and a person's certificate in it. */
extern char shell_root[];
extern char shell_node_folder[64], shell_user_folder[64];
extern struct kz_ca *shell_authority;

int shell_set_up(void **state); /* cmocka's group set-up and tear-down */
int shell_tear_down(void **state);

/* Another certificate, in a folder named like it. */
void shell_issue(struct kz_ca_leaf leaf, char folder[64]);

/* What the command line reads in place of the environment: the person's certificate and these nodes; and more. Texts
 * are borrowed until the next reset. */
void shell_reset_settings(const char *nodes);
void shell_add_setting(const char *name, const char *value);

struct run {
    int status;
    char out[TEXT_BYTES], err[TEXT_BYTES];
};
/* `line` without the program's name, split at spaces. */
void shell_run(struct run *run, const char *line);

void assert_holds(const char *text, const char *part);
void assert_lacks(const char *text, const char *part);

#endif
