/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/cli/show_derived.h"
#include "node/base/assert.h"
#include "node/registry/when.h"

#define INDENT "  "

/* ---- a person and a channel ---- */

static const struct kz_enum_value *channel_type(const Kz__Contact__Channel *channel)
{
    const struct kz_field *channels = kz_field_by_name(kz_kind_by_number(KZ__KIND__CONTACT)->fields, "channels");
    const struct kz_field *type = kz_field_by_name(channels->fields, "type");
    return channel->has_type ? kz_enum_by_number(type->values, (int)channel->type) : NULL;
}

static void encode_person(json_t *object, const Kz__Record *contact, const Kz__Contact__Channel *channel)
{
    kz_show_set(object, "contact", kz_show_string(contact->id));
    kz_show_set(object, "person", kz_show_string(contact->contact->name));
    if (!channel) return;
    const struct kz_enum_value *type = channel_type(channel);
    json_t *by = json_object();
    kz_show_set(by, "type", kz_show_string(type ? type->name : ""));
    kz_show_set(by, "value", kz_show_string(channel->value));
    if (channel->note) kz_show_set(by, "note", kz_show_string(channel->note));
    kz_show_set(object, "channel", by);
}

/* Four cells: contact, person, means, number. `contact` NULL: nobody. */
static void add_person(const struct kz_view *view, struct kz_grid *grid, const Kz__Record *contact,
                       const Kz__Contact__Channel *channel)
{
    const struct kz_enum_value *type = channel ? channel_type(channel) : NULL;
    kz_grid_add_cell(grid, contact ? contact->id : "");
    kz_grid_add_cell(grid, contact && contact->contact->name ? contact->contact->name : "");
    kz_grid_add_cell(grid, type ? (view->japanese ? type->label.ja : type->label.en) : "");
    if (channel)
        kz_grid_add_cell(grid, channel->value ? channel->value : "");
    else
        kz_grid_add_cell(grid, contact ? kz_text(KZ_T_DUTY_NO_CHANNEL, view->japanese) : "");
}

/* ---- role who ---- */

static json_t *encode_duty(const Kz__Record *role, const struct kz_duty *duty, size_t index)
{
    json_t *object = json_object();
    kz_show_set(object, "role", kz_show_string(role->id));
    kz_show_set(object, "name", kz_show_string(kz_show_title(role)));
    kz_show_set(object, "reachable", json_boolean(index < duty->count && duty->persons[index].channel));
    if (index >= duty->count) return object;
    const struct kz_duty_person *person = &duty->persons[index];
    kz_show_set(object, "order", json_integer((json_int_t)index + 1));
    kz_show_set(object, "as", kz_show_string(person->deputy ? "DEPUTY" : "HOLDER"));
    encode_person(object, person->contact, person->channel);
    return object;
}

static void add_duty(const struct kz_view *view, const Kz__Record *role, const struct kz_duty *duty, size_t index,
                     struct kz_grid *grid)
{
    const struct kz_duty_person *person = index < duty->count ? &duty->persons[index] : NULL;
    enum kz_text_id as = !person ? KZ_T_DUTY_VACANT : person->deputy ? KZ_T_DUTY_DEPUTY : KZ_T_DUTY_HOLDER;
    struct kz_buf cell;
    kz_buf_init(&cell, 0);
    kz_grid_add_cell(grid, role->id);
    kz_grid_add_cell(grid, kz_show_title(role));
    if (person) kz_buf_addf(&cell, "%zu", index + 1);
    kz_show_add_cell(grid, &cell);
    kz_grid_add_cell(grid, kz_text(as, view->japanese));
    add_person(view, grid, person ? person->contact : NULL, person ? person->channel : NULL);
    kz_buf_fini(&cell);
}

/* Of a role that was asked for everybody, else the first who can be called now (or the holder, who cannot). */
static void show_role(const struct kz_view *view, const struct kz_set *set, const struct kz_moment *moment,
                      const Kz__Record *role, bool all, json_t *items, struct kz_grid *grid)
{
    struct kz_duty duty;
    kz_duty_init(&duty, set, role->role, moment);
    size_t from = all || duty.first == SIZE_MAX ? 0 : duty.first;
    size_t to = all && duty.count > 0 ? duty.count : from + 1;
    for (size_t i = from; i < to; i++) {
        if (items)
            kz_assert(json_array_append_new(items, encode_duty(role, &duty, i)) == 0);
        else
            add_duty(view, role, &duty, i, grid);
    }
    kz_duty_fini(&duty);
}

void kz_show_duty(const struct kz_view *view, const struct kz_set *set, const struct kz_moment *moment,
                  const Kz__Record *role, const Kz__Meta *meta, struct kz_buf *out)
{
    static const enum kz_text_id columns[] = {KZ_T_COLUMN_ROLE,  KZ_T_COLUMN_NAME, KZ_T_COLUMN_NUMBER,
                                              KZ_T_COLUMN_AS,    KZ_T_COLUMN_WHOM, KZ_T_COLUMN_PERSON,
                                              KZ_T_COLUMN_MEANS, KZ_T_COLUMN_VALUE};
    size_t count = 0;
    const Kz__Record *const *roles = kz_set_kind(set, KZ__KIND__ROLE, &count);
    json_t *items = kz_show_is_json(view) ? json_array() : NULL;
    struct kz_grid grid = {0};
    for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++)
        kz_show_add_column(view, &grid, columns[i], columns[i] == KZ_T_COLUMN_NUMBER);
    for (size_t i = 0; i < (role ? 1 : count); i++)
        show_role(view, set, moment, role ? role : roles[i], role != NULL, items, &grid);
    if (items) {
        kz_show_items(view, meta, items, out);
        kz_grid_fini(&grid);
    } else {
        kz_show_grid(view, &grid, out);
    }
}

static void add_unreached(const struct kz_view *view, const struct kz_set *set, const struct kz_moment *moment,
                          const Kz__Record *role, struct kz_buf *out)
{
    struct kz_duty duty;
    kz_duty_init(&duty, set, role->role, moment);
    if (duty.first == SIZE_MAX) kz_show_line(view, out, KZ_T_DUTY_UNREACHED, KZ_TEXT_ARGS(role->id));
    kz_duty_fini(&duty);
}

void kz_show_duty_notes(const struct kz_view *view, const struct kz_set *set, const struct kz_moment *moment,
                        int64_t now_ms, const Kz__Record *role, struct kz_buf *out)
{
    enum kz_text_id hour = moment->holiday ? (moment->night ? KZ_T_DUTY_HOLIDAY_NIGHT : KZ_T_DUTY_HOLIDAY)
                           : moment->night ? KZ_T_DUTY_NIGHT
                                           : KZ_T_DUTY_BUSINESS;
    struct kz_buf text;
    kz_buf_init(&text, 0);
    kz_time_format(&text, now_ms - now_ms % 1000);
    const struct kz_text *holiday = kz_public_holiday(&moment->day);
    kz_show_line(view, out, KZ_T_DUTY_AT, KZ_TEXT_ARGS(kz_buf_text(&text), kz_text(hour, view->japanese)));
    if (holiday) { /* "holiday (成人の日)" tells why a Monday is none */
        kz_buf_clear(&text);
        kz_buf_addf(&text, "%s", view->japanese ? holiday->ja : holiday->en);
        kz_show_line(view, out, KZ_T_DUTY_HOLIDAY_NAME, KZ_TEXT_ARGS(kz_buf_text(&text)));
    }
    size_t count = 0;
    const Kz__Record *const *roles = kz_set_kind(set, KZ__KIND__ROLE, &count);
    for (size_t i = 0; role == NULL && i < count; i++)
        add_unreached(view, set, moment, roles[i], out);
    if (role != NULL) add_unreached(view, set, moment, role, out);
    kz_buf_fini(&text);
}

/* ---- contact tree ---- */

/* Where calls are told to: what a link or a desk says of one of those who are called. */
struct call {
    size_t depth;
    const char *from, *to; /* "role/csirt"; from NULL: it begins there */
    const Kz__Calltree__Link *link;
    const Kz__Calltree__Desk *desk;
};

struct calls {
    struct call *items; /* owned */
    size_t count;
};

static void add_call(struct calls *calls, struct call call)
{
    calls->items = kz_must_realloc(calls->items, (calls->count + 1) * sizeof(calls->items[0]));
    calls->items[calls->count++] = call;
}

static bool is_called(const Kz__Calltree *tree, const char *party)
{
    for (size_t i = 0; i < tree->n_links; i++)
        for (size_t j = 0; j < tree->links[i]->n_to; j++)
            if (strcmp(tree->links[i]->to[j], party) == 0) return true;
    return false;
}

static bool is_listed(const struct calls *calls, const char *party)
{
    for (size_t i = 0; i < calls->count; i++)
        if (!calls->items[i].desk && strcmp(calls->items[i].to, party) == 0) return true;
    return false;
}

/* What `party` does after it was called, unless that stands above already. As deep as there are links, at most. */
static void follow_party(const Kz__Calltree *tree, struct calls *calls, const char *party, size_t depth)
{
    for (size_t i = 0; i < tree->n_links; i++) {
        const Kz__Calltree__Link *link = tree->links[i];
        if (!link->from || strcmp(link->from, party) != 0) continue;
        for (size_t j = 0; j < link->n_to; j++) {
            bool again = is_listed(calls, link->to[j]);
            add_call(calls, (struct call){.depth = depth, .from = party, .to = link->to[j], .link = link});
            if (!again) follow_party(tree, calls, link->to[j], depth + 1);
        }
    }
    for (size_t i = 0; i < tree->n_desks; i++)
        if (tree->desks[i]->by && strcmp(tree->desks[i]->by, party) == 0)
            add_call(calls,
                     (struct call){.depth = depth, .from = party, .to = tree->desks[i]->org, .desk = tree->desks[i]});
}

static void begin_at(const Kz__Calltree *tree, struct calls *calls, const char *party)
{
    if (!party || is_listed(calls, party)) return;
    add_call(calls, (struct call){.to = party});
    follow_party(tree, calls, party, 1);
}

/* From those whom nobody calls; then, where people call one another in a circle, from the first of it. */
static void list_calls(const Kz__Calltree *tree, struct calls *calls)
{
    for (size_t i = 0; i < tree->n_links; i++)
        if (tree->links[i]->from && !is_called(tree, tree->links[i]->from)) begin_at(tree, calls, tree->links[i]->from);
    for (size_t i = 0; i < tree->n_links; i++)
        begin_at(tree, calls, tree->links[i]->from);
    for (size_t i = 0; i < tree->n_desks; i++) {
        if (tree->desks[i]->by)
            begin_at(tree, calls, tree->desks[i]->by);
        else if (tree->desks[i]->org)
            add_call(calls, (struct call){.to = tree->desks[i]->org, .desk = tree->desks[i]});
    }
}

/* Who answers for "role/csirt", "contact/x", "org/y", or for a desk: NULL when no person is named. */
static const Kz__Record *find_person(const struct kz_set *set, const struct kz_moment *moment, const struct call *call,
                                     const Kz__Contact__Channel **channel)
{
    const Kz__Record *contact = NULL;
    *channel = NULL;
    if (call->desk) {
        contact = kz_set_find(set, KZ__KIND__CONTACT, call->desk->contact);
    } else if (strncmp(call->to, "contact/", 8) == 0) {
        contact = kz_set_find(set, KZ__KIND__CONTACT, call->to + 8);
    } else if (strncmp(call->to, "role/", 5) == 0) {
        const Kz__Record *role = kz_set_find(set, KZ__KIND__ROLE, call->to + 5);
        struct kz_duty duty;
        if (!role) return NULL;
        kz_duty_init(&duty, set, role->role, moment);
        if (duty.count > 0) contact = duty.persons[duty.first == SIZE_MAX ? 0 : duty.first].contact;
        kz_duty_fini(&duty);
    }
    if (contact) *channel = kz_contact_channel(contact->contact, moment);
    return contact;
}

static const char *party_title(const struct kz_set *set, const struct call *call)
{
    static const Kz__Kind kinds[] = {KZ__KIND__ROLE, KZ__KIND__CONTACT, KZ__KIND__ORG};
    const char *slash = strchr(call->to, '/');
    const char *id = slash ? slash + 1 : call->to;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        const char *name = kz_show_kind(kinds[i]);
        bool meant = slash ? strncmp(call->to, name, strlen(name)) == 0 && call->to + strlen(name) == slash
                           : kinds[i] == KZ__KIND__ORG;
        const Kz__Record *record = meant ? kz_set_find(set, kinds[i], id) : NULL;
        if (record) return kz_show_title(record);
    }
    return "";
}

/* Labels of the events that a desk is told of; as JSON their field names. */
static void add_events(const Kz__Calltree__Desk *desk, bool japanese, struct kz_buf *text, json_t *names)
{
    const struct kz_field *desks = kz_field_by_name(kz_kind_by_number(KZ__KIND__CALLTREE)->fields, "desks");
    const struct {
        const char *field;
        bool told;
    } events[] = {{"outage", desk->outage},
                  {"leak", desk->leak},
                  {"personal_number_leak", desk->personal_number_leak},
                  {"disaster", desk->disaster},
                  {"pandemic", desk->pandemic}};
    for (size_t i = 0; i < sizeof events / sizeof events[0]; i++) {
        const struct kz_field *field = kz_field_by_name(desks->fields, events[i].field);
        if (!events[i].told) continue;
        if (names)
            kz_assert(json_array_append_new(names, kz_show_string(field->name)) == 0);
        else
            kz_buf_addf(text, "%s%s", text->size_bytes ? (japanese ? "、" : ", ") : "",
                        japanese ? field->label.ja : field->label.en);
    }
}

static bool within_of(const struct call *call, int64_t *within_s)
{
    bool has = call->desk ? call->desk->has_within : call->link && call->link->has_within;
    if (has) *within_s = call->desk ? call->desk->within : call->link->within;
    return has;
}

static json_t *encode_call(const struct kz_set *set, const struct kz_moment *moment, const struct call *call)
{
    const Kz__Contact__Channel *channel;
    const Kz__Record *contact = find_person(set, moment, call, &channel);
    json_t *object = json_object();
    int64_t within_s;
    kz_show_set(object, "depth", json_integer((json_int_t)call->depth));
    if (call->from) kz_show_set(object, "from", kz_show_string(call->from));
    kz_show_set(object, "to", kz_show_string(call->to));
    kz_show_set(object, "name", kz_show_string(party_title(set, call)));
    if (contact) encode_person(object, contact, channel);
    if (within_of(call, &within_s)) kz_show_set(object, "within_s", json_integer(within_s));
    if (call->link && call->link->if_no_answer)
        kz_show_set(object, "if_no_answer", kz_show_string(call->link->if_no_answer));
    if (call->desk) {
        json_t *events = json_array();
        add_events(call->desk, false, NULL, events);
        kz_show_set(object, "told_of", events);
    }
    return object;
}

static json_t *encode_tree(const struct kz_set *set, const struct kz_moment *moment, const Kz__Record *record)
{
    const Kz__Calltree *tree = record->calltree;
    json_t *object = json_object(), *means = json_array(), *hours = json_array(), *list = json_array();
    struct calls calls = {0};
    list_calls(tree, &calls);
    kz_show_set(object, "calltree", kz_show_string(record->id));
    kz_show_set(object, "name", kz_show_string(kz_show_title(record)));
    for (size_t i = 0; i < tree->n_means; i++) {
        json_t *one = json_object(), *needs = json_array();
        kz_show_set(one, "name", kz_show_string(tree->means[i]->name));
        for (size_t j = 0; j < tree->means[i]->n_systems; j++)
            kz_assert(json_array_append_new(needs, kz_show_string(tree->means[i]->systems[j])) == 0);
        kz_show_set(one, "needs", needs);
        kz_assert(json_array_append_new(means, one) == 0);
    }
    for (size_t i = 0; i < tree->n_report_hours; i++)
        kz_assert(json_array_append_new(hours, kz_show_string(tree->report_hours[i])) == 0);
    for (size_t i = 0; i < calls.count; i++)
        kz_assert(json_array_append_new(list, encode_call(set, moment, &calls.items[i])) == 0);
    kz_show_set(object, "means", means);
    kz_show_set(object, "report_hours", hours);
    kz_show_set(object, "calls", list);
    free(calls.items);
    return object;
}

static void add_call_row(const struct kz_view *view, const struct kz_set *set, const struct kz_moment *moment,
                         const struct call *call, struct kz_grid *grid)
{
    const Kz__Contact__Channel *channel;
    const Kz__Record *contact = find_person(set, moment, call, &channel);
    int64_t within_s;
    struct kz_buf cell;
    kz_buf_init(&cell, 0);
    for (size_t i = 0; i < call->depth && view->output != KZ_OUTPUT_CSV; i++)
        kz_buf_add_text(&cell, INDENT);
    kz_buf_addf(&cell, "%s%s", call->desk ? "org/" : "", call->to);
    kz_show_add_cell(grid, &cell);
    if (view->output == KZ_OUTPUT_CSV) kz_grid_add_cell(grid, call->from ? call->from : "");
    kz_grid_add_cell(grid, party_title(set, call));
    add_person(view, grid, contact, channel);
    if (within_of(call, &within_s)) kz_duration_format(&cell, within_s, view->japanese);
    kz_show_add_cell(grid, &cell);
    kz_grid_add_cell(grid, call->link && call->link->if_no_answer ? call->link->if_no_answer : "");
    if (call->desk) add_events(call->desk, view->japanese, &cell, NULL);
    kz_show_add_cell(grid, &cell);
    kz_buf_fini(&cell);
}

void kz_show_calltree(const struct kz_view *view, const struct kz_set *set, const struct kz_moment *moment,
                      const Kz__Record *tree, const Kz__Meta *meta, struct kz_buf *out)
{
    size_t count = 0;
    const Kz__Record *const *trees = kz_set_kind(set, KZ__KIND__CALLTREE, &count);
    if (tree) trees = &tree, count = 1;
    if (kz_show_is_json(view)) {
        json_t *items = json_array();
        for (size_t i = 0; i < count; i++)
            kz_assert(json_array_append_new(items, encode_tree(set, moment, trees[i])) == 0);
        kz_show_items(view, meta, items, out);
        return;
    }
    static const enum kz_text_id columns[] = {KZ_T_COLUMN_NAME,  KZ_T_COLUMN_WHOM,  KZ_T_COLUMN_PERSON,
                                              KZ_T_COLUMN_MEANS, KZ_T_COLUMN_VALUE, KZ_T_COLUMN_WITHIN,
                                              KZ_T_COLUMN_ELSE,  KZ_T_COLUMN_FOR};
    struct kz_grid grid = {0};
    kz_show_add_column(view, &grid, KZ_T_COLUMN_CALLS, false);
    if (view->output == KZ_OUTPUT_CSV) kz_show_add_column(view, &grid, KZ_T_COLUMN_CALLER, false);
    for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++)
        kz_show_add_column(view, &grid, columns[i], false);
    for (size_t i = 0; i < count; i++) {
        struct calls calls = {0};
        list_calls(trees[i]->calltree, &calls);
        for (size_t j = 0; j < calls.count; j++)
            add_call_row(view, set, moment, &calls.items[j], &grid);
        free(calls.items);
    }
    kz_show_grid(view, &grid, out);
}

static void add_means(const struct kz_view *view, const Kz__Record *record, struct kz_buf *out)
{
    const Kz__Calltree *tree = record->calltree;
    struct kz_buf list, needs;
    kz_buf_init(&list, 0);
    kz_buf_init(&needs, 0);
    for (size_t i = 0; i < tree->n_means; i++) {
        kz_buf_clear(&needs);
        for (size_t j = 0; j < tree->means[i]->n_systems; j++)
            kz_buf_addf(&needs, "%s%s", j ? ", " : "", tree->means[i]->systems[j]);
        kz_buf_addf(&list, "%s%zu. ", i ? "  " : "", i + 1);
        if (needs.size_bytes > 0)
            kz_text_fill(&list, KZ_T_TREE_MEANS_NEED, view->japanese,
                         KZ_TEXT_ARGS(tree->means[i]->name, kz_buf_text(&needs)));
        else
            kz_buf_add_text(&list, tree->means[i]->name ? tree->means[i]->name : "");
    }
    if (list.size_bytes > 0) kz_show_line(view, out, KZ_T_TREE_MEANS, KZ_TEXT_ARGS(record->id, kz_buf_text(&list)));
    kz_buf_clear(&list);
    for (size_t i = 0; i < tree->n_report_hours; i++)
        kz_buf_addf(&list, "%s%s", i ? ", " : "", tree->report_hours[i]);
    if (list.size_bytes > 0) kz_show_line(view, out, KZ_T_TREE_HOURS, KZ_TEXT_ARGS(record->id, kz_buf_text(&list)));
    kz_buf_fini(&needs);
    kz_buf_fini(&list);
}

void kz_show_calltree_notes(const struct kz_view *view, const struct kz_set *set, const Kz__Record *tree,
                            struct kz_buf *out)
{
    size_t count = 0;
    const Kz__Record *const *trees = kz_set_kind(set, KZ__KIND__CALLTREE, &count);
    if (tree) trees = &tree, count = 1;
    for (size_t i = 0; i < count; i++)
        add_means(view, trees[i], out);
}
