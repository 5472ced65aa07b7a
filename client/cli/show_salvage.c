/* SPDX-License-Identifier: Apache-2.0 */
#include "client/cli/show_salvage.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "client/codec/encode.h"
#include "client/codec/width.h"
#include "node/base/assert.h"
#include "node/registry/when.h"

#define NUMBER_TEXT_BYTES 24

static const struct {
    const char *name;
    enum kz_text_id text;
} verdicts[] = {
    [KZ_SALVAGE_THERE] = {"there", KZ_T_SALVAGE_THERE},
    [KZ_SALVAGE_APPLY] = {"apply", KZ_T_SALVAGE_APPLY},
    [KZ_SALVAGE_CONFLICT] = {"conflict", KZ_T_SALVAGE_CONFLICT},
    [KZ_SALVAGE_BY_HAND] = {"by-hand", KZ_T_SALVAGE_BY_HAND},
};

static enum kz_text_id state_text(Kz__SalvageItem__State state)
{
    switch (state) {
    case KZ__SALVAGE_ITEM__STATE__APPLIED:
        return KZ_T_SALVAGE_STATE_APPLIED;
    case KZ__SALVAGE_ITEM__STATE__UNCERTAIN:
        return KZ_T_SALVAGE_STATE_UNCERTAIN;
    default:
        return KZ_T_PROVISIONAL;
    }
}

static const char *op_word(Kz__Mutation__Op op)
{
    const ProtobufCEnumValue *value = protobuf_c_enum_descriptor_get_value(&kz__mutation__op__descriptor, (int)op);
    return value ? value->name : "?";
}

void kz_salvage_rows_begin(struct kz_salvage_rows *rows, const struct kz_view *view, const Kz__SalvageHead *head)
{
    char epoch[NUMBER_TEXT_BYTES], fenced[NUMBER_TEXT_BYTES], common[NUMBER_TEXT_BYTES];
    *rows = (struct kz_salvage_rows){.view = view};
    kz_buf_init(&rows->out, 0);
    if (kz_show_is_json(view)) {
        rows->items = json_array();
        return;
    }
    struct kz_buf time;
    kz_buf_init(&time, 0);
    kz_time_format(&time, head->time_ms - head->time_ms % 1000);
    snprintf(epoch, sizeof epoch, "%" PRIu64, head->epoch);
    snprintf(fenced, sizeof fenced, "%" PRIu64, head->fenced);
    snprintf(common, sizeof common, "%" PRIu64, head->common_index);
    kz_show_line(view, &rows->out, KZ_T_SALVAGE_HEAD,
                 KZ_TEXT_ARGS(head->node, epoch, fenced, common, kz_buf_text(&time)));
    kz_buf_fini(&time);
}

static void print_difference(void *data, const char *path, const char *before, const char *after)
{
    struct kz_salvage_rows *rows = data;
    const char *none = kz_text(KZ_T_ABSENT, rows->view->japanese);
    struct kz_buf line;
    kz_buf_init(&line, 0);
    kz_buf_addf(&line, "    %s: %s -> %s", path, before ? before : none, after ? after : none);
    kz_width_add_safe(&rows->out, kz_buf_text(&line), false);
    kz_buf_add_text(&rows->out, "\n");
    kz_buf_fini(&line);
}

/* `a` or `b` may be NULL: then every field of the other one is a difference. */
static void print_differences(struct kz_salvage_rows *rows, const Kz__Record *a, const Kz__Record *b)
{
    const Kz__Record *some = a ? a : b;
    if (!some) return;
    Kz__Record *empty = kz_record_new(some->kind, some->id);
    kz_assert(empty != NULL);
    kz_record_diff(a ? a : empty, b ? b : empty, rows->view->japanese, print_difference, rows);
    kz__record__free_unpacked(empty, NULL);
}

/* Then it was refused for another reason, which was said. */
static bool is_unchanged(const Kz__Record *before, const Kz__Record *current)
{
    return before && current && !current->has_retired_at && kz_record_same(before, current);
}

static void add_json(struct kz_salvage_rows *rows, const Kz__SalvageItem *item, enum kz_salvage_verdict verdict,
                     const Kz__Record *current)
{
    static const char *const states[] = {"?", "applied", "uncertain", "provisional"};
    const Kz__Change *change = item->change;
    json_t *object = json_object();
    kz_show_set(object, "kind", kz_show_string(kz_show_kind(change->kind)));
    kz_show_set(object, "id", kz_show_string(change->id));
    kz_show_set(object, "op", kz_show_string(op_word(change->op)));
    kz_show_set(object, "state", kz_show_string(states[item->state <= 3 ? item->state : 0]));
    kz_show_set(object, "verdict", kz_show_string(verdicts[verdict].name));
    kz_show_set(object, "index", item->has_index ? json_integer((json_int_t)item->index) : json_null());
    kz_show_set(object, "time", kz_show_time(change->time_ms));
    kz_show_set(object, "actor", kz_show_string(change->actor));
    kz_show_set(object, "reason", change->reason ? kz_show_string(change->reason) : json_null());
    kz_show_set(object, "before", change->before ? kz_encode_record(change->before) : json_null());
    kz_show_set(object, "after", change->after ? kz_encode_record(change->after) : json_null());
    kz_show_set(object, "current", current ? kz_encode_record(current) : json_null());
    kz_assert(json_array_append_new(rows->items, object) == 0);
}

void kz_salvage_rows_add(struct kz_salvage_rows *rows, const Kz__SalvageItem *item, enum kz_salvage_verdict verdict,
                         const Kz__Record *current)
{
    const Kz__Change *change = item->change;
    bool ja = rows->view->japanese;
    rows->count++;
    if (rows->items) {
        add_json(rows, item, verdict, current);
        return;
    }
    char name[KZ_KEY_MAX_BYTES];
    struct kz_buf time;
    kz_buf_init(&time, 0);
    kz_time_format(&time, change->time_ms - change->time_ms % 1000);
    snprintf(name, sizeof name, "%s/%s", kz_show_kind(change->kind), change->id);
    kz_show_line(rows->view, &rows->out, KZ_T_SALVAGE_ITEM,
                 KZ_TEXT_ARGS(kz_text(verdicts[verdict].text, ja), op_word(change->op), name,
                              kz_text(state_text(item->state), ja), change->actor, kz_buf_text(&time),
                              change->reason ? change->reason : ""));
    kz_buf_fini(&time);
    if (verdict == KZ_SALVAGE_THERE) return;
    print_differences(rows, change->before, change->after);
    if (verdict != KZ_SALVAGE_CONFLICT || is_unchanged(change->before, current)) return;
    kz_show_line(rows->view, &rows->out, KZ_T_SALVAGE_NOW, NULL, 0);
    print_differences(rows, change->before, current);
}

struct kz_buf *kz_salvage_rows_end(struct kz_salvage_rows *rows)
{
    if (!rows->items) return &rows->out;
    kz_show_items(rows->view, NULL, rows->items, &rows->out);
    rows->items = NULL;
    return &rows->out;
}

void kz_salvage_rows_fini(struct kz_salvage_rows *rows)
{
    if (rows->items) json_decref(rows->items);
    kz_buf_fini(&rows->out);
}
