/* SPDX-License-Identifier: Apache-2.0 */
/* Shapes of single texts: identifiers, official numbers with check digits, phone numbers, mail addresses.
 * Private to node/registry. Pure: any thread. */
#ifndef KZ_REGISTRY_CODES_H
#define KZ_REGISTRY_CODES_H

#include <stdbool.h>

/* 法人番号, 13 digits; the first is the check digit: 9 - (sum of Pn * Qn mod 9), Pn the n-th digit from the right of
 * the other twelve, Qn 1 for odd n and 2 for even n. (法人番号の指定等に関する省令 平成26年財務省令第70号 第2条) */
bool kz_code_is_corporate(const char *code);

/* 全国地方公共団体コード, 6 digits; the last is the check digit: the first five times 6, 5, 4, 3, 2, summed; the last
 * digit of 11 - (sum mod 11), or of 11 - sum where the sum is below 11. (総務省 全国地方公共団体コード 検査数字) */
bool kz_code_is_local_government(const char *code);

/* +, digits, hyphens, spaces and parentheses, 3 to 15 digits (ITU-T E.164), then maybe "内線" or "ext" or "x" and up
 * to 8 digits; or an extension alone. */
bool kz_code_is_phone(const char *text);

/* One @, a local part of at most 64 bytes, a domain of labels with letters, digits and hyphens, one dot at least, 254
 * bytes in all (RFC 5321 4.5.3.1). ASCII only: what every ministry's mail server accepts. */
bool kz_code_is_mail(const char *text);

bool kz_code_is_sha256(const char *text);      /* 64 hexadecimal digits */
bool kz_code_is_hour_minute(const char *text); /* HH:MM, 00:00 to 23:59 */
bool kz_code_is_month_day(const char *text);   /* MM-DD, a day that exists in some year */
bool kz_code_is_label_key(const char *text);   /* [a-z0-9][a-z0-9._/-]{0,62} */

#endif
