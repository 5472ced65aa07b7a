/* SPDX-License-Identifier: Apache-2.0 */
/* The plan of a recovery: who survives, who is newest and why, what of it is uncertain, what to type next. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "client/cli/survey.h"
#include "client/codec/width.h"
#include "node/base/assert.h"
#include "node/registry/when.h"

#define NUMBER_TEXT_BYTES 24

/* ---- for programs ---- */

static const char *op_word(Kz__Mutation__Op op)
{
    const ProtobufCEnumValue *value = protobuf_c_enum_descriptor_get_value(&kz__mutation__op__descriptor, (int)op);
    return value ? value->name : "?";
}

static json_t *encode_tail(const Kz__TailCommand *tail)
{
    json_t *object = json_object(), *changes = json_array();
    kz_show_set(object, "index", json_integer((json_int_t)tail->index));
    kz_show_set(object, "term", json_integer((json_int_t)tail->term));
    kz_show_set(object, "time", kz_show_time(tail->time_ms));
    kz_show_set(object, "actor", kz_show_string(tail->actor));
    kz_show_set(object, "reason", tail->reason ? kz_show_string(tail->reason) : json_null());
    for (size_t i = 0; i < tail->n_mutations; i++) {
        json_t *change = json_object();
        kz_show_set(change, "op", kz_show_string(op_word(tail->mutations[i]->op)));
        kz_show_set(change, "kind", kz_show_string(kz_show_kind(tail->mutations[i]->kind)));
        kz_show_set(change, "id", kz_show_string(tail->mutations[i]->id));
        kz_assert(json_array_append_new(changes, change) == 0);
    }
    kz_show_set(object, "changes", changes);
    kz_show_set(object, "change_count", json_integer(tail->mutation_count));
    return object;
}

static json_t *encode_survivor(const Kz__Survivor *survivor, const char *endpoint, bool newest)
{
    json_t *object = json_object(), *tail = json_array(), *approvals = json_array();
    kz_show_set(object, "node", kz_show_string(survivor->name));
    kz_show_set(object, "endpoint", kz_show_string(endpoint));
    kz_show_set(object, "newest", json_boolean(newest));
    kz_show_set(object, "digest", kz_show_string(survivor->digest));
    kz_show_set(object, "epoch", json_integer((json_int_t)survivor->epoch));
    kz_show_set(object, "fenced", survivor->fence ? json_integer((json_int_t)survivor->fence->epoch) : json_null());
    kz_show_set(object, "majority", json_boolean(survivor->quorum));
    kz_show_set(object, "last_term", json_integer((json_int_t)survivor->last_term));
    kz_show_set(object, "last_index", json_integer((json_int_t)survivor->last_index));
    kz_show_set(object, "commit_index", json_integer((json_int_t)survivor->commit_index));
    kz_show_set(object, "rev", json_integer((json_int_t)survivor->rev));
    kz_show_set(object, "data_time", survivor->has_data_time_ms ? kz_show_time(survivor->data_time_ms) : json_null());
    kz_show_set(object, "leader_contact_ms",
                survivor->has_leader_contact_ms ? json_integer(survivor->leader_contact_ms) : json_null());
    kz_show_set(object, "provisional", json_integer(survivor->provisional));
    kz_show_set(object, "tail_count", json_integer(survivor->tail_count));
    for (size_t i = 0; i < survivor->n_tail; i++)
        kz_assert(json_array_append_new(tail, encode_tail(survivor->tail[i])) == 0);
    kz_show_set(object, "tail", tail);
    for (size_t i = 0; i < survivor->n_approvals; i++)
        kz_assert(json_array_append_new(approvals, kz_show_string(survivor->approvals[i]->user)) == 0);
    kz_show_set(object, "approvals", approvals);
    return object;
}

static void write_json(const struct kz_view *view, const struct kz_survey *survey, const Kz__Survivor *newest,
                       struct kz_buf *out)
{
    json_t *items = json_array();
    for (size_t i = 0; i < survey->count; i++) {
        const struct kz_survey_place *place = &survey->places[i];
        json_t *item;
        if (place->survivor) {
            item = encode_survivor(place->survivor, place->endpoint, place->survivor == newest);
        } else {
            item = json_object();
            kz_show_set(item, "endpoint", kz_show_string(place->endpoint));
            kz_show_set(item, "problem", kz_show_string(place->problem[view->japanese]));
        }
        kz_assert(json_array_append_new(items, item) == 0);
    }
    kz_show_items(view, NULL, items, out);
}

/* ---- for people ---- */

static void add_number(struct kz_grid *grid, uint64_t number)
{
    char text[NUMBER_TEXT_BYTES];
    snprintf(text, sizeof text, "%" PRIu64, number);
    kz_grid_add_cell(grid, text);
}

static void add_freshness(const struct kz_view *view, const Kz__Survivor *survivor, struct kz_grid *grid)
{
    Kz__Meta meta = KZ__META__INIT;
    struct kz_buf time, contact;
    kz_buf_init(&time, 0);
    kz_buf_init(&contact, 0);
    meta.has_data_time_ms = survivor->has_data_time_ms;
    meta.data_time_ms = survivor->data_time_ms;
    meta.has_leader_contact_ms = survivor->has_leader_contact_ms;
    meta.leader_contact_ms = survivor->leader_contact_ms;
    kz_show_freshness(view, &meta, &time, &contact);
    kz_grid_add_cell(grid, kz_buf_text(&time));
    kz_grid_add_cell(grid, kz_buf_text(&contact));
    kz_buf_fini(&time);
    kz_buf_fini(&contact);
}

static enum kz_text_id mark_of(const Kz__Survivor *survivor, const Kz__Survivor *newest)
{
    if (survivor->fence) return KZ_T_RECOVER_MARK_FENCED;
    if (survivor->quorum) return KZ_T_RECOVER_MARK_MAJORITY;
    return survivor == newest ? KZ_T_RECOVER_MARK_NEWEST : KZ_T_EMPTY;
}

static void write_survivors(const struct kz_view *view, const struct kz_survey *survey, const Kz__Survivor *newest,
                            struct kz_buf *out)
{
    struct kz_grid grid = {.columns = NULL};
    kz_show_add_column(view, &grid, KZ_T_COLUMN_NODE, false);
    kz_show_add_column(view, &grid, KZ_T_COLUMN_EPOCH, true);
    kz_show_add_column(view, &grid, KZ_T_COLUMN_LAST_TERM, true);
    kz_show_add_column(view, &grid, KZ_T_COLUMN_LAST_INDEX, true);
    kz_show_add_column(view, &grid, KZ_T_COLUMN_COMMITTED, true);
    kz_show_add_column(view, &grid, KZ_T_COLUMN_REV, true);
    kz_show_add_column(view, &grid, KZ_T_COLUMN_DATA_TIME, false);
    kz_show_add_column(view, &grid, KZ_T_COLUMN_LEADER_HEARD, false);
    kz_show_add_column(view, &grid, KZ_T_COLUMN_MARK, false);
    for (size_t i = 0; i < survey->survivor_count; i++) {
        const Kz__Survivor *survivor = survey->survivors[i];
        kz_grid_add_cell(&grid, survivor->name);
        add_number(&grid, survivor->epoch);
        add_number(&grid, survivor->last_term);
        add_number(&grid, survivor->last_index);
        add_number(&grid, survivor->commit_index);
        add_number(&grid, survivor->rev);
        add_freshness(view, survivor, &grid);
        kz_grid_add_cell(&grid, kz_text(mark_of(survivor, newest), view->japanese));
    }
    kz_show_grid(view, &grid, out);
    for (size_t i = 0; i < survey->count; i++)
        if (!survey->places[i].survivor)
            kz_show_line(view, out, KZ_T_RECOVER_SILENT,
                         KZ_TEXT_ARGS(survey->places[i].endpoint, survey->places[i].problem[view->japanese]));
}

static void add_changes(const struct kz_view *view, const Kz__TailCommand *tail, struct kz_grid *grid)
{
    struct kz_buf text;
    char more[NUMBER_TEXT_BYTES];
    kz_buf_init(&text, 0);
    for (size_t i = 0; i < tail->n_mutations; i++)
        kz_buf_addf(&text, "%s%s %s/%s", i ? ", " : "", op_word(tail->mutations[i]->op),
                    kz_show_kind(tail->mutations[i]->kind), tail->mutations[i]->id);
    if (tail->mutation_count > tail->n_mutations) {
        snprintf(more, sizeof more, "%" PRIu32, tail->mutation_count - (uint32_t)tail->n_mutations);
        kz_buf_add_text(&text, " ");
        kz_text_fill(&text, KZ_T_MORE_ROWS, view->japanese, KZ_TEXT_ARGS(more));
    }
    kz_grid_add_cell(grid, kz_buf_text(&text));
    kz_buf_fini(&text);
}

static void write_tail(const struct kz_view *view, const Kz__Survivor *survivor, struct kz_buf *out)
{
    char count[NUMBER_TEXT_BYTES], committed[NUMBER_TEXT_BYTES];
    snprintf(count, sizeof count, "%" PRIu32, survivor->tail_count);
    snprintf(committed, sizeof committed, "%" PRIu64, survivor->commit_index);
    kz_buf_add_text(out, "\n");
    kz_show_line(view, out, survivor->tail_count ? KZ_T_RECOVER_TAIL : KZ_T_RECOVER_NO_TAIL,
                 KZ_TEXT_ARGS(survivor->name, count, committed));
    if (survivor->n_tail == 0) return;
    struct kz_grid grid = {.columns = NULL};
    kz_show_add_column(view, &grid, KZ_T_COLUMN_INDEX, true);
    kz_show_add_column(view, &grid, KZ_T_COLUMN_TIME, false);
    kz_show_add_column(view, &grid, KZ_T_COLUMN_ACTOR, false);
    kz_show_add_column(view, &grid, KZ_T_COLUMN_WHAT, false);
    kz_show_add_column(view, &grid, KZ_T_COLUMN_REASON, false);
    for (size_t i = 0; i < survivor->n_tail; i++) {
        const Kz__TailCommand *tail = survivor->tail[i];
        struct kz_buf time;
        kz_buf_init(&time, 0);
        kz_time_format(&time, tail->time_ms - tail->time_ms % 1000);
        add_number(&grid, tail->index);
        kz_grid_add_cell(&grid, kz_buf_text(&time));
        kz_grid_add_cell(&grid, tail->actor);
        add_changes(view, tail, &grid);
        kz_grid_add_cell(&grid, tail->reason ? tail->reason : "");
        kz_buf_fini(&time);
    }
    kz_show_grid(view, &grid, out);
    if (survivor->tail_count <= survivor->n_tail) return;
    snprintf(count, sizeof count, "%" PRIu64, survivor->tail_count - (uint64_t)survivor->n_tail);
    kz_show_line(view, out, KZ_T_MORE_ROWS, KZ_TEXT_ARGS(count));
}

static void write_why(const struct kz_view *view, const struct kz_survey *survey, const Kz__Survivor *newest,
                      struct kz_buf *out)
{
    static const enum kz_text_id reasons[] = {[KZ_SURVIVOR_EPOCH] = KZ_T_RECOVER_WHY_EPOCH,
                                              [KZ_SURVIVOR_LAST_TERM] = KZ_T_RECOVER_WHY_TERM,
                                              [KZ_SURVIVOR_LAST_INDEX] = KZ_T_RECOVER_WHY_INDEX,
                                              [KZ_SURVIVOR_COMMITTED] = KZ_T_RECOVER_WHY_COMMITTED,
                                              [KZ_SURVIVOR_EQUAL] = KZ_T_RECOVER_WHY_EQUAL};
    enum kz_text_id why = survey->survivor_count == 1
                              ? KZ_T_RECOVER_WHY_ONLY
                              : reasons[kz_survivor_why(newest, survey->survivors, survey->survivor_count)];
    kz_buf_add_text(out, "\n");
    kz_show_line(view, out, KZ_T_RECOVER_NEWEST, KZ_TEXT_ARGS(newest->name, kz_text(why, view->japanese)));
}

static void write_next(const struct kz_view *view, const struct kz_survey *survey, const Kz__Survivor *newest,
                       struct kz_buf *out)
{
    char epoch[NUMBER_TEXT_BYTES];
    const char *endpoint = kz_survey_place_of(survey, newest)->endpoint;
    snprintf(epoch, sizeof epoch, "%" PRIu64, newest->epoch + 1);
    kz_buf_add_text(out, "\n");
    kz_show_line(view, out, KZ_T_RECOVER_PLAN, KZ_TEXT_ARGS(newest->digest, newest->name, epoch));
    for (size_t i = 0; i < newest->n_approvals; i++)
        kz_show_line(view, out, KZ_T_RECOVER_APPROVED, KZ_TEXT_ARGS(newest->approvals[i]->user));
    kz_show_line(view, out, KZ_T_RECOVER_NEXT_APPROVE, KZ_TEXT_ARGS(newest->digest, endpoint));
    kz_show_line(view, out, KZ_T_RECOVER_NEXT_APPLY, KZ_TEXT_ARGS(newest->digest, endpoint));
    kz_show_line(view, out, KZ_T_RECOVER_NEXT_ALONE, KZ_TEXT_ARGS(newest->digest, endpoint, newest->cluster));
}

void kz_show_survey(const struct kz_view *view, const struct kz_survey *survey, const Kz__Survivor *newest,
                    struct kz_buf *out)
{
    if (kz_show_is_json(view)) {
        write_json(view, survey, newest, out);
        return;
    }
    write_survivors(view, survey, newest, out);
    if (view->output == KZ_OUTPUT_CSV || !newest) return;
    write_why(view, survey, newest, out);
    write_tail(view, newest, out);
    if (!newest->fence && !kz_survey_majority(survey)) write_next(view, survey, newest, out);
}
