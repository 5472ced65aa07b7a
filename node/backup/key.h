/* SPDX-License-Identifier: Apache-2.0 */
/* The key pair that backups are encrypted to (X25519) and what is done with keys: a random data key per file, wrapped
 * to public keys; chunks under the data key. Files and signatures are others' work. Any thread.
 *
 * Wrapping, per recipient: an ephemeral pair; KEK = HKDF-SHA256(salt = file id, secret = X25519(ephemeral, public),
 * info = "keizoku backup key 1", ephemeral public, public); AES-256-GCM(KEK, nonce 0) of the data key.
 * A chunk: AES-256-GCM(data key, nonce = 0 u32, number u64), authenticated with file id, number u64, last u8. */
#ifndef KZ_BACKUP_KEY_H
#define KZ_BACKUP_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "node/base/buf.h"
#include "node/base/err.h"

#define KZ_BACKUP_KEY_BYTES 32u
#define KZ_BACKUP_ID_BYTES 16u
#define KZ_BACKUP_TAG_BYTES 16u
#define KZ_BACKUP_WRAPPED_BYTES (KZ_BACKUP_KEY_BYTES + KZ_BACKUP_TAG_BYTES)
#define KZ_BACKUP_KEY_TEXT_MAX_BYTES 4096u
#define KZ_BACKUP_FINGERPRINT_BYTES 17 /* 16 hexadecimal digits and NUL */

/* `private_key` is all zero in a public key. */
struct kz_backup_key {
    uint8_t public_key[KZ_BACKUP_KEY_BYTES];
    uint8_t private_key[KZ_BACKUP_KEY_BYTES];
    bool is_private;
};

enum kz_code kz_backup_key_make(struct kz_backup_key *out, struct kz_err *err) KZ_MUST_CHECK;
void kz_backup_key_wipe(struct kz_backup_key *key);
/* As text with a checksum; `private_half`: the private key, from which the public one follows. */
void kz_backup_key_write(const struct kz_backup_key *key, bool private_half, struct kz_buf *out);
/* KZ_USAGE: it is no such key, KZ_CORRUPT: it is one and damaged. */
enum kz_code kz_backup_key_read(const char *text, struct kz_backup_key *out, struct kz_err *err) KZ_MUST_CHECK;
/* For people: which key is it. */
void kz_backup_key_fingerprint(const uint8_t public_key[KZ_BACKUP_KEY_BYTES], char out[KZ_BACKUP_FINGERPRINT_BYTES]);

enum kz_code kz_backup_random(void *out, size_t size_bytes, struct kz_err *err) KZ_MUST_CHECK;

struct kz_backup_wrapped {
    uint8_t ephemeral[KZ_BACKUP_KEY_BYTES];
    uint8_t wrapped[KZ_BACKUP_WRAPPED_BYTES];
};
/* KZ_USAGE: not a usable public key (of small order). */
enum kz_code kz_backup_wrap(const uint8_t id[KZ_BACKUP_ID_BYTES], const uint8_t public_key[KZ_BACKUP_KEY_BYTES],
                            const uint8_t data_key[KZ_BACKUP_KEY_BYTES], struct kz_backup_wrapped *out,
                            struct kz_err *err) KZ_MUST_CHECK;
/* False: not wrapped to this key, or damaged. */
bool kz_backup_unwrap(const uint8_t id[KZ_BACKUP_ID_BYTES], const struct kz_backup_key *key,
                      const struct kz_backup_wrapped *wrapped, uint8_t data_key[KZ_BACKUP_KEY_BYTES]) KZ_MUST_CHECK;

/* The data key made ready, once per file. */
struct kz_backup_cipher;
struct kz_backup_cipher *kz_backup_cipher_new(const uint8_t id[KZ_BACKUP_ID_BYTES],
                                              const uint8_t data_key[KZ_BACKUP_KEY_BYTES]);
void kz_backup_cipher_free(struct kz_backup_cipher *cipher); /* wiped; NULL is legal */
/* `out` has room for size_bytes and the tag, which stands at the end. */
void kz_backup_encrypt(struct kz_backup_cipher *cipher, uint64_t number, bool last, const uint8_t *in,
                       size_t size_bytes, uint8_t *out);
/* `size_bytes` with the tag, at least its size; `out` has room for the rest. False: not what was encrypted. */
bool kz_backup_decrypt(struct kz_backup_cipher *cipher, uint64_t number, bool last, const uint8_t *in,
                       size_t size_bytes, uint8_t *out) KZ_MUST_CHECK;

#endif
