/* SPDX-License-Identifier: Apache-2.0 */
/* What keeps a registry from being ready for the worst day: every finding of MODEL 4, from ONE table of rules, each
 * with its name, severity, citation and advice. Reads no clock: the caller says when "now" is. Decides nothing about
 * what may be stored; that is record.h.
 * Pure; any thread. Everything that points into a record is borrowed from the records given. Out of memory ends the
 * process. */
#ifndef KZ_REGISTRY_DOCTOR_H
#define KZ_REGISTRY_DOCTOR_H

#include "node/registry/graph.h"

enum kz_severity { KZ_SEVERITY_INFO, KZ_SEVERITY_WARNING, KZ_SEVERITY_ERROR };

struct kz_examination; /* doctor_rules.h */

struct kz_doctor_rule {
    const char *name; /* stable: "backup.stale" */
    enum kz_severity severity;
    Kz__Kind kind; /* of the record that a finding is about; what concerns several kinds: see the finding */
    const char *source;
    struct kz_text problem; /* {1} to {3}: the finding's arguments */
    struct kz_text advice;
    void (*check)(struct kz_examination *examination);
};

/* By severity, gravest first, then as MODEL 4 has them. */
const struct kz_doctor_rule *kz_doctor_rules(size_t *count);
const struct kz_text *kz_severity_label(enum kz_severity severity);

enum kz_finding_arg_type {
    KZ_FINDING_NOTHING,
    KZ_FINDING_TEXT,
    KZ_FINDING_WORDS, /* in both languages */
    KZ_FINDING_RECORD,
    KZ_FINDING_DURATION, /* seconds */
    KZ_FINDING_NUMBER,
    KZ_FINDING_DAY, /* since 1970-01-01 */
};

struct kz_finding_arg {
    enum kz_finding_arg_type type;
    const char *text; /* borrowed from a record, or the finding's `owned` */
    const struct kz_text *words;
    const Kz__Record *record;
    int64_t number;
};

#define KZ_FINDING_ARGS_MAX 3

struct kz_finding {
    const struct kz_doctor_rule *rule;
    Kz__Kind kind;
    const Kz__Record *record; /* NULL: about all records of `kind` together */
    struct kz_finding_arg args[KZ_FINDING_ARGS_MAX];
    char *owned; /* a text that stands in no record; NULL: none */
};

struct kz_findings {
    struct kz_finding *items; /* owned; gravest first, in the order of the table */
    size_t count;
    struct kz_set set; /* what was examined, without what is retired */
};

/* All live records of one revision: what another names and is not among them is retired. Of events the kinds incident
 * and report. `now_ms` UTC. O(n log n). kz_findings_fini. */
void kz_doctor_examine(struct kz_findings *findings, const Kz__Record *const *records, size_t count, int64_t now_ms);
void kz_findings_fini(struct kz_findings *findings);

/* What is wrong, one sentence without a stop. */
void kz_finding_problem(struct kz_buf *out, const struct kz_finding *finding, bool japanese);

/* The organisation that has to act: the record's own owner, or that of the system it belongs to; NULL: nobody's. */
const char *kz_record_owner(const struct kz_set *set, const Kz__Record *record);
/* True when the owner is `org` or belongs to it. */
bool kz_record_owned_by(const struct kz_set *set, const Kz__Record *record, const char *org);

#endif
