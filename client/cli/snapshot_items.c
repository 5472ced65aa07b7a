/* SPDX-License-Identifier: Apache-2.0 */
/* Backups as a list: read from a folder, shown to people and programs. */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/cli/snapshot.h"
#include "node/base/assert.h"
#include "node/registry/when.h"

#define NUMBER_TEXT_BYTES 24
#define KIB_BYTES 1024u

/* ---- reading ---- */

void kz_snapshot_add_item(struct kz_snapshot_items *items, struct kz_snapshot_trust *trust, const char *folder,
                          const char *name)
{
    struct kz_err err = {.code = KZ_OK};
    struct kz_buf path;
    struct kz_snapshot_item item = {.name = kz_must_strdup(name), .judged = trust->tls != NULL};
    kz_buf_init(&path, 0);
    kz_buf_addf(&path, "%s%s%s", folder ? folder : "", folder ? "/" : "", name);
    item.path = kz_must_strdup(kz_buf_text(&path));
    kz_buf_fini(&path);
    item.fault = kz_backup_open(item.path, &item.file, &err);
    if (!item.fault) item.fault = kz_backup_check_head(item.file, kz_snapshot_judge, trust, &err);
    if (item.fault == KZ_BACKUP_SIGNER) item.signer_fault = trust->reason;
    items->items = kz_must_realloc(items->items, (items->count + 1) * sizeof *items->items);
    items->items[items->count++] = item;
}

static int is_backup(const struct dirent *entry)
{
    size_t length = strlen(entry->d_name), suffix = strlen(KZ_SNAPSHOT_SUFFIX);
    return entry->d_name[0] != '.' && length > suffix &&
           strcmp(entry->d_name + length - suffix, KZ_SNAPSHOT_SUFFIX) == 0;
}

static int64_t saved_ms(const struct kz_snapshot_item *item)
{
    return item->file ? kz_backup_manifest(item->file)->saved_ms : INT64_MIN;
}

static int compare_items(const void *a, const void *b)
{
    const struct kz_snapshot_item *left = a, *right = b;
    int64_t left_ms = saved_ms(left), right_ms = saved_ms(right);
    return left_ms == right_ms ? strcmp(left->name, right->name) : left_ms > right_ms ? -1 : 1;
}

int kz_snapshot_read_folder(struct kz_cli *cli, struct kz_snapshot_trust *trust, const char *folder,
                            struct kz_snapshot_items *out)
{
    struct dirent **found = NULL;
    *out = (struct kz_snapshot_items){0};
    int count = scandir(folder, &found, is_backup, NULL);
    if (count < 0)
        return kz_cli_fail(cli, kz_error_new(KZ_USAGE, KZ_T_FILE_UNREADABLE, kz_text_of_errno(errno), KZ_T_FILE_HINT,
                                             KZ_TEXT_ARGS(folder, strerror(errno))));
    for (int i = 0; i < count; i++) {
        kz_snapshot_add_item(out, trust, folder, found[i]->d_name);
        free(found[i]);
    }
    free(found);
    if (out->count > 0) qsort(out->items, out->count, sizeof *out->items, compare_items);
    return 0;
}

void kz_snapshot_items_fini(struct kz_snapshot_items *items)
{
    for (size_t i = 0; i < items->count; i++) {
        kz_backup_close(items->items[i].file);
        free(items->items[i].path);
        free(items->items[i].name);
    }
    free(items->items);
    *items = (struct kz_snapshot_items){0};
}

/* ---- showing ---- */

void kz_snapshot_add_size(struct kz_buf *out, uint64_t size_bytes)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    size_t unit = 0;
    uint64_t tenths = size_bytes * 10;
    while (tenths >= KIB_BYTES * 10 && unit + 1 < sizeof units / sizeof units[0]) {
        tenths /= KIB_BYTES;
        unit++;
    }
    if (unit == 0)
        kz_buf_addf(out, "%" PRIu64 " B", size_bytes);
    else
        kz_buf_addf(out, "%" PRIu64 ".%" PRIu64 " %s", tenths / 10, tenths % 10, units[unit]);
}

static enum kz_text_id result_of(const struct kz_snapshot_item *item)
{
    if (item->signer_fault) return item->signer_fault;
    if (item->fault) return kz_snapshot_why(item->fault);
    if (item->opened) return KZ_T_BACKUP_OPENED;
    if (item->verified) return KZ_T_BACKUP_UNCHANGED;
    return item->judged ? KZ_T_BACKUP_SIGNED : KZ_T_BACKUP_NOT_JUDGED;
}

static uint64_t live_records(const Kz__SnapshotHead *state)
{
    uint64_t records = 0;
    for (size_t i = 0; i < state->n_counts; i++)
        records += state->counts[i]->live;
    return records;
}

static void add_cell(struct kz_grid *grid, struct kz_buf *text)
{
    kz_grid_add_cell(grid, kz_buf_text(text));
    kz_buf_clear(text);
}

static void add_row(const struct kz_view *view, struct kz_grid *grid, const struct kz_snapshot_item *item)
{
    const Kz__BackupManifest *manifest = item->file ? kz_backup_manifest(item->file) : NULL;
    struct kz_buf text;
    kz_buf_init(&text, 0);
    kz_grid_add_cell(grid, item->name);
    if (manifest) kz_time_format(&text, manifest->saved_ms);
    add_cell(grid, &text);
    if (manifest) kz_buf_addf(&text, "%" PRIu64, manifest->state->rev);
    add_cell(grid, &text);
    if (manifest && manifest->state->has_data_time_ms) kz_time_format(&text, manifest->state->data_time_ms);
    add_cell(grid, &text);
    if (manifest) kz_buf_addf(&text, "%" PRIu64, live_records(manifest->state));
    add_cell(grid, &text);
    if (manifest) kz_snapshot_add_size(&text, manifest->file_bytes);
    add_cell(grid, &text);
    if (manifest) kz_show_short_hash(&text, manifest->state->has_records_hash, manifest->state->records_hash);
    add_cell(grid, &text);
    kz_grid_add_cell(grid, manifest ? manifest->saved_by : "");
    kz_text_fill(&text, result_of(item), view->japanese, KZ_TEXT_ARGS(item->name, ""));
    add_cell(grid, &text);
    kz_buf_fini(&text);
}

static json_t *integer(uint64_t number) { return json_integer((json_int_t)number); }

static json_t *encode_counts(const Kz__SnapshotHead *state)
{
    json_t *counts = json_object();
    for (size_t i = 0; i < state->n_counts; i++) {
        json_t *count = json_object();
        kz_show_set(count, "live", integer(state->counts[i]->live));
        kz_show_set(count, "retired", integer(state->counts[i]->retired));
        kz_show_set(counts, kz_show_kind(state->counts[i]->kind), count);
    }
    return counts;
}

static void encode_manifest(json_t *object, const Kz__BackupManifest *manifest)
{
    const Kz__SnapshotHead *state = manifest->state;
    char fingerprint[KZ_BACKUP_FINGERPRINT_BYTES];
    kz_show_set(object, "saved", kz_show_time(manifest->saved_ms));
    kz_show_set(object, "saved_by", kz_show_string(manifest->saved_by));
    kz_show_set(object, "program", kz_show_string(manifest->program));
    kz_show_set(object, "cluster", kz_show_string(state->cluster));
    kz_show_set(object, "epoch", integer(state->epoch));
    kz_show_set(object, "node", kz_show_string(state->node));
    kz_show_set(object, "rev", integer(state->rev));
    kz_show_set(object, "index", integer(state->index));
    kz_show_set(object, "term", integer(state->term));
    kz_show_set(object, "data_time", state->has_data_time_ms ? kz_show_time(state->data_time_ms) : json_null());
    kz_show_set(object, "state_hash", kz_show_hex(state->state_hash));
    kz_show_set(object, "records_hash", state->has_records_hash ? kz_show_hex(state->records_hash) : json_null());
    kz_show_set(object, "rows", integer(state->rows));
    kz_show_set(object, "provisional", integer(state->provisional));
    kz_show_set(object, "records", encode_counts(state));
    kz_show_set(object, "bytes", integer(manifest->file_bytes));
    json_t *recipients = json_array();
    for (size_t i = 0; i < manifest->n_recipients; i++) {
        kz_backup_key_fingerprint(manifest->recipients[i]->public_key.data, fingerprint);
        if (json_array_append_new(recipients, kz_show_string(fingerprint)) != 0) break;
    }
    kz_show_set(object, "keys", recipients);
}

static json_t *encode_item(const struct kz_snapshot_item *item)
{
    json_t *object = json_object();
    struct kz_buf text;
    kz_buf_init(&text, 0);
    kz_show_set(object, "file", kz_show_string(item->path));
    if (item->file) encode_manifest(object, kz_backup_manifest(item->file));
    kz_show_set(object, "ok", json_boolean(!item->fault));
    kz_show_set(object, "signature_checked", json_boolean(item->judged && !item->fault));
    kz_show_set(object, "content_checked", json_boolean(item->verified));
    kz_show_set(object, "restored_and_compared", json_boolean(item->opened));
    kz_text_fill(&text, result_of(item), false, KZ_TEXT_ARGS(item->name, ""));
    kz_show_set(object, "result", kz_show_string(kz_buf_text(&text)));
    kz_buf_fini(&text);
    return object;
}

void kz_snapshot_show(const struct kz_view *view, const struct kz_snapshot_items *items, struct kz_buf *out)
{
    if (kz_show_is_json(view)) {
        json_t *list = json_array();
        for (size_t i = 0; i < items->count; i++)
            if (json_array_append_new(list, encode_item(&items->items[i])) != 0) break;
        kz_show_items(view, NULL, list, out);
        return;
    }
    struct kz_grid grid = {0};
    kz_show_add_column(view, &grid, KZ_T_COLUMN_FILE, false);
    kz_show_add_column(view, &grid, KZ_T_COLUMN_SAVED, false);
    kz_show_add_column(view, &grid, KZ_T_COLUMN_REV, true);
    kz_show_add_column(view, &grid, KZ_T_COLUMN_DATA_TIME, false);
    kz_show_add_column(view, &grid, KZ_T_COLUMN_RECORDS, true);
    kz_show_add_column(view, &grid, KZ_T_COLUMN_SIZE, true);
    kz_show_add_column(view, &grid, KZ_T_COLUMN_RECORDS_HASH, false);
    kz_show_add_column(view, &grid, KZ_T_COLUMN_SAVED_BY, false);
    kz_show_add_column(view, &grid, KZ_T_COLUMN_CHECKED, false);
    for (size_t i = 0; i < items->count; i++)
        add_row(view, &grid, &items->items[i]);
    kz_show_grid(view, &grid, out);
}
