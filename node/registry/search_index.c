/* SPDX-License-Identifier: Apache-2.0 */
/* The block holds, per record, its values, each after a byte for its class, and a 0 at the end. A word holds neither,
 * so that it is never found across two values; a record that was replaced is filled with 0 and so is never found. */
#include "node/registry/search_index.h"

#include <stdlib.h>
#include <string.h>

#include "node/base/assert.h"
#include "node/registry/search_walk.h"

#define MAP_FIRST 1024u          /* a power of 2 */
#define GROW_PART 8u             /* the block grows by an eighth: realloc moves pages, not bytes */
#define GROW_BYTES (64u << 10)   /* at least */
#define WASTE_PART 4u            /* it is closed up when a quarter is waste, */
#define WASTE_BYTES (256u << 10) /* and at least this much */
#define FREE_SLOT UINT32_MAX

struct slot {
    uint32_t size_bytes;
    uint16_t id_bytes;
    uint8_t kind;    /* 0: waste */
    uint8_t retired; /* 1: it is */
    uint64_t offset; /* ascending */
};

struct kz_search_index {
    uint8_t *text; /* owned */
    size_t text_bytes, text_room, waste_bytes;
    struct slot *slots; /* owned */
    size_t slot_count, slot_room, live_count;
    uint32_t *map; /* owned; slot by kind and id, open addressing; room is a power of 2, at most 2/3 full */
    size_t map_room, map_used;
    struct kz_buf entry;       /* of the record being put */
    uint64_t occurrences[256]; /* of each byte in all that was put: which byte of a word is the rarest */
};

struct kz_search_index *kz_search_index_new(void)
{
    struct kz_search_index *index = calloc(1, sizeof *index);
    if (index) kz_buf_init(&index->entry, 0);
    return index;
}

void kz_search_index_free(struct kz_search_index *index)
{
    if (!index) return;
    kz_buf_fini(&index->entry);
    free(index->text);
    free(index->slots);
    free(index->map);
    free(index);
}

struct kz_search_index_size kz_search_index_size(const struct kz_search_index *index)
{
    return (struct kz_search_index_size){
        .records = index->live_count,
        .text_bytes = index->text_bytes - index->waste_bytes,
        .memory_bytes = index->text_room + index->slot_room * sizeof *index->slots +
                        index->map_room * sizeof *index->map + index->entry.capacity_bytes,
    };
}

/* ---- kind and id to slot ---- */

static size_t hash(Kz__Kind kind, const char *id, size_t size)
{
    uint64_t h = 14695981039346656037ull ^ (uint64_t)kind; /* FNV-1a */
    for (size_t i = 0; i < size; i++)
        h = (h ^ (uint8_t)id[i]) * 1099511628211ull;
    return (size_t)(h ^ (h >> 32));
}

/* The id is the first value. */
static const char *slot_id(const struct kz_search_index *index, const struct slot *slot)
{
    return (const char *)index->text + slot->offset + 1;
}

/* Where the map names the record, or would: FREE_SLOT stands there. */
static uint32_t *map_at(const struct kz_search_index *index, Kz__Kind kind, const char *id, size_t size)
{
    size_t mask = index->map_room - 1;
    for (size_t at = hash(kind, id, size) & mask;; at = (at + 1) & mask) {
        uint32_t *entry = &index->map[at];
        if (*entry == FREE_SLOT) return entry;
        const struct slot *slot = &index->slots[*entry];
        if (slot->kind == (uint8_t)kind && slot->id_bytes == size && memcmp(slot_id(index, slot), id, size) == 0)
            return entry;
    }
}

static void fill_map(struct kz_search_index *index)
{
    memset(index->map, 0xFF, index->map_room * sizeof *index->map);
    index->map_used = 0;
    for (size_t i = 0; i < index->slot_count; i++) {
        const struct slot *slot = &index->slots[i];
        if (slot->kind == 0) continue;
        *map_at(index, (Kz__Kind)slot->kind, slot_id(index, slot), slot->id_bytes) = (uint32_t)i;
        index->map_used++;
    }
}

/* Room for one more. */
static bool grow_map(struct kz_search_index *index)
{
    if ((index->map_used + 1) * 3 <= index->map_room * 2) return true;
    size_t room = index->map_room ? index->map_room * 2 : MAP_FIRST;
    uint32_t *map = realloc(index->map, room * sizeof *map);
    if (!map) return false;
    index->map = map;
    index->map_room = room;
    fill_map(index);
    return true;
}

static struct slot *find_slot(const struct kz_search_index *index, Kz__Kind kind, const char *id)
{
    if (index->map_room == 0) return NULL;
    uint32_t at = *map_at(index, kind, id, strlen(id));
    return at == FREE_SLOT ? NULL : &index->slots[at];
}

bool kz_search_index_holds(const struct kz_search_index *index, Kz__Kind kind, const char *id)
{
    return find_slot(index, kind, id) != NULL;
}

/* ---- the block ---- */

/* Everything moves down over the waste; the order stays. */
static void close_up(struct kz_search_index *index)
{
    size_t kept = 0, end = 0;
    for (size_t i = 0; i < index->slot_count; i++) {
        struct slot slot = index->slots[i];
        if (slot.kind == 0) continue;
        memmove(index->text + end, index->text + slot.offset, slot.size_bytes);
        slot.offset = end;
        end += slot.size_bytes;
        index->slots[kept++] = slot;
    }
    index->slot_count = kept;
    index->text_bytes = end;
    index->waste_bytes = 0;
    fill_map(index);
}

static bool make_room(struct kz_search_index *index, size_t size)
{
    size_t needed = index->text_bytes + size;
    if (needed > KZ_SEARCH_INDEX_MAX_BYTES || size > UINT32_MAX || index->slot_count + 1 >= FREE_SLOT) return false;
    if (needed > index->text_room) {
        size_t room = needed + needed / GROW_PART + GROW_BYTES;
        uint8_t *text = realloc(index->text, room);
        if (!text) return false;
        index->text = text;
        index->text_room = room;
    }
    if (index->slot_count == index->slot_room) {
        size_t room = index->slot_room + index->slot_room / GROW_PART + MAP_FIRST;
        struct slot *slots = realloc(index->slots, room * sizeof *slots);
        if (!slots) return false;
        index->slots = slots;
        index->slot_room = room;
    }
    return grow_map(index);
}

static bool add_value(void *data, enum kz_search_class class, const char *path, const char *text)
{
    struct kz_buf *entry = data;
    const uint8_t mark = (uint8_t) class;
    (void)path;
    kz_buf_add(entry, &mark, 1);
    if (class == KZ_SEARCH_CLASS_ID) { /* as it is, for slot_id; and folded, as it is typed to be searched */
        kz_buf_add_text(entry, text);
        kz_buf_add(entry, &mark, 1);
    }
    /* What is stored is UTF-8; what is not could not be typed either. */
    return kz_search_fold(text, entry) || !entry->failed;
}

static void waste(struct kz_search_index *index, struct slot *slot)
{
    memset(index->text + slot->offset, 0, slot->size_bytes);
    index->waste_bytes += slot->size_bytes;
    index->live_count--;
    slot->kind = 0;
}

static void close_up_if_due(struct kz_search_index *index)
{
    if (index->waste_bytes > WASTE_BYTES && index->waste_bytes > index->text_bytes / WASTE_PART) close_up(index);
}

bool kz_search_index_put(struct kz_search_index *index, const Kz__Record *record)
{
    const struct kz_search_visitor visitor = {.data = &index->entry, .value = add_value};
    size_t id_bytes = strlen(record->id);
    kz_buf_clear(&index->entry);
    bool fits = kz_search_walk(record, &visitor);
    kz_buf_add(&index->entry, "", 1);
    if (!fits || index->entry.failed || !make_room(index, index->entry.size_bytes)) return false;
    uint32_t *at = map_at(index, record->kind, record->id, id_bytes);
    bool known = *at != FREE_SLOT;
    if (known) waste(index, &index->slots[*at]);
    *at = (uint32_t)index->slot_count;
    if (!known) index->map_used++;
    index->slots[index->slot_count++] = (struct slot){.size_bytes = (uint32_t)index->entry.size_bytes,
                                                      .id_bytes = (uint16_t)id_bytes,
                                                      .kind = (uint8_t)record->kind,
                                                      .retired = record->has_retired_at ? 1 : 0,
                                                      .offset = index->text_bytes};
    memcpy(index->text + index->text_bytes, index->entry.data, index->entry.size_bytes);
    for (size_t i = 0; i < index->entry.size_bytes; i++)
        index->occurrences[index->entry.data[i]]++;
    index->text_bytes += index->entry.size_bytes;
    index->live_count++;
    close_up_if_due(index);
    return true;
}

/* Open addressing: the gap it leaves in the map would hide others, so the map is filled anew. It is rare: a record is
 * retired, and goes only with an event that was not confirmed. */
void kz_search_index_drop(struct kz_search_index *index, Kz__Kind kind, const char *id)
{
    struct slot *slot = find_slot(index, kind, id);
    if (!slot) return;
    waste(index, slot);
    fill_map(index);
    close_up_if_due(index);
}

/* ---- hits ---- */

bool kz_search_hits_init(struct kz_search_hits *hits, size_t limit)
{
    kz_assert(limit > 0);
    *hits = (struct kz_search_hits){.items = malloc(limit * sizeof *hits->items), .limit = limit};
    return hits->items != NULL;
}

void kz_search_hits_fini(struct kz_search_hits *hits)
{
    free(hits->items);
    *hits = (struct kz_search_hits){0};
}

static int compare_hits(const void *a, const void *b)
{
    const struct kz_search_hit *one = a, *other = b;
    if (one->rank != other->rank) return one->rank < other->rank ? -1 : 1;
    if (one->retired != other->retired) return one->retired ? 1 : -1;
    if (one->kind != other->kind) return one->kind < other->kind ? -1 : 1;
    return strcmp(one->id, other->id);
}

void kz_search_hits_sort(struct kz_search_hits *hits)
{
    qsort(hits->items, hits->count, sizeof *hits->items, compare_hits);
}

/* A heap with the worst on top. */
static void sink(struct kz_search_hits *hits, size_t at)
{
    for (;;) {
        size_t worst = at;
        for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < hits->count; child++)
            if (compare_hits(&hits->items[child], &hits->items[worst]) > 0) worst = child;
        if (worst == at) return;
        struct kz_search_hit moved = hits->items[at];
        hits->items[at] = hits->items[worst];
        hits->items[worst] = moved;
        at = worst;
    }
}

static void add_hit(struct kz_search_hits *hits, const struct kz_search_hit *hit)
{
    hits->found++;
    if (hits->count < hits->limit) {
        hits->items[hits->count++] = *hit;
        if (hits->count == hits->limit)
            for (size_t i = hits->count / 2; i-- > 0;)
                sink(hits, i);
    } else if (compare_hits(hit, &hits->items[0]) < 0) {
        hits->items[0] = *hit;
        sink(hits, 0);
    }
}

/* ---- searching ---- */

/* The word at `found`, which stands in this record's text. */
static enum kz_search_rank rank_at(const uint8_t *text, const uint8_t *found, size_t word_bytes)
{
    const uint8_t *start = found;
    while (start > text && start[-1] >= KZ_SEARCH_TEXT_FIRST)
        start--;
    kz_assert(start > text);
    bool at_end = found[word_bytes] < KZ_SEARCH_TEXT_FIRST; /* a 0 ends the record's text */
    return kz_search_rank_of((enum kz_search_class)start[-1], start == found, at_end);
}

/* The first place in a value is its best: only there the word can be at the start. */
static enum kz_search_rank rank_word(const uint8_t *text, size_t size, const char *word, size_t word_bytes)
{
    enum kz_search_rank best = KZ_SEARCH_NOT;
    const uint8_t *at = text, *end = text + size;
    while (best > KZ_SEARCH_ID && (at = memmem(at, (size_t)(end - at), word, word_bytes)) != NULL) {
        enum kz_search_rank rank = rank_at(text, at, word_bytes);
        if (rank < best) best = rank;
        while (*at >= KZ_SEARCH_TEXT_FIRST)
            at++;
    }
    return best;
}

static size_t rarest_of(const struct kz_search_index *index, const char *word)
{
    size_t rarest = 0;
    for (size_t i = 1; word[i] != '\0'; i++)
        if (index->occurrences[(uint8_t)word[i]] < index->occurrences[(uint8_t)word[rarest]]) rarest = i;
    return rarest;
}

/* As memmem, by way of the word's rarest byte: characters of one script share their first bytes, which leaves little to
 * skip for an algorithm that does not know that (5 ms instead of 87 for one kana that is nowhere in 50 MB). */
static const uint8_t *find_word(const uint8_t *at, const uint8_t *end, const char *word, size_t size, size_t rarest)
{
    const uint8_t *last = end - (size - rarest); /* where that byte can stand at most */
    for (at += rarest; at <= last && (at = memchr(at, word[rarest], (size_t)(last - at) + 1)) != NULL; at++)
        if (memcmp(at - rarest, word, size) == 0) return at - rarest;
    return NULL;
}

static size_t slot_of(const struct kz_search_index *index, size_t offset)
{
    size_t low = 0, high = index->slot_count; /* slots[low].offset <= offset < slots[high].offset */
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (index->slots[middle].offset <= offset)
            low = middle;
        else
            high = middle;
    }
    return low;
}

static void look_at(const struct kz_search_index *index, const struct slot *slot, const struct kz_search_words *words,
                    const size_t *sizes, struct kz_search_hits *hits)
{
    struct kz_search_hit hit = {.rank = KZ_SEARCH_ID, .kind = (Kz__Kind)slot->kind, .retired = slot->retired != 0};
    const uint8_t *text = index->text + slot->offset;
    for (size_t i = 0; i < words->count && hit.rank != KZ_SEARCH_NOT; i++) {
        enum kz_search_rank rank = rank_word(text, slot->size_bytes, words->items[i], sizes[i]);
        if (rank > hit.rank) hit.rank = rank;
    }
    if (hit.rank == KZ_SEARCH_NOT) return;
    memcpy(hit.id, slot_id(index, slot), slot->id_bytes);
    hit.id[slot->id_bytes] = '\0';
    add_hit(hits, &hit);
}

void kz_search_index_find(const struct kz_search_index *index, const struct kz_search_words *words,
                          const struct kz_search_filter *filter, struct kz_search_hits *hits)
{
    size_t sizes[KZ_SEARCH_WORDS_MAX], longest = 0;
    if (words->count == 0) return;
    for (size_t i = 0; i < words->count; i++) {
        sizes[i] = strlen(words->items[i]);
        if (sizes[i] > sizes[longest]) longest = i;
    }
    const size_t rarest = rarest_of(index, words->items[longest]);
    const uint8_t *at = index->text, *end = index->text + index->text_bytes;
    while ((size_t)(end - at) >= sizes[longest] &&
           (at = find_word(at, end, words->items[longest], sizes[longest], rarest)) != NULL) {
        const struct slot *slot = &index->slots[slot_of(index, (size_t)(at - index->text))];
        kz_assert(slot->kind != 0);
        bool wanted = (!filter->kind || (Kz__Kind)slot->kind == filter->kind) && (filter->retired || !slot->retired);
        if (wanted) look_at(index, slot, words, sizes, hits);
        at = index->text + slot->offset + slot->size_bytes;
    }
}
