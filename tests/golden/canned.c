/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/golden/canned.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/cli/files.h"

#define DATA_TIME_MS INT64_C(1768596372000) /* 2026-01-17T05:46:12+09:00 */
#define EVENT_EVERY_MS (10 * 60 * 1000)
#define MEMBERS 3

static char *text(const char *constant) { return (char *)(uintptr_t)constant; } /* only read */

static bool read_records(struct canned *canned, const char *folder, const char *name)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    struct kz_files files;
    Kz__Error *error = kz_files_read(&files, path);
    *canned = (struct canned){.entries = files.entries};
    files.entries = (struct kz_entries){0};
    kz_files_fini(&files);
    if (error) {
        fprintf(stderr, "%s\n", error->what_en);
        for (size_t i = 0; i < error->n_violations; i++)
            fprintf(stderr, "%s %s\n", error->violations[i]->path, error->violations[i]->en);
        kz__error__free_unpacked(error, NULL);
        return false;
    }
    for (size_t i = 0; i < canned->entries.count; i++)
        canned->records[canned->count++] = canned->entries.items[i].record;
    return true;
}

bool canned_read(struct canned *canned, const char *folder)
{
    if (!read_records(canned, folder, "records.yaml")) return false;
    for (size_t i = 0; i < canned->count; i++) {
        Kz__Record *record = canned->records[i];
        record->has_rev = record->has_created_at = record->has_updated_at = true;
        record->rev = 100 + i;
        record->created_at = DATA_TIME_MS - 86400000;
        record->updated_at = DATA_TIME_MS + (int64_t)i;
        record->created_by = strdup("officer");
        record->updated_by = strdup("midorikawa");
        kz_record_derive(record);
    }
    return true;
}

bool canned_read_plan(struct canned *canned, const char *folder)
{
    if (!read_records(canned, folder, "plan.yaml")) return false;
    for (size_t i = 0; i < canned->count; i++)
        kz_record_derive(canned->records[i]);
    return true;
}

bool canned_read_events(struct canned *canned, const char *folder)
{
    if (!read_records(canned, folder, "events.yaml")) return false;
    for (size_t i = 0; i < canned->count; i++) {
        Kz__Record *record = canned->records[i];
        const char *dot = strrchr(record->id, '.');
        record->origin = strndup(record->id, (size_t)(dot - record->id));
        record->has_origin_seq = record->has_noted_at = true;
        record->origin_seq = strtoull(dot + 1, NULL, 10);
        record->noted_at = DATA_TIME_MS + (int64_t)i * EVENT_EVERY_MS;
        record->has_provisional = record->provisional = strncmp(record->id, "remote", 6) == 0;
        record->noted_by = strdup(record->provisional ? "midorikawa" : "officer");
    }
    return true;
}

void canned_free(struct canned *canned) { kz_entries_fini(&canned->entries); }

Kz__Record *canned_find(const struct canned *canned, Kz__Kind kind, const char *id)
{
    for (size_t i = 0; i < canned->count; i++)
        if (canned->records[i]->kind == kind && strcmp(canned->records[i]->id, id) == 0) return canned->records[i];
    return NULL;
}

Kz__Meta canned_meta(bool quorum)
{
    Kz__Meta meta = KZ__META__INIT;
    meta.read = quorum ? KZ__READ_MODE__LINEARIZABLE : KZ__READ_MODE__LOCAL;
    meta.rev = 48211;
    meta.node = text("alternate");
    meta.quorum = quorum;
    meta.has_data_time_ms = meta.has_leader_contact_ms = meta.has_term = meta.has_applied_index = true;
    meta.data_time_ms = DATA_TIME_MS;
    meta.leader_contact_ms = quorum ? 12 : 8040000;
    meta.leader = quorum ? text("main") : NULL;
    meta.term = 7;
    meta.applied_index = 51000;
    meta.cluster = text("tokyo");
    return meta;
}

void canned_status(Kz__Response *response, Kz__Meta *meta, size_t alive, bool diverged)
{
    static const char *const names[MEMBERS] = {"alternate", "main", "remote"};
    static const char *const addresses[MEMBERS] = {"10.0.2.1:7400", "10.0.1.1:7400", "10.0.3.1:7400"};
    static uint8_t hashes[2][8] = {{0xA1, 0xB2, 0xC3, 0xD4, 0xE5, 0xF6, 0x07, 0x18}, {0xFF, 0xEE, 0xDD, 0xCC}};
    static Kz__Member members[MEMBERS], *list[MEMBERS];
    static Kz__KindCount counts[2], *count_list[2];
    static Kz__Status status;
    kz__status__init(&status);
    for (size_t i = 0; i < MEMBERS; i++) {
        kz__member__init(&members[i]);
        members[i].node_id = i + 1;
        members[i].name = text(names[i]);
        members[i].address = text(addresses[i]);
        members[i].has_voter = members[i].has_leader = members[i].has_reachable = true;
        members[i].voter = i != 2;
        members[i].leader = alive > 1 && i == 1;
        members[i].reachable = i < alive;
        members[i].has_contact_ms = i > 0;
        members[i].contact_ms = i < alive ? 40 : 8040000;
        members[i].has_applied_index = members[i].has_state_hash = members[i].has_state_hash_index = i < alive;
        members[i].applied_index = members[i].state_hash_index = 51000;
        members[i].state_hash = (ProtobufCBinaryData){.len = 8, .data = hashes[diverged && i == 1]};
        members[i].version = text("0.1.0");
        list[i] = &members[i];
    }
    for (size_t i = 0; i < 2; i++) {
        kz__kind_count__init(&counts[i]);
        counts[i].kind = i ? KZ__KIND__SYSTEM : KZ__KIND__SITE;
        counts[i].live = i ? 38 : 3;
        counts[i].retired = i ? 2 : 0;
        count_list[i] = &counts[i];
    }
    status.n_members = MEMBERS;
    status.members = list;
    status.n_counts = 2;
    status.counts = count_list;
    status.has_state_hash = status.has_records_hash = true;
    status.records_hash = (ProtobufCBinaryData){.len = 8, .data = hashes[1]};
    status.state_hash = (ProtobufCBinaryData){.len = 8, .data = hashes[0]};
    status.state = text("follower");
    status.version = text("0.1.0");
    status.has_started_ms = true;
    status.started_ms = DATA_TIME_MS - 60000;
    kz__response__init(response);
    response->meta = meta;
    response->status = &status;
}

Kz__Change canned_change(Kz__Mutation__Op op, uint64_t rev, Kz__Record *before, Kz__Record *after)
{
    Kz__Change change = KZ__CHANGE__INIT;
    change.rev = rev;
    change.op = op;
    change.kind = after->kind;
    change.id = after->id;
    change.time_ms = DATA_TIME_MS + 345;
    change.actor = text("officer");
    change.node = text("main");
    change.reason = op == KZ__MUTATION__OP__PUT ? text("人事異動\nのため") : NULL;
    change.before = before;
    change.after = after;
    return change;
}
