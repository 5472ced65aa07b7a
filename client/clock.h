/* SPDX-License-Identifier: Apache-2.0 */
/* Monotonic milliseconds and deadlines. Any thread. */
#ifndef KZ_CLIENT_CLOCK_H
#define KZ_CLIENT_CLOCK_H

#include <stdint.h>
#include <time.h>

static inline int64_t kz_clock_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* What is left until `deadline_ms`, never negative, as poll(2) takes it. */
static inline int kz_clock_left(int64_t deadline_ms)
{
    int64_t left = deadline_ms - kz_clock_ms();
    if (left <= 0) return 0;
    return left > INT32_MAX ? INT32_MAX : (int)left;
}

#endif
