/* SPDX-License-Identifier: Apache-2.0 */
/* One screen: who is alive, who leads, how current the data is, what is in it, what needs attention. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "client/cli/show.h"
#include "client/codec/encode.h"
#include "client/codec/width.h"
#include "node/base/assert.h"
#include "node/registry/when.h"

#define NUMBER_TEXT_BYTES 24
#define GAP_COLUMNS 2

static json_t *encode_bytes(bool present, ProtobufCBinaryData bytes)
{
    return present ? kz_show_hex(bytes) : json_null();
}

static json_t *encode_u64(bool present, uint64_t number)
{
    return present ? json_integer((json_int_t)number) : json_null();
}

/* The node that answers is alive, whatever it says about itself. */
static bool is_alive(const Kz__Member *member, const Kz__Meta *meta)
{
    return (member->has_reachable && member->reachable) || (meta && strcmp(member->name, meta->node) == 0);
}

static const struct {
    const char *word;
    enum kz_text_id text;
} refusals[] = {
    [KZ__REFUSAL__REFUSED_OTHER] = {"other", KZ_T_REFUSED_OTHER},
    [KZ__REFUSAL__REFUSED_CLUSTER] = {"cluster", KZ_T_REFUSED_CLUSTER},
    [KZ__REFUSAL__REFUSED_EPOCH] = {"epoch", KZ_T_REFUSED_EPOCH},
    [KZ__REFUSAL__REFUSED_IDENTITY] = {"identity", KZ_T_REFUSED_IDENTITY},
    [KZ__REFUSAL__REFUSED_WIPED] = {"wiped", KZ_T_REFUSED_WIPED},
    [KZ__REFUSAL__REFUSED_REMOVED] = {"removed", KZ_T_REFUSED_REMOVED},
    [KZ__REFUSAL__REFUSED_CERTIFICATE] = {"certificate", KZ_T_REFUSED_CERTIFICATE},
};

/* A newer node may know more of them. */
static size_t number_of(const Kz__Member *member)
{
    size_t number = (size_t)member->refusal;
    return number < sizeof refusals / sizeof refusals[0] && refusals[number].word ? number : KZ__REFUSAL__REFUSED_OTHER;
}

static bool is_refused(const Kz__Member *member, const Kz__Meta *meta)
{
    return member->has_refusal && member->refusal != KZ__REFUSAL__NOT_REFUSED && !is_alive(member, meta);
}

json_t *kz_show_member_json(const Kz__Member *member, const Kz__Meta *meta)
{
    json_t *object = json_object();
    kz_show_set(object, "node_id", json_integer((json_int_t)member->node_id));
    kz_show_set(object, "name", kz_show_string(member->name));
    kz_show_set(object, "address", kz_show_string(member->address));
    kz_show_set(object, "voter", json_boolean(member->voter));
    kz_show_set(object, "observer", json_boolean(member->has_observer && member->observer));
    kz_show_set(object, "leader", json_boolean(member->leader));
    kz_show_set(object, "reachable", json_boolean(is_alive(member, meta)));
    kz_show_set(object, "contact_ms", member->has_contact_ms ? json_integer(member->contact_ms) : json_null());
    kz_show_set(object, "match_index", encode_u64(member->has_match_index, member->match_index));
    kz_show_set(object, "applied_index", encode_u64(member->has_applied_index, member->applied_index));
    kz_show_set(object, "state_hash", encode_bytes(member->has_state_hash, member->state_hash));
    kz_show_set(object, "state_hash_index", encode_u64(member->has_state_hash_index, member->state_hash_index));
    kz_show_set(object, "version", member->version ? kz_show_string(member->version) : json_null());
    kz_show_set(object, "refusal",
                is_refused(member, meta) ? json_string(refusals[number_of(member)].word) : json_null());
    kz_show_set(object, "refused_by_it",
                json_boolean(is_refused(member, meta) && member->has_refused_by_it && member->refused_by_it));
    return object;
}

static json_t *encode_count(const Kz__KindCount *count)
{
    json_t *object = json_object();
    kz_show_set(object, "kind", kz_show_string(kz_show_kind(count->kind)));
    kz_show_set(object, "live", json_integer((json_int_t)count->live));
    kz_show_set(object, "retired", json_integer((json_int_t)count->retired));
    return object;
}

static json_t *encode_status(const Kz__Status *status, const Kz__Meta *meta)
{
    json_t *object = json_object(), *members = json_array(), *counts = json_array();
    for (size_t i = 0; i < status->n_members; i++)
        kz_assert(json_array_append_new(members, kz_show_member_json(status->members[i], meta)) == 0);
    for (size_t i = 0; i < status->n_counts; i++)
        kz_assert(json_array_append_new(counts, encode_count(status->counts[i])) == 0);
    kz_show_set(object, "meta", kz_show_meta(meta));
    kz_show_set(object, "members", members);
    kz_show_set(object, "counts", counts);
    kz_show_set(object, "state", status->state ? kz_show_string(status->state) : json_null());
    kz_show_set(object, "state_hash", encode_bytes(status->has_state_hash, status->state_hash));
    kz_show_set(object, "records_hash", encode_bytes(status->has_records_hash, status->records_hash));
    kz_show_set(object, "audit_head", encode_bytes(status->has_audit_head, status->audit_head));
    kz_show_set(object, "first_index", encode_u64(status->has_first_index, status->first_index));
    kz_show_set(object, "last_index", encode_u64(status->has_last_index, status->last_index));
    kz_show_set(object, "commit_index", encode_u64(status->has_commit_index, status->commit_index));
    kz_show_set(object, "database_bytes", encode_u64(status->has_database_bytes, status->database_bytes));
    kz_show_set(object, "free_bytes", encode_u64(status->has_free_bytes, status->free_bytes));
    kz_show_set(object, "started", status->has_started_ms ? kz_show_time(status->started_ms) : json_null());
    kz_show_set(object, "version", status->version ? kz_show_string(status->version) : json_null());
    return object;
}

/* ---- the screen ---- */

enum kz_text_id kz_show_member_state(const Kz__Member *member, const Kz__Meta *meta)
{
    if (is_refused(member, meta)) return KZ_T_STATUS_MEMBER_REFUSED;
    if (!is_alive(member, meta)) return KZ_T_STATUS_MEMBER_DEAD;
    return member->has_leader && member->leader ? KZ_T_STATUS_MEMBER_LEADER : KZ_T_STATUS_MEMBER_ALIVE;
}

static void add_row(const struct kz_view *view, struct kz_buf *out, enum kz_text_id label, const char *value)
{
    static const enum kz_text_id labels[] = {KZ_T_STATUS_CLUSTER, KZ_T_STATUS_QUORUM, KZ_T_STATUS_LEADER,
                                             KZ_T_STATUS_FRESH,   KZ_T_STATUS_HASH,   KZ_T_STATUS_RECORDS_HASH,
                                             KZ_T_STATUS_ANSWERED};
    size_t widest = 0;
    for (size_t i = 0; i < sizeof labels / sizeof labels[0]; i++) {
        size_t width = kz_width(kz_text(labels[i], view->japanese), view->ambiguous);
        if (width > widest) widest = width;
    }
    const char *text = kz_text(label, view->japanese);
    kz_buf_add_text(out, text);
    kz_width_add_spaces(out, widest - kz_width(text, view->ambiguous) + GAP_COLUMNS);
    kz_width_add_safe(out, value, false);
    kz_buf_add_text(out, "\n");
}

static void add_filled(const struct kz_view *view, struct kz_buf *out, enum kz_text_id label, enum kz_text_id text,
                       const char *const *args, size_t count)
{
    struct kz_buf value;
    kz_buf_init(&value, 0);
    kz_text_fill(&value, text, view->japanese, args, count);
    add_row(view, out, label, kz_buf_text(&value));
    kz_buf_fini(&value);
}

static void print_freshness(const struct kz_view *view, const Kz__Meta *meta, struct kz_buf *out)
{
    char rev[NUMBER_TEXT_BYTES];
    snprintf(rev, sizeof rev, "%" PRIu64, meta->rev);
    struct kz_buf time, contact;
    kz_buf_init(&time, 0);
    kz_buf_init(&contact, 0);
    kz_show_freshness(view, meta, &time, &contact);
    add_filled(view, out, KZ_T_STATUS_FRESH, meta->quorum ? KZ_T_STATUS_FRESH_NOW : KZ_T_STATUS_FRESH_OLD,
               KZ_TEXT_ARGS(rev, kz_buf_text(&time), kz_buf_text(&contact)));
    kz_buf_fini(&time);
    kz_buf_fini(&contact);
}

static void print_head(const struct kz_view *view, const Kz__Status *status, const Kz__Meta *meta, struct kz_buf *out)
{
    char alive_text[NUMBER_TEXT_BYTES], all_text[NUMBER_TEXT_BYTES], term[NUMBER_TEXT_BYTES];
    size_t alive = 0, voters = 0;
    for (size_t i = 0; i < status->n_members; i++) {
        if (!status->members[i]->has_voter || !status->members[i]->voter) continue;
        voters++;
        if (is_alive(status->members[i], meta)) alive++;
    }
    snprintf(alive_text, sizeof alive_text, "%zu", alive);
    snprintf(all_text, sizeof all_text, "%zu", voters);
    snprintf(term, sizeof term, "%" PRIu64, meta->term);
    add_row(view, out, KZ_T_STATUS_CLUSTER, meta->cluster ? meta->cluster : "?");
    add_filled(view, out, KZ_T_STATUS_QUORUM, meta->quorum ? KZ_T_STATUS_QUORUM_YES : KZ_T_STATUS_QUORUM_NO,
               KZ_TEXT_ARGS(alive_text, all_text));
    const char *leader = meta->leader && *meta->leader ? meta->leader : kz_text(KZ_T_STATUS_NO_LEADER, view->japanese);
    add_filled(view, out, KZ_T_STATUS_LEADER, KZ_T_STATUS_TERM, KZ_TEXT_ARGS(leader, term));
    print_freshness(view, meta, out);
    struct kz_buf hash;
    kz_buf_init(&hash, 0);
    kz_show_short_hash(&hash, status->has_state_hash, status->state_hash);
    add_row(view, out, KZ_T_STATUS_HASH, kz_buf_text(&hash));
    kz_buf_clear(&hash);
    kz_show_short_hash(&hash, status->has_records_hash, status->records_hash);
    add_row(view, out, KZ_T_STATUS_RECORDS_HASH, kz_buf_text(&hash));
    add_row(view, out, KZ_T_STATUS_ANSWERED, meta->node);
    kz_buf_fini(&hash);
}

static void add_state(const struct kz_view *view, const Kz__Member *member, const Kz__Meta *meta, struct kz_grid *grid)
{
    enum kz_text_id text = kz_show_member_state(member, meta);
    if (member->has_voter && !member->voter) {
        struct kz_buf state;
        kz_buf_init(&state, 0);
        kz_text_fill(&state, member->has_observer && member->observer ? KZ_T_STATUS_OBSERVER : KZ_T_STATUS_STANDBY,
                     view->japanese, KZ_TEXT_ARGS(kz_text(text, view->japanese)));
        kz_grid_add_cell(grid, kz_buf_text(&state));
        kz_buf_fini(&state);
        return;
    }
    kz_grid_add_cell(grid, kz_text(text, view->japanese));
}

void kz_show_member_contact(const struct kz_view *view, const Kz__Member *member, const Kz__Meta *meta,
                            struct kz_buf *out)
{
    if (strcmp(member->name, meta->node) == 0)
        kz_buf_add_text(out, kz_text(KZ_T_STATUS_MEMBER_SELF, view->japanese));
    else if (member->has_contact_ms)
        kz_show_ago(view, out, member->contact_ms);
    else
        kz_buf_add_text(out, kz_text(KZ_T_NEVER, view->japanese));
}

static void add_member(const struct kz_view *view, const Kz__Member *member, const Kz__Meta *meta, struct kz_grid *grid)
{
    char applied[NUMBER_TEXT_BYTES] = "";
    if (member->has_applied_index) snprintf(applied, sizeof applied, "%" PRIu64, member->applied_index);
    struct kz_buf contact, hash;
    kz_buf_init(&contact, 0);
    kz_buf_init(&hash, 0);
    kz_show_member_contact(view, member, meta, &contact);
    kz_show_short_hash(&hash, member->has_state_hash, member->state_hash);
    kz_grid_add_cell(grid, member->name);
    kz_grid_add_cell(grid, member->address);
    add_state(view, member, meta, grid);
    kz_grid_add_cell(grid, kz_buf_text(&contact));
    kz_grid_add_cell(grid, applied);
    kz_grid_add_cell(grid, kz_buf_text(&hash));
    if (view->output != KZ_OUTPUT_TABLE) kz_grid_add_cell(grid, member->version ? member->version : "");
    kz_buf_fini(&contact);
    kz_buf_fini(&hash);
}

static void print_members(const struct kz_view *view, const Kz__Status *status, const Kz__Meta *meta,
                          struct kz_buf *out)
{
    struct kz_grid grid = {0};
    kz_show_add_column(view, &grid, KZ_T_COLUMN_NODE, false);
    kz_show_add_column(view, &grid, KZ_T_COLUMN_ADDRESS, false);
    kz_show_add_column(view, &grid, KZ_T_COLUMN_STATE, false);
    kz_show_add_column(view, &grid, KZ_T_COLUMN_CONTACT, false);
    kz_show_add_column(view, &grid, KZ_T_COLUMN_APPLIED, true);
    kz_show_add_column(view, &grid, KZ_T_COLUMN_HASH, false);
    if (view->output != KZ_OUTPUT_TABLE) kz_show_add_column(view, &grid, KZ_T_COLUMN_VERSION, false);
    for (size_t i = 0; i < status->n_members; i++)
        add_member(view, status->members[i], meta, &grid);
    kz_show_grid(view, &grid, out);
}

static void print_counts(const struct kz_view *view, const Kz__Status *status, struct kz_buf *out)
{
    kz_buf_add_text(out, kz_text(KZ_T_STATUS_RECORDS, view->japanese));
    for (size_t i = 0; i < status->n_counts; i++) {
        const Kz__KindCount *count = status->counts[i];
        const struct kz_kind *kind = kz_kind_by_number(count->kind);
        if (!kind) continue;
        char live[NUMBER_TEXT_BYTES], retired[NUMBER_TEXT_BYTES];
        snprintf(live, sizeof live, "%" PRIu64, count->live);
        snprintf(retired, sizeof retired, "%" PRIu64, count->retired);
        kz_buf_add_text(out, i ? ", " : "  ");
        kz_text_fill(out, count->retired ? KZ_T_STATUS_COUNT_RETIRED : KZ_T_STATUS_COUNT, view->japanese,
                     KZ_TEXT_ARGS(view->japanese ? kind->label.ja : kind->name, live, retired));
    }
    kz_buf_add_text(out, "\n");
}

static bool same_index_other_hash(const Kz__Member *a, const Kz__Member *b)
{
    if (!a->has_state_hash || !b->has_state_hash || !a->has_state_hash_index || !b->has_state_hash_index) return false;
    return a->state_hash_index == b->state_hash_index &&
           (a->state_hash.len != b->state_hash.len ||
            memcmp(a->state_hash.data, b->state_hash.data, a->state_hash.len) != 0);
}

static size_t print_divergence(const struct kz_view *view, const Kz__Status *status, struct kz_buf *out)
{
    size_t found = 0;
    for (size_t i = 0; i < status->n_members; i++)
        for (size_t j = i + 1; j < status->n_members; j++) {
            const Kz__Member *a = status->members[i], *b = status->members[j];
            if (!same_index_other_hash(a, b)) continue;
            char names[2 * KZ_NAME_MAX_BYTES + 4], index[NUMBER_TEXT_BYTES];
            snprintf(names, sizeof names, "%.64s, %.64s", a->name, b->name);
            snprintf(index, sizeof index, "%" PRIu64, a->state_hash_index);
            kz_buf_add_text(out, "  ");
            kz_show_line(view, out, KZ_T_STATUS_DIVERGED, KZ_TEXT_ARGS(names, index));
            found++;
        }
    return found;
}

static void print_refusal(const struct kz_view *view, const Kz__Member *member, const Kz__Meta *meta,
                          struct kz_buf *out)
{
    bool by_it = member->has_refused_by_it && member->refused_by_it;
    kz_show_line(view, out, KZ_T_STATUS_REFUSES,
                 KZ_TEXT_ARGS(by_it ? member->name : meta->node, by_it ? meta->node : member->name,
                              kz_text(refusals[number_of(member)].text, view->japanese)));
}

static void print_attention(const struct kz_view *view, const Kz__Status *status, const Kz__Meta *meta,
                            struct kz_buf *out)
{
    struct kz_buf list;
    kz_buf_init(&list, 0);
    size_t found = print_divergence(view, status, &list);
    for (size_t i = 0; i < status->n_members; i++) {
        const Kz__Member *member = status->members[i];
        if (is_alive(member, meta)) continue;
        kz_buf_add_text(&list, "  ");
        if (is_refused(member, meta))
            print_refusal(view, member, meta, &list);
        else
            kz_show_line(view, &list, KZ_T_STATUS_START_NODE, KZ_TEXT_ARGS(member->name));
        found++;
    }
    kz_buf_add_text(out, kz_text(KZ_T_STATUS_ATTENTION, view->japanese));
    if (found == 0) kz_buf_addf(out, "  %s", kz_text(KZ_T_STATUS_NOTHING, view->japanese));
    kz_buf_addf(out, "\n%s", kz_buf_text(&list));
    kz_buf_fini(&list);
}

void kz_show_status(const struct kz_view *view, const Kz__Response *response, struct kz_buf *out)
{
    const Kz__Status *status = response->status;
    const Kz__Meta *meta = response->meta;
    if (kz_show_is_json(view)) {
        json_t *value = encode_status(status, meta);
        if (view->output == KZ_OUTPUT_YAML)
            kz_yaml_write(out, value);
        else
            kz_json_write(out, value, false);
        json_decref(value);
        return;
    }
    if (view->output == KZ_OUTPUT_CSV) {
        print_members(view, status, meta, out);
        return;
    }
    print_head(view, status, meta, out);
    kz_buf_add_text(out, "\n");
    print_members(view, status, meta, out);
    kz_buf_add_text(out, "\n");
    print_counts(view, status, out);
    print_attention(view, status, meta, out);
}
