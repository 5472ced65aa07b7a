/* SPDX-License-Identifier: Apache-2.0 */
/* All text of all records, folded (search_text.h), in one block of memory that a search reads from end to end: at a
 * gigabyte and more per second that is simpler than any tree, and 100,000 records are some 30 MB. The searched fields
 * are those of text, and the id; references, dates, numbers and names of states are `list`'s.
 * Does not know where records come from. Pure; one thread at a time. */
#ifndef KZ_REGISTRY_SEARCH_INDEX_H
#define KZ_REGISTRY_SEARCH_INDEX_H

#include "node/base/err.h"
#include "node/registry/record.h"
#include "node/registry/search_text.h"

#define KZ_SEARCH_INDEX_MAX_BYTES (2048u << 20) /* of folded text */

struct kz_search_index;

struct kz_search_index *kz_search_index_new(void); /* NULL: out of memory */
void kz_search_index_free(struct kz_search_index *index);
/* Adds the record, or replaces what stood under its kind and id. False: out of memory, or too much text; what the index
 * holds is then not everything, and it must be emptied and filled again. */
bool kz_search_index_put(struct kz_search_index *index, const Kz__Record *record) KZ_MUST_CHECK;
/* It is not there any more; unknown is legal. A retired record stays, and is put as such. */
void kz_search_index_drop(struct kz_search_index *index, Kz__Kind kind, const char *id);
bool kz_search_index_holds(const struct kz_search_index *index, Kz__Kind kind, const char *id);

struct kz_search_index_size {
    size_t records, text_bytes, memory_bytes;
};
struct kz_search_index_size kz_search_index_size(const struct kz_search_index *index);

/* How well a word fits, best first. A record is as good as its worst word. */
enum kz_search_rank {
    KZ_SEARCH_ID,          /* the whole id */
    KZ_SEARCH_TITLE_WHOLE, /* the whole name or title */
    KZ_SEARCH_TITLE_START, /* its start, or the start of the id */
    KZ_SEARCH_TITLE,       /* anywhere in it, or in the id */
    KZ_SEARCH_KANA_START,
    KZ_SEARCH_KANA,
    KZ_SEARCH_OTHER_WHOLE, /* all of another field: a whole telephone number */
    KZ_SEARCH_OTHER,
    KZ_SEARCH_NOT, /* nowhere */
};

struct kz_search_filter {
    Kz__Kind kind; /* 0: all */
    bool retired;  /* retired ones too */
};
struct kz_search_hit {
    enum kz_search_rank rank;
    bool retired;
    Kz__Kind kind;
    char id[KZ_ID_MAX_BYTES + 1];
};
/* The best `limit` of all that were found, so far unordered. Several indexes may add to it. */
struct kz_search_hits {
    struct kz_search_hit *items; /* owned; room for `limit` */
    size_t count, limit;
    uint64_t found; /* all of them */
};
bool kz_search_hits_init(struct kz_search_hits *hits, size_t limit) KZ_MUST_CHECK; /* false: out of memory */
void kz_search_hits_fini(struct kz_search_hits *hits);
void kz_search_hits_sort(struct kz_search_hits *hits); /* by rank, live before retired, kind, id */
void kz_search_index_find(const struct kz_search_index *index, const struct kz_search_words *words,
                          const struct kz_search_filter *filter, struct kz_search_hits *hits);

/* ---- one record ---- */

/* The field that names a record of the kind: `name`, else `title`. NULL: it has neither. */
const struct kz_field *kz_search_title_field(const struct kz_kind *kind);
/* "" when it has none; borrowed. */
const char *kz_search_title(const Kz__Record *record);

/* Where in the record the words stand: the value that fits the worst-fitting word best. `path` as in violations,
 * without kind and id ("channels[1].value"); "id" when that is it. `snippet` is the line around it as stored, cut to
 * about KZ_SEARCH_SNIPPET_CHARS. False: nowhere, or out of memory. */
#define KZ_SEARCH_SNIPPET_CHARS 60
bool kz_search_locate(const Kz__Record *record, const struct kz_search_words *words, struct kz_buf *path,
                      struct kz_buf *snippet);

#endif
