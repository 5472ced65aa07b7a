/* SPDX-License-Identifier: Apache-2.0 */
/* A DER writer over mbedTLS's asn1write: values are written from the last to the first, errors stick.
 * No parsing. One thread. */
#ifndef KZ_TOOLS_CA_DER_H
#define KZ_TOOLS_CA_DER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct kz_der {
    unsigned char *start; /* owned */
    unsigned char *at;    /* first byte written so far */
    unsigned char *end;
    bool failed; /* out of memory or room: contents are incomplete */
};

void kz_der_init(struct kz_der *der, size_t capacity_bytes);
void kz_der_fini(struct kz_der *der);
size_t kz_der_size_bytes(const struct kz_der *der);

void kz_der_raw(struct kz_der *der, const void *bytes, size_t size_bytes);
void kz_der_oid(struct kz_der *der, const char *oid, size_t size_bytes);
void kz_der_value(struct kz_der *der, unsigned char tag, const void *bytes, size_t size_bytes);
void kz_der_unsigned(struct kz_der *der, const uint8_t *big_endian, size_t size_bytes); /* INTEGER */
void kz_der_time(struct kz_der *der, int64_t seconds); /* UTCTime before 2050, else GeneralizedTime */

/* Everything written since `size_before` (a kz_der_size_bytes of earlier) becomes the contents of `tag`. */
void kz_der_wrap(struct kz_der *der, unsigned char tag, size_t size_before);

#endif
