/* SPDX-License-Identifier: Apache-2.0 */
#include "node/base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LINE_MAX_BYTES 1024

/* Set once by kz_log_init before threads start, read-only afterwards. */
static enum kz_log_level log_level = KZ_LOG_INFO;
static char log_node[72];

void kz_log_init(enum kz_log_level level, const char *node)
{
    log_level = level;
    snprintf(log_node, sizeof log_node, "%s", node);
}

/* One line per fact, whatever was passed in: a value must not be able to write a second one. */
static size_t make_one_line(char *line, size_t used, size_t wanted)
{
    /* A cut inside a character loses that character. */
    if (wanted > used) {
        while (used > 0 && ((unsigned char)line[used - 1] & 0xC0) == 0x80)
            used--;
        if (used > 0 && (unsigned char)line[used - 1] >= 0xC0) used--;
    }
    for (size_t i = 0; i < used; i++)
        if ((unsigned char)line[i] < 0x20 || line[i] == 0x7F) line[i] = ' ';
    return used;
}

void kz_log(enum kz_log_level level, const char *fact, const char *fmt, ...)
{
    static const char *const names[] = {"error", "warn", "info", "debug"};
    if (level > log_level) return;

    struct timespec now;
    struct tm utc;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);

    char line[LINE_MAX_BYTES];
    size_t used = strftime(line, sizeof line, "%Y-%m-%dT%H:%M:%S", &utc);
    used += (size_t)snprintf(line + used, sizeof line - used, ".%03ldZ level=%s node=%s %s ", now.tv_nsec / 1000000,
                             names[level], log_node, fact);
    va_list args;
    va_start(args, fmt);
    int added = vsnprintf(line + used, sizeof line - used, fmt, args);
    va_end(args);
    if (added > 0) used += (size_t)added;
    size_t fits = used > sizeof line - 2 ? sizeof line - 2 : used;
    used = make_one_line(line, fits, used);
    line[used++] = '\n';
    ssize_t written = write(STDERR_FILENO, line, used);
    (void)written; /* nowhere left to report a failing stderr */
}
