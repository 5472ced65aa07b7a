/* SPDX-License-Identifier: Apache-2.0 */
/* The list that rules fill. */
#include "node/registry/record.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/base/assert.h"

#define TEXT_BYTES 400

void kz_violations_fini(struct kz_violations *violations)
{
    for (size_t i = 0; i < violations->count; i++)
        kz__violation__free_unpacked(violations->items[i], NULL);
    free(violations->items);
    *violations = (struct kz_violations){0};
}

/* Runs inside apply too, where memory that has run out ends the process: kz_must_alloc. */
void kz_violations_add(struct kz_violations *violations, const char *path, const char *rule, const struct kz_text *text,
                       const char *source)
{
    if (violations->count == KZ_VIOLATIONS_MAX) return;
    Kz__Violation *violation = kz_must_alloc(1, sizeof(*violation));
    kz__violation__init(violation);
    violation->path = kz_must_strdup(path);
    violation->rule = kz_must_strdup(rule);
    violation->en = kz_must_strdup(text->en);
    violation->ja = kz_must_strdup(text->ja);
    if (source != NULL) violation->source = kz_must_strdup(source);
    violations->items = kz_must_realloc(violations->items, (violations->count + 1) * sizeof(*violations->items));
    violations->items[violations->count++] = violation;
}

/* A text cut inside a character loses that character. */
static void end_on_character(char *text, int wanted)
{
    if (wanted < TEXT_BYTES) return;
    size_t size = strlen(text);
    while (size > 0 && ((unsigned char)text[size - 1] & 0xC0) == 0x80)
        size--;
    if (size > 0 && (unsigned char)text[size - 1] >= 0xC0) size--;
    text[size] = '\0';
}

void kz_violations_addf(struct kz_violations *violations, const char *path, const char *rule, const char *source,
                        const char *en_fmt, const char *ja_fmt, ...)
{
    char en[TEXT_BYTES];
    char ja[TEXT_BYTES];
    va_list args, again;
    va_start(args, ja_fmt);
    va_copy(again, args);
    end_on_character(en, vsnprintf(en, sizeof(en), en_fmt, args));
    end_on_character(ja, vsnprintf(ja, sizeof(ja), ja_fmt, again));
    va_end(again);
    va_end(args);
    kz_violations_add(violations, path, rule, &(struct kz_text){en, ja}, source);
}
