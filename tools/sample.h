/* SPDX-License-Identifier: Apache-2.0 */
/* A made-up ministry of any size as YAML that `keizoku apply --split` takes: people, organisations, systems and how
 * they depend on each other, runbooks, backups, drills. The same options give the same bytes on every machine. Every
 * value is computed from the seed and the record's number, so that nothing is kept in memory and references need no
 * look-up. Nobody and no number in it exists: numbers that begin with 0 after 03, 06, 050 or 080 are not given out,
 * example.jp is reserved. Knows nothing of the schema: a unit test holds what it writes against the rules. One thread.
 */
#ifndef KZ_TOOLS_SAMPLE_H
#define KZ_TOOLS_SAMPLE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define KZ_SAMPLE_SYSTEMS_MAX 1000000u
#define KZ_SAMPLE_CONTACTS_MIN 10u
#define KZ_SAMPLE_CONTACTS_MAX 1000000u
#define KZ_SAMPLE_TEXT_BYTES 128

struct kz_sample {
    uint64_t seed;
    uint32_t systems, contacts; /* as asked for */
    int64_t today;              /* days since 1970-01-01: what is dated lies around it */
    /* What follows from them: kz_sample_init. */
    uint32_t platforms, divisions, vendors, people; /* people: contacts that are no vendor's desk */
    FILE *out;                                      /* borrowed; of the section that is being written */
};

/* Sizes must be within the limits above, `systems` at least 1. */
void kz_sample_init(struct kz_sample *sample);

/* One part of the registry. Written in this order, every reference names a record of this or an earlier section. */
struct kz_sample_section {
    const char *name; /* "10-orgs" */
    /* What it is written along: contacts or systems, `from` up to `to` of them at a time. NULL: of one piece. */
    uint32_t (*units)(const struct kz_sample *sample);
    void (*write)(const struct kz_sample *sample, uint32_t from, uint32_t to);
};
const struct kz_sample_section *kz_sample_sections(size_t *count);

/* ---- shared by the sections ---- */

/* What a number is drawn for: numbers of different streams have nothing to do with each other. */
enum kz_sample_stream {
    KZ_STREAM_NAME,
    KZ_STREAM_MUSTER,
    KZ_STREAM_SYSTEM,
    KZ_STREAM_DEPENDS,
    KZ_STREAM_COMPONENT,
    KZ_STREAM_BACKUP
};

/* 0 to below - 1, for the draw-th number of record `index`. */
uint32_t kz_sample_draw(const struct kz_sample *sample, enum kz_sample_stream stream, uint32_t index, uint32_t draw,
                        uint32_t below);
const char *kz_sample_date(const struct kz_sample *sample, int64_t days_from_today, char out[KZ_SAMPLE_TEXT_BYTES]);

/* Ids; the text is `out`. */
const char *kz_sample_division(uint32_t division, char out[KZ_SAMPLE_TEXT_BYTES]);
const char *kz_sample_person(const struct kz_sample *sample, uint32_t person, char out[KZ_SAMPLE_TEXT_BYTES]);
const char *kz_sample_vendor(uint32_t vendor, char out[KZ_SAMPLE_TEXT_BYTES]);
const char *kz_sample_system(const struct kz_sample *sample, uint32_t system, char out[KZ_SAMPLE_TEXT_BYTES]);

/* What systems are about, as divisions are called, too. */
struct kz_sample_theme {
    const char *name, *id;
};
#define KZ_SAMPLE_THEMES 24
extern const struct kz_sample_theme kz_sample_themes[KZ_SAMPLE_THEMES];

/* The sections of sample_systems.c. */
void kz_sample_write_systems(const struct kz_sample *sample, uint32_t from, uint32_t to);
void kz_sample_write_functions(const struct kz_sample *sample, uint32_t from, uint32_t to);
void kz_sample_write_components(const struct kz_sample *sample, uint32_t from, uint32_t to);
void kz_sample_write_runbooks(const struct kz_sample *sample, uint32_t from, uint32_t to);
void kz_sample_write_backups(const struct kz_sample *sample, uint32_t from, uint32_t to);
void kz_sample_write_measures(const struct kz_sample *sample, uint32_t from, uint32_t to);
void kz_sample_write_drills(const struct kz_sample *sample, uint32_t from, uint32_t to);

#endif
