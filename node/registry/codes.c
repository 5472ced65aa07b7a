/* SPDX-License-Identifier: Apache-2.0 */
#include "node/registry/codes.h"

#include <string.h>

#include "node/registry/record.h"
#include "node/registry/text.h"

#define CORPORATE_DIGITS 13
#define LOCAL_GOVERNMENT_DIGITS 6
#define PHONE_DIGITS_MIN 3
#define PHONE_DIGITS_MAX 15
#define EXTENSION_DIGITS_MAX 8
#define MAIL_MAX_BYTES 254
#define MAIL_LOCAL_MAX_BYTES 64
#define MAIL_LABEL_MAX_BYTES 63
#define LABEL_KEY_MAX_BYTES 63

static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
static bool is_letter(char c) { return is_lower(c) || (c >= 'A' && c <= 'Z'); }

static bool is_digits(const char *text, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!is_digit(text[i])) return false;
    return text[count] == '\0';
}

bool kz_code_is_corporate(const char *code)
{
    if (!is_digits(code, CORPORATE_DIGITS)) return false;
    int sum = 0;
    for (int n = 1; n < CORPORATE_DIGITS; n++) {
        int digit = code[CORPORATE_DIGITS - n] - '0';
        sum += digit * (n % 2 == 1 ? 1 : 2);
    }
    return code[0] - '0' == 9 - sum % 9;
}

bool kz_code_is_local_government(const char *code)
{
    if (!is_digits(code, LOCAL_GOVERNMENT_DIGITS)) return false;
    int sum = 0;
    for (int i = 0; i < LOCAL_GOVERNMENT_DIGITS - 1; i++)
        sum += (code[i] - '0') * (6 - i);
    int check = sum < 11 ? 11 - sum : 11 - sum % 11;
    return code[LOCAL_GOVERNMENT_DIGITS - 1] - '0' == check % 10;
}

/* Behind the number: nothing, or an extension. */
static bool is_extension(const char *text, bool optional)
{
    static const char *const words[] = {"内線", "ext.", "ext", "x"};
    while (*text == ' ')
        text++;
    if (*text == '\0') return optional;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        size_t size = strlen(words[i]);
        if (strncmp(text, words[i], size) != 0) continue;
        text += size;
        while (*text == ' ')
            text++;
        size_t digits = strspn(text, "0123456789-");
        return digits >= 1 && digits <= EXTENSION_DIGITS_MAX && text[digits] == '\0';
    }
    return false;
}

bool kz_code_is_phone(const char *text)
{
    int digits = 0;
    int open = 0;
    if (is_extension(text, false)) return true;
    if (*text == '+') text++;
    for (; *text != '\0'; text++) {
        if (is_digit(*text))
            digits++;
        else if (*text == '(')
            open++;
        else if (*text == ')')
            open--;
        else if (*text != '-' && *text != ' ')
            break;
        if (open < 0 || open > 1) return false;
    }
    return open == 0 && digits >= PHONE_DIGITS_MIN && digits <= PHONE_DIGITS_MAX && is_extension(text, true);
}

static bool is_domain(const char *text)
{
    size_t label = 0;
    int dots = 0;
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == '.') {
            if (label == 0 || c[-1] == '-') return false;
            label = 0;
            dots++;
            continue;
        }
        if (!is_letter(*c) && !is_digit(*c) && (*c != '-' || label == 0)) return false;
        if (++label > MAIL_LABEL_MAX_BYTES) return false;
    }
    return dots >= 1 && label >= 1 && text[strlen(text) - 1] != '-';
}

bool kz_code_is_mail(const char *text)
{
    const char *at = strchr(text, '@');
    if (at == NULL || at == text || strlen(text) > MAIL_MAX_BYTES) return false;
    if ((size_t)(at - text) > MAIL_LOCAL_MAX_BYTES || text[0] == '.' || at[-1] == '.') return false;
    for (const char *c = text; c < at; c++) {
        bool special = strchr("!#$%&'*+-/=?^_`{|}~.", *c) != NULL;
        if (!is_letter(*c) && !is_digit(*c) && !special) return false;
    }
    return is_domain(at + 1);
}

bool kz_code_is_sha256(const char *text) { return strspn(text, "0123456789abcdefABCDEF") == 64 && text[64] == '\0'; }

bool kz_code_is_hour_minute(const char *text)
{
    if (strlen(text) != 5 || text[2] != ':') return false;
    if (!is_digit(text[0]) || !is_digit(text[1]) || !is_digit(text[3]) || !is_digit(text[4])) return false;
    return (text[0] - '0') * 10 + (text[1] - '0') < 24 && text[3] < '6';
}

bool kz_code_is_month_day(const char *text)
{
    static const int month_days[12] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (strlen(text) != 5 || text[2] != '-') return false;
    if (!is_digit(text[0]) || !is_digit(text[1]) || !is_digit(text[3]) || !is_digit(text[4])) return false;
    int month = (text[0] - '0') * 10 + (text[1] - '0');
    int day = (text[3] - '0') * 10 + (text[4] - '0');
    return month >= 1 && month <= 12 && day >= 1 && day <= month_days[month - 1];
}

static bool is_slug(const char *text, const char *marks, size_t max_bytes)
{
    size_t size = 0;
    for (; text[size] != '\0'; size++) {
        char c = text[size];
        if (size == max_bytes) return false;
        if (!is_lower(c) && !is_digit(c) && (size == 0 || strchr(marks, c) == NULL)) return false;
    }
    return size > 0;
}

bool kz_code_is_label_key(const char *text) { return is_slug(text, "._-/", LABEL_KEY_MAX_BYTES); }

bool kz_id_valid(const char *id) { return is_slug(id, "._-", KZ_ID_MAX_BYTES); }

bool kz_id_fold(const char *typed, char out[KZ_ID_MAX_BYTES + 1])
{
    char folded[KZ_FOLD_MAX_BYTES];
    if (!kz_text_fold(typed, folded, sizeof(folded)) || !kz_id_valid(folded)) return false;
    memcpy(out, folded, strlen(folded) + 1);
    return true;
}
