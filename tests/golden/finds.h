/* SPDX-License-Identifier: Apache-2.0 */
/* What a search found and how far a verification campaign is, from answers that no node gave. One thread. */
#ifndef TESTS_GOLDEN_FINDS_H
#define TESTS_GOLDEN_FINDS_H

#include "client/cli/show.h"
#include "tests/golden/canned.h"

void canned_show_search(const struct kz_view *view, struct kz_buf *out);
void canned_show_campaign(const struct canned *canned, const struct kz_view *view, struct kz_buf *out);

#endif
