/* SPDX-License-Identifier: Apache-2.0 */
#include "client/lookup.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct kz_lookup {
    atomic_int owners; /* the caller and the thread: the last one frees */
    int fd;
    struct kz_endpoint endpoint;
    int result;
    struct kz_address addresses[KZ_ADDRESSES_MAX];
    size_t count;
};

static int resolve(const struct kz_endpoint *endpoint, int flags, struct kz_address *out, size_t room, size_t *count)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV | flags};
    struct addrinfo *list = NULL;
    int result = getaddrinfo(endpoint->host, endpoint->port, &hints, &list);
    if (result) return result;
    *count = 0;
    for (struct addrinfo *item = list; item && *count < room; item = item->ai_next) {
        if (item->ai_addrlen > sizeof out->bytes) continue;
        memcpy(&out[*count].bytes, item->ai_addr, item->ai_addrlen);
        out[(*count)++].size_bytes = item->ai_addrlen;
    }
    freeaddrinfo(list);
    return *count ? 0 : EAI_NONAME;
}

bool kz_lookup_numeric(const struct kz_endpoint *endpoint, struct kz_address *out)
{
    size_t count;
    return resolve(endpoint, AI_NUMERICHOST, out, 1, &count) == 0;
}

static void release(struct kz_lookup *lookup)
{
    if (atomic_fetch_sub(&lookup->owners, 1) != 1) return;
    close(lookup->fd);
    free(lookup);
}

static void *run(void *data)
{
    struct kz_lookup *lookup = data;
    lookup->result = resolve(&lookup->endpoint, AI_ADDRCONFIG, lookup->addresses, KZ_ADDRESSES_MAX, &lookup->count);
    uint64_t one = 1;
    ssize_t written;
    do
        written = write(lookup->fd, &one, sizeof one);
    while (written < 0 && errno == EINTR);
    release(lookup);
    return NULL;
}

struct kz_lookup *kz_lookup_start(const struct kz_endpoint *endpoint)
{
    struct kz_lookup *lookup = calloc(1, sizeof *lookup);
    if (!lookup) return NULL;
    lookup->endpoint = *endpoint;
    lookup->fd = eventfd(0, EFD_CLOEXEC);
    if (lookup->fd < 0) {
        free(lookup);
        return NULL;
    }
    atomic_init(&lookup->owners, 2);
    pthread_t thread;
    if (pthread_create(&thread, NULL, run, lookup) != 0) {
        close(lookup->fd);
        free(lookup);
        return NULL;
    }
    pthread_detach(thread);
    return lookup;
}

int kz_lookup_fd(const struct kz_lookup *lookup) { return lookup->fd; }

int kz_lookup_take(const struct kz_lookup *lookup, struct kz_address out[KZ_ADDRESSES_MAX], size_t *count)
{
    uint64_t one;
    ssize_t got = read(lookup->fd, &one, sizeof one); /* orders the thread's writes before our reads */
    if (got != sizeof one) return EAI_SYSTEM;
    memcpy(out, lookup->addresses, lookup->count * sizeof *out);
    *count = lookup->count;
    return lookup->result;
}

void kz_lookup_free(struct kz_lookup *lookup)
{
    if (lookup) release(lookup);
}
