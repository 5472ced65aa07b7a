/* SPDX-License-Identifier: Apache-2.0 */
/* Records and shorthand that the registry's tests share. Out of memory ends the test. */
#ifndef KZ_TESTS_REGISTRY_SAMPLES_H
#define KZ_TESTS_REGISTRY_SAMPLES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "node/registry/record.h"

/* The smallest record of each kind that breaks no rule. Free with kz__record__free_unpacked. */
Kz__Record *sample_minimal(Kz__Kind kind);
/* A record of the kind with every field that people set filled with something that breaks no rule. */
Kz__Record *sample_full(Kz__Kind kind);

/* Sets "rto", "contract.sla" or "channels[0].value" of the body (making groups on the way) from text as typed; returns
 * the reason when the text is refused. */
const struct kz_text *sample_set(Kz__Record *record, const char *path, const char *text);

/* Runs kz_record_check and asserts: exactly the rules given, in any order, each "rule path-below-the-record". */
void expect_rules(const Kz__Record *record, size_t count, const char *const rules[]);
#define EXPECT_FINE(record) expect_rules((record), 0, NULL)
#define EXPECT_RULES(record, ...)                                                                                      \
    expect_rules((record), sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *), (const char *[]){__VA_ARGS__})

#endif
