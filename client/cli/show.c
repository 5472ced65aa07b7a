/* SPDX-License-Identifier: Apache-2.0 */
/* What every writer needs: meta, grids, times; the banner; errors. */
#include "client/cli/show.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "client/codec/encode.h"
#include "client/codec/width.h"
#include "node/base/assert.h"
#include "node/registry/when.h"

#define NUMBER_TEXT_BYTES 24
#define SHORT_HASH_BYTES 6
#define VIOLATIONS_FEW 20 /* of an error, for people; JSON has them all */
#define COLOUR_WARN "\033[1;33m"
#define COLOUR_ERROR "\033[1;31m"
#define COLOUR_END "\033[0m"
#define MINUTE_S 60
#define HOUR_S (60 * MINUTE_S)
#define DAY_S (24 * HOUR_S)

/* ---- JSON ---- */

json_t *kz_show_string(const char *text)
{
    json_t *value = json_string(text ? text : "");
    if (!value) value = json_string("");
    kz_assert(value);
    return value;
}

void kz_show_set(json_t *object, const char *key, json_t *value)
{
    kz_assert(value && json_object_set_new(object, key, value) == 0); /* out of memory ends a command-line program */
}

void kz_show_short_hash(struct kz_buf *out, bool present, ProtobufCBinaryData hash)
{
    if (present) kz_buf_add_hex(out, hash.data, hash.len < SHORT_HASH_BYTES ? hash.len : SHORT_HASH_BYTES);
}

json_t *kz_show_hex(ProtobufCBinaryData bytes)
{
    struct kz_buf text;
    kz_buf_init(&text, 0);
    kz_buf_add_hex(&text, bytes.data, bytes.len);
    json_t *value = kz_show_string(kz_buf_text(&text));
    kz_buf_fini(&text);
    return value;
}

json_t *kz_show_time(int64_t time_ms)
{
    struct kz_buf text;
    kz_buf_init(&text, 0);
    kz_time_format(&text, time_ms);
    json_t *value = kz_show_string(kz_buf_text(&text));
    kz_buf_fini(&text);
    return value;
}

const char *kz_show_kind(Kz__Kind kind)
{
    const struct kz_kind *row = kz_kind_by_number(kind);
    return row ? row->name : "?";
}

/* Every key always stands there, null when the node does not know. */
json_t *kz_show_meta(const Kz__Meta *meta)
{
    json_t *object = json_object();
    if (!meta) return object;
    kz_show_set(object, "read", kz_show_string(meta->read == KZ__READ_MODE__LOCAL ? "local" : "linearizable"));
    kz_show_set(object, "node", kz_show_string(meta->node));
    kz_show_set(object, "rev", json_integer((json_int_t)meta->rev));
    kz_show_set(object, "quorum", json_boolean(meta->quorum));
    kz_show_set(object, "data_time", meta->has_data_time_ms ? kz_show_time(meta->data_time_ms) : json_null());
    kz_show_set(object, "leader_contact_ms",
                meta->has_leader_contact_ms ? json_integer(meta->leader_contact_ms) : json_null());
    kz_show_set(object, "leader", meta->leader && *meta->leader ? kz_show_string(meta->leader) : json_null());
    kz_show_set(object, "term", json_integer((json_int_t)meta->term));
    kz_show_set(object, "applied_index", json_integer((json_int_t)meta->applied_index));
    kz_show_set(object, "cluster", meta->cluster ? kz_show_string(meta->cluster) : json_null());
    if (meta->has_epoch) kz_show_set(object, "epoch", json_integer((json_int_t)meta->epoch));
    if (meta->has_removed) kz_show_set(object, "removed", json_boolean(meta->removed));
    if (meta->has_fenced) kz_show_set(object, "fenced", json_integer((json_int_t)meta->fenced));
    if (meta->has_provisional) kz_show_set(object, "provisional", json_integer(meta->provisional));
    if (meta->has_as_of_rev) {
        kz_show_set(object, "as_of_rev", json_integer((json_int_t)meta->as_of_rev));
        kz_show_set(object, "as_of_time", meta->has_as_of_ms ? kz_show_time(meta->as_of_ms) : json_null());
    }
    return object;
}

static void write_value(const struct kz_view *view, const json_t *value, struct kz_buf *out)
{
    if (view->output == KZ_OUTPUT_YAML)
        kz_yaml_write(out, value);
    else
        kz_json_write(out, value, false);
}

void kz_show_items(const struct kz_view *view, const Kz__Meta *meta, json_t *items, struct kz_buf *out)
{
    json_t *object = json_object();
    if (meta) kz_show_set(object, "meta", kz_show_meta(meta));
    kz_show_set(object, "items", items);
    write_value(view, object, out);
    json_decref(object);
}

/* ---- tables ---- */

void kz_show_add_column(const struct kz_view *view, struct kz_grid *grid, enum kz_text_id header, bool right)
{
    kz_grid_add_column(grid, kz_text(header, view->japanese), right);
}

void kz_show_grid(const struct kz_view *view, struct kz_grid *grid, struct kz_buf *out)
{
    struct kz_grid_style style = {
        .headers = view->headers, .ambiguous = view->ambiguous, .max_columns = view->max_columns};
    if (view->output == KZ_OUTPUT_CSV)
        kz_grid_write_csv(grid, view->headers, view->headers, out);
    else
        kz_grid_write_table(grid, &style, out);
    kz_grid_fini(grid);
}

void kz_show_line(const struct kz_view *view, struct kz_buf *out, enum kz_text_id text, const char *const *args,
                  size_t count)
{
    struct kz_buf line;
    kz_buf_init(&line, 0);
    kz_text_fill(&line, text, view->japanese, args, count);
    kz_width_add_safe(out, kz_buf_text(&line), false);
    kz_buf_add_text(out, "\n");
    kz_buf_fini(&line);
}

/* ---- ages ---- */

void kz_show_duration(const struct kz_view *view, struct kz_buf *out, int64_t age_ms)
{
    int64_t seconds = age_ms / 1000;
    char large[NUMBER_TEXT_BYTES], small[NUMBER_TEXT_BYTES];
    enum kz_text_id text = KZ_T_SECONDS;
    int64_t a = seconds, b = 0;
    if (seconds >= DAY_S)
        text = KZ_T_DAYS_HOURS, a = seconds / DAY_S, b = seconds % DAY_S / HOUR_S;
    else if (seconds >= HOUR_S)
        text = KZ_T_HOURS_MINUTES, a = seconds / HOUR_S, b = seconds % HOUR_S / MINUTE_S;
    else if (seconds >= 2 * MINUTE_S)
        text = KZ_T_MINUTES, a = seconds / MINUTE_S;
    snprintf(large, sizeof large, "%" PRId64, a);
    snprintf(small, sizeof small, "%" PRId64, b);
    kz_text_fill(out, text, view->japanese, KZ_TEXT_ARGS(large, small));
}

void kz_show_ago(const struct kz_view *view, struct kz_buf *out, int64_t age_ms)
{
    struct kz_buf duration;
    kz_buf_init(&duration, 0);
    kz_show_duration(view, &duration, age_ms);
    kz_text_fill(out, KZ_T_AGO, view->japanese, KZ_TEXT_ARGS(kz_buf_text(&duration)));
    kz_buf_fini(&duration);
}

/* ---- banner ---- */

void kz_show_freshness(const struct kz_view *view, const Kz__Meta *meta, struct kz_buf *time, struct kz_buf *contact)
{
    if (meta->has_leader_contact_ms)
        kz_show_ago(view, contact, meta->leader_contact_ms);
    else
        kz_buf_add_text(contact, kz_text(KZ_T_NEVER, view->japanese));
    if (meta->has_data_time_ms)
        kz_time_format(time, meta->data_time_ms - meta->data_time_ms % 1000); /* no one needs the milliseconds */
    else
        kz_buf_add_text(time, kz_text(KZ_T_UNKNOWN, view->japanese));
}

static void show_past(const struct kz_view *view, const Kz__Meta *meta, struct kz_buf *out)
{
    char rev[NUMBER_TEXT_BYTES];
    struct kz_buf time;
    kz_buf_init(&time, 0);
    snprintf(rev, sizeof rev, "%" PRIu64, meta->as_of_rev);
    if (meta->has_as_of_ms) kz_time_format(&time, meta->as_of_ms - meta->as_of_ms % 1000);
    if (view->colour) kz_buf_add_text(out, COLOUR_WARN);
    kz_show_line(view, out, meta->as_of_rev ? KZ_T_BANNER_PAST : KZ_T_BANNER_PAST_NOTHING,
                 KZ_TEXT_ARGS(rev, kz_buf_text(&time)));
    if (view->colour) kz_buf_add_text(out, COLOUR_END);
    kz_buf_fini(&time);
}

void kz_show_banner(const struct kz_view *view, const Kz__Meta *meta, bool asked_auto, struct kz_buf *out)
{
    if (meta && meta->has_as_of_rev) show_past(view, meta, out);
    if (!meta || (meta->quorum && !(asked_auto && meta->read == KZ__READ_MODE__LOCAL))) return;
    struct kz_buf contact, data, ages;
    kz_buf_init(&contact, 0);
    kz_buf_init(&data, 0);
    kz_buf_init(&ages, 0);
    char rev[NUMBER_TEXT_BYTES], count[NUMBER_TEXT_BYTES];
    snprintf(rev, sizeof rev, "%" PRIu64, meta->rev);
    snprintf(count, sizeof count, "%" PRIu32, meta->provisional);
    kz_show_freshness(view, meta, &data, &contact);
    if (view->colour) kz_buf_add_text(out, COLOUR_WARN);
    char epoch[NUMBER_TEXT_BYTES];
    snprintf(epoch, sizeof epoch, "%" PRIu64, meta->fenced);
    kz_show_line(view, out,
                 meta->has_fenced    ? KZ_T_BANNER_FENCED
                 : meta->has_removed ? KZ_T_BANNER_REMOVED
                 : meta->quorum      ? KZ_T_BANNER_LOCAL
                                     : KZ_T_BANNER_NO_QUORUM,
                 KZ_TEXT_ARGS(meta->node, epoch));
    if (view->colour) kz_buf_add_text(out, COLOUR_END);
    kz_text_fill(&ages, KZ_T_BANNER_AGES, view->japanese, KZ_TEXT_ARGS(kz_buf_text(&contact), kz_buf_text(&data), rev));
    if (meta->provisional > 0) kz_text_fill(&ages, KZ_T_BANNER_PROVISIONAL, view->japanese, KZ_TEXT_ARGS(count));
    kz_buf_add_text(out, kz_buf_text(&ages));
    kz_buf_add_text(out, "\n");
    kz_buf_fini(&contact);
    kz_buf_fini(&data);
    kz_buf_fini(&ages);
}

/* ---- errors ---- */

static json_t *encode_violation(const Kz__Violation *violation, bool japanese)
{
    json_t *object = json_object();
    kz_show_set(object, "path", kz_show_string(violation->path));
    kz_show_set(object, "rule", kz_show_string(violation->rule));
    kz_show_set(object, "text", kz_show_string(japanese ? violation->ja : violation->en));
    if (violation->source) kz_show_set(object, "source", kz_show_string(violation->source));
    return object;
}

static void add_difference(void *data, const char *path, const char *before, const char *after)
{
    json_t *object = json_object();
    kz_show_set(object, "path", kz_show_string(path));
    kz_show_set(object, "before", before ? kz_show_string(before) : json_null());
    kz_show_set(object, "after", after ? kz_show_string(after) : json_null());
    kz_assert(json_array_append_new(data, object) == 0);
}

static json_t *encode_differences(const Kz__Record *before, const Kz__Record *after, bool japanese)
{
    json_t *list = json_array();
    kz_record_diff(before, after, japanese, add_difference, list);
    return list;
}

static json_t *encode_error(const struct kz_view *view, const Kz__Error *error, const Kz__Record *base,
                            const Kz__Record *mine)
{
    bool ja = view->japanese;
    json_t *object = json_object();
    kz_show_set(object, "code", kz_show_string(kz_code_name((enum kz_code)error->code)));
    kz_show_set(object, "what", kz_show_string(ja ? error->what_ja : error->what_en));
    kz_show_set(object, "why", kz_show_string(ja ? error->why_ja : error->why_en));
    kz_show_set(object, "hint", kz_show_string(ja ? error->hint_ja : error->hint_en));
    json_t *violations = json_array();
    for (size_t i = 0; i < error->n_violations; i++)
        kz_assert(json_array_append_new(violations, encode_violation(error->violations[i], ja)) == 0);
    kz_show_set(object, "violations", violations);
    json_t *referrers = json_array();
    for (size_t i = 0; i < error->n_referrers; i++)
        kz_assert(json_array_append_new(referrers, kz_show_string(error->referrers[i])) == 0);
    if (error->n_referrers)
        kz_show_set(object, "referrers", referrers);
    else
        json_decref(referrers);
    if (error->current) kz_show_set(object, "current", kz_encode_record(error->current));
    if (error->current && base) kz_show_set(object, "their_change", encode_differences(base, error->current, ja));
    if (error->current && mine) kz_show_set(object, "difference", encode_differences(error->current, mine, ja));
    json_t *whole = json_object();
    kz_show_set(whole, "error", object);
    return whole;
}

struct differences {
    const struct kz_view *view;
    struct kz_buf *out;
    size_t count;
};

static void print_difference(void *data, const char *path, const char *before, const char *after)
{
    struct differences *differences = data;
    differences->count++;
    const char *none = kz_text(KZ_T_ABSENT, differences->view->japanese);
    struct kz_buf line;
    kz_buf_init(&line, 0);
    kz_buf_addf(&line, "    %s: %s -> %s", path, before ? before : none, after ? after : none);
    kz_width_add_safe(differences->out, kz_buf_text(&line), false);
    kz_buf_add_text(differences->out, "\n");
    kz_buf_fini(&line);
}

static void print_conflict(const struct kz_view *view, const Kz__Error *error, const Kz__Record *base,
                           const Kz__Record *mine, struct kz_buf *out)
{
    struct differences differences = {.view = view, .out = out};
    if (base) {
        kz_show_line(view, out, KZ_T_CONFLICT_CHANGED, NULL, 0);
        kz_record_diff(base, error->current, view->japanese, print_difference, &differences);
    } else if (mine) {
        kz_show_line(view, out, KZ_T_CONFLICT_THEIRS, NULL, 0);
        kz_record_diff(error->current, mine, view->japanese, print_difference, &differences);
    }
    if ((base || mine) && differences.count == 0) kz_show_line(view, out, KZ_T_CONFLICT_NOTHING, NULL, 0);
}

static void print_violation(const struct kz_view *view, const Kz__Violation *violation, struct kz_buf *out)
{
    struct kz_buf line;
    kz_buf_init(&line, 0);
    kz_buf_addf(&line, "  %s: %s (%s", violation->path, view->japanese ? violation->ja : violation->en,
                violation->rule);
    kz_buf_addf(&line, "%s%s)", violation->source ? ", " : "", violation->source ? violation->source : "");
    kz_width_add_safe(out, kz_buf_text(&line), false);
    kz_buf_add_text(out, "\n");
    kz_buf_fini(&line);
}

void kz_show_error(const struct kz_view *view, const Kz__Error *error, const Kz__Record *base, const Kz__Record *mine,
                   struct kz_buf *out)
{
    if (view->output == KZ_OUTPUT_JSON) {
        json_t *value = encode_error(view, error, base, mine);
        kz_json_write(out, value, false);
        json_decref(value);
        return;
    }
    bool ja = view->japanese;
    const char *what = ja ? error->what_ja : error->what_en, *why = ja ? error->why_ja : error->why_en,
               *hint = ja ? error->hint_ja : error->hint_en;
    if (view->colour) kz_buf_add_text(out, COLOUR_ERROR);
    kz_show_line(view, out, KZ_T_ERROR_LINE, KZ_TEXT_ARGS(what));
    if (view->colour) kz_buf_add_text(out, COLOUR_END);
    for (size_t i = 0; i < error->n_violations && i < VIOLATIONS_FEW; i++)
        print_violation(view, error->violations[i], out);
    if (error->n_violations > VIOLATIONS_FEW) {
        char rest[NUMBER_TEXT_BYTES];
        snprintf(rest, sizeof rest, "%zu", error->n_violations - VIOLATIONS_FEW);
        kz_buf_add_text(out, "  ");
        kz_show_line(view, out, KZ_T_MORE_ROWS, KZ_TEXT_ARGS(rest));
    }
    if (why && *why) kz_show_line(view, out, KZ_T_WHY_LINE, KZ_TEXT_ARGS(why));
    if (error->current) print_conflict(view, error, base, mine, out);
    if (hint && *hint) kz_show_line(view, out, KZ_T_HINT_LINE, KZ_TEXT_ARGS(hint));
}
