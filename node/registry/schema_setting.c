/* SPDX-License-Identifier: Apache-2.0 */
/* setting 設定: one threshold; the id is its key. Which keys there are, and their defaults: settings.h. */
#include "node/registry/schema_tables.h"

const struct kz_field kz_schema_setting[] = {
    {.name = "value",
     .label = {"value", "値"},
     .type = KZ_FIELD_TEXT,
     .flags = KZ_FIELD_REQUIRED | KZ_FIELD_LIST | KZ_FIELD_NARROW,
     .help = {"The value, in the unit of the key; keizoku schema setting lists keys, units and defaults",
              "項目の単位で書く値。項目・単位・既定値は keizoku schema setting"}},
    {.name = "why",
     .label = {"why", "理由"},
     .type = KZ_FIELD_PROSE,
     .source = "G 2.5.2(3)",
     .help = {"Why not the default, decided by whom", "既定値にしない理由と決定者"}},
    {.name = "decided_on",
     .label = {"decided on", "決定日"},
     .type = KZ_FIELD_DATE,
     .flags = KZ_FIELD_LIST,
     .source = "G 2.5.2(3)",
     .help = {"Day it was decided", "決定した日"}},
    {.name = "note", .label = {"note", "備考"}, .type = KZ_FIELD_PROSE, .help = {"Anything else", "その他"}},
    {.name = NULL},
};
