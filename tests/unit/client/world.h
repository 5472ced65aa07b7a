/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates of two clusters, clients that hold them, and nodes that answer by a script. Everything here fails the
 * test by itself when it does not succeed. One thread. */
#ifndef KZ_TEST_CLIENT_WORLD_H
#define KZ_TEST_CLIENT_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "client/keizoku.h"
#include "proto/wire.h"
#include "tests/unit/client/server.h"
#include "tools/ca.h"

#define LONG_MS 30000 /* never reached unless something is broken */

/* Two authorities of two clusters, and a folder per certificate. */
struct world {
    char root[64];
    struct kz_ca *ours, *theirs;
};
extern struct world world;
extern char world_node_folder[128], world_user_folder[128];

int world_set_up(void **state); /* cmocka's group set-up and tear-down */
int world_tear_down(void **state);
void world_make_folder(const char *name, char out[128]);
struct kz_ca *world_make_authority(const char *name, const char *cluster);
void world_issue(struct kz_ca *ca, const char *folder_name, struct kz_ca_leaf leaf, char folder[128]);
/* `folder` holds the person's certificate, `ca` the trusted ones; kz_client_free. */
struct kz_client *world_open_client(const char *nodes, const char *folder, const char *ca, Kz__ReadMode read,
                                    int64_t timeout_ms);

struct script {
    const enum server_act *acts; /* of the n-th request; the last one repeats */
    const uint32_t *codes;       /* error codes; 0: fine */
    unsigned count;
    unsigned got;
    uint8_t ids[16][KZ_REQUEST_ID_BYTES];
    int64_t ages_ms[16]; /* of writes; -1: none was told */
    char *why;           /* of errors; NULL: none */
    Kz__Error error;
    Kz__Outcome outcome;
};

/* A server's callback; `data` is a struct script. */
enum server_act follow_script(void *data, unsigned n, const Kz__Request *request, Kz__Response *response);
enum kz_code ask_status(struct kz_client *client, Kz__Response **response, struct kz_err *err);
enum kz_code ask_write(struct kz_client *client, Kz__Response **response, struct kz_err *err);

#endif
