/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration of one node, read once at start. Does not watch the file; a restart takes changes, SIGHUP
 * reloads the certificates it names. */
#ifndef KZ_SERVICE_CONFIG_H
#define KZ_SERVICE_CONFIG_H

#include <stddef.h>
#include <stdint.h>

#include "node/base/err.h"
#include "proto/wire.h"

/* One [peer.NAME] section. */
struct kz_config_member {
    char *name;
    int64_t id;
    char *address; /* host:port that the others connect to */
};

/* Every text is owned; kz_service_config_fini frees. Times in ms, sizes in bytes. */
struct kz_service_config {
    char *name;
    int64_t id;
    char *listen;
    char *data_directory;
    char *log_level;
    char *cluster_id;
    char *cert, *key, *ca, *crl;
    int64_t election_timeout_ms;
    int64_t heartbeat_ms;
    int64_t map_size_bytes;
    int64_t reserve_bytes;
    int64_t compact_entries;
    int64_t compact_bytes;
    int64_t snapshot_rate; /* bytes/s */
    struct kz_config_member members[KZ_NODES_MAX];
    size_t member_count;
};

/* Reads and checks `path`: every key within its range, this node among the members, ids and addresses unique. */
enum kz_code kz_service_config_read(struct kz_service_config *config, const char *path,
                                    struct kz_err *err) KZ_MUST_CHECK;
void kz_service_config_fini(struct kz_service_config *config);

/* "host:port", "[v6]:port" into parts; false when it is neither. `host` takes at least `host_size` bytes. */
bool kz_service_split_address(const char *address, char *host, size_t host_size, int *port);

#endif
