/* SPDX-License-Identifier: Apache-2.0 */
/* Where the rows of the schema live: one file per kind. Private to node/registry; everybody else asks schema.h.
 * Constant data: any thread. */
#ifndef KZ_REGISTRY_SCHEMA_TABLES_H
#define KZ_REGISTRY_SCHEMA_TABLES_H

#include "node/registry/schema.h"

extern const struct kz_field kz_schema_envelope[];
extern const struct kz_field kz_schema_site[];
extern const struct kz_field kz_schema_org[];
extern const struct kz_field kz_schema_contact[];
extern const struct kz_field kz_schema_role[];
extern const struct kz_field kz_schema_function[];
extern const struct kz_field kz_schema_system[];
extern const struct kz_field kz_schema_component[];
extern const struct kz_field kz_schema_runbook[];
extern const struct kz_field kz_schema_calltree[];
extern const struct kz_field kz_schema_measure[];
extern const struct kz_field kz_schema_backup[];
extern const struct kz_field kz_schema_attachment[];
extern const struct kz_field kz_schema_drill[];
extern const struct kz_field kz_schema_review[];
extern const struct kz_field kz_schema_exception[];
extern const struct kz_field kz_schema_card[];
extern const struct kz_field kz_schema_peer[];
extern const struct kz_field kz_schema_setting[];
extern const struct kz_field kz_schema_campaign[];
extern const struct kz_field kz_schema_incident[];
extern const struct kz_field kz_schema_status[];
extern const struct kz_field kz_schema_entry[];
extern const struct kz_field kz_schema_tick[];
extern const struct kz_field kz_schema_call[];
extern const struct kz_field kz_schema_report[];
extern const struct kz_field kz_schema_bulletin[];

/* Means of reaching a person: of a contact's channels, and of a call that was made. */
extern const struct kz_enum_value kz_schema_channel_types[];
/* How far something may be passed on, TLP 2.0: of status reports, reports, bulletins, and what a peer may be told. */
extern const struct kz_enum_value kz_schema_tlp[];

#define KZ_RUNBOOK_STEPS_MAX 200
#define KZ_ATTACHMENT_MAX_BYTES (32 * 1024 * 1024)
#define KZ_REPORT_MAX_BYTES (96 * 1024) /* two of them fit a record */

/* Durations are counted in seconds. */
#define KZ_MINUTE_S INT64_C(60)
#define KZ_HOUR_S (60 * KZ_MINUTE_S)
#define KZ_DAY_S (24 * KZ_HOUR_S)
#define KZ_WEEK_S (7 * KZ_DAY_S)
#define KZ_YEAR_S (366 * KZ_DAY_S)

/* What min = max = 0 in a row stands for. */
#define KZ_TEXT_MAX_BYTES 512          /* about 170 kanji */
#define KZ_PROSE_MAX_BYTES (16 * 1024) /* about 5,400 kanji */
#define KZ_INTEGER_MAX INT64_C(1000000000)
#define KZ_DURATION_MAX_S (10 * KZ_YEAR_S)
#define KZ_TIME_MAX_MS INT64_C(7258086000000) /* 2200-01-01T00:00+09:00 */
#define KZ_ITEMS_MAX 100

/* Countermeasure levels, G tables 2.6-2 and 2.6-3. */
#define KZ_LEVEL_MIN 1
#define KZ_LEVEL_MAX 4
#define KZ_EXTERNAL_LEVEL_MAX 2

/* The limits that hold for `field`, defaults filled in. */
void kz_field_range(const struct kz_field *field, int64_t *min, int64_t *max);
int64_t kz_field_max_items(const struct kz_field *field);

#endif
