/* SPDX-License-Identifier: Apache-2.0 */
/* Two texts of a runbook, compared step by step: a step is the one with the same title, so that one put in between does
 * not make all that follow look changed; a title that changed is told by its place. One thread. */
#ifndef KZ_CLIENT_CLI_SHOW_STEPS_H
#define KZ_CLIENT_CLI_SHOW_STEPS_H

#include "client/cli/show.h"

/* `before` NULL: there was none. */
void kz_show_steps_diff(const struct kz_view *view, const Kz__Record *before, const Kz__Record *after,
                        const Kz__Meta *meta, struct kz_buf *out);

#endif
