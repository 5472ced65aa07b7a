/* SPDX-License-Identifier: Apache-2.0 */
#include "node/service/search_copy.h"

#include <stdlib.h>
#include <string.h>

#include "node/base/assert.h"

#define CHANGES_FEW 10000u /* these many changes are always taken one by one */

struct kz_search_copy {
    struct kz_search_index *index; /* owned; NULL until built */
    bool complete;
    struct kz_applied applied; /* of the view it is level with */
    uint64_t builds, changes;
};

struct kz_search_copy *kz_search_copy_new(void) { return kz_must_alloc(1, sizeof(struct kz_search_copy)); }

void kz_search_copy_free(struct kz_search_copy *copy)
{
    if (!copy) return;
    kz_search_index_free(copy->index);
    free(copy);
}

struct kz_search_copy_state kz_search_copy_state(const struct kz_search_copy *copy)
{
    struct kz_search_copy_state state = {
        .complete = copy->complete, .rev = copy->applied.rev, .builds = copy->builds, .changes = copy->changes};
    if (copy->index) state.size = kz_search_index_size(copy->index);
    return state;
}

/* ---- following ---- */

struct following {
    struct kz_search_copy *copy;
    const atomic_bool *stop;
    bool no_memory;
};

static bool may_go_on(const struct following *following)
{
    return !following->no_memory && !atomic_load_explicit(following->stop, memory_order_relaxed);
}

static bool take_record(void *data, const Kz__Record *record)
{
    struct following *following = data;
    following->no_memory = !kz_search_index_put(following->copy->index, record);
    return may_go_on(following);
}

static bool take_change(void *data, const Kz__Change *change)
{
    struct following *following = data;
    following->copy->changes++;
    if (change->after) return take_record(data, change->after);
    kz_search_index_drop(following->copy->index, change->kind, change->id);
    return may_go_on(following);
}

static enum kz_code build(struct following *following, struct kz_view *view, struct kz_err *err)
{
    struct kz_search_copy *copy = following->copy;
    size_t count;
    const struct kz_kind *kinds = kz_kinds(&count);
    kz_search_index_free(copy->index);
    copy->index = kz_search_index_new();
    copy->builds++;
    following->no_memory = copy->index == NULL;
    enum kz_code code = KZ_OK;
    for (size_t i = 0; i < count && code == KZ_OK && may_go_on(following); i++)
        code = kz_view_list(view, kinds[i].number, NULL, true, take_record, following, err);
    return code;
}

/* Is the state the index was built from an earlier one of this view's, and near enough? */
static enum kz_code is_earlier(const struct kz_search_copy *copy, struct kz_view *view,
                               const struct kz_applied *applied, bool *out, struct kz_err *err)
{
    uint8_t head[KZ_HASH_BYTES];
    *out = false;
    if (!copy->complete || copy->applied.index == 0 || applied->rev < copy->applied.rev) return KZ_OK;
    if (applied->rev - copy->applied.rev > CHANGES_FEW + kz_search_index_size(copy->index).records) return KZ_OK;
    enum kz_code code = kz_view_audit(view, copy->applied.index, head, err);
    if (code == KZ_NOT_FOUND) return KZ_OK;
    *out = code == KZ_OK && memcmp(head, copy->applied.audit_head, sizeof head) == 0;
    return code;
}

enum kz_code kz_search_copy_follow(struct kz_search_copy *copy, struct kz_view *view, const atomic_bool *stop,
                                   struct kz_err *err)
{
    struct following following = {.copy = copy, .stop = stop};
    struct kz_applied applied;
    bool earlier = false;
    enum kz_code code = kz_view_applied(view, &applied, err);
    if (code == KZ_OK) code = is_earlier(copy, view, &applied, &earlier, err);
    copy->complete = false;
    if (code == KZ_OK && !earlier)
        code = build(&following, view, err);
    else if (code == KZ_OK && applied.rev > copy->applied.rev)
        code = kz_view_changes(view, copy->applied.rev + 1, take_change, &following, err);
    if (code == KZ_OK && following.no_memory) code = kz_fail(err, KZ_NO_MEMORY, "the search index: out of memory");
    if (code == KZ_OK && atomic_load(stop)) code = kz_fail(err, KZ_TIMED_OUT, "the search index: stopped");
    if (code != KZ_OK) {
        kz_search_index_free(copy->index);
        copy->index = NULL;
        return code;
    }
    copy->applied = applied;
    copy->complete = true;
    return KZ_OK;
}

/* ---- answering ---- */

static const Kz__Record *find_provisional(const struct kz_search_question *question, const struct kz_search_hit *hit)
{
    for (size_t i = 0; i < question->provisional_count; i++)
        if (question->provisional[i]->kind == hit->kind && strcmp(question->provisional[i]->id, hit->id) == 0)
            return question->provisional[i];
    return NULL;
}

/* Events that this node alone holds have an index of their own, for one question. What has been confirmed meanwhile is
 * found once. */
static bool find_provisionals(const struct kz_search_copy *copy, const struct kz_search_question *question,
                              struct kz_search_hits *hits)
{
    if (question->provisional_count == 0) return true;
    struct kz_search_index *index = kz_search_index_new();
    bool fine = index != NULL;
    for (size_t i = 0; fine && i < question->provisional_count; i++) {
        const Kz__Record *record = question->provisional[i];
        if (!kz_search_index_holds(copy->index, record->kind, record->id)) fine = kz_search_index_put(index, record);
    }
    if (fine) kz_search_index_find(index, &question->words, &question->filter, hits);
    kz_search_index_free(index);
    return fine;
}

/* NULL: out of memory. */
static Kz__SearchHit *make_hit(const struct kz_search_question *question, const struct kz_search_hit *found,
                               const Kz__Record *record, bool provisional)
{
    struct kz_buf path, snippet;
    Kz__SearchHit *hit = malloc(sizeof *hit);
    kz_buf_init(&path, 0);
    kz_buf_init(&snippet, 0);
    if (hit && kz_search_locate(record, &question->words, &path, &snippet)) {
        kz__search_hit__init(hit);
        hit->kind = found->kind;
        hit->rank = (uint32_t)found->rank;
        hit->has_retired = hit->retired = found->retired;
        hit->has_provisional = hit->provisional = provisional;
        hit->id = strdup(found->id);
        hit->title = strdup(kz_search_title(record));
        hit->field = strdup(kz_buf_text(&path));
        hit->snippet = strdup(kz_buf_text(&snippet));
        if (!hit->id || !hit->title || !hit->field || !hit->snippet) {
            kz__search_hit__free_unpacked(hit, NULL);
            hit = NULL;
        }
    } else {
        free(hit);
        hit = NULL;
    }
    kz_buf_fini(&path);
    kz_buf_fini(&snippet);
    return hit;
}

static enum kz_code add_hit(struct kz_view *view, const struct kz_search_question *question,
                            const struct kz_search_hit *found, Kz__SearchResult *result, struct kz_err *err)
{
    const Kz__Record *provisional = find_provisional(question, found);
    Kz__Record *stored = NULL;
    enum kz_code code = kz_view_get(view, found->kind, found->id, &stored, err);
    if (code == KZ_NOT_FOUND && provisional) code = KZ_OK;
    if (code != KZ_OK) return code;
    result->hits[result->n_hits] = make_hit(question, found, stored ? stored : provisional, stored == NULL);
    if (stored) kz__record__free_unpacked(stored, NULL);
    if (!result->hits[result->n_hits]) return kz_fail(err, KZ_NO_MEMORY, "search: out of memory");
    result->n_hits++;
    return KZ_OK;
}

static enum kz_code make_result(struct kz_view *view, const struct kz_search_question *question,
                                const struct kz_search_hits *hits, Kz__SearchResult **out, struct kz_err *err)
{
    enum kz_code code = KZ_OK;
    Kz__SearchResult *result = malloc(sizeof *result);
    if (!result) return kz_fail(err, KZ_NO_MEMORY, "search: out of memory");
    kz__search_result__init(result);
    result->found = hits->found;
    result->hits = calloc(hits->count + 1, sizeof *result->hits);
    if (!result->hits) code = kz_fail(err, KZ_NO_MEMORY, "search: out of memory");
    for (size_t i = 0; i < hits->count && code == KZ_OK; i++)
        code = add_hit(view, question, &hits->items[i], result, err);
    if (code == KZ_OK)
        *out = result;
    else
        kz__search_result__free_unpacked(result, NULL);
    return code;
}

enum kz_code kz_search_copy_ask(const struct kz_search_copy *copy, struct kz_view *view,
                                const struct kz_search_question *question, Kz__SearchResult **result,
                                struct kz_err *err)
{
    struct kz_search_hits hits;
    kz_assert(copy->complete);
    if (!kz_search_hits_init(&hits, question->limit)) return kz_fail(err, KZ_NO_MEMORY, "search: out of memory");
    kz_search_index_find(copy->index, &question->words, &question->filter, &hits);
    enum kz_code code = KZ_OK;
    if (!find_provisionals(copy, question, &hits)) code = kz_fail(err, KZ_NO_MEMORY, "search: out of memory");
    kz_search_hits_sort(&hits);
    if (code == KZ_OK) code = make_result(view, question, &hits, result, err);
    kz_search_hits_fini(&hits);
    return code;
}
