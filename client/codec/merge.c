/* SPDX-License-Identifier: Apache-2.0 */
#include "client/codec/merge.h"

#include <stdlib.h>
#include <string.h>

#include "node/base/assert.h"

void kz_cells_add(struct kz_cells *cells, const struct kz_column_path *path, const char *text, struct kz_place place,
                  bool of_file)
{
    if ((cells->count & (cells->count - 1)) == 0) {
        size_t room = cells->count ? cells->count * 2 : 1;
        cells->items = kz_must_realloc(cells->items, room * sizeof *cells->items);
    }
    cells->items[cells->count++] =
        (struct kz_cell){.path = *path, .text = kz_must_strdup(text), .place = place, .of_file = of_file};
}

static int compare_cells(const void *left, const void *right)
{
    const struct kz_cell *a = left, *b = right;
    return kz_column_compare(&a->path, &b->path);
}

void kz_cells_sort(struct kz_cells *cells)
{
    if (cells->count > 0) qsort(cells->items, cells->count, sizeof *cells->items, compare_cells);
}

void kz_cells_fini(struct kz_cells *cells)
{
    for (size_t i = 0; i < cells->count; i++)
        free(cells->items[i].text);
    free(cells->items);
    *cells = (struct kz_cells){0};
}

/* What the record holds; nothing of an absent one. */
static void flatten(struct kz_cells *cells, const struct kz_kind *kind, const Kz__Record *record)
{
    *cells = (struct kz_cells){0};
    if (!record) return;
    struct kz_column_paths paths;
    struct kz_buf text;
    kz_buf_init(&text, 0);
    kz_columns_collect(&paths, kind, &record, 1);
    for (size_t i = 0; i < paths.count; i++) {
        kz_buf_clear(&text);
        kz_column_get(&text, record, &paths.items[i], false);
        if (text.size_bytes > 0) kz_cells_add(cells, &paths.items[i], kz_buf_text(&text), (struct kz_place){0}, false);
    }
    kz_cells_sort(cells);
    kz_buf_fini(&text);
    kz_columns_fini(&paths);
}

static const struct kz_cell *find(const struct kz_cells *cells, const struct kz_column_path *path)
{
    struct kz_cell key = {.path = *path};
    if (cells->count == 0) return NULL;
    return bsearch(&key, cells->items, cells->count, sizeof *cells->items, compare_cells);
}

static const char *text_at(const struct kz_cells *cells, const struct kz_column_path *path)
{
    const struct kz_cell *cell = find(cells, path);
    return cell ? cell->text : "";
}

/* ---- units ---- */

/* The cells that change together: those that share the first `depth` steps, without the last one's item when the whole
 * list is meant. Depth 0: the cell alone. */
struct unit {
    size_t depth;
    bool whole;
};

static bool in_unit(const struct unit *unit, const struct kz_column_path *a, const struct kz_column_path *b)
{
    if (unit->depth == 0) return kz_column_compare(a, b) == 0;
    if (a->envelope != b->envelope || b->depth < unit->depth) return false;
    for (size_t i = 0; i < unit->depth; i++) {
        bool item_counts = !(unit->whole && i + 1 == unit->depth);
        if (a->steps[i].field != b->steps[i].field) return false;
        if (item_counts && a->steps[i].item != b->steps[i].item) return false;
    }
    return true;
}

static size_t count_items(const struct kz_cells *cells, const struct unit *list, const struct kz_column_path *path)
{
    size_t items = 0;
    for (size_t i = 0; i < cells->count; i++) {
        size_t item = cells->items[i].path.steps[list->depth - 1].item;
        if (in_unit(list, path, &cells->items[i].path) && item >= items) items = item + 1;
    }
    return items;
}

struct merging {
    const struct kz_merge *how;
    struct kz_cells base, current;
};

static struct unit unit_of(const struct merging *merging, const struct kz_column_path *path)
{
    struct kz_column_path part = *path;
    for (part.depth = 1; part.depth < path->depth; part.depth++) {
        if (!kz_column_is_list(merging->how->kind, &part)) continue;
        struct unit list = {.depth = part.depth, .whole = true};
        size_t before = count_items(&merging->base, &list, path), now = count_items(&merging->current, &list, path);
        if (before == now) list.whole = false;
        return list;
    }
    return (struct unit){.depth = 0};
}

/* Whether every cell of the unit that `a` has is the same in `b`. */
static bool unit_within(const struct kz_cells *a, const struct kz_cells *b, const struct unit *unit,
                        const struct kz_column_path *path)
{
    for (size_t i = 0; i < a->count; i++)
        if (in_unit(unit, path, &a->items[i].path) && strcmp(a->items[i].text, text_at(b, &a->items[i].path)) != 0)
            return false;
    return true;
}

static bool server_changed(const struct merging *merging, const struct unit *unit, const struct kz_column_path *path)
{
    return !unit_within(&merging->base, &merging->current, unit, path) ||
           !unit_within(&merging->current, &merging->base, unit, path);
}

/* ---- the row ---- */

static bool same(enum kz_encoding encoding, const char *a, const char *b)
{
    if (strcmp(a, b) == 0) return true;
    if (encoding != KZ_ENCODING_CP932) return false;
    struct kz_buf x, y;
    kz_buf_init(&x, 0);
    kz_buf_init(&y, 0);
    kz_encoding_fold(encoding, a, &x);
    kz_encoding_fold(encoding, b, &y);
    bool equal = strcmp(kz_buf_text(&x), kz_buf_text(&y)) == 0;
    kz_buf_fini(&x);
    kz_buf_fini(&y);
    return equal;
}

static void tell_conflict(struct kz_violations *conflicts, const struct kz_merge *how, const struct kz_cell *cell,
                          const char *base, const char *current)
{
    struct kz_buf en, ja, name_en, name_ja;
    kz_buf_init(&en, 0);
    kz_buf_init(&ja, 0);
    kz_buf_init(&name_en, 0);
    kz_buf_init(&name_ja, 0);
    kz_column_header(&name_en, how->kind, &cell->path, false);
    kz_column_header(&name_ja, how->kind, &cell->path, true);
    kz_text_fill(&en, KZ_T_IMPORT_CONFLICT, false, KZ_TEXT_ARGS(kz_buf_text(&name_en), cell->text, current, base));
    kz_text_fill(&ja, KZ_T_IMPORT_CONFLICT, true, KZ_TEXT_ARGS(kz_buf_text(&name_ja), cell->text, current, base));
    struct kz_text both = {.en = kz_buf_text(&en), .ja = kz_buf_text(&ja)};
    kz_problem_add_text(conflicts, cell->place, "import.conflict", &both, NULL);
    kz_buf_fini(&en);
    kz_buf_fini(&ja);
    kz_buf_fini(&name_en);
    kz_buf_fini(&name_ja);
}

/* Units both sides changed, once each, by the path of one of their cells. */
struct contested {
    struct unit unit;
    struct kz_column_path path;
};

struct contests {
    struct contested *items;
    size_t count;
};

static const struct contested *find_contest(const struct contests *contests, const struct kz_column_path *path)
{
    for (size_t i = 0; i < contests->count; i++)
        if (in_unit(&contests->items[i].unit, &contests->items[i].path, path)) return &contests->items[i];
    return NULL;
}

static void find_contests(const struct merging *merging, const struct kz_cells *cells, struct contests *contests,
                          struct kz_violations *conflicts)
{
    for (size_t i = 0; i < cells->count; i++) {
        const struct kz_cell *cell = &cells->items[i];
        const char *base = text_at(&merging->base, &cell->path), *current = text_at(&merging->current, &cell->path);
        if (same(merging->how->encoding, cell->text, base) || same(merging->how->encoding, cell->text, current))
            continue;
        struct unit unit = unit_of(merging, &cell->path);
        if (!server_changed(merging, &unit, &cell->path)) continue;
        if (!find_contest(contests, &cell->path)) {
            contests->items = kz_must_realloc(contests->items, (contests->count + 1) * sizeof *contests->items);
            contests->items[contests->count++] = (struct contested){.unit = unit, .path = cell->path};
        }
        if (merging->how->take == KZ_TAKE_NONE) tell_conflict(conflicts, merging->how, cell, base, current);
    }
}

/* Whether the cell's own text is what counts. */
static bool takes_file(const struct merging *merging, const struct contests *contests, const struct kz_cell *cell)
{
    enum kz_encoding encoding = merging->how->encoding;
    if (same(encoding, cell->text, text_at(&merging->current, &cell->path))) return false;
    if (find_contest(contests, &cell->path)) return merging->how->take == KZ_TAKE_FILE;
    return !same(encoding, cell->text, text_at(&merging->base, &cell->path));
}

/* What the file has no column for: as it is now; in a list that is the file's as a whole, as the file's author knew it.
 */
static void add_rest(const struct merging *merging, const struct contests *contests, const struct kz_cells *file,
                     const struct kz_cells *from, bool of_base, struct kz_cells *out, struct kz_place place)
{
    for (size_t i = 0; i < from->count; i++) {
        const struct kz_column_path *path = &from->items[i].path;
        if (find(file, path)) continue;
        const struct contested *contest = find_contest(contests, path);
        bool as_base = contest && contest->unit.whole && merging->how->take == KZ_TAKE_FILE;
        if (as_base == of_base) kz_cells_add(out, path, from->items[i].text, place, false);
    }
}

bool kz_merge_row(const struct kz_merge *how, struct kz_cells *cells, struct kz_violations *conflicts)
{
    struct merging merging = {.how = how};
    struct contests contests = {0};
    struct kz_cells out = {0};
    bool changed = false;
    kz_cells_sort(cells);
    flatten(&merging.current, how->kind, how->current);
    flatten(&merging.base, how->kind, how->base);
    find_contests(&merging, cells, &contests, conflicts);
    struct kz_place place = cells->count ? cells->items[0].place : (struct kz_place){0};
    for (size_t i = 0; i < cells->count; i++) {
        const struct kz_cell *cell = &cells->items[i];
        bool takes = takes_file(&merging, &contests, cell);
        changed = changed || takes;
        kz_cells_add(&out, &cell->path, takes ? cell->text : text_at(&merging.current, &cell->path), cell->place, true);
    }
    add_rest(&merging, &contests, cells, &merging.current, false, &out, place);
    add_rest(&merging, &contests, cells, &merging.base, true, &out, place);
    kz_cells_sort(&out);
    free(contests.items);
    kz_cells_fini(&merging.base);
    kz_cells_fini(&merging.current);
    kz_cells_fini(cells);
    *cells = out;
    return changed || !how->current;
}

/* ---- as a document ---- */

struct writing {
    const struct kz_kind *kind;
    struct kz_tree *tree;
    struct kz_violations *problems;
    const struct kz_column_path *before; /* of the cell before; NULL at the first */
};

static struct kz_node *add_node(struct writing *writing, struct kz_node *parent, enum kz_node_type type,
                                const char *key, struct kz_place place)
{
    struct kz_node *node = kz_tree_new_node(writing->tree, type, place, writing->problems);
    if (!node) return NULL;
    node->key = key;
    node->key_place = place;
    kz_node_add(parent, node);
    return node;
}

static struct kz_node *add_word(struct writing *writing, struct kz_node *parent, const char *key, const char *text,
                                size_t length, struct kz_place place)
{
    struct kz_node *node = add_node(writing, parent, length > 0 ? KZ_NODE_WORD : KZ_NODE_NULL, key, place);
    if (node && length > 0) node->word = kz_tree_text(writing->tree, text, length);
    return node;
}

/* Whether the first `depth` steps are those of the cell before, so that their nodes are the last ones made. */
static bool goes_on(const struct writing *writing, const struct kz_column_path *path, size_t depth, bool item)
{
    const struct kz_column_path *before = writing->before;
    struct unit unit = {.depth = depth, .whole = !item};
    return before && before->depth > depth && in_unit(&unit, path, before);
}

/* The mapping that step `at` leads to. */
static struct kz_node *enter(struct writing *writing, struct kz_node *map, const struct kz_cell *cell, size_t at)
{
    const struct kz_field *field = cell->path.steps[at].field;
    struct kz_column_path part = cell->path;
    part.depth = at + 1;
    bool list = kz_column_is_list(writing->kind, &part);
    if (!list)
        return goes_on(writing, &cell->path, at + 1, true)
                   ? map->last
                   : add_node(writing, map, KZ_NODE_MAP, field->name, cell->place);
    struct kz_node *items = goes_on(writing, &cell->path, at + 1, false)
                                ? map->last
                                : add_node(writing, map, KZ_NODE_LIST, field->name, cell->place);
    if (!items) return NULL;
    return goes_on(writing, &cell->path, at + 1, true) ? items->last
                                                       : add_node(writing, items, KZ_NODE_MAP, NULL, cell->place);
}

/* "key=value" lines; one without = is a list, which the decoder refuses in its own words. */
static bool add_labels(struct writing *writing, struct kz_node *map, const char *key, const struct kz_cell *cell)
{
    const struct kz_field *field = kz_column_field(&cell->path);
    struct kz_node *labels = add_node(writing, map, KZ_NODE_MAP, key, cell->place);
    const char *rest = cell->text, *line;
    size_t length;
    while (labels && (line = kz_column_next(field, &rest, &length))) {
        const char *equals = memchr(line, '=', length);
        if (!equals) {
            labels->type = KZ_NODE_LIST;
            return true;
        }
        const char *name = kz_tree_text(writing->tree, line, (size_t)(equals - line));
        if (!add_word(writing, labels, name, equals + 1, length - (size_t)(equals + 1 - line), cell->place))
            return false;
    }
    return labels != NULL;
}

static bool add_leaf(struct writing *writing, struct kz_node *map, const struct kz_cell *cell)
{
    const struct kz_field *field = kz_column_field(&cell->path);
    if (!*cell->text || !kz_column_is_list(writing->kind, &cell->path))
        return add_word(writing, map, field->name, cell->text, strlen(cell->text), cell->place) != NULL;
    if (field->type == KZ_FIELD_GROUP) return add_labels(writing, map, field->name, cell);
    struct kz_node *list = add_node(writing, map, KZ_NODE_LIST, field->name, cell->place);
    const char *rest = cell->text, *value;
    size_t length;
    while (list && (value = kz_column_next(field, &rest, &length)))
        if (!add_word(writing, list, NULL, value, length, cell->place)) return false;
    return list != NULL;
}

/* Of a group's empty cells only those count whose group holds something else: an empty item is none. */
static bool is_wanted(const struct kz_cells *cells, size_t at)
{
    const struct kz_column_path *path = &cells->items[at].path;
    if (*cells->items[at].text || path->depth == 1) return true;
    struct unit group = {.depth = path->depth - 1, .whole = false};
    for (size_t i = at; i-- > 0 && in_unit(&group, path, &cells->items[i].path);)
        if (*cells->items[i].text) return true;
    for (size_t i = at + 1; i < cells->count && in_unit(&group, path, &cells->items[i].path); i++)
        if (*cells->items[i].text) return true;
    return false;
}

struct kz_node *kz_cells_to_node(const struct kz_kind *kind, const struct kz_cells *cells, struct kz_tree *tree,
                                 struct kz_place place, struct kz_violations *problems)
{
    struct writing writing = {.kind = kind, .tree = tree, .problems = problems};
    struct kz_node *root = kz_tree_new_node(tree, KZ_NODE_MAP, place, problems);
    for (size_t i = 0; root && i < cells->count; i++) {
        const struct kz_cell *cell = &cells->items[i];
        struct kz_node *map = root;
        if (!is_wanted(cells, i)) continue;
        for (size_t at = 0; map && at + 1 < cell->path.depth; at++)
            map = enter(&writing, map, cell, at);
        if (!map || !add_leaf(&writing, map, cell)) return NULL;
        writing.before = &cell->path;
    }
    return root;
}
