/* SPDX-License-Identifier: Apache-2.0 */
/* Where in a record a word stands, and what stands around it. Folded text has no way back to what it came from, so that
 * a place is found by folding again: lines first, then from each of the line's characters. */
#include <stdlib.h>
#include <string.h>

#include "node/registry/path.h"
#include "node/registry/search_walk.h"

#define BEFORE_CHARS 12     /* of a snippet, before the word */
#define LOOKED_AT_CHARS 400 /* of a line: past these its start is shown */

static bool is_first_byte(char c) { return ((unsigned char)c & 0xC0) != 0x80; }

static const char *skip_chars(const char *text, const char *end, size_t chars)
{
    while (text < end && chars > 0) {
        text++;
        while (text < end && !is_first_byte(*text))
            text++;
        chars--;
    }
    return text;
}

/* `size` bytes of text, folded anew into `folded`. */
static const char *fold_part(const char *text, size_t size, struct kz_buf *folded)
{
    char *copy = strndup(text, size);
    kz_buf_clear(folded);
    bool fine = copy && kz_search_fold(copy, folded);
    free(copy);
    return fine ? kz_buf_text(folded) : "";
}

struct locating {
    const char *word;
    size_t word_bytes;
    enum kz_search_rank rank; /* of the best so far */
    struct kz_buf folded;
    struct kz_buf *path;
    char *text; /* owned; the value */
};

static bool look_at_value(void *data, enum kz_search_class class, const char *path, const char *text)
{
    struct locating *locating = data;
    const char *folded = fold_part(text, strlen(text), &locating->folded);
    const char *found = strstr(folded, locating->word);
    if (!found && class == KZ_SEARCH_CLASS_ID) found = strstr(folded = text, locating->word); /* as in the index */
    if (!found) return true;
    enum kz_search_rank rank = kz_search_rank_of(class, found == folded, strlen(found) == locating->word_bytes);
    if (rank >= locating->rank) return true;
    locating->rank = rank;
    if (locating->path) {
        kz_buf_clear(locating->path);
        kz_buf_add_text(locating->path, path);
        free(locating->text);
        locating->text = strdup(text);
    }
    return rank != KZ_SEARCH_ID;
}

static enum kz_search_rank locate_word(const Kz__Record *record, struct locating *locating, const char *word)
{
    const struct kz_search_visitor visitor = {
        .data = locating, .value = look_at_value, .paths = locating->path != NULL};
    locating->word = word;
    locating->word_bytes = strlen(word);
    locating->rank = KZ_SEARCH_NOT;
    kz_search_walk(record, &visitor); /* stops early when nothing can be better */
    return locating->rank;
}

/* The line of `text` that holds the word; all of it when the word runs over lines. */
static const char *find_line(const char *text, const char *word, struct kz_buf *folded, size_t *size)
{
    for (const char *line = text;; line += *size + 1) {
        *size = strcspn(line, "\n");
        if (strstr(fold_part(line, *size, folded), word)) return line;
        if (line[*size] == '\0') break;
    }
    *size = strlen(text);
    return text;
}

/* The last character from which on the line still holds the word is where the word begins: looked for by halving. */
static const char *find_start(const char *line, const char *end, const char *word, struct kz_buf *folded)
{
    const char *held = line, *lost = end; /* at a character each */
    for (;;) {
        const char *middle = held + (lost - held) / 2;
        while (middle > held && !is_first_byte(*middle))
            middle--;
        if (middle == held) middle = skip_chars(held, end, 1);
        if (middle >= lost) return held;
        if (strstr(fold_part(middle, (size_t)(end - middle), folded), word))
            held = middle;
        else
            lost = middle;
    }
}

static void cut_snippet(const char *text, const char *word, struct kz_buf *folded, struct kz_buf *snippet)
{
    size_t size;
    const char *line = find_line(text, word, folded, &size);
    const char *end = line + size, *from = line;
    if (skip_chars(line, end, KZ_SEARCH_SNIPPET_CHARS) < end) {
        const char *near_end = skip_chars(line, end, LOOKED_AT_CHARS);
        const char *start = find_start(line, near_end, word, folded);
        if (skip_chars(line, end, BEFORE_CHARS) < start) {
            from = start;
            for (size_t chars = 0; chars < BEFORE_CHARS && from > line; chars++)
                do
                    from--;
                while (from > line && !is_first_byte(*from));
        }
    }
    const char *to = skip_chars(from, end, KZ_SEARCH_SNIPPET_CHARS);
    if (from > line) kz_buf_add_text(snippet, "…");
    for (; from < to; from++)
        kz_buf_add(snippet, *from == '\n' || *from == '\t' ? " " : from, 1);
    if (to < end) kz_buf_add_text(snippet, "…");
}

bool kz_search_locate(const Kz__Record *record, const struct kz_search_words *words, struct kz_buf *path,
                      struct kz_buf *snippet)
{
    struct locating locating = {.path = NULL};
    enum kz_search_rank worst = KZ_SEARCH_ID;
    const char *word = words->count > 0 ? words->items[0] : "";
    kz_buf_init(&locating.folded, 0);
    for (size_t i = 0; words->count > 1 && i < words->count; i++) {
        enum kz_search_rank rank = locate_word(record, &locating, words->items[i]);
        if (rank > worst) worst = rank, word = words->items[i];
    }
    locating.path = path;
    bool found = words->count > 0 && locate_word(record, &locating, word) != KZ_SEARCH_NOT && locating.text;
    if (found) cut_snippet(locating.text, word, &locating.folded, snippet);
    free(locating.text);
    kz_buf_fini(&locating.folded);
    return found && !path->failed && !snippet->failed;
}
