/* SPDX-License-Identifier: Apache-2.0 */
/* Configurations as libraft encodes them. Its decoder trusts every length (it reads past the end and allocates what
 * it is told), so ours walks the bytes first:
 *
 *   0        1         9       17               ...
 *   +--------+---------+-------+-----------+------+-----+ ...  zero padding to 8 bytes
 *   | format | servers | id    | address\0 | role | id  |
 *   +--------+---------+-------+-----------+------+-----+     integers little-endian */
#include <stdlib.h>
#include <string.h>

#include "node/base/assert.h"
#include "node/consensus/replica_core.h"

#define FORMAT 1u
#define COUNT_OFFSET 1u
#define FIRST_OFFSET 9u

static uint64_t read_u64(const uint8_t *in)
{
    uint64_t value = 0;
    for (unsigned i = 8; i-- > 0;)
        value = (value << 8) | in[i];
    return value;
}

/* One server at *offset; moves it behind. */
static const char *check_server(const uint8_t *data, size_t size, size_t *offset, uint64_t *id, bool *voter)
{
    if (size - *offset < 8 + 2) return "cut short";
    *id = read_u64(data + *offset);
    if (*id == 0) return "server id 0";
    const uint8_t *address = data + *offset + 8;
    const uint8_t *end = memchr(address, 0, size - *offset - 8);
    if (!end || (size_t)(end - address) >= KZ_ADDRESS_MAX_BYTES || end == address) return "bad address";
    *offset += 8 + (size_t)(end - address) + 1;
    if (*offset >= size) return "cut short";
    uint8_t role = data[(*offset)++];
    if (role != RAFT_STANDBY && role != RAFT_VOTER) /* D11: a SPARE's timer stays in the past */
        return "bad role";
    *voter = role == RAFT_VOTER;
    return NULL;
}

static const char *check_servers(const uint8_t *data, size_t size, size_t count)
{
    uint64_t ids[KZ_NODES_MAX];
    const char *addresses[KZ_NODES_MAX];
    size_t offset = FIRST_OFFSET, voters = 0;
    for (size_t i = 0; i < count; i++) {
        bool voter = false;
        addresses[i] = (const char *)data + offset + 8;
        const char *why = check_server(data, size, &offset, &ids[i], &voter);
        if (why) return why;
        voters += voter;
        for (size_t k = 0; k < i; k++)
            if (ids[k] == ids[i] || strcmp(addresses[k], addresses[i]) == 0) return "a server stands twice";
    }
    if (voters == 0) return "no voter";
    for (; offset < size; offset++)
        if (data[offset] != 0) return "bytes after the end";
    return NULL;
}

enum kz_code kz_conf_check(const uint8_t *data, size_t size_bytes, struct kz_err *err)
{
    if (size_bytes < FIRST_OFFSET || size_bytes > KZ_CONFIGURATION_MAX_BYTES || size_bytes % 8 != 0)
        return kz_fail(err, KZ_PROTOCOL, "configuration of %zu bytes", size_bytes);
    uint64_t count = read_u64(data + COUNT_OFFSET);
    if (data[0] != FORMAT || count == 0 || count > KZ_NODES_MAX)
        return kz_fail(err, KZ_PROTOCOL, "configuration of format %u with %llu servers (at most %u)", data[0],
                       (unsigned long long)count, KZ_NODES_MAX);
    const char *why = check_servers(data, size_bytes, (size_t)count);
    if (why) return kz_fail(err, KZ_PROTOCOL, "configuration: %s", why);
    return KZ_OK;
}

bool kz_conf_decode(const uint8_t *data, size_t size_bytes, struct raft_configuration *out)
{
    struct raft_buffer buffer = {.base = (void *)data, .len = size_bytes}; /* only read by the core */
    raft_configuration_init(out);
    return raft_configuration_decode(&buffer, out) == 0;
}

static int compare_members(const void *a, const void *b)
{
    const struct kz_member *left = a, *right = b;
    return left->id < right->id ? -1 : left->id > right->id;
}

static enum kz_code encode_members(const struct kz_member *members, size_t count, struct kz_buf *out,
                                   struct kz_err *err)
{
    struct raft_configuration configuration;
    struct raft_buffer buffer;
    enum kz_code code = KZ_OK;
    raft_configuration_init(&configuration);
    for (size_t i = 0; i < count && code == KZ_OK; i++) {
        int rv = raft_configuration_add(&configuration, members[i].id, members[i].address, RAFT_VOTER);
        if (rv != 0)
            code = kz_fail(err, KZ_INVALID, "member %llu at %s: %s", (unsigned long long)members[i].id,
                           members[i].address, raft_strerror(rv));
    }
    if (code == KZ_OK) {
        kz_assert(raft_configuration_encode(&configuration, &buffer) == 0);
        kz_buf_add(out, buffer.base, buffer.len);
        raft_free(buffer.base);
    }
    raft_configuration_close(&configuration);
    return code;
}

enum kz_code kz_replica_bootstrap_entry(const struct kz_member *members, size_t count, struct kz_buf *out,
                                        struct kz_err *err)
{
    if (count == 0 || count > KZ_NODES_MAX)
        return kz_fail(err, KZ_INVALID, "a cluster has 1 to %u members, not %zu", KZ_NODES_MAX, count);
    struct kz_member *sorted = kz_must_memdup(members, count * sizeof(*members));
    qsort(sorted, count, sizeof(*sorted), compare_members);
    enum kz_code code = KZ_OK;
    for (size_t i = 0; i < count && code == KZ_OK; i++)
        if (sorted[i].id == 0 || sorted[i].address[0] == '\0' ||
            strnlen(sorted[i].address, KZ_ADDRESS_MAX_BYTES) == KZ_ADDRESS_MAX_BYTES)
            code = kz_fail(err, KZ_INVALID, "member %llu needs an id above 0 and an address under %u bytes",
                           (unsigned long long)sorted[i].id, KZ_ADDRESS_MAX_BYTES);
    if (code == KZ_OK) code = encode_members(sorted, count, out, err);
    free(sorted);
    return code;
}
