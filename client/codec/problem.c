/* SPDX-License-Identifier: Apache-2.0 */
#include "client/codec/problem.h"

#include "client/codec/sheet.h"

void kz_place_format(struct kz_buf *out, struct kz_place place)
{
    kz_buf_addf(out, "%s:", place.file);
    if (!place.cell) {
        kz_buf_addf(out, "%d:%d", place.line, place.column);
        return;
    }
    kz_sheet_add_letters(out, (size_t)place.column - 1);
    kz_buf_addf(out, "%d", place.line);
}

void kz_problem_add_text(struct kz_violations *problems, struct kz_place place, const char *rule,
                         const struct kz_text *text, const char *source)
{
    struct kz_buf path;
    kz_buf_init(&path, 0);
    kz_place_format(&path, place);
    kz_violations_add(problems, kz_buf_text(&path), rule, text, source);
    kz_buf_fini(&path);
}

void kz_problem_add(struct kz_violations *problems, struct kz_place place, const char *rule, enum kz_text_id text,
                    const char *const *args, size_t count)
{
    struct kz_buf en, ja;
    kz_buf_init(&en, 0);
    kz_buf_init(&ja, 0);
    kz_text_fill(&en, text, false, args, count);
    kz_text_fill(&ja, text, true, args, count);
    struct kz_text both = {.en = kz_buf_text(&en), .ja = kz_buf_text(&ja)};
    kz_problem_add_text(problems, place, rule, &both, NULL);
    kz_buf_fini(&en);
    kz_buf_fini(&ja);
}
