/* SPDX-License-Identifier: Apache-2.0 */
/* Private to node/store: the rules of one command. Staging reads the state and decides everything (outcome, new
 * records, revisions) in memory; nothing is written, so a refused command costs no clean-up and a dry run
 * (kz_view_try) is the same code. apply.c then writes what was staged. Pure but for reads: no clock, random, locale. */
#ifndef KZ_STORE_STAGE_H
#define KZ_STORE_STAGE_H

#include "node/registry/record.h"
#include "node/store/internal.h"

/* One mutation's effect on one record. Memory is the scratch's, until its next reset. */
struct kz_staged {
    const Kz__Mutation *mutation;
    struct kz_key key;
    const Kz__Record *before; /* NULL = there was none */
    struct kz_bytes before_bytes;
    Kz__Record *after;
    struct kz_bytes after_bytes; /* canonical */
    size_t after_offset;         /* of after_bytes in scratch->encoded, while that still grows */
    bool unchanged;              /* nothing to write; `after` is what is stored */
    bool last;                   /* no later mutation of this command touches the same record */
    uint64_t rev;                /* of `after` */
};

struct kz_stage {
    const struct kz_scope *scope;
    struct kz_scratch *scratch;
    const Kz__Command *command;
    int64_t time_ms;
    uint64_t rev; /* in: the state's revision; out: after this command, when it succeeded */

    struct kz_staged *items;
    size_t count;
    uint32_t *slots; /* open addressing by key: item + 1, the latest per record; 0 = free */
    size_t slot_mask;
    size_t touched_bytes; /* stored records this command read to change them */

    struct kz_violations violations;
    Kz__Outcome outcome;  /* filled by kz_stage_run; parts are borrowed from the fields above */
    enum kz_code failure; /* an operating error inside a callback */
    struct kz_err *err;
};

/* Decides. Returns KZ_OK also when the command is refused: that is in `outcome`. `index` is for the outcome only.
 * Call kz_stage_fini when done with the outcome; scratch is reset by the caller. */
enum kz_code kz_stage_run(struct kz_stage *stage, const struct kz_scope *scope, struct kz_scratch *scratch,
                          const Kz__Command *command, int64_t time_ms, uint64_t rev, uint64_t index,
                          struct kz_err *err) KZ_MUST_CHECK;
void kz_stage_fini(struct kz_stage *stage);

#endif
