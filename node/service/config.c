/* SPDX-License-Identifier: Apache-2.0 */
#include "node/service/config.h"

#include <stdlib.h>
#include <string.h>

#include "node/base/assert.h"
#include "node/base/config.h"

#define AT(field) offsetof(struct kz_service_config, field)
#define PEER_AT(field) offsetof(struct kz_config_member, field)
#define MIB (1ll << 20)
#define GIB (1ll << 30)

/* Election and heartbeat: DESIGN §4 and LIBRARIES.md "Timers": LAN 500/100, WAN 1000-1500/250-300. */
static const struct kz_config_row rows[] = {
    {"node", "name", KZ_CONFIG_TEXT, AT(name), 0, 0, NULL, "this node's name, as in its certificate"},
    {"node", "id", KZ_CONFIG_INTEGER, AT(id), 1, INT32_MAX, NULL, "this node's number, unique in the cluster"},
    {"node", "listen", KZ_CONFIG_TEXT, AT(listen), 0, 0, NULL, "host:port to listen on"},
    {"node", "data", KZ_CONFIG_PATH, AT(data_directory), 0, 0, NULL, "directory of the database"},
    {"node", "log_level", KZ_CONFIG_TEXT, AT(log_level), 0, 0, "info", "error, warn, info or debug"},
    {"cluster", "id", KZ_CONFIG_TEXT, AT(cluster_id), 0, 0, NULL, "the cluster's name, as in every certificate"},
    {"tls", "cert", KZ_CONFIG_PATH, AT(cert), 0, 0, NULL, "this node's certificate and its intermediate"},
    {"tls", "key", KZ_CONFIG_PATH, AT(key), 0, 0, NULL, "this node's private key"},
    {"tls", "ca", KZ_CONFIG_PATH, AT(ca), 0, 0, NULL, "root and intermediates"},
    {"tls", "crl", KZ_CONFIG_PATH, AT(crl), 0, 0, NULL, "revocation lists, one per issuer"},
    {"raft", "election_timeout", KZ_CONFIG_DURATION_MS, AT(election_timeout_ms), 50, 60000, "500ms", ""},
    {"raft", "heartbeat", KZ_CONFIG_DURATION_MS, AT(heartbeat_ms), 10, 10000, "100ms", ""},
    {"raft", "compact_entries", KZ_CONFIG_INTEGER, AT(compact_entries), 100, INT32_MAX, "100000", ""},
    {"raft", "compact_bytes", KZ_CONFIG_SIZE, AT(compact_bytes), MIB, 64 * GIB, "256MiB", ""},
    {"raft", "snapshot_rate", KZ_CONFIG_SIZE, AT(snapshot_rate), 4 << 10, 64 * GIB, "32MiB",
     "bytes a second that this node sends of its state to nodes that are far behind, at most"},
    {"store", "map_size", KZ_CONFIG_SIZE, AT(map_size_bytes), 16 * MIB, 1024 * GIB, "16GiB", ""},
    {"store", "reserve", KZ_CONFIG_SIZE, AT(reserve_bytes), MIB, 64 * GIB, "256MiB", ""},
    {"peer.", "id", KZ_CONFIG_INTEGER, PEER_AT(id), 1, INT32_MAX, NULL, ""},
    {"peer.", "address", KZ_CONFIG_TEXT, PEER_AT(address), 0, 0, NULL, ""},
};

static void *add_member(void *target, const char *prefix, const char *suffix)
{
    struct kz_service_config *config = target;
    (void)prefix; /* [peer.*] is the only repeated section */
    if (config->member_count == KZ_NODES_MAX) return NULL;
    struct kz_config_member *member = &config->members[config->member_count++];
    member->name = kz_must_strdup(suffix);
    return member;
}

bool kz_service_split_address(const char *address, char *host, size_t host_size, int *port)
{
    const char *colon = strrchr(address, ':');
    if (!colon || colon == address) return false;
    const char *start = address;
    size_t length = (size_t)(colon - address);
    if (*start == '[') {
        if (length < 3 || start[length - 1] != ']') return false;
        start++;
        length -= 2;
    } else if (memchr(start, ':', length)) {
        return false;
    }
    int64_t number;
    if (length >= host_size || !kz_parse_integer(colon + 1, &number) || number < 0 || number > 65535) return false;
    memcpy(host, start, length);
    host[length] = '\0';
    *port = (int)number;
    return true;
}

static enum kz_code check_member(const struct kz_service_config *config, size_t index, const char *path,
                                 struct kz_err *err)
{
    const struct kz_config_member *member = &config->members[index];
    char host[256];
    int port;
    if (member->id < 1 || !member->address)
        return kz_fail(err, KZ_USAGE, "%s: [peer.%s] needs id and address", path, member->name);
    if (!kz_service_split_address(member->address, host, sizeof host, &port))
        return kz_fail(err, KZ_USAGE, "%s: [peer.%s] address = %s is not host:port", path, member->name,
                       member->address);
    if (strlen(member->name) >= KZ_NAME_MAX_BYTES)
        return kz_fail(err, KZ_USAGE, "%s: [peer.%s] name is longer than %u bytes", path, member->name,
                       KZ_NAME_MAX_BYTES - 1);
    for (size_t i = 0; i < index; i++) {
        const struct kz_config_member *other = &config->members[i];
        if (other->id == member->id || strcmp(other->address, member->address) == 0)
            return kz_fail(err, KZ_USAGE, "%s: [peer.%s] and [peer.%s] share an id or an address", path, other->name,
                           member->name);
    }
    return KZ_OK;
}

static enum kz_code check_config(const struct kz_service_config *config, const char *path, struct kz_err *err)
{
    bool found = false;
    for (size_t i = 0; i < config->member_count; i++) {
        enum kz_code code = check_member(config, i, path, err);
        if (code) return code;
        if (strcmp(config->members[i].name, config->name) == 0) found = config->members[i].id == config->id;
    }
    if (!found)
        return kz_fail(err, KZ_USAGE, "%s: no [peer.%s] section with id = %lld: list every member, this one too", path,
                       config->name, (long long)config->id);
    if (strlen(config->name) >= KZ_NAME_MAX_BYTES || strlen(config->cluster_id) >= KZ_NAME_MAX_BYTES)
        return kz_fail(err, KZ_USAGE, "%s: node name and cluster id are at most %u bytes", path, KZ_NAME_MAX_BYTES - 1);
    char host[256];
    int port;
    if (!kz_service_split_address(config->listen, host, sizeof host, &port))
        return kz_fail(err, KZ_USAGE, "%s: [node] listen = %s is not host:port", path, config->listen);
    if (config->heartbeat_ms * 2 > config->election_timeout_ms)
        return kz_fail(err, KZ_USAGE, "%s: raft.heartbeat must be at most half of raft.election_timeout", path);
    return KZ_OK;
}

enum kz_code kz_service_config_read(struct kz_service_config *config, const char *path, struct kz_err *err)
{
    memset(config, 0, sizeof *config);
    const struct kz_config_table table = {
        .rows = rows, .row_count = sizeof rows / sizeof rows[0], .target = config, .element = add_member};
    enum kz_code code = kz_config_read(path, &table, err);
    return code ? code : check_config(config, path, err);
}

void kz_service_config_fini(struct kz_service_config *config)
{
    for (size_t i = 0; i < config->member_count; i++) {
        free(config->members[i].name);
        free(config->members[i].address);
    }
    char *texts[] = {config->name,      config->listen,     config->data_directory,
                     config->log_level, config->cluster_id, config->cert,
                     config->key,       config->ca,         config->crl};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        free(texts[i]);
    memset(config, 0, sizeof *config);
}
