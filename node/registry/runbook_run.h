/* SPDX-License-Identifier: Apache-2.0 */
/* A runbook that is carried out: what its ticks say now. A run is known by the id of the tick that began it (result
 * BEGUN, no step), which names the runbook and the revision whose text is carried out; nothing else is kept, so a run
 * begun at one site goes on wherever the events are, with or without a quorum.
 *
 * Events in any order, twice, and from several runs are fine: kz_events sorts them. What was noted last about a step
 * counts. A tick that names no run belongs to the latest run of its runbook and incident that began before it.
 *
 * Reads no clock. Pure; any thread. Texts and records are borrowed from the events and the runbook, and live as long.
 */
#ifndef KZ_REGISTRY_RUNBOOK_RUN_H
#define KZ_REGISTRY_RUNBOOK_RUN_H

#include "node/registry/incident.h"

enum kz_run_state { KZ_RUN_WAITING, KZ_RUN_BEGUN, KZ_RUN_DONE, KZ_RUN_SKIPPED, KZ_RUN_FAILED };

struct kz_run_step {
    const Kz__Runbook__Step *step;
    enum kz_run_state state;
    const Kz__Record *last;            /* the tick that `state` rests on, after corrections; NULL: waiting */
    const char *by;                    /* who is on it, or did it: as noted, else who noted it; "" */
    const char *evidence, *permission; /* of `last`; "" */
    int64_t since;                     /* begun, else when the tick before its result was noted; unless waiting */
    int64_t ended_at;                  /* unless waiting or begun */
    size_t notes;
    bool out_of_order; /* of `last` */
    bool provisional;  /* `last` is 未確定 */
};

struct kz_run {
    const Kz__Record *start; /* after corrections; its `first` names the run */
    const char *id;
    const char *runbook;  /* id */
    const char *incident; /* id; "" */
    const char *by;       /* who began it */
    int64_t started_at;
    int64_t moved_at;          /* when the last tick of it was noted */
    struct kz_run_step *steps; /* owned; as the runbook's */
    size_t count;
    size_t done, skipped, failed, begun; /* steps in that state */
    size_t next;        /* number of the first step that is neither done nor skipped; 0: none, the run is finished */
    int64_t expected_s; /* of all steps together */
    size_t provisional; /* ticks of it that are 未確定, the start among them */
};

/* The tick that begins a run. */
bool kz_run_begins(const Kz__Record *event);
/* The ticks that began runs, in order; of one incident unless `incident` is NULL. free(). Out of memory ends the
 * process. */
const struct kz_event **kz_runs(const struct kz_events *events, const char *incident, size_t *count);

/* The revision of the runbook that the run carries out. */
uint64_t kz_run_revision(const Kz__Record *start);

/* `runbook`: as it stood at kz_run_revision. False: no tick of that id begins a run; `run` is empty then. kz_run_fini.
 */
bool kz_run_init(struct kz_run *run, const struct kz_events *events, const char *id, const Kz__Record *runbook);
void kz_run_fini(struct kz_run *run);

/* Time on a step until it ended, else until now; of the next step that nobody has begun, since the last tick. */
struct kz_run_clock {
    bool has_elapsed;
    int64_t elapsed_s; /* never negative */
    bool late;         /* longer than expected */
};
struct kz_run_clock kz_run_clock(const struct kz_run *run, size_t number, int64_t now_ms);

/* What one tick must bring, by the runbook whose step it is (the revision that is carried out): evidence where it comes
 * first, a permission or decision at stop and decision points, and a step that there is. Other results than DONE and
 * SKIPPED need nothing. */
void kz_run_check_tick(const Kz__Record *tick, const Kz__Record *runbook, struct kz_violations *violations);

#endif
