/* SPDX-License-Identifier: Apache-2.0 */
#include "node/net/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

enum kz_code kz_address_split(const char *text, char host[KZ_ADDRESS_HOST_BYTES], uint16_t *port, struct kz_err *err)
{
    const char *start = text, *end, *colon;
    if (text[0] == '[') {
        start = text + 1;
        end = strchr(start, ']');
        colon = end && end[1] == ':' ? end + 1 : NULL;
    } else {
        end = colon = strrchr(text, ':');
        if (colon && memchr(text, ':', (size_t)(colon - text)))
            return kz_fail(err, KZ_INVALID, "address '%s': write an IPv6 address in brackets, [::1]:7000", text);
    }
    if (!colon) return kz_fail(err, KZ_INVALID, "address '%s': wanted HOST:PORT", text);
    size_t length = (size_t)(end - start);
    if (length == 0 || length >= KZ_ADDRESS_HOST_BYTES)
        return kz_fail(err, KZ_INVALID, "address '%s': the host is empty or too long", text);
    unsigned value = 0, digits = 0;
    const char *digit = colon + 1;
    for (; *digit >= '0' && *digit <= '9' && digits < 6; digit++, digits++)
        value = value * 10 + (unsigned)(*digit - '0');
    if (*digit || digits == 0 || value > 65535)
        return kz_fail(err, KZ_INVALID, "address '%s': the port must be a number from 0 to 65535", text);
    memcpy(host, start, length);
    host[length] = '\0';
    *port = (uint16_t)value;
    return KZ_OK;
}

void kz_address_text(const struct sockaddr *address, char *out, size_t out_bytes)
{
    char host[INET6_ADDRSTRLEN] = "?";
    if (address->sa_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(const void *)address;
        inet_ntop(AF_INET6, &v6->sin6_addr, host, sizeof host);
        snprintf(out, out_bytes, "[%s]:%u", host, (unsigned)ntohs(v6->sin6_port));
    } else {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)address;
        inet_ntop(AF_INET, &v4->sin_addr, host, sizeof host);
        snprintf(out, out_bytes, "%s:%u", host, (unsigned)ntohs(v4->sin_port));
    }
}
