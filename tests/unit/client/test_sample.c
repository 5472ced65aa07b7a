/* SPDX-License-Identifier: Apache-2.0 */
/* What is derived from deploy/sample is what was worked out by hand. argv[1]: the repository. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/cli/files.h"
#include "node/base/assert.h"
#include "node/registry/doctor.h"
#include "node/registry/impact.h"
#include "node/registry/order.h"
#include "node/registry/targets.h"

#define MINUTE_S INT64_C(60)
#define SYSTEMS 38
#define FINDINGS_MAX 200
#define TODAY_MS INT64_C(1795165200000) /* 2026-11-20T18:00+09:00, the day the sample is written for */

static const char *repository;

#define FOLDERS 2

struct sample {
    struct kz_files files[FOLDERS];
    size_t count; /* of records in them */
    struct kz_set set;
    struct kz_graph graph;
};

static int load(void **state)
{
    static const char *const folders[FOLDERS] = {"deploy/sample", "deploy/sample/files"};
    static struct sample sample;
    const Kz__Record **records = NULL;
    for (size_t folder = 0; folder < FOLDERS; folder++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", repository, folders[folder]);
        struct kz_entries *entries = &sample.files[folder].entries;
        Kz__Error *error = kz_files_read(&sample.files[folder], path);
        if (error) {
            for (size_t i = 0; i < error->n_violations; i++)
                fprintf(stderr, "%s: %s\n", error->violations[i]->path, error->violations[i]->en);
            return -1;
        }
        records = kz_must_realloc(records, (sample.count + entries->count) * sizeof(records[0]));
        for (size_t i = 0; i < entries->count; i++) {
            kz_record_derive(entries->items[i].record);
            records[sample.count++] = entries->items[i].record;
        }
    }
    kz_set_init(&sample.set, records, sample.count);
    kz_graph_init(&sample.graph, &sample.set);
    free(records);
    *state = &sample;
    return 0;
}

static int unload(void **state)
{
    struct sample *sample = *state;
    kz_graph_fini(&sample->graph);
    kz_set_fini(&sample->set);
    for (size_t folder = 0; folder < FOLDERS; folder++)
        kz_files_fini(&sample->files[folder]);
    return 0;
}

static void check_reference(void *data, const char *path, Kz__Kind kind, const char *id)
{
    const struct sample *sample = data;
    if (kz_set_find(&sample->set, kind, id) == NULL) fail_msg("%s: no %d/%s", path, (int)kind, id);
}

static void every_reference_of_the_sample_is_answered(void **state)
{
    struct sample *sample = *state;
    for (size_t i = 0; i < sample->set.count; i++)
        kz_record_references(sample->set.items[i], check_reference, sample);
    assert_int_equal(sample->set.count, sample->count); /* none stands twice */
    assert_int_equal(sample->graph.count, SYSTEMS);
    assert_int_equal(sample->graph.cycle_count, 0);
}

static void every_kind_that_is_kept_has_a_sample(void **state)
{
    struct sample *sample = *state;
    size_t kinds_count = 0;
    const struct kz_kind *kinds = kz_kinds(&kinds_count);
    for (size_t i = 0; i < kinds_count; i++) {
        size_t count = 0;
        kz_set_kind(&sample->set, kinds[i].number, &count);
        if ((count > 0) == kinds[i].event) fail_msg("%s", kinds[i].name);
    }
}

static void check_step(const struct sample *sample, const struct kz_order_step *step, const char *line)
{
    char system[KZ_ID_MAX_BYTES + 1], mark[2] = "";
    long begins = 0, runs = 0, late = 0;
    assert_in_range(sscanf(line, "%64s %ld %ld %ld %1s", system, &begins, &runs, &late, mark), 4, 5);
    assert_string_equal(sample->graph.systems[step->system]->id, system);
    assert_int_equal(step->start_s, begins * MINUTE_S);
    assert_int_equal(step->finish_s, runs * MINUTE_S);
    assert_int_equal(step->late_s, late * MINUTE_S);
    assert_int_equal(step->misses, late > 0);
    assert_int_equal(step->at_least, mark[0] == '+');
}

static void the_order_of_the_sample_is_as_worked_out_by_hand(void **state)
{
    struct sample *sample = *state;
    struct kz_order order;
    char path[4096], line[256];
    size_t count = 0;
    snprintf(path, sizeof path, "%s/tests/unit/client/sample-order.txt", repository);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    kz_order_init(&order, &sample->graph, &(struct kz_order_options){0});
    while (fgets(line, sizeof line, file)) {
        if (line[0] == '#') continue;
        assert_true(count < order.count);
        check_step(sample, &order.steps[count++], line);
    }
    fclose(file);
    assert_int_equal(count, order.count);
    assert_int_equal(count, SYSTEMS);
    kz_order_fini(&order);
}

/* G 2.5.2(1)-1: who is late, and on what it waits. */
static void two_systems_of_the_sample_miss_their_rto_and_say_why(void **state)
{
    static const char *const chains[2] = {"togo-kasou-server domain-file-server groupware ",
                                          "togo-kasou-server juki youshiensha "};
    struct sample *sample = *state;
    struct kz_order order;
    size_t missing = 0;
    kz_order_init(&order, &sample->graph, &(struct kz_order_options){0});
    for (size_t i = 0; i < order.count; i++) {
        if (!order.steps[i].misses) continue;
        char text[256] = "";
        size_t count = 0;
        size_t *chain = kz_order_chain(&order, i, &count);
        for (size_t j = 0; j < count; j++) {
            size_t used = strlen(text);
            snprintf(text + used, sizeof text - used, "%s ", sample->graph.systems[order.steps[chain[j]].system]->id);
        }
        free(chain);
        assert_true(missing < 2);
        assert_string_equal(text, chains[missing++]);
    }
    assert_int_equal(missing, 2);
    kz_order_fini(&order);
}

/* N 図4 has the platform carry the others: 1h, because the shortest of them need 2h and 3h (G 2.5.2(1)-4). */
static void the_platform_of_the_sample_is_required_by_its_dependants(void **state)
{
    struct sample *sample = *state;
    struct kz_required *required = kz_targets_required(&sample->set, &sample->graph);
    const struct kz_required *platform = &required[kz_set_index(&sample->set, KZ__KIND__SYSTEM, "togo-kasou-server")];
    assert_true(platform->has);
    assert_int_equal(platform->rto_s, 120 * MINUTE_S);
    assert_string_equal(platform->from->id, "domain-file-server");
    free(required);
}

static void the_level_of_the_platform_of_the_sample_is_its_lowest_component(void **state)
{
    struct sample *sample = *state;
    struct kz_level *levels = kz_targets_levels(&sample->set, &sample->graph);
    const struct kz_level *platform = &levels[kz_set_index(&sample->set, KZ__KIND__SYSTEM, "togo-kasou-server")];
    assert_int_equal(platform->components, 13);
    assert_int_equal(platform->target, 4);
    assert_int_equal(platform->gap, platform->target - platform->current);
    assert_int_equal(platform->lowest->component->current_level, platform->current);
    free(levels);
}

static size_t count_level(const struct kz_impact *impact, Kz__Kind kind, enum kz_impact_level level)
{
    size_t count = 0;
    for (size_t i = 0; i < impact->count; i++)
        count += impact->items[i].record->kind == kind && impact->items[i].level == level;
    return count;
}

/* By 60-systems.yaml: all but the service run by Tokyo stand at main; two of priority E have no standby elsewhere. */
static void without_the_main_site_the_sample_switches_all_but_two_systems(void **state)
{
    struct sample *sample = *state;
    struct kz_impact impact;
    assert_true(kz_impact_of_record(&impact, &sample->set, &sample->graph, KZ__KIND__SITE, "main"));
    assert_int_equal(count_level(&impact, KZ__KIND__SYSTEM, KZ_IMPACT_SWITCHES), SYSTEMS - 3);
    assert_int_equal(count_level(&impact, KZ__KIND__SYSTEM, KZ_IMPACT_LOST), 2);
    assert_int_equal(kz_impact_level_of(&impact, KZ__KIND__SYSTEM, "rinji-fukushi-kyufu"), KZ_IMPACT_LOST);
    assert_int_equal(kz_impact_level_of(&impact, KZ__KIND__SYSTEM, "shiritsu-yochien-hojo"), KZ_IMPACT_LOST);
    assert_int_equal(kz_impact_level_of(&impact, KZ__KIND__SYSTEM, "tokyo-kyodo-unei"), KZ_IMPACT_NONE);
    assert_int_equal(kz_impact_level_of(&impact, KZ__KIND__FUNCTION, "rinji-kyufu"), KZ_IMPACT_LOST);
    assert_int_equal(kz_impact_level_of(&impact, KZ__KIND__BACKUP, "komu-data"), KZ_IMPACT_LOST);
    assert_int_equal(kz_impact_level_of(&impact, KZ__KIND__CALLTREE, "zencho"), KZ_IMPACT_SWITCHES);
    kz_impact_fini(&impact);
}

/* "severity rule kind/id | citation", without its comment. */
static char *finding_line(const struct kz_finding *finding)
{
    struct kz_buf line;
    kz_buf_init(&line, 0);
    kz_buf_addf(&line, "%s %s %s%s%s | %s", kz_severity_label(finding->rule->severity)->en, finding->rule->name,
                kz_kind_by_number(finding->kind)->name, finding->record ? "/" : "",
                finding->record ? finding->record->id : "", finding->rule->source);
    char *copy = strdup(kz_buf_text(&line));
    kz_buf_fini(&line);
    assert_non_null(copy);
    return copy;
}

static size_t read_findings(char lines[FINDINGS_MAX][256])
{
    char path[4096];
    size_t count = 0;
    snprintf(path, sizeof path, "%s/tests/unit/client/sample-findings.txt", repository);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    while (count < FINDINGS_MAX && fgets(lines[count], sizeof lines[0], file)) {
        char *comment = strstr(lines[count], "  #");
        if (lines[count][0] == '#' || lines[count][0] == '\n') continue;
        assert_non_null(comment); /* each says what was planted */
        *comment = '\0';
        count++;
    }
    fclose(file);
    return count;
}

/* MODEL 4: each finding planted in deploy/sample once, with its citation, and nothing else. */
static void the_findings_of_the_sample_are_those_planted_each_once(void **state)
{
    static char wanted[FINDINGS_MAX][256];
    struct sample *sample = *state;
    struct kz_findings findings;
    size_t count = read_findings(wanted), wrong = 0;
    kz_doctor_examine(&findings, sample->set.items, sample->set.count, TODAY_MS);
    for (size_t i = 0; i < findings.count; i++) {
        char *line = finding_line(&findings.items[i]);
        size_t at = 0;
        while (at < count && strcmp(wanted[at], line) != 0)
            at++;
        if (at == count)
            print_message("not planted: %s\n", line), wrong++;
        else
            wanted[at][0] = '\0';
        free(line);
    }
    for (size_t i = 0; i < count; i++)
        if (wanted[i][0]) print_message("not found: %s\n", wanted[i]), wrong++;
    kz_findings_fini(&findings);
    assert_int_equal(wrong, 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_reference_of_the_sample_is_answered),
        cmocka_unit_test(every_kind_that_is_kept_has_a_sample),
        cmocka_unit_test(the_order_of_the_sample_is_as_worked_out_by_hand),
        cmocka_unit_test(two_systems_of_the_sample_miss_their_rto_and_say_why),
        cmocka_unit_test(the_platform_of_the_sample_is_required_by_its_dependants),
        cmocka_unit_test(the_level_of_the_platform_of_the_sample_is_its_lowest_component),
        cmocka_unit_test(without_the_main_site_the_sample_switches_all_but_two_systems),
        cmocka_unit_test(the_findings_of_the_sample_are_those_planted_each_once),
    };
    if (argc != 2) return 2;
    repository = argv[1];
    return cmocka_run_group_tests(tests, load, unload);
}
