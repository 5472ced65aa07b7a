/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/ca_der.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <mbedtls/asn1.h>
#include <mbedtls/asn1write.h>

void kz_der_init(struct kz_der *der, size_t capacity_bytes)
{
    der->start = malloc(capacity_bytes);
    der->failed = der->start == NULL;
    der->end = der->start ? der->start + capacity_bytes : NULL;
    der->at = der->end;
}

void kz_der_fini(struct kz_der *der)
{
    free(der->start);
    memset(der, 0, sizeof *der);
}

size_t kz_der_size_bytes(const struct kz_der *der) { return (size_t)(der->end - der->at); }

void kz_der_raw(struct kz_der *der, const void *bytes, size_t size_bytes)
{
    if (der->failed || size_bytes == 0) return;
    if (mbedtls_asn1_write_raw_buffer(&der->at, der->start, bytes, size_bytes) < 0) der->failed = true;
}

void kz_der_wrap(struct kz_der *der, unsigned char tag, size_t size_before)
{
    if (der->failed) return;
    if (mbedtls_asn1_write_len(&der->at, der->start, kz_der_size_bytes(der) - size_before) < 0 ||
        mbedtls_asn1_write_tag(&der->at, der->start, tag) < 0)
        der->failed = true;
}

void kz_der_value(struct kz_der *der, unsigned char tag, const void *bytes, size_t size_bytes)
{
    size_t before = kz_der_size_bytes(der);
    kz_der_raw(der, bytes, size_bytes);
    kz_der_wrap(der, tag, before);
}

void kz_der_oid(struct kz_der *der, const char *oid, size_t size_bytes)
{
    kz_der_value(der, MBEDTLS_ASN1_OID, oid, size_bytes);
}

void kz_der_unsigned(struct kz_der *der, const uint8_t *big_endian, size_t size_bytes)
{
    while (size_bytes > 1 && *big_endian == 0) {
        big_endian++;
        size_bytes--;
    }
    size_t before = kz_der_size_bytes(der);
    kz_der_raw(der, big_endian, size_bytes);
    static const uint8_t sign = 0; /* a set top bit would read as negative (X.690 8.3.3) */
    if (size_bytes > 0 && (big_endian[0] & 0x80)) kz_der_raw(der, &sign, 1);
    kz_der_wrap(der, MBEDTLS_ASN1_INTEGER, before);
}

void kz_der_time(struct kz_der *der, int64_t seconds)
{
    char text[32];
    struct tm tm;
    time_t when = (time_t)seconds;
    if (!gmtime_r(&when, &tm) || strftime(text, sizeof text, "%Y%m%d%H%M%SZ", &tm) != 15) {
        der->failed = true;
        return;
    }
    bool utc_time = tm.tm_year >= 50 && tm.tm_year < 150; /* RFC 5280 4.1.2.5 */
    const char *digits = utc_time ? text + 2 : text;
    kz_der_value(der, utc_time ? MBEDTLS_ASN1_UTC_TIME : MBEDTLS_ASN1_GENERALIZED_TIME, digits, strlen(digits));
}
