/* SPDX-License-Identifier: Apache-2.0 */
#include "client/codec/problem.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "client/codec/sheet.h"
#include "node/base/assert.h"

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

/* ---- order ---- */

struct located {
    Kz__Violation *item;
    size_t row, column, at;
};

/* "file.csv:F12" or "file.csv:F12: contact/x.name". */
static struct located locate(Kz__Violation *item, size_t at)
{
    struct located located = {.item = item, .row = SIZE_MAX, .at = at};
    const char *end = strstr(item->path, ": ");
    const char *text = end ? end : item->path + strlen(item->path);
    const char *number = text;
    while (number > item->path && number[-1] >= '0' && number[-1] <= '9')
        number--;
    const char *letters = number;
    while (letters > item->path && letters[-1] >= 'A' && letters[-1] <= 'Z')
        letters--;
    if (number == text || letters == number || letters == item->path || letters[-1] != ':') return located;
    located.row = strtoul(number, NULL, 10);
    for (; letters < number; letters++)
        located.column = located.column * 26 + (size_t)(*letters - 'A' + 1);
    return located;
}

static int compare_located(const void *left, const void *right)
{
    const struct located *a = left, *b = right;
    if (a->row != b->row) return a->row < b->row ? -1 : 1;
    if (a->column != b->column) return a->column < b->column ? -1 : 1;
    return a->at < b->at ? -1 : a->at > b->at;
}

void kz_problems_sort_cells(struct kz_violations *problems)
{
    struct located *sorted = kz_must_alloc(problems->count + 1, sizeof *sorted);
    for (size_t i = 0; i < problems->count; i++)
        sorted[i] = locate(problems->items[i], i);
    if (problems->count > 0) qsort(sorted, problems->count, sizeof *sorted, compare_located);
    for (size_t i = 0; i < problems->count; i++)
        problems->items[i] = sorted[i].item;
    free(sorted);
}
