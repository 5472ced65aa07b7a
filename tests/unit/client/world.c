/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/client/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct world world;

void world_make_folder(const char *name, char out[128])
{
    snprintf(out, 128, "%s/%s", world.root, name);
    char command[192];
    snprintf(command, sizeof command, "mkdir -p %s", out);
    assert_int_equal(system(command), 0);
}

struct kz_ca *world_make_authority(const char *name, const char *cluster)
{
    char folder[128];
    snprintf(folder, sizeof folder, "%s/%s", world.root, name);
    struct kz_err err;
    struct kz_ca *ca = NULL;
    struct kz_ca_options options = {.cluster = cluster};
    if (kz_ca_create(folder, &options, &err) || kz_ca_open(folder, &ca, &err)) fail_msg("%s", err.text);
    return ca;
}

void world_issue(struct kz_ca *ca, const char *folder_name, struct kz_ca_leaf leaf, char folder[128])
{
    world_make_folder(folder_name, folder);
    struct kz_err err;
    leaf.out_dir = folder;
    if (kz_ca_issue(ca, &leaf, &err)) fail_msg("%s", err.text);
}

char world_node_folder[128], world_user_folder[128];

int world_set_up(void **state)
{
    (void)state;
    snprintf(world.root, sizeof world.root, "/tmp/keizoku-test-XXXXXX");
    assert_non_null(mkdtemp(world.root));
    world.ours = world_make_authority("ours", "lab");
    world.theirs = world_make_authority("theirs", "other");
    world_issue(world.ours, "node",
                (struct kz_ca_leaf){.kind = KZ_CA_KIND_NODE, .name = "main", .addresses = "127.0.0.1"},
                world_node_folder);
    world_issue(world.ours, "user", (struct kz_ca_leaf){.kind = KZ_CA_KIND_USER, .name = "officer", .role = "operator"},
                world_user_folder);
    return 0;
}

int world_tear_down(void **state)
{
    (void)state;
    kz_ca_close(world.ours);
    kz_ca_close(world.theirs);
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", world.root);
    return system(command);
}

struct kz_client *world_open_client(const char *nodes, const char *folder, const char *ca, Kz__ReadMode read,
                                    int64_t timeout_ms)
{
    char certificate[192], key[192], trusted[192], crl[192];
    snprintf(certificate, sizeof certificate, "%s/officer.pem", folder);
    snprintf(key, sizeof key, "%s/officer.key", folder);
    snprintf(trusted, sizeof trusted, "%s/ca.pem", ca);
    snprintf(crl, sizeof crl, "%s/ours/crl.pem", world.root);
    struct kz_client_options options = {.nodes = nodes,
                                        .certificate = certificate,
                                        .key = key,
                                        .ca = trusted,
                                        .crl = strcmp(folder, ca) == 0 ? crl : NULL,
                                        .read = read,
                                        .timeout_ms = timeout_ms};
    struct kz_client *client = NULL;
    struct kz_err err;
    if (kz_client_open(&options, &client, &err)) fail_msg("%s", err.text);
    return client;
}

/* ---- scripted nodes ---- */

enum server_act follow_script(void *data, unsigned n, const Kz__Request *request, Kz__Response *response)
{
    struct script *script = data;
    unsigned at = n < script->count ? n : script->count - 1;
    if (request->write && n < 16) {
        memcpy(script->ids[n], request->write->request_id.data, KZ_REQUEST_ID_BYTES);
        script->ages_ms[n] = request->write->has_age_ms ? (int64_t)request->write->age_ms : -1;
    }
    script->got = n + 1;
    if (script->codes[at]) {
        kz__error__init(&script->error);
        script->error.code = script->codes[at];
        script->error.why_en = script->why;
        response->error = &script->error;
    } else if (request->write) {
        kz__outcome__init(&script->outcome);
        script->outcome.code = KZ_OK;
        response->outcome = &script->outcome;
    }
    return script->acts[at];
}

enum kz_code ask_status(struct kz_client *client, Kz__Response **response, struct kz_err *err)
{
    Kz__StatusRequest status = KZ__STATUS_REQUEST__INIT;
    Kz__Request request = KZ__REQUEST__INIT;
    request.status = &status;
    return kz_client_call(client, &request, response, err);
}

enum kz_code ask_write(struct kz_client *client, Kz__Response **response, struct kz_err *err)
{
    Kz__Mutation verify = KZ__MUTATION__INIT, *list[] = {&verify};
    char id[] = "juki";
    verify.op = KZ__MUTATION__OP__VERIFY;
    verify.kind = KZ__KIND__SYSTEM;
    verify.id = id;
    Kz__WriteRequest write = KZ__WRITE_REQUEST__INIT;
    write.n_mutations = 1;
    write.mutations = list;
    Kz__Request request = KZ__REQUEST__INIT;
    request.write = &write;
    return kz_client_call(client, &request, response, err);
}
