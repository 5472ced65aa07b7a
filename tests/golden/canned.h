/* SPDX-License-Identifier: Apache-2.0 */
/* Answers of a node that never ran: fixed times, revisions, hashes. Borrowed until canned_free. One thread. */
#ifndef TESTS_GOLDEN_CANNED_H
#define TESTS_GOLDEN_CANNED_H

#include "client/codec/decode.h"
#include "proto/service.pb-c.h"

#define CANNED_MAX 32

struct canned {
    struct kz_entries entries;
    Kz__Record *records[CANNED_MAX];
    size_t count;
};

/* Reads records.yaml of `folder` and gives each record what a node would have set. False: it cannot be read. */
bool canned_read(struct canned *canned, const char *folder);
/* The events of events.yaml, one every ten minutes; those of remote are provisional. */
bool canned_read_events(struct canned *canned, const char *folder);
/* The records of plan.yaml: what people wrote of a small ministry, for what is derived from it. */
bool canned_read_plan(struct canned *canned, const char *folder);
#define CANNED_NOW_MS INT64_C(1768610772000) /* 2026-01-17T09:46:12+09:00 */
void canned_free(struct canned *canned);
Kz__Record *canned_find(const struct canned *canned, Kz__Kind kind, const char *id);

Kz__Meta canned_meta(bool quorum);
/* Three members, of which `alive` answer; `diverged`: two of them with different data. */
void canned_status(Kz__Response *response, Kz__Meta *meta, size_t alive, bool diverged);
Kz__Change canned_change(Kz__Mutation__Op op, uint64_t rev, Kz__Record *before, Kz__Record *after);

#endif
