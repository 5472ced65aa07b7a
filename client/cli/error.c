/* SPDX-License-Identifier: Apache-2.0 */
#include "client/cli/error.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/base/assert.h"
#include "node/registry/when.h"
#include "proto/wire.h"

#define NUMBER_TEXT_BYTES 24

static char *fill(enum kz_text_id id, bool japanese, const char *const *args, size_t count)
{
    struct kz_buf out;
    kz_buf_init(&out, 0);
    kz_text_fill(&out, id, japanese, args, count);
    char *text = kz_must_strdup(kz_buf_text(&out));
    kz_buf_fini(&out);
    return text;
}

void kz_error_set(char **slot, const char *text)
{
    free(*slot);
    *slot = kz_must_strdup(text);
}

static Kz__Error *new_error(enum kz_code code)
{
    Kz__Error *error = kz_must_alloc(1, sizeof *error);
    kz__error__init(error);
    error->code = (uint32_t)code;
    return error;
}

/* Fills the lines that are still empty; KZ_T_EMPTY leaves one so. */
static void fill_lines(Kz__Error *error, enum kz_text_id what, enum kz_text_id why, enum kz_text_id hint,
                       const char *const *args, size_t count)
{
    struct {
        enum kz_text_id id;
        char **en, **ja;
    } lines[] = {{what, &error->what_en, &error->what_ja},
                 {why, &error->why_en, &error->why_ja},
                 {hint, &error->hint_en, &error->hint_ja}};
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        if (lines[i].id == KZ_T_EMPTY) continue;
        if (!*lines[i].en) *lines[i].en = fill(lines[i].id, false, args, count);
        if (!*lines[i].ja) *lines[i].ja = fill(lines[i].id, true, args, count);
    }
}

Kz__Error *kz_error_new(enum kz_code code, enum kz_text_id what, enum kz_text_id why, enum kz_text_id hint,
                        const char *const *args, size_t count)
{
    Kz__Error *error = new_error(code);
    fill_lines(error, what, why, hint, args, count);
    return error;
}

/* ---- what a node left unsaid ---- */

/* A node says what happened; the person wants to read to which record. */
static void complete_what(Kz__Error *error, const struct kz_error_context *context)
{
    bool reads = !context->request || !*context->request;
    for (int japanese = 0; japanese < 2; japanese++) {
        char **slot = japanese ? &error->what_ja : &error->what_en;
        /* The error table's text speaks of a write. */
        if (error->code == KZ_NO_QUORUM && reads) kz_error_set(slot, kz_text(KZ_T_NO_QUORUM_READ, japanese));
        const char *text = *slot ? *slot : kz_code_text((enum kz_code)error->code, japanese);
        char *whole = context->subject ? fill(KZ_T_WHAT_RECORD, japanese, KZ_TEXT_ARGS(context->subject, text))
                                       : kz_must_strdup(text);
        free(*slot);
        *slot = whole;
    }
}

/* What the client knows in particular takes the place of what the node says in general. */
static void drop_why(Kz__Error *error)
{
    free(error->why_en);
    free(error->why_ja);
    error->why_en = error->why_ja = NULL;
}

static void drop_hint(Kz__Error *error)
{
    free(error->hint_en);
    free(error->hint_ja);
    error->hint_en = error->hint_ja = NULL;
}

static void complete_conflict(Kz__Error *error, const char *subject)
{
    const Kz__Record *current = error->current;
    if (!current || !current->has_rev) {
        fill_lines(error, KZ_T_EMPTY, KZ_T_WHY_CONFLICT_EXISTS, KZ_T_HINT_CONFLICT, KZ_TEXT_ARGS(subject));
        return;
    }
    drop_why(error);
    drop_hint(error);
    char rev[NUMBER_TEXT_BYTES];
    snprintf(rev, sizeof rev, "%" PRIu64, current->rev);
    struct kz_buf when;
    kz_buf_init(&when, 0);
    /* A verification makes a revision too, without being an update. */
    bool verified = current->verified_at > current->updated_at;
    const char *who = verified ? current->verified_by : current->updated_by;
    kz_time_format(&when, verified ? current->verified_at : current->updated_at);
    fill_lines(error, KZ_T_EMPTY, verified ? KZ_T_WHY_CONFLICT_VERIFIED : KZ_T_WHY_CONFLICT, KZ_T_EMPTY,
               KZ_TEXT_ARGS(rev, who ? who : "?", kz_buf_text(&when)));
    fill_lines(error, KZ_T_EMPTY, KZ_T_EMPTY, KZ_T_HINT_CONFLICT, KZ_TEXT_ARGS(subject));
    kz_buf_fini(&when);
}

static void complete_referenced(Kz__Error *error)
{
    if (error->n_referrers) drop_why(error);
    struct kz_buf names;
    kz_buf_init(&names, 0);
    for (size_t i = 0; i < error->n_referrers; i++)
        kz_buf_addf(&names, "%s%s", i ? ", " : "", error->referrers[i]);
    fill_lines(error, KZ_T_EMPTY, KZ_T_WHY_REFERENCED, KZ_T_HINT_REFERENCED, KZ_TEXT_ARGS(kz_buf_text(&names)));
    kz_buf_fini(&names);
}

static void complete_not_found(Kz__Error *error, const struct kz_error_context *context)
{
    const char *slash = context->subject ? strchr(context->subject, '/') : NULL;
    char kind[KZ_NAME_MAX_BYTES];
    snprintf(kind, sizeof kind, "%.*s", slash ? (int)(slash - context->subject) : 0,
             context->subject ? context->subject : "");
    if (*kind) drop_hint(error); /* it can be named exactly */
    if (context->near_id)
        fill_lines(error, KZ_T_EMPTY, KZ_T_EMPTY, KZ_T_DID_YOU_MEAN_ID, KZ_TEXT_ARGS(context->near_id, kind));
    fill_lines(error, KZ_T_EMPTY, KZ_T_WHY_NOT_FOUND, KZ_T_HINT_NOT_FOUND, KZ_TEXT_ARGS(kind));
}

/* Which of many records it was: what the node names is nearer the truth than what the command line says. */
static void name_record(const Kz__Error *error, struct kz_buf *out)
{
    if (error->current) {
        const struct kz_kind *kind = kz_kind_by_number(error->current->kind);
        kz_buf_addf(out, "%s/%s", kind ? kind->name : "?", error->current->id);
    } else if (error->n_violations && (error->code == KZ_CONFLICT || error->code == KZ_NOT_FOUND)) {
        kz_buf_add_text(out, error->violations[0]->path); /* of a record as a whole, so this is its name */
    }
}

static void complete_with(Kz__Error *error, const struct kz_error_context *context)
{
    char number[NUMBER_TEXT_BYTES];
    complete_what(error, context);
    switch ((enum kz_code)error->code) {
    case KZ_NOT_FOUND:
        complete_not_found(error, context);
        return;
    case KZ_CONFLICT:
        complete_conflict(error, context->subject ? context->subject : "");
        return;
    case KZ_REFERENCED:
        complete_referenced(error);
        return;
    case KZ_DENIED:
        drop_why(error);
        fill_lines(error, KZ_T_EMPTY, KZ_T_WHY_DENIED, KZ_T_HINT_DENIED, KZ_TEXT_ARGS(context->role));
        return;
    case KZ_NO_QUORUM:
        fill_lines(error, KZ_T_EMPTY, KZ_T_WHY_NO_QUORUM, KZ_T_HINT_NO_QUORUM,
                   KZ_TEXT_ARGS(context->node ? context->node : "?"));
        return;
    case KZ_INVALID:
        snprintf(number, sizeof number, "%zu", error->n_violations);
        fill_lines(error, KZ_T_EMPTY, KZ_T_WHY_INVALID, KZ_T_HINT_INVALID, KZ_TEXT_ARGS(number));
        return;
    case KZ_BUSY:
        fill_lines(error, KZ_T_EMPTY, KZ_T_WHY_BUSY, KZ_T_HINT_BUSY, NULL, 0);
        return;
    case KZ_UNKNOWN_OUTCOME:
        fill_lines(error, KZ_T_EMPTY, KZ_T_OUTCOME_UNKNOWN_WHY, KZ_T_OUTCOME_UNKNOWN_HINT,
                   KZ_TEXT_ARGS(context->request));
        return;
    default:
        fill_lines(error, KZ_T_EMPTY, KZ_T_WHY_OTHER, KZ_T_HINT_OTHER, NULL, 0);
        return;
    }
}

void kz_error_complete(Kz__Error *error, const struct kz_error_context *context)
{
    struct kz_buf name;
    kz_buf_init(&name, 0);
    name_record(error, &name);
    struct kz_error_context named = *context;
    if (name.size_bytes) named.subject = kz_buf_text(&name);
    complete_with(error, &named);
    kz_buf_fini(&name);
}

Kz__Error *kz_error_of_outcome(Kz__Outcome *outcome, const struct kz_error_context *context)
{
    Kz__Error *error = new_error((enum kz_code)outcome->code);
    error->violations = outcome->violations;
    error->n_violations = outcome->n_violations;
    error->current = outcome->current;
    error->referrers = outcome->referrers;
    error->n_referrers = outcome->n_referrers;
    outcome->violations = NULL;
    outcome->n_violations = 0;
    outcome->current = NULL;
    outcome->referrers = NULL;
    outcome->n_referrers = 0;
    kz_error_complete(error, context);
    return error;
}

/* ---- no answer ---- */

/* One line per node and layer, all under the one "why". */
static char *list_attempts(const struct kz_client *client, bool japanese)
{
    size_t count;
    const struct kz_attempt *attempts = kz_client_attempts(client, &count);
    struct kz_buf out;
    kz_buf_init(&out, 0);
    for (size_t i = 0; i < count; i++) {
        const struct kz_attempt *attempt = &attempts[i];
        char detail[sizeof attempt->detail + 4] = "";
        if (attempt->detail[0]) snprintf(detail, sizeof detail, " (%s)", attempt->detail);
        if (i) kz_buf_add_text(&out, "; ");
        kz_text_fill(&out, KZ_T_ATTEMPT, japanese,
                     KZ_TEXT_ARGS(attempt->node, kz_layer_text(attempt->layer, japanese),
                                  kz_text(attempt->reason, japanese), detail));
    }
    char *text = kz_must_strdup(kz_buf_text(&out));
    kz_buf_fini(&out);
    return text;
}

static bool our_certificate_refused(const struct kz_client *client)
{
    size_t count;
    const struct kz_attempt *attempts = kz_client_attempts(client, &count);
    for (size_t i = 0; i < count; i++)
        if (attempts[i].layer == KZ_LAYER_AUTHORISATION) return true;
    return false;
}

Kz__Error *kz_error_of_call(const struct kz_client *client, const struct kz_err *err, int64_t timeout_ms,
                            const struct kz_error_context *context)
{
    Kz__Error *error = new_error(err->code);
    char number[NUMBER_TEXT_BYTES];
    switch (err->code) {
    case KZ_UNREACHABLE:
        error->why_en = list_attempts(client, false);
        error->why_ja = list_attempts(client, true);
        fill_lines(error, KZ_T_UNREACHABLE, KZ_T_EMPTY,
                   our_certificate_refused(client) ? KZ_T_AUTH_HINT : KZ_T_UNREACHABLE_HINT, NULL, 0);
        break;
    case KZ_UNKNOWN_OUTCOME:
        fill_lines(error, KZ_T_OUTCOME_UNKNOWN, KZ_T_OUTCOME_UNKNOWN_WHY, KZ_T_OUTCOME_UNKNOWN_HINT,
                   KZ_TEXT_ARGS(context->request, err->text));
        break;
    case KZ_TIMED_OUT:
        snprintf(number, sizeof number, "%gs", (double)timeout_ms / 1000);
        error->why_en = list_attempts(client, false);
        error->why_ja = list_attempts(client, true);
        if (!*error->why_en) drop_why(error); /* a node was reached and only slow */
        fill_lines(error, KZ_T_EMPTY, KZ_T_CALL_FAILED, KZ_T_EMPTY, KZ_TEXT_ARGS(err->text));
        fill_lines(error, KZ_T_TIMED_OUT, KZ_T_EMPTY, KZ_T_TIMED_OUT_HINT, KZ_TEXT_ARGS(number));
        break;
    case KZ_TOO_BIG: {
        char frame[NUMBER_TEXT_BYTES];
        snprintf(number, sizeof number, "%u", KZ_MUTATIONS_MAX);
        snprintf(frame, sizeof frame, "%u", KZ_FRAME_MAX_BYTES);
        error->what_en = fill(KZ_T_CALL_FAILED, false, KZ_TEXT_ARGS(err->text));
        fill_lines(error, KZ_T_EMPTY, KZ_T_WHY_TOO_BIG, KZ_T_HINT_TOO_BIG, KZ_TEXT_ARGS(number, frame));
        complete_what(error, context);
        break;
    }
    default:
        complete_what(error, context);
        fill_lines(error, KZ_T_EMPTY, KZ_T_CALL_FAILED, KZ_T_CALL_HINT, KZ_TEXT_ARGS(err->text));
        break;
    }
    return error;
}

Kz__Error *kz_error_of_problems(struct kz_violations *problems, const char *what)
{
    char number[NUMBER_TEXT_BYTES];
    snprintf(number, sizeof number, "%zu", problems->count);
    Kz__Error *error = kz_error_new(KZ_INVALID, KZ_T_DOCUMENT_WRONG, KZ_T_EMPTY, KZ_T_EMPTY, KZ_TEXT_ARGS(what));
    fill_lines(error, KZ_T_EMPTY, KZ_T_WHY_INVALID, KZ_T_HINT_INVALID, KZ_TEXT_ARGS(number));
    error->violations = problems->items;
    error->n_violations = problems->count;
    *problems = (struct kz_violations){0};
    return error;
}
