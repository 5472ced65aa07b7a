/* SPDX-License-Identifier: Apache-2.0 */
/* The state at earlier revisions, against a naive replay of everything the store said it changed. */
#include "tests/unit/store/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/base/assert.h"

#define IDS 10u
#define REVS_MAX 400u

/* ---- the replay: for each revision, all records as they were ---- */

struct past {
    uint64_t rev; /* 0 = does not exist */
    bool retired;
    char name[16];
};
struct replay {
    struct past at[REVS_MAX][2][IDS]; /* revision, kind, number in the id */
    uint64_t rev;
};
static const Kz__Kind kinds[] = {KZ__KIND__ORG, KZ__KIND__SYSTEM};

static unsigned number_of(const char *id)
{
    unsigned number = (unsigned)strtoul(id + 1, NULL, 10);
    assert_true(number < IDS);
    return number;
}

static const char *name_of(const Kz__Record *record)
{
    return record->kind == KZ__KIND__ORG ? record->org->name : record->system->owner;
}

static void replay_change(void *data, const Kz__Change *change)
{
    struct replay *replay = data;
    assert_int_equal(change->rev, replay->rev + 1);
    assert_true(change->rev < REVS_MAX);
    memcpy(replay->at[change->rev], replay->at[replay->rev], sizeof(replay->at[0]));
    replay->rev = change->rev;
    struct past *past = &replay->at[change->rev][change->kind == KZ__KIND__SYSTEM][number_of(change->id)];
    past->rev = change->rev;
    past->retired = change->op == KZ__MUTATION__OP__RETIRE;
    snprintf(past->name, sizeof(past->name), "%s", name_of(change->after));
}

/* ---- the log ---- */

static uint64_t random_state;

static unsigned dice(unsigned sides)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(random_state >> 33) % sides;
}

static void add_mutation(struct command *command)
{
    char id[16], other[16], name[16];
    snprintf(id, sizeof(id), "r%u", dice(IDS));
    snprintf(other, sizeof(other), "r%u", dice(IDS));
    snprintf(name, sizeof(name), "n%u", dice(5));
    Kz__Kind kind = kinds[dice(3) == 0];
    unsigned what = dice(6);
    if (what == 0)
        command_retire(command, kind, id, true);
    else if (what == 1)
        command_verify(command, kind, id);
    else
        command_put(command, kind == KZ__KIND__ORG ? make_org(id, name, NULL) : make_system(id, other, NULL));
}

/* Refused commands are part of the log. */
static void run_log(struct fixture *f, struct replay *replay, unsigned commands, unsigned first_request)
{
    for (unsigned i = 0; i < commands && replay->rev + 8 < REVS_MAX; i++) {
        struct command command;
        const Kz__Command *pointers[] = {&command.message};
        const struct kz_apply_sink sink = {.data = replay, .change = replay_change};
        size_t size;
        command_init(&command, first_request + i);
        for (unsigned m = 0; m <= dice(4); m++)
            add_mutation(&command);
        uint8_t *batch = batch_pack(f->time_ms, pointers, 1, &size);
        fixture_append(f, KZ_ENTRY_COMMAND, batch, size);
        fixture_apply(f, &sink);
        free(batch);
        command_fini(&command);
    }
}

/* ---- comparing ---- */

struct comparison {
    const struct past *past;
    bool retired;
    unsigned next; /* lowest number not seen */
    size_t count, stop_after;
    char last_id[KZ_ID_MAX_BYTES + 1];
};

static bool belongs(const struct comparison *c, unsigned number)
{
    return c->past[number].rev != 0 && (c->retired || !c->past[number].retired);
}

static bool compare_record(void *data, const Kz__Record *record)
{
    struct comparison *c = data;
    unsigned number = number_of(record->id);
    for (; c->next < number; c->next++)
        assert_false(belongs(c, c->next));
    assert_int_equal(c->next, number);
    assert_true(belongs(c, number));
    assert_int_equal(record->rev, c->past[number].rev);
    assert_int_equal(record->has_retired_at != 0, c->past[number].retired);
    assert_string_equal(name_of(record), c->past[number].name);
    snprintf(c->last_id, sizeof(c->last_id), "%s", record->id);
    c->next++;
    return ++c->count != c->stop_after;
}

static void compare_list(struct kz_view *view, const struct replay *replay, uint64_t rev, int kind, bool retired)
{
    struct comparison all = {.past = replay->at[rev][kind], .retired = retired};
    struct kz_as_of as_of = {.rev = rev, .rows_max = SIZE_MAX};
    must(kz_view_list_as_of(view, kinds[kind], &as_of, NULL, retired, compare_record, &all, &must_err));
    assert_false(as_of.more);
    for (; all.next < IDS; all.next++)
        assert_false(belongs(&all, all.next));
    struct comparison paged = {.past = all.past, .retired = retired};
    do { /* the same in pages of two */
        paged.stop_after = paged.count + 2;
        must(kz_view_list_as_of(view, kinds[kind], &as_of, paged.last_id, retired, compare_record, &paged, &must_err));
    } while (paged.count == paged.stop_after);
    assert_int_equal(paged.count, all.count);
    struct comparison bounded = {.past = all.past, .retired = retired};
    as_of = (struct kz_as_of){.rev = rev, .rows_max = 3};
    do { /* and looking at three of today's records at a time, whether they were there then or not */
        char after[KZ_ID_MAX_BYTES + 1];
        snprintf(after, sizeof(after), "%s", as_of.next);
        must(kz_view_list_as_of(view, kinds[kind], &as_of, after, retired, compare_record, &bounded, &must_err));
    } while (as_of.more);
    assert_int_equal(bounded.count, all.count);
}

static void compare_gets(struct kz_view *view, const struct replay *replay, uint64_t rev, int kind)
{
    for (unsigned number = 0; number < IDS; number++) {
        const struct past *past = &replay->at[rev][kind][number];
        struct kz_err err = {KZ_OK, ""};
        Kz__Record *record = NULL;
        char id[16];
        snprintf(id, sizeof(id), "r%u", number);
        enum kz_code code = kz_view_get_as_of(view, kinds[kind], id, rev, &record, &err);
        if (past->rev == 0 || past->retired) {
            assert_int_equal(code, KZ_NOT_FOUND);
            assert_non_null(strstr(err.text, past->rev == 0 ? "did not exist" : "was retired"));
            continue;
        }
        assert_int_equal(code, KZ_OK);
        assert_int_equal(record->rev, past->rev);
        assert_string_equal(name_of(record), past->name);
        kz__record__free_unpacked(record, NULL);
    }
}

struct named {
    bool seen[2][IDS];
    size_t count;
};

static bool see_name(void *data, Kz__Kind kind, const char *id)
{
    struct named *named = data;
    bool *seen = &named->seen[kind == KZ__KIND__SYSTEM][number_of(id)];
    assert_false(*seen); /* each once */
    *seen = true;
    named->count++;
    return true;
}

static void compare_changed(struct kz_view *view, const struct replay *replay, uint64_t rev)
{
    struct named named = {.count = 0};
    must(kz_view_changed_since(view, rev, see_name, &named, &must_err));
    for (int kind = 0; kind < 2; kind++) {
        for (unsigned number = 0; number < IDS; number++)
            assert_int_equal(named.seen[kind][number], replay->at[replay->rev][kind][number].rev > rev);
    }
}

static void compare_all(struct fixture *f, const struct replay *replay)
{
    struct kz_view *view;
    must(kz_view_open(f->store, &view, &must_err));
    for (uint64_t rev = 0; rev <= replay->rev; rev++) {
        for (int kind = 0; kind < 2; kind++) {
            compare_list(view, replay, rev, kind, false);
            compare_list(view, replay, rev, kind, true);
            compare_gets(view, replay, rev, kind);
        }
        compare_changed(view, replay, rev);
    }
    kz_view_close(view);
}

static void every_earlier_revision_is_what_a_replay_gives(void **state)
{
    (void)state;
    struct replay *replay = kz_must_alloc(1, sizeof(*replay));
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct fixture a, b;
        random_state = seed;
        memset(replay, 0, sizeof(*replay));
        fixture_init(&a);
        fixture_init(&b);
        run_log(&a, replay, 120, 0);
        assert_true(replay->rev > 100); /* the dice did something */
        compare_all(&a, replay);
        fixture_copy_state(&a, &b, 8192); /* a snapshot carries the past along */
        run_log(&b, replay, 20, 1000);
        compare_all(&b, replay);
        fixture_fini(&a);
        fixture_fini(&b);
    }
    free(replay);
}

static bool count_record(void *data, const Kz__Record *record)
{
    (void)record;
    ++*(size_t *)data;
    return true;
}

static void a_revision_not_reached_yet_is_refused(void **state)
{
    struct fixture *f = *state;
    struct kz_view *view;
    struct kz_err err;
    Kz__Record *record;
    size_t count = 0;
    struct named named = {.count = 0};
    fixture_fill(f);
    uint64_t rev = fixture_applied(f).rev;
    must(kz_view_open(f->store, &view, &must_err));
    for (int far = 0; far < 2; far++) {
        uint64_t later = far ? UINT64_MAX : rev + 1;
        assert_int_equal(kz_view_get_as_of(view, KZ__KIND__ORG, "joho", later, &record, &err), KZ_TOO_OLD);
        struct kz_as_of as_of = {.rev = later, .rows_max = SIZE_MAX};
        assert_int_equal(kz_view_list_as_of(view, KZ__KIND__ORG, &as_of, NULL, true, count_record, &count, &err),
                         KZ_TOO_OLD);
        assert_int_equal(kz_view_changed_since(view, later, see_name, &named, &err), KZ_TOO_OLD);
    }
    must(kz_view_get_as_of(view, KZ__KIND__ORG, "joho", rev, &record, &must_err));
    kz__record__free_unpacked(record, NULL);
    struct kz_as_of nothing = {.rev = 0, .rows_max = SIZE_MAX};
    must(kz_view_list_as_of(view, KZ__KIND__ORG, &nothing, NULL, true, count_record, &count, &must_err));
    must(kz_view_changed_since(view, rev, see_name, &named, &must_err));
    assert_int_equal(count + named.count, 0);
    assert_int_equal(kz_view_get_as_of(view, KZ__KIND__ORG, "Not An Id", rev, &record, &err), KZ_NOT_FOUND);
    assert_int_equal(kz_view_get_as_of(view, (Kz__Kind)31, "joho", rev, &record, &err), KZ_NOT_FOUND);
    kz_view_close(view);
}

static void a_time_means_the_last_revision_up_to_it(void **state)
{
    struct fixture *f = *state;
    struct kz_view *view;
    struct kz_err err;
    uint64_t rev;
    int64_t rev_ms, first_ms = f->time_ms;
    for (unsigned i = 0; i < 7; i++) { /* revisions 1 to 14, two for each of seven moments */
        struct command command;
        char id[16];
        command_init(&command, f->request++);
        for (unsigned half = 0; half < 2; half++) {
            snprintf(id, sizeof(id), "o%u%u", i, half);
            command_put(&command, make_org(id, id, NULL));
        }
        f->time_ms = first_ms + 1000 * i;
        fixture_must(f, &command, KZ_OK);
    }
    must(kz_view_open(f->store, &view, &must_err));
    for (unsigned i = 0; i < 7; i++) {
        for (int64_t late = 0; late < 1000 && (late == 0 || i < 6); late += 999) {
            must(kz_view_revision_at(view, first_ms + 1000 * i + late, &rev, &rev_ms, &must_err));
            assert_int_equal(rev, 2 * i + 2);
            assert_int_equal(rev_ms, first_ms + 1000 * i);
        }
    }
    must(kz_view_revision_at(view, first_ms - 1, &rev, &rev_ms, &must_err));
    assert_int_equal(rev, 0);
    assert_int_equal(kz_view_revision_at(view, first_ms + 6001, &rev, &rev_ms, &err), KZ_TOO_OLD);
    kz_view_close(view);
}

/* ---- undoing a mass deletion ---- */

static bool bring_back(void *data, Kz__Kind kind, const char *id)
{
    struct command *command = data;
    assert_int_equal(kind, KZ__KIND__ORG);
    command_put(command, make_org(id, "", NULL)); /* its contents are filled in below */
    return true;
}

static bool stop_at_once(void *data, Kz__Kind kind, const char *id)
{
    (void)kind;
    (void)id;
    ++*(size_t *)data;
    return false;
}

static void a_mass_deletion_is_undone_from_the_names_and_the_past(void **state)
{
    struct fixture *f = *state;
    struct command command;
    struct kz_view *view;
    char id[16];
    for (unsigned i = 0; i < 40; i++) {
        snprintf(id, sizeof(id), "o%02u", i);
        fixture_put(f, make_org(id, id, NULL), KZ_OK);
    }
    uint64_t rev = fixture_applied(f).rev;
    command_init(&command, f->request++);
    for (unsigned i = 0; i < 40; i++) {
        snprintf(id, sizeof(id), "o%02u", i);
        command_retire(&command, KZ__KIND__ORG, id, true);
    }
    fixture_must(f, &command, KZ_OK);

    command_init(&command, f->request++);
    must(kz_view_open(f->store, &view, &must_err));
    must(kz_view_changed_since(view, rev, bring_back, &command, &must_err));
    assert_int_equal(command.message.n_mutations, 40);
    for (size_t i = 0; i < 40; i++) {
        Kz__Record *then;
        must(kz_view_get_as_of(view, KZ__KIND__ORG, command.mutations[i].id, rev, &then, &must_err));
        kz__record__free_unpacked(command.mutations[i].record, NULL);
        command.mutations[i].record = then;
    }
    kz_view_close(view);
    fixture_must(f, &command, KZ_OK);
    for (unsigned i = 0; i < 40; i++) {
        snprintf(id, sizeof(id), "o%02u", i);
        Kz__Record *record = fixture_get(f, KZ__KIND__ORG, id);
        assert_false(record->has_retired_at);
        assert_string_equal(record->org->name, id);
        kz__record__free_unpacked(record, NULL);
    }
    size_t some = 0;
    must(kz_view_open(f->store, &view, &must_err));
    must(kz_view_changed_since(view, 39, stop_at_once, &some, &must_err));
    assert_int_equal(some, 1);
    kz_view_close(view);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_earlier_revision_is_what_a_replay_gives),
        T(a_revision_not_reached_yet_is_refused),
        T(a_time_means_the_last_revision_up_to_it),
        T(a_mass_deletion_is_undone_from_the_names_and_the_past),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
