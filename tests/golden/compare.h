/* SPDX-License-Identifier: Apache-2.0 */
/* One run of the exact outputs: what was canned, and how what is written compares with expected/. */
#ifndef KZ_TESTS_GOLDEN_COMPARE_H
#define KZ_TESTS_GOLDEN_COMPARE_H

#include "tests/golden/canned.h"

struct golden {
    const char *folder;
    bool update;
    struct canned canned, events, plan;
    size_t cases, failed;
};

/* With expected/NAME, or writes it. */
void golden_compare(struct golden *golden, const char *name, struct kz_buf *text);
/* A file that no case makes any more would look like a promise. */
void golden_check_leftovers(struct golden *golden);

#endif
