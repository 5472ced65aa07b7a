/* SPDX-License-Identifier: Apache-2.0 */
/* `cluster members`: who belongs to the cluster, who votes, and how far behind each is. */
#include <inttypes.h>
#include <stdio.h>

#include "client/cli/show.h"
#include "node/base/assert.h"

#define NUMBER_TEXT_BYTES 24

/* Entries that a member lacks of what the answering node holds: by what the leader knows to be on its disk, elsewhere
 * by what it says it has applied. False: it said nothing. */
static bool lag_of(const Kz__Member *member, const Kz__Status *status, uint64_t *lag)
{
    bool known = member->has_match_index || member->has_applied_index;
    uint64_t held = member->has_match_index ? member->match_index : member->applied_index;
    *lag = held < status->last_index ? status->last_index - held : 0;
    return known && status->has_last_index;
}

static void print_json(const struct kz_view *view, const Kz__Response *response, struct kz_buf *out)
{
    const Kz__Status *status = response->status;
    json_t *items = json_array();
    for (size_t i = 0; i < status->n_members; i++) {
        uint64_t lag;
        json_t *item = kz_show_member_json(status->members[i], response->meta);
        bool known = lag_of(status->members[i], status, &lag);
        kz_show_set(item, "lag", known ? json_integer((json_int_t)lag) : json_null());
        kz_assert(json_array_append_new(items, item) == 0);
    }
    kz_show_items(view, response->meta, items, out);
}

static void add_number(struct kz_grid *grid, bool known, uint64_t number)
{
    char text[NUMBER_TEXT_BYTES] = "";
    if (known) snprintf(text, sizeof text, "%" PRIu64, number);
    kz_grid_add_cell(grid, text);
}

static void add_row(const struct kz_view *view, const Kz__Member *member, const Kz__Response *response,
                    struct kz_grid *grid)
{
    uint64_t lag;
    bool lag_known = lag_of(member, response->status, &lag);
    enum kz_text_id role = member->has_voter && member->voter         ? KZ_T_MEMBER_VOTER
                           : member->has_observer && member->observer ? KZ_T_MEMBER_OBSERVER
                                                                      : KZ_T_MEMBER_STANDBY;
    struct kz_buf contact;
    kz_buf_init(&contact, 0);
    kz_show_member_contact(view, member, response->meta, &contact);
    kz_grid_add_cell(grid, member->name);
    add_number(grid, true, member->node_id);
    kz_grid_add_cell(grid, member->address);
    kz_grid_add_cell(grid, kz_text(role, view->japanese));
    kz_grid_add_cell(grid, kz_text(kz_show_member_state(member, response->meta), view->japanese));
    kz_grid_add_cell(grid, kz_buf_text(&contact));
    add_number(grid, member->has_match_index, member->match_index);
    add_number(grid, lag_known, lag);
    add_number(grid, member->has_applied_index, member->applied_index);
    kz_grid_add_cell(grid, member->version ? member->version : "");
    kz_buf_fini(&contact);
}

void kz_show_members(const struct kz_view *view, const Kz__Response *response, struct kz_buf *out)
{
    if (kz_show_is_json(view)) {
        print_json(view, response, out);
        return;
    }
    struct kz_grid grid = {0};
    kz_show_add_column(view, &grid, KZ_T_COLUMN_NODE, false);
    kz_show_add_column(view, &grid, KZ_T_COLUMN_MEMBER_ID, true);
    kz_show_add_column(view, &grid, KZ_T_COLUMN_ADDRESS, false);
    kz_show_add_column(view, &grid, KZ_T_COLUMN_MEMBER_ROLE, false);
    kz_show_add_column(view, &grid, KZ_T_COLUMN_STATE, false);
    kz_show_add_column(view, &grid, KZ_T_COLUMN_CONTACT, false);
    kz_show_add_column(view, &grid, KZ_T_COLUMN_MATCH, true);
    kz_show_add_column(view, &grid, KZ_T_COLUMN_LAG, true);
    kz_show_add_column(view, &grid, KZ_T_COLUMN_APPLIED, true);
    kz_show_add_column(view, &grid, KZ_T_COLUMN_VERSION, false);
    for (size_t i = 0; i < response->status->n_members; i++)
        add_row(view, response->status->members[i], response, &grid);
    kz_show_grid(view, &grid, out);
}
