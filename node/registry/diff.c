/* SPDX-License-Identifier: Apache-2.0 */
/* Field-by-field comparison of two states of one record. */
#include "node/registry/record.h"

#include <stdlib.h>
#include <string.h>

#include "node/registry/path.h"
#include "node/registry/reflect.h"

static bool same_messages(const struct kz_field *fields, const ProtobufCMessage *a, const ProtobufCMessage *b);

static bool same_item(const struct kz_field *field, const ProtobufCMessage *a, size_t item_a, const ProtobufCMessage *b,
                      size_t item_b)
{
    switch (field->type) {
    case KZ_FIELD_TEXT:
    case KZ_FIELD_PROSE:
    case KZ_FIELD_DATE:
    case KZ_FIELD_REF:
        return strcmp(kz_value_text(a, field, item_a), kz_value_text(b, field, item_b)) == 0;
    case KZ_FIELD_GROUP:
        return same_messages(field->fields, kz_value_group(a, field, item_a), kz_value_group(b, field, item_b));
    default:
        return kz_value_number(a, field, item_a) == kz_value_number(b, field, item_b);
    }
}

static bool same_values(const struct kz_field *field, const ProtobufCMessage *a, const ProtobufCMessage *b)
{
    size_t count = kz_value_count(a, field);
    if (count != kz_value_count(b, field)) return false;
    for (size_t i = 0; i < count; i++)
        if (!same_item(field, a, i, b, i)) return false;
    return true;
}

static bool same_messages(const struct kz_field *fields, const ProtobufCMessage *a, const ProtobufCMessage *b)
{
    for (const struct kz_field *field = fields; field->name != NULL; field++) {
        if (!kz_reflect_is_given(field)) continue;
        if (!same_values(field, a, b)) return false;
    }
    return true;
}

bool kz_record_same(const Kz__Record *a, const Kz__Record *b)
{
    const ProtobufCMessage *body_a = kz_record_body(a);
    const ProtobufCMessage *body_b = kz_record_body(b);
    if (a->kind != b->kind || (body_a == NULL) != (body_b == NULL)) return false;
    if (!same_messages(kz_envelope_fields(), &a->base, &b->base)) return false;
    return body_a == NULL || same_messages(kz_kind_by_number(a->kind)->fields, body_a, body_b);
}

static bool same_verification(const Kz__Record *a, const Kz__Record *b)
{
    if (a->has_verified_at != b->has_verified_at) return false;
    if (!a->has_verified_at) return true;
    const char *by_a = a->verified_by != NULL ? a->verified_by : "";
    const char *by_b = b->verified_by != NULL ? b->verified_by : "";
    return a->verified_at == b->verified_at && strcmp(by_a, by_b) == 0;
}

bool kz_record_stands(const Kz__Record *now, const Kz__Record *then)
{
    bool is_there = now != NULL && !now->has_retired_at;
    bool was_there = then != NULL && !then->has_retired_at;
    if (!is_there || !was_there) return is_there == was_there;
    return kz_record_same(now, then) && same_verification(now, then);
}

struct diff {
    bool japanese;
    kz_difference_visitor visit;
    void *data;
    struct kz_buf before, after;
    char path[KZ_PATH_MAX_BYTES];
};

/* `a` or `b` is NULL where the whole group is absent. */
static void diff_messages(struct diff *diff, const struct kz_field *fields, const ProtobufCMessage *a,
                          const ProtobufCMessage *b);

static const char *show(struct diff *diff, struct kz_buf *buf, const struct kz_field *field,
                        const ProtobufCMessage *message, size_t item)
{
    kz_buf_clear(buf);
    kz_value_format(buf, field, message, item, diff->japanese);
    return kz_buf_text(buf);
}

/* ---- lists: which item of the one is which of the other ---- */

/* An inserted item must not make all that follow it look changed, so lists are aligned: the pairs, in order, that have
 * the most in common. */
#define ALIGNED_MAX 250000u /* longer lists (product of both lengths) are compared place by place */
#define SCORE_EQUAL 1000u   /* far above whatever two different items share */

struct alignment {
    size_t count_a, count_b;
    uint32_t *best; /* of what follows (i, j), (count_a + 1) x (count_b + 1); NULL: place by place */
};

/* Of two different groups: 1, and the fields that are the same in both. */
static uint32_t likeness(const struct kz_field *field, const ProtobufCMessage *a, size_t i, const ProtobufCMessage *b,
                         size_t j)
{
    uint32_t score = 1;
    if (same_item(field, a, i, b, j)) return SCORE_EQUAL;
    if (field->type != KZ_FIELD_GROUP) return score;
    const ProtobufCMessage *group_a = kz_value_group(a, field, i), *group_b = kz_value_group(b, field, j);
    for (const struct kz_field *part = field->fields; part->name != NULL; part++)
        score += kz_value_count(group_a, part) > 0 && same_values(part, group_a, group_b);
    return score;
}

static uint32_t *best_at(const struct alignment *alignment, size_t i, size_t j)
{
    return &alignment->best[i * (alignment->count_b + 1) + j];
}

static void align(struct alignment *alignment, const struct kz_field *field, const ProtobufCMessage *a,
                  const ProtobufCMessage *b)
{
    size_t rows = alignment->count_a, columns = alignment->count_b;
    alignment->best = NULL;
    if (rows == 0 || columns == 0 || (rows == 1 && columns == 1) || rows > ALIGNED_MAX / columns) return;
    alignment->best = calloc((rows + 1) * (columns + 1), sizeof(*alignment->best));
    if (alignment->best == NULL) return;
    for (size_t i = rows; i-- > 0;) {
        for (size_t j = columns; j-- > 0;) {
            uint32_t paired = likeness(field, a, i, b, j) + *best_at(alignment, i + 1, j + 1);
            uint32_t without_a = *best_at(alignment, i + 1, j), without_b = *best_at(alignment, i, j + 1);
            uint32_t without = without_a > without_b ? without_a : without_b;
            *best_at(alignment, i, j) = paired > without ? paired : without;
        }
    }
}

/* ---- the difference ---- */

/* One item on either side, SIZE_MAX: not there. The path counts in the list that has it, the later one before. */
static void diff_item(struct diff *diff, const struct kz_field *field, const ProtobufCMessage *a, size_t i,
                      const ProtobufCMessage *b, size_t j)
{
    size_t base = strlen(diff->path);
    bool in_a = i != SIZE_MAX, in_b = j != SIZE_MAX;
    kz_path_append(diff->path, sizeof(diff->path), in_b ? b : a, field, in_b ? j : i);
    if (field->type == KZ_FIELD_GROUP) {
        diff_messages(diff, field->fields, in_a ? kz_value_group(a, field, i) : NULL,
                      in_b ? kz_value_group(b, field, j) : NULL);
    } else if (!in_a || !in_b || !same_item(field, a, i, b, j)) {
        const char *before = in_a ? show(diff, &diff->before, field, a, i) : NULL;
        const char *after = in_b ? show(diff, &diff->after, field, b, j) : NULL;
        diff->visit(diff->data, diff->path, before, after);
    }
    diff->path[base] = '\0';
}

static void diff_field(struct diff *diff, const struct kz_field *field, const ProtobufCMessage *a,
                       const ProtobufCMessage *b)
{
    struct alignment alignment = {.count_a = a == NULL ? 0 : kz_value_count(a, field),
                                  .count_b = b == NULL ? 0 : kz_value_count(b, field)};
    size_t i = 0, j = 0;
    align(&alignment, field, a, b);
    while (i < alignment.count_a || j < alignment.count_b) {
        bool both = i < alignment.count_a && j < alignment.count_b;
        uint32_t best = both && alignment.best != NULL ? *best_at(&alignment, i, j) : 0;
        if (!both) {
            bool in_a = i < alignment.count_a;
            diff_item(diff, field, a, in_a ? i : SIZE_MAX, b, in_a ? SIZE_MAX : j);
            in_a ? i++ : j++;
        } else if (alignment.best != NULL && best == *best_at(&alignment, i + 1, j)) {
            diff_item(diff, field, a, i++, b, SIZE_MAX);
        } else if (alignment.best != NULL && best == *best_at(&alignment, i, j + 1)) {
            diff_item(diff, field, a, SIZE_MAX, b, j++);
        } else {
            diff_item(diff, field, a, i++, b, j++);
        }
    }
    free(alignment.best);
}

static void diff_messages(struct diff *diff, const struct kz_field *fields, const ProtobufCMessage *a,
                          const ProtobufCMessage *b)
{
    for (const struct kz_field *field = fields; field->name != NULL; field++)
        if ((field->flags & KZ_FIELD_SYSTEM) == 0) diff_field(diff, field, a, b);
}

void kz_record_diff(const Kz__Record *a, const Kz__Record *b, bool japanese, kz_difference_visitor visit, void *data)
{
    struct diff diff = {.japanese = japanese, .visit = visit, .data = data};
    const struct kz_kind *kind = kz_kind_by_number(b->kind);
    kz_buf_init(&diff.before, 0);
    kz_buf_init(&diff.after, 0);
    diff_messages(&diff, kz_envelope_fields(), &a->base, &b->base);
    if (kind != NULL && a->kind == b->kind) diff_messages(&diff, kind->fields, kz_record_body(a), kz_record_body(b));
    kz_buf_fini(&diff.before);
    kz_buf_fini(&diff.after);
}
