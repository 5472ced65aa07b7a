/* SPDX-License-Identifier: Apache-2.0 */
/* One replica whose io is written down as a story: every piece of work, message and callback is a line. Tests advance
 * time and durability by hand and compare the story with what must have happened, in which order. */
#ifndef KZ_TESTS_UNIT_CONSENSUS_FIXTURE_H
#define KZ_TESTS_UNIT_CONSENSUS_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "node/consensus/replica_core.h"

#define FIXTURE_LOG_MAX 256u
#define FIXTURE_MESSAGES_MAX 256u

struct fixture {
    struct kz_replica *replica; /* owned */
    struct kz_replica_options options;
    struct kz_replica_io io;
    struct kz_hard_state hard;
    struct kz_applied applied;
    uint64_t now_ms, timer_ms, seq;
    struct { /* what the store would hold, by index */
        struct kz_entry entry;
        uint64_t chain;
    } log[FIXTURE_LOG_MAX];
    struct kz_buf story;
    struct {
        uint64_t to;
        Kz__PeerMessage *message; /* owned */
    } sent[FIXTURE_MESSAGES_MAX];
    size_t sent_count;
    struct kz_buf rows; /* what an export gives */
    size_t exported;
    struct kz_snapshot_meta installed;
    struct kz_buf imported;
    uint64_t import_seq; /* of the last rows */
    bool import_open;
    struct kz_import_origin origin; /* as asked for, durable or not */
    struct kz_import_mark mark;
    bool unreachable; /* send_bulk takes nothing */
    bool started, dead, export_open;
    char why[256]; /* of fatal */
};

/* Node `id` of a cluster of `voters` (ids 1..), with the first configuration as entry 1. Not started. */
void fixture_init(struct fixture *f, uint64_t id, unsigned voters);
void fixture_fini(struct fixture *f);
/* Adds a durable command entry before the start. */
void fixture_log(struct fixture *f, uint64_t term, const char *data);
void fixture_start(struct fixture *f);

/* The story since the last call, compared line by line; a line ends with '\n'. */
void fixture_expect(struct fixture *f, const char *story);
void fixture_forget(struct fixture *f); /* story and messages so far */
void fixture_store(struct fixture *f);  /* everything asked for is durable */
void fixture_wait(struct fixture *f, uint64_t ms);
void fixture_timeout(struct fixture *f); /* until the armed timer, and tick */
/* Leader of the next term in a cluster of three: timeout, the vote of `voter`, its own entry durable and acknowledged.
 */
void fixture_lead(struct fixture *f, uint64_t voter);

/* Messages to the replica. */
void fixture_vote_result(struct fixture *f, uint64_t from, uint64_t term, bool granted, bool pre_vote);
void fixture_append_result(struct fixture *f, uint64_t from, uint64_t term, uint64_t last);
/* `count` commands of `term` after prev; data "x". */
void fixture_append(struct fixture *f, uint64_t from, uint64_t term, uint64_t prev, uint64_t prev_term, unsigned count,
                    uint64_t commit);
enum kz_code fixture_receive(struct fixture *f, uint64_t from, const Kz__PeerMessage *message, struct kz_err *err);
/* The last message that has this field, e.g. FIXTURE_LAST(f, append_entries_result)->term; fails when there is none. */
const Kz__PeerMessage *fixture_last(struct fixture *f, size_t field_offset);
#define FIXTURE_LAST(f, field) (fixture_last((f), offsetof(Kz__PeerMessage, field))->field)

#endif
