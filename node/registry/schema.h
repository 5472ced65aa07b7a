/* SPDX-License-Identifier: Apache-2.0 */
/* The ONE schema table: every kind, field, enum value, rule and label. Validation, CLI columns, JSON, YAML, CSV
 * headers, `keizoku schema` and completion are driven by it; values are reached through protobuf-c reflection
 * by field name. A new field is one row here and one field in proto/.
 * Pure and constant: any thread. */
#ifndef KZ_REGISTRY_SCHEMA_H
#define KZ_REGISTRY_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/record.pb-c.h"

struct kz_text {
    const char *en;
    const char *ja;
};

enum kz_field_type {
    KZ_FIELD_TEXT,    /* string, one line */
    KZ_FIELD_PROSE,   /* string, many lines, Markdown */
    KZ_FIELD_INTEGER, /* int64 (int32 in the envelope) */
    KZ_FIELD_BOOLEAN,
    KZ_FIELD_DURATION, /* int64 seconds; typed as 3h, 90m, 1d, 1w */
    KZ_FIELD_TIME,     /* int64 ms since the epoch, UTC; shown with +09:00 */
    KZ_FIELD_DATE,     /* string YYYY-MM-DD */
    KZ_FIELD_ENUM,
    KZ_FIELD_REF,   /* string: id of a record of `ref_kinds`; "kind/id" where more than one kind is allowed */
    KZ_FIELD_GROUP, /* sub-message described by `fields` */
};

struct kz_enum_value {
    int number;
    const char *name; /* as in JSON, YAML, CSV --lang en: "HOT" */
    struct kz_text label;
};

enum kz_field_flag {
    KZ_FIELD_REQUIRED = 1 << 0,
    KZ_FIELD_LIST = 1 << 1,     /* column of `list` */
    KZ_FIELD_WIDE = 1 << 2,     /* column of `list -o wide` too */
    KZ_FIELD_SYSTEM = 1 << 3,   /* set by keizoku, ignored on input (rev, created_at, ...) */
    KZ_FIELD_DERIVED = 1 << 4,  /* computed by apply; ignored on input */
    KZ_FIELD_PERSONAL = 1 << 5, /* personal data: reads are audited */
    KZ_FIELD_EVENT = 1 << 7,    /* of the envelope: events only */
    KZ_FIELD_NARROW = 1 << 6,   /* TEXT of codes and numbers: 全角 typed is stored as ASCII where that is possible */
};

/* One row. `repeated` follows from the proto label. */
struct kz_field {
    const char *name; /* proto field name = key in JSON and YAML */
    struct kz_text label;
    enum kz_field_type type;
    unsigned flags;
    int64_t min, max;                   /* INTEGER, DURATION (s): value; TEXT, PROSE: bytes; 0,0 = type's default */
    int64_t max_items;                  /* repeated: 0 = 100 */
    unsigned ref_kinds;                 /* REF: bit set, KZ_KIND_BIT(kind) */
    const struct kz_enum_value *values; /* ENUM: ends with name NULL */
    const struct kz_field *fields;      /* GROUP: ends with name NULL */
    const char *source;                 /* citation, e.g. "G 2.5.1" */
    struct kz_text help;                /* what it means, and the rule */
};

#define KZ_KIND_BIT(kind) (1u << (kind))

struct kz_kind {
    Kz__Kind number;
    const char *name;   /* "system" */
    const char *plural; /* "systems" */
    struct kz_text label;
    const struct kz_field *fields; /* of the body; ends with name NULL */
    const char *source;
    struct kz_text help;
    bool event; /* append-only: APPEND is the only operation, a correction is another event */
};

/* All kinds in number order; *count kinds. */
const struct kz_kind *kz_kinds(size_t *count);
const struct kz_kind *kz_kind_by_number(Kz__Kind number); /* NULL if unknown */
const struct kz_kind *kz_kind_by_name(const char *name);  /* English or Japanese, singular or plural; NULL */
const struct kz_kind *kz_kind_nearest(const char *name);  /* for "did you mean" */

/* The envelope's fields (id, rev, labels ...), same table form, reached in Kz__Record itself. */
const struct kz_field *kz_envelope_fields(void);

/* By English name or either label; NULL if unknown. `kz_field_nearest` suggests (NULL when nothing is near). */
const struct kz_field *kz_field_by_name(const struct kz_field *fields, const char *name);
const struct kz_field *kz_field_nearest(const struct kz_field *fields, const char *name);
const struct kz_enum_value *kz_enum_by_name(const struct kz_enum_value *values, const char *name); /* name or label */
const struct kz_enum_value *kz_enum_by_number(const struct kz_enum_value *values, int number);

#endif
