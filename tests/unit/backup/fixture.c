/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/backup/fixture.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define CLUSTER "ours"

struct backup_world world;

void world_path(const char *name, char out[128]) { assert_true(snprintf(out, 128, "%s/%s", world.root, name) < 128); }

static struct kz_ca *make_authority(const char *name, const char *cluster)
{
    char folder[128];
    struct kz_ca *ca;
    const struct kz_ca_options options = {.cluster = cluster};
    world_path(name, folder);
    must(kz_ca_create(folder, &options, &must_err));
    must(kz_ca_open(folder, &ca, &must_err));
    return ca;
}

void world_trust(bool with_crl)
{
    char ca[128], crl[128];
    struct kz_failure failure;
    kz_tls_trust_free(world.trust);
    world_path("ours/ca.pem", ca);
    world_path("ours/crl.pem", crl);
    must(kz_tls_trust_open(ca, with_crl ? crl : NULL, &world.trust, &failure, &must_err));
    world.good_bytes = 0;
}

int world_set_up(void **state)
{
    (void)state;
    snprintf(world.root, sizeof world.root, "%s", "/tmp/keizoku-backup.XXXXXX");
    assert_non_null(mkdtemp(world.root));
    world.now_ms = (int64_t)time(NULL) * 1000;
    fixture_init(&world.store);
    fixture_fill(&world.store);
    world.ours = make_authority("ours", CLUSTER);
    world.theirs = make_authority("theirs", CLUSTER);
    must(kz_backup_key_make(&world.key, &must_err));
    must(kz_backup_key_make(&world.other_key, &must_err));
    world_trust(true);
    return 0;
}

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *walk)
{
    (void)info;
    (void)kind;
    (void)walk;
    return remove(path);
}

int world_tear_down(void **state)
{
    (void)state;
    kz_tls_trust_free(world.trust);
    kz_ca_close(world.ours);
    kz_ca_close(world.theirs);
    fixture_fini(&world.store);
    return nftw(world.root, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

struct kz_tls_identity *world_identity(struct kz_ca *ca, const char *user, const char *role, int64_t not_before,
                                       int64_t not_after)
{
    char folder[128], certificate[160], key[160], anchor[160];
    struct kz_failure failure;
    struct kz_tls_identity *identity;
    const bool theirs = ca == world.theirs;
    snprintf(certificate, sizeof certificate, "%s-%s", theirs ? "their" : "our", user);
    world_path(certificate, folder);
    const struct kz_ca_leaf leaf = {.kind = KZ_CA_KIND_USER,
                                    .name = user,
                                    .role = role,
                                    .not_before = not_before,
                                    .not_after = not_after,
                                    .out_dir = folder};
    if (access(folder, F_OK) != 0) must(kz_ca_issue(theirs ? ca : world.ours, &leaf, &must_err));
    snprintf(certificate, sizeof certificate, "%s/%s.pem", folder, user);
    snprintf(key, sizeof key, "%s/%s.key", folder, user);
    snprintf(anchor, sizeof anchor, "%s/ca.pem", folder);
    const struct kz_tls_files files = {.certificate = certificate, .key = key, .ca = anchor};
    must(kz_tls_identity_open(&files, &identity, &failure, &must_err));
    return identity;
}

/* ---- saving ---- */

static enum kz_code sign(void *data, const uint8_t hash[KZ_BACKUP_HASH_BYTES], uint8_t *out, size_t room,
                         size_t *size_bytes, struct kz_err *err)
{
    return kz_tls_sign(data, hash, out, room, size_bytes, err);
}

struct head_room {
    struct kz_applied applied;
    Kz__KindCount org, system;
    Kz__KindCount *list[2];
};

static void count(struct kz_view *view, Kz__Kind kind, Kz__KindCount *out)
{
    kz__kind_count__init(out);
    out->kind = kind;
    must(kz_view_count(view, kind, &out->live, &out->retired, &must_err));
}

static void fill_head(struct kz_view *view, struct head_room *room, Kz__SnapshotHead *head)
{
    static char cluster[] = CLUSTER, node[] = "main";
    must(kz_view_applied(view, &room->applied, &must_err));
    must(kz_view_export_rows(view, &head->rows, &must_err));
    count(view, KZ__KIND__ORG, &room->org);
    count(view, KZ__KIND__SYSTEM, &room->system);
    room->list[0] = &room->org;
    room->list[1] = &room->system;
    head->counts = room->list;
    head->n_counts = 2;
    head->cluster = cluster;
    head->node = node;
    head->epoch = 1;
    head->index = room->applied.index;
    head->term = room->applied.term;
    head->rev = room->applied.rev;
    head->configuration = (ProtobufCBinaryData){room->applied.configuration_bytes, room->applied.configuration};
    head->state_hash = (ProtobufCBinaryData){KZ_HASH_BYTES, room->applied.state_hash};
    head->format = KZ_SNAPSHOT_FORMAT;
}

static void write_all(struct kz_backup_writer *writer, struct kz_view *view, size_t room)
{
    static uint8_t chunk[KZ_BACKUP_CHUNK_MAX_BYTES];
    struct kz_export_cursor cursor = {0};
    struct kz_err err = {0};
    size_t size;
    do {
        must(kz_view_export(view, &cursor, chunk, room, &size, &must_err));
        assert_int_equal(kz_backup_add(writer, chunk, size, size == 0, &err), KZ_BACKUP_FINE);
    } while (size > 0);
}

void world_save(const char *path, const struct recipe *recipe)
{
    struct kz_view *view;
    struct kz_backup_writer *writer;
    struct head_room room = {0};
    struct kz_err err = {0};
    Kz__SnapshotHead head = KZ__SNAPSHOT_HEAD__INIT;
    ProtobufCBinaryData certificates[KZ_TLS_CERTIFICATES_MAX];
    struct kz_tls_identity *own = recipe->signer ? NULL : world_identity(NULL, "keeper", "backup", 0, 0);
    struct kz_tls_identity *signer = own ? own : recipe->signer;
    const struct kz_backup_key keys[] = {world.key, world.other_key};
    must(kz_view_open(world.store.store, &view, &must_err));
    fill_head(view, &room, &head);
    if (recipe->cluster) head.cluster = (char *)(uintptr_t)recipe->cluster;
    if (recipe->state_hash) memcpy(room.applied.state_hash, recipe->state_hash, KZ_HASH_BYTES);
    const struct kz_backup_options options = {.saved_by = recipe->saved_by ? recipe->saved_by : kz_tls_user(signer),
                                              .program = "test",
                                              .saved_ms = recipe->saved_ms ? recipe->saved_ms : world.now_ms,
                                              .state = &head,
                                              .recipients = keys,
                                              .recipient_count = recipe->both_keys ? 2 : 1,
                                              .certificates = certificates,
                                              .certificate_count = kz_tls_own_certificates(signer, certificates),
                                              .sign = sign,
                                              .data = signer};
    if (kz_backup_create(path, &options, &writer, &err)) fail_msg("%s", err.text);
    write_all(writer, view, recipe->room ? recipe->room : KZ_BACKUP_CHUNK_MAX_BYTES);
    if (kz_backup_finish(writer, &err)) fail_msg("%s", err.text);
    kz_backup_writer_free(writer);
    kz_view_close(view);
    kz_tls_identity_free(own);
}

/* ---- checking ---- */

enum kz_backup_fault world_judge(void *data, const Kz__BackupManifest *manifest,
                                 const uint8_t hash[KZ_BACKUP_HASH_BYTES], const uint8_t *signature, size_t size_bytes,
                                 struct kz_err *err)
{
    struct kz_tls_signed what = {.certificates = manifest->certificates,
                                 .certificate_count = manifest->n_certificates,
                                 .signed_ms = manifest->saved_ms,
                                 .user = manifest->saved_by,
                                 .cluster = manifest->state->cluster,
                                 .signature = signature,
                                 .size_bytes = size_bytes};
    (void)data;
    (void)err;
    if (world.good_bytes == size_bytes && size_bytes > 0 && memcmp(hash, world.good_hash, KZ_BACKUP_HASH_BYTES) == 0 &&
        memcmp(signature, world.good_signature, size_bytes) == 0)
        return KZ_BACKUP_FINE;
    memcpy(what.hash, hash, sizeof what.hash);
    enum kz_tls_verdict verdict = kz_tls_judge(world.trust, &what, &world.reason);
    if (verdict != KZ_TLS_SIGNED) return verdict == KZ_TLS_STRANGER ? KZ_BACKUP_SIGNER : KZ_BACKUP_SIGNATURE;
    memcpy(world.good_hash, hash, sizeof world.good_hash);
    memcpy(world.good_signature, signature, size_bytes);
    world.good_bytes = size_bytes;
    return KZ_BACKUP_FINE;
}

enum kz_backup_fault world_check(const char *path, struct kz_backup_file **out)
{
    struct kz_backup_file *file = NULL;
    struct kz_err err = {0};
    enum kz_backup_fault fault = kz_backup_open(path, &file, &err);
    if (fault) {
        assert_true(err.text[0] != '\0');
        return fault;
    }
    fault = kz_backup_check_head(file, world_judge, NULL, &err);
    if (!fault) fault = kz_backup_check_content(file, NULL, &err);
    if (out && !fault)
        *out = file;
    else
        kz_backup_close(file);
    return fault;
}
