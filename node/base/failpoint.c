/* SPDX-License-Identifier: Apache-2.0 */
#include "node/base/failpoint.h"

#ifdef KZ_FAILPOINTS

#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "node/base/assert.h"
#include "node/base/log.h"

#define PASSAGE_MAX 1000000000

#define NAME_OF(name) name,
static const char *const names[] = {KZ_FAILPOINT_TABLE(NAME_OF)};
#define COUNT (sizeof(names) / sizeof(names[0]))

static atomic_long left[COUNT]; /* passages until the end; 0 = none */

/* COUNT: no such name. */
static size_t find(const char *name, size_t size_bytes)
{
    size_t at = 0;
    while (at < COUNT && (strlen(names[at]) != size_bytes || memcmp(names[at], name, size_bytes) != 0))
        at++;
    return at;
}

void kz_failpoint_pass(const char *name)
{
    size_t at = find(name, strlen(name));
    kz_assert(at < COUNT); /* the table in failpoint.h lacks this name */
    if (atomic_load_explicit(&left[at], memory_order_relaxed) <= 0 || atomic_fetch_sub(&left[at], 1) != 1) return;
    kz_log_warn("failpoint.reached", "name=%s", name);
    (void)kill(getpid(), SIGKILL); /* whatever it returns, going on is not an answer */
    for (;;)
        pause();
}

bool kz_failpoint_built(void) { return true; }

/* One "name[:n]". */
static enum kz_code arm(const char *item, size_t size_bytes, struct kz_err *err)
{
    const char *colon = memchr(item, ':', size_bytes);
    size_t name_bytes = colon ? (size_t)(colon - item) : size_bytes;
    size_t at = find(item, name_bytes);
    char *end = NULL;
    long n = colon ? strtol(colon + 1, &end, 10) : 1;
    if (at == COUNT)
        return kz_fail(err, KZ_USAGE,
                       "KEIZOKU_FAILPOINT: there is no point \"%.*s\": keizokud --failpoints lists them all",
                       (int)name_bytes, item);
    if (colon && (end != item + size_bytes || end == colon + 1 || n < 1 || n > PASSAGE_MAX))
        return kz_fail(err, KZ_USAGE, "KEIZOKU_FAILPOINT: \"%.*s\": give the passage as a number from 1, as in %s:3",
                       (int)size_bytes, item, names[at]);
    atomic_store(&left[at], n);
    return KZ_OK;
}

enum kz_code kz_failpoint_init(const char *setting, struct kz_err *err)
{
    for (size_t i = 0; i < COUNT; i++)
        atomic_store(&left[i], 0);
    while (setting && *setting != '\0') {
        size_t size_bytes = strcspn(setting, ",");
        enum kz_code code = arm(setting, size_bytes, err);
        if (code != KZ_OK) return code;
        setting += size_bytes;
        setting += *setting == ',';
    }
    return KZ_OK;
}

void kz_failpoint_list(FILE *out)
{
    for (size_t i = 0; i < COUNT; i++)
        fprintf(out, "%s\n", names[i]);
}

#else

void kz_failpoint_pass(const char *name) { (void)name; }
bool kz_failpoint_built(void) { return false; }

enum kz_code kz_failpoint_init(const char *setting, struct kz_err *err)
{
    if (!setting || *setting == '\0') return KZ_OK;
    return kz_fail(err, KZ_USAGE,
                   "KEIZOKU_FAILPOINT is set, but this program was built without failpoints: unset it, "
                   "or build with -Dfailpoints=true");
}

void kz_failpoint_list(FILE *out) { (void)out; }

#endif
