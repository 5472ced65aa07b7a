/* SPDX-License-Identifier: Apache-2.0 */
/* Incidents as people follow them: the board and the timeline. Fed with plain records, whatever their order; reads no
 * clock. Writes to a buffer only. One thread. */
#ifndef KZ_CLIENT_CLI_SHOW_EVENT_H
#define KZ_CLIENT_CLI_SHOW_EVENT_H

#include "client/cli/show.h"

struct kz_scene {
    Kz__Record *const *records; /* events and systems; other kinds are skipped */
    size_t count;
    const char *incident; /* NULL: every open one */
    int64_t now_ms;
    const Kz__Meta *meta; /* may be NULL */
    bool details;         /* more about the incident itself */
};

/* False: `incident` is not among the events; nothing is written. */
bool kz_show_board(const struct kz_view *view, const struct kz_scene *scene, struct kz_buf *out);
/* Every event of `incident`, in the order they were noted. */
bool kz_show_timeline(const struct kz_view *view, const struct kz_scene *scene, struct kz_buf *out);

/* The ids of the open incidents, the oldest first. The array is the caller's, the texts the records'. */
const char **kz_open_incidents(Kz__Record *const *records, size_t count, size_t *open_count);

#endif
