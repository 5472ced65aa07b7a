/* SPDX-License-Identifier: Apache-2.0 */
/* What a search found, as people and machines read it. Adds to `out`. One thread. */
#ifndef KZ_CLIENT_CLI_SHOW_SEARCH_H
#define KZ_CLIENT_CLI_SHOW_SEARCH_H

#include "client/cli/show.h"

void kz_show_search(const struct kz_view *view, const Kz__SearchResult *result, const Kz__Meta *meta,
                    struct kz_buf *out);
/* "channels[1].value" of a contact: "channels 2 / number or address". A path that leads nowhere stands as it is. */
void kz_show_path(const struct kz_view *view, Kz__Kind kind, const char *path, struct kz_buf *out);

#endif
