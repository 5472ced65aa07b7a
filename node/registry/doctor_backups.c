/* SPDX-License-Identifier: Apache-2.0 */
/* Rules about backups. Where what counts is that some copy is left, backups of the same server are looked at together:
 * the second copy of a database is a backup of its own (二次バックアップ). */
#include <stdlib.h>

#include "node/base/assert.h"
#include "node/registry/doctor_rules.h"

#define TWICE_A_WEEK_S (7 * KZ_DAY_S / 2)

static const Kz__Record *const *all_backups(const struct kz_examination *x, size_t *count)
{
    return kz_set_kind(x->set, KZ__KIND__BACKUP, count);
}

static const Kz__System *system_of(const struct kz_examination *x, const Kz__Backup *backup)
{
    const Kz__Record *system = kz_set_find(x->set, KZ__KIND__SYSTEM, backup->system);
    return system == NULL ? NULL : system->system;
}

/* ---- how often ---- */

/* How often the data changes, or is looked at often enough to be missed; 0: not known, or seldom. */
static int64_t wanted_interval(const Kz__Backup *backup)
{
    bool often = (backup->has_update_interval && backup->update_interval <= TWICE_A_WEEK_S) ||
                 (backup->has_read_interval && backup->read_interval <= TWICE_A_WEEK_S);
    if (often) return KZ_DAY_S;
    return backup->has_update_interval ? backup->update_interval : 0;
}

/* B Step2(ア)a: 週に2回以上ある場合は「日次」とする; G 2.7.1: 更新頻度とバックアップの頻度は同等とする. */
void kz_doctor_backup_seldom(struct kz_examination *x)
{
    size_t count = 0;
    const Kz__Record *const *backups = all_backups(x, &count);
    for (size_t i = 0; i < count; i++) {
        const Kz__Backup *backup = backups[i]->backup;
        int64_t wanted = wanted_interval(backup);
        if (wanted > 0 && backup->has_interval && backup->interval > wanted)
            kz_find(x, backups[i], kz_arg_duration(backup->interval), kz_arg_duration(wanted), KZ_NOTHING);
    }
}

struct most_frequent {
    const Kz__Record *data, *image; /* the backups with the shortest interval; NULL: none */
};

static void take_shorter(const Kz__Record **best, const Kz__Record *backup)
{
    if (*best == NULL || backup->backup->interval < (*best)->backup->interval) *best = backup;
}

/* G 2.5.2, 2.7.1: what changed since the last backup is lost. The most frequent backup of a system's data counts; of a
 * system that has images only, these. */
void kz_doctor_backup_rpo(struct kz_examination *x)
{
    size_t count = 0;
    const Kz__Record *const *backups = all_backups(x, &count);
    struct most_frequent *best = kz_must_alloc(x->graph.count + 1, sizeof(best[0]));
    for (size_t i = 0; i < count; i++) {
        const Kz__Backup *backup = backups[i]->backup;
        size_t system = kz_set_index(x->set, KZ__KIND__SYSTEM, backup->system);
        bool image = backup->has_type && backup->type == KZ__BACKUP__TYPE__SYSTEM;
        if (system != SIZE_MAX && backup->has_interval)
            take_shorter(image ? &best[system].image : &best[system].data, backups[i]);
    }
    for (size_t i = 0; i < x->graph.count; i++) {
        const Kz__System *system = x->graph.systems[i]->system;
        const Kz__Record *backup = best[i].data != NULL ? best[i].data : best[i].image;
        if (backup != NULL && system->has_rpo && backup->backup->interval > system->rpo)
            kz_find(x, backup, kz_arg_duration(backup->backup->interval), kz_arg_duration(system->rpo),
                    kz_arg_text(x->graph.systems[i]->id));
    }
    free(best);
}

/* ---- where, and on what ---- */

/* B Step2(ア)b: テープの場合は、最低でも「5巻回し」程度. */
void kz_doctor_tape(struct kz_examination *x)
{
    size_t count = 0;
    const Kz__Record *const *backups = all_backups(x, &count);
    int64_t least = kz_examination_setting(x, "backup.tape_generations");
    for (size_t i = 0; i < count; i++) {
        const Kz__Backup *backup = backups[i]->backup;
        const Kz__Backup__Copy *fewest = NULL;
        for (size_t j = 0; j < backup->n_copies; j++) {
            const Kz__Backup__Copy *copy = backup->copies[j];
            if (!copy->has_media || copy->media != KZ__BACKUP__COPY__MEDIA__TAPE || !copy->has_generations) continue;
            if (copy->generations < least && (fewest == NULL || copy->generations < fewest->generations)) fewest = copy;
        }
        if (fewest != NULL)
            kz_find(x, backups[i], kz_arg_number(fewest->generations), kz_arg_number(least), KZ_NOTHING);
    }
}

static int compare_texts(const char *a, const char *b) { return strcmp(a == NULL ? "" : a, b == NULL ? "" : b); }

static int compare_servers(const void *a, const void *b)
{
    const Kz__Record *x = *(const Kz__Record *const *)a, *y = *(const Kz__Record *const *)b;
    int systems = compare_texts(x->backup->system, y->backup->system);
    if (systems != 0) return systems;
    int servers = compare_texts(x->backup->server, y->backup->server);
    return servers != 0 ? servers : strcmp(x->id, y->id);
}

static bool same_server(const Kz__Record *a, const Kz__Record *b)
{
    return compare_texts(a->backup->system, b->backup->system) == 0 &&
           compare_texts(a->backup->server, b->backup->server) == 0;
}

/* Calls `check` with the backups of each server; the first has the lowest id. */
static void visit_servers(struct kz_examination *x,
                          void (*check)(struct kz_examination *x, const Kz__Record *const *backups, size_t count))
{
    size_t count = 0;
    const Kz__Record *const *backups = all_backups(x, &count);
    const Kz__Record **sorted = kz_must_alloc(count + 1, sizeof(sorted[0]));
    if (count > 0) memcpy(sorted, backups, count * sizeof(sorted[0]));
    qsort(sorted, count, sizeof(sorted[0]), compare_servers);
    for (size_t first = 0, next = 0; first < count; first = next) {
        for (next = first + 1; next < count && same_server(sorted[first], sorted[next]);)
            next++;
        check(x, sorted + first, next - first);
    }
    free(sorted);
}

/* NULL: the site is not known. Sites of one disaster area fall together. */
static const char *area_of_copy(const struct kz_set *set, const Kz__Backup__Copy *copy)
{
    const Kz__Record *site = kz_set_find(set, KZ__KIND__SITE, copy->site);
    if (site == NULL) return NULL;
    return kz_given(site->site->disaster_area) ? site->site->disaster_area : site->id;
}

static void check_places(struct kz_examination *x, const Kz__Record *const *backups, size_t count)
{
    const char *first = NULL;
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < backups[i]->backup->n_copies; j++) {
            const char *area = area_of_copy(x->set, backups[i]->backup->copies[j]);
            if (area == NULL) continue;
            if (first != NULL && strcmp(area, first) != 0) return;
            first = area;
        }
    }
    static const struct kz_text unknown = {"an unknown place", "不明な場所"};
    kz_find(x, backups[0], first == NULL ? kz_arg_words(&unknown) : kz_arg_text(first), KZ_NOTHING, KZ_NOTHING);
}

/* G 2.7.1: 情報システムの設置場所と同じ場所にバックアップ媒体が保管されていないようにする; B 手順3(b). */
void kz_doctor_one_place(struct kz_examination *x) { visit_servers(x, check_places); }

static void check_offline(struct kz_examination *x, const Kz__Record *const *backups, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < backups[i]->backup->n_copies; j++) {
            const Kz__Backup__Copy *copy = backups[i]->backup->copies[j];
            if ((copy->has_offline && copy->offline) || (copy->has_immutable && copy->immutable)) return;
        }
    }
    kz_find(x, backups[0], KZ_NOTHING, KZ_NOTHING, KZ_NOTHING);
}

/* G 2.7.1: バックアップデータが一斉に暗号化され使用できなくするサイバー攻撃; P (カ). */
void kz_doctor_no_offline(struct kz_examination *x) { visit_servers(x, check_offline); }

/* ---- does it work ---- */

/* G 2.7.1: 正常にバックアップが実施されているか確認する. */
void kz_doctor_backup_stale(struct kz_examination *x)
{
    size_t count = 0;
    const Kz__Record *const *backups = all_backups(x, &count);
    static const struct kz_text never = {"never", "記録なし"};
    for (size_t i = 0; i < count; i++) {
        const Kz__Backup *backup = backups[i]->backup;
        if (!backup->has_interval) continue;
        if (!backup->has_last_success)
            kz_find(x, backups[i], kz_arg_words(&never), kz_arg_duration(backup->interval), KZ_NOTHING);
        else if ((x->now_ms - backup->last_success) / 1000 > 2 * backup->interval)
            kz_find(x, backups[i], kz_arg_day(kz_day_of_time(backup->last_success)), kz_arg_duration(backup->interval),
                    KZ_NOTHING);
    }
}

static const struct kz_text *why_untested(const struct kz_examination *x, const Kz__Backup *backup, int64_t every_s)
{
    static const struct kz_text never = {"there is none", "記録がありません"};
    static const struct kz_text failed = {"the last one failed", "直近のテストは失敗しています"};
    static const struct kz_text old = {"the last one is too long ago", "直近のテストから期間を過ぎています"};
    const Kz__Backup__RestoreTest *test = backup->last_restore_test;
    if (test == NULL || !kz_given(test->date)) return &never;
    if (test->has_result && test->result == KZ__BACKUP__RESULT__FAILED) return &failed;
    return kz_day_is_past(x, test->date, every_s) ? &old : NULL;
}

/* B Step5(ウ)a(b): 年1回程度の訓練等を実施する; P (カ) 定期的なバックアップリカバリー検査. */
void kz_doctor_no_restore_test(struct kz_examination *x)
{
    size_t count = 0;
    const Kz__Record *const *backups = all_backups(x, &count);
    int64_t every_s = kz_examination_setting(x, "backup.restore_test_every");
    for (size_t i = 0; i < count; i++) {
        const struct kz_text *why = why_untested(x, backups[i]->backup, every_s);
        if (why != NULL) kz_find(x, backups[i], kz_arg_duration(every_s), kz_arg_words(why), KZ_NOTHING);
    }
}

/* G 2.9.1: 想定時間内にリカバリできなくなるケース. */
void kz_doctor_restore_slow(struct kz_examination *x)
{
    size_t count = 0;
    const Kz__Record *const *backups = all_backups(x, &count);
    for (size_t i = 0; i < count; i++) {
        const Kz__Backup__RestoreTest *test = backups[i]->backup->last_restore_test;
        const Kz__System *system = system_of(x, backups[i]->backup);
        if (test != NULL && test->has_duration && system != NULL && system->has_rto && test->duration > system->rto)
            kz_find(x, backups[i], kz_arg_duration(test->duration), kz_arg_duration(system->rto),
                    kz_arg_text(backups[i]->backup->system));
    }
}

static bool is_restore(const Kz__Runbook *runbook)
{
    return runbook->has_phase && runbook->phase == KZ__RUNBOOK__PHASE__RESTORE &&
           !(runbook->has_state && runbook->state == KZ__RUNBOOK__STATE__RETIRED);
}

static void note_runbooks_of_systems(const struct kz_examination *x, bool *has)
{
    size_t count = 0;
    const Kz__Record *const *runbooks = kz_set_kind(x->set, KZ__KIND__RUNBOOK, &count);
    for (size_t i = 0; i < count; i++) {
        if (!is_restore(runbooks[i]->runbook)) continue;
        for (size_t j = 0; j < runbooks[i]->runbook->n_scope; j++) {
            size_t system = kz_index_of_reference(x->set, KZ__KIND__SYSTEM, runbooks[i]->runbook->scope[j]);
            if (system != SIZE_MAX) has[system] = true;
        }
    }
    for (size_t i = 0; i < x->graph.count; i++) {
        const Kz__System *system = x->graph.systems[i]->system;
        for (size_t j = 0; j < system->n_runbooks && !has[i]; j++) {
            const Kz__Record *runbook = kz_set_find(x->set, KZ__KIND__RUNBOOK, system->runbooks[j]);
            has[i] = runbook != NULL && is_restore(runbook->runbook);
        }
    }
}

/* B Step5(ウ)a(a): リストアのための手順書等をあらかじめ作成しておく. Named by the backup, by the system, or by its own
 * scope. */
void kz_doctor_no_restore_runbook(struct kz_examination *x)
{
    size_t count = 0;
    const Kz__Record *const *backups = all_backups(x, &count);
    bool *system_has = kz_must_alloc(x->graph.count + 1, sizeof(system_has[0]));
    note_runbooks_of_systems(x, system_has);
    for (size_t i = 0; i < count; i++) {
        const Kz__Backup *backup = backups[i]->backup;
        size_t system = kz_set_index(x->set, KZ__KIND__SYSTEM, backup->system);
        bool has = system != SIZE_MAX && system_has[system];
        for (size_t j = 0; j < backup->n_runbooks && !has; j++) {
            const Kz__Record *runbook = kz_set_find(x->set, KZ__KIND__RUNBOOK, backup->runbooks[j]);
            has = runbook != NULL && is_restore(runbook->runbook);
        }
        if (!has) kz_find(x, backups[i], KZ_NOTHING, KZ_NOTHING, KZ_NOTHING);
    }
    free(system_has);
}
