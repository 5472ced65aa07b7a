/* SPDX-License-Identifier: Apache-2.0 */
/* One line per fact on stderr: `2026-01-17T05:46:12.345Z level=info node=main raft.elected term=7`.
 * No record values, personal data or key material may be passed in. Thread-safe: one write per line. */
#ifndef KZ_BASE_LOG_H
#define KZ_BASE_LOG_H

enum kz_log_level { KZ_LOG_ERROR, KZ_LOG_WARN, KZ_LOG_INFO, KZ_LOG_DEBUG };

/* `node` is copied. Call once before other threads start. */
void kz_log_init(enum kz_log_level level, const char *node);

/* `fact` is "area.fact"; `fmt` holds key=value pairs. */
void kz_log(enum kz_log_level level, const char *fact, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#define kz_log_error(fact, ...) kz_log(KZ_LOG_ERROR, fact, __VA_ARGS__)
#define kz_log_warn(fact, ...) kz_log(KZ_LOG_WARN, fact, __VA_ARGS__)
#define kz_log_info(fact, ...) kz_log(KZ_LOG_INFO, fact, __VA_ARGS__)
#define kz_log_debug(fact, ...) kz_log(KZ_LOG_DEBUG, fact, __VA_ARGS__)

#endif
