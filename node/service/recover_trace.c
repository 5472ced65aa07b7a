/* SPDX-License-Identifier: Apache-2.0 */
#include "node/service/recover_trace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/base/assert.h"
#include "node/base/log.h"
#include "node/registry/incident.h"
#include "node/service/lineage.h"
#include "node/service/node_parts.h"
#include "node/service/outbox_io.h"
#include "node/service/recover.h"
#include "node/service/replica_io.h"

#define INCIDENTS_MAX 1000u /* looked through for one that is open */
#define TEXT_BYTES 1024u

struct found {
    Kz__Record *records[INCIDENTS_MAX]; /* owned */
    size_t count;
};

static bool take_incident(void *data, const Kz__Record *record)
{
    struct found *found = data;
    Kz__Record *copy = kz_record_dup(record);
    kz_assert(copy != NULL);
    found->records[found->count++] = copy;
    return found->count < INCIDENTS_MAX;
}

/* The newest incident that is not closed; "" when there is none. */
static enum kz_code find_open(struct kz_node *node, char id[KZ_ID_MAX_BYTES + 1], struct kz_err *err)
{
    struct found *found = kz_must_alloc(1, sizeof *found);
    struct kz_events events;
    struct kz_view *view;
    id[0] = '\0';
    enum kz_code code = kz_view_open(node->store, &view, err);
    if (code == KZ_OK) {
        code = kz_view_list(view, KZ__KIND__INCIDENT, NULL, false, take_incident, found, err);
        kz_view_close(view);
    }
    kz_events_init(&events, (const Kz__Record *const *)found->records, found->count);
    for (size_t i = 0; i < events.count; i++) {
        struct kz_incident now;
        const Kz__Record *first = events.items[i].first;
        if (!kz_event_opens(first) || !kz_incident_now(&events, first->id, &now)) continue;
        if (now.state != KZ__INCIDENT__STATE__CLOSED) snprintf(id, KZ_ID_MAX_BYTES + 1, "%s", first->id);
    }
    kz_events_fini(&events);
    for (size_t i = 0; i < found->count; i++)
        kz__record__free_unpacked(found->records[i], NULL);
    free(found);
    return code;
}

static void make_text(const Kz__RecoverPoint *point, char text[TEXT_BYTES])
{
    const char *first = point->n_approvers > 0 ? point->approvers[0] : "?";
    const char *second = point->n_approvers > 1 ? point->approvers[1] : "(単独/alone)";
    snprintf(
        text, TEXT_BYTES,
        "過半数の恒久喪失により、ノード %s の保存データ(索引 %llu まで)からクラスターを再建しました。"
        "エポック %llu、計画 %s、承認 %s・%s、保全先 %s%s / The majority was lost for good; the cluster goes on from "
        "node %s as epoch %llu.",
        point->node, (unsigned long long)point->index, (unsigned long long)point->epoch, point->plan, first, second,
        point->archive ? point->archive : "-", point->older ? "、より新しいノードを使わない判断あり" : "", point->node,
        (unsigned long long)point->epoch);
}

static Kz__Record *make_entry(const char *incident, const char *actor, char *text)
{
    Kz__Record *record = kz_record_new(KZ__KIND__ENTRY, "x");
    kz_assert(record != NULL);
    record->entry->incident = kz_must_strdup(incident);
    record->entry->has_type = true;
    record->entry->type = KZ__TIMELINE_ENTRY__TYPE__DECISION;
    record->entry->text = kz_must_strdup(text);
    record->entry->actor = kz_must_strdup(actor);
    return record;
}

static Kz__Record *make_incident(const char *actor, char *text)
{
    Kz__Record *record = kz_record_new(KZ__KIND__INCIDENT, "x");
    kz_assert(record != NULL);
    record->incident->title = kz_must_strdup("継続台帳の過半数喪失 / majority of the registry lost");
    record->incident->has_type = record->incident->has_mode = record->incident->has_state = true;
    record->incident->type = KZ__INCIDENT__TYPE__EQUIPMENT;
    record->incident->mode = KZ__INCIDENT__MODE__ACTUAL;
    record->incident->state = KZ__INCIDENT__STATE__ALERT;
    record->incident->decided_by = kz_must_strdup(actor);
    record->incident->text = kz_must_strdup(text);
    return record;
}

/* The note is stored before the key is dropped: cut off in between, it is told twice, never not at all. */
static void tell(struct kz_node *node, const Kz__RecoverPoint *point, const char *incident)
{
    char text[TEXT_BYTES], reason[KZ_REASON_MAX_BYTES];
    const char *actor = point->n_approvers > 0 ? point->approvers[0] : "?";
    make_text(point, text);
    snprintf(reason, sizeof reason, "recovered: epoch %llu, plan %s, approved by %s%s%s",
             (unsigned long long)point->epoch, point->plan, actor, point->n_approvers > 1 ? " and " : " (alone)",
             point->n_approvers > 1 ? point->approvers[1] : "");
    Kz__Record *record = incident[0] ? make_entry(incident, actor, text) : make_incident(actor, text);
    if (kz_outbox_io_record(node, actor, reason, record))
        (void)kz_replica_io_put_local(node, KZ_RECOVER_TRACE_KEY, NULL, 0);
    else
        kz_log_error("recover.trace", "text=\"the beginning of the epoch could not be recorded\"");
    node->untold_epoch = 0;
    kz__record__free_unpacked(record, NULL);
}

void kz_recover_trace(struct kz_node *node)
{
    char incident[KZ_ID_MAX_BYTES + 1];
    struct kz_err err = {0};
    if (node->untold_epoch == 0 || !kz_node_is_leader(node) || !kz_node_has_quorum(node)) return;
    const Kz__RecoverPoint *point = kz_lineage_point(node->lineage, node->untold_epoch);
    if (!point) {
        node->untold_epoch = 0;
        return;
    }
    if (find_open(node, incident, &err) != KZ_OK) {
        kz_log_error("recover.trace", "error=\"%s\"", err.text);
        return;
    }
    tell(node, point, incident);
}
