/* SPDX-License-Identifier: Apache-2.0 */
/* "host:port" and "[v6]:port" as text. Resolves nothing. Pure functions. Internal to node/net. */
#ifndef KZ_NET_ADDRESS_H
#define KZ_NET_ADDRESS_H

#include <stdint.h>
#include <sys/socket.h>

#include "node/base/err.h"

#define KZ_ADDRESS_HOST_BYTES 254 /* RFC 1035 2.3.4 and NUL */

/* Splits and checks; a port is 0..65535. KZ_INVALID says what is wrong. */
enum kz_code kz_address_split(const char *text, char host[KZ_ADDRESS_HOST_BYTES], uint16_t *port,
                              struct kz_err *err) KZ_MUST_CHECK;
/* "host:port" of a socket address, brackets around v6. */
void kz_address_text(const struct sockaddr *address, char *out, size_t out_bytes);

#endif
