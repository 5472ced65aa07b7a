/* SPDX-License-Identifier: Apache-2.0 */
/* What the events of an incident say now: its state and who decided it, and the state of each system with the time
 * left against its RTO. For `keizoku board`, `incident show` and reports. Reads no clock: the caller says when "now"
 * is.
 *
 * Order: by noted_at, then origin, then origin_seq (an event without noted_at counts by created_at). So what was noted
 * at 05:50 in a site that was cut off does not override what was noted at 07:00, whenever it arrives.
 * A correction stands in the place of the event it names; of several, the last noted counts. A correction whose event
 * is not known stands for itself.
 *
 * Pure; any thread. Everything that points into a record is borrowed from the records given, and lives as long. */
#ifndef KZ_REGISTRY_INCIDENT_H
#define KZ_REGISTRY_INCIDENT_H

#include "node/registry/event.h"

/* One event, after corrections. */
struct kz_event {
    const Kz__Record *first; /* as it was first noted: its id, its place in the order */
    const Kz__Record *now;   /* `first`, or the correction that counts */
    bool provisional;        /* `now` is 未確定 */
};

struct kz_events {
    struct kz_event *items; /* owned; in order */
    size_t count;
    size_t provisional; /* how many of the records given are 未確定, each id once */
};

/* Sorts, and applies corrections. Any events in any order, of several incidents too; other kinds are skipped; an id
 * that comes twice counts once, confirmed before provisional. Out of memory ends the process. kz_events_fini. */
void kz_events_init(struct kz_events *events, const Kz__Record *const *records, size_t count);
void kz_events_fini(struct kz_events *events);

/* When the event was noted, ms UTC. */
int64_t kz_event_noted_at(const Kz__Record *event);

/* ---- the incident ---- */

struct kz_incident {
    const Kz__Record *opening; /* after corrections; NULL: not among the events, then type and mode are not known */
    const char *title;         /* "" when not known */
    bool has_type, has_mode, has_occurred_at, has_noticed_at;
    Kz__Incident__Type type;
    Kz__Incident__Mode mode;
    int64_t occurred_at, noticed_at;

    const Kz__Record *decision; /* the event that the state rests on; NULL: no event of this incident */
    Kz__Incident__State state;  /* of `decision` */
    const char *decided_by;     /* as noted, else who noted it, else "" */
    const char *criterion;      /* "" when none was noted */
    int64_t decided_at;         /* of a transition occurred_at when it is given; else noted_at */
    bool provisional;           /* `decision` or `opening` is 未確定 */
};

/* False: no event of kind incident belongs to `id`; `out` is empty then. */
bool kz_incident_now(const struct kz_events *events, const char *id, struct kz_incident *out);

/* ---- its systems ---- */

struct kz_incident_system {
    const char *system;       /* id */
    const Kz__Record *report; /* the latest, after corrections */
    Kz__StatusReport__State state;
    bool confirmed;      /* 確認済; absent counts as 未確認 */
    bool provisional;    /* `report` is 未確定 */
    int64_t reported_at; /* noted_at of `report` */
    bool has_expected_at;
    int64_t expected_at; /* 復旧見込日時 of `report`; not of earlier ones: what is no longer said is no longer known */
    size_t reports;

    bool out;        /* an outage goes on: the last report is neither NORMAL nor RESTORED */
    bool has_outage; /* one goes on, or was there */
    int64_t since; /* start of the last outage: the earliest 発生日時 its reports give, else the earliest 覚知日時,
                    * else when the first of them was noted */
    int64_t ended_at; /* when the report that ended it was noted; unless `out` */
};

/* Every system that a status report of this incident names, by id. Owned by the caller: free(). Out of memory ends the
 * process. `id` NULL: reports of all incidents and of none. */
struct kz_incident_system *kz_incident_systems(const struct kz_events *events, const char *id, size_t *count);

/* MODEL §3: time left = RTO - elapsed since 発生日時. */
struct kz_incident_clock {
    bool has_elapsed;  /* has_outage */
    int64_t elapsed_s; /* until now_ms, or until it ended; never negative */
    bool has_left;     /* has_elapsed and an RTO */
    int64_t left_s;    /* negative: missed by so much. A part of a second late is late: rounded down */
};

/* `rto_s` from the system's record; `has_rto` false when that has none or is not known. */
struct kz_incident_clock kz_incident_clock(const struct kz_incident_system *system, bool has_rto, int64_t rto_s,
                                           int64_t now_ms);

/* ---- fixed report hours, N 3(4) ---- */

#define KZ_REPORT_HOURS 3
/* 8時15分, 12時00分, 16時00分, as minutes of the day in Japan. */
extern const int kz_report_minutes[KZ_REPORT_HOURS];

/* The first fixed hour at or after now_ms, ms UTC. `minutes`: 0 to 1439, any order, at least one. */
int64_t kz_incident_next_report(int64_t now_ms, const int *minutes, size_t count);

#endif
