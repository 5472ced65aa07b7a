/* SPDX-License-Identifier: Apache-2.0 */
#include "node/registry/incident.h"

#include <stdlib.h>
#include <string.h>

#include "node/base/assert.h"

#define SECOND_MS INT64_C(1000)
#define MINUTE_MS (60 * SECOND_MS)
#define DAY_MS (24 * 60 * MINUTE_MS)
#define JAPAN_OFFSET_MS (9 * 60 * MINUTE_MS)

int64_t kz_event_noted_at(const Kz__Record *event)
{
    if (event->has_noted_at) return event->noted_at;
    return event->has_created_at ? event->created_at : 0;
}

static bool is_provisional(const Kz__Record *event) { return event->has_provisional && event->provisional; }

/* ---- order ---- */

static int compare_numbers(uint64_t a, uint64_t b) { return a < b ? -1 : a > b; }

static int compare_records(const Kz__Record *a, const Kz__Record *b)
{
    int64_t noted_a = kz_event_noted_at(a), noted_b = kz_event_noted_at(b);
    if (noted_a != noted_b) return noted_a < noted_b ? -1 : 1;
    int origins = strcmp(a->origin == NULL ? "" : a->origin, b->origin == NULL ? "" : b->origin);
    if (origins != 0) return origins;
    int numbers = compare_numbers(a->origin_seq, b->origin_seq);
    return numbers != 0 ? numbers : strcmp(a->id, b->id);
}

static int compare_events(const void *a, const void *b)
{
    const struct kz_event *x = a, *y = b;
    return compare_records(x->first, y->first);
}

/* By id; of one id the confirmed copy first. */
static int compare_ids(const void *a, const void *b)
{
    const struct kz_event *x = a, *y = b;
    int ids = strcmp(x->first->id, y->first->id);
    return ids != 0 ? ids : (int)is_provisional(x->first) - (int)is_provisional(y->first);
}

/* ---- corrections ---- */

/* `events` is sorted by id. */
static struct kz_event *find_event(const struct kz_events *events, const char *id)
{
    Kz__Record named = KZ__RECORD__INIT;
    named.id = (char *)(uintptr_t)id; /* compared only */
    struct kz_event key = {.first = &named};
    size_t low = 0, high = events->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(events->items[middle].first->id, key.first->id);
        if (order == 0) return &events->items[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static struct kz_event *corrected_by(const struct kz_events *events, const Kz__Record *correction)
{
    const char *id = kz_event_corrects(correction);
    struct kz_event *target = id == NULL ? NULL : find_event(events, id);
    return target != NULL && target->first->kind == correction->kind ? target : NULL;
}

/* The event at the end of a chain of corrections. Two that name each other, which no rule can see, are no chain: each
 * stands for itself. */
static struct kz_event *root_of(const struct kz_events *events, struct kz_event *event)
{
    struct kz_event *root = event;
    for (size_t steps = 0; steps <= events->count; steps++) {
        struct kz_event *next = corrected_by(events, root->first);
        if (next == NULL) return root;
        root = next;
    }
    return event;
}

static void apply_correction(struct kz_event *root, const Kz__Record *correction)
{
    if (root->now == root->first || compare_records(root->now, correction) < 0) root->now = correction;
}

void kz_events_init(struct kz_events *events, const Kz__Record *const *records, size_t count)
{
    *events = (struct kz_events){.items = kz_must_alloc(count + 1, sizeof(*events->items))};
    for (size_t i = 0; i < count; i++) {
        if (!kz_kind_is_event(records[i]->kind) || kz_record_body(records[i]) == NULL) continue;
        events->items[events->count++].first = records[i];
    }
    if (events->count == 0) return;
    qsort(events->items, events->count, sizeof(*events->items), compare_ids);
    size_t unique = 1;
    for (size_t i = 1; i < events->count; i++)
        if (strcmp(events->items[i].first->id, events->items[unique - 1].first->id) != 0)
            events->items[unique++] = events->items[i];
    events->count = unique;
    for (size_t i = 0; i < unique; i++) {
        events->items[i].now = events->items[i].first;
        events->provisional += is_provisional(events->items[i].first);
    }
    bool *is_correction = kz_must_alloc(unique, sizeof(*is_correction));
    for (size_t i = 0; i < unique; i++) {
        struct kz_event *root = root_of(events, &events->items[i]);
        is_correction[i] = root != &events->items[i];
        if (is_correction[i]) apply_correction(root, events->items[i].first);
    }
    size_t kept = 0;
    for (size_t i = 0; i < unique; i++)
        if (!is_correction[i]) events->items[kept++] = events->items[i];
    free(is_correction);
    events->count = kept;
    for (size_t i = 0; i < kept; i++)
        events->items[i].provisional = is_provisional(events->items[i].now);
    qsort(events->items, kept, sizeof(*events->items), compare_events);
}

void kz_events_fini(struct kz_events *events)
{
    free(events->items);
    *events = (struct kz_events){0};
}

/* ---- the incident ---- */

static const char *text_or(const char *text, const char *otherwise)
{
    return text != NULL && text[0] != '\0' ? text : otherwise;
}

/* What a correction leaves out of the opening stays as it was. */
static void take_opening(struct kz_incident *out, const struct kz_event *event)
{
    const Kz__Incident *first = event->first->incident;
    const Kz__Incident *now = event->now->incident;
    const Kz__Incident *type = now->has_type ? now : first;
    const Kz__Incident *mode = now->has_mode ? now : first;
    const Kz__Incident *occurred = now->has_occurred_at ? now : first;
    const Kz__Incident *noticed = now->has_noticed_at ? now : first;
    out->opening = event->now;
    out->title = text_or(now->title, text_or(first->title, ""));
    out->has_type = type->has_type;
    out->type = type->type;
    out->has_mode = mode->has_mode;
    out->mode = mode->mode;
    out->has_occurred_at = occurred->has_occurred_at;
    out->occurred_at = occurred->occurred_at;
    out->has_noticed_at = noticed->has_noticed_at;
    out->noticed_at = noticed->noticed_at;
}

static void take_decision(struct kz_incident *out, const struct kz_event *event, bool opens)
{
    const Kz__Incident *body = event->now->incident;
    if (!body->has_state) return;
    out->decision = event->now;
    out->state = body->state;
    out->decided_by = text_or(body->decided_by, text_or(event->now->noted_by, ""));
    out->criterion = text_or(body->criterion, "");
    /* The opening's 発生日時 is when it happened, not when it was decided. */
    out->decided_at = !opens && body->has_occurred_at ? body->occurred_at : kz_event_noted_at(event->first);
}

static bool belongs(const struct kz_event *event, const char *id)
{
    const char *incident = kz_event_incident(event->now);
    return incident != NULL && strcmp(incident, id) == 0;
}

bool kz_incident_now(const struct kz_events *events, const char *id, struct kz_incident *out)
{
    bool provisional = false;
    *out = (struct kz_incident){.title = "", .decided_by = "", .criterion = ""};
    for (size_t i = 0; i < events->count; i++) {
        const struct kz_event *event = &events->items[i];
        if (event->first->kind != KZ__KIND__INCIDENT || !belongs(event, id)) continue;
        bool opens = strcmp(event->first->id, id) == 0;
        if (opens) {
            take_opening(out, event);
            provisional = event->provisional;
        }
        take_decision(out, event, opens);
    }
    out->provisional = out->decision != NULL && (provisional || is_provisional(out->decision));
    return out->decision != NULL;
}

/* ---- its systems ---- */

static bool is_up(Kz__StatusReport__State state)
{
    return state == KZ__STATUS_REPORT__STATE__NORMAL || state == KZ__STATUS_REPORT__STATE__RESTORED;
}

/* While an outage goes on: what its start rests on, best first. */
enum basis { BASIS_OCCURRED, BASIS_NOTICED, BASIS_NOTED, BASIS_NONE };

struct tally {
    struct kz_incident_system system;
    enum basis basis;
};

/* The earliest counts: a later, longer-sighted report may move the start back, and time left is never overstated. */
static void count_outage(struct tally *tally, const Kz__StatusReport *report, int64_t noted_at)
{
    struct kz_incident_system *system = &tally->system;
    if (!system->out) tally->basis = BASIS_NONE;
    enum basis basis = report->has_occurred_at ? BASIS_OCCURRED : report->has_noticed_at ? BASIS_NOTICED : BASIS_NOTED;
    int64_t since = basis == BASIS_OCCURRED  ? report->occurred_at
                    : basis == BASIS_NOTICED ? report->noticed_at
                                             : noted_at;
    if (basis < tally->basis || (basis == tally->basis && since < system->since)) {
        tally->basis = basis;
        system->since = since;
    }
    system->has_outage = system->out = true;
}

static void count_report(struct tally *tally, const struct kz_event *event)
{
    const Kz__StatusReport *report = event->now->status;
    struct kz_incident_system *system = &tally->system;
    int64_t noted_at = kz_event_noted_at(event->first);
    if (!is_up(report->state)) {
        count_outage(tally, report, noted_at);
    } else if (system->out) {
        system->out = false;
        system->ended_at = noted_at;
    }
    system->report = event->now;
    system->state = report->state;
    system->confirmed = report->has_confirmed && report->confirmed == KZ__STATUS_REPORT__CONFIRMATION__CONFIRMED;
    system->provisional = event->provisional;
    system->reported_at = kz_event_noted_at(event->now);
    system->has_expected_at = report->has_expected_at;
    system->expected_at = report->expected_at;
    system->reports++;
}

struct place {
    const struct kz_event *event;
    size_t at; /* in the order of events */
};

/* By system, then as they were. */
static int compare_places(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    int systems = strcmp(x->event->now->status->system, y->event->now->status->system);
    return systems != 0 ? systems : compare_numbers(x->at, y->at);
}

static bool counts(const struct kz_event *event, const char *id)
{
    const Kz__StatusReport *report = event->now->status;
    return event->first->kind == KZ__KIND__STATUS && report->has_state && report->system != NULL &&
           (id == NULL || belongs(event, id));
}

struct kz_incident_system *kz_incident_systems(const struct kz_events *events, const char *id, size_t *count)
{
    struct place *places = kz_must_alloc(events->count + 1, sizeof(*places));
    size_t reports = 0;
    for (size_t i = 0; i < events->count; i++)
        if (counts(&events->items[i], id)) places[reports++] = (struct place){&events->items[i], i};
    if (reports > 0) qsort(places, reports, sizeof(*places), compare_places);

    struct kz_incident_system *systems = kz_must_alloc(reports + 1, sizeof(*systems));
    *count = 0;
    for (size_t i = 0; i < reports;) {
        const char *system = places[i].event->now->status->system;
        struct tally tally = {.system = {.system = system}, .basis = BASIS_NONE};
        for (; i < reports && strcmp(places[i].event->now->status->system, system) == 0; i++)
            count_report(&tally, places[i].event);
        systems[(*count)++] = tally.system;
    }
    free(places);
    return systems;
}

/* Towards the past, also below zero. */
static int64_t floor_divide(int64_t value, int64_t by) { return value / by - (value % by < 0); }

struct kz_incident_clock kz_incident_clock(const struct kz_incident_system *system, bool has_rto, int64_t rto_s,
                                           int64_t now_ms)
{
    struct kz_incident_clock clock = {0};
    if (!system->has_outage) return clock;
    int64_t elapsed_ms = (system->out ? now_ms : system->ended_at) - system->since;
    if (elapsed_ms < 0) elapsed_ms = 0; /* clocks of two sites differ */
    clock.has_elapsed = true;
    clock.elapsed_s = elapsed_ms / SECOND_MS;
    clock.has_left = has_rto;
    if (has_rto) clock.left_s = floor_divide(rto_s * SECOND_MS - elapsed_ms, SECOND_MS);
    return clock;
}

/* ---- fixed report hours ---- */

const int kz_report_minutes[KZ_REPORT_HOURS] = {8 * 60 + 15, 12 * 60, 16 * 60};

int64_t kz_incident_next_report(int64_t now_ms, const int *minutes, size_t count)
{
    int64_t midnight_ms = floor_divide(now_ms + JAPAN_OFFSET_MS, DAY_MS) * DAY_MS - JAPAN_OFFSET_MS;
    int64_t next_ms = INT64_MAX;
    kz_assert(count > 0);
    for (size_t i = 0; i < count; i++) {
        kz_assert(minutes[i] >= 0 && minutes[i] < 24 * 60);
        int64_t at_ms = midnight_ms + minutes[i] * MINUTE_MS;
        if (at_ms < now_ms) at_ms += DAY_MS;
        if (at_ms < next_ms) next_ms = at_ms;
    }
    return next_ms;
}
