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
    uint64_t base_rev; /* the state's revision before this command */
    uint64_t rev;      /* after it, when it succeeded; else the same */

    struct kz_staged *items;
    size_t count;
    uint32_t *slots; /* open addressing by key: item + 1, the latest per record; 0 = free */
    size_t slot_mask;
    size_t touched_bytes; /* stored records this command read to change them */
    uint64_t rewinds;     /* records that apply brings back beside the items (rewind.h) */

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

/* ---- for those who decide a part of it (stage_revert.c, stage_move.c, rewind.c) ---- */

/* `memory`; when it is NULL the command fails for want of memory. */
void *kz_stage_claim(struct kz_stage *stage, void *memory);
/* "system/juki.rto", in the scratch; NULL: no memory. */
const char *kz_stage_path(struct kz_stage *stage, Kz__Kind kind, const char *id, const char *field);
void kz_stage_violate(struct kz_stage *stage, const Kz__Mutation *mutation, const char *field, const char *rule,
                      const char *en, const char *ja);
/* The outcome is `code`, with the violations found. */
void kz_stage_refuse(struct kz_stage *stage, enum kz_code code);
/* Adds the owner of a REFS row to the outcome's referrers. */
void kz_stage_name_referrer(struct kz_stage *stage, const struct kz_key *referrer);
/* False: more records would be retired than may be without being told how many; refused. */
bool kz_stage_may_retire(struct kz_stage *stage, uint64_t count);
void kz_stage_stamp(struct kz_stage *stage, Kz__Record *record); /* revision, reason, who and when */
enum kz_code kz_stage_revert(struct kz_stage *stage, struct kz_staged *item) KZ_MUST_CHECK;
void kz_stage_move(struct kz_stage *stage, struct kz_staged *item); /* a live runbook, to mutation->to_state */
bool kz_stage_is_live(const Kz__Record *record);                    /* NULL: no */

#endif
