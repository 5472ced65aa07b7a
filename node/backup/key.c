/* SPDX-License-Identifier: Apache-2.0 */
#include "node/backup/key.h"

#include <assert.h>
#include <errno.h>
#include <nettle/curve25519.h>
#include <nettle/gcm.h>
#include <nettle/hkdf.h>
#include <nettle/hmac.h>
#include <nettle/memops.h>
#include <nettle/sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "node/base/assert.h"
#include "node/base/buf.h"

#define CHECK_BYTES 4u
#define TEXT_BYTES (KZ_BACKUP_KEY_BYTES + CHECK_BYTES)

static_assert(KZ_BACKUP_KEY_BYTES == CURVE25519_SIZE && KZ_BACKUP_KEY_BYTES == AES256_KEY_SIZE, "one size");
static_assert(KZ_BACKUP_TAG_BYTES == GCM_DIGEST_SIZE, "the tag whole");

static const char PRIVATE_WORD[] = "keizoku-backup-private-key-1", PUBLIC_WORD[] = "keizoku-backup-public-key-1";
static const char WRAP_INFO[] = "keizoku backup key 1";

enum kz_code kz_backup_random(void *out, size_t size_bytes, struct kz_err *err)
{
    uint8_t *at = out;
    while (size_bytes > 0) {
        ssize_t got = getrandom(at, size_bytes, 0);
        if (got < 0 && errno != EINTR) return kz_fail(err, KZ_IO, "getrandom: %s", strerror(errno));
        if (got <= 0) continue;
        at += got;
        size_bytes -= (size_t)got;
    }
    return KZ_OK;
}

/* ---- the pair ---- */

enum kz_code kz_backup_key_make(struct kz_backup_key *out, struct kz_err *err)
{
    memset(out, 0, sizeof *out);
    enum kz_code code = kz_backup_random(out->private_key, sizeof out->private_key, err);
    if (code) return code;
    curve25519_mul_g(out->public_key, out->private_key);
    out->is_private = true;
    return KZ_OK;
}

void kz_backup_key_wipe(struct kz_backup_key *key) { explicit_bzero(key, sizeof *key); }

static void checksum(const char *word, const uint8_t bytes[KZ_BACKUP_KEY_BYTES], uint8_t out[CHECK_BYTES])
{
    struct sha256_ctx hash;
    sha256_init(&hash);
    sha256_update(&hash, strlen(word), (const uint8_t *)word);
    sha256_update(&hash, KZ_BACKUP_KEY_BYTES, bytes);
    sha256_digest(&hash, CHECK_BYTES, out);
}

void kz_backup_key_write(const struct kz_backup_key *key, bool private_half, struct kz_buf *out)
{
    kz_assert(key->is_private || !private_half);
    const char *word = private_half ? PRIVATE_WORD : PUBLIC_WORD;
    uint8_t bytes[TEXT_BYTES];
    memcpy(bytes, private_half ? key->private_key : key->public_key, KZ_BACKUP_KEY_BYTES);
    checksum(word, bytes, bytes + KZ_BACKUP_KEY_BYTES);
    kz_buf_addf(out, "%s ", word);
    kz_buf_add_hex(out, bytes, sizeof bytes);
    kz_buf_add_text(out, "\n");
    explicit_bzero(bytes, sizeof bytes);
}

static int digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool read_hex(const char *text, uint8_t *out, size_t size_bytes)
{
    for (size_t i = 0; i < size_bytes; i++) {
        int high = digit(text[2 * i]), low = high < 0 ? -1 : digit(text[2 * i + 1]);
        if (low < 0) return false;
        out[i] = (uint8_t)(high * 16 + low);
    }
    const char *rest = text + 2 * size_bytes;
    return rest[strspn(rest, " \t\r\n")] == '\0';
}

/* The line that is not a comment. */
static const char *skip_comments(const char *text)
{
    for (;;) {
        text += strspn(text, " \t\r\n");
        if (*text != '#') return text;
        text += strcspn(text, "\n");
    }
}

enum kz_code kz_backup_key_read(const char *text, struct kz_backup_key *out, struct kz_err *err)
{
    uint8_t bytes[TEXT_BYTES], check[CHECK_BYTES];
    const char *line = skip_comments(text);
    size_t length = strcspn(line, " \t\r\n");
    memset(out, 0, sizeof *out);
    out->is_private = length == strlen(PRIVATE_WORD) && memcmp(line, PRIVATE_WORD, length) == 0;
    bool is_public = length == strlen(PUBLIC_WORD) && memcmp(line, PUBLIC_WORD, length) == 0;
    if (!out->is_private && !is_public) return kz_fail(err, KZ_USAGE, "not a key made by keizoku-ca backup-key");
    line += length;
    bool whole = read_hex(line + strspn(line, " \t"), bytes, sizeof bytes);
    if (whole) checksum(out->is_private ? PRIVATE_WORD : PUBLIC_WORD, bytes, check);
    if (!whole || memcmp(check, bytes + KZ_BACKUP_KEY_BYTES, CHECK_BYTES) != 0)
        return kz_fail(err, KZ_CORRUPT, "the key is damaged: its checksum does not fit");
    memcpy(out->is_private ? out->private_key : out->public_key, bytes, KZ_BACKUP_KEY_BYTES);
    if (out->is_private) curve25519_mul_g(out->public_key, out->private_key);
    explicit_bzero(bytes, sizeof bytes);
    return KZ_OK;
}

void kz_backup_key_fingerprint(const uint8_t public_key[KZ_BACKUP_KEY_BYTES], char out[KZ_BACKUP_FINGERPRINT_BYTES])
{
    uint8_t hash[(KZ_BACKUP_FINGERPRINT_BYTES - 1) / 2];
    struct sha256_ctx context;
    sha256_init(&context);
    sha256_update(&context, KZ_BACKUP_KEY_BYTES, public_key);
    sha256_digest(&context, sizeof hash, hash);
    kz_hex_write(hash, sizeof hash, out);
}

/* ---- the data key ---- */

/* False: a public key of small order gives everybody the same secret (RFC 7748 section 6.1). */
static bool derive(const uint8_t id[KZ_BACKUP_ID_BYTES], const uint8_t *own_private, const uint8_t *other_public,
                   const uint8_t *ephemeral, const uint8_t *recipient, uint8_t out[KZ_BACKUP_KEY_BYTES])
{
    uint8_t secret[CURVE25519_SIZE], extracted[SHA256_DIGEST_SIZE];
    static const uint8_t zero[CURVE25519_SIZE];
    uint8_t info[sizeof WRAP_INFO - 1 + 2 * CURVE25519_SIZE];
    curve25519_mul(secret, own_private, other_public);
    bool usable = !memeql_sec(secret, zero, sizeof secret);
    memcpy(info, WRAP_INFO, sizeof WRAP_INFO - 1);
    memcpy(info + sizeof WRAP_INFO - 1, ephemeral, CURVE25519_SIZE);
    memcpy(info + sizeof WRAP_INFO - 1 + CURVE25519_SIZE, recipient, CURVE25519_SIZE);

    struct hmac_sha256_ctx hmac;
    hmac_sha256_set_key(&hmac, KZ_BACKUP_ID_BYTES, id);
    hkdf_extract(&hmac, (nettle_hash_update_func *)hmac_sha256_update, (nettle_hash_digest_func *)hmac_sha256_digest,
                 SHA256_DIGEST_SIZE, sizeof secret, secret, extracted);
    hmac_sha256_set_key(&hmac, sizeof extracted, extracted);
    hkdf_expand(&hmac, (nettle_hash_update_func *)hmac_sha256_update, (nettle_hash_digest_func *)hmac_sha256_digest,
                SHA256_DIGEST_SIZE, sizeof info, info, KZ_BACKUP_KEY_BYTES, out);
    explicit_bzero(&hmac, sizeof hmac);
    explicit_bzero(secret, sizeof secret);
    explicit_bzero(extracted, sizeof extracted);
    return usable;
}

/* The KEK is used once, so its nonce may be constant. */
static void set_kek(struct gcm_aes256_ctx *gcm, uint8_t kek[KZ_BACKUP_KEY_BYTES])
{
    static const uint8_t nonce[GCM_IV_SIZE];
    gcm_aes256_set_key(gcm, kek);
    gcm_aes256_set_iv(gcm, sizeof nonce, nonce);
    explicit_bzero(kek, KZ_BACKUP_KEY_BYTES);
}

enum kz_code kz_backup_wrap(const uint8_t id[KZ_BACKUP_ID_BYTES], const uint8_t public_key[KZ_BACKUP_KEY_BYTES],
                            const uint8_t data_key[KZ_BACKUP_KEY_BYTES], struct kz_backup_wrapped *out,
                            struct kz_err *err)
{
    struct kz_backup_key ephemeral;
    uint8_t kek[KZ_BACKUP_KEY_BYTES];
    struct gcm_aes256_ctx gcm;
    enum kz_code code = kz_backup_key_make(&ephemeral, err);
    if (code) return code;
    memcpy(out->ephemeral, ephemeral.public_key, sizeof out->ephemeral);
    bool usable = derive(id, ephemeral.private_key, public_key, out->ephemeral, public_key, kek);
    kz_backup_key_wipe(&ephemeral);
    set_kek(&gcm, kek);
    gcm_aes256_encrypt(&gcm, KZ_BACKUP_KEY_BYTES, out->wrapped, data_key);
    gcm_aes256_digest(&gcm, KZ_BACKUP_TAG_BYTES, out->wrapped + KZ_BACKUP_KEY_BYTES);
    explicit_bzero(&gcm, sizeof gcm);
    return usable ? KZ_OK : kz_fail(err, KZ_USAGE, "the public key is not a usable one");
}

bool kz_backup_unwrap(const uint8_t id[KZ_BACKUP_ID_BYTES], const struct kz_backup_key *key,
                      const struct kz_backup_wrapped *wrapped, uint8_t data_key[KZ_BACKUP_KEY_BYTES])
{
    uint8_t kek[KZ_BACKUP_KEY_BYTES], tag[KZ_BACKUP_TAG_BYTES];
    struct gcm_aes256_ctx gcm;
    kz_assert(key->is_private);
    bool usable = derive(id, key->private_key, wrapped->ephemeral, wrapped->ephemeral, key->public_key, kek);
    set_kek(&gcm, kek);
    gcm_aes256_decrypt(&gcm, KZ_BACKUP_KEY_BYTES, data_key, wrapped->wrapped);
    gcm_aes256_digest(&gcm, sizeof tag, tag);
    explicit_bzero(&gcm, sizeof gcm);
    return usable && memeql_sec(tag, wrapped->wrapped + KZ_BACKUP_KEY_BYTES, sizeof tag);
}

/* ---- chunks ---- */

struct kz_backup_cipher {
    uint8_t id[KZ_BACKUP_ID_BYTES];
    struct gcm_aes256_ctx gcm;
};

struct kz_backup_cipher *kz_backup_cipher_new(const uint8_t id[KZ_BACKUP_ID_BYTES],
                                              const uint8_t data_key[KZ_BACKUP_KEY_BYTES])
{
    struct kz_backup_cipher *cipher = kz_must_alloc(1, sizeof *cipher);
    memcpy(cipher->id, id, sizeof cipher->id);
    gcm_aes256_set_key(&cipher->gcm, data_key);
    return cipher;
}

void kz_backup_cipher_free(struct kz_backup_cipher *cipher)
{
    if (!cipher) return;
    explicit_bzero(cipher, sizeof *cipher);
    free(cipher);
}

static void begin_chunk(struct kz_backup_cipher *cipher, uint64_t number, bool last)
{
    uint8_t nonce[GCM_IV_SIZE] = {0}, about[KZ_BACKUP_ID_BYTES + 8 + 1];
    kz_put_u64(nonce + GCM_IV_SIZE - 8, number);
    memcpy(about, cipher->id, KZ_BACKUP_ID_BYTES);
    kz_put_u64(about + KZ_BACKUP_ID_BYTES, number);
    about[KZ_BACKUP_ID_BYTES + 8] = last;
    gcm_aes256_set_iv(&cipher->gcm, sizeof nonce, nonce);
    gcm_aes256_update(&cipher->gcm, sizeof about, about);
}

void kz_backup_encrypt(struct kz_backup_cipher *cipher, uint64_t number, bool last, const uint8_t *in,
                       size_t size_bytes, uint8_t *out)
{
    begin_chunk(cipher, number, last);
    gcm_aes256_encrypt(&cipher->gcm, size_bytes, out, in);
    gcm_aes256_digest(&cipher->gcm, KZ_BACKUP_TAG_BYTES, out + size_bytes);
}

bool kz_backup_decrypt(struct kz_backup_cipher *cipher, uint64_t number, bool last, const uint8_t *in,
                       size_t size_bytes, uint8_t *out)
{
    uint8_t tag[KZ_BACKUP_TAG_BYTES];
    kz_assert(size_bytes >= KZ_BACKUP_TAG_BYTES);
    size_t plain = size_bytes - KZ_BACKUP_TAG_BYTES;
    begin_chunk(cipher, number, last);
    gcm_aes256_decrypt(&cipher->gcm, plain, out, in);
    gcm_aes256_digest(&cipher->gcm, sizeof tag, tag);
    return memeql_sec(tag, in + plain, sizeof tag);
}
