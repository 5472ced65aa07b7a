/* SPDX-License-Identifier: Apache-2.0 */
/* Backup files: what is written comes back, and nothing else is ever taken for one. */
#include "tests/unit/backup/fixture.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define ROOM 4096u /* many chunks */

/* ---- bytes of a file ---- */

struct bytes {
    uint8_t *data;
    size_t size;
};

static struct bytes read_file(const char *path)
{
    struct stat info;
    assert_int_equal(stat(path, &info), 0);
    struct bytes bytes = {malloc((size_t)info.st_size + 64), (size_t)info.st_size};
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    assert_int_equal(fread(bytes.data, 1, bytes.size, file), bytes.size);
    fclose(file);
    return bytes;
}

static void write_file(const char *path, const uint8_t *data, size_t size)
{
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

static struct bytes save_bytes(const char *name, const struct recipe *recipe, char path[128])
{
    world_path(name, path);
    world_save(path, recipe);
    return read_file(path);
}

static void poke(const char *path, size_t at, uint8_t byte)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    assert_true(fd >= 0 && pwrite(fd, &byte, 1, (off_t)at) == 1);
    close(fd);
}

/* ---- what comes back ---- */

static void a_saved_state_restores_to_the_same_hash_in_a_new_cluster(void **state)
{
    char path[128], folder[128];
    struct kz_backup_file *file;
    struct kz_err err = {0};
    (void)state;
    free(save_bytes("same.kzb", &(struct recipe){.room = ROOM, .both_keys = true}, path).data);
    assert_int_equal(world_check(path, &file), KZ_BACKUP_FINE);
    assert_int_equal(kz_backup_unlock(file, &world.other_key, &err), KZ_BACKUP_FINE);
    assert_true(kz_backup_manifest(file)->chunk_count > 2);
    world_path("new", folder);
    const struct kz_restore_options options = {folder, "new", 3, "gamma@127.0.0.1:7400"};
    if (kz_restore(file, &options, NULL, &err)) fail_msg("%s", err.text);
    kz_backup_close(file);

    struct fixture restored = {0};
    assert_true((size_t)snprintf(restored.directory, sizeof restored.directory, "%.63s", folder) == strlen(folder));
    restored.options = (struct kz_store_options){
        .directory = restored.directory, .map_size_bytes = 1u << 30, .cluster_id = "new", .node_id = 3};
    fixture_open(&restored);
    struct kz_applied was = fixture_applied(&world.store), is = fixture_applied(&restored);
    struct kz_hard_state old = fixture_hard(&world.store), hard = fixture_hard(&restored);
    assert_memory_equal(was.state_hash, is.state_hash, KZ_HASH_BYTES);
    assert_int_equal(was.index, is.index);
    assert_int_equal(hard.epoch, 1);
    assert_int_equal(hard.last_index, was.index + 1);
    assert_int_equal(hard.commit_hint, was.index + 1);
    assert_int_equal(hard.term, was.term + 1);
    assert_memory_not_equal(hard.incarnation, old.incarnation, KZ_INCARNATION_BYTES);
    fixture_scrub(&restored);
    fixture_close(&restored);
}

static void the_manifest_is_readable_without_a_key(void **state)
{
    char path[128];
    struct kz_backup_file *file;
    (void)state;
    free(save_bytes("manifest.kzb", &(struct recipe){0}, path).data);
    struct kz_applied applied = fixture_applied(&world.store);
    assert_int_equal(world_check(path, &file), KZ_BACKUP_FINE);
    const Kz__BackupManifest *manifest = kz_backup_manifest(file);
    assert_string_equal(manifest->saved_by, "keeper");
    assert_int_equal(manifest->saved_ms, world.now_ms);
    assert_int_equal(manifest->state->rev, applied.rev);
    assert_memory_equal(manifest->state->state_hash.data, applied.state_hash, KZ_HASH_BYTES);
    assert_int_equal(manifest->state->n_counts, 2);
    kz_backup_close(file);
}

static void names_and_texts_stand_nowhere_in_the_file(void **state)
{
    static const char *const words[] = {"情報システム課", "koseki", "zeimu"};
    char path[128];
    struct kz_backup_file *file;
    struct kz_err err = {0};
    const uint8_t *rows;
    size_t size;
    bool last;
    (void)state;
    struct bytes bytes = save_bytes("secret.kzb", &(struct recipe){0}, path);
    assert_int_equal(world_check(path, &file), KZ_BACKUP_FINE);
    assert_int_equal(kz_backup_unlock(file, &world.key, &err), KZ_BACKUP_FINE);
    assert_int_equal(kz_backup_next(file, &rows, &size, &last, &err), KZ_BACKUP_FINE);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        assert_non_null(memmem(rows, size, words[i], strlen(words[i])));
        assert_null(memmem(bytes.data, bytes.size, words[i], strlen(words[i])));
    }
    kz_backup_close(file);
    free(bytes.data);
}

/* ---- what is refused ---- */

static void one_changed_byte_at_any_place_is_noticed(void **state)
{
    char path[128];
    size_t kinds[64] = {0};
    (void)state;
    struct bytes bytes = save_bytes("flip.kzb", &(struct recipe){.room = ROOM}, path);
    assert_int_equal(world_check(path, NULL), KZ_BACKUP_FINE);
    for (size_t at = 0; at < bytes.size; at++) {
        poke(path, at, bytes.data[at] ^ (uint8_t)(1u << (at % 8)));
        enum kz_backup_fault fault = world_check(path, NULL);
        if (fault == KZ_BACKUP_FINE) fail_msg("byte %zu of %zu may be changed", at, bytes.size);
        kinds[fault]++;
        poke(path, at, bytes.data[at]);
    }
    assert_int_equal(world_check(path, NULL), KZ_BACKUP_FINE);
    assert_true(kinds[KZ_BACKUP_NOT_A_BACKUP] == 8 && kinds[KZ_BACKUP_NEWER] == 4);
    assert_true(kinds[KZ_BACKUP_SIGNATURE] > 500 && kinds[KZ_BACKUP_CONTENT] > 1000);
    free(bytes.data);
}

static void a_file_cut_anywhere_is_refused_as_such(void **state)
{
    char path[128], cut[128];
    (void)state;
    struct bytes bytes = save_bytes("cut.kzb", &(struct recipe){.room = ROOM}, path);
    world_path("cut-here.kzb", cut);
    for (size_t size = 0; size < bytes.size; size += size < 64 || bytes.size - size < 64 ? 1 : 61) {
        write_file(cut, bytes.data, size);
        assert_int_equal(world_check(cut, NULL), size < 8 ? KZ_BACKUP_NOT_A_BACKUP : KZ_BACKUP_TRUNCATED);
    }
    free(bytes.data);
}

static void bytes_after_the_end_are_refused(void **state)
{
    char path[128];
    (void)state;
    struct bytes bytes = save_bytes("longer.kzb", &(struct recipe){0}, path);
    for (size_t more = 1; more <= 64; more *= 8) {
        memset(bytes.data + bytes.size, 0, more);
        write_file(path, bytes.data, bytes.size + more);
        assert_int_equal(world_check(path, NULL), KZ_BACKUP_LONGER);
    }
    free(bytes.data);
}

static void a_newer_format_is_refused_by_its_number(void **state)
{
    char path[128];
    struct kz_backup_file *file;
    struct kz_err err = {0};
    (void)state;
    free(save_bytes("newer.kzb", &(struct recipe){0}, path).data);
    poke(path, 11, 2);
    assert_int_equal(kz_backup_open(path, &file, &err), KZ_BACKUP_NEWER);
    assert_non_null(strstr(err.text, "version 2"));
}

static void a_key_it_was_not_encrypted_to_does_not_open_it(void **state)
{
    char path[128], name[KZ_BACKUP_FINGERPRINT_BYTES];
    struct kz_backup_file *file;
    struct kz_err err = {0};
    (void)state;
    free(save_bytes("key.kzb", &(struct recipe){0}, path).data);
    assert_int_equal(world_check(path, &file), KZ_BACKUP_FINE);
    assert_int_equal(kz_backup_unlock(file, &world.other_key, &err), KZ_BACKUP_WRONG_KEY);
    kz_backup_key_fingerprint(world.other_key.public_key, name);
    assert_non_null(strstr(err.text, name));
    assert_int_equal(kz_backup_unlock(file, &world.key, &err), KZ_BACKUP_FINE);
    kz_backup_close(file);
}

static void check_signer(const char *name, const struct recipe *recipe, enum kz_text_id reason)
{
    char path[128];
    free(save_bytes(name, recipe, path).data);
    world.reason = KZ_T_EMPTY;
    assert_int_equal(world_check(path, NULL), reason == KZ_T_EMPTY ? KZ_BACKUP_FINE : KZ_BACKUP_SIGNER);
    assert_int_equal(world.reason, reason);
}

static void only_backup_and_operator_of_this_cluster_may_sign(void **state)
{
    struct kz_tls_identity *operator= world_identity(NULL, "officer", "operator", 0, 0);
    struct kz_tls_identity *reader = world_identity(NULL, "duty", "reader", 0, 0);
    struct kz_tls_identity *stranger = world_identity(world.theirs, "officer", "operator", 0, 0);
    (void)state;
    check_signer("operator.kzb", &(struct recipe){.signer = operator}, KZ_T_EMPTY);
    check_signer("reader.kzb", &(struct recipe){.signer = reader}, KZ_T_SIGNER_ROLE);
    check_signer("stranger.kzb", &(struct recipe){.signer = stranger}, KZ_T_SIGNER_UNTRUSTED);
    check_signer("other.kzb", &(struct recipe){.signer = operator, .saved_by = "keeper"}, KZ_T_SIGNER_OTHER_USER);
    check_signer("cluster.kzb", &(struct recipe){.signer = operator, .cluster = "another"}, KZ_T_SIGNER_CLUSTER);
    kz_tls_identity_free(operator);
    kz_tls_identity_free(reader);
    kz_tls_identity_free(stranger);
}

static void an_expired_signer_is_believed_for_what_was_signed_in_time(void **state)
{
    int64_t now_s = world.now_ms / 1000;
    struct kz_tls_identity *former = world_identity(NULL, "former", "backup", now_s - 200, now_s - 100);
    (void)state;
    check_signer("before.kzb", &(struct recipe){.signer = former, .saved_ms = (now_s - 250) * 1000}, KZ_T_SIGNER_TIME);
    check_signer("within.kzb", &(struct recipe){.signer = former, .saved_ms = (now_s - 150) * 1000}, KZ_T_EMPTY);
    check_signer("after.kzb", &(struct recipe){.signer = former}, KZ_T_SIGNER_TIME);
    kz_tls_identity_free(former);
}

static void a_revoked_signer_is_refused_until_the_list_is_left_out(void **state)
{
    char path[128];
    size_t count = 0;
    struct kz_tls_identity *gone = world_identity(NULL, "gone", "backup", 0, 0);
    (void)state;
    free(save_bytes("gone.kzb", &(struct recipe){.signer = gone}, path).data);
    must(kz_ca_revoke(world.ours, "user/gone", &count, &must_err));
    world_trust(true);
    assert_int_equal(world_check(path, NULL), KZ_BACKUP_SIGNER);
    assert_int_equal(world.reason, KZ_T_SIGNER_REVOKED);
    world_trust(false);
    assert_int_equal(world_check(path, NULL), KZ_BACKUP_FINE);
    world_trust(true);
    kz_tls_identity_free(gone);
}

/* ---- restoring ---- */

static enum kz_backup_fault restore_to(const char *path, const char *folder)
{
    struct kz_backup_file *file;
    struct kz_err err = {0};
    const struct kz_restore_options options = {folder, "new", 1, "alpha@127.0.0.1:7400"};
    assert_int_equal(world_check(path, &file), KZ_BACKUP_FINE);
    assert_int_equal(kz_backup_unlock(file, &world.key, &err), KZ_BACKUP_FINE);
    enum kz_backup_fault fault = kz_restore(file, &options, NULL, &err);
    kz_backup_close(file);
    return fault;
}

static void a_state_that_is_not_the_manifests_leaves_an_empty_folder(void **state)
{
    static const uint8_t wrong[KZ_HASH_BYTES] = {1};
    char path[128], folder[128];
    (void)state;
    free(save_bytes("wrong.kzb", &(struct recipe){.state_hash = wrong}, path).data);
    world_path("wrong", folder);
    assert_int_equal(restore_to(path, folder), KZ_BACKUP_STATE);
    assert_int_equal(rmdir(folder), 0);
}

static void only_an_empty_folder_or_a_broken_off_restore_is_taken(void **state)
{
    char path[128], folder[128], inside[160];
    (void)state;
    free(save_bytes("folder.kzb", &(struct recipe){0}, path).data);
    world_path("taken", folder);
    assert_int_equal(mkdir(folder, 0700), 0);
    snprintf(inside, sizeof inside, "%s/notes.txt", folder);
    write_file(inside, (const uint8_t *)"x", 1);
    assert_int_equal(restore_to(path, folder), KZ_BACKUP_NOT_EMPTY);
    assert_int_equal(unlink(inside), 0);
    snprintf(inside, sizeof inside, "%s/restoring", folder);
    assert_int_equal(mkdir(inside, 0700), 0);
    snprintf(inside, sizeof inside, "%s/restoring/data.mdb", folder);
    write_file(inside, (const uint8_t *)"half", 4);
    assert_int_equal(restore_to(path, folder), KZ_BACKUP_FINE);
    assert_int_equal(restore_to(path, folder), KZ_BACKUP_NOT_EMPTY);
}

/* ---- writing ---- */

static enum kz_backup_fault create_at(const char *path, struct kz_backup_writer **writer)
{
    struct kz_err err = {0};
    Kz__SnapshotHead head = KZ__SNAPSHOT_HEAD__INIT;
    static char name[] = "x";
    static uint8_t hash[KZ_HASH_BYTES];
    head.cluster = head.node = name;
    head.state_hash = (ProtobufCBinaryData){sizeof hash, hash};
    const struct kz_backup_options options = {
        .saved_by = "x", .program = "test", .state = &head, .recipients = &world.key, .recipient_count = 1};
    return kz_backup_create(path, &options, writer, &err);
}

static void nothing_is_overwritten_and_two_do_not_write_one_file(void **state)
{
    char path[128];
    struct kz_backup_writer *writer, *second;
    (void)state;
    world_path("taken.kzb", path);
    write_file(path, (const uint8_t *)"x", 1);
    assert_int_equal(create_at(path, &writer), KZ_BACKUP_EXISTS);
    world_path("free.kzb", path);
    assert_int_equal(create_at(path, &writer), KZ_BACKUP_FINE);
    assert_int_equal(create_at(path, &second), KZ_BACKUP_LOCKED);
    kz_backup_writer_free(writer);
    assert_int_equal(create_at(path, &writer), KZ_BACKUP_FINE);
    kz_backup_writer_free(writer);
    assert_int_not_equal(access(path, F_OK), 0);
}

static void part_files_of_the_dead_are_swept_and_those_of_the_living_are_not(void **state)
{
    char dead[128], living[128];
    (void)state;
    world_path(".keizoku-a.kzb.partial", dead);
    world_path(".keizoku-b.kzb.partial", living);
    write_file(dead, (const uint8_t *)"x", 1);
    write_file(living, (const uint8_t *)"x", 1);
    int fd = open(living, O_RDWR | O_CLOEXEC);
    assert_int_equal(flock(fd, LOCK_EX), 0);
    kz_backup_sweep(world.root);
    assert_int_not_equal(access(dead, F_OK), 0);
    assert_int_equal(access(living, F_OK), 0);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_saved_state_restores_to_the_same_hash_in_a_new_cluster),
        cmocka_unit_test(the_manifest_is_readable_without_a_key),
        cmocka_unit_test(names_and_texts_stand_nowhere_in_the_file),
        cmocka_unit_test(one_changed_byte_at_any_place_is_noticed),
        cmocka_unit_test(a_file_cut_anywhere_is_refused_as_such),
        cmocka_unit_test(bytes_after_the_end_are_refused),
        cmocka_unit_test(a_newer_format_is_refused_by_its_number),
        cmocka_unit_test(a_key_it_was_not_encrypted_to_does_not_open_it),
        cmocka_unit_test(only_backup_and_operator_of_this_cluster_may_sign),
        cmocka_unit_test(an_expired_signer_is_believed_for_what_was_signed_in_time),
        cmocka_unit_test(a_revoked_signer_is_refused_until_the_list_is_left_out),
        cmocka_unit_test(a_state_that_is_not_the_manifests_leaves_an_empty_folder),
        cmocka_unit_test(only_an_empty_folder_or_a_broken_off_restore_is_taken),
        cmocka_unit_test(nothing_is_overwritten_and_two_do_not_write_one_file),
        cmocka_unit_test(part_files_of_the_dead_are_swept_and_those_of_the_living_are_not),
    };
    return cmocka_run_group_tests(tests, world_set_up, world_tear_down);
}
