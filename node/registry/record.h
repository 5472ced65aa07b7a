/* SPDX-License-Identifier: Apache-2.0 */
/* Generic access to records through the schema, and their rules. Pure: no I/O, clock, random, locale; any thread.
 * Validation comes in two halves: what needs no state (client, and node before proposing) and what needs the other
 * records (inside apply, deterministic).
 * Paths of violations and differences count list items from 0: "contact/yamada.channels[2].value". */
#ifndef KZ_REGISTRY_RECORD_H
#define KZ_REGISTRY_RECORD_H

#include "node/base/buf.h"
#include "node/registry/schema.h"
#include "proto/command.pb-c.h"
#include "proto/wire.h"

/* ---- generic access; `message` is a Kz__Record, a body, or a group ---- */

/* The body `kind` names, or NULL. `kz_record_make_body` allocates it when absent. */
ProtobufCMessage *kz_record_body(const Kz__Record *record);
ProtobufCMessage *kz_record_make_body(Kz__Record *record);
/* A new record with kind, id and an empty body; kz__record__free_unpacked(record, NULL). */
Kz__Record *kz_record_new(Kz__Kind kind, const char *id);
Kz__Record *kz_record_dup(const Kz__Record *record);

/* How many values the field has: 0 or 1 for optional ones. */
size_t kz_value_count(const ProtobufCMessage *message, const struct kz_field *field);
/* The item-th value. TEXT, PROSE, DATE, REF: string (borrowed); numbers, booleans, enums: int64; GROUP: message
 * (borrowed). */
const char *kz_value_text(const ProtobufCMessage *message, const struct kz_field *field, size_t item);
int64_t kz_value_number(const ProtobufCMessage *message, const struct kz_field *field, size_t item);
const ProtobufCMessage *kz_value_group(const ProtobufCMessage *message, const struct kz_field *field, size_t item);
/* Append to a repeated field, or set an optional one (replacing it). False: out of memory. */
bool kz_value_add_text(ProtobufCMessage *message, const struct kz_field *field, const char *text);
bool kz_value_add_number(ProtobufCMessage *message, const struct kz_field *field, int64_t number);
ProtobufCMessage *kz_value_add_group(ProtobufCMessage *message,
                                     const struct kz_field *field); /* borrowed; NULL: memory */
void kz_value_clear(ProtobufCMessage *message, const struct kz_field *field);

/* One scalar to and from text as people type and read it ("3h" / 3時間, "HOT" / ホット / 令和7年1月17日).
 * Parse adds as kz_value_add does; an empty text leaves the field absent. It returns NULL when fine, else the reason
 * (en/ja text, static). The range and the other rules are kz_record_check's. */
void kz_value_format(struct kz_buf *out, const struct kz_field *field, const ProtobufCMessage *message, size_t item,
                     bool japanese);
const struct kz_text *kz_value_parse(ProtobufCMessage *message, const struct kz_field *field, const char *text);

/* Field-by-field comparison of what people can set (envelope settable fields and body); used by diff and by
 * "unchanged". */
bool kz_record_same(const Kz__Record *a, const Kz__Record *b);
/* `now` stands as `then` stood: what people can set, and the verification. NULL and retired are the same: not there. */
bool kz_record_stands(const Kz__Record *now, const Kz__Record *then);
/* Visits each leaf that differs: path "channels[1].value"; NULL text = absent. Texts borrowed for the call. */
typedef void (*kz_difference_visitor)(void *data, const char *path, const char *before, const char *after);
void kz_record_diff(const Kz__Record *a, const Kz__Record *b, bool japanese, kz_difference_visitor visit, void *data);

/* ---- rules ---- */

/* Every violation found is added; the list is capped at KZ_VIOLATIONS_MAX. */
struct kz_violations {
    Kz__Violation **items; /* owned */
    size_t count;
};
void kz_violations_fini(struct kz_violations *violations);
void kz_violations_add(struct kz_violations *violations, const char *path, const char *rule, const struct kz_text *text,
                       const char *source);

/* The same with the text built here; both formats take the same arguments. A text is cut at 400 bytes. */
void kz_violations_addf(struct kz_violations *violations, const char *path, const char *rule, const char *source,
                        const char *en_fmt, const char *ja_fmt, ...)
    __attribute__((format(printf, 5, 7), format(printf, 6, 7)));

bool kz_id_valid(const char *id); /* [a-z0-9][a-z0-9._-]{0,63} */
/* What a person typed, NFKC-folded: "ＪＵＫＩ－１" becomes "juki-1". False: not an id even so. */
bool kz_id_fold(const char *typed, char out[KZ_ID_MAX_BYTES + 1]);

/* Rules that need no other record: types, lengths, UTF-8, ranges, required fields, check digits, override needs a
 * basis. */
void kz_record_check(const Kz__Record *record, struct kz_violations *violations);
/* Rules about going from `before` (live, same kind and id) to `after`: a runbook's states, that who wrote it does not
 * approve it, and that approved text does not change under its approval (runbook_life.h). Needs kz_record_check
 * besides. */
void kz_record_check_change(const Kz__Record *before, const Kz__Record *after, struct kz_violations *violations);
#define KZ_REWIND_ID "all" /* in a mutation that is about all records of its kind */
/* Whether the operation is one of the kind's: events take APPEND only ("event.append_only"), all others never
 * ("event.only"); and whether one that goes back in time says how far. An unknown kind or operation is somebody else's
 * to refuse. Before kz_record_check, on proposing and in apply. */
void kz_mutation_check_op(const Kz__Mutation *mutation, struct kz_violations *violations);

/* How a rule looks at other records. `find` answers live, retired or absent. */
enum kz_presence { KZ_ABSENT, KZ_LIVE, KZ_RETIRED };
struct kz_resolver {
    void *data;
    enum kz_presence (*find)(void *data, Kz__Kind kind, const char *id);
};
/* Rules that need other records (references exist and are live). Deterministic. */
void kz_record_check_references(const Kz__Record *record, const struct kz_resolver *resolver,
                                struct kz_violations *violations);

/* Every reference a record holds, in field order. */
typedef void (*kz_reference_visitor)(void *data, const char *path, Kz__Kind kind, const char *id);
void kz_record_references(const Kz__Record *record, kz_reference_visitor visit, void *data);

/* Fill derived fields from the record's own (recovery priority from RTO, G table 2.5-1). */
void kz_record_derive(Kz__Record *record);

/* Canonical encoding: unknown fields dropped, order fixed. Adds to `out`. */
void kz_record_encode(const Kz__Record *record, struct kz_buf *out);
/* Decode with limits on size, nesting and counts; NULL on anything odd. Free with kz__record__free_unpacked(r, NULL).
 */
Kz__Record *kz_record_decode(const uint8_t *bytes, size_t size_bytes);

#endif
